//! Owns the change of light from one side of a picture to the other: a smooth surface under the
//! ink. Must not know which of the two greys is ink.

use crate::data::preprocess::gray::GrayF32;

/// Number of terms of the surface: 1, x, y, x², xy, y², with x and y from -1 to 1. A lamp beside
/// the paper needs the first three, a lens that darkens the corners the others.
const NUM_TERMS: usize = 6;

/// Shortest side, in pixels, of a picture to which a curved surface is fitted. A smaller one has
/// too few pixels to distinguish light from ink.
const MIN_SIDE: usize = 16;

/// Longest side of the picture to which the surface is fitted. Its pixels are averages.
const MAX_SIDE: usize = 96;

/// Number of rounds of reweighting. The surface hardly moves after half of them.
const NUM_ROUNDS: usize = 12;

/// Largest distance of a background pixel from the surface, in grey levels.
const MAX_RESIDUAL: f64 = 4.0;

/// Ratio by which a curved surface must explain more background pixels than a level one.
const MIN_GAIN: f64 = 1.25;

/// Subtracts the light from the picture. The background is then near 0 wherever the light changes
/// smoothly.
pub(super) fn flatten_lighting(gray: &GrayF32) -> GrayF32 {
    let small = gray.shrink(gray.height.max(gray.width).div_ceil(MAX_SIDE).max(1));
    let mut level = [0.0; NUM_TERMS];
    level[0] = f64::from(small.border_median());
    let is_small = small.height.min(small.width) < MIN_SIDE;
    let curved = if is_small { level } else { fit_surface(&small, level) };
    // Thick strokes in a closely cropped picture bend the surface. A level surface then explains
    // more pixels.
    let is_better = num_explained(&small, &curved) > MIN_GAIN * num_explained(&small, &level);
    let coefficients = if is_better { curved } else { level };
    let mut flattened = gray.clone();
    for (index, value) in flattened.values.iter_mut().enumerate() {
        *value -= surface_value(&coefficients, &terms_at(gray, index)) as f32;
    }
    flattened
}

/// Returns the terms of the surface at pixel `index` of `image`.
fn terms_at(image: &GrayF32, index: usize) -> [f64; NUM_TERMS] {
    let scale = |index: usize, side: usize| 2.0 * (index as f64 + 0.5) / side as f64 - 1.0;
    let (x, y) = (scale(index % image.width, image.width), scale(index / image.width, image.height));
    [1.0, x, y, x * x, x * y, y * y]
}

fn surface_value(coefficients: &[f64; NUM_TERMS], terms: &[f64; NUM_TERMS]) -> f64 {
    coefficients.iter().zip(terms).map(|(coefficient, term)| coefficient * term).sum()
}

/// Number of pixels within [`MAX_RESIDUAL`] of the surface.
fn num_explained(image: &GrayF32, coefficients: &[f64; NUM_TERMS]) -> f64 {
    let is_near = |&(index, &value): &(usize, &f32)| {
        (f64::from(value) - surface_value(coefficients, &terms_at(image, index))).abs() < MAX_RESIDUAL
    };
    image.values.iter().enumerate().filter(is_near).count() as f64
}

/// Fits the surface with the least sum of absolute deviations, by iteratively reweighted least
/// squares from the first guess `coefficients`. Ink bends the surface little as long as most of the
/// picture is background.
fn fit_surface(image: &GrayF32, mut coefficients: [f64; NUM_TERMS]) -> [f64; NUM_TERMS] {
    for _ in 0..NUM_ROUNDS {
        let mut system = [[0.0; NUM_TERMS + 1]; NUM_TERMS];
        for (index, &value) in image.values.iter().enumerate() {
            let (value, terms) = (f64::from(value), terms_at(image, index));
            let weight = 1.0 / (value - surface_value(&coefficients, &terms)).abs().max(1.0);
            for (row, &term) in system.iter_mut().zip(&terms) {
                for (cell, &other) in row.iter_mut().zip(&terms) {
                    *cell += weight * term * other;
                }
                row[NUM_TERMS] += weight * term * value;
            }
        }
        coefficients = solve(system);
    }
    coefficients
}

/// Solves a system of linear equations, given as the matrix and its right side, by Gaussian
/// elimination. The matrix must be symmetric and positive definite, so pivoting is not necessary.
fn solve(mut system: [[f64; NUM_TERMS + 1]; NUM_TERMS]) -> [f64; NUM_TERMS] {
    for pivot in 0..NUM_TERMS {
        let pivot_row = system[pivot].map(|value| value / system[pivot][pivot]);
        for (row, values) in system.iter_mut().enumerate() {
            let factor = if row == pivot { 0.0 } else { values[pivot] };
            for (value, above) in values.iter_mut().zip(pivot_row) {
                *value -= factor * above;
            }
        }
        system[pivot] = pivot_row;
    }
    system.map(|row| row[NUM_TERMS])
}
