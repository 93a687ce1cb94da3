//! Owns the statistics of a study: the mean accuracy of each configuration with its uncertainty,
//! its comparison with the best, and its time per epoch. Depends on `statistics`. Must not know the
//! page.

use serde::Serialize;

use crate::statistics::{correlated_interval, deviation, holm, mean, wilson};
use crate::study::comparison::{Comparison, ConfigurationTrials, Instability, Ranking, Verdict};
use crate::study::halving::{RungResult, furthest_rungs, has_result, members, rung_results, trials_of_rungs};
use crate::study::times::EpochSeconds;
use crate::study::{Configuration, EpochChoice, Measure, TrialEnd, TrialPlan, TrialRecord};
use crate::training::EpochRecord;

/// Results of the trials of one configuration.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConfigurationResult {
    /// The configuration.
    #[serde(rename = "setting")]
    pub configuration: Configuration,
    /// Mean over the trials that finished of the measure that the study chooses by, which is the
    /// validation accuracy by default. `None` where none finished. Deviation, interval and range
    /// are those of the same measure.
    pub mean: Option<f64>,
    /// Standard deviation of the values (n − 1). `None` with fewer than two.
    pub deviation: Option<f64>,
    /// 95 % interval of the mean, by Student's t over the trials. Where there is one trial, or all
    /// accuracies are equal, it is Wilson's interval of the images, which says nothing about
    /// another seed.
    pub interval: Option<(f64, f64)>,
    /// Lowest and highest value of the trials that finished.
    pub range: Option<(f64, f64)>,
    /// Mean validation accuracy of the trials that finished.
    pub accuracy: Option<f64>,
    /// Mean balanced validation accuracy of the trials that finished. `None` where an earlier
    /// smallnet did not record it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balanced_accuracy: Option<f64>,
    /// Mean validation loss of the trials that finished.
    pub loss: Option<f64>,
    /// Number of trials that finished.
    pub num_finished: usize,
    /// Number of trials that diverged.
    pub num_diverged: usize,
    /// Number of trials that failed or have not been run.
    pub num_missing: usize,
    /// Number of weights and biases. `None` where no trial has been run.
    pub num_parameters: Option<usize>,
    /// Median seconds per epoch over all epochs of all trials, including the first ones.
    pub seconds_per_epoch: Option<f64>,
    /// Seconds per epoch over the trials. They can be compared only if the study is timed.
    pub epoch_seconds: Option<EpochSeconds>,
    /// Ranking by the interval of the difference alone.
    #[serde(rename = "standing")]
    pub ranking: Ranking,
    /// Comparison with the best, with probabilities. `None` for the best itself and for
    /// configurations that are not ranked.
    pub comparison: Option<Comparison>,
    /// Reason why the configuration is not reliable. `None` if it is reliable.
    #[serde(rename = "unstable")]
    pub instability: Option<Instability>,
    /// Number of epochs after which its trials were judged, if successive halving has not trained
    /// them to their end. Its figures are of so many epochs. It is not ranked or compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped_after: Option<usize>,
}

/// Results of all configurations of a study.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StudySummary {
    /// The results, in the plan's order.
    #[serde(rename = "settings")]
    pub configurations: Vec<ConfigurationResult>,
    /// Index of the best configuration: the one with the highest mean. `None` where no
    /// configuration is ranked.
    pub best: Option<usize>,
    /// Half the width of the region of practical equivalence, a difference of accuracies.
    pub equivalence: f64,
    /// Measure by which the configurations are ranked.
    #[serde(rename = "choose")]
    pub measure: Measure,
    /// Images that chose the epochs. `None` without early stopping, and before the first trial.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch_choice: Option<EpochChoice>,
    /// True if some classes have much fewer images than others.
    #[serde(rename = "unbalanced")]
    pub is_unbalanced: bool,
    /// True if the study is a search, whose values are drawn from ranges or which stops some of them
    /// early: its table is sorted by the results.
    #[serde(skip)]
    pub is_search: bool,
    /// Rungs of successive halving. `None` if all trials are trained to their end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub halving: Option<Vec<RungResult>>,
    /// Number of trials that have a result.
    #[serde(skip)]
    pub num_done: usize,
    /// Number of trials of the study; with halving, as many as are expected.
    #[serde(skip)]
    pub num_trials: usize,
}

