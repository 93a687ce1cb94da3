use super::*;

/// statsmodels' `mcnemar(…, exact=True)` and scipy's `binomtest`; see
/// `tests/reference/statistics.py`.
#[test]
fn p_values_as_statsmodels_and_scipy_give_them() {
    for (b, c, expected) in [
        (0, 0, 1.0),
        (5, 1, 0.218_75),
        (10, 25, 1.667_384_780_012e-2),
        (120, 160, 1.960_672_729_028e-2),
        (400, 300, 1.784_763_144_856e-4),
        (3000, 2900, 1.974_390_248_436e-1),
    ] {
        let got = coin_p_value(b, c);
        assert!((got / expected - 1.0).abs() < 1e-9, "{b} {c}: {got}");
        assert_eq!(got, coin_p_value(c, b));
    }
}

#[test]
fn images_are_compared_one_by_one() {
    // The first is wrong about 1, 2, 3, 9, the second about 2, 3, 4, 5, 6. Both are wrong about
    // 2 and 3.
    let paired = mcnemar(&[1, 2, 3, 9], &[2, 3, 4, 5, 6], 20);
    assert_eq!((paired.only_first_right, paired.only_second_right), (3, 2));
    assert!((paired.difference - 0.05).abs() < 1e-12);
    assert_eq!(mcnemar(&[], &[], 0).p_value, 1.0);
}

/// Bonett and Price's interval, from `tests/reference/statistics.py`.
#[test]
fn the_interval_as_computed_in_python() {
    let first: Vec<u32> = (0..160).collect();
    let second: Vec<u32> = (160..280).collect();
    let paired = mcnemar(&first, &second, 10_000);
    assert_eq!((paired.only_first_right, paired.only_second_right), (120, 160));
    let (low, high) = paired.interval;
    assert!((low + 0.007_288_947_8).abs() < 1e-9 && (high + 0.000_709_452_5).abs() < 1e-9, "{low} {high}");
}
