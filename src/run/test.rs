//! Owns the content of `evaluation.json`: the test in detail, with the pixels of the misclassified
//! images that have the highest loss. So a page can be made from the run folder alone. Must not
//! know the network.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::data::{InputSpec, Split};
use crate::evaluation::Evaluation;

/// The evaluation of a run's network on the test images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TestEvaluation {
    /// The digest of the network's weights. `None` in tests of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights_sha256: Option<String>,
    /// The evaluation.
    #[serde(flatten)]
    pub evaluation: Evaluation,
    /// Image of each entry of `evaluation.top_losses`, one byte per pixel, row by row. 0 is background.
    /// In the file, each image is a Base64 text.
    #[serde(serialize_with = "write_base64", deserialize_with = "read_base64")]
    pub worst_pixels: Vec<Vec<u8>>,
}

impl TestEvaluation {
    /// Adds the misclassified images to an `evaluation` on `split` of the weights with the digest
    /// `weights_sha256`.
    pub fn new(evaluation: Evaluation, split: &Split, weights_sha256: String) -> Self {
        let worst_pixels =
            evaluation.top_losses.iter().map(|mistake| split.image(mistake.index).0.into_owned()).collect();
        Self { weights_sha256: Some(weights_sha256), evaluation, worst_pixels }
    }

    /// Returns whether the lists have the lengths and values that `layout` and the other lists
    /// require. This may be false for an edited file.
    pub(super) fn is_consistent(&self, layout: InputSpec) -> bool {
        let InputSpec { height, width, num_classes } = layout;
        let Evaluation { confusion, classes, top_losses, misclassified, num_images, .. } = &self.evaluation;
        let is_ascending = |images: &Vec<u32>| images.windows(2).all(|pair| pair[0] < pair[1]);
        let is_in_range = |images: &Vec<u32>| images.last().is_none_or(|&last| (last as usize) < *num_images);
        let is_complete = |images: &Vec<u32>| {
            confusion.num_correct().saturating_add(images.len() as u64) == *num_images as u64
        };
        confusion.counts.len() == num_classes
            && confusion.counts.iter().all(|row| row.len() == num_classes)
            && classes.len() == num_classes
            && misclassified
                .as_ref()
                .is_none_or(|images| is_ascending(images) && is_in_range(images) && is_complete(images))
            && top_losses.len() == self.worst_pixels.len()
            && self.worst_pixels.iter().all(|pixels| pixels.len() == height * width)
    }
}

fn write_base64<S: Serializer>(images: &[Vec<u8>], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(images.iter().map(|pixels| BASE64_STANDARD.encode(pixels)))
}

fn read_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Vec<u8>>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| BASE64_STANDARD.decode(text).map_err(serde::de::Error::custom)).collect()
}
