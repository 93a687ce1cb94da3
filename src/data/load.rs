//! Owns the way from the files of a data set to images and classes: all parts of a source are read,
//! and become bytes of one range with labels from 0. Depends on `sources`, `classes`, `range`,
//! `convert` and `digest`. Must not know splits, tensors or runs.

use crate::data::convert::{convert_part, simplified};
use crate::data::digest::{images_sha256, labels_sha256};
use crate::data::sources::{RawImages, digest_of_parts};
use crate::data::{
    CheckedData, CheckedPart, Classes, DataCheck, DataConfig, ImageDataset, Source, Subset, ValueRange,
};
use crate::error::{Error, Result};

/// Classes, range and orientation of a run's images, as they were read when the run started. A later
/// use of the run's network reads images in the same way.
#[derive(Debug, Clone, PartialEq)]
pub struct DataProperties {
    /// The classes.
    pub classes: Classes,
    /// The pixel values of the files that became 0 and 1.
    pub value_range: ValueRange,
    /// True if rows and columns of the files' images were exchanged.
    pub transposed: bool,
}

/// The parts of a data set as the files hold them.
#[derive(Debug, Clone, Default)]
pub struct RawData {
    /// Training images.
    pub train: Option<RawImages>,
    /// Validation images that the author of the data set chose.
    pub validation: Option<RawImages>,
    /// Test images.
    pub test: Option<RawImages>,
}

/// A data set in memory.
#[derive(Debug, Clone)]
pub struct LoadedData {
    /// Training images.
    pub train: Option<ImageDataset>,
    /// Validation images that the author of the data set chose.
    pub validation: Option<ImageDataset>,
    /// Test images.
    pub test: Option<ImageDataset>,
    /// Classes, range and orientation of the images.
    pub properties: DataProperties,
    /// Sentences about what was decided or left out while reading, for the user.
    pub notes: Vec<String>,
}

impl Source {
    /// Returns the digest of this data set, whose files hold `raw`: see [`RawData::sha256`].
    pub(crate) fn sha256_of(&self, raw: &RawData) -> String {
        self.known_sha256().unwrap_or_else(|| raw.sha256())
    }

    /// Reads the data set with the default settings, and returns one subset.
    ///
    /// # Errors
    /// Those of [`RawData::read`] and [`RawData::into_new`], or a data set without this subset.
    pub fn load(&self, subset: Subset) -> Result<ImageDataset> {
        let config = DataConfig::default();
        let loaded = RawData::read(self, &config)?.into_new(&config)?;
        let (images, name) = match subset {
            Subset::Train => (loaded.train, "training"),
            Subset::Validation => (loaded.validation, "validation"),
            Subset::Test => (loaded.test, "test"),
        };
        images.ok_or_else(|| Error::data(format!("there are no {name} images in `{self}`")))
    }
}

impl LoadedData {
    /// Checks the training images, and the test images if there are any. `None` without training
    /// images.
    pub fn check(&self) -> Option<DataCheck> {
        let train = self.train.as_ref()?;
        fn part(images: &ImageDataset) -> CheckedPart<'_> {
            CheckedPart { pixels: &images.pixels, labels: &images.labels }
        }
        Some(DataCheck::new(&CheckedData {
            train: part(train),
            test: self.test.as_ref().map(part),
            height: train.height,
            width: train.width,
            class_names: self.properties.classes.names(),
            value_range: self.properties.value_range,
        }))
    }

    /// Returns the only part of a data set of one part: the training images, or else another one.
    pub fn only_part(&self) -> Option<&ImageDataset> {
        let mut parts = [&self.train, &self.validation, &self.test].into_iter().flatten();
        parts.next().filter(|_| parts.next().is_none())
    }
}

impl RawData {
    /// Reads all parts of `source`.
    ///
    /// # Errors
    /// Those of [`crate::data::DataSource::read`].
    pub fn read(source: &Source, config: &DataConfig) -> Result<Self> {
        Ok(Self {
            train: Self::read_part(source, Subset::Train, config)?,
            validation: Self::read_part(source, Subset::Validation, config)?,
            test: Self::read_part(source, Subset::Test, config)?,
        })
    }

    /// Reads one part of `source`, if it has that part.
    ///
    /// # Errors
    /// As [`RawData::read`].
    pub fn read_part(source: &Source, subset: Subset, config: &DataConfig) -> Result<Option<RawImages>> {
        Ok(source.read(subset, &config.read_options())?.map(simplified))
    }

