//! The loop over epochs and batches, as Burn's Learner runs it.
//!
//! Burn's own single-device loop sends an event to its metrics thread for every step, stops between epochs only, and
//! starts at the beginning of an epoch. This one reads two pages long, sends the measures of many steps in one event (a
//! GPU is read back rarely, a CPU switches threads rarely), times the epochs, notices numbers that are no longer finite,
//! and goes on from any step.

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

use crate::engine::metrics::{LazyMetrics, MetricSums, StepMetrics};
use crate::error::{Error, Result};
use crate::model::{Mlp, has_finite_weights};
use crate::optim::schedule::Schedule;
use crate::training::checkpoint::{CheckpointWriter, FORMAT, MetricsDigest, Position, State};
use crate::training::dropout;
use crate::training::early_stopping::{BestEpoch, EarlyStopper};
use crate::training::metric_buffer::MetricBuffer;
use crate::training::metrics::{ACCURACY, LOSS};
use crate::training::outcome::{Divergence, DivergenceCause, EpochRecord, StopReason};

/// Called after every epoch with its record.
pub type OnEpoch = Box<dyn FnMut(&EpochRecord) -> Result<()> + Send>;

/// Burn's training strategy for smallnet, on one device.
pub(super) struct EpochLoop {
    device: Device,
    /// Behind a lock because Burn shares its strategies.
    course: Mutex<LoopState>,
}

/// A training from epoch to epoch: what it needs that is not Burn's, and what comes of it.
pub(super) struct LoopState {
    on_epoch: OnEpoch,
    schedule: Schedule,
    steps_per_epoch: usize,
    /// The experiment's.
    seed: u64,
    /// Saves checkpoints; none are taken without it.
    pub(super) keeper: Option<CheckpointWriter>,
    patience: Option<EarlyStopper>,
    best: Option<BestEpoch>,
    /// How far the next epoch has been trained already, in a training that goes on.
    pub(super) begun: PartialEpoch,
    /// The epochs so far.
    pub(super) records: Vec<EpochRecord>,
    /// The digest of their lines.
    metrics: MetricsDigest,
    end: Result<StopReason>,
}

/// The beginning of an epoch.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PartialEpoch {
    /// Steps done.
    pub(super) steps: usize,
    /// What they measured.
    pub(super) measured: MetricSums,
    /// How long they took.
    pub(super) seconds: f64,
}

/// What Burn's Learner brings along.
struct LoopContext<'a> {
    components: &'a mut TrainingComponents<Mlp>,
    learner: &'a mut Learner<Mlp>,
    train: &'a TrainLoader<Mlp>,
    validation: &'a ValidLoader<Mlp>,
}

impl EpochLoop {
    /// `device` must be an autodiff device.
    pub(super) fn new(device: Device, course: LoopState) -> Self {
        Self { device, course: Mutex::new(course) }
    }

    /// How the loop ended, its epochs and the best of them; takes the epochs out.
    pub(super) fn outcome(&self) -> Result<(StopReason, Vec<EpochRecord>, Option<BestEpoch>)> {
        let mut course = self.course.lock().unwrap_or_else(PoisonError::into_inner);
        let end = course.end.clone()?;
        Ok((end, std::mem::take(&mut course.records), course.best))
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
        let gear = LoopContext {
            components: &mut components,
            learner: &mut learner,
            train: &train,
            validation: &validation,
        };
        let mut course = self.course.lock().unwrap_or_else(PoisonError::into_inner);
        let end = course.run(epochs, gear);
        let saved = course.keeper.as_mut().map_or(Ok(()), CheckpointWriter::finish);
        course.end = end.and_then(|end| saved.map(|()| end));
        (learner.model(), components.event_processor)
    }
}

impl LoopState {
    /// A training from its beginning, that keeps no checkpoints.
    pub(super) fn new(
        on_epoch: OnEpoch,
        schedule: Schedule,
        steps_per_epoch: usize,
        seed: u64,
        patience: Option<EarlyStopper>,
    ) -> Self {
        Self {
            on_epoch,
            schedule,
            steps_per_epoch,
            seed,
            keeper: None,
            patience,
            best: None,
            begun: PartialEpoch::default(),
            records: Vec::new(),
            metrics: MetricsDigest::default(),
            end: Ok(StopReason::Finished),
        }
    }

