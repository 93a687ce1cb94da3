//! Owns the pixels of a data set in memory, and how one image of them is found. Depends on `error`, `util` and the
//! form of an image in `smallnet_kernels`. Must not know labels, splits or tensors.
//!
//! Four of five pixels of a digit are background, which is 0. So the pixels are kept in blocks of a few
//! pixels, and blocks of background are left out. MNIST's training images need 17 MB then and not 47,
//! and a batch of them is read in half the time. Images without much background are kept as bytes.

use smallnet_kernels::{BLOCK, ImagePixels};

use crate::error::Result;
use crate::util::{memory, threads};

/// Largest number of blocks in an image that is kept in blocks: the number of a block is a byte.
const MAX_BLOCKS: usize = 1 << u8::BITS;

/// Number of images in a piece of bytes that become blocks. The bytes are freed piece by piece.
const PIECE: usize = 1 << 13;

/// Number of images at the beginning that decide the form of all.
const NUM_SAMPLES: usize = 1000;

/// Smallest and largest value of all pixels of `images`, 0 and 0 without pixels.
pub(super) fn min_max<'a>(images: impl Iterator<Item = ImagePixels<'a>>) -> (u8, u8) {
    let (mut min, mut max) = (u8::MAX, 0);
    for image in images {
        let (low, high) = min_max_of_bytes(&image.to_bytes());
        (min, max) = (min.min(low), max.max(high));
    }
    (min.min(max), max)
}

/// Smallest and largest value of an image, 255 and 0 without pixels.
pub(super) fn min_max_of_bytes(image: &[u8]) -> (u8, u8) {
    // Two simple loops become vector instructions.
    let min = image.iter().fold(u8::MAX, |min, &byte| min.min(byte));
    let max = image.iter().fold(0, |max, &byte| max.max(byte));
    (min, max)
}

/// Pixels of all images of a data set, which have the same size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pixels {
    /// All images, one after the other.
    Bytes(Vec<u8>),
    /// Images in blocks, without background.
    Blocks(BlockPixels),
}

impl From<Vec<u8>> for Pixels {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl Pixels {
    /// Number of pixels of all images.
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Blocks(blocks) => blocks.num_pixels(),
        }
    }

    /// True if there are no pixels.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Pixels of the image with this index, of images of `image_len` pixels.
    ///
    /// # Panics
    /// If there is no such image.
    #[inline]
    pub fn image(&self, index: usize, image_len: usize) -> ImagePixels<'_> {
        match self {
            Self::Bytes(bytes) => ImagePixels::Bytes(&bytes[index * image_len..(index + 1) * image_len]),
            Self::Blocks(blocks) => blocks.image(index),
        }
    }

    /// Returns the same pixels in blocks, if images of `image_len` pixels take less memory so.
    pub(super) fn without_background(self, image_len: usize) -> Self {
        match self {
            Self::Bytes(bytes) if is_sparse(&bytes, image_len) => {
                Self::Blocks(BlockPixels::of_bytes(bytes, image_len))
            }
            kept => kept,
        }
    }
}

/// Pixels of images in blocks of four, without the blocks that are all 0. An image has at most 1,024
/// pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockPixels {
    /// Number of pixels of an image.
    image_len: usize,
    /// Number of images in each piece but the last one.
    images_per_piece: usize,
    pieces: Vec<Piece>,
}

/// Some images in blocks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Piece {
    /// First block of each image.
    starts: Vec<u32>,
    numbers: Vec<u8>,
    /// [`BLOCK`] pixels of each block.
    blocks: Vec<u8>,
}

impl BlockPixels {
    /// Makes images of `image_len` pixels of their blocks, one image after the other. `starts` has the first
    /// block of each image, `numbers` the number of each block in its image, and `blocks` their pixels.
    pub(super) fn new(image_len: usize, starts: Vec<u32>, numbers: Vec<u8>, blocks: Vec<u8>) -> Self {
        let images_per_piece = starts.len().max(1);
        Self { image_len, images_per_piece, pieces: vec![Piece { starts, numbers, blocks }] }
    }

