//! The loop over epochs and batches, as Burn's Learner runs it.
//!
//! Burn's own single-device loop sends an event to its metrics thread for every step and stops between epochs
//! only. This one reads a page long, sends the measures of many steps in one event (a GPU is read back rarely,
//! a CPU switches threads rarely), times the epochs, and notices a loss that is no longer finite.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use burn::data::dataloader::Progress;
use burn::module::Module;
use burn::tensor::Device;
use burn::train::metric::store::{Aggregate, Split};
use burn::train::{
    EventProcessorTraining, InferenceStep, ItemLazy, Learner, LearnerEvent, SupervisedLearningStrategy,
    SupervisedTrainingEventProcessor, TrainLoader, TrainingComponents, TrainingItem, ValidLoader,
};
use serde::{Deserialize, Serialize};

use super::metrics::{ACCURACY, LOSS};
use super::step::{Measured, Step};
use crate::error::{Error, Result};
use crate::model::Mlp;

/// What an epoch measured: a line of `metrics.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Counted from 1.
    pub epoch: usize,
    /// Mean loss over the training images, each measured just before the step that learned from it.
    pub train_loss: f64,
    /// Share of training images classified correctly, measured likewise.
    pub train_accuracy: f64,
    /// Mean loss over the images held out, after the epoch; none without such images.
    pub validation_loss: Option<f64>,
    /// Share of the images held out that were classified correctly, after the epoch.
    pub validation_accuracy: Option<f64>,
    /// The learning rate of the epoch's last step.
    pub learning_rate: f64,
    /// Wall-clock time of the epoch's training steps, without validation and checkpoint.
    pub seconds: f64,
    /// Training images in a second.
    pub images_per_second: f64,
}

impl EpochRecord {
    /// The median of the epochs' times, in seconds; none without epochs.
    pub fn median_seconds(epochs: &[Self]) -> Option<f64> {
        let mut seconds: Vec<f64> = epochs.iter().map(|epoch| epoch.seconds).collect();
        seconds.sort_by(f64::total_cmp);
        let upper = *seconds.get(seconds.len() / 2)?;
        let is_odd = seconds.len() % 2 == 1;
        Some(if is_odd { upper } else { (seconds[seconds.len() / 2 - 1] + upper) / 2.0 })
    }
}

/// How training ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum End {
    /// At a loss that is not finite: what had been learned after it would be noise.
    Diverged(Divergence),
    /// After the last epoch.
    Finished,
    /// By early stopping, after a whole epoch.
    Early,
    /// On request, after the given number of steps in this epoch.
    Interrupted {
        /// The epoch, counted from 1.
        epoch: usize,
        /// Steps done in it.
        step: usize,
    },
}

/// A loss that is not finite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Divergence {
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// The step in it, counted from 1; none where the validation loss after the epoch is meant.
    pub step: Option<usize>,
    /// Infinite, or not a number.
    pub loss: f64,
    /// The learning rate that led there.
    pub learning_rate: f64,
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { epoch, loss, learning_rate, .. } = self;
        match self.step {
            Some(step) => {
                write!(
                    f,
                    "the loss is {loss} in epoch {epoch}, step {step}, at learning rate {learning_rate}"
                )
            }
            None => {
                write!(
                    f,
                    "the validation loss is {loss} after epoch {epoch}, at learning rate {learning_rate}"
                )
            }
        }
    }
}

/// Called after every epoch with its record.
pub type OnEpoch = Box<dyn FnMut(&EpochRecord) -> Result<()> + Send>;

/// Steps whose measures travel together at the most: bounds the memory they hold.
const MAX_STEPS_PER_EVENT: usize = 256;
/// How long measures are held back at the most: keeps a progress bar alive.
const MAX_EVENT_DELAY: Duration = Duration::from_millis(50);

/// Burn's training strategy for smallnet: one device, one page.
pub(super) struct EpochLoop {
    device: Device,
    /// Behind a lock because Burn shares its strategies.
    state: Mutex<State>,
}

struct State {
    on_epoch: OnEpoch,
    records: Vec<EpochRecord>,
    end: Result<End>,
}

