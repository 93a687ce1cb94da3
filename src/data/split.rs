//! Owns the division of the training images into images to train on and images held out, drawn from
//! a seed. Must not know pixels: it works on labels and indices alone.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rand::Rng;
use rand::seq::SliceRandom;

use crate::error::{Error, Result, ensure};
use crate::util::format::counted;
use crate::util::rng::{RngStream, rng};

/// Indices of the training images and of the validation images in the training part of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrainValSplit {
    /// Indices of the images trained on, ascending.
    pub train: Vec<u32>,
    /// Indices of the images held out for validation, ascending.
    pub validation: Vec<u32>,
}

impl TrainValSplit {
    /// Checks that at least one image is left to train on.
    ///
    /// # Errors
    /// `validation` is not below `num_images`.
    pub fn check(num_images: usize, validation: usize) -> Result<()> {
        if validation < num_images {
            return Ok(());
        }
        Err(Error::config(format!(
            "`data.validation` is {validation}, expected less than the {num_images} training images"
        ))
        .hint(match num_images {
            0 | 1 => "more images are needed: one to hold out and one to train on".to_owned(),
            _ => format!("hold a tenth of them out: `--set data.validation={}`", (num_images / 10).max(1)),
        }))
    }

    /// Holds out `validation` of the images with these `labels`, drawn from `seed`.
    ///
    /// If `stratified`, the number of images of each class is proportional to its size, to within
    /// one image.
    ///
    /// # Errors
    /// No image would be left to train on.
    pub fn draw(labels: &[u16], validation: usize, stratified: bool, seed: u64) -> Result<Self> {
        Self::check(labels.len(), validation)?;
        let rng = rng(seed, RngStream::TrainValSplit, 0);
        let (train, mut validation) = hold_out(labels, validation, stratified, rng);
        validation.shrink_to_fit();
        Ok(Self { train, validation })
    }
}

/// Chooses `share` of the images with these `labels` as test images, for a data set that has none.
/// Each class has its share of them, to within one image. There is at least one test image.
///
/// Returns the indices of the other images and of the test images, both ascending.
///
/// # Errors
/// No other image would be left.
pub fn draw_test(labels: &[u16], share: f64, seed: u64) -> Result<(Vec<u32>, Vec<u32>)> {
    let count = ((labels.len() as f64 * share).round() as usize).max(1);
    if count >= labels.len() {
        let images = counted(labels.len(), "image", "images");
        return Err(Error::config(format!(
            "`data.test` is {share}, and of {images} none is left to train on"
        )));
    }
    Ok(hold_out(labels, count, true, rng(seed, RngStream::TestSplit, 0)))
}

/// Takes `count` of the images with these `labels` out of a trial's training images, as stopping
/// images: early stopping watches their loss. `seed` and `fold` decide which. If `stratified`, each
/// class has its share of them, to within one image.
///
/// Returns the positions of the other images and of the stopping images, both ascending. `count`
/// must not be above the number of images.
pub(crate) fn draw_stopping(
    labels: &[u16],
    count: usize,
    stratified: bool,
    seed: u64,
    fold: usize,
) -> (Vec<u32>, Vec<u32>) {
    hold_out(labels, count, stratified, rng(seed, RngStream::StoppingSplit, fold as u64))
}

/// Takes `count` of the images with these `labels` out. Returns the indices of the others and of
/// those taken out, both ascending.
fn hold_out(labels: &[u16], count: usize, stratified: bool, mut rng: impl Rng) -> (Vec<u32>, Vec<u32>) {
    let mut order: Vec<u32> = (0..labels.len() as u32).collect();
    order.shuffle(&mut rng);
    if stratified {
        order = stratify(&order, labels);
    }
    let mut rest = order.split_off(count);
    rest.sort_unstable();
    order.sort_unstable();
    (rest, order)
}

/// Division of images into folds, drawn from a seed. Each image is held out in exactly one fold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folds {
    /// Fold of each image, from 0.
    fold_of: Vec<u8>,
}

