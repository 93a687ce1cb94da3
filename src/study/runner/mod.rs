//! Owns the run of a study, from its file to its results: plans the trials, runs those that are
//! missing, trains the best model and writes the results. Depends on `pipeline`, `training`, `run`
//! and the study's page. Must not know the terminal.

mod best_model;
mod estimate;
mod progress;
mod results;
mod rungs;
mod status;
mod tracking;
mod trial_run;
mod trial_splits;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::backend;
use crate::backend::{BackendHandle, Compute};
use crate::data::{InputSpec, is_unbalanced};
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::run::RunFolder;
use crate::study::{
    Job, Resources, Shard, Study, StudyFolder, StudySummary, Trial, TrialEnd, TrialLog, TrialPlan,
    count_parameters,
};
use crate::util::format::counted;

pub use best_model::{BestModel, BestModelTraining};
pub use progress::Progress;
pub use results::{ResultPaths, check_journal};
pub use status::{ShardStatus, StudyStatus};

use crate::pipeline::splits::{StudyImages, check_trainable, study_images};
use trial_splits::{TrialSplits, class_sizes};

/// A study with its data and its plan, before anything is run.
pub struct PlannedStudy {
    /// Contents of the study file.
    pub study: Study,
    /// The trials.
    pub plan: TrialPlan,
    /// The jobs of all trials, or of those of the first rung: those that are trained in one batch, and
    /// single ones.
    pub jobs: Vec<Job>,
    /// Conditions that decide the jobs.
    resources: Resources,
    /// Number of jobs that run at the same time.
    pub workers: usize,
    /// The backend and the engine of all trainings.
    pub compute: Compute,
    /// The opened backend.
    pub opened: BackendHandle,
    /// Shape and classes of the images.
    pub layout: InputSpec,
    /// SHA-256 of the data set.
    pub data_sha256: String,
    /// The identity of the images as they were understood: see [`crate::run::DataInfo::identity`].
    pub data: String,
    /// Number of images of each class in the training part.
    pub class_sizes: Vec<usize>,
    /// Sentence for the user about the number of validation images, if it was scaled.
    pub note: Option<String>,
    /// True if trials that were timed earlier are timed again.
    pub remeasure: bool,
    /// Shard that this process trains. `None` if it trains all trials.
    pub shard: Option<Shard>,
    /// Trials of the shard in the first rung, once they are known.
    first_rung: OnceLock<Vec<usize>>,
    /// Training and validation images of each trial.
    splits: TrialSplits,
}

/// A study whose folder is open, ready to run.
pub struct OpenStudy {
    /// The study.
    pub planned: PlannedStudy,
    /// Folder of the results.
    pub folder: StudyFolder,
    /// Log of the trials that have run.
    pub trial_log: TrialLog,
    /// Differences to the study file of the last run: name, before, now.
    pub changes: Vec<(String, String, String)>,
    /// File with the records of an earlier measurement, and their number. `None` if no records were
    /// archived.
    pub archived: Option<(PathBuf, usize)>,
}

/// Options of a study's run.
#[derive(Debug, Clone, Copy, Default)]
pub struct RunOptions {
    /// Trains every network individually, one after the other, as other tools do.
    pub separate: bool,
    /// Times all trials of a timed study again. The records of an earlier run are archived and not
    /// used.
    pub remeasure: bool,
    /// Trains one shard alone.
    pub shard: Option<Shard>,
}

impl PlannedStudy {
    /// Opens the backend, reads the images and plans the trials of `study`. Writes nothing.
    ///
    /// # Errors
    /// The data set cannot be read or learned from, the experiment refuses a configuration, there
    /// are more folds than images, or a study that is not timed is to be measured again.
    pub fn new(mut study: Study, compute: impl Into<Compute>, options: RunOptions) -> Result<Self> {
        let compute = compute.into();
        if options.remeasure && !study.timing {
            return Err(Error::usage(format!(
                "the study `{}` is not timed: there is nothing to measure again",
                study.name
            ))
            .hint(
                "write `timing = true` at its top, or leave out `--remeasure`: its results would be the same",
            ));
        }
        if options.shard.is_some() {
            study.check_can_be_cut()?;
        }
        let opened = compute.open()?;
        let StudyImages { images, layout, sha256: data_sha256, identity: data } = study_images(&study.base)?;
        let note = study.base.data.scale_validation(images.len());
        let machine = format!("{}, {}", opened.adapter, counted(backend::num_threads(), "thread", "threads"));
        let plan = TrialPlan::new(&study, compute, &data, Some(&machine))?;
        let class_sizes = class_sizes(&images.labels());
        let splits = TrialSplits::new(images.held_on(&opened.device, None), layout.num_classes, &study)?;
        let is_gpu = compute.backend().is_gpu();
        let one_at_a_time = study.timing || options.separate || is_gpu;
        let workers = if one_at_a_time { 1 } else { backend::num_threads() };
        let can_batch = !study.timing && !options.separate;
        let resources = Resources { workers, is_gpu, engine: opened.engine, can_batch };
        let RunOptions { remeasure, shard, .. } = options;
        let mut planned = Self {
            study,
            plan,
            jobs: Vec::new(),
            resources,
            workers,
            compute,
            opened,
            layout,
            data_sha256,
            data,
            class_sizes,
            note,
            remeasure,
            shard,
            first_rung: OnceLock::new(),
            splits,
        };
        let all: Vec<usize> = (0..planned.plan.configurations.len()).collect();
        planned.jobs = planned.rung_jobs(0, &all);
        Ok(planned)
    }

