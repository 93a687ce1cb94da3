//! Owns the thread that writes checkpoints.
//! Depends on the store and the channels. Must not know the loop.

use std::thread::{self, JoinHandle};

use crate::error::{Error, Result};
use crate::training::checkpoint::{CheckpointConfig, RecordReceivers, SizeLimits, State, Store};

/// Writer of checkpoints in the background. It writes one at a time, while the training continues.
pub(crate) struct CheckpointWriter {
    store: Store,
    config: CheckpointConfig,
    limits: SizeLimits,
    receivers: RecordReceivers,
    /// Thread that writes a checkpoint; `None` if no checkpoint is being written.
    writing: Option<JoinHandle<Result<()>>>,
}

impl CheckpointWriter {
    /// Returns a writer of the records from `receivers` to `store`. Each record has at most its
    /// size in `limits`.
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

    /// Starts to write a checkpoint of `state` and of the records that Burn's checkpointers send.
    /// `average` is the record of the network with the average of the weights, if there is one. It waits for the records and for the end of the previous checkpoint first.
    ///
    /// # Errors
    /// An error of the previous checkpoint, a record that cannot be made, or a thread that cannot
    /// be started.
    pub(crate) fn save(&mut self, state: State, average: Option<Vec<u8>>) -> Result<()> {
        let records = self.receivers.collect()?;
        let records = match average {
            Some(average) => records.with_average(average),
            None => records,
        };
        self.finish()?;
        let (store, limits) = (self.store.clone(), self.limits);
        let writing = thread::Builder::new().spawn(move || store.save(&state, &records, &limits));
        self.writing = Some(writing.map_err(|error| Error::thread(&error))?);
        Ok(())
    }

    /// Waits for the checkpoint that is being written, if there is one.
    ///
    /// # Errors
    /// A checkpoint that could not be written.
    pub(crate) fn finish(&mut self) -> Result<()> {
        let written = self.writing.take().map(JoinHandle::join);
        written.unwrap_or(Ok(Ok(()))).unwrap_or_else(|_| Err(Error::new("a checkpoint could not be written")))
    }
}
