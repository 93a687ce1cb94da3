//! Owns the change of the thickness of strokes in an image. Must not know random numbers.

/// Makes strokes thicker, or thinner if `thickness` is below 0. `image` and `out` have rows of `width`
/// pixels.
///
/// The result is between the image and its dilation (or erosion, Serra 1982) by a cross of 3×3 pixels:
/// the mean of both, weighted with the absolute value of `thickness`, from 0 to 1.
pub fn change_thickness(image: &[u8], width: usize, thickness: f32, out: &mut [u8]) {
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
