//! Owns the network as a Burn module, and its forward pass with Burn's tensors. Depends on
//! `backend`. Must not know how `engine::cpu` computes the same pass.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::{Device, Tensor, TensorData, activation::softmax};

use crate::backend::Engine;
use crate::error::{Error, Result};
use crate::model::{Activation, Dropout};

/// Parameters of one layer in the memory of the CPU, neuron by neuron.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerWeights {
    /// Weights of each neuron, one per input.
    pub weights: Vec<Vec<f32>>,
    /// Bias of each neuron.
    pub biases: Vec<f32>,
}

impl LayerWeights {
    /// L2 norm of the weights of the neuron at the index `neuron`, which must exist.
    pub fn norm(&self, neuron: usize) -> f64 {
        self.weights[neuron].iter().map(|&weight| f64::from(weight).powi(2)).sum::<f64>().sqrt()
    }

    /// Indices of the neurons in display order. Neurons of classes are in the order of the classes.
    /// Hidden neurons are in descending order of their norm.
    pub fn in_order(&self, are_classes: bool) -> Vec<usize> {
        let mut neurons: Vec<usize> = (0..self.weights.len()).collect();
        if !are_classes {
            let norms: Vec<f64> = neurons.iter().map(|&neuron| self.norm(neuron)).collect();
            neurons.sort_by(|&a, &b| norms[b].total_cmp(&norms[a]));
        }
        neurons
    }

    /// Name of a neuron on screen: `class 3` or `neuron 3`. `classes` has the names of the classes,
    /// and `is_class` is true if the neurons are those of the classes.
    pub fn name(neuron: usize, is_class: bool, classes: &[String]) -> String {
        match classes.get(neuron).filter(|_| is_class) {
            Some(name) => format!("class {name}"),
            None => format!("neuron {neuron}"),
        }
    }
}

/// A dense network over images: Flatten → Linear → … → Linear, with one logit per class.
///
/// [`MlpConfig::init`](crate::model::MlpConfig::init) builds one. It is computed on the device of
/// its tensors.
#[derive(Module, Debug)]
pub struct Mlp {
    layers: Vec<Linear>,
    #[module(skip)]
    activation: Activation,
    #[module(skip)]
    dropout: Dropout,
    #[module(skip)]
    engine: Engine,
}

impl Mlp {
    /// Creates a network of `layers`, each with weights `[inputs, outputs]`. `activation` follows
    /// every layer but the last. The engine is the default of the device that the layers are on.
    pub fn new(layers: Vec<Linear>, activation: Activation, dropout: Dropout) -> Self {
        let engine =
            layers.first().map_or(Engine::Autodiff, |layer| Engine::default_on(&layer.weight.val().device()));
        Self { layers, activation, dropout, engine }
    }

    /// Returns the same network with its passes computed by `engine`.
    pub fn with_engine(self, engine: Engine) -> Self {
        Self { engine, ..self }
    }

    /// Returns this network with the parameters of the first `num_layers` layers of `source`, on
    /// its own device.
    ///
    /// # Errors
    /// Layers of other sizes, or a device that fails.
    pub(crate) fn with_layers_of(mut self, source: &Self, num_layers: usize) -> Result<Self> {
        for (layer, from) in self.layers.iter_mut().zip(&source.layers).take(num_layers) {
            let (size, wanted) = (from.weight.dims(), layer.weight.dims());
            if size != wanted {
                return Err(Error::new(format!("a layer has the size {size:?}, expected {wanted:?}")));
            }
            let device = layer.weight.val().device();
            layer.weight = copy(&from.weight, &device)?;
            layer.bias = from.bias.as_ref().map(|bias| copy(bias, &device)).transpose()?;
        }
        Ok(self)
    }

