//! Owns the names of IDX files: which of them form one data set, and which file has its training
//! images, its labels and so on. Depends on `file`. Must not know the contents of any file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::data::Subset;
use crate::data::sources::listing::Listing;
use crate::error::Result;

/// The contents of an IDX file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    Images,
    Labels,
}

/// The parts of a name such as `emnist-letters-train-images-idx3-ubyte`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct IdxName<'a> {
    /// Empty, or a text that ends in `-`.
    pub(super) prefix: &'a str,
    /// Training or test.
    pub(super) subset: Subset,
    pub(super) role: Role,
}

impl<'a> IdxName<'a> {
    /// Takes a name without `.gz` apart: a prefix, `train`, `t10k` or `test`, `-images` or
    /// `-labels`, `-` or `.`, `idx` with a digit, `-` and the word for a type. Returns `None` for any
    /// other name.
    fn parse(name: &'a str) -> Option<Self> {
        let (stem, ending) = name.rsplit_once("idx")?;
        let (digit, word) = ending.split_once('-')?;
        let is_word = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
        if digit.len() != 1 || !digit.bytes().all(|byte| byte.is_ascii_digit()) || !is_word {
            return None;
        }
        let stem = stem.strip_suffix(['-', '.'])?;
        let (stem, role) = match (stem.strip_suffix("-images"), stem.strip_suffix("-labels")) {
            (Some(stem), _) => (stem, Role::Images),
            (None, Some(stem)) => (stem, Role::Labels),
            (None, None) => return None,
        };
        let parts = [("train", Subset::Train), ("t10k", Subset::Test), ("test", Subset::Test)];
        let (prefix, subset) =
            parts.into_iter().find_map(|(word, subset)| Some((stem.strip_suffix(word)?, subset)))?;
        (prefix.is_empty() || prefix.ends_with('-')).then_some(Self { prefix, subset, role })
    }
}

/// Endings of archives and compressed files that are not read.
const PACKED: [&str; 10] = [".tar.gz", ".tgz", ".tar", ".zip", ".xz", ".bz2", ".zst", ".7z", ".rar", ".gz"];

/// Takes the name of a file apart. Returns also whether it must be unpacked first.
pub(super) fn parse(file_name: &str) -> Option<(IdxName<'_>, bool)> {
    let plain = file_name.strip_suffix(".gz").unwrap_or(file_name);
    if let Some(name) = IdxName::parse(plain) {
        return Some((name, false));
    }
    let packed = PACKED.iter().find_map(|ending| {
        let inner = file_name.strip_suffix(ending)?;
        IdxName::parse(inner.strip_suffix(".gz").unwrap_or(inner))
    });
    Some((packed?, true))
}

/// The name without what can differ in two names of one file: `.gz`, and the sign before `idx`.
pub(super) fn normal_form(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.strip_suffix(".gz").unwrap_or(&name).replace(".idx", "-idx")
}

/// All files that may be one file of a data set.
#[derive(Debug, Clone, Default)]
pub(super) struct Candidates {
    /// Files that can be read: first the plain ones, then those with `.gz`.
    pub(super) files: Vec<PathBuf>,
    /// Files that must be unpacked first.
    pub(super) packed: Vec<PathBuf>,
}

/// The files of one data set.
#[derive(Debug, Clone, Default)]
pub(super) struct IdxSet {
    /// Begin of the names of its files: empty, or it ends in `-`.
    pub(super) prefix: String,
    train: [Candidates; 2],
    test: [Candidates; 2],
}

impl IdxSet {
    /// The files that may be the images or the labels of a subset.
    pub(super) fn candidates(&self, subset: Subset, role: Role) -> &Candidates {
        let [images, labels] = if subset == Subset::Train { &self.train } else { &self.test };
        if role == Role::Images { images } else { labels }
    }

    fn candidates_mut(&mut self, name: IdxName<'_>) -> &mut Candidates {
        let [images, labels] = if name.subset == Subset::Train { &mut self.train } else { &mut self.test };
        if name.role == Role::Images { images } else { labels }
    }

    /// True if there are images that can be read.
    fn has_images(&self) -> bool {
        [Subset::Train, Subset::Test]
            .into_iter()
            .any(|subset| !self.candidates(subset, Role::Images).files.is_empty())
    }

    /// The text that a user writes after the folder to mean this set: its prefix without the last `-`. If it
    /// has no prefix, that is the name of one of its files.
    pub(super) fn name(&self) -> String {
        if !self.prefix.is_empty() {
            return self.prefix.trim_end_matches('-').to_owned();
        }
        let candidates = self.train.iter().chain(&self.test);
        let mut files = candidates.flat_map(|candidates| candidates.files.iter().chain(&candidates.packed));
        let first = files.next().and_then(|path| path.file_name());
        first.unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// Finds the data sets in a folder, sorted by their prefixes. Sets without images that can be read
/// are left out if there are others.
///
/// Archives unpack to folders with the names of the files in them. Such a file counts as one of
/// `listing` itself if that has no file in its place.
pub(super) fn find_sets(listing: &Listing) -> Result<Vec<IdxSet>> {
    let mut sets: BTreeMap<String, IdxSet> = BTreeMap::new();
    let mut add = |name: IdxName<'_>, is_packed: bool, path: PathBuf| {
        let set = sets.entry(name.prefix.to_owned()).or_default();
        name.prefix.clone_into(&mut set.prefix);
        let candidates = set.candidates_mut(name);
        if is_packed { candidates.packed.push(path) } else { candidates.files.push(path) }
    };
    let mut found = Vec::new();
    for file in &listing.files {
        if let Some((name, is_packed)) = parse(file) {
            add(name, is_packed, listing.join(file));
            if !is_packed {
                found.push(name);
            }
        }
    }
    for folder in &listing.folders {
        let Some(folder_name) = IdxName::parse(folder).filter(|name| !found.contains(name)) else { continue };
        let inner = Listing::read(&listing.join(folder))?;
        for file in &inner.files {
            if let Some((name, is_packed)) = parse(file)
                && name == folder_name
            {
                add(name, is_packed, inner.join(file));
            }
        }
    }
    let mut sets: Vec<IdxSet> = sets.into_values().collect();
    for set in &mut sets {
        for candidates in set.train.iter_mut().chain(&mut set.test) {
            candidates.files.sort_by_key(|path| path.extension().is_some_and(|extension| extension == "gz"));
        }
    }
    if sets.iter().any(IdxSet::has_images) {
        sets.retain(IdxSet::has_images);
    }
    Ok(sets)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
