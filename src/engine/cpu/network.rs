//! Owns a network's weights as slices and in packed form, the forward pass over them, and the backward
//! pass through dropout and an activation. Depends on `model`, `buffer`, `activation`, `smallnet_kernels` and
//! `threads`. Must not know losses, batches or optimizers.

use std::cell::RefCell;
use std::ops::Range;

use burn::nn::Linear;
use smallnet_kernels::{
    AlignedBuffer, BlockSparse, PackFor, PackTask, PackedMatrix, TILE_ROWS, Weights, forward_images,
    forward_rows, multiply, packing_for_images_pays, product,
};

use crate::data::ImagePixels;
use crate::engine::cpu::activation;
use crate::engine::cpu::buffer::FlexBuffer;
use crate::engine::cpu::threads::pool;
use crate::model::{Activation, Dropout, Mlp};

/// Largest number of images in a chunk. The pre-activations of so many images in one block of
/// neurons fit the first-level cache of a core: with AVX-512, 128 images · 64 neurons · 4 bytes are
/// 32 KiB.
pub(super) const MAX_CHUNK: usize = 128;

/// Number of images from which on packing the weights of the first layer pays.
const MIN_PACKED_IMAGES: usize = 32;

/// Number of outputs of the first layer from which on packing its weights pays. Those of fewer fit the
/// first-level cache.
const MIN_PACKED_OUTPUTS: usize = 32;

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
    pub(super) weight: FlexBuffer,
    /// b, `[outputs]`.
    pub(super) bias: FlexBuffer,
}

/// Weights in the order in which the products read them. They are packed once per step.
#[derive(Debug, Default)]
pub(super) struct PackedWeights {
    /// Weights of the first layer, for the forward pass.
    first: PackedMatrix,
    /// Whether `first` is used.
    has_first: bool,
    /// Weights of each layer transposed, for the gradients of the inputs. The first one is empty.
    transposed: Vec<PackedMatrix>,
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
    pub(super) pre_activations: Vec<AlignedBuffer>,
    /// Output of each hidden layer after activation and dropout, `[images, outputs]`.
    pub(super) activations: Vec<AlignedBuffer>,
    /// Dropout's factor of each hidden activation, one `[images, outputs]` per hidden layer: 0 or
    /// 1 / (1 − p). Each is empty without dropout.
    pub(super) dropout_mask: Vec<Vec<f32>>,
    /// Bytes of the images with 0 in place of the pixels that dropout leaves out; unused without
    /// dropout.
    masked_pixels: Vec<u8>,
}

/// Memory of the last forward pass without training, which the next one on the same thread reuses.
#[derive(Default)]
struct Scratch {
    images: BlockSparse,
    input: AlignedBuffer,
    values: AlignedBuffer,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
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

    /// Returns whether to pack the weights of the first layer for `num_images` images: they are more than
    /// the first-level cache holds, and the processor reads them faster then.
    fn packs_first_layer(&self, num_images: usize) -> bool {
        num_images >= MIN_PACKED_IMAGES
            && self.layers[0].num_outputs() >= MIN_PACKED_OUTPUTS
            && packing_for_images_pays()
    }

    /// Number of classes.
    pub(super) fn num_classes(&self) -> usize {
        self.layers.last().map_or(0, CpuLinear::num_outputs)
    }

    /// Pre-activations of the first layer: its outputs `columns` for all `images`, `[images, columns]`.
    pub(super) fn first_layer(
        &self,
        weights: &PackedWeights,
        images: &[&BlockSparse],
        columns: Range<usize>,
        out: &mut [f32],
    ) {
        let layer = &self.layers[0];
        forward_images(images, weights.of_first(layer), layer.bias.values(), columns, out);
    }

