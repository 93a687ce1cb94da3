//! Owns the training of many networks of one shape in one batch: the loop over epochs, the learning
//! rates and the records of each network. Every network has its own initial weights, learning rate,
//! weight decay and label smoothing. It learns what it would learn by itself, up to rounding: only
//! the execution plan differs, not the algorithm. This saves overhead, because a small network
//! alone does not keep a processor busy.
//! Depends on `engine` for the passes. Must not know studies.

#[cfg(test)]
mod tests;

use std::time::Instant;

use burn::tensor::Device;
use burn::train::Interrupter;

use crate::backend::Engine;
use crate::data::{EVALUATION_BATCH_SIZE, Sampling, Split};
use crate::engine::model_batch::{GroupBatch, ModelBatch, ModelBatchConfig, Shape, Sums};
use crate::error::{Error, Result};
use crate::model::Activation;
use crate::optim::{OptimizerConfig, Schedule};
use crate::training::{Divergence, DivergenceCause, EpochRecord, Hyperparameters, StopReason};

/// Group of networks that see the same images in the same order.
#[derive(Debug, Clone)]
pub struct ModelGroup<'a> {
    /// Seed of the initial weights and of the order of the images.
    pub seed: u64,
    /// Training images.
    pub train: Split,
    /// Validation images; may be empty.
    pub validation: Split,
    /// Hyperparameters of each network.
    pub members: Vec<Hyperparameters<'a>>,
}

/// Properties that networks must share to be trained in one batch.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchKey {
    hidden: Vec<usize>,
    activation: Activation,
    /// Optimizer with learning rate 1 and weight decay 0. Each network has its own values of both.
    optimizer: OptimizerConfig,
    batch_size: usize,
    num_epochs: usize,
}

impl BatchKey {
    /// Returns the key of a network. Returns `None` if the network must be trained by itself, with
    /// augmentation, mixup, dropout, clipping, an average of the weights or early stopping. The images of a
    /// model batch are neither augmented nor mixed. Dropout masks are drawn for one network at a time, clipping and the
    /// average need the tensors of one network, and early stopping ends one network before the others.
    pub fn new(member: Hyperparameters<'_>) -> Option<Self> {
        let Hyperparameters { augmentation, model, optimizer, training, .. } = member;
        let is_single = augmentation.is_active()
            || model.has_dropout()
            || training.clipping().is_some()
            || training.early_stopping.is_some()
            || training.average.is_some()
            || training.mixup.is_some();
        (!is_single).then(|| Self {
            hidden: model.hidden.clone(),
            activation: model.activation,
            optimizer: optimizer.with_rates(1.0, 0.0),
            batch_size: training.batch_size,
            num_epochs: training.num_epochs,
        })
    }
}

/// Returns whether the engine `cpu` trains a network in a model batch without tensors: a softmax network with
/// plain gradient descent and no weight decay. All networks of such a batch must have the same label
/// smoothing.
pub(crate) fn is_in_model_batch_of_kernels(member: Hyperparameters<'_>) -> bool {
    let Hyperparameters { model, optimizer, .. } = member;
    model.hidden.is_empty() && optimizer.rule().is_plain_gradient_descent() && optimizer.weight_decay() == 0.0
}

/// Result of one network of a model batch.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelResult {
    /// Reason why its training ended.
    pub end: StopReason,
    /// Records of its whole epochs. Their seconds are its share of the model batch's time.
    pub epochs: Vec<EpochRecord>,
    /// Whether each validation image is classified correctly after the last epoch, in their order.
    /// Empty if the training did not reach its end.
    pub correct: Vec<bool>,
}

