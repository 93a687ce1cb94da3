//! Owns what can be said of numbers that vary by chance: intervals, tests and probabilities over
//! plain slices. Knows neither networks nor studies.
//!
//! | question | answer |
//! |---|---|
//! | how far may a mean over trials, or a share of images, be off? | `interval` |
//! | where is one more value of the same kind expected? | `prediction` |
//! | how probably is one setting worse than another? | `posterior` |
//! | do two networks err differently on the same images? | `mcnemar` |
//! | is one of two groups of times shorter? | `rank` |
//! | does one group spread more than another? | `spread` |
//! | what remains of several tests together? | `holm` |

mod holm;
mod interval;
mod mcnemar;
mod posterior;
mod prediction;
mod rank;
mod spread;

pub use holm::holm;
pub use interval::{correlated_interval, newcombe, wilson};
pub use mcnemar::{Paired, mcnemar};
pub use posterior::{Probabilities, correlated_p_value, correlated_posterior, share_posterior};
pub use prediction::prediction_interval;
pub use rank::mann_whitney;
pub use spread::{FiveNumbers, variance_ratio_p_value};

/// How sure intervals and comparisons are.
pub const CONFIDENCE: f64 = 0.95;

/// Deviations below this are rounding: accuracies of trials differ by an image or not at all.
const ROUNDING: f64 = 1e-9;

/// The mean; none of no values.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The standard deviation (n − 1); none of fewer than two values.
pub fn deviation(values: &[f64]) -> Option<f64> {
    let mean = mean(values).filter(|_| values.len() > 1)?;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some((squares / (values.len() - 1) as f64).sqrt())
}

/// The standard deviation, where the values differ by more than rounding.
pub fn spread_of(values: &[f64]) -> Option<f64> {
    deviation(values).filter(|&deviation| deviation > ROUNDING && deviation.is_finite())
}

/// How trials that share images to learn from are correlated, as the factor that takes the variance
/// of their values to that of their mean: 1/n + ρ/(1 − ρ), ρ = judged/(judged + learned from)
/// (Nadeau and Bengio 2003).
fn variance_factor(n: usize, (num_train, num_validation): (usize, usize)) -> f64 {
    1.0 / n.max(1) as f64 + num_validation as f64 / num_train.max(1) as f64
}

/// The probability that Student's t with `degrees` of freedom is at most `t`.
fn student_cdf(t: f64, degrees: usize) -> f64 {
    // Beyond this the tail is 0, and the series for it would not end.
    const MAX_T: f64 = 1e30;
    distrs::StudentsT::cdf(t.clamp(-MAX_T, MAX_T), degrees.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_differ_by_rounding_do_not_spread() {
        let same = [0.9 - 0.88, 0.3 - 0.28];
        assert!(same[0] != same[1] && spread_of(&same).is_none());
        assert!(spread_of(&[0.9, 0.9001]).is_some() && spread_of(&[0.9]).is_none());
    }

    /// Of 3 degrees of freedom: scipy's `t.cdf`.
    #[test]
    fn student_is_scipys_even_far_out() {
        for (t, expected) in [(2.0, 0.930_337_015_7), (-1.0, 0.195_501_109_5), (1e300, 1.0), (-1e300, 0.0)] {
            assert!((student_cdf(t, 3) - expected).abs() < 1e-9, "{t}: {}", student_cdf(t, 3));
        }
    }
}
