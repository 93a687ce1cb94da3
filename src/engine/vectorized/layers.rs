//! Owns the weights of all networks of a model batch as tensors, and the forward pass through them.
//! Depends on `model` and on the shapes in the parent module. Must not know losses, optimizers or
//! studies.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};

use crate::engine::model_batch::{ModelBatchConfig, Shape};
use crate::model::Activation;

/// Weights and biases of all networks.
#[derive(Module, Debug)]
pub(super) struct Layers {
    /// First layer `[groups, pixels, group_size · width]`, all others `[models, inputs, outputs]`.
    weights: Vec<Param<Tensor<3>>>,
    /// First layer `[groups, 1, group_size · width]`, all others `[models, 1, outputs]`.
    biases: Vec<Param<Tensor<3>>>,
    #[module(skip)]
    activation: Activation,
}

impl Layers {
    /// Draws the initial weights that each network would have by itself. Biases start at 0.
    pub(super) fn new(config: &ModelBatchConfig<'_>, device: &Device) -> Self {
        let shape = &config.shape;
        let (mut weights, mut biases) = (Vec::new(), Vec::new());
        for (index, pair) in shape.sizes.windows(2).enumerate() {
            let (inputs, outputs) = (pair[0], pair[1]);
            let (count, width) = match index {
                0 => (shape.num_groups, shape.group_size * outputs),
                _ => (shape.num_models(), outputs),
            };
            let values = config.initial_weights(index);
            weights.push(Param::from_data(TensorData::new(values, [count, inputs, width]), device));
            biases.push(Param::from_tensor(Tensor::zeros([count, 1, width], device)));
        }
        Self { weights, biases, activation: config.activation }
    }

    /// All weights and biases, each with the index of its layer.
    pub(super) fn params(&self) -> impl Iterator<Item = (usize, &Param<Tensor<3>>)> {
        self.weights.iter().enumerate().chain(self.biases.iter().enumerate())
    }

    /// Replaces every tensor by the result of `change`, which receives the tensor and the index of
    /// its layer.
    pub(super) fn change(&mut self, mut change: impl FnMut(usize, Param<Tensor<3>>) -> Param<Tensor<3>>) {
        for params in [&mut self.weights, &mut self.biases] {
            let taken = std::mem::take(params).into_iter().enumerate();
            *params = taken.map(|(index, param)| change(index, param)).collect();
        }
    }

    /// Logits `[models, batch, classes]` of images `[groups, batch, pixels]`.
    pub(super) fn forward(&self, images: Tensor<3>, shape: &Shape) -> Tensor<3> {
        let [groups, batch, _] = images.dims();
        let mut x = images;
        for (index, (weight, bias)) in self.weights.iter().zip(&self.biases).enumerate() {
            if index > 0 {
                x = self.activation.apply(x);
            }
            x = x.matmul(weight.val()) + bias.val();
            if index == 0 {
                // From [groups, batch, group_size · width] to [models, batch, width].
                let width = shape.sizes[1];
                x = (x.reshape([groups, batch, shape.group_size, width]).swap_dims(1, 2)).reshape([
                    groups * shape.group_size,
                    batch,
                    width,
                ]);
            }
        }
        x
    }
}

/// Broadcasts a value per network to the shape of the weights of every layer.
pub(super) fn broadcast_per_layer(values: &[f64], shape: &Shape, device: &Device) -> Vec<Tensor<3>> {
    (0..shape.sizes.len() - 1).map(|index| broadcast(values, shape, index, device)).collect()
}

/// Broadcasts a value per network to the shape of the weights of layer `index`:
/// `[groups, 1, group_size · width]` for the first layer, `[models, 1, 1]` for all others.
fn broadcast(values: &[f64], shape: &Shape, index: usize, device: &Device) -> Tensor<3> {
    let values = values.iter().map(|&value| value as f32);
    if index > 0 {
        return Tensor::from_data(TensorData::new(values.collect(), [shape.num_models(), 1, 1]), device);
    }
    let width = shape.sizes[1];
    let repeated = values.flat_map(|value| std::iter::repeat_n(value, width)).collect();
    Tensor::from_data(TensorData::new(repeated, [shape.num_groups, 1, shape.group_size * width]), device)
}
