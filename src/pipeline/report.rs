//! The page of a run, made from its folder.

use std::path::PathBuf;

use crate::backend::Backend;
use crate::error::Result;
use crate::model::LayerWeights;
use crate::report;
use crate::run::{RunFolder, RunRecords};

use crate::pipeline::LoadedModel;

/// Writes the page about the run in `folder` from the files in it alone, and returns its path.
///
/// A run that has not ended, or has failed, gets a page of what it has so far. Another process may
/// end, resume or test the run meanwhile, and write its own page. So this function writes the page
/// again until it shows the present content of the folder.
///
/// # Errors
/// A damaged file in the folder, or a page that cannot be written.
pub fn report(folder: &RunFolder) -> Result<PathBuf> {
    loop {
        let records = folder.records();
        let page = records.clone().and_then(|records| write(&records));
        if is_current(&records, folder) {
            return page;
        }
    }
}

fn write(records: &RunRecords) -> Result<PathBuf> {
    let page = report::page(records, first_layer(records)?.as_ref())?;
    records.folder.write_report(&page)
}

/// Returns whether `folder` still has the state and the test of the run that are in `records`.
fn is_current(records: &Result<RunRecords>, folder: &RunFolder) -> bool {
    let Ok(records) = records else { return true };
    let current = folder.info().and_then(|info| Ok((folder.test(&info)?, info)));
    current.is_ok_and(|(test, info)| info == records.info && test == records.test)
}

/// Returns the first layer of the run's network, or `None` before its weights are saved.
fn first_layer(records: &RunRecords) -> Result<Option<LayerWeights>> {
    let folder = &records.folder;
    if records.info.weights_sha256.is_none() || !folder.model_path().exists() {
        return Ok(None);
    }
    // The weights are only read, and the CPU can always do that.
    LoadedModel::from_run(folder.clone(), Some(Backend::Flex))?.model.first_layer().map(Some)
}
