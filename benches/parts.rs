//! Cost of the parts of a training: the products and passes of a step, as a table beside the peak of
//! the processor; gathering a batch, a step, an evaluation, an epoch of a model batch, preprocessing a
//! picture.
//!
//! `cargo bench -p smallnet-benches --bench parts`. For the tables alone, `cargo bench --bench kernels` builds faster.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::module::Module;
use burn::tensor::Device;
use burn::train::{Interrupter, TrainStep};
use criterion::{Criterion, criterion_group, criterion_main};
use smallnet::data::{AugmentationConfig, Batch, Source, Split, Subset, read_digit};
use smallnet::engine::Engine;
use smallnet::evaluation::evaluate;
use smallnet::model::{Mlp, MlpConfig};
use smallnet::optim::{OptimizerConfig, ScheduleConfig};
use smallnet::training::{Hyperparameters, ModelGroup, TrainingConfig, train_batched};

#[path = "kernels.rs"]
mod kernels;

fn digits() -> Split {
    Split::whole(Source::mnist().load(Subset::Train).unwrap())
}

fn network(hidden: &[usize]) -> Mlp {
    let config = MlpConfig { hidden: hidden.to_vec(), ..MlpConfig::default() };
    config.init(784, 10, 1, &Device::flex()).unwrap()
}

/// Returns batches of 128 images at scattered indices, other images each time.
fn batches(split: &Split) -> impl Iterator<Item = Batch> + use<'_> {
    let device = Device::flex().autodiff();
    (0u32..).map(move |batch| {
        let scattered = |index: u32| (batch * 128 + index).wrapping_mul(2_654_435_761) % 60_000;
        let indices: Vec<u32> = (0..128).map(scattered).collect();
        Batch::new(split, &indices, 0.0, &device)
    })
}

/// Prints the parts of a step of some networks as tables.
fn table(_: &mut Criterion) {
    kernels::tables();
}

fn gathering(criterion: &mut Criterion) {
    let split = digits();
    let mut group = criterion.benchmark_group("gathering 128 images");
    let mut next = batches(&split);
    group.bench_function("as a tensor", |bencher| bencher.iter(|| black_box(next.next().unwrap().images())));
}

fn step(criterion: &mut Criterion) {
    let split = digits();
    let mut group = criterion.benchmark_group("a step of 128 images");
    for (name, hidden, optimizer) in [
        ("784-10, SGD", &[][..], OptimizerConfig::default()),
        ("784-512-256-10, Adam", &[512, 256], OptimizerConfig::Adam(smallnet::optim::Adam::default())),
    ] {
        let mut model = network(hidden).train();
        let mut optimizer = model.engine().optimizer(&optimizer, None);
        let _session = model.engine().session(&model, 128);
        let mut next = batches(&split);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let output = TrainStep::step(&model, next.next().unwrap());
                model = optimizer.step(ModuleLearningRate::from(0.001), model.clone(), output.grads);
            });
        });
    }
}

fn evaluation(criterion: &mut Criterion) {
    let split = Split::whole(Source::mnist().load(Subset::Test).unwrap());
    let mut group = criterion.benchmark_group("evaluating 10,000 images");
    group.sample_size(20);
    for (name, hidden) in [("784-10", &[][..]), ("784-512-256-10", &[512, 256])] {
        let model = network(hidden);
        group.bench_function(name, |bencher| {
            bencher.iter(|| evaluate(&model, &split, &Device::flex()).unwrap())
        });
    }
}

fn model_batch(criterion: &mut Criterion) {
    let split = digits().slice(0..128 * 20);
    let (schedule, training) =
        (ScheduleConfig::default(), TrainingConfig { num_epochs: 1, ..TrainingConfig::default() });
    let mut group = criterion.benchmark_group("20 steps of 20 networks in one batch");
    group.sample_size(10);
    for (name, hidden) in [("784-10", vec![]), ("784-32-10", vec![32])] {
        let (model, optimizer) = (MlpConfig { hidden, ..MlpConfig::default() }, OptimizerConfig::default());
        let augmentation = AugmentationConfig::default();
        let spec = Hyperparameters {
            augmentation: &augmentation,
            model: &model,
            optimizer: &optimizer,
            schedule: &schedule,
            training: &training,
        };
        let groups: Vec<ModelGroup<'_>> = (1..=5)
            .map(|seed| ModelGroup {
                seed,
                train: split.clone(),
                validation: split.slice(0..0),
                members: vec![spec; 4],
            })
            .collect();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                {
                    let device = Device::flex();
                    train_batched(&groups, 10, &device, Engine::Cpu, &Interrupter::new(), |_| ())
                }
                .unwrap()
            });
        });
    }
}

fn picture(criterion: &mut Criterion) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/seeds/picture/seven.png");
    criterion.bench_function("preparing a picture of a digit", |bencher| {
        bencher.iter(|| black_box(read_digit(path.as_ref(), 28, 28).unwrap()));
    });
}

criterion_group!(benches, table, gathering, step, evaluation, model_batch, picture);
criterion_main!(benches);
