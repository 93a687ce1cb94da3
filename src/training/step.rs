//! Owns the training step and the validation step in the form that Burn's Learner calls.
//! Depends on `engine`. The network knows the engine that computes them. Must not know the loop.

use burn::train::{InferenceStep, TrainOutput, TrainStep};

use crate::data::Batch;
use crate::engine::LazyMetrics;
use crate::model::Mlp;

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
