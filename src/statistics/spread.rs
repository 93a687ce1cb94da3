//! How widely values lie apart.

use serde::Serialize;

use crate::statistics::student_cdf;

/// The smallest, the quartiles and the largest of some values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct FiveNumbers {
    /// The smallest.
    pub min: f64,
    /// A quarter is below.
    pub lower_quartile: f64,
    /// Half is below.
    pub median: f64,
    /// Three quarters are below.
    pub upper_quartile: f64,
    /// The largest.
    pub max: f64,
    /// How many there are.
    pub count: usize,
}

impl FiveNumbers {
    /// Of `values`; none of no values. Between two of them, quantiles are interpolated, as numpy's
    /// are.
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

/// How probable it is that the variance of `n` values is at least `ratio` times that of `n` others
/// of the same spread: the one-sided F test. With the same degrees of freedom above and below, F is
/// Student's t in disguise: t = √(n − 1) · (√F − 1/√F) / 2 (Cacoullos 1965).
pub fn variance_ratio_p_value(ratio: f64, n: usize) -> f64 {
    let degrees = n.saturating_sub(1).max(1);
    let root = ratio.max(0.0).sqrt();
    1.0 - student_cdf((degrees as f64).sqrt() * (root - 1.0 / root) / 2.0, degrees)
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use super::*;

    /// numpy's `quantile` of 1, 2, 4, 8.
    #[test]
    fn quantiles_as_numpy_gives_them() {
        let five = FiveNumbers::new(&[4.0, 8.0, 1.0, 2.0]).expect("four values");
        let got = [five.min, five.lower_quartile, five.median, five.upper_quartile, five.max];
        assert_eq!((got, five.count), ([1.0, 1.75, 3.0, 5.0, 8.0], 4));
        assert_eq!(FiveNumbers::new(&[]), None);
    }

    /// scipy's `f.sf`; see `tests/reference/statistics.py`.
    #[test]
    fn variances_as_scipys_f_test_compares_them() {
        for (ratio, n, expected) in [
            (16.0, 5, 0.009_973_539_6),
            (6.25, 10, 0.005_868_775_2),
            (86.5, 5, 0.000_388_851_3),
            (100.0, 2, 0.063_451_034_9),
        ] {
            let got = variance_ratio_p_value(ratio, n);
            assert!((got - expected).abs() < 1e-8, "{ratio} {n}: {got}");
        }
        assert_eq!(variance_ratio_p_value(f64::INFINITY, 5), 0.0);
    }
}
