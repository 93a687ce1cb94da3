//! Owns the schedule of a study: which trials are trained in one batch, which run individually, and
//! in which order. Depends on the trials and on `training`'s `BatchKey`, which says which networks
//! fit into one model batch. Must not know how they are trained.

use std::collections::HashMap;

use crate::backend::Engine;
use crate::data::EVALUATION_BATCH_SIZE;
use crate::study::{Trial, TrialPlan, Unit};
use crate::training::{BatchKey, is_in_model_batch_of_kernels};

/// Most parameters of a network that is trained in a model batch with tensors on a CPU. A larger network
/// keeps a processor busy by itself. In a batch such networks only evict each other from its cache.
/// Measured with softmax networks and networks with 32 or 128 hidden neurons, on two cores.
const MAX_NETWORK_PARAMETERS: usize = 50_000;
/// Most parameters of a model batch on a CPU, so that the caches hold the data of a step.
const MAX_BATCH_PARAMETERS: usize = 1_000_000;
/// Most parameters of a model batch on a GPU, where starting a step costs more than computing it.
const MAX_BATCH_PARAMETERS_ON_GPU: usize = 50_000_000;

/// Trials that are trained together, as indices into the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Job {
    /// A model batch: a list of trial groups, all of one length.
    Batched(Vec<TrialGroup>),
    /// One trial.
    Single(usize),
}

impl Job {
    /// The same job with other numbers for its trials: `indices[n]` in place of `n`.
    pub(super) fn renumbered(self, indices: &[usize]) -> Self {
        let renumber = |group: TrialGroup| group.into_iter().map(|trial| indices[trial]).collect();
        match self {
            Self::Batched(groups) => Self::Batched(groups.into_iter().map(renumber).collect()),
            Self::Single(trial) => Self::Single(indices[trial]),
        }
    }

    /// The trials of the job, in order.
    pub fn trials(&self) -> Vec<usize> {
        match self {
            Self::Batched(groups) => groups.concat(),
            Self::Single(trial) => vec![*trial],
        }
    }
}

/// Number of jobs that a model batch with tensors becomes on a CPU. It is the same on every machine: the last
/// digits of such a network depend on those beside it.
const NUM_JOBS_ON_CPU: usize = 8;

/// Largest piece of a trial group in one shard, as a part of the shard's share of all costs. Smaller pieces
/// balance the shards better, and larger ones prepare images less often.
const LARGEST_PIECE: f64 = 0.25;

/// Conditions that decide the jobs.
#[derive(Debug, Clone, Copy)]
pub struct Resources {
    /// Number of jobs that run at the same time.
    pub workers: usize,
    /// True if the trials are trained on a GPU.
    pub is_gpu: bool,
    /// Engine of all trainings.
    pub engine: Engine,
    /// True if trials may be trained in batches at all.
    pub can_batch: bool,
}

impl Resources {
    /// Returns whether a network of `num_parameters` parameters is faster in a model batch than by itself.
    ///
    /// The kernels of the engine `cpu` have a model batch for softmax networks. All others take 0.5 to
    /// 0.8 times as long by themselves, one per core, as in a batch with tensors: measured with 8 and with 32
    /// hidden neurons and with Adam.
    fn batching_pays(self, trial: &Trial, num_parameters: usize) -> bool {
        match self.engine {
            Engine::Cpu => is_in_model_batch_of_kernels(trial.hyperparameters()),
            Engine::Autodiff => self.is_gpu || num_parameters <= MAX_NETWORK_PARAMETERS,
        }
    }
}

/// Most numbers in a step of a model batch, which are the pixels and the activations of all
/// networks: 200 MB.
const MAX_VALUES: usize = 50_000_000;

/// Facts about trials that decide how they are trained.
pub struct TrialFacts<'a> {
    /// Whether a trial can be trained at all.
    pub is_trainable: &'a dyn Fn(&Trial) -> bool,
    /// Sizes of its layers, from pixels to classes.
    pub sizes: &'a dyn Fn(&Trial) -> Vec<usize>,
    /// Number of its training images and of its validation images.
    pub num_images: &'a dyn Fn(&Trial) -> (usize, usize),
}

/// Trials as indices into a list: those that are trained in batches, as the groups of each batch, and the others.
struct Batches {
    batches: Vec<Vec<TrialGroup>>,
    single: Vec<usize>,
}

