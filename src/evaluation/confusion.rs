//! Owns the confusion matrix, the scores of each class that follow from it, and their table. Must
//! not know networks or images: it takes pairs of classes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::statistics::mean;
use crate::util::format::grouped;
use crate::util::table::{Column, TextTable, or_dash};

/// Number of images for each pair of true and predicted class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConfusionMatrix {
    /// Numbers of images, `[true class][predicted class]`.
    pub counts: Vec<Vec<u64>>,
}

/// Scores of one class against all others. A score whose denominator is zero is `None`, not 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassScores {
    /// Fraction, in [0, 1], of the images predicted as this class that are of this class: TP / (TP
    /// + FP).
    pub precision: Option<f64>,
    /// Fraction, in [0, 1], of the images of this class that are predicted as this class: TP / (TP
    /// + FN).
    pub recall: Option<f64>,
    /// Harmonic mean of precision and recall, in [0, 1]: 2 TP / (2 TP + FP + FN).
    pub f1: Option<f64>,
    /// Number of images of this class.
    pub num_images: u64,
}

impl ConfusionMatrix {
    /// Counts `pairs` of true class and predicted class. Each class must be below `num_classes`.
    pub fn count(num_classes: usize, pairs: impl Iterator<Item = (usize, usize)>) -> Self {
        let mut counts = vec![vec![0; num_classes]; num_classes];
        for (label, predicted) in pairs {
            counts[label][predicted] += 1;
        }
        Self { counts }
    }

    /// Returns whether a table of the counts is readable: there are at most 20 classes.
    pub fn is_readable(&self) -> bool {
        self.counts.len() <= 20
    }

    /// Number of images that are classified correctly: the sum of the diagonal.
    pub fn num_correct(&self) -> u64 {
        let diagonal = self.counts.iter().enumerate().map(|(class, row)| row[class]);
        // The counts may come from an untrusted file. So the sum must not overflow.
        diagonal.fold(0, u64::saturating_add)
    }

    /// Number of images that are predicted as each class.
    pub fn predicted(&self) -> Vec<u64> {
        // The counts may come from an untrusted file. So the sum must not overflow.
        let column = |class| self.counts.iter().map(|row| row[class]).fold(0, u64::saturating_add);
        (0..self.counts.len()).map(column).collect()
    }

    /// Computes the scores of each class, in the order of the classes.
    pub fn scores(&self) -> Vec<ClassScores> {
        (0..self.counts.len()).map(|class| self.score(class)).collect()
    }

    /// Computes the scores of one class.
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

/// Returns the balanced accuracy, in [0, 1]: the mean recall of the classes that have images, as
/// scikit-learn's `balanced_accuracy_score`. Each class counts the same, however many images it has.
/// `None` without images.
pub fn balanced_accuracy(classes: &[ClassScores]) -> Option<f64> {
    mean(&classes.iter().filter_map(|scores| scores.recall).collect::<Vec<_>>())
}

/// Returns the [`balanced_accuracy`] of images with these labels. `correct` says for each of them
/// whether it is classified correctly. `None` without images.
pub fn balanced_accuracy_of_images(labels: &[u16], correct: &[bool]) -> Option<f64> {
    // Number of images of each class, and how many of them are correct.
    let mut counts: BTreeMap<u16, (u64, u64)> = BTreeMap::new();
    for (&label, &is_correct) in labels.iter().zip(correct) {
        let (images, right) = counts.entry(label).or_default();
        *images += 1;
        *right += u64::from(is_correct);
    }
    mean(&counts.values().filter_map(|&(images, right)| share(right, images)).collect::<Vec<_>>())
}

/// Makes a table of the scores, with one row per class.
pub fn score_table(classes: &[ClassScores], names: &[String]) -> TextTable {
    let columns: [Column<(&String, &ClassScores)>; 5] = [
        Column::number("class", |(name, _)| (*name).clone()),
        Column::number("precision", |(_, scores)| score(scores.precision)),
        Column::number("recall", |(_, scores)| score(scores.recall)),
        Column::number("F1", |(_, scores)| score(scores.f1)),
        Column::number("images", |(_, scores)| grouped(scores.num_images as usize)),
    ];
    TextTable::new(&columns, names.iter().zip(classes))
}

/// Formats a score with four decimals. `None` becomes a dash.
fn score(value: Option<f64>) -> String {
    or_dash(value, |value| format!("{value:.4}"))
}

/// Returns `part` / `whole`, or `None` if `whole` is zero.
fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests;
