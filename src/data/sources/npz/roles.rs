//! Owns the names that people give to arrays and files: which part of a data set they are, and
//! whether they hold images or labels. Must not know files or formats.

use crate::data::Subset;

/// The contents of an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Images,
    Labels,
    /// The names of the classes, in the order of the labels from 0.
    ClassNames,
}

/// The meaning of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Role {
    /// The part of the data set. `None` if the name says nothing about parts.
    pub(super) subset: Option<Subset>,
    /// The contents. `None` if the name does not state them.
    pub(super) kind: Option<Kind>,
}

/// Words for parts.
const SUBSETS: [(&str, Subset); 7] = [
    ("train", Subset::Train),
    ("training", Subset::Train),
    ("test", Subset::Test),
    ("t10k", Subset::Test),
    ("val", Subset::Validation),
    ("valid", Subset::Validation),
    ("validation", Subset::Validation),
];

/// Words for what an array holds: Keras writes `x_train`, MedMNIST `train_images`, scikit-learn
/// `data` and `target`, KMNIST `train-imgs`.
const KINDS: [(&str, Kind); 15] = [
    ("x", Kind::Images),
    ("images", Kind::Images),
    ("image", Kind::Images),
    ("imgs", Kind::Images),
    ("img", Kind::Images),
    (FLAT_IMAGES, Kind::Images),
    ("y", Kind::Labels),
    ("labels", Kind::Labels),
    ("label", Kind::Labels),
    ("targets", Kind::Labels),
    ("target", Kind::Labels),
    ("targetnames", Kind::ClassNames),
    ("classnames", Kind::ClassNames),
    ("labelnames", Kind::ClassNames),
    ("classes", Kind::ClassNames),
];

/// scikit-learn's word for images without their height and width.
pub(super) const FLAT_IMAGES: &str = "data";

/// Letters and digits of a name, in lower case: `X_train` and `xTrain` are `xtrain`.
pub(super) fn compact(name: &str) -> String {
    name.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// All names that say something, in the form of [`compact`].
fn names() -> impl Iterator<Item = (String, Role)> {
    let subsets = SUBSETS.iter().flat_map(|&(part, subset)| {
        let role = move |kind| Role { subset: Some(subset), kind };
        let kinds = KINDS.iter().flat_map(move |&(word, kind)| {
            [(format!("{part}{word}"), role(Some(kind))), (format!("{word}{part}"), role(Some(kind)))]
        });
        kinds.chain([(part.to_owned(), role(None))])
    });
    let whole = KINDS.iter().map(|&(word, kind)| (word.to_owned(), Role { subset: None, kind: Some(kind) }));
    subsets.chain(whole)
}

/// The meaning of an array's name, if it states the contents.
pub(super) fn of_array(name: &str) -> Option<(Option<Subset>, Kind)> {
    let name = compact(name);
    let (_, role) = names().find(|(known, _)| *known == name)?;
    role.kind.map(|kind| (role.subset, kind))
}

/// The meaning of a file's name without its ending, and the rest in front of that in the form of
/// [`compact`], which is the data set's name: `kmnist-train-imgs` is the training images of `kmnist`.
/// Returns nothing if the name says no part.
pub(super) fn of_file(stem: &str) -> Option<(String, Role)> {
    let name = compact(stem);
    names()
        .filter(|(_, role)| role.subset.is_some())
        .filter_map(|(known, role)| Some((name.strip_suffix(&known)?.to_owned(), role)))
        // The longest name that fits: `train-imgs` rather than only `imgs`.
        .min_by_key(|(rest, _)| rest.len())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
