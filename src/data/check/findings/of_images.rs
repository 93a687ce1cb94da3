//! Owns the findings about single images and about their pixels. Must not know the sizes of classes.

use super::{Finding, FindingKind, note, warning};
use crate::data::ValueRange;
use crate::data::check::{DataCheck, Pairs, Polarity};
use crate::util::format::{counted, grouped, listed};

/// Share of the images from which a finding about single images is a warning.
const WARNING_SHARE: f64 = 0.01;

impl DataCheck {
    pub(super) fn nothing_to_learn(&self) -> Option<Finding> {
        let num_pixels = self.height.saturating_mul(self.width);
        let mut with_images = self.classes.iter().filter(|class| class.train > 0);
        let message = if self.train_images > 1 && self.constant_pixels == num_pixels {
            let images = grouped(self.train_images);
            format!(
                "all {images} training images have the same pixels: a network can learn nothing from them"
            )
        } else {
            match (with_images.next(), with_images.next()) {
                (Some(only), None) => {
                    format!(
                        "all training images are of class `{}`: a network will always answer it",
                        only.name
                    )
                }
                _ => return None,
            }
        };
        warning(FindingKind::NothingToLearn, message)
    }

    pub(super) fn exchanged(&self) -> Option<Finding> {
        let (height, width) = (self.height, self.width);
        let message = format!(
            "the images look sheared with {height} rows and {width} columns: a file probably states the width \
             before the height. If the pictures of `smallnet data` look wrong, write that file again"
        );
        if self.exchanged_sides { warning(FindingKind::ExchangedSides, message) } else { None }
    }

    pub(super) fn test_in_training(&self) -> Option<Finding> {
        let pairs = &self.duplicates.test_in_training;
        let test_images = self.test_images.unwrap_or(0);
        let are = if pairs.count == 1 { "is also a training image" } else { "are also training images" };
        let message = format!(
            "{} {are}, for example {}: the test accuracy will be too high",
            counted_of(pairs.count, test_images, "test"),
            example(pairs, "test")?,
        );
        by_share(FindingKind::TestInTraining, pairs.count, test_images, message)
    }

    pub(super) fn two_labels(&self) -> Option<Finding> {
        let (train, test) = (&self.duplicates.two_labels_in_training, &self.duplicates.two_labels_in_test);
        let (pairs, all, part) = if train.count > 0 {
            (train, self.train_images, "training")
        } else {
            (test, self.test_images.unwrap_or(0), "test")
        };
        let has = if pairs.count == 1 { "has" } else { "have" };
        let mut message = format!(
            "{} {has} the same pixels as a training image with another label, for example {}: one of both \
             labels is wrong",
            counted_of(pairs.count, all, part),
            example(pairs, part)?,
        );
        if train.count > 0 && test.count > 0 {
            let images = counted_of(test.count, self.test_images.unwrap_or(0), "test");
            message.push_str(&format!(". The same holds for {images}"));
        }
        by_share(FindingKind::TwoLabels, pairs.count, all, message)
    }

    pub(super) fn faint_pixels(&self) -> Option<Finding> {
        let (low, high) = self.byte_range;
        // Equal images are another finding.
        if high.saturating_sub(low) >= 128 || high == low {
            return None;
        }
        let ValueRange { black, white } = self.value_range;
        let value = |byte: u8| rounded(black + (white - black) * f64::from(byte) / 255.0);
        let mut message = format!(
            "the training images use only the values {} to {} of {black} to {white}: the network sees weak \
             contrasts and learns slowly",
            value(low),
            value(high),
        );
        // The setting makes 0 the network's 0.
        if black == 0.0 {
            message.push_str(&format!(". If {0} is white, set `data.scale = {0}`", value(high)));
        }
        warning(FindingKind::FaintPixels, message)
    }

    pub(super) fn blank_images(&self) -> Option<Finding> {
        let (train, test) = (self.blank_train_images, self.blank_test_images);
        let parts = [
            (train > 0).then(|| counted_of(train, self.train_images, "training")),
            (test > 0).then(|| counted_of(test, self.test_images.unwrap_or(0), "test")),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        if parts.is_empty() {
            return None;
        }
        let sum = train.saturating_add(test);
        let verb = if sum == 1 { "is" } else { "are" };
        let message = format!("{} {verb} blank: one value in all pixels", listed(&parts));
        let all = self.train_images.saturating_add(self.test_images.unwrap_or(0));
        by_share(FindingKind::BlankImages, sum, all, message)
    }

    pub(super) fn duplicate_images(&self) -> Option<Finding> {
        let pairs = &self.duplicates.within_training;
        let (verb, one) =
            if pairs.count == 1 { ("repeats", "an earlier one") } else { ("repeat", "earlier ones") };
        let message = format!(
            "{} {verb} {one}, for example {}: if one of both becomes a validation image, the validation accuracy \
             is too high",
            counted_of(pairs.count, self.train_images, "training"),
            example(pairs, "training")?,
        );
        by_share(FindingKind::DuplicateImages, pairs.count, self.train_images, message)
    }

    pub(super) fn dark_on_light(&self) -> Option<Finding> {
        let message = "the images are dark on light: most inputs of the network are near 1. \
                       It may need a smaller learning rate than with light on dark images, such as MNIST's";
        match self.appearance.polarity {
            Polarity::DarkOnLight => note(FindingKind::DarkOnLight, message.to_owned()),
            Polarity::LightOnDark | Polarity::Undecided => None,
        }
    }

    pub(super) fn constant(&self) -> Option<Finding> {
        let pixels = self.height.saturating_mul(self.width);
        if self.constant_pixels == 0 || self.constant_pixels == pixels {
            return None;
        }
        let (has, are) = if self.constant_pixels == 1 { ("has", "it says") } else { ("have", "they say") };
        let message = format!(
            "{} of {} {has} the same value in all training images: {are} nothing about the class",
            grouped(self.constant_pixels),
            counted(pixels, "pixel", "pixels"),
        );
        note(FindingKind::ConstantPixels, message)
    }
}

/// A finding about `count` of `all` images, a warning if they are many.
fn by_share(kind: FindingKind, count: usize, all: usize, message: String) -> Option<Finding> {
    let is_much = count as f64 >= WARNING_SHARE * all as f64;
    if is_much { warning(kind, message) } else { note(kind, message) }
}

/// `2 of 100 test images`.
fn counted_of(count: usize, all: usize, part: &str) -> String {
    format!("{} of {} {part} {}", grouped(count), grouped(all), if all == 1 { "image" } else { "images" })
}

/// `test image 3 and training image 17`, or `None` without examples.
fn example(pairs: &Pairs, part: &str) -> Option<String> {
    let pair = pairs.examples.first()?;
    Some(format!("{part} image {} and training image {}", pair.image, pair.same_as))
}

/// A pixel value with at most four digits after the point.
fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}
