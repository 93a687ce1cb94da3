//! What a network says of single images.

use burn::tensor::Device;

use crate::data::{Batch, EVALUATION_BATCH_SIZE, Split};
use crate::engine::cpu::CpuNetwork;
use crate::engine::cpu::threads::pool;
use crate::error::{Error, Result};
use crate::model::Mlp;

/// What a network says of one image.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The class of the largest logit; of equal ones, the first.
    pub class: usize,
    /// ln of each class's probability: the log-softmax of the logits.
    pub log_probabilities: Vec<f64>,
}

impl Prediction {
    /// From one image's logits, at least one. In double precision on the host, so that it does not depend on how a
    /// backend sums.
    pub fn from_logits(logits: &[f32]) -> Self {
        let logits: Vec<f64> = logits.iter().map(|&logit| f64::from(logit)).collect();
        let mut class = 0;
        for (index, logit) in logits.iter().enumerate() {
            if *logit > logits[class] {
                class = index;
            }
        }
        // Subtracting the largest keeps the exponentials finite.
        let largest = logits[class];
        let log_sum = logits.iter().map(|logit| (logit - largest).exp()).sum::<f64>().ln();
        Self { class, log_probabilities: logits.iter().map(|logit| logit - largest - log_sum).collect() }
    }

    /// The probability of each class, in [0, 1]; together 1.
    pub fn probabilities(&self) -> Vec<f64> {
        self.log_probabilities.iter().map(|p| p.exp()).collect()
    }

    /// The probability given to the predicted class, in [0, 1].
    pub fn confidence(&self) -> f64 {
        self.log_probabilities[self.class].exp()
    }

    /// The cross-entropy in nats if `label` is the true class.
    pub fn loss(&self, label: usize) -> f64 {
        -self.log_probabilities[label]
    }
}

/// Predicts the images at `positions` of `split`, in that order; `model` must be on `device`.
///
/// # Errors
/// A device that fails.
pub fn predict(model: &Mlp, split: &Split, positions: &[u32], device: &Device) -> Result<Vec<Prediction>> {
    let shares = model.is_worth_sharing(positions.len().min(EVALUATION_BATCH_SIZE));
    let _helpers = shares.then(pool::activate);
    let mut predictions = Vec::with_capacity(positions.len());
    for positions in positions.chunks(EVALUATION_BATCH_SIZE) {
        let logits = logits(model, &Batch::new(split, positions, 0.0, device))?;
        predictions.extend(logits.chunks(logits.len() / positions.len()).map(Prediction::from_logits));
    }
    Ok(predictions)
}

/// The logits `[batch, classes]` of a batch; `model` must be on its device.
///
/// # Errors
/// A device that fails.
pub fn logits(model: &Mlp, batch: &Batch) -> Result<Vec<f32>> {
    if let Some(network) = CpuNetwork::of(model) {
        let images: Vec<&[u8]> = batch.items(0..batch.len()).map(|(image, _)| image).collect();
        return Ok(network.logits(&images, model.is_worth_sharing(images.len())));
    }
    let data = model.forward(batch.images()).try_into_data();
    let data =
        data.map_err(|error| Error::backend(format!("the network's answer cannot be read: {error}")))?;
    Ok(data.iter::<f32>().collect())
}

#[cfg(test)]
mod tests {
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
}
