//! Owns the numbers of images of each class. Depends on `check`'s input. Must not know words.

use serde::{Deserialize, Serialize};

use super::{CheckedData, CheckedPart};

/// One class and how many images it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassCount {
    /// Name of the class.
    pub name: String,
    /// Number of training images, validation images included.
    pub train: usize,
    /// Number of test images. `None` if there is no test part, or one without labels.
    pub test: Option<usize>,
}

/// Counts the images of each class, in the order of the classes.
pub(super) fn count(data: &CheckedData<'_>) -> Vec<ClassCount> {
    let count = |part: CheckedPart<'_>| {
        let mut counts = vec![0; data.class_names.len()];
        for &label in part.labels {
            if let Some(count) = counts.get_mut(usize::from(label)) {
                *count += 1;
            }
        }
        counts
    };
    let train = count(data.train);
    let test = data.test.filter(|test| !test.labels.is_empty()).map(count);
    let of_test = |class: usize| test.as_ref().and_then(|counts| counts.get(class).copied());
    let classes = data.class_names.iter().zip(train).enumerate();
    classes
        .map(|(class, (name, train))| ClassCount { name: name.clone(), train, test: of_test(class) })
        .collect()
}

/// Ratio of the largest to the smallest class from which the classes are called unbalanced.
const UNBALANCED_RATIO: usize = 10;

/// Returns whether classes of these sizes are unbalanced: the largest has at least 10 times as many
/// images as the smallest that has any.
pub fn is_unbalanced(sizes: &[usize]) -> bool {
    let smallest = sizes.iter().copied().filter(|&size| size > 0).min();
    let largest = sizes.iter().copied().max().unwrap_or(0);
    smallest.is_some_and(|smallest| largest >= smallest.saturating_mul(UNBALANCED_RATIO))
}

/// The class with the most training images, the first of equal ones.
pub(super) fn majority(classes: &[ClassCount]) -> Option<&ClassCount> {
    classes.iter().rev().max_by_key(|class| class.train)
}

/// Share of right answers of a network that always answers [`majority`]: on the test images if they
/// have labels, or else on the training images. 0 without images.
pub(super) fn majority_accuracy(classes: &[ClassCount]) -> f64 {
    let Some(majority) = majority(classes) else { return 0.0 };
    let share = |right: usize, all: usize| right as f64 / all.max(1) as f64;
    match majority.test {
        Some(right) => share(right, classes.iter().filter_map(|class| class.test).sum()),
        None => share(majority.train, classes.iter().map(|class| class.train).sum()),
    }
}

#[cfg(test)]
mod tests;
