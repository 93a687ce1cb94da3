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

use checkpoint::Keeper;
use early_stopping::Patience;
use fit::{Course, EpochLoop};
use metrics::EpochLog;

use crate::data::{EVALUATION_BATCH_SIZE, Loader, Order, Split};
use crate::engine::cpu::threads::pool;
use crate::error::{Error, Result};
use crate::model::Mlp;
use crate::optim::{OptimizerConfig, Schedule, ScheduleConfig};

pub use checkpoint::{
    Checkpoint, CheckpointConfig, MetricsDigest, Position, SizeLimits, State, Store,
    read_checkpointed_weights,
};
pub use config::{EarlyStopping, TrainingConfig};
pub use early_stopping::Best;
pub use fit::OnEpoch;
pub use lr_range_test::{DEFAULT_RATES, RangeSetup, RangeTest, RatePoint, Sweep, range_test};
pub use lr_suggestion::{NoSuggestion, Suggestion};
pub use metrics::{ACCURACY, ImageMean, LOSS};
pub use null_renderer::Silent;
pub(crate) use null_renderer::without_evaluation;
pub(crate) use outcome::diverged;
pub use outcome::{Divergence, End, EpochRecord, Symptom};
pub use vectorized::{Member, StackKey, StackedRun, Stream, train_stack};

/// What is trained, how, and on what.
pub struct Setup<'a> {
    /// The network with its initial weights.
    pub model: Mlp,
    /// The `[optimizer]` section.
    pub optimizer: &'a OptimizerConfig,
    /// The `[schedule]` section.
    pub schedule: &'a ScheduleConfig,
    /// The `[training]` section.
    pub training: &'a TrainingConfig,
    /// Decides image order and dropout.
    pub seed: u64,
    /// The images learned from.
    pub train: Split,
    /// The images watched; may be empty.
    pub validation: Split,
    /// Where to compute; not an autodiff device.
    pub device: &'a Device,
    /// What is saved on the way, and what training goes on from; nothing without it.
    pub saving: Option<Saving<'a>>,
}

/// Checkpoints of a training.
pub struct Saving<'a> {
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
pub struct Followers {
    /// Shows progress between epochs.
    pub renderer: Box<dyn MetricsRenderer>,
    /// Takes each epoch's record. An error ends the training.
    pub on_epoch: OnEpoch,
    /// Stops the training after the current step when asked to.
    pub interrupter: Interrupter,
}

/// A trained network.
pub struct Trained {
    /// The network after the last step, for inference.
    pub model: Mlp,
    /// How training ended.
    pub end: End,
    /// The epochs trained to their end, first to last.
    pub epochs: Vec<EpochRecord>,
    /// The epoch of the lowest validation loss; none without validation images.
    pub best: Option<Best>,
}

/// Trains a network through Burn's Learner.
///
/// # Errors
/// A checkpoint that cannot be written or read, an error of a follower or of the device.
pub fn train(setup: Setup<'_>, followers: Followers) -> Result<Trained> {
    let Setup { model, optimizer, schedule, training, seed, device, .. } = setup;
    let steps_per_epoch = training.steps_per_epoch(setup.train.len());
    let schedule =
        Schedule::new(schedule.clone(), optimizer.learning_rate(), training.num_epochs, steps_per_epoch);
    let patience = training.early_stopping.clone().map(|config| Patience::new(config, None));
    let mut course = Course::new(followers.on_epoch, schedule.clone(), steps_per_epoch, seed, patience);
    let (mut checkpointers, mut goes_on) = (None, false);
    if let Some(Saving { store, config, from }) = setup.saving {
        let (parts, arrivals) = checkpoint::parts(from.as_ref().map(|from| &from.checkpoint))?;
        checkpointers = Some(parts);
        let limits = SizeLimits::new(&model, optimizer);
        course.keeper = Some(Keeper::new(store, config.clone(), limits, arrivals));
        goes_on = from.is_some();
        if let Some(ResumePoint { checkpoint, epochs, metrics }) = from {
            course.go_on_from(&checkpoint.state, epochs, metrics);
        }
    }
    let done = course.records.len();
    let train = shuffled_loader(setup.train, training, seed, device).after(done, course.begun.steps);
    let validation = Loader::new(setup.validation, EVALUATION_BATCH_SIZE, Order::Sequential, device);

    let shares = crate::engine::cpu::step::shares(&model, training.batch_size.min(train.num_items()));
    let _helpers = shares.then(pool::awake);
    let epochs = Arc::new(EpochLoop::new(device.clone().autodiff(), course));
    let mut supervised = SupervisedTraining::new(Path::new(""), Arc::new(train), Arc::new(validation))
        .metrics((ImageMean::loss(), ImageMean::accuracy()))
        .with_metric_logger(EpochLog::default())
        .with_application_logger(None)
        .with_training_strategy(TrainingStrategy::Custom(epochs.clone()))
        .with_interrupter(followers.interrupter)
        .renderer(followers.renderer)
        .num_epochs(training.num_epochs);
    if let Some((model, optimizer, scheduler)) = checkpointers {
        supervised = supervised
            .with_custom_checkpointers(model, optimizer, scheduler)
            .with_checkpointing_strategy(checkpoint::Always);
    }
    if goes_on {
        supervised = supervised.checkpoint(done);
    }
    let learner = Learner::new(model.train(), optimizer.init(training.clipping()), schedule);
    let result = supervised.launch(learner);
    if let Some(error) = result.error {
        return Err(Error::new(format!("training stopped: {error}")));
    }
    let (end, epochs, best) = epochs.outcome()?;
    Ok(Trained { model: result.model, end, epochs, best })
}

/// Batches of `train`, in each epoch in an order drawn from `seed`.
fn shuffled_loader(train: Split, training: &TrainingConfig, seed: u64, device: &Device) -> Loader {
    Loader::new(train, training.batch_size, Order::Shuffled(seed), device)
        .with_label_smoothing(training.label_smoothing)
}
