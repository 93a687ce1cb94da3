//! The `[optimizer]` section: which update rule, with every constant explicit.

pub(crate) mod cpu_state;
mod formula;
pub(crate) mod schedule;

pub use formula::{schedule_formula, update_formula};
pub use schedule::{Constant, Cosine, Exponential, Schedule, ScheduleConfig, StepDecay};

use burn::grad_clipping::GradientClippingConfig;
use burn::optim::decay::WeightDecayConfig;
use burn::optim::{AdamConfig, AdamWConfig, ModuleOptimizer};
use serde::{Deserialize, Serialize};

use crate::engine::cpu::optimizer::{FusedAdam, FusedRmsProp, FusedSgd, ReferenceAdam};
use crate::error::{Error, Result, ensure};
use crate::optim::cpu_state::with_cpu_state;

/// The `[optimizer]` section. Constants default to Keras', except that SGD's learning rate is the exercise's 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum OptimizerConfig {
    /// Stochastic gradient descent, with or without momentum.
    Sgd(Sgd),
    /// Adam (Kingma and Ba 2015).
    Adam(Adam),
    /// Adam with decoupled weight decay (Loshchilov and Hutter 2019).
    AdamW(AdamW),
    /// RMSprop (Tieleman and Hinton 2012).
    RmsProp(RmsProp),
}

/// w ← w − learning_rate · v, with v ← momentum · v + g.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sgd {
    /// The step size, above 0.
    pub learning_rate: f64,
    /// How much of the last update's direction is kept, in [0, 1).
    pub momentum: f64,
    /// Whether the gradient looks ahead along the momentum (needs a momentum above 0).
    pub nesterov: bool,
    /// L2 penalty: this times each weight is added to its gradient.
    pub weight_decay: f64,
}

impl Default for Sgd {
    fn default() -> Self {
        Self { learning_rate: 1.0, momentum: 0.0, nesterov: false, weight_decay: 0.0 }
    }
}

/// w ← w − learning_rate · m̂ / (√v̂ + epsilon), with bias-corrected running means m̂ of g and v̂ of g².
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adam {
    /// The step size, above 0.
    pub learning_rate: f64,
    /// Decay of the running mean of gradients, in [0, 1).
    pub beta_1: f64,
    /// Decay of the running mean of squared gradients, in [0, 1).
    pub beta_2: f64,
    /// Keeps the division finite, above 0.
    pub epsilon: f64,
    /// L2 penalty: this times each weight is added to its gradient.
    pub weight_decay: f64,
}

impl Default for Adam {
    fn default() -> Self {
        Self { learning_rate: 0.001, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7, weight_decay: 0.0 }
    }
}

/// As [`Adam`], but each step also shrinks every weight by learning_rate · weight_decay of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamW {
    /// The step size, above 0.
    pub learning_rate: f64,
    /// Decay of the running mean of gradients, in [0, 1).
    pub beta_1: f64,
    /// Decay of the running mean of squared gradients, in [0, 1).
    pub beta_2: f64,
    /// Keeps the division finite, above 0.
    pub epsilon: f64,
    /// The share of each weight, times the learning rate, that a step takes away.
    pub weight_decay: f64,
}

impl Default for AdamW {
    fn default() -> Self {
        Self { learning_rate: 0.001, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7, weight_decay: 0.004 }
    }
}

/// w ← w − learning_rate · g / (√v + epsilon), with a running mean v of g².
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RmsProp {
    /// The step size, above 0.
    pub learning_rate: f64,
    /// Decay of the running mean of squared gradients, in [0, 1).
    pub rho: f64,
    /// How much of the last update is kept, in [0, 1).
    pub momentum: f64,
    /// Keeps the division finite, above 0.
    pub epsilon: f64,
    /// Whether v is the gradient's variance instead of its mean square.
    pub centered: bool,
    /// L2 penalty: this times each weight is added to its gradient.
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

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self::Sgd(Sgd::default())
    }
}

impl OptimizerConfig {
    /// The step size before any schedule.
    pub fn learning_rate(&self) -> f64 {
        match self {
            Self::Sgd(sgd) => sgd.learning_rate,
            Self::Adam(adam) => adam.learning_rate,
            Self::AdamW(adamw) => adamw.learning_rate,
            Self::RmsProp(rmsprop) => rmsprop.learning_rate,
        }
    }

    /// The weight decay, whatever it is applied to.
    pub fn weight_decay(&self) -> f64 {
        match self {
            Self::Sgd(sgd) => sgd.weight_decay,
            Self::Adam(adam) => adam.weight_decay,
            Self::AdamW(adamw) => adamw.weight_decay,
            Self::RmsProp(rmsprop) => rmsprop.weight_decay,
        }
    }

    /// How many numbers the optimizer keeps for each weight from step to step: those in its record.
    pub(crate) fn numbers_per_weight(&self) -> u64 {
        match self {
            Self::Sgd(sgd) => u64::from(sgd.momentum > 0.0),
            Self::Adam(_) | Self::AdamW(_) => 2,
            // Burn keeps what the gradient is divided by twice, also where it is the same.
            Self::RmsProp(rmsprop) => 2 + u64::from(rmsprop.centered) + u64::from(rmsprop.momentum > 0.0),
        }
    }

