//! Owns the loop over epochs and batches, as a training strategy of Burn's Learner.
//! Depends on `engine`, `optim`, and the callbacks, metrics and checkpoints of `training`. Must not
//! know run folders or screens.
//!
//! Burn's own single-device loop sends one event per step to its metrics thread, stops between
//! epochs only, and starts at the beginning of an epoch. This loop sends the metrics of many steps
//! in one event: so a GPU is read back rarely, and a CPU switches threads rarely. It also measures
//! the time of each epoch, detects numbers that are not finite, and resumes from any step.

use std::ops::{ControlFlow, RangeInclusive};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use burn::data::dataloader::Progress;
use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::module::Module;
use burn::tensor::Device;
use burn::train::metric::store::{Aggregate, Split};
use burn::train::{
    EarlyStoppingStrategy, EventProcessorTraining, InferenceStep, Learner, LearnerEvent,
    SupervisedLearningStrategy, SupervisedTrainingEventProcessor, TrainLoader, TrainingComponents,
    TrainingItem, ValidLoader,
};

use crate::engine::{LazyMetrics, MetricSums, StepMetrics};
use crate::error::{Error, Result};
use crate::model::{Mlp, has_finite_weights, weights_to_bytes};
use crate::optim::Schedule;
use crate::training::average::WeightAverage;
use crate::training::callback::{Callback, Callbacks, TrainExtent};
use crate::training::checkpoint::{CheckpointWriter, FORMAT, MODEL, MetricsDigest, Position, State};
use crate::training::early_stopping::{BestEpoch, EarlyStopper};
use crate::training::metric_buffer::MetricBuffer;
use crate::training::metrics::{ACCURACY, LOSS};
use crate::training::outcome::{Divergence, DivergenceCause, EpochRecord, StopReason};
use crate::training::step::randomized;

/// Training strategy for Burn's Learner, on one device.
pub(super) struct EpochLoop {
    /// Autodiff device of the training.
    device: Device,
    /// State of the loop. It is behind a lock because Burn shares its strategies.
    state: Mutex<LoopState>,
}

/// State of the loop that Burn does not keep, and the results of the training.
pub(super) struct LoopState {
    callbacks: Callbacks,
    schedule: Schedule,
    steps_per_epoch: usize,
    /// Seed of the experiment.
    seed: u64,
    /// Writer of checkpoints. Without it, none are saved.
    pub(super) checkpoints: Option<CheckpointWriter>,
    early_stopper: Option<EarlyStopper>,
    best: Option<BestEpoch>,
    /// α of mixup, if images are mixed.
    pub(super) mixup: Option<f64>,
    /// Average of the weights, if the training has one.
    pub(super) average: Option<WeightAverage>,
    /// True if the network of the best epoch is kept in memory.
    pub(super) keeps_best: bool,
    /// Network of the best epoch, if it is kept.
    best_model: Option<Mlp>,
    /// Steps of the next epoch that are done already. It is empty unless the training is resumed.
    pub(super) partial: PartialEpoch,
    /// Records of the whole epochs so far.
    pub(super) records: Vec<EpochRecord>,
    /// Digest of the lines of these records in `metrics.jsonl`.
    metrics: MetricsDigest,
    /// True if the training is resumed from a checkpoint.
    is_resumed: bool,
    /// Reason why the training ended, or the error that ended it.
    end: Result<StopReason>,
}

/// Results of the loop, without the network after the last step, which Burn returns.
pub(super) struct Outcome {
    /// Reason of the end.
    pub(super) end: StopReason,
    /// Records of the whole epochs.
    pub(super) epochs: Vec<EpochRecord>,
    /// Epoch of the lowest validation loss.
    pub(super) best: Option<BestEpoch>,
    /// Network of the best epoch, if it was kept.
    pub(super) best_model: Option<Mlp>,
    /// Network with the average of the weights, if the training has one.
    pub(super) average: Option<Mlp>,
}

