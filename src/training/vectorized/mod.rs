//! Many networks of one shape, trained side by side as one program: an execution plan, not another algorithm.
//!
//! Networks that see the same batches form a stream. The first layers of a stream stand side by side in one weight
//! matrix, so that one product computes them all from one batch; deeper layers are batched products. Every network
//! has its own initial weights, learning rate, weight decay and label smoothing, and learns what it would learn alone,
//! up to rounding. What is gained is overhead: a small network keeps no processor busy.

pub(crate) mod layers;
#[cfg(test)]
mod tests;
mod update;

use std::ops::Range;
use std::time::Instant;

use burn::tensor::{Device, Int, Tensor, TensorData, Transaction, activation::log_softmax};
use burn::train::Interrupter;

use crate::data::{Batch, EVALUATION_BATCH_SIZE, Sampling, Split};
use crate::engine::cpu::stack::{CpuModelBatch, GroupSums};
use crate::error::{Error, Result};
use crate::model::Activation;
use crate::optim::{OptimizerConfig, Schedule};
use crate::training::{Divergence, DivergenceCause, EpochRecord, Hyperparameters, StopReason};
use layers::{Layers, Shape};
use update::Update;

/// Networks that see the same images in the same order.
#[derive(Debug, Clone)]
pub struct ModelGroup<'a> {
    /// Decides the initial weights and the order of the images.
    pub seed: u64,
    /// The images learned from.
    pub train: Split,
    /// The images watched; may be empty.
    pub validation: Split,
    /// The networks.
    pub members: Vec<Hyperparameters<'a>>,
}

/// What networks must have in common to be trained side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchKey {
    hidden: Vec<usize>,
    activation: Activation,
    /// With the rate and the decay that every network has for itself taken out.
    optimizer: OptimizerConfig,
    batch_size: usize,
    num_epochs: usize,
}

impl BatchKey {
    /// The key of a network; none where it has to be trained by itself: dropout's masks are drawn for one network at a
    /// time, clipping looks at whole tensors, and early stopping ends one network before the others.
    pub fn new(member: Hyperparameters<'_>) -> Option<Self> {
        let Hyperparameters { model, optimizer, training, .. } = member;
        let alone = model.drops_out() || training.clipping().is_some() || training.early_stopping.is_some();
        (!alone).then(|| Self {
            hidden: model.hidden.clone(),
            activation: model.activation,
            optimizer: optimizer.with_rates(1.0, 0.0),
            batch_size: training.batch_size,
            num_epochs: training.num_epochs,
        })
    }
}

/// What became of one network of a stack.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelResult {
    /// How its training ended.
    pub end: StopReason,
    /// The epochs trained to their end. Seconds are its share of the stack's.
    pub epochs: Vec<EpochRecord>,
}

/// Trains all networks of `streams` and returns them in that order, stream by stream.
///
/// `on_epoch` is called after every epoch with its number. Images have `num_classes` classes.
///
/// # Errors
/// Networks or streams that do not fit side by side, or a device that fails. A network that diverges is none: the
/// others go on without it.
pub fn train_batched(
    streams: &[ModelGroup<'_>],
    num_classes: usize,
    device: &Device,
    interrupter: &Interrupter,
    mut on_epoch: impl FnMut(usize),
) -> Result<Vec<ModelResult>> {
    let mut stack = ModelBatch::new(streams, num_classes, device)?;
    for epoch in 1..=stack.key.num_epochs {
        let start = Instant::now();
        let (step, trained) = stack.train_epoch(epoch, interrupter)?;
        let seconds = start.elapsed().as_secs_f64();
        if interrupter.should_stop() {
            stack.end_all(StopReason::Interrupted { epoch, step });
            break;
        }
        let validation = stack.validate()?;
        stack.record(epoch, &trained, validation.as_ref(), seconds);
        on_epoch(epoch);
        if stack.runs.iter().all(|run| matches!(run.end, StopReason::Diverged(_))) {
            break;
        }
    }
    Ok(stack.runs)
}

struct ModelBatch<'a> {
    streams: &'a [ModelGroup<'a>],
    key: BatchKey,
    shape: Shape,
    layers: Layers,
    update: Update,
    /// Takes the place of both where it can.
    host: Option<CpuModelBatch>,
    schedules: Vec<Schedule>,
    /// Each network's learning rate in the step just done.
    rates: Vec<f64>,
    /// `[streams, members, 1, 1]`; none where no network smooths its targets.
    label_smoothing: Option<Tensor<4>>,
    /// For training: an autodiff device.
    device: Device,
    runs: Vec<ModelResult>,
}

