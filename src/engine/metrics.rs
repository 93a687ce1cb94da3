//! One step: forward, loss, backward. What it measured stays on the device until someone reads it.

use burn::tensor::{Int, Tensor, Transaction};
use burn::train::{InferenceStep, ItemLazy, TrainOutput, TrainStep};
use serde::{Deserialize, Serialize};

use crate::data::Batch;
use crate::engine::cpu::step;
use crate::model::{Mlp, cross_entropy};

/// What some successive steps measured. Reading a value back makes a GPU wait, so several steps' values are
/// gathered here and read in one go.
#[derive(Default)]
pub struct LazyMetrics {
    /// What was measured before these steps and is told along with them.
    before: Option<MetricSums>,
    on_device: Vec<OnDevice>,
    read: Vec<StepMetrics>,
}

struct OnDevice {
    loss: Tensor<1>,
    correct: Tensor<1, Int>,
    num_images: usize,
}

/// What one step measured on its batch, before its update.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepMetrics {
    /// Mean cross-entropy over the batch, label smoothing included.
    pub loss: f64,
    /// Images whose largest logit is the true class's.
    pub correct: usize,
    /// Images in the batch.
    pub num_images: usize,
}

/// What some steps measured, added up over their images.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct MetricSums {
    /// The losses' sum.
    pub loss: f64,
    /// Images classified correctly.
    pub correct: usize,
    /// Images.
    pub num_images: usize,
}

impl From<&StepMetrics> for MetricSums {
    fn from(step: &StepMetrics) -> Self {
        let StepMetrics { loss, correct, num_images } = *step;
        Self { loss: loss * num_images as f64, correct, num_images }
    }
}

impl MetricSums {
    /// Adds what later steps measured. Sums depend on their order in the last digit: add steps one by one.
    pub fn add(&mut self, later: &Self) {
        self.loss += later.loss;
        self.correct += later.correct;
        self.num_images += later.num_images;
    }
}

impl LazyMetrics {
    /// What earlier steps of the epoch measured, in a training that goes on.
    pub(crate) fn before(totals: MetricSums) -> Self {
        Self { before: Some(totals), ..Self::default() }
    }

    /// What was measured, step by step, and before that what earlier steps measured in all.
    pub(crate) fn totals(&self) -> impl Iterator<Item = MetricSums> {
        self.before.into_iter().chain(self.read.iter().map(MetricSums::from))
    }

    /// The measures of one batch from its `[batch, classes]` logits, `[batch]` targets and `[1]` mean loss.
    fn new(logits: Tensor<2>, targets: Tensor<1, Int>, loss: Tensor<1>) -> Self {
        let [num_images, _] = logits.dims();
        let predicted = logits.argmax(1).squeeze_dim::<1>(1); // [batch]
        let correct = predicted.equal(targets).int().sum(); // [1]
        Self { on_device: vec![OnDevice { loss, correct, num_images }], ..Self::default() }
    }

    /// Adds later steps.
    pub fn append(&mut self, mut later: Self) {
        self.on_device.append(&mut later.on_device);
        self.read.append(&mut later.read);
    }

    /// The number of steps.
    pub fn len(&self) -> usize {
        self.on_device.len() + self.read.len()
    }

    /// Whether there is no step.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The steps that have been read from the device; all of them after `sync`.
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

impl TrainStep for Mlp {
    type Input = Batch;
    type Output = LazyMetrics;

    fn step(&self, batch: Batch) -> TrainOutput<LazyMetrics> {
        match step::train_step(self, &batch) {
            Some((grads, step)) => TrainOutput { grads, item: step.into() },
            None => autodiff_step(self, &batch),
        }
    }
}

/// A step with tensors.
pub(super) fn autodiff_step(model: &Mlp, batch: &Batch) -> TrainOutput<LazyMetrics> {
    let logits = model.forward_in_training(batch.images(), batch.dropout_seed); // [batch, classes]
    let targets = batch.targets(); // [batch]
    let loss = cross_entropy(logits.clone(), targets.clone(), batch.label_smoothing).mean(); // [1]
    let gradients = loss.backward();
    let measured = LazyMetrics::new(logits.inner(), targets.inner(), loss.inner());
    TrainOutput::new(model, gradients, measured)
}

impl InferenceStep for Mlp {
    type Input = Batch;
    type Output = LazyMetrics;

    fn step(&self, batch: Batch) -> LazyMetrics {
        if let Some(step) = step::eval_step(self, &batch) {
            return step.into();
        }
        let (logits, targets) = (self.forward(batch.images()), batch.targets()); // [batch, classes], [batch]
        let loss = cross_entropy(logits.clone(), targets.clone(), batch.label_smoothing).mean(); // [1]
        LazyMetrics::new(logits, targets, loss)
    }
}
