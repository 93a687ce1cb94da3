//! Cost of Burn's Learner: three epochs of `configs/softmax.toml` in the Learner, with metrics,
//! checkpoints and progress as in `smallnet train`, and the same three epochs in a hand-written
//! loop of the same steps over the same loader. The ratio of the first time to the second should
//! stay below 1.5.
//!
//!     cargo bench -p smallnet-benches
#![allow(missing_docs, clippy::unwrap_used)]

use std::sync::Arc;

use burn::data::dataloader::DataLoader;
use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::module::Module;
use burn::tensor::Device;
use burn::train::{Interrupter, TrainStep};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use smallnet::cli::{Bar, BarRenderer};
use smallnet::data::{Loader, Sampling, Source, Split, Subset};
use smallnet::experiment::{DEFAULT_EXPERIMENT, Experiment, Override};
use smallnet::model::Mlp;
use smallnet::training;
use smallnet::training::{CheckpointOptions, Observers, Store, TrainRequest};

const NUM_EPOCHS: usize = 3;

fn experiment() -> Experiment {
    let epochs = [Override::new("training.num_epochs", NUM_EPOCHS as i64)];
    Experiment::from_toml(DEFAULT_EXPERIMENT, "softmax.toml", &epochs).unwrap()
}

/// Trains with nothing but forward, loss, backward and update.
fn bare_loop(mut model: Mlp, experiment: &Experiment, split: &Split, device: &Device) -> Mlp {
    let device = device.clone().autodiff();
    let loader = Loader::new(split.clone(), experiment.training.batch_size, Sampling::Shuffled(1), &device);
    let mut optimizer = model.engine().optimizer(&experiment.optimizer, None);
    let lr = experiment.optimizer.learning_rate();
    model = model.train();
    let _session = model.engine().session(&model, experiment.training.batch_size);
    for _ in 0..NUM_EPOCHS {
        for batch in loader.iter() {
            let batch = batch.unwrap();
            let gradients = TrainStep::step(&model, batch).grads;
            model = optimizer.step(ModuleLearningRate::from(lr), model, gradients);
        }
    }
    model
}

/// Trains in the Learner, with metrics, checkpoints and progress.
fn learner(model: Mlp, experiment: &Experiment, split: &Split, device: &Device) -> Mlp {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::at(directory.path().join("checkpoint"));
    let request = TrainRequest {
        model,
        hyperparameters: experiment.hyperparameters(),
        seed: 1,
        train: split.clone(),
        validation: split.slice(0..0),
        device,
        checkpoints: Some(CheckpointOptions { store, config: &experiment.checkpoint, from: None }),
    };
    let observers = Observers {
        renderer: Box::new(BarRenderer::new(Bar::new(true))),
        callbacks: Vec::new(),
        interrupter: Interrupter::new(),
    };
    training::train(request, observers).unwrap().model
}

fn bench(criterion: &mut Criterion) {
    let experiment = experiment();
    let device = Device::flex();
    let split = Split::whole(Source::mnist().load(Subset::Train).unwrap());
    let model = experiment.model.init(784, 10, 1, &device).unwrap();
    let mut group = criterion.benchmark_group("three epochs of softmax.toml");
    group.sample_size(10);
    type Train = fn(Mlp, &Experiment, &Split, &Device) -> Mlp;
    for (name, train) in [("bare loop", bare_loop as Train), ("Learner", learner)] {
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || model.clone(),
                |model| Arc::new(train(model, &experiment, &split, &device)),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
