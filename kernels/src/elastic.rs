//! Owns the displacements of an elastic distortion (Simard, Steinkraus and Platt 2003, section 2):
//! fields of random numbers, smoothed by a Gaussian filter. Depends on pulp. Must not know
//! images or random numbers.

use pulp::{Simd, WithSimd};

use crate::dispatch;

/// Number of standard deviations after which the Gaussian filter ends.
const TRUNCATE: f64 = 3.0;

/// Number of neighbouring values that are computed at a time, so that their sums stay in registers.
const LANES: usize = 16;

/// Values of a Gaussian filter at the distances 0, 1, 2, …; with both sides their sum is 1.
#[derive(Debug, Clone)]
pub struct Gaussian {
    weights: Vec<f32>,
}

impl Gaussian {
    /// Returns the filter with the standard deviation `sigma`, in pixels, for fields whose longer side
    /// is `side`. Weights beyond the side are not kept, but count for the sum.
    pub fn new(sigma: f64, side: usize) -> Self {
        let radius = (TRUNCATE * sigma + 0.5) as usize;
        let weight = |distance: usize| (-0.5 * (distance as f64 / sigma).powi(2)).exp();
        let sum = weight(0) + 2.0 * (1..=radius).map(weight).sum::<f64>();
        let kept = radius.min(side.saturating_sub(1));
        Self { weights: (0..=kept).map(|distance| (weight(distance) / sum) as f32).collect() }
    }

    /// Distance after which the filter ends, in pixels.
    #[inline(always)]
    fn radius(&self) -> usize {
        self.weights.len() - 1
    }

    /// Smooths a row of values. `row` has the filter's radius of zeros on both sides, and further ones
    /// after it up to a multiple of [`LANES`]. `smooth` has the length of the row up to this multiple.
    #[inline(always)]
    fn along_row(&self, row: &[f32], smooth: &mut [f32]) {
        let radius = self.radius();
        for (chunk, out) in smooth.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
            let values = &row[chunk * LANES..][..LANES + 2 * radius];
            let mut sums = [0.0; LANES];
            for (distance, &weight) in self.weights.iter().enumerate() {
                let before = &values[radius - distance..][..LANES];
                // The middle is its own neighbour on both sides.
                let weight = if distance == 0 { 0.5 * weight } else { weight };
                let after = &values[radius + distance..][..LANES];
                for ((sum, before), after) in sums.iter_mut().zip(before).zip(after) {
                    *sum += weight * (before + after);
                }
            }
            *out = sums;
        }
    }

    /// Smooths the columns of `field` into row `row` of the result. Rows have `stride` values. Values
    /// above and below the field count as 0.
    #[inline(always)]
    fn along_columns(&self, field: &[f32], stride: usize, row: usize, smooth: &mut [f32]) {
        let height = field.len() / stride;
        let sources = row.saturating_sub(self.radius())..(row + self.radius() + 1).min(height);
        for (chunk, out) in smooth.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
            let mut sums = [0.0; LANES];
            for source in sources.clone() {
                let weight = self.weights[row.abs_diff(source)];
                let values = &field[source * stride + chunk * LANES..][..LANES];
                sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += weight * value);
            }
            *out = sums;
        }
    }
}

/// Displacements in one direction, and the memory for their computation.
#[derive(Debug, Default)]
pub struct Field {
    /// One row of random numbers, with zeros on both sides.
    noise: Vec<f32>,
    smooth: Vec<f32>,
    values: Vec<f32>,
    /// Number of values per row, a multiple of [`LANES`].
    stride: usize,
}

impl Field {
    /// Computes the displacements of an image of `height` × `width` pixels: `alpha` times the smoothed
    /// noise. `noise` has a number of two bytes, the low one first, for each pixel, row by row; 0 becomes
    /// -1, 65,535 becomes 1.
    pub fn fill(&mut self, noise: &[u8], gaussian: &Gaussian, alpha: f32, size: [usize; 2]) {
        dispatch(Fill { field: self, noise, gaussian, alpha, size });
    }

    /// Displacements of the pixels in `row`, in pixels.
    pub(crate) fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.stride..][..self.stride]
    }

    /// Largest absolute displacement, in pixels.
    pub(crate) fn largest(&self) -> f32 {
        let mut largest = [0.0f32; LANES];
        for values in self.values.as_chunks::<LANES>().0 {
            largest.iter_mut().zip(values).for_each(|(largest, value)| *largest = value.abs().max(*largest));
        }
        largest.into_iter().fold(0.0, f32::max)
    }
}

/// Arguments of [`Field::fill`].
struct Fill<'a> {
    field: &'a mut Field,
    noise: &'a [u8],
    gaussian: &'a Gaussian,
    alpha: f32,
    size: [usize; 2],
}

impl WithSimd for Fill<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { field, noise, gaussian, alpha, size: [height, width] } = self;
        let stride = width.next_multiple_of(LANES);
        field.stride = stride;
        field.smooth.resize(height * stride, 0.0);
        field.values.resize(height * stride, 0.0);
        field.noise.clear();
        field.noise.resize(stride + 2 * gaussian.radius(), 0.0);
        let rows = noise.as_chunks::<2>().0.chunks_exact(width);
        for (smooth, numbers) in field.smooth.chunks_exact_mut(stride).zip(rows) {
            let values = &mut field.noise[gaussian.radius()..][..width];
            for (value, &number) in values.iter_mut().zip(numbers) {
                *value = (f32::from(u16::from_le_bytes(number)) / 32_767.5 - 1.0) * alpha;
            }
            gaussian.along_row(&field.noise, smooth);
        }
        for (row, values) in field.values.chunks_exact_mut(stride).enumerate() {
            gaussian.along_columns(&field.smooth, stride, row, values);
        }
    }
}
