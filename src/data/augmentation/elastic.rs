//! Owns the displacements of an elastic distortion (Simard, Steinkraus and Platt 2003, section 2):
//! fields of random numbers, smoothed by a Gaussian filter. Must not know images.

/// Number of standard deviations after which the Gaussian filter ends.
const TRUNCATE: f64 = 3.0;

/// Number of neighbouring values that are computed at a time, so that their sums stay in registers.
const LANES: usize = 16;

/// Values of a Gaussian filter at the distances 0, 1, 2, …; with both sides their sum is 1.
#[derive(Debug, Clone)]
pub(super) struct Gaussian {
    weights: Vec<f32>,
}

impl Gaussian {
    /// Returns the filter with the standard deviation `sigma`, in pixels, for fields whose longer side
    /// is `side`. Weights beyond the side are not kept, but count for the sum.
    pub(super) fn new(sigma: f64, side: usize) -> Self {
        let radius = (TRUNCATE * sigma + 0.5) as usize;
        let weight = |distance: usize| (-0.5 * (distance as f64 / sigma).powi(2)).exp();
        let sum = weight(0) + 2.0 * (1..=radius).map(weight).sum::<f64>();
        let kept = radius.min(side.saturating_sub(1));
        Self { weights: (0..=kept).map(|distance| (weight(distance) / sum) as f32).collect() }
    }

    /// Distance after which the filter ends, in pixels.
    fn radius(&self) -> usize {
        self.weights.len() - 1
    }

    /// Smooths a row of values. `row` has the filter's radius of zeros on both sides, and further ones
    /// after it up to a multiple of [`LANES`]. `smooth` has the length of the row up to this multiple.
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
pub(super) struct Field {
    noise: Vec<f32>,
    smooth: Vec<f32>,
    values: Vec<f32>,
    stride: usize,
}

impl Field {
    /// Computes the displacements of an image of `height` × `width` pixels: `alpha` times the smoothed
    /// noise. `noise` has a number for each pixel, row by row; 0 becomes -1, 65,535 becomes 1.
    pub(super) fn fill(
        &mut self,
        mut noise: impl Iterator<Item = u16>,
        gaussian: &Gaussian,
        alpha: f32,
        [height, width]: [usize; 2],
    ) {
        self.stride = width.next_multiple_of(LANES);
        self.smooth.resize(height * self.stride, 0.0);
        self.values.resize(height * self.stride, 0.0);
        self.noise.clear();
        self.noise.resize(self.stride + 2 * gaussian.radius(), 0.0);
        for row in self.smooth.chunks_exact_mut(self.stride) {
            let values = self.noise[gaussian.radius()..][..width].iter_mut();
            for (value, number) in values.zip(noise.by_ref()) {
                *value = (f32::from(number) / 32_767.5 - 1.0) * alpha;
            }
            gaussian.along_row(&self.noise, row);
        }
        for (row, values) in self.values.chunks_exact_mut(self.stride).enumerate() {
            gaussian.along_columns(&self.smooth, self.stride, row, values);
        }
    }

    /// Displacements of the pixels in `row`, in pixels.
    pub(super) fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.stride..][..self.stride]
    }

    /// Largest absolute displacement, in pixels.
    pub(super) fn largest(&self) -> f32 {
        self.values.iter().fold(0.0, |largest, value| value.abs().max(largest))
    }
}
