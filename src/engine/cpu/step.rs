//! Owns a training step and an evaluation step without tensors: forward pass, loss and backward
//! pass in as few passes over memory as possible. Depends on `data`, `metrics`, `network`,
//! `first_layer`, `buffer`, `smallnet_kernels` and `threads`. Must not know optimizers or training loops.
//!
//! The reference implementation is `engine/autodiff.rs`; `tests.rs` compares the two. A training step has
//! two phases, which the active threads share. In the first phase, every thread packs some weights and
//! takes some of the images forward and backward through all layers. With few images per thread, it
//! computes some outputs of the first layer for all images instead (`first_layer`). In the second phase,
//! every thread takes some of each layer's inputs, and sums the gradients of their weights over all
//! images. So one thread computes each sum, in the order of the images. The result does not depend on the
//! number of threads.

use std::cell::RefCell;
use std::ops::Range;

use burn::optim::GradientsParams;
use smallnet_kernels::{
    AlignedBuffer, Input, RowScores, TILE_ROWS, Targets, column_sums, softmax_cross_entropy_backward,
    weight_gradient,
};

use crate::data::{Batch, ImageBuffer};
use crate::engine::cpu::buffer::FlexBuffer;
use crate::engine::cpu::first_layer::{self, ColumnPart};
use crate::engine::cpu::network::{self, CpuLinear, CpuNetwork, ForwardCache, MAX_CHUNK, PackedWeights};
use crate::engine::cpu::threads::{pool, should_parallelize};
use crate::engine::metrics::StepMetrics;
use crate::model::Mlp;

/// Some of a batch's images with the values of their forward and backward pass.
#[derive(Default)]
struct Chunk {
    /// Positions of the images in the batch.
    positions: Range<usize>,
    cache: ForwardCache,
    /// Gradient of the batch's mean loss by each layer's pre-activations, `[images, outputs]`.
    gradients: Vec<AlignedBuffer>,
    /// Loss and correctness of each image.
    scores: RowScores,
    /// Pixels of augmented images.
    buffer: ImageBuffer,
}

/// Memory of the last step, which the next step reuses. If one thread allocated this memory in every
/// step and another thread freed it, both would contend for the allocator's lock.
#[derive(Default)]
struct Workspace {
    chunks: Vec<Chunk>,
    weights: PackedWeights,
    first_layer: Vec<ColumnPart>,
    /// Weights of the last step's network, one buffer per layer. The optimizer makes new weights in the
    /// memory of their gradient, so the memory of the old ones is free then.
    old_weights: Vec<FlexBuffer>,
}

thread_local! {
    static WORKSPACE: RefCell<Workspace> = RefCell::default();
}

/// Returns the gradients of the mean loss over `batch` by all weights and biases of `model`, and
/// the step's metrics; none if [`CpuNetwork::of`] does not view the model.
pub(super) fn train_step(model: &Mlp, batch: &Batch) -> Option<(GradientsParams, StepMetrics)> {
    let network = CpuNetwork::of(model)?;
    if should_parallelize(model, batch.len()) {
        pool::record_step();
    }
    let ranges = chunk_ranges(model, batch.len());
    let mut workspace = WORKSPACE.take();
    let Workspace { chunks, weights, first_layer, old_weights } = &mut workspace;
    chunks.resize_with(chunks.len().max(ranges.len()), Chunk::default);
    let used = &mut chunks[..ranges.len()];
    used.iter_mut().zip(ranges).for_each(|(chunk, positions)| chunk.positions = positions);
    // First phase.
    forward_and_backward(&network, batch, weights, used, first_layer);
    let metrics = mean_metrics(used.iter().map(|chunk| &chunk.scores));
    let mut gradients = GradientsParams::new();
    // Second phase.
    let computed = gradients_of_layers(&network, used, std::mem::take(old_weights));
    old_weights.extend(network.layers().iter().map(|layer| layer.weight.clone()));
    for (layer, LayerGradients { weight, bias }) in model.layers().iter().zip(computed) {
        gradients.register(layer.weight.id, weight.into_tensor::<2>());
        if let Some(param) = &layer.bias {
            gradients.register(param.id, bias.into_tensor::<1>());
        }
    }
    WORKSPACE.set(workspace);
    Some((gradients, metrics))
}

/// Returns the metrics of `model` on `batch`, without dropout; none if [`CpuNetwork::of`] does not
/// view the model.
pub(super) fn eval_step(model: &Mlp, batch: &Batch) -> Option<StepMetrics> {
    let network = CpuNetwork::of(model)?;
    let (mut buffer, labels) = (ImageBuffer::default(), batch.labels(0..batch.len()).collect::<Vec<_>>());
    let images = batch.pixels(0..batch.len(), &mut buffer);
    let mut logits = network.logits(&images, should_parallelize(model, batch.len()));
    let mut scores = RowScores::default();
    let targets = Targets { labels: &labels, smoothing: batch.label_smoothing, second: None };
    // The gradient that this leaves in `logits` is not used.
    softmax_cross_entropy_backward(&mut logits, network.num_classes(), &targets, 1.0, &mut scores);
    Some(mean_metrics([&scores].into_iter()))
}

