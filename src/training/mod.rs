//! Owns training: the wiring of Burn's Learner with metrics, checkpoints, schedule and stopping, and the learning-rate
//! range test beside it. Prints nothing, chooses no device and knows no run folder beyond the directory its checkpoints go to.

mod checkpoint;
mod config;
mod epochs;
#[cfg(test)]
mod golden;
mod metrics;
mod optimizer;
mod range_test;
mod rules;
mod schedule;
mod silent;
mod stack;
mod step;
mod suggestion;

use std::path::Path;
use std::sync::Arc;

use burn::module::Module;
use burn::tensor::Device;
use burn::train::logger::InMemoryMetricLogger;
use burn::train::renderer::MetricsRenderer;
use burn::train::{Interrupter, Learner, SupervisedTraining, TrainingStrategy};
use rand::Rng;

use crate::data::{EVALUATION_BATCH_SIZE, Loader, Order, Split};
use crate::error::{Error, Result};
use crate::model::Mlp;
use crate::random::{Purpose, stream};

pub use config::{EarlyStopping, TrainingConfig};
pub(crate) use epochs::diverged;
pub use epochs::{Divergence, End, EpochRecord, OnEpoch};
pub use metrics::{ACCURACY, ImageMean, LOSS};
pub use optimizer::{Adam, AdamW, OptimizerConfig, RmsProp, Sgd};
pub use range_test::{DEFAULT_RATES, RangeSetup, RangeTest, RatePoint, Sweep, range_test};
pub use rules::{rate_rule, update_rule};
pub use schedule::{Constant, Cosine, Exponential, Schedule, ScheduleConfig, Step as StepSchedule};
pub use silent::Silent;
pub use stack::{Member, StackKey, StackedRun, Stream, train_stack};
pub use step::{Measured, Step};
pub use suggestion::{NoSuggestion, Suggestion};

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
    /// Checkpoints go to `checkpoint` in here; none are kept without it.
    pub directory: Option<&'a Path>,
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
}

/// Trains a network through Burn's Learner.
///
/// # Errors
/// A checkpoint that cannot be written, an error of a follower or of the device.
pub fn train(setup: Setup<'_>, followers: Followers) -> Result<Trained> {
    let Setup { optimizer, schedule, training, seed, device, directory, .. } = setup;
    let steps_per_epoch = training.steps_per_epoch(setup.train.len());
    let schedule =
        Schedule::new(schedule.clone(), optimizer.learning_rate(), training.num_epochs, steps_per_epoch);
    let train = seeded_loader(setup.train, training, seed, device);
    let validation = Loader::new(setup.validation, EVALUATION_BATCH_SIZE, Order::Sequential, device);

    let plan = schedule.clone();
    let epochs = epochs::EpochLoop::new(device.clone().autodiff(), followers.on_epoch);
    let mut supervised =
        SupervisedTraining::new(directory.unwrap_or(Path::new("")), Arc::new(train), Arc::new(validation))
            .metrics((ImageMean::loss(), ImageMean::accuracy()))
            .with_metric_logger(InMemoryMetricLogger::new())
            .with_application_logger(None)
            .with_training_strategy(TrainingStrategy::Custom(epochs.clone()))
            .with_interrupter(followers.interrupter)
            .renderer(followers.renderer)
            .num_epochs(training.num_epochs);
    if directory.is_some() {
        supervised = supervised
            .with_default_checkpointers()
            .with_checkpointing_strategy(checkpoint::LastAndBest::new());
    }
    if let Some(stopping) = &training.early_stopping {
        supervised = supervised.early_stopping(checkpoint::Patience::new(stopping.clone()));
    }
    let result =
        supervised.launch(Learner::new(setup.model.train(), optimizer.init(training.clipping()), schedule));
    if let Some(error) = result.error {
        return Err(Error::new(format!("training stopped: {error}")));
    }
    let (end, epochs) = epochs.outcome()?;
    // Steps are read in groups: by then the schedule may have gone on.
    let end = match end {
        End::Diverged(divergence) => End::Diverged(plan.of_divergence(divergence)),
        end => end,
    };
    Ok(Trained { model: result.model, end, epochs })
}

/// Batches of `train`, in each epoch in an order drawn from `seed`. Dropout's masks on `device` follow the seed, too.
fn seeded_loader(train: Split, training: &TrainingConfig, seed: u64, device: &Device) -> Loader {
    device.seed(stream(seed, Purpose::Dropout, 0).next_u64());
    Loader::new(train, training.batch_size, Order::Shuffled(seed), device)
        .with_label_smoothing(training.label_smoothing)
}
