//! Owns the statistics of values that vary by chance: intervals, tests and probabilities over plain
//! slices. Depends on nothing else in smallnet. Must not know networks or studies.
//!
//! | question | module |
//! |---|---|
//! | how uncertain is a mean over trials, or a proportion of images? | `interval` |
//! | where is one more value of the same kind expected? | `prediction` |
//! | how probable is it that one accuracy is above another? | `posterior` |
//! | do two networks err differently on the same images? | `mcnemar` |
//! | are the values of one of two groups smaller? | `rank` |
//! | does one group spread more than another? | `spread` |
//! | what remains of several tests together? | `holm` |

mod holm;
mod interval;
mod mcnemar;
mod posterior;
#[cfg(any(test, feature = "exercise"))]
mod prediction;
mod rank;
mod spread;

pub(crate) use holm::holm;
pub(crate) use interval::{correlated_interval, newcombe, wilson};
pub(crate) use mcnemar::mcnemar;
pub(crate) use posterior::{Probabilities, correlated_p_value, correlated_posterior, share_posterior};
#[cfg(any(test, feature = "exercise"))]
pub(crate) use prediction::prediction_interval;
pub(crate) use rank::mann_whitney;
pub(crate) use spread::{FiveNumbers, variance_ratio_p_value};

/// Confidence level of intervals and comparisons.
pub(crate) const CONFIDENCE: f64 = 0.95;

/// Largest standard deviation that counts as a rounding error. Accuracies of trials are equal or
/// differ by at least one image, which is much more.
const ROUNDING: f64 = 1e-9;

/// Mean of the values. `None` if there are none.
pub(crate) fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Standard deviation (n − 1). `None` for fewer than two values.
pub(crate) fn deviation(values: &[f64]) -> Option<f64> {
    let mean = mean(values).filter(|_| values.len() > 1)?;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some((squares / (values.len() - 1) as f64).sqrt())
}

/// Standard deviation (n − 1) of values that differ by more than rounding. `None` for fewer than
/// two values, for values that do not spread, and where the result is not finite.
pub(crate) fn spread_of(values: &[f64]) -> Option<f64> {
    deviation(values).filter(|&deviation| deviation > ROUNDING && deviation.is_finite())
}

/// Factor from the variance of the values of `n` trials to the variance of their mean (Nadeau and
/// Bengio 2003): 1/n + ρ/(1 − ρ), ρ = validation / (validation + training images).
///
/// Independent values would have 1/n alone. The trials are correlated, since they share training
/// images. The second term is equal to validation / training images, which is how it is computed.
fn variance_factor(n: usize, (num_train, num_validation): (usize, usize)) -> f64 {
    1.0 / n.max(1) as f64 + num_validation as f64 / num_train.max(1) as f64
}

/// Probability that Student's t with `degrees` of freedom is at most `t`.
fn student_cdf(t: f64, degrees: usize) -> f64 {
    // Beyond this the tail is 0, and the series for it would not converge.
    const MAX_T: f64 = 1e30;
    distrs::StudentsT::cdf(t.clamp(-MAX_T, MAX_T), degrees.max(1) as f64)
}

#[cfg(test)]
mod tests;