/// Trains all networks of `groups` with `engine`. Returns their results in that order, group by
/// group.
///
/// `on_epoch` is called after every epoch with the number of the epoch. Images have `num_classes`
/// classes. `device` must not be an autodiff device.
///
/// # Errors
/// Networks or groups that do not fit in one batch, or a device that fails. The divergence of a
/// network is no error. The network stays in the batch, but gets no more records, and the others
/// are trained to their end.
pub fn train_batched(
    groups: &[ModelGroup<'_>],
    num_classes: usize,
    device: &Device,
    engine: Engine,
    interrupter: &Interrupter,
    on_epoch: impl FnMut(usize),
) -> Result<Vec<ModelResult>> {
    train_batched_until(groups, num_classes, device, engine, usize::MAX, interrupter, on_epoch)
}

/// Trains all networks of `groups` as [`train_batched`] does, to the end of `last_epoch` at the
/// latest. The schedules are those of all epochs.
///
/// # Errors
/// The same as those of [`train_batched`].
pub fn train_batched_until(
    groups: &[ModelGroup<'_>],
    num_classes: usize,
    device: &Device,
    engine: Engine,
    last_epoch: usize,
    interrupter: &Interrupter,
    mut on_epoch: impl FnMut(usize),
) -> Result<Vec<ModelResult>> {
    let mut batch = BatchTraining::new(groups, num_classes, device, engine)?;
    for epoch in 1..=last_epoch.min(batch.key.num_epochs) {
        let start = Instant::now();
        let (step, trained) = batch.train_epoch(epoch, interrupter)?;
        let seconds = start.elapsed().as_secs_f64();
        if interrupter.should_stop() {
            batch.end_all(StopReason::Interrupted { epoch, step });
            break;
        }
        let validation = batch.validate()?;
        batch.record(epoch, &trained, validation.as_ref(), seconds);
        on_epoch(epoch);
        if batch.runs.iter().all(|run| matches!(run.end, StopReason::Diverged(_))) {
            break;
        }
    }
    batch.note_correct_images()?;
    Ok(batch.runs)
}

/// Model batch in training. Vectors have one entry per network, group by group.
struct BatchTraining<'a> {
    groups: &'a [ModelGroup<'a>],
    key: BatchKey,
    /// Networks with their optimizers, in the engine's form.
    models: Box<dyn ModelBatch>,
    schedules: Vec<Schedule>,
    /// Learning rate of each network in the last step.
    rates: Vec<f64>,
    runs: Vec<ModelResult>,
}

