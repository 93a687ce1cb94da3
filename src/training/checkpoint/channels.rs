//! Owns the channels from Burn's checkpointers to the loop. Burn's Learner gives its three records
//! to three checkpointers, each in a thread of its own. smallnet's checkpointers write no file:
//! they send the bytes to the loop, which saves all of them as one checkpoint.
//! Depends on Burn and on [`Checkpoint`]. Must not know files.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

use burn::optim::OptimizerRecord;
use burn::optim::lr_scheduler::LrSchedulerRecord;
use burn::store::ModuleRecord;
use burn::tensor::Bytes;
use burn::train::checkpoint::{
    self, Checkpointer, CheckpointerError, CheckpointingAction, CheckpointingStrategy,
};
use burn::train::metric::store::EventStoreClient;

use crate::error::{Error, Result};
use crate::training::checkpoint::Checkpoint;

/// Records of a checkpoint, as bytes in Burn's format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CheckpointBytes {
    /// Network to validate and predict with: with an average of the weights, the average.
    pub(super) model: Vec<u8>,
    pub(super) optimizer: Vec<u8>,
    pub(super) scheduler: Vec<u8>,
    /// Network that is trained, if it differs from `model`: in a training with an average.
    pub(super) trained: Option<Vec<u8>>,
}

impl CheckpointBytes {
    /// Returns the records of a training with an average. `average` is the network that has it.
    pub(super) fn with_average(self, average: Vec<u8>) -> Self {
        Self { model: average, trained: Some(self.model), ..self }
    }

    /// Network that is trained.
    pub(super) fn trained(&self) -> &Vec<u8> {
        self.trained.as_ref().unwrap_or(&self.model)
    }
}

/// Receiver of one record, as bytes or as the error that prevented them.
type RecordReceiver = Receiver<Result<Vec<u8>>>;

/// Receiving ends of the three channels.
pub(crate) struct RecordReceivers {
    model: RecordReceiver,
    optimizer: RecordReceiver,
    scheduler: RecordReceiver,
}

impl RecordReceivers {
    /// Waits for all records of the checkpoint that the Learner is saving, and returns them.
    ///
    /// # Errors
    /// A record that Burn cannot convert to bytes, or a device that fails.
    pub(crate) fn collect(&self) -> Result<CheckpointBytes> {
        // `recv` fails if the sending thread has panicked, because its sender is dropped then.
        let next = |receiver: &RecordReceiver| {
            receiver
                .recv()
                .unwrap_or_else(|_| Err(Error::backend("the device failed while its state was read")))
        };
        Ok(CheckpointBytes {
            model: next(&self.model)?,
            optimizer: next(&self.optimizer)?,
            scheduler: next(&self.scheduler)?,
            trained: None,
        })
    }
}

/// Checkpointer that sends its record through a channel instead of writing a file.
pub(crate) struct ChannelCheckpointer<R> {
    sender: SyncSender<Result<Vec<u8>>>,
    /// Record that the Learner starts from, in a training that is resumed. `restore` takes it.
    saved: Mutex<Option<R>>,
}

/// Checkpointers of model, optimizer and scheduler, as the Learner takes them.
pub(crate) type ChannelCheckpointers = (
    ChannelCheckpointer<ModuleRecord>,
    ChannelCheckpointer<OptimizerRecord>,
    ChannelCheckpointer<LrSchedulerRecord>,
);

/// Returns the three checkpointers and the receivers of their records. If there is a `checkpoint`,
/// the training is resumed: the Learner starts from the records of the checkpoint.
///
/// # Errors
/// Records that Burn cannot read.
pub(crate) fn channel_checkpointers(
    checkpoint: Option<&Checkpoint>,
) -> Result<(ChannelCheckpointers, RecordReceivers)> {
    let (model, model_receiver) = channel(checkpoint.map(|from| from.records.trained()))?;
    let (optimizer, optimizer_receiver) = channel(checkpoint.map(|from| &from.records.optimizer))?;
    let (scheduler, scheduler_receiver) = channel(checkpoint.map(|from| &from.records.scheduler))?;
    let receivers = RecordReceivers {
        model: model_receiver,
        optimizer: optimizer_receiver,
        scheduler: scheduler_receiver,
    };
    Ok(((model, optimizer, scheduler), receivers))
}

/// Returns one checkpointer and the receiver of its record. `saved` is the record to start from.
fn channel<R: checkpoint::Checkpoint>(
    saved: Option<&Vec<u8>>,
) -> Result<(ChannelCheckpointer<R>, RecordReceiver)> {
    let read = |bytes: &Vec<u8>| {
        R::checkpoint_from_bytes(Bytes::from_bytes_vec(bytes.clone()))
            .map_err(|error| Error::corrupt(format!("a record of the checkpoint cannot be read: {error}")))
    };
    let (sender, receiver) = sync_channel(1);
    Ok((ChannelCheckpointer { sender, saved: Mutex::new(saved.map(read).transpose()?) }, receiver))
}

impl<R: checkpoint::Checkpoint> Checkpointer<R> for ChannelCheckpointer<R> {
    fn save(&self, _: usize, record: R) -> std::result::Result<(), CheckpointerError> {
        let bytes = record.checkpoint_into_bytes();
        let bytes = bytes.map_err(|error| Error::backend(format!("the checkpoint cannot be made: {error}")));
        // Sending fails if the loop has ended with an error of its own. The record is not needed
        // then.
        let _ = self.sender.send(bytes.map(|bytes| bytes.to_vec()));
        Ok(())
    }

    // Removes nothing, because `Store` removes old checkpoints.
    fn delete(&self, _: usize) -> std::result::Result<(), CheckpointerError> {
        Ok(())
    }

    fn restore(&self, _: usize) -> std::result::Result<R, CheckpointerError> {
        let saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner).take();
        saved.ok_or_else(|| CheckpointerError::Unknown("there is no checkpoint to start from".to_owned()))
    }
}

/// Strategy that saves a checkpoint whenever the loop asks for one. The store decides which
/// checkpoints stay.
pub(crate) struct SaveOnRequest;

impl CheckpointingStrategy for SaveOnRequest {
    fn checkpointing(&mut self, _: usize, _: &EventStoreClient) -> Vec<CheckpointingAction> {
        vec![CheckpointingAction::Save]
    }
}
