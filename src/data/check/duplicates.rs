//! Owns the search for images that stand in a data set more than once. Depends on `check`'s input.
//! Must not know words.
//!
//! Each image is hashed once. The pixels of images with equal hashes are compared, so that the
//! result is exact. The numbers are sorted, so no data set takes quadratic time.

use serde::{Deserialize, Serialize};

use super::{CheckedData, images_as_kept};
use crate::data::{ImagePixels, Pixels};

/// Number of pairs that a record keeps as examples.
const MAX_EXAMPLES: usize = 5;

/// Two images with equal pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ImagePair {
    /// Index of the image in its part.
    pub image: usize,
    /// Index of a training image that has the same pixels.
    pub same_as: usize,
}

/// Images for which there is an equal training image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pairs {
    /// Number of images.
    pub count: usize,
    /// The first of them, at most 5, by index.
    pub examples: Vec<ImagePair>,
}

impl Pairs {
    fn add(&mut self, image: usize, same_as: usize) {
        self.count += 1;
        let pair = ImagePair { image, same_as };
        if self.examples.len() == MAX_EXAMPLES && self.examples.last().is_some_and(|last| *last < pair) {
            return;
        }
        self.examples.push(pair);
        self.examples.sort_unstable();
        self.examples.truncate(MAX_EXAMPLES);
    }
}

/// Images of a data set that are equal in every pixel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duplicates {
    /// Test images that are also training images.
    pub test_in_training: Pairs,
    /// Training images that repeat an earlier training image.
    pub within_training: Pairs,
    /// Training images that have another label than an equal training image. Both count.
    pub two_labels_in_training: Pairs,
    /// Test images that have another label than an equal training image.
    pub two_labels_in_test: Pairs,
}

impl Duplicates {
    /// Finds them.
    pub(super) fn find(data: &CheckedData<'_>) -> Self {
        Self::find_with(data, hash)
    }

    fn find_with(data: &CheckedData<'_>, hash: fn(ImagePixels<'_>) -> u64) -> Self {
        let size = data.height.saturating_mul(data.width).max(1);
        let as_kept = |pixels| images_as_kept(pixels, data.height, data.width);
        let num_train = as_kept(data.train.pixels).len();
        let test_pixels = data.test.map(|test| test.pixels);
        // Test images are numbered after the training images.
        let image = |index: usize| match index.checked_sub(num_train) {
            None => Some(data.train.pixels.image(index, size).to_bytes()),
            Some(index) => test_pixels.map(|pixels| pixels.image(index, size).to_bytes()),
        };
        let parts = || [Some(data.train.pixels), test_pixels].into_iter().flatten();
        let in_blocks = parts().filter(|pixels| matches!(pixels, Pixels::Blocks(_))).count();
        // Equal images have equal hashes only if both are kept in the same form.
        let is_one_form = in_blocks == 0 || in_blocks == parts().count();
        let hash_of = |image: ImagePixels<'_>| match is_one_form {
            true => hash(image),
            false => hash(ImagePixels::Bytes(&image.to_bytes())),
        };
        let all = parts().flat_map(as_kept).enumerate();
        let mut hashes: Vec<(u64, usize)> = all.map(|(index, image)| (hash_of(image), index)).collect();
        hashes.sort_unstable();

        let mut found = Self::default();
        for group in hashes.chunk_by_mut(|a, b| a.0 == b.0).filter(|group| group.len() > 1) {
            // The group is sorted by index. If all pixels are equal, this needs one comparison an
            // image.
            group.sort_unstable_by(|a, b| image(a.1).cmp(&image(b.1)).then(a.1.cmp(&b.1)));
            for equal in group.chunk_by(|a, b| image(a.1) == image(b.1)) {
                let (train, test) = equal.split_at(equal.partition_point(|entry| entry.1 < num_train));
                found.add_group(data, train, test, num_train);
            }
        }
        found
    }

    /// Adds the images with the same pixels: those of the training images and those of the test
    /// images, each as hash and index.
    fn add_group(
        &mut self,
        data: &CheckedData<'_>,
        train: &[(u64, usize)],
        test: &[(u64, usize)],
        num_train: usize,
    ) {
        let [(_, first), copies @ ..] = train else { return };
        let label_of = |index: usize| data.train.labels.get(index);
        let other = copies.iter().map(|copy| copy.1).find(|&copy| label_of(copy) != label_of(*first));
        for &(_, copy) in copies {
            self.within_training.add(copy, *first);
        }
        if let Some(other) = other {
            for &(_, index) in train {
                let same_as = if label_of(index) == label_of(*first) { other } else { *first };
                self.two_labels_in_training.add(index, same_as);
            }
        }
        for &(_, index) in test {
            let index = index - num_train;
            self.test_in_training.add(index, *first);
            let Some(label) = data.test.and_then(|test| test.labels.get(index)) else { continue };
            let differs = |&train: &usize| label_of(train).is_some_and(|other| other != label);
            if let Some(same_as) = [Some(*first), other].into_iter().flatten().find(differs) {
                self.two_labels_in_test.add(index, same_as);
            }
        }
    }
}

/// Hash of an image in the form in which it is kept. Anybody can make images with equal hashes; they only
/// cost comparisons.
fn hash(image: ImagePixels<'_>) -> u64 {
    match image {
        ImagePixels::Bytes(bytes) => hash_of_bytes(bytes),
        ImagePixels::Blocks { numbers, blocks, .. } => {
            mix(hash_of_bytes(numbers), hash_of_bytes(blocks.as_flattened()))
        }
    }
}

/// Adds `word` to the `state` of a hash.
fn mix(state: u64, word: u64) -> u64 {
    /// An odd number without a pattern: 2^64 divided by the golden ratio.
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    (state.rotate_left(29) ^ word).wrapping_mul(FACTOR)
}

/// Hash of bytes: eight at a time in four independent chains, which the processor computes side by side.
fn hash_of_bytes(bytes: &[u8]) -> u64 {
    let (blocks, rest) = bytes.as_chunks::<32>();
    let mut chains = [1_u64, 2, 3, 4];
    for block in blocks {
        for (chain, word) in chains.iter_mut().zip(block.as_chunks::<8>().0) {
            *chain = mix(*chain, u64::from_le_bytes(*word));
        }
    }
    let start = chains.into_iter().fold(0, mix);
    let state = rest.iter().fold(start, |state, &byte| mix(state, u64::from(byte)));
    state ^ (state >> 32)
}

#[cfg(test)]
mod tests;
