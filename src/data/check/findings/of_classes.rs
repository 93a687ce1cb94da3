//! Owns the findings about the numbers of images of the classes. Must not know pixels.

use super::{Finding, FindingKind, note, warning};
use crate::data::check::DataCheck;
use crate::data::check::classes::{ClassCount, is_unbalanced, majority};
use crate::util::format::{counted, grouped, listed, percent};

/// Number of class names that a message lists.
const MAX_NAMES: usize = 5;

/// Number of training images that the median class has at least, when a class of one image is
/// called a probable error.
const MEDIAN_OF_ERROR: usize = 20;

/// Number of training images that the median class should have.
const FEW_IMAGES: usize = 10;

impl DataCheck {
    pub(super) fn classes_not_in_training(&self) -> Option<Finding> {
        let is_missing = |class: &&ClassCount| class.train == 0 && class.test.unwrap_or(0) > 0;
        let classes: Vec<&ClassCount> = self.classes.iter().filter(is_missing).collect();
        let tests = classes.iter().filter_map(|class| class.test);
        let images = tests.fold(0, usize::saturating_add);
        let all = match (images, classes.len()) {
            (1, _) => "its only test image".to_owned(),
            (_, 1) => format!("all {} test images of it", grouped(images)),
            _ => format!("all {} test images of them", grouped(images)),
        };
        let message = format!("no training image is of {}: {all} will be wrong", class_names(&classes)?);
        warning(FindingKind::ClassNotInTraining, message)
    }

    /// Classes with one training image, if the median class has many. A damaged byte of a label
    /// file makes such a class.
    fn lone_images(&self) -> Vec<&ClassCount> {
        if self.median_class() < MEDIAN_OF_ERROR {
            return Vec::new();
        }
        self.classes.iter().filter(|class| class.train == 1).collect()
    }

    /// Number of training images of the median class, without classes that have none.
    fn median_class(&self) -> usize {
        let mut sizes: Vec<usize> =
            self.classes.iter().map(|class| class.train).filter(|&size| size > 0).collect();
        let middle = sizes.len() / 2;
        if sizes.is_empty() { 0 } else { *sizes.select_nth_unstable(middle).1 }
    }

    pub(super) fn rare_classes(&self) -> Option<Finding> {
        let classes = self.lone_images();
        let (has, each, question) = match classes.len() {
            1 => ("has", "", "is its label damaged?"),
            _ => ("have", " each", "are their labels damaged?"),
        };
        let images = grouped(self.train_images);
        let message =
            format!("{} {has} 1 of {images} training images{each}: {question}", class_names(&classes)?);
        warning(FindingKind::RareClass, message)
    }

    pub(super) fn unbalanced_classes(&self) -> Option<Finding> {
        // A class of one image is another finding.
        let lone = usize::from(!self.lone_images().is_empty());
        let smallest =
            self.classes.iter().filter(|class| class.train > lone).min_by_key(|class| class.train)?;
        let largest = majority(&self.classes)?;
        if !is_unbalanced(&[smallest.train, largest.train]) {
            return None;
        }
        let part = if largest.test.is_some() { "test" } else { "training" };
        let message = format!(
            "class `{}` has {}, class `{}` has {}: always answering `{}` would be {} right on the {part} images. \
             Compare the accuracy with that, and look at the accuracy of each class",
            largest.name,
            counted(largest.train, "training image", "training images"),
            smallest.name,
            grouped(smallest.train),
            largest.name,
            percent(self.majority_accuracy),
        );
        warning(FindingKind::UnbalancedClasses, message)
    }

    pub(super) fn classes_not_in_test(&self) -> Option<Finding> {
        // A class of one training image is another finding.
        let lone = usize::from(!self.lone_images().is_empty());
        let is_missing = |class: &&ClassCount| class.train > lone && class.test == Some(0);
        let classes: Vec<&ClassCount> = self.classes.iter().filter(is_missing).collect();
        let it = if classes.len() == 1 { "it" } else { "them" };
        let message = format!(
            "no test image is of {}: the test accuracy says nothing about {it}",
            class_names(&classes)?
        );
        warning(FindingKind::ClassNotInTest, message)
    }

    pub(super) fn empty_classes(&self) -> Option<Finding> {
        let is_empty = |class: &&ClassCount| class.train == 0 && class.test.unwrap_or(0) == 0;
        let classes: Vec<&ClassCount> = self.classes.iter().filter(is_empty).collect();
        let it = if classes.len() == 1 { "it" } else { "them" };
        let message = format!(
            "no image is of {}: the data set names {it}, and no network will learn {it}",
            class_names(&classes)?
        );
        note(FindingKind::EmptyClass, message)
    }

    pub(super) fn few_images(&self) -> Option<Finding> {
        let median = self.median_class();
        let message = format!(
            "a typical class has only {}: expect a low accuracy, and another one with each seed",
            counted(median, "training image", "training images")
        );
        if (1..FEW_IMAGES).contains(&median) { note(FindingKind::FewImages, message) } else { None }
    }
}

/// ``class `9` ``, ``classes `1` and `2` ``, or with many ``classes `a`, `b` and 7 more``. `None`
/// without classes.
fn class_names(classes: &[&ClassCount]) -> Option<String> {
    let mut names: Vec<String> =
        classes.iter().take(MAX_NAMES).map(|class| format!("`{}`", class.name)).collect();
    if classes.len() > MAX_NAMES {
        names.push(format!("{} more", grouped(classes.len() - MAX_NAMES)));
    }
    match names.len() {
        0 => None,
        1 => Some(format!("class {}", listed(&names))),
        _ => Some(format!("classes {}", listed(&names))),
    }
}
