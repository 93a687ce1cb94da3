//! Owns the images: their sources, their division into splits, and the batches that become tensors.
//! Depends on `error` and `util`. Must not know networks or training.

mod augmentation;
mod check;
mod classes;
mod config;
mod convert;
mod dataset;
mod device_images;
mod digest;
mod fetch;
mod load;
mod loader;
mod mixup;
mod picture_files;
mod pixels;
mod preparation;
mod preprocess;
mod progress;
mod range;
mod sources;
mod split;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use burn::tensor::{Device, Int, Tensor};
use burn_dataset::{Dataset, DatasetError};

use device_images::DeviceImages;

use crate::error::Error;
use crate::util::format::counted;

pub use augmentation::{AugmentScratch, AugmentationConfig, Augmenter};
pub use check::{
    Appearance, CheckedData, CheckedPart, ClassCount, DataCheck, Duplicates, Finding, FindingKind, ImagePair,
    Ink, Level, Pairs, Polarity, Shape, is_unbalanced,
};
pub use classes::Classes;
pub use config::DataConfig;
pub(crate) use config::SHIPPED_NUM_TRAIN;
#[cfg(feature = "exercise")]
pub(crate) use config::scaled_validation;
pub use dataset::{ImageDataset, InputSpec, Subset};
pub use fetch::{FetchEvent, fetch};
pub use load::{DataProperties, LoadedData, RawData};
pub use loader::{Batch, EVALUATION_BATCH_SIZE, ImageBuffer, Loader, Sampling, evaluation_batch_size};
pub use mixup::Mixup;
pub use picture_files::{PictureFile, find_pictures};
pub use pixels::{BlockPixels, Pixels};
pub use preparation::{PicturePreparer, Preparation, PreparedImage};
pub use preprocess::{DigitSheet, Doubt, PreparedPicture, SheetDigit, SheetPicture, read_digit, read_sheet};
pub use progress::{ReadObserver, ReadProgress, observe_reading};
pub use range::ValueRange;
pub use smallnet_kernels::{ImagePixels, normalize};
pub use sources::catalog::{CatalogEntry, catalog_entries, size_text};
pub(crate) use sources::natural_order;
pub use sources::{DataSource, Mnist, RawImages, RawLabels, RawPixels, ReadOptions, Source};
pub(crate) use split::draw_stopping;
pub use split::{Folds, TrainValSplit, check_folds, draw_test, fold_size};

/// Some images of a data set, as indices into the images of the whole data set, which splits share.
#[derive(Debug, Clone)]
pub struct Split {
    images: Arc<ImageDataset>,
    /// Index in `images` of each image of the split.
    indices: Arc<[u32]>,
    /// The same images in the memory of a GPU.
    on_device: Option<DeviceImages>,
}

impl Split {
    /// Makes a split of all images of a data set.
    pub fn whole(images: ImageDataset) -> Self {
        let indices = (0..images.len() as u32).collect();
        let pixels = images.pixels.without_background(images.height * images.width);
        Self { images: Arc::new(ImageDataset { pixels, ..images }), indices, on_device: None }
    }

    /// Returns the same split, whose batches for `device` are gathered there if it is a GPU. The whole
    /// data set is sent to it, unless it was sent before, for this split or for `other`. A process uses
    /// one GPU.
    pub(crate) fn held_on(self, device: &Device, other: Option<&Self>) -> Self {
        if self.on_device.is_some() {
            return self;
        }
        let shared = other.filter(|other| Arc::ptr_eq(&other.images, &self.images));
        let on_device = match shared {
            Some(other) => other.on_device.clone(),
            None => DeviceImages::of(&self.images, device),
        };
        Self { on_device, ..self }
    }

    /// Gathers the images at the given positions of some splits of one data set on the GPU that holds it.
    /// Returns the images `[images, height, width]` and their labels `[images]`, on a device that is not
    /// an autodiff device. None if no GPU holds the data set, or if there are several data sets.
    pub(crate) fn gather_held(parts: &[(&Self, &[u32])]) -> Option<(Tensor<3>, Tensor<1, Int>)> {
        let (first, _) = parts.first()?;
        let held = first.on_device.as_ref()?;
        if parts.iter().any(|(split, _)| !Arc::ptr_eq(&split.images, &first.images)) {
            return None;
        }
        let in_data_set = |(split, positions): &(&Self, &[u32])| -> Vec<u32> {
            positions.iter().map(|&position| split.indices[position as usize]).collect()
        };
        let indices = held.send(parts.iter().flat_map(in_data_set));
        Some((held.images(indices.clone()), held.labels(indices)))
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// True if there are no images.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// Height and width of every image, in pixels.
    pub fn image_size(&self) -> (usize, usize) {
        (self.images.height, self.images.width)
    }

    /// True if the class of each image is known.
    pub fn is_labelled(&self) -> bool {
        self.images.is_labelled()
    }

    /// Returns image `index` of the split, row-major bytes with 0 as the network's 0, and its
    /// label, which is 0 if the images have no labels: see [`Split::is_labelled`].
    ///
    /// # Panics
    /// If `index` is not below [`Split::len`].
    pub fn image(&self, index: usize) -> (Cow<'_, [u8]>, u16) {
        (self.pixels(index).to_bytes(), self.label(index))
    }

    /// Returns the pixels of image `index` of the split, as they are kept.
    ///
    /// # Panics
    /// If `index` is not below [`Split::len`].
    #[inline]
    pub fn pixels(&self, index: usize) -> ImagePixels<'_> {
        let ImageDataset { pixels, height, width, .. } = &*self.images;
        pixels.image(self.indices[index] as usize, height * width)
    }