impl StudySummary {
    /// Summarizes `records`, which has one entry per trial of `plan`, in its order: the record, or
    /// `None` if the trial has not run. `is_unbalanced` says whether some classes of the images are
    /// much larger than others.
    pub fn new(plan: &TrialPlan, records: &[Option<&TrialRecord>], is_unbalanced: bool) -> Self {
        let measure = plan.measure;
        let known = members(plan, |trial| records[trial]);
        let furthest = furthest_rungs(plan, &known);
        let groups: Vec<Vec<Option<&TrialRecord>>> = (furthest.iter().enumerate())
            .map(|(index, &rung)| plan.trials_of(rung, index).map(|trial| records[trial]).collect())
            .collect();
        let mut configurations: Vec<_> = plan
            .configurations
            .iter()
            .zip(&groups)
            .zip(&furthest)
            .map(|((configuration, group), &rung)| ConfigurationResult {
                stopped_after: plan.stop_after(rung),
                ..summarize(configuration, group, measure)
            })
            .collect();
        let best = best(&configurations);
        let group = |index: usize| ConfigurationTrials { records: &groups[index], measure };
        for (index, result) in configurations.iter_mut().enumerate() {
            result.comparison = best
                .filter(|&best| best != index && result.is_ranked())
                .and_then(|best| group(index).compare(&group(best), plan.equivalence));
            result.ranking = match result.comparison {
                _ if best == Some(index) => Ranking::Best,
                Some(comparison) => comparison.ranking(),
                None => Ranking::NotRanked,
            };
            let best = best.map(group);
            // After fewer epochs, another spread is no surprise.
            if result.stopped_after.is_none() {
                result.instability = group(index).instability(best.as_ref(), plan.equivalence);
            }
        }
        correct_p_values(&mut configurations);
        let epoch_choice = epoch_choice(plan, records);
        let equivalence = plan.equivalence;
        let is_search = plan.draws_from_ranges || plan.rungs.is_some();
        let rungs = rung_results(plan, &known, records);
        let num_trials = rungs.iter().map(|rung| rung.configurations * plan.trials_per_configuration()).sum();
        let num_done = trials_of_rungs(plan, &known).filter(|&trial| has_result(records[trial])).count();
        Self {
            configurations,
            best,
            equivalence,
            measure,
            epoch_choice,
            is_unbalanced,
            is_search,
            halving: plan.rungs.is_some().then_some(rungs),
            num_done,
            num_trials,
        }
    }

    /// Indices of the configurations in the order of tables: the plan's order, or of a search from
    /// the highest mean to the lowest, followed by those that are not ranked. Those that were trained
    /// for more epochs come first.
    pub fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.configurations.len()).collect();
        if self.is_search {
            let key = |index: usize| {
                let result = &self.configurations[index];
                let epochs = result.stopped_after.unwrap_or(usize::MAX);
                ((epochs, result.is_ranked()), result.mean.unwrap_or(f64::NEG_INFINITY))
            };
            order.sort_by(|&a, &b| {
                let ((a, a_mean), (b, b_mean)) = (key(a), key(b));
                b.cmp(&a).then(b_mean.total_cmp(&a_mean))
            });
            // Of equal means, the best has the lower loss.
            if let Some(place) = order.iter().position(|&index| Some(index) == self.best) {
                order[..=place].rotate_right(1);
            }
        }
        order
    }

    /// True if balanced accuracies are shown: the classes are unbalanced, or the study chooses by
    /// them.
    pub fn shows_balanced_accuracy(&self) -> bool {
        self.is_unbalanced || self.measure == Measure::BalancedAccuracy
    }

    /// Configurations with this verdict, in descending order of their means.
    pub fn with_verdict(&self, verdict: Verdict) -> Vec<&ConfigurationResult> {
        let of_verdict = |result: &&ConfigurationResult| result.verdict() == Some(verdict);
        let mut configurations: Vec<_> = self.configurations.iter().filter(of_verdict).collect();
        configurations.sort_by(|a, b| b.mean.unwrap_or(0.0).total_cmp(&a.mean.unwrap_or(0.0)));
        configurations
    }

    /// The Pareto front, smallest first: configurations for which no smaller or equally small one
    /// has a higher mean accuracy.
    pub fn pareto_front(&self) -> Vec<&ConfigurationResult> {
        let ranked = self.configurations.iter().filter(|result| result.is_ranked());
        let sized = ranked.filter_map(|result| Some((result.num_parameters?, result.mean?, result)));
        let mut front: Vec<_> = sized.collect();
        front.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
        let mut best = f64::NEG_INFINITY;
        front.retain(|(_, mean, _)| {
            let is_better = *mean > best;
            best = best.max(*mean);
            is_better
        });
        front.into_iter().map(|(.., result)| result).collect()
    }

    /// The smallest configuration of the Pareto front with this verdict. `None` where no such
    /// configuration is smaller than the best.
    pub fn smallest_with_verdict(&self, verdict: Verdict) -> Option<&ConfigurationResult> {
        let best = &self.configurations[self.best?];
        let smaller = |result: &&ConfigurationResult| result.num_parameters < best.num_parameters;
        self.pareto_front().into_iter().filter(smaller).find(|result| result.verdict() == Some(verdict))
    }

    /// Configurations that are not probably worse than the best, without the best: practically
    /// equal or undecided.
    pub fn not_probably_worse(&self) -> impl Iterator<Item = &ConfigurationResult> {
        self.configurations
            .iter()
            .filter(|result| result.verdict().is_some_and(|verdict| verdict != Verdict::ProbablyWorse))
    }
}

impl ConfigurationResult {
    /// True if all of its trials finished after all epochs. Other configurations are not compared.
    pub fn is_ranked(&self) -> bool {
        self.is_finished() && self.stopped_after.is_none()
    }