impl EpochLoop {
    /// `device` must be an autodiff device.
    pub(super) fn new(device: Device, on_epoch: OnEpoch) -> Arc<Self> {
        let state = State { on_epoch, records: Vec::new(), end: Ok(End::Finished) };
        Arc::new(Self { device, state: Mutex::new(state) })
    }

    /// How the loop ended, and its epochs; takes the latter out.
    pub(super) fn outcome(&self) -> Result<(End, Vec<EpochRecord>)> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let end = state.end.clone()?;
        Ok((end, std::mem::take(&mut state.records)))
    }
}

impl SupervisedLearningStrategy<Mlp> for EpochLoop {
    fn fit(
        &self,
        mut components: TrainingComponents<Mlp>,
        mut learner: Learner<Mlp>,
        train: TrainLoader<Mlp>,
        validation: ValidLoader<Mlp>,
        starting_epoch: usize,
    ) -> (Mlp, SupervisedTrainingEventProcessor<Mlp>) {
        let train = train.to_device(&self.device);
        let validation = validation.to_device(&self.device.clone().inner());
        learner.fork(&self.device);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let epochs = starting_epoch..=components.num_epochs;
        state.end = run(epochs, &mut components, &mut learner, &train, &validation, &mut state);
        (learner.model(), components.event_processor)
    }
}

/// Runs `epochs`: train, validate, record, checkpoint, and stop early or on request.
fn run(
    epochs: RangeInclusive<usize>,
    components: &mut TrainingComponents<Mlp>,
    learner: &mut Learner<Mlp>,
    train: &TrainLoader<Mlp>,
    validation: &ValidLoader<Mlp>,
    state: &mut State,
) -> Result<End> {
    let last = *epochs.end();
    for epoch in epochs {
        let start = Instant::now();
        let (step, divergence) = train_epoch(epoch, components, learner, train)?;
        let seconds = start.elapsed().as_secs_f64();
        if let Some(divergence) = divergence {
            return Ok(End::Diverged(divergence));
        }
        if components.interrupter.should_stop() {
            return Ok(End::Interrupted { epoch, step });
        }
        validate_epoch(epoch, components, learner, validation)?;

        let record = record(epoch, components, learner.lr_current().base(), seconds, train.num_items())?;
        if let Some(loss) = record.validation_loss.filter(|loss| !loss.is_finite()) {
            let learning_rate = record.learning_rate;
            return Ok(End::Diverged(Divergence { epoch, step: None, loss, learning_rate }));
        }
        (state.on_epoch)(&record)?;
        state.records.push(record);
        if let Some(checkpointer) = &mut components.checkpointer {
            checkpointer.checkpoint(learner, epoch, &components.event_store);
        }
        if epoch == last {
            break;
        }
        if components.interrupter.should_stop() {
            return Ok(End::Interrupted { epoch, step });
        }
        if let Some(stopping) = &mut components.early_stopping
            && stopping.should_stop(epoch, &components.event_store)
        {
            return Ok(End::Early);
        }
    }
    Ok(End::Finished)
}

/// One pass over the training images; returns the number of steps done, and the loss that ended it early.
fn train_epoch(
    epoch: usize,
    components: &mut TrainingComponents<Mlp>,
    learner: &mut Learner<Mlp>,
    loader: &TrainLoader<Mlp>,
) -> Result<(usize, Option<Divergence>)> {
    let processor = &mut components.event_processor;
    let total_items = loader.num_items();
    report(processor.process_train(LearnerEvent::StartSplit { epoch_number: epoch, total_items }))?;
    let mut batches = loader.iter();
    let mut outbox = Outbox::new();
    let mut divergence = None;
    while let Some(batch) = batches.next() {
        let output = learner.train_step(report(batch)?);
        learner.lr_step();
        learner.optimizer_step(output.grads);
        let interrupted = components.interrupter.should_stop();
        outbox.put(output.item);
        if interrupted || outbox.is_due(&batches.progress()) {
            let learning_rate = learner.lr_current();
            let first_step = outbox.steps_sent + 1;
            let measured = outbox.take()?;
            divergence = find_divergence(measured.steps(), epoch, first_step, learning_rate.base());
            if divergence.is_some() {
                break;
            }
            let event =
                TrainingItem::new(measured, batches.progress(), Some(outbox.steps_sent), Some(learning_rate));
            report(processor.process_train(LearnerEvent::ProcessedItem(event)))?;
        }
        if interrupted {
            break;
        }
    }
    report(processor.process_train(LearnerEvent::EndSplit(epoch)))?;
    Ok((outbox.steps_sent, divergence))
}

