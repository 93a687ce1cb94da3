//! Owns the background of a grey picture: its light, its shadows, its noise, and which of two greys it is.
//! Must not know what the ink on it means.

use super::light;
use super::plane::{Plane, median};

/// The longest side on which the background is computed: it is smooth, and on averages of pixels noise is weak.
const LONGEST_SIDE: usize = 256;

/// What is narrower than twice this share of the picture's longer side is no background. A digit's strokes are
/// hardly wider than a quarter of the digit; the light on paper changes more slowly.
const RADIUS: f64 = 0.2;

/// From the median of absolute deviations to the standard deviation, for normally distributed noise.
const DEVIATIONS: f32 = 1.4826;

/// How far each pixel stands out from the background towards the ink, in grey levels, at least 0. The background
/// is the morphological opening (Serra 1982): what is left of the picture where nothing narrow stands out.
/// Unlike a fitted surface it follows the edges of shadows, and ink at the picture's edge does not mislead it.
pub(super) fn subtract(grey: &Plane) -> Plane {
    let evened = light::evened(grey);
    let polarity = polarity(&evened);
    let ink_is_high = evened.map(|value| value * polarity);
    let block = grey.height.max(grey.width).div_ceil(LONGEST_SIDE).max(1);
    let small = ink_is_high.shrunk(block);
    let radius = ((small.height.max(small.width) as f64 * RADIUS).round() as usize).max(1);
    let opened = spread(&spread(&small, radius, f32::min), radius, f32::max);
    // A block on a sharp edge of light is neither: its higher neighbour is its background.
    let background = spread(&opened, 1, f32::max);
    let mut difference = ink_is_high;
    for (at, value) in difference.values.iter_mut().enumerate() {
        let (row, column) = (at / grey.width / block, at % grey.width / block);
        *value = (*value - background.at(row, column)).max(0.0);
    }
    difference
}

/// 1 for light ink on dark, -1 for dark on light. The border is mostly background, and ink is what differs most
/// from it: it decides the sign of the third power.
fn polarity(grey: &Plane) -> f32 {
    let on_border = |at: &usize| {
        matches!(at / grey.width, 0)
            || at / grey.width + 1 == grey.height
            || at % grey.width == 0
            || (at + 1) % grey.width == 0
    };
    let background = median((0..grey.values.len()).filter(on_border).map(|at| grey.values[at]).collect());
    let skew: f64 = grey.values.iter().map(|&value| f64::from(value - background).powi(3)).sum();
    if skew < 0.0 { -1.0 } else { 1.0 }
}

/// The standard deviation of the noise in grey levels, from neighbours in a row: most have the same background
/// or the same ink below their noise.
pub(super) fn noise(grey: &Plane) -> f32 {
    let rows = grey.values.chunks_exact(grey.width);
    let steps = rows.flat_map(|row| row.windows(2).map(|pair| (pair[0] - pair[1]).abs()));
    median(steps.collect()) * DEVIATIONS / std::f32::consts::SQRT_2
}

/// The smallest or largest value within `radius` rows and columns of each pixel.
fn spread(plane: &Plane, radius: usize, choose: fn(f32, f32) -> f32) -> Plane {
    let along_rows = |plane: &Plane| {
        let mut result = plane.clone();
        for (to, from) in
            result.values.chunks_exact_mut(plane.width).zip(plane.values.chunks_exact(plane.width))
        {
            for (column, value) in to.iter_mut().enumerate() {
                let near = &from[column.saturating_sub(radius)..(column + radius + 1).min(plane.width)];
                *value = near.iter().copied().fold(*value, choose);
            }
        }
        result
    };
    along_rows(&along_rows(plane).transposed()).transposed()
}
