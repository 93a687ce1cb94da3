use super::*;
use crate::evaluation::{Prediction, score};

/// Evaluation of a network that misclassifies these of 40 images.
fn wrong_about(images: &[usize]) -> Evaluation {
    let right = Prediction::from_logits(&[1.0, 0.0]);
    let labels: Vec<usize> = (0..40).map(|image| usize::from(images.contains(&image))).collect();
    score(&vec![right; 40], &labels)
}

#[test]
fn each_is_compared_with_the_first_and_corrected_for_all() {
    let first = wrong_about(&(0..12).collect::<Vec<_>>());
    let better = wrong_about(&[0, 1, 30]);
    let mut same = wrong_about(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20]);
    let tests = paired_tests(&first, &[&same, &better]);
    // Ten images against one: p = 2 · (1 + 11) / 2¹¹.
    let p = 24.0 / 2048.0;
    assert_eq!((tests[1].only_this_right, tests[1].only_first_right), (Some(10), Some(1)));
    assert!((tests[1].difference - 9.0 / 40.0).abs() < 1e-12);
    assert!((tests[1].p_value.unwrap() - p).abs() < 1e-12);
    assert!((tests[1].p_holm.unwrap() - 2.0 * p).abs() < 1e-12);
    assert_eq!((tests[0].p_value, tests[0].p_holm), (Some(1.0), Some(1.0)));
    // If one record lacks the misclassified images, there is no pair and no test.
    same.misclassified = None;
    let tests = paired_tests(&first, &[&same, &better]);
    assert_eq!((tests[0].method, tests[0].p_value, tests[0].p_holm), (Method::NewcombeUnpaired, None, None));
    assert!(tests[0].interval.0 < 0.0 && tests[0].interval.1 > 0.0);
    assert_eq!(tests[1].p_holm, tests[1].p_value);
}
