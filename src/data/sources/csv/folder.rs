//! Owns the choice of the CSV files of a folder by their names. Depends on `file`. Must not know what
//! the files hold.

use crate::data::Subset;
use crate::data::sources::listing::Listing;
use crate::error::{Error, Result};
use crate::util::format::listed;

/// Words in the names of files, and the part of a data set that they mean.
const WORDS: [(&str, Subset); 9] = [
    ("train", Subset::Train),
    ("training", Subset::Train),
    ("test", Subset::Test),
    ("testing", Subset::Test),
    ("t10k", Subset::Test),
    ("val", Subset::Validation),
    ("valid", Subset::Validation),
    ("validation", Subset::Validation),
    ("dev", Subset::Validation),
];

/// The parts of a data set, each with the name of its file.
pub(super) type Parts = Vec<(Subset, String)>;

/// Finds the parts among the files of a folder whose names begin with `prefix`. It is empty if there
/// is none.
///
/// # Errors
/// Several files could be the same part.
pub(super) fn parts(listing: &Listing, prefix: &str) -> Result<Parts> {
    let is_candidate =
        |name: &&String| name.starts_with(prefix) && is_data(name) && !is_packed_twin(name, listing);
    let names: Vec<&String> = listing.files.iter().filter(is_candidate).collect();
    if let [only] = names[..] {
        return Ok(vec![(Subset::Train, only.clone())]);
    }
    let mut parts = Vec::new();
    for subset in [Subset::Train, Subset::Validation, Subset::Test] {
        let of_subset: Vec<_> = names.iter().copied().filter(|name| part_of(name) == Some(subset)).collect();
        match of_subset[..] {
            [] => {}
            [name] => parts.push((subset, name.clone())),
            _ => return Err(ambiguous(listing, part_name(subset), &of_subset)),
        }
    }
    if parts.is_empty() && !names.is_empty() {
        return Err(ambiguous(listing, "data set", &names));
    }
    Ok(parts)
}

fn part_name(subset: Subset) -> &'static str {
    match subset {
        Subset::Train => "training images",
        Subset::Validation => "validation images",
        Subset::Test => "test images",
    }
}

fn ambiguous(listing: &Listing, part: &str, names: &[&String]) -> Error {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    let folder = listing.path.display();
    Error::data(format!("`{folder}` has several CSV files that could be the {part}: {}", listed(&quoted)))
        .hint(format!("name one file, or the beginning of the names of one data set: `{folder}/NAME`"))
}

/// The name without the endings of CSV files. `None` for other files.
pub(super) fn stem(name: &str) -> Option<String> {
    let name = name.to_lowercase();
    let unpacked = name.strip_suffix(".gz").unwrap_or(&name);
    let stem = unpacked.strip_suffix(".csv").or_else(|| unpacked.strip_suffix(".tsv"))?;
    Some(stem.to_owned())
}

/// True for a CSV file that may hold images. Kaggle's sample of an answer does not.
fn is_data(name: &str) -> bool {
    stem(name)
        .is_some_and(|stem| !words(&stem).any(|word| word == "submission" || word == "samplesubmission"))
}

/// True for a compressed file beside which its unpacked form lies.
fn is_packed_twin(name: &str, listing: &Listing) -> bool {
    let unpacked = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".GZ"));
    unpacked.is_some_and(|unpacked| listing.files.iter().any(|file| file == unpacked))
}

fn words(stem: &str) -> impl Iterator<Item = &str> {
    stem.split(|char: char| !char.is_alphanumeric())
}

/// The part that a file's name tells, if it tells exactly one.
fn part_of(name: &str) -> Option<Subset> {
    let stem = stem(name)?;
    let mut subsets = words(&stem).filter_map(|word| WORDS.iter().find(|(known, _)| *known == word));
    let (_, subset) = subsets.next()?;
    subsets.all(|(_, other)| other == subset).then_some(*subset)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
