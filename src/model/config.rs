//! The `[model]` section of an experiment.

use burn::module::Param;
use burn::nn::Linear;
use burn::tensor::{Device, TensorData};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, ensure};
use crate::model::{Activation, Dropout, Initializer, Mlp};

/// The widest hidden layer accepted, in neurons.
const MAX_WIDTH: usize = 65_536;
/// The largest network accepted, in weights and biases.
const MAX_WEIGHTS: u128 = 100_000_000;
/// The most numbers that one batch may become, all layers together: 2 GB of them, and training holds some twice.
const MAX_ACTIVATIONS: u128 = 500_000_000;
/// The most hidden layers accepted.
const MAX_LAYERS: usize = 100;

/// The `[model]` section: everything about the network that its data does not say.
///
/// Input size and class count come from the data set; see [`MlpConfig::init`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MlpConfig {
    /// Neurons of each hidden layer, first to last; empty for a softmax network.
    pub hidden: Vec<usize>,
    /// What follows each hidden layer.
    pub activation: Activation,
    /// The probability, in [0, 1), that a hidden neuron is left out of a training step.
    pub dropout: f64,
    /// The probability, in [0, 1), that a pixel is left out of a training step (Srivastava et al. 2014 leave out 0.2).
    pub input_dropout: f64,
    /// How initial weights are drawn. Biases start at zero.
    pub initializer: Initializer,
}

impl Default for MlpConfig {
    fn default() -> Self {
        Self {
            hidden: Vec::new(),
            activation: Activation::Relu,
            dropout: 0.0,
            input_dropout: 0.0,
            initializer: Initializer::GlorotUniform,
        }
    }
}

impl MlpConfig {
    /// Checks every value's range.
    pub fn check(&self) -> Result<()> {
        let layers = format!("a list of {} layers", self.hidden.len());
        let expected = format!("at most {MAX_LAYERS} layers");
        ensure(self.hidden.len() <= MAX_LAYERS, "model.hidden", layers, &expected)?;
        for (index, &width) in self.hidden.iter().enumerate() {
            let expected = format!("a width from 1 to {MAX_WIDTH}");
            ensure((1..=MAX_WIDTH).contains(&width), &format!("model.hidden[{index}]"), width, &expected)?;
        }
        for (key, share) in [("model.dropout", self.dropout), ("model.input_dropout", self.input_dropout)] {
            ensure((0.0..1.0).contains(&share), key, share, "a number from 0 up to, not with, 1")?;
        }
        self.activation.check()
    }

    /// Whether training leaves anything out at random.
    pub fn has_dropout(&self) -> bool {
        self.dropout > 0.0 || self.input_dropout > 0.0
    }

    /// The sizes of all layers, input and output included: `[784, 512, 256, 10]`.
    pub fn sizes(&self, input_size: usize, num_classes: usize) -> Vec<usize> {
        let mut sizes = vec![input_size];
        sizes.extend(&self.hidden);
        sizes.push(num_classes);
        sizes
    }

    /// Checks that what a batch of `batch_size` images becomes on its way through the network fits into memory.
    pub fn check_memory(&self, input_size: usize, num_classes: usize, batch_size: usize) -> Result<()> {
        let sizes = self.sizes(input_size, num_classes);
        let values = sizes.iter().map(|&size| size as u128).sum::<u128>() * batch_size as u128;
        if values <= MAX_ACTIVATIONS {
            return Ok(());
        }
        Err(Error::config(format!(
            "a batch of {batch_size} images becomes {values} numbers in a network {sizes:?}, expected at most \
             {MAX_ACTIVATIONS}"
        ))
        .hint("make `training.batch_size` smaller or the layers of `model.hidden` narrower"))
    }

    /// Checks that the network has at most a hundred million weights: smallnet is for small ones.
    pub fn check_weights(&self, input_size: usize, num_classes: usize) -> Result<()> {
        let sizes = self.sizes(input_size, num_classes);
        let weights: u128 = sizes.windows(2).map(|pair| (pair[0] as u128 + 1) * pair[1] as u128).sum();
        if weights <= MAX_WEIGHTS {
            return Ok(());
        }
        Err(Error::config(format!(
            "a network {sizes:?} has {weights} parameters, expected at most {MAX_WEIGHTS}"
        ))
        .hint("make the layers of `model.hidden` narrower"))
    }

    /// Builds the network on `device` with initial weights drawn from `seed`: the same on every backend.
    ///
    /// `input_size` is height × width of an image, `num_classes` the number of logits.
    ///
    /// # Errors
    /// As [`MlpConfig::check_weights`]'s.
    pub fn init(&self, input_size: usize, num_classes: usize, seed: u64, device: &Device) -> Result<Mlp> {
        self.check_weights(input_size, num_classes)?;
        let sizes = self.sizes(input_size, num_classes);
        let layers = sizes
            .windows(2)
            .enumerate()
            .map(|(index, pair)| self.layer(index, pair[0], pair[1], seed, device))
            .collect();
        let dropout = Dropout { hidden: self.dropout, input: self.input_dropout };
        Ok(Mlp::new(layers, self.activation, dropout))
    }

    fn layer(&self, index: usize, inputs: usize, outputs: usize, seed: u64, device: &Device) -> Linear {
        let weights = self.initializer.draw(inputs, outputs, seed, index as u64);
        let biases = vec![0.0f32; outputs];
        Linear {
            weight: Param::from_data(TensorData::new(weights, [inputs, outputs]), device),
            bias: Some(Param::from_data(TensorData::new(biases, [outputs]), device)),
        }
    }
}
