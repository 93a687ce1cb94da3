//! Owns what a source reads: the pixels and labels of one part of a data set as its files hold
//! them, with any range of pixel values and any labels. Depends on `error`. Must not know files,
//! nor the network's classes and pixel range, which `data::load` decides.

use std::cmp::Ordering;
use std::collections::HashMap;

use crate::data::{BlockPixels, pixels};
use crate::error::{Error, Result};
use crate::util::format::counted;

/// Number of values in a block of [`RawPixels::Floats`].
pub(crate) const FLOATS_PER_BLOCK: usize = 1 << 20;

/// One part of a data set, as its files hold it: at least one image.
#[derive(Debug, Clone)]
pub struct RawImages {
    /// Pixels of all images: `count * height * width` values, row-major. Image `i` starts at
    /// `i * height * width`.
    pub pixels: RawPixels,
    /// Number of images, at least 1.
    pub count: usize,
    /// Rows per image, at least 1.
    pub height: usize,
    /// Columns per image, at least 1.
    pub width: usize,
    /// Labels of all images. `None` if the files have none.
    pub labels: Option<RawLabels>,
    /// Names of classes that the files state, each with its label. They may name more labels than
    /// there are. Empty if the files state none: a label is then its own name.
    pub class_names: Vec<(String, String)>,
    /// Name of the file of the images, for messages.
    pub images_name: String,
    /// Name of the file of the labels, for messages.
    pub labels_name: String,
    /// True if the source knows that rows and columns of its images are exchanged, as in EMNIST.
    pub transposed: bool,
    /// Sentences about what the reader decided or left out, for the user: `the images are coloured:
    /// they are turned to grey`. Each is without a full stop.
    pub notes: Vec<String>,
}

/// Pixel values of the files, unscaled.
#[derive(Debug, Clone, PartialEq)]
pub enum RawPixels {
    /// Unsigned bytes, the form of nearly all data sets.
    Bytes(Vec<u8>),
    /// Unsigned bytes in blocks, the form of the MNIST inside the binary.
    Blocks(BlockPixels),
    /// All other types, in blocks of 1,048,576 values, the last one shorter. A block is
    /// freed when it is scaled to bytes, so both forms are never in memory as a whole.
    Floats(Vec<Vec<f32>>),
}

impl RawPixels {
    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Blocks(blocks) => blocks.num_pixels(),
            Self::Floats(blocks) => blocks.iter().map(Vec::len).sum(),
        }
    }

    /// True if there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends a value to [`RawPixels::Floats`].
    pub(crate) fn push_float(blocks: &mut Vec<Vec<f32>>, value: f32) {
        match blocks.last_mut() {
            Some(block) if block.len() < FLOATS_PER_BLOCK => block.push(value),
            _ => {
                let mut block = Vec::with_capacity(FLOATS_PER_BLOCK);
                block.push(value);
                blocks.push(block);
            }
        }
    }

    /// Bytes already read as values of a wider type, for a file whose next value is no byte.
    pub(crate) fn to_floats(bytes: &[u8]) -> Vec<Vec<f32>> {
        bytes
            .chunks(FLOATS_PER_BLOCK)
            .map(|chunk| {
                let mut block = Vec::with_capacity(FLOATS_PER_BLOCK);
                block.extend(chunk.iter().map(|&byte| f32::from(byte)));
                block
            })
            .collect()
    }

    /// Smallest and largest value, without values that are no numbers. 0 and 0 if there are none.
    pub(crate) fn min_max(&self) -> (f32, f32) {
        match self {
            Self::Bytes(bytes) => {
                let (min, max) =
                    bytes.iter().fold((u8::MAX, 0), |(min, max), &byte| (byte.min(min), byte.max(max)));
                if bytes.is_empty() { (0.0, 0.0) } else { (f32::from(min), f32::from(max)) }
            }
            Self::Blocks(blocks) => {
                let (min, max) = pixels::min_max(blocks.images());
                (f32::from(min), f32::from(max))
            }
            Self::Floats(blocks) => {
                let values = || blocks.iter().flatten().copied().filter(|value| value.is_finite());
                let (min, max) = values().fold((f32::INFINITY, f32::NEG_INFINITY), |(min, max), value| {
                    (value.min(min), value.max(max))
                });
                if min > max { (0.0, 0.0) } else { (min, max) }
            }
        }
    }
}

/// Labels of images: whole numbers or words, as the files hold them.
#[derive(Debug, Clone, Default)]
pub struct RawLabels {
    /// Label of each image, as an index into `keys`.
    ids: Vec<u32>,
    /// Each different label once, in the order of its first image.
    keys: Vec<String>,
    id_of_key: HashMap<String, u32>,
    id_of_int: HashMap<i64, u32>,
}