/// First steps of an epoch, as a checkpoint within the epoch keeps them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PartialEpoch {
    /// Number of these steps.
    pub(super) steps: usize,
    /// Sums of their metrics.
    pub(super) metrics: MetricSums,
    /// Time of these steps, in seconds.
    pub(super) seconds: f64,
}

/// Burn's objects that the loop calls: its components, the Learner and the two data loaders.
struct LoopContext<'a> {
    components: &'a mut TrainingComponents<Mlp>,
    learner: &'a mut Learner<Mlp>,
    train: &'a TrainLoader<Mlp>,
    validation: &'a ValidLoader<Mlp>,
}

impl EpochLoop {
    /// Returns the strategy. `device` must be an autodiff device.
    pub(super) fn new(device: Device, state: LoopState) -> Self {
        Self { device, state: Mutex::new(state) }
    }

    /// Returns the results of the loop. It takes the records and the best network out of the state.
    ///
    /// # Errors
    /// The error that ended the training.
    pub(super) fn outcome(&self) -> Result<Outcome> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let end = state.end.clone()?;
        let epochs = std::mem::take(&mut state.records);
        let average = state.average.take().and_then(WeightAverage::into_network);
        Ok(Outcome { end, epochs, best: state.best, best_model: state.best_model.take(), average })
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
        let epochs = starting_epoch..=components.num_epochs;
        let context = LoopContext {
            components: &mut components,
            learner: &mut learner,
            train: &train,
            validation: &validation,
        };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let end = state.run(epochs, context);
        // The writer is waited for after an error, too. An error of the loop comes first.
        let saved = state.checkpoints.as_mut().map_or(Ok(()), CheckpointWriter::finish);
        state.end = end.and_then(|end| saved.map(|()| end));
        (learner.model(), components.event_processor)
    }
}

impl LoopState {
    /// Returns the state at the beginning of a training that saves no checkpoints.
    pub(super) fn new(
        callbacks: Callbacks,
        schedule: Schedule,
        steps_per_epoch: usize,
        seed: u64,
        early_stopper: Option<EarlyStopper>,
    ) -> Self {
        Self {
            callbacks,
            schedule,
            steps_per_epoch,
            seed,
            checkpoints: None,
            early_stopper,
            best: None,
            mixup: None,
            average: None,
            keeps_best: false,
            best_model: None,
            partial: PartialEpoch::default(),
            records: Vec::new(),
            metrics: MetricsDigest::default(),
            is_resumed: false,
            end: Ok(StopReason::Finished),
        }
    }

    /// Moves the loop to the position of a checkpoint. `records` are those of all whole epochs
    /// before it, and `metrics` is the digest of their lines.
    pub(super) fn resume_from(&mut self, state: &State, records: Vec<EpochRecord>, metrics: MetricsDigest) {
        let &State { position, metrics: partial, seconds, best, reference, .. } = state;
        self.is_resumed = true;
        self.records = records;
        self.metrics = metrics;
        self.partial = PartialEpoch { steps: position.steps, metrics: partial, seconds };
        self.best = best;
        if let Some(stopper) = &mut self.early_stopper {
            stopper.reference = reference;
        }
    }

    /// Runs `epochs`, with the callbacks' calls before and after them. Returns the reason of the
    /// end.
    fn run(&mut self, epochs: RangeInclusive<usize>, mut context: LoopContext<'_>) -> Result<StopReason> {
        self.announce_start(*epochs.end())?;
        let reason = self.run_epochs(epochs, &mut context)?;
        self.callbacks.on_train_end(&reason, &self.records)?;
        Ok(reason)
    }

    /// Tells the callbacks that the training starts and, if so, that it is resumed.
    fn announce_start(&mut self, num_epochs: usize) -> Result<()> {
        let extent = TrainExtent { num_epochs, steps_per_epoch: self.steps_per_epoch };
        self.callbacks.on_train_start(&extent)?;
        if self.is_resumed { self.callbacks.on_resume(&self.records) } else { Ok(()) }
    }

