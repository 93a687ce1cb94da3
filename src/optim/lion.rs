//! Owns Lion, "evolved sign momentum" (Chen and others 2023, "Symbolic Discovery of Optimization
//! Algorithms", algorithm 2).
//! Depends on `optim` and `backend`. Must not know the other optimizers.

use burn::optim::{LionConfig, LionState, ModuleOptimizer, Optimizer};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::backend::without_denormals;
use crate::error::Result;
use crate::optim::formula::{constant, decay_formula, running_mean};
use crate::optim::{UpdateRule, fraction, with_cpu_state};

/// Lion: w ← w − learning_rate · sign(beta_1 · m + (1 − beta_1) · g), then
/// m ← beta_2 · m + (1 − beta_2) · g. The weight decay is decoupled, like that of
/// [`AdamW`](crate::optim::AdamW).
///
/// Every weight moves by the learning rate in each step, so Lion needs a smaller learning rate than
/// Adam.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lion {
    /// Step size, above 0.
    pub learning_rate: f64,
    /// Share of the momentum in the direction of a step, in [0, 1).
    pub beta_1: f64,
    /// Decay of the momentum, in [0, 1).
    pub beta_2: f64,
    /// Share of each weight, times the learning rate, that a step removes.
    pub weight_decay: f64,
}

impl Default for Lion {
    fn default() -> Self {
        Self { learning_rate: 0.001, beta_1: 0.9, beta_2: 0.99, weight_decay: 0.0 }
    }
}

impl UpdateRule for Lion {
    fn name(&self) -> &'static str {
        "Lion"
    }

    fn check(&self) -> Result<()> {
        fraction("beta_1", self.beta_1)?;
        fraction("beta_2", self.beta_2)
    }

    fn formula(&self) -> Vec<String> {
        let decay = (self.weight_decay > 0.0).then(|| decay_formula(self.weight_decay));
        let step =
            format!("w ← w − η · sign({} · m + {} · g)", constant(self.beta_1), constant(1.0 - self.beta_1));
        let momentum = format!("m ← {}", running_mean(self.beta_2, "m", "g"));
        decay.into_iter().chain([step, momentum]).collect()
    }

    fn decouples_decay(&self) -> bool {
        true
    }

    fn numbers_per_weight(&self) -> u64 {
        1
    }

    fn usual_learning_rates(&self, _has_hidden_layers: bool) -> (f64, f64) {
        (1e-6, 0.002)
    }

    fn build(&self) -> ModuleOptimizer {
        with_cpu_state(LionOptimizer::new(self))
    }
}

/// Burn's Lion. Denormal numbers become 0 on a CPU (`smallnet_kernels::flush_denormals` says why).
#[derive(Clone)]
pub(crate) struct LionOptimizer(burn::optim::Lion);

impl LionOptimizer {
    pub(crate) fn new(config: &Lion) -> Self {
        let lion = LionConfig::new()
            .with_beta_1(config.beta_1 as f32)
            .with_beta_2(config.beta_2 as f32)
            .with_weight_decay(config.weight_decay as f32);
        Self(lion.build())
    }
}

impl Optimizer for LionOptimizer {
    type State<const D: usize> = LionState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: f64,
        tensor: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<LionState<D>>,
    ) -> (Tensor<D>, Option<LionState<D>>) {
        let (tensor, state) = self.0.step(learning_rate, tensor, gradient, state);
        let state = state.map(|LionState { momentum }| LionState { momentum: without_denormals(momentum) });
        (without_denormals(tensor), state)
    }

    fn to_device<const D: usize>(state: LionState<D>, device: &Device) -> LionState<D> {
        burn::optim::Lion::to_device(state, device)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
