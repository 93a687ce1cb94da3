//! Owns the classes of a data set: the labels that the files have, and their names. Depends on
//! `sources::raw`. Must not know images.

use std::collections::{HashMap, HashSet};

use crate::data::sources::{RawImages, natural_order};
use crate::error::{Error, Result};
use crate::util::format::grouped;

/// Largest number of classes. The confusion matrix of that many takes 134 MB.
const MAX_CLASSES: usize = 4096;

/// The classes of a data set, in the order of the network's outputs: the labels that its images
/// have, in natural order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classes {
    /// Label of each class as the files write it.
    labels: Vec<String>,
    /// Name of each class: what the files say beside the label, or else the label.
    names: Vec<String>,
}

impl Classes {
    /// Makes classes of labels and names, one of each per class.
    pub(crate) fn new(labels: Vec<String>, names: Vec<String>) -> Self {
        Self { labels, names }
    }

    /// Returns the classes `0` to `num_classes` - 1, as earlier versions had them.
    pub fn numbered(num_classes: usize) -> Self {
        let labels: Vec<String> = (0..num_classes).map(|class| class.to_string()).collect();
        Self { names: labels.clone(), labels }
    }

    /// Returns the classes of the images of all `parts`: each label that one of them has.
    pub(crate) fn of(parts: &[&RawImages]) -> Self {
        let keys = parts.iter().filter_map(|part| part.labels.as_ref()).flat_map(|labels| labels.keys());
        let mut labels: Vec<String> = keys.cloned().collect();
        labels.sort_by(|a, b| natural_order(a, b));
        labels.dedup();
        let stated = stated_names(parts);
        let name = |label: &String| (*stated.get(label.as_str()).unwrap_or(&label.as_str())).to_owned();
        let names = labels.iter().map(name).collect();
        Self { labels, names }
    }

    /// Number of classes.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// True if there are no classes.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Name of each class.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Label of each class as the files write it.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// Returns the class of each different label of `part`, which is of the data set that these
    /// classes come from. A label that is none of them has `None`.
    pub(crate) fn indices_by_label(&self, part: &RawImages) -> Vec<Option<u16>> {
        let of_label = positions(&self.labels);
        keys(part).map(|label| of_label.get(label.as_str()).copied()).collect()
    }

    /// Returns the class of each different label of `part`, which is of another data set. A label
    /// is found by the name that `part` gives it, or else as the label of a class. So `A` in one
    /// data set is the class of `1`, called `A`, in another one. Where both data sets have names, a
    /// name that is none of these classes is none, whatever its label is.
    pub(crate) fn indices_by_name(&self, part: &RawImages) -> Vec<Option<u16>> {
        let (of_name, of_label) = (positions(&self.names), positions(&self.labels));
        let (stated, has_names) = (stated_names(&[part]), self.names != self.labels);
        let find = |label: &String| {
            let name = stated.get(label.as_str()).copied();
            let by_label = || of_label.get(label.as_str()).filter(|_| name.is_none() || !has_names);
            of_name.get(name.unwrap_or(label)).or_else(by_label).copied()
        };
        keys(part).map(find).collect()
    }

    /// Returns these classes with the labels that `parts`, which are of another data set, write for them.
    /// A class without images keeps its label, or gets one that no image has if `parts` write its label
    /// for another class.
    pub(crate) fn with_labels_of(&self, parts: &[&RawImages]) -> Self {
        let written: HashSet<&String> = parts.iter().flat_map(|part| keys(part)).collect();
        let unused = |own: &String| {
            let mut label = own.clone();
            while written.contains(&label) {
                label.push('\'');
            }
            label
        };
        let mut labels: Vec<String> = self.labels.iter().map(unused).collect();
        for part in parts {
            for (label, class) in keys(part).zip(self.indices_by_name(part)) {
                if let Some(own) = class.and_then(|class| labels.get_mut(usize::from(class))) {
                    own.clone_from(label);
                }
            }
        }
        Self { labels, names: self.names.clone() }
    }

    /// Checks that there are at least two classes to tell apart, and no more than a confusion matrix
    /// can show. `source` is the data set's name.
    ///
    /// # Errors
    /// One class, none, or more than 4,096.
    pub(crate) fn check_trainable(&self, source: &str) -> Result<()> {
        match &self.names[..] {
            [] => Err(Error::data(format!("the training images in `{source}` have no labels"))),
            [name] => Err(Error::data(format!(
                "all training images in `{source}` are of class {name}, expected two classes"
            ))),
            names if names.len() > MAX_CLASSES => Err(Error::data(format!(
                "the images in `{source}` have {} different labels, expected at most {}",
                grouped(names.len()),
                grouped(MAX_CLASSES)
            ))
            .hint("a label is a class that many images share, not a number of its own for each image")),
            _ => Ok(()),
        }
    }
}

/// The different labels of the images of `part`.
fn keys(part: &RawImages) -> impl Iterator<Item = &String> {
    part.labels.iter().flat_map(|labels| labels.keys())
}

/// The names that the `parts` state, by label.
fn stated_names<'a>(parts: &[&'a RawImages]) -> HashMap<&'a str, &'a str> {
    let stated = parts.iter().flat_map(|part| &part.class_names);
    stated.map(|(label, name)| (label.as_str(), name.as_str())).collect()
}

/// Position of each text in `list`, the first one of equal texts.
fn positions(list: &[String]) -> HashMap<&str, u16> {
    list.iter().zip(0..=u16::MAX).rev().map(|(text, position)| (text.as_str(), position)).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
