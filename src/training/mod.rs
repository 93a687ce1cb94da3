//! Owns training: one network in Burn's Learner, with metrics, checkpoints, schedule, callbacks and
//! early stopping. Also owns the training of many networks in one batch (`vectorized`) and the
//! learning-rate range test.
//! Depends on `data`, `model`, `optim` and `engine`. Must not know the screen, the choice of a
//! device, or run folders beyond the directory of their checkpoints.

mod average;
mod callback;
mod checkpoint;
mod config;
pub(crate) mod dropout;
pub(crate) mod early_stopping;
mod fit;
#[cfg(test)]
mod golden;
mod lr_range_test;
mod lr_suggestion;
mod metric_buffer;
mod metrics;
mod null_renderer;
mod outcome;
mod step;
pub(crate) mod vectorized;

use std::path::Path;
use std::sync::Arc;

use burn::data::dataloader::DataLoader;
use burn::tensor::Device;
use burn::train::renderer::MetricsRenderer;
use burn::train::{Interrupter, Learner, SupervisedTraining, TrainingStrategy};

use average::WeightAverage;
use callback::Callbacks;
use checkpoint::CheckpointWriter;
use early_stopping::EarlyStopper;
use fit::{EpochLoop, LoopState, Outcome};
use metrics::EpochMetricStore;

use crate::data::{Augmenter, Loader, Sampling, Split, evaluation_batch_size};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::model::Mlp;
use crate::optim::Schedule;
use crate::util::threads;

pub use callback::{Callback, TrainExtent, on_epoch_end};
pub use checkpoint::{
    Checkpoint, CheckpointConfig, MetricsDigest, Position, SizeLimits, State, Store,
    read_checkpointed_weights,
};
pub use config::{EarlyStopping, Hyperparameters, TrainingConfig};
pub use early_stopping::BestEpoch;
pub use lr_range_test::{DEFAULT_RATES, RangeSetup, RangeTest, RatePoint, Sweep, range_test};
pub use lr_suggestion::{NoSuggestion, Suggestion};
pub use metrics::{ACCURACY, LOSS, SampleMean};
pub use null_renderer::NullRenderer;
pub(crate) use null_renderer::without_evaluation;
pub(crate) use outcome::diverged;
pub use outcome::{Divergence, DivergenceCause, EpochRecord, StopReason};
pub(crate) use vectorized::is_in_model_batch_of_kernels;
pub use vectorized::{BatchKey, ModelGroup, ModelResult, train_batched, train_batched_until};

/// Request to train one network.
pub struct TrainRequest<'a> {
    /// Network with its initial weights.
    pub model: Mlp,
    /// Hyperparameters of the training. Their `[model]` section is not used: `model` is built
    /// already.
    pub hyperparameters: Hyperparameters<'a>,
    /// Seed of the order, the changes and the mixtures of the images, and of the dropout masks.
    pub seed: u64,
    /// Training images.
    pub train: Split,
    /// Validation images; may be empty.
    pub validation: Split,
    /// Device that computes the training. Must not be an autodiff device.
    pub device: &'a Device,
    /// Checkpoints to save, and the checkpoint to resume from. Without it, none are saved.
    pub checkpoints: Option<CheckpointOptions<'a>>,
}

/// Options of checkpoints: the folder, the times to save, and the one to resume from.
pub struct CheckpointOptions<'a> {
    /// Folder of the checkpoints.
    pub store: Store,
    /// The `[checkpoint]` section.
    pub config: &'a CheckpointConfig,
    /// Checkpoint to resume from. Without it, the training starts at the beginning.
    pub from: Option<ResumePoint>,
}

/// Point at which a training is resumed.
#[derive(Debug, Clone)]
pub struct ResumePoint {
    /// Checkpoint with the state at this point.
    pub checkpoint: Checkpoint,
    /// Records of all whole epochs before it.
    pub epochs: Vec<EpochRecord>,
    /// Digest of the lines of these records in `metrics.jsonl`.
    pub metrics: MetricsDigest,
}

/// Observers of a training while it runs. They show its progress, react to its epochs and can end
/// it.
pub struct Observers {
    /// Renderer that shows the progress of the training.
    pub renderer: Box<dyn MetricsRenderer>,
    /// Callbacks, which are called in this order. An error of any of them ends the training.
    pub callbacks: Vec<Box<dyn Callback>>,
    /// Interrupter that stops the training after the current step on request.
    pub interrupter: Interrupter,
}

impl Observers {
    /// Returns observers that show nothing and never stop the training.
    pub fn silent() -> Self {
        Self { renderer: Box::new(NullRenderer), callbacks: Vec::new(), interrupter: Interrupter::new() }
    }
}

/// Result of a training.
pub struct TrainResult {
    /// Network after the last step, ready for inference. With `training.average`, its weights are
    /// the average.
    pub model: Mlp,
    /// Network after the best epoch, ready for inference. It is kept only if early stopping
    /// restores it and no checkpoints are saved, which would have its weights.
    pub best_model: Option<Mlp>,
    /// Reason why training ended.
    pub end: StopReason,
    /// Records of the whole epochs, first to last.
    pub epochs: Vec<EpochRecord>,
    /// Epoch of the lowest validation loss; `None` without validation images.
    pub best: Option<BestEpoch>,
}

