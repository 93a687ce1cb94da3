//! Owns the thread that writes checkpoints.

use std::thread::{self, JoinHandle};

use crate::error::{Error, Result};
use crate::training::checkpoint::{CheckpointConfig, RecordReceivers, SizeLimits, State, Store};

/// Writes checkpoints in the background: one at a time, while training continues.
pub(crate) struct CheckpointWriter {
    store: Store,
    config: CheckpointConfig,
    limits: SizeLimits,
    receivers: RecordReceivers,
    writing: Option<JoinHandle<Result<()>>>,
}

impl CheckpointWriter {
    /// Writes the records that come from `receivers`, of at most the sizes in `limits`, into `store`.
    pub(crate) fn new(
        store: Store,
        config: CheckpointConfig,
        limits: SizeLimits,
        receivers: RecordReceivers,
    ) -> Self {
        Self { store, config, limits, receivers, writing: None }
    }

    /// Returns whether a checkpoint is due after `step` steps of an epoch.
    pub(crate) fn is_due(&self, step: usize) -> bool {
        self.config.is_due(step)
    }

    /// Starts to write the records that Burn's checkpointers are about to send.
    ///
    /// # Errors
    /// Those of the previous checkpoint.
    pub(crate) fn save(&mut self, state: State) -> Result<()> {
        let records = self.receivers.collect()?;
        self.finish()?;
        let (store, limits) = (self.store.clone(), self.limits);
        let writing = thread::Builder::new().spawn(move || store.save(&state, &records, &limits));
        self.writing = Some(writing.map_err(|error| Error::thread(&error))?);
        Ok(())
    }

    /// Waits for the checkpoint that is being written.
    ///
    /// # Errors
    /// A checkpoint that could not be written.
    pub(crate) fn finish(&mut self) -> Result<()> {
        let written = self.writing.take().map(JoinHandle::join);
        written.unwrap_or(Ok(Ok(()))).unwrap_or_else(|_| Err(Error::new("a checkpoint could not be written")))
    }
}
