//! Owns the statistics of a study: the mean accuracy of each configuration with its uncertainty,
//! its comparison with the best, and its time per epoch. Depends on `statistics`. Must not know the
//! page.

use serde::Serialize;

use crate::statistics::{correlated_interval, deviation, holm, mean, wilson};
use crate::study::comparison::{Comparison, ConfigurationTrials, Instability, Ranking, Verdict};
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
}

impl StudySummary {
    /// Summarizes `records`, which has one entry per trial of `plan`, in its order: the record, or
    /// `None` if the trial has not run. `is_unbalanced` says whether some classes of the images are
    /// much larger than others.
    pub fn new(plan: &TrialPlan, records: &[Option<&TrialRecord>], is_unbalanced: bool) -> Self {
        let measure = plan.measure;
        let mut groups: Vec<Vec<Option<&TrialRecord>>> = vec![Vec::new(); plan.configurations.len()];
        for (trial, record) in plan.trials.iter().zip(records) {
            groups[trial.configuration].push(*record);
        }
        let mut configurations: Vec<_> = plan
            .configurations
            .iter()
            .zip(&groups)
            .map(|(configuration, group)| summarize(configuration, group, measure))
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
            result.instability = group(index).instability(best.as_ref(), plan.equivalence);
        }
        correct_p_values(&mut configurations);
        let epoch_choice = epoch_choice(plan, records);
        let equivalence = plan.equivalence;
        Self { configurations, best, equivalence, measure, epoch_choice, is_unbalanced }
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
    /// True if all of its trials finished. Other configurations are not compared.
    pub fn is_ranked(&self) -> bool {
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
mod tests {
    use super::*;
    use crate::backend::Backend;
    use crate::study::{Basis, Study};

    fn plan() -> TrialPlan {
        let text = "folds = 5\n[vary]\noptimizer.learning_rate = [0.1, 0.2, 0.3]";
        let study = Study::from_toml(text, "s.toml", &[], |_| unreachable!()).unwrap();
        TrialPlan::new(&study, Backend::Flex, "", None).unwrap()
    }

    /// Records of 5 folds of 100 images for each of three configurations. A trial whose accuracy is
    /// NaN diverged.
    fn records(plan: &TrialPlan, accuracies: [[f64; 5]; 3]) -> Vec<TrialRecord> {
        let record = |(trial, accuracy): (&crate::study::Trial, f64)| TrialRecord {
            id: trial.id.clone(),
            configuration: plan.configurations[trial.configuration].clone(),
            seed: 1,
            fold: trial.fold,
            end: if accuracy.is_nan() { TrialEnd::Diverged } else { TrialEnd::Finished },
            message: None,
            accuracy: Some(accuracy).filter(|accuracy| !accuracy.is_nan()),
            loss: Some(0.5),
            epoch: Some(1),
            num_images: (400, 100),
            num_parameters: 1,
            steps_per_epoch: 1,
            is_batched: false,
            epochs: Vec::new(),
            num_stopping_images: None,
            balanced_accuracy: None,
            effective_images: None,
        };
        plan.trials.iter().zip(accuracies.into_iter().flatten()).map(record).collect()
    }

    fn summary(accuracies: [[f64; 5]; 3]) -> StudySummary {
        let plan = plan();
        let records = records(&plan, accuracies);
        StudySummary::new(&plan, &records.iter().map(Some).collect::<Vec<_>>(), false)
    }

    fn close(got: f64, expected: f64) -> bool {
        (got - expected).abs() < 1e-9
    }

    /// `tests/reference/statistics.py` computed the intervals with scipy, the probabilities with
    /// scipy and baycomp.
    #[test]
    fn means_intervals_and_probabilities_as_the_references_give_them() {
        let same = [0.895, 0.912, 0.915, 0.931, 0.937];
        let worse = [0.85, 0.86, 0.86, 0.88, 0.89];
        let summary = summary([worse, BEST, same]);
        assert_eq!((summary.best, summary.equivalence), (Some(1), 0.005));
        let best = &summary.configurations[1];
        assert!(close(best.mean.unwrap(), 0.92) && close(best.deviation.unwrap(), 0.015_811_388_300_841_9));
        assert_eq!(best.range, Some((0.90, 0.94)));
        let (low, high) = best.interval.unwrap();
        assert!(close(low, REFERENCE[0].0) && close(high, REFERENCE[0].1), "{low} {high}");
        assert_eq!((best.ranking, best.comparison), (Ranking::Best, None));
        let expected = [
            (
                0,
                0.052,
                REFERENCE[1],
                [0.999_951_525_9, 0.000_025_873_0, 0.000_022_601_1],
                Verdict::ProbablyWorse,
            ),
            (2, 0.002, REFERENCE[2], [0.124_410_456_9, 0.858_270_449_2, 0.017_319_093_9], Verdict::Undecided),
        ];
        for (index, difference, interval, [worse, equal, better], verdict) in expected {
            let Some(Comparison { difference: found, probabilities, verdict: said, basis, .. }) =
                summary.configurations[index].comparison
            else {
                unreachable!()
            };
            assert!(close(found.difference, difference));
            assert!(close(found.interval.0, interval.0) && close(found.interval.1, interval.1));
            assert!(close(probabilities.worse, worse) && close(probabilities.equal, equal));
            assert!(close(probabilities.better, better));
            assert_eq!((said, basis), (verdict, Basis::Trials));
        }
        // Holm: the smaller of two p-values counts twice.
        let p_values = |index: usize| {
            let comparison = summary.configurations[index].comparison.unwrap();
            (comparison.p_value.unwrap(), comparison.p_holm.unwrap())
        };
        assert!(close(p_values(0).0, 0.000_065_020_025) && close(p_values(0).1, 2.0 * 0.000_065_020_025));
        assert!(close(p_values(2).0, 0.419_510_376_492) && close(p_values(2).1, 0.419_510_376_492));
        // Ranking as scripts know it.
        assert!(matches!(summary.configurations[0].ranking, Ranking::SignificantlyWorse(_)));
        assert!(matches!(summary.configurations[2].ranking, Ranking::NotSignificant(_)));
        assert_eq!(summary.not_probably_worse().count(), 1);
    }

    /// Worse in five of five folds by 4 to 23 percentage points. The interval of the difference
    /// contains 0, and still the configuration must not be called equal.
    #[test]
    fn a_large_spread_is_no_equality() {
        let summary = summary([BEST, [0.86, 0.78, 0.69, 0.85, 0.83], [0.90, 0.905, 0.10, 0.925, 0.93]]);
        let scattered = &summary.configurations[1];
        assert!(matches!(scattered.ranking, Ranking::NotSignificant(_)));
        assert_eq!(scattered.verdict(), Some(Verdict::ProbablyWorse));
        let probabilities = scattered.comparison.unwrap().probabilities;
        assert!((probabilities.worse - 0.961_411_097_5).abs() < 1e-9, "{probabilities:?}");
        // One fold of five ended at chance: undecided, and unstable.
        let unstable = &summary.configurations[2];
        assert_eq!(unstable.verdict(), Some(Verdict::Undecided));
        assert!(unstable.comparison.unwrap().probabilities.equal < 0.02);
        let Some(Instability::Spread { ratio: Some(ratio) }) = unstable.instability else { unreachable!() };
        assert!(
            (ratio - unstable.deviation.unwrap() / summary.configurations[0].deviation.unwrap()).abs()
                < 1e-12
        );
        assert!(ratio > 20.0 && summary.configurations[0].instability.is_none());
    }

    #[test]
    fn a_spread_is_unstable_only_where_it_is_much_larger_and_matters() {
        let wide = |half: f64| [0.9 - half, 0.9 - half / 2.0, 0.9, 0.9 + half / 2.0, 0.9 + half];
        let unstable = |best: f64, other: f64| {
            let lower = wide(other).map(|accuracy| accuracy - 0.05);
            summary([wide(best), lower, [0.5; 5]]).configurations[1].instability
        };
        // Four times the spread: a variance ratio of 16, whose p-value is 0.00997. A ratio of 3.9
        // is not rare enough.
        assert!(matches!(unstable(0.01, 0.0401), Some(Instability::Spread { .. })));
        assert_eq!(unstable(0.01, 0.039), None);
        // A thousand times the spread, and still within half a percentage point.
        assert_eq!(unstable(0.000_005, 0.005), None);
        // The trials of the best configuration all agree.
        assert_eq!(unstable(0.0, 0.02), Some(Instability::Spread { ratio: None }));
    }

    #[test]
    fn differences_well_below_the_region_are_practically_equal() {
        let near = BEST.map(|accuracy| accuracy - 0.001);
        let summary =
            summary([BEST, [near[0] + 0.0004, near[1], near[2] - 0.0004, near[3], near[4]], [0.5; 5]]);
        assert_eq!(summary.configurations[1].verdict(), Some(Verdict::PracticallyEqual));
        let named: Vec<_> =
            summary.with_verdict(Verdict::ProbablyWorse).iter().map(|s| s.mean.unwrap()).collect();
        assert_eq!(named, [0.5]);
    }

    #[test]
    fn the_front_by_hand() {
        let mut summary = summary([[0.5; 5], [0.4; 5], [0.3; 5]]);
        let of = |(num_parameters, mean): (usize, f64)| ConfigurationResult {
            num_parameters: Some(num_parameters),
            mean: Some(mean),
            ..summary.configurations[0].clone()
        };
        let configurations: Vec<_> =
            [(10, 0.5), (5, 0.4), (7, 0.3), (10, 0.6), (20, 0.6), (30, 0.7)].into_iter().map(of).collect();
        summary = StudySummary { configurations, ..summary };
        let front: Vec<_> =
            summary.pareto_front().iter().map(|result| result.num_parameters.unwrap()).collect();
        assert_eq!(front, [5, 10, 30]);
        summary.best = Some(5);
        // Two configurations have 10 parameters: the one on the front counts.
        summary.configurations[0].comparison =
            self::summary([BEST, BEST, [0.5; 5]]).configurations[1].comparison;
        assert_eq!(summary.configurations[0].verdict(), Some(Verdict::Undecided));
        assert_eq!(summary.smallest_with_verdict(Verdict::Undecided), None);
        summary.configurations[3].comparison = summary.configurations[0].comparison;
        let smallest = summary.smallest_with_verdict(Verdict::Undecided).unwrap();
        assert_eq!((smallest.num_parameters, smallest.mean), (Some(10), Some(0.6)));
    }

    const BEST: [f64; 5] = [0.90, 0.91, 0.92, 0.93, 0.94];
    const REFERENCE: [(f64, f64); 3] = [
        (0.890_551_352_578, 0.949_448_647_422),
        (0.043_670_664_684, 0.060_329_335_316),
        (-0.004_177_200_397, 0.008_177_200_397),
    ];

    #[test]
    fn a_diverged_configuration_is_not_ranked() {
        let summary = summary([[0.99, 0.99, f64::NAN, 0.99, 0.99], [0.5; 5], [0.4; 5]]);
        assert_eq!(summary.best, Some(1));
        let diverged = &summary.configurations[0];
        assert_eq!((diverged.num_finished, diverged.num_diverged), (4, 1));
        assert_eq!((diverged.ranking, diverged.comparison), (Ranking::NotRanked, None));
        assert_eq!(diverged.instability, Some(Instability::Diverged));
        assert!(self::summary([[f64::NAN; 5], [0.5; 5], [0.4; 5]]).configurations[0].instability.is_none());
        assert!(self::summary([[f64::NAN; 5]; 3]).best.is_none());
    }

    #[test]
    fn a_missing_trial_leaves_its_configuration_unranked() {
        let plan = plan();
        let records = records(&plan, [[0.9; 5], [0.8; 5], [0.7; 5]]);
        let some: Vec<_> = records.iter().enumerate().map(|(i, record)| (i != 2).then_some(record)).collect();
        let summary = StudySummary::new(&plan, &some, false);
        assert_eq!((summary.best, summary.configurations[0].num_missing), (Some(1), 1));
    }

    #[test]
    fn trials_without_spread_are_compared_by_their_images() {
        let at = |accuracy| [accuracy; 5];
        // 500 images in all folds: 0.90 and 0.88 may differ or not, 0.90 and 0.70 do.
        let summary = summary([at(0.9), at(0.88), at(0.7)]);
        let comparison = |index: usize| summary.configurations[index].comparison.unwrap();
        assert_eq!((comparison(1).verdict, comparison(1).basis), (Verdict::Undecided, Basis::Images));
        assert_eq!((comparison(2).verdict, comparison(2).basis), (Verdict::ProbablyWorse, Basis::Images));
        // Quadrature gives 0.774490, see `tests/reference/statistics.py`.
        assert!((comparison(1).probabilities.worse - 0.774_490).abs() < 1e-3, "{:?}", comparison(1));
        assert!(
            summary.configurations.iter().all(|result| result.interval.is_some_and(|(low, high)| low < high))
        );
    }

    #[test]
    fn seeds_do_not_make_more_images() {
        let text = "seeds = [1, 2, 3, 4, 5]\n[set]\ndata.validation = 100\n[vary]\noptimizer.learning_rate = [0.1, 0.2, 0.3]";
        let study = Study::from_toml(text, "s.toml", &[], |_| unreachable!()).unwrap();
        let plan = TrialPlan::new(&study, Backend::Flex, "", None).unwrap();
        let records = records(&plan, [[0.9; 5], [0.8; 5], [0.7; 5]]);
        let summary = StudySummary::new(&plan, &records.iter().map(Some).collect::<Vec<_>>(), false);
        assert_eq!(summary.configurations[0].interval, Some(wilson(0.9, 100)));
    }
}
