use super::*;

/// Returns mean, standard deviation and largest absolute value.
fn moments(weights: &[f32]) -> (f64, f64, f64) {
    let n = weights.len() as f64;
    let mean = weights.iter().map(|&w| f64::from(w)).sum::<f64>() / n;
    let variance = weights.iter().map(|&w| (f64::from(w) - mean).powi(2)).sum::<f64>() / n;
    let largest = weights.iter().map(|w| f64::from(w.abs())).fold(0.0, f64::max);
    (mean, variance.sqrt(), largest)
}

/// The expected values follow from the formulas. With 30,000 draws, the sampling error is below
/// 2 %.
#[test]
fn draws_have_their_formulas_spread_and_bound() {
    let (fan_in, fan_out) = (300, 100);
    let uniform_bound = |variance: f64| (3.0 * variance).sqrt();
    let normal_bound = |variance: f64| 2.0 * variance.sqrt() / TRUNCATED_STD;
    for (initializer, variance, bound) in [
        (Initializer::GlorotUniform, 2.0 / 400.0, uniform_bound(2.0 / 400.0)),
        (Initializer::HeUniform, 2.0 / 300.0, uniform_bound(2.0 / 300.0)),
        (Initializer::GlorotNormal, 2.0 / 400.0, normal_bound(2.0 / 400.0)),
        (Initializer::HeNormal, 2.0 / 300.0, normal_bound(2.0 / 300.0)),
    ] {
        let (mean, std, largest) = moments(&initializer.draw(fan_in, fan_out, 7, 0));
        assert!(mean.abs() < 0.02 * bound, "{initializer:?}: mean {mean}");
        assert!((std / f64::sqrt(variance) - 1.0).abs() < 0.02, "{initializer:?}: std {std}");
        assert!(largest <= bound && largest > 0.98 * bound, "{initializer:?}: largest {largest}");
    }
}

#[test]
fn draws_depend_on_seed_and_layer_alone() {
    let draw = |seed, layer| Initializer::GlorotUniform.draw(4, 3, seed, layer);
    assert_eq!(draw(1, 0), draw(1, 0));
    assert_ne!(draw(1, 0), draw(2, 0));
    assert_ne!(draw(1, 0), draw(1, 1));
}
