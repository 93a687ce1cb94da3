//! A training that is stopped after every single step and goes on each time ends as one that never stopped.

use std::path::Path;

use burn::tensor::Device;
use burn::train::Interrupter;

use super::super::{Followers, Saving, Setup, Silent, Trained, train};
use super::{Checkpoint, CheckpointConfig, Store};
use crate::config::Experiment;
use crate::data::{Images, Split};
use crate::model::weights_sha256;
use crate::training::{End, EpochRecord};

/// Forty images of 3x3 noisy pixels in three classes.
fn split() -> Split {
    let pixel = |image: usize, pixel: usize| ((image * 37 + pixel * 101 + image * pixel * 13) % 251) as u8;
    Split::whole(Images {
        pixels: (0..40).flat_map(|image| (0..9).map(move |at| pixel(image, at))).collect(),
        labels: (0..40).map(|image| (image * 7 % 3) as u8).collect(),
        height: 3,
        width: 3,
        images_name: String::new(),
        labels_name: String::new(),
    })
}

/// One sitting; `stops` after a step.
fn sitting(
    experiment: &Experiment,
    device: &Device,
    folder: &Path,
    from: Option<(Checkpoint, Vec<EpochRecord>)>,
    stops: bool,
) -> Trained {
    let interrupter = Interrupter::new();
    if stops {
        interrupter.stop(None);
    }
    let model = experiment.model.init(9, 3, experiment.seed, device).unwrap();
    let setup = Setup {
        model,
        optimizer: &experiment.optimizer,
        schedule: &experiment.schedule,
        training: &experiment.training,
        seed: experiment.seed,
        train: split().slice(0..26),
        validation: split().slice(26..40),
        device,
        saving: Some(Saving { store: Store::at(folder.to_owned()), config: &experiment.checkpoint, from }),
    };
    let followers = Followers { renderer: Box::new(Silent), on_epoch: Box::new(|_| Ok(())), interrupter };
    train(setup, followers).unwrap()
}

/// Stopped after every step, gone on with from what is on the disk.
fn step_by_step(experiment: &Experiment, device: &Device, folder: &Path) -> (Trained, usize) {
    let (mut from, mut sittings) = (None, 0);
    loop {
        let trained = sitting(experiment, device, folder, from.take(), true);
        sittings += 1;
        if !matches!(trained.end, End::Interrupted { .. }) {
            return (trained, sittings);
        }
        let store = Store::at(folder.to_owned());
        let last = *store.positions().unwrap().last().unwrap();
        from = Some((store.read(last).unwrap(), trained.epochs));
    }
}

fn timeless(epochs: &[EpochRecord]) -> Vec<EpochRecord> {
    epochs.iter().map(|epoch| EpochRecord { seconds: 0.0, images_per_second: 0.0, ..epoch.clone() }).collect()
}

fn check(settings: &str, expected: fn(&Trained) -> bool) {
    let text = format!("seed = 3\n{settings}");
    let experiment = Experiment::from_toml(&text, "test.toml", &[]).unwrap();
    #[allow(deprecated)]
    for device in [Device::flex(), Device::ndarray()] {
        let folder = tempfile::tempdir().unwrap();
        let whole = sitting(&experiment, &device, &folder.path().join("whole"), None, false);
        assert!(expected(&whole), "{settings}: {:?} after {}", whole.end, whole.epochs.len());
        let (parts, sittings) = step_by_step(&experiment, &device, &folder.path().join("parts"));
        // Four steps an epoch, and one sitting for the validation after them.
        assert!(sittings >= 4 * whole.epochs.len(), "{sittings}");
        assert_eq!(parts.end, whole.end, "{settings}");
        assert_eq!(timeless(&parts.epochs), timeless(&whole.epochs), "{settings}");
        assert_eq!(weights_sha256(&parts.model), weights_sha256(&whole.model), "{settings}");
        let newest = |name: &str| {
            let store = Store::at(folder.path().join(name));
            let positions: Vec<_> =
                store.positions().unwrap().into_iter().filter(|it| it.steps == 0).collect();
            let state = store.read(*positions.last().unwrap()).unwrap().state;
            (state.position, state.best, state.to_beat)
        };
        assert_eq!(newest("parts"), newest("whole"), "{settings}");
    }
}

fn finished(trained: &Trained) -> bool {
    trained.end == End::Finished
}

#[test]
fn with_momentum_and_a_decaying_rate() {
    check(
        "optimizer = { momentum = 0.9, nesterov = true, learning_rate = 0.05, weight_decay = 0.01 }\n\
         schedule = { kind = \"exponential\", factor = 0.7 }\n\
         training = { batch_size = 8, num_epochs = 3 }",
        finished,
    );
}

#[test]
fn with_adam_dropout_warmup_and_a_cosine() {
    check(
        "optimizer = { kind = \"adam\", learning_rate = 0.01 }\n\
         schedule = { kind = \"cosine\", warmup_epochs = 0.5 }\n\
         model = { hidden = [7, 5], dropout = 0.4, input_dropout = 0.1 }\n\
         training = { batch_size = 8, num_epochs = 4, label_smoothing = 0.1, clip_norm = 0.5 }",
        finished,
    );
}

#[test]
fn with_adamw_and_steps() {
    check(
        "optimizer = { kind = \"adamw\", learning_rate = 0.02 }\n\
         schedule = { kind = \"step\", every_epochs = 1.0 }\n\
         model = { hidden = [4], activation = \"gelu\" }\n\
         training = { batch_size = 8, num_epochs = 3, clip_value = 0.1 }",
        finished,
    );
}

#[test]
fn with_rmsprop_and_early_stopping() {
    check(
        "optimizer = { kind = \"rmsprop\", learning_rate = 0.05, momentum = 0.5, centered = true }\n\
         model = { hidden = [16] }\ndata = { validation = 14 }\n\
         training = { batch_size = 8, num_epochs = 60, early_stopping = { patience = 3, min_delta = 0.001 } }",
        |trained| trained.end == End::Early && trained.epochs.len() < 60,
    );
}

#[test]
fn with_checkpoints_within_an_epoch_nothing_changes() {
    let settings = "seed = 3\ntraining = { batch_size = 4, num_epochs = 2 }";
    let experiment = Experiment::from_toml(settings, "test.toml", &[]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let plain = sitting(&experiment, &Device::flex(), &folder.path().join("plain"), None, false);
    let often = Experiment { checkpoint: CheckpointConfig { every_steps: Some(2) }, ..experiment };
    let often = sitting(&often, &Device::flex(), &folder.path().join("often"), None, false);
    assert_eq!(timeless(&often.epochs), timeless(&plain.epochs));
    let positions = Store::at(folder.path().join("often")).positions().unwrap();
    let names: Vec<String> = positions.iter().map(ToString::to_string).collect();
    // Seven steps an epoch; the lowest validation loss is the second epoch's.
    assert_eq!(names, ["epoch-1-step-6", "epoch-2"]);
}
