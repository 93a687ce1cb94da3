//! From a run folder to its page.

use std::path::PathBuf;

use crate::backend::Backend;
use crate::error::Result;
use crate::model::LayerWeights;
use crate::report;
use crate::run::{RunFolder, RunRecords};

use crate::pipeline::LoadedModel;

/// Writes the page about the run in `folder`, from what is in there alone, and says where it is.
///
/// A run that has not ended, or ended badly, gets a page of what there is. Another process may end the run, go on with it or
/// test it meanwhile, and write a page of its own: the page is made again until it is of what the folder holds.
///
/// # Errors
/// A damaged file in the folder, or a page that cannot be written.
pub fn report(folder: &RunFolder) -> Result<PathBuf> {
    loop {
        let records = folder.records();
        let written = records.clone().and_then(|records| write(&records));
        if is_current(&records, folder) {
            return written;
        }
    }
}

fn write(records: &RunRecords) -> Result<PathBuf> {
    let page = report::page(records, neurons(records)?.as_ref())?;
    records.folder.write_report(&page)
}

/// Whether the folder holds the same state of the run, and the same test, as when it was read into `records`.
fn is_current(records: &Result<RunRecords>, folder: &RunFolder) -> bool {
    let Ok(records) = records else { return true };
    let current = folder.info().and_then(|info| Ok((folder.test(&info)?, info)));
    current.is_ok_and(|(test, info)| info == records.info && test == records.test)
}

/// The first layer of the run's network; none before its weights are saved.
fn neurons(records: &RunRecords) -> Result<Option<LayerWeights>> {
    let folder = &records.folder;
    if records.info.weights_sha256.is_none() || !folder.model_path().exists() {
        return Ok(None);
    }
    // Weights are only read: the CPU can always do that.
    LoadedModel::of_run(folder.clone(), Some(Backend::Flex))?.model.first_layer().map(Some)
}
