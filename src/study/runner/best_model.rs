//! The winner of a study: the best setting, trained once on all training images and tested once.

use std::path::Path;

use burn::train::Interrupter;
use burn::train::renderer::MetricsRenderer;

use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::optim::ScheduleConfig;
use crate::pipeline::earlier::{finished, runs_of};
use crate::pipeline::report;
use crate::pipeline::resume::{Resume, resume};
use crate::pipeline::train::{PreparedRun, prepare};
use crate::run::{RunFolder, RunRecords};
use crate::study::StudySummary;
use crate::study::runner::{OpenStudy, PlannedStudy};

/// The winner of a study.
pub enum BestModel {
    /// It has been trained and tested already, at an earlier time: the test images are used once.
    AlreadyTrained(Box<RunRecords>),
    /// It is about to be trained.
    ToTrain(Box<BestModelTraining>),
}

/// The winner's training, about to start, or to go on where it was stopped.
pub struct BestModelTraining {
    /// Its run.
    pub prepared: PreparedRun,
    /// What whoever waits for it should know.
    pub warnings: Vec<String>,
}

impl OpenStudy {
    /// The winner's experiment: the best setting with the study's first seed and no image held out.
    ///
    /// Early stopping needs images held out; in its place, the winner is trained for the median of the epochs that its
    /// trials were judged after, or to the end of the warm-up where that comes later. A cosine schedule ends with the
    /// training, so it keeps its length.
    fn best_experiment(&self, summary: &StudySummary) -> Option<Experiment> {
        let best = summary.best?;
        let trials = self.planned.plan.trials.iter().filter(|trial| trial.configuration == best);
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

    /// The winner, to be trained if it has not been; none where no setting is ranked.
    ///
    /// # Errors
    /// As [`prepare`]'s.
    pub fn best_model(&self, summary: &StudySummary, artifacts: &Path) -> Result<Option<BestModel>> {
        let Some(experiment) = self.best_experiment(summary) else { return Ok(None) };
        let PlannedStudy { backend, data_sha256, .. } = &self.planned;
        // Known by what they are, so that a kill at any moment leaves the winner to be found.
        let runs = runs_of(&experiment, *backend, data_sha256, artifacts)?;
        if let Some(records) = runs.iter().rev().find_map(finished) {
            complete(&records.folder);
            return Ok(Some(BestModel::AlreadyTrained(Box::new(records))));
        }
        let resumed = runs.into_iter().rev().find_map(|run| resume(run, None, None).ok());
        let training = match resumed {
            Some(Resume { prepared, warnings, .. }) => BestModelTraining { prepared, warnings },
            None => {
                let prepared = prepare(experiment, self.planned.backend, artifacts)?;
                BestModelTraining { prepared, warnings: Vec::new() }
            }
        };
        Ok(Some(BestModel::ToTrain(Box::new(training))))
    }

    /// Trains the winner and reads what came out; none where `interrupter` stopped it.
    ///
    /// # Errors
    /// As [`PreparedRun::train`]'s, or a file that cannot be written or read.
    pub fn train_best_model(
        &self,
        training: BestModelTraining,
        renderer: Box<dyn MetricsRenderer>,
        interrupter: &Interrupter,
    ) -> Result<Option<RunRecords>> {
        let BestModelTraining { prepared, .. } = training;
        let run = prepared.folder.clone();
        let outcome = prepared
            .train(renderer, interrupter.clone(), |_| ())
            .map_err(|error| Error::new(format!("the winner could not be trained on all images: {error}")))?;
        if outcome.result.is_none() {
            return Ok(None);
        }
        run.records().map(Some)
    }
}

/// Does what a kill after the end of a run's training has left to do: unfinished files go, and the page is written where
/// there is none. Not where another process is at it, or nothing may be written: the result is there all the same.
fn complete(run: &RunFolder) {
    let Ok(_lock) = run.lock() else { return };
    if !run.has_report() {
        // A run without its page is still a run.
        let _ = report(run);
    }
}
