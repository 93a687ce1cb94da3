use crate::statistics::rank::mann_whitney;

fn assert_close(first: &[f64], second: &[f64], expected: f64) {
    let got = mann_whitney(first, second);
    assert!((got - expected).abs() < 1e-9, "{got}, expected {expected}");
    assert_eq!(got, mann_whitney(second, first));
}

/// scipy's `mannwhitneyu(…, method="exact")`; see `tests/reference/statistics.py`.
#[test]
fn p_values_as_scipy_gives_them() {
    assert_close(&[1.0, 2.0, 3.0, 4.0], &[5.0, 6.0, 7.0, 8.0], 0.028_571_428_571);
    assert_close(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0], 0.1);
    assert_close(&[1.1, 2.0, 3.3, 4.0, 6.5], &[3.0, 5.0, 6.0, 7.0, 8.0], 0.150_793_650_794);
    assert_close(&[1.0, 9.0, 4.0, 2.5, 3.5, 7.0], &[8.0, 2.0, 3.0], 0.904_761_904_762);
    let many: Vec<f64> = (0..60).map(f64::from).collect();
    let later: Vec<f64> = many.iter().map(|value| value + 7.5).collect();
    assert_close(&many, &later, 0.026_945_856_196);
}

#[test]
fn one_value_and_equal_values_say_nothing() {
    assert_eq!(mann_whitney(&[1.0], &[2.0]), 1.0);
    assert_eq!(mann_whitney(&[1.0; 4], &[1.0; 4]), 1.0);
    assert_eq!(mann_whitney(&[], &[1.0]), 1.0);
}
