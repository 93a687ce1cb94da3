//! Owns the images: where their bytes come from, which split each belongs to, and how a batch of them becomes
//! a tensor. Knows no network and no training.

mod config;
mod loader;
mod preprocess;
mod sources;
mod split;

use std::ops::Range;
use std::sync::Arc;

use burn_dataset::{Dataset, DatasetError};

use crate::error::Error;
use crate::util::format::counted;

pub use config::DataConfig;
pub use loader::{Batch, EVALUATION_BATCH_SIZE, Loader, Sampling};
pub use preprocess::read_digit;
pub use sources::{ImageDataset, InputSpec, Source, Subset};
pub use split::{Folds, TrainValSplit, check_folds, fold_size};

/// Some images of a data set: indices into one shared block of bytes.
#[derive(Debug, Clone)]
pub struct Split {
    images: Arc<ImageDataset>,
    indices: Arc<[u32]>,
}

impl Split {
    /// The images at `indices`, in that order. Every index must be below `images.len()`.
    pub fn new(images: Arc<ImageDataset>, indices: Vec<u32>) -> Self {
        Self { images, indices: indices.into() }
    }

    /// All images of one part of a data set.
    pub fn whole(images: ImageDataset) -> Self {
        let indices = (0..images.len() as u32).collect();
        Self::new(Arc::new(images), indices)
    }

    /// The number of images.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// Whether there is no image at all.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// Height and width of every image, in pixels.
    pub fn image_size(&self) -> (usize, usize) {
        (self.images.height, self.images.width)
    }

    /// Image `position` of the split, row-major bytes with 0 as background, and its label.
    ///
    /// # Panics
    /// When `position` is not below [`Split::len`].
    pub fn image(&self, position: usize) -> (&[u8], u8) {
        let index = self.indices[position] as usize;
        let size = self.images.height * self.images.width;
        (&self.images.pixels[index * size..(index + 1) * size], self.images.labels[index])
    }

    /// Image `position` as [`Split::image`] gives it, if the split, called `name` in the message, has it.
    ///
    /// # Errors
    /// A position beyond the last image.
    pub fn get(&self, position: usize, name: &str) -> Result<(&[u8], u8), Error> {
        if position < self.len() {
            return Ok(self.image(position));
        }
        let (count, last) = (counted(self.len(), "image", "images"), self.len().saturating_sub(1));
        Err(Error::data(format!(
            "there is no image {position} in the {name} split: it has {count}, 0 to {last}"
        )))
    }

    /// The smallest and the largest value of all pixels.
    pub fn value_range(&self) -> (u8, u8) {
        let pixels = || (0..self.len()).flat_map(|position| self.image(position).0);
        (pixels().min().copied().unwrap_or(0), pixels().max().copied().unwrap_or(0))
    }

    /// How many images there are of each of `num_classes` classes.
    pub fn class_counts(&self, num_classes: usize) -> Vec<usize> {
        let mut counts = vec![0; num_classes];
        for position in 0..self.len() {
            counts[usize::from(self.image(position).1)] += 1;
        }
        counts
    }

    /// The positions of the first `count` images of each of `num_classes` classes; of a class with fewer, all.
    pub fn first_of_each_class(&self, num_classes: usize, count: usize) -> Vec<Vec<usize>> {
        let mut classes = vec![Vec::new(); num_classes];
        for position in 0..self.len() {
            let class: &mut Vec<usize> = &mut classes[usize::from(self.image(position).1)];
            if class.len() < count {
                class.push(position);
            }
        }
        classes
    }

    /// The images at positions `range`.
    ///
    /// # Panics
    /// When the range does not lie within the split.
    pub fn slice(&self, range: Range<usize>) -> Self {
        Self { images: self.images.clone(), indices: self.indices[range].into() }
    }
}

/// The one-hot code of `label`, which must be below `num_classes`: 1 at its place, 0 everywhere else.
pub fn one_hot(label: u8, num_classes: usize) -> Vec<u8> {
    (0..num_classes).map(|class| u8::from(class == usize::from(label))).collect()
}

/// One image with its label, as Burn's data set transforms take it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Row-major pixels, 0 is background.
    pub pixels: Vec<u8>,
    /// The class.
    pub label: u8,
}

impl Dataset<Item> for Split {
    fn get(&self, index: usize) -> Result<Item, DatasetError> {
        let (pixels, label) = self.image(index);
        Ok(Item { pixels: pixels.to_vec(), label })
    }

    fn len(&self) -> usize {
        self.indices.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_hot_rows() {
        assert_eq!(one_hot(5, 10), [0, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
        assert_eq!(one_hot(0, 1), [1]);
    }
}
