//! The confusion matrix and the scores that follow from it.

use serde::{Deserialize, Serialize};

use crate::util::format::grouped;
use crate::util::table::{Column, TextTable, or_dash};

/// How often each class was taken for which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConfusionMatrix {
    /// `[true class][predicted class]`, images.
    pub counts: Vec<Vec<u64>>,
}

/// How well one class is told from all others. A score whose denominator is zero is none, not 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassScores {
    /// Of the images given this class, the share that is of it, in [0, 1].
    pub precision: Option<f64>,
    /// Of the images of this class, the share that was given it, in [0, 1].
    pub recall: Option<f64>,
    /// The harmonic mean of both, 2 TP / (2 TP + FP + FN).
    pub f1: Option<f64>,
    /// The images of this class.
    pub num_images: u64,
}

impl ConfusionMatrix {
    /// Counts pairs of true and predicted class, each below `num_classes`.
    pub fn count(num_classes: usize, pairs: impl Iterator<Item = (usize, usize)>) -> Self {
        let mut counts = vec![vec![0; num_classes]; num_classes];
        for (label, predicted) in pairs {
            counts[label][predicted] += 1;
        }
        Self { counts }
    }

    /// Whether there are few enough classes for a table of numbers.
    pub fn is_readable(&self) -> bool {
        self.counts.len() <= 20
    }

    /// The images on the diagonal.
    pub fn num_correct(&self) -> u64 {
        let diagonal = self.counts.iter().enumerate().map(|(class, row)| row[class]);
        // They may be somebody else's.
        diagonal.fold(0, u64::saturating_add)
    }

    /// How many images were taken for each class.
    pub fn predicted(&self) -> Vec<u64> {
        // They may be somebody else's.
        let column = |class| self.counts.iter().map(|row| row[class]).fold(0, u64::saturating_add);
        (0..self.counts.len()).map(column).collect()
    }

    /// The scores of each class.
    pub fn scores(&self) -> Vec<ClassScores> {
        (0..self.counts.len()).map(|class| self.score(class)).collect()
    }

    fn score(&self, class: usize) -> ClassScores {
        let correct = self.counts[class][class];
        let predicted: u64 = self.counts.iter().map(|row| row[class]).sum();
        let actual: u64 = self.counts[class].iter().sum();
        ClassScores {
            precision: share(correct, predicted),
            recall: share(correct, actual),
            f1: share(2 * correct, predicted + actual),
            num_images: actual,
        }
    }
}

/// The scores as a table: one row per class.
pub fn score_table(classes: &[ClassScores]) -> TextTable {
    let columns: [Column<(usize, &ClassScores)>; 5] = [
        Column::number("class", |(class, _)| class.to_string()),
        Column::number("precision", |(_, scores)| score(scores.precision)),
        Column::number("recall", |(_, scores)| score(scores.recall)),
        Column::number("F1", |(_, scores)| score(scores.f1)),
        Column::number("images", |(_, scores)| grouped(scores.num_images as usize)),
    ];
    TextTable::new(&columns, classes.iter().enumerate())
}

fn score(value: Option<f64>) -> String {
    or_dash(value, |value| format!("{value:.4}"))
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Class 0 is right twice and once taken for 1; class 1 is right once; class 2 has no image and no guess.
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
}