/// Logits `[batch, classes]`, row by row; none if [`CpuNetwork::of`] does not view the model.
pub(super) fn logits(model: &Mlp, batch: &Batch) -> Option<Vec<f32>> {
    let network = CpuNetwork::of(model)?;
    let mut buffer = ImageBuffer::default();
    let images = batch.pixels(0..batch.len(), &mut buffer);
    Some(network.logits(&images, should_parallelize(model, images.len())))
}

/// Ranges of positions in a batch, one per chunk. Each active thread gets a chunk if there are
/// enough images. No chunk has more than [`MAX_CHUNK`] images, so that it stays in a core's cache.
fn chunk_ranges(model: &Mlp, num_images: usize) -> Vec<Range<usize>> {
    let num_partitions = if should_parallelize(model, num_images) { pool::num_partitions() } else { 1 };
    divide(num_images, num_partitions.max(num_images.div_ceil(MAX_CHUNK))).collect()
}

/// Divides `0..len` into `num_parts` ranges of about the same length, or fewer. No range is empty.
/// The length of each range but the last is a multiple of [`TILE_ROWS`].
fn divide(len: usize, num_parts: usize) -> impl Iterator<Item = Range<usize>> {
    let num_tiles = len.div_ceil(TILE_ROWS);
    let num_parts = num_parts.min(num_tiles);
    let end = move |part: usize| (num_tiles * part / num_parts * TILE_ROWS).min(len);
    (0..num_parts).map(move |part| end(part)..end(part + 1))
}

/// First phase: the weights are packed, and each chunk goes forward and backward through all layers.
/// `parts` is memory for the first layer, where several chunks share it.
fn forward_and_backward(
    network: &CpuNetwork,
    batch: &Batch,
    weights: &mut PackedWeights,
    chunks: &mut [Chunk],
    parts: &mut Vec<ColumnPart>,
) {
    let num_sharing = first_layer::num_sharing(network, chunks.len(), chunks[0].positions.len());
    let tasks = weights.tasks(network, batch.len(), chunks.len());
    if num_sharing == 1 {
        // A network without anything to pack needs one meeting of the threads less.
        if tasks.iter().any(|tasks| !tasks.is_empty()) {
            pool::par_map(tasks, network::run);
        }
        pool::par_map(chunks.iter_mut().collect(), |chunk| {
            chunk.load(network, batch);
            chunk.cache.first_layer(network, weights);
            chunk.compute(network, weights, batch);
        });
        return;
    }
    pool::par_map(tasks.into_iter().zip(&mut *chunks).collect(), |(tasks, chunk)| {
        network::run(tasks);
        chunk.load(network, batch);
    });
    let images: Vec<_> = chunks.iter().map(|chunk| &chunk.cache.images).collect();
    first_layer::compute(network, weights, &images, num_sharing, parts);
    let groups = chunks.chunks_mut(num_sharing).zip(parts.chunks(num_sharing));
    let work = groups.flat_map(|(chunks, parts)| {
        let first = chunks[0].positions.start;
        chunks.iter_mut().map(move |chunk| (chunk.positions.start - first, chunk, parts))
    });
    pool::par_map(work.collect(), |(first_row, chunk, parts)| {
        first_layer::copy_rows(parts, first_row, chunk.cache.first_pre_activations(network));
        chunk.compute(network, weights, batch);
    });
}

impl Chunk {
    /// Loads the images.
    fn load(&mut self, network: &CpuNetwork, batch: &Batch) {
        let Self { positions, cache, buffer, .. } = self;
        let images = batch.pixels(positions.clone(), buffer);
        cache.load(network, &images, positions.clone(), batch.dropout_seed);
    }

