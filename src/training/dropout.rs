//! What dropout leaves out follows from the experiment's seed and the step, so that a training can go on from any step.

use rand::Rng;

use crate::data::Batch;
use crate::random::{Purpose, stream};

/// Gives `batch` the seed of what `step` leaves out, counted from 0 over the whole training. `seed` is the experiment's.
pub(super) fn seeded(batch: Batch, seed: u64, step: usize) -> Batch {
    batch.with_dropout_seed(stream(seed, Purpose::Dropout, step as u64).next_u64())
}
