//! Owns the source [`Mnist`]: the four compressed files inside the binary, their checksums, and how
//! to unpack one. Must not know folders, file names on disk, or the use of the images.
//!
//! `data/mnist/README.md` says where the files come from and under which licence.

use crate::data::Subset;
use crate::data::sources::array::ArrayImages;
use crate::data::sources::{DataSource, RawImages, RawLabels, ReadOptions, Source, digest_of_parts, idx};
use crate::error::{Error, Result};
use crate::util::memory;

/// The word that means this source.
const NAME: &str = "mnist";

/// The MNIST inside the binary, written `mnist`.
#[derive(Debug, Clone, Copy)]
pub struct Mnist;

impl Mnist {
    /// Returns this source for the text `mnist`.
    pub(super) fn recognise(text: &str) -> Option<Source> {
        (text == NAME).then(|| Source::new(Self))
    }
}

impl DataSource for Mnist {
    fn name(&self) -> String {
        NAME.to_owned()
    }

    fn read(&self, subset: Subset, options: &ReadOptions) -> Result<Option<RawImages>> {
        let (images, labels) = match subset {
            Subset::Train => (&TRAIN_IMAGES, &TRAIN_LABELS),
            Subset::Test => (&TEST_IMAGES, &TEST_LABELS),
            Subset::Validation => return Ok(None),
        };
        let ArrayImages { pixels, count, height, width, notes } = images.images(options)?;
        Ok(Some(RawImages {
            pixels,
            count,
            height,
            width,
            labels: Some(labels.labels()?),
            class_names: Vec::new(),
            images_name: images.name.to_owned(),
            labels_name: labels.name.to_owned(),
            transposed: false,
            notes,
        }))
    }

    fn known_sha256(&self) -> Option<String> {
        let files = [&TRAIN_IMAGES, &TRAIN_LABELS, &TEST_IMAGES, &TEST_LABELS];
        Some(digest_of_parts(files.map(|file| file.sha256.to_owned())))
    }

    fn to_absolute(&self) -> Result<Source> {
        Ok(Source::new(*self))
    }

    /// Only one data set has this name, so the tag needs no digits of the digest.
    fn tag(&self, _: &str) -> String {
        NAME.to_owned()
    }
}

/// One IDX file of MNIST, compressed with zstd.
#[derive(Debug, Clone, Copy)]
struct EmbeddedFile {
    /// Name of the file in the original data set.
    name: &'static str,
    /// SHA-256 of the unpacked file, 64 hexadecimal digits.
    sha256: &'static str,
    /// Size of the unpacked file in bytes.
    size: usize,
    compressed: &'static [u8],
}

macro_rules! embedded_file {
    ($name:literal, $size:literal, $sha256:literal) => {
        EmbeddedFile {
            name: $name,
            sha256: $sha256,
            size: $size,
            compressed: include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/data/mnist/", $name, ".zst")),
        }
    };
}

static TRAIN_IMAGES: EmbeddedFile = embedded_file!(
    "train-images-idx3-ubyte",
    47_040_016,
    "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
);
static TRAIN_LABELS: EmbeddedFile = embedded_file!(
    "train-labels-idx1-ubyte",
    60_008,
    "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"
);
static TEST_IMAGES: EmbeddedFile = embedded_file!(
    "t10k-images-idx3-ubyte",
    7_840_016,
    "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
);
static TEST_LABELS: EmbeddedFile = embedded_file!(
    "t10k-labels-idx1-ubyte",
    10_008,
    "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
);

impl EmbeddedFile {
    /// Unpacks an image file. The block of memory of the file becomes the pixels.
    fn images(&self, options: &ReadOptions) -> Result<ArrayImages> {
        idx::images_from_bytes(self.unpack()?, self.name, options)
    }

    /// Unpacks a label file.
    fn labels(&self) -> Result<RawLabels> {
        Ok(idx::read_labels(&self.unpack()?[..], self.name)?.0)
    }

    /// Returns the whole IDX file, in a block of memory of exactly its size.
    fn unpack(&self) -> Result<Vec<u8>> {
        let failed = |error| Error::data(format!("cannot unpack the embedded `{}`: {error}", self.name));
        let mut bytes = memory::reserve(self.size, &format!("the embedded `{}`", self.name))?;
        let mut unpacker = zstd::bulk::Decompressor::new().map_err(failed)?;
        unpacker.decompress_to_buffer(self.compressed, &mut bytes).map_err(failed)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests;
