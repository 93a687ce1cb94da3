//! Owns the comparison of two networks on the same images.

use serde::Serialize;

use crate::statistics::interval::Z;

/// Comparison of two networks, image by image.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Paired {
    /// Number of images that only the first network classifies correctly.
    pub only_first_right: usize,
    /// Number of images that only the second network classifies correctly.
    pub only_second_right: usize,
    /// Accuracy of the first network minus that of the second.
    pub difference: f64,
    /// 95 % interval of the difference: Wald's for paired proportions with Laplace's correction
    /// (Bonett and Price 2012).
    pub interval: (f64, f64),
    /// Two-sided p-value of McNemar's exact test.
    pub p_value: f64,
}

/// Compares two networks by the indices of the images that each classifies wrongly. `first` and
/// `second` are ascending, each index is below `num_images`.
///
/// Images that both classify correctly, or both wrongly, do not show which network is better. If
/// both were equally good, each of the other images would be a coin toss. McNemar's test (1947)
/// asks how often a fair coin is at least as uneven, here exactly, by the binomial distribution.
pub(crate) fn mcnemar(first: &[u32], second: &[u32], num_images: usize) -> Paired {
    let both = count_common(first, second);
    let (only_first_right, only_second_right) = (second.len() - both, first.len() - both);
    let n = num_images.max(1) as f64;
    let (b, c) = (only_first_right as f64, only_second_right as f64);
    let (p, q) = ((b + 1.0) / (n + 2.0), (c + 1.0) / (n + 2.0));
    let half = Z * ((p + q - (p - q).powi(2)) / (n + 2.0)).sqrt();
    Paired {
        only_first_right,
        only_second_right,
        difference: (b - c) / n,
        interval: (p - q - half, p - q + half),
        p_value: coin_p_value(only_first_right, only_second_right),
    }
}

/// Number of indices that are in both ascending lists.
fn count_common(first: &[u32], second: &[u32]) -> usize {
    first.iter().filter(|image| second.binary_search(image).is_ok()).count()
}

/// Probability that a fair coin falls at least as unevenly as `heads` and `tails`.
fn coin_p_value(heads: usize, tails: usize) -> f64 {
    let n = heads + tails;
    // Logarithm of the probability of no heads, then of one more in each step.
    let mut log = -(n as f64) * std::f64::consts::LN_2;
    let mut tail = log.exp();
    for k in 1..=heads.min(tails) {
        log += ((n - k + 1) as f64 / k as f64).ln();
        tail += log.exp();
    }
    (2.0 * tail).min(1.0)
}

#[cfg(test)]
mod tests;
