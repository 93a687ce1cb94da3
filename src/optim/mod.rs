//! Owns the optimizers and learning-rate schedules: the `[optimizer]` and `[schedule]` sections,
//! their checks, their formulas, and the update with Burn's tensors. There is one file per
//! optimizer.
//! Depends on `error`, `backend` and Burn. Must not know networks, engines or training loops.
//! `engine::cpu` has faster versions of the updates and knows this module.
//!
//! To add an optimizer, write a file here with its section and an `impl UpdateRule`, and add one
//! line to `optimizers!` below and one to `engine/cpu/optimizer/mod.rs`.

mod adam;
mod adamw;
mod cpu_state;
mod formula;
pub(crate) mod lion;
pub(crate) mod rmsprop;
mod schedule;
pub(crate) mod sgd;

pub use adam::Adam;
pub(crate) use adam::AdamOptimizer;
pub use adamw::AdamW;
pub(crate) use cpu_state::with_cpu_state;
pub use formula::{average_formula, schedule_formula, update_formula};
pub use lion::Lion;
pub use rmsprop::RmsProp;
pub use schedule::{Constant, Cosine, Exponential, Schedule, ScheduleConfig, StepDecay};
pub use sgd::Sgd;

use burn::optim::ModuleOptimizer;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::error::{Result, ensure};

/// Update rule of one optimizer, with everything that smallnet needs to know of it.
pub trait UpdateRule {
    /// Returns the name as people write it, such as `RMSprop`.
    fn name(&self) -> &'static str;

    /// Checks the range of every constant apart from learning rate and weight decay, which
    /// [`OptimizerConfig::check`] checks.
    ///
    /// # Errors
    /// The first constant that is out of range, named by its key.
    fn check(&self) -> Result<()>;

    /// Returns the update of a weight w with the gradient g at the learning rate η, as one formula
    /// per line, in order.
    fn formula(&self) -> Vec<String>;

    /// Returns whether the weight decay shrinks the weights themselves (as in AdamW and Lion)
    /// instead of adding to their gradients.
    ///
    /// The training of many networks in one batch depends on it: it takes the optimizer's step
    /// without the decay, and applies each network's own decay.
    fn decouples_decay(&self) -> bool;

    /// Returns whether the update is w ← w − η · g and nothing else, apart from the weight decay.
    fn is_plain_gradient_descent(&self) -> bool {
        false
    }

    /// Returns the number of values that the optimizer's record holds per weight.
    fn numbers_per_weight(&self) -> u64;

    /// Returns the lowest and the highest learning rate that usually train dense networks. The
    /// warning about a network that has learned nothing compares with them.
    fn usual_learning_rates(&self, has_hidden_layers: bool) -> (f64, f64);

    /// Builds the optimizer with Burn tensors, for any device.
    fn build(&self) -> ModuleOptimizer;
}

/// Defines [`OptimizerConfig`] from a list of its kinds, so that no other list of them is needed.
/// Every section has the fields `learning_rate` and `weight_decay`.
macro_rules! optimizers {
    ($($(#[$doc:meta])+ $kind:ident,)+) => {
        /// The `[optimizer]` section. Constants have the defaults of Keras. Only SGD's learning
        /// rate differs: it is the exercise's, 1.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "kind", rename_all = "lowercase")]
        pub enum OptimizerConfig {
            $($(#[$doc])+ $kind($kind),)+
        }

        impl OptimizerConfig {
            /// Returns one optimizer of each kind, with its default constants.
            pub fn kinds() -> Vec<Self> {
                vec![$(Self::$kind($kind::default())),+]
            }

            /// Returns the kind of the optimizer, as in experiment files: `adamw`.
            pub fn kind(&self) -> String {
                match self {
                    $(Self::$kind(_) => stringify!($kind).to_lowercase(),)+
                }
            }

            /// Returns the update rule of the optimizer.
            pub fn rule(&self) -> &dyn UpdateRule {
                match self {
                    $(Self::$kind(rule) => rule,)+
                }
            }

            /// Returns the step size before any schedule, above 0.
            pub fn learning_rate(&self) -> f64 {
                match self {
                    $(Self::$kind(rule) => rule.learning_rate,)+
                }
            }

            /// Returns the weight decay, from 0. It is an L2 penalty or decoupled, see
            /// [`UpdateRule::decouples_decay`].
            pub fn weight_decay(&self) -> f64 {
                match self {
                    $(Self::$kind(rule) => rule.weight_decay,)+
                }
            }

            /// Returns the same optimizer with another learning rate and weight decay.
            pub fn with_rates(&self, learning_rate: f64, weight_decay: f64) -> Self {
                match self.clone() {
                    $(Self::$kind(rule) => Self::$kind($kind { learning_rate, weight_decay, ..rule }),)+
                }
            }
        }
    };
}

optimizers! {
    /// Stochastic gradient descent, with or without momentum.
    Sgd,
    /// Adam (Kingma and Ba 2015).
    Adam,
    /// Adam with decoupled weight decay (Loshchilov and Hutter 2019).
    AdamW,
    /// RMSprop (Tieleman and Hinton 2012).
    RmsProp,
    /// Lion (Chen and others 2023).
    Lion,
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self::Sgd(Sgd::default())
    }
}

impl OptimizerConfig {
    /// Checks every value's range.
    ///
    /// # Errors
    /// The first value that is out of range, named by its key.
    pub fn check(&self) -> Result<()> {
        positive("learning_rate", self.learning_rate())?;
        not_negative("weight_decay", self.weight_decay())?;
        self.rule().check()
    }
}

/// Returns the L2 penalty in the form that the updates take. Returns `None` for a weight decay
/// of 0.
pub(crate) fn l2_penalty(weight_decay: f64) -> Option<f32> {
    (weight_decay > 0.0).then_some(weight_decay as f32)
}

/// Adds the L2 penalty to a gradient, if there is a penalty.
fn penalized<const D: usize>(gradient: Tensor<D>, penalty: Option<f32>, weights: &Tensor<D>) -> Tensor<D> {
    match penalty {
        Some(penalty) => weights.clone().mul_scalar(penalty) + gradient,
        None => gradient,
    }
}

/// Checks that a constant is above 0 and finite.
fn positive(key: &str, value: f64) -> Result<()> {
    ensure(value > 0.0 && value.is_finite(), &format!("optimizer.{key}"), value, "a number above 0")
}

/// Checks that a constant is at least 0 and finite.
fn not_negative(key: &str, value: f64) -> Result<()> {
    ensure(value >= 0.0 && value.is_finite(), &format!("optimizer.{key}"), value, "a number from 0")
}

/// Checks that a constant is in [0, 1).
fn fraction(key: &str, value: f64) -> Result<()> {
    let expected = "a number from 0 up to, not with, 1";
    ensure((0.0..1.0).contains(&value), &format!("optimizer.{key}"), value, expected)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
