//! Owns the passes of a network with Burn's tensors and automatic differentiation, on every
//! backend. This is the file to read first for a reader who learns Burn. It is also the reference
//! implementation of `engine::cpu`. Depends on `data` and `model`. Must not know slices, threads or
//! training loops.

use burn::tensor::{Int, Tensor};
use burn::train::TrainOutput;

use crate::data::{Batch, evaluation_batch_size};
use crate::engine::metrics::LazyMetrics;
use crate::error::{Error, Result};
use crate::model::{Mlp, cross_entropy};

/// Forward and backward pass of a batch. Returns the gradients of the mean loss by all weights and
/// biases, and the metrics.
pub(super) fn train_step(model: &Mlp, batch: &Batch) -> TrainOutput<LazyMetrics> {
    let logits = model.forward_train(batch.images(), batch.dropout_seed); // [batch, classes]
    let targets = batch.targets(); // [batch]
    let mut loss = cross_entropy(logits.clone(), targets.clone(), batch.label_smoothing).mean(); // [1]
    if let Some(mixup) = batch.mixup() {
        let second = cross_entropy(logits.clone(), batch.second_targets(), batch.label_smoothing).mean(); // [1]
        loss = loss * mixup.share() + second * (1.0 - mixup.share());
    }
    let gradients = loss.backward();
    let metrics = metrics(logits.inner(), targets.inner(), loss.inner());
    TrainOutput::new(model, gradients, metrics)
}

/// Forward pass of a batch without dropout. Returns the metrics.
pub(super) fn eval_step(model: &Mlp, batch: &Batch) -> LazyMetrics {
    let (logits, targets) = (model.forward(batch.images()), batch.targets()); // [batch, classes], [batch]
    let loss = cross_entropy(logits.clone(), targets.clone(), batch.label_smoothing).mean(); // [1]
    metrics(logits, targets, loss)
}

/// Smallest number of rows in a matrix product of [`logits`]. For fewer rows, the products of flex
/// (the crate gemm) add in another order. Then the last bits of an image's logits would depend on
/// the other images.
const MIN_ROWS: usize = 65;
/// The same for a network with a layer of one neuron.
const MIN_ROWS_OF_ONE_NEURON: usize = 257;

/// Logits `[batch, classes]` of a batch, read from the device. The logits of an image are the same
/// alone and in a batch of any size on the same CPU backend, to the last bit: a small batch is
/// filled up with blank images.
///
/// # Errors
/// A device that fails.
pub(super) fn logits(model: &Mlp, batch: &Batch) -> Result<Vec<f32>> {
    let images = batch.images(); // [batch, height, width]
    let [num_images, height, width] = images.dims();
    // No batch of an evaluation is larger than this, so large images need no more memory.
    let has_one_neuron = model.layers().iter().any(|layer| layer.weight.dims()[1] == 1);
    let min_rows = if has_one_neuron { MIN_ROWS_OF_ONE_NEURON } else { MIN_ROWS };
    let num_rows = min_rows.min(evaluation_batch_size(height * width));
    let images = match num_rows.checked_sub(num_images) {
        None | Some(0) => images,
        Some(missing) => {
            let blank = Tensor::zeros([missing, height, width], &images.device());
            Tensor::cat(vec![images, blank], 0)
        }
    };
    let data = model.forward(images).slice(0..num_images).try_into_data();
    let data =
        data.map_err(|error| Error::backend(format!("the network's answer cannot be read: {error}")))?;
    Ok(data.iter::<f32>().collect())
}

/// Metrics of one batch from its `[batch, classes]` logits, `[batch]` targets and `[1]` mean loss.
/// They stay on the device until someone reads them.
fn metrics(logits: Tensor<2>, targets: Tensor<1, Int>, loss: Tensor<1>) -> LazyMetrics {
    let [num_images, _] = logits.dims();
    let predicted = logits.argmax(1).squeeze_dim::<1>(1); // [batch]
    let correct = predicted.equal(targets).int().sum(); // [1]
    LazyMetrics::on_device(loss, correct, num_images)
}
