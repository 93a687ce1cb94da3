use super::*;

#[test]
fn the_worst_mistakes_come_first() {
    // Class 1 has the probabilities 0.1, 0.9, 0.6 and 0.2.
    let predictions = [0.1f32, 0.9, 0.6, 0.2].map(|p| Prediction::from_logits(&[(1.0 - p).ln(), p.ln()]));
    assert_eq!(positions(&[1, 1, 0, 1], &predictions, 100), [0, 3, 2, 1]);
    // No more than half of the images are mistakes, and no more than `most` are chosen.
    assert_eq!(positions(&[1, 1, 0, 1], &predictions, 4), [0, 3, 2]);
    assert_eq!(positions(&[1, 1, 0, 1], &predictions, 2), [0]);
    assert_eq!(positions(&[], &predictions, 2), [0, 2]);
}

#[test]
fn other_images_are_at_regular_distances() {
    assert_eq!(regular(10, 4, &[]), [0, 2, 5, 7]);
    assert_eq!(regular(10, 4, &[5]), [0, 2, 7]);
    assert_eq!(regular(3, 24, &[0]), [1, 2]);
    assert_eq!(regular(0, 24, &[]), [0; 0]);
}
