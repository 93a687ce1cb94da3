//! Owns successive halving: the rungs of a study, and the configurations that go on from one rung to
//! the next. Depends on trials and their records. Must not know how trials are trained.
//!
//! All configurations are trained for a few epochs, the best of them for more, and so on to the last
//! rung, which has all epochs (Jamieson and Talwalkar 2016; one bracket of Hyperband, Li et al. 2018).
//! A configuration is judged by all its folds and seeds together, at the same epoch as the others of
//! its rung.

use serde::Serialize;

use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::statistics::mean;
use crate::study::search_space::Parameter;
use crate::study::{TrialEnd, TrialPlan, TrialRecord};

/// Keys that must not vary: the epochs of all configurations are those of the rungs.
const NUM_EPOCHS: &str = "training.num_epochs";
const EARLY_STOPPING: &str = "training.early_stopping";

/// The section `[halving]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Halving {
    /// Fewest epochs of the first rung, at least 1.
    pub min_epochs: usize,
    /// Ratio of the configurations of a rung to those that go on, and of the epochs of a rung to
    /// those of the rung before; at least 2.
    pub factor: usize,
}

/// Rungs of a study.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rungs {
    /// The section `[halving]` that they follow from.
    pub halving: Halving,
    /// Number of epochs of each rung, two or more of them, fewest first. The last rung has all epochs
    /// of the experiment.
    pub epochs: Vec<usize>,
}

/// Rung of a study, as its results show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RungResult {
    /// Number of epochs after which its configurations are judged.
    pub epochs: usize,
    /// Number of its configurations. Until the rung before has been judged, it is the number that is
    /// expected.
    #[serde(rename = "settings")]
    pub configurations: usize,
    /// True if all of its trials have a result.
    pub judged: bool,
}

impl Halving {
    /// The rungs of a training of `num_epochs`: the last has all epochs, and each rung before it a
    /// `factor`th of the epochs of the next, rounded down, down to `min_epochs`.
    pub(super) fn rungs(self, num_epochs: usize) -> Rungs {
        let fewer = |&epochs: &usize| Some(epochs / self.factor);
        let falling = std::iter::successors(Some(num_epochs), fewer);
        let falling = falling.take_while(|&epochs| epochs >= self.min_epochs.max(1));
        let mut epochs: Vec<usize> = falling.collect();
        epochs.reverse();
        Rungs { halving: self, epochs }
    }

    /// Number of configurations that go on of `num`: a `factor`th, rounded up.
    fn num_going_on(self, num: usize) -> usize {
        num.div_ceil(self.factor)
    }

    /// Refuses a study in which the rungs have no meaning. `base` is its experiment, `origin` the
    /// name of its file.
    pub(super) fn check(
        self,
        base: &Experiment,
        parameters: &[Parameter],
        is_timed: bool,
        origin: &str,
    ) -> Result<()> {
        let refused = |what: &str| Error::config(format!("`[halving]` in `{origin}` {what}"));
        if is_timed {
            return Err(refused("and `timing = true` exclude each other")
                .hint("leave `[halving]` out: a timed study trains all configurations equally long"));
        }
        if let Some(Parameter { key, .. }) = parameters.iter().find(|one| one.key == NUM_EPOCHS) {
            return Err(refused(&format!("decides the epochs, and `{key}` varies"))
                .hint(format!("set `{NUM_EPOCHS}` to the most epochs under `[set]`")));
        }
        let varies_stopping = parameters.iter().any(|one| one.key.starts_with(EARLY_STOPPING));
        if base.training.early_stopping.is_some() || varies_stopping {
            return Err(refused("and `training.early_stopping` exclude each other").hint(
                "leave one of both out: with both, configurations would be judged at different epochs",
            ));
        }
        let num_epochs = base.training.num_epochs;
        if self.rungs(num_epochs).epochs.len() < 2 {
            return Err(refused(&format!(
                "has one rung only: `{NUM_EPOCHS}` is {num_epochs}, `min_epochs` {}, `factor` {}",
                self.min_epochs, self.factor
            ))
            .hint(format!(
                "the first of two rungs has {num_epochs} / {} epochs: make `min_epochs` or `factor` smaller, or \
                 `{NUM_EPOCHS}` larger",
                self.factor
            )));
        }
        Ok(())
    }
}

impl Rungs {
    /// Rungs in words, such as `1, 3, 9 epochs, the best 1/3 go on`.
    pub(super) fn describe(&self) -> String {
        let epochs: Vec<_> = self.epochs.iter().map(usize::to_string).collect();
        format!("{} epochs, the best 1/{} go on", epochs.join(", "), self.halving.factor)
    }
}

