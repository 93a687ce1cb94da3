use super::*;

/// Class 0 has two correct images and one that is predicted as 1. Class 1 has one correct
/// image. Class 2 has no image and is never predicted.
#[test]
fn scores_by_hand() {
    let matrix = ConfusionMatrix::count(3, [(0, 0), (1, 1), (0, 1), (0, 0)].into_iter());
    assert_eq!(matrix.counts, [[2, 1, 0], [0, 1, 0], [0, 0, 0]]);
    assert_eq!(matrix.num_correct(), 3);
    assert_eq!(matrix.predicted(), [2, 2, 0]);
    let scores = matrix.scores();
    let numbers = |s: &ClassScores| (s.precision, s.recall, s.f1, s.num_images);
    assert_eq!(numbers(&scores[0]), (Some(1.0), Some(2.0 / 3.0), Some(0.8), 3));
    assert_eq!(numbers(&scores[1]), (Some(0.5), Some(1.0), Some(2.0 / 3.0), 1));
    assert_eq!(numbers(&scores[2]), (None, None, None, 0));
}

/// Recalls of 2/3 and 1, and a class without images, which does not count.
#[test]
fn balanced_accuracy_by_hand() {
    let pairs = [(0, 0), (1, 1), (0, 1), (0, 0)];
    let matrix = ConfusionMatrix::count(3, pairs.into_iter());
    assert_eq!(balanced_accuracy(&matrix.scores()), Some((2.0 / 3.0 + 1.0) / 2.0));
    let labels = pairs.map(|(label, _)| label as u16);
    let correct = pairs.map(|(label, predicted)| label == predicted);
    assert_eq!(balanced_accuracy_of_images(&labels, &correct), Some((2.0 / 3.0 + 1.0) / 2.0));
    assert_eq!((balanced_accuracy(&[]), balanced_accuracy_of_images(&[], &[])), (None, None));
}
