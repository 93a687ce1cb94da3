//! Owns the trial logs of a study, which never lose a finished trial: that of the study itself, and those of
//! its shards. Depends on the study's folder and on `util::files`. Must not know how trials are trained.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::study::folder::TRIALS;
use crate::study::{Configuration, Measure, Shard, StudyFolder, Trial};
use crate::training::EpochRecord;
use crate::util::files;
use crate::util::files::{LineLog, Lock};

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

    /// Returns whether both have the same result, to the last digit. Times may differ.
    fn has_the_result_of(&self, other: &Self) -> bool {
        let figures = |record: &EpochRecord| {
            let EpochRecord { train_loss, train_accuracy, validation_loss, validation_accuracy, .. } =
                *record;
            (train_loss, train_accuracy, validation_loss, validation_accuracy)
        };
        self.end == other.end
            && (self.accuracy, self.loss, self.epoch) == (other.accuracy, other.loss, other.epoch)
            && self.epochs.iter().map(figures).eq(other.epochs.iter().map(figures))
    }

    /// True if the trial finished, but an earlier smallnet did not record `measure`.
    fn lacks(&self, measure: Measure) -> bool {
        self.end == TrialEnd::Finished && self.accuracy.is_some() && self.score(measure).is_none()
    }
}

/// Two results of one trial that differ, from two processes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// The trial's id.
    pub id: String,
    /// Name of the trial log whose result counts.
    pub used: String,
    /// Name of the other one.
    pub other: String,
}

/// All trial logs of a study as one. One of them is locked for this process and grows: `trials.jsonl`, or that
/// of a shard.
#[derive(Debug)]
pub struct TrialLog {
    /// The open file and its lock. `None` if the logs were only read.
    writer: Option<(LineLog, Lock)>,
    /// Names of the files, in the order in which their results count: `trials.jsonl` first, then those of the
    /// shards.
    names: Vec<String>,
    /// Index of the file that grows.
    own: usize,
    /// The last record of each trial, by the trial's id, with the index of its file.
    records: HashMap<String, (TrialRecord, usize)>,
    /// Number of lines that could not be read. Their trials count as not run.
    pub num_damaged: usize,
    /// Trials with two results that differ.
    pub conflicts: Vec<Conflict>,
    /// Measure that a record must have. A trial whose record lacks it counts as not run.
    measure: Measure,
}

impl TrialLog {
    /// Opens the trial log of `folder`, or that of `shard`, and reads the records of all trial logs. Trials
    /// whose record lacks `measure` count as not run.
    ///
    /// Two shards of the same cut have no trial in common. So without `reads_other_shards`, the logs of the
    /// others of its cut are not read: a thousand shards on one drive would read a million files.
    ///
    /// A last line without an end, as a kill may leave, is removed from the log that is opened. Those of the
    /// others are not read: their process may be writing them.
    ///
    /// # Errors
    /// Another process runs this study or shard, or a shard is to be trained while the study runs as a whole, or
    /// the other way round. A file cannot be read.
    pub fn open(
        folder: &StudyFolder,
        measure: Measure,
        shard: Option<Shard>,
        reads_other_shards: bool,
    ) -> Result<Self> {
        let lock = take_lock(folder, shard)?;
        if shard.is_none() && lock.is_exclusive() {
            files::remove_stale_temp(folder.path())?;
        }
        let own_name = shard.map_or_else(|| TRIALS.to_owned(), Shard::log_name);
        let (lines, own_bytes) = LineLog::open(&folder.path().join(&own_name))?;
        let is_read = |other: Shard| {
            reads_other_shards || shard.is_none_or(|own| other == own || other.count != own.count)
        };
        let mut trial_log = Self::of_files(folder, measure, is_read)?;
        trial_log.own = trial_log.names.iter().position(|name| *name == own_name).unwrap_or(0);
        trial_log.writer = Some((lines, lock));
        for index in 0..trial_log.names.len() {
            match index == trial_log.own {
                true => trial_log.parse(&own_bytes, index),
                false => trial_log.read(folder, index)?,
            }
        }
        Ok(trial_log)
    }

    /// Reads all trial logs of the study called `name` under `artifacts` without locking them. `None` if there
    /// is none that can be read.
    pub fn peek(artifacts: &Path, name: &str, measure: Measure) -> Option<Self> {
        let folder = StudyFolder::find(artifacts, name)?;
        let mut trial_log = Self::of_files(&folder, measure, |_| true).ok()?;
        let read: Vec<_> =
            (0..trial_log.names.len()).map(|index| trial_log.read(&folder, index).is_ok()).collect();
        read.contains(&true).then_some(trial_log)
    }

    /// Log of the files in `folder`, before they are read: that of the study, and those of the shards that
    /// `is_read` names.
    fn of_files(folder: &StudyFolder, measure: Measure, is_read: impl Fn(Shard) -> bool) -> Result<Self> {
        let shards = folder.shards()?.into_iter().filter(|&shard| is_read(shard)).map(Shard::log_name);
        let names: Vec<String> = std::iter::once(TRIALS.to_owned()).chain(shards).collect();
        let logs: Vec<&str> = names.iter().skip(1).map(String::as_str).collect();
        files::check_file_types(folder.path(), &logs, &[])?;
        let records = HashMap::new();
        Ok(Self { writer: None, names, own: 0, records, num_damaged: 0, conflicts: Vec::new(), measure })
    }

