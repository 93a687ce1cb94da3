//! Owns the `[training]` section: epochs, batch size, label smoothing, mixup, clipping, the average of the
//! weights and early stopping.
//! Depends on `data`, `model` and `optim`, whose sections are part of the hyperparameters. Must not know
//! the loop.

use burn::grad_clipping::GradientClippingConfig;
use serde::{Deserialize, Serialize};

use crate::data::AugmentationConfig;
use crate::error::{Error, Result, ensure};
use crate::model::MlpConfig;
use crate::optim::{OptimizerConfig, ScheduleConfig};

/// Sections of an experiment that describe a training, without its data and its seed.
#[derive(Debug, Clone, Copy)]
pub struct Hyperparameters<'a> {
    /// The `[augmentation]` section.
    pub augmentation: &'a AugmentationConfig,
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
    /// Images per step. The last batch of an epoch has the remaining images, which can be fewer.
    pub batch_size: usize,
    /// Number of passes over all training images.
    pub num_epochs: usize,
    /// Share of each target's probability that is spread evenly over all classes, in [0, 1).
    pub label_smoothing: f64,
    /// α of mixup, from 0.001 to 4: each image is mixed with another one of its batch, with shares
    /// from Beta(α, α), and their losses with the same shares. See [`Mixup`](crate::data::Mixup).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mixup: Option<f64>,
    /// Largest L2 norm of each tensor's gradient, above 0. A larger gradient is scaled down to it
    /// (Keras' `clipnorm`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
    /// Largest absolute value of each gradient element, above 0. Larger ones are cut off (Keras'
    /// `clipvalue`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_value: Option<f64>,
    /// Decay of the exponential moving average of the weights, between 0 and 1 (Keras'
    /// `ema_momentum`). With it, the average is the network that is validated, saved and tested.
    /// In the first steps, the decay is smaller: after n steps, it is at most (1 + n) / (10 + n).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub average: Option<f64>,
    /// Early stopping: the training ends before the last epoch if the validation loss no longer
    /// falls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<EarlyStopping>,
}

impl Default for TrainingConfig {
    fn default() -> Self {
        Self {
            batch_size: 128,
            num_epochs: 10,
            label_smoothing: 0.0,
            mixup: None,
            clip_norm: None,
            clip_value: None,
            average: None,
            early_stopping: None,
        }
    }
}

/// The `[training.early_stopping]` section. The training ends after `patience` epochs without a
/// lower validation loss.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EarlyStopping {
    /// Epochs without improvement after which the training stops, at least 1.
    pub patience: usize,
    /// Margin of an improvement, from 0: the validation loss must be lower by more than this.
    pub min_delta: f64,
    /// True if the run's model has the weights of the best epoch, false if it has those of the last
    /// epoch.
    pub restore_best: bool,
}

impl Default for EarlyStopping {
    fn default() -> Self {
        Self { patience: 3, min_delta: 0.0, restore_best: true }
    }
}

/// Largest batch size and largest number of epochs that are accepted.
const MAX_COUNT: usize = 1_000_000;

impl TrainingConfig {
    /// Checks every value's range. `validation` is the number of validation images.
    ///
    /// # Errors
    /// The first value that is out of range, two kinds of clipping, or early stopping without
    /// validation images.
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
        if let Some(alpha) = self.mixup {
            let expected = "a number from 0.001 to 4, such as 0.2";
            ensure((0.001..=4.0).contains(&alpha), "training.mixup", alpha, expected)?;
        }
        if let Some(decay) = self.average {
            let expected = "a number between 0 and 1, such as 0.999";
            ensure(decay > 0.0 && decay < 1.0, "training.average", decay, expected)?;
        }
        match &self.early_stopping {
            Some(stopping) => stopping.check(validation),
            None => Ok(()),
        }
    }

    /// Returns the gradient clipping in the form that Burn's optimizers take.
    pub fn clipping(&self) -> Option<GradientClippingConfig> {
        let norm = self.clip_norm.map(|norm| GradientClippingConfig::Norm(norm as f32));
        norm.or(self.clip_value.map(|value| GradientClippingConfig::Value(value as f32)))
    }

    /// Returns the steps per epoch over `num_images`. The last, shorter batch counts as one step.
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
