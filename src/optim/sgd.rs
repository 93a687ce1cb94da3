//! Owns stochastic gradient descent, with and without momentum.
//! Depends on `optim` and `backend`. Must not know the other optimizers.

use burn::optim::{ModuleOptimizer, Optimizer, RecordState, StateSink, StateSource, join_path};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::backend::without_denormals;
use crate::error::{Error, Result};
use crate::optim::formula::{constant, penalty_formula};
use crate::optim::{UpdateRule, fraction, l2_penalty, penalized, with_cpu_state};

/// Stochastic gradient descent: w ← w − learning_rate · v, with v ← momentum · v + g.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sgd {
    /// Step size, above 0.
    pub learning_rate: f64,
    /// Share of the last update's direction that is kept, in [0, 1).
    pub momentum: f64,
    /// True for Nesterov momentum: the update uses g + momentum · v in place of v. It needs a
    /// momentum above 0.
    pub nesterov: bool,
    /// L2 penalty: this value times each weight is added to the gradient of the weight.
    pub weight_decay: f64,
}

impl Default for Sgd {
    fn default() -> Self {
        Self { learning_rate: 1.0, momentum: 0.0, nesterov: false, weight_decay: 0.0 }
    }
}

impl UpdateRule for Sgd {
    fn name(&self) -> &'static str {
        "SGD"
    }

    fn check(&self) -> Result<()> {
        fraction("momentum", self.momentum)?;
        if self.nesterov && self.momentum == 0.0 {
            return Err(Error::config("`optimizer.nesterov` is true, but `optimizer.momentum` is 0")
                .hint("nesterov changes how momentum is applied; try `optimizer.momentum=0.9`"));
        }
        Ok(())
    }

    fn formula(&self) -> Vec<String> {
        let mut lines = penalty_formula(self.weight_decay);
        if self.momentum == 0.0 {
            lines.push("w ← w − η · g".to_owned());
            return lines;
        }
        let momentum = constant(self.momentum);
        lines.push(format!("v ← {momentum} · v + g"));
        lines.push(match self.nesterov {
            true => format!("w ← w − η · (g + {momentum} · v)"),
            false => "w ← w − η · v".to_owned(),
        });
        lines
    }

    fn decouples_decay(&self) -> bool {
        false
    }

    fn is_plain_gradient_descent(&self) -> bool {
        self.momentum == 0.0
    }

    fn numbers_per_weight(&self) -> u64 {
        u64::from(self.momentum > 0.0)
    }

    fn usual_learning_rates(&self, has_hidden_layers: bool) -> (f64, f64) {
        match (self.momentum > 0.0, has_hidden_layers) {
            (true, _) => (0.001, 0.1),
            // The exercise trains its softmax network at 1.
            (false, false) => (0.005, 2.0),
            (false, true) => (0.005, 0.5),
        }
    }

    fn build(&self) -> ModuleOptimizer {
        with_cpu_state(SgdOptimizer::new(self))
    }
}

/// SGD with tensors. The results equal those of Burn's own SGD to the last bit, except for denormal
/// numbers. They become 0 on a CPU (`smallnet_kernels::flush_denormals` says why).
#[derive(Debug, Clone)]
pub(crate) struct SgdOptimizer {
    /// L2 penalty; `None` for no penalty.
    pub(crate) penalty: Option<f32>,
    /// Momentum; 0 for none.
    pub(crate) momentum: f32,
    pub(crate) is_nesterov: bool,
}

/// State of SGD for one tensor: its momentum. It is saved in the same form as Burn's own.
#[derive(Clone)]
pub(crate) struct SgdState<const D: usize> {
    /// Momentum v.
    pub(crate) velocity: Tensor<D>,
}

impl SgdOptimizer {
    pub(crate) fn new(config: &Sgd) -> Self {
        Self {
            penalty: l2_penalty(config.weight_decay),
            momentum: config.momentum as f32,
            is_nesterov: config.nesterov,
        }
    }
}

impl Optimizer for SgdOptimizer {
    type State<const D: usize> = SgdState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: f64,
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
        (without_denormals(tensor - direction.mul_scalar(learning_rate)), state)
    }

    fn to_device<const D: usize>(SgdState { velocity }: SgdState<D>, device: &Device) -> SgdState<D> {
        SgdState { velocity: velocity.to_device(device) }
    }
}

/// Group and name of the momentum in Burn's record.
const GROUP: &str = "momentum";
const VELOCITY: &str = "velocity";

impl<const D: usize> RecordState for SgdState<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        out.push_tensor(&join_path(prefix, GROUP), VELOCITY, self.velocity.clone().into_data());
    }

    fn state_unflatten(prefix: &str, source: &mut StateSource, device: &Device) -> Option<Self> {
        let velocity = source.take_tensor(&join_path(prefix, GROUP), VELOCITY)?;
        Some(Self { velocity: Tensor::from_data(velocity, device) })
    }
}
