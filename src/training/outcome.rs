//! What a training leaves behind beside its weights: a record an epoch, and how it ended.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::util::files;

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
    /// Training images per second; none where the clock did not move meanwhile.
    pub images_per_second: Option<f64>,
}

impl EpochRecord {
    /// Its line of `metrics.jsonl`, with the line feed.
    ///
    /// # Errors
    /// None that is known.
    pub(crate) fn line(&self) -> Result<String> {
        Ok(files::to_json(self)? + "\n")
    }

    /// The images per second of `num_images` in `seconds`: none where that is no finite number, which JSON does not have.
    pub fn rate(num_images: usize, seconds: f64) -> Option<f64> {
        Some(num_images as f64 / seconds).filter(|rate| rate.is_finite())
    }

    /// The epoch of the lowest validation loss, the first of several; the last epoch where no images were held out.
    pub fn best(epochs: &[Self]) -> Option<usize> {
        let validated = epochs.iter().filter_map(|epoch| Some((epoch.epoch, epoch.validation_loss?)));
        let best = validated.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(epoch, _)| epoch);
        best.or(epochs.last().map(|epoch| epoch.epoch))
    }

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
pub enum StopReason {
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
    pub symptom: DivergenceCause,
    /// The learning rate that led there.
    pub learning_rate: f64,
}

/// Which number is infinite, or not a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum DivergenceCause {
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

/// A number that is not finite, with what it can be blamed on.
pub(crate) fn diverged(what: &impl fmt::Display) -> Error {
    Error::diverged(format!("training diverged: {what}"))
        .hint("lower `optimizer.learning_rate`, or set `training.clip_norm`")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_that_took_no_time_has_no_rate_and_is_read_again() {
        let record = |seconds| EpochRecord {
            epoch: 1,
            train_loss: 0.1 + 0.2,
            train_accuracy: 0.5,
            validation_loss: None,
            validation_accuracy: None,
            learning_rate: 1.0,
            seconds,
            images_per_second: EpochRecord::rate(600, seconds),
        };
        assert_eq!(record(0.5).images_per_second, Some(1200.0));
        for seconds in [0.0, 0.5, 1e-9] {
            let line = serde_json::to_string(&record(seconds)).unwrap();
            assert_eq!(serde_json::from_str::<EpochRecord>(&line).unwrap(), record(seconds), "{line}");
        }
        // No images in no time are no number, either.
        assert_eq!(EpochRecord::rate(0, 0.0), None);
    }
}
