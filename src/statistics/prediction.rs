//! Owns the prediction interval.

use crate::statistics::{CONFIDENCE, mean, spread_of};

/// 95 % prediction interval, in which one more value of the same kind is expected. `None` where the
/// values do not spread.
///
/// Student's t with n − 1 degrees of freedom times s · √(1 + 1/n), for independent values that are
/// normally distributed.
pub(crate) fn prediction_interval(values: &[f64]) -> Option<(f64, f64)> {
    let (mean, deviation, n) = (mean(values)?, spread_of(values)?, values.len() as f64);
    let t = distrs::StudentsT::ppf(0.5 + CONFIDENCE / 2.0, n - 1.0);
    let half = t * deviation * (1.0 + 1.0 / n).sqrt();
    Some((mean - half, mean + half))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