/// One pass over the images held out, if there are any, and the end of the epoch for all metrics.
fn validate_epoch(
    epoch: usize,
    components: &mut TrainingComponents<Mlp>,
    learner: &Learner<Mlp>,
    loader: &ValidLoader<Mlp>,
) -> Result<()> {
    let processor = &mut components.event_processor;
    let total_items = loader.num_items();
    if total_items > 0 {
        report(processor.process_valid(LearnerEvent::StartSplit { epoch_number: epoch, total_items }))?;
        let model = learner.model().valid();
        let mut batches = loader.iter();
        let mut outbox = Outbox::new();
        while let Some(batch) = batches.next() {
            outbox.put(InferenceStep::step(&model, report(batch)?));
            if outbox.is_due(&batches.progress()) {
                let event =
                    TrainingItem::new(outbox.take()?, batches.progress(), Some(outbox.steps_sent), None);
                report(processor.process_valid(LearnerEvent::ProcessedItem(event)))?;
            }
        }
        report(processor.process_valid(LearnerEvent::EndSplit(epoch)))?;
    }
    report(processor.process_train(LearnerEvent::EndEpoch(epoch)))?;
    report(processor.flush())
}

/// Measures on their way to the metrics.
struct Outbox {
    measured: Measured,
    since: Instant,
    steps_sent: usize,
}

impl Outbox {
    fn new() -> Self {
        Self { measured: Measured::default(), since: Instant::now(), steps_sent: 0 }
    }

    fn put(&mut self, measured: Measured) {
        self.measured.append(measured);
    }

    fn is_due(&self, progress: &Progress) -> bool {
        progress.is_completed()
            || self.measured.len() >= MAX_STEPS_PER_EVENT
            || self.since.elapsed() >= MAX_EVENT_DELAY
    }

    /// The measures, read from the device.
    fn take(&mut self) -> Result<Measured> {
        self.since = Instant::now();
        self.steps_sent += self.measured.len();
        report(std::mem::take(&mut self.measured).sync())
    }
}

/// The first loss that is not finite: everything learned after it would be noise.
fn find_divergence(
    steps: &[Step],
    epoch: usize,
    first_step: usize,
    learning_rate: f64,
) -> Option<Divergence> {
    let offset = steps.iter().position(|step| !step.loss.is_finite())?;
    Some(Divergence { epoch, step: Some(first_step + offset), loss: steps[offset].loss, learning_rate })
}

/// A loss that is not finite, with what it can be blamed on.
pub(crate) fn diverged(what: &impl fmt::Display) -> Error {
    Error::new(format!("training diverged: {what}"))
        .hint("lower `optimizer.learning_rate`, or set `training.clip_norm`")
}

/// Asks Burn's event store for the epoch's means.
fn record(
    epoch: usize,
    components: &TrainingComponents<Mlp>,
    learning_rate: f64,
    seconds: f64,
    num_images: usize,
) -> Result<EpochRecord> {
    let mean = |name, split| components.event_store.find_metric(name, epoch, Aggregate::Mean, &split);
    let missing = || Error::new(format!("epoch {epoch} left no training metrics"));
    Ok(EpochRecord {
        epoch,
        train_loss: mean(LOSS, Split::Train).ok_or_else(missing)?,
        train_accuracy: mean(ACCURACY, Split::Train).ok_or_else(missing)?,
        validation_loss: mean(LOSS, Split::Valid),
        validation_accuracy: mean(ACCURACY, Split::Valid),
        learning_rate,
        seconds,
        images_per_second: num_images as f64 / seconds,
    })
}

/// An error of Burn's as ours.
pub(super) fn report<T, E: std::fmt::Display>(result: std::result::Result<T, E>) -> Result<T> {
    result.map_err(|error| Error::new(format!("training failed: {error}")))
}
