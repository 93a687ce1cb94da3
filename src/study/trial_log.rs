//! Owns the folder of a study: its file names and formats, and the trial log, which never loses a
//! finished trial. Depends on `util::files`. Must not know how trials are trained.
//!
//! ```text
//! artifacts/studies/<study>/
//!   study.toml     the study file as it was last run
//!   plan.json      the fingerprint of the study, to show what a changed study file changes
//!   trials.jsonl   one line per trial, written the moment it ends
//!   trials-1.jsonl the same of an earlier measurement, after `--remeasure`
//!   results.csv    one row per trial
//!   results.json   one record per configuration, the best one, the best model
//!   report.html    all of it as one page
//!   tensorboard/   one event file per trial, if the tracker `tensorboard` is on
//!   .lock          held by the process that runs the study
//! ```

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::study::{Configuration, Measure, Study, Trial, TrialPlan};
use crate::training::EpochRecord;
use crate::util::files;
use crate::util::files::{LineLog, Lock};

/// Newest format of study folders, which this smallnet writes.
const FORMAT: u32 = 1;

/// Names of the study's own files; see the list above.
const STUDY: &str = "study.toml";
const PLAN: &str = "plan.json";
const TRIALS: &str = "trials.jsonl";
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

/// End of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TrialEnd {
    /// It was trained to its end, or stopped early as configured.
    Finished,
    /// Its loss became infinite or NaN. This is a result like any other.
    Diverged,
    /// It ended with an error. It is trained again when the study runs again.
    Failed,
}

/// Record of a trial, one line of `trials.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrialRecord {
    /// The trial's id.
    pub id: String,
    /// Values of the varied keys.
    #[serde(rename = "setting")]
    pub configuration: Configuration,
    /// Its seed.
    pub seed: u64,
    /// The validation fold, from 0. `None` without cross-validation.
    pub fold: Option<usize>,
    /// End of the trial.
    pub end: TrialEnd,
    /// Reason why it diverged or failed.
    pub message: Option<String>,
    /// Fraction of its validation images that were classified correctly, in [0, 1]. It is measured
    /// after the last epoch, or after the best one where early stopping restores it. `None` unless
    /// the trial finished.
    pub accuracy: Option<f64>,
    /// Mean cross-entropy over the validation images, at the same epoch.
    pub loss: Option<f64>,
    /// Epoch of accuracy and loss, from 1.
    pub epoch: Option<usize>,
    /// Number of training images and of validation images.
    pub num_images: (usize, usize),
    /// Number of weights and biases.
    pub num_parameters: usize,
    /// Steps per epoch.
    pub steps_per_epoch: usize,
    /// True if it was trained in a batch with others. Its seconds are then its share of the batch's
    /// time.
    #[serde(rename = "stacked")]
    pub is_batched: bool,
    /// Records of its epochs. With stopping images, their validation values are those of the
    /// stopping images.
    pub epochs: Vec<EpochRecord>,
    /// Number of stopping images. `None` if no images were held out for early stopping.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub num_stopping_images: Option<usize>,
    /// Balanced accuracy on its validation images, in [0, 1], at the epoch of `accuracy`. `None`
    /// unless the trial finished, and in records of an earlier smallnet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balanced_accuracy: Option<f64>,
    /// Epoch after which successive halving judged the trial and its training ended, if that is before
    /// the last epoch of its experiment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_after: Option<usize>,
    /// Number of images of equally large classes whose balanced accuracy would be as certain as
    /// that of the validation images. `None` in records of an earlier smallnet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_images: Option<usize>,
}

impl TrialRecord {
    /// Value of `measure` on the validation images. `None` unless the trial finished, or if an
    /// earlier smallnet did not record it.
    pub fn score(&self, measure: Measure) -> Option<f64> {
        match measure {
            Measure::Accuracy => self.accuracy,
            Measure::BalancedAccuracy => self.balanced_accuracy,
        }
    }

    /// True if the trial finished, but an earlier smallnet did not record `measure`.
    fn lacks(&self, measure: Measure) -> bool {
        self.end == TrialEnd::Finished && self.accuracy.is_some() && self.score(measure).is_none()
    }
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

