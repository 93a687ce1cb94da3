//! Owns the seed of each step's dropout masks. It follows from the experiment's seed and the step,
//! so that a training can be resumed from any step.
//! Depends on `data` and the random streams of `util`. Must not know the masks.

use rand::Rng;

use crate::data::Batch;
use crate::util::rng::{RngStream, rng};

/// Gives `batch` the seed of its dropout masks. `seed` is the experiment's, and `step` is counted
/// from 0 over the whole training.
pub(crate) fn with_step_seed(batch: Batch, seed: u64, step: usize) -> Batch {
    batch.with_dropout_seed(rng(seed, RngStream::Dropout, step as u64).next_u64())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
