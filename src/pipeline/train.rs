//! The training of an experiment into a run folder.

use std::path::{Path, PathBuf};

use crate::backend::{BackendHandle, Compute};
use crate::data::DataCheck;
use crate::error::{BACKEND_PANIC, Error, ErrorKind, Result, catch_panic};
use crate::evaluation::{Evaluation, evaluate};
use crate::experiment::Experiment;
use crate::model::{Mlp, weights_sha256};
use crate::pipeline::inputs::{RunInputs, start_info};
use crate::pipeline::{EvalSet, LoadedModel, SplitName, Splits, report, tracking};
use crate::run;
use crate::run::diagnosis::{Finding, diagnose_training};
use crate::run::{
    Metrics, RunFolder, RunInfo, RunLock, RunSummary, SourceRun, Status, TestEvaluation, Untested,
};
use crate::training;
use crate::training::{
    Callback, CheckpointOptions, EpochRecord, Observers, Position, ResumePoint, StopReason, TrainRequest,
    TrainResult,
};

/// A run that is ready to start or to resume. Its folder exists, its experiment is saved, and no
/// other process can train in the folder.
pub struct PreparedRun {
    /// The experiment.
    pub experiment: Experiment,
    /// The folder of the run.
    pub folder: RunFolder,
    /// The content of `run.json`.
    pub info: RunInfo,
    /// The network with its initial weights.
    pub model: Mlp,
    /// The backend.
    pub handle: BackendHandle,
    pub(super) splits: Splits,
    pub(super) lock: RunLock,
    /// The open `metrics.jsonl`. `None` once training has started.
    pub(super) metrics: Option<Metrics>,
    /// The state from which a resumed run continues.
    pub(super) resume_point: Option<ResumePoint>,
    /// The faults of the training. Empty until its end.
    pub(super) findings: Vec<Finding>,
}

/// The summary of a finished run, and its evaluation on labelled test images, if it was tested.
type RunResult = (RunSummary, Option<Evaluation>);

/// A run that has ended without an error.
pub struct RunOutcome {
    /// The reason why training stopped.
    pub stop_reason: StopReason,
    /// The result. `None` for an interrupted run, which is not tested. The evaluation is `None`
    /// without labelled test images, and if the run leaves them alone.
    pub result: Option<RunResult>,
    /// The faults of the training, each with the way out. Empty for an interrupted run.
    pub findings: Vec<Finding>,
    /// The path of the page about the run, or the error of writing it. A run without its page is
    /// still a run.
    pub report: Result<PathBuf>,
}

/// Opens the backend, reads the images, builds the network and creates the run folder, in this
/// order. So a step that fails leaves no folder behind.
///
/// # Errors
/// A backend that cannot be opened, a data set that cannot be read or learned from, a network that
/// is too large, or a folder that cannot be written.
pub fn prepare(experiment: Experiment, compute: Compute, artifacts: &Path) -> Result<PreparedRun> {
    let inputs = RunInputs::new(&experiment, compute)?;
    create(experiment, compute, inputs, None, artifacts)
}

/// Creates the run folder of a training with these `inputs`. `source_run` is the run that the
/// weights of their network are from, if they are not drawn from the seed.
///
/// # Errors
/// A folder that cannot be written.
pub(super) fn create(
    mut experiment: Experiment,
    compute: Compute,
    inputs: RunInputs,
    source_run: Option<SourceRun>,
    artifacts: &Path,
) -> Result<PreparedRun> {
    let RunInputs { handle, splits, model, data } = inputs;
    splits.settle_validation(&mut experiment);
    let now = run::now();
    let initial = source_run.is_some().then_some(&model);
    let info = RunInfo { source_run, ..start_info(&experiment, compute, &handle, data, now) };
    let fill = |folder: &RunFolder| initial.map_or(Ok(()), |model| folder.save_initial_weights(model));
    let (folder, lock, info) = RunFolder::create(artifacts, &experiment, info, fill, now)?;
    let (metrics, _) = folder.metrics()?;
    Ok(PreparedRun {
        experiment,
        folder,
        info,
        model,
        handle,
        splits,
        lock,
        metrics: Some(metrics),
        resume_point: None,
        findings: Vec::new(),
    })
}

impl PreparedRun {
    /// Leaves the test images alone: the run ends without a test, and its records say so.
    /// `smallnet evaluate` can test it later.
    ///
    /// # Errors
    /// A `run.json` that cannot be written.
    pub fn without_test(mut self) -> Result<Self> {
        self.info.skips_test = true;
        self.folder.write_info(&self.info)?;
        Ok(self)
    }

