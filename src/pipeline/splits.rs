//! Which images an experiment learns from, watches and is tested on.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::data::{EVALUATION_BATCH_SIZE, ImageDataset, InputSpec, Source, Split, Subset, TrainValSplit};
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::util::format::grouped;
use crate::util::memory;

/// Part of a data set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum SplitName {
    /// The images that training never sees
    #[default]
    Test,
    /// The training images held out by `data.validation`
    Validation,
    /// The images trained on
    Train,
}

impl std::fmt::Display for SplitName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Test => "test",
            Self::Validation => "validation",
            Self::Train => "train",
        })
    }
}

/// All images of an experiment.
#[derive(Debug, Clone)]
pub struct Splits {
    /// The images trained on.
    pub train: Split,
    /// The images held out; may be none.
    pub validation: Split,
    /// The images tested on, of the same layout.
    pub test: Split,
    /// What all of them have in common.
    pub layout: InputSpec,
}

impl Splits {
    /// Reads and splits the data set of `experiment`.
    ///
    /// # Errors
    /// As [`Source::load`]'s, test images that do not fit the training images, or too many held out.
    pub fn load(experiment: &Experiment) -> Result<Self> {
        let source = experiment.data.source();
        let images = source.load(Subset::Train)?;
        let layout = images.layout();
        // Read now so that a test set that does not fit ends a run before it starts; used after the last step.
        let test = source.load(Subset::Test)?;
        test.check_layout(layout)?;
        let (train, validation) = hold_out(experiment, images)?;
        Ok(Self { train, validation, test: Split::whole(test), layout })
    }

    /// Checks that the network of `experiment` can be trained on these images.
    ///
    /// # Errors
    /// One class only, or a network or batch that is too large.
    pub fn check_trainable(&self, experiment: &Experiment) -> Result<()> {
        check_trainable(experiment, self.layout, self.train.len())
    }

    /// One of the three.
    ///
    /// # Errors
    /// The validation images where none are held out.
    pub fn get(&self, name: SplitName) -> Result<&Split> {
        match name {
            SplitName::Train => Ok(&self.train),
            SplitName::Test => Ok(&self.test),
            SplitName::Validation if self.validation.is_empty() => {
                Err(Error::new("there are no validation images: this experiment holds none out")
                    .hint("hold some out: `--set data.validation=10000`"))
            }
            SplitName::Validation => Ok(&self.validation),
        }
    }
}

/// Checks that the network of `experiment` can be trained on `num_train` images of `layout`: classes to tell apart, and a
/// size that memory can hold.
pub(crate) fn check_trainable(experiment: &Experiment, layout: InputSpec, num_train: usize) -> Result<()> {
    let InputSpec { height, width, num_classes } = layout;
    check_classes(experiment, layout)?;
    let largest_batch = experiment.training.batch_size.min(num_train).max(EVALUATION_BATCH_SIZE);
    experiment.model.check_memory(height * width, num_classes, largest_batch)?;
    experiment.model.check_weights(height * width, num_classes)?;
    let sizes = experiment.model.sizes(height * width, num_classes);
    let weights: u128 = sizes.windows(2).map(|pair| (pair[0] as u128 + 1) * pair[1] as u128).sum();
    let values: u128 = sizes.iter().map(|&size| size as u128).sum();
    let per_weight = HELD_PER_WEIGHT + HELD_PER_STATE * u128::from(experiment.optimizer.numbers_per_weight());
    let bytes = 4 * (weights * per_weight + values * largest_batch as u128);
    memory::check(bytes, &format!("a training of {} parameters", grouped(weights as usize)))
}

/// Numbers that a training holds at its peak for each weight: itself, its gradient, and copies of it on the way into a
/// checkpoint and out of a step. As measured: plain SGD holds 29 bytes for each weight.
const HELD_PER_WEIGHT: u128 = 7;
/// The same for each number that the optimizer keeps for a weight: with momentum it is 41 bytes, with Adam 55.
const HELD_PER_STATE: u128 = 3;

/// Checks that there are classes to tell apart.
pub(crate) fn check_classes(experiment: &Experiment, layout: InputSpec) -> Result<()> {
    if layout.num_classes >= 2 {
        return Ok(());
    }
    let source = experiment.data.source();
    Err(Error::new(format!("all training images in `{source}` are of class 0, expected two classes")))
}

/// All training images of an experiment, for a study to split. The test images are looked at as far as they must fit.
pub(crate) fn train_images(experiment: &Experiment) -> Result<(Arc<ImageDataset>, InputSpec)> {
    let source = experiment.data.source();
    let images = source.load(Subset::Train)?;
    let layout = images.layout();
    source.load(Subset::Test)?.check_layout(layout)?;
    Ok((Arc::new(images), layout))
}

/// Reads one split of `source` as `experiment` divides it; its images must have `layout`.
pub(super) fn load(
    experiment: &Experiment,
    source: &Source,
    name: SplitName,
    layout: InputSpec,
) -> Result<Split> {
    let part = if name == SplitName::Test { Subset::Test } else { Subset::Train };
    let images = source.load(part)?;
    images.check_layout(layout)?;
    match name {
        SplitName::Test => Ok(Split::whole(images)),
        SplitName::Train => Ok(hold_out(experiment, images)?.0),
        SplitName::Validation if experiment.data.validation == 0 => {
            Err(Error::new("there are no validation images: the run held none out")
                .hint("hold some out when training: `smallnet train --set data.validation=10000`"))
        }
        SplitName::Validation => Ok(hold_out(experiment, images)?.1),
    }
}

/// What the training part of a data set is split into: images trained on and images held out.
fn hold_out(experiment: &Experiment, images: ImageDataset) -> Result<(Split, Split)> {
    let data = &experiment.data;
    let holdout = TrainValSplit::draw(&images.labels, data.validation, data.stratified, experiment.seed)?;
    let images = Arc::new(images);
    Ok((Split::new(images.clone(), holdout.train), Split::new(images, holdout.validation)))
}
