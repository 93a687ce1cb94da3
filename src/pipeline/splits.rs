//! The images that an experiment trains on, validates on and is tested on.

use serde::{Deserialize, Serialize};

use crate::data::{
    Classes, DataCheck, DataConfig, DataProperties, ImageDataset, InputSpec, LoadedData, Preparation,
    RawData, Source, Split, TrainValSplit, draw_test, evaluation_batch_size,
};
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::run::DataInfo;
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
    /// The test images. They may be empty, or have no labels.
    pub test: Split,
    /// The size and the number of classes of all images.
    pub layout: InputSpec,
    /// Classes, range and orientation of the files' images.
    pub properties: DataProperties,
    /// The digest of the data set: see [`RawData::sha256`].
    pub sha256: String,
    /// The check of the whole data set. `None` if the images were read without one.
    pub check: Option<DataCheck>,
    /// Sentences about what was decided or left out while reading, for the user.
    pub notes: Vec<String>,
}

impl Splits {
    /// Reads and splits the data set of `experiment`, without a check of the images.
    ///
    /// # Errors
    /// Those of [`RawData::read`], no training images with labels, test images that do not fit the
    /// training images, or too many validation images.
    pub fn load(experiment: &Experiment) -> Result<Self> {
        let (raw, sha256) = read(&experiment.data)?;
        Self::divide(raw.into_new(&experiment.data)?, sha256, experiment)
    }

    /// Reads, checks and splits the data set of `experiment`.
    ///
    /// # Errors
    /// As [`Splits::load`].
    pub fn load_checked(experiment: &Experiment) -> Result<Self> {
        let (raw, sha256) = read(&experiment.data)?;
        Self::check_and_divide(raw.into_new(&experiment.data)?, sha256, experiment)
    }

    /// Does the same for a training whose classes are `own`, whether or not all of them have images.
    ///
    /// # Errors
    /// As [`Splits::load`], or no image of these classes.
    pub(crate) fn load_checked_of(experiment: &Experiment, own: &Classes) -> Result<Self> {
        let (raw, sha256) = read(&experiment.data)?;
        Self::check_and_divide(raw.into_new_of(own, &experiment.data)?, sha256, experiment)
    }

    fn check_and_divide(data: LoadedData, sha256: String, experiment: &Experiment) -> Result<Self> {
        let check = data.check();
        Ok(Self { check, ..Self::divide(data, sha256, experiment)? })
    }

    /// Reads and splits the data set of a run as the run did, which recorded `info`. The hint is
    /// for the error of a data set that has changed.
    ///
    /// # Errors
    /// As [`Splits::load`], or a data set that has changed.
    pub(crate) fn load_again(
        experiment: &Experiment,
        info: &DataInfo,
        hint_if_changed: &str,
    ) -> Result<Self> {
        let (raw, sha256) = read(&experiment.data)?;
        check_unchanged(&experiment.data.source(), &sha256, &info.sha256)
            .map_err(|error| error.hint(hint_if_changed))?;
        Self::divide(raw.into_known(info.properties())?, sha256, experiment)
    }

    /// Divides a data set as `experiment` says.
    pub(super) fn divide(data: LoadedData, sha256: String, experiment: &Experiment) -> Result<Self> {
        let config = &experiment.data;
        let LoadedData { train, validation, test, properties, mut notes } = data;
        let train = labelled_train_images(train, &experiment.data.source())?;
        let (height, width) = train.image_size();
        let layout = InputSpec { height, width, num_classes: properties.classes.len() };
        // The test images are used only after the last step. They are read now, so that a test set
        // that does not fit is an error before the run starts.
        for part in [&validation, &test].into_iter().flatten() {
            part.check_size(height, width)?;
        }
        let (pool, test) = hold_out_test(train, test, config, &mut notes)?;
        let mut config = config.clone();
        notes.extend(config.scale_validation(pool.len()));
        let config = &config;
        let (train, validation) = match validation {
            Some(images) if config.validation == 0 && images.is_labelled() => (pool, Split::whole(images)),
            unused => {
                if unused.is_some_and(|images| images.is_labelled()) {
                    notes.push(
                        "the data set's own validation images are not used: `data.validation` chooses others"
                            .to_owned(),
                    );
                }
                split_train_images(&pool, config, experiment.seed)?
            }
        };
        Ok(Self { train, validation, test, layout, properties, sha256, check: None, notes })
    }

