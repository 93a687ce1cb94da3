//! From a run folder to its page.

use std::path::PathBuf;

use crate::backend::Backend;
use crate::error::Result;
use crate::model::Neurons;
use crate::report;
use crate::run::RunFolder;

use super::SavedModel;

/// Writes the page about the run in `folder`, from what is in there alone, and says where it is.
///
/// A run that has not ended, or ended badly, gets a page of what there is.
///
/// # Errors
/// A damaged file in the folder, or a page that cannot be written.
pub fn report(folder: &RunFolder) -> Result<PathBuf> {
    let records = folder.records()?;
    let page = report::page(&records, neurons(folder)?.as_ref())?;
    folder.write_report(&page)
}

/// The first layer of the run's network; none before its weights are saved.
fn neurons(folder: &RunFolder) -> Result<Option<Neurons>> {
    if !folder.model_path().exists() {
        return Ok(None);
    }
    // Weights are only read: the CPU can always do that.
    SavedModel::of_run(folder.clone(), Some(Backend::Flex))?.model.first_layer().map(Some)
}
