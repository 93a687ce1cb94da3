//! Owns the outcome of a training without its weights: one record per epoch, and the reason of the
//! end.
//! Depends on `error` and `util`. Must not know the loop.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::util::files;

/// Record of one epoch: a line of `metrics.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Epoch, counted from 1.
    pub epoch: usize,
    /// Mean loss over the training images. Each batch is evaluated just before the step that learns
    /// from it.
    pub train_loss: f64,
    /// Share of training images classified correctly, in [0, 1], evaluated at the same time as the
    /// loss.
    pub train_accuracy: f64,
    /// Mean loss over the validation images, after the epoch; `None` without such images.
    pub validation_loss: Option<f64>,
    /// Share of validation images classified correctly, in [0, 1], after the epoch; `None` without
    /// such images.
    pub validation_accuracy: Option<f64>,
    /// Learning rate of the epoch's last step.
    pub learning_rate: f64,
    /// Wall-clock time of the epoch's training steps, without validation and checkpoints.
    pub seconds: f64,
    /// Training images per second; `None` if the clock did not advance meanwhile.
    pub images_per_second: Option<f64>,
}

impl EpochRecord {
    /// Returns the record's line of `metrics.jsonl`, with the line feed.
    ///
    /// # Errors
    /// No error is known.
    pub(crate) fn line(&self) -> Result<String> {
        Ok(files::to_json(self)? + "\n")
    }

    /// Returns the images per second of `num_images` in `seconds`. Returns `None` if the result is
    /// not finite, because JSON has no such number.
    pub fn rate(num_images: usize, seconds: f64) -> Option<f64> {
        Some(num_images as f64 / seconds).filter(|rate| rate.is_finite())
    }

    /// Returns the epoch of the lowest validation loss, the first of several. Without validation
    /// images, it is the last epoch. Returns `None` without epochs.
    pub fn best(epochs: &[Self]) -> Option<usize> {
        let validated = epochs.iter().filter_map(|epoch| Some((epoch.epoch, epoch.validation_loss?)));
        let best = validated.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(epoch, _)| epoch);
        best.or(epochs.last().map(|epoch| epoch.epoch))
    }

    /// Returns the median of the epochs' times, in seconds. Returns `None` without epochs.
    pub fn median_seconds(epochs: &[Self]) -> Option<f64> {
        let mut seconds: Vec<f64> = epochs.iter().map(|epoch| epoch.seconds).collect();
        seconds.sort_by(f64::total_cmp);
        let upper = *seconds.get(seconds.len() / 2)?;
        let is_odd = seconds.len() % 2 == 1;
        Some(if is_odd { upper } else { (seconds[seconds.len() / 2 - 1] + upper) / 2.0 })
    }
}

/// Reason why a training ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum StopReason {
    /// A number that is not finite. Everything learned after it would be noise.
    Diverged(Divergence),
    /// The end of the last epoch.
    Finished,
    /// Early stopping, after a whole epoch.
    Early,
    /// A request, after the given number of steps in this epoch.
    Interrupted {
        /// Epoch, counted from 1.
        epoch: usize,
        /// Steps done in this epoch.
        step: usize,
    },
}

/// Place and cause of a divergence, which is a number that is not finite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Divergence {
    /// Epoch, counted from 1.
    pub epoch: usize,
    /// Number that is not finite.
    pub cause: DivergenceCause,
    /// Learning rate of the step at which it was found.
    pub learning_rate: f64,
}

/// Number that is infinite or not a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum DivergenceCause {
    /// Loss of a step.
    Loss {
        /// Value of the loss.
        loss: f64,
        /// Step, counted from 1 in its epoch.
        step: usize,
    },
    /// Weight after a step.
    Weight {
        /// Step, counted from 1 in its epoch.
        step: usize,
    },
    /// Mean loss over the validation images, after the epoch.
    ValidationLoss(f64),
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let epoch = self.epoch;
        match self.cause {
            DivergenceCause::Loss { loss, step } => {
                write!(f, "the loss is {loss} in epoch {epoch}, step {step}")
            }
            DivergenceCause::Weight { step } => {
                write!(f, "a weight is no finite number in epoch {epoch}, after step {step}")
            }
            DivergenceCause::ValidationLoss(loss) => {
                write!(f, "the validation loss is {loss} after epoch {epoch}")
            }
        }?;
        write!(f, ", at learning rate {}", self.learning_rate)
    }
}

/// Returns the error of a training that diverged, with a hint. `what` describes the number that is
/// not finite.
pub(crate) fn diverged(what: &impl fmt::Display) -> Error {
    Error::diverged(format!("training diverged: {what}"))
        .hint("lower `optimizer.learning_rate`, or set `training.clip_norm`")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
