//! Owns the model batch of softmax networks without tensors. The images of a group are converted
//! once, to the block-sparse form, for all of its networks. Depends on `smallnet_kernels` and, for the trait
//! and its types, on `engine/vectorized`. Must not know epochs, schedules or studies.
//!
//! The reference implementation is `engine/vectorized`. `training/vectorized/tests.rs` compares
//! both with training each network by itself.

use std::ops::Range;

use smallnet_kernels::{
    AlignedBuffer, BlockSparse, Input, RowScores, Targets, Weights, forward_images, sgd_per_column,
    softmax_cross_entropy_backward, weight_gradient,
};

use crate::data::ImagePixels;
use crate::engine::model_batch::{GroupBatch, ModelBatch, ModelBatchConfig, Shape, Sums};
use crate::error::Result;

/// Many softmax networks that are trained as one program by plain gradient descent, each at its own
/// learning rate.
pub(in crate::engine) struct CpuModelBatch {
    groups: Vec<Group>,
    shape: Shape,
    /// Label smoothing of all networks.
    label_smoothing: f64,
    sums: Sums,
    scratch: Scratch,
}

/// Memory of the last step, which the next one reuses.
#[derive(Default)]
struct Scratch {
    images: BlockSparse,
    /// Logits and then their gradients, `[images, group_size · classes]`.
    logits: AlignedBuffer,
    /// Gradient of the weights of a group.
    gradient: AlignedBuffer,
}

/// Weights and biases of the networks of a group, next to each other in the columns.
struct Group {
    /// `[pixels, group_size · classes]`
    weight: AlignedBuffer,
    /// `[group_size · classes]`
    bias: Vec<f32>,
}

impl CpuModelBatch {
    /// Builds the networks; none unless they have no hidden layer, plain gradient descent without
    /// weight decay, and the same label smoothing.
    pub(in crate::engine) fn new(config: &ModelBatchConfig<'_>) -> Option<Self> {
        let shape = config.shape.clone();
        let label_smoothing = *config.label_smoothing.first()?;
        let is_simple = shape.sizes.len() == 2
            && config.optimizer.rule().is_plain_gradient_descent()
            && config.weight_decays.iter().all(|&decay| decay == 0.0)
            && config.label_smoothing.iter().all(|&share| share == label_smoothing);
        if !is_simple {
            return None;
        }
        let width = shape.group_size * shape.num_classes();
        let weights = config.initial_weights(0);
        let groups = weights.chunks(shape.num_pixels() * width);
        let groups = groups
            .map(|weight| {
                let mut group = Group { weight: AlignedBuffer::default(), bias: vec![0.0; width] };
                group.weight.copy_from(weight);
                group
            })
            .collect();
        let sums = zero_sums(&shape);
        Some(Self { groups, shape, label_smoothing, sums, scratch: Scratch::default() })
    }
}

