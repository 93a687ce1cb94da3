//! Tests that a model batch gives each network the same result as training it by itself.
#![allow(clippy::unwrap_used)]

use burn::tensor::Device;
use burn::train::Interrupter;

use super::*;
use crate::training::{NullRenderer, Observers, TrainRequest, train};

use crate::data::{Source, Subset};
use crate::experiment::Experiment;

const NUM_CLASSES: usize = 10;

/// Returns digits of MNIST: those in `train` as training images, those in `validation` as
/// validation images.
fn digits(train: std::ops::Range<u32>, validation: std::ops::Range<u32>) -> (Split, Split) {
    let all = Split::whole(Source::mnist().load(Subset::Train).unwrap());
    let [train, validation] = [train, validation].map(|positions| all.select(&positions.collect::<Vec<_>>()));
    (train, validation)
}

fn experiment(text: &str) -> Experiment {
    Experiment::from_toml(text, "test.toml", &[]).unwrap()
}

/// Trains one network of a group by itself.
fn train_single(experiment: &Experiment, group: &ModelGroup<'_>, device: &Device) -> ModelResult {
    let model = experiment.model.init(784, NUM_CLASSES, group.seed, device).unwrap();
    let request = TrainRequest {
        model,
        hyperparameters: experiment.hyperparameters(),
        seed: group.seed,
        train: group.train.clone(),
        validation: group.validation.clone(),
        device,
        checkpoints: None,
    };
    let observers = Observers {
        renderer: Box::new(NullRenderer),
        callbacks: Vec::new(),
        interrupter: Interrupter::new(),
    };
    let trained = train(request, observers).unwrap();
    ModelResult { end: trained.end, epochs: trained.epochs, correct: Vec::new() }
}

/// Trains each text's experiment in two groups, in one batch and by itself, and compares every
/// epoch.
fn assert_same(texts: &[&str], device: &Device) -> Vec<ModelResult> {
    let experiments: Vec<_> = texts.iter().map(|text| experiment(text)).collect();
    let group = |seed, offset: u32| {
        let (train, validation) = digits(offset..offset + 300, 1000..2100);
        ModelGroup {
            seed,
            train,
            validation,
            members: experiments.iter().map(Experiment::hyperparameters).collect(),
        }
    };
    let groups = [group(1, 0), group(2, 500)];
    let batched =
        train_batched(&groups, NUM_CLASSES, device, Engine::default_on(device), &Interrupter::new(), |_| ())
            .unwrap();
    assert_eq!(batched.len(), 2 * texts.len());
    let pairs = groups.iter().flat_map(|group| experiments.iter().map(move |one| (group, one)));
    for ((group, experiment), batched) in pairs.zip(&batched) {
        let train_single = train_single(experiment, group, device);
        assert_eq!(batched.epochs.len(), train_single.epochs.len(), "{experiment:?}: {:?}", batched.end);
        for (batched, train_single) in batched.epochs.iter().zip(&train_single.epochs) {
            let close = |a: f64, b: f64| (a - b).abs() <= 2e-5 * b.abs().max(1.0);
            assert!(
                close(batched.train_loss, train_single.train_loss),
                "{batched:?}\n{train_single:?}\n{experiment:?}"
            );
            assert!(
                close(batched.validation_loss.unwrap(), train_single.validation_loss.unwrap()),
                "{batched:?} {train_single:?}"
            );
            assert_eq!(batched.learning_rate, train_single.learning_rate);
            // An image near a decision boundary may get another class.
            assert!((batched.train_accuracy - train_single.train_accuracy).abs() < 0.004);
            assert!(
                (batched.validation_accuracy.unwrap() - train_single.validation_accuracy.unwrap()).abs()
                    < 0.006
            );
        }
        // The images that are correct after the last epoch are as many as its accuracy says.
        if let (StopReason::Finished, Some(last)) = (batched.end, batched.epochs.last()) {
            let correct = batched.correct.iter().filter(|correct| **correct).count() as f64;
            assert_eq!(correct / batched.correct.len() as f64, last.validation_accuracy.unwrap());
        }
    }
    batched
}

#[test]
fn softmax_networks_of_unequal_rates() {
    let text =
        |rate| format!("[optimizer]\nlearning_rate = {rate}\n[training]\nbatch_size = 32\nnum_epochs = 3");
    let texts = ["0.01", "0.1", "1.0"].map(text);
    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
    let runs = assert_same(&texts, &Device::flex());
    // The networks learned, and not equally.
    let losses: Vec<_> = runs.iter().map(|run| run.epochs[2].validation_loss.unwrap()).collect();
    assert!(losses[0] > losses[1] + 0.1 && losses[1] > 0.3 && losses[0] < 2.2, "{losses:?}");
    assert_ne!(losses[0], losses[3], "two streams, one result");
}

