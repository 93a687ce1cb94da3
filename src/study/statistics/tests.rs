//! Tests of the statistics of a study.

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
        stopped_after: None,
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
        (0, 0.052, REFERENCE[1], [0.999_951_525_9, 0.000_025_873_0, 0.000_022_601_1], Verdict::ProbablyWorse),
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
        (ratio - unstable.deviation.unwrap() / summary.configurations[0].deviation.unwrap()).abs() < 1e-12
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
    let summary = summary([BEST, [near[0] + 0.0004, near[1], near[2] - 0.0004, near[3], near[4]], [0.5; 5]]);
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
    let front: Vec<_> = summary.pareto_front().iter().map(|result| result.num_parameters.unwrap()).collect();
    assert_eq!(front, [5, 10, 30]);
    summary.best = Some(5);
    // Two configurations have 10 parameters: the one on the front counts.
    summary.configurations[0].comparison = self::summary([BEST, BEST, [0.5; 5]]).configurations[1].comparison;
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