    /// Returns the SHA-256 that identifies the data set, 64 hexadecimal digits. It is the same for
    /// the same images and labels, in whatever form the files are. A run records it and refuses to
    /// resume with other images.
    ///
    /// It is the SHA-256 of lines: the digest of the images and that of the labels of each part. The
    /// digest of images or labels is that of an IDX file of bytes with the same numbers. Pixels that
    /// are no bytes are scaled to bytes first. Labels that are no bytes are hashed as lines of text.
    pub fn sha256(&self) -> String {
        let range = self.value_range(None);
        let parts = [(&self.train, true), (&self.validation, false), (&self.test, true)];
        let digests = parts.into_iter().flat_map(|(part, is_usual)| match part {
            Some(part) => vec![images_sha256(part, range), labels_sha256(part.labels.as_ref())],
            None if is_usual => vec!["-".to_owned(), "-".to_owned()],
            None => Vec::new(),
        });
        digest_of_parts(digests)
    }

    /// The range of the pixels: `scale` is the value of white, if the user gave it.
    fn value_range(&self, scale: Option<f64>) -> ValueRange {
        match scale {
            Some(white) => ValueRange { black: 0.0, white },
            // The training images decide, or else the only part.
            None => {
                let part = self.train.as_ref().or(self.validation.as_ref()).or(self.test.as_ref());
                part.map_or(ValueRange::BYTES, |part| ValueRange::of_pixels(&part.pixels))
            }
        }
    }

    fn parts(&self) -> Vec<&RawImages> {
        [&self.train, &self.validation, &self.test].into_iter().flatten().collect()
    }

    /// Understands the images as a new training does: classes and range come from the files, unless
    /// `config` says otherwise.
    ///
    /// # Errors
    /// Parts of different sizes, or too little memory.
    pub fn into_new(self, config: &DataConfig) -> Result<LoadedData> {
        let classes = Classes::of(&self.parts());
        self.into_classes(classes, config)
    }

    /// Understands the images as a new training does whose classes are `own`, those of another data set.
    /// A class may have no images. Images of other classes are left out, and a note says so.
    ///
    /// # Errors
    /// As [`RawData::into_new`], or no image of these classes.
    pub(crate) fn into_new_of(self, own: &Classes, config: &DataConfig) -> Result<LoadedData> {
        let classes = own.with_labels_of(&self.parts());
        self.into_classes(classes, config)
    }

    fn into_classes(self, classes: Classes, config: &DataConfig) -> Result<LoadedData> {
        let value_range = self.value_range(config.scale);
        let transposed = config.transpose.unwrap_or(self.parts().iter().any(|part| part.transposed));
        self.into_known(DataProperties { classes, value_range, transposed })
    }

    /// Understands the images as `properties` say, which come from the same data set.
    ///
    /// # Errors
    /// As [`RawData::into_new`].
    pub fn into_known(self, properties: DataProperties) -> Result<LoadedData> {
        self.convert(properties, Classes::indices_by_label)
    }

    /// Understands the images of another data set for a network with `properties`, which was trained
    /// with `config`: the classes are the network's, and the range is that of these images, unless
    /// `config` says it.
    ///
    /// Images of a class that the network does not have are left out, and a note says so.
    ///
    /// # Errors
    /// As [`RawData::into_new`], or no image of a class of the network.
    pub fn into_other(self, properties: &DataProperties, config: &DataConfig) -> Result<LoadedData> {
        let value_range = self.value_range(config.scale);
        let transposed = config.transpose.unwrap_or(self.parts().iter().any(|part| part.transposed));
        let own = DataProperties { classes: properties.classes.clone(), value_range, transposed };
        let mut loaded = self.convert(own, Classes::indices_by_name)?;
        if value_range != properties.value_range {
            loaded.notes.push(format!(
                "the pixels run from {value_range}, and those that the network was trained on from {}: both are \
                 scaled to 0 to 1",
                properties.value_range
            ));
        }
        Ok(loaded)
    }

    fn convert(
        self,
        properties: DataProperties,
        indices: fn(&Classes, &RawImages) -> Vec<Option<u16>>,
    ) -> Result<LoadedData> {
        let mut notes: Vec<String> = Vec::new();
        let mut note = |text: String| {
            if !notes.contains(&text) {
                notes.push(text);
            }
        };
        let transposed_by_source = self.parts().iter().any(|part| part.transposed);
        let mut convert = |part: Option<RawImages>| -> Result<Option<ImageDataset>> {
            let Some(mut part) = part else { return Ok(None) };
            part.notes.drain(..).for_each(&mut note);
            let classes = indices(&properties.classes, &part);
            convert_part(part, &properties, &classes, &mut note).map(Some)
        };
        let train = convert(self.train)?;
        let validation = convert(self.validation)?;
        let test = convert(self.test)?;
        if properties.transposed && transposed_by_source {
            note("the files' images lie transposed, as EMNIST's do: they are turned upright".to_owned());
        }
        Ok(LoadedData { train, validation, test, properties, notes })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
