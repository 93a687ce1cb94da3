//! Owns the changes of an image's pixel values: noise and cutout. Must not know
//! how their strength is drawn.

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

/// Sets a square to 0. `side` is its side and `centre` the row and column of its middle, in pixels. The
/// part outside the image is cut off. A square with an even side has one pixel more above and to the
/// left of its middle.
pub(super) fn cut_out(image: &mut [u8], width: usize, side: usize, centre: [usize; 2]) {
    let range = |centre: usize, length: usize| {
        let end = centre.saturating_add(side.div_ceil(2));
        centre.saturating_sub(side / 2)..end.min(length)
    };
    let height = image.len() / width;
    for row in range(centre[0], height) {
        image[row * width..(row + 1) * width][range(centre[1], width)].fill(0);
    }
}

/// Adds normally distributed noise with the standard deviation `std`, in grey levels, to each pixel.
pub(super) fn add_noise(image: &mut [u8], std: f32, rng: &mut impl Rng) {
    for pixel in image {
        let normal: f32 = rng.sample(StandardNormal);
        // The conversion keeps to the range of bytes.
        *pixel = (f32::from(*pixel) + std * normal).round() as u8;
    }
}