    /// Turns bytes into blocks, from the last two pieces to the first ones, so that the bytes are freed
    /// meanwhile.
    pub(super) fn of_bytes(mut bytes: Vec<u8>, image_len: usize) -> Self {
        let piece_len = PIECE * image_len;
        let mut pieces = Vec::new();
        while !bytes.is_empty() {
            let start = (bytes.len() - 1) / (2 * piece_len) * 2 * piece_len;
            let (first, second) = bytes[start..].split_at(piece_len.min(bytes.len() - start));
            let (first, second) =
                threads::both(|| Piece::of(first, image_len), || Piece::of(second, image_len));
            pieces.extend((!second.starts.is_empty()).then_some(second));
            pieces.push(first);
            bytes.truncate(start);
            bytes.shrink_to_fit();
        }
        pieces.reverse();
        Self { image_len, images_per_piece: PIECE, pieces }
    }

    /// Number of images.
    pub fn num_images(&self) -> usize {
        self.pieces.iter().map(|piece| piece.starts.len()).sum()
    }

    /// Number of pixels of all images, background included.
    pub fn num_pixels(&self) -> usize {
        self.num_images() * self.image_len
    }

    /// Pixels of the image with this index.
    ///
    /// # Panics
    /// If there is no such image.
    #[inline]
    pub fn image(&self, index: usize) -> ImagePixels<'_> {
        let Piece { starts, numbers, blocks } = &self.pieces[index / self.images_per_piece];
        let index = index % self.images_per_piece;
        let start = starts[index] as usize;
        let end = starts.get(index + 1).map_or(numbers.len(), |&end| end as usize);
        let (numbers, blocks) = (&numbers[start..end], blocks[start * BLOCK..end * BLOCK].as_chunks().0);
        ImagePixels::Blocks { numbers, blocks, len: self.image_len }
    }

    /// Pixels of each image, from the first one.
    pub fn images(&self) -> impl Iterator<Item = ImagePixels<'_>> {
        (0..self.num_images()).map(|index| self.image(index))
    }

    /// Returns all pixels, one image after the other.
    ///
    /// # Errors
    /// The system does not give the memory.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = memory::reserve(self.num_images() * self.image_len, "the images")?;
        self.images().for_each(|image| image.append_to(&mut bytes));
        Ok(bytes)
    }
}

/// Returns whether the first images take less memory in blocks: a block that is not background takes its
/// pixels and one byte more.
fn is_sparse(bytes: &[u8], image_len: usize) -> bool {
    if image_len == 0 || image_len.div_ceil(BLOCK) > MAX_BLOCKS {
        return false;
    }
    let samples = &bytes[..bytes.len().min(NUM_SAMPLES * image_len)];
    Piece::of(samples, image_len).numbers.len() * (BLOCK + 1) < samples.len()
}

impl Piece {
    /// Takes images of `image_len` pixels.
    fn of(bytes: &[u8], image_len: usize) -> Self {
        let mut piece = Self::default();
        bytes.chunks_exact(image_len).for_each(|image| piece.push(image));
        piece.numbers.shrink_to_fit();
        piece.blocks.shrink_to_fit();
        piece
    }

    /// Appends an image.
    fn push(&mut self, image: &[u8]) {
        self.starts.push(self.numbers.len() as u32);
        let (mut numbers, mut blocks) = ([0; MAX_BLOCKS], [[0; BLOCK]; MAX_BLOCKS]);
        let (whole, rest) = image.as_chunks::<BLOCK>();
        let mut len = 0;
        // No branch: each block is written, and the next one overwrites a block of background. The
        // remainder spares a check of the index.
        for (number, block) in whole.iter().enumerate() {
            numbers[len % MAX_BLOCKS] = number as u8;
            blocks[len % MAX_BLOCKS] = *block;
            len += usize::from(*block != [0; BLOCK]);
        }
        self.numbers.extend_from_slice(&numbers[..len]);
        self.blocks.extend_from_slice(blocks[..len].as_flattened());
        if rest.iter().any(|&pixel| pixel != 0) {
            let mut last = [0; BLOCK];
            last[..rest.len()].copy_from_slice(rest);
            self.numbers.push(whole.len() as u8);
            self.blocks.extend_from_slice(&last);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
