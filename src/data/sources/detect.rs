//! Owns the source [`PathSource`]: a folder or a file, whose form is found from what is there when
//! it is read. Must not know how any form is read.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::data::Subset;
use crate::data::sources::file::{DataFile, quoted, wrong_file};
use crate::data::sources::listing::Listing;
use crate::data::sources::{
    DataSource, RawImages, ReadOptions, Source, catalog, csv, idx_folder, image_folder, npz, parquet,
};
use crate::error::{Error, Result};
use crate::util::format::listed;

/// A form in which people keep data sets.
struct Form {
    /// Name for people: `IDX files`.
    name: &'static str,
    /// Returns the data set of this form in a folder, if there is one. `prefix` is the beginning of
    /// the names of its files, empty for any.
    in_folder: fn(&Listing, prefix: &str) -> Result<Option<Source>>,
    /// Returns the data set in one file of this form, whose first uncompressed bytes are `head`.
    in_file: fn(&Path, head: &[u8]) -> Result<Option<Source>>,
}

/// All forms. The first that recognises a folder or file reads it: files with names that no other
/// data has come first.
const FORMS: [Form; 5] = [
    Form { name: "IDX files", in_folder: idx_folder::in_folder, in_file: idx_folder::in_file },
    Form { name: "npz", in_folder: npz::in_folder, in_file: npz::in_file },
    Form { name: "Parquet", in_folder: parquet::in_folder, in_file: parquet::in_file },
    Form { name: "image folders", in_folder: image_folder::in_folder, in_file: image_folder::in_file },
    // Last: any text is recognised as CSV.
    Form { name: "CSV", in_folder: csv::in_folder, in_file: csv::in_file },
];

/// Number of levels of folders below the named one in which a data set is looked for. torchvision
/// has `MNIST/raw`.
const MAX_DEPTH: usize = 2;

/// A folder or file, written as its path. A folder with several data sets is written with the
/// beginning of the files' names: `gzip/emnist-letters`.
#[derive(Debug)]
pub(super) struct PathSource {
    path: PathBuf,
    /// The data set that was found there.
    found: OnceLock<Source>,
}

impl PathSource {
    /// Makes a source of a path. Nothing is opened yet.
    pub(super) fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), found: OnceLock::new() }
    }

    /// Returns the data set at the path.
    fn find(&self) -> Result<&Source> {
        if let Some(found) = self.found.get() {
            return Ok(found);
        }
        let found = find(&self.path)?;
        Ok(self.found.get_or_init(|| found))
    }
}

impl DataSource for PathSource {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn read(&self, subset: Subset, options: &ReadOptions) -> Result<Option<RawImages>> {
        self.find()?.read(subset, options)
    }
}

/// Finds the data set at `path`.
fn find(path: &Path) -> Result<Source> {
    if path.is_dir() {
        return in_folder(path, "")?.ok_or_else(|| nothing_in(path));
    }
    if path.exists() {
        return in_file(path);
    }
    // A folder, and the beginning of the names of the files in it.
    if let (Some(folder), Some(prefix)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        if folder.is_dir()
            && let Some(source) = in_folder(folder, prefix)?
        {
            return Ok(source);
        }
    }
    // A mistyped name has become a path in the working folder.
    let working_folder = std::env::current_dir().unwrap_or_default();
    let name = path.strip_prefix(&working_folder).unwrap_or(path);
    Err(Error::data(format!("there is no data set `{}`: no such file or folder", path.display()))
        .hint(catalog::usage(&name.display().to_string())))
}

/// Finds the data set in a folder, or in a folder at most [`MAX_DEPTH`] levels below it.
fn in_folder(path: &Path, prefix: &str) -> Result<Option<Source>> {
    let mut level = vec![Listing::read(path)?];
    let mut first_error = None;
    for depth in 0..=MAX_DEPTH {
        let mut found = Vec::new();
        for listing in &level {
            match in_listing(listing, prefix) {
                Ok(source) => found.extend(source.map(|source| (listing.path.clone(), source))),
                // The user named this folder.
                Err(error) if depth == 0 => return Err(error),
                // A folder below it may be about something else.
                Err(error) => {
                    first_error.get_or_insert(error);
                }
            }
        }
        if found.len() > 1 {
            return Err(several(path, &found));
        }
        if let Some((_, source)) = found.pop() {
            return Ok(Some(source));
        }
        if depth < MAX_DEPTH {
            let folders =
                level.iter().flat_map(|listing| listing.folders.iter().map(|name| listing.join(name)));
            level = folders.filter_map(|path| Listing::read(&path).ok()).collect();
        }
    }
    first_error.map_or(Ok(None), Err)
}

/// Error of several folders with a data set below the one at `path`.
fn several(path: &Path, found: &[(PathBuf, Source)]) -> Error {
    let names = quoted(found.iter().map(|(path, _)| path.display()));
    Error::data(format!("there are {} data sets in `{}`: {names}", found.len(), path.display()))
        .hint("name one of these folders")
}

/// Finds the data set in one folder.
fn in_listing(listing: &Listing, prefix: &str) -> Result<Option<Source>> {
    for form in &FORMS {
        if let Some(source) = (form.in_folder)(listing, prefix)? {
            return Ok(Some(source));
        }
    }
    Ok(None)
}

/// Finds the data set in a file.
fn in_file(path: &Path) -> Result<Source> {
    let head = DataFile::open(path)?.head;
    for form in &FORMS {
        if let Some(source) = (form.in_file)(path, &head)? {
            return Ok(source);
        }
    }
    Err(wrong_file(&head, path, &expected()))
}

/// All forms, as a part of a message.
fn expected() -> String {
    let names: Vec<String> = FORMS.iter().map(|form| form.name.to_owned()).collect();
    format!("one of {}", listed(&names))
}

/// Error of a folder without a data set.
fn nothing_in(path: &Path) -> Error {
    if let Some(error) = image_folder::error_of_loose_pictures(path) {
        return error;
    }
    Error::data(format!("there is no data set in `{}`, nor in the folders in it", path.display()))
        .hint(format!("expected is {}; `smallnet data --help` shows each", expected()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
