//! Owns a step of the moving average of a network's weights with Burn's tensors, on every backend.
//! It is also the reference implementation of `engine::cpu::average`. Depends on `model`. Must not
//! know decays, steps or training loops.

use burn::tensor::Tensor;

use crate::model::Combination;

/// Step of a moving average: a ← a + share · (w − a), where a is a parameter of the average and w
/// the same parameter of the network that is trained.
pub(super) struct MovingAverage {
    /// Share of the new weights, from 0 to 1.
    pub(super) share: f32,
}

impl Combination for MovingAverage {
    fn combine<const D: usize>(&self, average: Tensor<D>, weights: Tensor<D>) -> Tensor<D> {
        let change = (weights - average.clone()).mul_scalar(self.share);
        average + change
    }
}
