//! The weights of all networks of a stack, and the way forward through them.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};

use crate::model::Activation;
use crate::training::vectorized::ModelGroup;

/// The sizes of a stack. Networks are counted stream by stream.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    /// Sets of batches.
    pub(crate) streams: usize,
    /// Networks in each.
    pub(crate) members: usize,
    /// Each network's layers, from pixels to classes.
    pub(crate) sizes: Vec<usize>,
}

impl Shape {
    pub(crate) fn num_pixels(&self) -> usize {
        self.sizes.first().copied().unwrap_or(0)
    }

    pub(crate) fn num_classes(&self) -> usize {
        self.sizes.last().copied().unwrap_or(0)
    }

    /// [`Shape::beside`] each of the layers.
    pub(crate) fn beside_layers(&self, values: &[f64], device: &Device) -> Vec<Tensor<3>> {
        (0..self.sizes.len() - 1).map(|index| self.beside(values, index, device)).collect()
    }

    /// What a value for each network becomes beside the weights of layer `index`: `[streams, 1, members · width]` for
    /// the first layer, `[networks, 1, 1]` for all others.
    fn beside(&self, values: &[f64], index: usize, device: &Device) -> Tensor<3> {
        let values = values.iter().map(|&value| value as f32);
        if index > 0 {
            let shape = [self.streams * self.members, 1, 1];
            return Tensor::from_data(TensorData::new(values.collect(), shape), device);
        }
        let width = self.sizes[1];
        let repeated = values.flat_map(|value| std::iter::repeat_n(value, width)).collect();
        Tensor::from_data(TensorData::new(repeated, [self.streams, 1, self.members * width]), device)
    }
}

/// The weights of all networks.
#[derive(Module, Debug)]
pub(crate) struct Layers {
    /// The first `[streams, pixels, members · width]`, all others `[networks, inputs, outputs]`.
    weights: Vec<Param<Tensor<3>>>,
    /// The first `[streams, 1, members · width]`, all others `[networks, 1, outputs]`.
    biases: Vec<Param<Tensor<3>>>,
    #[module(skip)]
    activation: Activation,
}

impl Layers {
    /// The networks with the initial weights that each would have alone.
    pub(crate) fn init(
        streams: &[ModelGroup<'_>],
        shape: &Shape,
        activation: Activation,
        device: &Device,
    ) -> Self {
        let (mut weights, mut biases) = (Vec::new(), Vec::new());
        for (index, pair) in shape.sizes.windows(2).enumerate() {
            let (inputs, outputs) = (pair[0], pair[1]);
            let mut values: Vec<f32> = Vec::with_capacity(shape.streams * shape.members * inputs * outputs);
            for stream in streams {
                let drawn = stream
                    .members
                    .iter()
                    .map(|member| member.model.initializer.draw(inputs, outputs, stream.seed, index as u64));
                let drawn: Vec<_> = drawn.collect();
                match index {
                    0 => (0..inputs).for_each(|row| {
                        let row = row * outputs..(row + 1) * outputs;
                        drawn.iter().for_each(|weights| values.extend(&weights[row.clone()]));
                    }),
                    _ => drawn.iter().for_each(|weights| values.extend(weights)),
                }
            }
            let (count, width) = match index {
                0 => (shape.streams, shape.members * outputs),
                _ => (shape.streams * shape.members, outputs),
            };
            weights.push(Param::from_data(TensorData::new(values, [count, inputs, width]), device));
            biases.push(Param::from_tensor(Tensor::zeros([count, 1, width], device)));
        }
        Self { weights, biases, activation }
    }

    /// All tensors, each with the index of its layer.
    pub(crate) fn params(&self) -> impl Iterator<Item = (usize, &Param<Tensor<3>>)> {
        self.weights.iter().enumerate().chain(self.biases.iter().enumerate())
    }

    /// Replaces every tensor, given with the index of its layer.
    pub(crate) fn change(&mut self, mut change: impl FnMut(usize, Param<Tensor<3>>) -> Param<Tensor<3>>) {
        for params in [&mut self.weights, &mut self.biases] {
            let taken = std::mem::take(params).into_iter().enumerate();
            *params = taken.map(|(index, param)| change(index, param)).collect();
        }
    }

    /// Logits `[networks, batch, classes]` of images `[streams, batch, pixels]`.
    pub(crate) fn forward(&self, images: Tensor<3>, shape: &Shape) -> Tensor<3> {
        let [streams, batch, _] = images.dims();
        let mut x = images;
        for (index, (weight, bias)) in self.weights.iter().zip(&self.biases).enumerate() {
            if index > 0 {
                x = self.activation.apply(x);
            }
            x = x.matmul(weight.val()) + bias.val();
            if index == 0 {
                x = x.reshape([streams, batch, shape.members, shape.sizes[1]]).swap_dims(1, 2).reshape([
                    streams * shape.members,
                    batch,
                    shape.sizes[1],
                ]);
            }
        }
        x
    }
}