/// Groups `trials` into jobs, in the plan's order.
///
/// The jobs depend on the whole plan and, with the engine `cpu`, on the number of workers. They do not depend on
/// the trials that are done: a study that resumes after a kill gets the same jobs.
pub fn jobs(trials: &[Trial], resources: Resources, facts: &TrialFacts<'_>) -> Vec<Job> {
    let num_parameters = |trial: usize| count_parameters(&(facts.sizes)(&trials[trial]));
    let Batches { batches, single } = batches(trials, resources, facts);
    let mut jobs: Vec<Job> = single.into_iter().map(Job::Single).collect();
    let (largest, least_parts) = match (resources.engine, resources.is_gpu) {
        (_, true) => (MAX_BATCH_PARAMETERS_ON_GPU, 1),
        (Engine::Autodiff, false) => (MAX_BATCH_PARAMETERS, NUM_JOBS_ON_CPU),
        (Engine::Cpu, false) => (MAX_BATCH_PARAMETERS, resources.workers),
    };
    // Each batch is split until its parts fit into the caches and the memory, and every worker has
    // one.
    for groups in batches {
        let all: usize = groups.iter().flatten().copied().map(num_parameters).sum();
        let values: usize =
            groups.iter().map(|group| values_per_step(&trials[group[0]], group.len(), facts)).sum();
        let parts = all.div_ceil(largest).max(values.div_ceil(MAX_VALUES)).max(least_parts);
        jobs.extend(match resources.engine {
            Engine::Cpu => distribute_groups(groups, parts).into_iter().map(Job::Batched).collect(),
            // One network alone is no batch of tensors.
            Engine::Autodiff => {
                split_groups(groups, parts).into_iter().map(batched_unless_alone).collect::<Vec<_>>()
            }
        });
    }
    jobs.sort_by_key(|job| job.trials().first().copied());
    jobs
}

/// Groups `trials` into units that may be trained in different processes, for a cut into `num_shards`. `cost`
/// returns the estimated cost of a trial.
///
/// The digits of a trial do not depend on the cut. On the engine `cpu`, they do not depend on the networks beside
/// it, so a trial group is a few units, to balance the shards. With tensors they do, so a whole job is a unit.
pub fn units(
    trials: &[Trial],
    resources: Resources,
    facts: &TrialFacts<'_>,
    cost: impl Fn(usize) -> f64,
    num_shards: usize,
) -> Vec<Unit> {
    let unit =
        |trials: &[usize]| Unit { trials: trials.to_vec(), cost: trials.iter().copied().map(&cost).sum() };
    if resources.engine == Engine::Autodiff {
        return jobs(trials, resources, facts).iter().map(|job| unit(&job.trials())).collect();
    }
    let Batches { batches, single } = batches(trials, resources, facts);
    let share = (0..trials.len()).map(&cost).sum::<f64>() / num_shards as f64;
    let mut units: Vec<Unit> = single.into_iter().map(|trial| unit(&[trial])).collect();
    for group in batches.iter().flatten() {
        let pieces = (unit(group).cost / (share * LARGEST_PIECE)).ceil() as usize;
        let size = group.len().div_ceil(pieces.max(1));
        units.extend(group.chunks(size).map(unit));
    }
    units
}

/// Finds the trials that are trained in batches, and those that are not.
fn batches(trials: &[Trial], resources: Resources, facts: &TrialFacts<'_>) -> Batches {
    let mut batches: Vec<Vec<TrialGroup>> = Vec::new();
    let mut single = Vec::new();
    // Index of each batch and of each of its groups. A study may have a hundred thousand of either,
    // so they are looked up in maps.
    let mut batch_indices: HashMap<String, usize> = HashMap::new();
    let mut group_indices: HashMap<(usize, GroupKey), usize> = HashMap::new();
    for (index, trial) in trials.iter().enumerate() {
        let fits = resources.can_batch
            && (facts.is_trainable)(trial)
            && resources.batching_pays(trial, count_parameters(&(facts.sizes)(trial)));
        let Some(key) = BatchKey::new(trial.hyperparameters()).filter(|_| fits) else {
            single.push(index);
            continue;
        };
        // The kernels have one label smoothing for all networks of a batch.
        let smoothing = trial.experiment.training.label_smoothing;
        let smoothing = (resources.engine == Engine::Cpu).then_some(smoothing);
        let name = format!("{key:?} {:?} {smoothing:?}", (facts.num_images)(trial));
        let batch = *batch_indices.entry(name).or_insert(batches.len());
        if batch == batches.len() {
            batches.push(Vec::new());
        }
        let groups = &mut batches[batch];
        let group = *group_indices.entry((batch, group_key(trial))).or_insert(groups.len());
        match groups.get_mut(group) {
            Some(trials) => trials.push(index),
            None => groups.push(vec![index]),
        }
    }
    Batches { batches, single }
}

/// Returns one job per trial of a timed study, so that the configurations take turns.
///
/// Every configuration is trained with the first seed in the first fold, then every configuration
/// with the next. Each round begins one configuration later than the round before. Whatever slows
/// the machine down for a while then affects all configurations alike.
pub fn round_robin(plan: &TrialPlan) -> Vec<Job> {
    let configurations = plan.configurations.len();
    let mut rounds: Vec<Vec<usize>> = Vec::new();
    let mut seen = vec![0; configurations];
    for (index, trial) in plan.trials.iter().enumerate() {
        let round = seen[trial.configuration];
        seen[trial.configuration] += 1;
        if rounds.len() == round {
            rounds.push(Vec::new());
        }
        rounds[round].push(index);
    }
    for (number, round) in rounds.iter_mut().enumerate() {
        let first = number % round.len();
        round.rotate_left(first);
    }
    rounds.concat().into_iter().map(Job::Single).collect()
}

