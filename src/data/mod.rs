//! Owns the images: where their bytes come from, which split each belongs to, and how a batch of them becomes
//! a tensor. Knows no network and no training.

mod config;
mod embedded;
mod folder;
mod idx;
mod loader;
mod source;
mod split;

use std::ops::Range;
use std::sync::Arc;

use burn_dataset::{Dataset, DatasetError};

pub use config::DataConfig;
pub use loader::{Batch, EVALUATION_BATCH_SIZE, Loader, Order};
pub use source::{Images, Layout, Part, Source};
pub use split::Holdout;

/// Some images of a data set: indices into one shared block of bytes.
#[derive(Debug, Clone)]
pub struct Split {
    images: Arc<Images>,
    indices: Arc<[u32]>,
}

impl Split {
    /// The images at `indices`, in that order. Every index must be below `images.len()`.
    pub fn new(images: Arc<Images>, indices: Vec<u32>) -> Self {
        Self { images, indices: indices.into() }
    }

    /// All images of one part of a data set.
    pub fn whole(images: Images) -> Self {
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

    /// The images at positions `range`.
    ///
    /// # Panics
    /// When the range does not lie within the split.
    pub fn slice(&self, range: Range<usize>) -> Self {
        Self { images: self.images.clone(), indices: self.indices[range].into() }
    }
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
