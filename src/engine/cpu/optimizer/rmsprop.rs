//! RMSprop, plain or centred, with and without momentum.

use burn::optim::{Optimizer, RecordState, StateSink, StateSource, join_path};
use burn::tensor::{Device, Tensor};

use crate::backend::{FlexBuffer, without_denormals};
use crate::engine::cpu::kernels::{RmsPropParams, rmsprop};
use crate::engine::cpu::optimizer::{back, par_update, penalized};

/// RMSprop as in [`OptimizerConfig`](crate::optim::OptimizerConfig).
#[derive(Clone)]
pub(crate) struct FusedRmsProp {
    pub(crate) rho: f32,
    /// 0 for none.
    pub(crate) momentum: f32,
    pub(crate) epsilon: f32,
    pub(crate) is_centered: bool,
    pub(crate) penalty: Option<f32>,
}

/// A tensor's running means. They are saved as Burn saves its own.
#[derive(Clone)]
pub(crate) struct RmsPropState<const D: usize> {
    /// Of the squared gradients.
    square_mean: Tensor<D>,
    /// Of the gradients; where the rule is centred.
    mean: Option<Tensor<D>>,
    /// Where there is momentum.
    velocity: Option<Tensor<D>>,
}

impl Optimizer for FusedRmsProp {
    type State<const D: usize> = RmsPropState<D>;

    fn step<const D: usize>(
        &self,
        rate: f64,
        tensor: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<RmsPropState<D>>,
    ) -> (Tensor<D>, Option<RmsPropState<D>>) {
        let (tensor, state) = match (FlexBuffer::of(tensor), FlexBuffer::of(gradient)) {
            (Ok(weights), Ok(gradient)) => self.one_pass(rate, &weights, gradient, state),
            (tensor, gradient) => self.with_tensors(rate, back(tensor), back(gradient), state),
        };
        (tensor, Some(state))
    }

    fn to_device<const D: usize>(state: RmsPropState<D>, device: &Device) -> RmsPropState<D> {
        RmsPropState {
            square_mean: state.square_mean.to_device(device),
            mean: state.mean.map(|mean| mean.to_device(device)),
            velocity: state.velocity.map(|velocity| velocity.to_device(device)),
        }
    }
}

impl FusedRmsProp {
    fn one_pass<const D: usize>(
        &self,
        rate: f64,
        weights: &FlexBuffer,
        mut gradient: FlexBuffer,
        state: Option<RmsPropState<D>>,
    ) -> (Tensor<D>, RmsPropState<D>) {
        let step = RmsPropParams {
            rate: rate as f32,
            rho: self.rho,
            momentum: self.momentum,
            epsilon: self.epsilon,
            penalty: self.penalty,
        };
        let (square_mean, mean, velocity) =
            state.map_or((None, None, None), |state| (Some(state.square_mean), state.mean, state.velocity));
        let mut square_mean = weights.or_zeros(square_mean);
        let mut mean = self.is_centered.then(|| weights.or_zeros(mean));
        let mut velocity = (self.momentum > 0.0).then(|| weights.or_zeros(velocity));
        fn values(tensor: &mut Option<FlexBuffer>) -> &mut [f32] {
            tensor.as_mut().map_or(&mut [], FlexBuffer::values_mut)
        }
        let changed =
            [gradient.values_mut(), square_mean.values_mut(), values(&mut mean), values(&mut velocity)];
        par_update(weights.values(), changed, |weights, [gradient, square_mean, mean, velocity]| {
            rmsprop(&step, weights, gradient, square_mean, mean, velocity);
        });
        let state = RmsPropState {
            square_mean: square_mean.into_tensor(),
            mean: mean.map(FlexBuffer::into_tensor),
            velocity: velocity.map(FlexBuffer::into_tensor),
        };
        (gradient.into_tensor(), state)
    }

    fn with_tensors<const D: usize>(
        &self,
        rate: f64,
        tensor: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<RmsPropState<D>>,
    ) -> (Tensor<D>, RmsPropState<D>) {
        let gradient = penalized(gradient, self.penalty, &tensor);
        let (square_mean, mean, velocity) =
            state.map_or((None, None, None), |state| (Some(state.square_mean), state.mean, state.velocity));
        let running = |before: Option<Tensor<D>>, new: Tensor<D>| {
            let new = new.mul_scalar(1.0 - self.rho);
            without_denormals(match before {
                Some(before) => before.mul_scalar(self.rho) + new,
                None => new,
            })
        };
        let square_mean = running(square_mean, gradient.clone().square());
        let mean = self.is_centered.then(|| running(mean, gradient.clone()));
        let variance = match &mean {
            Some(mean) => {
                // Where the mean of squares is too small for a number, so is the variance: it must not be less than 0.
                let is_none = square_mean.clone().equal_elem(0.0);
                (square_mean.clone() - mean.clone().square()).mask_fill(is_none, 0.0)
            }
            None => square_mean.clone(),
        };
        let mut direction = gradient / (variance.sqrt() + self.epsilon);
        let mut new_velocity = None;
        if self.momentum > 0.0 {
            if let Some(velocity) = velocity {
                direction = velocity.mul_scalar(self.momentum) + direction;
            }
            direction = without_denormals(direction);
            new_velocity = Some(direction.clone());
        }
        let tensor = without_denormals(tensor - direction.mul_scalar(rate));
        (tensor, RmsPropState { square_mean, mean, velocity: new_velocity })
    }
}

/// Where Burn puts what it saves. It saves what the root is taken of, too, which follows from the rest and is never read.
const SQUARE_MEAN: [&str; 2] = ["square_avg", "square_avg"];
const MEAN: [&str; 2] = ["centered", "grad_avg"];
const VARIANCE: [&str; 2] = ["centered", "avg"];
const VELOCITY: [&str; 2] = ["momentum", "buf"];

impl<const D: usize> RecordState for RmsPropState<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        let mut push = |[group, leaf]: [&str; 2], tensor: &Tensor<D>| {
            out.push_tensor(&join_path(prefix, group), leaf, tensor.clone().into_data());
        };
        push(SQUARE_MEAN, &self.square_mean);
        if let Some(mean) = &self.mean {
            push(MEAN, mean);
            push(VARIANCE, &(self.square_mean.clone() - mean.clone().square()));
        } else {
            push(VARIANCE, &self.square_mean);
        }
        if let Some(velocity) = &self.velocity {
            push(VELOCITY, velocity);
        }
    }

    fn state_unflatten(prefix: &str, source: &mut StateSource, device: &Device) -> Option<Self> {
        let mut take = |[group, leaf]: [&str; 2]| {
            let data = source.take_tensor(&join_path(prefix, group), leaf);
            data.map(|data| Tensor::from_data(data, device))
        };
        let square_mean = take(SQUARE_MEAN)?;
        take(VARIANCE);
        Some(Self { square_mean, mean: take(MEAN), velocity: take(VELOCITY) })
    }
}
