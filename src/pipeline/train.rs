//! From an experiment to a finished run folder.

use std::path::{Path, PathBuf};

use burn::train::Interrupter;
use burn::train::renderer::MetricsRenderer;

use crate::backend::{Backend, BackendHandle};
use crate::error::{BACKEND_PANIC, Result, catch_panic};
use crate::evaluation::{Evaluation, evaluate};
use crate::experiment::Experiment;
use crate::model::{Mlp, weights_sha256};
use crate::pipeline::inputs::{RunInputs, start_info};
use crate::pipeline::{Splits, report};
use crate::run;
use crate::run::{Metrics, RunFolder, RunInfo, RunLock, RunSummary, Status, TestEvaluation};
use crate::training;
use crate::training::{
    CheckpointOptions, EpochRecord, Observers, Position, ResumePoint, StopReason, TrainRequest, TrainResult,
};

/// A run about to start, or to go on: its folder is there, its experiment saved, and no other process trains in it.
pub struct PreparedRun {
    /// What is trained.
    pub experiment: Experiment,
    /// Where it goes.
    pub folder: RunFolder,
    /// `run.json` as it stands.
    pub info: RunInfo,
    /// The network with its initial weights.
    pub model: Mlp,
    /// The backend it runs on.
    pub opened: BackendHandle,
    pub(super) splits: Splits,
    pub(super) lock: RunLock,
    /// None once training has started.
    pub(super) metrics: Option<Metrics>,
    /// Where training goes on.
    pub(super) from: Option<ResumePoint>,
}

/// A run that has ended without an error.
pub struct RunOutcome {
    /// How training ended.
    pub end: StopReason,
    /// The result; none for an interrupted run, which is not tested.
    pub result: Option<(RunSummary, Evaluation)>,
    /// Where the page about the run is, or why there is none: a run without its page is still a run.
    pub report: Result<PathBuf>,
}

/// Opens the backend, reads the images, builds the network and makes the run folder, in this order: what can
/// fail leaves no folder behind.
pub fn prepare(experiment: Experiment, backend: Backend, artifacts: &Path) -> Result<PreparedRun> {
    let RunInputs { opened, splits, model, data } = RunInputs::new(&experiment, backend)?;
    let now = run::now();
    let info = start_info(&experiment, backend, &opened, data, now);
    let (folder, lock, info) = RunFolder::create(artifacts, &experiment, info, now)?;
    let (metrics, _) = folder.metrics()?;
    Ok(PreparedRun {
        experiment,
        folder,
        info,
        model,
        opened,
        splits,
        lock,
        metrics: Some(metrics),
        from: None,
    })
}

impl PreparedRun {
    /// Trains, saves and tests. `on_epoch` is told of every epoch after it has been saved.
    ///
    /// # Errors
    /// As [`training::train`]'s, a test loss that is not finite, a file that cannot be written, or a panic. The run folder
    /// then says that the run failed, and why, where that can still be written.
    pub fn train(
        mut self,
        renderer: Box<dyn MetricsRenderer>,
        interrupter: Interrupter,
        on_epoch: impl FnMut(&EpochRecord) + Send + 'static,
    ) -> Result<RunOutcome> {
        let result = catch_panic(BACKEND_PANIC, || self.run(renderer, interrupter, on_epoch));
        self.info.ended = Some(run::timestamp(run::now()));
        (self.info.status, self.info.message) = match &result {
            Ok((StopReason::Interrupted { epoch, step }, _)) => {
                (Status::Interrupted, Some(format!("in epoch {epoch}, after step {step}")))
            }
            Ok(_) => (Status::Finished, None),
            Err(error) => (Status::Failed, Some(error.message().to_owned())),
        };
        let saved = self.folder.write_info(&self.info);
        let report = report(&self.folder);
        // The first error is the cause; a second one while noting it down is its consequence.
        let (end, result) = result?;
        saved?;
        drop(self.lock);
        Ok(RunOutcome { end, result, report })
    }

