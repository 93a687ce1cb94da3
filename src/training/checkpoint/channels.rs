//! Burn's side of a checkpoint: its Learner gives its three records to three checkpointers, each in a thread of its own.
//! These write no file: they hand the bytes to the loop, which saves all of them as one checkpoint.

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

/// A checkpoint's records as bytes in Burn's format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CheckpointBytes {
    pub(super) model: Vec<u8>,
    pub(super) optimizer: Vec<u8>,
    pub(super) scheduler: Vec<u8>,
}

type Receiving = Receiver<Result<Vec<u8>>>;

/// Where the records of a checkpoint arrive.
pub(crate) struct RecordReceivers {
    model: Receiving,
    optimizer: Receiving,
    scheduler: Receiving,
}

impl RecordReceivers {
    /// Waits for all records of the checkpoint that the Learner is taking.
    pub(crate) fn collect(&self) -> Result<CheckpointBytes> {
        // A thread that panicked has let go of its end.
        let next = |arrivals: &Receiving| {
            arrivals
                .recv()
                .unwrap_or_else(|_| Err(Error::backend("the device failed while its state was read")))
        };
        Ok(CheckpointBytes {
            model: next(&self.model)?,
            optimizer: next(&self.optimizer)?,
            scheduler: next(&self.scheduler)?,
        })
    }
}

/// One of the three checkpointers.
pub(crate) struct ChannelCheckpointer<R> {
    departures: SyncSender<Result<Vec<u8>>>,
    /// What the Learner starts from.
    saved: Mutex<Option<R>>,
}

/// The checkpointers of model, optimizer and scheduler, as the Learner takes them.
pub(crate) type ChannelCheckpointers = (
    ChannelCheckpointer<ModuleRecord>,
    ChannelCheckpointer<OptimizerRecord>,
    ChannelCheckpointer<LrSchedulerRecord>,
);

/// Three checkpointers, of which the Learner gets what is in `checkpoint`, if it goes on from one; and where their records
/// arrive.
///
/// # Errors
/// Records that Burn cannot read.
pub(crate) fn channel_checkpointers(
    checkpoint: Option<&Checkpoint>,
) -> Result<(ChannelCheckpointers, RecordReceivers)> {
    let (model, arriving_model) = part(checkpoint.map(|from| &from.records.model))?;
    let (optimizer, arriving_optimizer) = part(checkpoint.map(|from| &from.records.optimizer))?;
    let (scheduler, arriving_scheduler) = part(checkpoint.map(|from| &from.records.scheduler))?;
    let arrivals = RecordReceivers {
        model: arriving_model,
        optimizer: arriving_optimizer,
        scheduler: arriving_scheduler,
    };
    Ok(((model, optimizer, scheduler), arrivals))
}

fn part<R: checkpoint::Checkpoint>(saved: Option<&Vec<u8>>) -> Result<(ChannelCheckpointer<R>, Receiving)> {
    let read = |bytes: &Vec<u8>| {
        R::checkpoint_from_bytes(Bytes::from_bytes_vec(bytes.clone()))
            .map_err(|error| Error::corrupt(format!("a record of the checkpoint cannot be read: {error}")))
    };
    let (departures, arrivals) = sync_channel(1);
    Ok((ChannelCheckpointer { departures, saved: Mutex::new(saved.map(read).transpose()?) }, arrivals))
}

impl<R: checkpoint::Checkpoint> Checkpointer<R> for ChannelCheckpointer<R> {
    fn save(&self, _: usize, record: R) -> std::result::Result<(), CheckpointerError> {
        let bytes = record.checkpoint_into_bytes();
        let bytes = bytes.map_err(|error| Error::backend(format!("the checkpoint cannot be made: {error}")));
        // Nobody waits for it where the loop has ended with an error of its own.
        let _ = self.departures.send(bytes.map(|bytes| bytes.to_vec()));
        Ok(())
    }

    fn delete(&self, _: usize) -> std::result::Result<(), CheckpointerError> {
        Ok(())
    }

    fn restore(&self, _: usize) -> std::result::Result<R, CheckpointerError> {
        let saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner).take();
        saved.ok_or_else(|| CheckpointerError::Unknown("there is no checkpoint to start from".to_owned()))
    }
}

/// Whenever the loop asks for a checkpoint, one is taken; which ones stay is the store's affair.
pub(crate) struct SaveOnRequest;

impl CheckpointingStrategy for SaveOnRequest {
    fn checkpointing(&mut self, _: usize, _: &EventStoreClient) -> Vec<CheckpointingAction> {
        vec![CheckpointingAction::Save]
    }
}
