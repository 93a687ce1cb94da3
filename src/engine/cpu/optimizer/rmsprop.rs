//! Owns RMSprop in one pass, plain or centred, with and without momentum.

use smallnet_kernels::{RmsPropParams, rmsprop};

use crate::engine::cpu::buffer::FlexBuffer;
use crate::engine::cpu::optimizer::{FusedUpdate, par_update};
use crate::optim::RmsProp;
use crate::optim::rmsprop::{RmsPropOptimizer, RmsPropState};

/// RMSprop over buffers. The formula is that of [`rmsprop`].
#[derive(Clone)]
pub(super) struct FusedRmsProp {
    reference: RmsPropOptimizer,
}

impl FusedRmsProp {
    /// Makes RMSprop.
    pub(super) fn new(config: &RmsProp) -> Self {
        Self { reference: RmsPropOptimizer::new(config) }
    }
}

impl FusedUpdate for FusedRmsProp {
    type Reference = RmsPropOptimizer;

    fn update<const D: usize>(
        &self,
        learning_rate: f64,
        weights: &FlexBuffer,
        mut gradient: FlexBuffer,
        state: Option<RmsPropState<D>>,
    ) -> (FlexBuffer, Option<RmsPropState<D>>) {
        let RmsPropOptimizer { rho, momentum, epsilon, is_centered, penalty } = self.reference;
        let params =
            RmsPropParams { rate: learning_rate as f32, rho, momentum, epsilon, weight_decay: penalty };
        let (square_mean, mean, velocity) =
            state.map_or((None, None, None), |state| (Some(state.square_mean), state.mean, state.velocity));
        let mut square_mean = weights.or_zeros(square_mean);
        let mut mean = is_centered.then(|| weights.or_zeros(mean));
        let mut velocity = (momentum > 0.0).then(|| weights.or_zeros(velocity));
        let changed =
            [gradient.values_mut(), square_mean.values_mut(), values(&mut mean), values(&mut velocity)];
        par_update(weights.values(), changed, |weights, [gradient, square_mean, mean, velocity]| {
            rmsprop(&params, weights, gradient, square_mean, mean, velocity);
        });
        let state = RmsPropState {
            square_mean: square_mean.into_tensor(),
            mean: mean.map(FlexBuffer::into_tensor),
            velocity: velocity.map(FlexBuffer::into_tensor),
        };
        (gradient, Some(state))
    }

    fn reference(&self) -> &RmsPropOptimizer {
        &self.reference
    }
}

/// Values of a buffer, to be changed; empty if there is no buffer.
fn values(buffer: &mut Option<FlexBuffer>) -> &mut [f32] {
    buffer.as_mut().map_or(&mut [], FlexBuffer::values_mut)
}
