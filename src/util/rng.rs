//! Owns the random numbers: from one experiment seed, one independent stream for each purpose.
//! Knows no tensor and no device, so every backend starts from the same weights and sees the same order.

use chacha20::ChaCha8Rng;
use rand::SeedableRng;

/// What a stream of random numbers is for. Streams of different purposes are independent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RngStream {
    /// Initial weights; the index is the layer's.
    Weights = 1,
    /// The order of the training images; the index is the epoch's.
    Sampling = 2,
    /// Which images are held out for validation.
    TrainValSplit = 3,
    /// The seed of what a training step leaves out; the index is the step's, over the whole training.
    Dropout = 4,
    /// Which settings of a study's grid are tried.
    Sample = 5,
    /// Which fold an image belongs to.
    Folds = 6,
    /// What a step leaves out, under the step's own seed; the index is made of layer and image.
    DropoutMask = 7,
}

/// The stream of random numbers for `purpose` and `index` under the experiment's `seed`.
///
/// ChaCha8 keyed by all three: its output is specified, so it stays the same across platforms and releases.
pub(crate) fn rng(seed: u64, purpose: RngStream, index: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&(purpose as u64).to_le_bytes());
    key[16..24].copy_from_slice(&index.to_le_bytes());
    ChaCha8Rng::from_seed(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    #[test]
    fn streams_repeat_and_differ() {
        let first = |seed, purpose, index| rng(seed, purpose, index).next_u64();
        let reference = first(1, RngStream::Sampling, 1);
        assert_eq!(reference, first(1, RngStream::Sampling, 1));
        assert_ne!(reference, first(2, RngStream::Sampling, 1));
        assert_ne!(reference, first(1, RngStream::Weights, 1));
        assert_ne!(reference, first(1, RngStream::Sampling, 2));
    }
}
