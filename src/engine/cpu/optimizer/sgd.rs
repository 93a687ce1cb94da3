//! Owns stochastic gradient descent in one pass, with and without momentum.

use smallnet_kernels::{MomentumParams, momentum, sgd};

use crate::engine::cpu::buffer::FlexBuffer;
use crate::engine::cpu::optimizer::{FusedUpdate, par_update};
use crate::optim::Sgd;
use crate::optim::sgd::{SgdOptimizer, SgdState};

/// Gradient descent over buffers. The formulas are those of [`sgd`] and [`momentum`].
#[derive(Clone)]
pub(super) struct FusedSgd {
    reference: SgdOptimizer,
}

impl FusedSgd {
    /// Makes gradient descent.
    pub(super) fn new(config: &Sgd) -> Self {
        Self { reference: SgdOptimizer::new(config) }
    }
}

impl FusedUpdate for FusedSgd {
    type Reference = SgdOptimizer;

    fn update<const D: usize>(
        &self,
        learning_rate: f64,
        weights: &FlexBuffer,
        mut gradient: FlexBuffer,
        state: Option<SgdState<D>>,
    ) -> (FlexBuffer, Option<SgdState<D>>) {
        let SgdOptimizer { penalty, momentum: factor, is_nesterov } = self.reference;
        let rate = learning_rate as f32;
        if factor == 0.0 {
            par_update(weights.values(), [gradient.values_mut()], |weights, [gradient]| {
                sgd(rate, penalty, weights, gradient);
            });
            return (gradient, state);
        }
        let params = MomentumParams { rate, momentum: factor, is_nesterov, weight_decay: penalty };
        let mut velocity = weights.or_zeros(state.map(|state| state.velocity));
        let changed = [gradient.values_mut(), velocity.values_mut()];
        par_update(weights.values(), changed, |weights, [gradient, velocity]| {
            momentum(&params, weights, gradient, velocity);
        });
        (gradient, Some(SgdState { velocity: velocity.into_tensor() }))
    }

    fn reference(&self) -> &SgdOptimizer {
        &self.reference
    }
}
