//! The optimizers, with the update in one pass over the weights where those are in the memory of the CPU. Elsewhere tensors are
//! taken; the results are the same to the last bit, AdamW's to rounding, and the same as those of Burn's own optimizers.
//!
//! An update leaves no denormal number behind (`kernels/denormal.rs` says why), with tensors on the CPU neither.

mod adam;
mod rmsprop;
mod sgd;
#[cfg(test)]
mod tests;

pub(crate) use adam::{FusedAdam, ReferenceAdam};
pub(crate) use rmsprop::FusedRmsProp;
pub(crate) use sgd::FusedSgd;

use burn::tensor::Tensor;

use crate::backend::FlexBuffer;
use crate::engine::cpu::threads::pool;

/// Weights from which on it is worth sharing an update.
const MIN_PARALLEL_PARAMS: usize = 100_000;

/// Adds the L2 penalty to a gradient, where there is one.
fn penalized<const D: usize>(gradient: Tensor<D>, penalty: Option<f32>, weights: &Tensor<D>) -> Tensor<D> {
    match penalty {
        Some(penalty) => weights.clone().mul_scalar(penalty) + gradient,
        None => gradient,
    }
}

fn back<const D: usize>(tensor: Result<FlexBuffer, Tensor<D>>) -> Tensor<D> {
    tensor.map_or_else(|tensor| tensor, FlexBuffer::into_tensor)
}

/// Runs `update` on all weights with what belongs to them, in parts where there are many. What belongs to them is as long as they
/// are, or empty.
fn par_update<const N: usize>(
    weights: &[f32],
    mut changed: [&mut [f32]; N],
    update: impl Fn(&[f32], [&mut [f32]; N]) + Sync,
) {
    let num_parts = if weights.len() < MIN_PARALLEL_PARAMS { 1 } else { pool::num_partitions() };
    let len = weights.len().div_ceil(num_parts).max(1);
    let parts = weights
        .chunks(len)
        .map(|weights| {
            let changed = changed.each_mut().map(|rest| {
                let all = std::mem::take(rest);
                let (part, others) = all.split_at_mut(weights.len().min(all.len()));
                *rest = others;
                part
            });
            (weights, changed)
        })
        .collect();
    pool::par_map(parts, |(weights, changed)| update(weights, changed));
}
