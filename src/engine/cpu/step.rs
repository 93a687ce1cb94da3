//! A step on the CPU without tensors: forward, loss and backward in as few passes over memory as there can be.
//!
//! Its plain twin is the step of `train_step.rs`, which other backends take; a test holds the two together. It has two phases, each
//! shared among the cores that are awake: first every core takes some of the images forward and backward through all
//! layers, then it takes some of each layer's inputs and adds up the gradients of their weights over all images.

use std::cell::RefCell;
use std::ops::Range;

use burn::optim::GradientsParams;

use crate::backend::FlexBuffer;
use crate::data::Batch;
use crate::engine::cpu::kernels::{
    Input, RowScores, TILE_ROWS, column_sums, input_gradient, softmax_cross_entropy_backward, weight_gradient,
};
use crate::engine::cpu::threads::pool;
use crate::engine::cpu::{CpuNetwork, ForwardCache, MAX_CHUNK};
use crate::engine::metrics::StepMetrics;
use crate::model::Mlp;

/// Some of a batch's images, taken forward and backward.
#[derive(Default)]
struct Chunk {
    passage: ForwardCache,
    /// The mean loss's gradient by what came out of each layer, before its activation: `[images, outputs]`.
    deltas: Vec<Vec<f32>>,
    scored: RowScores,
}

thread_local! {
    /// The portions of the last step. The next one uses their memory again: asked for anew in every step by one thread and given
    /// back by another, it would let both wait for the allocator.
    static WORKSPACE: RefCell<Vec<Chunk>> = const { RefCell::new(Vec::new()) };
}

/// Whether a step of `model` with so many images is worth sharing.
pub(crate) fn should_parallelize(model: &Mlp, num_images: usize) -> bool {
    model.is_worth_sharing(num_images) && CpuNetwork::of(model).is_some()
}

/// The gradients of the mean loss over `batch` by all weights of `model`, and what the step measured; none where it has to
/// be computed with tensors.
pub(crate) fn train_step(model: &Mlp, batch: &Batch) -> Option<(GradientsParams, StepMetrics)> {
    let network = CpuNetwork::of(model)?;
    if model.is_worth_sharing(batch.len()) {
        pool::record_step();
    }
    let parts = parts(model, batch.len());
    let mut memory = WORKSPACE.take();
    memory.resize_with(memory.len().max(parts.len()), Chunk::default);
    let portions = &mut memory[..parts.len()];
    pool::par_map(parts.into_iter().zip(&mut *portions).collect(), |(images, portion)| {
        portion.compute(&network, batch, images);
    });
    let measured = measured(portions.iter().map(|portion| &portion.scored));
    let mut gradients = GradientsParams::new();
    let weights = weight_gradients(&network, portions);
    for (index, (layer, weight)) in model.layers().iter().zip(weights).enumerate() {
        let shape = layer.weight.dims();
        gradients.register(layer.weight.id, FlexBuffer::new(weight, shape).into_tensor::<2>());
        if let Some(bias) = &layer.bias {
            let mut sums = vec![0.0; shape[1]];
            portions.iter().for_each(|portion| column_sums(&portion.deltas[index], &mut sums));
            gradients.register(bias.id, FlexBuffer::new(sums, [shape[1]]).into_tensor::<1>());
        }
    }
    WORKSPACE.set(memory);
    Some((gradients, measured))
}

/// What `model` makes of `batch`; none where it has to be computed with tensors.
pub(crate) fn eval_step(model: &Mlp, batch: &Batch) -> Option<StepMetrics> {
    let network = CpuNetwork::of(model)?;
    let (rows, labels): (Vec<&[u8]>, Vec<u8>) = batch.items(0..batch.len()).unzip();
    let mut logits = network.logits(&rows, model.is_worth_sharing(batch.len()));
    let mut scored = RowScores::default();
    softmax_cross_entropy_backward(
        &mut logits,
        network.outputs(),
        &labels,
        batch.label_smoothing,
        1.0,
        &mut scored,
    );
    Some(measured([&scored].into_iter()))
}

