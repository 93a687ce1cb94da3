//! Owns the computation of dense networks on the CPU without tensors: on the memory of flex tensors as slices, with
//! vector instructions and a thread pool of its own. It gives the same results as `engine::autodiff`, up to rounding.
//! Depends on `data`, `model`, `optim` and `backend`. Must not know training loops; only `engine/mod.rs` names this module.
//!
//! | computed here | when | otherwise |
//! |---|---|---|
//! | training step, evaluation step, logits | weights on flex, in single precision, each layer with a bias | `engine::autodiff` |
//! | update: SGD, Adam, AdamW, RMSprop | tensors on flex | the update with tensors, in `optim` |
//! | many softmax networks in one batch | plain gradient descent, one label smoothing | `engine::vectorized` |
//!
//! `--engine autodiff` switches it off for a run; a build without the feature `cpu-engine` does not have it.

mod activation;
mod buffer;
#[cfg(test)]
mod cores;
mod kernels;
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

pub(super) use model_batch::CpuModelBatch;
pub(super) use optimizer::optimizer;
pub(super) use threads::pool::Session;

/// Forward and backward pass of a batch; none if the weights are not on flex.
pub(super) fn train_step(model: &Mlp, batch: &Batch) -> Option<TrainOutput<LazyMetrics>> {
    step::train_step(model, batch).map(|(grads, metrics)| TrainOutput { grads, item: metrics.into() })
}

/// Forward pass of a batch without dropout; none if the weights are not on flex.
pub(super) fn eval_step(model: &Mlp, batch: &Batch) -> Option<LazyMetrics> {
    step::eval_step(model, batch).map(LazyMetrics::from)
}

/// Logits `[batch, classes]` of a batch; none if the weights are not on flex.
pub(super) fn logits(model: &Mlp, batch: &Batch) -> Option<Vec<f32>> {
    step::logits(model, batch)
}

/// Activates the thread pool for passes of `num_images` images at a time through `model`; none if one thread is as fast.
pub(super) fn session(model: &Mlp, num_images: usize) -> Option<Session> {
    let is_worth_it =
        threads::should_parallelize(model, num_images) && network::CpuNetwork::of(model).is_some();
    is_worth_it.then(threads::pool::activate)
}
