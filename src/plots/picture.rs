//! Owns the finished picture, the drawing functions, and its PNG bytes. Must not know what it
//! shows.
//!
//! Coordinates are pixels from the top left, and integers lie between pixels. Everything outside is
//! left out.

use std::io::Cursor;

use image::{EncodableLayout, ImageBuffer, ImageFormat, PixelWithColorType, RgbImage, imageops};

use crate::error::{Error, Result};

use crate::plots::colour::{GRID, Rgb, WHITE};
use crate::plots::text::{Anchor, Font};

/// Longest side of a picture, in pixels.
pub(super) const MAX_SIDE: usize = 8_000;
const MAX_PIXELS: usize = 40_000_000;

/// A point: right, down.
pub(super) type Point = (f64, f64);

/// A picture in colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(super) image: RgbImage,
}

impl Picture {
    /// Creates a white picture. Refuses sizes that are empty or too large to be looked at.
    pub(super) fn blank(width: f64, height: f64) -> Result<Self> {
        let (width, height) = (width.ceil(), height.ceil());
        check_size(width as usize, height as usize)?;
        Ok(Self { image: RgbImage::from_pixel(width as u32, height as u32, image::Rgb(WHITE)) })
    }

    /// Encodes the picture as an 8-bit RGB PNG file.
    pub(crate) fn to_png(&self) -> Result<Vec<u8>> {
        encode(&self.image)
    }

    /// Copies `image` with its upper left corner to the given point.
    pub(super) fn paste(&mut self, image: &RgbImage, (left, top): Point) {
        imageops::replace(&mut self.image, image, left.round() as i64, top.round() as i64);
    }

    /// Draws a filled rectangle. Its edges are rounded to whole pixels, so that neighbours neither
    /// overlap nor leave a gap.
    pub(super) fn fill(&mut self, (left, top): Point, width: f64, height: f64, colour: Rgb) {
        let columns = (left + width).round() - left.round();
        let rows = (top + height).round() - top.round();
        let block = RgbImage::from_pixel(columns as u32, rows as u32, image::Rgb(colour));
        self.paste(&block, (left, top));
    }

    /// Draws a white rectangle with an outline one pixel wide just outside it.
    pub(super) fn frame(&mut self, (left, top): Point, width: f64, height: f64) {
        self.fill((left - 1.0, top - 1.0), width + 2.0, height + 2.0, GRID);
        self.fill((left, top), width, height, WHITE);
    }

    /// Draws a framed bar whose `colour` changes from its left end, 0, to its right end, 1.
    pub(super) fn gradient(&mut self, (x, y): Point, width: f64, height: f64, colour: impl Fn(f64) -> Rgb) {
        self.frame((x, y), width, height);
        for column in 0..width as usize {
            let column = column as f64;
            self.fill((x + column, y), 1.0, height, colour((column + 0.5) / width));
        }
    }

    /// Draws a line of text. `at` is on its baseline.
    pub(super) fn text(
        &mut self,
        text: &str,
        at: Point,
        font: Font,
        colour: Rgb,
        anchor: Anchor,
    ) -> Result<()> {
        self.draw_text(text, font, colour, anchor, |along, down| (at.0 + along, at.1 + down))
    }

    /// Draws text that reads from bottom to top. `at` is on its baseline, at its right.
    pub(super) fn text_upwards(
        &mut self,
        text: &str,
        at: Point,
        font: Font,
        colour: Rgb,
        anchor: Anchor,
    ) -> Result<()> {
        self.draw_text(text, font, colour, anchor, |along, down| (at.0 + down, at.1 - along - 1.0))
    }

    /// Draws the pixels of a text, each where `place` puts it.
    fn draw_text(
        &mut self,
        text: &str,
        font: Font,
        colour: Rgb,
        anchor: Anchor,
        place: impl Fn(f64, f64) -> Point,
    ) -> Result<()> {
        for (along, down, ink) in font.rasterize(text, anchor)? {
            self.blend(place(along, down), colour, ink);
        }
        Ok(())
    }

    /// Mixes `colour` into a pixel. An `ink` of 0 leaves the pixel, 1 replaces it.
    fn blend(&mut self, at: Point, colour: Rgb, ink: f32) {
        let (x, y) = (at.0.round(), at.1.round());
        if x < 0.0 || y < 0.0 {
            return;
        }
        if let Some(pixel) = self.image.get_pixel_mut_checked(x as u32, y as u32) {
            for (old, new) in pixel.0.iter_mut().zip(colour) {
                let mixed = f32::from(*old) + (f32::from(new) - f32::from(*old)) * ink.min(1.0);
                *old = mixed.round() as u8;
            }
        }
    }

    #[cfg(test)]
    pub(super) fn contains(&self, colour: Rgb) -> bool {
        self.image.pixels().any(|pixel| pixel.0 == colour)
    }
}

/// Refuses empty and enormous pictures.
pub(super) fn check_size(width: usize, height: usize) -> Result<()> {
    let fits = (1..=MAX_SIDE).contains(&width) && (1..=MAX_SIDE).contains(&height);
    if fits && width * height <= MAX_PIXELS {
        return Ok(());
    }
    Err(Error::new(format!(
        "the picture would be {width} × {height} pixels, expected 1 to {MAX_SIDE} per side and at most 40 megapixels"
    )))
}

/// Encodes an image as a PNG file.
pub(super) fn encode<P>(image: &ImageBuffer<P, Vec<u8>>) -> Result<Vec<u8>>
where
    P: PixelWithColorType<Subpixel = u8>,
    [u8]: EncodableLayout,
{
    let mut png = Cursor::new(Vec::new());
    image
        .write_to(&mut png, ImageFormat::Png)
        .map_err(|e| Error::new(format!("cannot encode a picture as PNG: {e}")))?;
    Ok(png.into_inner())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
