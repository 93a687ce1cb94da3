//! Owns the `[checkpoint]` section: the times at which the state of a training is saved, in
//! addition to the end of every epoch.
//! Depends on `error`. Must not know the loop or files.

use serde::{Deserialize, Serialize};

use crate::error::{Result, ensure};

/// The `[checkpoint]` section. It changes no result.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CheckpointConfig {
    /// Number of steps between two checkpoints within an epoch, at least 1. Without it, a
    /// checkpoint is saved only after each epoch. It is for epochs that take long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_steps: Option<usize>,
}

impl CheckpointConfig {
    /// Returns whether every value is the default.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Checks every value's range.
    ///
    /// # Errors
    /// The first value that is out of range, named by its key.
    pub fn check(&self) -> Result<()> {
        let steps = self.every_steps.unwrap_or(1);
        ensure(steps >= 1, "checkpoint.every_steps", steps, "a whole number from 1")
    }

    /// Returns whether a checkpoint is due after `step` steps of an epoch.
    pub(crate) fn is_due(&self, step: usize) -> bool {
        self.every_steps.is_some_and(|every| step.is_multiple_of(every))
    }
}