    /// Puts it where a checkpoint was taken; `records` are of all epochs before that, and `metrics` is their digest.
    pub(super) fn go_on_from(&mut self, state: &State, records: Vec<EpochRecord>, metrics: MetricsDigest) {
        let &State { position, measured, seconds, best, to_beat, .. } = state;
        self.records = records;
        self.metrics = metrics;
        self.begun = PartialEpoch { steps: position.steps, measured, seconds };
        self.best = best;
        if let Some(patience) = &mut self.patience {
            patience.reference = to_beat;
        }
    }

    /// Runs `epochs`: train, validate, record, checkpoint, and stop early or on request.
    fn run(&mut self, epochs: RangeInclusive<usize>, mut gear: LoopContext<'_>) -> Result<StopReason> {
        let last = *epochs.end();
        for epoch in epochs {
            // Before the epoch, not after the last one: a training may go on from where it should have stopped.
            if self.patience.as_ref().is_some_and(|patience| patience.is_exhausted(epoch - 1)) {
                return Ok(StopReason::Early);
            }
            let seconds = match self.train_epoch(epoch, &mut gear)? {
                ControlFlow::Continue(seconds) => seconds,
                ControlFlow::Break(end) => return Ok(end),
            };
            gear.validate(epoch)?;
            let record = self.record(epoch, seconds, &gear)?;
            if let Some(loss) = record.validation_loss.filter(|loss| !loss.is_finite()) {
                return Ok(self.diverged(epoch, DivergenceCause::ValidationLoss(loss)));
            }
            (self.on_epoch)(&record)?;
            self.metrics.add(record.line()?.as_bytes());
            self.records.push(record);
            let store = &gear.components.event_store;
            BestEpoch::update(&mut self.best, epoch, store, 0.0);
            if let Some(patience) = &mut self.patience {
                patience.should_stop(epoch, store);
            }
            self.save(Position { epochs: epoch, steps: 0 }, PartialEpoch::default(), &mut gear)?;
            if gear.components.interrupter.should_stop() && epoch < last {
                return Ok(StopReason::Interrupted { epoch, step: self.steps_per_epoch });
            }
        }
        Ok(StopReason::Finished)
    }

    /// One pass over the training images, or over what is left of them; gives the seconds it took, or the end of the
    /// training.
    fn train_epoch(
        &mut self,
        epoch: usize,
        gear: &mut LoopContext<'_>,
    ) -> Result<ControlFlow<StopReason, f64>> {
        let total_items = gear.train.num_items();
        gear.tell(LearnerEvent::StartSplit { epoch_number: epoch, total_items })?;
        let end = self.steps(epoch, gear)?;
        gear.tell(LearnerEvent::EndSplit(epoch))?;
        Ok(end)
    }

    fn steps(&mut self, epoch: usize, gear: &mut LoopContext<'_>) -> Result<ControlFlow<StopReason, f64>> {
        let mut batches = gear.train.iter();
        let begun = std::mem::take(&mut self.begun);
        let mut outbox = MetricBuffer::new(begun.steps, begun.measured);
        if begun.steps > 0 {
            let measured = LazyMetrics::before(begun.measured);
            gear.tell(event(measured, batches.progress(), begun.steps, gear.learner.lr_current()))?;
        }
        let mut clock = Stopwatch::new(begun.seconds);
        let mut step = begun.steps;
        while let Some(batch) = batches.next() {
            let total_steps = (epoch - 1) * self.steps_per_epoch + step;
            let output =
                gear.learner.train_step(dropout::with_step_seed(burn_error(batch)?, self.seed, total_steps));
            gear.learner.lr_step();
            gear.learner.optimizer_step(output.grads);
            outbox.put(output.item);
            step += 1;

            let progress = batches.progress();
            let interrupted = gear.components.interrupter.should_stop();
            let is_due = self.keeper.as_ref().is_some_and(|keeper| keeper.is_due(step));
            let saves = interrupted || (is_due && !progress.is_completed());
            if saves || outbox.is_due(&progress) {
                let measured = outbox.take()?;
                // What is saved, or validated, is looked at as a whole.
                let model = (saves || progress.is_completed()).then(|| gear.learner.model());
                if let Some(symptom) = find_divergence(measured.steps(), step, model.as_ref())? {
                    return Ok(ControlFlow::Break(self.diverged(epoch, symptom)));
                }
                gear.tell(event(measured, progress, step, gear.learner.lr_current()))?;
            }
            if saves {
                clock.pause();
                let begun = PartialEpoch { steps: step, measured: outbox.totals, seconds: clock.seconds };
                self.save(Position { epochs: epoch - 1, steps: step }, begun, gear)?;
                clock.go_on();
            }
            if interrupted {
                return Ok(ControlFlow::Break(StopReason::Interrupted { epoch, step }));
            }
        }
        clock.pause();
        Ok(ControlFlow::Continue(clock.seconds))
    }

