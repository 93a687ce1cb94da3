//! Owns the model batch with tensors: many networks of one shape that are trained as one program,
//! with batched matrix products. Every network learns what it would learn by itself, up to rounding. Depends on
//! `data`, `model`, `optim` and the choice of an optimizer in `engine`. Must not know epochs,
//! schedules or studies.
//!
//! Networks that see the same batches form a group. The first layers of a group stand next to each
//! other in one weight matrix. So one product computes all of them from one batch of images. Deeper
//! layers are batched products, with one matrix per network. [`AutodiffModelBatch`] computes with
//! tensors. `engine::cpu` has another implementation of [`ModelBatch`], for softmax networks alone.

mod layers;
mod update;

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData, Transaction, activation::log_softmax};

use crate::backend::Engine;
use crate::data::Split;
use crate::engine::model_batch::{GroupBatch, ModelBatch, ModelBatchConfig, Shape, Sums};
use crate::error::{Error, Result};
use layers::Layers;
use update::Update;

/// Model batch with tensors, on every backend. Its metrics and the gradient by the logits are
/// written out here; autodiff computes the gradients of the weights from them.
pub(crate) struct AutodiffModelBatch {
    shape: Shape,
    layers: Layers,
    update: Update,
    /// Label smoothing of each network, `[groups, group_size, 1, 1]`; none if no network smooths
    /// its targets.
    label_smoothing: Option<Tensor<4>>,
    /// Device for training: an autodiff device.
    device: Device,
    sums: DeviceSums,
}

impl AutodiffModelBatch {
    /// Builds the networks on `device`, which must not be an autodiff device. `engine` builds the
    /// optimizer.
    pub(crate) fn new(config: ModelBatchConfig<'_>, engine: Engine, device: &Device) -> Self {
        let training = device.clone().autodiff();
        let layers = Layers::new(&config, &training);
        let ModelBatchConfig { shape, optimizer, weight_decays, label_smoothing, .. } = config;
        let update = Update::new(&layers, &shape, optimizer, engine, &weight_decays, device);
        let is_smoothed = label_smoothing.iter().any(|&share| share > 0.0);
        let label_smoothing = is_smoothed.then(|| {
            let shares = label_smoothing.iter().map(|&share| share as f32).collect();
            Tensor::from_data(TensorData::new(shares, [shape.num_groups, shape.group_size, 1, 1]), device)
        });
        let sums = DeviceSums::new(shape.num_models(), device);
        Self { shape, layers, update, label_smoothing, device: training, sums }
    }

    /// Metrics of a batch from its `[models, batch, classes]` logits and its one-hot targets
    /// `[groups, 1, batch, classes]`, and the gradient of the mean loss by the logits,
    /// `[models, batch, classes]`.
    fn metrics_and_gradient(
        &self,
        logits: Tensor<3>,
        targets: &Tensor<4>,
        label_smoothing: Option<&Tensor<4>>,
    ) -> (BatchMetrics, Tensor<3>) {
        let [models, batch, classes] = logits.dims();
        let Shape { num_groups, group_size, .. } = self.shape;
        let logits = logits.reshape([num_groups, group_size, batch, classes]);
        let one_hot = targets.clone().expand([num_groups, group_size, batch, classes]);
        let smoothed = match label_smoothing {
            None => one_hot.clone(),
            Some(share) => one_hot.clone() * (-share.clone() + 1.0) + share.clone() / classes as f64,
        };
        let predicted = logits.clone().argmax(3); // [groups, group_size, batch, 1]
        let correct = one_hot.gather(3, predicted).sum_dim(2).int().reshape([models]);
        let log_probabilities = log_softmax(logits, 3);
        let loss = -(smoothed.clone() * log_probabilities.clone()).sum_dim(3).mean_dim(2).reshape([models]);
        // Softmax and cross-entropy together: probabilities minus targets (Bishop 2006, equation
        // 4.109).
        let gradient = (log_probabilities.exp() - smoothed) / batch as f64;
        (BatchMetrics { loss, correct }, gradient.reshape([models, batch, classes]))
    }
}

