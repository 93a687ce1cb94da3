//! Owns the form in which one image is given to the kernels, and the input of a network that a pixel
//! becomes. Must not know data sets or how they keep their images.

use std::borrow::Cow;

/// Number of successive pixels in a block.
pub const BLOCK: usize = 4;

/// Pixels of one image, row-major, with 0 as background.
#[derive(Debug, Clone, Copy)]
pub enum ImagePixels<'a> {
    /// All pixels.
    Bytes(&'a [u8]),
    /// Pixels in blocks of four, without the blocks that are all 0.
    Blocks {
        /// Number of each block in the image, from 0, ascending.
        numbers: &'a [u8],
        /// Pixels of each block, 0 beyond the end of the image.
        blocks: &'a [[u8; BLOCK]],
        /// Number of pixels of the image.
        len: usize,
    },
}

impl<'a> ImagePixels<'a> {
    /// Number of pixels, background included.
    #[allow(clippy::len_without_is_empty)]
    #[inline]
    pub fn len(self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Blocks { len, .. } => len,
        }
    }

    /// Returns all pixels.
    pub fn to_bytes(self) -> Cow<'a, [u8]> {
        match self {
            Self::Bytes(bytes) => Cow::Borrowed(bytes),
            Self::Blocks { .. } => {
                let mut bytes = Vec::with_capacity(self.len());
                self.append_to(&mut bytes);
                Cow::Owned(bytes)
            }
        }
    }

    /// Appends all pixels to `bytes`.
    pub fn append_to(self, bytes: &mut Vec<u8>) {
        self.append_as(bytes, |pixel| pixel);
    }

    /// Appends all pixels to `values`, as the input of a network: see [`normalize`].
    pub fn append_normalized(self, values: &mut Vec<f32>) {
        self.append_as(values, normalize);
    }

    /// Appends `value` of each pixel. That of background must be the default.
    fn append_as<T: Copy + Default>(self, values: &mut Vec<T>, value: impl Fn(u8) -> T) {
        match self {
            Self::Bytes(bytes) => values.extend(bytes.iter().map(|&pixel| value(pixel))),
            Self::Blocks { numbers, blocks, len } => {
                let start = values.len();
                values.resize(start + len, T::default());
                for (&number, block) in numbers.iter().zip(blocks) {
                    let slots = &mut values[start + usize::from(number) * BLOCK..];
                    slots.iter_mut().zip(block).for_each(|(slot, &pixel)| *slot = value(pixel));
                }
            }
        }
    }
}

/// Largest value of a pixel, which becomes 1.
pub const MAX_PIXEL: f32 = 255.0;

/// Input of a network for a pixel value: `pixel` / 255, from 0 (background) to 1, as in Keras'
/// example.
#[inline(always)]
pub fn normalize(pixel: u8) -> f32 {
    f32::from(pixel) / MAX_PIXEL
}
