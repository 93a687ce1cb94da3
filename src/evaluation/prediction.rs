//! Owns the predictions of a network for single images. Depends on `engine`, which computes the
//! logits. Must not know the true classes.

use burn::tensor::Device;

use crate::data::{Batch, Split, evaluation_batch_size};
use crate::error::Result;
use crate::model::Mlp;

/// Prediction for one image.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// Class with the largest logit. If several logits are equally large, it is the first of their
    /// classes.
    pub class: usize,
    /// Natural logarithm of each class's probability: the log-softmax of the logits.
    pub log_probabilities: Vec<f64>,
}

impl Prediction {
    /// Makes the prediction from the logits of one image, one per class. There must be at least
    /// one. It is computed in double precision on the CPU, so that it does not depend on the order
    /// in which a backend adds.
    pub fn from_logits(logits: &[f32]) -> Self {
        let logits: Vec<f64> = logits.iter().map(|&logit| f64::from(logit)).collect();
        let class = first_largest(&logits);
        // The largest logit is subtracted, so that the exponentials stay finite.
        let largest = logits[class];
        let log_sum = logits.iter().map(|logit| (logit - largest).exp()).sum::<f64>().ln();
        Self { class, log_probabilities: logits.iter().map(|logit| logit - largest - log_sum).collect() }
    }

    /// Makes the prediction from the natural logarithms of the probabilities, one per class. There
    /// must be at least one.
    pub(super) fn from_log_probabilities(log_probabilities: Vec<f64>) -> Self {
        Self { class: first_largest(&log_probabilities), log_probabilities }
    }

    /// Probability of each class, in [0, 1]. Their sum is 1.
    pub fn probabilities(&self) -> Vec<f64> {
        self.log_probabilities.iter().map(|p| p.exp()).collect()
    }

    /// Probability of the predicted class, in [0, 1].
    pub fn confidence(&self) -> f64 {
        self.log_probabilities[self.class].exp()
    }

    /// Class with the second largest probability. `None` if there is one class alone.
    pub fn runner_up(&self) -> Option<usize> {
        let others = (0..self.log_probabilities.len()).filter(|&class| class != self.class);
        others.max_by(|&a, &b| self.log_probabilities[a].total_cmp(&self.log_probabilities[b]))
    }

    /// Cross-entropy in nats, if `label` is the true class.
    pub fn loss(&self, label: usize) -> f64 {
        -self.log_probabilities[label]
    }
}

/// Returns the position of the largest value, or of the first of several that are equally large.
fn first_largest(values: &[f64]) -> usize {
    let mut largest = 0;
    for (index, value) in values.iter().enumerate() {
        if *value > values[largest] {
            largest = index;
        }
    }
    largest
}

/// Predicts the images at `positions` of `split`, and returns the predictions in that order.
/// `model` must be on `device`.
///
/// # Errors
/// A device that fails.
pub fn predict(model: &Mlp, split: &Split, positions: &[u32], device: &Device) -> Result<Vec<Prediction>> {
    let (height, width) = split.image_size();
    let batch_size = evaluation_batch_size(height * width);
    let _session = model.engine().session(model, positions.len().min(batch_size));
    let mut predictions = Vec::with_capacity(positions.len());
    for positions in positions.chunks(batch_size) {
        let logits = logits(model, &Batch::new(split, positions, 0.0, device))?;
        predictions.extend(logits.chunks(logits.len() / positions.len()).map(Prediction::from_logits));
    }
    Ok(predictions)
}

/// Computes the logits of a batch, `[batch, classes]`, row by row. `model` must be on the batch's
/// device.
///
/// # Errors
/// A device that fails.
pub fn logits(model: &Mlp, batch: &Batch) -> Result<Vec<f32>> {
    model.engine().logits(model, batch)
}

#[cfg(test)]
mod tests;
