//! Owns the finding about a training that went on long after its best epoch. Depends on the records
//! of the epochs. Must not know predictions.

use super::{Finding, FindingKind};
use crate::experiment::Experiment;
use crate::training::EpochRecord;

/// Fewest epochs of a training that the finding is about.
const MIN_EPOCHS: usize = 10;
/// Number of epochs whose mean is compared, so that a single lucky epoch is no peak.
const WINDOW: usize = 3;
/// Smallest fall of the validation accuracy that counts.
const MIN_FALL: f64 = 0.005;
/// Number of standard errors of the peak that the accuracy must fall.
const STANDARD_ERRORS: f64 = 2.0;

/// Returns the finding that the validation accuracy was highest in the first half of the epochs and
/// fell since. The fall must be larger than chance makes it with `num_validation` images. The
/// network must have the weights of the last epoch.
pub(super) fn find_early_peak(
    experiment: &Experiment,
    num_validation: usize,
    epochs: &[EpochRecord],
) -> Option<Finding> {
    let accuracies: Option<Vec<f64>> = epochs.iter().map(|epoch| epoch.validation_accuracy).collect();
    let accuracies = accuracies.filter(|accuracies| accuracies.len() >= MIN_EPOCHS)?;
    let means: Vec<f64> =
        accuracies.windows(WINDOW).map(|values| values.iter().sum::<f64>() / WINDOW as f64).collect();
    let (first, peak) = means.iter().enumerate().rev().max_by(|a, b| a.1.total_cmp(b.1))?;
    let last = means.last()?;
    let middle = epochs.get(first + WINDOW / 2)?.epoch;
    let standard_error = (peak * (1.0 - peak) / num_validation.max(1) as f64).sqrt();
    let is_fall = peak - last > MIN_FALL.max(STANDARD_ERRORS * standard_error);
    (is_fall && 2 * middle <= accuracies.len()).then(|| Finding {
        kind: FindingKind::EarlyPeak,
        message: format!(
            "the validation accuracy was highest around epoch {middle} ({peak:.4}) and is {last:.4} at the end (means of \
             {WINDOW} epochs)"
        ),
        hint: hint(experiment, middle),
    })
}

/// Returns the remedy: early stopping, if it can be set, or fewer epochs.
fn hint(experiment: &Experiment, epoch: usize) -> String {
    match (&experiment.training.early_stopping, experiment.data.validation) {
        (Some(_), _) => {
            "set `training.early_stopping.restore_best=true`: the model then has the weights of the best epoch".to_owned()
        }
        // The data set's own validation images: early stopping needs `data.validation`.
        (None, 0) => format!("train fewer epochs: `--epochs {epoch}`"),
        (None, _) => format!(
            "early stopping keeps the weights of the best epoch: `--set training.early_stopping.patience=5`; or train \
             fewer epochs: `--epochs {epoch}`"
        ),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