/// Configurations of each rung, as indices into the plan in ascending order. A rung is in the list
/// once all trials of the rung before have a result; the first always is. Without halving, there is
/// one rung.
///
/// `record` returns the record of a trial of the plan. A configuration that diverged in one of its
/// trials does not go on.
pub(super) fn members<'a>(
    plan: &TrialPlan,
    record: impl Fn(usize) -> Option<&'a TrialRecord>,
) -> Vec<Vec<usize>> {
    let mut rungs: Vec<Vec<usize>> = vec![(0..plan.configurations.len()).collect()];
    let Some(Rungs { halving, epochs }) = &plan.rungs else { return rungs };
    for rung in 0..epochs.len() - 1 {
        let members = &rungs[rung];
        let judged = members.iter().map(|&member| Some((member, score(plan, rung, member, &record)?)));
        let Some(judged) = judged.collect::<Option<Vec<_>>>() else { break };
        let mut going_on: Vec<(usize, Score)> =
            judged.into_iter().filter_map(|(member, score)| Some((member, score?))).collect();
        // The sort is stable: of equal configurations, the first ones of the plan go on.
        going_on.sort_by(|(_, a), (_, b)| b.mean.total_cmp(&a.mean).then(a.loss.total_cmp(&b.loss)));
        going_on.truncate(halving.num_going_on(members.len()));
        if going_on.is_empty() {
            break;
        }
        let mut next: Vec<usize> = going_on.into_iter().map(|(member, _)| member).collect();
        next.sort_unstable();
        rungs.push(next);
    }
    rungs
}

/// Number of configurations of each rung of `plan`. `known` are the rungs that [`members`] returned.
/// The others have the number that is expected.
pub(super) fn rung_sizes(plan: &TrialPlan, known: &[Vec<usize>]) -> Vec<usize> {
    let mut sizes: Vec<usize> = known.iter().map(Vec::len).collect();
    if let Some(Rungs { halving, epochs }) = &plan.rungs {
        while sizes.len() < epochs.len() {
            let last = sizes.last().copied().unwrap_or(0);
            sizes.push(halving.num_going_on(last));
        }
    }
    sizes
}

/// Result of a configuration in a rung, by which it goes on or not.
struct Score {
    /// Mean of the measure over its trials.
    mean: f64,
    /// Mean loss, which decides between equal means.
    loss: f64,
}

/// Result of a configuration over its trials of a rung. `None` if a trial has no result, and
/// `Some(None)` if one diverged.
#[allow(clippy::option_option)]
fn score<'a>(
    plan: &TrialPlan,
    rung: usize,
    configuration: usize,
    record: impl Fn(usize) -> Option<&'a TrialRecord>,
) -> Option<Option<Score>> {
    let records: Vec<&TrialRecord> =
        plan.trials_of(rung, configuration).map(record).collect::<Option<Vec<_>>>()?;
    if records.iter().any(|record| record.end == TrialEnd::Failed) {
        return None;
    }
    let scores: Option<Vec<f64>> = records.iter().map(|record| record.score(plan.measure)).collect();
    let losses: Option<Vec<f64>> = records.iter().map(|record| record.loss).collect();
    let means = scores.zip(losses).and_then(|(scores, losses)| mean(&scores).zip(mean(&losses)));
    Some(means.map(|(mean, loss)| Score { mean, loss }))
}

/// Rung that each configuration has come to.
pub(super) fn furthest_rungs(plan: &TrialPlan, known: &[Vec<usize>]) -> Vec<usize> {
    let mut furthest = vec![0; plan.configurations.len()];
    for (rung, members) in known.iter().enumerate() {
        members.iter().for_each(|&member| furthest[member] = rung);
    }
    furthest
}

/// Indices of the trials of the rungs that are known.
pub(super) fn trials_of_rungs(plan: &TrialPlan, known: &[Vec<usize>]) -> impl Iterator<Item = usize> {
    let rungs = known.iter().enumerate();
    rungs
        .flat_map(move |(rung, members)| members.iter().flat_map(move |&member| plan.trials_of(rung, member)))
}

/// True if a trial has finished or diverged.
pub(super) fn has_result(record: Option<&TrialRecord>) -> bool {
    record.is_some_and(|record| record.end != TrialEnd::Failed)
}

/// The rungs with the numbers of their configurations, known or expected.
pub(super) fn rung_results(
    plan: &TrialPlan,
    known: &[Vec<usize>],
    records: &[Option<&TrialRecord>],
) -> Vec<RungResult> {
    let result = |(rung, configurations): (usize, usize)| {
        let trials = known.get(rung).map(|members| members.iter().flat_map(|&one| plan.trials_of(rung, one)));
        RungResult {
            epochs: plan.rungs.as_ref().map_or(0, |rungs| rungs.epochs[rung]),
            configurations,
            judged: trials.is_some_and(|mut trials| trials.all(|trial| has_result(records[trial]))),
        }
    };
    rung_sizes(plan, known).into_iter().enumerate().map(result).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
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
}