    /// Returns the label of image `index` of the split, which is 0 if the images have no labels.
    ///
    /// # Panics
    /// If `index` is not below [`Split::len`].
    #[inline]
    pub fn label(&self, index: usize) -> u16 {
        self.images.labels.get(self.indices[index] as usize).copied().unwrap_or_default()
    }

    /// Returns the index in the data set of image `index` of the split.
    ///
    /// # Panics
    /// If `index` is not below [`Split::len`].
    pub(crate) fn index_in_data_set(&self, index: usize) -> u32 {
        self.indices[index]
    }

    /// Returns image `index` as [`Split::image`] does, after a check. `name` is the name of the
    /// split in the message.
    ///
    /// # Errors
    /// `index` is not below [`Split::len`].
    pub fn get(&self, index: usize, name: &str) -> Result<(Cow<'_, [u8]>, u16), Error> {
        if index < self.len() {
            return Ok(self.image(index));
        }
        let (count, last) = (counted(self.len(), "image", "images"), self.len().saturating_sub(1));
        Err(Error::data(format!(
            "there is no image {index} in the {name} split: it has {count}, 0 to {last}"
        )))
    }

    /// Smallest and largest value of all pixels, 0 and 0 without images.
    pub fn value_range(&self) -> (u8, u8) {
        pixels::min_max((0..self.len()).map(|index| self.pixels(index)))
    }

    /// Number of images of each of `num_classes` classes. All are 0 if the images have no labels.
    pub fn class_counts(&self, num_classes: usize) -> Vec<usize> {
        let mut counts = vec![0; num_classes];
        if !self.is_labelled() {
            return counts;
        }
        for index in 0..self.len() {
            counts[usize::from(self.label(index))] += 1;
        }
        counts
    }

    /// Indices of the first `count` images of each of `num_classes` classes. A class with fewer
    /// images has fewer indices. There are none if the images have no labels.
    pub fn first_per_class(&self, num_classes: usize, count: usize) -> Vec<Vec<usize>> {
        let mut classes = vec![Vec::new(); num_classes];
        if !self.is_labelled() {
            return classes;
        }
        for index in 0..self.len() {
            let class: &mut Vec<usize> = &mut classes[usize::from(self.label(index))];
            if class.len() < count {
                class.push(index);
            }
        }
        classes
    }

    /// Returns the label of each image. Empty if the images have no labels.
    pub fn labels(&self) -> Vec<u16> {
        if !self.is_labelled() {
            return Vec::new();
        }
        (0..self.len()).map(|index| self.label(index)).collect()
    }

    /// Makes a split of the images at `positions` of this one, in that order. Every position must
    /// be below [`Split::len`].
    ///
    /// # Panics
    /// If a position is not within the split.
    pub fn select(&self, positions: &[u32]) -> Self {
        let indices = positions.iter().map(|&position| self.indices[position as usize]).collect();
        Self { indices, ..self.clone() }
    }

    /// Makes a split of the images with the indices `range` of this one.
    ///
    /// # Panics
    /// If the range is not within the split.
    pub fn slice(&self, range: Range<usize>) -> Self {
        Self { indices: self.indices[range].into(), ..self.clone() }
    }
}

/// One-hot code of `label`, which must be below `num_classes`: 1 at the label's index, 0 everywhere
/// else.
pub fn one_hot(label: u16, num_classes: usize) -> Vec<u8> {
    (0..num_classes).map(|class| u8::from(class == usize::from(label))).collect()
}

/// One image with its label, for the data set transforms of Burn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Pixels, row-major, 0 is background.
    pub pixels: Vec<u8>,
    /// Class, from 0.
    pub label: u16,
}

impl Dataset<Item> for Split {
    fn get(&self, index: usize) -> Result<Item, DatasetError> {
        let (pixels, label) = self.image(index);
        Ok(Item { pixels: pixels.into_owned(), label })
    }

    fn len(&self) -> usize {
        self.indices.len()
    }
}

#[cfg(test)]
mod tests;
