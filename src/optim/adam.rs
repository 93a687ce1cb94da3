//! Owns Adam (Kingma and Ba 2015).
//! Depends on `optim` and `backend`. It also computes AdamW's update, because the states of both
//! have the same form.

use burn::optim::decay::WeightDecayConfig;
use burn::optim::{AdamConfig, AdamState, AdamWState, ModuleOptimizer, Optimizer};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::backend::without_denormals;
use crate::error::Result;
use crate::optim::formula::{constant, penalty_formula, running_mean};
use crate::optim::{UpdateRule, fraction, l2_penalty, positive, with_cpu_state};

/// Adam: w ← w − learning_rate · m̂ / (√v̂ + epsilon), with bias-corrected running means m̂ of g
/// and v̂ of g².
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adam {
    /// Step size, above 0.
    pub learning_rate: f64,
    /// Decay of the running mean of gradients, in [0, 1).
    pub beta_1: f64,
    /// Decay of the running mean of squared gradients, in [0, 1).
    pub beta_2: f64,
    /// Keeps the division finite, above 0.
    pub epsilon: f64,
    /// L2 penalty: this value times each weight is added to the gradient of the weight.
    pub weight_decay: f64,
}

impl Default for Adam {
    fn default() -> Self {
        Self { learning_rate: 0.001, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7, weight_decay: 0.0 }
    }
}

impl UpdateRule for Adam {
    fn name(&self) -> &'static str {
        "Adam"
    }

    fn check(&self) -> Result<()> {
        fraction("beta_1", self.beta_1)?;
        fraction("beta_2", self.beta_2)?;
        positive("epsilon", self.epsilon)
    }

    fn formula(&self) -> Vec<String> {
        let (beta_1, beta_2) = (constant(self.beta_1), constant(self.beta_2));
        let mut lines = penalty_formula(self.weight_decay);
        lines.push(format!("m ← {}", running_mean(self.beta_1, "m", "g")));
        lines.push(format!("v ← {}", running_mean(self.beta_2, "v", "g²")));
        lines.push(format!(
            "w ← w − η · m̂ / (√v̂ + {}), with m̂ = m / (1 − {beta_1}ᵗ) and v̂ = v / (1 − {beta_2}ᵗ) in step t",
            constant(self.epsilon)
        ));
        lines
    }

    fn decouples_decay(&self) -> bool {
        false
    }

    fn numbers_per_weight(&self) -> u64 {
        2
    }

    fn usual_learning_rates(&self, _has_hidden_layers: bool) -> (f64, f64) {
        (1e-5, 0.005)
    }

    fn build(&self) -> ModuleOptimizer {
        with_cpu_state(AdamOptimizer::adam(self))
    }
}

/// Burn's Adam or AdamW with one type of state. Their states differ only in name. Denormal numbers
/// become 0 on a CPU (`smallnet_kernels::flush_denormals` says why).
#[derive(Clone)]
pub(crate) enum AdamOptimizer {
    Adam(burn::optim::Adam),
    AdamW(burn::optim::AdamW),
}

impl AdamOptimizer {
    /// Returns Burn's Adam with the constants of `config`.
    pub(crate) fn adam(config: &Adam) -> Self {
        let adam = AdamConfig::new()
            .with_beta_1(config.beta_1 as f32)
            .with_beta_2(config.beta_2 as f32)
            .with_epsilon(config.epsilon as f32)
            .with_weight_decay(l2_penalty(config.weight_decay).map(WeightDecayConfig::new));
        Self::Adam(adam.build())
    }
}

impl Optimizer for AdamOptimizer {
    type State<const D: usize> = AdamState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: f64,
        tensor: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<AdamState<D>>,
    ) -> (Tensor<D>, Option<AdamState<D>>) {
        let (tensor, state) = match self {
            Self::Adam(adam) => adam.step(learning_rate, tensor, gradient, state),
            Self::AdamW(adamw) => {
                let state = state.map(|state| AdamWState { momentum: state.momentum });
                let (tensor, state) = adamw.step(learning_rate, tensor, gradient, state);
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

    fn to_device<const D: usize>(state: AdamState<D>, device: &Device) -> AdamState<D> {
        burn::optim::Adam::to_device(state, device)
    }
}
