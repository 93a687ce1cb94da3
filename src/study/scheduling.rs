//! What is run together: networks of one shape side by side where that is faster, all others by themselves.

use std::collections::HashMap;

use crate::data::EVALUATION_BATCH_SIZE;
use crate::study::{Trial, TrialPlan};
use crate::training::BatchKey;

/// Larger networks keep a processor busy alone: side by side they only push each other out of its cache. Measured with
/// softmax networks and 32 or 128 hidden neurons on two cores.
const LARGEST_NETWORK: usize = 50_000;
/// The most weights in a stack on a CPU, so that its caches hold what a step goes through.
const LARGEST_STACK: usize = 1_000_000;
/// The same on a GPU, where starting a step costs more than computing it.
const LARGEST_STACK_ON_GPU: usize = 50_000_000;

/// Trials that are trained together, as places in the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Job {
    /// Side by side: a list for each stream of batches, all of one length.
    Stack(Vec<Vec<usize>>),
    /// By itself.
    Alone(usize),
}

impl Job {
    /// The trials, in order.
    pub fn trials(&self) -> Vec<usize> {
        match self {
            Self::Stack(streams) => streams.concat(),
            Self::Alone(trial) => vec![*trial],
        }
    }
}

/// What the units depend on.
#[derive(Debug, Clone, Copy)]
pub struct Resources {
    /// How many units run at the same time.
    pub workers: usize,
    /// Whether a GPU computes.
    pub is_gpu: bool,
    /// Whether trials may be stacked at all.
    pub stacks: bool,
}

/// Numbers that a step of a stack may hold, pixels and activations of all its networks: 200 MB of them.
const MAX_VALUES: usize = 50_000_000;

/// Groups `trials` into units, in the plan's order.
///
/// `may_stack` says whether a trial can be trained at all, `sizes` gives its layers' sizes from pixels to classes,
/// `num_images` how many images it learns from and is judged by. The units depend on the whole plan and on the number of
/// workers, not on what of it is done: a study that goes on after a kill makes the same ones.
pub fn jobs(
    trials: &[Trial],
    means: Resources,
    may_stack: impl Fn(&Trial) -> bool,
    sizes: impl Fn(&Trial) -> Vec<usize>,
    num_images: impl Fn(&Trial) -> (usize, usize),
) -> Vec<Job> {
    let num_parameters = |trial: &Trial| parameters(&sizes(trial));
    let mut groups: Vec<Vec<TrialGroup>> = Vec::new();
    // Where each group is, and each of its streams: a study may have a hundred thousand of either.
    let mut group_places: HashMap<String, usize> = HashMap::new();
    let mut stream_places: HashMap<(usize, JobKey), usize> = HashMap::new();
    let mut jobs = Vec::new();
    for (place, trial) in trials.iter().enumerate() {
        let fits =
            means.stacks && may_stack(trial) && (means.is_gpu || num_parameters(trial) <= LARGEST_NETWORK);
        let Some(key) = BatchKey::new(trial.member()).filter(|_| fits) else {
            jobs.push(Job::Alone(place));
            continue;
        };
        let group = *group_places.entry(format!("{key:?} {:?}", num_images(trial))).or_insert(groups.len());
        if group == groups.len() {
            groups.push(Vec::new());
        }
        let streams = &mut groups[group];
        let stream = *stream_places.entry((group, batches(trial))).or_insert(streams.len());
        match streams.get_mut(stream) {
            Some(trials) => trials.push(place),
            None => streams.push(vec![place]),
        }
    }
    let largest = if means.is_gpu { LARGEST_STACK_ON_GPU } else { LARGEST_STACK };
    for streams in groups {
        let all: usize = streams.iter().flatten().map(|&trial| num_parameters(&trials[trial])).sum();
        let values: usize =
            streams.iter().map(|stream| values(&trials[stream[0]], stream.len(), &sizes)).sum();
        let parts = all.div_ceil(largest).max(values.div_ceil(MAX_VALUES)).max(means.workers);
        jobs.extend(split(streams, parts));
    }
    jobs.sort_by_key(|unit| unit.trials().first().copied());
    jobs
}