    fn saved_plan(&self) -> Option<SavedPlan> {
        files::read_json(&self.path.join(PLAN)).ok()
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
        files::write(&self.path.join(STUDY), study.text().as_bytes())?;
        let saved = SavedPlan { format: FORMAT, fingerprint: plan.fingerprint.clone() };
        files::write_json(&self.path.join(PLAN), &saved)?;
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

/// Log of the trials in `trials.jsonl`, locked for this process.
#[derive(Debug)]
pub struct TrialLog {
    /// The open file and its lock. `None` if the log was only read.
    writer: Option<(LineLog, Lock)>,
    /// The last record of each trial, by the trial's id.
    records: HashMap<String, TrialRecord>,
    /// Number of lines that could not be read. Their trials count as not run.
    pub num_damaged: usize,
    /// Measure that a record must have. A trial whose record lacks it counts as not run.
    measure: Measure,
}

impl TrialLog {
    /// Opens the trial log of `folder` and reads its records. Trials whose record lacks `measure`
    /// count as not run.
    ///
    /// A last line without an end, as a kill may leave, is removed.
    ///
    /// # Errors
    /// Another process runs this study, or the file cannot be read.
    pub fn open(folder: &StudyFolder, measure: Measure) -> Result<Self> {
        let lock = Lock::take(&folder.path)?.ok_or_else(|| {
            let path = folder.path.display();
            Error::locked(format!("`{path}` is in use: the study is running already"))
                .hint("wait for it, or stop it; it resumes where it was stopped")
        })?;
        if lock.is_exclusive() {
            files::remove_stale_temp(&folder.path)?;
        }
        let (lines, bytes) = LineLog::open(&folder.path.join(TRIALS))?;
        let writer = Some((lines, lock));
        let mut trial_log = Self { writer, records: HashMap::new(), num_damaged: 0, measure };
        trial_log.parse(&bytes);
        Ok(trial_log)
    }

    /// Starts an empty log: the file is renamed atomically, and an empty one takes its place.
    /// Returns the path and the number of the archived records, or `None` if there were none or the
    /// log was only read.
    ///
    /// # Errors
    /// A file cannot be renamed or created.
    pub fn archive(&mut self, folder: &StudyFolder) -> Result<Option<(PathBuf, usize)>> {
        let number = self.records.len();
        let path = folder.path.join(TRIALS);
        if number == 0 {
            return Ok(None);
        }
        let Some((lines, lock)) = self.writer.take() else { return Ok(None) };
        drop(lines);
        let archive = files::set_aside(&path)?;
        self.writer = Some((LineLog::open(&path)?.0, lock));
        self.records.clear();
        Ok(Some((archive, number)))
    }

    /// Reads the trial log of the study called `name` under `artifacts` without locking it. `None`
    /// if there is none that can be read.
    pub fn peek(artifacts: &Path, name: &str, measure: Measure) -> Option<Self> {
        let path = artifacts.join("studies").join(name).join(TRIALS);
        let mut trial_log = Self { writer: None, records: HashMap::new(), num_damaged: 0, measure };
        trial_log.parse(&files::read_bytes(&path).ok()?);
        Some(trial_log)
    }

    /// Adds the records in `lines` and counts the damaged lines.
    fn parse(&mut self, lines: &[u8]) {
        for line in lines.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            match serde_json::from_slice::<TrialRecord>(line) {
                Ok(record) => self.insert(record),
                Err(_) => self.num_damaged += 1,
            }
        }
    }

    fn insert(&mut self, record: TrialRecord) {
        self.records.insert(record.id.clone(), record);
    }

    /// Appends records and waits until they are on the disk.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn append(&mut self, records: &[TrialRecord]) -> Result<()> {
        let mut lines = String::new();
        for record in records {
            lines += &files::to_json(record)?;
            lines.push('\n');
        }
        if let Some((file, _)) = &mut self.writer {
            file.append(&lines)?;
        }
        records.iter().for_each(|record| self.insert(record.clone()));
        Ok(())
    }

    /// Result of a trial. `None` where it has not been run, or failed.
    pub fn result(&self, trial: &Trial) -> Option<&TrialRecord> {
        self.record(trial).filter(|record| record.end != TrialEnd::Failed)
    }

    /// Record of a trial, including failed ones.
    pub fn record(&self, trial: &Trial) -> Option<&TrialRecord> {
        self.records.get(&trial.id).filter(|record| !record.lacks(self.measure))
    }

    /// Number of these trials whose record lacks the measure. They are trained again.
    pub fn num_without_measure(&self, trials: &[Trial]) -> usize {
        let records = trials.iter().filter_map(|trial| self.records.get(&trial.id));
        records.filter(|record| record.lacks(self.measure)).count()
    }

    /// Number of records that belong to none of these trials.
    pub fn num_others(&self, trials: &[Trial]) -> usize {
        let known: HashSet<&String> = trials.iter().map(|trial| &trial.id).collect();
        self.records.keys().filter(|id| !known.contains(id)).count()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
