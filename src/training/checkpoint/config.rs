//! The `[checkpoint]` section: when the state of a training is saved, beside the end of every epoch.

use serde::{Deserialize, Serialize};

use crate::error::{Result, ensure};

/// The `[checkpoint]` section. It changes no result.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CheckpointConfig {
    /// A checkpoint is taken after so many steps within an epoch, too; at least 1. For epochs that take long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_steps: Option<usize>,
}

impl CheckpointConfig {
    /// Whether every value is the default.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Checks every value's range.
    pub fn check(&self) -> Result<()> {
        let steps = self.every_steps.unwrap_or(1);
        ensure(steps >= 1, "checkpoint.every_steps", steps, "a whole number from 1")
    }

    /// Whether a checkpoint is due after `step` steps of an epoch.
    pub(crate) fn is_due(&self, step: usize) -> bool {
        self.every_steps.is_some_and(|every| step.is_multiple_of(every))
    }
}
