//! Owns the passes that clip a gradient. Depends on pulp. Must not know optimizers or threads.

use pulp::{Simd, WithSimd};

use crate::dispatch;

/// Number of sums that are added at the same time: four vectors of AVX-512. It is the same on every
/// processor, so that the order of additions is, too.
const LANES: usize = 64;

/// Σ v² over `values`.
pub fn sum_of_squares(values: &[f32]) -> f64 {
    dispatch(SumOfSquares(values))
}

struct SumOfSquares<'a>(&'a [f32]);

impl WithSimd for SumOfSquares<'_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> f64 {
        let (whole, rest) = self.0.as_chunks::<LANES>();
        let mut sums = [0.0f32; LANES];
        for values in whole {
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum += value * value;
            }
        }
        for (sum, value) in sums.iter_mut().zip(rest) {
            *sum += value * value;
        }
        let mut total = 0.0;
        for sum in sums {
            total += f64::from(sum);
        }
        total
    }
}

/// Multiplies `values` by `factor`.
pub fn scale(factor: f32, values: &mut [f32]) {
    dispatch(Change { values, change: |value| value * factor });
}

/// Limits `values` to [−`threshold`, `threshold`]. What is not a number stays so.
pub fn clamp(threshold: f32, values: &mut [f32]) {
    let below = move |value: f32| if value < -threshold { -threshold } else { value };
    dispatch(Change {
        values,
        change: move |value| if value > threshold { threshold } else { below(value) },
    });
}

struct Change<'a, F> {
    values: &'a mut [f32],
    change: F,
}

impl<F: Fn(f32) -> f32> WithSimd for Change<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for value in self.values {
            *value = (self.change)(*value);
        }
    }
}
