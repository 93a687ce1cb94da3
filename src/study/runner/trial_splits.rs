//! Owns the training and validation images of each trial of a study. Depends on `data`.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::data::{Folds, Split, TrainValSplit, check_folds, fold_size};
use crate::error::Result;
use crate::study::{Study, Trial};

/// Values that decide a split: seed, fold, number of validation images of a study without folds,
/// whether the split is stratified.
type SplitKey = (u64, Option<usize>, usize, bool);

/// Number of splits that are kept for the next trials. With MNIST's 60,000 training images each
/// takes 240 kB. A study may have a hundred thousand of them, so they are drawn on demand.
const CACHE_SIZE: usize = 64;

/// The training part of a data set, and its split into training and validation images for each
/// trial.
pub(super) struct TrialSplits {
    images: Split,
    /// Number of folds, or 0 without cross-validation.
    folds: usize,
    /// The splits that were drawn last, newest first.
    cache: Mutex<VecDeque<(SplitKey, (Split, Split))>>,
}

fn key(trial: &Trial) -> SplitKey {
    let data = &trial.experiment.data;
    let validation = if trial.fold.is_some() { 0 } else { data.validation };
    (trial.experiment.seed, trial.fold, validation, data.stratified)
}

impl TrialSplits {
    /// Creates the splits of `study` over `images`.
    ///
    /// # Errors
    /// There are more folds than images, or no image is left to learn from.
    pub(super) fn new(images: Split, study: &Study) -> Result<Self> {
        match study.folds {
            0 => TrainValSplit::check(images.len(), study.base.data.validation)?,
            folds => check_folds(images.len(), folds)?,
        }
        Ok(Self { images, folds: study.folds, cache: Mutex::default() })
    }

    /// Returns the training images and the validation images of `trial`.
    ///
    /// # Errors
    /// The same as those of [`TrialSplits::new`].
    pub(super) fn get(&self, trial: &Trial) -> Result<(Split, Split)> {
        let key = key(trial);
        let cache = || self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, splits)) = cache().iter().find(|(other, _)| *other == key) {
            return Ok(splits.clone());
        }
        let TrainValSplit { train, validation } = self.draw(key)?;
        let splits = (self.images.select(&train), self.images.select(&validation));
        let mut cache = cache();
        cache.truncate(CACHE_SIZE - 1);
        cache.push_front((key, splits.clone()));
        Ok(splits)
    }

    /// Draws the split of `key`. It is the same every time, since the seed decides it.
    fn draw(&self, (seed, fold, validation, stratified): SplitKey) -> Result<TrainValSplit> {
        let labels = &self.images.labels();
        match fold {
            None => TrainValSplit::draw(labels, validation, stratified, seed),
            Some(fold) => Ok(Folds::draw(labels, self.folds, stratified, seed)?.train_val_split(fold)),
        }
    }

    /// Number of all images of the training part, including the validation images.
    pub(super) fn num_all_images(&self) -> usize {
        self.images.len()
    }

    /// Number of training images and of validation images of a trial, without drawing the split.
    pub(super) fn num_images(&self, trial: &Trial) -> (usize, usize) {
        let all = self.images.len();
        let validation = match key(trial) {
            (_, Some(fold), ..) => fold_size(all, self.folds, fold),
            (_, None, validation, _) => validation,
        };
        (all - validation, validation)
    }
}