#[test]
fn hidden_layers_with_every_activation() {
    for activation in Activation::KINDS.map(Activation::key) {
        let text = |rate: &str| {
            format!(
                "[model]\nhidden = [12, 7]\nactivation = \"{activation}\"\n[optimizer]\nlearning_rate = {rate}\n\
                 momentum = 0.9\n[training]\nbatch_size = 64\nnum_epochs = 2"
            )
        };
        assert_same(&[&text("0.02"), &text("0.1")], &Device::flex());
    }
    let nesterov =
        "[optimizer]\nlearning_rate = 0.1\nmomentum = 0.8\nnesterov = true\n[training]\nnum_epochs = 2";
    let rmsprop =
        "[optimizer]\nkind = \"rmsprop\"\nmomentum = 0.8\ncentered = true\n[training]\nnum_epochs = 2";
    assert_same(&[nesterov], &Device::flex());
    assert_same(&[rmsprop], &Device::flex());
}

#[test]
#[allow(deprecated)]
fn every_optimizer_with_its_own_rate_decay_schedule_and_smoothing() {
    for device in [Device::flex(), Device::ndarray()] {
        for optimizer in OptimizerConfig::kinds().iter().map(OptimizerConfig::kind) {
            let text = |rate, decay, rest: &str| {
                format!(
                    "[model]\nhidden = [9]\n[optimizer]\nkind = \"{optimizer}\"\nlearning_rate = {rate}\n\
                     weight_decay = {decay}\n[training]\nbatch_size = 50\nnum_epochs = 2\n{rest}"
                )
            };
            let cosine = "label_smoothing = 0.1\n[schedule]\nkind = \"cosine\"\nwarmup_epochs = 0.5";
            assert_same(&[&text(0.01, 0.0, ""), &text(0.003, 0.01, cosine), &text(0.001, 0.3, "")], &device);
        }
    }
}

/// The rate of the second network is much too large. It diverges at the same step as by itself, and
/// the others are not affected.
#[test]
fn a_diverging_network_leaves_the_others_alone() {
    let text = |rate: &str| {
        format!(
            "[model]\nhidden = [16]\n[optimizer]\nlearning_rate = {rate}\nweight_decay = 0.1\n[training]\n\
             batch_size = 32\nnum_epochs = 8\n[schedule]\nkind = \"exponential\""
        )
    };
    let texts = [text("0.1"), text("1000.0"), text("0.01")];
    let device = Device::flex();
    let runs = assert_same(&[&texts[0], &texts[1], &texts[2]], &device);
    assert_eq!((runs[0].end, runs[2].end), (StopReason::Finished, StopReason::Finished));
    let (train, validation) = digits(0..300, 1000..1200);
    let group = ModelGroup { seed: 1, train, validation, members: Vec::new() };
    let train_single = train_single(&experiment(&texts[1]), &group, &device);
    let (StopReason::Diverged(batched), StopReason::Diverged(train_single)) = (runs[1].end, train_single.end)
    else {
        unreachable!("{:?} {:?}", runs[1].end, train_single.end)
    };
    let step = |divergence: &Divergence| match divergence.cause {
        DivergenceCause::Loss { step, .. } => step,
        other => unreachable!("{other:?}"),
    };
    assert_eq!((batched.epoch, step(&batched)), (train_single.epoch, step(&train_single)));
    assert_eq!(batched.learning_rate, train_single.learning_rate);
}

#[test]
fn what_cannot_share_a_step_is_trained_by_itself() {
    let key = |text: &str| BatchKey::new(experiment(text).hyperparameters());
    let plain = key("").unwrap();
    assert_eq!(key("[optimizer]\nlearning_rate = 0.3\nweight_decay = 0.1"), Some(plain.clone()));
    assert_eq!(key("[training]\nlabel_smoothing = 0.1\n[schedule]\nkind = \"cosine\""), Some(plain.clone()));
    for other in ["[model]\nhidden = [3]", "[training]\nbatch_size = 7", "[optimizer]\nmomentum = 0.5"] {
        assert!(key(other).is_some_and(|key| key != plain), "{other}");
    }
    for train_single in [
        "[model]\nhidden = [3]\ndropout = 0.1",
        "[model]\ninput_dropout = 0.1",
        "[training]\nclip_norm = 1.0",
    ] {
        assert_eq!(key(train_single), None, "{train_single}");
    }
}
