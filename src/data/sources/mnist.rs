//! Owns the source [`Mnist`]: how to unpack the compressed images and labels inside the binary, and their
//! checksums. Depends on the crate `smallnet-mnist` (`data/mnist`), which has their bytes and says where they
//! come from. Must not know folders, file names on disk, or the use of the images.

use smallnet_kernels::BLOCK;

use crate::data::sources::{
    DataSource, RawImages, RawLabels, RawPixels, ReadOptions, Source, digest_of_parts, idx,
};
use crate::data::{BlockPixels, Subset};
use crate::error::{Error, Result};
use crate::util::{memory, threads};

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

    fn read(&self, subset: Subset, _: &ReadOptions) -> Result<Option<RawImages>> {
        let (images, labels) = match subset {
            Subset::Train => (&TRAIN_IMAGES, &TRAIN_LABELS),
            Subset::Test => (&TEST_IMAGES, &TEST_LABELS),
            Subset::Validation => return Ok(None),
        };
        Ok(Some(RawImages {
            pixels: RawPixels::Blocks(images.pixels()?),
            count: images.count,
            height: SIDE,
            width: SIDE,
            labels: Some(labels.labels()?),
            class_names: Vec::new(),
            images_name: images.name.to_owned(),
            labels_name: labels.name.to_owned(),
            transposed: false,
            notes: Vec::new(),
        }))
    }

    fn known_sha256(&self) -> Option<String> {
        let digests = [TRAIN_IMAGES.sha256, TRAIN_LABELS.sha256, TEST_IMAGES.sha256, TEST_LABELS.sha256];
        Some(digest_of_parts(digests.map(str::to_owned)))
    }

    fn to_absolute(&self) -> Result<Source> {
        Ok(Source::new(*self))
    }

    /// Only one data set has this name, so the tag needs no digits of the digest.
    fn tag(&self, _: &str) -> String {
        NAME.to_owned()
    }
}

/// Images of one part of MNIST, compressed with zstd, in blocks without background: see [`BlockPixels`].
#[derive(Debug, Clone, Copy)]
struct EmbeddedImages {
    /// Name of the IDX file in the original data set.
    name: &'static str,
    /// SHA-256 of that file, 64 hexadecimal digits.
    sha256: &'static str,
    count: usize,
    /// Number of blocks that are not all 0.
    num_blocks: usize,
    /// [`MASK_BYTES`] bytes per image, unpacked: bit b mod 8 of byte b / 8 is 1 if block b is not all 0.
    mask: &'static [u8],
    /// Pixels of the blocks that are not all 0.
    blocks: &'static [u8],
}

/// Labels of one part of MNIST: an IDX file, compressed with zstd.
#[derive(Debug, Clone, Copy)]
struct EmbeddedLabels {
    /// Name of the file in the original data set.
    name: &'static str,
    /// SHA-256 of the unpacked file, 64 hexadecimal digits.
    sha256: &'static str,
    /// Size of the unpacked file in bytes.
    size: usize,
    compressed: &'static [u8],
}

/// Rows and columns of an image.
const SIDE: usize = 28;

/// Number of bytes that have one bit per block of an image.
const MASK_BYTES: usize = (SIDE * SIDE / BLOCK).div_ceil(8);

static TRAIN_IMAGES: EmbeddedImages = EmbeddedImages {
    name: "train-images-idx3-ubyte",
    sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    count: 60_000,
    num_blocks: 3_335_256,
    mask: smallnet_mnist::TRAIN_IMAGES_MASK,
    blocks: smallnet_mnist::TRAIN_IMAGES_BLOCKS,
};
static TRAIN_LABELS: EmbeddedLabels = EmbeddedLabels {
    name: "train-labels-idx1-ubyte",
    sha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    size: 60_008,
    compressed: smallnet_mnist::TRAIN_LABELS,
};
static TEST_IMAGES: EmbeddedImages = EmbeddedImages {
    name: "t10k-images-idx3-ubyte",
    sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    count: 10_000,
    num_blocks: 558_456,
    mask: smallnet_mnist::TEST_IMAGES_MASK,
    blocks: smallnet_mnist::TEST_IMAGES_BLOCKS,
};
static TEST_LABELS: EmbeddedLabels = EmbeddedLabels {
    name: "t10k-labels-idx1-ubyte",
    sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    size: 10_008,
    compressed: smallnet_mnist::TEST_LABELS,
};

impl EmbeddedImages {
    /// Unpacks the images. The block of memory of their blocks becomes the pixels.
    fn pixels(&self) -> Result<BlockPixels> {
        let unpack_blocks = || unpack(self.name, self.blocks, self.num_blocks * BLOCK);
        let (numbers, blocks) = threads::both(|| self.numbers(), unpack_blocks);
        let (starts, numbers) = numbers?;
        Ok(BlockPixels::new(SIDE * SIDE, starts, numbers, blocks?))
    }

    /// Returns the first block of each image, and the number of each block in its image.
    fn numbers(&self) -> Result<(Vec<u32>, Vec<u8>)> {
        let mask = unpack(self.name, self.mask, self.count * MASK_BYTES)?;
        let mut starts = Vec::with_capacity(self.count);
        let mut numbers = memory::reserve(self.num_blocks, &embedded(self.name))?;
        for mask in mask.chunks_exact(MASK_BYTES) {
            starts.push(numbers.len() as u32);
            for (first, bytes) in (0..).step_by(8).zip(mask.chunks(8)) {
                let mut word = [0; 8];
                word[..bytes.len()].copy_from_slice(bytes);
                let mut bits = u64::from_le_bytes(word);
                while bits != 0 {
                    numbers.push(8 * first + bits.trailing_zeros() as u8);
                    bits &= bits - 1;
                }
            }
        }
        Ok((starts, numbers))
    }
}

impl EmbeddedLabels {
    /// Unpacks the labels.
    fn labels(&self) -> Result<RawLabels> {
        Ok(idx::read_labels(&unpack(self.name, self.compressed, self.size)?[..], self.name)?.0)
    }
}

/// Returns the bytes that `compressed` has, in a block of memory of exactly `size` bytes. `name` is that
/// of the file in messages.
fn unpack(name: &str, compressed: &[u8], size: usize) -> Result<Vec<u8>> {
    let failed = |error| Error::data(format!("cannot unpack {}: {error}", embedded(name)));
    let mut bytes = memory::reserve(size, &embedded(name))?;
    let mut unpacker = zstd::bulk::Decompressor::new().map_err(failed)?;
    unpacker.decompress_to_buffer(compressed, &mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// The file with this name, for messages.
fn embedded(name: &str) -> String {
    format!("the embedded `{name}`")
}

#[cfg(test)]
mod tests;