/// Timed trials: each by itself, settings taking turns. Every setting is trained with the first seed in the first fold,
/// then every setting with the next, each round beginning with the setting after the one that the round before began with.
/// So whatever makes a machine slower for a while does so for all settings alike.
pub fn turns(plan: &TrialPlan) -> Vec<Job> {
    let settings = plan.settings.len();
    let mut rounds: Vec<Vec<usize>> = Vec::new();
    let mut seen = vec![0; settings];
    for (place, trial) in plan.trials.iter().enumerate() {
        let round = seen[trial.setting];
        seen[trial.setting] += 1;
        if rounds.len() == round {
            rounds.push(Vec::new());
        }
        rounds[round].push(place);
    }
    for (number, round) in rounds.iter_mut().enumerate() {
        let first = number % round.len();
        round.rotate_left(first);
    }
    rounds.concat().into_iter().map(Job::Alone).collect()
}

/// Weights and biases between layers of these sizes.
pub fn parameters(sizes: &[usize]) -> usize {
    sizes.windows(2).map(|pair| (pair[0] + 1).saturating_mul(pair[1])).fold(0, usize::saturating_add)
}

/// What a step of a stream holds: its images once, and what they become in each of its networks.
fn values(trial: &Trial, networks: usize, sizes: impl Fn(&Trial) -> Vec<usize>) -> usize {
    let sizes = sizes(trial);
    let rows = trial.experiment.training.batch_size.max(EVALUATION_BATCH_SIZE);
    rows.saturating_mul(sizes[0] + networks * sizes[1..].iter().sum::<usize>())
}

/// Trials that see the same batches, as places in the plan.
type TrialGroup = Vec<usize>;

/// What decides the batches that a trial sees: its seed and the images that it does not learn from.
type JobKey = (u64, Option<usize>, String);

fn batches(trial: &Trial) -> JobKey {
    (trial.experiment.seed, trial.fold, format!("{:?}", trial.experiment.data))
}

/// Stacks of about equal size. Streams of equal length are cut alike, so that their parts fit side by side; a single
/// network for each stream leaves whole streams to be spread.
fn split(streams: Vec<Vec<usize>>, parts: usize) -> Vec<Job> {
    let mut by_length: Vec<(usize, Vec<Vec<usize>>)> = Vec::new();
    for stream in streams {
        let length = stream.len();
        match by_length.iter_mut().find(|(other, _)| *other == length) {
            Some((_, same)) => same.push(stream),
            None => by_length.push((length, vec![stream])),
        }
    }
    let mut jobs = Vec::new();
    for (length, streams) in by_length {
        let across = parts.min(length);
        let chunk = length.div_ceil(across);
        let streams_per_unit = streams.len().div_ceil(parts.div_ceil(across));
        for start in (0..length).step_by(chunk) {
            for streams in streams.chunks(streams_per_unit) {
                let end = (start + chunk).min(length);
                jobs.push(stack(streams.iter().map(|trials| trials[start..end].to_vec()).collect()));
            }
        }
    }
    jobs
}

/// A stack of one network is no stack.
fn stack(streams: Vec<Vec<usize>>) -> Job {
    match streams.as_slice() {
        [stream] if stream.len() == 1 => Job::Alone(stream[0]),
        _ => Job::Stack(streams),
    }
}

