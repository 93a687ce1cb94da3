//! Which images each trial of a study learns from and is judged by.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use crate::data::{Folds, ImageDataset, Split, TrainValSplit, check_folds, fold_size};
use crate::error::Result;
use crate::study::{Study, Trial};

/// What decides it: seed, fold, images held out, whether each class gives its share.
type SplitKey = (u64, Option<usize>, usize, bool);

/// Splits that are cache for the next trial: of MNIST's 60,000 training images, 240 kB each. A study may have a hundred
/// thousand of them, so they are drawn when they are wanted.
const CACHE_SIZE: usize = 64;

pub(super) struct TrialSplits {
    images: Arc<ImageDataset>,
    folds: usize,
    /// The last ones that were wanted.
    cache: Mutex<VecDeque<(SplitKey, (Split, Split))>>,
}

fn key(trial: &Trial) -> SplitKey {
    let data = &trial.experiment.data;
    let validation = if trial.fold.is_some() { 0 } else { data.validation };
    (trial.experiment.seed, trial.fold, validation, data.stratified)
}

impl TrialSplits {
    /// # Errors
    /// More folds than images, or all of them held out.
    pub(super) fn new(images: Arc<ImageDataset>, study: &Study) -> Result<Self> {
        match study.folds {
            0 => TrainValSplit::check(images.len(), study.base.data.validation)?,
            folds => check_folds(images.len(), folds)?,
        }
        Ok(Self { images, folds: study.folds, cache: Mutex::default() })
    }

    /// The images that `trial` learns from and those that it is judged by.
    ///
    /// # Errors
    /// As [`TrialSplits::new`]'s.
    pub(super) fn get(&self, trial: &Trial) -> Result<(Split, Split)> {
        let key = key(trial);
        let cache = || self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, splits)) = cache().iter().find(|(other, _)| *other == key) {
            return Ok(splits.clone());
        }
        let TrainValSplit { train, validation } = self.draw(key)?;
        let split = |indices| Split::new(self.images.clone(), indices);
        let splits = (split(train), split(validation));
        let mut cache = cache();
        cache.truncate(CACHE_SIZE - 1);
        cache.push_front((key, splits.clone()));
        Ok(splits)
    }

    fn draw(&self, (seed, fold, validation, stratified): SplitKey) -> Result<TrainValSplit> {
        let labels = &self.images.labels;
        match fold {
            None => TrainValSplit::draw(labels, validation, stratified, seed),
            Some(fold) => Ok(Folds::draw(labels, self.folds, stratified, seed)?.holdout(fold)),
        }
    }

    /// How many training images there are, those held out included.
    pub(super) fn num_all_images(&self) -> usize {
        self.images.len()
    }

    /// How many images a trial learns from and is judged by.
    pub(super) fn num_images(&self, trial: &Trial) -> (usize, usize) {
        let all = self.images.len();
        let validation = match key(trial) {
            (_, Some(fold), ..) => fold_size(all, self.folds, fold),
            (_, None, validation, _) => validation,
        };
        (all - validation, validation)
    }
}
