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
mod tests;