    /// Forward pass in training behind the first layer, whose images and pre-activations `cache` has:
    /// writes the values that the backward pass needs. Per layer, the input x is
    /// dropout_mask · activation(z) of the layer before, and z = x · W + b.
    ///
    /// `positions` are those of the images in the batch. The dropout mask follows from `dropout_seed`
    /// and the positions. Without a seed nothing is left out.
    pub(super) fn forward(
        &self,
        positions: Range<usize>,
        dropout_seed: Option<u64>,
        cache: &mut ForwardCache,
    ) {
        let mask = self.dropout.mask(dropout_seed);
        let ForwardCache { images, pre_activations, activations, dropout_mask, .. } = cache;
        pre_activations.resize_with(self.layers.len(), AlignedBuffer::default);
        activations.resize_with(self.layers.len() - 1, AlignedBuffer::default);
        dropout_mask.resize(self.layers.len() - 1, Vec::new());
        for (index, layer) in self.layers.iter().enumerate().skip(1) {
            pre_activations[index].resize(images.num_images() * layer.num_outputs());
            let (before, out) = pre_activations.split_at_mut(index);
            let input = &mut activations[index - 1];
            input.resize(before[index - 1].len());
            activation::forward(self.activation, &before[index - 1], input);
            mask.fill(index, positions.clone(), layer.num_inputs(), &mut dropout_mask[index - 1]);
            multiply(input, &dropout_mask[index - 1]);
            layer.forward(input, &mut out[0]);
        }
    }

