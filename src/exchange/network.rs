//! Owns a dense network as numbers in the memory of the CPU: what all file formats have in common.
//! Depends on `model`. Must not know file formats.

use burn::module::Param;
use burn::nn::Linear;
use burn::tensor::{Device, TensorData};

use crate::error::{Error, Result};
use crate::exchange::ModelMetadata;
use crate::model::{Activation, Dropout, Mlp, MlpConfig, read_tensor};

/// One fully connected layer.
#[derive(Debug, Clone, PartialEq)]
pub struct DenseLayer {
    /// Name of the layer in its file, for messages.
    pub name: String,
    /// Number of inputs.
    pub inputs: usize,
    /// Number of outputs.
    pub outputs: usize,
    /// Weights `[inputs, outputs]`, row-major.
    pub weights: Vec<f32>,
    /// Bias of each output.
    pub biases: Vec<f32>,
}

/// Flatten → Linear → activation → … → Linear: the logits of an image whose pixels are in [0, 1].
#[derive(Debug, Clone, PartialEq)]
pub struct DenseNetwork {
    /// Layers, first to last.
    pub layers: Vec<DenseLayer>,
    /// Activation after each hidden layer. `None` if there is no hidden layer, or if the file does
    /// not say it, as a state dictionary.
    pub activation: Option<Activation>,
    /// Facts that the file states beside the numbers.
    pub metadata: ModelMetadata,
}

impl DenseLayer {
    /// Checks that the layer has as many weights and biases as it has inputs and outputs.
    fn check(&self) -> Result<()> {
        let Self { name, inputs, outputs, weights, biases } = self;
        if *inputs == 0 || *outputs == 0 {
            return Err(Error::corrupt(format!(
                "the layer `{name}` has {inputs} inputs and {outputs} outputs, expected at least 1 of each"
            )));
        }
        if inputs.checked_mul(*outputs) != Some(weights.len()) || biases.len() != *outputs {
            return Err(Error::corrupt(format!(
                "the layer `{name}` has {} weights and {} biases, expected {inputs} × {outputs} and {outputs}",
                weights.len(),
                biases.len()
            )));
        }
        match weights.iter().chain(biases).find(|number| !number.is_finite()) {
            None => Ok(()),
            Some(number) => {
                Err(Error::corrupt(format!("the layer `{name}` has the weight {number}, expected numbers")))
            }
        }
    }

    fn to_linear(&self, device: &Device) -> Linear {
        let weights = TensorData::new(self.weights.clone(), [self.inputs, self.outputs]);
        let biases = TensorData::new(self.biases.clone(), [self.outputs]);
        Linear { weight: Param::from_data(weights, device), bias: Some(Param::from_data(biases, device)) }
    }
}

impl DenseNetwork {
    /// Reads the numbers of `model`. The layers get the names `layers.0`, `layers.1` and so on, as
    /// in Burn's records.
    ///
    /// # Errors
    /// A device that fails.
    pub fn of_model(model: &Mlp, metadata: ModelMetadata) -> Result<Self> {
        let layers = model.layers().iter().enumerate().map(|(index, layer)| read_layer(index, layer));
        let layers = layers.collect::<Result<Vec<_>>>()?;
        let activation = (layers.len() > 1).then_some(model.activation());
        Ok(Self { layers, activation, metadata })
    }

    /// Number of pixels that the first layer takes. 0 without layers.
    pub fn num_inputs(&self) -> usize {
        self.layers.first().map_or(0, |layer| layer.inputs)
    }

    /// Number of logits. 0 without layers.
    pub fn num_classes(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.outputs)
    }

    /// Widths of the hidden layers, first to last.
    pub fn hidden(&self) -> Vec<usize> {
        let num_hidden = self.layers.len().saturating_sub(1);
        self.layers.iter().take(num_hidden).map(|layer| layer.outputs).collect()
    }

    /// The metadata for a format whose weights do not show the activation: with the network's own.
    pub(crate) fn metadata_with_activation(&self) -> ModelMetadata {
        ModelMetadata { activation: self.activation, ..self.metadata.clone() }
    }

    /// Checks everything that an untrusted file can get wrong: the sizes of the layers, the numbers,
    /// and the limits of an experiment's network.
    ///
    /// # Errors
    /// A network without layers, layers that do not follow one another, as many numbers as no such
    /// layer has, numbers that are not finite, or a network that is too large.
    pub fn check(&self) -> Result<()> {
        if self.layers.is_empty() {
            return Err(Error::corrupt("the file has no fully connected layer".to_owned()));
        }
        self.layers.iter().try_for_each(DenseLayer::check)?;
        for (layer, next) in self.layers.iter().zip(self.layers.iter().skip(1)) {
            if layer.outputs != next.inputs {
                return Err(Error::corrupt(format!(
                    "the layer `{}` has {} inputs, and the layer before it, `{}`, has {} outputs",
                    next.name, next.inputs, layer.name, layer.outputs
                )));
            }
        }
        let config = self.model_config();
        config.check()?;
        config.check_num_parameters(self.num_inputs(), self.num_classes())
    }

    /// Returns the `[model]` section of an experiment that has this network. Without a known
    /// activation, it has the default one.
    pub fn model_config(&self) -> MlpConfig {
        let activation = self.activation.unwrap_or(MlpConfig::default().activation);
        MlpConfig { hidden: self.hidden(), activation, ..MlpConfig::default() }
    }

    /// Changes the first layer so that it takes pixels x where it took `factor` · x + `offset`.
    /// `factors` and `offsets` have one number per pixel.
    ///
    /// The result is computed in double precision and rounded once.
    pub fn fold_scaling(&mut self, factors: &[f64], offsets: &[f64]) {
        let Some(DenseLayer { outputs, weights, biases, .. }) = self.layers.first_mut() else { return };
        let mut sums: Vec<f64> = biases.iter().map(|&bias| f64::from(bias)).collect();
        let scaling = factors.iter().zip(offsets);
        for (row, (factor, offset)) in weights.chunks_exact_mut((*outputs).max(1)).zip(scaling) {
            for (weight, sum) in row.iter_mut().zip(&mut sums) {
                *sum += f64::from(*weight) * offset;
                *weight = (f64::from(*weight) * factor) as f32;
            }
        }
        biases.iter_mut().zip(sums).for_each(|(bias, sum)| *bias = sum as f32);
    }

    /// Builds the network on `device`, with its default engine.
    ///
    /// # Errors
    /// As [`DenseNetwork::check`]'s, or a hidden layer without a known activation.
    pub fn to_model(&self, device: &Device) -> Result<Mlp> {
        self.check()?;
        let config = self.model_config();
        if !config.hidden.is_empty() && self.activation.is_none() {
            return Err(Error::new("the activation of the hidden layers is not known".to_owned()));
        }
        let layers = self.layers.iter().map(|layer| layer.to_linear(device)).collect();
        Ok(Mlp::new(layers, config.activation, Dropout::default()))
    }
}

