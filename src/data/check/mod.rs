//! Owns the check of a data set: what a user should know about the images and labels before a
//! network learns from them. Depends on `data::range`, the doubts of
//! `preprocess` and `util::format`. Must not know files,
//! sources or networks, nor where the findings are shown.
//!
//! `duplicates`, `classes`, `pixels`, `appearance` and `shape` measure, `findings` puts the measures
//! into words.

mod appearance;
mod classes;
mod duplicates;
mod findings;
mod pixels;
mod shape;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::data::{ImagePixels, Pixels, ValueRange};
use crate::util::threads;

pub use appearance::{Appearance, Ink, Polarity};
pub use classes::{ClassCount, is_unbalanced};
pub use duplicates::{Duplicates, ImagePair, Pairs};
pub use findings::{Finding, FindingKind, Level};
use pixels::PixelStatistics;
pub use shape::Shape;

/// One part of a data set, borrowed for a check.
#[derive(Debug, Clone, Copy)]
pub struct CheckedPart<'a> {
    /// Pixels of all images, `height * width` each, row-major. 0 is the network's 0 and 255 its 1.
    pub pixels: &'a Pixels,
    /// Class of each image, an index into the names. Empty if the images have no labels.
    pub labels: &'a [u16],
}

/// A data set, borrowed for a check.
#[derive(Debug, Clone, Copy)]
pub struct CheckedData<'a> {
    /// The training images, with those that are held out of them for validation.
    pub train: CheckedPart<'a>,
    /// The test images, if there are any.
    pub test: Option<CheckedPart<'a>>,
    /// Rows per image, at least 1.
    pub height: usize,
    /// Columns per image, at least 1.
    pub width: usize,
    /// Name of each class.
    pub class_names: &'a [String],
    /// The values of the files that became 0 and 255.
    pub value_range: ValueRange,
}

/// The measures of a check. All indices of images count from 0 within their part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataCheck {
    /// Number of training images, with those that are held out of them for validation.
    pub train_images: usize,
    /// Number of test images. `None` if there is no test part.
    pub test_images: Option<usize>,
    /// Rows per image.
    pub height: usize,
    /// Columns per image.
    pub width: usize,
    /// Each class with its numbers of images.
    pub classes: Vec<ClassCount>,
    /// Share of right answers, 0 to 1, of a network that always answers the most frequent training
    /// class: on the test images if they have labels, or else on the training images.
    pub majority_accuracy: f64,
    /// Images that stand in the data set more than once.
    pub duplicates: Duplicates,
    /// The values of the files that became the network's 0 and 1.
    pub value_range: ValueRange,
    /// Smallest and largest value of the training images: a byte, after scaling.
    pub byte_range: (u8, u8),
    /// Number of pixels, of `height * width`, that have one and the same value in all training
    /// images.
    pub constant_pixels: usize,
    /// Number of training images whose pixels all have one value.
    pub blank_train_images: usize,
    /// Number of test images whose pixels all have one value.
    pub blank_test_images: usize,
    /// True if the images are not square and would be smoother with rows and columns exchanged: a
    /// file header may state the width before the height.
    pub exchanged_sides: bool,
    /// The look of the training images.
    pub appearance: Appearance,
}

impl DataCheck {
    /// Checks a data set. The time grows linearly with the number of pixels, apart from the sorting
    /// of one number an image. The memory is 16 bytes an image and a few a pixel of one image.
    ///
    /// Bytes at the end of `pixels` that make no whole image are ignored, and so are labels that
    /// have no name.
    pub fn new(data: &CheckedData<'_>) -> Self {
        let CheckedData { height, width, .. } = *data;
        let statistics = |part: CheckedPart<'_>| PixelStatistics::new(part.pixels, height, width);
        let of_pixels = || (statistics(data.train), data.test.map(statistics));
        let of_images = || (Duplicates::find(data), Appearance::of(data.train.pixels, height, width));
        let ((train, test), (duplicates, appearance)) = threads::both(of_pixels, of_images);
        let classes = classes::count(data);
        Self {
            train_images: train.images,
            test_images: test.as_ref().map(|test| test.images),
            height: data.height,
            width: data.width,
            majority_accuracy: classes::majority_accuracy(&classes),
            classes,
            duplicates,
            value_range: data.value_range,
            byte_range: train.byte_range,
            constant_pixels: train.constant_pixels,
            blank_train_images: train.blank_images,
            blank_test_images: test.map_or(0, |test| test.blank_images),
            exchanged_sides: pixels::has_exchanged_sides(data.train.pixels, data.height, data.width),
            appearance,
        }
    }
}

/// The images of a part, from its first. Each has `height * width` bytes.
fn images(
    pixels: &Pixels,
    height: usize,
    width: usize,
) -> impl ExactSizeIterator<Item = Cow<'_, [u8]>> + Clone {
    images_as_kept(pixels, height, width).map(ImagePixels::to_bytes)
}

/// The same images, each in the form in which it is kept.
fn images_as_kept(
    pixels: &Pixels,
    height: usize,
    width: usize,
) -> impl ExactSizeIterator<Item = ImagePixels<'_>> + Clone {
    let image_len = height.saturating_mul(width).max(1);
    (0..pixels.len() / image_len).map(move |index| pixels.image(index, image_len))
}

#[cfg(test)]
mod tests;