    fn run(
        &mut self,
        renderer: Box<dyn MetricsRenderer>,
        interrupter: Interrupter,
        mut on_epoch: impl FnMut(&EpochRecord) + Send + 'static,
    ) -> Result<(StopReason, Option<(RunSummary, Evaluation)>)> {
        let mut metrics = self.metrics.take();
        let on_epoch = Box::new(move |record: &EpochRecord| {
            metrics.iter_mut().try_for_each(|metrics| metrics.append(record))?;
            on_epoch(record);
            Ok(())
        });
        let from = self.from.take();
        let Self { experiment, folder, .. } = &*self;
        let setup = TrainRequest {
            model: self.model.clone(),
            hyperparameters: experiment.hyperparameters(),
            seed: experiment.seed,
            train: self.splits.train.clone(),
            validation: self.splits.validation.clone(),
            device: &self.opened.device,
            saving: Some(CheckpointOptions {
                store: folder.checkpoints(),
                config: &experiment.checkpoint,
                from,
            }),
        };
        let TrainResult { model, end, epochs, best } =
            training::train(setup, Observers { renderer, on_epoch, interrupter })?;
        if let StopReason::Diverged(divergence) = end {
            return Err(training::diverged(&divergence));
        }

        let interrupted = matches!(end, StopReason::Interrupted { .. });
        // The training knows it from its checkpoints; `metrics.jsonl` alone may have been edited.
        let best_epoch = best.map_or(epochs.len(), |best| best.epoch);
        let model_epoch = judged_epoch(experiment, best_epoch, epochs.len());
        let model = match interrupted || model_epoch == epochs.len() {
            true => model,
            false => self.restore(model, model_epoch)?,
        };
        self.folder.save_model(&model)?;
        self.info.weights_sha256 = Some(weights_sha256(&model)?);
        let result =
            if interrupted { None } else { Some(self.test(&model, [best_epoch, model_epoch], &epochs)?) };
        Ok((end, result))
    }

    /// The network with the weights that it had after `epoch`.
    fn restore(&self, model: Mlp, epoch: usize) -> Result<Mlp> {
        let path = self.folder.checkpoints().weights_path(Position { epochs: epoch, steps: 0 });
        self.folder.load_weights(model, &path).map_err(|error| {
            let lost = format!("the weights of epoch {epoch}, the best one, are lost: {}", error.message());
            error
                .in_context(lost)
                .hint("`smallnet resume` goes back to before that epoch and trains it again")
        })
    }

    fn test(
        &self,
        model: &Mlp,
        [best_epoch, model_epoch]: [usize; 2],
        epochs: &[EpochRecord],
    ) -> Result<(RunSummary, Evaluation)> {
        let evaluation = evaluate(model, &self.splits.test, &self.opened.device)?;
        if !evaluation.loss.is_finite() {
            return Err(training::diverged(&format_args!("the test loss is {}", evaluation.loss)));
        }
        let weights_sha256 = self.info.weights_sha256.clone().unwrap_or_default();
        let summary = RunSummary {
            test_accuracy: evaluation.accuracy,
            test_loss: evaluation.loss,
            num_parameters: burn::module::Module::num_params(model),
            steps_per_epoch: self.experiment.training.steps_per_epoch(self.splits.train.len()),
            num_epochs: epochs.len(),
            seconds_per_epoch: EpochRecord::median_seconds(epochs),
            best_epoch: Some(best_epoch),
            model_epoch: Some(model_epoch),
            weights_sha256: weights_sha256.clone(),
        };
        let test = TestEvaluation::new(evaluation.clone(), &self.splits.test, weights_sha256);
        self.folder.write_test(&test)?;
        self.folder.write_summary(&summary)?;
        Ok((summary, evaluation))
    }
}

/// The epoch whose weights a training of `num_epochs` ends with: the last, or `best` where early stopping restores it.
pub(crate) fn judged_epoch(experiment: &Experiment, best: usize, num_epochs: usize) -> usize {
    if restores_best(experiment) { best } else { num_epochs }
}

/// Whether the weights of the best epoch become the run's.
pub(super) fn restores_best(experiment: &Experiment) -> bool {
    experiment.training.early_stopping.as_ref().is_some_and(|stopping| stopping.restore_best)
}
