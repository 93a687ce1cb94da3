//! Owns the metrics of steps: loss and number of correct images. They stay on the device until someone reads them.
//! Depends on Burn alone. Must not know networks or engines.

use burn::tensor::{Int, Tensor, Transaction};
use burn::train::ItemLazy;
use serde::{Deserialize, Serialize};

/// Metrics of some successive steps. Reading a value back makes a GPU wait, so the values of several steps are collected
/// here and read in one transfer.
#[derive(Default)]
pub struct LazyMetrics {
    /// Sums of the steps before these ones, in an epoch that is resumed.
    before: Option<MetricSums>,
    on_device: Vec<OnDevice>,
    read: Vec<StepMetrics>,
}

struct OnDevice {
    loss: Tensor<1>,
    correct: Tensor<1, Int>,
    num_images: usize,
}

/// Metrics of one step on its batch, before its update.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepMetrics {
    /// Mean cross-entropy over the batch, label smoothing included.
    pub loss: f64,
    /// Images whose largest logit is the true class's.
    pub correct: usize,
    /// Images in the batch.
    pub num_images: usize,
}

/// Metrics of some steps, added up over their images.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct MetricSums {
    /// Sum of the losses, in nats.
    pub loss: f64,
    /// Number of images classified correctly.
    pub correct: usize,
    /// Number of images.
    pub num_images: usize,
}

impl From<&StepMetrics> for MetricSums {
    fn from(step: &StepMetrics) -> Self {
        let StepMetrics { loss, correct, num_images } = *step;
        Self { loss: loss * num_images as f64, correct, num_images }
    }
}

impl MetricSums {
    /// Adds the metrics of later steps. The last digit of a sum depends on the order: add steps one by one.
    pub fn add(&mut self, later: &Self) {
        self.loss += later.loss;
        self.correct += later.correct;
        self.num_images += later.num_images;
    }
}

impl LazyMetrics {
    /// Sums of earlier steps of the epoch, in a training that is resumed.
    pub(crate) fn before(sums: MetricSums) -> Self {
        Self { before: Some(sums), ..Self::default() }
    }

    /// Sums of each step that has been read, in order; first the sums of the steps before these ones, if there are any.
    pub(crate) fn sums(&self) -> impl Iterator<Item = MetricSums> {
        self.before.into_iter().chain(self.read.iter().map(MetricSums::from))
    }

    /// Metrics of one batch of `num_images` images that are still on the device: the `[1]` mean loss and the `[1]` number
    /// of correct images.
    pub(super) fn on_device(loss: Tensor<1>, correct: Tensor<1, Int>, num_images: usize) -> Self {
        Self { on_device: vec![OnDevice { loss, correct, num_images }], ..Self::default() }
    }

    /// Adds later steps.
    pub fn append(&mut self, mut later: Self) {
        self.on_device.append(&mut later.on_device);
        self.read.append(&mut later.read);
    }

    /// Number of steps.
    pub fn len(&self) -> usize {
        self.on_device.len() + self.read.len()
    }

    /// Returns whether there is no step.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Metrics of the steps that have been read from the device; all of them after `sync`.
    pub fn steps(&self) -> &[StepMetrics] {
        &self.read
    }
}

impl ItemLazy for LazyMetrics {
    fn sync(mut self) -> Result<Self, burn::tensor::ExecutionError> {
        let mut transaction = Transaction::default();
        for step in &self.on_device {
            transaction = transaction.register(step.loss.clone()).register(step.correct.clone());
        }
        let values = transaction.try_execute()?;
        for (step, pair) in self.on_device.drain(..).zip(values.chunks_exact(2)) {
            let first = |data: &burn::tensor::TensorData| data.iter::<f64>().next().unwrap_or(f64::NAN);
            let (loss, correct) = (first(&pair[0]), first(&pair[1]) as usize);
            self.read.push(StepMetrics { loss, correct, num_images: step.num_images });
        }
        Ok(self)
    }
}

impl From<StepMetrics> for LazyMetrics {
    fn from(step: StepMetrics) -> Self {
        Self { read: vec![step], ..Self::default() }
    }
}
