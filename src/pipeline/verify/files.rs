//! Owns the checks of a run's files: the experiment, the weights, the checkpoints, the images.
//! Must not know figures.

use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::model::Mlp;
use crate::pipeline::Splits;
use crate::pipeline::train::model_epoch;
use crate::run::{CONFIG, RunFolder, RunInfo, Status};
use crate::training::{Position, SizeLimits, Store};
use crate::util::format::{counted, grouped};

use super::Check;
use super::claims::Claims;
use super::subject::{Subject, check_info, digest};

/// Name of the check of `run.json`.
pub(super) const INFO: &str = "run.json";

/// Checks the digest of `config.toml`, and what `run.json` repeats of it. `experiment` is what
/// reading it gave.
pub(super) fn check_config(
    folder: &RunFolder,
    info: &RunInfo,
    experiment: std::result::Result<&Experiment, &Error>,
) -> Vec<Check> {
    let found = match folder.config_sha256() {
        Ok(found) => found,
        Err(error) => return vec![Check::failed(CONFIG, "an experiment", error.message())],
    };
    let config = match (&info.config_sha256, experiment) {
        (Some(claimed), Err(_)) if *claimed != found => {
            Check::failed(CONFIG, format!("digest {claimed}"), format!("digest {found}"))
        }
        (_, Err(error)) => Check::failed(CONFIG, "an experiment", error.message()),
        (None, Ok(_)) => {
            Check::not_checked(CONFIG, format!("smallnet {} recorded no digest of it", info.version))
        }
        (Some(claimed), Ok(_)) if *claimed != found => {
            Check::ok(CONFIG, format!("other spaces or line ends, the settings of the digest {claimed}"))
        }
        (Some(_), Ok(_)) => Check::ok(CONFIG, format!("digest {found}")),
    };
    [Some(config), experiment.ok().map(|experiment| check_info(info, experiment))]
        .into_iter()
        .flatten()
        .collect()
}

/// Checks the digest of the weights in `model.bpk`. That in `summary.json` is a claim of the summary.
pub(super) fn check_weights(info: &RunInfo, model: Option<&Mlp>) -> Check {
    const NAME: &str = "weights";
    match (model, &info.weights_sha256) {
        (Some(model), Some(claimed)) => {
            let found = digest(model);
            match *claimed == found {
                true => Check::ok(NAME, format!("digest {found}")),
                false => Check::failed(NAME, format!("digest {claimed}"), format!("digest {found}")),
            }
        }
        (None, Some(claimed)) => {
            Check::failed(NAME, format!("digest {claimed}"), "no weights that can be read")
        }
        (_, None) if info.status == Status::Finished => {
            Check::failed(NAME, "a finished run", "no digest of its weights in `run.json`")
        }
        (_, None) => {
            Check::not_checked(NAME, format!("the run has no digest of its weights: it is {}", info.status))
        }
    }
}

/// Checks the images against the record of them in `run.json`.
///
/// # Errors
/// A record that cannot be written as JSON, which does not happen.
pub(super) fn check_images(splits: &Splits, info: &RunInfo) -> Result<Check> {
    let json = |value| serde_json::to_value(value).map_err(|error| Error::new(error.to_string()));
    let found = splits.info(&info.data.source);
    let mut claims = Claims::default();
    claims.add_json(&json(&info.data)?, &json(&found)?, &["source"]);
    let test = found.num_test.unwrap_or_default();
    Ok(claims.into_check(
        "data set",
        format!(
            "digest {}, {}, {} for validation, {} for the test",
            found.sha256,
            counted(found.num_train, "training image", "training images"),
            grouped(found.num_validation),
            grouped(test)
        ),
    ))
}

/// Checks the digest of the initial weights, if they are from another run.
pub(super) fn check_initial_weights(subject: &Subject) -> Option<Check> {
    const NAME: &str = "initial.bpk";
    let source = subject.info.source_run.as_ref()?;
    let claimed = format!("digest {}", source.initial_weights_sha256);
    let Some(untrained) = &subject.untrained else {
        return Some(Check::not_checked(NAME, "the network cannot be built"));
    };
    Some(match subject.folder.load_initial_weights(untrained.clone(), source) {
        Ok(_) => Check::ok(NAME, claimed),
        Err(error) => Check::failed(NAME, claimed, error.message()),
    })
}

/// Checks the files of each checkpoint, and that it belongs to this run.
pub(super) fn check_checkpoints(subject: &Subject) -> Vec<Check> {
    const NAME: &str = "checkpoint";
    let store = subject.folder.checkpoints();
    let positions = match store.positions() {
        Ok(positions) => positions,
        Err(error) => return vec![Check::failed(NAME, "checkpoints", error.message())],
    };
    let (Some(model), Some(experiment)) = (&subject.untrained, &subject.experiment) else {
        return vec![Check::not_checked(NAME, "the network cannot be built")];
    };
    if positions.is_empty() {
        return vec![Check::not_checked(NAME, "the run has none")];
    }
    let check = |position: Position| {
        let name = format!("{NAME} {position}");
        check_checkpoint(subject, &store, position, model, experiment)
            .unwrap_or_else(|error| Check::failed(name, "a checkpoint of this run", error.message()))
    };
    positions.into_iter().map(check).collect()
}

/// Checks one checkpoint.
///
/// # Errors
/// A checkpoint that cannot be read: a file is not as it was saved, or is of another network.
fn check_checkpoint(
    subject: &Subject,
    store: &Store,
    position: Position,
    model: &Mlp,
    experiment: &Experiment,
) -> Result<Check> {
    let checkpoint = store.read(position, &SizeLimits::new(model, &experiment.optimizer))?;
    let has_average = experiment.training.average.is_some();
    checkpoint.check(model, has_average, &store.folder(position).display().to_string())?;
    let mut claims = Claims::default();
    // A run that was resumed to an earlier end leaves later checkpoints behind.
    let is_within = position.epochs <= subject.epochs.len();
    if let Some(claimed) = checkpoint.state.metrics_sha256.as_ref().filter(|_| is_within) {
        let found = subject.folder.metrics_sha256(position.epochs)?;
        claims.add("digest of the lines of metrics.jsonl", claimed, found);
    }
    if let Some(summary) = &subject.summary {
        let last = Position { epochs: summary.num_epochs, steps: 0 };
        if position == last {
            let best = checkpoint.state.best.map(|best| best.epoch);
            claims.add_stated("best epoch", best, summary.best_epoch);
        }
        let best = summary.best_epoch.unwrap_or(summary.num_epochs);
        let kept = Position { epochs: model_epoch(experiment, best, summary.num_epochs), steps: 0 };
        if position == kept
            && let Some(trained) = &subject.model
        {
            let weights = subject.folder.load_weights(model.clone(), &store.weights_path(position))?;
            claims.add("digest of the weights", digest(&weights), digest(trained));
        }
    }
    Ok(claims.into_check(&format!("checkpoint {position}"), "its files are as they were saved"))
}
