//! (not written yet)
use std::path::Path;

use crate::data::sources::Source;
use crate::data::sources::file::Listing;
use crate::error::Result;

pub(super) fn in_folder(_: &Listing, _prefix: &str) -> Result<Option<Source>> {
    Ok(None)
}

pub(super) fn in_file(_: &Path, _head: &[u8]) -> Result<Option<Source>> {
    Ok(None)
}
