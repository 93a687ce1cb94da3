//! Owns the ensemble of several networks: the mean of their probabilities, its evaluation, and the
//! comparison of each network with it. Depends on predictions and their scores. Must not know runs.

#[cfg(test)]
mod tests;

use burn::tensor::Device;

use crate::data::Split;
use crate::error::{Error, Result};
use crate::evaluation::{
    Evaluation, PairedTest, Prediction, paired_tests, positions_and_labels, predict, score,
};
use crate::model::Mlp;

/// Evaluation of several networks and of their ensemble on the same images.
#[derive(Debug, Clone, PartialEq)]
pub struct EnsembleEvaluation {
    /// Evaluation of the ensemble. Its probability of a class is the arithmetic mean of the
    /// probabilities that the networks give the class.
    pub evaluation: Evaluation,
    /// Evaluation of each network, in their order.
    pub members: Vec<Evaluation>,
    /// Comparison of each network with the ensemble. A difference is the accuracy of the network
    /// minus that of the ensemble.
    pub tests: Vec<PairedTest>,
}

impl EnsembleEvaluation {
    /// Returns the mean of the accuracies of the networks.
    pub fn mean_accuracy(&self) -> f64 {
        self.members.iter().map(|member| member.accuracy).sum::<f64>() / self.members.len() as f64
    }
}

/// Evaluates each of `members` and their ensemble on all images of `split`. A member is a network
/// and its device. All must have the same classes, which the labels of `split` number.
///
/// # Errors
/// No networks, a split without images or without labels, or a device that fails.
pub fn evaluate_ensemble(members: &[(&Mlp, &Device)], split: &Split) -> Result<EnsembleEvaluation> {
    let (positions, labels) = positions_and_labels(split)?;
    let mut evaluations = Vec::with_capacity(members.len());
    let mut sums: Option<Vec<Vec<f64>>> = None;
    for (model, device) in members {
        let predictions = predict(model, split, &positions, device)?;
        evaluations.push(score(&predictions, &labels));
        match &mut sums {
            None => sums = Some(predictions.into_iter().map(|one| one.log_probabilities).collect()),
            Some(sums) => sums.iter_mut().zip(&predictions).for_each(|(sum, one)| add(sum, one)),
        }
    }
    let sums = sums.ok_or_else(|| Error::usage("an ensemble needs a network"))?;
    let log_count = (members.len() as f64).ln();
    let mean =
        |sum: Vec<f64>| Prediction::from_log_probabilities(sum.iter().map(|sum| sum - log_count).collect());
    let evaluation = score(&sums.into_iter().map(mean).collect::<Vec<_>>(), &labels);
    let tests = paired_tests(&evaluation, &evaluations.iter().collect::<Vec<_>>());
    Ok(EnsembleEvaluation { evaluation, members: evaluations, tests })
}

/// Adds the probabilities of `prediction` to sums of probabilities. Both are kept as logarithms, so
/// that a probability below the range of numbers does not become 0.
fn add(sums: &mut [f64], prediction: &Prediction) {
    for (sum, &other) in sums.iter_mut().zip(&prediction.log_probabilities) {
        // A value that is no number stays one: it is the lower of both or the upper.
        let (upper, lower) = if *sum >= other { (*sum, other) } else { (other, *sum) };
        *sum = if upper == f64::NEG_INFINITY { upper } else { upper + (lower - upper).exp().ln_1p() };
    }
}
