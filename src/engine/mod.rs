//! Owns how the passes of a network are computed: the choice between two engines, which give the same results up to
//! rounding. [`Engine::Autodiff`] takes Burn's tensors and automatic differentiation, [`Engine::Cpu`] smallnet's own
//! kernels. This file is the only one that names `engine::cpu`, and the only one that falls back from it.
//! Depends on `data`, `model`, `optim` and `backend`. Must not know training loops, evaluation or studies.

mod autodiff;
#[cfg(feature = "cpu-engine")]
mod cpu;
mod metrics;
pub(crate) mod vectorized;

use burn::grad_clipping::GradientClippingConfig;
use burn::optim::ModuleOptimizer;
use burn::tensor::Device;
use burn::train::TrainOutput;

pub use crate::backend::Engine;
pub use metrics::{LazyMetrics, MetricSums, StepMetrics};

use crate::data::Batch;
use crate::error::Result;
use crate::model::Mlp;
use crate::optim::OptimizerConfig;
use vectorized::{AutodiffModelBatch, ModelBatch, ModelBatchConfig};

/// Keeps the threads of an engine active until it is dropped. Training and evaluation are faster within a session; the
/// results are the same without one.
#[must_use]
pub struct Session {
    #[cfg(feature = "cpu-engine")]
    _cpu: Option<cpu::Session>,
}

impl Engine {
    /// Forward and backward pass of `model` on `batch`: returns the gradients of the mean loss by all weights, and the
    /// metrics. The batch's dropout seed decides what dropout leaves out.
    pub fn train_step(self, model: &Mlp, batch: &Batch) -> TrainOutput<LazyMetrics> {
        #[cfg(feature = "cpu-engine")]
        if self == Self::Cpu
            && let Some(output) = cpu::train_step(model, batch)
        {
            return output;
        }
        autodiff::train_step(model, batch)
    }

    /// Forward pass of `model` on `batch` without dropout: returns the metrics.
    pub fn eval_step(self, model: &Mlp, batch: &Batch) -> LazyMetrics {
        #[cfg(feature = "cpu-engine")]
        if self == Self::Cpu
            && let Some(metrics) = cpu::eval_step(model, batch)
        {
            return metrics;
        }
        autodiff::eval_step(model, batch)
    }

    /// Logits `[batch, classes]` of a batch, row by row; `model` must be on the batch's device.
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

    /// Builds the optimizer; `clipping` is applied to each tensor's gradient before the update.
    pub fn optimizer(
        self,
        config: &OptimizerConfig,
        clipping: Option<GradientClippingConfig>,
    ) -> ModuleOptimizer {
        #[cfg(feature = "cpu-engine")]
        let fused = if self == Self::Cpu { cpu::optimizer(config) } else { None };
        #[cfg(not(feature = "cpu-engine"))]
        let fused = None;
        let optimizer = fused.unwrap_or_else(|| config.rule().build());
        match clipping {
            Some(clipping) => optimizer.with_grad_clipping(clipping.init()),
            None => optimizer,
        }
    }

    /// Activates the engine's threads for passes of `num_images` images at a time through `model`.
    pub fn session(self, model: &Mlp, num_images: usize) -> Session {
        let _ = (model, num_images);
        Session {
            #[cfg(feature = "cpu-engine")]
            _cpu: if self == Self::Cpu { cpu::session(model, num_images) } else { None },
        }
    }

    /// Builds many networks of one shape that are trained in one batch on `device`, which must not be an autodiff device.
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
