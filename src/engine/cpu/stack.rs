//! A stack of softmax networks in the memory of the CPU, without tensors: the plain twin of which are the tensors of the
//! other files here. Images are unpacked once for all networks of a stream.

use crate::backend::FlexBuffer;
use crate::data::Split;
use crate::engine::cpu::kernels::{
    BlockSparse, Input, RowScores, forward, sgd_per_column, softmax_cross_entropy_backward, weight_gradient,
};
use crate::training::vectorized::layers::{Layers, Shape};
use crate::training::vectorized::{ModelGroup, Sums};

/// All networks of a stack.
pub(crate) struct CpuModelBatch {
    streams: Vec<CpuModelGroup>,
    shape: Shape,
    label_smoothing: f64,
}

/// The networks of a stream side by side.
struct CpuModelGroup {
    /// `[pixels, members · classes]`
    weight: Vec<f32>,
    /// `[members · classes]`
    bias: Vec<f32>,
}

impl CpuModelBatch {
    /// The networks of `layers` where they are on flex, have no hidden layer and smooth their targets alike.
    pub(crate) fn of(layers: &Layers, shape: &Shape, streams: &[ModelGroup<'_>]) -> Option<Self> {
        let mut smoothing = streams.iter().flat_map(|stream| &stream.members);
        let label_smoothing = smoothing.next()?.training.label_smoothing;
        let is_simple = shape.sizes.len() == 2
            && smoothing.all(|member| member.training.label_smoothing == label_smoothing);
        let mut params = layers.params().filter(|_| is_simple).map(|(_, param)| param.val());
        let (weight, bias) = (FlexBuffer::of(params.next()?).ok()?, FlexBuffer::of(params.next()?).ok()?);
        let parts = |tensor: &FlexBuffer| -> Vec<Vec<f32>> {
            let values = tensor.values();
            values.chunks(values.len() / shape.streams).map(<[f32]>::to_vec).collect()
        };
        let streams = parts(&weight).into_iter().zip(parts(&bias));
        let streams = streams.map(|(weight, bias)| CpuModelGroup { weight, bias }).collect();
        Some(Self { streams, shape: shape.clone(), label_smoothing })
    }

    /// Moves all networks by one step at `rates`, one for each, along the gradients over the images at `batches`, one for each
    /// stream, and adds what was measured to `sums`.
    pub(crate) fn step<'a>(
        &mut self,
        batches: impl Iterator<Item = (&'a Split, &'a [u32])>,
        rates: &[f64],
        sums: &mut Sums,
    ) {
        let Shape { members, .. } = self.shape;
        let (pixels, classes) = (self.shape.num_pixels(), self.shape.num_classes());
        let width = members * classes;
        for (index, (stream, (split, positions))) in self.streams.iter_mut().zip(batches).enumerate() {
            let networks = index * members..(index + 1) * members;
            let (images, labels): (Vec<&[u8]>, Vec<u8>) =
                positions.iter().map(|&position| split.image(position as usize)).unzip();
            let words = BlockSparse::of(&images);
            let mut deltas = stream.logits(&words);
            let scale = 1.0 / images.len() as f32;
            score(
                &mut deltas,
                classes,
                &labels,
                self.label_smoothing,
                scale,
                &mut sums.part(networks.clone()),
            );
            let mut gradient = vec![0.0; pixels * width];
            weight_gradient(&[(Input::Images(&words), &deltas)], [pixels, width], 0..pixels, &mut gradient);
            let rates: Vec<f32> =
                rates[networks].iter().flat_map(|&rate| std::iter::repeat_n(rate as f32, classes)).collect();
            sgd_per_column(&rates, &gradient, &mut stream.weight);
            for row in deltas.chunks_exact(width) {
                sgd_per_column(&rates, row, &mut stream.bias);
            }
        }
    }

    /// Adds what the networks make of the images at `batches`, one for each stream, to `sums`.
    pub(crate) fn score<'a>(&self, batches: impl Iterator<Item = (&'a Split, &'a [u32])>, sums: &mut Sums) {
        let Shape { members, .. } = self.shape;
        for (index, (stream, (split, positions))) in self.streams.iter().zip(batches).enumerate() {
            let (images, labels): (Vec<&[u8]>, Vec<u8>) =
                positions.iter().map(|&position| split.image(position as usize)).unzip();
            let mut logits = stream.logits(&BlockSparse::of(&images));
            let networks = index * members..(index + 1) * members;
            score(&mut logits, self.shape.num_classes(), &labels, 0.0, 1.0, &mut sums.part(networks));
        }
    }
}

impl CpuModelGroup {
    /// `[images, members · classes]`
    fn logits(&self, words: &BlockSparse) -> Vec<f32> {
        let mut logits = vec![0.0; words.num_images() * self.bias.len()];
        forward(Input::Images(words), &self.weight, &self.bias, &mut logits);
        logits
    }
}

/// Some networks' sums.
pub(crate) struct GroupSums<'a> {
    pub(crate) loss: &'a mut [f64],
    pub(crate) correct: &'a mut [f64],
    pub(crate) finite_steps: &'a mut [f64],
}

/// Takes `[images, members · classes]` logits to gradients and adds what they were worth to each member's sums.
fn score(
    logits: &mut [f32],
    classes: usize,
    labels: &[u8],
    label_smoothing: f64,
    scale: f32,
    sums: &mut GroupSums<'_>,
) {
    let members = sums.loss.len();
    let repeated: Vec<u8> = labels.iter().flat_map(|&label| std::iter::repeat_n(label, members)).collect();
    let mut scored = RowScores::default();
    softmax_cross_entropy_backward(logits, classes, &repeated, label_smoothing, scale, &mut scored);
    for (row, (loss, is_hit)) in scored.losses.iter().zip(&scored.hits).enumerate() {
        sums.loss[row % members] += loss;
        sums.correct[row % members] += f64::from(u8::from(*is_hit));
    }
    for (steps, loss) in sums.finite_steps.iter_mut().zip(&*sums.loss) {
        *steps += f64::from(u8::from(loss.is_finite()));
    }
}
