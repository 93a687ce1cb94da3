//! Owns the names in a folder. Must not know the meaning of a name.

use std::path::{Path, PathBuf};

use crate::data::sources::natural_order;
use crate::error::{Error, Result};

/// The names in a folder, sorted in natural order.
#[derive(Debug, Clone)]
pub(in crate::data) struct Listing {
    /// The folder.
    pub(in crate::data) path: PathBuf,
    /// Names of the files. Names that are no Unicode and hidden ones are left out.
    pub(in crate::data) files: Vec<String>,
    /// Names of the folders, hidden ones left out.
    pub(in crate::data) folders: Vec<String>,
    /// Names of all else: links without a target, pipes and devices. Hidden ones are left out.
    pub(in crate::data) others: Vec<String>,
}

impl Listing {
    /// Reads the names in the folder at `path`.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub(in crate::data) fn read(path: &Path) -> Result<Self> {
        let failed = |error| Error::io("read", path, error);
        let (mut files, mut folders, mut others) = (Vec::new(), Vec::new(), Vec::new());
        for entry in path.read_dir().map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if name.starts_with('.') || name == "__MACOSX" {
                continue;
            }
            // A system call more than the entry's own type only for links, which are followed.
            let kind = entry.file_type().map_err(failed)?;
            let is_folder = kind.is_dir() || kind.is_symlink() && entry.path().is_dir();
            let is_file = kind.is_file() || kind.is_symlink() && entry.path().is_file();
            if is_folder {
                folders.push(name);
            } else if is_file {
                files.push(name);
            } else {
                others.push(name);
            }
        }
        for names in [&mut files, &mut folders, &mut others] {
            // Names such as `7` and `07` are equal numbers: the text decides.
            names.sort_by(|a, b| natural_order(a, b).then_with(|| a.cmp(b)));
        }
        Ok(Self { path: path.to_owned(), files, folders, others })
    }

    /// Path of a file or folder in this one.
    pub(in crate::data) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
