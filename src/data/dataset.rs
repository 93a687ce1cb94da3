//! Owns the images and labels of one subset of a data set, in memory.
//! Depends on `pixels`, `error` and `util` alone. Must not know files, splits or tensors.

use serde::{Deserialize, Serialize};

use crate::data::Pixels;
use crate::error::{Error, Result};

/// One part of a data set, as its author divided it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subset {
    /// The images that a network learns from. Validation images are taken from these.
    Train,
    /// Validation images that the author of the data set chose. Few data sets have them.
    Validation,
    /// The images that a network is only ever evaluated on.
    Test,
}

/// One subset of a data set: at least one image, and one label per image or none at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageDataset {
    /// Pixels of all images: `height * width` each, row-major. 0 is the network's 0, 255 its 1.
    pub pixels: Pixels,
    /// Class of each image, from 0. Empty if the images have no labels.
    pub labels: Vec<u16>,
    /// Rows per image.
    pub height: usize,
    /// Columns per image.
    pub width: usize,
    /// Name of the file of the images, for messages.
    pub images_name: String,
}

/// The size of the images and the number of classes, which the test images share with the training
/// images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputSpec {
    /// Rows per image.
    pub height: usize,
    /// Columns per image.
    pub width: usize,
    /// Number of classes.
    pub num_classes: usize,
}

impl InputSpec {
    /// True if a data set can have this size and this number of classes. A record of an untrusted
    /// folder may contain any numbers. A label has 16 bits, so there are at most 65,536 classes.
    pub fn is_possible(&self) -> bool {
        let pixels = self.height.checked_mul(self.width);
        pixels.is_some_and(|pixels| (1..=1 << 26).contains(&pixels))
            && (1..=1 << 16).contains(&self.num_classes)
    }
}

impl ImageDataset {
    /// Number of images.
    pub fn len(&self) -> usize {
        self.pixels.len() / (self.height * self.width).max(1)
    }

    /// True if there are no images, which is never so for a loaded data set.
    pub fn is_empty(&self) -> bool {
        self.pixels.is_empty()
    }

    /// True if the class of each image is known.
    pub fn is_labelled(&self) -> bool {
        !self.labels.is_empty()
    }

    /// Height and width of every image, in pixels.
    pub fn image_size(&self) -> (usize, usize) {
        (self.height, self.width)
    }

    /// Checks that the images have `height` rows and `width` columns, as a network takes them.
    ///
    /// # Errors
    /// The images have another size.
    pub fn check_size(&self, height: usize, width: usize) -> Result<()> {
        if self.image_size() == (height, width) {
            return Ok(());
        }
        Err(Error::data(format!(
            "the images in `{}` have {}x{} pixels, expected {height}x{width} as in the training images",
            self.images_name, self.height, self.width
        )))
    }
}
