//! Owns the spread of values: quartiles and the comparison of two variances.

use serde::Serialize;

use crate::statistics::student_cdf;

/// Five-number summary of some values: minimum, quartiles and maximum.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct FiveNumbers {
    /// Smallest value.
    pub min: f64,
    /// Quantile 0.25.
    pub lower_quartile: f64,
    /// Quantile 0.5.
    pub median: f64,
    /// Quantile 0.75.
    pub upper_quartile: f64,
    /// Largest value.
    pub max: f64,
    /// Number of values.
    pub count: usize,
}

impl FiveNumbers {
    /// Computes the summary of `values`. `None` if there are none. Between two values, quantiles
    /// are interpolated as in numpy.
    pub fn new(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        let quantile = |share: f64| {
            let place = share * last as f64;
            let below = place as usize;
            let above = (below + 1).min(last);
            sorted[below] + (sorted[above] - sorted[below]) * (place - below as f64)
        };
        Some(Self {
            min: sorted[0],
            lower_quartile: quantile(0.25),
            median: quantile(0.5),
            upper_quartile: quantile(0.75),
            max: sorted[last],
            count: sorted.len(),
        })
    }
}

/// p-value of the one-sided F test: the probability that the variance of `n` values is at least
/// `ratio` times that of `n` others of the same normal distribution.
///
/// With equal degrees of freedom, F follows from Student's t: t = √(n − 1) · (√F − 1/√F) / 2
/// (Cacoullos 1965).
pub(crate) fn variance_ratio_p_value(ratio: f64, n: usize) -> f64 {
    let degrees = n.saturating_sub(1).max(1);
    let root = ratio.max(0.0).sqrt();
    1.0 - student_cdf((degrees as f64).sqrt() * (root - 1.0 / root) / 2.0, degrees)
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests;
