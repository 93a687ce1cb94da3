//! Owns the place of fetched data sets on this machine. Depends on `error`. Must not know which data
//! sets there are.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The environment variable that names the folder.
const VARIABLE: &str = "SMALLNET_DATA";

/// Returns the folder that contains a folder for each fetched data set, as an absolute path. It may
/// not exist yet.
///
/// It is the value of `SMALLNET_DATA`. Without it, it is `smallnet/data` in the user's cache folder
/// of the system.
///
/// # Errors
/// The environment names neither.
pub(crate) fn cache_folder() -> Result<PathBuf> {
    let folder = find(env::consts::OS, |name| env::var_os(name).filter(|value| !value.is_empty()));
    let folder = folder.ok_or_else(|| {
        Error::data("there is no folder for fetched data sets: the environment names no home folder")
            .hint(format!("set the environment variable `{VARIABLE}` to a folder"))
    })?;
    std::path::absolute(&folder).map_err(|error| Error::io("find", &folder, error))
}

/// Returns the folder on the system `os`. `variable` returns the value of an environment variable,
/// unless it is missing or empty.
fn find(os: &str, variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    if let Some(folder) = variable(VARIABLE) {
        return Some(folder.into());
    }
    let path = |name| variable(name).map(PathBuf::from);
    let caches = match os {
        "windows" => path("LOCALAPPDATA"),
        "macos" => path("HOME").map(|home| home.join("Library/Caches")),
        // The standard of this variable says that a relative path is ignored.
        _ => path("XDG_CACHE_HOME")
            .filter(|path| Path::is_absolute(path))
            .or_else(|| path("HOME").map(|home| home.join(".cache"))),
    };
    caches.map(|folder| folder.join("smallnet").join("data"))
}

#[cfg(test)]
mod tests;
