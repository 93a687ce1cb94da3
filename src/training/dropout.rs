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
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::data::{Source, Split, Subset};

    #[test]
    fn every_step_of_every_experiment_has_a_seed_of_its_own() {
        let split = Split::whole(Source::mnist().load(Subset::Test).unwrap());
        let seed = |seed, step| {
            with_step_seed(Batch::new(&split, &[0], 0.0, &Device::flex()), seed, step).dropout_seed
        };
        assert!(seed(1, 0).is_some());
        assert_eq!(seed(1, 7), seed(1, 7));
        assert_ne!(seed(1, 0), seed(1, 1));
        assert_ne!(seed(1, 0), seed(2, 0));
    }
}
