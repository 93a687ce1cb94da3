//! Tests of the state of a weight that has a gradient in the first step only: it must end at 0, not
//! at a denormal number.
#![allow(clippy::unwrap_used)]

use burn::optim::{Optimizer, RecordState, StateSink};
use burn::tensor::{Device, Tensor};

use crate::engine::cpu::optimizer::{Fused, FusedAdam, FusedLion, FusedRmsProp, FusedSgd};
use crate::optim::OptimizerConfig;

fn is_denormal(value: &f32) -> bool {
    value.is_subnormal()
}

/// Number of steps after which every value that shrinks by a tenth per step is 0.
const STEPS: usize = 1200;

fn fused<U>(update: U) -> Fused<U> {
    Fused { update, clipping: None }
}

/// Takes [`STEPS`] steps at rate 0.1. The first step has weights and gradients that go down to the
/// range of denormal numbers, and all later ones have no gradient. After each step, neither the
/// weights nor the state may contain a denormal number. At the end, the state must be 0.
fn assert_none_stays(name: &str, optimizer: &impl Optimizer, device: &Device) {
    let first: Vec<f32> = (0..76).map(|power| 2f32.powi(-2 * power)).collect();
    let first = || Tensor::<1>::from_floats(first.as_slice(), device);
    let (mut weights, mut state) = (first(), None);
    for step in 0..STEPS {
        let gradient = if step == 0 { first() } else { first().zeros_like() };
        (weights, state) = optimizer.step(0.1, weights, gradient, state);
        let mut kept = StateSink::default();
        state.iter().for_each(|state| state.state_flatten("", &mut kept));
        let kept = kept.tensors.into_iter().chain([("weights".to_owned(), weights.clone().into_data())]);
        for (what, data) in kept {
            // `centered.avg` is computed from other values and never read, so it may be denormal.
            let values = data.try_to_vec::<f32>().unwrap();
            assert!(
                what == "centered.avg" || !values.iter().any(is_denormal),
                "{name}, {what}, step {step}: {values:?}"
            );
            let is_gone = values.iter().all(|&value| value == 0.0);
            assert!(step + 1 < STEPS || what == "weights" || is_gone, "{name}, {what}: {values:?}");
        }
    }
}

#[test]
fn nothing_that_shrinks_becomes_denormal() {
    #[allow(deprecated)]
    let devices = [Device::flex(), Device::ndarray()];
    let params = |kind: &str, rest: &str| {
        toml::from_str::<OptimizerConfig>(&format!("kind = \"{kind}\"\n{rest}")).unwrap()
    };
    for device in &devices {
        for rest in ["weight_decay = 0.5", "momentum = 0.9", "momentum = 0.9\nnesterov = true"] {
            let OptimizerConfig::Sgd(sgd) = params("sgd", rest) else { unreachable!() };
            assert_none_stays(rest, &fused(FusedSgd::new(&sgd)), device);
        }
        let OptimizerConfig::Adam(adam) = params("adam", "beta_1 = 0.9\nbeta_2 = 0.9") else {
            unreachable!()
        };
        assert_none_stays("adam", &fused(FusedAdam::adam(&adam)), device);
        for rest in ["", "momentum = 0.9", "centered = true", "momentum = 0.9\ncentered = true"] {
            let OptimizerConfig::RmsProp(rmsprop) = params("rmsprop", rest) else { unreachable!() };
            assert_none_stays(rest, &fused(FusedRmsProp::new(&rmsprop)), device);
        }
        let OptimizerConfig::Lion(lion) = params("lion", "beta_2 = 0.9") else { unreachable!() };
        assert_none_stays("lion", &fused(FusedLion::new(&lion)), device);
    }
}
