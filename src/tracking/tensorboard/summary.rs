//! Owns the contents of smallnet's event files: their start, the scalars of an epoch, pictures and
//! texts. Depends on `event` and on the records of `training`. Must not know files.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::tracking::tensorboard::Session;
use crate::tracking::tensorboard::event::{
    Content, Datum, Event, Image, Metadata, SessionLog, Summary, Tensor, Value,
};
use crate::training::EpochRecord;

/// Tags of the validation values of an epoch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EpochTags {
    /// Tag of the loss.
    pub(crate) loss: &'static str,
    /// Tag of the accuracy.
    pub(crate) accuracy: &'static str,
}

impl EpochTags {
    /// Tags of values of validation images.
    pub(crate) const VALIDATION: Self = Self { loss: "loss/validation", accuracy: "accuracy/validation" };
    /// Tags of values of stopping images, which choose the epoch of a study's trial.
    pub(crate) const STOPPING: Self = Self { loss: "loss/stopping", accuracy: "accuracy/stopping" };
}

/// Tag of the training loss, which every epoch has.
pub(super) const TRAIN_LOSS: &str = "loss/train";

/// Returns the present time, in seconds since 1970.
pub(crate) fn unix_time() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

/// Returns the events at the beginning of a file: version, start, and the hyperparameters of
/// `session`. `experiment` is the experiment as TOML; a study's trials have none.
pub(crate) fn file_start(session: &Session, experiment: Option<&str>) -> Vec<Event> {
    let event = |content| Event { wall_time: session.start, step: 0, content: Some(content) };
    let mut events = vec![
        event(Content::FileVersion("brain.Event:2".to_owned())),
        event(Content::SessionLog(SessionLog { status: SessionLog::START })),
    ];
    events.extend(experiment.map(|toml| text(session.start, "experiment", &format!("```toml\n{toml}```"))));
    events.push(session.start_event());
    events
}

/// Returns the event of an epoch that ended at `wall_time`.
pub(crate) fn epoch_event(record: &EpochRecord, wall_time: f64, tags: EpochTags) -> Event {
    let values = [
        (TRAIN_LOSS, Some(record.train_loss)),
        ("accuracy/train", Some(record.train_accuracy)),
        (tags.loss, record.validation_loss),
        (tags.accuracy, record.validation_accuracy),
        ("learning_rate", Some(record.learning_rate)),
        ("time/epoch_seconds", Some(record.seconds)),
        ("time/images_per_second", record.images_per_second),
    ];
    scalars(record.epoch, wall_time, &values)
}

/// Returns an event of scalars after `epoch`. Values that are `None` are left out.
pub(crate) fn scalars(epoch: usize, wall_time: f64, values: &[(&str, Option<f64>)]) -> Event {
    let value = |&(tag, value): &(&str, Option<f64>)| {
        // TensorBoard's scalars have 32 bits.
        Some(Value { tag: tag.to_owned(), metadata: None, datum: Some(Datum::Scalar(value? as f32)) })
    };
    summary(epoch, wall_time, values.iter().filter_map(value).collect())
}

/// Returns an event of a picture after `epoch`. `png` is a PNG file. `None` if it is none.
pub(crate) fn picture(epoch: usize, wall_time: f64, tag: &str, png: Vec<u8>) -> Option<Event> {
    // A PNG file has its width and height at the beginning of its first part, after 16 bytes.
    let number = |start: usize| Some(i32::from_be_bytes(*png.get(start..)?.first_chunk()?));
    let image = Image { width: number(16)?, height: number(20)?, colorspace: 3, encoded: png };
    let value = Value { tag: tag.to_owned(), metadata: None, datum: Some(Datum::Image(image)) };
    Some(summary(epoch, wall_time, vec![value]))
}

/// Returns an event of a text in Markdown.
fn text(wall_time: f64, tag: &str, text: &str) -> Event {
    let metadata = Some(Metadata::of_plugin("text", Vec::new()));
    let value = Value { tag: tag.to_owned(), metadata, datum: Some(Datum::Tensor(Tensor::text(text))) };
    summary(0, wall_time, vec![value])
}

fn summary(epoch: usize, wall_time: f64, values: Vec<Value>) -> Event {
    let step = i64::try_from(epoch).unwrap_or(i64::MAX);
    Event { wall_time, step, content: Some(Content::Summary(Summary { values })) }
}

/// Returns the times at which `epochs` ended, if the last one ended at `end` and nothing came between
/// them.
pub(crate) fn past_wall_times(epochs: &[EpochRecord], end: f64) -> Vec<f64> {
    let mut time = end;
    let mut times: Vec<f64> = epochs
        .iter()
        .rev()
        .map(|record| {
            let ended = time;
            time -= record.seconds;
            ended
        })
        .collect();
    times.reverse();
    times
}

#[cfg(test)]
mod tests;
