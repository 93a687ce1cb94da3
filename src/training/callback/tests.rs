use std::sync::{Arc, Mutex};

use burn::tensor::Device;

use super::*;
use crate::data::{AugmentationConfig, Source, Split, Subset};
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
            augmentation: &AugmentationConfig::default(),
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
