//! Owns the best model of a study: the best configuration, trained once on all training images and
//! tested once. Depends on `pipeline`.

use std::path::Path;

use burn::train::Interrupter;
use burn::train::renderer::MetricsRenderer;

use crate::error::Result;
use crate::experiment::Experiment;
use crate::optim::ScheduleConfig;
use crate::pipeline::earlier::{find_runs, finished_records};
use crate::pipeline::report;
use crate::pipeline::resume::{Resume, resume};
use crate::pipeline::train::{PreparedRun, prepare};
use crate::run::{RunFolder, RunRecords};
use crate::study::runner::{OpenStudy, PlannedStudy};
use crate::study::{StudySummary, Trial};
use crate::training::Observers;

/// The best model of a study.
pub enum BestModel {
    /// It was trained and tested earlier. It is not tested again, since the test images are used
    /// once.
    AlreadyTrained(Box<RunRecords>),
    /// It must still be trained.
    ToTrain(Box<BestModelTraining>),
}

/// Training of the best model, which starts or resumes.
pub struct BestModelTraining {
    /// The run that is ready to be trained.
    pub prepared: PreparedRun,
    /// Warnings for the user.
    pub warnings: Vec<String>,
}

impl OpenStudy {
    /// Experiment of the best model: the best configuration with the study's first seed and without
    /// validation images. `None` where no configuration is ranked.
    ///
    /// Early stopping needs validation images. In its place, the model is trained for the median of
    /// the epochs of its trials' results, or to the end of the warm-up where that is later. A
    /// cosine schedule ends with the training, so with it the number of epochs stays as configured.
    fn best_experiment(&self, summary: &StudySummary) -> Option<Experiment> {
        let best = summary.best?;
        let is_whole = |trial: &&Trial| trial.configuration == best && trial.stop_after.is_none();
        let trials = self.planned.plan.trials.iter().filter(is_whole);
        let first = trials.clone().next()?;
        let mut experiment = self.planned.experiment_on_all_images(first);
        let is_stopped = first.experiment.training.early_stopping.is_some();
        if is_stopped && !matches!(experiment.schedule, ScheduleConfig::Cosine(_)) {
            let mut epochs: Vec<usize> =
                trials.filter_map(|trial| self.trial_log.result(trial)?.epoch).collect();
            epochs.sort_unstable();
            let median = epochs.get(epochs.len() / 2).copied()?;
            // A warm-up cannot be longer than the training.
            let warmup = experiment.schedule.warmup_epochs().ceil() as usize;
            experiment.training.num_epochs = median.max(warmup);
        }
        Some(experiment)
    }

    /// Finds the run of the best model under `artifacts`, or prepares it. `None` where no
    /// configuration is ranked.
    ///
    /// # Errors
    /// The same as those of [`prepare`].
    pub fn best_model(&self, summary: &StudySummary, artifacts: &Path) -> Result<Option<BestModel>> {
        let Some(experiment) = self.best_experiment(summary) else { return Ok(None) };
        let PlannedStudy { compute, data, .. } = &self.planned;
        // A run is recognised by its experiment. So it is found and resumed even if smallnet was
        // killed before the study could note it.
        let runs = find_runs(&experiment, *compute, data, artifacts)?;
        if let Some(records) = runs.iter().rev().find_map(finished_records) {
            complete(&records.folder);
            return Ok(Some(BestModel::AlreadyTrained(Box::new(records))));
        }
        let resumed = runs.into_iter().rev().find_map(|run| resume(run, None, None, None, None).ok());
        let training = match resumed {
            Some(Resume { run: mut prepared, warnings, .. }) => {
                prepared.experiment.tracking.add(&self.planned.study.base.tracking.kinds);
                BestModelTraining { prepared, warnings }
            }
            None => {
                let prepared = prepare(experiment, self.planned.compute, artifacts)?;
                BestModelTraining { prepared, warnings: Vec::new() }
            }
        };
        Ok(Some(BestModel::ToTrain(Box::new(training))))
    }

    /// Trains the best model and reads its records. `None` if `interrupter` stopped the training.
    ///
    /// # Errors
    /// The same as those of [`PreparedRun::train`], or a file that cannot be written or read.
    pub fn train_best_model(
        &self,
        training: BestModelTraining,
        renderer: Box<dyn MetricsRenderer>,
        interrupter: &Interrupter,
    ) -> Result<Option<RunRecords>> {
        let BestModelTraining { prepared, .. } = training;
        let run = prepared.folder.clone();
        let observers = Observers { renderer, callbacks: Vec::new(), interrupter: interrupter.clone() };
        let outcome = prepared.train(observers).map_err(|error| {
            error.in_context(format!("the winner could not be trained on all images: {error}"))
        })?;
        if outcome.result.is_none() {
            return Ok(None);
        }
        run.records().map(Some)
    }
}

/// Completes a trained run after a kill: temporary files are removed, and a missing page is
/// written. It does nothing where another process holds the run or nothing can be written, since
/// the result exists all the same.
fn complete(run: &RunFolder) {
    let Ok(_lock) = run.lock() else { return };
    if !run.has_report() {
        // A run without its page is still a run.
        let _ = report(run);
    }
}
