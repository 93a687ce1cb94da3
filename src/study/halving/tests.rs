use super::*;
use crate::backend::Backend;
use crate::study::{Study, StudySummary};

const TEXT: &str = "folds = 2\n[set]\ntraining.num_epochs = 9\n[halving]\nfactor = 3\n[vary]\n\
                    optimizer.learning_rate = [0.1, 0.2, 0.3, 0.4]";

fn plan(text: &str) -> TrialPlan {
    let study = Study::from_toml(text, "s.toml", &[], |_| unreachable!()).unwrap();
    TrialPlan::new(&study, Backend::Flex, "abc", None).unwrap()
}

/// Records of the two folds of each configuration in the rungs of 1, 3 and 9 epochs. A fold whose
/// accuracy is NaN diverged, and one whose accuracy is negative has no record.
fn records(plan: &TrialPlan, rungs: [[[f64; 2]; 4]; 3]) -> Vec<Option<TrialRecord>> {
    let accuracies = rungs.into_iter().flatten().flatten();
    let record = |(trial, accuracy): (&crate::study::Trial, f64)| {
        let finished = Some(accuracy).filter(|accuracy| !accuracy.is_nan());
        (accuracy.is_nan() || accuracy >= 0.0).then(|| TrialRecord {
            id: trial.id.clone(),
            configuration: plan.configurations[trial.configuration].clone(),
            seed: 1,
            fold: trial.fold,
            end: if finished.is_none() { TrialEnd::Diverged } else { TrialEnd::Finished },
            message: None,
            accuracy: finished,
            loss: finished.map(|accuracy| if accuracy == 0.375 { 0.4 } else { 0.5 }),
            epoch: Some(trial.num_epochs()),
            num_images: (400, 100),
            num_parameters: 1,
            steps_per_epoch: 1,
            is_batched: false,
            epochs: Vec::new(),
            num_stopping_images: None,
            balanced_accuracy: None,
            stopped_after: trial.stop_after,
            effective_images: None,
        })
    };
    plan.trials.iter().zip(accuracies).map(record).collect()
}

fn members_of(rungs: [[[f64; 2]; 4]; 3]) -> Vec<Vec<usize>> {
    let plan = plan(TEXT);
    let records = records(&plan, rungs);
    members(&plan, |trial| records[trial].as_ref())
}

const NONE: [f64; 2] = [-1.0; 2];
const FIRST: [[f64; 2]; 4] = [[0.625, 0.625], [0.9, 0.1], [0.75, 0.5], [0.8, 0.7]];

#[test]
fn rungs_by_hand() {
    let rungs = |min_epochs, factor, num_epochs| Halving { min_epochs, factor }.rungs(num_epochs).epochs;
    assert_eq!(rungs(1, 3, 27), [1, 3, 9, 27]);
    assert_eq!(rungs(2, 3, 27), [3, 9, 27]);
    assert_eq!(rungs(1, 3, 10), [1, 3, 10]);
    assert_eq!(rungs(1, 2, 7), [1, 3, 7]);
    assert_eq!(rungs(4, 2, 7), [7]);
    let halving = Halving { min_epochs: 1, factor: 3 };
    assert_eq!([27, 10, 9, 2, 1].map(|num| halving.num_going_on(num)), [9, 4, 3, 1, 1]);
    assert_eq!(rung_sizes(&plan(TEXT), &[vec![0, 1, 2, 3]]), [4, 2, 1]);
}

/// All folds count: 0.9 and 0.1 have the mean 0.5, although 0.9 is the best fold of all. Of the
/// equal means 0.625, the first one goes on, or the one with the lower loss.
#[test]
fn the_best_means_over_all_folds_go_on() {
    assert_eq!(members_of([[NONE; 4]; 3]), [vec![0, 1, 2, 3]]);
    assert_eq!(members_of([FIRST, [NONE; 4], [NONE; 4]]), [vec![0, 1, 2, 3], vec![0, 3]]);
    let mut lower_loss = FIRST;
    lower_loss[2] = [0.875, 0.375];
    assert_eq!(members_of([lower_loss, [NONE; 4], [NONE; 4]])[1], [2, 3]);
    // Records of configurations that do not take part in a rung decide nothing.
    let second = [[0.6, 0.6], [0.9, 0.9], [0.9, 0.9], [0.5, 0.5]];
    assert_eq!(members_of([FIRST, second, [NONE; 4]]), [vec![0, 1, 2, 3], vec![0, 3], vec![0]]);
}

#[test]
fn a_missing_fold_holds_the_rung_and_a_diverged_one_ends_its_configuration() {
    let mut missing = FIRST;
    missing[1][1] = -1.0;
    assert_eq!(members_of([missing, [NONE; 4], [NONE; 4]]).len(), 1);
    let mut diverged = FIRST;
    diverged[3][1] = f64::NAN;
    assert_eq!(members_of([diverged, [NONE; 4], [NONE; 4]])[1], [0, 2]);
    assert_eq!(members_of([[[f64::NAN; 2]; 4], [NONE; 4], [NONE; 4]]).len(), 1);
}

#[test]
fn only_the_last_rung_is_ranked() {
    let plan = plan(TEXT);
    let records =
        records(&plan, [FIRST, [[0.6, 0.6], NONE, NONE, [0.5, 0.5]], [[0.75, 0.75], NONE, NONE, NONE]]);
    let records: Vec<_> = records.iter().map(Option::as_ref).collect();
    let summary = StudySummary::new(&plan, &records, false);
    assert_eq!((summary.best, summary.num_done, summary.num_trials), (Some(0), 14, 14));
    let ends: Vec<_> = summary.configurations.iter().map(|result| result.stopped_after).collect();
    assert_eq!(ends, [None, Some(1), Some(1), Some(3)]);
    let means: Vec<_> = summary.configurations.iter().map(|result| result.mean.unwrap()).collect();
    assert_eq!(means, [0.75, 0.5, 0.625, 0.5]);
    assert!(summary.configurations.iter().all(|result| result.comparison.is_none()));
    assert_eq!(summary.order(), [0, 3, 2, 1], "more epochs first, then the higher mean");
}

#[test]
fn the_last_rung_has_the_trials_of_a_study_without_halving() {
    let ids = |text: &str| plan(text).trials.iter().map(|trial| trial.id.clone()).collect::<Vec<_>>();
    let (halved, plain) = (ids(TEXT), ids(&TEXT.replace("[halving]\nfactor = 3\n", "")));
    assert_eq!((halved.len(), &halved[16..]), (24, &plain[..]));
    // Another number of rungs leaves the trials of equal length as they are.
    assert_eq!(ids(&TEXT.replace("factor = 3", "min_epochs = 3")), halved[8..]);
}
