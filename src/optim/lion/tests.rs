use super::*;

/// By hand: w₁ = 1 · (1 − 0.1 · 0.5) − 0.1 · sign(0.1 · 2) = 0.85 with m = 0.01 · 2 = 0.02. The
/// second gradient of −1 gives the direction 0.9 · 0.02 − 0.1 = −0.082, so
/// w₂ = 0.85 · 0.95 + 0.1 = 0.9075.
#[test]
fn two_steps_computed_by_hand() {
    let config = LionConfig::new().with_beta_1(0.9).with_beta_2(0.99).with_weight_decay(0.5);
    let lion = LionOptimizer(config.build());
    let device = Device::flex();
    let scalar = |value: f32| Tensor::<1>::from_floats([value], &device);
    let (weight, state) = lion.step(0.1, scalar(1.0), scalar(2.0), None);
    let (weight, _) = lion.step(0.1, weight, scalar(-1.0), state);
    let weight = weight.into_data().iter::<f32>().next().unwrap();
    assert!((weight - 0.9075).abs() < 1e-6, "{weight}");
}

#[test]
fn the_formula_states_its_constants() {
    let lion = Lion { weight_decay: 0.1, ..Lion::default() };
    assert_eq!(
        lion.formula(),
        ["w ← w − η · 0.1 · w", "w ← w − η · sign(0.9 · m + 0.1 · g)", "m ← 0.99 · m + 0.01 · g"]
    );
}
