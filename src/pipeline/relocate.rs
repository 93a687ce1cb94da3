//! The record of a new place of a run's data set.

use crate::data::{RawData, Source};
use crate::error::{Error, Result};
use crate::run::RunFolder;

/// Records in `run.json` that the data set of the run in `folder` is now at `source`. Later
/// commands find it there.
///
/// # Errors
/// Another data set, a run that another process trains, or a file that cannot be read or written.
pub fn relocate_data(folder: &RunFolder, source: &Source) -> Result<()> {
    let _lock = folder.lock()?;
    let mut info = folder.info()?;
    let mut data = folder.experiment(&info)?.data;
    let source = source.to_absolute()?;
    data.source = source.to_string();
    let found = source.sha256_of(&RawData::read(&source, &data)?);
    if found != info.data.sha256 {
        return Err(Error::data(format!(
            "`{source}` is not the data set of this run: its digest is {found}, expected {}",
            info.data.sha256
        )));
    }
    info.data.source = data.source;
    folder.write_info(&info)
}
