//! Owns the training of one trial by itself, and the evaluation that judges it. Depends on
//! `training` and `evaluation`. Must not know the queue of jobs.

use std::sync::Arc;

use burn::train::Interrupter;

use crate::backend::BackendHandle;
use crate::data::Split;
use crate::error::Result;
use crate::evaluation::{balanced_accuracy, balanced_accuracy_of_images, evaluate};
use crate::model::Mlp;
use crate::pipeline::splits::check_trainable;
use crate::pipeline::train::{model_epoch, should_restore_best};
use crate::study::Trial;
use crate::study::runner::PlannedStudy;
use crate::study::runner::trial_splits::TrialImages;
use crate::training;
use crate::training::{
    Divergence, DivergenceCause, EpochRecord, ModelResult, NullRenderer, Observers, StopReason, TrainRequest,
};

/// Number of warm-up steps before a timed trial.
const WARM_UP_STEPS: usize = 50;

/// Result of one trial's training.
pub(super) struct TrialRun {
    /// Reason why the training ended.
    pub(super) end: StopReason,
    /// Records of its whole epochs.
    pub(super) epochs: Vec<EpochRecord>,
    /// Epoch of the result, from 1. `None` unless the training reached its end.
    pub(super) epoch: Option<usize>,
    /// Accuracy and loss on the validation images at that epoch.
    pub(super) accuracy: Option<f64>,
    pub(super) loss: Option<f64>,
    /// Balanced accuracy on the validation images at that epoch.
    pub(super) balanced_accuracy: Option<f64>,
}

impl TrialRun {
    /// Result whose accuracy and loss are those of the records: the validation images were
    /// evaluated after every epoch.
    fn validated(trial: &Trial, end: StopReason, epochs: Vec<EpochRecord>) -> Self {
        let is_finished = matches!(end, StopReason::Finished | StopReason::Early);
        let best = EpochRecord::best(&epochs).filter(|_| is_finished);
        let epoch = best.map(|best| model_epoch(&trial.experiment, best, epochs.len()));
        let record = epochs.iter().find(|record| Some(record.epoch) == epoch);
        let accuracy = record.and_then(|record| record.validation_accuracy);
        let loss = record.and_then(|record| record.validation_loss);
        Self { end, epoch, accuracy, loss, balanced_accuracy: None, epochs }
    }

    /// Result of one network of a model batch.
    pub(super) fn of_batch(trial: &Trial, result: ModelResult, validation: &Split) -> Self {
        let ModelResult { end, epochs, correct } = result;
        let balanced_accuracy = balanced_accuracy_of_images(&validation.labels(), &correct);
        Self { balanced_accuracy, ..Self::validated(trial, end, epochs) }
    }

    /// Result of a trial that failed.
    pub(super) fn failed(trial: &Trial) -> Self {
        Self::validated(trial, StopReason::Finished, Vec::new())
    }

    /// Turns the result into a divergence after its epoch, if the loss on the validation images is
    /// not finite.
    fn checked(self) -> Self {
        let (Some(epoch), Some(loss)) = (self.epoch, self.loss.filter(|loss| !loss.is_finite())) else {
            return self;
        };
        let record = self.epochs.iter().find(|record| record.epoch == epoch);
        let learning_rate = record.map_or(f64::NAN, |record| record.learning_rate);
        let cause = DivergenceCause::ValidationLoss(loss);
        let end = StopReason::Diverged(Divergence { epoch, cause, learning_rate });
        Self { end, epoch: None, accuracy: None, loss: None, balanced_accuracy: None, epochs: self.epochs }
    }
}

impl PlannedStudy {
    /// Trains one trial as a run does, without files, and evaluates it on its validation images. In
    /// a timed study, a warm-up comes first.
    pub(super) fn train_single(
        &self,
        trial: &Trial,
        interrupter: &Interrupter,
        mut on_epoch: impl FnMut(usize) + Send + 'static,
    ) -> Result<TrialRun> {
        let TrialImages { train, stopping, validation } = self.splits.get(trial)?;
        check_trainable(&trial.experiment, self.layout, train.len())?;
        if self.study.timing {
            self.warm_up(trial)?;
        }
        let observers = Observers {
            renderer: Box::new(NullRenderer),
            callbacks: vec![training::on_epoch_end(move |record: &EpochRecord| {
                on_epoch(record.epoch);
                Ok(())
            })],
            interrupter: interrupter.clone(),
        };
        let watched = stopping.clone().unwrap_or_else(|| validation.clone());
        let request = self.train_request(trial, train, watched)?;
        let trained = training::train_until(request, trial.num_epochs(), observers)?;
        let run = TrialRun::validated(trial, trained.end, trained.epochs);
        if run.epoch.is_none() {
            return Ok(run);
        }
        let model = trained.best_model.filter(|_| should_restore_best(&trial.experiment));
        self.judge(run, &model.unwrap_or(trained.model), &validation, stopping.is_some())
    }

    /// Evaluates a trial's network on its validation images, once. With stopping images, that gives
    /// accuracy and loss, too. Without them, they are those of the records.
    fn judge(
        &self,
        run: TrialRun,
        model: &Mlp,
        validation: &Split,
        has_stopping_images: bool,
    ) -> Result<TrialRun> {
        let evaluation = evaluate(model, validation, &self.opened.device)?;
        let balanced_accuracy = balanced_accuracy(&evaluation.classes);
        let run = TrialRun { balanced_accuracy, ..run };
        if !has_stopping_images {
            return Ok(run);
        }
        let (accuracy, loss) = (Some(evaluation.accuracy), Some(evaluation.loss));
        Ok(TrialRun { accuracy, loss, ..run }.checked())
    }

    /// Request to train a new network of `trial` on these images, without checkpoints.
    pub(super) fn train_request<'a>(
        &'a self,
        trial: &'a Trial,
        train: Split,
        validation: Split,
    ) -> Result<TrainRequest<'a>> {
        let experiment = &trial.experiment;
        let pixels = self.layout.height * self.layout.width;
        let BackendHandle { device, engine, .. } = &self.opened;
        let model = experiment.model.init(pixels, self.layout.num_classes, experiment.seed, device)?;
        Ok(TrainRequest {
            model: model.with_engine(*engine),
            hyperparameters: experiment.hyperparameters(),
            seed: experiment.seed,
            train,
            validation,
            device,
            checkpoints: None,
        })
    }

    /// Trains a network of the same shapes for up to [`WARM_UP_STEPS`] steps, so that memory is
    /// allocated, code is loaded and a GPU's kernels are compiled before a time is measured.
    fn warm_up(&self, trial: &Trial) -> Result<()> {
        let TrialImages { train, validation, .. } = self.splits.get(trial)?;
        let mut short = trial.clone();
        let training = &mut Arc::make_mut(&mut short.experiment).training;
        training.num_epochs = 1;
        training.early_stopping = None;
        let images = (WARM_UP_STEPS * trial.experiment.training.batch_size).min(train.len());
        let request = self.train_request(&short, train.slice(0..images), validation.slice(0..0))?;
        let observers = Observers {
            renderer: Box::new(NullRenderer),
            callbacks: Vec::new(),
            interrupter: Interrupter::new(),
        };
        training::train(request, observers).map(drop)
    }
}
