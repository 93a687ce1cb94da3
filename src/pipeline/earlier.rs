//! Runs that have been made before: found by what they are, so that a kill at any moment leaves them to be found.

use std::path::Path;

use crate::backend::Backend;
use crate::error::Result;
use crate::experiment::Experiment;
use crate::run::{RunFolder, RunRecords, Status};

/// The runs of `experiment` on the backend and on the data set of this digest, oldest first.
///
/// # Errors
/// A folder that cannot be read. A single run that cannot be read is nobody's.
pub(crate) fn runs_of(
    experiment: &Experiment,
    backend: Backend,
    data_sha256: &str,
    artifacts: &Path,
) -> Result<Vec<RunFolder>> {
    let is_the_same = |run: &RunFolder| -> Result<bool> {
        let info = run.info()?;
        let mut own = run.experiment(&info)?;
        // The digest says which images; where they are does not matter.
        own.data.source.clone_from(&experiment.data.source);
        Ok(own == *experiment && info.backend == backend && info.data.sha256 == data_sha256)
    };
    let mut runs = RunFolder::of_experiment(artifacts, &experiment.name)?;
    runs.retain(|run| is_the_same(run).unwrap_or(false));
    Ok(runs)
}

/// What is in the folder of a run that is finished and has its result.
pub(crate) fn finished(run: &RunFolder) -> Option<RunRecords> {
    let is_finished =
        |records: &RunRecords| records.info.status == Status::Finished && records.summary.is_some();
    run.records().ok().filter(is_finished)
}
