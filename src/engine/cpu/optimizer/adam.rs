//! Owns Adam and AdamW in one pass.

use burn::optim::{AdamState, AdaptiveMomentumState};
use smallnet_kernels::{AdamParams, adam};

use crate::engine::cpu::buffer::FlexBuffer;
use crate::engine::cpu::optimizer::{FusedUpdate, decay_factor, par_update};
use crate::optim::{Adam, AdamOptimizer, AdamW, l2_penalty};

/// Adam or AdamW over buffers. The formula is that of [`adam`].
#[derive(Clone)]
pub(super) struct FusedAdam {
    reference: AdamOptimizer,
    beta_1: f32,
    beta_2: f32,
    epsilon: f32,
    /// L2 penalty, of Adam only.
    penalty: Option<f32>,
    /// Decoupled weight decay, of AdamW only; 0 for none.
    weight_decay: f64,
}

impl FusedAdam {
    /// Makes Adam.
    pub(super) fn adam(config: &Adam) -> Self {
        Self {
            reference: AdamOptimizer::adam(config),
            beta_1: config.beta_1 as f32,
            beta_2: config.beta_2 as f32,
            epsilon: config.epsilon as f32,
            penalty: l2_penalty(config.weight_decay),
            weight_decay: 0.0,
        }
    }

    /// Makes AdamW.
    pub(super) fn adamw(config: &AdamW) -> Self {
        Self {
            reference: AdamOptimizer::adamw(config),
            // In single precision first, as Burn does it.
            weight_decay: f64::from(config.weight_decay as f32),
            ..Self::adam(&config.without_decay())
        }
    }
}

impl FusedUpdate for FusedAdam {
    type Reference = AdamOptimizer;

    fn update<const D: usize>(
        &self,
        learning_rate: f64,
        weights: &FlexBuffer,
        mut gradient: FlexBuffer,
        state: Option<AdamState<D>>,
    ) -> (FlexBuffer, Option<AdamState<D>>) {
        let (steps, moment_1, moment_2) = match state {
            Some(AdamState { momentum }) => (momentum.time, Some(momentum.moment_1), Some(momentum.moment_2)),
            None => (0, None, None),
        };
        let (mut moment_1, mut moment_2) = (weights.or_zeros(moment_1), weights.or_zeros(moment_2));
        let params = AdamParams {
            rate: learning_rate as f32,
            beta_1: self.beta_1,
            beta_2: self.beta_2,
            epsilon: self.epsilon,
            step: steps + 1,
            weight_decay: self.penalty,
            decay_factor: decay_factor(learning_rate, self.weight_decay),
        };
        let changed = [gradient.values_mut(), moment_1.values_mut(), moment_2.values_mut()];
        par_update(weights.values(), changed, |weights, [gradient, moment_1, moment_2]| {
            adam(&params, weights, gradient, moment_1, moment_2);
        });
        let momentum =
            AdaptiveMomentumState::new(params.step, moment_1.into_tensor(), moment_2.into_tensor());
        (gradient, Some(AdamState::new(momentum)))
    }

    fn reference(&self) -> &AdamOptimizer {
        &self.reference
    }
}
