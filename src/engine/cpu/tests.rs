//! Tests of the equivalence of the CPU engine with its reference implementations: the passes with
//! tensors and Burn's own optimizers.
#![allow(clippy::panic)]

use burn::grad_clipping::GradientClippingConfig;
use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::module::Module;
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{
    AdamConfig, AdamWConfig, GradientsParams, LionConfig, ModuleOptimizer, RmsPropConfig, SgdConfig,
};
use burn::tensor::{Device, Tensor};

use crate::data::{Batch, Mixup, Source, Split, Subset};
use crate::engine::cpu::step;
use crate::engine::cpu::threads::pool;
use crate::engine::{Engine, autodiff};
use crate::model::{Activation, Mlp, MlpConfig};
use crate::optim::{Adam, AdamW, Lion, OptimizerConfig, RmsProp, Sgd};

fn digits() -> Split {
    Split::whole(Source::mnist().load(Subset::Test).unwrap_or_else(|error| panic!("{error}")))
}

fn network(hidden: &[usize], activation: Activation, device: &Device) -> Mlp {
    init(&MlpConfig { hidden: hidden.to_vec(), activation, ..MlpConfig::default() }, device)
}

fn init(config: &MlpConfig, device: &Device) -> Mlp {
    config.init(784, 10, 3, device).unwrap_or_else(|error| panic!("{error}")).train()
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

/// Gradients of all weights and biases, layer by layer.
fn all_gradients(model: &Mlp, gradients: &GradientsParams) -> Vec<Vec<f32>> {
    let layer = |layer: &burn::nn::Linear| {
        let bias = layer.bias.as_ref().and_then(|bias| gradients.get::<1>(bias.id));
        [gradients.get::<2>(layer.weight.id).map(values), bias.map(values)]
    };
    model.layers().iter().flat_map(layer).map(Option::unwrap_or_default).collect()
}

#[test]
fn a_step_has_the_gradients_and_the_metrics_of_autodiff() {
    let (split, device) = (digits(), Device::flex());
    // More images than a chunk holds.
    let positions: Vec<u32> = (0..277).map(|index| index * 101 % 10_000).collect();
    // Every activation, with and without dropout, and with and without label smoothing.
    let kinds = Activation::KINDS.into_iter().chain([Activation::LeakyRelu { slope: 0.2 }]);
    let cases = kinds.flat_map(|activation| {
        [
            (&[20, 17][..], activation, 0.0, [0.0; 2]),
            (&[20, 17], activation, 0.2, [0.0; 2]),
            (&[20, 17], activation, 0.1, [0.4, 0.2]),
        ]
    });
    let mut has_mixup = false;
    for (hidden, activation, smoothing, [dropout, input_dropout]) in cases.chain([
        (&[][..], Activation::Relu, 0.0, [0.0; 2]),
        (&[], Activation::Relu, 0.1, [0.0; 2]),
        (&[32], Activation::Relu, 0.0, [0.0; 2]),
        (&[48, 33], Activation::Relu, 0.1, [0.0; 2]),
        (&[], Activation::Relu, 0.0, [0.0, 0.3]),
        (&[48, 33], Activation::Relu, 0.0, [0.5, 0.0]),
    ]) {
        let config =
            MlpConfig { hidden: hidden.to_vec(), activation, dropout, input_dropout, ..MlpConfig::default() };
        let model = init(&config, &device);
        let batch =
            Batch::new(&split, &positions, smoothing, &device.clone().autodiff()).with_dropout_seed(7);
        // Every other case has mixed images. The evaluation below is of the plain ones.
        let plain_batch = batch.clone();
        has_mixup = !has_mixup;
        let batch = if has_mixup { batch.with_mixup(Mixup::draw(1.0, 1, 3)) } else { batch };
        let (gradients, step) = step::train_step(&model, &batch).unwrap_or_else(|| panic!("not on flex"));
        let plain = autodiff::train_step(&model, &batch);
        let synced = burn::train::ItemLazy::sync(plain.item).unwrap_or_else(|error| panic!("{error}"));
        let expected = synced.steps()[0];
        assert!((step.loss - expected.loss).abs() < 1e-5, "{} {}", step.loss, expected.loss);
        assert_eq!((step.correct, step.num_images), (expected.correct, expected.num_images));
        let pairs = all_gradients(&model, &gradients).into_iter().zip(all_gradients(&model, &plain.grads));
        for (index, (got, expected)) in pairs.enumerate() {
            assert_eq!(got.len(), expected.len());
            assert!(!got.is_empty(), "no gradient {index}");
            for (got, expected) in got.iter().zip(&expected) {
                assert!(
                    (got - expected).abs() < 2e-6,
                    "{hidden:?} {activation:?} {index}: {got}, {expected}"
                );
            }
        }
        let eval_metrics = step::eval_step(&model, &plain_batch).unwrap_or_else(|| panic!("not on flex"));
        let is_same = (eval_metrics.loss - step.loss).abs() < 1e-12 && eval_metrics.correct == step.correct;
        let is_plain = dropout + input_dropout == 0.0 && !has_mixup;
        assert_eq!(is_same, is_plain, "nothing is left out or mixed where nothing is learned");
    }
}

#[test]
fn a_step_is_the_same_to_the_last_bit_with_any_number_of_threads() {
    let (split, device) = (digits(), Device::flex());
    let (dropout, input_dropout) = (0.5, 0.2);
    let model =
        init(&MlpConfig { hidden: vec![64, 40], dropout, input_dropout, ..MlpConfig::default() }, &device);
    // On one thread, these images are one chunk.
    let positions: Vec<u32> = (0..200).collect();
    let batch = Batch::new(&split, &positions, 0.0, &device.clone().autodiff()).with_dropout_seed(7);
    let step = || {
        step::train_step(&model, &batch).map(|(gradients, step)| (all_gradients(&model, &gradients), step))
    };
    let alone = step();
    assert!(alone.is_some());
    let _session = pool::activate();
    assert_eq!(step(), alone);
}

#[test]
fn networks_on_other_backends_take_the_autodiff_step() {
    let split = digits();
    #[allow(deprecated)]
    let device = Device::ndarray();
    let model = network(&[8], Activation::Relu, &device);
    let batch = Batch::new(&split, &[1, 2, 3], 0.0, &device.autodiff());
    assert!(step::train_step(&model, &batch).is_none() && step::eval_step(&model, &batch).is_none());
}

/// Ten steps with each optimizer, from the same first weights, with and without clipping. The
/// weights must be those of Burn's own optimizer.
#[test]
fn fused_updates_are_burns_own() {
    let penalty = || Some(WeightDecayConfig::new(0.01));
    let sgd = |weight_decay| OptimizerConfig::Sgd(Sgd { learning_rate: 0.3, weight_decay, ..Sgd::default() });
    let adam = |weight_decay| OptimizerConfig::Adam(Adam { weight_decay, ..Adam::default() });
    let adamw = |weight_decay| OptimizerConfig::AdamW(AdamW { weight_decay, ..AdamW::default() });
    let cases: [(OptimizerConfig, Plain); 6] = [
        (sgd(0.0), Box::new(|| SgdConfig::new().init())),
        (sgd(0.01), Box::new(move || SgdConfig::new().with_weight_decay(penalty()).init())),
        (adam(0.0), Box::new(|| AdamConfig::new().with_epsilon(1e-7).init())),
        (
            adam(0.01),
            Box::new(move || AdamConfig::new().with_epsilon(1e-7).with_weight_decay(penalty()).init()),
        ),
        (adamw(0.0), Box::new(|| AdamWConfig::new().with_epsilon(1e-7).with_weight_decay(0.0).init())),
        (adamw(0.05), Box::new(|| AdamWConfig::new().with_epsilon(1e-7).with_weight_decay(0.05).init())),
    ];
    let (split, device) = (digits(), Device::flex());
    for (config, plain) in cases {
        let (norm, value) = (GradientClippingConfig::Norm(0.05), GradientClippingConfig::Value(0.002));
        for clipping in [None, Some(norm), Some(value)] {
            let has_norm = matches!(clipping, Some(GradientClippingConfig::Norm(_)));
            let start = network(&[40], Activation::Relu, &device);
            let plain = match &clipping {
                Some(clipping) => plain().with_grad_clipping(clipping.init()),
                None => plain(),
            };
            let trained = [Engine::Cpu.optimizer(&config, clipping), plain]
                .map(|optimizer| ten_steps(start.clone(), optimizer, &split));
            let [fused, plain] = trained.map(|weights| weights.concat());
            let furthest = fused.iter().zip(&plain).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            // Burn divides AdamW's moments and adds the squares of a norm in another order.
            let is_exact = !matches!(config, OptimizerConfig::AdamW(_)) && !has_norm;
            let allowed = if is_exact { 0.0 } else { 1e-6 };
            assert!(fused.len() == plain.len() && furthest <= allowed, "{config:?}: {furthest}");
        }
    }
}

/// The same for momentum, RMSprop and Lion, on flex and with tensors on ndarray. Each implementation
/// resumes from the record of the other one.
#[test]
fn momentum_rmsprop_and_lion_are_burns_own_and_resume_from_its_records() {
    let sgd = |nesterov, weight_decay| {
        let momentum = MomentumConfig::new().with_momentum(0.9).with_dampening(0.0).with_nesterov(nesterov);
        let plain = SgdConfig::new().with_momentum(Some(momentum));
        let plain = plain.with_weight_decay(Some(WeightDecayConfig::new(weight_decay as f32)));
        let sgd = Sgd { learning_rate: 0.3, momentum: 0.9, nesterov, weight_decay };
        (OptimizerConfig::Sgd(sgd), Box::new(move || plain.init()) as Plain)
    };
    let rmsprop = |momentum: f64, centered, weight_decay| {
        let plain = RmsPropConfig::new().with_alpha(0.9).with_momentum(momentum as f32).with_epsilon(1e-7);
        let plain = plain.with_centered(centered);
        let plain = plain.with_weight_decay(Some(WeightDecayConfig::new(weight_decay as f32)));
        let rmsprop = RmsProp { momentum, centered, weight_decay, ..RmsProp::default() };
        (OptimizerConfig::RmsProp(rmsprop), Box::new(move || plain.init()) as Plain)
    };
    let lion = |weight_decay| {
        let plain =
            LionConfig::new().with_beta_1(0.8).with_beta_2(0.9).with_weight_decay(weight_decay as f32);
        let lion = Lion { beta_1: 0.8, beta_2: 0.9, weight_decay, ..Lion::default() };
        (OptimizerConfig::Lion(lion), Box::new(move || plain.init()) as Plain)
    };
    let split = digits();
    #[allow(deprecated)]
    let devices = [Device::flex(), Device::ndarray()];
    for (config, plain) in [
        sgd(false, 0.01),
        sgd(true, 0.01),
        rmsprop(0.0, false, 0.01),
        rmsprop(0.8, false, 0.01),
        rmsprop(0.0, true, 0.01),
        rmsprop(0.8, true, 0.01),
        lion(0.0),
        lion(0.5),
    ] {
        for device in &devices {
            let start = network(&[40], Activation::Relu, device);
            let mut plain_optimizer = plain();
            let half = steps(0..5, start, &mut plain_optimizer, &split, device);
            let mut ours =
                engine_on(device).optimizer(&config, None).load_record(plain_optimizer.to_record());
            let expected = steps(5..10, half.clone(), &mut plain_optimizer, &split, device);
            let got = steps(5..10, half, &mut ours, &split, device);
            assert_eq!(all_weights(&got), all_weights(&expected), "{config:?} on {device:?}");
            // Burn's own optimizer also resumes from the record of smallnet's.
            let mut plain_optimizer = plain().load_record(ours.to_record());
            let expected = steps(10..12, got.clone(), &mut plain_optimizer, &split, device);
            let got = steps(10..12, got, &mut ours, &split, device);
            assert_eq!(all_weights(&got), all_weights(&expected), "{config:?} on {device:?}");
        }
    }
}

/// The average takes the memory of its network, and not that of the network that is trained. With
/// 100,000 weights, it is computed in parts.
#[test]
fn a_moving_average_is_that_of_tensors() {
    let device = Device::flex();
    let [start, trained] = [3, 4].map(|seed| {
        let config = MlpConfig { hidden: vec![128], ..MlpConfig::default() };
        config.init(784, 10, seed, &device).unwrap_or_else(|error| panic!("{error}"))
    });
    let before = all_weights(&trained);
    let [cpu, tensors] = [Engine::Cpu, Engine::Autodiff]
        .map(|engine| all_weights(&engine.average(start.clone(), &trained.clone().train(), 0.3)));
    assert!(cpu == tensors);
    assert!(cpu != before && cpu != all_weights(&start) && all_weights(&trained) == before);
}

/// Engine of a network on `device`: CPU engine on flex, autodiff elsewhere.
fn engine_on(device: &Device) -> Engine {
    Engine::default_on(device)
}

/// Constructor of one of Burn's own optimizers.
type Plain = Box<dyn Fn() -> ModuleOptimizer>;

/// Weights and biases after ten steps of 16 images.
fn ten_steps(model: Mlp, mut optimizer: ModuleOptimizer, split: &Split) -> Vec<Vec<f32>> {
    all_weights(&steps(0..10, model, &mut optimizer, split, &Device::flex()))
}

/// Network after the steps `steps` of 16 images each.
fn steps(
    steps: std::ops::Range<u32>,
    mut model: Mlp,
    optimizer: &mut ModuleOptimizer,
    split: &Split,
    device: &Device,
) -> Mlp {
    let device = device.clone().autodiff();
    for step in steps {
        let positions: Vec<u32> = (16 * step..16 * (step + 1)).collect();
        let gradients = model.engine().train_step(&model, &Batch::new(split, &positions, 0.0, &device)).grads;
        model = optimizer.step(ModuleLearningRate::from(0.01 / f64::from(step + 1)), model, gradients);
    }
    model
}

fn all_weights(model: &Mlp) -> Vec<Vec<f32>> {
    let layer = |layer: &burn::nn::Linear| {
        [values(layer.weight.val()), layer.bias.as_ref().map(|bias| values(bias.val())).unwrap_or_default()]
    };
    model.layers().iter().flat_map(layer).collect()
}
