//! Owns the comparison of a configuration with the best one: the difference, its probabilities, and
//! the verdict. Depends on `statistics` and on trial records. Must not know the page or the
//! terminal.

use serde::Serialize;

use crate::statistics::{
    CONFIDENCE, Probabilities, correlated_interval, correlated_p_value, correlated_posterior, mean, newcombe,
    share_posterior, spread_of, variance_ratio_p_value,
};
use crate::study::{Measure, TrialRecord};

/// Largest p-value of the F test at which a configuration is called unstable: its accuracies spread
/// much more than those of the best one.
const UNSTABLE_P_VALUE: f64 = 0.01;

/// Ranking of a configuration by the 95 % interval of the difference alone, without correction for
/// several comparisons.
///
/// It is kept for scripts. An interval that contains 0 may belong to a configuration that is much
/// worse and whose trials scatter. [`Comparison::verdict`] says what is probable.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ranking {
    /// The highest mean accuracy of all configurations whose trials all finished.
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

/// Accuracy, or balanced accuracy if the study chooses by it, of the best configuration minus that
/// of another one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Difference {
    /// Mean of the differences over the trials.
    pub difference: f64,
    /// 95 % interval of the difference.
    pub interval: (f64, f64),
}

/// Conclusion of a comparison with the best configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The difference is within the region of practical equivalence, with a probability of 95 % or
    /// more.
    PracticallyEqual,
    /// The configuration is worse by more than the region, with a probability of 95 % or more.
    ProbablyWorse,
    /// Neither of the two.
    Undecided,
}

/// Origin of the probabilities of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// The differences between trials, by the Bayesian correlated t-test.
    Trials,
    /// The number of images alone, since there is one trial or all differences are equal. Such
    /// probabilities say nothing about another seed or fold.
    Images,
}

/// Comparison of a configuration with the best one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Comparison {
    /// Mean accuracy of the best configuration minus the mean accuracy of this one.
    #[serde(flatten)]
    pub difference: Difference,
    /// Probabilities that this configuration is worse, equal or better.
    #[serde(flatten)]
    pub probabilities: Probabilities,
    /// Conclusion from the probabilities.
    pub verdict: Verdict,
    /// Origin of the probabilities.
    pub basis: Basis,
    /// Two-sided p-value of the corrected t-test (Nadeau and Bengio 2003) of this comparison alone.
    /// `None` where the differences do not spread.
    pub p_value: Option<f64>,
    /// The p-value after Holm's correction for all comparisons of the study.
    pub p_holm: Option<f64>,
}

/// Reason why a configuration is not reliable, however good its mean is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum Instability {
    /// Some of its trials diverged and others did not.
    Diverged,
    /// Its accuracies spread much more widely than those of the best configuration. The F test of
    /// the two variances gives a p-value below 0.01, and the standard deviation is larger than the
    /// region of practical equivalence.
    Spread {
        /// Standard deviation divided by that of the best configuration. `None` where the latter is
        /// 0.
        #[serde(rename = "times")]
        ratio: Option<f64>,
    },
}

/// Trials of one configuration, with all seeds and folds.
pub(super) struct ConfigurationTrials<'a> {
    /// One entry per trial, in the plan's order: the record, or `None` if the trial has not run.
    pub(super) records: &'a [Option<&'a TrialRecord>],
    /// Measure that is compared.
    pub(super) measure: Measure,
}

impl ConfigurationTrials<'_> {
    /// Values of the measure on the validation images, of the trials that finished.
    pub(super) fn scores(&self) -> Vec<f64> {
        self.records.iter().flatten().filter_map(|record| record.score(self.measure)).collect()
    }

    /// Number of training images, with the stopping images, and of validation images of the first
    /// trial that has run. Those of other folds differ by one image at most.
    pub(super) fn num_images(&self) -> (usize, usize) {
        let Some(record) = self.records.iter().flatten().next() else { return (1, 1) };
        let (train, validation) = record.num_images;
        (train.saturating_add(record.num_stopping_images.unwrap_or(0)), validation)
    }

    /// Number of different validation images over all folds. Other seeds may take the same images
    /// for validation again, so seeds do not add to it. For the balanced accuracy, it is the number
    /// of images of equally large classes that would be as certain.
    pub(super) fn num_validation_images(&self) -> usize {
        let effective = self.records.iter().flatten().next().and_then(|record| record.effective_images);
        let of_fold = match (self.measure, effective) {
            (Measure::BalancedAccuracy, Some(images)) => images,
            _ => self.num_images().1,
        };
        let mut folds: Vec<_> = self.records.iter().flatten().map(|record| record.fold).collect();
        folds.sort_unstable();
        folds.dedup();
        of_fold.saturating_mul(folds.len().max(1))
    }

    /// Compares with `best` trial by trial: trials of the same fold and seed have the same training
    /// and validation images. `region` is half the width of the region of practical equivalence.
    /// `None` where no trial finished. Holm's correction is left to the caller, which has all
    /// comparisons.
    pub(super) fn compare(&self, best: &Self, region: f64) -> Option<Comparison> {
        let (best_scores, scores) = (best.scores(), self.scores());
        let differences: Vec<f64> = best_scores.iter().zip(&scores).map(|(a, b)| a - b).collect();
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
                    (mean(&best_scores)?, mean(&scores)?, best.num_validation_images());
                let interval = newcombe((best_mean, n), (own_mean, n));
                (interval, share_posterior(best_mean, own_mean, n, region), Basis::Images)
            }
        };
        let verdict = verdict(probabilities);
        let difference = Difference { difference, interval };
        let p_value = correlated_p_value(&differences, best.num_images());
        Some(Comparison { difference, probabilities, verdict, basis, p_value, p_holm: None })
    }

    /// Returns the reason why the configuration is not reliable, or `None` if it is reliable.
    /// `region` is half the width of the region of practical equivalence.
    pub(super) fn instability(&self, best: Option<&Self>, region: f64) -> Option<Instability> {
        let finished = self.scores().len();
        let diverged =
            self.records.iter().flatten().filter(|record| record.end == crate::study::TrialEnd::Diverged);
        if finished > 0 && diverged.count() > 0 {
            return Some(Instability::Diverged);
        }
        let (own, best) = (self.scores(), best?.scores());
        let own_deviation = spread_of(&own).filter(|&deviation| deviation > region)?;
        if own.len() != best.len() {
            return None;
        }
        // Without a ratio, the trials of the best configuration all agree: the p-value is 0.
        let ratio = spread_of(&best).map(|best_deviation| own_deviation / best_deviation);
        let p_value = ratio.map_or(0.0, |ratio| variance_ratio_p_value(ratio * ratio, own.len()));
        (p_value < UNSTABLE_P_VALUE).then_some(Instability::Spread { ratio })
    }
}

/// Verdict that has a probability of at least 95 %, or else [`Verdict::Undecided`].
fn verdict(probabilities: Probabilities) -> Verdict {
    match probabilities {
        Probabilities { equal, .. } if equal >= CONFIDENCE => Verdict::PracticallyEqual,
        Probabilities { worse, .. } if worse >= CONFIDENCE => Verdict::ProbablyWorse,
        _ => Verdict::Undecided,
    }
}

impl Comparison {
    /// Ranking by the interval of the difference alone.
    pub(super) fn ranking(&self) -> Ranking {
        match self.difference.interval.0 > 0.0 {
            true => Ranking::SignificantlyWorse(self.difference),
            false => Ranking::NotSignificant(self.difference),
        }
    }
}
