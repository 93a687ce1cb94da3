//! Owns the words of a check: what a user should know, ordered by importance. Depends on
//! `util::format`. Must not know how anything was measured.

mod of_classes;
mod of_images;

use serde::{Deserialize, Serialize};

use super::{DataCheck, Polarity};
use crate::data::ValueRange;
use crate::util::format::percent;

/// The subject of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// All training images are equal, or of one class.
    NothingToLearn,
    /// The images look as if rows and columns were exchanged.
    ExchangedSides,
    /// Test images that are also training images.
    TestInTraining,
    /// Equal images with different labels.
    TwoLabels,
    /// Classes without a training image that have test images.
    ClassNotInTraining,
    /// Classes with a single training image among large classes.
    RareClass,
    /// Some classes are much larger than others.
    UnbalancedClasses,
    /// The pixels use a small part of the range of values.
    FaintPixels,
    /// Classes without a test image.
    ClassNotInTest,
    /// Images whose pixels all have one value.
    BlankImages,
    /// Training images that repeat another.
    DuplicateImages,
    /// Classes without any image.
    EmptyClass,
    /// Classes with few training images.
    FewImages,
    /// The background is light.
    DarkOnLight,
    /// Pixels that have one value in all training images.
    ConstantPixels,
}

/// The importance of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The results would be misleading or bad: `train` shows it, too.
    Warning,
    /// Good to know. Many good data sets have it.
    Note,
}

/// One thing that a user should know about a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The subject.
    pub kind: FindingKind,
    /// The importance.
    pub level: Level,
    /// The finding and its consequence, in a form like that of an error message: it begins with a
    /// small letter and has no full stop at its end.
    pub message: String,
}

impl DataCheck {
    /// Returns all findings: warnings before notes, the more important ones first.
    pub fn findings(&self) -> Vec<Finding> {
        let all = [
            self.nothing_to_learn(),
            self.exchanged(),
            self.test_in_training(),
            self.two_labels(),
            self.classes_not_in_training(),
            self.rare_classes(),
            self.unbalanced_classes(),
            self.faint_pixels(),
            self.classes_not_in_test(),
            self.blank_images(),
            self.duplicate_images(),
            self.empty_classes(),
            self.few_images(),
            self.dark_on_light(),
            self.constant(),
        ];
        let mut findings: Vec<Finding> = all.into_iter().flatten().collect();
        findings.sort_by_key(|finding| finding.level == Level::Note);
        findings
    }

    /// Returns the warnings in at most `max` lines, for the start of a training. If there are more,
    /// the last line says where they are.
    pub fn lines(&self, max: usize) -> Vec<String> {
        let findings = self.findings().into_iter().filter(|finding| finding.level == Level::Warning);
        let mut lines: Vec<String> = findings.map(|finding| finding.message).collect();
        if lines.len() > max {
            lines.truncate(max.saturating_sub(1));
            lines.push("`smallnet data` says more".to_owned());
            lines.truncate(max);
        }
        lines
    }

    /// Returns everything in full sentences, for `smallnet data`: how the images look, and the
    /// findings.
    pub fn sentences(&self) -> Vec<String> {
        let facts = [self.describe_range(), self.describe_appearance()];
        let findings = self.findings().into_iter().map(|finding| finding.message);
        facts.into_iter().flatten().chain(findings).map(|text| sentence(&text)).collect()
    }

    /// Describes the scaling. `None` for bytes, which are the usual values.
    fn describe_range(&self) -> Option<String> {
        let ValueRange { black, white } = self.value_range;
        (self.value_range != ValueRange::BYTES).then(|| {
            format!("the pixel values {black} to {white} of the files become 0 to 1 at the network's inputs")
        })
    }

    /// Describes the look of the images. `None` if all are blank.
    fn describe_appearance(&self) -> Option<String> {
        if self.height.saturating_mul(self.width) < 2 || self.blank_train_images == self.train_images {
            return None;
        }
        let polarity = match self.appearance.polarity {
            Polarity::LightOnDark => "the images are light on dark",
            Polarity::DarkOnLight => "the images are dark on light",
            Polarity::Undecided => {
                "the images are neither light on dark nor dark on light, as photographs are"
            }
        };
        let Some(ink) = self.appearance.ink else { return Some(polarity.to_owned()) };
        let centre = if ink.is_centred_by_mass() { "; its centre of mass is in the middle" } else { "" };
        let border = if ink.has_empty_border() { "; the border is empty" } else { "" };
        Some(format!(
            "{polarity}; what they show fills {} of the height and {} of the width on average{centre}{border}",
            percent(ink.height_share),
            percent(ink.width_share)
        ))
    }
}

/// A finding that a training shows. Never `None`: it ends functions that find nothing or something.
fn warning(kind: FindingKind, message: String) -> Option<Finding> {
    Some(Finding { kind, level: Level::Warning, message })
}

/// A finding for `smallnet data` alone. Never `None`.
fn note(kind: FindingKind, message: String) -> Option<Finding> {
    Some(Finding { kind, level: Level::Note, message })
}

/// The text with a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", letters.as_str())
}

#[cfg(test)]
mod tests;
