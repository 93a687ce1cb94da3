//! Owns the trials that take part in a study, rung by rung, and their jobs. Without halving, there is
//! one rung with all trials. Depends on the trial log. Must not know how trials are trained.

use std::collections::HashSet;
use std::path::Path;

use crate::backend::Engine;
use crate::pipeline::splits::check_trainable;
use crate::study::halving::{furthest_rungs, members, rung_sizes, trials_of_rungs};
use crate::study::runner::{OpenStudy, PlannedStudy, sizes};
use crate::study::{
    Job, Shard, Trial, TrialFacts, TrialLog, TrialRecord, cut, filter_jobs, jobs, round_robin, units,
};
use crate::util::format::counted;

impl PlannedStudy {
    /// Jobs of this process: those of the trials of these configurations in a rung, or of the part that its
    /// shard has. They depend on the whole rung and not on the trials that are done: a study that resumes after
    /// a kill gets the same jobs.
    pub(super) fn rung_jobs(&self, rung: usize, configurations: &[usize]) -> Vec<Job> {
        if self.study.timing {
            return round_robin(&self.plan);
        }
        let all = self.rung_trials(rung, configurations);
        let Some(shard) = self.shard else { return self.jobs_of(&all) };
        let own = self.own_of_rung(rung, &all, shard);
        match self.resources.engine {
            Engine::Cpu => self.jobs_of(&own),
            // A shard has whole jobs of all trials.
            Engine::Autodiff => {
                let own: HashSet<usize> = own.into_iter().collect();
                filter_jobs(self.jobs_of(&all), |trial| own.contains(&trial))
            }
        }
    }

    /// Trials of these configurations in a rung, as indices into the plan.
    fn rung_trials(&self, rung: usize, configurations: &[usize]) -> Vec<usize> {
        configurations.iter().flat_map(|&index| self.plan.trials_of(rung, index)).collect()
    }

    /// Jobs of the trials at `indices` of the plan.
    fn jobs_of(&self, indices: &[usize]) -> Vec<Job> {
        let jobs = self.with_facts(indices, |trials, facts| jobs(trials, self.resources, facts));
        jobs.into_iter().map(|job| job.renumbered(indices)).collect()
    }

    /// Trials of each of `num_shards` shards among those of one rung, in order. `indices` are those of the rung
    /// in the plan.
    fn cut(&self, indices: &[usize], num_shards: usize) -> Vec<Vec<usize>> {
        let cost = |trial: usize| self.cost(&Job::Single(indices[trial]));
        let units =
            self.with_facts(indices, |trials, facts| units(trials, self.resources, facts, cost, num_shards));
        let shards = cut(units, num_shards).into_iter();
        shards.map(|trials| trials.into_iter().map(|trial| indices[trial]).collect()).collect()
    }

