//! What becomes of the state of a weight that has had a gradient once.
#![allow(clippy::unwrap_used)]

use burn::optim::{AdamConfig, Optimizer, RecordState, StateSink};
use burn::tensor::{Device, Tensor};

use crate::engine::cpu::optimizer::{FusedAdam, FusedRmsProp, FusedSgd, ReferenceAdam};

fn is_denormal(value: &f32) -> bool {
    value.is_subnormal()
}

/// Steps until everything that shrinks by a tenth in each has gone.
const STEPS: usize = 1200;

/// Takes steps at rate 0.1 on weights and gradients that go down to where numbers become denormal, then without a gradient, and
/// looks at everything that is kept after each.
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
            // It follows from others and is never read.
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
    for device in &devices {
        for (name, momentum, is_nesterov, penalty) in
            [("sgd", 0.0, false, Some(0.5)), ("momentum", 0.9, false, None), ("nesterov", 0.9, true, None)]
        {
            assert_none_stays(name, &FusedSgd { penalty, momentum, is_nesterov }, device);
        }
        let (beta_1, beta_2, epsilon) = (0.9, 0.9, 1e-7);
        let config = AdamConfig::new().with_beta_1(beta_1).with_beta_2(beta_2).with_epsilon(epsilon);
        let plain = ReferenceAdam::Adam(config.build());
        let adam = FusedAdam { plain, beta_1, beta_2, epsilon, penalty: None, decay: 0.0 };
        assert_none_stays("adam", &adam, device);
        for (name, momentum, is_centered) in [
            ("rmsprop", 0.0, false),
            ("with momentum", 0.9, false),
            ("centred", 0.0, true),
            ("both", 0.9, true),
        ] {
            let rmsprop = FusedRmsProp { rho: 0.9, momentum, epsilon, is_centered, penalty: None };
            assert_none_stays(name, &rmsprop, device);
        }
    }
}
