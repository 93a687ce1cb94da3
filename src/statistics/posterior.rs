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
mod tests;
