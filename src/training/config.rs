//! The `[training]` section: how long, in what batches, and when to stop.

use burn::grad_clipping::GradientClippingConfig;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, ensure};
use crate::model::MlpConfig;
use crate::optim::{OptimizerConfig, ScheduleConfig};

/// The sections of an experiment that describe a training, apart from its data and its seed.
#[derive(Debug, Clone, Copy)]
pub struct Hyperparameters<'a> {
    /// The `[model]` section.
    pub model: &'a MlpConfig,
    /// The `[optimizer]` section.
    pub optimizer: &'a OptimizerConfig,
    /// The `[schedule]` section.
    pub schedule: &'a ScheduleConfig,
    /// The `[training]` section.
    pub training: &'a TrainingConfig,
}

/// The `[training]` section.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainingConfig {
    /// Images in a step; the last batch of an epoch holds what remains.
    pub batch_size: usize,
    /// How often training goes through all training images.
    pub num_epochs: usize,
    /// The share, in [0, 1), of each target's probability that is spread evenly over all classes.
    pub label_smoothing: f64,
    /// Scales each tensor's gradient down to this L2 norm (Keras' `clipnorm`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
    /// Cuts each gradient element off at ± this value (Keras' `clipvalue`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_value: Option<f64>,
    /// Stops before the last epoch when the validation loss no longer falls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<EarlyStopping>,
}

impl Default for TrainingConfig {
    fn default() -> Self {
        Self {
            batch_size: 128,
            num_epochs: 10,
            label_smoothing: 0.0,
            clip_norm: None,
            clip_value: None,
            early_stopping: None,
        }
    }
}

/// `[training.early_stopping]`: training ends after `patience` epochs without a lower validation loss.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EarlyStopping {
    /// Epochs without improvement after which training stops, at least 1.
    pub patience: usize,
    /// By how much the validation loss must fall to count as an improvement.
    pub min_delta: f64,
    /// Whether the best epoch's weights become the run's model instead of the last epoch's.
    pub restore_best: bool,
}

impl Default for EarlyStopping {
    fn default() -> Self {
        Self { patience: 3, min_delta: 0.0, restore_best: true }
    }
}

/// The largest batch and the longest training accepted.
const MAX_COUNT: usize = 1_000_000;

impl TrainingConfig {
    /// Checks every value's range; `validation` is the number of images held out.
    pub fn check(&self, validation: usize) -> Result<()> {
        let count = |key, value| {
            ensure((1..=MAX_COUNT).contains(&value), key, value, "a whole number from 1 to 1000000")
        };
        count("training.batch_size", self.batch_size)?;
        count("training.num_epochs", self.num_epochs)?;
        let smoothing = self.label_smoothing;
        let fraction = "a number from 0 up to, not with, 1";
        ensure((0.0..1.0).contains(&smoothing), "training.label_smoothing", smoothing, fraction)?;
        for (key, value) in [("clip_norm", self.clip_norm), ("clip_value", self.clip_value)] {
            let value = value.unwrap_or(1.0);
            let positive = value > 0.0 && value.is_finite();
            ensure(positive, &format!("training.{key}"), value, "a number above 0")?;
        }
        if self.clip_norm.is_some() && self.clip_value.is_some() {
            return Err(Error::config("`training.clip_norm` and `training.clip_value` are both set")
                .hint("keep one of them"));
        }
        match &self.early_stopping {
            Some(stopping) => stopping.check(validation),
            None => Ok(()),
        }
    }

    /// Gradient clipping as Burn's optimizers take it.
    pub fn clipping(&self) -> Option<GradientClippingConfig> {
        let norm = self.clip_norm.map(|norm| GradientClippingConfig::Norm(norm as f32));
        norm.or(self.clip_value.map(|value| GradientClippingConfig::Value(value as f32)))
    }

    /// Steps in an epoch over `num_images`: the last, shorter batch counts as one.
    pub fn steps_per_epoch(&self, num_images: usize) -> usize {
        num_images.div_ceil(self.batch_size)
    }
}

impl EarlyStopping {
    fn check(&self, validation: usize) -> Result<()> {
        let delta = self.min_delta;
        let patience = self.patience;
        ensure(patience >= 1, "training.early_stopping.patience", patience, "a whole number from 1")?;
        let not_negative = delta >= 0.0 && delta.is_finite();
        ensure(not_negative, "training.early_stopping.min_delta", delta, "a number from 0")?;
        if validation == 0 {
            return Err(Error::config("`training.early_stopping` is set, but `data.validation` is 0").hint(
                "early stopping watches the validation loss: hold images out, such as `data.validation=10000`",
            ));
        }
        Ok(())
    }
}
