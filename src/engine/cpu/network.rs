//! Owns a network's weights as slices, the forward pass over them, and the backward pass through
//! dropout and an activation. Depends on `model`, `buffer`, `activation`, `kernels` and `threads`.
//! Must not know losses, batches or optimizers.

use std::ops::Range;

use burn::nn::Linear;

use crate::data::normalize;
use crate::engine::cpu::activation;
use crate::engine::cpu::buffer::FlexBuffer;
use crate::engine::cpu::kernels::{BlockSparse, Input, TILE_ROWS, forward};
use crate::engine::cpu::threads::pool;
use crate::model::dropout::DropoutMask;
use crate::model::{Activation, Dropout, Mlp};

/// Largest number of images in a chunk. The pre-activations of so many images in one block of
/// neurons fit the first-level cache of a core: with AVX-512, 256 images · 32 neurons · 4 bytes are
/// 32 KiB.
pub(super) const MAX_CHUNK: usize = 256;

/// Layers of a network on the backend flex. They share the memory of its weights.
#[derive(Debug, Clone)]
pub(super) struct CpuNetwork {
    layers: Vec<CpuLinear>,
    activation: Activation,
    dropout: Dropout,
}

/// One dense layer: z = x · W + b.
#[derive(Debug, Clone)]
pub(super) struct CpuLinear {
    /// W, `[inputs, outputs]`.
    weight: FlexBuffer,
    /// b, `[outputs]`.
    bias: FlexBuffer,
}

/// Values of one chunk of a batch that the backward pass needs. Reused from step to step to avoid
/// allocation.
#[derive(Debug, Default)]
pub(super) struct ForwardCache {
    /// Input of the first layer: the scaled pixels, with 0 in place of those that dropout leaves
    /// out.
    pub(super) images: BlockSparse,
    /// Output of each layer before its activation, `[images, outputs]`. The last one holds the
    /// logits.
    pub(super) pre_activations: Vec<Vec<f32>>,
    /// Output of each hidden layer after activation and dropout, `[images, outputs]`.
    pub(super) activations: Vec<Vec<f32>>,
    /// Dropout's factor of each hidden activation, one `[images, outputs]` per hidden layer: 0 or
    /// 1 / (1 − p). Each is empty without dropout.
    pub(super) dropout_mask: Vec<Vec<f32>>,
    /// Bytes of the images with 0 in place of the pixels that dropout leaves out; unused without
    /// dropout.
    masked_pixels: Vec<u8>,
}

impl CpuNetwork {
    /// Views the weights of `model`; none if they are not on flex in single precision, or a layer
    /// has no bias.
    pub(super) fn of(model: &Mlp) -> Option<Self> {
        let layers = model.layers().iter().map(CpuLinear::of).collect::<Option<Vec<_>>>()?;
        (!layers.is_empty()).then_some(Self {
            layers,
            activation: model.activation(),
            dropout: model.dropout(),
        })
    }

    /// Layers, first to last.
    pub(super) fn layers(&self) -> &[CpuLinear] {
        &self.layers
    }

    /// Number of classes.
    pub(super) fn num_classes(&self) -> usize {
        self.layers.last().map_or(0, CpuLinear::num_outputs)
    }

    /// Forward pass in training: writes the values that the backward pass needs into `cache`. Per
    /// layer, z = x · W + b, and the next x is dropout_mask · activation(z).
    ///
    /// `images` are bytes, and `positions` are their positions in the batch. The dropout mask
    /// follows from `dropout_seed` and the positions. Without a seed nothing is left out.
    pub(super) fn forward(
        &self,
        images: &[&[u8]],
        positions: Range<usize>,
        dropout_seed: Option<u64>,
        cache: &mut ForwardCache,
    ) {
        let mask = self.dropout.mask(dropout_seed);
        cache.load_input(images, positions.clone(), mask);
        let ForwardCache { images, pre_activations, activations, dropout_mask, .. } = cache;
        pre_activations.resize(self.layers.len(), Vec::new());
        activations.resize(self.layers.len() - 1, Vec::new());
        dropout_mask.resize(self.layers.len() - 1, Vec::new());
        for (index, layer) in self.layers.iter().enumerate() {
            if let Some(previous) = index.checked_sub(1) {
                activations[previous].clone_from(&pre_activations[previous]);
                activation::forward(self.activation, &mut activations[previous]);
                mask.fill(index, positions.clone(), layer.num_inputs(), &mut dropout_mask[previous]);
                multiply(&mut activations[previous], &dropout_mask[previous]);
            }
            let input = match index.checked_sub(1) {
                None => Input::Images(images),
                Some(previous) => Input::Matrix(&activations[previous]),
            };
            pre_activations[index].resize(images.num_images() * layer.num_outputs(), 0.0);
            forward(input, layer.weight(), layer.bias.values(), &mut pre_activations[index]);
        }
    }