/// Largest number of different labels. Labels of a regression, or row numbers, exceed it.
const MAX_LABELS: usize = 1 << 16;

impl RawLabels {
    /// Appends the label of the next image. A text that is a whole number is that number: `7`, `07`
    /// and `7.0` are the same label.
    ///
    /// # Errors
    /// More than 65,536 different labels.
    pub fn push(&mut self, text: &str) -> Result<()> {
        let text = text.trim();
        if let Some(number) = whole_number(text) {
            return self.push_int(number);
        }
        let id = match self.id_of_key.get(text) {
            Some(&id) => id,
            None => self.add_key(text.to_owned())?,
        };
        self.ids.push(id);
        Ok(())
    }

    /// Appends a whole number as the label of the next image.
    ///
    /// # Errors
    /// As [`RawLabels::push`].
    pub fn push_int(&mut self, label: i64) -> Result<()> {
        let id = match self.id_of_int.get(&label) {
            Some(&id) => id,
            None => {
                let id = self.add_key(label.to_string())?;
                self.id_of_int.insert(label, id);
                id
            }
        };
        self.ids.push(id);
        Ok(())
    }

    fn add_key(&mut self, key: String) -> Result<u32> {
        if self.keys.len() == MAX_LABELS {
            return Err(Error::data("the labels have more than 65,536 different values")
                .hint("is this column the label? Name the right one with `data.label_column`"));
        }
        let id = self.keys.len() as u32;
        self.id_of_key.insert(key.clone(), id);
        self.keys.push(key);
        Ok(id)
    }

    /// Number of labels: one per image.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// True if there are no labels.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Each different label once.
    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    /// Label of each image, as an index into [`RawLabels::keys`].
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// Removes the labels of images whose label's index in [`RawLabels::keys`] is not to be kept.
    pub(crate) fn retain(&mut self, is_kept: impl Fn(u32) -> bool) {
        self.ids.retain(|&id| is_kept(id));
    }

    /// Checks that there is one label per image.
    ///
    /// # Errors
    /// Another number of labels than `num_images`.
    pub(crate) fn check_count(&self, num_images: usize, images_name: &str, labels_name: &str) -> Result<()> {
        if self.len() == num_images {
            return Ok(());
        }
        let images = counted(num_images, "image", "images");
        let labels = counted(self.len(), "label", "labels");
        Err(Error::data(format!("`{images_name}` holds {images}, but `{labels_name}` holds {labels}"))
            .hint("both files must come from the same part of the same data set"))
    }
}

/// The whole number that `text` states, such as `7`, `-1` or `7.0`.
fn whole_number(text: &str) -> Option<i64> {
    let digits = match text.split_once('.') {
        Some((digits, zeros)) if !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0') => digits,
        Some(_) => return None,
        None => text,
    };
    // `+7` is a word: no writer of labels adds the sign.
    digits.parse().ok().filter(|_| !digits.starts_with('+'))
}

/// Compares two labels in natural order: numbers in words count as numbers, so that `10` comes
/// after `9` and `class10` after `class9`. Negative whole numbers come first.
pub(crate) fn natural_order(a: &str, b: &str) -> Ordering {
    match (whole_number(a), whole_number(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => natural_order_of_words(a, b),
    }
}

fn natural_order_of_words(a: &str, b: &str) -> Ordering {
    let (mut rest_a, mut rest_b) = (a, b);
    while let (Some(first_a), Some(first_b)) = (rest_a.chars().next(), rest_b.chars().next()) {
        let order = if first_a.is_ascii_digit() && first_b.is_ascii_digit() {
            let (number_a, number_b) = (take_digits(&mut rest_a), take_digits(&mut rest_b));
            let (value_a, value_b) = (number_a.trim_start_matches('0'), number_b.trim_start_matches('0'));
            value_a.len().cmp(&value_b.len()).then_with(|| value_a.cmp(value_b))
        } else {
            rest_a = &rest_a[first_a.len_utf8()..];
            rest_b = &rest_b[first_b.len_utf8()..];
            first_a.cmp(&first_b)
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    // Equal numbers with different zeros in front: any fixed order will do.
    rest_a.len().cmp(&rest_b.len()).then_with(|| a.cmp(b))
}

/// Splits the digits off the front of `text`.
fn take_digits<'a>(text: &mut &'a str) -> &'a str {
    let end = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    *text = rest;
    digits
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
