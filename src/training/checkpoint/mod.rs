//! The state of a training in full, as one folder that is there whole or not at all:
//!
//! ```text
//! checkpoint/epoch-3/              after epoch 3; `epoch-3-step-120` is 120 steps further, in epoch 4
//!   model.bpk       the weights           ┐
//!   optimizer.bpk   momentum and the like ├ Burn's records
//!   scheduler.bpk   steps done            ┘
//!   state.json      everything else
//!   SHA256SUMS      digests of the four; `sha256sum -c SHA256SUMS` checks them
//! ```
//!
//! Random numbers need no state: image order and dropout's masks are drawn anew from the seed for every epoch and step.

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
use crate::error::Result;
use crate::model::{Mlp, load_weights};
use crate::training::early_stopping::BestEpoch;

pub(super) use channels::{RecordReceivers, SaveOnRequest, channel_checkpointers};
pub use config::CheckpointConfig;
pub use metrics_digest::MetricsDigest;
pub use size_limits::SizeLimits;
pub use store::{Position, Store, read_checkpointed_weights};
pub(super) use writer::CheckpointWriter;

/// The newest format of checkpoints, which this smallnet writes. The first had no digest of the metrics.
pub(super) const FORMAT: u32 = 2;

/// The state of a training.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// What is not Burn's.
    pub state: State,
    records: channels::CheckpointBytes,
}

/// `state.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The checkpoint's format.
    pub format: u32,
    /// How far training was.
    #[serde(flatten)]
    pub position: Position,
    /// What the steps since the last whole epoch measured, added up.
    pub(super) measured: MetricSums,
    /// How long they took, in seconds.
    pub(super) seconds: f64,
    /// The lowest validation loss so far.
    pub best: Option<BestEpoch>,
    /// What early stopping wants the validation loss to fall below.
    pub(super) to_beat: Option<BestEpoch>,
    /// The digest of the lines that `metrics.jsonl` had by then, see [`MetricsDigest`]; none in the first format.
    #[serde(default)]
    pub metrics_sha256: Option<String>,
}

impl Checkpoint {
    /// Checks that a training of `model` can go on from here; messages call the checkpoint `name`.
    ///
    /// # Errors
    /// Weights of another network, or records that cannot be read.
    pub fn check(&self, model: &Mlp, name: &str) -> Result<()> {
        load_weights(model.clone(), self.records.model.clone(), name)?;
        channel_checkpointers(Some(self)).map(drop)
    }
}
