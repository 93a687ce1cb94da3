//! Adam and AdamW.

use burn::optim::{AdamState, AdamWState, AdaptiveMomentumState, Optimizer};
use burn::tensor::{Device, Tensor};

use crate::backend::{FlexBuffer, without_denormals};
use crate::engine::cpu::kernels::{AdamParams, adam};
use crate::engine::cpu::optimizer::{back, par_update};

/// Adam or AdamW.
#[derive(Clone)]
pub(crate) struct FusedAdam {
    pub(crate) plain: ReferenceAdam,
    pub(crate) beta_1: f32,
    pub(crate) beta_2: f32,
    pub(crate) epsilon: f32,
    /// Adam's.
    pub(crate) penalty: Option<f32>,
    /// AdamW's.
    pub(crate) decay: f64,
}

/// Burn's own; their states differ by name alone.
#[derive(Clone)]
pub(crate) enum ReferenceAdam {
    Adam(burn::optim::Adam),
    AdamW(burn::optim::AdamW),
}

impl Optimizer for FusedAdam {
    type State<const D: usize> = AdamState<D>;

    fn step<const D: usize>(
        &self,
        rate: f64,
        tensor: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<AdamState<D>>,
    ) -> (Tensor<D>, Option<AdamState<D>>) {
        match (FlexBuffer::of(tensor), FlexBuffer::of(gradient)) {
            (Ok(weights), Ok(gradient)) => match moments(&weights, state) {
                Ok((time, moments)) => self.one_pass(rate, &weights, gradient, time + 1, moments),
                Err(state) => {
                    self.plain.step(rate, weights.into_tensor(), gradient.into_tensor(), Some(state))
                }
            },
            (tensor, gradient) => self.plain.step(rate, back(tensor), back(gradient), state),
        }
    }

    fn to_device<const D: usize>(state: AdamState<D>, device: &Device) -> AdamState<D> {
        burn::optim::Adam::to_device(state, device)
    }
}

impl FusedAdam {
    fn one_pass<const D: usize>(
        &self,
        rate: f64,
        weights: &FlexBuffer,
        mut gradient: FlexBuffer,
        time: usize,
        [mut moment_1, mut moment_2]: [FlexBuffer; 2],
    ) -> (Tensor<D>, Option<AdamState<D>>) {
        let shrinks = rate * self.decay;
        let step = AdamParams {
            rate: rate as f32,
            beta_1: self.beta_1,
            beta_2: self.beta_2,
            epsilon: self.epsilon,
            time,
            penalty: self.penalty,
            keep: (shrinks > 0.0).then_some((1.0 - shrinks) as f32),
        };
        let changed = [gradient.values_mut(), moment_1.values_mut(), moment_2.values_mut()];
        par_update(weights.values(), changed, |weights, [gradient, moment_1, moment_2]| {
            adam(&step, weights, gradient, moment_1, moment_2);
        });
        let state = AdaptiveMomentumState::new(time, moment_1.into_tensor(), moment_2.into_tensor());
        (gradient.into_tensor(), Some(AdamState::new(state)))
    }
}

impl ReferenceAdam {
    fn step<const D: usize>(
        &self,
        rate: f64,
        tensor: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<AdamState<D>>,
    ) -> (Tensor<D>, Option<AdamState<D>>) {
        let (tensor, state) = match self {
            Self::Adam(plain) => plain.step(rate, tensor, gradient, state),
            Self::AdamW(plain) => {
                let state = state.map(|state| AdamWState { momentum: state.momentum });
                let (tensor, state) = plain.step(rate, tensor, gradient, state);
                (tensor, state.map(|state| AdamState { momentum: state.momentum }))
            }
        };
        let state = state.map(|AdamState { mut momentum }| {
            momentum.moment_1 = without_denormals(momentum.moment_1);
            momentum.moment_2 = without_denormals(momentum.moment_2);
            AdamState { momentum }
        });
        (without_denormals(tensor), state)
    }
}

/// The number of steps done and the two moments; the state itself where those are not in the memory of the CPU.
#[allow(clippy::result_large_err)]
fn moments<const D: usize>(
    weights: &FlexBuffer,
    state: Option<AdamState<D>>,
) -> Result<(usize, [FlexBuffer; 2]), AdamState<D>> {
    let Some(AdamState { momentum }) = state else {
        return Ok((0, [weights.zeros(), weights.zeros()]));
    };
    let AdaptiveMomentumState { time, moment_1, moment_2, max_moment_2 } = momentum;
    match (FlexBuffer::of(moment_1), FlexBuffer::of(moment_2)) {
        (Ok(moment_1), Ok(moment_2)) => Ok((time, [moment_1, moment_2])),
        (moment_1, moment_2) => {
            let (moment_1, moment_2) = (back(moment_1), back(moment_2));
            Err(AdamState::new(AdaptiveMomentumState { time, moment_1, moment_2, max_moment_2 }))
        }
    }
}