/// Trains a network through Burn's Learner.
///
/// The Learner holds network, optimizer and schedule. smallnet gives Burn its own loop over epochs
/// and steps as the training strategy (`fit.rs`), and its own metrics and checkpointers.
///
/// # Errors
/// A checkpoint that cannot be written or read, or an error of a callback or of the device.
pub fn train(request: TrainRequest<'_>, observers: Observers) -> Result<TrainResult> {
    let last_epoch = request.hyperparameters.training.num_epochs;
    train_until(request, last_epoch, observers)
}

/// Trains a network as [`train`] does, to the end of `last_epoch` at the latest. The schedule is that
/// of all epochs: the network is the one that the whole training has after this epoch.
///
/// # Errors
/// The same as those of [`train`].
pub fn train_until(
    request: TrainRequest<'_>,
    last_epoch: usize,
    observers: Observers,
) -> Result<TrainResult> {
    let TrainRequest { model, hyperparameters, seed, device, .. } = request;
    let Hyperparameters { optimizer, schedule, training, .. } = hyperparameters;
    let steps_per_epoch = training.steps_per_epoch(request.train.len());
    let schedule =
        Schedule::new(schedule.clone(), optimizer.learning_rate(), training.num_epochs, steps_per_epoch);
    let early_stopper = training.early_stopping.clone().map(|config| EarlyStopper::new(config, None));
    let callbacks = Callbacks(observers.callbacks);
    let mut state = LoopState::new(callbacks, schedule.clone(), steps_per_epoch, seed, early_stopper);
    let restores_best = training.early_stopping.as_ref().is_some_and(|stopping| stopping.restore_best);
    state.keeps_best = restores_best && request.checkpoints.is_none();
    let (mut checkpointers, mut is_resumed, mut average) = (None, false, None);
    if let Some(CheckpointOptions { store, config, from }) = request.checkpoints {
        let (channels, receivers) =
            checkpoint::channel_checkpointers(from.as_ref().map(|from| &from.checkpoint))?;
        checkpointers = Some(channels);
        let limits = SizeLimits::new(&model, optimizer);
        state.checkpoints = Some(CheckpointWriter::new(store, config.clone(), limits, receivers));
        is_resumed = from.is_some();
        if let Some(ResumePoint { checkpoint, epochs, metrics }) = from {
            average = checkpoint.average(&model, training.average.is_some(), "the checkpoint")?;
            state.resume_from(&checkpoint.state, epochs, metrics);
        }
    }
    state.mixup = training.mixup;
    state.average = training.average.map(|decay| WeightAverage::new(decay, average));
    let epochs_done = state.records.len();
    let train = request.train.held_on(device, None);
    let validation = request.validation.held_on(device, Some(&train));
    let train = shuffled_loader(train, &hyperparameters, seed, device, model.engine())
        .starting_at(epochs_done, state.partial.steps);
    let (height, width) = validation.image_size();
    let batch_size = evaluation_batch_size(height * width);
    let validation = Loader::new(validation, batch_size, Sampling::Sequential, device);

    let engine = model.engine();
    // Keeps the engine's threads active until this function returns.
    let _session = engine.session(&model, training.batch_size.min(train.num_items()));
    let epochs = Arc::new(EpochLoop::new(device.clone().autodiff(), state));
    // The directory is empty because Burn writes no file here. The loop saves the checkpoints.
    let mut supervised = SupervisedTraining::new(Path::new(""), Arc::new(train), Arc::new(validation))
        .metrics((SampleMean::loss(), SampleMean::accuracy()))
        .with_metric_logger(EpochMetricStore::default())
        .with_application_logger(None)
        .with_training_strategy(TrainingStrategy::Custom(epochs.clone()))
        .with_interrupter(observers.interrupter)
        .renderer(observers.renderer)
        .num_epochs(last_epoch.min(training.num_epochs));
    if let Some((model, optimizer, scheduler)) = checkpointers {
        supervised = supervised
            .with_custom_checkpointers(model, optimizer, scheduler)
            .with_checkpointing_strategy(checkpoint::SaveOnRequest);
    }
    if is_resumed {
        // Burn starts at the epoch after these and asks the checkpointers for the saved records.
        supervised = supervised.checkpoint(epochs_done);
    }
    let optimizer = engine.optimizer(optimizer, training.clipping());
    let result = supervised.launch(Learner::new(engine.prepare_training(model), optimizer, schedule));
    if let Some(error) = result.error {
        return Err(Error::backend(format!("training stopped: {error}")));
    }
    let Outcome { end, epochs, best, best_model, average } = epochs.outcome()?;
    Ok(TrainResult { model: average.unwrap_or(result.model), best_model, end, epochs, best })
}

/// Returns the loader of the batches of `train`. `seed` decides the order of the images in each epoch
/// and how they are changed. A step of `engine` that uses all threads makes its augmented images itself;
/// for other engines, threads make them ahead.
fn shuffled_loader(
    train: Split,
    hyperparameters: &Hyperparameters<'_>,
    seed: u64,
    device: &Device,
    engine: Engine,
) -> Loader {
    let Hyperparameters { augmentation, training, .. } = hyperparameters;
    let num_threads = if engine.loads_in_parallel() { 0 } else { threads::count() };
    let augmenter = Augmenter::new(augmentation, seed, train.image_size());
    Loader::new(train, training.batch_size, Sampling::Shuffled(seed), device)
        .with_label_smoothing(training.label_smoothing)
        .with_augmentation(augmenter, num_threads)
}
