//! One step of all networks of a stack: Burn's optimizer gives the direction, each network goes it at its own rate.

use burn::module::{Module, ModuleMapper, Param};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Gradients, Tensor};

use crate::optim::Sgd;
use crate::training::vectorized::OptimizerConfig;
use crate::training::vectorized::layers::{Layers, Shape};

pub(super) struct Update {
    rule: Rule,
    shape: Shape,
    /// Each network's weight decay, beside each layer; none where no network decays.
    decays: Option<Vec<Tensor<3>>>,
    /// Whether the decay shrinks the weights themselves (AdamW) instead of adding to their gradients.
    decoupled: bool,
    /// The learning rates of the last step, and the same beside each layer.
    rates: (Vec<f64>, Vec<Tensor<3>>),
    device: Device,
}

/// What turns a gradient into a direction.
enum Rule {
    /// Plain gradient descent goes along the gradient itself: nothing to compute, and no memory to go through.
    Gradient,
    /// Burn's optimizer, at rate 1 and from `zeros`, all weights of the networks at 0, ends at minus the direction.
    Burn { optimizer: ModuleOptimizer, zeros: Layers },
}

impl Update {
    /// `optimizer` without weight decay: `decays` are each network's.
    pub(super) fn new(
        layers: &Layers,
        shape: &Shape,
        optimizer: &OptimizerConfig,
        decays: &[f64],
        device: &Device,
    ) -> Self {
        let rule = match optimizer {
            OptimizerConfig::Sgd(Sgd { momentum: 0.0, .. }) => Rule::Gradient,
            _ => Rule::Burn { optimizer: optimizer.init(None), zeros: layers.clone().map(&mut Zeros) },
        };
        Self {
            rule,
            decays: decays.iter().any(|&decay| decay > 0.0).then(|| shape.beside_layers(decays, device)),
            decoupled: matches!(optimizer, OptimizerConfig::AdamW(_)),
            rates: (Vec::new(), Vec::new()),
            shape: shape.clone(),
            device: device.clone(),
        }
    }

    /// Whether it goes along the gradient itself and nothing decays.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self.rule, Rule::Gradient) && self.decays.is_none()
    }

    /// Moves `layers` by one step at `rates`, one for each network.
    pub(super) fn apply(&mut self, layers: &mut Layers, gradients: Gradients, rates: &[f64]) {
        if self.rates.0 != rates {
            let sign = if matches!(self.rule, Rule::Gradient) { -1.0 } else { 1.0 };
            let signed: Vec<f64> = rates.iter().map(|rate| sign * rate).collect();
            self.rates = (rates.to_vec(), self.shape.beside_layers(&signed, &self.device));
        }
        let mut gradients = GradientsParams::from_grads(gradients, layers);
        if let Some(decays) = self.decays.as_ref().filter(|_| !self.decoupled) {
            for (index, param) in layers.params() {
                add_decay(&mut gradients, param, &decays[index]);
            }
        }
        if let Rule::Burn { optimizer, zeros } = &mut self.rule {
            let directions = optimizer.step(1.0, zeros.clone(), gradients);
            gradients = GradientsParams::new();
            for (_, param) in directions.params() {
                gradients.register(param.id, param.val().inner());
            }
        }
        layers.change(|index, param| {
            let Some(mut change) = gradients.remove::<3>(param.id) else { return param };
            if let Some(decays) = self.decays.as_ref().filter(|_| self.decoupled) {
                change = change - param.val().inner() * decays[index].clone();
            }
            let change = change * self.rates.1[index].clone();
            // Whoever else holds the weights makes Burn copy them.
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