    /// Logits `[images, classes]` of images, without dropout. All active threads compute them if
    /// `is_parallel`.
    pub(super) fn logits(&self, images: &[ImagePixels<'_>], is_parallel: bool) -> Vec<f32> {
        let num_partitions = if is_parallel { pool::num_partitions() } else { 1 };
        let weights = PackedWeights::for_forward_passes(self, images.len(), num_partitions);
        let len = images.len().div_ceil(num_partitions).clamp(1, MAX_CHUNK);
        let logits = |images: &[ImagePixels<'_>]| self.logits_of_chunk(&weights, images);
        pool::par_map(images.chunks(len).collect(), logits).concat()
    }

    /// Logits `[images, classes]` of one chunk, computed by this thread.
    fn logits_of_chunk(&self, weights: &PackedWeights, images: &[ImagePixels<'_>]) -> Vec<f32> {
        let [first, others @ ..] = self.layers.as_slice() else { return Vec::new() };
        let mut scratch = SCRATCH.take();
        let Scratch { images: blocks, input, values } = &mut scratch;
        values.resize(images.len() * first.num_outputs());
        // A product with all weights is slower than one that leaves out inputs that are 0, if there are
        // few images.
        let are_few = images.len() < TILE_ROWS;
        if are_few {
            let mut pixels = Vec::new();
            images.iter().for_each(|image| image.append_normalized(&mut pixels));
            forward_rows(&pixels, first.weight(), first.bias.values(), values);
        } else {
            blocks.fill(images, 1.0);
            self.first_layer(weights, &[blocks], 0..first.num_outputs(), values);
        }
        for layer in others {
            input.resize(values.len());
            activation::forward(self.activation, values, input);
            values.resize(images.len() * layer.num_outputs());
            match are_few {
                true => forward_rows(input, layer.weight(), layer.bias.values(), values),
                false => layer.forward(input, values),
            }
        }
        let logits = values.to_vec();
        SCRATCH.set(scratch);
        logits
    }

    /// Backward pass through dropout and activation of hidden layer `index`, in place: turns the
    /// loss's gradient by the inputs of the next layer into that by z: ∂L/∂z = mask · ∂L/∂x ·
    /// activation′(z).
    pub(super) fn activation_backward(&self, index: usize, cache: &ForwardCache, gradients: &mut [f32]) {
        multiply(gradients, &cache.dropout_mask[index]);
        activation::backward(self.activation, &cache.pre_activations[index], gradients);
    }
}

impl PackedWeights {
    /// Returns the tasks that pack the weights of `network` for a training step with `num_images` images:
    /// one list for each of `num_partitions` threads.
    pub(super) fn tasks<'a>(
        &'a mut self,
        network: &'a CpuNetwork,
        num_images: usize,
        num_partitions: usize,
    ) -> Vec<Vec<PackTask<'a>>> {
        let Self { first, has_first, transposed } = self;
        let mut tasks: Vec<_> = (0..num_partitions).map(|_| Vec::new()).collect();
        *has_first = network.packs_first_layer(num_images);
        if *has_first {
            add_tasks(&mut tasks, &network.layers[0], first, PackFor::Forward);
        }
        transposed.resize_with(network.layers.len(), PackedMatrix::default);
        for (layer, matrix) in network.layers.iter().zip(transposed).skip(1) {
            add_tasks(&mut tasks, layer, matrix, PackFor::InputGradient);
        }
        tasks
    }

    /// Packs the weights of `network` for forward passes of `num_images` images, in `num_partitions` parts
    /// on as many threads.
    fn for_forward_passes(network: &CpuNetwork, num_images: usize, num_partitions: usize) -> Self {
        let mut weights = Self { has_first: network.packs_first_layer(num_images), ..Self::default() };
        if weights.has_first {
            let mut tasks: Vec<_> = (0..num_partitions).map(|_| Vec::new()).collect();
            add_tasks(&mut tasks, &network.layers[0], &mut weights.first, PackFor::Forward);
            pool::par_map(tasks, run);
        }
        weights
    }

    /// Weights of the first layer, which is `layer`, packed or as the model has them.
    fn of_first<'a>(&'a self, layer: &'a CpuLinear) -> Weights<'a> {
        if self.has_first { Weights::Packed(&self.first) } else { Weights::RowMajor(layer.weight()) }
    }

    /// Computes the gradient of the loss by the inputs of `layer`, `[rows, num_inputs]`, from that by its
    /// pre-activations, `[rows, outputs]`.
    pub(super) fn input_gradient(&self, layer: usize, num_inputs: usize, gradients: &[f32], out: &mut [f32]) {
        product(gradients, Weights::Packed(&self.transposed[layer]), num_inputs, None, out);
    }
}

/// Adds the tasks that pack the weights of `layer` to the lists of the threads.
fn add_tasks<'a>(
    lists: &mut [Vec<PackTask<'a>>],
    layer: &'a CpuLinear,
    matrix: &'a mut PackedMatrix,
    pack_for: PackFor,
) {
    let shape = [layer.num_inputs(), layer.num_outputs()];
    let tasks = matrix.pack(layer.weight(), shape, pack_for, lists.len());
    lists.iter_mut().zip(tasks).for_each(|(list, task)| list.push(task));
}

/// Runs the tasks of one thread.
pub(super) fn run(tasks: Vec<PackTask<'_>>) {
    tasks.into_iter().for_each(PackTask::run);
}

impl ForwardCache {
    /// Loads the input of the first layer of `network`: the pixels / 255 that dropout keeps, times
    /// 1 / (1 − p). `positions` are the positions of the `images` in the batch. Pixels are masked before the
    /// block-sparse form is made, so that it leaves them out, too.
    pub(super) fn load(
        &mut self,
        network: &CpuNetwork,
        images: &[ImagePixels<'_>],
        positions: Range<usize>,
        dropout_seed: Option<u64>,
    ) {
        let mask = network.dropout.mask(dropout_seed);
        let size = images.first().map_or(0, |image| image.len());
        let mut factors = Vec::new();
        mask.fill(0, positions, size, &mut factors);
        if factors.is_empty() {
            return self.images.fill(images, 1.0);
        }
        self.masked_pixels.clear();
        images.iter().for_each(|image| image.append_to(&mut self.masked_pixels));
        for (pixel, &factor) in self.masked_pixels.iter_mut().zip(&factors) {
            *pixel = if factor == 0.0 { 0 } else { *pixel };
        }
        let masked: Vec<_> = self.masked_pixels.chunks(size).map(ImagePixels::Bytes).collect();
        self.images.fill(&masked, mask.scale(0));
    }

    /// Computes the pre-activations of the first layer of `network` for the loaded images.
    pub(super) fn first_layer(&mut self, network: &CpuNetwork, weights: &PackedWeights) {
        self.first_pre_activations(network);
        let Self { images, pre_activations, .. } = self;
        network.first_layer(weights, &[images], 0..network.layers[0].num_outputs(), &mut pre_activations[0]);
    }

    /// Memory of the pre-activations of the first layer of `network`, `[images, outputs]`, with arbitrary
    /// values.
    pub(super) fn first_pre_activations(&mut self, network: &CpuNetwork) -> &mut [f32] {
        if self.pre_activations.is_empty() {
            self.pre_activations.push(AlignedBuffer::default());
        }
        let first = &mut self.pre_activations[0];
        first.resize(self.images.num_images() * network.layers[0].num_outputs());
        first
    }
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

    /// Pre-activations `[rows, outputs]` of the inputs `[rows, inputs]`.
    fn forward(&self, input: &[f32], out: &mut [f32]) {
        let weights = Weights::RowMajor(self.weight());
        product(input, weights, self.num_outputs(), Some(self.bias.values()), out);
    }
}
