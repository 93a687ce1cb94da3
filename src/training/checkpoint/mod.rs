//! Owns checkpoints. A checkpoint is the whole state of a training in one folder, which exists
//! completely or not at all:
//!
//! ```text
//! checkpoint/epoch-3/           after epoch 3; `epoch-3-step-120` is 120 steps later, in epoch 4
//!   model.bpk       the weights           ┐
//!   optimizer.bpk   momentum and the like ├ Burn's records
//!   scheduler.bpk   steps done            ┘
//!   state.json      everything else
//!   SHA256SUMS      digests of the others; `sha256sum -c SHA256SUMS` checks them
//! ```
//!
//! In a training with an average of the weights, `model.bpk` is the average. A further file,
//! `trained.bpk`, has the weights that the optimizer updates. So `model.bpk` is always the network
//! that was validated and that predicts.
//!
//! Random numbers need no state. The order, the changes and the mixtures of the images and the
//! dropout masks are drawn again from the seed for every epoch and step.
//!
//! Depends on `model`, `optim`, the metrics of `engine`, and `util`. Must not know run folders.

mod channels;
mod config;
mod metrics_digest;
mod size_limits;
mod store;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod writer;

use serde::{Deserialize, Serialize};

use crate::engine::MetricSums;
use crate::error::{Error, Result};
use crate::model::{Mlp, load_weights};
use crate::training::early_stopping::BestEpoch;

pub(super) use channels::{RecordReceivers, SaveOnRequest, channel_checkpointers};
pub use config::CheckpointConfig;
pub use metrics_digest::MetricsDigest;
pub use size_limits::SizeLimits;
pub(super) use store::MODEL;
pub use store::{Position, Store, read_checkpointed_weights};
pub(super) use writer::CheckpointWriter;

/// Newest format of checkpoints, which this version of smallnet writes. Format 1 had no digest of
/// the metrics.
pub(super) const FORMAT: u32 = 2;

/// State of a training at one position.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// State that smallnet keeps itself.
    pub state: State,
    /// State that Burn keeps: records of model, optimizer and schedule.
    records: channels::CheckpointBytes,
}

/// Contents of `state.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Version of the checkpoint's format.
    pub format: u32,
    /// Position of the training when it was saved.
    #[serde(flatten)]
    pub position: Position,
    /// Sums of the metrics over the steps since the last whole epoch.
    #[serde(rename = "measured")]
    pub(super) metrics: MetricSums,
    /// Time of these steps, in seconds.
    pub(super) seconds: f64,
    /// Epoch of the lowest validation loss so far.
    pub best: Option<BestEpoch>,
    /// Reference of early stopping: the epoch whose validation loss a later epoch must improve.
    #[serde(rename = "to_beat")]
    pub(super) reference: Option<BestEpoch>,
    /// Digest of the lines of `metrics.jsonl` at this position, see [`MetricsDigest`]. `None` in
    /// format 1.
    #[serde(default)]
    pub metrics_sha256: Option<String>,
}

impl Checkpoint {
    /// Checks that a training of `model` can be resumed from this checkpoint. `has_average` is true
    /// if the training averages its weights. Messages call the checkpoint `name`.
    ///
    /// # Errors
    /// Weights of another network, an average that is missing or not wanted, or records that cannot
    /// be read.
    pub fn check(&self, model: &Mlp, has_average: bool, name: &str) -> Result<()> {
        self.average(model, has_average, name)?;
        load_weights(model.clone(), self.records.trained().clone(), name)?;
        channel_checkpointers(Some(self)).map(drop)
    }

    /// Returns `model` with the average of the weights at this position, if there is one. The other
    /// arguments are those of [`Checkpoint::check`].
    ///
    /// # Errors
    /// Weights of another network, or an average that is missing or not wanted.
    pub(super) fn average(&self, model: &Mlp, has_average: bool, name: &str) -> Result<Option<Mlp>> {
        match (&self.records.trained, has_average) {
            (Some(_), true) => load_weights(model.clone(), self.records.model.clone(), name).map(Some),
            (None, false) => Ok(None),
            (Some(_), false) => Err(Error::corrupt(format!(
                "`{name}` has an average of the weights, and the experiment has no `training.average`"
            ))),
            (None, true) => Err(Error::corrupt(format!(
                "`{name}` has no average of the weights, and the experiment has `training.average`"
            ))),
        }
    }
}