    /// Returns this network with each parameter replaced by what `combination` makes of it and of the
    /// parameter of `other` in the same place. `other` has the same sizes and may be on the autodiff
    /// device of this network's device.
    pub(crate) fn combine(self, other: &Self, combination: &impl Combination) -> Self {
        let combine = |(layer, other): (Linear, &Linear)| Linear {
            weight: layer.weight.map(|own| combination.combine(own, other.weight.val().inner())),
            bias: layer.bias.map(|own| match &other.bias {
                Some(bias) => own.map(|own| combination.combine(own, bias.val().inner())),
                None => own,
            }),
        };
        let layers = self.layers.into_iter().zip(&other.layers).map(combine).collect();
        Self { layers, ..self }
    }

    /// Engine that computes the network's passes.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Dropout in training steps.
    pub fn dropout(&self) -> Dropout {
        self.dropout
    }

    /// Returns the logits, `[batch, classes]`, of images `[batch, height, width]` with pixels in
    /// [0, 1]. There is no dropout. Burn's tensors compute them, whatever the engine is.
    pub fn forward(&self, images: Tensor<3>) -> Tensor<2> {
        self.forward_train(images, None)
    }

    /// Returns the logits like [`Mlp::forward`], but with the dropout of a training step that has
    /// the seed `dropout_seed`. `None` means no dropout.
    pub(crate) fn forward_train(&self, images: Tensor<3>, dropout_seed: Option<u64>) -> Tensor<2> {
        let mask = self.dropout.mask(dropout_seed);
        let mut x = images.flatten::<2>(1, 2); // [batch, height * width]
        for (index, layer) in self.layers.iter().enumerate() {
            if index > 0 {
                x = self.activation.apply(x);
            }
            x = layer.forward(mask.apply(index, x)); // [batch, outputs]
        }
        x
    }

    /// Returns the class probabilities, `[batch, classes]`, of images `[batch, height, width]`: the
    /// softmax of the logits.
    pub fn probabilities(&self, images: Tensor<3>) -> Tensor<2> {
        softmax(self.forward(images), 1)
    }

    /// Activation after each hidden layer.
    pub fn activation(&self) -> Activation {
        self.activation
    }

    /// Layers, first to last.
    pub fn layers(&self) -> &[Linear] {
        &self.layers
    }

    /// Number of parameters and number of tensors. They limit the size of a record.
    pub(crate) fn record_counts(&self) -> (u64, u64) {
        let tensors = self.layers.iter().map(|layer| 1 + u64::from(layer.bias.is_some())).sum();
        (self.num_params() as u64, tensors)
    }

    /// Reads the parameters of the first layer. Its inputs are the pixels of an image, row by row.
    ///
    /// # Errors
    /// A network without layers, or a device that fails.
    pub fn first_layer(&self) -> Result<LayerWeights> {
        let Some(Linear { weight, bias }) = self.layers.first() else {
            return Err(Error::new("the network has no layer"));
        };
        let columns = read_tensor(weight.val().transpose())?; // [outputs, inputs]
        let [inputs, outputs] = weight.dims();
        let biases = bias.as_ref().map_or(Ok(vec![0.0; outputs]), |bias| read_tensor(bias.val()))?;
        Ok(LayerWeights { weights: columns.chunks(inputs).map(<[f32]>::to_vec).collect(), biases })
    }
}

/// Function of two tensors of one shape, which are the same parameter of two networks. See
/// [`Mlp::combine`].
pub(crate) trait Combination {
    /// Returns the value of the parameter in the new network.
    fn combine<const D: usize>(&self, own: Tensor<D>, other: Tensor<D>) -> Tensor<D>;
}

/// Copies a parameter to `device`. The copy is a parameter of its own.
fn copy<const D: usize>(parameter: &Param<Tensor<D>>, device: &Device) -> Result<Param<Tensor<D>>> {
    let values = TensorData::new(read_tensor(parameter.val())?, parameter.dims());
    Ok(Param::from_data(values, device))
}

/// Copies the values of `tensor` from its device, row-major.
pub(crate) fn read_tensor<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    let data = tensor.try_into_data();
    let data = data.map_err(|error| Error::backend(format!("the weights cannot be read: {error}")))?;
    Ok(data.iter::<f32>().collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
