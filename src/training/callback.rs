//! Owns the trait [`Callback`], by which a program observes a training: for progress files,
//! trackers, or early decisions of its own.
//! Depends on the records of an epoch alone. Must not know its caller or the paths of files.
//!
//! To add a callback, write a type with an `impl Callback`. Then add one line where the callbacks
//! of a run are listed (`pipeline/train.rs`), or in your own program put it into
//! [`Observers`](crate::training::Observers).

use crate::error::Result;
use crate::training::{EpochRecord, StopReason};

/// Extent of a training, known before its first step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrainExtent {
    /// Epochs of the whole training.
    pub num_epochs: usize,
    /// Training steps in each epoch.
    pub steps_per_epoch: usize,
}

/// Observer of a training. Each method does nothing unless it is implemented. An error of any
/// method ends the training.
///
/// The calls come in this order: `on_train_start`, then `on_resume` if the training is resumed,
/// `on_epoch_end` once per epoch, and `on_train_end`. They come between steps, in the thread that
/// trains. So a slow callback makes the training slow, but the seconds of an epoch do not include
/// it.
pub trait Callback: Send {
    /// Receives the extent of the training, before the first step.
    ///
    /// # Errors
    /// An error ends the training.
    fn on_train_start(&mut self, extent: &TrainExtent) -> Result<()> {
        let _ = extent;
        Ok(())
    }

    /// Receives the records of all whole epochs before the checkpoint, if the training is resumed.
    /// It is called before the first step. The callback must remove what it wrote about later
    /// epochs.
    ///
    /// # Errors
    /// An error ends the training.
    fn on_resume(&mut self, epochs: &[EpochRecord]) -> Result<()> {
        let _ = epochs;
        Ok(())
    }

    /// Receives the record of an epoch, after its validation and before its checkpoint.
    ///
    /// # Errors
    /// An error ends the training.
    fn on_epoch_end(&mut self, record: &EpochRecord) -> Result<()> {
        let _ = record;
        Ok(())
    }

    /// Receives the reason of the end and the records of all whole epochs, after the last step. It
    /// is called also if the training stopped early, was interrupted or diverged, but not after an
    /// error.
    ///
    /// # Errors
    /// An error becomes the error of the training.
    fn on_train_end(&mut self, reason: &StopReason, epochs: &[EpochRecord]) -> Result<()> {
        let _ = (reason, epochs);
        Ok(())
    }
}

/// Returns a callback that calls `function` after each epoch with the record of the epoch.
pub fn on_epoch_end(function: impl FnMut(&EpochRecord) -> Result<()> + Send + 'static) -> Box<dyn Callback> {
    Box::new(EpochEnd(function))
}

/// Callback that [`on_epoch_end`] returns.
struct EpochEnd<F>(F);

impl<F: FnMut(&EpochRecord) -> Result<()> + Send> Callback for EpochEnd<F> {
    fn on_epoch_end(&mut self, record: &EpochRecord) -> Result<()> {
        (self.0)(record)
    }
}

/// Callbacks that are called one after the other, in their order.
pub(crate) struct Callbacks(pub(crate) Vec<Box<dyn Callback>>);

impl Callback for Callbacks {
    fn on_train_start(&mut self, extent: &TrainExtent) -> Result<()> {
        self.0.iter_mut().try_for_each(|callback| callback.on_train_start(extent))
    }

    fn on_resume(&mut self, epochs: &[EpochRecord]) -> Result<()> {
        self.0.iter_mut().try_for_each(|callback| callback.on_resume(epochs))
    }

    fn on_epoch_end(&mut self, record: &EpochRecord) -> Result<()> {
        self.0.iter_mut().try_for_each(|callback| callback.on_epoch_end(record))
    }

    fn on_train_end(&mut self, reason: &StopReason, epochs: &[EpochRecord]) -> Result<()> {
        self.0.iter_mut().try_for_each(|callback| callback.on_train_end(reason, epochs))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