    /// The same rule with another learning rate and weight decay.
    pub fn with_rates(&self, learning_rate: f64, weight_decay: f64) -> Self {
        match self.clone() {
            Self::Sgd(sgd) => Self::Sgd(Sgd { learning_rate, weight_decay, ..sgd }),
            Self::Adam(adam) => Self::Adam(Adam { learning_rate, weight_decay, ..adam }),
            Self::AdamW(adamw) => Self::AdamW(AdamW { learning_rate, weight_decay, ..adamw }),
            Self::RmsProp(rmsprop) => Self::RmsProp(RmsProp { learning_rate, weight_decay, ..rmsprop }),
        }
    }

    /// Checks every value's range.
    pub fn check(&self) -> Result<()> {
        positive("learning_rate", self.learning_rate())?;
        match self {
            Self::Sgd(sgd) => {
                fraction("momentum", sgd.momentum)?;
                not_negative("weight_decay", sgd.weight_decay)?;
                if sgd.nesterov && sgd.momentum == 0.0 {
                    return Err(Error::config("`optimizer.nesterov` is true, but `optimizer.momentum` is 0")
                        .hint("nesterov changes how momentum is applied; try `optimizer.momentum=0.9`"));
                }
                Ok(())
            }
            Self::Adam(Adam { beta_1, beta_2, epsilon, weight_decay, .. })
            | Self::AdamW(AdamW { beta_1, beta_2, epsilon, weight_decay, .. }) => {
                fraction("beta_1", *beta_1)?;
                fraction("beta_2", *beta_2)?;
                positive("epsilon", *epsilon)?;
                not_negative("weight_decay", *weight_decay)
            }
            Self::RmsProp(rmsprop) => {
                fraction("rho", rmsprop.rho)?;
                fraction("momentum", rmsprop.momentum)?;
                positive("epsilon", rmsprop.epsilon)?;
                not_negative("weight_decay", rmsprop.weight_decay)
            }
        }
    }

    /// Builds the optimizer; `clipping` is applied to each tensor's gradient before the update.
    pub fn init(&self, clipping: Option<GradientClippingConfig>) -> ModuleOptimizer {
        let optimizer = match self {
            Self::Sgd(sgd) => with_cpu_state(FusedSgd {
                penalty: penalty(sgd.weight_decay),
                momentum: sgd.momentum as f32,
                is_nesterov: sgd.nesterov,
            }),
            Self::Adam(adam) => with_cpu_state(adam.one_pass()),
            Self::AdamW(adamw) => with_cpu_state(adamw.one_pass()),
            Self::RmsProp(rmsprop) => with_cpu_state(FusedRmsProp {
                rho: rmsprop.rho as f32,
                momentum: rmsprop.momentum as f32,
                epsilon: rmsprop.epsilon as f32,
                is_centered: rmsprop.centered,
                penalty: penalty(rmsprop.weight_decay),
            }),
        };
        match clipping {
            Some(clipping) => optimizer.with_grad_clipping(clipping.init()),
            None => optimizer,
        }
    }
}

impl Adam {
    fn one_pass(&self) -> FusedAdam {
        let (beta_1, beta_2, epsilon) = (self.beta_1 as f32, self.beta_2 as f32, self.epsilon as f32);
        let plain = AdamConfig::new()
            .with_beta_1(beta_1)
            .with_beta_2(beta_2)
            .with_epsilon(epsilon)
            .with_weight_decay(penalty(self.weight_decay).map(WeightDecayConfig::new))
            .build();
        let penalty = penalty(self.weight_decay);
        FusedAdam { plain: ReferenceAdam::Adam(plain), beta_1, beta_2, epsilon, penalty, decay: 0.0 }
    }
}

impl AdamW {
    fn one_pass(&self) -> FusedAdam {
        let (beta_1, beta_2, epsilon) = (self.beta_1 as f32, self.beta_2 as f32, self.epsilon as f32);
        let plain = AdamWConfig::new()
            .with_beta_1(beta_1)
            .with_beta_2(beta_2)
            .with_epsilon(epsilon)
            .with_weight_decay(self.weight_decay as f32)
            .build();
        // In single precision first, as Burn has it.
        let decay = f64::from(self.weight_decay as f32);
        FusedAdam { plain: ReferenceAdam::AdamW(plain), beta_1, beta_2, epsilon, penalty: None, decay }
    }
}

fn penalty(weight_decay: f64) -> Option<f32> {
    (weight_decay > 0.0).then_some(weight_decay as f32)
}

fn positive(key: &str, value: f64) -> Result<()> {
    ensure(value > 0.0 && value.is_finite(), &format!("optimizer.{key}"), value, "a number above 0")
}

fn not_negative(key: &str, value: f64) -> Result<()> {
    ensure(value >= 0.0 && value.is_finite(), &format!("optimizer.{key}"), value, "a number from 0")
}

fn fraction(key: &str, value: f64) -> Result<()> {
    let expected = "a number from 0 up to, not with, 1";
    ensure((0.0..1.0).contains(&value), &format!("optimizer.{key}"), value, expected)
}