/// Number of weights and biases between layers of these sizes.
pub fn count_parameters(sizes: &[usize]) -> usize {
    sizes.windows(2).map(|pair| (pair[0] + 1).saturating_mul(pair[1])).fold(0, usize::saturating_add)
}

/// Number of values that a step of a trial group has in memory: its images once, and the
/// activations of each of its `networks`.
fn values_per_step(trial: &Trial, networks: usize, facts: &TrialFacts<'_>) -> usize {
    let sizes = (facts.sizes)(trial);
    let rows = trial.experiment.training.batch_size.max(EVALUATION_BATCH_SIZE);
    rows.saturating_mul(sizes[0] + networks * sizes[1..].iter().sum::<usize>())
}

/// Trials that see the same batches of images, as indices into the plan.
type TrialGroup = Vec<usize>;

/// Values that decide the batches of images that a trial sees: its seed, its fold and its settings
/// of the data. Fold and settings decide which images are for validation.
type GroupKey = (u64, Option<usize>, String);

fn group_key(trial: &Trial) -> GroupKey {
    (trial.experiment.seed, trial.fold, format!("{:?}", trial.experiment.data))
}

/// Distributes trial groups over `parts` jobs as whole groups, the same number to each job, and splits the
/// groups that are left as [`split_groups`] does. The kernels prepare the images of a step once for each
/// group of a job, so two halves of a group in two jobs take longer than the whole group in one.
fn distribute_groups(groups: Vec<TrialGroup>, parts: usize) -> Vec<Vec<TrialGroup>> {
    let mut jobs = Vec::new();
    for (_, mut groups) in by_length(groups) {
        let whole = groups.len() / parts;
        let left = groups.split_off(whole * parts);
        jobs.extend(groups.chunks(whole.max(1)).map(<[TrialGroup]>::to_vec));
        jobs.extend(split_groups(left, parts));
    }
    jobs
}

/// The groups of each length, in the order of their first group.
fn by_length(groups: Vec<TrialGroup>) -> Vec<(usize, Vec<TrialGroup>)> {
    let mut by_length: Vec<(usize, Vec<TrialGroup>)> = Vec::new();
    for group in groups {
        let length = group.len();
        match by_length.iter_mut().find(|(other, _)| *other == length) {
            Some((_, same)) => same.push(group),
            None => by_length.push((length, vec![group])),
        }
    }
    by_length
}

/// Splits trial groups into jobs of about equal size, about `parts` jobs for each length of a
/// group. All groups of a model batch must have one length, so groups of each length are split
/// separately.
///
/// Each group is cut into up to `parts` pieces, and a job gets the same piece of several groups.
/// If the groups are too short for `parts` pieces, their pieces are distributed over more jobs.
/// Groups of a single network are thus distributed as a whole.
fn split_groups(groups: Vec<TrialGroup>, parts: usize) -> Vec<Vec<TrialGroup>> {
    let mut jobs = Vec::new();
    for (length, groups) in by_length(groups) {
        let across = parts.min(length);
        let chunk = length.div_ceil(across);
        let groups_per_job = groups.len().div_ceil(parts.div_ceil(across));
        for start in (0..length).step_by(chunk) {
            for groups in groups.chunks(groups_per_job) {
                let end = (start + chunk).min(length);
                jobs.push(groups.iter().map(|trials| trials[start..end].to_vec()).collect());
            }
        }
    }
    jobs
}

/// Makes a job of trial groups: a model batch, unless they are one network alone.
fn batched_unless_alone(groups: Vec<TrialGroup>) -> Job {
    match groups.as_slice() {
        [group] if group.len() == 1 => Job::Single(group[0]),
        _ => Job::Batched(groups),
    }
}

/// Keeps only the `wanted` trials of `jobs`. Groups whose lengths then differ go into separate
/// model batches. One network that is left of a batch stays one, so that its digits are the same.
pub fn filter_jobs(jobs: Vec<Job>, wanted: impl Fn(usize) -> bool) -> Vec<Job> {
    let mut left = Vec::new();
    for job in jobs {
        match job {
            Job::Single(trial) => left.extend(wanted(trial).then_some(Job::Single(trial))),
            Job::Batched(groups) => {
                let groups = groups
                    .into_iter()
                    .map(|trials| trials.into_iter().filter(|&trial| wanted(trial)).collect::<Vec<_>>())
                    .filter(|trials| !trials.is_empty());
                left.extend(split_groups(groups.collect(), 1).into_iter().map(Job::Batched));
            }
        }
    }
    left
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
