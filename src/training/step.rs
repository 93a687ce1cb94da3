//! Owns the training step and the validation step in the form that Burn's Learner calls, and what is
//! random in a step.
//! Depends on `engine`. The network knows the engine that computes them. Must not know the loop.

use burn::train::{InferenceStep, TrainOutput, TrainStep};

use crate::data::{Batch, Mixup};
use crate::engine::LazyMetrics;
use crate::model::Mlp;
use crate::training::dropout;

/// Gives `batch` everything that is random in a training step: the seed of its dropout masks and,
/// with `mixup`, the α of its distribution, the mixture of its images. `seed` is the experiment's, and
/// `step` is counted from 0 over the whole training.
pub(super) fn randomized(batch: Batch, mixup: Option<f64>, seed: u64, step: usize) -> Batch {
    let batch = dropout::with_step_seed(batch, seed, step);
    match mixup {
        Some(alpha) => batch.with_mixup(Mixup::draw(alpha, seed, step as u64)),
        None => batch,
    }
}

impl TrainStep for Mlp {
    type Input = Batch;
    type Output = LazyMetrics;

    fn step(&self, batch: Batch) -> TrainOutput<LazyMetrics> {
        self.engine().train_step(self, &batch)
    }
}

impl InferenceStep for Mlp {
    type Input = Batch;
    type Output = LazyMetrics;

    fn step(&self, batch: Batch) -> LazyMetrics {
        self.engine().eval_step(self, &batch)
    }
}

#[cfg(test)]
mod tests;
