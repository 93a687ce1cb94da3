use super::*;

#[test]
fn values_that_differ_by_rounding_do_not_spread() {
    let same = [0.9 - 0.88, 0.3 - 0.28];
    assert!(same[0] != same[1] && spread_of(&same).is_none());
    assert!(spread_of(&[0.9, 0.9001]).is_some() && spread_of(&[0.9]).is_none());
}

/// 3 degrees of freedom: scipy's `t.cdf`.
#[test]
fn student_is_scipys_even_far_out() {
    for (t, expected) in [(2.0, 0.930_337_015_7), (-1.0, 0.195_501_109_5), (1e300, 1.0), (-1e300, 0.0)] {
        assert!((student_cdf(t, 3) - expected).abs() < 1e-9, "{t}: {}", student_cdf(t, 3));
    }
}