    /// Reads the whole lines of file `index`. The study's own log may be missing: a shard ran first.
    fn read(&mut self, folder: &StudyFolder, index: usize) -> Result<()> {
        let path = folder.path().join(&self.names[index]);
        if index == 0 && !path.exists() {
            return Ok(());
        }
        let bytes = files::read_bytes(&path)?;
        let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        self.parse(&bytes[..whole], index);
        Ok(())
    }

    /// Starts an empty log: the file is renamed atomically, and an empty one takes its place.
    /// Returns the path and the number of the archived records, or `None` if there were none or the
    /// log was only read.
    ///
    /// # Errors
    /// A file cannot be renamed or created.
    pub fn archive(&mut self, folder: &StudyFolder) -> Result<Option<(PathBuf, usize)>> {
        let number = self.records.len();
        let path = folder.path().join(TRIALS);
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

    /// Adds the records in `lines` of file `index` and counts the damaged lines.
    fn parse(&mut self, lines: &[u8], index: usize) {
        for line in lines.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            match serde_json::from_slice::<TrialRecord>(line) {
                Ok(record) => self.insert(record, index),
                Err(_) => self.num_damaged += 1,
            }
        }
    }

    /// Adds a record of file `index`. A later record of the same file replaces an earlier one. Of two files, the
    /// result of the first one counts, unless only the other one has a result.
    fn insert(&mut self, record: TrialRecord, index: usize) {
        let Some((earlier, file)) = self.records.get(&record.id).filter(|(_, file)| *file != index) else {
            self.records.insert(record.id.clone(), (record, index));
            return;
        };
        let (is_result, was_result) = (record.end != TrialEnd::Failed, earlier.end != TrialEnd::Failed);
        if is_result && was_result && !earlier.has_the_result_of(&record) {
            self.conflicts.push(Conflict {
                id: record.id.clone(),
                used: self.names[*file.min(&index)].clone(),
                other: self.names[*file.max(&index)].clone(),
            });
        }
        let counts = match (is_result, was_result) {
            (true, false) => true,
            (false, true) => false,
            _ => index < *file,
        };
        if counts {
            self.records.insert(record.id.clone(), (record, index));
        }
    }

    /// Appends records and waits until they are on the disk.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn append(&mut self, records: &[TrialRecord]) -> Result<()> {
        // Nothing to wait for: it is called after every epoch, and on a shared drive waiting costs milliseconds.
        if records.is_empty() {
            return Ok(());
        }
        let mut lines = String::new();
        for record in records {
            lines += &files::to_json(record)?;
            lines.push('\n');
        }
        if let Some((file, _)) = &mut self.writer {
            file.append(&lines)?;
        }
        records.iter().for_each(|record| self.insert(record.clone(), self.own));
        Ok(())
    }

    /// Name of the file that grows.
    pub fn own_name(&self) -> &str {
        &self.names[self.own]
    }

    /// Result of a trial. `None` where it has not been run, or failed.
    pub fn result(&self, trial: &Trial) -> Option<&TrialRecord> {
        self.record(trial).filter(|record| record.end != TrialEnd::Failed)
    }

    /// Record of a trial, including failed ones.
    pub fn record(&self, trial: &Trial) -> Option<&TrialRecord> {
        let (record, _) = self.records.get(&trial.id)?;
        Some(record).filter(|record| !record.lacks(self.measure))
    }

    /// Number of these trials whose record lacks the measure. They are trained again.
    pub fn num_without_measure(&self, trials: &[Trial]) -> usize {
        let records = trials.iter().filter_map(|trial| self.records.get(&trial.id));
        records.filter(|(record, _)| record.lacks(self.measure)).count()
    }

    /// Number of records that belong to none of these trials.
    pub fn num_others(&self, trials: &[Trial]) -> usize {
        let known: HashSet<&String> = trials.iter().map(|trial| &trial.id).collect();
        self.records.keys().filter(|id| !known.contains(id)).count()
    }
}

/// Takes the lock of a study, or of one of its shards.
fn take_lock(folder: &StudyFolder, shard: Option<Shard>) -> Result<Lock> {
    let path = folder.path();
    let in_use = |what: &str| {
        Error::locked(format!("`{}` is in use: {what} is running already", path.display()))
            .hint("wait for it, or stop it; it resumes where it was stopped")
    };
    let Some(shard) = shard else {
        let lock = Lock::take(path)?.ok_or_else(|| in_use("the study"))?;
        return match folder.shards()?.into_iter().find(|&shard| folder.is_running(shard) == Some(true)) {
            Some(running) => Err(in_use(&format!("its shard {running}"))),
            None => Ok(lock),
        };
    };
    let lock =
        Lock::take_named(path, &shard.lock_name())?.ok_or_else(|| in_use(&format!("shard {shard}")))?;
    match files::is_locked(path) {
        Some(true) => Err(in_use("the study as a whole")),
        _ => Ok(lock),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
