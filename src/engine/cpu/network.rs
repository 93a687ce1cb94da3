//! A network in the memory of the CPU, computed without tensors.

use std::ops::Range;

use burn::nn::Linear;

use crate::backend::FlexBuffer;
use crate::engine::cpu::kernels::{BlockSparse, Input, TILE_ROWS, forward};
use crate::engine::cpu::threads::pool;
use crate::model::dropout::DropoutMask;
use crate::model::{Activation, Dropout, Mlp};

/// Images whose sums in a block of neurons stay in a core's first cache.
pub(crate) const MAX_CHUNK: usize = 256;

/// The layers of a network on the backend flex, without a copy of their weights.
#[derive(Debug, Clone)]
pub(crate) struct CpuNetwork {
    layers: Vec<CpuLinear>,
    activation: Activation,
    dropout: Dropout,
}

/// One dense layer.
#[derive(Debug, Clone)]
pub(crate) struct CpuLinear {
    weight: FlexBuffer,
    bias: FlexBuffer,
}

/// What some images of a batch become on their way through a network in training. One that is written again uses its memory
/// again.
#[derive(Debug, Default)]
pub(crate) struct ForwardCache {
    /// The pixels that are not left out.
    pub(crate) images: BlockSparse,
    /// What comes out of each layer, before its activation: `[batch, outputs]`; of the last, the logits.
    pub(crate) sums: Vec<Vec<f32>>,
    /// What comes out of each hidden layer's activation and is not left out, `[batch, outputs]`.
    pub(crate) outputs: Vec<Vec<f32>>,
    /// By what dropout multiplies each hidden layer's outputs, `[batch, outputs]`; empty where nothing is left out.
    pub(crate) factors: Vec<Vec<f32>>,
    /// The images without the pixels that are left out.
    remains: Vec<u8>,
}

impl CpuNetwork {
    /// `model`, where it is on flex.
    pub(crate) fn of(model: &Mlp) -> Option<Self> {
        let layers = model.layers().iter().map(CpuLinear::of).collect::<Option<Vec<_>>>()?;
        (!layers.is_empty()).then_some(Self {
            layers,
            activation: model.activation(),
            dropout: model.dropout(),
        })
    }

    /// The layers, first to last.
    pub(crate) fn layers(&self) -> &[CpuLinear] {
        &self.layers
    }

    /// Classes.
    pub(crate) fn outputs(&self) -> usize {
        self.layers.last().map_or(0, CpuLinear::outputs)
    }

    /// Writes into `passage` what images as bytes become in each layer. They are at these places of a batch, and what a step of
    /// this seed leaves out is left out.
    pub(crate) fn pass(
        &self,
        images: &[&[u8]],
        places: Range<usize>,
        dropout_seed: Option<u64>,
        passage: &mut ForwardCache,
    ) {
        let masks = self.dropout.masks(dropout_seed);
        passage.enter(images, places.clone(), masks);
        let ForwardCache { images, sums, outputs, factors, .. } = passage;
        sums.resize(self.layers.len(), Vec::new());
        outputs.resize(self.layers.len() - 1, Vec::new());
        factors.resize(self.layers.len() - 1, Vec::new());
        for (index, layer) in self.layers.iter().enumerate() {
            if let Some(before) = index.checked_sub(1) {
                outputs[before].clone_from(&sums[before]);
                self.activate(&mut outputs[before]);
                masks.fill(index, places.clone(), layer.inputs(), &mut factors[before]);
                multiply(&mut outputs[before], &factors[before]);
            }
            let input =
                index.checked_sub(1).map_or(Input::Images(images), |before| Input::Matrix(&outputs[before]));
            sums[index].resize(images.num_images() * layer.outputs(), 0.0);
            forward(input, layer.weight(), layer.bias.values(), &mut sums[index]);
        }
    }

    /// The logits `[images, classes]` of images as bytes, computed by all cores that are awake if `shares`.
    pub(crate) fn logits(&self, images: &[&[u8]], shares: bool) -> Vec<f32> {
        let num_parts = if shares { pool::num_partitions() } else { 1 };
        let len = images.len().div_ceil(num_parts).clamp(1, MAX_CHUNK);
        let parts = pool::par_map(images.chunks(len).collect(), |images| self.logits_of_part(images));
        parts.concat()
    }

    fn logits_of_part(&self, images: &[&[u8]]) -> Vec<f32> {
        let [first, others @ ..] = self.layers.as_slice() else { return Vec::new() };
        let mut values = if images.len() < TILE_ROWS {
            // Words of a few images would be read for the sake of single pixels.
            let pixels: Vec<f32> =
                images.iter().flat_map(|image| image.iter().map(|&pixel| f32::from(pixel) / 255.0)).collect();
            first.forward(Input::Matrix(&pixels), images.len())
        } else {
            first.forward(Input::Images(&BlockSparse::of(images)), images.len())
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

    /// Takes the loss's gradient by the outputs of hidden layer `index` to that by its sums, which the activation made them of.
    pub(crate) fn damp(&self, index: usize, passage: &ForwardCache, deltas: &mut [f32]) {
        multiply(deltas, &passage.factors[index]);
        let pairs = deltas.iter_mut().zip(&passage.sums[index]);
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

impl ForwardCache {
    /// Takes in what is not left out of images.
    fn enter(&mut self, images: &[&[u8]], places: Range<usize>, masks: DropoutMask) {
        let size = images.first().map_or(0, |image| image.len());
        let mut factors = Vec::new();
        masks.fill(0, places, size, &mut factors);
        if factors.is_empty() {
            return self.images.fill(images, 1.0);
        }
        self.remains.clear();
        let pixels = images.iter().flat_map(|image| image.iter().copied());
        self.remains
            .extend(pixels.zip(&factors).map(|(pixel, &factor)| if factor == 0.0 { 0 } else { pixel }));
        let remains: Vec<&[u8]> = self.remains.chunks(size).collect();
        self.images.fill(&remains, masks.factor(0));
    }
}

/// Multiplies each of `values` with its factor, where there are any.
fn multiply(values: &mut [f32], factors: &[f32]) {
    values.iter_mut().zip(factors).for_each(|(value, factor)| *value *= factor);
}

impl CpuLinear {
    fn of(layer: &Linear) -> Option<Self> {
        let weight = FlexBuffer::of(layer.weight.val()).ok()?;
        let bias = FlexBuffer::of(layer.bias.as_ref()?.val()).ok()?;
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
