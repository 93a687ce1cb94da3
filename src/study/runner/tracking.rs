//! Owns the event files of a study: one per trial, so that TensorBoard's HParams plugin shows each
//! configuration as a group, with its folds and seeds as sessions. Depends on `tracking` and the
//! trial log. Must not know how trials are trained.
//!
//! ```text
//! <study>/tensorboard/<configuration>/seed-1-fold-2-<trial id>/events.out.tfevents.smallnet
//! ```
//!
//! A trial has one file, which is written as a whole when the trial has ended. So no session is ever
//! there twice or in part, whenever the study is killed.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::study::runner::PlannedStudy;
use crate::study::{Configuration, StudyFolder, TrialEnd, TrialRecord};
use crate::tracking::Tracker;
use crate::tracking::tensorboard::{
    EpochTags, Session, SessionEnd, encode, epoch_event, file_start, past_wall_times, scalars, unix_time,
};
use crate::util::files;

/// Name of the event file of a trial.
const FILE: &str = "events.out.tfevents.smallnet";
/// Largest number of characters of the name of a configuration's folder.
const MAX_NAME: usize = 100;

/// The event files of a study.
pub(super) struct TrialTracking {
    /// Folder of all event files.
    root: PathBuf,
    /// Name of the study.
    study: String,
}

impl TrialTracking {
    /// Returns the event files of `planned` in `folder`. `None` if the study's experiment does not
    /// have the tracker `tensorboard`.
    pub(super) fn new(planned: &PlannedStudy, folder: &StudyFolder) -> Option<Self> {
        let is_tracked = planned.study.base.tracking.has(Tracker::Tensorboard);
        is_tracked.then(|| Self { root: folder.tensorboard_path(), study: planned.study.name.clone() })
    }

    /// Writes the missing files of the trials with these records, and removes the files of all other
    /// trials. Those are trials of an earlier form of the study, of one that is measured again, or of
    /// an earlier rung.
    ///
    /// # Errors
    /// A file that cannot be written or removed.
    pub(super) fn synchronize(&self, records: &[&TrialRecord]) -> Result<()> {
        let expected: HashSet<PathBuf> = records.iter().map(|record| self.session_folder(record)).collect();
        for folder in self.session_folders()?.iter().filter(|folder| !expected.contains(*folder)) {
            files::remove(&folder.join(FILE))?;
            // Folders with other files in them stay.
            let _ = fs::remove_dir(folder);
            let _ = folder.parent().map(fs::remove_dir);
        }
        for record in records {
            if !self.session_folder(record).join(FILE).is_file() {
                self.write(record)?;
            }
        }
        Ok(())
    }

    /// Writes the event file of a trial. A trial that failed has none, since it is trained again.
    ///
    /// # Errors
    /// A file that cannot be written, or a link in the place of a folder.
    pub(super) fn write(&self, record: &TrialRecord) -> Result<()> {
        if record.end == TrialEnd::Failed {
            return Ok(());
        }
        files::make_folder(&self.root)?;
        let mut folder = self.root.clone();
        for name in [configuration_folder(&record.configuration), session_name(record)] {
            files::check_file_types(&folder, &[], &[&name])?;
            folder.push(name);
            files::make_folder(&folder)?;
        }
        files::write(&folder.join(FILE), &self.events(record, unix_time()))
    }

    /// Bytes of the event file of a trial that ended at `end`, in seconds since 1970.
    fn events(&self, record: &TrialRecord, end: f64) -> Vec<u8> {
        let times = past_wall_times(&record.epochs, end);
        let start = end - record.epochs.iter().map(|epoch| epoch.seconds).sum::<f64>();
        let values = record.configuration.values.iter();
        let session = Session {
            hyperparameters: values.map(|(key, value)| (key.to_string(), value.to_string())).collect(),
            group: format!("{}: {}", self.study, record.configuration.name()),
            start,
        };
        let tags = match record.num_stopping_images {
            Some(_) => EpochTags::STOPPING,
            None => EpochTags::VALIDATION,
        };
        let mut events = file_start(&session, None);
        events.extend(record.epochs.iter().zip(times).map(|(epoch, time)| epoch_event(epoch, time, tags)));
        if let Some(epoch) = record.epoch {
            let values = [
                ("accuracy/result", record.accuracy),
                ("loss/result", record.loss),
                ("accuracy/result_balanced", record.balanced_accuracy),
            ];
            events.push(scalars(epoch, end, &values));
        }
        let result = match record.end {
            TrialEnd::Finished => SessionEnd::Success,
            TrialEnd::Diverged | TrialEnd::Failed => SessionEnd::Failure,
        };
        events.push(result.event(end));
        encode(&events)
    }

    /// Path of the folder of a trial's event file.
    fn session_folder(&self, record: &TrialRecord) -> PathBuf {
        self.root.join(configuration_folder(&record.configuration)).join(session_name(record))
    }

    /// Paths of all folders that have the event file of a trial.
    fn session_folders(&self) -> Result<Vec<PathBuf>> {
        let mut sessions = Vec::new();
        for configuration in folders_in(&self.root)? {
            let folders = folders_in(&configuration)?;
            sessions.extend(folders.into_iter().filter(|folder| folder.join(FILE).is_file()));
        }
        Ok(sessions)
    }
}

/// Paths of the folders in `folder`, without links. There are none if it is missing.
fn folders_in(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let failed = |error| Error::io("list", folder, error);
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_type().map_err(failed)?.is_dir() {
            paths.push(entry.path());
        }
    }
    Ok(paths)
}

/// Name of a configuration's folder: the name of the configuration, in characters that every file
/// system takes.
fn configuration_folder(configuration: &Configuration) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let name = configuration.name().replace(", ", "_");
    let name: String = name.chars().map(|c| if is_plain(c) { c } else { '-' }).take(MAX_NAME).collect();
    // A leading dot would hide the folder, or name another one.
    match name.starts_with('.') {
        true => format!("_{name}"),
        false => name,
    }
}

/// Name of a trial's folder. People count folds from 1. The id is that of the trial, so that two
/// trials never share a folder.
fn session_name(record: &TrialRecord) -> String {
    let fold = record.fold.map(|fold| format!("-fold-{}", fold.saturating_add(1))).unwrap_or_default();
    let id: String = record.id.chars().filter(char::is_ascii_hexdigit).take(16).collect();
    format!("seed-{}{fold}-{id}", record.seed)
}

#[cfg(test)]
mod tests;