    /// Trains the network, saves it and tests it. The callbacks of `observers` are called after the
    /// run's own ones, so that they find the record of an epoch saved.
    ///
    /// # Errors
    /// Those of [`training::train`], a test loss that is not finite, a file that cannot be written,
    /// or a panic. The run folder then records that the run failed, and why, if it can still be
    /// written.
    pub fn train(mut self, observers: Observers) -> Result<RunOutcome> {
        let result =
            catch_panic(BACKEND_PANIC, || self.run(observers)).map_err(|error| self.with_way_out(error));
        self.info.ended_at = Some(run::timestamp(run::now()));
        (self.info.status, self.info.message) = match &result {
            Ok((StopReason::Interrupted { epoch, step }, _)) => {
                (Status::Interrupted, Some(format!("in epoch {epoch}, after step {step}")))
            }
            Ok(_) => (Status::Finished, None),
            Err(error) => (Status::Failed, Some(error.message().to_owned())),
        };
        if result.is_err() {
            // The first error is the one to report.
            let _ = tracking::write_failure(&self.experiment, &self.folder);
        }
        let saved = self.folder.write_info(&self.info);
        let report = report(&self.folder);
        // The first error is the cause. A second one while it is recorded is a consequence.
        let (stop_reason, result) = result?;
        saved?;
        drop(self.lock);
        let findings = self.findings;
        Ok(RunOutcome { stop_reason, result, findings, report })
    }

    /// Adds the ways out to the error of a GPU, such as a lack of memory, a limit or a lost device.
    fn with_way_out(&self, error: Error) -> Error {
        if !self.info.backend.is_gpu() || error.kind() != ErrorKind::Backend {
            return error;
        }
        let path = self.folder.path().display();
        error.and_hint(&format!(
            "`smallnet resume {path} --backend flex` trains it on the CPU; a GPU takes smaller layers and batches"
        ))
    }

    /// Returns sentences about what was decided or left out while the images were read.
    pub fn notes(&self) -> &[String] {
        &self.splits.notes
    }

    /// Returns the check of the data set. `None` for a resumed run.
    pub fn data_check(&self) -> Option<&DataCheck> {
        self.splits.check.as_ref()
    }

    /// Returns the callbacks that write the files of the run folder. To write another file, add its
    /// callback here.
    ///
    /// # Errors
    /// A file that cannot be written.
    fn own_callbacks(&mut self) -> Result<Vec<Box<dyn Callback>>> {
        let metrics = self.metrics.take().map(|metrics| Box::new(metrics) as Box<dyn Callback>);
        let trackers = tracking::callbacks(&self.experiment, &self.folder)?;
        Ok(metrics.into_iter().chain(trackers).collect())
    }

    fn run(&mut self, mut observers: Observers) -> Result<(StopReason, Option<RunResult>)> {
        let mut callbacks = self.own_callbacks()?;
        callbacks.append(&mut observers.callbacks);
        let observers = Observers { callbacks, ..observers };
        let resume_point = self.resume_point.take();
        let Self { experiment, folder, .. } = &*self;
        let request = TrainRequest {
            model: self.model.clone(),
            hyperparameters: experiment.hyperparameters(),
            seed: experiment.seed,
            train: self.splits.train.clone(),
            validation: self.splits.validation.clone(),
            device: &self.handle.device,
            checkpoints: Some(CheckpointOptions {
                store: folder.checkpoints(),
                config: &experiment.checkpoint,
                from: resume_point,
            }),
        };
        let TrainResult { model, end, epochs, best, .. } = training::train(request, observers)?;
        if let StopReason::Diverged(divergence) = end {
            return Err(training::diverged(&divergence));
        }

        let is_interrupted = matches!(end, StopReason::Interrupted { .. });
        // The training knows the best epoch from its checkpoints. `metrics.jsonl` may have been
        // edited.
        let best_epoch = best.map_or(epochs.len(), |best| best.epoch);
        let model_epoch = model_epoch(experiment, best_epoch, epochs.len());
        let model = match is_interrupted || model_epoch == epochs.len() {
            true => model,
            false => self.restore(model, model_epoch)?,
        };
        self.folder.save_model(&model)?;
        self.info.weights_sha256 = Some(weights_sha256(&model)?);
        let result = match is_interrupted {
            true => None,
            false => Some(self.save_result(&model, [best_epoch, model_epoch], &epochs)?),
        };
        Ok((end, result))
    }

