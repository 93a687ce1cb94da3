use super::*;

fn prediction(probabilities: [f64; 3]) -> Prediction {
    Prediction::from_log_probabilities(probabilities.iter().map(|p| p.ln()).collect())
}

/// (½, ¼, ¼) and (⅛, ¾, ⅛) have the sum (⅝, 1, ⅜).
#[test]
fn probabilities_are_added_by_hand() {
    let mut sums = prediction([0.5, 0.25, 0.25]).log_probabilities;
    add(&mut sums, &prediction([0.125, 0.75, 0.125]));
    for (sum, expected) in sums.iter().zip([0.625f64, 1.0, 0.375]) {
        assert!((sum.exp() - expected).abs() < 1e-15, "{sum} {expected}");
    }
}

#[test]
fn the_smallest_probabilities_stay_and_no_number_stays_none() {
    // e⁻²⁰⁰⁰ is 0 in double precision, and its logarithm is not.
    let mut sums = vec![-2000.0, f64::NEG_INFINITY, f64::NAN, 0.0];
    let other = vec![-2000.0, f64::NEG_INFINITY, 0.0, f64::NAN];
    add(&mut sums, &Prediction { class: 0, log_probabilities: other });
    assert!((sums[0] - (2f64.ln() - 2000.0)).abs() < 1e-12, "{sums:?}");
    assert_eq!(sums[1], f64::NEG_INFINITY);
    assert!(sums[2].is_nan() && sums[3].is_nan(), "{sums:?}");
}