    /// Computes the activations behind the first layer, the losses and the gradients.
    fn compute(&mut self, network: &CpuNetwork, weights: &PackedWeights, batch: &Batch) {
        let Self { positions, cache, gradients, scores, .. } = self;
        let labels: Vec<u16> = batch.labels(positions.clone()).collect();
        let second: Option<Vec<u16>> =
            batch.mixup().map(|_| batch.second_labels(positions.clone()).collect());
        network.forward(positions.clone(), batch.dropout_seed, cache);
        let last = network.layers().len() - 1;
        gradients.resize_with(last + 1, AlignedBuffer::default);
        gradients[last].copy_from(&cache.pre_activations[last]);
        let scale = 1.0 / batch.len() as f32;
        let second = second.as_deref().zip(batch.mixup().map(|mixup| mixup.share()));
        let targets = Targets { labels: &labels, smoothing: batch.label_smoothing, second };
        softmax_cross_entropy_backward(&mut gradients[last], network.num_classes(), &targets, scale, scores);
        // From the last layer to the second one. The gradient by the pixels is not needed.
        for index in (1..=last).rev() {
            let layer = &network.layers()[index];
            let (previous, following) = gradients.split_at_mut(index);
            let gradient = &mut previous[index - 1];
            gradient.resize(positions.len() * layer.num_inputs());
            weights.input_gradient(index, layer.num_inputs(), &following[0], gradient);
            network.activation_backward(index - 1, cache, gradient);
        }
    }

    /// Input of `layer`, `[images, inputs]`, and the gradient by its pre-activations,
    /// `[images, outputs]`.
    fn input_and_gradient(&self, layer: usize) -> (Input<'_>, &[f32]) {
        let input = match layer {
            0 => Input::Images(&self.cache.images),
            _ => Input::Matrix(&self.cache.activations[layer - 1]),
        };
        (input, &self.gradients[layer])
    }
}

/// Gradients of the batch's mean loss by the parameters of a layer.
struct LayerGradients {
    /// `[inputs, outputs]`
    weight: FlexBuffer,
    /// `[outputs]`
    bias: FlexBuffer,
}

/// Share of one thread in the gradients of a layer.
struct GradientPart<'a> {
    /// Range of the inputs whose weights it has, and their gradients.
    inputs: Range<usize>,
    weights: &'a mut [f32],
    /// Range of the outputs whose biases it has, and their gradients, which begin at 0.
    outputs: Range<usize>,
    biases: &'a mut [f32],
}

/// Second phase: gradients of the batch's mean loss by each layer's parameters, summed over all `chunks`.
/// Each partition is the work of one thread: some inputs and some outputs of every layer.
///
/// `spare` are buffers whose memory may be reused, one per layer.
fn gradients_of_layers(
    network: &CpuNetwork,
    chunks: &[Chunk],
    spare: Vec<FlexBuffer>,
) -> Vec<LayerGradients> {
    let layers = network.layers();
    let mut spare = spare.into_iter();
    let memory = |layer: &CpuLinear| LayerGradients {
        weight: layer.weight.reuse(spare.next()),
        bias: layer.bias.zeros(),
    };
    let mut gradients: Vec<_> = layers.iter().map(memory).collect();
    let num_partitions = if chunks.len() == 1 { 1 } else { pool::num_partitions() };
    let mut partitions: Vec<Vec<_>> = (0..num_partitions).map(|_| Vec::new()).collect();
    for (index, (layer, LayerGradients { weight, bias })) in layers.iter().zip(&mut gradients).enumerate() {
        let (mut weights, mut biases) = (weight.values_mut(), bias.values_mut());
        let [mut inputs, mut outputs] =
            [layer.num_inputs(), layer.num_outputs()].map(|len| divide(len, num_partitions));
        for partition in &mut partitions {
            // None is left if the layer is small.
            let (inputs, outputs) = (inputs.next().unwrap_or_default(), outputs.next().unwrap_or_default());
            let weights = take_front(&mut weights, inputs.len() * layer.num_outputs());
            let biases = take_front(&mut biases, outputs.len());
            partition.push((index, GradientPart { inputs, weights, outputs, biases }));
        }
    }
    pool::par_map(partitions, |partition| {
        for (index, GradientPart { inputs, weights, outputs, biases }) in partition {
            let pairs: Vec<_> = chunks.iter().map(|chunk| chunk.input_and_gradient(index)).collect();
            let shape = [layers[index].num_inputs(), layers[index].num_outputs()];
            if !inputs.is_empty() {
                weight_gradient(&pairs, shape, inputs, weights);
            }
            for (_, gradients) in pairs {
                column_sums(gradients, shape[1], outputs.clone(), biases);
            }
        }
    });
    gradients
}

/// Takes the first `len` numbers of `rest`.
fn take_front<'a>(rest: &mut &'a mut [f32], len: usize) -> &'a mut [f32] {
    let (front, others) = std::mem::take(rest).split_at_mut(len);
    *rest = others;
    front
}

/// Mean loss and number of correct images. The losses are summed in the order of the images, on any
/// number of threads.
fn mean_metrics<'a>(scores: impl Iterator<Item = &'a RowScores>) -> StepMetrics {
    let (mut loss, mut correct, mut num_images) = (0.0, 0, 0);
    for scores in scores {
        scores.losses.iter().for_each(|image| loss += image);
        correct += scores.num_correct();
        num_images += scores.losses.len();
    }
    StepMetrics { loss: loss / num_images as f64, correct, num_images }
}