    /// Returns the network with the weights that it had after `epoch`.
    fn restore(&self, model: Mlp, epoch: usize) -> Result<Mlp> {
        let path = self.folder.checkpoints().weights_path(Position { epochs: epoch, steps: 0 });
        self.folder.load_weights(model, &path).map_err(|error| {
            let message =
                format!("the weights of epoch {epoch}, the best one, are lost: {}", error.message());
            error
                .in_context(message)
                .hint("`smallnet resume` goes back to before that epoch and trains it again")
        })
    }

    /// Evaluates the final network on the test images, if they have labels and the run is to be
    /// tested.
    fn test(&self, model: &Mlp) -> Result<Option<Evaluation>> {
        let test = &self.splits.test;
        if self.info.skips_test || test.is_empty() || !test.is_labelled() {
            return Ok(None);
        }
        let evaluation = evaluate(model, test, &self.handle.device)?;
        if !evaluation.loss.is_finite() {
            return Err(training::diverged(&format_args!("the test loss is {}", evaluation.loss)));
        }
        Ok(Some(evaluation))
    }

    /// Evaluates the final network on the validation images, or without them on the training images,
    /// for the diagnosis of a run that is not tested.
    fn evaluate_untested(&self, model: &Mlp) -> Result<Untested> {
        let (split, name) = match self.splits.validation.is_empty() {
            true => (&self.splits.train, SplitName::Train),
            false => (&self.splits.validation, SplitName::Validation),
        };
        let counts = evaluate(model, split, &self.handle.device)?.prediction_counts();
        Ok(Untested { split: name.to_string(), counts })
    }

    /// Tests the final network, saves summary and test, and looks for faults of the training.
    fn save_result(
        &mut self,
        model: &Mlp,
        [best_epoch, model_epoch]: [usize; 2],
        epochs: &[EpochRecord],
    ) -> Result<RunResult> {
        let evaluation = self.test(model)?;
        let untested = match &evaluation {
            Some(_) => None,
            None => Some(self.evaluate_untested(model)?),
        };
        let weights_sha256 = self.info.weights_sha256.clone().unwrap_or_default();
        let kept = epochs.iter().find(|record| record.epoch == model_epoch);
        let summary = RunSummary {
            test_accuracy: evaluation.as_ref().map(|evaluation| evaluation.accuracy),
            test_loss: evaluation.as_ref().map(|evaluation| evaluation.loss),
            num_parameters: burn::module::Module::num_params(model),
            steps_per_epoch: self.experiment.training.steps_per_epoch(self.splits.train.len()),
            num_epochs: epochs.len(),
            seconds_per_epoch: EpochRecord::median_seconds(epochs),
            best_epoch: Some(best_epoch),
            model_epoch: Some(model_epoch),
            weights_sha256: weights_sha256.clone(),
            test_balanced_accuracy: evaluation.as_ref().and_then(Evaluation::balanced_accuracy),
            untested,
            validation_accuracy: kept.and_then(|record| record.validation_accuracy),
            validation_loss: kept.and_then(|record| record.validation_loss),
            skipped_test: self.info.skips_test,
        };
        self.findings =
            diagnose_training(&self.experiment, &self.info, evaluation.as_ref(), Some(&summary), epochs);
        if let Some(evaluation) = evaluation.clone() {
            let test = TestEvaluation::new(evaluation, &self.splits.test, weights_sha256);
            self.folder.write_test(&test)?;
        }
        self.folder.write_summary(&summary)?;
        self.track_result(model, &summary, evaluation.as_ref())?;
        Ok((summary, evaluation))
    }

    /// Adds the result to the files of the trackers.
    fn track_result(&self, model: &Mlp, summary: &RunSummary, test: Option<&Evaluation>) -> Result<()> {
        if self.experiment.tracking.is_default() {
            return Ok(());
        }
        let eval_set = EvalSet::own(self.splits.test.clone(), SplitName::Test);
        let test = test.map(|evaluation| (evaluation, &eval_set));
        tracking::write_result(&LoadedModel::of_training(self, model.clone()), summary, test)
    }
}

/// Returns the epoch whose weights are the result of a training of `num_epochs`: the last epoch, or
/// `best_epoch` if early stopping restores it.
pub(crate) fn model_epoch(experiment: &Experiment, best_epoch: usize, num_epochs: usize) -> usize {
    if should_restore_best(experiment) { best_epoch } else { num_epochs }
}

/// Returns whether the weights of the best epoch become the weights of the run.
pub(crate) fn should_restore_best(experiment: &Experiment) -> bool {
    experiment.training.early_stopping.as_ref().is_some_and(|stopping| stopping.restore_best)
}
