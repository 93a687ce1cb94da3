//! Owns one update of all networks of a model batch. One optimizer gives the direction for all
//! networks. Each network multiplies it by its own learning rate and applies its own weight decay.
//! Depends on `optim` and the choice of an optimizer in `engine`. Must not know losses, images or
//! schedules.

use burn::module::{Module, ModuleMapper, Param};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Gradients, Tensor};

use crate::backend::Engine;
use crate::engine::model_batch::Shape;
use crate::engine::vectorized::layers::{Layers, broadcast_per_layer};
use crate::optim::OptimizerConfig;

/// Update of all networks with the state of the optimizer.
pub(super) struct Update {
    rule: Rule,
    shape: Shape,
    /// Weight decay of each network, broadcast to each layer; none if no network has a weight
    /// decay.
    decays: Option<Vec<Tensor<3>>>,
    /// Whether the weight decay is decoupled: it shrinks the weights instead of adding to their
    /// gradients.
    decouples_decay: bool,
    /// Learning rates of the last step, and the signed factors of the change, broadcast to each
    /// layer. They are broadcast again only if the rates change.
    rates: (Vec<f64>, Vec<Tensor<3>>),
    device: Device,
}

/// Source of the direction of a step.
enum Rule {
    /// Plain gradient descent: the direction is the gradient, and no optimizer is needed.
    Gradient,
    /// An optimizer that updates `zeros`, a network whose weights are all 0, at learning rate 1.
    /// The result is minus the direction.
    Optimizer { optimizer: ModuleOptimizer, zeros: Layers },
}

impl Update {
    /// Makes the update of `layers`. `optimizer` must have a weight decay of 0; its learning rate
    /// is not used. `weight_decays` has one entry per network.
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

    /// Updates `layers` with the `gradients` of the mean losses, at `rates`, one per network.
    pub(super) fn apply(&mut self, layers: &mut Layers, gradients: Gradients, rates: &[f64]) {
        if self.rates.0 != rates {
            // An optimizer has changed the sign of its result already.
            let sign = if matches!(self.rule, Rule::Gradient) { -1.0 } else { 1.0 };
            let signed: Vec<f64> = rates.iter().map(|rate| sign * rate).collect();
            self.rates = (rates.to_vec(), broadcast_per_layer(&signed, &self.shape, &self.device));
        }
        let mut gradients = GradientsParams::from_grads(gradients, layers);
        if let Some(decays) = self.decays.as_ref().filter(|_| !self.decouples_decay) {
            // L2 penalty: it passes through the optimizer like any gradient.
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
            // Both a decoupled decay and the direction are multiplied by the learning rate.
            let change = change * self.rates.1[index].clone();
            // Burn copies the weights if another tensor shares their memory.
            param.map(|weights| Tensor::from_inner(weights.inner() + change).require_grad())
        });
    }
}

/// Adds the L2 penalty: `decay` times each weight is added to its gradient.
fn add_decay(gradients: &mut GradientsParams, param: &Param<Tensor<3>>, decay: &Tensor<3>) {
    if let Some(gradient) = gradients.remove::<3>(param.id) {
        gradients.register(param.id, gradient + param.val().inner() * decay.clone());
    }
}

/// Mapper that sets all weights to 0.
struct Zeros;

impl ModuleMapper for Zeros {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|tensor| tensor.zeros_like())
    }
}
