//! Owns the range of the pixel values of a data set, and their scaling to bytes. Depends on
//! `sources::raw`. Must not know files or networks.
//!
//! A network's input is a byte divided by 255: see [`crate::data::normalize`]. The scaling to bytes
//! makes that 0 to 1 for images of any range.

use serde::{Deserialize, Serialize};

use crate::data::sources::RawPixels;
use crate::error::Result;
use crate::util::memory;

/// The pixel values that become 0 and 1 at a network's input.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ValueRange {
    /// The value that becomes 0.
    pub black: f64,
    /// The value that becomes 1. It is larger than `black`.
    pub white: f64,
}

/// Values of white that data sets use: a share, the digits of scikit-learn, and the largest numbers
/// of 8, 10, 12 and 16 bits.
const WHITES: [f64; 6] = [1.0, 16.0, 255.0, 1023.0, 4095.0, 65535.0];

impl ValueRange {
    /// The range of bytes.
    pub const BYTES: Self = Self { black: 0.0, white: 255.0 };

    /// Returns the range that training images with these smallest and largest values have.
    ///
    /// Without negative values, black is 0 and white is the smallest of 1, 16, 255, 1023, 4095 and
    /// 65535 that is not below `max`, or else `max`. With negative values down to -1 and values up
    /// to 1, the range is -1 to 1, as torchvision's `Normalize(0.5, 0.5)` makes it. All other
    /// negative values give `min` to `max`. Images of zeros alone have the range of bytes.
    pub fn of_training_images(min: f64, max: f64) -> Self {
        // 1.0000001 is a rounded 1.
        let tolerance = |white: f64| white * 1.001;
        if min >= 0.0 {
            if max == 0.0 {
                return Self::BYTES;
            }
            let white = WHITES.into_iter().find(|&white| max <= tolerance(white)).unwrap_or(max);
            return Self { black: 0.0, white };
        }
        if min >= -tolerance(1.0) && max <= tolerance(1.0) {
            return Self { black: -1.0, white: 1.0 };
        }
        let white = if max > min { max } else { min + 1.0 };
        Self { black: min, white }
    }

    /// Returns the range of training images with these pixels: see
    /// [`ValueRange::of_training_images`].
    pub(crate) fn of_pixels(pixels: &RawPixels) -> Self {
        // One byte above 16 decides, and most data sets have it among their first pixels.
        let is_high = |bytes: &[u8]| bytes.iter().any(|&byte| byte > 16);
        let has_high = match pixels {
            RawPixels::Bytes(bytes) => is_high(bytes),
            RawPixels::Blocks(blocks) => blocks.images().any(|image| is_high(&image.to_bytes())),
            RawPixels::Floats(_) => false,
        };
        if has_high {
            return Self::BYTES;
        }
        let (min, max) = pixels.min_max();
        Self::of_training_images(min.into(), max.into())
    }

    /// True if the values lie in the range, to within a rounding error.
    pub(crate) fn contains(&self, min: f64, max: f64) -> bool {
        let slack = 0.001 * (self.white - self.black);
        min >= self.black - slack && max <= self.white + slack
    }

    /// Byte of a pixel value: `black` becomes 0, `white` 255, the values between them the nearest
    /// byte. Values outside and values that are no numbers become the nearest end, or 0.
    pub(crate) fn to_byte(self, value: f32) -> u8 {
        // `as` maps NaN to 0 and values outside to the nearest end.
        ((f64::from(value) - self.black) / (self.white - self.black) * 255.0).round() as u8
    }

    /// Scales pixels to bytes: see [`ValueRange::to_byte`]. Bytes are changed in place.
    ///
    /// # Errors
    /// The system does not give the memory.
    pub(crate) fn scale(self, pixels: RawPixels) -> Result<Vec<u8>> {
        match pixels {
            RawPixels::Bytes(bytes) if self == Self::BYTES => Ok(bytes),
            RawPixels::Bytes(mut bytes) => {
                let table: Vec<u8> = (0..=u8::MAX).map(|byte| self.to_byte(f32::from(byte))).collect();
                bytes.iter_mut().for_each(|byte| *byte = table[usize::from(*byte)]);
                Ok(bytes)
            }
            RawPixels::Blocks(blocks) => self.scale(RawPixels::Bytes(blocks.to_bytes()?)),
            RawPixels::Floats(blocks) => {
                let count = blocks.iter().map(Vec::len).sum();
                let mut bytes = memory::reserve(count, "the images")?;
                // Each block is freed at the end of its turn.
                for block in blocks {
                    bytes.extend(block.iter().map(|&value| self.to_byte(value)));
                }
                Ok(bytes)
            }
        }
    }
}

impl std::fmt::Display for ValueRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} to {}", self.black, self.white)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
