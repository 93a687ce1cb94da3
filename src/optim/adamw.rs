//! Owns AdamW: Adam with decoupled weight decay (Loshchilov and Hutter 2019).
//! Depends on `adam`. Must not know the other optimizers.

use burn::optim::{AdamWConfig, ModuleOptimizer};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::optim::formula::decay_formula;
use crate::optim::{Adam, AdamOptimizer, UpdateRule, with_cpu_state};

/// AdamW: an update like that of [`Adam`], but each step also shrinks every weight by
/// learning_rate · weight_decay of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamW {
    /// Step size, above 0.
    pub learning_rate: f64,
    /// Decay of the running mean of gradients, in [0, 1).
    pub beta_1: f64,
    /// Decay of the running mean of squared gradients, in [0, 1).
    pub beta_2: f64,
    /// Keeps the division finite, above 0.
    pub epsilon: f64,
    /// Share of each weight, times the learning rate, that a step removes.
    pub weight_decay: f64,
}

impl Default for AdamW {
    fn default() -> Self {
        Self { learning_rate: 0.001, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7, weight_decay: 0.004 }
    }
}

impl AdamW {
    /// Returns the same update without its decay.
    pub(crate) fn without_decay(&self) -> Adam {
        let Self { learning_rate, beta_1, beta_2, epsilon, .. } = *self;
        Adam { learning_rate, beta_1, beta_2, epsilon, weight_decay: 0.0 }
    }
}

impl UpdateRule for AdamW {
    fn name(&self) -> &'static str {
        "AdamW"
    }

    fn check(&self) -> Result<()> {
        self.without_decay().check()
    }

    fn formula(&self) -> Vec<String> {
        [vec![decay_formula(self.weight_decay)], self.without_decay().formula()].concat()
    }

    fn decouples_decay(&self) -> bool {
        true
    }

    fn numbers_per_weight(&self) -> u64 {
        2
    }

    fn usual_learning_rates(&self, has_hidden_layers: bool) -> (f64, f64) {
        self.without_decay().usual_learning_rates(has_hidden_layers)
    }

    fn build(&self) -> ModuleOptimizer {
        with_cpu_state(AdamOptimizer::adamw(self))
    }
}

impl AdamOptimizer {
    /// Returns Burn's AdamW with the constants of `config`.
    pub(crate) fn adamw(config: &AdamW) -> Self {
        let adamw = AdamWConfig::new()
            .with_beta_1(config.beta_1 as f32)
            .with_beta_2(config.beta_2 as f32)
            .with_epsilon(config.epsilon as f32)
            .with_weight_decay(config.weight_decay as f32);
        Self::AdamW(adamw.build())
    }
}
