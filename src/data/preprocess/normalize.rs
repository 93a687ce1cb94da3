//! Owns the size and position of the digit: turns ink of any size into an image like those of
//! MNIST. Must not know how the ink was found.

use crate::data::preprocess::gray::GrayF32;

/// Side of the box that the ink fits, as a share of the image's side: MNIST's 20 of 28 pixels.
const BOX_SHARE: f64 = 20.0 / 28.0;

/// Smallest width of a stroke in an image of 28×28, in pixels. MNIST's own strokes are 2 to 4
/// pixels wide. Thinner ones are thickened to this width.
pub(super) const MIN_STROKE_WIDTH: f64 = 2.0;

/// Ink up to this value does not count for the size of the digit. Enlarging and compressing leave
/// such an edge.
const MIN_INK: f32 = 0.25;

/// Turns the ink, 0 to 1 per pixel, into an image of `height` × `width` pixels, 0 to 255. Returns
/// nothing if there is no ink.
pub(super) fn normalize(ink: &GrayF32, height: usize, width: usize) -> Option<Vec<u8>> {
    let digit = thicken(&crop(ink)?);
    let digit = fit_to_box(&digit, box_side(height), box_side(width));
    Some(center(&digit, height, width))
}

/// Side of the box, in pixels, for an image's side.
fn box_side(side: usize) -> usize {
    ((side as f64 * BOX_SHARE).round() as usize).max(1)
}

/// Crops the picture to the smallest rectangle around the ink.
fn crop(ink: &GrayF32) -> Option<GrayF32> {
    let has_ink = |row: usize, column: usize| ink.at(row, column) > MIN_INK;
    let row_has = |&row: &usize| (0..ink.width).any(|column| has_ink(row, column));
    let column_has = |&column: &usize| (0..ink.height).any(|row| has_ink(row, column));
    let (top, bottom) = ((0..ink.height).find(row_has)?, (0..ink.height).rfind(row_has)?);
    let (left, right) = ((0..ink.width).find(column_has)?, (0..ink.width).rfind(column_has)?);
    let rows = (top..=bottom).map(|row| &ink.values[row * ink.width..][left..=right]);
    Some(GrayF32 {
        height: bottom - top + 1,
        width: right - left + 1,
        values: rows.flatten().copied().collect(),
    })
}

/// Thickens the strokes so that they are at least [`MIN_STROKE_WIDTH`] wide in the final image. The
/// picture grows with them.
fn thicken(digit: &GrayF32) -> GrayF32 {
    let share = MIN_STROKE_WIDTH / (28.0 * BOX_SHARE);
    let longer = digit.height.max(digit.width) as f64;
    // Both the stroke and the digit grow by twice the radius.
    let half = digit.values.iter().copied().fold(0.0, f32::max) / 2.0;
    let radius = ((share * longer - digit.stroke_width(half)) / (2.0 * (1.0 - share))) as f32;
    // Thickening loses the grey levels. That is too much for less than half a pixel.
    if radius < 0.5 {
        return digit.clone();
    }
    let padded = digit.pad(radius.ceil() as usize);
    let distances = padded.distance_transform(|ink| ink > half);
    distances.map(|distance| (radius + 0.5 - distance).clamp(0.0, 1.0))
}

/// Resizes the digit to the largest size with its own proportions that fits the box of `height` ×
/// `width` pixels. Its strongest ink becomes 1.
fn fit_to_box(digit: &GrayF32, height: usize, width: usize) -> GrayF32 {
    let scale = (height as f64 / digit.height as f64).min(width as f64 / digit.width as f64);
    let side = |side: usize, max: usize| ((side as f64 * scale).round() as usize).clamp(1, max);
    let (height, width) = (side(digit.height, height), side(digit.width, width));
    let small = resize_height(&resize_height(digit, height).transpose(), width).transpose();
    let strongest = small.values.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    small.map(|ink| ink / strongest)
}

/// Resizes to `height` rows. Each row of the result is the mean of the rows that it covers,
/// weighted by the share that it covers.
fn resize_height(image: &GrayF32, height: usize) -> GrayF32 {
    let rows = image.height as f64 / height as f64;
    let mut values = vec![0.0; height * image.width];
    for (row, line) in values.chunks_exact_mut(image.width).enumerate() {
        let (start, end) = (row as f64 * rows, (row + 1) as f64 * rows);
        for source in start as usize..(end.ceil() as usize).min(image.height) {
            let covered = (end.min((source + 1) as f64) - start.max(source as f64)).max(0.0);
            let weight = (covered / rows) as f32;
            for (value, &ink) in line.iter_mut().zip(&image.values[source * image.width..]) {
                *value += weight * ink;
            }
        }
    }
    GrayF32 { height, width: image.width, values }
}

/// Places the digit on an empty image of `height` × `width` pixels, with its centre of mass at the
/// middle.
///
/// MNIST's centres of mass, in whole pixels counted from 0, are evenly distributed over 14 ± 0.5 in
/// both directions. So the digits of MNIST were moved by whole pixels, towards half of the side.
/// This function does the same.
fn center(digit: &GrayF32, height: usize, width: usize) -> Vec<u8> {
    let (row, column) = centre_of_mass(digit);
    let offset = |centre: f64, digit: usize, side: usize| {
        ((side as f64 / 2.0 - centre).round().max(0.0) as usize).min(side - digit)
    };
    let (top, left) = (offset(row, digit.height, height), offset(column, digit.width, width));
    let mut image = vec![0; height * width];
    for (row, line) in digit.values.chunks_exact(digit.width).enumerate() {
        for (pixel, ink) in image[(top + row) * width + left..].iter_mut().zip(line) {
            *pixel = (ink * 255.0).round() as u8;
        }
    }
    image
}

/// Mean row and column of the ink.
fn centre_of_mass(digit: &GrayF32) -> (f64, f64) {
    let (mut mass, mut rows, mut columns) = (0.0, 0.0, 0.0);
    for (index, &ink) in digit.values.iter().enumerate() {
        let ink = f64::from(ink);
        mass += ink;
        rows += ink * (index / digit.width) as f64;
        columns += ink * (index % digit.width) as f64;
    }
    (rows / mass, columns / mass)
}
