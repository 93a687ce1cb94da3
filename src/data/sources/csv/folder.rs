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
mod tests {
    use super::*;

    fn listing(files: &[&str]) -> Listing {
        let files = files.iter().map(|&name| name.to_owned()).collect();
        Listing { path: "data".into(), files, folders: Vec::new(), others: Vec::new() }
    }

    fn found(files: &[&str], prefix: &str) -> Vec<(Subset, String)> {
        parts(&listing(files), prefix).unwrap()
    }

    #[test]
    fn names_tell_the_parts() {
        use Subset::{Test, Train, Validation};
        let pair = |train: &str, test: &str| vec![(Train, train.to_owned()), (Test, test.to_owned())];
        for (train, test) in [
            ("train.csv", "test.csv"),
            ("mnist_train.csv", "mnist_test.csv"),
            ("fashion-mnist_train.csv.gz", "fashion-mnist_test.csv.gz"),
            ("Train.TSV", "Test.tsv"),
        ] {
            assert_eq!(found(&[test, train], ""), pair(train, test));
        }
        let kaggle = [
            "sample_submission.csv",
            "sampleSubmission.csv",
            "test.csv",
            "train.csv",
            "readme.txt",
            "notes.csv",
        ];
        assert_eq!(found(&kaggle, ""), pair("train.csv", "test.csv"));
        assert_eq!(found(&["a-train.csv", "a-val.csv"], "")[1], (Validation, "a-val.csv".to_owned()));
        assert_eq!(found(&["test.csv"], ""), [(Train, "test.csv".to_owned())]);
        assert_eq!(
            found(&["digits.csv", "digits.csv.gz", "train.txt"], ""),
            [(Train, "digits.csv".to_owned())]
        );
        assert_eq!(found(&["a.txt", "b.png"], ""), []);
        // `contest` and `trainer` are other words.
        assert_eq!(
            found(&["contest.csv", "trainer.csv", "x train.csv"], ""),
            [(Train, "x train.csv".to_owned())]
        );
    }

    #[test]
    fn the_prefix_chooses_a_data_set() {
        let files =
            ["fashion-mnist_test.csv", "fashion-mnist_train.csv", "mnist_test.csv", "mnist_train.csv"];
        assert_eq!(found(&files, "mnist")[0].1, "mnist_train.csv");
        assert_eq!(found(&files, "fashion")[1].1, "fashion-mnist_test.csv");
        assert_eq!(found(&files, "kmnist"), []);
        let error = parts(&listing(&files), "").unwrap_err();
        assert_eq!(
            error.to_string(),
            "`data` has several CSV files that could be the training images: `fashion-mnist_train.csv` and \
             `mnist_train.csv`\n\nhint: name one file, or the beginning of the names of one data set: `data/NAME`"
        );
        let error = parts(&listing(&["a.csv", "b.csv"]), "").unwrap_err();
        assert_eq!(
            error.message(),
            "`data` has several CSV files that could be the data set: `a.csv` and `b.csv`"
        );
    }
}
