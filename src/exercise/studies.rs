//! A study of the exercise: run as `smallnet study` runs it, with its winner and its files.

use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::train::Interrupter;

use crate::error::Result;
use crate::exercise::page::{ExerciseStudy, Missing, Work};
use crate::exercise::{Exercise, ExerciseObserver};
use crate::run::RunRecords;
use crate::study::runner::{BestModel, OpenStudy, PlannedStudy, RunOptions};
use crate::study::{Study, StudySummary, TrialPlan, TrialRecord, diff};

/// A study that has been run to its end.
pub(super) struct FinishedStudy {
    pub(super) opened: OpenStudy,
    /// Trials that an earlier start had left.
    pub(super) num_reused: usize,
    summary: StudySummary,
    winner: Option<RunRecords>,
    file: PathBuf,
    /// What is not as in the full study: name, there, here.
    shortened: Vec<(String, String, String)>,
    seconds: f64,
}

impl FinishedStudy {
    /// What the page is told; `records` are the study's.
    pub(super) fn page<'a>(&'a self, records: &'a [&'a TrialRecord]) -> ExerciseStudy<'a> {
        ExerciseStudy {
            page: self.opened.page(&self.summary, records, self.winner.as_ref()),
            file: &self.file,
            shortened: &self.shortened,
            num_reused: self.num_reused,
            seconds: self.seconds,
        }
    }
}

/// Runs what is missing of the study in the first file, trains its winner and writes its results. The second file is the
/// study in full length. Once `interrupter` has stopped, nothing is trained: then only what an earlier start has
/// finished is there.
pub(super) fn run(
    lab: &Exercise,
    (file, full): (&Path, &Path),
    interrupter: &Interrupter,
    watcher: &mut dyn ExerciseObserver,
) -> Work<FinishedStudy> {
    let start = Instant::now();
    let artifacts = lab.artifacts();
    let study = Study::read(file, &[])?;
    let shortened = match file == full {
        true => Vec::new(),
        false => shortened(lab, &study, &Study::read(full, &[])?)?,
    };
    let planned = PlannedStudy::new(study, lab.backend, RunOptions::default())?;
    let mut opened = planned.open(&artifacts)?;
    let (num_reused, num_trials) = (opened.num_done(), opened.planned.plan.trials.len());
    if num_reused < num_trials {
        let all_run = opened.run(interrupter, |progress, _| watcher.study(progress));
        watcher.end_of_study();
        if !all_run? {
            let done = opened.num_done();
            return Err(Missing::Interrupted(format!(
                "{done} of {num_trials} trials of the study have been run"
            )));
        }
    }
    if let Some(failed) = opened.failed().first() {
        return Err(Missing::Failed(format!("a trial failed: {failed}")));
    }
    let summary = opened.summary();
    let winner = match opened.best_model(&summary, &artifacts)? {
        None => None,
        Some(BestModel::AlreadyTrained(records)) => Some(*records),
        Some(BestModel::ToTrain(training)) => {
            let trained = opened.train_best_model(*training, watcher.renderer(), interrupter)?;
            let stopped = || Missing::Interrupted("in the training of the best setting".to_owned());
            Some(trained.ok_or_else(stopped)?)
        }
    };
    opened.write_results(&summary, winner.as_ref())?;
    let seconds = start.elapsed().as_secs_f64();
    let file = file.to_owned();
    Ok(FinishedStudy { opened, num_reused, summary, winner, file, shortened, seconds })
}

/// What a study sets otherwise than the full one. Both are planned alike, for the same data and no machine: what differs
/// then stands in their files.
fn shortened(lab: &Exercise, study: &Study, full: &Study) -> Result<Vec<(String, String, String)>> {
    let facts = |study: &Study| Ok(TrialPlan::new(study, lab.backend, "", None)?.fingerprint);
    Ok(diff(&facts(full)?, &facts(study)?))
}
