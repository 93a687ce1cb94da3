use super::*;

/// numpy's `quantile` of 1, 2, 4, 8.
#[test]
fn quantiles_as_numpy_gives_them() {
    let five = FiveNumbers::new(&[4.0, 8.0, 1.0, 2.0]).expect("four values");
    let got = [five.min, five.lower_quartile, five.median, five.upper_quartile, five.max];
    assert_eq!((got, five.count), ([1.0, 1.75, 3.0, 5.0, 8.0], 4));
    assert_eq!(FiveNumbers::new(&[]), None);
}

/// scipy's `f.sf`; see `tests/reference/statistics.py`.
#[test]
fn variances_as_scipys_f_test_compares_them() {
    for (ratio, n, expected) in [
        (16.0, 5, 0.009_973_539_6),
        (6.25, 10, 0.005_868_775_2),
        (86.5, 5, 0.000_388_851_3),
        (100.0, 2, 0.063_451_034_9),
    ] {
        let got = variance_ratio_p_value(ratio, n);
        assert!((got - expected).abs() < 1e-8, "{ratio} {n}: {got}");
    }
    assert_eq!(variance_ratio_p_value(f64::INFINITY, 5), 0.0);
}
