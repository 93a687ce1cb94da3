//! Owns the background of a grey picture: its light, its shadows, its noise, and which of two greys it is.
//! Must not know what the ink on it means.

use crate::data::preprocess::gray::{GrayF32, median};
use crate::data::preprocess::lighting;

/// The longest side on which the background is computed: on averages of pixels, noise is weak.
const LONGEST_SIDE: usize = 96;

/// What is narrower than twice this share of the picture's longer side is no background. A digit's strokes
/// are hardly wider than a quarter of the digit; the light on paper changes more slowly.
const RADIUS: f64 = 0.2;

/// From the median of absolute deviations to the standard deviation, for normally distributed noise.
const DEVIATIONS: f32 = 1.4826;

/// How far each pixel stands out from the background towards the ink, in grey levels, at least 0.
///
/// After smooth changes of light are taken off, the background is the morphological opening (Serra 1982,
/// "Image Analysis and Mathematical Morphology"): the picture without whatever is narrow and stands out. It
/// follows the edges of shadows, and neither ink nor a table at the picture's edge bends it.
pub(super) fn subtract(grey: &GrayF32) -> GrayF32 {
    let mut difference = lighting::evened(grey);
    let polarity = polarity(&difference);
    difference = difference.map(|value| value * polarity);
    let block = grey.height.max(grey.width).div_ceil(LONGEST_SIDE).max(1);
    let small = difference.shrunk(block);
    let radius = ((small.height.max(small.width) as f64 * RADIUS).round() as usize).max(1);
    let opened = small.filtered(radius, lowest).filtered(radius, highest);
    // A block on a sharp edge of light is neither: its higher neighbour is its background.
    let background = opened.filtered(1, highest);
    for (at, value) in difference.values.iter_mut().enumerate() {
        let (row, column) = (at / grey.width / block, at % grey.width / block);
        *value = (*value - background.at(row, column)).max(0.0);
    }
    difference
}

/// 1 for light ink on dark, -1 for dark on light. The border is mostly background, and ink is what differs
/// most from it: it decides the sign of the fifth powers, where a wide faint shadow counts little.
fn polarity(evened: &GrayF32) -> f32 {
    let background = evened.border_median();
    let skew: f64 = evened.values.iter().map(|&value| f64::from(value - background).powi(5)).sum();
    if skew < 0.0 { -1.0 } else { 1.0 }
}

/// The standard deviation of the noise in grey levels, from neighbours in a row: most of them are both
/// background or both ink.
pub(super) fn noise(grey: &GrayF32) -> f32 {
    let rows = grey.values.chunks_exact(grey.width);
    let steps = rows.flat_map(|row| row.windows(2).map(|pair| (pair[0] - pair[1]).abs()));
    median(steps.collect()) * DEVIATIONS / std::f32::consts::SQRT_2
}

fn lowest(values: &[f32]) -> f32 {
    values.iter().copied().fold(f32::INFINITY, f32::min)
}

fn highest(values: &[f32]) -> f32 {
    values.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}
