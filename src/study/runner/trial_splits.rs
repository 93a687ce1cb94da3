//! Owns the images of each trial of a study: training, stopping and validation images. Depends on
//! `data`.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::data::{Folds, Split, TrainValSplit, check_folds, draw_stopping, fold_size};
use crate::error::Result;
use crate::study::choice::num_stopping_images;
use crate::study::{Study, Trial};

/// Values that decide a split: seed, fold, number of validation images of a study without folds,
/// whether the split is stratified, number of stopping images.
type SplitKey = (u64, Option<usize>, usize, bool, usize);

/// Number of splits that are kept for the next trials. With MNIST's 60,000 training images each
/// takes 240 kB. A study may have a hundred thousand of them, so they are drawn on demand.
const CACHE_SIZE: usize = 64;

/// Images of a trial.
#[derive(Debug, Clone)]
pub(super) struct TrialImages {
    /// Images that the network learns from.
    pub(super) train: Split,
    /// Images whose loss early stopping watches, if it has its own.
    pub(super) stopping: Option<Split>,
    /// Images that the trial is judged by.
    pub(super) validation: Split,
}

/// Numbers of the images of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NumImages {
    /// Number of training images, without the stopping images.
    pub(super) train: usize,
    /// Number of stopping images, or 0.
    pub(super) stopping: usize,
    /// Number of validation images.
    pub(super) validation: usize,
}

/// The training part of a data set, and its split into training, stopping and validation images for
/// each trial.
pub(super) struct TrialSplits {
    images: Split,
    /// Number of folds, or 0 without cross-validation.
    folds: usize,
    /// Number of stopping images of trials with early stopping. 0 if there are none.
    num_stopping: usize,
    /// The splits that were drawn last, newest first.
    cache: Mutex<VecDeque<(SplitKey, TrialImages)>>,
}

impl TrialSplits {
    /// Creates the splits of `study` over `images` of `num_classes` classes.
    ///
    /// # Errors
    /// There are more folds than images, or no image is left to learn from.
    pub(super) fn new(images: Split, num_classes: usize, study: &Study) -> Result<Self> {
        let all = images.len();
        // The first fold is the largest one.
        let validation = match study.folds {
            0 => study.base.data.validation,
            folds => {
                check_folds(all, folds)?;
                fold_size(all, folds, 0)
            }
        };
        if study.folds == 0 {
            TrainValSplit::check(all, validation)?;
        }
        let num_stopping = num_stopping_images(all - validation, num_classes, study.stopping_share);
        Ok(Self {
            images,
            folds: study.folds,
            num_stopping: num_stopping.unwrap_or(0),
            cache: Mutex::default(),
        })
    }

    fn key(&self, trial: &Trial) -> SplitKey {
        let data = &trial.experiment.data;
        let validation = if trial.fold.is_some() { 0 } else { data.validation };
        let is_stopped = trial.experiment.training.early_stopping.is_some();
        let stopping = if is_stopped { self.num_stopping } else { 0 };
        (trial.experiment.seed, trial.fold, validation, data.stratified, stopping)
    }

    /// Returns the images of `trial`.
    ///
    /// # Errors
    /// The same as those of [`TrialSplits::new`].
    pub(super) fn get(&self, trial: &Trial) -> Result<TrialImages> {
        let key = self.key(trial);
        let cache = || self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, images)) = cache().iter().find(|(other, _)| *other == key) {
            return Ok(images.clone());
        }
        let images = self.draw(key)?;
        let mut cache = cache();
        cache.truncate(CACHE_SIZE - 1);
        cache.push_front((key, images.clone()));
        Ok(images)
    }

    /// Draws the images of `key`. They are the same every time, since the seed decides them. The
    /// stopping images come out of the training images: the validation images are those of a trial
    /// without early stopping.
    fn draw(&self, (seed, fold, validation, stratified, stopping): SplitKey) -> Result<TrialImages> {
        let labels = &self.images.labels();
        let split = match fold {
            None => TrainValSplit::draw(labels, validation, stratified, seed)?,
            Some(fold) => Folds::draw(labels, self.folds, stratified, seed)?.train_val_split(fold),
        };
        let (train, validation) = (self.images.select(&split.train), self.images.select(&split.validation));
        if stopping == 0 {
            return Ok(TrialImages { train, stopping: None, validation });
        }
        let (rest, stopping) = draw_stopping(&train.labels(), stopping, stratified, seed, fold.unwrap_or(0));
        Ok(TrialImages { train: train.select(&rest), stopping: Some(train.select(&stopping)), validation })
    }

    /// Number of all images of the training part, including the validation images.
    pub(super) fn num_all_images(&self) -> usize {
        self.images.len()
    }

    /// Numbers of the images of a trial, without drawing the split.
    pub(super) fn num_images(&self, trial: &Trial) -> NumImages {
        let all = self.images.len();
        let (_, fold, validation, _, stopping) = self.key(trial);
        let validation = fold.map_or(validation, |fold| fold_size(all, self.folds, fold));
        NumImages { train: all - validation - stopping, stopping, validation }
    }
}

/// Number of images of each class, in the order of the classes, from the labels of the images.
pub(super) fn class_sizes(labels: &[u16]) -> Vec<usize> {
    let num_classes = labels.iter().max().map_or(0, |&label| usize::from(label) + 1);
    let mut sizes = vec![0; num_classes];
    labels.iter().for_each(|&label| sizes[usize::from(label)] += 1);
    sizes
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
