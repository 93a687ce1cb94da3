//! Owns training: the wiring of Burn's Learner with metrics, checkpoints, schedule and stopping, and the learning-rate
//! range test beside it. Prints nothing, chooses no device and knows no run folder beyond the directory its checkpoints go to.

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
pub(crate) mod vectorized;

use std::path::Path;
use std::sync::Arc;

use burn::data::dataloader::DataLoader;
use burn::module::Module;
use burn::tensor::Device;
use burn::train::renderer::MetricsRenderer;
use burn::train::{Interrupter, Learner, SupervisedTraining, TrainingStrategy};

use checkpoint::CheckpointWriter;
use early_stopping::EarlyStopper;
use fit::{EpochLoop, LoopState};
use metrics::EpochMetricStore;

use crate::data::{EVALUATION_BATCH_SIZE, Loader, Sampling, Split};
use crate::engine::cpu::threads::pool;
use crate::error::{Error, Result};
use crate::model::Mlp;
use crate::optim::Schedule;

pub use checkpoint::{
    Checkpoint, CheckpointConfig, MetricsDigest, Position, SizeLimits, State, Store,
    read_checkpointed_weights,
};
pub use config::{EarlyStopping, Hyperparameters, TrainingConfig};
pub use early_stopping::BestEpoch;
pub use fit::OnEpoch;
pub use lr_range_test::{DEFAULT_RATES, RangeSetup, RangeTest, RatePoint, Sweep, range_test};
pub use lr_suggestion::{NoSuggestion, Suggestion};
pub use metrics::{ACCURACY, LOSS, SampleMean};
pub use null_renderer::NullRenderer;
pub(crate) use null_renderer::without_evaluation;
pub(crate) use outcome::diverged;
pub use outcome::{Divergence, DivergenceCause, EpochRecord, StopReason};
pub use vectorized::{BatchKey, ModelGroup, ModelResult, train_batched};

/// What is trained, how, and on what.
pub struct TrainRequest<'a> {
    /// The network with its initial weights.
    pub model: Mlp,
    /// How it is trained. `model` has its initial weights already.
    pub hyperparameters: Hyperparameters<'a>,
    /// Decides image order and dropout.
    pub seed: u64,
    /// The images learned from.
    pub train: Split,
    /// The images watched; may be empty.
    pub validation: Split,
    /// Where to compute; not an autodiff device.
    pub device: &'a Device,
    /// What is saved on the way, and what training goes on from; nothing without it.
    pub saving: Option<CheckpointOptions<'a>>,
}

/// Checkpoints of a training.
pub struct CheckpointOptions<'a> {
    /// Where they are.
    pub store: Store,
    /// The `[checkpoint]` section.
    pub config: &'a CheckpointConfig,
    /// What training goes on from; it starts at the beginning without.
    pub from: Option<ResumePoint>,
}

/// Where a training goes on.
#[derive(Debug, Clone)]
pub struct ResumePoint {
    /// Its state there.
    pub checkpoint: Checkpoint,
    /// All epochs before that.
    pub epochs: Vec<EpochRecord>,
    /// The digest of their lines in `metrics.jsonl`.
    pub metrics: MetricsDigest,
}

/// Who follows a training while it runs.
pub struct Observers {
    /// Shows progress between epochs.
    pub renderer: Box<dyn MetricsRenderer>,
    /// Takes each epoch's record. An error ends the training.
    pub on_epoch: OnEpoch,
    /// Stops the training after the current step when asked to.
    pub interrupter: Interrupter,
}

/// A trained network.
pub struct TrainResult {
    /// The network after the last step, for inference.
    pub model: Mlp,
    /// How training ended.
    pub end: StopReason,
    /// The epochs trained to their end, first to last.
    pub epochs: Vec<EpochRecord>,
    /// The epoch of the lowest validation loss; none without validation images.
    pub best: Option<BestEpoch>,
}

/// Trains a network through Burn's Learner.
///
/// # Errors
/// A checkpoint that cannot be written or read, an error of a follower or of the device.
pub fn train(setup: TrainRequest<'_>, followers: Observers) -> Result<TrainResult> {
    let TrainRequest { model, hyperparameters, seed, device, .. } = setup;
    let Hyperparameters { optimizer, schedule, training, .. } = hyperparameters;
    let steps_per_epoch = training.steps_per_epoch(setup.train.len());
    let schedule =
        Schedule::new(schedule.clone(), optimizer.learning_rate(), training.num_epochs, steps_per_epoch);
    let patience = training.early_stopping.clone().map(|config| EarlyStopper::new(config, None));
    let mut course = LoopState::new(followers.on_epoch, schedule.clone(), steps_per_epoch, seed, patience);
    let (mut checkpointers, mut goes_on) = (None, false);
    if let Some(CheckpointOptions { store, config, from }) = setup.saving {
        let (parts, arrivals) =
            checkpoint::channel_checkpointers(from.as_ref().map(|from| &from.checkpoint))?;
        checkpointers = Some(parts);
        let limits = SizeLimits::new(&model, optimizer);
        course.keeper = Some(CheckpointWriter::new(store, config.clone(), limits, arrivals));
        goes_on = from.is_some();
        if let Some(ResumePoint { checkpoint, epochs, metrics }) = from {
            course.go_on_from(&checkpoint.state, epochs, metrics);
        }
    }
    let done = course.records.len();
    let train = shuffled_loader(setup.train, training, seed, device).after(done, course.begun.steps);
    let validation = Loader::new(setup.validation, EVALUATION_BATCH_SIZE, Sampling::Sequential, device);

    let shares =
        crate::engine::cpu::step::should_parallelize(&model, training.batch_size.min(train.num_items()));
    let _helpers = shares.then(pool::activate);
    let epochs = Arc::new(EpochLoop::new(device.clone().autodiff(), course));
    let mut supervised = SupervisedTraining::new(Path::new(""), Arc::new(train), Arc::new(validation))
        .metrics((SampleMean::loss(), SampleMean::accuracy()))
        .with_metric_logger(EpochMetricStore::default())
        .with_application_logger(None)
        .with_training_strategy(TrainingStrategy::Custom(epochs.clone()))
        .with_interrupter(followers.interrupter)
        .renderer(followers.renderer)
        .num_epochs(training.num_epochs);
    if let Some((model, optimizer, scheduler)) = checkpointers {
        supervised = supervised
            .with_custom_checkpointers(model, optimizer, scheduler)
            .with_checkpointing_strategy(checkpoint::SaveOnRequest);
    }
    if goes_on {
        supervised = supervised.checkpoint(done);
    }
    let learner = Learner::new(model.train(), optimizer.init(training.clipping()), schedule);
    let result = supervised.launch(learner);
    if let Some(error) = result.error {
        return Err(Error::backend(format!("training stopped: {error}")));
    }
    let (end, epochs, best) = epochs.outcome()?;
    Ok(TrainResult { model: result.model, end, epochs, best })
}

/// Batches of `train`, in each epoch in an order drawn from `seed`.
fn shuffled_loader(train: Split, training: &TrainingConfig, seed: u64, device: &Device) -> Loader {
    Loader::new(train, training.batch_size, Sampling::Shuffled(seed), device)
        .with_label_smoothing(training.label_smoothing)
}
