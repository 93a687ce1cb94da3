//! Tests that a training that is stopped after every single step and resumed each time ends like
//! one that never stopped.

use std::path::Path;

use burn::tensor::Device;
use burn::train::Interrupter;

use crate::data::{ImageDataset, Split};
use crate::experiment::Experiment;
use crate::model::{Mlp, load_weights, weights_sha256};
use crate::optim::OptimizerConfig;
use crate::training::checkpoint::{Checkpoint, CheckpointConfig, MetricsDigest, SizeLimits, Store};
use crate::training::{
    CheckpointOptions, NullRenderer, Observers, ResumePoint, TrainRequest, TrainResult, train,
};
use crate::training::{EpochRecord, StopReason};

/// Returns forty images of 3x3 noisy pixels in three classes.
fn split() -> Split {
    let pixel = |image: usize, pixel: usize| ((image * 37 + pixel * 101 + image * pixel * 13) % 251) as u8;
    Split::whole(ImageDataset {
        pixels: (0..40).flat_map(|image| (0..9).map(move |at| pixel(image, at))).collect::<Vec<u8>>().into(),
        labels: (0..40).map(|image| (image * 7 % 3) as u16).collect(),
        height: 3,
        width: 3,
        images_name: String::new(),
    })
}

/// Trains in one session. With `stops`, the session ends after its first step.
fn session(
    experiment: &Experiment,
    device: &Device,
    folder: &Path,
    from: Option<ResumePoint>,
    stops: bool,
) -> TrainResult {
    let interrupter = Interrupter::new();
    if stops {
        interrupter.stop(None);
    }
    let model = experiment.model.init(9, 3, experiment.seed, device).unwrap();
    let request = TrainRequest {
        model,
        hyperparameters: experiment.hyperparameters(),
        seed: experiment.seed,
        train: split().slice(0..26),
        validation: split().slice(26..40),
        device,
        checkpoints: Some(CheckpointOptions {
            store: Store::at(folder.to_owned()),
            config: &experiment.checkpoint,
            from,
        }),
    };
    let observers = Observers { renderer: Box::new(NullRenderer), callbacks: Vec::new(), interrupter };
    train(request, observers).unwrap()
}

fn limits(experiment: &Experiment, device: &Device) -> SizeLimits {
    SizeLimits::new(&experiment.model.init(9, 3, experiment.seed, device).unwrap(), &experiment.optimizer)
}

/// Trains in sessions of one step. Each is resumed from the last checkpoint on the disk, with which
/// `on_checkpoint` is called. Returns the result of the last session and the number of sessions.
fn step_by_step(
    experiment: &Experiment,
    device: &Device,
    folder: &Path,
    mut on_checkpoint: impl FnMut(&Checkpoint),
) -> (TrainResult, usize) {
    let (mut from, mut sittings) = (None, 0);
    loop {
        let trained = session(experiment, device, folder, from.take(), true);
        sittings += 1;
        if !matches!(trained.end, StopReason::Interrupted { .. }) {
            return (trained, sittings);
        }
        let store = Store::at(folder.to_owned());
        let last = *store.positions().unwrap().last().unwrap();
        let checkpoint = store.read(last, &limits(experiment, device)).unwrap();
        let mut metrics = MetricsDigest::default();
        trained.epochs.iter().for_each(|epoch| metrics.add(epoch.line().unwrap().as_bytes()));
        assert_eq!(checkpoint.state.metrics_sha256, Some(metrics.sha256()));
        on_checkpoint(&checkpoint);
        from = Some(ResumePoint { checkpoint, epochs: trained.epochs, metrics });
    }
}

/// Returns the records without their times, which differ between trainings.
fn timeless(epochs: &[EpochRecord]) -> Vec<EpochRecord> {
    epochs
        .iter()
        .map(|epoch| EpochRecord { seconds: 0.0, images_per_second: None, ..epoch.clone() })
        .collect()
}

