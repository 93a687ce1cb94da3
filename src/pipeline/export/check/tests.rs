use super::*;

#[test]
fn a_small_difference_is_rounding_and_a_larger_one_an_error() {
    let prediction = |logits: &[f32]| Prediction::from_logits(logits);
    // The derivative of a probability of ½ is ¼: 4e-6 becomes 1e-6, and 8e-5 becomes 2e-5.
    let difference = compare(&prediction(&[0.0, 0.0]), &prediction(&[4e-6, 0.0])).unwrap();
    assert!((difference - 1e-6).abs() < 1e-9, "{difference}");
    let error = compare(&prediction(&[0.0, 0.0]), &prediction(&[8e-5, 0.0])).unwrap_err();
    assert!(error.starts_with("a probability differs by 1.99"), "{error}");
    let error = compare(&prediction(&[0.0, 1e-6]), &prediction(&[1e-6, 0.0])).unwrap_err();
    assert_eq!(error, "it predicts class 0, expected 1");
}
