use super::*;

fn assert_close(got: Probabilities, expected: [f64; 3], tolerance: f64) {
    for (got, expected) in [got.worse, got.equal, got.better].into_iter().zip(expected) {
        assert!((got - expected).abs() < tolerance, "{got}, expected {expected}");
    }
}

const BEST: [f64; 5] = [0.90, 0.91, 0.92, 0.93, 0.94];

fn against(other: [f64; 5], region: f64) -> Probabilities {
    let differences: Vec<f64> = BEST.iter().zip(other).map(|(best, other)| best - other).collect();
    correlated_posterior(&differences, (400, 100), region).unwrap()
}

/// The authors' package baycomp and scipy give these values; see
/// `tests/reference/statistics.py`.
#[test]
fn the_correlated_t_test_as_baycomp_and_scipy_give_it() {
    for (other, region, expected) in [
        ([0.895, 0.912, 0.915, 0.931, 0.937], 0.005, [0.124_410_456_9, 0.858_270_449_2, 0.017_319_093_9]),
        ([0.895, 0.912, 0.915, 0.931, 0.937], 0.02, [0.000_634_240_1, 0.999_072_268_6, 0.000_293_491_4]),
        ([0.85, 0.86, 0.86, 0.88, 0.89], 0.005, [0.999_951_525_9, 0.000_025_873_0, 0.000_022_601_1]),
        ([0.86, 0.78, 0.69, 0.85, 0.83], 0.005, [0.961_411_097_5, 0.007_766_248_6, 0.030_822_653_9]),
        ([0.86, 0.78, 0.69, 0.85, 0.83], 0.02, [0.945_261_187_9, 0.032_438_140_5, 0.022_300_671_5]),
        ([0.90, 0.905, 0.10, 0.925, 0.93], 0.005, [0.729_256_092_7, 0.011_603_741_7, 0.259_140_165_6]),
    ] {
        assert_close(against(other, region), expected, 1e-8);
    }
    let seeds = correlated_posterior(&[0.012, 0.004, 0.009], (50_000, 10_000), 0.005).unwrap();
    assert_close(seeds, [0.812_012_860_2, 0.165_152_418_4, 0.022_834_721_4], 1e-8);
}

/// scipy; see `tests/reference/statistics.py`.
#[test]
fn the_corrected_t_test_as_scipy_gives_it() {
    for (other, expected) in [
        ([0.85, 0.86, 0.86, 0.88, 0.89], 0.000_065_020_025),
        ([0.895, 0.912, 0.915, 0.931, 0.937], 0.419_510_376_492),
    ] {
        let differences: Vec<f64> = BEST.iter().zip(other).map(|(best, other)| best - other).collect();
        let got = correlated_p_value(&differences, (400, 100)).unwrap();
        assert!((got - expected).abs() < 1e-9, "{got}");
    }
}

#[test]
fn without_spread_the_trials_say_nothing() {
    assert_eq!(correlated_posterior(&[0.01; 5], (400, 100), 0.005), None);
    assert_eq!(correlated_posterior(&[0.01], (400, 100), 0.005), None);
    assert_eq!(correlated_posterior(&[0.9 - 0.88, 0.3 - 0.28], (400, 100), 0.005), None);
}

/// Quadrature over both Beta distributions; see `tests/reference/statistics.py`.
#[test]
fn shares_as_quadrature_gives_them() {
    for (best, other, n, expected) in [
        (0.90, 0.88, 500, [0.774_490, 0.121_505, 0.104_005]),
        (0.90, 0.70, 500, [1.0, 0.0, 0.0]),
        (0.9239, 0.9239, 60_000, [0.000_547, 0.998_907, 0.000_547]),
        (0.92, 0.915, 10_000, [0.499_836, 0.495_066, 0.005_098]),
    ] {
        assert_close(share_posterior(best, other, n, 0.005), expected, 1e-3);
    }
}
