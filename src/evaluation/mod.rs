//! Owns the evaluation of a trained network on a split: predictions, accuracy, loss, confusion
//! matrix, calibration, the misclassified images with the highest loss, the comparison of networks,
//! and their ensemble.
//! Depends on `data`, `model`, `engine` and `statistics`. Must not know training, pictures or
//! files, and prints nothing.

mod calibration;
mod confusion;
mod ensemble;
mod paired;
mod prediction;

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use crate::data::{Split, is_unbalanced};
use crate::error::{Error, Result};
use crate::model::Mlp;

pub use calibration::{Calibration, CalibrationBin};
pub use confusion::{
    ClassScores, ConfusionMatrix, balanced_accuracy, balanced_accuracy_of_images, score_table,
};
pub use ensemble::{EnsembleEvaluation, evaluate_ensemble};
pub use paired::{Method, PairedTest, paired_tests};
pub use prediction::{Prediction, logits, predict};

/// Largest number of misclassified images that an evaluation describes one by one.
pub const NUM_TOP_LOSSES: usize = 20;

/// Evaluation of a network on a split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Fraction, in [0, 1], of the images whose predicted class is the true class.
    pub accuracy: f64,
    /// Mean cross-entropy in nats, without label smoothing.
    pub loss: f64,
    /// Number of images evaluated.
    pub num_images: usize,
    /// Number of images for each pair of true and predicted class.
    pub confusion: ConfusionMatrix,
    /// Precision, recall and F1 of each class.
    pub classes: Vec<ClassScores>,
    /// Gap between the network's confidence and its accuracy.
    pub calibration: Calibration,
    /// Misclassified images with the highest loss, in descending order of loss. There are at most
    /// [`NUM_TOP_LOSSES`].
    #[serde(rename = "worst")]
    pub top_losses: Vec<Misclassification>,
    /// Positions in the split of all misclassified images, in ascending order. With them, two
    /// networks can be compared image by image. `None` in files that an earlier smallnet wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub misclassified: Option<Vec<u32>>,
}

impl Evaluation {
    /// Returns the balanced accuracy: see [`balanced_accuracy`]. `None` without images.
    pub fn balanced_accuracy(&self) -> Option<f64> {
        balanced_accuracy(&self.classes)
    }

    /// Returns whether some classes have much fewer images than others: see [`is_unbalanced`].
    pub fn is_unbalanced(&self) -> bool {
        is_unbalanced(&self.classes.iter().map(|class| class.num_images as usize).collect::<Vec<_>>())
    }

    /// Returns the numbers of images of each class, and of those that are predicted as it.
    pub fn prediction_counts(&self) -> PredictionCounts {
        PredictionCounts {
            accuracy: self.accuracy,
            loss: self.loss,
            images: self.classes.iter().map(|class| class.num_images).collect(),
            predicted: self.confusion.predicted(),
        }
    }
}

/// Numbers of the predictions on some images: what the diagnosis of a network needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PredictionCounts {
    /// Fraction, in [0, 1], of the images whose predicted class is the true class.
    pub accuracy: f64,
    /// Mean cross-entropy in nats, without label smoothing.
    pub loss: f64,
    /// Number of images of each class.
    pub images: Vec<u64>,
    /// Number of images that are predicted as each class.
    pub predicted: Vec<u64>,
}

/// A misclassified image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Misclassification {
    /// Position of the image in the split, from 0.
    pub index: usize,
    /// True class.
    pub label: usize,
    /// Class that the network predicts.
    pub predicted: usize,
    /// Probability, in [0, 1], that the network gives the predicted class.
    pub confidence: f64,
    /// Cross-entropy in nats: −ln of the probability that the network gives the true class.
    pub loss: f64,
}

/// Evaluates `model` on all images of `split`. The model must be on `device`.
///
/// # Errors
/// A split without images or without labels, or a device that fails.
pub fn evaluate(model: &Mlp, split: &Split, device: &Device) -> Result<Evaluation> {
    let (positions, labels) = positions_and_labels(split)?;
    Ok(score(&predict(model, split, &positions, device)?, &labels))
}

/// Returns the positions of all images of `split`, and their true classes.
///
/// # Errors
/// A split without images or without labels.
fn positions_and_labels(split: &Split) -> Result<(Vec<u32>, Vec<usize>)> {
    if split.is_empty() {
        return Err(Error::data("there is no image to evaluate on"));
    }
    if !split.is_labelled() {
        return Err(Error::data(
            "these images have no labels: there is nothing to compare the predictions with",
        )
        .hint("`smallnet predict` shows what the network predicts for them"));
    }
    let labels = (0..split.len()).map(|index| usize::from(split.label(index))).collect();
    Ok(((0..split.len() as u32).collect(), labels))
}

/// Computes the evaluation from at least one prediction and the true classes in `labels`, in the
/// same order. Each label must be one of the network's classes.
fn score(predictions: &[Prediction], labels: &[usize]) -> Evaluation {
    let num_images = labels.len();
    let pairs = || predictions.iter().zip(labels);
    let loss: f64 = pairs().map(|(prediction, &label)| prediction.loss(label)).sum();
    let confusion = ConfusionMatrix::count(
        predictions[0].log_probabilities.len(),
        pairs().map(|(prediction, &label)| (label, prediction.class)),
    );
    let confidences =
        pairs().map(|(prediction, &label)| (prediction.confidence(), prediction.class == label));
    Evaluation {
        accuracy: confusion.num_correct() as f64 / num_images as f64,
        loss: loss / num_images as f64,
        num_images,
        classes: confusion.scores(),
        confusion,
        calibration: Calibration::measure(confidences),
        top_losses: top_losses(predictions, labels),
        misclassified: Some(misclassified(predictions, labels)),
    }
}

/// Returns the positions of all misclassified images, in ascending order.
fn misclassified(predictions: &[Prediction], labels: &[usize]) -> Vec<u32> {
    let wrong = (0..)
        .zip(predictions.iter().zip(labels))
        .filter(|(_, (prediction, label))| prediction.class != **label);
    wrong.map(|(position, _)| position).collect()
}

/// Returns the misclassified images with the highest loss, in descending order of loss.
fn top_losses(predictions: &[Prediction], labels: &[usize]) -> Vec<Misclassification> {
    let mut top_losses: Vec<Misclassification> = predictions
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
    top_losses.sort_by(|a, b| b.loss.total_cmp(&a.loss));
    top_losses.truncate(NUM_TOP_LOSSES);
    top_losses
}

#[cfg(test)]
mod tests;