    /// Logits `[images, classes]` of images as bytes, without dropout. All active threads compute
    /// them if `is_parallel`.
    pub(super) fn logits(&self, images: &[&[u8]], is_parallel: bool) -> Vec<f32> {
        let num_partitions = if is_parallel { pool::num_partitions() } else { 1 };
        let len = images.len().div_ceil(num_partitions).clamp(1, MAX_CHUNK);
        pool::par_map(images.chunks(len).collect(), |images| self.logits_of_chunk(images)).concat()
    }

    /// Logits `[images, classes]` of one chunk, computed by this thread.
    fn logits_of_chunk(&self, images: &[&[u8]]) -> Vec<f32> {
        let [first, others @ ..] = self.layers.as_slice() else { return Vec::new() };
        let mut values = if images.len() < TILE_ROWS {
            // The product of block-sparse images loads all weights. The product of single rows
            // skips the weights of pixels that are 0, and is faster for fewer images than a tile
            // has rows.
            let pixels: Vec<f32> =
                images.iter().flat_map(|image| image.iter().map(|&pixel| normalize(pixel))).collect();
            first.forward(Input::Matrix(&pixels), images.len())
        } else {
            first.forward(Input::Images(&BlockSparse::of(images)), images.len())
        };
        for layer in others {
            activation::forward(self.activation, &mut values);
            values = layer.forward(Input::Matrix(&values), images.len());
        }
        values
    }

    /// Backward pass through dropout and activation of hidden layer `index`, in place: turns the
    /// loss's gradient by the inputs of the next layer into that by z: ∂L/∂z = mask · ∂L/∂x ·
    /// activation′(z).
    pub(super) fn activation_backward(&self, index: usize, cache: &ForwardCache, gradients: &mut [f32]) {
        multiply(gradients, &cache.dropout_mask[index]);
        activation::backward(self.activation, &cache.pre_activations[index], gradients);
    }
}

impl ForwardCache {
    /// Loads the input of the first layer: the pixels / 255 that dropout keeps, times 1 / (1 − p).
    /// The bytes are masked before the block-sparse form is made, so that it leaves out these
    /// pixels, too.
    fn load_input(&mut self, images: &[&[u8]], positions: Range<usize>, mask: DropoutMask) {
        let size = images.first().map_or(0, |image| image.len());
        let mut factors = Vec::new();
        mask.fill(0, positions, size, &mut factors);
        if factors.is_empty() {
            return self.images.fill(images, 1.0);
        }
        self.masked_pixels.clear();
        let pixels = images.iter().flat_map(|image| image.iter().copied());
        let masked = pixels.zip(&factors).map(|(pixel, &factor)| if factor == 0.0 { 0 } else { pixel });
        self.masked_pixels.extend(masked);
        let masked: Vec<&[u8]> = self.masked_pixels.chunks(size).collect();
        self.images.fill(&masked, mask.scale(0));
    }
}

/// Multiplies each of `values` by its factor. Without factors the values stay as they are.
fn multiply(values: &mut [f32], factors: &[f32]) {
    values.iter_mut().zip(factors).for_each(|(value, factor)| *value *= factor);
}

impl CpuLinear {
    /// Views one layer; none if it is not on flex in single precision, or has no bias.
    fn of(layer: &Linear) -> Option<Self> {
        let weight = FlexBuffer::of(layer.weight.val()).ok()?;
        let bias = FlexBuffer::of(layer.bias.as_ref()?.val()).ok()?;
        Some(Self { weight, bias })
    }

    /// Number of outputs.
    pub(super) fn num_outputs(&self) -> usize {
        self.bias.values().len()
    }

    /// Number of inputs.
    pub(super) fn num_inputs(&self) -> usize {
        self.weight.values().len() / self.num_outputs()
    }

    /// Weights `[inputs, outputs]`.
    pub(super) fn weight(&self) -> &[f32] {
        self.weight.values()
    }

    /// Pre-activations `[rows, outputs]` of an input of `rows` rows.
    fn forward(&self, input: Input<'_>, rows: usize) -> Vec<f32> {
        let mut out = vec![0.0; rows * self.num_outputs()];
        forward(input, self.weight(), self.bias.values(), &mut out);
        out
    }
}