impl ModelBatch for AutodiffModelBatch {
    fn train_step(&mut self, batches: &[GroupBatch<'_>], learning_rates: &[f64]) {
        let (images, targets) = gather(batches, &self.shape, &self.device);
        let logits = self.layers.forward(images, &self.shape); // [models, batch, classes]
        let (metrics, gradient) =
            self.metrics_and_gradient(logits.clone().inner(), &targets, self.label_smoothing.as_ref());
        // The gradient G of the loss by the logits is known. The sum of logits · G, with G
        // constant, has the same gradient. So its backward pass gives the gradients of all weights.
        let gradients = (logits * Tensor::from_inner(gradient)).sum().backward();
        self.update.apply(&mut self.layers, gradients, learning_rates);
        self.sums.add(metrics, batches[0].positions.len());
    }

    fn eval_step(&mut self, batches: &[GroupBatch<'_>]) {
        let (images, targets) = gather(batches, &self.shape, &self.device.clone().inner());
        let logits = self.layers.valid().forward(images, &self.shape);
        let (metrics, _) = self.metrics_and_gradient(logits, &targets, None);
        self.sums.add(metrics, batches[0].positions.len());
    }

    fn correct_images(&self, batches: &[GroupBatch<'_>]) -> Result<Vec<Vec<bool>>> {
        let Shape { num_groups, group_size, .. } = self.shape;
        let (images, targets) = gather(batches, &self.shape, &self.device.clone().inner());
        let logits = self.layers.valid().forward(images, &self.shape);
        let [_, batch, classes] = logits.dims();
        let predicted = logits.reshape([num_groups, group_size, batch, classes]).argmax(3);
        let correct = targets.expand([num_groups, group_size, batch, classes]).gather(3, predicted);
        let data = correct
            .try_into_data()
            .map_err(|error| Error::backend(format!("the validation failed: {error}")))?;
        let correct: Vec<bool> = data.iter::<f32>().map(|value| value > 0.5).collect();
        Ok(correct.chunks(batch.max(1)).map(<[bool]>::to_vec).collect())
    }

    fn take_sums(&mut self) -> Result<Sums> {
        let zeros = DeviceSums::new(self.shape.num_models(), &self.device.clone().inner());
        std::mem::replace(&mut self.sums, zeros).read()
    }
}

/// Gathers one batch per group: images `[groups, batch, pixels]` in [0, 1] on `device`, and one-hot
/// targets `[groups, 1, batch, classes]`, which are never tracked for gradients.
fn gather(batches: &[GroupBatch<'_>], shape: &Shape, device: &Device) -> (Tensor<3>, Tensor<4>) {
    let (pixels, classes) = (shape.num_pixels(), shape.num_classes());
    let size = batches[0].positions.len();
    let parts: Vec<_> = batches.iter().map(|batch| (batch.split, batch.positions)).collect();
    if let Some((images, labels)) = Split::gather_held(&parts) {
        let all = [labels.dims()[0], classes];
        let numbers = Tensor::<1, Int>::arange(0..classes as i64, &labels.device());
        let targets = labels.unsqueeze_dim::<2>(1).expand(all).equal(numbers.unsqueeze::<2>().expand(all));
        let images = images.reshape([shape.num_groups, size, pixels]);
        let images = if device.is_autodiff() { images.autodiff() } else { images };
        return (images, targets.float().reshape([shape.num_groups, 1, size, classes]));
    }
    let mut images = Vec::with_capacity(shape.num_groups * size * pixels);
    let mut targets = Vec::with_capacity(shape.num_groups * size * classes);
    for GroupBatch { split, positions } in batches {
        for &position in *positions {
            split.pixels(position as usize).append_normalized(&mut images);
            let label = split.label(position as usize);
            targets.extend((0..classes).map(|class| f32::from(class == usize::from(label))));
        }
    }
    let plain = device.clone().inner();
    (
        Tensor::from_data(TensorData::new(images, [shape.num_groups, size, pixels]), device),
        Tensor::from_data(TensorData::new(targets, [shape.num_groups, 1, size, classes]), &plain),
    )
}

/// Metrics of one batch, one entry per network.
struct BatchMetrics {
    /// Mean loss over the batch, `[models]`.
    loss: Tensor<1>,
    /// Number of correct images, `[models]`.
    correct: Tensor<1, Int>,
}

/// [`Sums`] on the device, each tensor `[models]`.
struct DeviceSums {
    loss: Tensor<1>,
    correct: Tensor<1, Int>,
    finite_steps: Tensor<1, Int>,
    num_images: usize,
}

impl DeviceSums {
    fn new(num_models: usize, device: &Device) -> Self {
        Self {
            loss: Tensor::zeros([num_models], device),
            correct: Tensor::zeros([num_models], device),
            finite_steps: Tensor::zeros([num_models], device),
            num_images: 0,
        }
    }

    fn add(&mut self, metrics: BatchMetrics, num_images: usize) {
        let sum = self.loss.clone() + metrics.loss * num_images as f64;
        // A sum that is not finite stays so.
        self.finite_steps = self.finite_steps.clone() + sum.clone().is_finite().int();
        self.loss = sum;
        self.correct = self.correct.clone() + metrics.correct;
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
