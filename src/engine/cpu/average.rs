//! Owns a step of the moving average of a network's weights in one pass, in the memory of the
//! average. Depends on `buffer`, `smallnet_kernels` and the parts of an update in `optimizer`. Must not know
//! decays, steps or training loops.

use burn::tensor::Tensor;
use smallnet_kernels::moving_average;

use crate::engine::average::MovingAverage;
use crate::engine::cpu::buffer::{FlexBuffer, into_tensor};
use crate::engine::cpu::optimizer::par_update;
use crate::model::Combination;

/// Step of a moving average over buffers. The formula is that of [`moving_average`]. Tensors that
/// are not on flex or not in single precision take the step with tensors, which is `reference`.
pub(in crate::engine) struct FusedAverage {
    /// The same step with tensors.
    pub(in crate::engine) reference: MovingAverage,
}

impl Combination for FusedAverage {
    fn combine<const D: usize>(&self, average: Tensor<D>, weights: Tensor<D>) -> Tensor<D> {
        match (FlexBuffer::of(average), FlexBuffer::of(weights)) {
            (Ok(mut average), Ok(weights)) => {
                par_update(weights.values(), [average.values_mut()], |weights, [average]| {
                    moving_average(self.reference.share, weights, average);
                });
                average.into_tensor()
            }
            (average, weights) => self.reference.combine(into_tensor(average), into_tensor(weights)),
        }
    }
}
