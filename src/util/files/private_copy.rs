//! Owns copies of files for libraries that open a path themselves. Must not know the contents.

use std::io::Write;
use std::path::Path;

use crate::error::{Error, Result};

/// Calls `read` with the path of a file of these `bytes`, which is removed afterwards.
///
/// Some libraries take a path and no bytes. The copy is a regular file that no other user of the
/// machine can read or replace, in the system's folder for temporary files. So no library opens a
/// path that a user or an untrusted folder names.
///
/// # Errors
/// A copy that cannot be written, or those of `read`.
pub(crate) fn with_private_copy<T>(bytes: &[u8], read: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
    let folder = std::env::temp_dir();
    let failed = |error| Error::io("write a temporary file in", &folder, error);
    let mut file = tempfile::NamedTempFile::new_in(&folder).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.flush()).map_err(failed)?;
    read(file.path())
}
