//! Owns the studies of the exercise. They run as `smallnet study` runs them, with the training of
//! the best configuration and the result files.

use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::train::Interrupter;

use crate::error::Result;
use crate::exercise::page::{ExerciseStudy, Missing, Work};
use crate::exercise::{Exercise, ExerciseObserver};
use crate::run::RunRecords;
use crate::study::runner::{BestModel, OpenStudy, PlannedStudy, RunOptions};
use crate::study::{Study, StudySummary, TrialPlan, TrialRecord, diff};

/// Finished study.
pub(super) struct FinishedStudy {
    pub(super) opened: OpenStudy,
    /// Number of trials that an earlier start had finished.
    pub(super) num_reused: usize,
    summary: StudySummary,
    winner: Option<RunRecords>,
    file: PathBuf,
    /// Differences from the full study: name, value there, value here.
    shortened: Vec<(String, String, String)>,
    seconds: f64,
}

impl FinishedStudy {
    /// Returns the content of the page. `records` are the records of this study.
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

/// Runs the missing trials of the study in `file`, trains the best configuration and writes the
/// results. `full` is the file of the study in full length. Once `interrupter` has stopped, nothing
/// is trained, and only a study that an earlier start has finished is returned.
pub(super) fn run(
    exercise: &Exercise,
    (file, full): (&Path, &Path),
    interrupter: &Interrupter,
    observer: &mut dyn ExerciseObserver,
) -> Work<FinishedStudy> {
    let start = Instant::now();
    let artifacts = exercise.artifacts();
    let study = Study::read(file, &[])?;
    let shortened = match file == full {
        true => Vec::new(),
        false => shortened(exercise, &study, &Study::read(full, &[])?)?,
    };
    let planned = PlannedStudy::new(study, exercise.compute, RunOptions::default())?;
    let mut opened = planned.open(&artifacts)?;
    let (num_reused, num_trials) = (opened.num_done(), opened.num_trials());
    if num_reused < num_trials {
        let all_run = opened.run(interrupter, |progress, _| observer.study(progress));
        observer.end_of_study();
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
            let trained = opened.train_best_model(*training, observer.renderer(), interrupter)?;
            let stopped = || Missing::Interrupted("in the training of the best configuration".to_owned());
            Some(trained.ok_or_else(stopped)?)
        }
    };
    opened.write_results(&summary, winner.as_ref())?;
    let seconds = start.elapsed().as_secs_f64();
    let file = file.to_owned();
    Ok(FinishedStudy { opened, num_reused, summary, winner, file, shortened, seconds })
}

/// Returns the differences of a study from the full one. Both are planned for the same data and
/// without a machine, so that all differences are those of their files.
fn shortened(exercise: &Exercise, study: &Study, full: &Study) -> Result<Vec<(String, String, String)>> {
    let facts = |study: &Study| Ok(TrialPlan::new(study, exercise.compute, "", None)?.fingerprint);
    Ok(diff(&facts(full)?, &facts(study)?))
}
