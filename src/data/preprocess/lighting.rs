//! Owns how the light on a picture changes from side to side: a smooth surface under the ink.
//! Must not know which of the two greys is ink.

use crate::data::preprocess::gray::GrayF32;

/// The terms of the surface: 1, x, y, x², xy, y², with x and y from -1 to 1. A lamp beside the paper needs
/// the first three, a lens that darkens the corners the others.
const TERMS: usize = 6;

/// A picture with a shorter side than this is lit evenly: too few pixels to tell light from ink.
const SMALLEST_SIDE: usize = 16;

/// The surface is fitted to averages of the picture with at most this longer side.
const LONGEST_SIDE: usize = 96;

/// Rounds of reweighting; the surface hardly moves after half of them.
const ROUNDS: usize = 12;

/// How near the surface a pixel is background, in grey levels.
const NEAR: f64 = 4.0;

/// How many times more background a curved surface must explain than a level one.
const CLEARLY_MORE: f64 = 1.25;

/// The picture less the light on it: the background is near 0 wherever the light changes smoothly.
pub(super) fn evened(grey: &GrayF32) -> GrayF32 {
    let small = grey.shrunk(grey.height.max(grey.width).div_ceil(LONGEST_SIDE).max(1));
    let mut level = [0.0; TERMS];
    level[0] = f64::from(small.border_median());
    let curved = if small.height.min(small.width) < SMALLEST_SIDE { level } else { fit(&small, level) };
    // Thick strokes in a closely cut picture bend the surface; an even background then explains more.
    let better = explained(&small, &curved) > CLEARLY_MORE * explained(&small, &level);
    let factors = if better { curved } else { level };
    let mut evened = grey.clone();
    for (at, value) in evened.values.iter_mut().enumerate() {
        *value -= surface(&factors, &terms(grey, at)) as f32;
    }
    evened
}

fn terms(plane: &GrayF32, at: usize) -> [f64; TERMS] {
    let scaled = |at: usize, side: usize| 2.0 * (at as f64 + 0.5) / side as f64 - 1.0;
    let (x, y) = (scaled(at % plane.width, plane.width), scaled(at / plane.width, plane.height));
    [1.0, x, y, x * x, x * y, y * y]
}

fn surface(factors: &[f64; TERMS], terms: &[f64; TERMS]) -> f64 {
    factors.iter().zip(terms).map(|(factor, term)| factor * term).sum()
}

/// How many pixels are near the surface.
fn explained(plane: &GrayF32, factors: &[f64; TERMS]) -> f64 {
    let near =
        |&(at, &value): &(usize, &f32)| (f64::from(value) - surface(factors, &terms(plane, at))).abs() < NEAR;
    plane.values.iter().enumerate().filter(near).count() as f64
}

/// The surface with the least sum of absolute deviations, by reweighted least squares from a first guess: ink
/// bends it little as long as most of the picture is background.
fn fit(plane: &GrayF32, mut factors: [f64; TERMS]) -> [f64; TERMS] {
    for _ in 0..ROUNDS {
        let mut system = [[0.0; TERMS + 1]; TERMS];
        for (at, &value) in plane.values.iter().enumerate() {
            let (value, terms) = (f64::from(value), terms(plane, at));
            let weight = 1.0 / (value - surface(&factors, &terms)).abs().max(1.0);
            for (row, &term) in system.iter_mut().zip(&terms) {
                for (cell, &other) in row.iter_mut().zip(&terms) {
                    *cell += weight * term * other;
                }
                row[TERMS] += weight * term * value;
            }
        }
        factors = solve(system);
    }
    factors
}

/// Gaussian elimination. The system is symmetric and positive definite, so it needs no pivoting.
fn solve(mut system: [[f64; TERMS + 1]; TERMS]) -> [f64; TERMS] {
    for pivot in 0..TERMS {
        let pivot_row = system[pivot].map(|value| value / system[pivot][pivot]);
        for (row, values) in system.iter_mut().enumerate() {
            let factor = if row == pivot { 0.0 } else { values[pivot] };
            for (value, above) in values.iter_mut().zip(pivot_row) {
                *value -= factor * above;
            }
        }
        system[pivot] = pivot_row;
    }
    system.map(|row| row[TERMS])
}
