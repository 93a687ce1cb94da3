//! Owns the images and labels of one subset of a data set, in memory.
//! Depends on `error` and `util` alone. Must not know files, splits or tensors.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The training part or the test part of a data set, as its author divided it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subset {
    /// The images that a network learns from. Validation images are taken from these.
    Train,
    /// The images that a network is only ever evaluated on.
    Test,
}

/// One subset of a data set: at least one image, and one label per image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageDataset {
    /// Pixels of all images: `len() * height * width` bytes, row-major, 0 is background. Image `i`
    /// starts at `i * height * width`.
    pub pixels: Vec<u8>,
    /// Class of each image, from 0.
    pub labels: Vec<u8>,
    /// Rows per image.
    pub height: usize,
    /// Columns per image.
    pub width: usize,
    /// Name of the file of the images, for messages.
    pub images_name: String,
    /// Name of the file of the labels, for messages.
    pub labels_name: String,
}

/// The size of the images and the number of classes, which the test images share with the training
/// images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputSpec {
    /// Rows per image.
    pub height: usize,
    /// Columns per image.
    pub width: usize,
    /// Number of classes: the highest training label plus 1.
    pub num_classes: usize,
}

impl InputSpec {
    /// True if a data set can have this size and this number of classes. A record of an untrusted
    /// folder may contain any numbers. Labels are bytes, so there are at most 256 classes.
    pub fn is_possible(&self) -> bool {
        let pixels = self.height.checked_mul(self.width);
        pixels.is_some_and(|pixels| (1..=1 << 26).contains(&pixels)) && (1..=256).contains(&self.num_classes)
    }
}

impl ImageDataset {
    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// True if there are no images, which is never so for a loaded data set.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Height and width of every image, in pixels.
    pub fn image_size(&self) -> (usize, usize) {
        (self.height, self.width)
    }

    /// Number of classes: the highest label plus 1.
    pub fn num_classes(&self) -> usize {
        self.labels.iter().max().map_or(0, |&label| usize::from(label) + 1)
    }

    /// Size and number of classes that other images of the same data set must have, too.
    pub fn input_spec(&self) -> InputSpec {
        InputSpec { height: self.height, width: self.width, num_classes: self.num_classes() }
    }

    /// Checks that a network trained on images of `train` can be evaluated on these.
    ///
    /// # Errors
    /// The images differ in size, or a label is not among the classes of the training images.
    pub fn check_input_spec(&self, train: InputSpec) -> Result<()> {
        let InputSpec { height, width, num_classes } = train;
        if self.image_size() != (height, width) {
            return Err(Error::data(format!(
                "the images in `{}` have {}x{} pixels, expected {height}x{width} as in the training images",
                self.images_name, self.height, self.width
            )));
        }
        match self.labels.iter().position(|&label| usize::from(label) >= num_classes) {
            None => Ok(()),
            Some(index) => Err(Error::data(format!(
                "label {} of image {index} in `{}` is out of range: the training labels go from 0 to {}",
                self.labels[index],
                self.labels_name,
                num_classes.saturating_sub(1)
            ))),
        }
    }
}
