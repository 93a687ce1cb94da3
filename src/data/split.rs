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
mod tests {
    use super::*;

    /// Labels of 700 images of class 0, 200 of class 1, 100 of class 2, in this order.
    fn labels() -> Vec<u16> {
        [vec![0; 700], vec![1; 200], vec![2; 100]].concat()
    }

    #[test]
    fn every_image_is_in_exactly_one_split() {
        for stratified in [false, true] {
            let split = TrainValSplit::draw(&labels(), 137, stratified, 5).unwrap();
            assert_eq!(split.validation.len(), 137);
            let mut all = [split.train.clone(), split.validation.clone()].concat();
            all.sort_unstable();
            assert_eq!(all, (0..1000).collect::<Vec<u32>>());
        }
    }

    #[test]
    fn a_stratified_split_keeps_the_classes_shares() {
        let labels = labels();
        for seed in 0..20 {
            let split = TrainValSplit::draw(&labels, 100, true, seed).unwrap();
            let count =
                |class| split.validation.iter().filter(|&&i| labels[i as usize] == class).count() as i64;
            assert!((count(0) - 70).abs() <= 1, "class 0: {}", count(0));
            assert!((count(1) - 20).abs() <= 1, "class 1: {}", count(1));
            assert!((count(2) - 10).abs() <= 1, "class 2: {}", count(2));
        }
    }

    /// The rule of the documentation, computed slowly: sorted by key, images with equal keys in
    /// shuffled order.
    #[test]
    fn classes_are_stratified_by_the_keys_of_their_images() {
        for labels in [labels(), [0, 1, 2, 2, 1, 0, 9].repeat(30), vec![3; 5], vec![255, 0]] {
            let mut order: Vec<u32> = (0..labels.len() as u32).collect();
            order.shuffle(&mut rng(1, RngStream::TrainValSplit, 0));
            let count = |class: u16, images: &[u32]| {
                images.iter().filter(|&&image| labels[image as usize] == class).count() as f64
            };
            let mut expected: Vec<(f64, u32)> = Vec::new();
            for (position, &image) in order.iter().enumerate() {
                let class = labels[image as usize];
                expected.push(((count(class, &order[..position]) + 0.5) / count(class, &order), image));
            }
            expected.sort_by(|a, b| a.0.total_cmp(&b.0));
            let expected: Vec<u32> = expected.into_iter().map(|(_, image)| image).collect();
            assert_eq!(stratify(&order, &labels), expected);
        }
    }

    #[test]
    fn the_seed_decides_which_images_are_held_out() {
        let draw = |seed| TrainValSplit::draw(&labels(), 100, true, seed).unwrap();
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    /// 1000 images in 7 folds of 142 or 143 images. Classes of 700, 200 and 100 images have 100, 28
    /// or 29, and 14 or 15 images per fold.
    #[test]
    fn folds_hold_each_image_out_once_and_keep_the_classes_shares() {
        let labels = labels();
        for (stratified, seed) in [(true, 1), (true, 2), (false, 1)] {
            let drawn = Folds::draw(&labels, 7, stratified, seed).unwrap();
            let folds: Vec<_> = (0..7).map(|fold| drawn.train_val_split(fold)).collect();
            let sizes: Vec<_> = (0..7).map(|fold| fold_size(1000, 7, fold)).collect();
            assert_eq!(folds.iter().map(|fold| fold.validation.len()).collect::<Vec<_>>(), sizes);
            let mut held_out: Vec<u32> = folds.iter().flat_map(|fold| fold.validation.clone()).collect();
            held_out.sort_unstable();
            assert_eq!(held_out, (0..1000).collect::<Vec<u32>>());
            for TrainValSplit { train, validation } in &folds {
                let mut all = [train.clone(), validation.clone()].concat();
                all.sort_unstable();
                assert_eq!(all, (0..1000).collect::<Vec<u32>>());
                assert!([142, 143].contains(&validation.len()));
                let count = |class| validation.iter().filter(|&&i| labels[i as usize] == class).count();
                let shares = [count(0), count(1), count(2)];
                let fits = shares[0] == 100 && [28, 29].contains(&shares[1]) && [14, 15].contains(&shares[2]);
                assert_eq!(fits, stratified, "{shares:?}");
            }
        }
        let draw = |seed| Folds::draw(&labels, 7, true, seed).unwrap();
        assert_ne!(draw(1), draw(2));
        assert_eq!(draw(1), draw(1));
        let few = Folds::draw(&labels[..2], 3, true, 1).unwrap_err();
        assert_eq!(few.message(), "3 folds of 2 training images");
    }

    /// 10 % of 700, 200 and 100 images.
    #[test]
    fn test_images_are_a_share_of_each_class() {
        let labels = labels();
        let (train, test) = draw_test(&labels, 0.1, 1).unwrap();
        let count = |class| test.iter().filter(|&&i| labels[i as usize] == class).count();
        assert_eq!([count(0), count(1), count(2)], [70, 20, 10]);
        let mut all = [train.clone(), test.clone()].concat();
        all.sort_unstable();
        assert_eq!(all, (0..1000).collect::<Vec<u32>>());
        assert_eq!(draw_test(&labels, 0.1, 1).unwrap(), (train, test.clone()));
        assert_ne!(draw_test(&labels, 0.1, 2).unwrap().1, test);
        assert_eq!(draw_test(&labels[..5], 0.01, 1).unwrap().1.len(), 1);
        let error = draw_test(&labels[..1], 0.5, 1).unwrap_err();
        assert_eq!(error.message(), "`data.test` is 0.5, and of 1 image none is left to train on");
    }

    #[test]
    fn nothing_held_out_trains_on_all() {
        let split = TrainValSplit::draw(&labels(), 0, true, 1).unwrap();
        assert_eq!((split.train.len(), split.validation.len()), (1000, 0));
    }

    #[test]
    fn holding_out_everything_is_refused() {
        let error = TrainValSplit::draw(&[0, 1, 2], 3, true, 1).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`data.validation` is 3, expected less than the 3 training images\n\nhint: hold a tenth of them out: \
             `--set data.validation=1`"
        );
        let hint = |num_images| TrainValSplit::check(num_images, 5000).unwrap_err().to_string();
        assert!(
            hint(156).ends_with("`--set data.validation=15`") && hint(1).contains("more images are needed")
        );
    }
}
