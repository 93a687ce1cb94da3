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
mod tests {
    use std::fs;

    use super::*;
    use crate::data::RawPixels;

    fn source(name: &str) -> CatalogSource {
        CatalogSource { set: find(name).unwrap() }
    }

    #[test]
    fn a_name_means_its_data_set_and_a_path_does_not() {
        let source = recognise("emnist/letters").unwrap();
        assert_eq!(source.to_string(), "emnist/letters");
        assert_eq!(source.to_absolute().unwrap(), source);
        for text in ["./fashion-mnist", "fashion-mnist/", "emnist", "mnist", ""] {
            assert!(recognise(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_data_set_that_was_not_fetched_is_an_error_with_the_command() {
        let cache = tempfile::tempdir().unwrap();
        let read = |name| source(name).read_in(cache.path(), Subset::Train, &ReadOptions::default());
        assert_eq!(
            read("fashion-mnist").unwrap_err().to_string(),
            "`fashion-mnist` is not on this machine\n\nhint: `smallnet fetch fashion-mnist` downloads it (31 MB)"
        );
        let hint = "`smallnet fetch emnist/digits` downloads it (562 MB)";
        assert!(read("emnist/digits").unwrap_err().to_string().ends_with(hint));
        // The sizes are not known.
        assert!(read("qmnist").unwrap_err().to_string().ends_with("`smallnet fetch qmnist` downloads it"));
    }

    #[test]
    fn a_data_set_is_there_when_all_its_files_are() {
        let folder = tempfile::tempdir().unwrap();
        let set = find("emnist/letters").unwrap();
        for (index, name) in set.files.iter().enumerate() {
            assert!(!set.is_in(folder.path()));
            // One of them is not compressed.
            let name = if index == 2 { name.trim_end_matches(".gz") } else { name };
            fs::write(folder.path().join(name), "").unwrap();
        }
        assert!(set.is_in(folder.path()));
        assert!(!find("emnist/digits").unwrap().is_in(folder.path()));
    }

    #[test]
    fn classes_have_the_names_of_the_table() {
        let images = || RawImages {
            pixels: RawPixels::Bytes(vec![0]),
            count: 1,
            height: 1,
            width: 1,
            labels: None,
            class_names: Vec::new(),
            images_name: String::new(),
            labels_name: String::new(),
            transposed: false,
            notes: Vec::new(),
        };
        let name = |set: &str, index: usize| {
            let images = find(set).unwrap().complete(images());
            (images.class_names.get(index).cloned(), images.transposed)
        };
        let named = |label: &str, name: &str| Some((label.to_owned(), name.to_owned()));
        // EMNIST's letters have labels from 1 on.
        assert_eq!(name("emnist/letters", 0), (named("1", "A"), true));
        assert_eq!(name("emnist/letters", 25), (named("26", "Z"), true));
        assert_eq!(name("emnist/letters", 26), (None, true));
        // The first small letters are a, b and d: a c looks like a C.
        assert_eq!(name("emnist/balanced", 38), (named("38", "d"), true));
        assert_eq!(name("emnist/byclass", 38), (named("38", "c"), true));
        assert_eq!(name("fashion-mnist", 9), (named("9", "Ankle boot"), false));
        assert_eq!(name("qmnist", 0), (None, false));
    }

    #[test]
    fn a_mistyped_name_is_corrected() {
        for (text, name) in [
            ("fashion_mnist", "fashion-mnist"),
            ("Fashion-MNIST", "fashion-mnist"),
            ("emnist", "emnist/letters"),
        ] {
            let hint = usage(text);
            assert!(
                hint.starts_with(&format!("did you mean `{name}`? Valid names: `emnist/letters`, ")),
                "{hint}"
            );
        }
        let hint = usage("/data/my pictures");
        assert!(hint.starts_with("valid names: `emnist/letters`, "), "{hint}");
        assert!(
            hint.ends_with("`qmnist`, `mnist`; any other text is the path of a folder or file"),
            "{hint}"
        );
    }

    #[test]
    fn sizes_are_rounded_up() {
        for (bytes, text) in [(999, "999 bytes"), (29_515, "30 kB"), (561_753_746, "562 MB")] {
            assert_eq!(size_text(bytes), text);
        }
    }
}
