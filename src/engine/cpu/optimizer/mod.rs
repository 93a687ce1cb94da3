//! Owns the updates in one pass over the weights: each weight, its gradient and its state are read
//! and written once. Depends on `optim` (constants, states, the update with tensors), `buffer`,
//! `smallnet_kernels` and `threads`. Must not know networks or training loops.
//!
//! The results are the same to the last bit as those of the update with tensors; AdamW's are the
//! same up to rounding. No update stores a denormal number (`smallnet_kernels::flush_denormals` says why).

mod adam;
mod clipping;
mod lion;
mod rmsprop;
mod sgd;
#[cfg(test)]
mod tests;

use burn::grad_clipping::GradientClipping;
use burn::optim::{ModuleOptimizer, Optimizer};
use burn::tensor::{Device, Tensor};

use crate::engine::cpu::buffer::{FlexBuffer, into_tensor};
use crate::engine::cpu::threads::{MIN_PARALLEL_PARAMS, pool};
use crate::optim::{OptimizerConfig, with_cpu_state};

use adam::FusedAdam;
use clipping::clip;
use lion::FusedLion;
use rmsprop::FusedRmsProp;
use sgd::FusedSgd;

/// Returns the optimizer with its update in one pass. `clipping` is applied to each tensor's gradient
/// before the update.
pub(in crate::engine) fn optimizer(
    config: &OptimizerConfig,
    clipping: Option<GradientClipping>,
) -> ModuleOptimizer {
    match config {
        OptimizerConfig::Sgd(sgd) => fused(FusedSgd::new(sgd), clipping),
        OptimizerConfig::Adam(adam) => fused(FusedAdam::adam(adam), clipping),
        OptimizerConfig::AdamW(adamw) => fused(FusedAdam::adamw(adamw), clipping),
        OptimizerConfig::RmsProp(rmsprop) => fused(FusedRmsProp::new(rmsprop), clipping),
        OptimizerConfig::Lion(lion) => fused(FusedLion::new(lion), clipping),
    }
}

/// Makes one of Burn's optimizers of an update in one pass.
fn fused<U: FusedUpdate>(update: U, clipping: Option<GradientClipping>) -> ModuleOptimizer {
    with_cpu_state(Fused { update, clipping })
}

/// Update in one pass over buffers.
trait FusedUpdate: Clone + Send + Sync + 'static {
    /// Optimizer with the same update with tensors. Both have the same state.
    type Reference: Optimizer;

    /// Computes the new weights and the new state from `weights`, `gradient` and `state`, which is
    /// none in the first step. The new weights take the memory of `gradient`.
    fn update<const D: usize>(
        &self,
        learning_rate: f64,
        weights: &FlexBuffer,
        gradient: FlexBuffer,
        state: Option<State<Self, D>>,
    ) -> (FlexBuffer, Option<State<Self, D>>);

    /// Reference implementation: the update with tensors.
    fn reference(&self) -> &Self::Reference;
}

/// State of an update for one tensor.
type State<U, const D: usize> = <<U as FusedUpdate>::Reference as Optimizer>::State<D>;

/// Adapter that makes one of Burn's optimizers of an update in one pass. Tensors that are not on
/// flex or not in single precision take the update with tensors.
#[derive(Clone)]
struct Fused<U> {
    update: U,
    clipping: Option<GradientClipping>,
}

impl<U: FusedUpdate> Optimizer for Fused<U> {
    type State<const D: usize> = State<U, D>;

    fn step<const D: usize>(
        &self,
        learning_rate: f64,
        tensor: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        match (FlexBuffer::of(tensor), FlexBuffer::of(gradient)) {
            (Ok(weights), Ok(mut gradient)) => {
                if let Some(clipping) = &self.clipping {
                    clip(clipping, gradient.values_mut());
                }
                let (weights, state) = self.update.update(learning_rate, &weights, gradient, state);
                (weights.into_tensor(), state)
            }
            (tensor, gradient) => {
                let (tensor, gradient) = (into_tensor(tensor), into_tensor(gradient));
                let gradient = match &self.clipping {
                    Some(clipping) => clipping.clip_gradient(gradient),
                    None => gradient,
                };
                self.update.reference().step(learning_rate, tensor, gradient, state)
            }
        }
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &Device) -> Self::State<D> {
        U::Reference::to_device(state, device)
    }
}

/// Factor of each weight in a step with a decoupled weight decay: 1 − learning rate · decay. None
/// without a decay.
fn decay_factor(learning_rate: f64, weight_decay: f64) -> Option<f32> {
    let decay = learning_rate * weight_decay;
    (decay > 0.0).then_some((1.0 - decay) as f32)
}

/// Runs `update` on all weights and on the buffers that it changes, in parts on several threads if
/// there are at least [`MIN_PARALLEL_PARAMS`] weights. Each buffer of `changed` is as long as the
/// weights, or empty.
pub(in crate::engine::cpu) fn par_update<const N: usize>(
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
