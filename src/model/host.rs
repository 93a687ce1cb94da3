//! A network in the memory of the CPU, computed without tensors.

use burn::nn::Linear;

use super::{Activation, Mlp};
use crate::backend::HostTensor;
use crate::kernels::{Input, ROWS, Words, forward, team};

/// Images whose sums in a block of neurons stay in a core's first cache.
pub(crate) const MAX_PORTION: usize = 256;

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

/// What images become on their way through a network. One that is written again uses its memory again.
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

    /// Writes into `passage` what `images`, pixels in [0, 1], become in each layer.
    pub(crate) fn pass(&self, images: &Words, passage: &mut Passage) {
        let Passage { sums, outputs } = passage;
        sums.resize(self.layers.len(), Vec::new());
        outputs.resize(self.layers.len() - 1, Vec::new());
        for (index, layer) in self.layers.iter().enumerate() {
            if let Some(before) = index.checked_sub(1) {
                outputs[before].clone_from(&sums[before]);
                self.activate(&mut outputs[before]);
            }
            let input =
                index.checked_sub(1).map_or(Input::Images(images), |before| Input::Matrix(&outputs[before]));
            sums[index].resize(images.num_images() * layer.outputs(), 0.0);
            forward(input, layer.weight(), layer.bias.values(), &mut sums[index]);
        }
    }

    /// The logits `[images, classes]` of images as bytes, computed by all cores that are awake if `shares`.
    pub(crate) fn logits(&self, images: &[&[u8]], shares: bool) -> Vec<f32> {
        let num_parts = if shares { team::size() } else { 1 };
        let len = images.len().div_ceil(num_parts).clamp(1, MAX_PORTION);
        let parts = team::each(images.chunks(len).collect(), |images| self.logits_of_part(images));
        parts.concat()
    }

    fn logits_of_part(&self, images: &[&[u8]]) -> Vec<f32> {
        let [first, others @ ..] = self.layers.as_slice() else { return Vec::new() };
        let mut values = if images.len() < ROWS {
            // Words of a few images would be read for the sake of single pixels.
            let pixels: Vec<f32> =
                images.iter().flat_map(|image| image.iter().map(|&pixel| f32::from(pixel) / 255.0)).collect();
            first.forward(Input::Matrix(&pixels), images.len())
        } else {
            first.forward(Input::Images(&Words::of(images)), images.len())
        };
        for layer in others {
            self.activate(&mut values);
            values = layer.forward(Input::Matrix(&values), images.len());
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
            Activation::Relu => {
                pairs.for_each(|(delta, &sum)| *delta = if sum <= 0.0 { 0.0 } else { *delta })
            }
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
