//! Owns the passes of a network (forward, loss and backward), the choice between the two engines
//! that compute them, and the fallback from one engine to the other. Depends on `backend`, `data`,
//! `model` and `optim`. Must not know training loops, evaluation or studies.
//!
//! [`Engine::Autodiff`] uses Burn's tensors and automatic differentiation, on every backend.
//! [`Engine::Cpu`] uses smallnet's own kernels on the memory of flex tensors. Both give the same
//! results up to rounding. The functions of `cpu` return none for everything that they do not
//! compute, such as a network on another backend. Then autodiff computes it. Only this file names
//! `engine::cpu`, so no other file needs a fallback.

mod autodiff;
mod average;
#[cfg(feature = "cpu-engine")]
mod cpu;
mod metrics;
pub(crate) mod model_batch;
mod vectorized;

use burn::grad_clipping::GradientClippingConfig;
use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::tensor::Device;
use burn::train::TrainOutput;

pub use crate::backend::Engine;
pub use metrics::{LazyMetrics, MetricSums, StepMetrics};

use crate::data::Batch;
use crate::error::Result;
use crate::model::Mlp;
use crate::optim::OptimizerConfig;
use average::MovingAverage;
use model_batch::{ModelBatch, ModelBatchConfig};
use vectorized::AutodiffModelBatch;

/// Guard that keeps the threads of an engine active until it is dropped. Training and evaluation
/// are faster within a session. The results are the same without one.
#[must_use]
pub struct Session {
    #[cfg(feature = "cpu-engine")]
    _cpu: Option<cpu::Session>,
}

impl Engine {
    /// Forward and backward pass of `model` on `batch`. Returns the gradients of the mean loss by
    /// all weights and biases, and the metrics. The dropout mask follows from the batch's dropout
    /// seed.
    pub fn train_step(self, model: &Mlp, batch: &Batch) -> TrainOutput<LazyMetrics> {
        #[cfg(feature = "cpu-engine")]
        if self == Self::Cpu
            && let Some(output) = cpu::train_step(model, batch)
        {
            return output;
        }
        autodiff::train_step(model, batch)
    }

    /// Returns `model` on an autodiff device, ready for [`Engine::train_step`].
    ///
    /// The engine `cpu` computes the gradients itself. So its parameters are not leaves of a graph: making each
    /// new weight one would take a fifth of a step with 16 images, and Burn would remove them in a backward
    /// pass only.
    pub fn prepare_training(self, model: Mlp) -> Mlp {
        let model = model.train();
        #[cfg(feature = "cpu-engine")]
        if self == Self::Cpu && cpu::computes(&model) {
            return model.no_grad();
        }
        model
    }

    /// Forward pass of `model` on `batch` without dropout. Returns the metrics.
    pub fn eval_step(self, model: &Mlp, batch: &Batch) -> LazyMetrics {
        #[cfg(feature = "cpu-engine")]
        if self == Self::Cpu
            && let Some(metrics) = cpu::eval_step(model, batch)
        {
            return metrics;
        }
        autodiff::eval_step(model, batch)
    }

    /// Logits `[batch, classes]` of `batch`, row by row. `model` must be on the batch's device.
    ///
    /// # Errors
    /// A device that fails.
    pub fn logits(self, model: &Mlp, batch: &Batch) -> Result<Vec<f32>> {
        #[cfg(feature = "cpu-engine")]
        if self == Self::Cpu
            && let Some(logits) = cpu::logits(model, batch)
        {
            return Ok(logits);
        }
        autodiff::logits(model, batch)
    }

    /// Builds the optimizer. The CPU engine updates the weights in one pass, and the other one with
    /// tensors. `clipping` is applied to each tensor's gradient before the update.
    pub fn optimizer(
        self,
        config: &OptimizerConfig,
        clipping: Option<GradientClippingConfig>,
    ) -> ModuleOptimizer {
        let clipping = clipping.map(|clipping| clipping.init());
        #[cfg(feature = "cpu-engine")]
        if self == Self::Cpu {
            return cpu::optimizer(config, clipping);
        }
        let optimizer = config.rule().build();
        match clipping {
            Some(clipping) => optimizer.with_grad_clipping(clipping),
            None => optimizer,
        }
    }

    /// Returns whether the threads of a step share the loading of its images. Then a batch need not be
    /// made ahead.
    pub fn loads_in_parallel(self) -> bool {
        self == Self::Cpu
    }

    /// Moves a moving average of the weights by one step: returns `average` with each parameter a
    /// replaced by a + `share` · (w − a), where w is the same parameter of `model`. `share` is from 0
    /// to 1. `average` must not be on an autodiff device; `model` may be.
    pub fn average(self, average: Mlp, model: &Mlp, share: f32) -> Mlp {
        let step = MovingAverage { share };
        #[cfg(feature = "cpu-engine")]
        if self == Self::Cpu {
            return average.combine(model, &cpu::FusedAverage { reference: step });
        }
        average.combine(model, &step)
    }

    /// Activates the engine's threads for passes of `num_images` images at a time through `model`.
    /// The session of [`Engine::Autodiff`] does nothing.
    pub fn session(self, model: &Mlp, num_images: usize) -> Session {
        let _ = (model, num_images);
        Session {
            #[cfg(feature = "cpu-engine")]
            _cpu: if self == Self::Cpu { cpu::session(model, num_images) } else { None },
        }
    }

    /// Builds a model batch: many networks of one shape that are trained as one program. `device`
    /// must not be an autodiff device.
    pub(crate) fn model_batch(self, config: ModelBatchConfig<'_>, device: &Device) -> Box<dyn ModelBatch> {
        #[cfg(feature = "cpu-engine")]
        if self == Self::Cpu
            && let Some(models) = cpu::CpuModelBatch::new(&config)
        {
            return Box::new(models);
        }
        Box::new(AutodiffModelBatch::new(config, self, device))
    }
}
