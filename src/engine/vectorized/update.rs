//! Owns one update of all networks of a model batch: an optimizer gives the direction, and each network takes it at its
//! own learning rate and with its own weight decay.

use burn::module::{Module, ModuleMapper, Param};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Gradients, Tensor};

use super::Shape;
use super::layers::{Layers, broadcast_per_layer};
use crate::backend::Engine;
use crate::optim::OptimizerConfig;

pub(super) struct Update {
    rule: Rule,
    shape: Shape,
    /// Weight decay of each network, broadcast to each layer; none if no network decays.
    decays: Option<Vec<Tensor<3>>>,
    /// Whether the decay shrinks the weights themselves instead of adding to their gradients.
    decouples_decay: bool,
    /// Learning rates of the last step, and the same broadcast to each layer.
    rates: (Vec<f64>, Vec<Tensor<3>>),
    device: Device,
}

/// Direction of a step.
enum Rule {
    /// Plain gradient descent: the gradient itself. There is nothing to compute, and no memory to go through.
    Gradient,
    /// Result of an optimizer at rate 1 from `zeros`, which are all weights at 0: minus the direction.
    Optimizer { optimizer: ModuleOptimizer, zeros: Layers },
}

impl Update {
    /// `optimizer` is without its weight decay; `weight_decays` has one entry per network.
    pub(super) fn new(
        layers: &Layers,
        shape: &Shape,
        optimizer: &OptimizerConfig,
        engine: Engine,
        weight_decays: &[f64],
        device: &Device,
    ) -> Self {
        let rule = match optimizer.rule().is_plain_gradient_descent() {
            true => Rule::Gradient,
            false => {
                let zeros = layers.clone().map(&mut Zeros);
                Rule::Optimizer { optimizer: engine.optimizer(optimizer, None), zeros }
            }
        };
        let decays = weight_decays.iter().any(|&decay| decay > 0.0);
        Self {
            rule,
            decays: decays.then(|| broadcast_per_layer(weight_decays, shape, device)),
            decouples_decay: optimizer.rule().decouples_decay(),
            rates: (Vec::new(), Vec::new()),
            shape: shape.clone(),
            device: device.clone(),
        }
    }

    /// Updates `layers` at `rates`, one per network.
    pub(super) fn apply(&mut self, layers: &mut Layers, gradients: Gradients, rates: &[f64]) {
        if self.rates.0 != rates {
            let sign = if matches!(self.rule, Rule::Gradient) { -1.0 } else { 1.0 };
            let signed: Vec<f64> = rates.iter().map(|rate| sign * rate).collect();
            self.rates = (rates.to_vec(), broadcast_per_layer(&signed, &self.shape, &self.device));
        }
        let mut gradients = GradientsParams::from_grads(gradients, layers);
        if let Some(decays) = self.decays.as_ref().filter(|_| !self.decouples_decay) {
            for (index, param) in layers.params() {
                add_decay(&mut gradients, param, &decays[index]);
            }
        }
        if let Rule::Optimizer { optimizer, zeros } = &mut self.rule {
            let directions = optimizer.step(1.0, zeros.clone(), gradients);
            gradients = GradientsParams::new();
            for (_, param) in directions.params() {
                gradients.register(param.id, param.val().inner());
            }
        }
        layers.change(|index, param| {
            let Some(mut change) = gradients.remove::<3>(param.id) else { return param };
            if let Some(decays) = self.decays.as_ref().filter(|_| self.decouples_decay) {
                change = change - param.val().inner() * decays[index].clone();
            }
            let change = change * self.rates.1[index].clone();
            // Burn copies the weights if another tensor shares their memory.
            param.map(|weights| Tensor::from_inner(weights.inner() + change).require_grad())
        });
    }
}

/// The L2 penalty: adds `decay` times each weight to its gradient.
fn add_decay(gradients: &mut GradientsParams, param: &Param<Tensor<3>>, decay: &Tensor<3>) {
    if let Some(gradient) = gradients.remove::<3>(param.id) {
        gradients.register(param.id, gradient + param.val().inner() * decay.clone());
    }
}

struct Zeros;

impl ModuleMapper for Zeros {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|tensor| tensor.zeros_like())
    }
}
