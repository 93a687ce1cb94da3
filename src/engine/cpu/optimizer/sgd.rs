//! Stochastic gradient descent, with and without momentum.

use burn::optim::{Optimizer, RecordState, StateSink, StateSource, join_path};
use burn::tensor::{Device, Tensor};

use crate::backend::{FlexBuffer, without_denormals};
use crate::engine::cpu::kernels::{MomentumParams, momentum, sgd};
use crate::engine::cpu::optimizer::{back, par_update, penalized};

/// SGD as in [`OptimizerConfig`](crate::optim::OptimizerConfig).
#[derive(Clone)]
pub(crate) struct FusedSgd {
    pub(crate) penalty: Option<f32>,
    /// 0 for none.
    pub(crate) momentum: f32,
    pub(crate) is_nesterov: bool,
}

/// A tensor's momentum. It is saved as Burn saves its own.
#[derive(Clone)]
pub(crate) struct SgdState<const D: usize> {
    velocity: Tensor<D>,
}

impl Optimizer for FusedSgd {
    type State<const D: usize> = SgdState<D>;

    fn step<const D: usize>(
        &self,
        rate: f64,
        tensor: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<SgdState<D>>,
    ) -> (Tensor<D>, Option<SgdState<D>>) {
        match (FlexBuffer::of(tensor), FlexBuffer::of(gradient)) {
            (Ok(weights), Ok(gradient)) if self.momentum == 0.0 => {
                (self.one_pass(rate, &weights, gradient), state)
            }
            (Ok(weights), Ok(gradient)) => self.one_pass_with_momentum(rate, &weights, gradient, state),
            (tensor, gradient) => self.with_tensors(rate, back(tensor), back(gradient), state),
        }
    }

    fn to_device<const D: usize>(SgdState { velocity }: SgdState<D>, device: &Device) -> SgdState<D> {
        SgdState { velocity: velocity.to_device(device) }
    }
}

impl FusedSgd {
    fn one_pass<const D: usize>(
        &self,
        rate: f64,
        weights: &FlexBuffer,
        mut gradient: FlexBuffer,
    ) -> Tensor<D> {
        par_update(weights.values(), [gradient.values_mut()], |weights, [gradient]| {
            sgd(rate as f32, self.penalty, weights, gradient);
        });
        gradient.into_tensor()
    }

    fn one_pass_with_momentum<const D: usize>(
        &self,
        rate: f64,
        weights: &FlexBuffer,
        mut gradient: FlexBuffer,
        state: Option<SgdState<D>>,
    ) -> (Tensor<D>, Option<SgdState<D>>) {
        let step = MomentumParams {
            rate: rate as f32,
            momentum: self.momentum,
            is_nesterov: self.is_nesterov,
            penalty: self.penalty,
        };
        let mut velocity = weights.or_zeros(state.map(|state| state.velocity));
        let changed = [gradient.values_mut(), velocity.values_mut()];
        par_update(weights.values(), changed, |weights, [gradient, velocity]| {
            momentum(&step, weights, gradient, velocity);
        });
        (gradient.into_tensor(), Some(SgdState { velocity: velocity.into_tensor() }))
    }

    fn with_tensors<const D: usize>(
        &self,
        rate: f64,
        tensor: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<SgdState<D>>,
    ) -> (Tensor<D>, Option<SgdState<D>>) {
        let gradient = penalized(gradient, self.penalty, &tensor);
        let (direction, state) = if self.momentum == 0.0 {
            (gradient, state)
        } else {
            let velocity = match state {
                Some(SgdState { velocity }) => gradient.clone() + velocity.mul_scalar(self.momentum),
                None => gradient.clone(),
            };
            let velocity = without_denormals(velocity);
            let direction = if self.is_nesterov {
                velocity.clone().mul_scalar(self.momentum) + gradient
            } else {
                velocity.clone()
            };
            (direction, Some(SgdState { velocity }))
        };
        (without_denormals(tensor - direction.mul_scalar(rate)), state)
    }
}

const PATH: &str = "momentum";
const VELOCITY: &str = "velocity";

impl<const D: usize> RecordState for SgdState<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        out.push_tensor(&join_path(prefix, PATH), VELOCITY, self.velocity.clone().into_data());
    }

    fn state_unflatten(prefix: &str, source: &mut StateSource, device: &Device) -> Option<Self> {
        let velocity = source.take_tensor(&join_path(prefix, PATH), VELOCITY)?;
        Some(Self { velocity: Tensor::from_data(velocity, device) })
    }
}
