//! A study of the exercise: run as `smallnet study` runs it, with its winner and its files.

use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::train::Interrupter;

use super::{Lab, LabWatcher};
use crate::error::{Error, Result};
use crate::report::LabStudy;
use crate::run::Records;
use crate::study::{Plan, Study, Summary, TrialRecord, changes};
use crate::workflow::{OpenedStudy, Options, PlannedStudy, Winner};

/// A study that has been run to its end.
pub(super) struct FinishedStudy {
    pub(super) opened: OpenedStudy,
    /// Trials that an earlier start had left.
    pub(super) num_reused: usize,
    summary: Summary,
    winner: Option<Records>,
    file: PathBuf,
    /// What is not as in the full study: name, there, here.
    shortened: Vec<(String, String, String)>,
    seconds: f64,
}

impl FinishedStudy {
    /// What the page is told; `records` are the study's.
    pub(super) fn page<'a>(&'a self, records: &'a [&'a TrialRecord]) -> LabStudy<'a> {
        LabStudy {
            page: self.opened.page(&self.summary, records, self.winner.as_ref()),
            file: &self.file,
            shortened: &self.shortened,
            num_reused: self.num_reused,
            seconds: self.seconds,
        }
    }
}

/// Runs what is missing of the study in the first file, trains its winner and writes its results; none where it was
/// interrupted. The second file is the study in full length.
pub(super) fn run(
    lab: &Lab,
    (file, full): (&Path, &Path),
    interrupter: &Interrupter,
    watcher: &mut dyn LabWatcher,
) -> Result<Option<FinishedStudy>> {
    let start = Instant::now();
    let artifacts = lab.artifacts();
    let planned = PlannedStudy::new(Study::read(file, &[])?, lab.backend, Options::default())?;
    let full = Plan::new(&Study::read(full, &[])?, lab.backend, &planned.data_sha256, None)?;
    let shortened = changes(&full.facts, &planned.plan.facts);
    let mut opened = planned.open(&artifacts)?;
    let num_reused = opened.num_done();
    let all_run = opened.run(interrupter, |progress, _| watcher.study(progress));
    watcher.end_of_study();
    if !all_run? {
        return Ok(None);
    }
    if let Some(failed) = opened.failed().first() {
        return Err(Error::new(format!("a trial failed: {failed}")));
    }
    let summary = opened.summary();
    let winner = match opened.winner(&summary, &artifacts)? {
        None => None,
        Some(Winner::Known(records)) => Some(*records),
        Some(Winner::New(training)) => {
            match opened.train_winner(*training, watcher.renderer(), interrupter)? {
                Some(records) => Some(records),
                None => return Ok(None),
            }
        }
    };
    opened.write_results(&summary, winner.as_ref())?;
    let seconds = start.elapsed().as_secs_f64();
    let file = file.to_owned();
    Ok(Some(FinishedStudy { opened, num_reused, summary, winner, file, shortened, seconds }))
}
