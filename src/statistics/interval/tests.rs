use super::*;

/// Wilson's interval of 8 of 10 from statsmodels' `proportion_confint`, Newcombe's from
/// `confint_proportions_2indep`; see `tests/reference/statistics.py`.
#[test]
fn shares_of_images_as_statsmodels_gives_them() {
    let close = |(low, high): (f64, f64), expected: (f64, f64)| {
        assert!((low - expected.0).abs() < 1e-8 && (high - expected.1).abs() < 1e-8, "{low} {high}");
    };
    close(wilson(0.8, 10), (0.490_162_471_5, 0.943_317_848_5));
    close(newcombe((0.8, 75), (0.6, 75)), (0.053_283_132_2, 0.335_657_066_9));
}