/// What is left of `jobs` when only the trials that are `wanted` are to be run. Streams that are left with unequal
/// numbers of networks go into stacks of their own.
pub fn remaining(jobs: Vec<Job>, wanted: impl Fn(usize) -> bool) -> Vec<Job> {
    let mut left = Vec::new();
    for unit in jobs {
        match unit {
            Job::Alone(trial) => left.extend(wanted(trial).then_some(Job::Alone(trial))),
            Job::Stack(streams) => {
                let streams = streams
                    .into_iter()
                    .map(|trials| trials.into_iter().filter(|&trial| wanted(trial)).collect::<Vec<_>>())
                    .filter(|trials| !trials.is_empty());
                left.extend(split(streams.collect(), 1));
            }
        }
    }
    left
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::backend::Backend;
    use crate::study::Study;

    const MEANS: Resources = Resources { workers: 2, is_gpu: false, stacks: true };

    fn plan(text: &str) -> TrialPlan {
        let study = Study::from_toml(text, "s.toml", &[], |_| unreachable!()).unwrap();
        TrialPlan::new(&study, Backend::Flex, "", None).unwrap()
    }

    fn units_of(plan: &TrialPlan, means: Resources) -> Vec<Job> {
        jobs(&plan.trials, means, |_| true, |trial| trial.experiment.model.sizes(784, 10), |_| (48, 12))
    }

    const CV: &str = "folds = 3\n[vary]\noptimizer.learning_rate = [0.1, 0.2, 0.3, 0.4]";

    #[test]
    fn rates_and_folds_stand_side_by_side_in_as_many_stacks_as_there_are_workers() {
        let jobs = units_of(&plan(CV), MEANS);
        let stack = |streams: [[usize; 2]; 3]| Job::Stack(streams.map(|stream| stream.to_vec()).to_vec());
        assert_eq!(jobs, [stack([[0, 3], [1, 4], [2, 5]]), stack([[6, 9], [7, 10], [8, 11]])]);
        let one = units_of(&plan(CV), Resources { workers: 1, ..MEANS });
        assert_eq!(one, [Job::Stack(vec![vec![0, 3, 6, 9], vec![1, 4, 7, 10], vec![2, 5, 8, 11]])]);
        let none = units_of(&plan(CV), Resources { stacks: false, ..MEANS });
        assert_eq!(none, (0..12).map(Job::Alone).collect::<Vec<_>>());
    }

    #[test]
    fn seeds_are_streams_too() {
        let seeds = plan("seeds = [1, 2, 3, 4]\n[set]\ndata.validation = 10");
        assert_eq!(
            units_of(&seeds, MEANS),
            [Job::Stack(vec![vec![0], vec![1]]), Job::Stack(vec![vec![2], vec![3]])]
        );
    }

    #[test]
    fn what_does_not_fit_runs_alone() {
        let shapes = plan("folds = 2\n[vary]\nmodel.hidden = [[], [8], [512]]");
        let one = Resources { workers: 1, ..MEANS };
        assert_eq!(
            units_of(&shapes, one),
            [
                Job::Stack(vec![vec![0], vec![1]]),
                Job::Stack(vec![vec![2], vec![3]]),
                Job::Alone(4),
                Job::Alone(5)
            ]
        );
        assert_eq!(units_of(&shapes, Resources { is_gpu: true, ..one }).len(), 3);
    }

    #[test]
    fn timed_settings_take_turns() {
        let plan = plan(
            "timing = true\nseeds = [1, 2]\nfolds = 2\n[vary]\noptimizer.learning_rate = [0.1, 0.2, 0.3]",
        );
        let order: Vec<usize> = turns(&plan).iter().flat_map(Job::trials).collect();
        // The plan has four trials of each setting in a row: 0 to 3, 4 to 7, 8 to 11.
        assert_eq!(order, [0, 4, 8, 5, 9, 1, 10, 2, 6, 3, 7, 11]);
        let left = remaining(turns(&plan), |trial| trial != 4 && trial != 0);
        assert_eq!(left[0], Job::Alone(8), "what is left keeps its order");
    }

    #[test]
    fn what_is_done_is_not_run_again_and_what_is_left_stays_as_it_was() {
        let all = units_of(&plan(CV), MEANS);
        let after_one = remaining(all.clone(), |trial| trial >= 6);
        assert_eq!(after_one, all[1..], "a unit that has not run is the same unit");
        let uneven = remaining(all.clone(), |trial| trial == 0 || trial == 3 || trial == 4);
        assert_eq!(uneven, [Job::Stack(vec![vec![0, 3]]), Job::Alone(4)]);
        assert_eq!(remaining(all, |_| false), []);
    }
}