    /// True if all of its trials finished, at the end of their epochs or at a rung of successive
    /// halving.
    pub fn is_finished(&self) -> bool {
        self.num_finished > 0 && self.num_diverged + self.num_missing == 0
    }

    /// Verdict of the comparison with the best. `None` for the best itself and for configurations
    /// that are not ranked.
    pub fn verdict(&self) -> Option<Verdict> {
        self.comparison.map(|comparison| comparison.verdict)
    }
}

/// Sets `p_holm` of all comparisons with the best by Holm's correction over their p-values.
fn correct_p_values(configurations: &mut [ConfigurationResult]) {
    let comparisons = || configurations.iter().filter_map(|result| result.comparison.as_ref());
    let mut adjusted = holm(&comparisons().filter_map(|c| c.p_value).collect::<Vec<_>>()).into_iter();
    for comparison in configurations.iter_mut().filter_map(|result| result.comparison.as_mut()) {
        comparison.p_holm = comparison.p_value.and_then(|_| adjusted.next());
    }
}

/// Images that chose the epochs of the trials with early stopping, by their first record.
fn epoch_choice(plan: &TrialPlan, records: &[Option<&TrialRecord>]) -> Option<EpochChoice> {
    let stopped = plan.trials.iter().zip(records);
    let mut stopped = stopped.filter(|(trial, _)| trial.experiment.training.early_stopping.is_some());
    let record = stopped.find_map(|(_, record)| *record)?;
    Some(match record.num_stopping_images {
        Some(num_images) => EpochChoice::StoppingImages { num_images },
        None if plan.stopping_share > 0.0 => EpochChoice::TooFewImages,
        None => EpochChoice::ValidationImages,
    })
}

/// Summarizes the trials of one configuration. Ranking, comparison and instability are still empty:
/// they need the best configuration.
fn summarize(
    configuration: &Configuration,
    records: &[Option<&TrialRecord>],
    measure: Measure,
) -> ConfigurationResult {
    let run: Vec<_> = records.iter().flatten().collect();
    let count = |end| run.iter().filter(|record| record.end == end).count();
    let group = ConfigurationTrials { records, measure };
    let scores = group.scores();
    let mean_of = |measure| mean(&ConfigurationTrials { records, measure }.scores());
    let losses: Vec<f64> = run.iter().filter_map(|record| record.loss).collect();
    let epochs: Vec<EpochRecord> = run.iter().flat_map(|record| &record.epochs).cloned().collect();
    ConfigurationResult {
        configuration: configuration.clone(),
        mean: mean(&scores),
        deviation: deviation(&scores),
        interval: interval(&group),
        range: range(&scores),
        accuracy: mean_of(Measure::Accuracy),
        balanced_accuracy: mean_of(Measure::BalancedAccuracy),
        loss: mean(&losses),
        num_finished: count(TrialEnd::Finished),
        num_diverged: count(TrialEnd::Diverged),
        num_missing: records.len() - count(TrialEnd::Finished) - count(TrialEnd::Diverged),
        num_parameters: run.first().map(|record| record.num_parameters),
        seconds_per_epoch: EpochRecord::median_seconds(&epochs),
        epoch_seconds: EpochSeconds::new(records),
        ranking: Ranking::NotRanked,
        comparison: None,
        instability: None,
        stopped_after: None,
    }
}

/// Index of the ranked configuration with the highest mean accuracy. Of equal accuracies, the one
/// with the lower loss is chosen, and of equal losses the first one.
fn best(configurations: &[ConfigurationResult]) -> Option<usize> {
    let ranked = configurations.iter().enumerate().filter(|(_, result)| result.is_ranked());
    let key =
        |result: &ConfigurationResult| (result.mean.unwrap_or(0.0), -result.loss.unwrap_or(f64::INFINITY));
    let better = |a: (f64, f64), b: (f64, f64)| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)).is_gt();
    let choose = |best: Option<(usize, (f64, f64))>, (index, result): (usize, &ConfigurationResult)| {
        let key = key(result);
        if best.is_none_or(|(_, best)| better(key, best)) { Some((index, key)) } else { best }
    };
    ranked.fold(None, choose).map(|(index, _)| index)
}

/// 95 % interval of the mean accuracy over folds or seeds.
///
/// A single trial, and several of one accuracy, have Wilson's interval for their validation images.
fn interval(group: &ConfigurationTrials<'_>) -> Option<(f64, f64)> {
    let scores = group.scores();
    let from_images = || Some(wilson(mean(&scores)?, group.num_validation_images()));
    let (low, high) = correlated_interval(&scores, group.num_images()).or_else(from_images)?;
    Some((low.max(0.0), high.min(1.0)))
}

/// Lowest and highest value.
fn range(values: &[f64]) -> Option<(f64, f64)> {
    let low = values.iter().copied().min_by(f64::total_cmp)?;
    Some((low, values.iter().copied().max_by(f64::total_cmp)?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
