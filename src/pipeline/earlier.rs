//! The search for runs of the same experiment that exist already.
//!
//! A run is recognised by its experiment, backend, engine and data set. A run that was resumed on
//! another backend is not one of them, and neither is an imported network. So a program that was killed finds
//! its runs again, whatever it was doing at that moment.

use std::path::Path;

use crate::backend::Compute;
use crate::error::Result;
use crate::experiment::Experiment;
use crate::run::{RunFolder, RunRecords, Status};

/// Returns the runs of `experiment` on `compute` and on the same images, oldest first. `data` is
/// their identity: see [`DataInfo::identity`](crate::run::DataInfo::identity).
///
/// # Errors
/// A folder that cannot be listed. A single run that cannot be read is left out.
pub(crate) fn find_runs(
    experiment: &Experiment,
    compute: Compute,
    data: &str,
    artifacts: &Path,
) -> Result<Vec<RunFolder>> {
    let is_same = |run: &RunFolder| -> Result<bool> {
        let info = run.info()?;
        let mut own = run.experiment(&info)?;
        // The digest identifies the images. Their place does not matter.
        own.data.source.clone_from(&experiment.data.source);
        // The files for trackers change no result.
        own.tracking.clone_from(&experiment.tracking);
        Ok(own == *experiment
            && (info.backend, info.engine()) == (compute.backend(), compute.engine())
            && !info.is_inexact()
            && info.imported.is_none()
            && info.data.identity() == data)
    };
    let mut runs = RunFolder::list_experiment(artifacts, &experiment.name)?;
    runs.retain(|run| is_same(run).unwrap_or(false));
    Ok(runs)
}

/// Returns the records of a run, if it is finished and has its result.
pub(crate) fn finished_records(run: &RunFolder) -> Option<RunRecords> {
    let is_finished =
        |records: &RunRecords| records.info.status == Status::Finished && records.summary.is_some();
    run.records().ok().filter(is_finished)
}
