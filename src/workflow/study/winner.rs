//! The winner of a study: the best setting, trained once on all training images and tested once.

use std::path::Path;

use burn::train::Interrupter;
use burn::train::renderer::MetricsRenderer;
use sha2::{Digest, Sha256};

use super::super::train::{Prepared, prepare};
use super::OpenedStudy;
use crate::config::Experiment;
use crate::digest::hex;
use crate::error::{Error, Result};
use crate::run::{Records, RunFolder, Status};
use crate::study::Summary;
use crate::training::ScheduleConfig;

/// The winner of a study.
pub enum Winner {
    /// It has been trained and tested already, at an earlier time: the test images are used once.
    Known(Box<Records>),
    /// It is about to be trained.
    New(Box<WinnerTraining>),
}

/// The winner's training, about to start.
pub struct WinnerTraining {
    /// Its run.
    pub prepared: Prepared,
    id: String,
}

impl OpenedStudy {
    /// The winner's experiment: the best setting with the study's first seed and no image held out.
    ///
    /// Early stopping needs images held out; in its place, the winner is trained for the median of the epochs that its
    /// trials were judged after. A cosine schedule ends with the training, so it keeps its length.
    fn winner_experiment(&self, summary: &Summary) -> Option<Experiment> {
        let best = summary.best?;
        let trials = self.planned.plan.trials.iter().filter(|trial| trial.setting == best);
        let mut experiment = trials.clone().next()?.experiment.clone();
        experiment.name = format!("{}-best", self.planned.study.name);
        experiment.data.validation = 0;
        let is_stopped = experiment.training.early_stopping.take().is_some();
        if is_stopped && !matches!(experiment.schedule, ScheduleConfig::Cosine(_)) {
            let mut epochs: Vec<usize> =
                trials.filter_map(|trial| self.journal.result(trial)?.epoch).collect();
            epochs.sort_unstable();
            experiment.training.num_epochs = epochs.get(epochs.len() / 2).copied()?;
        }
        Some(experiment)
    }

    /// The winner, to be trained if it has not been; none where no setting is ranked.
    ///
    /// # Errors
    /// As [`prepare`]'s.
    pub fn winner(&self, summary: &Summary, artifacts: &Path) -> Result<Option<Winner>> {
        let Some(experiment) = self.winner_experiment(summary) else { return Ok(None) };
        let id = self.winner_id(&experiment)?;
        if let Some(records) = self.known_winner(&id) {
            return Ok(Some(Winner::Known(Box::new(records))));
        }
        let prepared = prepare(experiment, self.planned.backend, artifacts)?;
        Ok(Some(Winner::New(Box::new(WinnerTraining { prepared, id }))))
    }

    fn winner_id(&self, experiment: &Experiment) -> Result<String> {
        let mut unplaced = experiment.clone();
        // The digest says which images; where they are does not matter.
        unplaced.data.source = "data".to_owned();
        let mut hash = Sha256::new();
        hash.update(format!("{}\n{}\n", self.planned.backend, self.planned.data_sha256));
        hash.update(unplaced.to_toml()?);
        Ok(hex(&hash.finalize())[..16].to_owned())
    }

    fn known_winner(&self, id: &str) -> Option<Records> {
        let run = self.folder.winner(id)?;
        let records = RunFolder::open(&run).and_then(|folder| folder.records()).ok()?;
        (records.info.status == Status::Finished).then_some(records)
    }

    /// Trains the winner, notes that it has been trained, and reads what came out; none where `interrupter` stopped it.
    ///
    /// # Errors
    /// As [`Prepared::train`]'s, or a file that cannot be written or read.
    pub fn train_winner(
        &self,
        training: WinnerTraining,
        renderer: Box<dyn MetricsRenderer>,
        interrupter: &Interrupter,
    ) -> Result<Option<Records>> {
        let WinnerTraining { prepared, id } = training;
        let run = prepared.folder.clone();
        let outcome = prepared
            .train(renderer, interrupter.clone(), |_| ())
            .map_err(|error| Error::new(format!("the winner could not be trained on all images: {error}")))?;
        if outcome.result.is_none() {
            return Ok(None);
        }
        self.folder.write_winner(id, run.path())?;
        run.records().map(Some)
    }
}
