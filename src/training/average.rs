//! Owns the exponential moving average of the weights over the steps of a training (Polyak
//! averaging): the decay in each step, and the network that has the average as its weights.
//! Depends on `engine`, which computes a step, and `model`. Must not know the loop or files.

use burn::module::Module;

use crate::model::Mlp;

/// Average of the weights and biases over the steps of a training. The latest steps count most.
///
/// The average is that of PyTorch's `AveragedModel`: it starts with the weights after the first
/// step, and every later step moves it towards the new weights w: a ← d · a + (1 − d) · w.
///
/// With a constant d, the weights of the first steps would be in the average for long: with d =
/// 0.999, a third of it after 1000 steps. So d rises as in TensorFlow's
/// `ExponentialMovingAverage`: after n steps it is min(decay, (1 + n) / (10 + n)). Then the average
/// extends over about a ninth of the training so far, until that is 1 / (1 − decay) steps.
pub(super) struct WeightAverage {
    /// Largest d, between 0 and 1.
    decay: f64,
    /// Network with the average as its weights, ready for inference. None before the first step.
    network: Option<Mlp>,
}

impl WeightAverage {
    /// Returns the average with its largest decay. `network` is that of a checkpoint in a training
    /// that is resumed; none in a new training.
    pub(super) fn new(decay: f64, network: Option<Mlp>) -> Self {
        Self { decay, network }
    }

    /// Adds the weights of `model` after a step. `num_before` is the number of steps before it, in
    /// the whole training.
    pub(super) fn update(&mut self, model: &Mlp, num_before: usize) {
        self.network = Some(match self.network.take() {
            None => model.valid(),
            Some(average) => {
                let share = (1.0 - decay_after(num_before, self.decay)) as f32;
                model.engine().average(average, model, share)
            }
        });
    }

    /// Returns the network with the average as its weights. None before the first step.
    pub(super) fn into_network(self) -> Option<Mlp> {
        self.network
    }

    /// Network with the average as its weights, ready for inference. None before the first step.
    pub(super) fn network(&self) -> Option<&Mlp> {
        self.network.as_ref()
    }
}

/// Decay d in the step after `num_steps` steps.
fn decay_after(num_steps: usize, decay: f64) -> f64 {
    let num_steps = num_steps as f64;
    decay.min((1.0 + num_steps) / (10.0 + num_steps))
}

#[cfg(test)]
mod tests;
