//! Owns the computation of dense networks on the CPU without tensors: on the memory of flex tensors
//! as slices, with vector instructions and its own thread pool. It gives the same results as
//! `engine::autodiff`, up to rounding. Depends on `util`, `data`, `model`, `optim` and, in the
//! engine, on `metrics` and `model_batch`. Must not know training loops. Only `engine/mod.rs` names
//! this module.
//!
//! | computed here | when | otherwise |
//! |---|---|---|
//! | training step, evaluation step, logits | weights on flex, with biases | `engine::autodiff` |
//! | update: every optimizer | tensors on flex | the update with tensors, in `optim` |
//! | moving average of the weights | tensors on flex | `engine::average` |
//! | model batch | softmax networks, plain gradient descent | `engine::vectorized` |
//!
//! Flex tensors must be in single precision, and each layer must have a bias. The networks of a
//! model batch must have no hidden layer, no weight decay and one label smoothing for all.
//!
//! `--engine autodiff` switches the module off for a run. A build without the feature `cpu-engine`
//! does not have it.
//!
//! A training step passes through these files. `step` takes the images of a batch forward and
//! backward; `first_layer` shares the first layer among threads. It calls `network`, which applies
//! `smallnet_kernels` and `activation` to slices. `threads` shares the work among threads. `optimizer`
//! updates the weights. Only `buffer` converts between tensors and slices.

mod activation;
mod average;
mod buffer;
#[cfg(test)]
mod cores;
mod first_layer;
mod model_batch;
mod network;
mod optimizer;
mod step;
#[cfg(test)]
mod tests;
mod threads;

use burn::train::TrainOutput;

use crate::data::Batch;
use crate::engine::metrics::LazyMetrics;
use crate::model::Mlp;

pub(super) use average::FusedAverage;
pub(super) use model_batch::CpuModelBatch;
pub(super) use optimizer::optimizer;
pub(super) use threads::pool::Session;

/// Forward and backward pass of a batch; none if the weights are not on flex in single precision,
/// or a layer has no bias.
pub(super) fn train_step(model: &Mlp, batch: &Batch) -> Option<TrainOutput<LazyMetrics>> {
    step::train_step(model, batch).map(|(grads, metrics)| TrainOutput { grads, item: metrics.into() })
}

/// Forward pass of a batch without dropout; none as for [`train_step`].
pub(super) fn eval_step(model: &Mlp, batch: &Batch) -> Option<LazyMetrics> {
    step::eval_step(model, batch).map(LazyMetrics::from)
}

/// Logits `[batch, classes]` of a batch, row by row; none as for [`train_step`].
pub(super) fn logits(model: &Mlp, batch: &Batch) -> Option<Vec<f32>> {
    step::logits(model, batch)
}

/// Returns whether this engine computes `model`; see [`train_step`].
pub(super) fn computes(model: &Mlp) -> bool {
    network::CpuNetwork::of(model).is_some()
}

/// Activates the thread pool for passes of `num_images` images at a time through `model`; none if
/// one thread is as fast, or if the CPU engine does not compute `model`.
pub(super) fn session(model: &Mlp, num_images: usize) -> Option<Session> {
    let is_worth_it = threads::should_parallelize(model, num_images) && computes(model);
    is_worth_it.then(threads::pool::activate)
}