    /// Trains, validates, records and saves a checkpoint per epoch. Returns the reason of the end.
    fn run_epochs(
        &mut self,
        epochs: RangeInclusive<usize>,
        context: &mut LoopContext<'_>,
    ) -> Result<StopReason> {
        let last = *epochs.end();
        for epoch in epochs {
            // The check is before the epoch, because a training can be resumed from the checkpoint
            // of the epoch that exhausted the patience.
            if self.early_stopper.as_ref().is_some_and(|stopper| stopper.is_exhausted(epoch - 1)) {
                return Ok(StopReason::Early);
            }
            let seconds = match self.train_epoch(epoch, context)? {
                ControlFlow::Continue(seconds) => seconds,
                ControlFlow::Break(end) => return Ok(end),
            };
            context.validate(epoch, &self.network(context))?;
            let record = self.record(epoch, seconds, context)?;
            if let Some(loss) = record.validation_loss.filter(|loss| !loss.is_finite()) {
                return Ok(self.diverged(epoch, DivergenceCause::ValidationLoss(loss)));
            }
            self.callbacks.on_epoch_end(&record)?;
            self.metrics.add(record.line()?.as_bytes());
            self.records.push(record);
            let store = &context.components.event_store;
            BestEpoch::update(&mut self.best, epoch, store, 0.0);
            if self.keeps_best && self.best.is_some_and(|best| best.epoch == epoch) {
                self.best_model = Some(self.network(context));
            }
            // Updates the reference of early stopping. Its answer is not used here: `is_exhausted`
            // is called before the next epoch.
            if let Some(stopper) = &mut self.early_stopper {
                stopper.should_stop(epoch, store);
            }
            self.save(Position { epochs: epoch, steps: 0 }, PartialEpoch::default(), context)?;
            // After the last epoch, a request changes nothing: the training is finished.
            if context.components.interrupter.should_stop() && epoch < last {
                return Ok(StopReason::Interrupted { epoch, step: self.steps_per_epoch });
            }
        }
        Ok(StopReason::Finished)
    }

    /// Trains on all training images once, or on the rest of them if the epoch is resumed. Returns
    /// the time of the steps in seconds, or the reason why the training ends.
    fn train_epoch(
        &mut self,
        epoch: usize,
        context: &mut LoopContext<'_>,
    ) -> Result<ControlFlow<StopReason, f64>> {
        let total_items = context.train.num_items();
        context.emit(LearnerEvent::StartSplit { epoch_number: epoch, total_items })?;
        let end = self.steps(epoch, context)?;
        context.emit(LearnerEvent::EndSplit(epoch))?;
        Ok(end)
    }

