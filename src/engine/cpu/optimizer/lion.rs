//! Owns Lion in one pass.

use burn::optim::LionState;
use smallnet_kernels::{LionParams, lion};

use crate::engine::cpu::buffer::FlexBuffer;
use crate::engine::cpu::optimizer::{FusedUpdate, decay_factor, par_update};
use crate::optim::Lion;
use crate::optim::lion::LionOptimizer;

/// Lion over buffers. The formula is that of [`lion`].
#[derive(Clone)]
pub(super) struct FusedLion {
    reference: LionOptimizer,
    beta_1: f32,
    beta_2: f32,
    /// Decoupled weight decay; 0 for none.
    weight_decay: f64,
}

impl FusedLion {
    /// Makes Lion.
    pub(super) fn new(config: &Lion) -> Self {
        Self {
            reference: LionOptimizer::new(config),
            beta_1: config.beta_1 as f32,
            beta_2: config.beta_2 as f32,
            // In single precision first, as Burn does it.
            weight_decay: f64::from(config.weight_decay as f32),
        }
    }
}

impl FusedUpdate for FusedLion {
    type Reference = LionOptimizer;

    fn update<const D: usize>(
        &self,
        learning_rate: f64,
        weights: &FlexBuffer,
        mut gradient: FlexBuffer,
        state: Option<LionState<D>>,
    ) -> (FlexBuffer, Option<LionState<D>>) {
        let mut momentum = weights.or_zeros(state.map(|state| state.momentum));
        let params = LionParams {
            rate: learning_rate as f32,
            beta_1: self.beta_1,
            beta_2: self.beta_2,
            decay_factor: decay_factor(learning_rate, self.weight_decay),
        };
        let changed = [gradient.values_mut(), momentum.values_mut()];
        par_update(weights.values(), changed, |weights, [gradient, momentum]| {
            lion(&params, weights, gradient, momentum);
        });
        (gradient, Some(LionState::new(momentum.into_tensor())))
    }

    fn reference(&self) -> &LionOptimizer {
        &self.reference
    }
}
