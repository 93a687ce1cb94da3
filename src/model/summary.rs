//! Owns the summary of a network's layers: shape, number of parameters and floating-point
//! operations of each. It is computed from the `[model]` section. Must not build the network.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::model::{Activation, MlpConfig};

/// Summary of one layer of a network.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerSummary {
    /// Kind of the layer.
    pub kind: LayerKind,
    /// Shape of the layer's output for one image, such as `[28, 28]` or `[10]`.
    pub output_shape: Vec<usize>,
    /// Number of parameters: weights and biases.
    pub num_parameters: usize,
    /// Number of floating-point operations per image in the forward pass. `None` if they are not
    /// counted. See [`MlpConfig::layers`].
    pub flops: Option<usize>,
}

/// Kind of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "lowercase", tag = "name")]
pub enum LayerKind {
    /// The image, `[height, width]`.
    Input,
    /// The rows of pixels, joined to one row, `[height * width]`.
    Flatten,
    /// A dense layer: each output is a weighted sum of all inputs, plus a bias.
    Linear {
        /// Number of inputs.
        inputs: usize,
        /// Number of outputs, which is the number of neurons.
        outputs: usize,
    },
    /// A function that is applied to each value.
    #[serde(serialize_with = "activation_entry")]
    Activation(Activation),
    /// Dropout: training leaves out values at random.
    Dropout {
        /// Probability, in [0, 1), that a value is left out.
        probability: f64,
    },
    /// The softmax, which turns logits into probabilities.
    Softmax,
}

/// Serializes an activation as an entry beside the layer's name: `"relu": null`, or
/// `"leaky-relu": 0.01` with its slope.
fn activation_entry<S: Serializer>(activation: &Activation, serializer: S) -> Result<S::Ok, S::Error> {
    let slope = match activation {
        Activation::LeakyRelu { slope } => Some(slope),
        _ => None,
    };
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(activation.key(), &slope)?;
    map.end()
}

impl MlpConfig {
    /// Returns the summaries of all layers, input first, for images of `height` × `width` pixels in
    /// `num_classes` classes.
    ///
    /// The floating-point operations are one multiplication and one addition per weight. Biases,
    /// activations and the softmax are not counted, as usual: they take a few operations per
    /// neuron.
    pub fn layers(&self, height: usize, width: usize, num_classes: usize) -> Vec<LayerSummary> {
        let plain = |kind, output_shape: &[usize]| LayerSummary {
            kind,
            output_shape: output_shape.to_vec(),
            num_parameters: 0,
            flops: None,
        };
        let sizes = self.sizes(height * width, num_classes);
        let mut layers =
            vec![plain(LayerKind::Input, &[height, width]), plain(LayerKind::Flatten, &[height * width])];
        for (index, pair) in sizes.windows(2).enumerate() {
            let (inputs, outputs) = (pair[0], pair[1]);
            if index > 0 {
                layers.push(plain(LayerKind::Activation(self.activation), &[inputs]));
            }
            let dropout = if index > 0 { self.dropout } else { self.input_dropout };
            if dropout > 0.0 {
                layers.push(plain(LayerKind::Dropout { probability: dropout }, &[inputs]));
            }
            layers.push(LayerSummary {
                kind: LayerKind::Linear { inputs, outputs },
                output_shape: vec![outputs],
                num_parameters: inputs * outputs + outputs,
                flops: Some(2 * inputs * outputs),
            });
        }
        layers.push(plain(LayerKind::Softmax, &[num_classes]));
        layers
    }
}

#[cfg(test)]
mod tests;