    /// Does the remaining steps of an epoch. Returns the same as `train_epoch`.
    ///
    /// The metrics stay in a buffer, and only a flush reads them from the device. So a loss that is
    /// not finite is found some steps later, with the number of its step.
    fn steps(&mut self, epoch: usize, context: &mut LoopContext<'_>) -> Result<ControlFlow<StopReason, f64>> {
        let mut batches = context.train.iter();
        let partial = std::mem::take(&mut self.partial);
        let mut buffer = MetricBuffer::new(partial.steps, partial.metrics);
        // Gives the metrics the sums of the steps before the checkpoint.
        if partial.steps > 0 {
            let metrics = LazyMetrics::before(partial.metrics);
            context.emit(event(metrics, batches.progress(), partial.steps, context.learner.lr_current()))?;
        }
        let mut stopwatch = Stopwatch::start(partial.seconds);
        let mut step = partial.steps;
        while let Some(batch) = batches.next() {
            let total_steps = (epoch - 1) * self.steps_per_epoch + step;
            let batch = randomized(burn_error(batch)?, self.mixup, self.seed, total_steps);
            let output = context.learner.train_step(batch);
            // The schedule gives the learning rate of this step's update.
            context.learner.lr_step();
            context.learner.optimizer_step(output.grads);
            if let Some(average) = &mut self.average {
                average.update(&context.learner.model(), total_steps);
            }
            buffer.push(output.item);
            step += 1;

            let progress = batches.progress();
            let interrupted = context.components.interrupter.should_stop();
            // After the last step of an epoch, no checkpoint is due here: `run_epochs` saves one
            // after the validation.
            let is_due = self.checkpoints.as_ref().is_some_and(|checkpoints| checkpoints.is_due(step));
            let should_save = interrupted || (is_due && !progress.is_completed());
            if should_save || buffer.should_flush(&progress) {
                let metrics = buffer.flush()?;
                // Every loss is checked. All weights are checked before they are saved or
                // validated.
                let model = (should_save || progress.is_completed()).then(|| context.learner.model());
                if let Some(cause) = find_divergence(metrics.steps(), step, model.as_ref())? {
                    return Ok(ControlFlow::Break(self.diverged(epoch, cause)));
                }
                context.emit(event(metrics, progress, step, context.learner.lr_current()))?;
            }
            if should_save {
                stopwatch.pause();
                let partial = PartialEpoch { steps: step, metrics: buffer.sums, seconds: stopwatch.seconds };
                self.save(Position { epochs: epoch - 1, steps: step }, partial, context)?;
                stopwatch.resume();
            }
            if interrupted {
                return Ok(ControlFlow::Break(StopReason::Interrupted { epoch, step }));
            }
        }
        stopwatch.pause();
        Ok(ControlFlow::Continue(stopwatch.seconds))
    }

    /// Network that is validated and kept, ready for inference: the average of the weights, or
    /// without one the network after the last step.
    fn network(&self, context: &LoopContext<'_>) -> Mlp {
        let average = self.average.as_ref().and_then(WeightAverage::network);
        average.cloned().unwrap_or_else(|| context.learner.model().valid())
    }

    /// Saves a checkpoint at `position`, if the training saves any.
    fn save(
        &mut self,
        position: Position,
        partial: PartialEpoch,
        context: &mut LoopContext<'_>,
    ) -> Result<()> {
        let (Some(writer), Some(checkpointer)) =
            (&mut self.checkpoints, &mut context.components.checkpointer)
        else {
            return Ok(());
        };
        // Burn sends its records from its own threads, and `writer` waits for them.
        checkpointer.checkpoint(context.learner, position.epochs, &context.components.event_store);
        let state = State {
            format: FORMAT,
            position,
            metrics: partial.metrics,
            seconds: partial.seconds,
            best: self.best,
            reference: self.early_stopper.as_ref().and_then(|stopper| stopper.reference),
            metrics_sha256: Some(self.metrics.sha256()),
        };
        let average = self.average.as_ref().and_then(WeightAverage::network);
        writer.save(state, average.map(|average| weights_to_bytes(average, MODEL)).transpose()?)
    }

    /// Returns the end of a training in which a number is not finite.
    fn diverged(&self, epoch: usize, cause: DivergenceCause) -> StopReason {
        let step = match cause {
            DivergenceCause::Loss { step, .. } | DivergenceCause::Weight { step } => step,
            DivergenceCause::ValidationLoss(_) => self.steps_per_epoch,
        };
        let learning_rate = self.schedule.rate_in_epoch(epoch, step);
        StopReason::Diverged(Divergence { epoch, cause, learning_rate })
    }

    /// Returns the record of an epoch. The means come from Burn's event store, and `seconds` is the
    /// time of the training steps.
    fn record(&self, epoch: usize, seconds: f64, context: &LoopContext<'_>) -> Result<EpochRecord> {
        let store = &context.components.event_store;
        let mean = |name, split| store.find_metric(name, epoch, Aggregate::Mean, &split);
        let missing = || Error::new(format!("epoch {epoch} left no training metrics"));
        Ok(EpochRecord {
            epoch,
            train_loss: mean(LOSS, Split::Train).ok_or_else(missing)?,
            train_accuracy: mean(ACCURACY, Split::Train).ok_or_else(missing)?,
            validation_loss: mean(LOSS, Split::Valid),
            validation_accuracy: mean(ACCURACY, Split::Valid),
            learning_rate: self.schedule.rate_in_epoch(epoch, self.steps_per_epoch),
            seconds,
            images_per_second: EpochRecord::rate(context.train.num_items(), seconds),
        })
    }
}

