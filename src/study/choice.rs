//! Owns what a study chooses by: the measure that ranks configurations, and the images that choose
//! the epoch where early stopping ends trainings. Must not know trials, files or the page.

use serde::Serialize;

/// Default of the key `stopping_share`. scikit-learn's `MLPClassifier` holds out the same share for
/// early stopping.
pub(super) const DEFAULT_STOPPING_SHARE: f64 = 0.1;

/// Measure on the validation images by which a study ranks its configurations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Fraction of the images that are classified correctly.
    #[default]
    Accuracy,
    /// Mean recall of the classes: each class counts the same, however many images it has.
    BalancedAccuracy,
}

impl Measure {
    /// All measures.
    pub const ALL: [Self; 2] = [Self::Accuracy, Self::BalancedAccuracy];

    /// The value of the key `choose`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::BalancedAccuracy => "balanced_accuracy",
        }
    }

    /// The measure at the beginning of a heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Accuracy => "Accuracy",
            Self::BalancedAccuracy => "Balanced accuracy",
        }
    }

    /// The measure in sentences.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::BalancedAccuracy => "balanced accuracy",
        }
    }
}

/// Images whose loss chooses the epoch of each trial, where early stopping ends trainings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum EpochChoice {
    /// Stopping images, which are held out of a trial's training images.
    StoppingImages {
        /// Number of stopping images of each trial.
        num_images: usize,
    },
    /// The validation images, since `stopping_share` is 0. Their accuracies are then too high.
    ValidationImages,
    /// The validation images, since there are too few training images to hold some out.
    TooFewImages,
}

/// Returns the number of stopping images to hold out of `num_train` training images of
/// `num_classes` classes: a `share` of them, and at least one for each class. `None` if more than
/// half of the images would be held out.
pub(super) fn num_stopping_images(num_train: usize, num_classes: usize, share: f64) -> Option<usize> {
    let count = ((num_train as f64 * share).round() as usize).max(num_classes);
    (share > 0.0 && count <= num_train / 2).then_some(count)
}

#[cfg(test)]
mod tests;