/// The places of a batch's images, divided among the cores and into parts that stay in their caches.
fn parts(model: &Mlp, num_images: usize) -> Vec<Range<usize>> {
    let num_parts = if model.is_worth_sharing(num_images) { pool::num_partitions() } else { 1 };
    divide(num_images, num_parts.max(num_images.div_ceil(MAX_CHUNK))).collect()
}

/// Parts of about the same length, each but the last of a multiple of eight, and none of them empty: `num_parts`, or fewer.
fn divide(len: usize, num_parts: usize) -> impl Iterator<Item = Range<usize>> {
    let eights = len.div_ceil(TILE_ROWS);
    let num_parts = num_parts.min(eights);
    let end = move |part: usize| (eights * part / num_parts * TILE_ROWS).min(len);
    (0..num_parts).map(move |part| end(part)..end(part + 1))
}

impl Chunk {
    /// Takes the images at these places of `batch` forward and backward.
    fn compute(&mut self, network: &CpuNetwork, batch: &Batch, places: Range<usize>) {
        let Self { passage, deltas, scored } = self;
        let (rows, labels): (Vec<&[u8]>, Vec<u8>) = batch.items(places.clone()).unzip();
        network.pass(&rows, places, batch.dropout_seed, passage);
        let last = network.layers().len() - 1;
        deltas.resize(last + 1, Vec::new());
        deltas[last].clone_from(&passage.sums[last]);
        let scale = 1.0 / batch.len() as f32;
        let smoothing = batch.label_smoothing;
        softmax_cross_entropy_backward(
            &mut deltas[last],
            network.outputs(),
            &labels,
            smoothing,
            scale,
            scored,
        );
        // From the last layer to the second: nobody asks for the gradient by the pixels.
        for index in (1..=last).rev() {
            let layer = &network.layers()[index];
            let (before, after) = deltas.split_at_mut(index);
            let delta = &mut before[index - 1];
            delta.resize(rows.len() * layer.inputs(), 0.0);
            input_gradient(&after[0], layer.weight(), layer.outputs(), delta);
            network.damp(index - 1, passage, delta);
        }
    }

    /// What went into a layer, and the gradient by what came out.
    fn pair(&self, layer: usize) -> (Input<'_>, &[f32]) {
        let learned = match layer {
            0 => Input::Images(&self.passage.images),
            _ => Input::Matrix(&self.passage.outputs[layer - 1]),
        };
        (learned, &self.deltas[layer])
    }
}

/// Each layer's gradient, `[inputs, outputs]`.
fn weight_gradients(network: &CpuNetwork, portions: &[Chunk]) -> Vec<Vec<f32>> {
    let layers = network.layers();
    let mut gradients: Vec<Vec<f32>> = layers.iter().map(|layer| vec![0.0; layer.weight().len()]).collect();
    let num_parts = if portions.len() == 1 { 1 } else { pool::num_partitions() };
    let mut parts: Vec<Vec<_>> = (0..num_parts).map(|_| Vec::new()).collect();
    for (layer, gradient) in layers.iter().zip(&mut gradients) {
        let mut rest = gradient.as_mut_slice();
        for (part, inputs) in parts.iter_mut().zip(divide(layer.inputs(), num_parts)) {
            let (own, others) = rest.split_at_mut(inputs.len() * layer.outputs());
            part.push((inputs, own));
            rest = others;
        }
    }
    // Where no layer has that many inputs.
    parts.retain(|part| !part.is_empty());
    pool::par_map(parts, |part| {
        for (index, (inputs, gradient)) in part.into_iter().enumerate() {
            let pairs: Vec<_> = portions.iter().map(|portion| portion.pair(index)).collect();
            let shape = [layers[index].inputs(), layers[index].outputs()];
            weight_gradient(&pairs, shape, inputs, gradient);
        }
    });
    gradients
}

/// Sums in the order of the images, whoever computed them.
fn measured<'a>(scored: impl Iterator<Item = &'a RowScores>) -> StepMetrics {
    let (mut loss, mut correct, mut num_images) = (0.0, 0, 0);
    for scored in scored {
        scored.losses.iter().for_each(|image| loss += image);
        correct += scored.num_correct();
        num_images += scored.losses.len();
    }
    StepMetrics { loss: loss / num_images as f64, correct, num_images }
}