    /// Calls `schedule` with the trials at `indices` of the plan and the facts that their schedule needs.
    fn with_facts<T>(&self, indices: &[usize], schedule: impl FnOnce(&[Trial], &TrialFacts<'_>) -> T) -> T {
        let trials: Vec<Trial> = indices.iter().map(|&index| self.plan.trials[index].clone()).collect();
        let facts = TrialFacts {
            is_trainable: &|trial| {
                let num_images = self.splits.num_images(trial).train;
                check_trainable(&trial.experiment, self.layout, num_images).is_ok()
            },
            sizes: &|trial| sizes(&trial.experiment, self.layout),
            num_images: &|trial| {
                let images = self.splits.num_images(trial);
                (images.train, images.validation)
            },
        };
        schedule(&trials, &facts)
    }

    /// Trials of this process, of the rungs that are known: all of them, or those of its shard.
    pub(super) fn own_trials(&self, known: &[Vec<usize>]) -> Vec<usize> {
        let Some(shard) = self.shard else { return trials_of_rungs(&self.plan, known).collect() };
        let rungs = known.iter().enumerate();
        rungs
            .flat_map(|(rung, members)| self.own_of_rung(rung, &self.rung_trials(rung, members), shard))
            .collect()
    }

    /// Trials of `shard`, that of this process, among those of a rung. The first rung of a large study is cut
    /// once.
    fn own_of_rung(&self, rung: usize, indices: &[usize], shard: Shard) -> Vec<usize> {
        let own = || self.cut(indices, shard.count).swap_remove(shard.number - 1);
        match rung {
            0 => self.first_rung.get_or_init(own).clone(),
            _ => own(),
        }
    }

    /// Trials of each of `num_shards` shards, of the rungs that are known.
    pub(super) fn trials_of_shards(&self, num_shards: usize, known: &[Vec<usize>]) -> Vec<Vec<usize>> {
        let mut shards = vec![Vec::new(); num_shards];
        for (rung, members) in known.iter().enumerate() {
            let of_rung = self.cut(&self.rung_trials(rung, members), num_shards);
            shards.iter_mut().zip(of_rung).for_each(|(all, trials)| all.extend(trials));
        }
        shards
    }

    /// Configurations of each rung, as far as the records of `trial_log` decide them; see
    /// [`members`].
    pub(super) fn members(&self, trial_log: Option<&TrialLog>) -> Vec<Vec<usize>> {
        members(&self.plan, |trial| trial_log.and_then(|log| log.result(&self.plan.trials[trial])))
    }

    /// Reads the trial log of an earlier run under `artifacts` without locking it. `None` if there is
    /// none that can be read, or if all trials are timed again.
    pub fn earlier_log(&self, artifacts: &Path) -> Option<TrialLog> {
        match self.remeasure {
            true => None,
            false => TrialLog::peek(artifacts, &self.study.name, self.study.measure),
        }
    }

    /// Indices of the trials of the rungs that are known, each with whether it has a result in
    /// `trial_log`.
    pub fn known_trials(&self, trial_log: Option<&TrialLog>) -> Vec<(usize, bool)> {
        let own = self.own_trials(&self.members(trial_log)).into_iter();
        own.map(|trial| (trial, self.is_done(trial_log, trial))).collect()
    }

    /// Returns whether a trial of the plan has a result in `trial_log`.
    pub(super) fn is_done(&self, trial_log: Option<&TrialLog>, trial: usize) -> bool {
        trial_log.is_some_and(|log| log.result(&self.plan.trials[trial]).is_some())
    }

    /// Trials of the rungs that are known which are trained in a model batch.
    pub fn batched_trials(&self, trial_log: Option<&TrialLog>) -> HashSet<usize> {
        let known = self.members(trial_log);
        let jobs = known.iter().enumerate().flat_map(|(rung, members)| self.rung_jobs(rung, members));
        jobs.filter(|job| matches!(job, Job::Batched(_))).flat_map(|job| job.trials()).collect()
    }

    /// Sentence about the rungs of successive halving, such as `successive halving: 9
    /// configurations for 1 epoch, 3 configurations for 3 epochs`. `None` without halving.
    pub fn rungs_sentence(&self) -> Option<String> {
        let rungs = self.plan.rungs.as_ref()?;
        let all = self.members(None);
        let sizes = rung_sizes(&self.plan, &all);
        let parts: Vec<String> = sizes.iter().zip(&rungs.epochs).map(rung_words).collect();
        Some(format!("successive halving: {}", parts.join(", ")))
    }

    /// Jobs that are left after those whose results are in `trial_log`. The configurations of a rung
    /// that is not known yet are represented by the first ones of the rung before.
    pub fn missing_jobs(&self, trial_log: Option<&TrialLog>) -> Vec<Job> {
        let mut rungs = self.members(trial_log);
        for &size in &rung_sizes(&self.plan, &rungs)[rungs.len()..] {
            let before = rungs.last().map_or(&[][..], Vec::as_slice);
            rungs.push(before[..size.min(before.len())].to_vec());
        }
        let jobs = rungs.iter().enumerate().flat_map(|(rung, members)| self.rung_jobs(rung, members));
        filter_jobs(jobs.collect(), |trial| !self.is_done(trial_log, trial))
    }

    /// Number of trials of the study; with halving, as many as are expected. Those of a shard, if the process
    /// trains one: as many as are known. `known` are the rungs that [`PlannedStudy::members`] returned.
    pub(super) fn num_trials(&self, known: &[Vec<usize>]) -> usize {
        if self.shard.is_some() {
            return self.own_trials(known).len();
        }
        let configurations: usize = rung_sizes(&self.plan, known).iter().sum();
        configurations * self.plan.trials_per_configuration()
    }
}

/// Part of a sentence about a rung, such as `9 configurations for 3 epochs`.
fn rung_words((size, &epochs): (&usize, &usize)) -> String {
    let configurations = counted(*size, "configuration", "configurations");
    format!("{configurations} for {}", counted(epochs, "epoch", "epochs"))
}

impl OpenStudy {
    /// Trials of this process that take part, of all rungs that are known.
    pub fn trials(&self) -> Vec<&Trial> {
        let plan = &self.planned.plan;
        let known = self.planned.members(Some(&self.trial_log));
        self.planned.own_trials(&known).into_iter().map(|trial| &plan.trials[trial]).collect()
    }

    /// Number of trials that have a result.
    pub fn num_done(&self) -> usize {
        self.trials().into_iter().filter(|trial| self.trial_log.result(trial).is_some()).count()
    }

    /// Number of trials of the study; with halving, as many as are expected.
    pub fn num_trials(&self) -> usize {
        self.planned.num_trials(&self.planned.members(Some(&self.trial_log)))
    }

    /// Records of the trials that take part, of all rungs, including failed ones. Trials that have not
    /// run are left out.
    pub(super) fn all_records(&self) -> Vec<&TrialRecord> {
        self.trials().into_iter().filter_map(|trial| self.trial_log.record(trial)).collect()
    }

    /// Records of the trials that judge each configuration, in the plan's order, including failed
    /// ones: those of the last rung that it has come to. Trials that have not run are left out.
    pub fn records(&self) -> Vec<&TrialRecord> {
        let plan = &self.planned.plan;
        let furthest = furthest_rungs(plan, &self.planned.members(Some(&self.trial_log)));
        let trials = furthest.iter().enumerate().flat_map(|(index, &rung)| plan.trials_of(rung, index));
        trials.filter_map(|trial| self.trial_log.record(&plan.trials[trial])).collect()
    }
}
