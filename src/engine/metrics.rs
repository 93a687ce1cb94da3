//! Owns the metrics of steps: loss and number of correct images. They stay on the device until
//! someone reads them. Depends on Burn alone. Must not know networks or engines.

use burn::tensor::{Int, Tensor, Transaction};
use burn::train::ItemLazy;
use serde::{Deserialize, Serialize};

/// Metrics of some successive steps. A program that reads a value back must wait for the GPU. So
/// the values of several steps are collected here and read in one transfer, in `sync`.
#[derive(Default)]
pub struct LazyMetrics {
    /// Sums over the earlier steps of the epoch, if the epoch is resumed in its middle.
    before: Option<MetricSums>,
    /// Steps whose metrics are still on the device, in order. `sync` moves them to the end of
    /// `read`.
    on_device: Vec<OnDevice>,
    /// Steps whose metrics have been read, in order.
    read: Vec<StepMetrics>,
}

/// Metrics of one step that are still on the device.
struct OnDevice {
    /// Mean loss over the batch, `[1]`.
    loss: Tensor<1>,
    /// Number of correct images, `[1]`.
    correct: Tensor<1, Int>,
    num_images: usize,
}

/// Metrics of one step on its batch, before its update.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepMetrics {
    /// Mean cross-entropy over the batch in nats, label smoothing included.
    pub loss: f64,
    /// Number of images whose largest logit is that of the true class.
    pub correct: usize,
    /// Number of images in the batch.
    pub num_images: usize,
}

/// Metrics of some steps, summed over their images.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct MetricSums {
    /// Sum of the losses of all images, in nats.
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
    /// Adds the metrics of later steps. The last digit of a sum depends on the order of additions.
    /// So the steps must be added one by one, in their order.
    pub fn add(&mut self, later: &Self) {
        self.loss += later.loss;
        self.correct += later.correct;
        self.num_images += later.num_images;
    }
}

impl LazyMetrics {
    /// Metrics of no steps yet, after earlier steps of a resumed epoch whose sums are `sums`.
    pub(crate) fn before(sums: MetricSums) -> Self {
        Self { before: Some(sums), ..Self::default() }
    }

    /// Sums of each step that has been read, in order. In a resumed epoch, the sums over its
    /// earlier steps come first.
    pub(crate) fn sums(&self) -> impl Iterator<Item = MetricSums> {
        self.before.into_iter().chain(self.read.iter().map(MetricSums::from))
    }

    /// Metrics of one batch of `num_images` images that are still on the device: the `[1]` mean
    /// loss and the `[1]` number of correct images.
    pub(super) fn on_device(loss: Tensor<1>, correct: Tensor<1, Int>, num_images: usize) -> Self {
        Self { on_device: vec![OnDevice { loss, correct, num_images }], ..Self::default() }
    }

    /// Appends later steps.
    pub fn append(&mut self, mut later: Self) {
        self.on_device.append(&mut later.on_device);
        self.read.append(&mut later.read);
    }

    /// Number of steps, without the earlier ones of a resumed epoch.
    pub fn len(&self) -> usize {
        self.on_device.len() + self.read.len()
    }

    /// Returns whether there is no step.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Metrics of the steps that have been read from the device, in order: all steps after `sync`.
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
