use crate::statistics::holm::holm;

/// statsmodels' `multipletests(p, method="holm")`; see `tests/reference/statistics.py`.
#[test]
fn as_statsmodels_adjusts_them() {
    let adjusted = holm(&[0.01, 0.04, 0.03, 0.005, 0.9]);
    for (got, expected) in adjusted.iter().zip([0.04, 0.09, 0.09, 0.025, 0.9]) {
        assert!((got - expected).abs() < 1e-12, "{adjusted:?}");
    }
    assert_eq!(holm(&[]), [] as [f64; 0]);
}
