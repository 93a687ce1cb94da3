//! Owns the progress of a study's shards, read from their trial logs. Depends on the study's folder and trial
//! logs. Writes nothing, and locks nothing.

use std::path::Path;
use std::time::SystemTime;

use serde::Serialize;

use crate::error::Result;
use crate::study::runner::PlannedStudy;
use crate::study::{Shard, StudyFolder, TrialEnd, TrialLog};

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
        let trial_log = self.earlier_log(artifacts);
        let known = self.members(trial_log.as_ref());
        let folder = StudyFolder::find(artifacts, &self.study.name);
        let started = folder.as_ref().map_or(Ok(Vec::new()), StudyFolder::shards)?;
        let mut counts: Vec<usize> = started.iter().map(|shard| shard.count).collect();
        counts.dedup();
        let record = |trial: usize| trial_log.as_ref().and_then(|log: &TrialLog| log.record(&self.plan.trials[trial]));
        let is_done = |trial: &usize| record(*trial).is_some_and(|record| record.end != TrialEnd::Failed);
        let status = |shard: Shard, trials: Vec<usize>| {
            let done = trials.iter().copied().filter(|trial| is_done(trial)).count();
            let failed = trials.iter().filter(|&&trial| record(trial).is_some() && !is_done(&trial)).count();
            let folder = folder.as_ref().filter(|_| started.contains(&shard));
            let written = folder.and_then(|folder| folder.last_written(shard));
            ShardStatus {
                shard,
                trials: trials.len(),
                done,
                failed,
                running: folder.and_then(|folder| folder.is_running(shard)),
                seconds_since_last_result: written
                    .map(|time| SystemTime::now().duration_since(time).unwrap_or_default().as_secs()),
            }
        };
        let cuts = counts.into_iter().map(|count| self.trials_of_shards(count, &known));
        let shards = cuts.flat_map(|cut| {
            let count = cut.len();
            Shard::all(count).zip(cut)
        });
        let shards = shards.map(|(shard, trials)| status(shard, trials)).collect();
        let all = self.known_trials(trial_log.as_ref());
        Ok(StudyStatus {
            trials: self.num_trials(&known),
            done: all.iter().filter(|(_, done)| *done).count(),
            shards,
        })
    }
}