impl<'a> BatchTraining<'a> {
    /// Builds all networks with their initial weights, and their schedules.
    fn new(
        groups: &'a [ModelGroup<'a>],
        num_classes: usize,
        device: &Device,
        engine: Engine,
    ) -> Result<Self> {
        let key = common_key(groups)?;
        let (height, width) = groups[0].train.image_size();
        let members: Vec<_> = groups.iter().flat_map(|group| &group.members).collect();
        let sizes = members[0].model.sizes(height * width, num_classes);
        let seeded =
            groups.iter().flat_map(|group| group.members.iter().map(move |member| (member, group.seed)));
        let config = ModelBatchConfig {
            shape: Shape { num_groups: groups.len(), group_size: groups[0].members.len(), sizes },
            activation: key.activation,
            optimizer: &key.optimizer,
            initializers: seeded.map(|(member, seed)| (member.model.initializer, seed)).collect(),
            weight_decays: members.iter().map(|member| member.optimizer.weight_decay()).collect(),
            label_smoothing: members.iter().map(|member| member.training.label_smoothing).collect(),
        };
        let models = engine.model_batch(config, device);
        let steps = members[0].training.steps_per_epoch(groups[0].train.len());
        let schedule = |member: &&Hyperparameters<'_>| {
            let base = member.optimizer.learning_rate();
            Schedule::new(member.schedule.clone(), base, member.training.num_epochs, steps)
        };
        let unfinished = ModelResult { end: StopReason::Finished, epochs: Vec::new(), correct: Vec::new() };
        Ok(Self {
            groups,
            models,
            schedules: members.iter().map(schedule).collect(),
            rates: vec![0.0; members.len()],
            runs: vec![unfinished; members.len()],
            key,
        })
    }

    /// Trains all networks on all training images once, or until `interrupter` stops it. Returns
    /// the number of steps done and the sums of the metrics.
    fn train_epoch(&mut self, epoch: usize, interrupter: &Interrupter) -> Result<(usize, Sums)> {
        // The order of a group's images is that of a single training with the same seed.
        let orders: Vec<Vec<u32>> = self
            .groups
            .iter()
            .map(|group| Sampling::Shuffled(group.seed).indices(group.train.len(), epoch as u64))
            .collect();
        let mut num_steps = 0;
        for start in (0..orders[0].len()).step_by(self.key.batch_size) {
            let end = (start + self.key.batch_size).min(orders[0].len());
            let batches: Vec<_> = (self.groups.iter().zip(&orders))
                .map(|(group, order)| GroupBatch { split: &group.train, positions: &order[start..end] })
                .collect();
            for (rate, schedule) in self.rates.iter_mut().zip(&mut self.schedules) {
                *rate = burn::lr_scheduler::LrScheduler::step(schedule);
            }
            self.models.train_step(&batches, &self.rates);
            num_steps += 1;
            if interrupter.should_stop() {
                break;
            }
        }
        Ok((num_steps, self.models.take_sums()?))
    }

    /// Returns the sums over the validation images. Returns `None` without such images.
    fn validate(&mut self) -> Result<Option<Sums>> {
        let num_images = self.groups[0].validation.len();
        if num_images == 0 {
            return Ok(None);
        }
        let positions: Vec<u32> = (0..num_images as u32).collect();
        for positions in positions.chunks(EVALUATION_BATCH_SIZE) {
            let batches = self.groups.iter().map(|group| GroupBatch { split: &group.validation, positions });
            self.models.eval_step(&batches.collect::<Vec<_>>());
        }
        self.models.take_sums().map(Some)
    }

    /// Notes for each network that was trained to its end which validation images it classifies
    /// correctly.
    fn note_correct_images(&mut self) -> Result<()> {
        let is_finished = |run: &ModelResult| matches!(run.end, StopReason::Finished);
        if !self.runs.iter().any(is_finished) {
            return Ok(());
        }
        let positions: Vec<u32> = (0..self.groups[0].validation.len() as u32).collect();
        for positions in positions.chunks(EVALUATION_BATCH_SIZE) {
            let batches = self.groups.iter().map(|group| GroupBatch { split: &group.validation, positions });
            let correct = self.models.correct_images(&batches.collect::<Vec<_>>())?;
            let finished = self.runs.iter_mut().zip(correct).filter(|(run, _)| is_finished(run));
            finished.for_each(|(run, correct)| run.correct.extend(correct));
        }
        Ok(())
    }

    /// Adds the record of the epoch to each network. A network whose loss is not finite gets the
    /// divergence as its end instead, and no further records.
    fn record(&mut self, epoch: usize, trained: &Sums, validation: Option<&Sums>, seconds: f64) {
        // All networks together took this time. Each one gets an equal share of it.
        let seconds = seconds / self.runs.len() as f64;
        for (index, run) in self.runs.iter_mut().enumerate() {
            if matches!(run.end, StopReason::Diverged(_)) {
                continue;
            }
            let learning_rate = self.rates[index];
            let diverged =
                |cause, learning_rate| StopReason::Diverged(Divergence { epoch, cause, learning_rate });
            let train_loss = trained.loss[index] / trained.num_images as f64;
            if !train_loss.is_finite() {
                // `finite_steps` counts the steps before the first loss that is not finite.
                let step = trained.finite_steps[index] as usize + 1;
                let rate = self.schedules[index].rate_in_epoch(epoch, step);
                run.end = diverged(DivergenceCause::Loss { loss: train_loss, step }, rate);
                continue;
            }
            let of_validation = |sum: fn(&Sums) -> &Vec<f64>| {
                validation.map(|sums| sum(sums)[index] / sums.num_images as f64)
            };
            let validation_loss = of_validation(|sums| &sums.loss);
            if let Some(loss) = validation_loss.filter(|loss| !loss.is_finite()) {
                run.end = diverged(DivergenceCause::ValidationLoss(loss), learning_rate);
                continue;
            }
            run.epochs.push(EpochRecord {
                epoch,
                train_loss,
                train_accuracy: trained.correct[index] / trained.num_images as f64,
                validation_loss,
                validation_accuracy: of_validation(|sums| &sums.correct),
                learning_rate,
                seconds,
                images_per_second: EpochRecord::rate(trained.num_images, seconds),
            });
        }
    }

    /// Sets the end of all networks that have not diverged.
    fn end_all(&mut self, end: StopReason) {
        for run in &mut self.runs {
            if !matches!(run.end, StopReason::Diverged(_)) {
                run.end = end;
            }
        }
    }
}

/// Returns the key that all networks share.
///
/// # Errors
/// Networks with unequal keys, groups of unequal sizes, or no networks or images.
fn common_key(groups: &[ModelGroup<'_>]) -> Result<BatchKey> {
    let unfit = || Error::config("these networks cannot be trained in one batch");
    let first = groups.first().ok_or_else(unfit)?;
    let key = first.members.first().copied().and_then(BatchKey::new).ok_or_else(unfit)?;
    let size = |group: &ModelGroup<'_>| {
        (group.members.len(), group.train.len(), group.validation.len(), group.train.image_size())
    };
    let members = groups.iter().flat_map(|group| &group.members);
    let same = members.map(|member| BatchKey::new(*member)).all(|other| other.as_ref() == Some(&key));
    let fits = groups.iter().all(|group| size(group) == size(first)) && !first.train.is_empty();
    if same && fits { Ok(key) } else { Err(unfit()) }
}
