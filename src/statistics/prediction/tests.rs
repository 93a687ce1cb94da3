use super::*;

/// By hand: mean 3, s = √2.5, and `scipy.stats.t.ppf(0.975, 4)` = 2.7764451052.
#[test]
fn one_more_after_one_to_five() {
    let half = 2.776_445_105_2 * 2.5f64.sqrt() * 1.2f64.sqrt();
    let (low, high) = prediction_interval(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
    assert!((low - (3.0 - half)).abs() < 1e-6 && (high - (3.0 + half)).abs() < 1e-6, "{low} {high}");
    assert_eq!(prediction_interval(&[1.0]), None);
}
