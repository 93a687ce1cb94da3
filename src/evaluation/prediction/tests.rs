use super::*;

#[test]
fn logits_far_apart_stay_finite() {
    let prediction = Prediction::from_logits(&[-1000.0, 1000.0, 0.0]);
    assert_eq!((prediction.class, prediction.confidence()), (1, 1.0));
    assert_eq!(prediction.loss(0), 2000.0);
}

#[test]
fn of_equal_logits_the_first_is_predicted() {
    let prediction = Prediction::from_logits(&[1.0, 3.0, 3.0, 1.0]);
    assert_eq!(prediction.class, 1);
    assert!((prediction.probabilities().iter().sum::<f64>() - 1.0).abs() < 1e-12);
}

#[test]
fn a_logit_that_is_no_number_shows_in_the_loss() {
    assert!(Prediction::from_logits(&[1.0, f32::NAN]).loss(0).is_nan());
    assert!(Prediction::from_logits(&[f32::NAN, 1.0]).loss(1).is_nan());
}