    /// Opens the study's folder under `artifacts` and reads the trials that have run. Everything
    /// that can be refused is refused here, before the first trial.
    ///
    /// # Errors
    /// A configuration cannot be trained, either in a trial or on all images. Files cannot be read
    /// or written. Another process runs this study.
    pub fn open(self, artifacts: &Path) -> Result<OpenStudy> {
        self.check_trainable()?;
        if self.shard.is_none() {
            RunFolder::check_writable(artifacts, &self.study.best_name())?;
        }
        let folder = StudyFolder::open(artifacts, &self.study.name)?;
        // The trials of a later rung follow from the results of all shards.
        let has_rungs = self.plan.rungs.is_some();
        let mut trial_log = TrialLog::open(&folder, self.study.measure, self.shard, has_rungs)?;
        let archived = if self.remeasure { trial_log.archive(&folder)? } else { None };
        let changes = folder.write_plan(&self.study, &self.plan)?;
        Ok(OpenStudy { planned: self, folder, trial_log, changes, archived })
    }

    /// Returns the error that prevents a trial, or the training of its configuration on all images.
    /// `None` if both are possible.
    pub fn infeasible(&self, trial: &Trial) -> Option<Error> {
        let as_trial = check_trainable(&trial.experiment, self.layout, self.splits.num_images(trial).train);
        let best = self.experiment_on_all_images(trial);
        let on_all = || {
            best.check()?;
            check_trainable(&best, self.layout, self.splits.num_all_images())
        };
        let as_best = |error: Error| {
            error.in_context(format!("on all images, as the best one is, {}", error.message()))
        };
        as_trial.and_then(|()| on_all().map_err(as_best)).err()
    }

    /// Refuses configurations that cannot be trained, since the study would end without a best
    /// model.
    fn check_trainable(&self) -> Result<()> {
        let trials = self.plan.trials.iter().filter(|trial| trial.stop_after.is_none());
        let mut refused = trials.filter_map(|trial| Some((trial, self.infeasible(trial)?)));
        let Some((trial, error)) = refused.next() else { return Ok(()) };
        let name = self.plan.configurations[trial.configuration].name();
        Err(error
            .in_context(format!("the configuration {name} cannot be trained: {}", error.message()))
            .hint("leave it out of `[vary]`; `--dry-run` lists the trials and says which cannot be trained"))
    }

    /// Experiment of a trial as it is trained if its configuration is the best: on all training
    /// images.
    fn experiment_on_all_images(&self, trial: &Trial) -> Experiment {
        let mut experiment = Experiment::clone(&trial.experiment);
        experiment.name = self.study.best_name();
        experiment.data.validation = 0;
        experiment.training.early_stopping = None;
        experiment
    }
}

impl OpenStudy {
    /// Names of the trials that failed, each with the message of its error.
    pub fn failed(&self) -> Vec<String> {
        let failed = self.trials().into_iter().filter_map(|trial| {
            let record = self.trial_log.record(trial).filter(|record| record.end == TrialEnd::Failed)?;
            let why = record.message.as_deref().unwrap_or("no message");
            Some(format!("{}: {why}", self.planned.trial_name(trial)))
        });
        failed.collect()
    }

    /// Path of the trial log that this process writes.
    pub fn own_log(&self) -> PathBuf {
        self.folder.path().join(self.trial_log.own_name())
    }

    /// Returns whether all rungs of successive halving are known. True without halving.
    pub fn knows_all_rungs(&self) -> bool {
        self.planned.members(Some(&self.trial_log)).len() == self.planned.plan.num_rungs()
    }

    /// Statistics of the trials that have run so far.
    pub fn summary(&self) -> StudySummary {
        let plan = &self.planned.plan;
        let records: Vec<_> = plan.trials.iter().map(|trial| self.trial_log.record(trial)).collect();
        StudySummary::new(plan, &records, is_unbalanced(&self.planned.class_sizes))
    }
}

/// Number of weights and biases of an experiment's network.
fn num_parameters(experiment: &Experiment, layout: InputSpec) -> usize {
    count_parameters(&sizes(experiment, layout))
}

/// Sizes of the layers, from pixels to classes.
fn sizes(experiment: &Experiment, layout: InputSpec) -> Vec<usize> {
    experiment.model.sizes(layout.height * layout.width, layout.num_classes)
}
