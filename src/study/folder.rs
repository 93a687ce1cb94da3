//! Owns the folder of a study: its file names, and the plan that it was last run with. Depends on
//! `util::files`. Must not know how trials are trained.
//!
//! ```text
//! artifacts/studies/<study>/
//!   study.toml             the study file as it was last run
//!   plan.json              the fingerprint of the study, to show what a changed study file changes
//!   trials.jsonl           one line per trial, written the moment it ends
//!   trials-3-of-16.jsonl   the same of a shard, which another process trained
//!   trials-1.jsonl         the same of an earlier measurement, after `--remeasure`
//!   results.csv            one row per trial
//!   results.json           one record per configuration, the best one, the best model
//!   report.html            all of it as one page
//!   tensorboard/           one event file per trial, if the tracker `tensorboard` is on
//!   .lock                  held by the process that runs the study
//!   .lock-3-of-16          held by the process that trains this shard
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::study::{Shard, Study, TrialPlan};
use crate::util::files;

/// Newest format of study folders, which this smallnet writes.
const FORMAT: u32 = 1;

/// Names of the study's own files; see the list above.
const STUDY: &str = "study.toml";
const PLAN: &str = "plan.json";
pub(super) const TRIALS: &str = "trials.jsonl";
/// Files with the results of the study.
pub(crate) const CSV: &str = "results.csv";
pub(crate) const JSON: &str = "results.json";
pub(crate) const PAGE: &str = "report.html";
/// Folder with one event file per trial.
const TENSORBOARD: &str = "tensorboard";
/// All file names. A study's folder may be untrusted: none of these may be a link that leads out of
/// it, or a pipe, which smallnet would wait for.
const NAMES: [&str; 7] = [STUDY, PLAN, TRIALS, CSV, JSON, PAGE, files::LOCK];

/// Contents of `plan.json`.
#[derive(Serialize, Deserialize)]
struct SavedPlan {
    #[serde(default)]
    format: u32,
    /// Names and values of everything that decides the results.
    #[serde(default)]
    #[serde(rename = "facts")]
    fingerprint: BTreeMap<String, String>,
}

/// The folder of a study.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StudyFolder {
    path: PathBuf,
}

impl StudyFolder {
    /// Opens the folder of the study called `name` under `artifacts`, and creates it where it is
    /// missing.
    ///
    /// # Errors
    /// The folder cannot be created, contains a link or a pipe, or was written by a newer smallnet.
    pub fn open(artifacts: &Path, name: &str) -> Result<Self> {
        let path = artifacts.join("studies").join(name);
        fs::create_dir_all(&path).map_err(|error| Error::io("make the folder", &path, error))?;
        files::check_file_types(&path, &NAMES, &[TENSORBOARD])?;
        let folder = Self { path };
        // A damaged plan has no format to check. It is replaced, and the trials are found by their
        // ids.
        if let Some(plan) = folder.saved_plan() {
            files::check_format(&folder.path.join(PLAN), plan.format, FORMAT)?;
        }
        Ok(folder)
    }

    /// The folder of the study called `name` under `artifacts`. `None` if there is none.
    pub fn find(artifacts: &Path, name: &str) -> Option<Self> {
        let path = artifacts.join("studies").join(name);
        path.is_dir().then_some(Self { path })
    }

    fn saved_plan(&self) -> Option<SavedPlan> {
        files::read_json(&self.path.join(PLAN)).ok()
    }

    /// Shards that have a trial log here, ordered by the number of all shards and then by
    /// their own.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn shards(&self) -> Result<Vec<Shard>> {
        let failed = |error| Error::io("list", &self.path, error);
        let mut shards = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            shards.extend(name.to_str().and_then(Shard::of_log_name));
        }
        shards.sort_unstable();
        Ok(shards)
    }

    /// Returns whether a process trains the shard now. Returns nothing if none ever did, or if the system does
    /// not say.
    pub fn is_running(&self, shard: Shard) -> Option<bool> {
        files::is_named_locked(&self.path, &shard.lock_name())
    }

    /// Time at which the trial log of a shard was last written. `None` if there is none.
    pub fn last_written(&self, shard: Shard) -> Option<SystemTime> {
        self.path.join(shard.log_name()).metadata().and_then(|metadata| metadata.modified()).ok()
    }

    /// Path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Path of the folder with the event files of TensorBoard.
    pub fn tensorboard_path(&self) -> PathBuf {
        self.path.join(TENSORBOARD)
    }

    /// Saves the study file and the fingerprint of the plan. Returns the differences to the last
    /// run: name, before, now. They are empty for a first run.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn write_plan(&self, study: &Study, plan: &TrialPlan) -> Result<Vec<(String, String, String)>> {
        let before =
            self.saved_plan().map(|plan| plan.fingerprint).filter(|fingerprint| !fingerprint.is_empty());
        let text = study.text().as_bytes();
        // A thousand shards that start at once find the files as they would write them.
        let is_saved = before.as_ref() == Some(&plan.fingerprint)
            && files::read_bytes(&self.path.join(STUDY)).is_ok_and(|saved| saved == text);
        if !is_saved {
            files::write(&self.path.join(STUDY), text)?;
            let saved = SavedPlan { format: FORMAT, fingerprint: plan.fingerprint.clone() };
            files::write_json(&self.path.join(PLAN), &saved)?;
        }
        Ok(before.map(|before| diff(&before, &plan.fingerprint)).unwrap_or_default())
    }

    /// Saves a result file and returns its path.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<PathBuf> {
        let path = self.path.join(name);
        files::write(&path, bytes)?;
        Ok(path)
    }
}

/// Differences between two fingerprints: name, before, now. A missing value is a dash.
pub(crate) fn diff(
    before: &BTreeMap<String, String>,
    now: &BTreeMap<String, String>,
) -> Vec<(String, String, String)> {
    let none = || "–".to_owned();
    let mut keys: Vec<_> = before.keys().chain(now.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    let pair = |key: &String| (before.get(key).cloned(), now.get(key).cloned());
    keys.into_iter()
        .map(|key| (key.clone(), pair(key)))
        .filter(|(_, (before, now))| before != now)
        .map(|(key, (before, now))| (key, before.unwrap_or_else(none), now.unwrap_or_else(none)))
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
