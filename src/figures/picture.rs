//! Owns the finished picture and its PNG bytes. Knows neither shapes nor what the picture shows.

use std::io::Cursor;

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};

use crate::error::{Error, Result};

use super::colour::Rgb;

/// The longest side of a picture, in pixels.
pub(super) const MAX_SIDE: usize = 8_000;
const MAX_PIXELS: usize = 40_000_000;

/// A picture in colour, row by row from the top left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `width * height * 3` bytes: red, green, blue.
    pub pixels: Vec<u8>,
}

impl Picture {
    /// A picture of one colour; refuses sizes that nobody could look at.
    pub(super) fn blank(width: usize, height: usize, colour: Rgb) -> Result<Self> {
        check_size(width, height)?;
        Ok(Self { width, height, pixels: colour.repeat(width * height) })
    }

    /// The picture as an 8-bit RGB PNG file.
    pub fn to_png(&self) -> Result<Vec<u8>> {
        encode(&self.pixels, self.width, self.height, ExtendedColorType::Rgb8, 3)
    }

    /// Copies `other` to where its upper left corner is at (`left`, `top`); what would lie outside is left out.
    pub(super) fn paste(&mut self, other: &Picture, left: usize, top: usize) {
        let width = other.width.min(self.width.saturating_sub(left));
        let rows = other.height.min(self.height.saturating_sub(top));
        for y in 0..rows {
            let (to, from) = (((top + y) * self.width + left) * 3, y * other.width * 3);
            self.pixels[to..to + width * 3].copy_from_slice(&other.pixels[from..from + width * 3]);
        }
    }

    /// Mixes `colour` into a pixel: `coverage` 0 leaves it, 1 replaces it.
    pub(super) fn blend(&mut self, x: usize, y: usize, colour: Rgb, coverage: f32) {
        if x >= self.width || y >= self.height || coverage <= 0.0 {
            return;
        }
        let start = (y * self.width + x) * 3;
        for (old, new) in self.pixels[start..start + 3].iter_mut().zip(colour) {
            let mixed = f32::from(*old) + (f32::from(new) - f32::from(*old)) * coverage.min(1.0);
            *old = mixed.round() as u8;
        }
    }

    #[cfg(test)]
    pub(super) fn at(&self, x: usize, y: usize) -> Rgb {
        let start = (y * self.width + x) * 3;
        [self.pixels[start], self.pixels[start + 1], self.pixels[start + 2]]
    }

    #[cfg(test)]
    pub(super) fn contains(&self, colour: Rgb) -> bool {
        self.pixels.as_chunks::<3>().0.contains(&colour)
    }
}

/// Refuses empty and enormous pictures.
pub(super) fn check_size(width: usize, height: usize) -> Result<()> {
    let fits = (1..=MAX_SIDE).contains(&width) && (1..=MAX_SIDE).contains(&height);
    if fits && width * height <= MAX_PIXELS {
        return Ok(());
    }
    Err(Error::new(format!(
        "the picture would be {width} × {height} pixels, expected 1 to {MAX_SIDE} a side and at most 40 megapixels"
    )))
}

/// The PNG file of `pixels` with `channels` bytes each.
pub(super) fn encode(
    pixels: &[u8],
    width: usize,
    height: usize,
    colour: ExtendedColorType,
    channels: usize,
) -> Result<Vec<u8>> {
    check_size(width, height)?;
    if pixels.len() != width * height * channels {
        return Err(Error::new(format!(
            "a picture of {width} × {height} pixels has {} bytes, expected {}",
            pixels.len(),
            width * height * channels
        )));
    }
    let mut png = Cursor::new(Vec::new());
    PngEncoder::new(&mut png)
        .write_image(pixels, width as u32, height as u32, colour)
        .map_err(|e| Error::new(format!("cannot encode a picture as PNG: {e}")))?;
    Ok(png.into_inner())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_png_holds_the_pixels() {
        let picture = Picture { width: 2, height: 1, pixels: vec![1, 2, 3, 250, 251, 252] };
        let image = image::load_from_memory(&picture.to_png().unwrap()).unwrap();
        assert_eq!(image.color(), image::ColorType::Rgb8);
        assert_eq!((image.width(), image.height()), (2, 1));
        assert_eq!(image.to_rgb8().into_raw(), picture.pixels);
    }

    #[test]
    fn impossible_sizes_are_refused() {
        for (width, height) in [(0, 5), (5, 0), (8_001, 5), (5, 8_001), (8_000, 8_000), (usize::MAX, 2)] {
            assert!(Picture::blank(width, height, [0; 3]).is_err(), "{width} × {height}");
        }
        let lying = Picture { width: 2, height: 2, pixels: vec![0; 11] };
        assert!(lying.to_png().is_err());
    }

    #[test]
    fn pasting_clips() {
        let mut picture = Picture::blank(3, 3, [9; 3]).unwrap();
        let patch = Picture::blank(2, 2, [1; 3]).unwrap();
        picture.paste(&patch, 2, 2);
        picture.paste(&patch, 7, 7);
        assert_eq!(picture.at(2, 2), [1; 3]);
        assert_eq!(picture.pixels.iter().filter(|&&byte| byte == 1).count(), 3);
    }
}
