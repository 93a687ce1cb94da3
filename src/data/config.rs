//! The `[data]` section of an experiment.

use serde::{Deserialize, Deserializer, Serialize};

use crate::data::{InputSpec, ReadOptions, Source};
use crate::error::{Result, ensure};
use crate::util::format::{counted, grouped};

/// Largest length of a path in bytes. Linux accepts less.
const MAX_PATH_BYTES: usize = 4096;

/// The `[data]` section.
///
/// Keys that a configuration does not use are left out when it is saved. So an experiment of an
/// earlier smallnet stays the same text, by which its trials are recognised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// The text of a [`Source`]: `mnist` for the embedded data set, the name of another one, or the
    /// path of a folder or file.
    pub source: String,
    /// Number of training images held out for validation. The test images never serve for
    /// validation. With 0, the validation images of the data set itself are held out, if it has
    /// any.
    pub validation: usize,
    /// True if each class has its share of the images held out.
    pub stratified: bool,
    /// Share of the training images that become the test images of a data set without labelled test
    /// images, at least 0 and below 1.
    #[serde(skip_serializing_if = "is_default")]
    pub test: f64,
    /// Seed of the choice of these test images. It is not the experiment's: the test images stay
    /// the same in trainings with different seeds.
    #[serde(skip_serializing_if = "is_first_seed")]
    pub test_seed: u64,
    /// Pixel value that becomes the network's 1, above 0. A value of 0 becomes 0. By default, the
    /// training images decide: see [`crate::data::ValueRange::of_training_images`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<f64>,
    /// Height and width of the images, where the files do not say them. Pictures of other sizes are
    /// resized.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_size: Option<[usize; 2]>,
    /// True to exchange rows and columns of each image, false to leave them. By default, only
    /// EMNIST's are exchanged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transpose: Option<bool>,
    /// The column with the labels in a CSV or Parquet file: its name, or its number from 0. By
    /// default, it is found.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "text_or_number")]
    pub label_column: Option<String>,
    /// True to leave out pictures that cannot be read.
    #[serde(skip_serializing_if = "is_default")]
    pub skip_broken: bool,
    /// Number of training images that `validation` is meant for, where it comes from a file inside
    /// smallnet. Of fewer images, the same share is held out. `None` if a user chose the number, and
    /// after [`DataConfig::scale_validation`]. It is never saved.
    #[serde(skip)]
    pub validation_meant_for: Option<usize>,
}

/// The number of training images that the files inside smallnet are meant for: that of MNIST.
pub(crate) const SHIPPED_NUM_TRAIN: usize = 60_000;

/// Scales a number of validation images, which is meant for `meant_for` training images, to a smaller
/// training set. The result is at least 1, unless `number` is 0.
pub(crate) fn scaled_validation(number: usize, meant_for: usize, num_train: usize) -> usize {
    match number {
        0 => 0,
        _ if num_train >= meant_for => number,
        _ => (number.saturating_mul(num_train) / meant_for).max(1),
    }
}

/// Reads a text, or a whole number as its text.
fn text_or_number<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a name or a number")]
    enum TextOrNumber {
        Text(String),
        Number(u64),
    }
    Ok(Some(match TextOrNumber::deserialize(deserializer)? {
        TextOrNumber::Text(text) => text,
        TextOrNumber::Number(number) => number.to_string(),
    }))
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The default of [`DataConfig::test_seed`].
const FIRST_SEED: u64 = 1;

fn is_first_seed(seed: &u64) -> bool {
    *seed == FIRST_SEED
}

impl Default for DataConfig {
    fn default() -> Self {
        Self {
            source: "mnist".to_owned(),
            validation: 0,
            stratified: true,
            test: 0.0,
            test_seed: FIRST_SEED,
            scale: None,
            image_size: None,
            transpose: None,
            label_column: None,
            skip_broken: false,
            validation_meant_for: None,
        }
    }
}

impl DataConfig {
    /// Returns the data source that [`DataConfig::source`] means.
    pub fn source(&self) -> Source {
        Source::parse(&self.source)
    }

    /// Scales [`DataConfig::validation`] to `num_train` training images, validation images included,
    /// if it is meant for more of them. Returns a sentence for the user if the number changes.
    pub fn scale_validation(&mut self, num_train: usize) -> Option<String> {
        let meant_for = self.validation_meant_for.take()?;
        let before = self.validation;
        self.validation = scaled_validation(before, meant_for, num_train);
        (self.validation != before).then(|| {
            format!(
                "{} {} held out for validation: {} of {} is the share that this file is meant for; \
                 `--set data.validation=N` says another number",
                counted(self.validation, "image", "images"),
                if self.validation == 1 { "is" } else { "are" },
                grouped(before),
                grouped(meant_for)
            )
        })
    }

    /// Returns the settings of the reading of the files.
    pub fn read_options(&self) -> ReadOptions {
        ReadOptions {
            image_size: self.image_size,
            label_column: self.label_column.clone(),
            skip_broken: self.skip_broken,
        }
    }

    /// Makes the path of a folder absolute, because a saved experiment must find its data from any
    /// working folder.
    ///
    /// # Errors
    /// A path that cannot be made absolute.
    pub fn make_absolute(&mut self) -> Result<()> {
        self.source = self.source().to_absolute()?.to_string();
        Ok(())
    }

    /// Checks the values as far as that is possible without the data.
    ///
    /// # Errors
    /// An empty or too long `source`, or a value outside its range.
    pub fn check(&self) -> Result<()> {
        ensure(!self.source.is_empty(), "data.source", "empty", "`mnist`, a name, a folder or a file")?;
        let length = self.source.len();
        let expected = format!("at most {MAX_PATH_BYTES}");
        ensure(length <= MAX_PATH_BYTES, "data.source", format!("a path of {length} bytes"), &expected)?;
        ensure((0.0..1.0).contains(&self.test), "data.test", self.test, "a share of at least 0 and below 1")?;
        // TOML's integers are signed, so a larger seed could not be written.
        let expected = "at most 9223372036854775807";
        ensure(self.test_seed <= i64::MAX as u64, "data.test_seed", self.test_seed, expected)?;
        if let Some(scale) = self.scale {
            ensure(scale > 0.0 && scale.is_finite(), "data.scale", scale, "the value of white, above 0")?;
        }
        if let Some([height, width]) = self.image_size {
            let fits = InputSpec { height, width, num_classes: 1 }.is_possible();
            let expected = "a height and a width of at least 1, at most 67,108,864 pixels";
            ensure(fits, "data.image_size", format!("[{height}, {width}]"), expected)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
