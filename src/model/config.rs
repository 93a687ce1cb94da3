//! Owns the `[model]` section of an experiment: its keys, their ranges and the limits of size.
//! Depends on the network and its parts. Must not know the data set: the caller states the input
//! size and the number of classes.

use burn::module::Param;
use burn::nn::Linear;
use burn::tensor::{Device, TensorData};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, ensure};
use crate::model::{Activation, Dropout, Initializer, Mlp};

/// Largest width of a hidden layer, in neurons.
const MAX_LAYER_WIDTH: usize = 65_536;
/// Largest number of parameters of a network: weights and biases.
const MAX_PARAMETERS: u128 = 100_000_000;
/// Largest number of values that one batch may have in all layers together. In single precision,
/// they take 2 GB. Training holds some of them twice.
const MAX_ACTIVATIONS: u128 = 500_000_000;
/// Largest number of hidden layers.
const MAX_LAYERS: usize = 100;

/// The `[model]` section: everything about the network that does not follow from its data.
///
/// The input size and the number of classes come from the data set. See [`MlpConfig::init`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MlpConfig {
    /// Number of neurons of each hidden layer, first to last. Empty for a softmax network.
    pub hidden: Vec<usize>,
    /// Activation after each hidden layer.
    pub activation: Activation,
    /// Probability, in [0, 1), that a hidden neuron is left out of a training step.
    pub dropout: f64,
    /// Probability, in [0, 1), that a pixel is left out of a training step. Srivastava et al.
    /// (2014) use 0.2.
    pub input_dropout: f64,
    /// Distribution of the initial weights. Initial biases are zero.
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
    /// Checks the range of every value.
    ///
    /// # Errors
    /// A value out of its range. The error names its key.
    pub fn check(&self) -> Result<()> {
        let layers = format!("a list of {} layers", self.hidden.len());
        let expected = format!("at most {MAX_LAYERS} layers");
        ensure(self.hidden.len() <= MAX_LAYERS, "model.hidden", layers, &expected)?;
        for (index, &width) in self.hidden.iter().enumerate() {
            let expected = format!("a width from 1 to {MAX_LAYER_WIDTH}");
            ensure(
                (1..=MAX_LAYER_WIDTH).contains(&width),
                &format!("model.hidden[{index}]"),
                width,
                &expected,
            )?;
        }
        for (key, share) in [("model.dropout", self.dropout), ("model.input_dropout", self.input_dropout)] {
            ensure((0.0..1.0).contains(&share), key, share, "a number from 0 up to, not with, 1")?;
        }
        self.activation.check()
    }

    /// Returns whether training leaves out neurons or pixels at random.
    pub fn has_dropout(&self) -> bool {
        self.dropout > 0.0 || self.input_dropout > 0.0
    }

    /// Sizes of all layers, with input and output, such as `[784, 512, 256, 10]`.
    pub fn sizes(&self, input_size: usize, num_classes: usize) -> Vec<usize> {
        let mut sizes = vec![input_size];
        sizes.extend(&self.hidden);
        sizes.push(num_classes);
        sizes
    }

    /// Checks that the activations of a batch of `batch_size` images fit into memory: all layers
    /// together, with input and output.
    ///
    /// # Errors
    /// More than 500,000,000 values.
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

    /// Checks that the network has at most 100,000,000 parameters (weights and biases). smallnet is
    /// for small networks.
    ///
    /// # Errors
    /// A network with more parameters.
    pub fn check_num_parameters(&self, input_size: usize, num_classes: usize) -> Result<()> {
        let sizes = self.sizes(input_size, num_classes);
        let weights: u128 = sizes.windows(2).map(|pair| (pair[0] as u128 + 1) * pair[1] as u128).sum();
        if weights <= MAX_PARAMETERS {
            return Ok(());
        }
        Err(Error::config(format!(
            "a network {sizes:?} has {weights} parameters, expected at most {MAX_PARAMETERS}"
        ))
        .hint("make the layers of `model.hidden` narrower"))
    }

    /// Builds the network on `device`. Its initial weights are drawn from `seed` and are the same
    /// on every backend.
    ///
    /// `input_size` is height × width of an image. `num_classes` is the number of logits.
    ///
    /// # Errors
    /// The same as those of [`MlpConfig::check_num_parameters`].
    pub fn init(&self, input_size: usize, num_classes: usize, seed: u64, device: &Device) -> Result<Mlp> {
        self.check_num_parameters(input_size, num_classes)?;
        let sizes = self.sizes(input_size, num_classes);
        let layers = sizes
            .windows(2)
            .enumerate()
            .map(|(index, pair)| self.layer(index, pair[0], pair[1], seed, device))
            .collect();
        let dropout = Dropout { hidden: self.dropout, input: self.input_dropout };
        Ok(Mlp::new(layers, self.activation, dropout))
    }

    /// Builds the layer at `index`: drawn weights `[inputs, outputs]`, and biases of zero.
    fn layer(&self, index: usize, inputs: usize, outputs: usize, seed: u64, device: &Device) -> Linear {
        let weights = self.initializer.draw(inputs, outputs, seed, index as u64);
        let biases = vec![0.0f32; outputs];
        Linear {
            weight: Param::from_data(TensorData::new(weights, [inputs, outputs]), device),
            bias: Some(Param::from_data(TensorData::new(biases, [outputs]), device)),
        }
    }
}