/// Sums over the images of an epoch, one entry for each network.
pub(crate) struct Sums {
    loss: Vec<f64>,
    correct: Vec<f64>,
    /// Steps before the loss was no longer finite.
    finite_steps: Vec<f64>,
    num_images: usize,
}

impl Sums {
    fn new(networks: usize) -> Self {
        let zeros = || vec![0.0; networks];
        Self { loss: zeros(), correct: zeros(), finite_steps: zeros(), num_images: 0 }
    }

    /// Those of some networks.
    pub(crate) fn part(&mut self, networks: Range<usize>) -> GroupSums<'_> {
        GroupSums {
            loss: &mut self.loss[networks.clone()],
            correct: &mut self.correct[networks.clone()],
            finite_steps: &mut self.finite_steps[networks],
        }
    }
}

/// The same on the device.
struct SumsOnDevice {
    loss: Tensor<1>,
    correct: Tensor<1, Int>,
    finite_steps: Tensor<1, Int>,
    num_images: usize,
}

impl<'a> ModelBatch<'a> {
    fn new(streams: &'a [ModelGroup<'a>], num_classes: usize, device: &Device) -> Result<Self> {
        let key = common_key(streams)?;
        let (height, width) = streams[0].train.image_size();
        let members: Vec<_> = streams.iter().flat_map(|stream| &stream.members).collect();
        let sizes = members[0].model.sizes(height * width, num_classes);
        let shape = Shape { streams: streams.len(), members: streams[0].members.len(), sizes };
        let training = device.clone().autodiff();
        let layers = Layers::init(streams, &shape, key.activation, &training);
        let steps = members[0].training.steps_per_epoch(streams[0].train.len());
        let schedule = |member: &&Hyperparameters<'_>| {
            let base = member.optimizer.learning_rate();
            Schedule::new(member.schedule.clone(), base, member.training.num_epochs, steps)
        };
        let decays: Vec<f64> = members.iter().map(|member| member.optimizer.weight_decay()).collect();
        let smoothing: Vec<f32> =
            members.iter().map(|member| member.training.label_smoothing as f32).collect();
        let label_smoothing = smoothing.iter().any(|&share| share > 0.0).then(|| {
            Tensor::from_data(TensorData::new(smoothing, [shape.streams, shape.members, 1, 1]), device)
        });
        let update = Update::new(&layers, &shape, &key.optimizer, &decays, device);
        let host = update.is_plain().then(|| CpuModelBatch::of(&layers, &shape, streams)).flatten();
        let none = ModelResult { end: StopReason::Finished, epochs: Vec::new() };
        Ok(Self {
            streams,
            update,
            host,
            layers,
            schedules: members.iter().map(schedule).collect(),
            rates: vec![0.0; members.len()],
            label_smoothing,
            device: training,
            runs: vec![none; members.len()],
            key,
            shape,
        })
    }

    /// One pass over the training images; returns the number of steps done.
    fn train_epoch(&mut self, epoch: usize, interrupter: &Interrupter) -> Result<(usize, Sums)> {
        let orders: Vec<Vec<u32>> = self
            .streams
            .iter()
            .map(|stream| Sampling::Shuffled(stream.seed).positions(stream.train.len(), epoch as u64))
            .collect();
        let mut sums = SumsOnDevice::new(self.runs.len(), &self.device.clone().inner());
        let mut host_sums = Sums::new(self.runs.len());
        let mut steps = 0;
        for start in (0..orders[0].len()).step_by(self.key.batch_size) {
            let end = (start + self.key.batch_size).min(orders[0].len());
            let batches =
                self.streams.iter().zip(&orders).map(|(stream, order)| (&stream.train, &order[start..end]));
            for (rate, schedule) in self.rates.iter_mut().zip(&mut self.schedules) {
                *rate = burn::lr_scheduler::LrScheduler::step(schedule);
            }
            if let Some(host) = &mut self.host {
                host.step(batches, &self.rates, &mut host_sums);
                host_sums.num_images += end - start;
            } else {
                let batch = StackedBatch::gather(batches, &self.shape, &self.device);
                sums.add(self.step_with_tensors(batch), end - start);
            }
            steps += 1;
            if interrupter.should_stop() {
                break;
            }
        }
        Ok((steps, if self.host.is_some() { host_sums } else { sums.read()? }))
    }

    fn step_with_tensors(&mut self, batch: StackedBatch) -> BatchMetrics {
        let logits = self.layers.forward(batch.images, &self.shape); // [networks, batch, classes]
        let (measured, gradient) =
            self.measure(logits.clone().inner(), &batch.truth, self.label_smoothing.as_ref());
        // The gradient of the loss by the logits is known; what lies before the logits is Burn's.
        let gradients = (logits * Tensor::from_inner(gradient)).sum().backward();
        self.update.apply(&mut self.layers, gradients, &self.rates);
        measured
    }

    /// Sums over the images held out; none without such images.
    fn validate(&self) -> Result<Option<Sums>> {
        let num_images = self.streams[0].validation.len();
        if num_images == 0 {
            return Ok(None);
        }
        let positions: Vec<u32> = (0..num_images as u32).collect();
        if let Some(host) = &self.host {
            let mut sums = Sums::new(self.runs.len());
            for positions in positions.chunks(EVALUATION_BATCH_SIZE) {
                host.score(self.streams.iter().map(|stream| (&stream.validation, positions)), &mut sums);
                sums.num_images += positions.len();
            }
            return Ok(Some(sums));
        }
        let device = self.device.clone().inner();
        let layers = burn::module::Module::valid(&self.layers);
        let mut sums = SumsOnDevice::new(self.runs.len(), &device);
        for positions in positions.chunks(EVALUATION_BATCH_SIZE) {
            let batches = self.streams.iter().map(|stream| (&stream.validation, positions));
            let batch = StackedBatch::gather(batches, &self.shape, &device);
            let logits = layers.forward(batch.images, &self.shape);
            sums.add(self.measure(logits, &batch.truth, None).0, positions.len());
        }
        sums.read().map(Some)
    }

    /// What the `[networks, batch, classes]` logits of a batch amount to, against its one-hot truth
    /// `[streams, 1, batch, classes]`, and the gradient of the mean loss by the logits.
    fn measure(
        &self,
        logits: Tensor<3>,
        truth: &Tensor<4>,
        label_smoothing: Option<&Tensor<4>>,
    ) -> (BatchMetrics, Tensor<3>) {
        let [networks, batch, classes] = logits.dims();
        let Shape { streams, members, .. } = self.shape;
        let logits = logits.reshape([streams, members, batch, classes]);
        let hits = truth.clone().expand([streams, members, batch, classes]);
        let targets = match label_smoothing {
            None => hits.clone(),
            Some(share) => hits.clone() * (-share.clone() + 1.0) + share.clone() / classes as f64,
        };
        let predicted = logits.clone().argmax(3); // [streams, members, batch, 1]
        let correct = hits.gather(3, predicted).sum_dim(2).int().reshape([networks]);
        let log_probabilities = log_softmax(logits, 3);
        let loss = -(targets.clone() * log_probabilities.clone()).sum_dim(3).mean_dim(2).reshape([networks]);
        // Softmax and cross-entropy together: probabilities minus targets (Bishop 2006, equation 4.109).
        let gradient = (log_probabilities.exp() - targets) / batch as f64;
        (BatchMetrics { loss, correct }, gradient.reshape([networks, batch, classes]))
    }

    fn record(&mut self, epoch: usize, trained: &Sums, validation: Option<&Sums>, seconds: f64) {
        // All networks went through their images in this time; each has its share of it.
        let seconds = seconds / self.runs.len() as f64;
        for (index, run) in self.runs.iter_mut().enumerate() {
            if matches!(run.end, StopReason::Diverged(_)) {
                continue;
            }
            let learning_rate = self.rates[index];
            let diverged =
                |symptom, learning_rate| StopReason::Diverged(Divergence { epoch, symptom, learning_rate });
            let train_loss = trained.loss[index] / trained.num_images as f64;
            if !train_loss.is_finite() {
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

    fn end_all(&mut self, end: StopReason) {
        for run in &mut self.runs {
            if !matches!(run.end, StopReason::Diverged(_)) {
                run.end = end;
            }
        }
    }
}

/// The key that all networks share.
fn common_key(streams: &[ModelGroup<'_>]) -> Result<BatchKey> {
    let unfit = || Error::config("these networks cannot be trained side by side");
    let first = streams.first().ok_or_else(unfit)?;
    let key = first.members.first().copied().and_then(BatchKey::new).ok_or_else(unfit)?;
    let size = |stream: &ModelGroup<'_>| {
        (stream.members.len(), stream.train.len(), stream.validation.len(), stream.train.image_size())
    };
    let members = streams.iter().flat_map(|stream| &stream.members);
    let same = members.map(|member| BatchKey::new(*member)).all(|other| other.as_ref() == Some(&key));
    let fits = streams.iter().all(|stream| size(stream) == size(first)) && !first.train.is_empty();
    if same && fits { Ok(key) } else { Err(unfit()) }
}

/// A batch of each stream.
struct StackedBatch {
    /// `[streams, batch, pixels]`, in [0, 1].
    images: Tensor<3>,
    /// `[streams, 1, batch, classes]`, one-hot; never tracked for gradients.
    truth: Tensor<4>,
}

impl StackedBatch {
    fn gather<'a>(
        batches: impl Iterator<Item = (&'a Split, &'a [u32])>,
        shape: &Shape,
        device: &Device,
    ) -> Self {
        let (pixels, classes) = (shape.num_pixels(), shape.num_classes());
        let (mut images, mut truth) = (Vec::new(), Vec::new());
        let mut size = 0;
        for (split, positions) in batches {
            size = positions.len();
            images.reserve_exact(shape.streams * size * pixels - images.len());
            for &position in positions {
                let (image, label) = split.image(position as usize);
                Batch::append_scaled(&mut images, image);
                truth.extend((0..classes).map(|class| f32::from(class == usize::from(label))));
            }
        }
        let plain = device.clone().inner();
        Self {
            images: Tensor::from_data(TensorData::new(images, [shape.streams, size, pixels]), device),
            truth: Tensor::from_data(TensorData::new(truth, [shape.streams, 1, size, classes]), &plain),
        }
    }
}

/// What one batch measured, one entry for each network.
struct BatchMetrics {
    /// The mean over the batch.
    loss: Tensor<1>,
    correct: Tensor<1, Int>,
}

impl SumsOnDevice {
    fn new(networks: usize, device: &Device) -> Self {
        Self {
            loss: Tensor::zeros([networks], device),
            correct: Tensor::zeros([networks], device),
            finite_steps: Tensor::zeros([networks], device),
            num_images: 0,
        }
    }

    fn add(&mut self, measured: BatchMetrics, num_images: usize) {
        let sum = self.loss.clone() + measured.loss * num_images as f64;
        // What is not finite stays so in the sum.
        self.finite_steps = self.finite_steps.clone() + sum.clone().is_finite().int();
        self.loss = sum;
        self.correct = self.correct.clone() + measured.correct;
        self.num_images += num_images;
    }

    fn read(self) -> Result<Sums> {
        let transaction =
            Transaction::default().register(self.loss).register(self.correct).register(self.finite_steps);
        let data =
            transaction.try_execute().map_err(|error| Error::backend(format!("training failed: {error}")))?;
        let mut values = data.iter().map(|data| data.iter::<f64>().collect::<Vec<_>>());
        let mut next = || values.next().unwrap_or_default();
        Ok(Sums { loss: next(), correct: next(), finite_steps: next(), num_images: self.num_images })
    }
}
