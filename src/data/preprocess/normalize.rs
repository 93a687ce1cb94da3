//! Owns the size and place of the digit: ink of any size in, an image framed as MNIST's are out.
//! Must not know how the ink was found.

use crate::data::preprocess::gray::GrayF32;

/// The box that the ink fits, as a share of the image's side: MNIST's 20 of 28 pixels.
const BOX: f64 = 20.0 / 28.0;

/// How wide a stroke is at least in an image of 28×28, in pixels. MNIST's own strokes are 2 to 4 wide;
/// thinner ones are thickened to this.
pub(super) const THINNEST_STROKE: f64 = 2.0;

/// Ink below this does not count for the size of the digit: the seam that enlarging and compressing leave.
const SEAM: f32 = 0.25;

/// The ink (0 to 1 a pixel) as an image of `height` × `width` pixels, 0 to 255; nothing if there is no ink.
pub(super) fn fit(ink: &GrayF32, height: usize, width: usize) -> Option<Vec<u8>> {
    let digit = thickened(&cropped(ink)?);
    let digit = fitted(&digit, box_side(height), box_side(width));
    Some(placed(&digit, height, width))
}

fn box_side(side: usize) -> usize {
    ((side as f64 * BOX).round() as usize).max(1)
}

/// The smallest rectangle around the ink.
fn cropped(ink: &GrayF32) -> Option<GrayF32> {
    let has_ink = |row: usize, column: usize| ink.at(row, column) > SEAM;
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

/// The digit with strokes wide enough to outlive being shrunk, on a larger picture if need be.
fn thickened(digit: &GrayF32) -> GrayF32 {
    let share = THINNEST_STROKE / (28.0 * BOX);
    let longer = digit.height.max(digit.width) as f64;
    // Both the stroke and the digit grow by twice the radius.
    let half = digit.values.iter().copied().fold(0.0, f32::max) / 2.0;
    let radius = ((share * longer - stroke_width(digit, half)) / (2.0 * (1.0 - share))) as f32;
    // Less than this is not worth losing the grey levels for.
    if radius < 0.5 {
        return digit.clone();
    }
    let grown = padded(digit, radius.ceil() as usize);
    let distances = grown.distances(|ink| ink > half);
    distances.map(|distance| (radius + 0.5 - distance).clamp(0.0, 1.0))
}

/// The mean width in pixels of the strokes, which are where the ink exceeds `half`. Across a stroke of width
/// w, the distance to its edge averages w/4.
fn stroke_width(digit: &GrayF32, half: f32) -> f64 {
    let distances = padded(digit, 1).distances(|ink| ink <= half);
    let inside: Vec<f64> =
        distances.values.iter().filter(|&&value| value > 0.0).map(|&value| f64::from(value) - 0.5).collect();
    4.0 * inside.iter().sum::<f64>() / inside.len().max(1) as f64
}

fn padded(plane: &GrayF32, margin: usize) -> GrayF32 {
    let (height, width) = (plane.height + 2 * margin, plane.width + 2 * margin);
    let mut values = vec![0.0; height * width];
    for (row, line) in plane.values.chunks_exact(plane.width).enumerate() {
        values[(row + margin) * width + margin..][..plane.width].copy_from_slice(line);
    }
    GrayF32 { height, width, values }
}

/// The digit shrunk or enlarged to the largest size of its own shape that fits the box, its strongest ink 1.
fn fitted(digit: &GrayF32, height: usize, width: usize) -> GrayF32 {
    let scale = (height as f64 / digit.height as f64).min(width as f64 / digit.width as f64);
    let side = |side: usize, most: usize| ((side as f64 * scale).round() as usize).clamp(1, most);
    let (height, width) = (side(digit.height, height), side(digit.width, width));
    let small = with_height(&with_height(digit, height).transposed(), width).transposed();
    let strongest = small.values.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    small.map(|ink| ink / strongest)
}

/// Each row of the result is the mean of the rows that it covers, parts of rows by their share.
fn with_height(plane: &GrayF32, height: usize) -> GrayF32 {
    let rows = plane.height as f64 / height as f64;
    let mut values = vec![0.0; height * plane.width];
    for (row, line) in values.chunks_exact_mut(plane.width).enumerate() {
        let (start, end) = (row as f64 * rows, (row + 1) as f64 * rows);
        for source in start as usize..(end.ceil() as usize).min(plane.height) {
            let covered = (end.min((source + 1) as f64) - start.max(source as f64)).max(0.0);
            let weight = (covered / rows) as f32;
            for (value, &ink) in line.iter_mut().zip(&plane.values[source * plane.width..]) {
                *value += weight * ink;
            }
        }
    }
    GrayF32 { height, width: plane.width, values }
}

/// The digit on an empty image. MNIST's centres of mass, in whole pixels counted from 0, scatter evenly over
/// 14 ± 0.5 in both directions: the digits are moved by whole pixels, towards half of the side.
fn placed(digit: &GrayF32, height: usize, width: usize) -> Vec<u8> {
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

/// The mean row and column of the ink.
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
