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
mod tests {
    use super::*;

    /// statsmodels' `mcnemar(…, exact=True)` and scipy's `binomtest`; see
    /// `tests/reference/statistics.py`.
    #[test]
    fn p_values_as_statsmodels_and_scipy_give_them() {
        for (b, c, expected) in [
            (0, 0, 1.0),
            (5, 1, 0.218_75),
            (10, 25, 1.667_384_780_012e-2),
            (120, 160, 1.960_672_729_028e-2),
            (400, 300, 1.784_763_144_856e-4),
            (3000, 2900, 1.974_390_248_436e-1),
        ] {
            let got = coin_p_value(b, c);
            assert!((got / expected - 1.0).abs() < 1e-9, "{b} {c}: {got}");
            assert_eq!(got, coin_p_value(c, b));
        }
    }

    #[test]
    fn images_are_compared_one_by_one() {
        // The first is wrong about 1, 2, 3, 9, the second about 2, 3, 4, 5, 6. Both are wrong about
        // 2 and 3.
        let paired = mcnemar(&[1, 2, 3, 9], &[2, 3, 4, 5, 6], 20);
        assert_eq!((paired.only_first_right, paired.only_second_right), (3, 2));
        assert!((paired.difference - 0.05).abs() < 1e-12);
        assert_eq!(mcnemar(&[], &[], 0).p_value, 1.0);
    }

    /// Bonett and Price's interval, from `tests/reference/statistics.py`.
    #[test]
    fn the_interval_as_computed_in_python() {
        let first: Vec<u32> = (0..160).collect();
        let second: Vec<u32> = (160..280).collect();
        let paired = mcnemar(&first, &second, 10_000);
        assert_eq!((paired.only_first_right, paired.only_second_right), (120, 160));
        let (low, high) = paired.interval;
        assert!(
            (low + 0.007_288_947_8).abs() < 1e-9 && (high + 0.000_709_452_5).abs() < 1e-9,
            "{low} {high}"
        );
    }
}
