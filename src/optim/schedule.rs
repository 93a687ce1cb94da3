//! Owns the `[schedule]` section: the learning rate during a training. All lengths are in epochs.
//! The rate is computed at every step, from the number of epochs done before it, fractions
//! included.
//! Depends on `error`. Must not know optimizers.

use std::f64::consts::PI;

use burn::lr_scheduler::{LrScheduler, LrSchedulerRecord};
use serde::{Deserialize, Serialize};

use crate::error::{Result, ensure};

/// The `[schedule]` section. In the formulas, `t` is the number of epochs done since the end of the
/// warm-up, fractions included. During the warm-up, the rate rises evenly from 0 to the optimizer's
/// learning rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum ScheduleConfig {
    /// Constant rate: the optimizer's learning rate throughout.
    Constant(Constant),
    /// Step decay: learning_rate · factor^⌊t / every_epochs⌋
    Step(StepDecay),
    /// Exponential decay: learning_rate · factor^t
    Exponential(Exponential),
    /// Cosine decay: from learning_rate to `final_learning_rate` along half a cosine wave, which
    /// ends with the training (Loshchilov and Hutter 2017, without restarts).
    Cosine(Cosine),
}

/// Constant schedule: the optimizer's learning rate throughout.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Constant {
    /// Epochs of warm-up, fractions allowed.
    pub warmup_epochs: f64,
}

/// Step decay: the learning rate drops every `every_epochs` epochs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StepDecay {
    /// Epochs of warm-up, fractions allowed.
    pub warmup_epochs: f64,
    /// Epochs between two drops, above 0.
    pub every_epochs: f64,
    /// Factor by which each drop multiplies the rate, above 0 and at most 1.
    pub factor: f64,
}

impl Default for StepDecay {
    fn default() -> Self {
        Self { warmup_epochs: 0.0, every_epochs: 3.0, factor: 0.5 }
    }
}

/// Exponential decay: the learning rate falls by the same factor in every epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Exponential {
    /// Epochs of warm-up, fractions allowed.
    pub warmup_epochs: f64,
    /// Factor by which each epoch multiplies the rate, above 0 and at most 1.
    pub factor: f64,
}

impl Default for Exponential {
    fn default() -> Self {
        Self { warmup_epochs: 0.0, factor: 0.9 }
    }
}

/// Cosine decay: the learning rate follows half a cosine wave.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cosine {
    /// Epochs of warm-up, fractions allowed.
    pub warmup_epochs: f64,
    /// Learning rate at the end of the training, from 0 to the optimizer's learning rate.
    pub final_learning_rate: f64,
}

impl Default for ScheduleConfig {
    fn default() -> Self {
        Self::Constant(Constant::default())
    }
}

impl ScheduleConfig {
    /// Kinds of schedules in experiment files, one per variant.
    pub const KINDS: [&'static str; 4] = ["constant", "step", "exponential", "cosine"];

    /// Returns the number of epochs in which the rate rises from 0.
    pub fn warmup_epochs(&self) -> f64 {
        match self {
            Self::Constant(constant) => constant.warmup_epochs,
            Self::Step(step) => step.warmup_epochs,
            Self::Exponential(exponential) => exponential.warmup_epochs,
            Self::Cosine(cosine) => cosine.warmup_epochs,
        }
    }

    /// Checks every value's range. It depends on the optimizer's learning rate and the number of
    /// epochs.
    ///
    /// # Errors
    /// The first value that is out of range, named by its key.
    pub fn check(&self, learning_rate: f64, num_epochs: usize) -> Result<()> {
        let warmup = self.warmup_epochs();
        let limit = format!("a number from 0 to `training.num_epochs`, {num_epochs}");
        ensure((0.0..=num_epochs as f64).contains(&warmup), "schedule.warmup_epochs", warmup, &limit)?;
        match self {
            Self::Constant(_) => Ok(()),
            Self::Step(step) => {
                let every = step.every_epochs;
                let positive = every > 0.0 && every.is_finite();
                ensure(positive, "schedule.every_epochs", every, "a number above 0")?;
                check_factor(step.factor)
            }
            Self::Exponential(decay) => check_factor(decay.factor),
            Self::Cosine(cosine) => {
                let last = cosine.final_learning_rate;
                let limit = format!("a number from 0 to `optimizer.learning_rate`, {learning_rate}");
                ensure((0.0..=learning_rate).contains(&last), "schedule.final_learning_rate", last, &limit)
            }
        }
    }

    /// Returns the learning rate of the step that starts after `epochs` of `num_epochs` epochs.
    /// `base` is the optimizer's learning rate.
    pub fn learning_rate(&self, base: f64, epochs: f64, num_epochs: usize) -> f64 {
        let warmup = self.warmup_epochs();
        if epochs < warmup {
            return base * epochs / warmup;
        }
        let t = epochs - warmup;
        match self {
            Self::Constant(_) => base,
            Self::Step(step) => base * step.factor.powf((t / step.every_epochs).floor()),
            Self::Exponential(decay) => base * decay.factor.powf(t),
            Self::Cosine(cosine) => {
                let last = cosine.final_learning_rate;
                let length = num_epochs as f64 - warmup;
                let done = if length > 0.0 { (t / length).min(1.0) } else { 1.0 };
                last + (base - last) * 0.5 * (1.0 + (PI * done).cos())
            }
        }
    }
}

fn check_factor(factor: f64) -> Result<()> {
    ensure(factor > 0.0 && factor <= 1.0, "schedule.factor", factor, "a number above 0 and at most 1")
}

/// Schedule in the form of Burn's scheduler. It counts steps and converts them to epochs.
#[derive(Debug, Clone)]
pub struct Schedule {
    config: ScheduleConfig,
    /// Optimizer's learning rate.
    base: f64,
    num_epochs: usize,
    steps_per_epoch: usize,
    /// Steps done.
    steps: usize,
}

impl Schedule {
    /// Returns a schedule at its start. `base` is the optimizer's learning rate.
    pub fn new(config: ScheduleConfig, base: f64, num_epochs: usize, steps_per_epoch: usize) -> Self {
        Self { config, base, num_epochs, steps_per_epoch, steps: 0 }
    }
}

impl Schedule {
    /// Returns the learning rate of a step, counted from 0 over the whole training.
    pub fn rate(&self, step: usize) -> f64 {
        // In the warm-up, the position includes the step itself: so no step trains at rate 0, and
        // the last one has the full rate. Subtracting 1e-9 keeps the number of warm-up steps
        // independent of the last bit of the product.
        let warmup_steps = (self.config.warmup_epochs() * self.steps_per_epoch as f64 - 1e-9).ceil() as usize;
        let position = if step < warmup_steps { step + 1 } else { step };
        let epochs = position as f64 / self.steps_per_epoch as f64;
        self.config.learning_rate(self.base, epochs, self.num_epochs)
    }

    /// Returns the learning rate of a step of an epoch, both counted from 1.
    pub fn rate_in_epoch(&self, epoch: usize, step: usize) -> f64 {
        self.rate((epoch - 1) * self.steps_per_epoch + step - 1)
    }
}

impl LrScheduler for Schedule {
    fn step(&mut self) -> f64 {
        self.steps += 1;
        self.rate(self.steps - 1)
    }

    fn to_record(&self) -> LrSchedulerRecord {
        LrSchedulerRecord::new().with_scalar("steps", self.steps as u64)
    }

    fn load_record(&mut self, record: LrSchedulerRecord) {
        self.steps = record.scalar::<u64>("steps").unwrap_or(0) as usize;
    }
}

#[cfg(test)]
mod tests;
