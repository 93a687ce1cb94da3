//! The images that an experiment trains on, validates on and is tested on.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::data::{EVALUATION_BATCH_SIZE, ImageDataset, InputSpec, Source, Split, Subset, TrainValSplit};
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::util::format::grouped;
use crate::util::memory;

/// The name of one of an experiment's splits.
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
    /// The images that the network learns from.
    pub train: Split,
    /// The validation images. They may be empty.
    pub validation: Split,
    /// The test images.
    pub test: Split,
    /// The size and the number of classes of all images.
    pub layout: InputSpec,
}

impl Splits {
    /// Reads and splits the data set of `experiment`.
    ///
    /// # Errors
    /// Those of [`Source::load`], test images that do not fit the training images, or too many
    /// validation images.
    pub fn load(experiment: &Experiment) -> Result<Self> {
        let source = experiment.data.source();
        let images = source.load(Subset::Train)?;
        let layout = images.input_spec();
        // The test images are used only after the last step. They are read now, so that a test set
        // that does not fit is an error before the run starts.
        let test = source.load(Subset::Test)?;
        test.check_input_spec(layout)?;
        let (train, validation) = split_train_images(experiment, images)?;
        Ok(Self { train, validation, test: Split::whole(test), layout })
    }

    /// Checks that the network of `experiment` can be trained on these images.
    ///
    /// # Errors
    /// A data set with one class only, or a network or batch that is too large.
    pub fn check_trainable(&self, experiment: &Experiment) -> Result<()> {
        check_trainable(experiment, self.layout, self.train.len())
    }

    /// Returns the split called `name`.
    ///
    /// # Errors
    /// The validation split of an experiment without validation images.
    pub fn get(&self, name: SplitName) -> Result<&Split> {
        match name {
            SplitName::Train => Ok(&self.train),
            SplitName::Test => Ok(&self.test),
            SplitName::Validation if self.validation.is_empty() => {
                Err(Error::data("there are no validation images: this experiment holds none out")
                    .hint("hold some out: `--set data.validation=10000`"))
            }
            SplitName::Validation => Ok(&self.validation),
        }
    }
}

/// Checks that the network of `experiment` can be trained on `num_train` images of `layout`: that
/// there are at least two classes, and that the memory is large enough.
pub(crate) fn check_trainable(experiment: &Experiment, layout: InputSpec, num_train: usize) -> Result<()> {
    let InputSpec { height, width, num_classes } = layout;
    check_classes(experiment, layout)?;
    let largest_batch = experiment.training.batch_size.min(num_train).max(EVALUATION_BATCH_SIZE);
    experiment.model.check_memory(height * width, num_classes, largest_batch)?;
    experiment.model.check_num_parameters(height * width, num_classes)?;
    let sizes = experiment.model.sizes(height * width, num_classes);
    let weights: u128 = sizes.windows(2).map(|pair| (pair[0] as u128 + 1) * pair[1] as u128).sum();
    let values: u128 = sizes.iter().map(|&size| size as u128).sum();
    let per_weight =
        VALUES_PER_WEIGHT + VALUES_PER_STATE * u128::from(experiment.optimizer.rule().numbers_per_weight());
    let bytes = 4 * (weights * per_weight + values * largest_batch as u128);
    memory::check(bytes, &format!("a training of {} parameters", grouped(weights as usize)))
}

/// Values in memory per weight at the peak of a training: the weight, its gradient, and the copies
/// that a checkpoint and a step make. Plain SGD was measured with 29 bytes per weight.
const VALUES_PER_WEIGHT: u128 = 7;
/// Further values in memory for each value that the optimizer keeps per weight. Measured were 41
/// bytes per weight with momentum and 55 with Adam.
const VALUES_PER_STATE: u128 = 3;

/// Checks that the training images have at least two classes.
pub(crate) fn check_classes(experiment: &Experiment, layout: InputSpec) -> Result<()> {
    if layout.num_classes >= 2 {
        return Ok(());
    }
    let source = experiment.data.source();
    Err(Error::data(format!("all training images in `{source}` are of class 0, expected two classes")))
}

/// Reads all training images of an experiment, for a study to split. Checks that the test images
/// fit.
pub(crate) fn train_images(experiment: &Experiment) -> Result<(Arc<ImageDataset>, InputSpec)> {
    let source = experiment.data.source();
    let images = source.load(Subset::Train)?;
    let layout = images.input_spec();
    source.load(Subset::Test)?.check_input_spec(layout)?;
    Ok((Arc::new(images), layout))
}

/// Reads one split of `source`, as `experiment` divides it. The images must have `layout`.
pub(super) fn load(
    experiment: &Experiment,
    source: &Source,
    name: SplitName,
    layout: InputSpec,
) -> Result<Split> {
    let subset = if name == SplitName::Test { Subset::Test } else { Subset::Train };
    let images = source.load(subset)?;
    images.check_input_spec(layout)?;
    match name {
        SplitName::Test => Ok(Split::whole(images)),
        SplitName::Train => Ok(split_train_images(experiment, images)?.0),
        SplitName::Validation if experiment.data.validation == 0 => {
            Err(Error::data("there are no validation images: the run held none out")
                .hint("hold some out when training: `smallnet train --set data.validation=10000`"))
        }
        SplitName::Validation => Ok(split_train_images(experiment, images)?.1),
    }
}

/// Splits the training subset of a data set into training images and validation images.
fn split_train_images(experiment: &Experiment, images: ImageDataset) -> Result<(Split, Split)> {
    let data = &experiment.data;
    let split = TrainValSplit::draw(&images.labels, data.validation, data.stratified, experiment.seed)?;
    let images = Arc::new(images);
    Ok((Split::new(images.clone(), split.train), Split::new(images, split.validation)))
}
