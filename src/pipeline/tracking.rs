//! The files of a run for trackers: the callbacks that write them while the network is trained, and
//! what is added at the end.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::evaluation::Evaluation;
use crate::experiment::{Experiment, is_tracking, settings};
use crate::pipeline::{EvalSet, LoadedModel};
use crate::run::{RunFolder, RunSummary};
use crate::tracking::tensorboard::{Event, EventLog, SessionEnd, TensorBoard, picture, scalars, unix_time};
use crate::tracking::{CsvLog, Tracker};
use crate::training::Callback;
use crate::util::notice::{Notice, give_once};

/// Returns the trackers that the run in `folder` has files of. A run that is resumed goes on with
/// them, since its files would otherwise contain epochs that it trains again.
pub(super) fn earlier_trackers(folder: &RunFolder) -> Vec<Tracker> {
    let paths =
        [(Tracker::Tensorboard, folder.tensorboard_path()), (Tracker::Csv, folder.metrics_csv_path())];
    paths.into_iter().filter(|(_, path)| path.exists()).map(|(tracker, _)| tracker).collect()
}

/// Returns the callbacks that write the files of the experiment's trackers into `folder`.
///
/// # Errors
/// A file that cannot be written.
pub(super) fn callbacks(experiment: &Experiment, folder: &RunFolder) -> Result<Vec<Box<dyn Callback>>> {
    let mut callbacks: Vec<Box<dyn Callback>> = Vec::new();
    if experiment.tracking.has(Tracker::Tensorboard) {
        let (path, text) = (folder.tensorboard_path(), experiment.to_toml()?);
        let tensorboard = TensorBoard::create(&path, hyperparameters(experiment)?, &text)?;
        callbacks.push(Box::new(tensorboard));
    }
    if experiment.tracking.has(Tracker::Csv) {
        callbacks.push(Box::new(CsvLog::create(&folder.metrics_csv_path())?));
    }
    Ok(callbacks)
}

/// Returns the settings that decide the result of `experiment`, with the seed.
fn hyperparameters(experiment: &Experiment) -> Result<BTreeMap<String, String>> {
    let mut settings = settings(experiment)?;
    settings.retain(|key, _| key != "name" && !key.starts_with("checkpoint.") && !is_tracking(key));
    Ok(settings)
}

/// Adds the result of a run to its event file, if the run has one: the test, pictures of the first
/// layer's weights and of the confusion matrix, and the end of the session. `test` is the evaluation
/// on the labelled test images, with them.
///
/// # Errors
/// A device that fails, or a file that cannot be written. A picture that cannot be drawn, such as one
/// of very large images, is left out with a warning.
pub(super) fn write_result(
    model: &LoadedModel,
    summary: &RunSummary,
    test: Option<(&Evaluation, &EvalSet)>,
) -> Result<()> {
    let Some(mut log) = event_log(&model.experiment, &model.folder)? else { return Ok(()) };
    let epoch = summary.model_epoch.unwrap_or(summary.num_epochs);
    let now = unix_time();
    let balanced = test.and_then(|(evaluation, _)| evaluation.balanced_accuracy());
    let values = [
        ("accuracy/test", summary.test_accuracy),
        ("loss/test", summary.test_loss),
        ("accuracy/test_balanced", balanced.filter(|_| test.is_some_and(|(test, _)| test.is_unbalanced()))),
    ];
    let mut events = Vec::new();
    if test.is_some() {
        events.push(scalars(epoch, now, &values));
    }
    let mut add = |tag: &str, png: Result<Vec<u8>>| match png {
        Ok(png) => events.extend(picture(epoch, now, tag, png)),
        Err(error) => warn_about_picture(tag, &error.to_string()),
    };
    let neurons = model.neurons()?;
    add("weights", model.first_weight_sheet(&neurons));
    if let Some((evaluation, eval_set)) = test {
        add("confusion", model.confusion_picture(evaluation, eval_set));
    }
    events.push(SessionEnd::Success.event(now));
    log.append(&events)
}

/// Adds to the event file of a run, if it has one, that the run failed.
///
/// # Errors
/// A file that cannot be written.
pub(super) fn write_failure(experiment: &Experiment, folder: &RunFolder) -> Result<()> {
    let Some(mut log) = event_log(experiment, folder)? else { return Ok(()) };
    let event: Event = SessionEnd::Failure.event(unix_time());
    log.append(&[event])
}

/// Opens the event file of a run that writes one. `None` without the tracker, or if the run failed
/// before the file was made.
fn event_log(experiment: &Experiment, folder: &RunFolder) -> Result<Option<EventLog>> {
    match experiment.tracking.has(Tracker::Tensorboard) {
        true => EventLog::reopen(&folder.tensorboard_path()),
        false => Ok(None),
    }
}

fn warn_about_picture(tag: &str, error: &str) {
    let text = format!("the picture `{tag}` for TensorBoard could not be drawn: {error}");
    give_once("picture for TensorBoard", Notice::Warning(&text));
}
