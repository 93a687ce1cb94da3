use super::*;

/// Three images with the probabilities (½, ¼, ¼), (⅛, ¾, ⅛) and (¼, ½, ¼). Their true classes
/// are 0, 2 and 1.
#[test]
fn a_split_scored_by_hand() {
    let quarters: [[f64; 3]; 3] = [[0.5, 0.25, 0.25], [0.125, 0.75, 0.125], [0.25, 0.5, 0.25]];
    let predictions: Vec<Prediction> =
        quarters.iter().map(|row| Prediction::from_logits(&row.map(|p| (p.ln() + 7.0) as f32))).collect();
    let evaluation = score(&predictions, &[0, 2, 1]);
    let close = |got: f64, expected: f64| assert!((got - expected).abs() < 1e-6, "{got}, {expected}");
    assert_eq!((evaluation.accuracy, evaluation.num_images), (2.0 / 3.0, 3));
    close(evaluation.loss, (2f64.ln() + 8f64.ln() + 2f64.ln()) / 3.0);
    assert_eq!(evaluation.confusion.counts, [[1, 0, 0], [0, 1, 0], [0, 1, 0]]);
    assert_eq!((evaluation.top_losses.len(), evaluation.misclassified.as_deref()), (1, Some(&[1][..])));
    let mistake = &evaluation.top_losses[0];
    assert_eq!((mistake.index, mistake.label, mistake.predicted), (1, 2, 1));
    close(mistake.confidence, 0.75);
    close(mistake.loss, 8f64.ln());
    // Two images have confidence ½ and are correct. One has confidence ¾ and is wrong.
    close(evaluation.calibration.error, (2.0 * 0.5 + 0.75) / 3.0);
}

#[test]
fn the_worst_mistakes_come_first_and_are_few() {
    let confidences =
        |confidence: f64| Prediction::from_logits(&[confidence.ln() as f32, (1.0 - confidence).ln() as f32]);
    let predictions: Vec<_> = (0..30).map(|i| confidences(0.6 + 0.01 * f64::from(i))).collect();
    let top_losses = top_losses(&predictions, &[1; 30]);
    let indices: Vec<_> = top_losses.iter().map(|mistake| mistake.index).collect();
    assert_eq!(indices, (10..30).rev().collect::<Vec<_>>());
}