    /// Describes the data set, whose place is `source`, in the record of a run.
    pub(crate) fn info(&self, source: &str) -> DataInfo {
        let DataProperties { classes, value_range, transposed } = &self.properties;
        let has_other_labels = classes.labels() != classes.names();
        DataInfo {
            source: source.to_owned(),
            sha256: self.sha256.clone(),
            layout: self.layout,
            num_train: self.train.len(),
            num_validation: self.validation.len(),
            num_test: Some(self.test.len()),
            class_names: classes.names().to_vec(),
            class_labels: if has_other_labels { classes.labels().to_vec() } else { Vec::new() },
            value_range: Some(*value_range),
            transposed: *transposed,
            appearance: self.check.as_ref().map(|check| check.appearance),
            preparation: self
                .check
                .as_ref()
                .map(|check| Preparation::of_training_images(Some(&check.appearance))),
        }
    }

    /// Checks that the network of `experiment` can be trained on these images.
    ///
    /// # Errors
    /// A data set with one class only, or a network or batch that is too large.
    pub fn check_trainable(&self, experiment: &Experiment) -> Result<()> {
        self.properties.classes.check_trainable(&experiment.data.source)?;
        check_trainable(experiment, self.layout, self.train.len())
    }

    /// Writes the number of validation images into `experiment`, if it was meant for more images and
    /// has been scaled.
    pub(super) fn settle_validation(&self, experiment: &mut Experiment) {
        // The note about it is among those of the splits.
        let _ = experiment.data.scale_validation(self.train.len() + self.validation.len());
    }

    /// Returns the split called `name`.
    ///
    /// # Errors
    /// The validation or test split of an experiment without validation or test images.
    pub fn get(&self, name: SplitName) -> Result<&Split> {
        let split = match name {
            SplitName::Train => &self.train,
            SplitName::Validation => &self.validation,
            SplitName::Test => &self.test,
        };
        match name {
            SplitName::Test if split.is_empty() => {
                Err(Error::data("there are no test images: the data set has none")
                    .hint("take a share of the training images: `--set data.test=0.1`"))
            }
            SplitName::Validation if split.is_empty() => {
                Err(Error::data("there are no validation images: this experiment holds none out")
                    .hint("hold some out: `--set data.validation=10000`"))
            }
            _ => Ok(split),
        }
    }
}

/// Reads the data set of an experiment, and returns its digest, too.
pub(super) fn read(config: &DataConfig) -> Result<(RawData, String)> {
    let source = config.source();
    let raw = RawData::read(&source, config)?;
    let sha256 = source.sha256_of(&raw);
    Ok((raw, sha256))
}

/// Returns the training images, which a training cannot do without.
fn labelled_train_images(train: Option<ImageDataset>, source: &Source) -> Result<ImageDataset> {
    let Some(train) = train else {
        return Err(Error::data(format!("there are no training images in `{source}`"))
            .hint("test images alone can be evaluated: `smallnet evaluate RUN --data PATH`"));
    };
    if train.is_labelled() {
        return Ok(train);
    }
    Err(Error::data(format!("the training images in `{}` have no labels", train.images_name)).hint(
        "a network learns from labels: put their file beside that of the images, or name their column in a table with \
             `--set data.label_column=NAME`",
    ))
}

