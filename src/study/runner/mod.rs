//! From a study file to its results: which trials there are, running those that are missing, and training the winner.

mod best_model;
mod estimate;
mod progress;
mod results;
mod trial_splits;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::backend;
use crate::backend::{Backend, BackendHandle};
use crate::data::InputSpec;
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::run::RunFolder;
use crate::study::{
    Job, Resources, Study, StudyFolder, StudySummary, Trial, TrialEnd, TrialLog, TrialPlan, count_parameters,
    filter_jobs, jobs, round_robin,
};
use crate::util::format::counted;

pub use best_model::{BestModel, BestModelTraining};
pub use progress::Progress;
pub use results::ResultPaths;

use crate::pipeline::splits::{check_classes, check_trainable};
use trial_splits::TrialSplits;

/// A study with its data and its plan, before anything is run.
pub struct PlannedStudy {
    /// What the file says.
    pub study: Study,
    /// The trials.
    pub plan: TrialPlan,
    /// What is run together.
    pub jobs: Vec<Job>,
    /// Units that run at the same time.
    pub workers: usize,
    /// Where it runs.
    pub backend: Backend,
    /// The backend, ready.
    pub opened: BackendHandle,
    /// What the images look like.
    pub layout: InputSpec,
    /// The data set's digest.
    pub data_sha256: String,
    /// Whether trials that were timed earlier are timed again.
    pub remeasure: bool,
    splits: TrialSplits,
}

/// A study with its folder, about to be run.
pub struct OpenStudy {
    /// The study.
    pub planned: PlannedStudy,
    /// Where its results are.
    pub folder: StudyFolder,
    /// What has been run.
    pub trial_log: TrialLog,
    /// What has changed in the study file since the last time: name, before, now.
    pub changes: Vec<(String, String, String)>,
    /// Where the records of an earlier measurement are kept, where this one begins anew, and how many there are.
    pub archived: Option<(PathBuf, usize)>,
}

/// How the trials are to be run.
#[derive(Debug, Clone, Copy, Default)]
pub struct RunOptions {
    /// One after the other and each by itself, as other tools do it.
    pub separate: bool,
    /// Anew: the records that an earlier run of a timed study has left are set aside and used no more.
    pub remeasure: bool,
}

impl PlannedStudy {
    /// Opens the backend, reads the images and plans the trials of `study`. Writes nothing.
    ///
    /// # Errors
    /// A data set that cannot be read or learned from, a setting that the experiment refuses, more folds than images; a
    /// study to be measured again that is not timed.
    pub fn new(study: Study, backend: Backend, options: RunOptions) -> Result<Self> {
        if options.remeasure && !study.timing {
            return Err(Error::usage(format!(
                "the study `{}` is not timed: there is nothing to measure again",
                study.name
            ))
            .hint(
                "write `timing = true` at its top, or leave out `--remeasure`: its results would be the same",
            ));
        }
        let opened = backend.open()?;
        let source = study.base.data.source();
        let (images, layout) = crate::pipeline::splits::train_images(&study.base)?;
        let data_sha256 = source.checksum()?;
        let machine = format!("{}, {}", opened.adapter, counted(backend::num_threads(), "thread", "threads"));
        let plan = TrialPlan::new(&study, backend, &data_sha256, Some(&machine))?;
        let splits = TrialSplits::new(images, &study)?;
        check_classes(&study.base, layout)?;
        let one_at_a_time = study.timing || options.separate || backend.is_gpu();
        let workers = if one_at_a_time { 1 } else { backend::num_threads() };
        let resources =
            Resources { workers, is_gpu: backend.is_gpu(), can_batch: !study.timing && !options.separate };
        let sizes = |trial: &Trial| sizes(&trial.experiment, layout);
        let can_batch =
            |trial: &Trial| check_trainable(&trial.experiment, layout, splits.num_images(trial).0).is_ok();
        let jobs = match study.timing {
            true => round_robin(&plan),
            false => jobs(&plan.trials, resources, can_batch, sizes, |trial| splits.num_images(trial)),
        };
        let remeasure = options.remeasure;
        Ok(Self { study, plan, jobs, workers, backend, opened, layout, data_sha256, remeasure, splits })
    }

