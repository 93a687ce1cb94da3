//! Owns loss and accuracy as metrics of Burn. Both give every image the same weight. Burn's own
//! loss metric gives every batch the same weight, so the images of the shorter last batch count too
//! much.
//! Depends on the metrics of `engine`. Must not know the loop.

use std::collections::HashMap;
use std::sync::Arc;

use burn::tensor::TensorReadError;
use burn::train::logger::MetricLogger;
use burn::train::metric::store::{EpochSummary, MetricsUpdate, Split};
use burn::train::metric::{
    Adaptor, Metric, MetricAttributes, MetricDefinition, MetricEntry, MetricId, MetricMetadata, MetricName,
    Numeric, NumericAttributes, NumericEntry, SerializedEntry,
};

use crate::engine::{LazyMetrics, MetricSums};

/// Name of the loss among Burn's metrics.
pub const LOSS: &str = "Loss";
/// Name of the accuracy among Burn's metrics.
pub const ACCURACY: &str = "Accuracy";

/// Mean of a quantity over the images of an epoch.
#[derive(Debug, Clone)]
pub struct SampleMean {
    name: MetricName,
    higher_is_better: bool,
    /// Function that takes the sum of the quantity out of the metrics of some steps.
    total: fn(&MetricSums) -> f64,
    /// Sum over the epoch so far.
    epoch: Sum,
    /// Sum over the steps of the latest event.
    latest: Sum,
}

/// Sum of a quantity over some images.
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

impl SampleMean {
    /// Returns the metric of the mean loss, in nats.
    pub fn loss() -> Self {
        Self::new(LOSS, false, |totals| totals.loss)
    }

    /// Returns the metric of the share of images classified correctly, in [0, 1].
    pub fn accuracy() -> Self {
        Self::new(ACCURACY, true, |totals| totals.correct as f64)
    }

    fn new(name: &str, higher_is_better: bool, total: fn(&MetricSums) -> f64) -> Self {
        let name = Arc::new(name.to_owned());
        Self { name, higher_is_better, total, epoch: Sum::default(), latest: Sum::default() }
    }
}

impl Adaptor<Vec<MetricSums>> for LazyMetrics {
    fn adapt(&self) -> Vec<MetricSums> {
        self.sums().collect()
    }
}

impl Metric for SampleMean {
    type Input = Vec<MetricSums>;

    fn name(&self) -> MetricName {
        self.name.clone()
    }

    fn attributes(&self) -> MetricAttributes {
        NumericAttributes { unit: None, higher_is_better: self.higher_is_better }.into()
    }

    fn update(
        &mut self,
        steps: &Vec<MetricSums>,
        _: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        self.latest = Sum::default();
        for totals in steps {
            let total = (self.total)(totals);
            for sum in [&mut self.latest, &mut self.epoch] {
                sum.total += total;
                sum.num_images += totals.num_images;
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

impl Numeric for SampleMean {
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

/// Store of the means of the current epoch, for Burn's event store. Burn's own store in memory
/// counts epochs by its calls, so that a training that is resumed finds nothing in it.
#[derive(Default)]
pub(super) struct EpochMetricStore {
    names: HashMap<MetricId, MetricName>,
    /// Last entry of each metric in a split, with its epoch. After the end of an epoch it is the
    /// mean over the epoch.
    last: HashMap<(String, Split), (usize, NumericEntry)>,
}

impl MetricLogger for EpochMetricStore {
    fn log(&mut self, update: MetricsUpdate, epoch: usize, split: &Split) {
        for MetricEntry { metric_id, serialized_entry } in
            update.entries_numeric.into_iter().map(|it| it.entry)
        {
            let name = self.names.get(&metric_id);
            let entry = NumericEntry::deserialize(&serialized_entry.serialized);
            if let (Some(name), Ok(entry)) = (name, entry) {
                self.last.insert((name.to_string(), split.clone()), (epoch, entry));
            }
        }
    }

    /// Returns the last entry of the metric if it belongs to `epoch`.
    fn read_numeric(&mut self, name: &str, epoch: usize, split: &Split) -> Result<Vec<NumericEntry>, String> {
        let last = self.last.get(&(name.to_owned(), split.clone()));
        Ok(last.filter(|(of, _)| *of == epoch).map(|(_, entry)| entry.clone()).into_iter().collect())
    }

    fn log_metric_definition(&mut self, definition: MetricDefinition) {
        self.names.insert(definition.metric_id, definition.name);
    }

    fn log_epoch_summary(&mut self, _: EpochSummary) {}
}