/// Compares sessions of one step with one whole training, and the whole training with `expected`.
fn check(settings: &str, expected: fn(&TrainResult) -> bool) {
    let text = format!("seed = 3\n{settings}");
    let experiment = Experiment::from_toml(&text, "test.toml", &[]).unwrap();
    #[allow(deprecated)]
    for device in [Device::flex(), Device::ndarray()] {
        let folder = tempfile::tempdir().unwrap();
        let whole = session(&experiment, &device, &folder.path().join("whole"), None, false);
        assert!(expected(&whole), "{settings}: {:?} after {}", whole.end, whole.epochs.len());
        let (parts, sittings) = step_by_step(&experiment, &device, &folder.path().join("parts"), |_| ());
        // Four steps per epoch, and one more session for the validation after them.
        assert!(sittings >= 4 * whole.epochs.len(), "{sittings}");
        assert_eq!(parts.end, whole.end, "{settings}");
        assert_eq!(timeless(&parts.epochs), timeless(&whole.epochs), "{settings}");
        assert_eq!(weights_sha256(&parts.model), weights_sha256(&whole.model), "{settings}");
        let newest = |name: &str| {
            let store = Store::at(folder.path().join(name));
            let positions: Vec<_> =
                store.positions().unwrap().into_iter().filter(|it| it.steps == 0).collect();
            let state = store.read(*positions.last().unwrap(), &limits(&experiment, &device)).unwrap().state;
            (state.position, state.best, state.reference)
        };
        assert_eq!(newest("parts"), newest("whole"), "{settings}");
        assert_eq!(parts.best, whole.best, "{settings}");
    }
}

fn finished(trained: &TrainResult) -> bool {
    trained.end == StopReason::Finished
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
         training = { batch_size = 8, num_epochs = 3, clip_value = 0.1, mixup = 0.4 }",
        finished,
    );
}

const AVERAGED: &str = "optimizer = { kind = \"adam\", learning_rate = 0.02 }\n\
     model = { hidden = [7], dropout = 0.2 }\ndata = { validation = 14 }\n\
     training = { batch_size = 8, num_epochs = 5, average = 0.5, early_stopping = { patience = 5 } }";

#[test]
fn with_an_average_of_the_weights() {
    check(AVERAGED, finished);
}

/// Weights and biases of `bytes`, a record of a network like `model`.
fn weights(model: &Mlp, bytes: &[u8]) -> Vec<f64> {
    let model = load_weights(model.clone(), bytes.to_vec(), "record").unwrap();
    let layer = |layer: &burn::nn::Linear| {
        let bias = layer.bias.as_ref().unwrap().val().into_data();
        let weights = layer.weight.val().into_data();
        weights.iter::<f64>().chain(bias.iter::<f64>()).collect::<Vec<_>>()
    };
    model.layers().iter().flat_map(layer).collect()
}

/// The average is computed again in double precision, from the weights after every step.
#[test]
fn the_average_is_that_of_the_weights_after_every_step() {
    let text = format!("seed = 3\n{AVERAGED}");
    let experiment = Experiment::from_toml(&text, "test.toml", &[]).unwrap();
    #[allow(deprecated)]
    for device in [Device::flex(), Device::ndarray()] {
        let folder = tempfile::tempdir().unwrap();
        let model = experiment.model.init(9, 3, experiment.seed, &device).unwrap();
        let mut average: Vec<f64> = Vec::new();
        let mut num_steps: u32 = 0;
        step_by_step(&experiment, &device, folder.path(), |checkpoint| {
            let found = weights(&model, &checkpoint.records.model);
            let trained = weights(&model, checkpoint.records.trained.as_ref().unwrap());
            let position = checkpoint.state.position;
            if position.epochs * 4 + position.steps == num_steps as usize {
                // A session that only validated.
                return;
            }
            // The fraction reaches ½ after 8 steps.
            let before = f64::from(num_steps);
            let decay = ((1.0 + before) / (10.0 + before)).min(0.5);
            num_steps += 1;
            assert_eq!(position.epochs * 4 + position.steps, num_steps as usize);
            if num_steps == 1 {
                average.clone_from(&trained);
            }
            for (average, weight) in average.iter_mut().zip(&trained) {
                *average = decay * *average + (1.0 - decay) * weight;
            }
            let furthest = average.iter().zip(&found).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(furthest < 1e-6, "step {num_steps}: {furthest}");
            let distance = trained.iter().zip(&found).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert_eq!(distance > 1e-3, num_steps > 1, "step {num_steps}: {distance}");
        });
        assert!(num_steps >= 19, "{num_steps}");
    }
}

