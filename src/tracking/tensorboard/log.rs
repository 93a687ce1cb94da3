//! Owns the event file of a run: the callback that writes it, one whole record per epoch, and what is
//! added at the end. Depends on `record`, `summary` and `util::files`. Must not know run folders: the
//! folder comes in as an argument.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::tracking::tensorboard::event::{Content, Event};
use crate::tracking::tensorboard::record::decode;
use crate::tracking::tensorboard::summary::TRAIN_LOSS;
use crate::tracking::tensorboard::{
    EpochTags, Session, encode, epoch_event, file_start, past_wall_times, unix_time,
};
use crate::training::{Callback, EpochRecord};
use crate::util::files;
use crate::util::files::LineLog;

/// Beginning and end of the names of smallnet's event files. Between them is the time of the start,
/// as in the files of TensorBoard's own writers. An open TensorBoard goes on to files with later names.
const PREFIX: &str = "events.out.tfevents.";
const SUFFIX: &str = ".smallnet";

/// An event file that is open for writing.
#[derive(Debug)]
pub(crate) struct EventLog {
    log: LineLog,
}

impl EventLog {
    /// Opens the newest event file in `folder` to add events at its end. `None` if there is none.
    ///
    /// # Errors
    /// A folder that cannot be listed, or a file that cannot be opened.
    pub(crate) fn reopen(folder: &Path) -> Result<Option<Self>> {
        let Some(path) = event_files(folder)?.pop() else { return Ok(None) };
        Ok(Some(Self { log: LineLog::reopen(&path)? }))
    }

    /// Appends events. Returns when they are on the disk.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub(crate) fn append(&mut self, events: &[Event]) -> Result<()> {
        self.log.append_bytes(&encode(events))
    }
}

/// Callback that writes the event file of a run.
#[derive(Debug)]
pub(crate) struct TensorBoard {
    log: EventLog,
    /// Times at which epochs ended, from an earlier file.
    earlier_times: BTreeMap<i64, f64>,
}

impl TensorBoard {
    /// Makes a new event file in `folder`, which is made if it is missing. An earlier file of a run
    /// that is resumed is emptied first, so that no epoch is ever there twice. It is not removed,
    /// since an open TensorBoard would look for it and not go on to the new one. The new file has the
    /// time of the earlier one's start. It begins with `hyperparameters`, which are dotted keys with
    /// their values as TOML, and with the text of the `experiment`.
    ///
    /// # Errors
    /// A folder or file that cannot be written.
    pub(crate) fn create(
        folder: &Path,
        hyperparameters: BTreeMap<String, String>,
        experiment: &str,
    ) -> Result<Self> {
        files::make_folder(folder)?;
        let mut earlier = Vec::new();
        for path in event_files(folder)? {
            // A file that cannot be read has no times: they are computed then.
            let bytes = files::read_bytes(&path).unwrap_or_default();
            match bytes.is_empty() {
                true => files::remove(&path)?,
                false => drop(LineLog::create(&path)?),
            }
            earlier.extend(decode(&bytes));
        }
        earlier.retain(|event| event.wall_time.is_finite());
        let start = earlier.first().map_or_else(unix_time, |event| event.wall_time);
        let session = Session { hyperparameters, group: String::new(), start };
        let path = folder.join(format!("{PREFIX}{:014.3}{SUFFIX}", unix_time()));
        let mut log = EventLog { log: LineLog::create(&path)? };
        log.append(&file_start(&session, Some(experiment)))?;
        let epochs = earlier.iter().filter(|event| is_epoch(event));
        Ok(Self { log, earlier_times: epochs.map(|event| (event.step, event.wall_time)).collect() })
    }
}

impl Callback for TensorBoard {
    fn on_resume(&mut self, epochs: &[EpochRecord]) -> Result<()> {
        let times = past_wall_times(epochs, unix_time());
        let events = epochs.iter().zip(times).map(|(record, computed)| {
            let earlier = i64::try_from(record.epoch).ok().and_then(|epoch| self.earlier_times.get(&epoch));
            epoch_event(record, earlier.copied().unwrap_or(computed), EpochTags::VALIDATION)
        });
        self.log.append(&events.collect::<Vec<_>>())
    }

    fn on_epoch_end(&mut self, record: &EpochRecord) -> Result<()> {
        self.log.append(&[epoch_event(record, unix_time(), EpochTags::VALIDATION)])
    }
}

/// Returns the paths of smallnet's event files in `folder`, oldest first. There are none if the
/// folder is missing.
fn event_files(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let failed = |error| Error::io("list", folder, error);
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(PREFIX) && name.ends_with(SUFFIX) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Returns whether an event has the scalars of an epoch.
fn is_epoch(event: &Event) -> bool {
    match &event.content {
        Some(Content::Summary(summary)) => summary.values.iter().any(|value| value.tag == TRAIN_LOSS),
        _ => false,
    }
}
