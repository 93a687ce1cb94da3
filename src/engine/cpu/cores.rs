//! Tests of every batch size with every number of cores. The weights must be the same as with one
//! core, to the last bit.
#![allow(clippy::unwrap_used)]

use burn::grad_clipping::GradientClippingConfig;
use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::tensor::{Device, TensorData};

use crate::data::{Batch, Mixup, Source, Split, Subset};
use crate::engine::Engine;
use crate::engine::cpu::threads::pool::simulated;
use crate::model::{Mlp, MlpConfig};
use crate::optim::{Adam, OptimizerConfig, Sgd};

/// Batch sizes that are tested.
const BATCH_SIZES: std::ops::RangeInclusive<usize> = 1..=600;
/// Numbers of cores that are tested.
const CORES: std::ops::RangeInclusive<usize> = 2..=70;

/// Network and optimizer of one test.
struct Case {
    name: &'static str,
    model: Mlp,
    optimizer: OptimizerConfig,
    /// Whether images are mixed and gradients are clipped.
    has_mixup: bool,
}

fn cases() -> [Case; 3] {
    let model = |hidden: &[usize], dropout, input_dropout| {
        let config = MlpConfig { hidden: hidden.to_vec(), dropout, input_dropout, ..MlpConfig::default() };
        config.init(784, 10, 1, &Device::flex()).unwrap().train()
    };
    // With 100,000 weights and more, the threads share the updates, too.
    [
        Case {
            name: "softmax",
            model: model(&[], 0.0, 0.0),
            optimizer: OptimizerConfig::default(),
            has_mixup: false,
        },
        Case {
            name: "one hidden layer, momentum, mixup, clipping",
            model: model(&[128], 0.0, 0.0),
            optimizer: OptimizerConfig::Sgd(Sgd { learning_rate: 0.1, momentum: 0.9, ..Sgd::default() }),
            has_mixup: true,
        },
        Case {
            name: "two hidden layers, dropout, Adam",
            model: model(&[270, 20], 0.5, 0.2),
            optimizer: OptimizerConfig::Adam(Adam::default()),
            has_mixup: false,
        },
    ]
}

/// Takes two steps. The second one has a smaller batch, like the last step of an epoch. Returns the
/// metrics of both steps, the logits of the first batch after them, and the weights and biases with
/// their moving average.
fn train(case: &Case, split: &Split, batch_size: usize) -> (Vec<(f64, usize)>, Vec<f32>, Vec<TensorData>) {
    let device = Device::flex();
    let clipping = case.has_mixup.then_some(GradientClippingConfig::Norm(0.5));
    let mut optimizer: ModuleOptimizer = Engine::Cpu.optimizer(&case.optimizer, clipping);
    let mut model = case.model.clone();
    let mut average = model.valid();
    let mut measured = Vec::new();
    let positions: Vec<u32> = (0..batch_size + batch_size.div_ceil(3)).map(|index| index as u32).collect();
    for (step, positions) in positions.chunks(batch_size).enumerate() {
        let batch =
            Batch::new(split, positions, 0.0, &device.clone().autodiff()).with_dropout_seed(step as u64);
        let batch = if case.has_mixup { batch.with_mixup(Mixup::draw(1.0, 1, step as u64)) } else { batch };
        let output = Engine::Cpu.train_step(&model, &batch);
        let rate = ModuleLearningRate::from(case.optimizer.learning_rate());
        model = optimizer.step(rate, model, output.grads);
        average = Engine::Cpu.average(average, &model, 0.3);
        measured.extend(output.item.steps().iter().map(|step| (step.loss, step.correct)));
    }
    let first = &positions[..batch_size];
    let logits = Engine::Cpu.logits(&model, &Batch::new(split, first, 0.0, &device)).unwrap();
    let weights = [&model, &average]
        .into_iter()
        .flat_map(Mlp::layers)
        .flat_map(|layer| [layer.weight.val().into_data(), layer.bias.as_ref().unwrap().val().into_data()]);
    (measured, logits, weights.collect())
}

/// Compares training with one core and with each number of cores that `wanted` returns for a batch
/// size. Returns the number of comparisons.
fn compare(wanted: impl Fn(usize) -> Vec<usize>) -> usize {
    let split = Split::whole(Source::mnist().load(Subset::Test).unwrap());
    let mut count = 0;
    for case in cases() {
        for batch_size in BATCH_SIZES {
            let alone = simulated::cores(1, || train(&case, &split, batch_size));
            assert_eq!(alone.0.len(), 2);
            for cores in wanted(batch_size) {
                let together = simulated::cores(cores, || train(&case, &split, batch_size));
                assert!(together == alone, "{}, batches of {batch_size}, {cores} cores", case.name);
                count += 1;
            }
        }
    }
    count
}

/// Each batch size is tested with one number of cores. The number changes from size to size, so
/// that every number meets many sizes.
#[test]
fn batches_of_every_size_train_alike_with_many_cores() {
    let range = CORES.count();
    assert_eq!(compare(|batch_size| vec![CORES.start() + batch_size * 29 % range]), 1800);
}

/// All combinations are tested, which takes minutes:
/// `cargo test --release --lib all_batch_sizes -- --ignored`.
#[test]
#[ignore = "takes minutes; a part of it runs always"]
fn all_batch_sizes_train_alike_with_all_numbers_of_cores() {
    assert_eq!(compare(|_| CORES.collect()), 600 * 69 * 3);
}
