//! Owns the reading and writing of a run's result: its summary and its test. Each is valid only for
//! the weights whose digest is in `run.json`. Must not know how a result is computed.

use crate::error::{Error, Result};
use crate::run::{DRAW, EVALUATION, MODEL, REPORT, RunFolder, RunInfo, RunSummary, SUMMARY, TestEvaluation};
use crate::util::files;

impl RunFolder {
    /// Writes `summary.json`.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write_summary(&self, summary: &RunSummary) -> Result<()> {
        files::write_json(&self.path.join(SUMMARY), summary)
    }

    /// Reads `summary.json`. Returns `None` if there is no result, or if it belongs to other
    /// weights than those in `info`: a process that was killed may have left an earlier result.
    ///
    /// # Errors
    /// A damaged file.
    pub fn summary(&self, info: &RunInfo) -> Result<Option<RunSummary>> {
        let is_own = |summary: &RunSummary| info.weights_sha256.as_ref() == Some(&summary.weights_sha256);
        Ok(self.any_summary()?.filter(is_own))
    }

    /// Reads `summary.json`, whichever weights it belongs to. Returns `None` if there is none.
    ///
    /// # Errors
    /// A damaged file.
    pub(crate) fn any_summary(&self) -> Result<Option<RunSummary>> {
        let path = self.path.join(SUMMARY);
        if path.exists() { files::read_json(&path).map(Some) } else { Ok(None) }
    }

    /// Writes `evaluation.json`.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write_test(&self, test: &TestEvaluation) -> Result<()> {
        files::write_json(&self.path.join(EVALUATION), test)
    }

    /// Reads `evaluation.json`. Returns `None` if the network was not tested, or if the test
    /// belongs to other weights than those in `info`.
    ///
    /// # Errors
    /// A file that is damaged, or that describes images of another size than the run's.
    pub fn test(&self, info: &RunInfo) -> Result<Option<TestEvaluation>> {
        let Some(test) = self.any_test(info)? else { return Ok(None) };
        let is_own = match &test.weights_sha256 {
            Some(digest) => info.weights_sha256.as_ref() == Some(digest),
            // Earlier versions recorded no digest. The summary of the same weights has the same
            // numbers.
            None => self.summary(info)?.is_some_and(|summary| summary.matches(&test.evaluation)),
        };
        Ok(Some(test).filter(|_| is_own))
    }

    /// Reads `evaluation.json`, whichever weights it belongs to. Returns `None` if there is none.
    ///
    /// # Errors
    /// As [`RunFolder::test`].
    pub(crate) fn any_test(&self, info: &RunInfo) -> Result<Option<TestEvaluation>> {
        let path = self.path.join(EVALUATION);
        if !path.exists() {
            return Ok(None);
        }
        const HINT: &str = "`smallnet evaluate` makes it again";
        let test: TestEvaluation = files::read_json(&path).map_err(|error| error.hint(HINT))?;
        if !test.is_consistent(info.data.layout) {
            let name = path.display();
            return Err(Error::corrupt(format!(
                "`{name}` is damaged: its lists do not fit each other or the run"
            ))
            .hint(HINT));
        }
        Ok(Some(test))
    }

    /// Removes the results of an earlier end of the training: weights, summary, test and pages.
    ///
    /// The caller first removes the digest of the weights from `run.json`. So at every moment, the
    /// folder contains no result that does not match it.
    ///
    /// # Errors
    /// A file that cannot be removed.
    pub(crate) fn remove_results(&self) -> Result<()> {
        [SUMMARY, EVALUATION, REPORT, DRAW, MODEL]
            .iter()
            .try_for_each(|name| files::remove(&self.path.join(name)))
    }
}