/// Largest number of folds. The fold of an image is stored in one byte.
const MAX_FOLDS: usize = 256;

impl Folds {
    /// Divides the images with these `labels` into `num_folds` folds.
    ///
    /// If `stratified`, all folds have the same number of images of each class, to within one
    /// image, as with scikit-learn's `StratifiedKFold`. The sizes of the folds differ by at most
    /// one image.
    ///
    /// # Errors
    /// Fewer images than folds, or more than 256 folds.
    pub fn draw(labels: &[u16], num_folds: usize, stratified: bool, seed: u64) -> Result<Self> {
        check_folds(labels.len(), num_folds)?;
        let mut order: Vec<u32> = (0..labels.len() as u32).collect();
        order.shuffle(&mut rng(seed, RngStream::Folds, 0));
        if stratified {
            // The images are assigned to the folds in turn, class after class: each fold has every
            // `num_folds`-th image of a class.
            order.sort_by_key(|&index| labels[index as usize]);
        }
        let mut fold_of = vec![0; labels.len()];
        for (rank, &index) in order.iter().enumerate() {
            fold_of[index as usize] = (rank % num_folds) as u8;
        }
        Ok(Self { fold_of })
    }

    /// Returns the split whose validation images are those of `fold`, which is counted from 0.
    pub fn train_val_split(&self, fold: usize) -> TrainValSplit {
        let (validation, train) = (0..self.fold_of.len() as u32)
            .partition(|&index| usize::from(self.fold_of[index as usize]) == fold);
        TrainValSplit { train, validation }
    }
}

/// Number of images of `fold`, which is counted from 0, out of `num_images`.
pub fn fold_size(num_images: usize, num_folds: usize, fold: usize) -> usize {
    num_images / num_folds + usize::from(fold < num_images % num_folds)
}

/// Checks that `num_images` can be divided into `num_folds` folds.
///
/// # Errors
/// Fewer images than folds, or more than 256 folds.
pub fn check_folds(num_images: usize, num_folds: usize) -> Result<()> {
    ensure(num_folds <= MAX_FOLDS, "folds", num_folds, "at most 256")?;
    if num_folds <= num_images {
        return Ok(());
    }
    let images = counted(num_images, "training image", "training images");
    Err(Error::config(format!("{num_folds} folds of {images}")).hint("there must be an image for each fold"))
}

/// Reorders `order` so that every prefix has each class in proportion, to within one image. The
/// image that is the k-th of the n images of its class, counted from 0, gets the sort key (k + ½) /
/// n.
fn stratify(order: &[u32], labels: &[u16]) -> Vec<u32> {
    let num_classes = labels.iter().max().map_or(0, |&label| usize::from(label) + 1);
    let mut sizes = vec![0usize; num_classes];
    labels.iter().for_each(|&label| sizes[usize::from(label)] += 1);
    // The positions of each class's images in `order`. The heap has the next image of each class,
    // smallest key first. Images with equal keys keep their shuffled order.
    let mut positions: Vec<Vec<u32>> = sizes.iter().map(|&size| Vec::with_capacity(size)).collect();
    for (position, &index) in (0..).zip(order) {
        positions[usize::from(labels[index as usize])].push(position);
    }
    let entry = |class: usize, nth: usize| {
        let position = *positions[class].get(nth)?;
        let key = (nth as f64 + 0.5) / sizes[class] as f64;
        // The bits of positive floats have the same order as the floats.
        Some(Reverse((key.to_bits(), position, class, nth)))
    };
    let mut next: BinaryHeap<_> = (0..num_classes).filter_map(|class| entry(class, 0)).collect();
    let mut stratified = Vec::with_capacity(order.len());
    while let Some(Reverse((_, position, class, nth))) = next.pop() {
        stratified.push(order[position as usize]);
        next.extend(entry(class, nth + 1));
    }
    stratified
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
