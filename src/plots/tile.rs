//! Owns one small image of grey values or weights: its size on a picture, and its pixels. Must not
//! know layout or text.

use image::imageops::{FilterType, resize};
use image::{GrayImage, ImageBuffer, Pixel, RgbImage};

use crate::error::{Error, Result};

use crate::plots::colour;
use crate::plots::colour::Rgb;
use crate::plots::picture::{MAX_SIDE, encode};

/// Encodes an image as a PNG file in 8-bit grey, as it is stored (0 black, 255 white). Every pixel
/// becomes a square of `scale` × `scale`.
///
/// `pixels` holds `height * width` values, row by row.
///
/// # Errors
/// The values do not fit the size, or the picture would be too large.
pub(crate) fn gray_png(pixels: &[u8], height: usize, width: usize, scale: usize) -> Result<Vec<u8>> {
    let zoom = Zoom::checked(height, width, scale)?;
    let image: GrayImage = stored(pixels, height, width, |v| [v])?;
    encode(&zoom.apply(&image))
}

/// Encodes a neuron's weights as a PNG file: blue for `-limit`, white for zero, red for `limit`,
/// grey for NaN. Every weight becomes a square of `scale` × `scale`. Weights beyond `limit` are
/// clipped.
///
/// `values` holds `height * width` weights, row by row. `limit` is finite and positive
/// ([`symmetric_limit`]).
///
/// # Errors
/// The values do not fit the size, the limit is not valid, or the picture would be too large.
pub(crate) fn weight_png(
    values: &[f32],
    height: usize,
    width: usize,
    limit: f32,
    scale: usize,
) -> Result<Vec<u8>> {
    check_limit(limit)?;
    let zoom = Zoom::checked(height, width, scale)?;
    encode(&zoom.picture(values, height, width, |v| colour::diverging(v, limit))?)
}

/// Largest absolute value: the limit of a scale that shows all `values` and has zero in its middle.
///
/// It is finite and above zero for any input. Values that are not finite do not count.
pub(crate) fn symmetric_limit(values: &[f32]) -> f32 {
    let largest = values.iter().filter(|v| v.is_finite()).fold(0.0_f32, |limit, v| limit.max(v.abs()));
    if largest > 0.0 { largest } else { 1.0 }
}

/// Refuses a limit that cannot be the end of a scale.
pub(super) fn check_limit(limit: f32) -> Result<()> {
    if limit.is_finite() && limit > 0.0 {
        return Ok(());
    }
    Err(Error::new(format!("the limit of the weights' scale is {limit}, expected a positive number")))
}

/// Factor from an image's pixels to a picture's pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zoom {
    /// Each pixel becomes a square of this side.
    Enlarge(usize),
    /// Squares of about this side become one pixel, a weighted mean.
    Shrink(usize),
}

impl Zoom {
    /// Integer factor that brings an image's longer side closest to `target` pixels.
    pub(super) fn towards(target: f64, height: usize, width: usize) -> Self {
        let factor = target / height.max(width).max(1) as f64;
        if factor > 0.67 {
            Self::Enlarge(factor.round().max(1.0) as usize)
        } else {
            Self::Shrink((1.0 / factor).round().max(1.0) as usize)
        }
    }

    /// Factor of enlarging by `scale`, if the result is not too large. An image that is too large
    /// itself is shrunk.
    fn checked(height: usize, width: usize, scale: usize) -> Result<Self> {
        let largest = height.max(width);
        if scale == 1 && largest > MAX_SIDE {
            return Ok(Self::Shrink(largest.div_ceil(MAX_SIDE)));
        }
        if scale == 0 || scale.saturating_mul(largest) > MAX_SIDE {
            return Err(Error::new(format!(
                "cannot enlarge {height} × {width} pixels by {scale}, expected 1 or more and at most {MAX_SIDE} \
                 pixels per side"
            )));
        }
        Ok(Self::Enlarge(scale))
    }

    /// Length of a side of `size` pixels after scaling.
    pub(super) fn side(self, size: usize) -> usize {
        match self {
            Self::Enlarge(factor) => size.saturating_mul(factor),
            Self::Shrink(factor) => size.div_ceil(factor),
        }
    }

    fn apply<P: Pixel<Subpixel = u8> + 'static>(
        self,
        image: &ImageBuffer<P, Vec<u8>>,
    ) -> ImageBuffer<P, Vec<u8>> {
        let [width, height] = [image.width(), image.height()].map(|side| self.side(side as usize) as u32);
        let filter = match self {
            Self::Enlarge(_) => FilterType::Nearest,
            Self::Shrink(_) => FilterType::Triangle,
        };
        resize(image, width, height, filter)
    }

    /// The scaled image in colour.
    pub(super) fn picture<T: Copy>(
        self,
        values: &[T],
        height: usize,
        width: usize,
        colour: impl Fn(T) -> Rgb,
    ) -> Result<RgbImage> {
        Ok(self.apply(&stored(values, height, width, colour)?))
    }
}

/// The image at its stored size.
fn stored<T: Copy, P: Pixel<Subpixel = u8>, const CHANNELS: usize>(
    values: &[T],
    height: usize,
    width: usize,
    colour: impl Fn(T) -> [u8; CHANNELS],
) -> Result<ImageBuffer<P, Vec<u8>>> {
    check_shape(values.len(), height, width)?;
    let pixels = values.iter().flat_map(|&value| colour(value)).collect();
    ImageBuffer::from_raw(width as u32, height as u32, pixels)
        .ok_or_else(|| Error::new(format!("an image of {height} × {width} pixels is too large")))
}

/// Refuses an image whose number of values does not fit its size.
pub(super) fn check_shape(values: usize, height: usize, width: usize) -> Result<()> {
    if height > 0 && width > 0 && height.checked_mul(width) == Some(values) {
        return Ok(());
    }
    Err(Error::new(format!("an image of {height} × {width} pixels has {values} values")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
