//! Owns what is said of a network's answers: predictions, accuracy and loss, the confusion matrix, calibration and
//! the worst mistakes over a split. Trains nothing, prints nothing, draws nothing.

mod calibration;
mod confusion;
mod paired;
mod prediction;

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use crate::data::Split;
use crate::error::{Error, Result};
use crate::model::Mlp;

pub use calibration::{Calibration, CalibrationBin};
pub use confusion::{ClassScores, ConfusionMatrix, score_table};
pub use paired::{Method, PairedTest, paired_tests};
pub use prediction::{Prediction, logits, predict};

/// How many of the worst mistakes an evaluation keeps.
pub const NUM_TOP_LOSSES: usize = 20;

/// How well a network does on a split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The share of images whose largest logit is the true class's, in [0, 1].
    pub accuracy: f64,
    /// The mean cross-entropy in nats, without label smoothing.
    pub loss: f64,
    /// Images evaluated.
    pub num_images: usize,
    /// How often each class was taken for which.
    pub confusion: ConfusionMatrix,
    /// Precision, recall and F1 of each class.
    pub classes: Vec<ClassScores>,
    /// Whether the network is as sure as it is right.
    pub calibration: Calibration,
    /// The mistakes of the highest loss, worst first, [`NUM_TOP_LOSSES`] at the most.
    pub worst: Vec<Misclassification>,
    /// The positions in the split of all images that were taken for something else, in ascending order: what two networks
    /// are compared by, image by image. None in what an earlier smallnet wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub misclassified: Option<Vec<u32>>,
}

/// An image taken for something else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Misclassification {
    /// Its position in the split, from 0.
    pub index: usize,
    /// Its true class.
    pub label: usize,
    /// The class that the network gives it.
    pub predicted: usize,
    /// The probability, in [0, 1], that the network gives that class.
    pub confidence: f64,
    /// Its cross-entropy in nats: −ln of the probability given to the true class.
    pub loss: f64,
}

/// Evaluates `model`, which must be on `device`, on all images of `split`.
///
/// # Errors
/// A split without images, or a device that fails.
pub fn evaluate(model: &Mlp, split: &Split, device: &Device) -> Result<Evaluation> {
    if split.is_empty() {
        return Err(Error::data("there is no image to evaluate on"));
    }
    let positions: Vec<u32> = (0..split.len() as u32).collect();
    let predictions = predict(model, split, &positions, device)?;
    let labels: Vec<usize> = (0..split.len()).map(|index| usize::from(split.image(index).1)).collect();
    Ok(score(&predictions, &labels))
}

/// Scores at least one prediction against the true classes, which must be among the network's.
fn score(predictions: &[Prediction], labels: &[usize]) -> Evaluation {
    let num_images = labels.len();
    let pairs = || predictions.iter().zip(labels);
    let loss: f64 = pairs().map(|(prediction, &label)| prediction.loss(label)).sum();
    let confusion = ConfusionMatrix::count(
        predictions[0].log_probabilities.len(),
        pairs().map(|(prediction, &label)| (label, prediction.class)),
    );
    let sure = pairs().map(|(prediction, &label)| (prediction.confidence(), prediction.class == label));
    Evaluation {
        accuracy: confusion.num_correct() as f64 / num_images as f64,
        loss: loss / num_images as f64,
        num_images,
        classes: confusion.scores(),
        confusion,
        calibration: Calibration::measure(sure),
        worst: worst(predictions, labels),
        misclassified: Some(misclassified(predictions, labels)),
    }
}

fn misclassified(predictions: &[Prediction], labels: &[usize]) -> Vec<u32> {
    let wrong = (0..)
        .zip(predictions.iter().zip(labels))
        .filter(|(_, (prediction, label))| prediction.class != **label);
    wrong.map(|(position, _)| position).collect()
}

fn worst(predictions: &[Prediction], labels: &[usize]) -> Vec<Misclassification> {
    let mut mistakes: Vec<Misclassification> = predictions
        .iter()
        .zip(labels)
        .enumerate()
        .filter(|(_, (prediction, label))| prediction.class != **label)
        .map(|(index, (prediction, &label))| Misclassification {
            index,
            label,
            predicted: prediction.class,
            confidence: prediction.confidence(),
            loss: prediction.loss(label),
        })
        .collect();
    mistakes.sort_by(|a, b| b.loss.total_cmp(&a.loss));
    mistakes.truncate(NUM_TOP_LOSSES);
    mistakes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three classes with the probabilities (½, ¼, ¼), (⅛, ¾, ⅛), (¼, ½, ¼), of the classes 0, 2, 1.
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
        assert_eq!((evaluation.worst.len(), evaluation.misclassified.as_deref()), (1, Some(&[1][..])));
        let mistake = &evaluation.worst[0];
        assert_eq!((mistake.index, mistake.label, mistake.predicted), (1, 2, 1));
        close(mistake.confidence, 0.75);
        close(mistake.loss, 8f64.ln());
        // Two images are ½ sure and right, one is ¾ sure and wrong.
        close(evaluation.calibration.error, (2.0 * 0.5 + 0.75) / 3.0);
    }

    #[test]
    fn the_worst_mistakes_come_first_and_are_few() {
        let sure = |confidence: f64| {
            Prediction::from_logits(&[confidence.ln() as f32, (1.0 - confidence).ln() as f32])
        };
        let predictions: Vec<_> = (0..30).map(|i| sure(0.6 + 0.01 * f64::from(i))).collect();
        let mistakes = worst(&predictions, &[1; 30]);
        let indices: Vec<_> = mistakes.iter().map(|mistake| mistake.index).collect();
        assert_eq!(indices, (10..30).rev().collect::<Vec<_>>());
    }
}
