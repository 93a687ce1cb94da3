//! Owns the trait by which a program follows a training: progress files, trackers, early decisions of its own.
//! Depends on the records of an epoch alone. Must not know who calls it or where files are.
//!
//! To add one: a type with an `impl Callback`, and one line where the callbacks of a run are listed (`pipeline/train.rs`),
//! or in your own program beside the others in [`Observers`](crate::training::Observers).

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

/// Follows a training. All methods do nothing unless they are implemented; an error of any of them ends the training.
///
/// The calls come in this order: `on_train_start`, then `on_resume` if the training is resumed, `on_epoch_end` once per
/// epoch, and `on_train_end`. They come between steps, in the thread that trains: a slow callback makes the training slow,
/// but the seconds of an epoch do not count it.
pub trait Callback: Send {
    /// Is called before the first step.
    ///
    /// # Errors
    /// Ends the training.
    fn on_train_start(&mut self, extent: &TrainExtent) -> Result<()> {
        let _ = extent;
        Ok(())
    }

    /// Is called before the first step of a training that is resumed. `epochs` are the records of all whole epochs before
    /// the checkpoint; whatever the callback wrote about later epochs must be taken back.
    ///
    /// # Errors
    /// Ends the training.
    fn on_resume(&mut self, epochs: &[EpochRecord]) -> Result<()> {
        let _ = epochs;
        Ok(())
    }

    /// Is called after each epoch, after its validation and before its checkpoint.
    ///
    /// # Errors
    /// Ends the training.
    fn on_epoch_end(&mut self, record: &EpochRecord) -> Result<()> {
        let _ = record;
        Ok(())
    }

    /// Is called after the last step, also if the training stopped early, was interrupted or diverged; not after an error.
    ///
    /// # Errors
    /// Is the training's.
    fn on_train_end(&mut self, reason: &StopReason, epochs: &[EpochRecord]) -> Result<()> {
        let _ = (reason, epochs);
        Ok(())
    }
}

/// Makes a callback of a function that is called after each epoch with its record.
pub fn on_epoch_end(function: impl FnMut(&EpochRecord) -> Result<()> + Send + 'static) -> Box<dyn Callback> {
    Box::new(EpochEnd(function))
}

struct EpochEnd<F>(F);

impl<F: FnMut(&EpochRecord) -> Result<()> + Send> Callback for EpochEnd<F> {
    fn on_epoch_end(&mut self, record: &EpochRecord) -> Result<()> {
        (self.0)(record)
    }
}

/// Calls several callbacks in their order.
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
