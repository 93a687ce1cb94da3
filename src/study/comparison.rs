//! A setting beside the best one: how far behind it is, and how probably that matters.

use serde::Serialize;

use crate::statistics::{
    CONFIDENCE, Probabilities, correlated_interval, correlated_p_value, correlated_posterior, mean, newcombe,
    share_posterior, spread_of, variance_ratio_p_value,
};
use crate::study::TrialRecord;

/// Below this p-value of the F test, a setting spreads so much more than the best one that it is called unstable.
const UNSTABLE_P_VALUE: f64 = 0.01;

/// How a setting stands beside the best by the 95 % interval of the difference alone, each comparison by itself. Kept
/// for scripts: an interval that contains 0 may be that of a setting much worse whose trials scatter.
/// [`Comparison::verdict`] says what is probable.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ranking {
    /// Of all settings whose trials all finished, it has the highest mean accuracy.
    Best,
    /// The interval contains 0.
    #[serde(rename = "not-worse")]
    NotSignificant(Difference),
    /// The interval does not contain 0.
    #[serde(rename = "worse")]
    SignificantlyWorse(Difference),
    /// Not all of its trials finished, or there is no best.
    NotRanked,
}

/// The best setting minus another one, in accuracy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Difference {
    /// The mean of the differences.
    pub difference: f64,
    /// The 95 % interval of the difference.
    pub interval: (f64, f64),
}

/// What is said of a setting beside the best one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// With a probability of 95 % or more, the difference is within the region of practical equivalence.
    PracticallyEqual,
    /// With a probability of 95 % or more, it is worse by more than the region.
    ProbablyWorse,
    /// Neither.
    Undecided,
}

/// What a comparison's probabilities follow from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// The differences trial by trial: the Bayesian correlated t-test.
    Trials,
    /// The number of images alone, for there is one trial, or all differences are the same: nothing is known of another
    /// seed or fold.
    Images,
}

/// A setting beside the best one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Comparison {
    /// The best setting's mean accuracy minus this one's.
    #[serde(flatten)]
    pub difference: Difference,
    /// How probable it is that it is worse, equal or better.
    #[serde(flatten)]
    pub probabilities: Probabilities,
    /// What that amounts to.
    pub verdict: Verdict,
    /// What it follows from.
    pub basis: Basis,
    /// The p-value of the corrected t-test (Nadeau and Bengio 2003), two-sided, by itself; none where the trials do not
    /// spread.
    pub p_value: Option<f64>,
    /// The same after Holm's correction for all comparisons of the study.
    pub p_holm: Option<f64>,
}

/// Why a setting cannot be relied on, however good its mean may be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum Instability {
    /// Some of its trials diverged and others did not.
    Diverged,
    /// Its accuracies spread much more widely than the best setting's: the F test of both variances gives a p-value below
    /// 0.01, and the standard deviation is larger than the region of practical equivalence.
    Spread {
        /// The standard deviation divided by the best setting's; none where that is 0.
        #[serde(rename = "times")]
        ratio: Option<f64>,
    },
}

/// The trials of a setting that are compared: those of all folds and seeds finished.
pub(super) struct ConfigurationTrials<'a> {
    pub(super) records: &'a [Option<&'a TrialRecord>],
}

impl ConfigurationTrials<'_> {
    pub(super) fn accuracies(&self) -> Vec<f64> {
        self.records.iter().flatten().filter_map(|record| record.accuracy).collect()
    }

    /// Images that each trial learned from and was judged by.
    pub(super) fn num_images(&self) -> (usize, usize) {
        self.records.iter().flatten().next().map_or((1, 1), |record| record.num_images)
    }

    /// Images that judged in all: those of all folds. Those that other seeds hold out may be the same again.
    pub(super) fn num_validation_images(&self) -> usize {
        let mut folds: Vec<_> = self.records.iter().flatten().map(|record| record.fold).collect();
        folds.sort_unstable();
        folds.dedup();
        self.num_images().1.saturating_mul(folds.len().max(1))
    }

    /// Compares with `best` trial by trial: those of the same fold and seed saw and were judged by the same images.
    /// `region` is half the width of the region of practical equivalence.
    pub(super) fn compare(&self, best: &Self, region: f64) -> Option<Comparison> {
        let (best_accuracies, accuracies) = (best.accuracies(), self.accuracies());
        let differences: Vec<f64> = best_accuracies.iter().zip(&accuracies).map(|(a, b)| a - b).collect();
        let difference = mean(&differences)?;
        let from_trials = correlated_interval(&differences, best.num_images()).zip(correlated_posterior(
            &differences,
            best.num_images(),
            region,
        ));
        let (interval, probabilities, basis) = match from_trials {
            Some((interval, probabilities)) => (interval, probabilities, Basis::Trials),
            None => {
                let (best_mean, own_mean, n) =
                    (mean(&best_accuracies)?, mean(&accuracies)?, best.num_validation_images());
                let interval = newcombe((best_mean, n), (own_mean, n));
                (interval, share_posterior(best_mean, own_mean, n, region), Basis::Images)
            }
        };
        let verdict = verdict(probabilities);
        let difference = Difference { difference, interval };
        let p_value = correlated_p_value(&differences, best.num_images());
        Some(Comparison { difference, probabilities, verdict, basis, p_value, p_holm: None })
    }

    /// Whether its accuracies spread so much more than the best setting's that it cannot be relied on.
    pub(super) fn instability(&self, best: Option<&Self>, region: f64) -> Option<Instability> {
        let finished = self.records.iter().flatten().filter(|record| record.accuracy.is_some()).count();
        let diverged =
            self.records.iter().flatten().filter(|record| record.end == crate::study::TrialEnd::Diverged);
        if finished > 0 && diverged.count() > 0 {
            return Some(Instability::Diverged);
        }
        let (own, best) = (self.accuracies(), best?.accuracies());
        let own_deviation = spread_of(&own).filter(|&deviation| deviation > region)?;
        if own.len() != best.len() {
            return None;
        }
        let ratio = spread_of(&best).map(|best_deviation| own_deviation / best_deviation);
        let p_value = ratio.map_or(0.0, |ratio| variance_ratio_p_value(ratio * ratio, own.len()));
        (p_value < UNSTABLE_P_VALUE).then_some(Instability::Spread { ratio })
    }
}

fn verdict(probabilities: Probabilities) -> Verdict {
    match probabilities {
        Probabilities { equal, .. } if equal >= CONFIDENCE => Verdict::PracticallyEqual,
        Probabilities { worse, .. } if worse >= CONFIDENCE => Verdict::ProbablyWorse,
        _ => Verdict::Undecided,
    }
}

impl Comparison {
    /// As the interval alone has it.
    pub(super) fn ranking(&self) -> Ranking {
        match self.difference.interval.0 > 0.0 {
            true => Ranking::SignificantlyWorse(self.difference),
            false => Ranking::NotSignificant(self.difference),
        }
    }
}
