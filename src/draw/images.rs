//! Owns the choice of the images in the page: the worst mistakes, and images at regular distances.
//! Must not know the page.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;

use crate::evaluation::Prediction;
use crate::pipeline::EvalSet;

/// Largest number of misclassified images, of those at regular distances, and of the bytes of all.
const MAX_MISTAKES: usize = 12;
const MAX_REGULAR: usize = 24;
const MAX_BYTES: usize = 1 << 20;

/// Images to click through.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct PageImages {
    /// Name of the images for people: `test`.
    name: String,
    /// Position of each image in its split. The worst mistakes come first.
    indices: Vec<usize>,
    /// True class of each image. Empty if the images have no labels.
    labels: Vec<usize>,
    /// Pixels of all images, one after the other, in base64.
    pixels: String,
}

impl PageImages {
    pub(super) fn len(&self) -> usize {
        self.indices.len()
    }
}

/// Chooses images of `images`, whose predictions are given in their order.
pub(super) fn choose(images: &EvalSet, predictions: &[Prediction]) -> PageImages {
    let split = &images.split;
    let labels: Vec<usize> = match split.is_labelled() {
        true => (0..split.len()).map(|index| usize::from(split.label(index))).collect(),
        false => Vec::new(),
    };
    let (height, width) = split.image_size();
    let most = MAX_BYTES / (height * width).max(1);
    let indices = positions(&labels, predictions, most);
    let mut pixels = Vec::with_capacity(indices.len() * height * width);
    indices.iter().for_each(|&index| split.pixels(index).append_to(&mut pixels));
    PageImages {
        // Not the place of the data set, which is of no use to other people.
        name: images.name.to_string(),
        labels: indices.iter().filter_map(|&index| labels.get(index)).copied().collect(),
        indices,
        pixels: BASE64_STANDARD.encode(pixels),
    }
}

/// Positions of up to `most` images: the misclassified ones of the highest loss, worst first, then images at
/// regular distances. `labels` is empty if the images have none.
fn positions(labels: &[usize], predictions: &[Prediction], most: usize) -> Vec<usize> {
    let pairs = labels.iter().zip(predictions).enumerate();
    let mut wrong: Vec<(usize, f64)> = pairs
        .filter(|(_, (label, prediction))| **label != prediction.class)
        .map(|(index, (&label, prediction))| (index, prediction.loss(label)))
        .collect();
    wrong.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    wrong.truncate(MAX_MISTAKES.min(most / 2));
    let mut chosen: Vec<usize> = wrong.into_iter().map(|(index, _)| index).collect();
    chosen.extend(regular(predictions.len(), MAX_REGULAR.min(most - chosen.len()), &chosen));
    chosen
}

/// Up to `count` positions of `len` at regular distances, without those in `taken`.
fn regular(len: usize, count: usize, taken: &[usize]) -> Vec<usize> {
    let count = count.min(len);
    (0..count).map(|step| step * len / count.max(1)).filter(|index| !taken.contains(index)).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
