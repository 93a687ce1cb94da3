//! Owns RMSprop (Tieleman and Hinton 2012), plain or centred, with and without momentum.
//! Depends on `optim` and `backend`. Must not know the other optimizers.

use burn::optim::{ModuleOptimizer, Optimizer, RecordState, StateSink, StateSource, join_path};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::backend::without_denormals;
use crate::error::Result;
use crate::optim::formula::{constant, penalty_formula, running_mean};
use crate::optim::{UpdateRule, fraction, l2_penalty, penalized, positive, with_cpu_state};

/// RMSprop: w ← w − learning_rate · g / (√v + epsilon), with a running mean v of g².
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RmsProp {
    /// Step size, above 0.
    pub learning_rate: f64,
    /// Decay of the running mean of squared gradients, in [0, 1).
    pub rho: f64,
    /// Share of the last update that is kept, in [0, 1).
    pub momentum: f64,
    /// Keeps the division finite, above 0.
    pub epsilon: f64,
    /// True if the divisor uses the gradient's variance v − a² instead of its mean square v, with a
    /// running mean a of g.
    pub centered: bool,
    /// L2 penalty: this value times each weight is added to the gradient of the weight.
    pub weight_decay: f64,
}

impl Default for RmsProp {
    fn default() -> Self {
        Self {
            learning_rate: 0.001,
            rho: 0.9,
            momentum: 0.0,
            epsilon: 1e-7,
            centered: false,
            weight_decay: 0.0,
        }
    }
}

impl UpdateRule for RmsProp {
    fn name(&self) -> &'static str {
        "RMSprop"
    }

    fn check(&self) -> Result<()> {
        fraction("rho", self.rho)?;
        fraction("momentum", self.momentum)?;
        positive("epsilon", self.epsilon)
    }

    fn formula(&self) -> Vec<String> {
        let mut lines = penalty_formula(self.weight_decay);
        lines.push(format!("v ← {}", running_mean(self.rho, "v", "g²")));
        let mut spread = "√v".to_owned();
        if self.centered {
            lines.push(format!("a ← {}", running_mean(self.rho, "a", "g")));
            spread = "√(v − a²)".to_owned();
        }
        let scaled = format!("g / ({spread} + {})", constant(self.epsilon));
        if self.momentum == 0.0 {
            lines.push(format!("w ← w − η · {scaled}"));
        } else {
            lines.push(format!("u ← {} · u + {scaled}", constant(self.momentum)));
            lines.push("w ← w − η · u".to_owned());
        }
        lines
    }

    fn decouples_decay(&self) -> bool {
        false
    }

    fn numbers_per_weight(&self) -> u64 {
        // Burn saves the variance under the root in addition to the mean square, even where both
        // are the same.
        2 + u64::from(self.centered) + u64::from(self.momentum > 0.0)
    }

    fn usual_learning_rates(&self, _has_hidden_layers: bool) -> (f64, f64) {
        (1e-5, 0.005)
    }

    fn build(&self) -> ModuleOptimizer {
        with_cpu_state(RmsPropOptimizer::new(self))
    }
}

/// RMSprop with tensors. The results equal those of Burn's own RMSprop to the last bit, except for
/// denormal numbers. They become 0 on a CPU (`smallnet_kernels::flush_denormals` says why).
#[derive(Debug, Clone)]
pub(crate) struct RmsPropOptimizer {
    pub(crate) rho: f32,
    /// Momentum; 0 for none.
    pub(crate) momentum: f32,
    pub(crate) epsilon: f32,
    pub(crate) is_centered: bool,
    /// L2 penalty; `None` for no penalty.
    pub(crate) penalty: Option<f32>,
}

/// State of RMSprop for one tensor: its running means. It is saved in the same form as Burn's own.
#[derive(Clone)]
pub(crate) struct RmsPropState<const D: usize> {
    /// Mean of the squared gradients.
    pub(crate) square_mean: Tensor<D>,
    /// Mean of the gradients; only if the rule is centred.
    pub(crate) mean: Option<Tensor<D>>,
    /// Last update, before the factor of the learning rate; only with momentum.
    pub(crate) velocity: Option<Tensor<D>>,
}

impl RmsPropOptimizer {
    pub(crate) fn new(config: &RmsProp) -> Self {
        Self {
            rho: config.rho as f32,
            momentum: config.momentum as f32,
            epsilon: config.epsilon as f32,
            is_centered: config.centered,
            penalty: l2_penalty(config.weight_decay),
        }
    }
}

impl Optimizer for RmsPropOptimizer {
    type State<const D: usize> = RmsPropState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: f64,
        tensor: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<RmsPropState<D>>,
    ) -> (Tensor<D>, Option<RmsPropState<D>>) {
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
                // A mean of squares that is too small for a normal number is 0. The variance is
                // then 0, too, because it must not be below 0.
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
        let tensor = without_denormals(tensor - direction.mul_scalar(learning_rate));
        (tensor, Some(RmsPropState { square_mean, mean, velocity: new_velocity }))
    }

    fn to_device<const D: usize>(state: RmsPropState<D>, device: &Device) -> RmsPropState<D> {
        RmsPropState {
            square_mean: state.square_mean.to_device(device),
            mean: state.mean.map(|mean| mean.to_device(device)),
            velocity: state.velocity.map(|velocity| velocity.to_device(device)),
        }
    }
}

/// Group and name of each tensor in Burn's record. Burn also saves the variance under the root. It
/// follows from the other tensors and is never read.
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
        // The record has the variance too, and nothing needs it.
        take(VARIANCE);
        Some(Self { square_mean, mean: take(MEAN), velocity: take(VELOCITY) })
    }
}
