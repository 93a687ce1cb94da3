//! Owns the data sets that have names: the source [`CatalogSource`], which reads the fetched files of
//! one, and the hint about a name that means none. Depends on `detect`, which finds the form of the
//! files. Must not know how files are downloaded: `data::fetch` does that, and this module opens no
//! connection.

mod cache;
mod table;

use std::path::Path;

use serde::Serialize;

use crate::data::Subset;
use crate::data::sources::detect::PathSource;
use crate::data::sources::{DataSource, RawImages, ReadOptions, Source};
use crate::error::{Error, Result};
use crate::util::suggest::suggestion;

pub(crate) use cache::cache_folder;
pub(crate) use table::{Checksum, DataSet, RemoteFile};

/// The word that means the data set inside the binary. It needs no file.
pub(crate) const EMBEDDED: &str = "mnist";

/// Returns the data set with this name, if there is one that can be fetched.
pub(crate) fn find(name: &str) -> Option<&'static DataSet> {
    table::DATA_SETS.iter().find(|set| set.name == name)
}

/// A data set that has a name, for a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CatalogEntry {
    /// The name, as `--data` takes it.
    pub name: &'static str,
    /// The subject of the images.
    pub title: &'static str,
    /// Bytes that a download takes. `None` if they are not known.
    pub download_bytes: Option<u64>,
    /// True if the files are on this machine.
    pub is_fetched: bool,
}

/// Returns all data sets that can be fetched by their names.
///
/// # Errors
/// The system says no folder for such files.
pub fn catalog_entries() -> Result<Vec<CatalogEntry>> {
    let cache = cache_folder()?;
    let entry = |set: &'static DataSet| CatalogEntry {
        name: set.name,
        title: set.title,
        download_bytes: set.download_size(),
        is_fetched: set.is_in(&cache.join(set.folder)),
    };
    Ok(table::DATA_SETS.iter().map(entry).collect())
}

/// Returns the source for the name of a data set.
pub(super) fn recognise(text: &str) -> Option<Source> {
    find(text).map(|set| Source::new(CatalogSource { set }))
}

/// Returns what a user can write for a data set, as a hint about `text`, which means none.
pub(super) fn usage(text: &str) -> String {
    format!("{}; any other text is the path of a folder or file", suggest(text))
}

/// Returns the names near to `text` and all names, as a hint.
pub(crate) fn suggest(text: &str) -> String {
    let names = table::DATA_SETS.iter().map(|set| set.name).chain([EMBEDDED]);
    suggestion("", text, &names.map(str::to_owned).collect::<Vec<_>>(), "names")
}

/// Formats a number of bytes: `812 bytes`, `30 kB`, `562 MB`.
pub fn size_text(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{} kB", bytes.div_ceil(1_000)),
        _ => format!("{} MB", bytes.div_ceil(1_000_000)),
    }
}

impl DataSet {
    /// The bytes that a download of all files takes. `None` if a size is not known.
    pub(crate) fn download_size(&self) -> Option<u64> {
        self.downloads.iter().map(|file| file.size).sum()
    }

    /// Returns whether all files that are read are in `folder`, compressed or not.
    fn is_in(&self, folder: &Path) -> bool {
        let is_there = |name: &str| folder.join(name).is_file();
        self.files.iter().all(|name| is_there(name) || is_there(name.trim_end_matches(".gz")))
    }

    /// Adds to images of this data set what the files do not say: the names of the classes, and
    /// whether rows and columns are exchanged.
    fn complete(&self, images: RawImages) -> RawImages {
        let labels = (self.first_label..).map(|label| label.to_string());
        let class_names = labels.zip(self.class_names.iter().map(|&name| name.to_owned())).collect();
        RawImages { class_names, transposed: self.transposed, ..images }
    }
}

/// A data set with a name, whose files were fetched.
#[derive(Debug, Clone, Copy)]
struct CatalogSource {
    set: &'static DataSet,
}

impl CatalogSource {
    /// Reads one subset from the files in the folder `cache`.
    fn read_in(&self, cache: &Path, subset: Subset, options: &ReadOptions) -> Result<Option<RawImages>> {
        let folder = cache.join(self.set.folder);
        if !self.set.is_in(&folder) {
            return Err(self.missing());
        }
        let path = if self.set.prefix.is_empty() { folder } else { folder.join(self.set.prefix) };
        let images = PathSource::new(path).read(subset, options)?;
        Ok(images.map(|images| self.set.complete(images)))
    }

    /// Error of a data set that was not fetched, or not completely.
    fn missing(&self) -> Error {
        let name = self.set.name;
        let size = self.set.download_size().map(|bytes| format!(" ({})", size_text(bytes)));
        let mut hint = format!("`smallnet fetch {name}` downloads it{}", size.unwrap_or_default());
        if Path::new(name).exists() {
            hint += &format!("; the folder or file here with this name is written `./{name}`");
        }
        Error::data(format!("`{name}` is not on this machine")).hint(hint)
    }
}

impl DataSource for CatalogSource {
    fn name(&self) -> String {
        self.set.name.to_owned()
    }

    fn read(&self, subset: Subset, options: &ReadOptions) -> Result<Option<RawImages>> {
        self.read_in(&cache_folder()?, subset, options)
    }

    /// Returns the same source: its place does not depend on the working folder.
    fn to_absolute(&self) -> Result<Source> {
        Ok(Source::new(*self))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