impl LoopContext<'_> {
    /// Sends an event of the training to Burn's metrics and renderer.
    fn emit(&mut self, event: TrainingEvent) -> Result<()> {
        burn_error(self.components.event_processor.process_train(event))
    }

    /// Validates `model` on all validation images, if there are any. Then ends the epoch for all metrics.
    fn validate(&mut self, epoch: usize, model: &Mlp) -> Result<()> {
        let processor = &mut self.components.event_processor;
        let total_items = self.validation.num_items();
        if total_items > 0 {
            burn_error(
                processor.process_valid(LearnerEvent::StartSplit { epoch_number: epoch, total_items }),
            )?;
            let mut batches = self.validation.iter();
            let mut buffer = MetricBuffer::new(0, MetricSums::default());
            while let Some(batch) = batches.next() {
                buffer.push(InferenceStep::step(model, burn_error(batch)?));
                if buffer.should_flush(&batches.progress()) {
                    let metrics = buffer.flush()?;
                    let event = TrainingItem::new(metrics, batches.progress(), Some(buffer.steps_sent), None);
                    burn_error(processor.process_valid(LearnerEvent::ProcessedItem(event)))?;
                }
            }
            burn_error(processor.process_valid(LearnerEvent::EndSplit(epoch)))?;
        }
        self.emit(LearnerEvent::EndEpoch(epoch))?;
        // Waits for the metrics thread: the event store then has the means of this epoch.
        burn_error(self.components.event_processor.flush())
    }
}

type TrainingEvent = LearnerEvent<LazyMetrics>;

/// Returns the event with the metrics of the latest steps. `step` is the number of steps done in
/// the epoch.
fn event(metrics: LazyMetrics, progress: Progress, step: usize, rate: ModuleLearningRate) -> TrainingEvent {
    LearnerEvent::ProcessedItem(TrainingItem::new(metrics, progress, Some(step), Some(rate)))
}

/// Finds the first loss that is not finite among `steps`, or else a weight of `model` that is not
/// finite. Everything learned after it would be noise. `steps` are the latest ones, and `done` is
/// the number of steps done in the epoch.
fn find_divergence(
    steps: &[StepMetrics],
    done: usize,
    model: Option<&Mlp>,
) -> Result<Option<DivergenceCause>> {
    if let Some(offset) = steps.iter().position(|step| !step.loss.is_finite()) {
        let step = done - steps.len() + offset + 1;
        return Ok(Some(DivergenceCause::Loss { loss: steps[offset].loss, step }));
    }
    let is_finite = model.map_or(Ok(true), has_finite_weights)?;
    Ok((!is_finite).then_some(DivergenceCause::Weight { step: done }))
}

/// Stopwatch that measures the time of steps, without that of checkpoints.
struct Stopwatch {
    /// Time up to the last pause, in seconds.
    seconds: f64,
    /// Time of the last start or resumption.
    since: Instant,
}

impl Stopwatch {
    /// Starts with `seconds` already measured.
    fn start(seconds: f64) -> Self {
        Self { seconds, since: Instant::now() }
    }

    /// Adds the time since the last start or resumption.
    fn pause(&mut self) {
        self.seconds += self.since.elapsed().as_secs_f64();
    }

    fn resume(&mut self) {
        self.since = Instant::now();
    }
}

/// Turns an error of Burn into one of smallnet.
pub(super) fn burn_error<T, E: std::fmt::Display>(result: std::result::Result<T, E>) -> Result<T> {
    result.map_err(|error| Error::backend(format!("training failed: {error}")))
}