#[test]
fn with_rmsprop_and_early_stopping() {
    check(
        "optimizer = { kind = \"rmsprop\", learning_rate = 0.05, momentum = 0.5, centered = true }\n\
         model = { hidden = [16] }\ndata = { validation = 14 }\n\
         training = { batch_size = 8, num_epochs = 60, early_stopping = { patience = 3, min_delta = 0.001 } }",
        |trained| trained.end == StopReason::Early && trained.epochs.len() < 60,
    );
}

#[test]
fn with_checkpoints_within_an_epoch_nothing_changes() {
    let settings = "seed = 3\ntraining = { batch_size = 4, num_epochs = 2 }";
    let experiment = Experiment::from_toml(settings, "test.toml", &[]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let plain = session(&experiment, &Device::flex(), &folder.path().join("plain"), None, false);
    let often = Experiment { checkpoint: CheckpointConfig { every_steps: Some(2) }, ..experiment };
    let often = session(&often, &Device::flex(), &folder.path().join("often"), None, false);
    assert_eq!(timeless(&often.epochs), timeless(&plain.epochs));
    let positions = Store::at(folder.path().join("often")).positions().unwrap();
    let names: Vec<String> = positions.iter().map(ToString::to_string).collect();
    // Seven steps per epoch. Epoch 2 has the lowest validation loss.
    assert_eq!(names, ["epoch-1-step-6", "epoch-2"]);
}

/// Returns the size and the limit of each record in the checkpoint after the first epoch.
fn sizes(settings: &str) -> [(u64, u64); 2] {
    let text = format!("seed = 3\ntraining = {{ batch_size = 26, num_epochs = 1 }}\n{settings}");
    let experiment = Experiment::from_toml(&text, "test.toml", &[]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    session(&experiment, &Device::flex(), folder.path(), None, false);
    let size = |name: &str| std::fs::metadata(folder.path().join("epoch-1").join(name)).unwrap().len();
    let SizeLimits { model, optimizer } = limits(&experiment, &Device::flex());
    [(size("model.bpk"), model), (size("optimizer.bpk"), optimizer)]
}

#[test]
fn the_limits_of_records_follow_from_what_they_hold() {
    let deep = format!("model = {{ hidden = {:?} }}", [9; 100]);
    let kinds = OptimizerConfig::kinds();
    let kinds = kinds.iter().map(|optimizer| format!("{{ kind = \"{}\" }}", optimizer.kind()));
    let variants = [
        "{ kind = \"sgd\", learning_rate = 0.01, momentum = 0.9 }",
        "{ kind = \"rmsprop\", momentum = 0.5 }",
        "{ kind = \"rmsprop\", centered = true }",
        "{ kind = \"rmsprop\", centered = true, momentum = 0.5 }",
    ];
    for optimizer in kinds.chain(variants.map(str::to_owned)) {
        for (model, numbers) in [("", 30), ("model = { hidden = [500, 300] }", 156_203), (&deep, 9_030)] {
            let [weights, state] = sizes(&format!("optimizer = {optimizer}\n{model}"));
            for (size, limit) in [weights, state] {
                assert!(size <= limit, "{optimizer} {model}: {size} bytes, limit {limit}");
            }
            // No limit counts numbers that do not exist, such as one more per weight.
            assert!(weights.1 < weights.0 + 4 * numbers + 300_000, "{model}: {weights:?}");
            assert!(state.1 < state.0 + 4 * numbers + 600_000, "{optimizer} {model}: {state:?}");
        }
    }
}

#[test]
fn the_largest_networks_optimizer_can_be_read_again() {
    // The network 784-65536-742-10 has just less than a hundred million weights. This optimizer
    // keeps four numbers per weight.
    let numbers = 785 * 65_536 + 65_537 * 742 + 743 * 10;
    let limit = crate::model::max_record_size(4 * numbers, 4 * 6);
    assert!(limit > 4 * 4 * numbers, "{limit}");
    assert!(limit > 1 << 30, "the bound of other files would refuse it");
    assert!(limit < 4 * 4 * numbers + (1 << 20), "{limit}");
}
