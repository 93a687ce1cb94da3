//! Owns the random numbers: one seed of an experiment gives one independent stream per purpose.
//! Must not know tensors or devices. So every backend starts from the same weights and sees the
//! same order of images.

use chacha20::ChaCha8Rng;
use rand::SeedableRng;

/// Purpose of a stream of random numbers. Streams with different purposes are independent.
///
/// The numbers of the variants are a part of every result and must not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RngStream {
    /// Initial weights. The index is that of the layer.
    Weights = 1,
    /// Order of the training images. The index is the number of the epoch.
    Sampling = 2,
    /// Choice of the images held out for validation.
    TrainValSplit = 3,
    /// Seed of the dropout of a training step. The index is the number of the step in the whole
    /// training.
    Dropout = 4,
    /// Choice of the configurations of a study's grid that are trained.
    Sample = 5,
    /// Division of the images into folds.
    Folds = 6,
    /// Dropout mask, with the seed of the step instead of the experiment's. The index is made of
    /// layer and image.
    DropoutMask = 7,
    /// Choice of the test images of a data set that has none of its own.
    TestSplit = 8,
    /// Choice of a study's stopping images. The index is the number of the fold, or 0.
    StoppingSplit = 9,
    /// Random values of a study's ranges. The index is the number of the configuration.
    RandomPoint = 10,
    /// Scrambling of a study's Sobol' sequence. The index is that of the dimension.
    Scrambling = 11,
    /// Changes of a training image. The index is made of the epoch and the image.
    Augmentation = 12,
    /// Share of the images in the mixtures of a training step. The index is the number of the step in
    /// the whole training.
    Mixup = 13,
}

/// Returns the stream of random numbers for `seed`, `stream` and `index`.
///
/// It is ChaCha8 with a key of all three. The output of ChaCha8 is specified, so it is the same on
/// all platforms and in all releases.
pub(crate) fn rng(seed: u64, stream: RngStream, index: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&(stream as u64).to_le_bytes());
    key[16..24].copy_from_slice(&index.to_le_bytes());
    ChaCha8Rng::from_seed(key)
}

#[cfg(test)]
mod tests;