/// Returns the images to train or validate with and the test images. If `config` says so, a share
/// of `train` becomes the test images.
fn hold_out_test(
    train: ImageDataset,
    test: Option<ImageDataset>,
    config: &DataConfig,
    notes: &mut Vec<String>,
) -> Result<(Split, Split)> {
    let train = Split::whole(train);
    if config.test == 0.0 {
        let test = test.map_or_else(|| train.slice(0..0), Split::whole);
        return Ok((train, test));
    }
    match test {
        Some(test) if test.is_labelled() => {
            return Err(Error::config(format!(
                "`data.test` is {}, and the data set has test images of its own",
                config.test
            ))
            .hint("leave `data.test` out"));
        }
        Some(test) => notes.push(format!(
            "the images in `{}` have no labels: `data.test` takes test images from the training images",
            test.images_name
        )),
        None => {}
    }
    let (rest, test) = draw_test(&train.labels(), config.test, config.test_seed)?;
    Ok((train.select(&rest), train.select(&test)))
}

/// Checks that the memory is large enough to train the network of `experiment` on `num_train`
/// images of `layout`.
pub(crate) fn check_trainable(experiment: &Experiment, layout: InputSpec, num_train: usize) -> Result<()> {
    let InputSpec { height, width, num_classes } = layout;
    let largest_batch =
        experiment.training.batch_size.min(num_train).max(evaluation_batch_size(height * width));
    experiment.augmentation.check_size([height, width])?;
    experiment.model.check_memory(height * width, num_classes, largest_batch)?;
    experiment.model.check_num_parameters(height * width, num_classes)?;
    let sizes = experiment.model.sizes(height * width, num_classes);
    let weights: u128 = sizes.windows(2).map(|pair| (pair[0] as u128 + 1) * pair[1] as u128).sum();
    let values: u128 = sizes.iter().map(|&size| size as u128).sum();
    let average = u64::from(experiment.training.average.is_some());
    let states = experiment.optimizer.rule().numbers_per_weight() + average;
    let per_weight = VALUES_PER_WEIGHT + VALUES_PER_STATE * u128::from(states);
    let bytes = 4 * (weights * per_weight + values * largest_batch as u128);
    memory::check(bytes, &format!("a training of {} parameters", grouped(weights as usize)))
}

/// Values in memory per weight at the peak of a training: the weight, its gradient, and the copies
/// that a checkpoint and a step make. Plain SGD was measured with 29 bytes per weight.
const VALUES_PER_WEIGHT: u128 = 7;
/// Further values in memory for each value that the optimizer or an average keeps per weight. Measured
/// were 41 bytes per weight with momentum and 55 with Adam.
const VALUES_PER_STATE: u128 = 3;

/// The images that a study trains and validates with.
pub(crate) struct StudyImages {
    /// All training images, without the share that `data.test` takes.
    pub(crate) images: Split,
    /// The size and the number of classes of the images.
    pub(crate) layout: InputSpec,
    /// The digest of the data set.
    pub(crate) sha256: String,
    /// The identity of the images: see [`DataInfo::identity`].
    pub(crate) identity: String,
}

/// Reads the images that a study trains and validates with. Checks that the test images fit.
pub(crate) fn study_images(experiment: &Experiment) -> Result<StudyImages> {
    let mut undivided = experiment.clone();
    undivided.data.validation = 0;
    let Splits { train: images, layout, properties, sha256, .. } = Splits::load(&undivided)?;
    properties.classes.check_trainable(&experiment.data.source)?;
    Ok(StudyImages { images, layout, identity: properties.identity(&sha256), sha256 })
}

/// Checks that a run's data set still has the digest that the run recorded.
pub(super) fn check_unchanged(source: &Source, found: &str, expected: &str) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::data(format!(
        "the data set `{source}` has changed: its digest is {found}, expected {expected}"
    )))
}

/// Splits the training images into images to train on and validation images.
fn split_train_images(pool: &Split, config: &DataConfig, seed: u64) -> Result<(Split, Split)> {
    let split = TrainValSplit::draw(&pool.labels(), config.validation, config.stratified, seed)?;
    Ok((pool.select(&split.train), pool.select(&split.validation)))
}