impl ModelBatch for CpuModelBatch {
    fn train_step(&mut self, batches: &[GroupBatch<'_>], learning_rates: &[f64]) {
        let (pixels, classes) = (self.shape.num_pixels(), self.shape.num_classes());
        let width = self.shape.group_size * classes;
        let Scratch { images, logits: gradients, gradient } = &mut self.scratch;
        gradient.resize(pixels * width);
        for (index, (group, batch)) in self.groups.iter_mut().zip(batches).enumerate() {
            let models = group_range(&self.shape, index);
            let (pixels_of_images, labels) = images_and_labels(batch);
            images.fill(&pixels_of_images, 1.0);
            group.logits(images, gradients);
            let scale = 1.0 / labels.len() as f32;
            let smoothing = self.label_smoothing;
            accumulate_scores(gradients, classes, &labels, smoothing, scale, models.clone(), &mut self.sums);
            weight_gradient(&[(Input::Images(images), gradients)], [pixels, width], 0..pixels, gradient);
            let rates = learning_rates[models].iter();
            let rates: Vec<f32> = rates.flat_map(|&rate| std::iter::repeat_n(rate as f32, classes)).collect();
            sgd_per_column(&rates, gradient, &mut group.weight);
            // The gradient of the biases is the sum of the rows. It is subtracted row by row.
            for row in gradients.chunks_exact(width) {
                sgd_per_column(&rates, row, &mut group.bias);
            }
        }
        self.sums.num_images += batches[0].positions.len();
    }

    fn eval_step(&mut self, batches: &[GroupBatch<'_>]) {
        let classes = self.shape.num_classes();
        let Scratch { images, logits, .. } = &mut self.scratch;
        for (index, (group, batch)) in self.groups.iter().zip(batches).enumerate() {
            let (pixels_of_images, labels) = images_and_labels(batch);
            images.fill(&pixels_of_images, 1.0);
            group.logits(images, logits);
            let models = group_range(&self.shape, index);
            accumulate_scores(logits, classes, &labels, 0.0, 1.0, models, &mut self.sums);
        }
        self.sums.num_images += batches[0].positions.len();
    }

    fn correct_images(&self, batches: &[GroupBatch<'_>]) -> Result<Vec<Vec<bool>>> {
        let (classes, group_size) = (self.shape.num_classes(), self.shape.group_size);
        let mut correct = Vec::with_capacity(self.shape.num_models());
        for (group, batch) in self.groups.iter().zip(batches) {
            let (images, labels) = images_and_labels(batch);
            let mut logits = AlignedBuffer::default();
            group.logits(&BlockSparse::of(&images), &mut logits);
            let rows = score_rows(&mut logits, classes, &labels, group_size, 0.0, 1.0).correct;
            // Row r belongs to network r mod `group_size`.
            correct.extend(
                (0..group_size).map(|model| rows.iter().skip(model).step_by(group_size).copied().collect()),
            );
        }
        Ok(correct)
    }

    fn take_sums(&mut self) -> Result<Sums> {
        Ok(std::mem::replace(&mut self.sums, zero_sums(&self.shape)))
    }
}

impl Group {
    /// Replaces `logits` by those of the networks of the group, `[images, group_size · classes]`.
    fn logits(&self, images: &BlockSparse, logits: &mut AlignedBuffer) {
        let (weight, width) = (Weights::RowMajor(&self.weight), self.bias.len());
        logits.resize(images.num_images() * width);
        forward_images(&[images], weight, &self.bias, 0..width, logits);
    }
}

/// Sums over no steps.
fn zero_sums(shape: &Shape) -> Sums {
    let zeros = || vec![0.0; shape.num_models()];
    Sums { loss: zeros(), correct: zeros(), finite_steps: zeros(), num_images: 0 }
}

/// Range of the networks of group `group` in lists with one entry per network.
fn group_range(shape: &Shape, group: usize) -> Range<usize> {
    group * shape.group_size..(group + 1) * shape.group_size
}

/// Pixels and label of each image of a batch.
fn images_and_labels<'a>(batch: &GroupBatch<'a>) -> (Vec<ImagePixels<'a>>, Vec<u16>) {
    let positions = batch.positions.iter().map(|&position| position as usize);
    positions.map(|position| (batch.split.pixels(position), batch.split.label(position))).unzip()
}

/// Turns the logits `[images, group_size · classes]` into `scale` times the gradients of the loss
/// by them, and adds the losses and the correct images to the sums of the networks `models`.
///
/// The logits of one image are `group_size` rows of `classes` logits, one row per network. So row r
/// of all rows belongs to network r mod `group_size`.
fn accumulate_scores(
    logits: &mut [f32],
    classes: usize,
    labels: &[u16],
    label_smoothing: f64,
    scale: f32,
    models: Range<usize>,
    sums: &mut Sums,
) {
    let group_size = models.len();
    let scores = score_rows(logits, classes, labels, group_size, label_smoothing, scale);
    let (losses, correct) = (&mut sums.loss[models.clone()], &mut sums.correct[models.clone()]);
    for (row, (loss, is_correct)) in scores.losses.iter().zip(&scores.correct).enumerate() {
        losses[row % group_size] += loss;
        correct[row % group_size] += f64::from(u8::from(*is_correct));
    }
    for (steps, loss) in sums.finite_steps[models].iter_mut().zip(&*losses) {
        *steps += f64::from(u8::from(loss.is_finite()));
    }
}

/// Turns the logits `[images, group_size · classes]` into `scale` times the gradients of the loss
/// by them. Returns the loss of each row and whether it is correct.
fn score_rows(
    logits: &mut [f32],
    classes: usize,
    labels: &[u16],
    group_size: usize,
    label_smoothing: f64,
    scale: f32,
) -> RowScores {
    let repeated: Vec<u16> =
        labels.iter().flat_map(|&label| std::iter::repeat_n(label, group_size)).collect();
    let mut scores = RowScores::default();
    let targets = Targets { labels: &repeated, smoothing: label_smoothing, second: None };
    softmax_cross_entropy_backward(logits, classes, &targets, scale, &mut scores);
    scores
}
