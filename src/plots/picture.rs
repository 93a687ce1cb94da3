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
mod tests {
    use super::*;
    use crate::plots::colour::TEXT;
    use crate::plots::text::BODY;

    fn dark(picture: &Picture) -> Vec<(i32, i32)> {
        let inked = picture.image.enumerate_pixels().filter(|(_, _, pixel)| pixel.0[0] < 0x80);
        inked.map(|(x, y, _)| (x as i32, y as i32)).collect()
    }

    #[test]
    fn a_png_holds_the_pixels() {
        let picture = Picture { image: RgbImage::from_raw(2, 1, vec![1, 2, 3, 250, 251, 252]).unwrap() };
        let image = image::load_from_memory(&picture.to_png().unwrap()).unwrap();
        assert_eq!(image.color(), image::ColorType::Rgb8);
        assert_eq!(image.to_rgb8(), picture.image);
    }

    #[test]
    fn impossible_sizes_are_refused() {
        for (width, height) in
            [(0.0, 5.0), (5.0, 0.0), (8_001.0, 5.0), (5.0, 8_001.0), (8e3, 8e3), (1e30, 2.0)]
        {
            assert!(Picture::blank(width, height).is_err(), "{width} × {height}");
        }
        assert!(Picture::blank(8_000.0, 5_000.0).is_ok());
    }

    #[test]
    fn a_rectangle_covers_its_pixels_only_and_a_frame_surrounds_them() {
        let mut picture = Picture::blank(7.0, 6.0).unwrap();
        picture.frame((2.0, 2.0), 3.0, 2.0);
        assert_eq!(picture.image.pixels().filter(|pixel| pixel.0 == GRID).count(), 14);
        picture.fill((2.0, 2.0), 3.0, 2.0, TEXT);
        assert_eq!(dark(&picture), [(2, 2), (3, 2), (4, 2), (2, 3), (3, 3), (4, 3)]);
        assert_eq!(picture.image.pixels().filter(|pixel| pixel.0 == GRID).count(), 14);
    }

    #[test]
    fn upwards_text_is_the_same_text_turned() {
        let draw = |upwards| {
            let mut picture = Picture::blank(60.0, 60.0).unwrap();
            let add = if upwards { Picture::text_upwards } else { Picture::text };
            add(&mut picture, "Lj 4", (20.0, 40.0), BODY, TEXT, Anchor::Start).unwrap();
            dark(&picture)
        };
        let mut turned: Vec<_> = draw(false).iter().map(|&(x, y)| (20 + y - 40, 40 - (x - 20) - 1)).collect();
        turned.sort_by_key(|&(x, y)| (y, x));
        assert!(turned.len() > 20);
        assert_eq!(draw(true), turned);
    }

    #[test]
    fn what_is_outside_the_picture_is_left_out() {
        let mut picture = Picture::blank(9.0, 9.0).unwrap();
        picture.text("outside", (-900.0, 1e12), BODY, TEXT, Anchor::End).unwrap();
        picture.fill((-5.0, -5.0), 70.0, 2.0, TEXT);
        picture.fill((5.0, 5.0), -7.0, 2.0, TEXT);
        picture.fill((500.0, 5.0), 7.0, 2.0, TEXT);
        assert!(dark(&picture).is_empty());
        picture.fill((7.0, 7.0), 5.0, 5.0, TEXT);
        assert_eq!(dark(&picture).len(), 4);
    }
}