/// Reads the layer at `index` of a network.
fn read_layer(index: usize, layer: &Linear) -> Result<DenseLayer> {
    let [inputs, outputs] = layer.weight.dims();
    let weights = read_tensor(layer.weight.val())?;
    let biases = match &layer.bias {
        Some(bias) => read_tensor(bias.val())?,
        None => vec![0.0; outputs],
    };
    Ok(DenseLayer { name: format!("layers.{index}"), inputs, outputs, weights, biases })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use burn::tensor::Tensor;

    use super::*;

    fn layer(inputs: usize, outputs: usize, weights: &[f32], biases: &[f32]) -> DenseLayer {
        let name = format!("dense_{inputs}");
        DenseLayer { name, inputs, outputs, weights: weights.to_vec(), biases: biases.to_vec() }
    }

    fn network(layers: Vec<DenseLayer>) -> DenseNetwork {
        DenseNetwork { layers, activation: Some(Activation::Relu), metadata: ModelMetadata::default() }
    }

    /// Two pixels, two hidden neurons, one class.
    fn small() -> DenseNetwork {
        network(vec![layer(2, 2, &[2.0, -1.0, 0.0, 1.0], &[0.5, 0.0]), layer(2, 1, &[3.0, 100.0], &[1.0])])
    }

    #[test]
    fn numbers_become_a_network_and_come_back() {
        let device = Device::flex();
        let model = small().to_model(&device).unwrap();
        // Hidden: 1·2 + ½·0 + ½ = 2½, and ReLU(−1 + ½) = 0. The logit is 2½ · 3 + 1 = 8½.
        let image = Tensor::<3>::from_data([[[1.0, 0.5]]], &device);
        assert_eq!(model.forward(image).into_data().iter::<f32>().collect::<Vec<_>>(), [8.5]);
        let read = DenseNetwork::of_model(&model, ModelMetadata::default()).unwrap();
        assert_eq!(read.layers[1].name, "layers.1");
        assert_eq!((read.num_inputs(), read.hidden(), read.num_classes()), (2, vec![2], 1));
        assert_eq!(read.layers[0].weights, small().layers[0].weights);
        assert_eq!(read.layers[1].biases, [1.0]);
    }

    /// The pixels become 2x − 1 and x + 4: the weights 2 and −1 of the first pixel become 4 and −2,
    /// and the biases ½ and 0 become ½ − 2 + 0·4 and 0 + 1 + 1·4.
    #[test]
    fn a_scaling_is_folded_into_the_first_layer() {
        let mut network = small();
        network.fold_scaling(&[2.0, 1.0], &[-1.0, 4.0]);
        assert_eq!(network.layers[0].weights, [4.0, -2.0, 0.0, 1.0]);
        assert_eq!(network.layers[0].biases, [-1.5, 5.0]);
        assert_eq!(network.layers[1], small().layers[1]);
    }

    #[test]
    fn impossible_networks_are_refused() {
        let message = |layers| network(layers).check().unwrap_err().message().to_owned();
        assert_eq!(message(vec![]), "the file has no fully connected layer");
        assert_eq!(
            message(vec![layer(2, 2, &[0.0; 4], &[0.0; 2]), layer(3, 1, &[0.0; 3], &[0.0])]),
            "the layer `dense_3` has 3 inputs, and the layer before it, `dense_2`, has 2 outputs"
        );
        assert_eq!(
            message(vec![layer(2, 2, &[0.0; 3], &[0.0; 2])]),
            "the layer `dense_2` has 3 weights and 2 biases, expected 2 × 2 and 2"
        );
        assert_eq!(
            message(vec![layer(0, 2, &[], &[0.0; 2])]),
            "the layer `dense_0` has 0 inputs and 2 outputs, expected at least 1 of each"
        );
        assert_eq!(
            message(vec![layer(1, 1, &[f32::NAN], &[0.0])]),
            "the layer `dense_1` has the weight NaN, expected numbers"
        );
        let mut unknown = small();
        unknown.activation = None;
        let error = unknown.to_model(&Device::flex()).unwrap_err();
        assert_eq!(error.message(), "the activation of the hidden layers is not known");
    }
}
