//! Owns a training step and an evaluation step without tensors: forward pass, loss and backward
//! pass in as few passes over memory as possible. Depends on `data`, `metrics`, `network`,
//! `buffer`, `kernels` and `threads`. Must not know optimizers or training loops.
//!
//! The reference implementation is `engine/autodiff.rs`; `tests.rs` compares the two. First, the
//! active threads pack the weights. Then a training step has two phases, which they share, too. In the
//! first phase, every thread takes some of the images forward and backward through all layers. In the
//! second phase, every thread takes some of each layer's inputs, and sums the gradients of their weights
//! over all images. So one thread computes each sum, in the order of the images. The result does not
//! depend on the number of threads.

use std::cell::RefCell;
use std::ops::Range;

use burn::optim::GradientsParams;

use crate::data::{Batch, ImageBuffer};
use crate::engine::cpu::buffer::FlexBuffer;
use crate::engine::cpu::kernels::{
    AlignedBuffer, Input, RowScores, TILE_ROWS, Targets, column_sums, softmax_cross_entropy_backward,
    weight_gradient,
};
use crate::engine::cpu::network::{CpuNetwork, ForwardCache, MAX_CHUNK, PackedWeights};
use crate::engine::cpu::threads::{pool, should_parallelize};
use crate::engine::metrics::StepMetrics;
use crate::model::Mlp;

/// Some of a batch's images with the values of their forward and backward pass.
#[derive(Default)]
struct Chunk {
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
    let chunks = chunk_ranges(model, batch.len());
    let mut workspace = WORKSPACE.take();
    let Workspace { chunks: memory, weights, old_weights } = &mut workspace;
    memory.resize_with(memory.len().max(chunks.len()), Chunk::default);
    let used = &mut memory[..chunks.len()];
    weights.pack(&network, batch.len(), if chunks.len() == 1 { 1 } else { pool::num_partitions() });
    // First phase.
    pool::par_map(chunks.into_iter().zip(&mut *used).collect(), |(positions, chunk)| {
        chunk.compute(&network, weights, batch, positions);
    });
    let metrics = mean_metrics(used.iter().map(|chunk| &chunk.scores));
    let mut gradients = GradientsParams::new();
    // Second phase.
    let by_weights = weight_gradients(&network, used, std::mem::take(old_weights));
    old_weights.extend(network.layers().iter().map(|layer| layer.weight.clone()));
    for (index, (layer, gradient)) in model.layers().iter().zip(by_weights).enumerate() {
        gradients.register(layer.weight.id, gradient.into_tensor::<2>());
        if let Some(bias) = &layer.bias {
            let mut sums = vec![0.0; bias.dims()[0]];
            used.iter().for_each(|chunk| column_sums(&chunk.gradients[index], &mut sums));
            gradients.register(bias.id, FlexBuffer::new(sums, bias.dims()).into_tensor::<1>());
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

impl Chunk {
    /// First phase for the images at these `positions` of `batch`: computes their activations,
    /// losses and gradients.
    fn compute(
        &mut self,
        network: &CpuNetwork,
        weights: &PackedWeights,
        batch: &Batch,
        positions: Range<usize>,
    ) {
        let Self { cache, gradients, scores, buffer } = self;
        let labels: Vec<u16> = batch.labels(positions.clone()).collect();
        let second: Vec<u16> = batch.second_labels(positions.clone()).collect();
        let images = batch.pixels(positions.clone(), buffer);
        network.forward(weights, &images, positions, batch.dropout_seed, cache);
        let last = network.layers().len() - 1;
        gradients.resize_with(last + 1, AlignedBuffer::default);
        gradients[last].copy_from(&cache.pre_activations[last]);
        let scale = 1.0 / batch.len() as f32;
        let second = batch.mixup().map(|mixup| (&second[..], mixup.share()));
        let targets = Targets { labels: &labels, smoothing: batch.label_smoothing, second };
        softmax_cross_entropy_backward(&mut gradients[last], network.num_classes(), &targets, scale, scores);
        // From the last layer to the second one. The gradient by the pixels is not needed.
        for index in (1..=last).rev() {
            let layer = &network.layers()[index];
            let (previous, following) = gradients.split_at_mut(index);
            let gradient = &mut previous[index - 1];
            gradient.resize(images.len() * layer.num_inputs());
            weights.input_gradient(index, &following[0], gradient);
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

/// Second phase: gradient of the batch's mean loss by each layer's weights, `[inputs, outputs]`,
/// summed over all `chunks`. Each partition is the work of one thread: a range of inputs of every
/// layer, and the part of the gradient that belongs to them.
///
/// `spare` are buffers whose memory may be reused, one per layer.
fn weight_gradients(network: &CpuNetwork, chunks: &[Chunk], spare: Vec<FlexBuffer>) -> Vec<FlexBuffer> {
    let layers = network.layers();
    let mut spare = spare.into_iter();
    let mut gradients: Vec<_> = layers.iter().map(|layer| layer.weight.reuse(spare.next())).collect();
    let num_partitions = if chunks.len() == 1 { 1 } else { pool::num_partitions() };
    let mut partitions: Vec<Vec<_>> = (0..num_partitions).map(|_| Vec::new()).collect();
    for (layer, gradient) in layers.iter().zip(&mut gradients) {
        let mut rest = gradient.values_mut();
        for (partition, inputs) in partitions.iter_mut().zip(divide(layer.num_inputs(), num_partitions)) {
            let (own, others) = rest.split_at_mut(inputs.len() * layer.num_outputs());
            partition.push((inputs, own));
            rest = others;
        }
    }
    // A partition is empty if no layer has that many inputs.
    partitions.retain(|partition| !partition.is_empty());
    pool::par_map(partitions, |partition| {
        for (index, (inputs, gradient)) in partition.into_iter().enumerate() {
            let pairs: Vec<_> = chunks.iter().map(|chunk| chunk.input_and_gradient(index)).collect();
            let shape = [layers[index].num_inputs(), layers[index].num_outputs()];
            weight_gradient(&pairs, shape, inputs, gradient);
        }
    });
    gradients
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
