//! Owns the probabilities that one accuracy is above another by more than matters in practice. The
//! differences that do not matter are the region of practical equivalence, from −`region` to
//! `region`.

use serde::Serialize;

use crate::statistics::{mean, spread_of, student_cdf, variance_factor};

/// Probabilities that a configuration is worse than the best one by more than the region of
/// practical equivalence, that the difference is within the region, and that it is better by more
/// than the region. Their sum is 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Probabilities {
    /// Worse by more than the region.
    pub worse: f64,
    /// Within the region.
    pub equal: f64,
    /// Better by more than the region.
    pub better: f64,
}

impl Probabilities {
    /// Computes the probabilities from the distribution function of the difference, best minus
    /// other.
    fn new(cdf: impl Fn(f64) -> f64, region: f64) -> Self {
        let (better, worse) = (cdf(-region), 1.0 - cdf(region));
        Self { worse, equal: (1.0 - worse - better).max(0.0), better }
    }
}

/// Bayesian correlated t-test (Corani and Benavoli 2015; Benavoli, Corani, Demšar and Zaffalon
/// 2017) of the mean of `differences`, best minus other, one per trial. `None` where they do not
/// spread.
///
/// With the flat prior of that test, the posterior of the mean is Student's t with n − 1 degrees of
/// freedom around the mean difference, with the scale √((1/n + ρ/(1 − ρ)) · s²), ρ = validation /
/// (validation + training images). `images` has the number of training images and of validation
/// images. `region` is half the width of the region of practical equivalence, a difference of
/// accuracies.
pub(crate) fn correlated_posterior(
    differences: &[f64],
    images: (usize, usize),
    region: f64,
) -> Option<Probabilities> {
    let (mean, deviation) = (mean(differences)?, spread_of(differences)?);
    let scale = deviation * variance_factor(differences.len(), images).sqrt();
    let cdf = |difference: f64| student_cdf((difference - mean) / scale, differences.len() - 1);
    Some(Probabilities::new(cdf, region))
}

/// Two-sided p-value of the corrected t-test (Nadeau and Bengio 2003) for a mean of `differences`
/// of 0. `None` where they do not spread. `images` has the number of training images and of
/// validation images.
pub(crate) fn correlated_p_value(differences: &[f64], images: (usize, usize)) -> Option<f64> {
    let (mean, deviation) = (mean(differences)?, spread_of(differences)?);
    let scale = deviation * variance_factor(differences.len(), images).sqrt();
    Some(2.0 * student_cdf(-(mean / scale).abs(), differences.len() - 1))
}

/// Probabilities for two accuracies, `best` and `other`, over `num_images` images each. They are
/// used where the trials do not spread. They take the choice of images into account and no other
/// chance. `region` is half the width of the region of practical equivalence.
///
/// Each accuracy has the posterior Beta(right + 1, wrong + 1) of a uniform prior. Their difference
/// is approximated by a normal distribution. The images count as different ones, which is cautious
/// where they are the same.
pub(crate) fn share_posterior(best: f64, other: f64, num_images: usize, region: f64) -> Probabilities {
    let n = num_images as f64;
    let beta = |share: f64| {
        let (a, b) = (share.clamp(0.0, 1.0) * n + 1.0, (1.0 - share.clamp(0.0, 1.0)) * n + 1.0);
        (a / (a + b), a * b / ((a + b).powi(2) * (a + b + 1.0)))
    };
    let ((m1, v1), (m2, v2)) = (beta(best), beta(other));
    Probabilities::new(|difference| distrs::Normal::cdf(difference, m1 - m2, (v1 + v2).sqrt()), region)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn assert_close(got: Probabilities, expected: [f64; 3], tolerance: f64) {
        for (got, expected) in [got.worse, got.equal, got.better].into_iter().zip(expected) {
            assert!((got - expected).abs() < tolerance, "{got}, expected {expected}");
        }
    }

    const BEST: [f64; 5] = [0.90, 0.91, 0.92, 0.93, 0.94];

    fn against(other: [f64; 5], region: f64) -> Probabilities {
        let differences: Vec<f64> = BEST.iter().zip(other).map(|(best, other)| best - other).collect();
        correlated_posterior(&differences, (400, 100), region).unwrap()
    }

    /// The authors' package baycomp and scipy give these values; see
    /// `tests/reference/statistics.py`.
    #[test]
    fn the_correlated_t_test_as_baycomp_and_scipy_give_it() {
        for (other, region, expected) in [
            ([0.895, 0.912, 0.915, 0.931, 0.937], 0.005, [0.124_410_456_9, 0.858_270_449_2, 0.017_319_093_9]),
            ([0.895, 0.912, 0.915, 0.931, 0.937], 0.02, [0.000_634_240_1, 0.999_072_268_6, 0.000_293_491_4]),
            ([0.85, 0.86, 0.86, 0.88, 0.89], 0.005, [0.999_951_525_9, 0.000_025_873_0, 0.000_022_601_1]),
            ([0.86, 0.78, 0.69, 0.85, 0.83], 0.005, [0.961_411_097_5, 0.007_766_248_6, 0.030_822_653_9]),
            ([0.86, 0.78, 0.69, 0.85, 0.83], 0.02, [0.945_261_187_9, 0.032_438_140_5, 0.022_300_671_5]),
            ([0.90, 0.905, 0.10, 0.925, 0.93], 0.005, [0.729_256_092_7, 0.011_603_741_7, 0.259_140_165_6]),
        ] {
            assert_close(against(other, region), expected, 1e-8);
        }
        let seeds = correlated_posterior(&[0.012, 0.004, 0.009], (50_000, 10_000), 0.005).unwrap();
        assert_close(seeds, [0.812_012_860_2, 0.165_152_418_4, 0.022_834_721_4], 1e-8);
    }

    /// scipy; see `tests/reference/statistics.py`.
    #[test]
    fn the_corrected_t_test_as_scipy_gives_it() {
        for (other, expected) in [
            ([0.85, 0.86, 0.86, 0.88, 0.89], 0.000_065_020_025),
            ([0.895, 0.912, 0.915, 0.931, 0.937], 0.419_510_376_492),
        ] {
            let differences: Vec<f64> = BEST.iter().zip(other).map(|(best, other)| best - other).collect();
            let got = correlated_p_value(&differences, (400, 100)).unwrap();
            assert!((got - expected).abs() < 1e-9, "{got}");
        }
    }

    #[test]
    fn without_spread_the_trials_say_nothing() {
        assert_eq!(correlated_posterior(&[0.01; 5], (400, 100), 0.005), None);
        assert_eq!(correlated_posterior(&[0.01], (400, 100), 0.005), None);
        assert_eq!(correlated_posterior(&[0.9 - 0.88, 0.3 - 0.28], (400, 100), 0.005), None);
    }

    /// Quadrature over both Beta distributions; see `tests/reference/statistics.py`.
    #[test]
    fn shares_as_quadrature_gives_them() {
        for (best, other, n, expected) in [
            (0.90, 0.88, 500, [0.774_490, 0.121_505, 0.104_005]),
            (0.90, 0.70, 500, [1.0, 0.0, 0.0]),
            (0.9239, 0.9239, 60_000, [0.000_547, 0.998_907, 0.000_547]),
            (0.92, 0.915, 10_000, [0.499_836, 0.495_066, 0.005_098]),
        ] {
            assert_close(share_posterior(best, other, n, 0.005), expected, 1e-3);
        }
    }
}
