//! Owns the names of Parquet files: which part of a data set each is, and the order of the shards
//! of a part. Must not know what the files hold.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::data::Subset;
use crate::data::sources::file::quoted;
use crate::data::sources::listing::Listing;
use crate::error::{Error, Result};
use crate::util::format::grouped;

/// Ending of the name of a Parquet file.
pub(super) const ENDING: &str = ".parquet";

/// Words for parts, as Hugging Face's names have them.
const SUBSETS: [(&str, Subset); 7] = [
    ("train", Subset::Train),
    ("training", Subset::Train),
    ("test", Subset::Test),
    ("validation", Subset::Validation),
    ("valid", Subset::Validation),
    ("val", Subset::Validation),
    ("dev", Subset::Validation),
];

/// The part that a word means.
fn subset_of(word: &str) -> Option<Subset> {
    SUBSETS.iter().find(|(known, _)| *known == word).map(|&(_, subset)| subset)
}

/// The files of one part, in the order of their rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) subset: Subset,
    pub(super) files: Vec<PathBuf>,
}

/// The meaning of a file's name.
#[derive(Debug, PartialEq, Eq)]
struct FileName {
    /// The words before the part, which are the data set's name.
    set: String,
    subset: Subset,
    /// Number of this shard from 0, and the number of shards: `-00000-of-00002`.
    shard: Option<(usize, usize)>,
}

/// Reads a name such as `train.parquet`, `mnist-train-00000-of-00002.parquet` or, with the digest
/// that Hugging Face adds, `test-00000-of-00001-5f2a.parquet`.
fn parse(name: &str) -> Option<FileName> {
    let stem = name.strip_suffix(ENDING)?.to_lowercase();
    let words: Vec<&str> = stem.split(|char: char| !char.is_alphanumeric()).collect();
    let at = words.iter().rposition(|word| subset_of(word).is_some())?;
    let subset = subset_of(words.get(at)?)?;
    let shard = match words.get(at + 1..)? {
        [] => None,
        [index, "of", count, ..] => Some((index.parse().ok()?, count.parse().ok()?)),
        [index] => index.parse::<usize>().ok().map(|_| None)?,
        _ => return None,
    };
    Some(FileName { set: words.get(..at)?.join("-"), subset, shard })
}

/// Finds the parts of the data set in a folder: files with the names of parts, or folders with such
/// names that hold `0000.parquet` and so on. A single file of any name is a data set of one part.
/// All names begin with `prefix`. Returns nothing if there are no Parquet files.
///
/// # Errors
/// There are several data sets, or a shard is missing.
pub(super) fn find(listing: &Listing, prefix: &str) -> Result<Vec<Part>> {
    let names: Vec<&String> =
        listing.files.iter().filter(|name| name.starts_with(prefix) && name.ends_with(ENDING)).collect();
    if let [name] = names[..] {
        return Ok(vec![Part { subset: Subset::Train, files: vec![listing.join(name)] }]);
    }
    if names.is_empty() {
        return in_folders(listing);
    }
    let mut sets: BTreeMap<String, Vec<(FileName, &String)>> = BTreeMap::new();
    for &name in &names {
        let parsed = parse(name).ok_or_else(|| several(listing, &names))?;
        sets.entry(parsed.set.clone()).or_default().push((parsed, name));
    }
    let mut sets = sets.into_values();
    let (Some(files), None) = (sets.next(), sets.next()) else { return Err(several(listing, &names)) };
    let mut parts = Vec::new();
    for subset in [Subset::Train, Subset::Validation, Subset::Test] {
        let files: Vec<_> = files.iter().filter(|(parsed, _)| parsed.subset == subset).collect();
        check_shards(listing, &files)?;
        if !files.is_empty() {
            parts.push(Part { subset, files: files.iter().map(|(_, name)| listing.join(name)).collect() });
        }
    }
    Ok(parts)
}

/// The parts in folders, as in Hugging Face's converted branch: `train/0000.parquet`.
fn in_folders(listing: &Listing) -> Result<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::new();
    for name in &listing.folders {
        let Some(subset) = subset_of(&name.to_lowercase()) else { continue };
        let inner = Listing::read(&listing.join(name))?;
        let files: Vec<PathBuf> =
            inner.files.iter().filter(|name| name.ends_with(ENDING)).map(|name| inner.join(name)).collect();
        if files.is_empty() {
            continue;
        }
        if parts.iter().any(|part| part.subset == subset) {
            return Err(Error::data(format!(
                "two folders in `{}` hold the same part of a data set, one of them is `{name}`",
                listing.path.display()
            ))
            .hint("move one of them away"));
        }
        parts.push(Part { subset, files });
    }
    Ok(parts)
}

/// Checks that every shard of a part is there once. The files are in natural order.
fn check_shards(listing: &Listing, files: &[&(FileName, &String)]) -> Result<()> {
    let sharded = files.iter().find_map(|(parsed, name)| Some((parsed.shard?.1, name)));
    let Some((count, first)) = sharded else { return Ok(()) };
    let folder = listing.path.display();
    for expected in 0..count {
        match files.get(expected).map(|(parsed, _)| parsed.shard) {
            Some(Some((index, other))) if (index, other) == (expected, count) => {}
            _ => {
                return Err(Error::data(format!(
                    "shard {expected} of {} is missing in `{folder}`, or there twice: `{first}` is one of them",
                    grouped(count)
                ))
                .hint("fetch all files of the data set"));
            }
        }
    }
    match files.len() == count {
        true => Ok(()),
        false => Err(Error::data(format!(
            "`{folder}` holds {} files such as `{first}`, expected {}",
            grouped(files.len()),
            grouped(count)
        ))
        .hint("remove the files that do not belong to the data set")),
    }
}

/// Error of a folder with files that are not one data set.
fn several(listing: &Listing, names: &[&String]) -> Error {
    let folder = listing.path.display();
    Error::data(format!("`{folder}` holds {}, expected one data set", quoted(names.iter()))).hint(format!(
        "names such as `train.parquet` and `test-00000-of-00002.parquet` are known; name one file, or the folder \
         and the beginning of the names of its files: `{folder}/NAME`"
    ))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
