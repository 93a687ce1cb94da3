//! Owns the progress of a study's shards, read from their trial logs. Depends on the study's folder and trial
//! logs. Writes nothing, and locks nothing.

use std::path::Path;
use std::time::SystemTime;

use serde::Serialize;

use crate::error::Result;
use crate::study::halving::trials_of_rungs;
use crate::study::runner::{OpenStudy, PlannedStudy};
use crate::study::{Shard, StudyFolder, TrialLog};

/// Progress of a study, and of each shard of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StudyStatus {
    /// Number of trials; with halving, as many as are expected.
    pub trials: usize,
    /// Number of trials that have a result.
    pub done: usize,
    /// The shards of each cut that has a trial log, in order.
    pub shards: Vec<ShardStatus>,
}

/// Progress of a shard.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ShardStatus {
    /// The shard, such as `3/16`.
    pub shard: Shard,
    /// Number of its trials, of the rungs that are known.
    pub trials: usize,
    /// Number of its trials that have a result, from whatever process.
    pub done: usize,
    /// Number of its trials that failed.
    pub failed: usize,
    /// Whether a process trains it now. `None` if it never started, or if the system does not say: another
    /// machine may train it.
    pub running: Option<bool>,
    /// Seconds since its trial log was last written. `None` if there is none.
    pub seconds_since_last_result: Option<u64>,
}

impl PlannedStudy {
    /// Progress of the study under `artifacts`.
    ///
    /// # Errors
    /// The study's folder cannot be read.
    pub fn status(&self, artifacts: &Path) -> Result<StudyStatus> {
        let folder = StudyFolder::find(artifacts, &self.study.name);
        self.status_of(folder.as_ref(), self.earlier_log(artifacts).as_ref())
    }

    /// Progress by the records of `trial_log`.
    fn status_of(&self, folder: Option<&StudyFolder>, trial_log: Option<&TrialLog>) -> Result<StudyStatus> {
        let known = self.members(trial_log);
        let started = folder.map_or(Ok(Vec::new()), StudyFolder::shards)?;
        let mut counts: Vec<usize> = started.iter().map(|shard| shard.count).collect();
        counts.dedup();
        let num_done =
            |trials: &[usize]| trials.iter().filter(|&&trial| self.is_done(trial_log, trial)).count();
        let has_record =
            |trial: usize| trial_log.is_some_and(|log| log.record(&self.plan.trials[trial]).is_some());
        let shard_status = |(shard, trials): (Shard, Vec<usize>)| {
            let folder = folder.filter(|_| started.contains(&shard));
            let written = folder.and_then(|folder| folder.last_written(shard));
            let age = |time| SystemTime::now().duration_since(time).unwrap_or_default();
            let done = num_done(&trials);
            ShardStatus {
                shard,
                trials: trials.len(),
                done,
                // A trial with a record and without a result failed.
                failed: trials.iter().filter(|&&trial| has_record(trial)).count() - done,
                running: folder.and_then(|folder| folder.is_running(shard)),
                seconds_since_last_result: written.map(|time| age(time).as_secs()),
            }
        };
        let shards =
            counts.into_iter().flat_map(|count| Shard::all(count).zip(self.trials_of_shards(count, &known)));
        let all: Vec<usize> = trials_of_rungs(&self.plan, &known).collect();
        Ok(StudyStatus {
            trials: self.num_trials(&known),
            done: num_done(&all),
            shards: shards.map(shard_status).collect(),
        })
    }
}

impl OpenStudy {
    /// Progress of the study, by the records that it has read.
    ///
    /// # Errors
    /// The study's folder cannot be read.
    pub fn status(&self) -> Result<StudyStatus> {
        self.planned.status_of(Some(&self.folder), Some(&self.trial_log))
    }
}
