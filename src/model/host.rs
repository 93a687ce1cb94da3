//! A network in the memory of the CPU, computed without tensors.

use burn::nn::Linear;

use super::{Activation, Mlp};
use crate::backend::HostTensor;
use crate::kernels::{Input, Words, forward};

/// The layers of a network on the backend flex, without a copy of their weights.
#[derive(Debug, Clone)]
pub(crate) struct HostMlp {
    layers: Vec<HostLayer>,
    activation: Activation,
}

/// One dense layer.
#[derive(Debug, Clone)]
pub(crate) struct HostLayer {
    weight: HostTensor,
    bias: HostTensor,
}

/// What images become on their way through a network.
#[derive(Debug, Default)]
pub(crate) struct Passage {
    /// What comes out of each layer, before its activation: `[batch, outputs]`; of the last, the logits.
    pub(crate) sums: Vec<Vec<f32>>,
    /// What comes out of each hidden layer's activation, `[batch, outputs]`.
    pub(crate) outputs: Vec<Vec<f32>>,
}

impl HostMlp {
    /// `model`, where it is on flex. Nothing is left out at random.
    pub(crate) fn of(model: &Mlp) -> Option<Self> {
        let layers = model.layers().iter().map(HostLayer::of).collect::<Option<Vec<_>>>()?;
        (!layers.is_empty()).then_some(Self { layers, activation: model.activation() })
    }

    /// The layers, first to last.
    pub(crate) fn layers(&self) -> &[HostLayer] {
        &self.layers
    }

    /// Classes.
    pub(crate) fn outputs(&self) -> usize {
        self.layers.last().map_or(0, HostLayer::outputs)
    }

    /// Weights and biases.
    pub(crate) fn num_weights(&self) -> usize {
        self.layers.iter().map(|layer| (layer.inputs() + 1) * layer.outputs()).sum()
    }

    /// What `images`, pixels in [0, 1], become in each layer.
    pub(crate) fn pass(&self, images: &Words) -> Passage {
        let mut passage = Passage::default();
        for layer in &self.layers {
            if let Some(sums) = passage.sums.last() {
                let mut outputs = sums.clone();
                self.activate(&mut outputs);
                passage.outputs.push(outputs);
            }
            let input = passage.outputs.last().map_or(Input::Images(images), |outputs| Input::Matrix(outputs));
            passage.sums.push(layer.forward(input, images.num_images()));
        }
        passage
    }

    /// The logits `[batch, classes]` of `images`, pixels in [0, 1].
    pub(crate) fn logits(&self, images: &Words) -> Vec<f32> {
        let mut values = Vec::new();
        for (index, layer) in self.layers.iter().enumerate() {
            let input = if index == 0 {
                Input::Images(images)
            } else {
                self.activate(&mut values);
                Input::Matrix(&values)
            };
            values = layer.forward(input, images.num_images());
        }
        values
    }

    fn activate(&self, values: &mut [f32]) {
        match self.activation {
            // Not a function called for each number: vector instructions do many at once.
            Activation::Relu => values.iter_mut().for_each(|x| *x = if *x < 0.0 { 0.0 } else { *x }),
            other => {
                let function = other.function();
                values.iter_mut().for_each(|x| *x = function(*x));
            }
        }
    }

    /// Takes the loss's gradient by a hidden layer's outputs to that by its `sums`, which the activation made them of.
    pub(crate) fn damp(&self, sums: &[f32], deltas: &mut [f32]) {
        let pairs = deltas.iter_mut().zip(sums);
        match self.activation {
            Activation::Relu => pairs.for_each(|(delta, &sum)| *delta = if sum <= 0.0 { 0.0 } else { *delta }),
            other => {
                let derivative = other.derivative();
                pairs.for_each(|(delta, &sum)| *delta *= derivative(sum));
            }
        }
    }
}

impl HostLayer {
    fn of(layer: &Linear) -> Option<Self> {
        let weight = HostTensor::of(layer.weight.val()).ok()?;
        let bias = HostTensor::of(layer.bias.as_ref()?.val()).ok()?;
        Some(Self { weight, bias })
    }

    /// Numbers out.
    pub(crate) fn outputs(&self) -> usize {
        self.bias.values().len()
    }

    /// Numbers in.
    pub(crate) fn inputs(&self) -> usize {
        self.weight.values().len() / self.outputs()
    }

    /// `[inputs, outputs]`.
    pub(crate) fn weight(&self) -> &[f32] {
        self.weight.values()
    }

    fn forward(&self, input: Input<'_>, rows: usize) -> Vec<f32> {
        let mut out = vec![0.0; rows * self.outputs()];
        forward(input, self.weight(), self.bias.values(), &mut out);
        out
    }
}
