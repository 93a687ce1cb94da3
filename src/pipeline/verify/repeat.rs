//! Owns the check that `config.toml` repeats the run: it is trained again in a temporary folder, and
//! the weights are compared to the last bit. Must not know the other checks.

use crate::backend::Compute;
use crate::error::{Error, Result};
use crate::optim::ScheduleConfig;
use crate::pipeline::inputs::RunInputs;
use crate::pipeline::train::create;
use crate::run::Status;
use crate::training::{EpochRecord, Observers, StopReason};

use super::Check;
use super::claims::is_near;
use super::figures::judge;
use super::subject::Subject;

const TRAINING: &str = "training";

/// Trains the run again with `observers`, and compares the digest of the weights. `None` trains
/// nothing.
pub(super) fn check_training(subject: &Subject, observers: Option<Observers>) -> Check {
    let Some(observers) = observers else {
        return Check::not_checked(TRAINING, "`--train` trains the run again and compares the weights");
    };
    if let Some(reason) = not_repeatable(subject) {
        return Check::not_checked(TRAINING, reason);
    }
    let Some(claimed) = &subject.info.weights_sha256 else {
        return Check::not_checked(TRAINING, "the run has no digest of its weights");
    };
    match train(subject, observers) {
        Ok(Some((found, _))) if found == *claimed => {
            Check::ok(TRAINING, format!("trained again, the weights have the digest {found}"))
        }
        Ok(Some((found, epochs))) => {
            let is_rounding = have_same_losses(&subject.epochs, &epochs);
            judge(subject, TRAINING, format!("digest {claimed}"), format!("digest {found}"), is_rounding)
        }
        Ok(None) => Check::not_checked(TRAINING, "the training was interrupted"),
        Err(error) => Check::failed(TRAINING, "a training that ends", error.message()),
    }
}

/// Returns the reason for which no training of `config.toml` ends with the weights of the run.
fn not_repeatable(subject: &Subject) -> Option<String> {
    let Subject { info, experiment, .. } = subject;
    if info.status != Status::Finished {
        return Some(format!("the run has no end to compare with: it is {}", info.status));
    }
    if subject.epochs.is_empty() {
        return Some("the network was not trained here".to_owned());
    }
    let Some(experiment) = experiment else {
        return Some("the experiment cannot be read".to_owned());
    };
    if subject.splits.is_none() {
        return Some("the images cannot be read".to_owned());
    }
    if info.is_inexact() {
        return Some(format!("the run was resumed on another backend: {}", info.backends()));
    }
    let is_stretched = info.num_epochs.is_some() && matches!(experiment.schedule, ScheduleConfig::Cosine(_));
    is_stretched.then(|| "its cosine schedule was stretched when the run was resumed".to_owned())
}

/// Trains the run again in a temporary folder. Returns the digest of the weights and the records of
/// the epochs. `None` if the observers stopped it.
fn train(subject: &Subject, observers: Observers) -> Result<Option<(String, Vec<EpochRecord>)>> {
    let Some(experiment) = subject.experiment.clone() else { return Ok(None) };
    let folder =
        tempfile::tempdir().map_err(|error| Error::io("make a folder in", &std::env::temp_dir(), error))?;
    let compute = Compute::new(subject.compute.backend(), Some(subject.compute.engine()))?;
    let mut inputs = RunInputs::again(&experiment, compute, &subject.info.data)?;
    if let Some(source) = &subject.info.source_run {
        inputs.model = subject.folder.load_initial_weights(inputs.model, source)?;
    }
    let prepared = create(experiment, compute, inputs, None, folder.path())?.without_test()?;
    let run = prepared.folder.clone();
    let outcome = prepared.train(observers)?;
    if matches!(outcome.stop_reason, StopReason::Interrupted { .. }) {
        return Ok(None);
    }
    let digest = run.info()?.weights_sha256.unwrap_or_default();
    Ok(Some((digest, run.epochs()?)))
}

/// Returns whether the losses of all epochs are equal up to rounding, which grows from step to step.
fn have_same_losses(claimed: &[EpochRecord], found: &[EpochRecord]) -> bool {
    let same = |(claimed, found): (&EpochRecord, &EpochRecord)| {
        is_near(claimed.train_loss, found.train_loss)
            && claimed
                .validation_loss
                .zip(found.validation_loss)
                .is_none_or(|(claimed, found)| is_near(claimed, found))
    };
    claimed.len() == found.len() && claimed.iter().zip(found).all(same)
}
