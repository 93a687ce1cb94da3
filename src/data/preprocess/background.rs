//! Owns the background of a grey picture: its light, its shadows, its noise, and which of two greys
//! it is. Must not know the meaning of the ink.

use crate::data::preprocess::gray::{GrayF32, median};
use crate::data::preprocess::lighting::flatten_lighting;

/// Longest side of the picture on which the background is computed. Its pixels are averages, in
/// which noise is weak.
const MAX_SIDE: usize = 96;

/// Radius of the morphological opening, as a share of the picture's longer side. Anything narrower
/// than twice the radius is not background. A digit's strokes are hardly wider than a quarter of
/// the digit. The light on paper changes more slowly than that.
const OPENING_RADIUS: f64 = 0.2;

/// Factor from the median absolute deviation to the standard deviation, for normally distributed
/// noise.
const MAD_TO_STD: f32 = 1.4826;

/// Largest radius of the opening for a picture, in its pixels.
pub(super) fn max_radius(gray: &GrayF32) -> f64 {
    gray.height.max(gray.width) as f64 * OPENING_RADIUS
}

/// Removes smooth changes of light, and turns the picture so that ink has the larger values.
pub(super) fn flatten(gray: &GrayF32) -> GrayF32 {
    let flattened = flatten_lighting(gray);
    let polarity = polarity(&flattened);
    flattened.map(|value| value * polarity)
}

/// Subtracts the background from a picture that [`flatten`] returned. Each pixel of the result is
/// its difference from the background towards the ink, in grey levels, at least 0.
///
/// The background is the morphological opening (Serra 1982, "Image Analysis and Mathematical
/// Morphology"): the picture without anything that stands out and is narrower than twice the
/// `radius`, in pixels. It follows the edges of shadows, and neither ink nor a table at the
/// picture's edge distorts it. The smaller the radius, the less is left of a slanted edge.
pub(super) fn subtract_background(flattened: &GrayF32, radius: f64) -> GrayF32 {
    let gray = flattened;
    let block = gray.height.max(gray.width).div_ceil(MAX_SIDE).max(1);
    let small = gray.shrink(block);
    let radius = ((radius / block as f64).round() as usize).max(1);
    let opened = small.filter(radius, min).filter(radius, max);
    // A block on a sharp edge of light has a value between both sides: the higher neighbour is its
    // background.
    let background = opened.filter(1, max);
    let mut difference = gray.clone();
    for (index, value) in difference.values.iter_mut().enumerate() {
        let (row, column) = (index / gray.width / block, index % gray.width / block);
        *value = (*value - background.at(row, column)).max(0.0);
    }
    difference
}

/// Returns 1 for light ink on a dark background and -1 for dark ink on a light one.
///
/// The border is mostly background, and ink differs most from it. So the sum of the fifth powers of
/// the differences has the sign of the ink. A wide faint shadow counts little in it.
fn polarity(flattened: &GrayF32) -> f32 {
    let background = flattened.border_median();
    let skew: f64 = flattened.values.iter().map(|&value| f64::from(value - background).powi(5)).sum();
    if skew < 0.0 { -1.0 } else { 1.0 }
}

/// Standard deviation of the noise in grey levels, estimated from neighbours in a row. Most
/// neighbours are both background or both ink.
pub(super) fn noise_std(gray: &GrayF32) -> f32 {
    let rows = gray.values.chunks_exact(gray.width);
    let steps = rows.flat_map(|row| row.windows(2).map(|pair| (pair[0] - pair[1]).abs()));
    median(steps.collect()) * MAD_TO_STD / std::f32::consts::SQRT_2
}

fn min(values: &[f32]) -> f32 {
    values.iter().copied().fold(f32::INFINITY, f32::min)
}

fn max(values: &[f32]) -> f32 {
    values.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}
