//! Owns the comparison of several networks on the same images, each with the first one. Depends on
//! `statistics`. Must not know runs or studies.

use serde::Serialize;

use crate::evaluation::Evaluation;
use crate::statistics::{holm, mcnemar, newcombe};

/// Method of comparing two networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// McNemar's exact test, image by image. The interval is that of Bonett and Price (2012).
    McnemarExact,
    /// Newcombe's interval (1998) of the difference of both accuracies, as if the images were
    /// different ones. It is used if the record of one network does not say which images it
    /// misclassifies.
    NewcombeUnpaired,
}

/// Comparison of a network with the first one, on the same images.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PairedTest {
    /// Method of the comparison.
    pub method: Method,
    /// Number of images that both networks classified.
    pub num_images: usize,
    /// Accuracy of this network minus that of the first one, in [−1, 1].
    pub difference: f64,
    /// 95 % interval of the difference, without a correction for several comparisons.
    pub interval: (f64, f64),
    /// Number of images that only this network classifies correctly. `None` without a test.
    pub only_this_right: Option<usize>,
    /// Number of images that only the first network classifies correctly. `None` without a test.
    pub only_first_right: Option<usize>,
    /// Two-sided p-value of the test, without a correction for several comparisons. `None` without
    /// a test.
    pub p_value: Option<f64>,
    /// p-value after Holm's correction for all networks that are tested against the first one.
    /// `None` without a test.
    pub p_holm: Option<f64>,
}

/// Compares each of `others` with `first`. All must be evaluations on the same images. Returns the
/// comparisons in the order of `others`.
pub fn paired_tests(first: &Evaluation, others: &[&Evaluation]) -> Vec<PairedTest> {
    let mut tests: Vec<PairedTest> = others.iter().map(|other| compare(first, other)).collect();
    let adjusted = holm(&tests.iter().filter_map(|test| test.p_value).collect::<Vec<_>>());
    let tested = tests.iter_mut().filter(|test| test.p_value.is_some());
    tested.zip(adjusted).for_each(|(test, p_value)| test.p_holm = Some(p_value));
    tests
}

/// Compares `other` with `first`, without Holm's correction.
fn compare(first: &Evaluation, other: &Evaluation) -> PairedTest {
    let num_images = first.num_images;
    let wrong = other.misclassified.as_ref().zip(first.misclassified.as_ref());
    let paired = wrong.map(|(other, first)| mcnemar(other, first, num_images));
    let unpaired = || newcombe((other.accuracy, num_images), (first.accuracy, num_images));
    PairedTest {
        method: if paired.is_some() { Method::McnemarExact } else { Method::NewcombeUnpaired },
        num_images,
        difference: paired.map_or(other.accuracy - first.accuracy, |paired| paired.difference),
        interval: paired.map_or_else(unpaired, |paired| paired.interval),
        only_this_right: paired.map(|paired| paired.only_first_right),
        only_first_right: paired.map(|paired| paired.only_second_right),
        p_value: paired.map(|paired| paired.p_value),
        p_holm: None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
