//! Loss and accuracy as Burn metrics. Both weigh every image alike; Burn's own loss metric weighs every batch
//! alike, which over-weights the short last one.

use std::sync::Arc;

use burn::tensor::TensorReadError;
use burn::train::metric::{
    Adaptor, Metric, MetricAttributes, MetricMetadata, MetricName, Numeric, NumericAttributes, NumericEntry,
    SerializedEntry,
};

use super::step::{Measured, Step};

/// The name of the loss among Burn's metrics.
pub const LOSS: &str = "Loss";
/// The name of the accuracy among Burn's metrics.
pub const ACCURACY: &str = "Accuracy";

/// The mean of a quantity over the images of an epoch.
#[derive(Debug, Clone)]
pub struct ImageMean {
    name: MetricName,
    higher_is_better: bool,
    /// The quantity's sum over the images of a step.
    total: fn(&Step) -> f64,
    epoch: Sum,
    latest: Sum,
}

/// A sum over some images.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    total: f64,
    num_images: usize,
}

impl Sum {
    fn mean(self) -> f64 {
        self.total / self.num_images as f64
    }

    fn entry(self) -> NumericEntry {
        NumericEntry::Aggregated { aggregated_value: self.mean(), count: self.num_images }
    }
}

impl ImageMean {
    /// The mean loss.
    pub fn loss() -> Self {
        Self::new(LOSS, false, |step| step.loss * step.num_images as f64)
    }

    /// The share of images classified correctly, in [0, 1].
    pub fn accuracy() -> Self {
        Self::new(ACCURACY, true, |step| step.correct as f64)
    }

    fn new(name: &str, higher_is_better: bool, total: fn(&Step) -> f64) -> Self {
        let name = Arc::new(name.to_owned());
        Self { name, higher_is_better, total, epoch: Sum::default(), latest: Sum::default() }
    }
}

impl Adaptor<Vec<Step>> for Measured {
    fn adapt(&self) -> Vec<Step> {
        self.steps().to_vec()
    }
}

impl Metric for ImageMean {
    type Input = Vec<Step>;

    fn name(&self) -> MetricName {
        self.name.clone()
    }

    fn attributes(&self) -> MetricAttributes {
        NumericAttributes { unit: None, higher_is_better: self.higher_is_better }.into()
    }

    fn update(&mut self, steps: &Vec<Step>, _: &MetricMetadata) -> Result<SerializedEntry, TensorReadError> {
        self.latest = Sum::default();
        for step in steps {
            let total = (self.total)(step);
            for sum in [&mut self.latest, &mut self.epoch] {
                sum.total += total;
                sum.num_images += step.num_images;
            }
        }
        let text = format!("epoch {:.4} - latest {:.4}", self.epoch.mean(), self.latest.mean());
        Ok(SerializedEntry::new(text, self.latest.entry().serialize()))
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        let text = format!("epoch {:.4}", self.epoch.mean());
        Ok(SerializedEntry::new(text, self.final_value().serialize()))
    }

    fn clear(&mut self) {
        self.epoch = Sum::default();
        self.latest = Sum::default();
    }
}

impl Numeric for ImageMean {
    fn value(&self) -> Option<NumericEntry> {
        Some(self.latest.entry())
    }

    fn running_value(&self) -> Option<NumericEntry> {
        Some(self.epoch.entry())
    }

    fn final_value(&self) -> NumericEntry {
        NumericEntry::Final(self.epoch.mean())
    }
}