    /// Opens the study's folder and reads what has been run already. What can be refused is refused here, before the
    /// first trial.
    ///
    /// # Errors
    /// A setting that cannot be trained, neither in a trial nor on all images; files that cannot be read or written, or
    /// another process that runs this study.
    pub fn open(self, artifacts: &Path) -> Result<OpenStudy> {
        self.check_trainable()?;
        RunFolder::check_place(artifacts, &self.study.best_name())?;
        let folder = StudyFolder::open(artifacts, &self.study.name)?;
        let mut trial_log = TrialLog::open(&folder)?;
        let archived = if self.remeasure { trial_log.archive(&folder)? } else { None };
        let changes = folder.write_plan(&self.study, &self.plan)?;
        Ok(OpenStudy { planned: self, folder, trial_log, changes, archived })
    }

    /// The ids of the trials that an earlier run of the study has left under `artifacts`. Looks without touching: a
    /// trial_log that cannot be read, or that another process is writing, has none.
    pub fn done_ids(&self, artifacts: &Path) -> HashSet<String> {
        if self.remeasure {
            return HashSet::new();
        }
        let Some(trial_log) = TrialLog::peek(artifacts, &self.study.name) else { return HashSet::new() };
        let trials = self.plan.trials.iter().filter(|trial| trial_log.result(trial).is_some());
        trials.map(|trial| trial.id.clone()).collect()
    }

    /// Why a trial cannot be trained, or its setting on all training images, as the best one is.
    pub fn infeasible(&self, trial: &Trial) -> Option<Error> {
        let as_trial = check_trainable(&trial.experiment, self.layout, self.splits.num_images(trial).0);
        let best = self.experiment_on_all_images(trial);
        let on_all = || {
            best.check()?;
            check_trainable(&best, self.layout, self.splits.num_all_images())
        };
        let as_best =
            |error: Error| Error::new(format!("on all images, as the best one is, {}", error.message()));
        as_trial.and_then(|()| on_all().map_err(as_best)).err()
    }

    /// Refuses settings that cannot be trained: the study would come to its end without a winner.
    fn check_trainable(&self) -> Result<()> {
        let mut refused = self.plan.trials.iter().filter_map(|trial| Some((trial, self.infeasible(trial)?)));
        let Some((trial, error)) = refused.next() else { return Ok(()) };
        let name = self.plan.configurations[trial.configuration].name();
        Err(Error::new(format!("the setting {name} cannot be trained: {}", error.message()))
            .hint("leave it out of `[vary]`; `--dry-run` lists the trials and says which cannot be trained"))
    }

    /// A trial's experiment as it is trained if its setting is the best: on all training images.
    fn experiment_on_all_images(&self, trial: &Trial) -> Experiment {
        let mut experiment = Experiment::clone(&trial.experiment);
        experiment.name = self.study.best_name();
        experiment.data.validation = 0;
        experiment.training.early_stopping = None;
        experiment
    }

    /// The units that are left when the trials of these ids are done.
    pub fn missing_jobs(&self, done: &HashSet<String>) -> Vec<Job> {
        filter_jobs(self.jobs.clone(), |trial| !done.contains(&self.plan.trials[trial].id))
    }
}

impl OpenStudy {
    /// Trials that need not be run again.
    pub fn num_done(&self) -> usize {
        let trials = &self.planned.plan.trials;
        trials.iter().filter(|trial| self.trial_log.result(trial).is_some()).count()
    }

    /// The trials that failed, by name, with why.
    pub fn failed(&self) -> Vec<String> {
        let failed = self.planned.plan.trials.iter().filter_map(|trial| {
            let record = self.trial_log.record(trial).filter(|record| record.end == TrialEnd::Failed)?;
            let why = record.message.as_deref().unwrap_or("no message");
            Some(format!("{}: {why}", self.planned.trial_name(trial)))
        });
        failed.collect()
    }

    /// What the trials run so far amount to.
    pub fn summary(&self) -> StudySummary {
        let plan = &self.planned.plan;
        let records: Vec<_> = plan.trials.iter().map(|trial| self.trial_log.record(trial)).collect();
        StudySummary::new(plan, &records)
    }
}

/// Weights and biases of an experiment's network.
fn num_parameters(experiment: &Experiment, layout: InputSpec) -> usize {
    count_parameters(&sizes(experiment, layout))
}

/// The sizes of its layers, from pixels to classes.
fn sizes(experiment: &Experiment, layout: InputSpec) -> Vec<usize> {
    experiment.model.sizes(layout.height * layout.width, layout.num_classes)
}
