//! Owns the changes of an image's pixel values: thickness of strokes, noise and cutout. Must not know
//! how their strength is drawn.

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

/// Makes strokes thicker, or thinner if `thickness` is below 0. `image` and `out` have rows of `width`
/// pixels.
///
/// The result is between the image and its dilation (or erosion, Serra 1982) by a cross of 3×3 pixels:
/// the mean of both, weighted with the absolute value of `thickness`, from 0 to 1.
pub(super) fn change_thickness(image: &[u8], width: usize, thickness: f32, out: &mut [u8]) {
    let extreme = |a: u8, b: u8| if thickness < 0.0 { a.min(b) } else { a.max(b) };
    let (last, share) = (image.len() / width - 1, thickness.abs());
    for (row, out) in out.chunks_exact_mut(width).enumerate() {
        let line = |row: usize| &image[row * width..][..width];
        let (middle, above, below) = (line(row), line(row.saturating_sub(1)), line((row + 1).min(last)));
        for (((out, &pixel), &above), &below) in out.iter_mut().zip(middle).zip(above).zip(below) {
            *out = extreme(extreme(pixel, above), below);
        }
        out[..width - 1].iter_mut().zip(&middle[1..]).for_each(|(out, &pixel)| *out = extreme(*out, pixel));
        out[1..].iter_mut().zip(middle).for_each(|(out, &pixel)| *out = extreme(*out, pixel));
        for (out, &pixel) in out.iter_mut().zip(middle) {
            let (pixel, extreme) = (f32::from(pixel), f32::from(*out));
            *out = (pixel + share * (extreme - pixel) + 0.5) as u8;
        }
    }
}

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
