//! Saves checkpoints in a thread of its own.

use std::thread::{self, JoinHandle};

use crate::error::{Error, Result};
use crate::training::checkpoint::{CheckpointConfig, RecordReceivers, SizeLimits, State, Store};

/// What saves checkpoints: one at a time, while training goes on.
pub(crate) struct CheckpointWriter {
    store: Store,
    config: CheckpointConfig,
    limits: SizeLimits,
    arrivals: RecordReceivers,
    writing: Option<JoinHandle<Result<()>>>,
}

impl CheckpointWriter {
    /// Saves what arrives at `arrivals`, records of at most the sizes in `limits`.
    pub(crate) fn new(
        store: Store,
        config: CheckpointConfig,
        limits: SizeLimits,
        arrivals: RecordReceivers,
    ) -> Self {
        Self { store, config, limits, arrivals, writing: None }
    }

    /// Whether a checkpoint is due after `step` steps of an epoch.
    pub(crate) fn is_due(&self, step: usize) -> bool {
        self.config.is_due(step)
    }

    /// Begins to save the records that are about to arrive.
    ///
    /// # Errors
    /// Those of the checkpoint before.
    pub(crate) fn save(&mut self, state: State) -> Result<()> {
        let records = self.arrivals.collect()?;
        self.finish()?;
        let (store, limits) = (self.store.clone(), self.limits);
        let writing = thread::Builder::new().spawn(move || store.save(&state, &records, &limits));
        self.writing = Some(writing.map_err(|error| Error::thread(&error))?);
        Ok(())
    }

    /// Waits for the checkpoint that is being written.
    ///
    /// # Errors
    /// Its own.
    pub(crate) fn finish(&mut self) -> Result<()> {
        let written = self.writing.take().map(JoinHandle::join);
        written.unwrap_or(Ok(Ok(()))).unwrap_or_else(|_| Err(Error::new("a checkpoint could not be written")))
    }
}
