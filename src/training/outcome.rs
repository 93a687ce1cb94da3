//! What a training leaves behind beside its weights: a record an epoch, and how it ended.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// What an epoch measured: a line of `metrics.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Counted from 1.
    pub epoch: usize,
    /// Mean loss over the training images, each measured just before the step that learned from it.
    pub train_loss: f64,
    /// Share of training images classified correctly, measured likewise.
    pub train_accuracy: f64,
    /// Mean loss over the images held out, after the epoch; none without such images.
    pub validation_loss: Option<f64>,
    /// Share of the images held out that were classified correctly, after the epoch.
    pub validation_accuracy: Option<f64>,
    /// The learning rate of the epoch's last step.
    pub learning_rate: f64,
    /// Wall-clock time of the epoch's training steps, without validation and checkpoint.
    pub seconds: f64,
    /// Training images in a second.
    pub images_per_second: f64,
}

impl EpochRecord {
    /// The median of the epochs' times, in seconds; none without epochs.
    pub fn median_seconds(epochs: &[Self]) -> Option<f64> {
        let mut seconds: Vec<f64> = epochs.iter().map(|epoch| epoch.seconds).collect();
        seconds.sort_by(f64::total_cmp);
        let upper = *seconds.get(seconds.len() / 2)?;
        let is_odd = seconds.len() % 2 == 1;
        Some(if is_odd { upper } else { (seconds[seconds.len() / 2 - 1] + upper) / 2.0 })
    }
}

/// How training ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum End {
    /// At a number that is not finite: what had been learned after it would be noise.
    Diverged(Divergence),
    /// After the last epoch.
    Finished,
    /// By early stopping, after a whole epoch.
    Early,
    /// On request, after the given number of steps in this epoch.
    Interrupted {
        /// The epoch, counted from 1.
        epoch: usize,
        /// Steps done in it.
        step: usize,
    },
}

/// A number that is not finite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Divergence {
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// Which number.
    pub symptom: Symptom,
    /// The learning rate that led there.
    pub learning_rate: f64,
}

/// Which number is infinite, or not a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Symptom {
    /// The loss of a step, counted from 1 in its epoch.
    Loss {
        /// The loss.
        loss: f64,
        /// The step.
        step: usize,
    },
    /// A weight after a step, counted likewise.
    Weight {
        /// The step.
        step: usize,
    },
    /// The loss over the images held out, after the epoch.
    ValidationLoss(f64),
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let epoch = self.epoch;
        match self.symptom {
            Symptom::Loss { loss, step } => write!(f, "the loss is {loss} in epoch {epoch}, step {step}"),
            Symptom::Weight { step } => {
                write!(f, "a weight is no finite number in epoch {epoch}, after step {step}")
            }
            Symptom::ValidationLoss(loss) => write!(f, "the validation loss is {loss} after epoch {epoch}"),
        }?;
        write!(f, ", at learning rate {}", self.learning_rate)
    }
}

/// A number that is not finite, with what it can be blamed on.
pub(crate) fn diverged(what: &impl fmt::Display) -> Error {
    Error::new(format!("training diverged: {what}"))
        .hint("lower `optimizer.learning_rate`, or set `training.clip_norm`")
}
