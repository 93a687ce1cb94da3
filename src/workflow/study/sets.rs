//! Which images each trial of a study learns from and is judged by.

use std::collections::HashMap;
use std::sync::Arc;

use crate::data::{Holdout, Images, Split, folds};
use crate::error::Result;
use crate::study::{Study, Trial};

/// What decides it: seed, fold, images held out, whether each class gives its share.
type Key = (u64, Option<usize>, usize, bool);

pub(super) struct Sets {
    sets: HashMap<Key, (Split, Split)>,
}

fn key(trial: &Trial) -> Key {
    let data = &trial.experiment.data;
    let validation = if trial.fold.is_some() { 0 } else { data.validation };
    (trial.experiment.seed, trial.fold, validation, data.stratified)
}

impl Sets {
    pub(super) fn new(images: Arc<Images>, study: &Study, trials: &[Trial]) -> Result<Self> {
        let mut sets = HashMap::new();
        let split = |holdout: Holdout| {
            (Split::new(images.clone(), holdout.train), Split::new(images.clone(), holdout.validation))
        };
        for trial in trials {
            let key @ (seed, fold, validation, stratified) = key(trial);
            if sets.contains_key(&key) {
                continue;
            }
            match fold {
                None => {
                    let holdout = Holdout::draw(&images.labels, validation, stratified, seed)?;
                    sets.insert(key, split(holdout));
                }
                Some(_) => {
                    let all = folds(&images.labels, study.folds, stratified, seed)?;
                    for (fold, holdout) in all.into_iter().enumerate() {
                        sets.insert((seed, Some(fold), validation, stratified), split(holdout));
                    }
                }
            }
        }
        Ok(Self { sets })
    }

    /// The images that `trial` learns from and those that it is judged by.
    pub(super) fn of(&self, trial: &Trial) -> (Split, Split) {
        self.sets[&key(trial)].clone()
    }

    pub(super) fn num_images(&self, trial: &Trial) -> (usize, usize) {
        let (train, validation) = &self.sets[&key(trial)];
        (train.len(), validation.len())
    }
}
