//! Owns the time per epoch: its spread over trials, and whether one configuration is faster than
//! another. Depends on `statistics`.

use serde::Serialize;

use crate::statistics::{FiveNumbers, mann_whitney};
use crate::study::TrialRecord;
use crate::training::EpochRecord;

/// Largest p-value of the Mann-Whitney test at which one configuration is called faster than
/// another.
const SIGNIFICANCE_LEVEL: f64 = 0.05;

/// Seconds per epoch of the trials of one configuration.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EpochSeconds {
    /// Median seconds per epoch of each trial. The first epoch of a trial is left out where there
    /// are more, since caches and memory are cold in it.
    pub trials: Vec<f64>,
    /// Median and spread over the trials.
    #[serde(flatten)]
    pub spread: FiveNumbers,
}

/// Result of the comparison of two configurations by their seconds per epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Faster {
    /// The first one is faster, with the p-value of the Mann-Whitney test.
    First(f64),
    /// The second one is faster, with the p-value of the Mann-Whitney test.
    Second(f64),
    /// The times of the trials overlap too much, with the p-value of the Mann-Whitney test.
    Undecided(f64),
    /// There are too few trials: four of each configuration are needed.
    TooFew,
}

impl EpochSeconds {
    /// Computes the seconds of the trials of a configuration. `None` where no epoch has been
    /// trained.
    pub(super) fn new(records: &[Option<&TrialRecord>]) -> Option<Self> {
        let trials: Vec<f64> =
            records.iter().flatten().filter_map(|record| median_epoch_seconds(&record.epochs)).collect();
        Some(Self { spread: FiveNumbers::new(&trials)?, trials })
    }

    /// Compares the trials' seconds by the two-sided Mann-Whitney test. One configuration is called
    /// faster where the p-value is below 0.05.
    pub fn compare(&self, other: &Self) -> Faster {
        const MIN_TRIALS: usize = 4;
        if self.trials.len().min(other.trials.len()) < MIN_TRIALS {
            return Faster::TooFew;
        }
        let p_value = mann_whitney(&self.trials, &other.trials);
        match (p_value < SIGNIFICANCE_LEVEL, self.spread.median < other.spread.median) {
            (false, _) => Faster::Undecided(p_value),
            (true, true) => Faster::First(p_value),
            (true, false) => Faster::Second(p_value),
        }
    }
}

/// Median seconds per epoch of a trial without its first epoch, or of its only epoch.
pub(crate) fn median_epoch_seconds(epochs: &[EpochRecord]) -> Option<f64> {
    EpochRecord::median_seconds(if epochs.len() > 1 { &epochs[1..] } else { epochs })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
