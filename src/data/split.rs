//! Which images belong to which split: indices only, drawn from the experiment's seed.

use rand::seq::SliceRandom;

use crate::error::{Error, Result};
use crate::number::counted;
use crate::random::{Purpose, stream};

/// Indices into the training part of a data set: what is trained on and what is held out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holdout {
    /// Images trained on, ascending.
    pub train: Vec<u32>,
    /// Images held out for validation, ascending.
    pub validation: Vec<u32>,
}

impl Holdout {
    /// Holds `validation` of the images with these `labels` out, drawn from `seed`.
    ///
    /// When `stratified`, each class gives its share, to within one image.
    ///
    /// # Errors
    /// When fewer than one image would be left to train on.
    pub fn draw(labels: &[u8], validation: usize, stratified: bool, seed: u64) -> Result<Self> {
        if validation >= labels.len() {
            return Err(Error::new(format!(
                "`data.validation` is {validation}, expected less than the {} training images",
                labels.len()
            )));
        }
        let mut order: Vec<u32> = (0..labels.len() as u32).collect();
        order.shuffle(&mut stream(seed, Purpose::Holdout, 0));
        if stratified {
            order = spread_classes(&order, labels);
        }
        let (held_out, rest) = order.split_at(validation);
        let sorted = |indices: &[u32]| {
            let mut indices = indices.to_vec();
            indices.sort_unstable();
            indices
        };
        Ok(Self { train: sorted(rest), validation: sorted(held_out) })
    }
}

/// Cuts the images with these `labels` into `num_folds` folds, drawn from `seed`: every image is held out in exactly one.
///
/// When `stratified`, each class is spread over the folds to within one image, as scikit-learn's `StratifiedKFold` does.
/// The folds' sizes differ by one image at the most.
///
/// # Errors
/// Fewer images than folds.
pub fn folds(labels: &[u8], num_folds: usize, stratified: bool, seed: u64) -> Result<Vec<Holdout>> {
    if num_folds > labels.len() {
        return Err(Error::new(format!(
            "{num_folds} folds of {}",
            counted(labels.len(), "training image", "training images")
        ))
        .hint("there must be an image for each fold"));
    }
    let mut order: Vec<u32> = (0..labels.len() as u32).collect();
    order.shuffle(&mut stream(seed, Purpose::Folds, 0));
    if stratified {
        // Dealt out class after class, like cards: each fold gets every `num_folds`-th image of a class.
        order.sort_by_key(|&index| labels[index as usize]);
    }
    let mut fold_of = vec![0; labels.len()];
    for (place, &index) in order.iter().enumerate() {
        fold_of[index as usize] = place % num_folds;
    }
    let fold = |fold: usize| {
        let (validation, train) =
            (0..labels.len() as u32).partition(|&index| fold_of[index as usize] == fold);
        Holdout { train, validation }
    };
    Ok((0..num_folds).map(fold).collect())
}

/// Reorders `order` so that every prefix holds each class in proportion, to within one image: the image that
/// is the k-th of n in its class goes to place (k + ½) / n of the whole.
fn spread_classes(order: &[u32], labels: &[u8]) -> Vec<u32> {
    let mut sizes = [0u32; 256];
    labels.iter().for_each(|&label| sizes[usize::from(label)] += 1);
    let mut seen = [0u32; 256];
    let mut placed: Vec<(f64, u32)> = order
        .iter()
        .map(|&index| {
            let class = usize::from(labels[index as usize]);
            let place = (f64::from(seen[class]) + 0.5) / f64::from(sizes[class]);
            seen[class] += 1;
            (place, index)
        })
        .collect();
    // Stable: images of equal place keep their shuffled order.
    placed.sort_by(|a, b| a.0.total_cmp(&b.0));
    placed.into_iter().map(|(_, index)| index).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// 700 images of class 0, 200 of class 1, 100 of class 2, in runs.
    fn labels() -> Vec<u8> {
        [vec![0; 700], vec![1; 200], vec![2; 100]].concat()
    }

    #[test]
    fn every_image_is_in_exactly_one_split() {
        for stratified in [false, true] {
            let holdout = Holdout::draw(&labels(), 137, stratified, 5).unwrap();
            assert_eq!(holdout.validation.len(), 137);
            let mut all = [holdout.train.clone(), holdout.validation.clone()].concat();
            all.sort_unstable();
            assert_eq!(all, (0..1000).collect::<Vec<u32>>());
        }
    }

    #[test]
    fn a_stratified_holdout_keeps_the_classes_shares() {
        let labels = labels();
        for seed in 0..20 {
            let holdout = Holdout::draw(&labels, 100, true, seed).unwrap();
            let count =
                |class| holdout.validation.iter().filter(|&&i| labels[i as usize] == class).count() as i64;
            assert!((count(0) - 70).abs() <= 1, "class 0: {}", count(0));
            assert!((count(1) - 20).abs() <= 1, "class 1: {}", count(1));
            assert!((count(2) - 10).abs() <= 1, "class 2: {}", count(2));
        }
    }

    #[test]
    fn the_seed_decides_which_images_are_held_out() {
        let draw = |seed| Holdout::draw(&labels(), 100, true, seed).unwrap();
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    /// 1000 images in 7 folds of 142 or 143; 700, 200 and 100 images of a class make 100, 28 or 29, 14 or 15 a fold.
    #[test]
    fn folds_hold_each_image_out_once_and_keep_the_classes_shares() {
        let labels = labels();
        for (stratified, seed) in [(true, 1), (true, 2), (false, 1)] {
            let folds = folds(&labels, 7, stratified, seed).unwrap();
            assert_eq!(folds.len(), 7);
            let mut held_out: Vec<u32> = folds.iter().flat_map(|fold| fold.validation.clone()).collect();
            held_out.sort_unstable();
            assert_eq!(held_out, (0..1000).collect::<Vec<u32>>());
            for Holdout { train, validation } in &folds {
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
        assert_ne!(folds(&labels, 7, true, 1).unwrap(), folds(&labels, 7, true, 2).unwrap());
        assert_eq!(folds(&labels, 7, true, 1).unwrap(), folds(&labels, 7, true, 1).unwrap());
        assert_eq!(folds(&labels[..2], 3, true, 1).unwrap_err().message(), "3 folds of 2 training images");
    }

    #[test]
    fn nothing_held_out_trains_on_all() {
        let holdout = Holdout::draw(&labels(), 0, true, 1).unwrap();
        assert_eq!((holdout.train.len(), holdout.validation.len()), (1000, 0));
    }

    #[test]
    fn holding_out_everything_is_refused() {
        let error = Holdout::draw(&[0, 1, 2], 3, true, 1).unwrap_err();
        assert_eq!(error.to_string(), "`data.validation` is 3, expected less than the 3 training images");
    }
}
