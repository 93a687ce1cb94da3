//! The result of a run: its summary and its test, each of the weights whose digest is in `run.json`.

use crate::error::{Error, Result};
use crate::run::{EVALUATION, MODEL, REPORT, RunFolder, RunInfo, RunSummary, SUMMARY, TestEvaluation};
use crate::util::files;

impl RunFolder {
    /// Saves `summary.json`.
    pub fn write_summary(&self, summary: &RunSummary) -> Result<()> {
        files::write_json(&self.path.join(SUMMARY), summary)
    }

    /// Reads `summary.json`; none while there is no result, or where it is not of the weights that `info` names: a process
    /// that was killed may have left an earlier one.
    pub fn summary(&self, info: &RunInfo) -> Result<Option<RunSummary>> {
        let path = self.path.join(SUMMARY);
        if !path.exists() {
            return Ok(None);
        }
        let summary: RunSummary = files::read_json(&path)?;
        Ok(Some(summary).filter(|summary| info.weights_sha256.as_ref() == Some(&summary.weights_sha256)))
    }

    /// Saves `evaluation.json`.
    pub fn write_test(&self, test: &TestEvaluation) -> Result<()> {
        files::write_json(&self.path.join(EVALUATION), test)
    }

    /// Reads `evaluation.json`; none while the network has not been tested, or where it is not of the weights that `info`
    /// names.
    ///
    /// # Errors
    /// A file that is damaged, or about images of another layout than the run's.
    pub fn test(&self, info: &RunInfo) -> Result<Option<TestEvaluation>> {
        let path = self.path.join(EVALUATION);
        if !path.exists() {
            return Ok(None);
        }
        const AGAIN: &str = "`smallnet evaluate` makes it again";
        let test: TestEvaluation = files::read_json(&path).map_err(|error| error.hint(AGAIN))?;
        if !test.fits(info.data.layout) {
            let name = path.display();
            return Err(Error::corrupt(format!(
                "`{name}` is damaged: its lists do not fit each other or the run"
            ))
            .hint(AGAIN));
        }
        let is_own = match &test.weights_sha256 {
            Some(digest) => info.weights_sha256.as_ref() == Some(digest),
            // Earlier versions noted no digest; the summary of the same weights has the same figures.
            None => self.summary(info)?.is_some_and(|summary| summary.is_of(&test.evaluation)),
        };
        Ok(Some(test).filter(|_| is_own))
    }

    /// Removes what an earlier end of the training left: weights, summary, test and page. Who trains a run on does this
    /// after `run.json` names no weights any more, so that nothing is there that is not what it says.
    ///
    /// # Errors
    /// A file that cannot be removed.
    pub(crate) fn remove_results(&self) -> Result<()> {
        [SUMMARY, EVALUATION, REPORT, MODEL].iter().try_for_each(|name| files::remove(&self.path.join(name)))
    }
}
