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
mod tests {
    use std::sync::{Arc, Mutex};

    use burn::tensor::Device;

    use super::*;
    use crate::data::{Source, Split, Subset};
    use crate::error::Error;
    use crate::model::MlpConfig;
    use crate::optim::{OptimizerConfig, ScheduleConfig};
    use crate::training::{Hyperparameters, Observers, TrainRequest, TrainingConfig, train};

    /// Notes each call. It returns an error after the epoch `fails_after`.
    struct Recorder {
        calls: Arc<Mutex<Vec<String>>>,
        fails_after: usize,
    }

    impl Recorder {
        fn note(&self, call: String) {
            self.calls.lock().unwrap().push(call);
        }
    }

    impl Callback for Recorder {
        fn on_train_start(&mut self, extent: &TrainExtent) -> Result<()> {
            self.note(format!("start {} × {}", extent.num_epochs, extent.steps_per_epoch));
            Ok(())
        }

        fn on_resume(&mut self, epochs: &[EpochRecord]) -> Result<()> {
            self.note(format!("resume after {}", epochs.len()));
            Ok(())
        }

        fn on_epoch_end(&mut self, record: &EpochRecord) -> Result<()> {
            self.note(format!("epoch {}", record.epoch));
            if record.epoch == self.fails_after { Err(Error::new("the disk is full")) } else { Ok(()) }
        }

        fn on_train_end(&mut self, reason: &StopReason, epochs: &[EpochRecord]) -> Result<()> {
            self.note(format!("end {reason:?} {}", epochs.len()));
            Ok(())
        }
    }

    /// Trains for two epochs of three steps with two recorders; returns their calls and the error.
    fn calls(fails_after: usize) -> (Vec<String>, Option<Error>) {
        let device = Device::flex();
        let config = MlpConfig::default();
        let (optimizer, schedule) = (OptimizerConfig::default(), ScheduleConfig::default());
        let training = TrainingConfig { num_epochs: 2, batch_size: 100, ..TrainingConfig::default() };
        let images = Split::whole(Source::mnist().load(Subset::Test).unwrap());
        let request = TrainRequest {
            model: config.init(784, 10, 1, &device).unwrap(),
            hyperparameters: Hyperparameters {
                model: &config,
                optimizer: &optimizer,
                schedule: &schedule,
                training: &training,
            },
            seed: 1,
            train: images.slice(0..300),
            validation: images.slice(0..0),
            device: &device,
            checkpoints: None,
        };
        let notes = Arc::new(Mutex::new(Vec::new()));
        let recorder =
            |fails_after| -> Box<dyn Callback> { Box::new(Recorder { calls: notes.clone(), fails_after }) };
        let callbacks = vec![recorder(fails_after), recorder(0)];
        let result = train(request, Observers { callbacks, ..Observers::silent() });
        let calls = notes.lock().unwrap().clone();
        (calls, result.err())
    }

    #[test]
    fn callbacks_are_called_in_order() {
        let (calls, error) = calls(0);
        let expected = ["start 2 × 3", "epoch 1", "epoch 2", "end Finished 2"];
        assert_eq!(calls, expected.iter().flat_map(|call| [*call; 2]).collect::<Vec<_>>());
        assert_eq!(error, None);
    }

    #[test]
    fn an_error_of_a_callback_ends_the_training_and_is_its_error() {
        let (calls, error) = calls(1);
        assert_eq!(calls, ["start 2 × 3", "start 2 × 3", "epoch 1"]);
        assert_eq!(error.unwrap().message(), "the disk is full");
    }
}
