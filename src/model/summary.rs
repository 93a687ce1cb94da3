//! What a network is made of, without building it: each layer's shape, weights and arithmetic.

use serde::Serialize;

use crate::model::MlpConfig;

/// One layer of a network.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerSummary {
    /// What it is.
    pub kind: LayerKind,
    /// The shape of what one image becomes in it, such as `[28, 28]` or `[10]`.
    pub output_shape: Vec<usize>,
    /// Its numbers that training changes.
    pub num_parameters: usize,
    /// Floating-point operations for one image on the way forward; none where they are not counted: see
    /// [`MlpConfig::layers`].
    pub flops: Option<usize>,
}

/// What a layer does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "lowercase", tag = "name")]
pub enum LayerKind {
    /// The image itself.
    Input,
    /// Rows of pixels, one behind the other.
    Flatten,
    /// Every output is a weighted sum of all inputs, and a bias.
    Linear {
        /// Numbers in.
        inputs: usize,
        /// Numbers out: neurons.
        outputs: usize,
    },
    /// A function of each number.
    Activation(crate::model::Activation),
    /// Leaves numbers out while training.
    Dropout {
        /// How likely each is to be left out.
        probability: f64,
    },
    /// Logits become probabilities.
    Softmax,
}

impl MlpConfig {
    /// The layers of this network over images of `height` × `width` pixels in `num_classes` classes, input first.
    ///
    /// Operations are a multiplication and an addition for each entry of the weight matrices. Biases, activations and
    /// softmax, a few for each neuron, are not counted, as usual.
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
mod tests {
    use super::*;
    use crate::model::Activation;

    #[test]
    fn the_softmax_network_by_hand() {
        let layers = MlpConfig::default().layers(28, 28, 10);
        let kinds: Vec<_> = layers.iter().map(|layer| layer.kind).collect();
        let linear = LayerKind::Linear { inputs: 784, outputs: 10 };
        assert_eq!(kinds, [LayerKind::Input, LayerKind::Flatten, linear, LayerKind::Softmax]);
        // 784·10 weights and 10 biases; two operations for each weight.
        assert_eq!((layers[2].num_parameters, layers[2].flops), (7850, Some(15_680)));
        let shapes: Vec<_> = layers.iter().map(|layer| &layer.output_shape[..]).collect();
        assert_eq!(shapes, [&[28, 28][..], &[784], &[10], &[10]]);
    }

    #[test]
    fn hidden_layers_by_hand() {
        let config = MlpConfig { hidden: vec![5, 4], dropout: 0.1, ..MlpConfig::default() };
        let layers = config.layers(2, 3, 7);
        let parameters: Vec<_> = layers.iter().map(|layer| layer.num_parameters).collect();
        // 6·5 + 5, 5·4 + 4, 4·7 + 7.
        assert_eq!(parameters, [0, 0, 35, 0, 0, 24, 0, 0, 35, 0]);
        assert_eq!(layers[3].kind, LayerKind::Activation(Activation::Relu));
        assert_eq!(
            (layers[4].kind, &layers[4].output_shape[..]),
            (LayerKind::Dropout { probability: 0.1 }, &[5][..])
        );
        assert_eq!(layers.iter().filter_map(|layer| layer.flops).sum::<usize>(), 2 * (30 + 20 + 28));
    }
}