    /// Saves a checkpoint, where any are kept.
    fn save(&mut self, position: Position, begun: PartialEpoch, gear: &mut LoopContext<'_>) -> Result<()> {
        let (Some(keeper), Some(checkpointer)) = (&mut self.keeper, &mut gear.components.checkpointer) else {
            return Ok(());
        };
        checkpointer.checkpoint(gear.learner, position.epochs, &gear.components.event_store);
        let state = State {
            format: FORMAT,
            position,
            measured: begun.measured,
            seconds: begun.seconds,
            best: self.best,
            to_beat: self.patience.as_ref().and_then(|patience| patience.reference),
            metrics_sha256: Some(self.metrics.sha256()),
        };
        keeper.save(state)
    }

    /// The end of a training in which a number is no longer finite.
    fn diverged(&self, epoch: usize, symptom: DivergenceCause) -> StopReason {
        let step = match symptom {
            DivergenceCause::Loss { step, .. } | DivergenceCause::Weight { step } => step,
            DivergenceCause::ValidationLoss(_) => self.steps_per_epoch,
        };
        let learning_rate = self.schedule.rate_in_epoch(epoch, step);
        StopReason::Diverged(Divergence { epoch, symptom, learning_rate })
    }

    /// Asks Burn's event store for the epoch's means.
    fn record(&self, epoch: usize, seconds: f64, gear: &LoopContext<'_>) -> Result<EpochRecord> {
        let store = &gear.components.event_store;
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
            images_per_second: EpochRecord::rate(gear.train.num_items(), seconds),
        })
    }
}

impl LoopContext<'_> {
    fn tell(&mut self, event: TrainingEvent) -> Result<()> {
        burn_error(self.components.event_processor.process_train(event))
    }

    /// One pass over the images held out, if there are any, and the end of the epoch for all metrics.
    fn validate(&mut self, epoch: usize) -> Result<()> {
        let processor = &mut self.components.event_processor;
        let total_items = self.validation.num_items();
        if total_items > 0 {
            burn_error(
                processor.process_valid(LearnerEvent::StartSplit { epoch_number: epoch, total_items }),
            )?;
            let model = self.learner.model().valid();
            let mut batches = self.validation.iter();
            let mut outbox = MetricBuffer::new(0, MetricSums::default());
            while let Some(batch) = batches.next() {
                outbox.put(InferenceStep::step(&model, burn_error(batch)?));
                if outbox.is_due(&batches.progress()) {
                    let measured = outbox.take()?;
                    let event =
                        TrainingItem::new(measured, batches.progress(), Some(outbox.steps_sent), None);
                    burn_error(processor.process_valid(LearnerEvent::ProcessedItem(event)))?;
                }
            }
            burn_error(processor.process_valid(LearnerEvent::EndSplit(epoch)))?;
        }
        self.tell(LearnerEvent::EndEpoch(epoch))?;
        burn_error(self.components.event_processor.flush())
    }
}

type TrainingEvent = LearnerEvent<LazyMetrics>;

fn event(measured: LazyMetrics, progress: Progress, step: usize, rate: ModuleLearningRate) -> TrainingEvent {
    LearnerEvent::ProcessedItem(TrainingItem::new(measured, progress, Some(step), Some(rate)))
}

/// The first loss that is not finite among the last steps, of which `done` have been done in all, or else a weight of
/// `model`: everything learned after it would be noise.
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

/// Counts the seconds of steps, without those of checkpoints.
struct Stopwatch {
    seconds: f64,
    since: Instant,
}

impl Stopwatch {
    fn new(seconds: f64) -> Self {
        Self { seconds, since: Instant::now() }
    }

    fn pause(&mut self) {
        self.seconds += self.since.elapsed().as_secs_f64();
    }

    fn go_on(&mut self) {
        self.since = Instant::now();
    }
}

/// An error of Burn's as ours.
pub(super) fn burn_error<T, E: std::fmt::Display>(result: std::result::Result<T, E>) -> Result<T> {
    result.map_err(|error| Error::backend(format!("training failed: {error}")))
}
