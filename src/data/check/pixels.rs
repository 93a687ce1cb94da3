//! Owns what is counted in all pixels of a part: the range of values, blank images, constant pixels,
//! and whether rows and columns are exchanged. Must not know labels or words.

use std::borrow::Cow;

use super::images;
use crate::data::Pixels;
use crate::data::pixels::min_max_of_bytes;

/// Counts over the images of one part.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PixelStatistics {
    /// Number of images.
    pub(super) images: usize,
    /// Number of images whose pixels all have one value. 0 if an image has one pixel alone.
    pub(super) blank_images: usize,
    /// Number of pixels that have one and the same value in all images.
    pub(super) constant_pixels: usize,
    /// Smallest and largest value. 0 and 0 without images.
    pub(super) byte_range: (u8, u8),
}

impl PixelStatistics {
    /// Counts in images of `height` × `width` bytes.
    pub(super) fn new(pixels: &Pixels, height: usize, width: usize) -> Self {
        let all = || images(pixels, height, width);
        let (mut blank, mut min, mut max) = (0, u8::MAX, 0);
        let first = all().next().unwrap_or_default();
        // Has the bits in which any image differs from the first one.
        let mut differences = vec![0_u8; first.len()];
        for image in all() {
            let (low, high) = min_max_of_bytes(&image);
            (min, max) = (min.min(low), max.max(high));
            blank += usize::from(low == high);
            for (difference, (a, b)) in differences.iter_mut().zip(image.iter().zip(first.iter())) {
                *difference |= a ^ b;
            }
        }
        Self {
            images: all().len(),
            blank_images: if first.len() > 1 { blank } else { 0 },
            constant_pixels: differences.iter().filter(|&&difference| difference == 0).count(),
            byte_range: (min.min(max), max),
        }
    }
}

/// True if images that are not square look as if rows and columns were exchanged: pixels that lie
/// one *height* apart in the file differ by less than half as much as pixels one *width* apart. In
/// a picture, a pixel resembles the one below it, which lies one width further in the file. The
/// first 1,000 images decide.
pub(super) fn has_exchanged_sides(pixels: &Pixels, height: usize, width: usize) -> bool {
    // Lines of fewer pixels are no pictures.
    if height == width || height.min(width) < 4 {
        return false;
    }
    let difference = |distance: usize| -> f64 {
        let of_image = |image: Cow<'_, [u8]>| -> f64 {
            let pairs = image.iter().zip(image.get(distance..).unwrap_or_default());
            let sum: f64 = pairs.map(|(&a, &b)| f64::from(a.abs_diff(b))).sum();
            sum / image.len().saturating_sub(distance).max(1) as f64
        };
        images(pixels, height, width).take(1000).map(of_image).sum()
    };
    difference(height) < 0.5 * difference(width)
}

#[cfg(test)]
mod tests;
