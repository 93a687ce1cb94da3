//! From a run folder back to its network and its images.

use std::path::{Path, PathBuf};

use super::SplitName;
use super::splits;
use crate::backend::Opened;
use crate::config::Experiment;
use crate::data::{Layout, Source, Split};
use crate::error::{Error, Result};
use crate::model::{Mlp, weights_sha256};
use crate::run::{self, RunFolder, RunInfo};

/// Saved weights with the run they belong to.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedModel {
    /// The run.
    pub folder: RunFolder,
    /// What was trained.
    pub experiment: Experiment,
    /// Where and with what.
    pub info: RunInfo,
    /// The weights' file.
    pub weights: PathBuf,
}

impl SavedModel {
    /// The model that `text` means: a run (its folder, its id or `latest`) or a checkpoint's file in a run.
    ///
    /// # Errors
    /// No such run, a file that is in no run folder, or a run whose files are damaged.
    pub fn find(text: &str, artifacts: &Path) -> Result<Self> {
        let path = Path::new(text);
        if !path.is_file() {
            let folder = run::find(text, artifacts)?;
            return Self::of_run(folder);
        }
        let absolute = path.canonicalize().map_err(|error| Error::io("read", path, error))?;
        let folder = absolute.ancestors().skip(1).take(2).find_map(|folder| RunFolder::open(folder).ok());
        let folder = folder.ok_or_else(|| {
            Error::new(format!("the checkpoint `{text}` is not in a run folder"))
                .hint("its network is described by the `config.toml` of its run: leave it in there")
        })?;
        Self::open(absolute, folder)
    }

    /// The weights that the run in `folder` ended with.
    ///
    /// # Errors
    /// A run whose files are damaged.
    pub fn of_run(folder: RunFolder) -> Result<Self> {
        Self::open(folder.model_path(), folder)
    }

    fn open(weights: PathBuf, folder: RunFolder) -> Result<Self> {
        Ok(Self { experiment: folder.experiment()?, info: folder.info()?, folder, weights })
    }

    /// Loads the network for `opened`'s device.
    ///
    /// # Errors
    /// Weights that are missing, damaged, or of another network than the run's experiment describes.
    pub fn load(&self, opened: &Opened) -> Result<Mlp> {
        let Self { experiment, info, .. } = self;
        let Layout { height, width, num_classes } = info.data.layout;
        if !self.weights.exists() {
            return Err(Error::new(format!("`{}` has no trained weights", self.folder.path().display()))
                .hint("a run saves them when it ends; a checkpoint in its folder `checkpoint` can be evaluated too"));
        }
        let model = experiment.model.init(height * width, num_classes, experiment.seed, &opened.device)?;
        let model = run::load_weights(model, &self.weights)?;
        self.verify(&model)?;
        Ok(model)
    }

    /// Compares a run's weights with the digest that it noted down. Checkpoints have none.
    fn verify(&self, model: &Mlp) -> Result<()> {
        let Some(noted) = self.info.weights_sha256.as_ref().filter(|_| self.is_final()) else {
            return Ok(());
        };
        let found = weights_sha256(model)?;
        if found == *noted {
            return Ok(());
        }
        let weights = self.weights.display();
        Err(Error::new(format!(
            "`{weights}` is damaged: its weights have the digest {found}, expected {noted}"
        ))
        .hint("a checkpoint in the run's folder `checkpoint` may still be whole"))
    }

    /// Whether these are the weights that the run ended with, not a checkpoint's.
    pub fn is_final(&self) -> bool {
        self.weights == self.folder.model_path()
    }

    /// What pictures of these weights are called: `stem` for the final ones, with the checkpoint's name before it
    /// otherwise.
    pub fn figure_name(&self, stem: &str) -> String {
        match self.weights.file_stem().filter(|_| !self.is_final()) {
            Some(checkpoint) => format!("{}-{stem}", checkpoint.to_string_lossy()),
            None => stem.to_owned(),
        }
    }

    /// A split of the run's data set, or of the one at `data`.
    ///
    /// # Errors
    /// A data set that has changed since, or does not fit the network, or a split without images.
    pub fn split(&self, name: SplitName, data: Option<Source>) -> Result<Split> {
        let source = match data {
            Some(other) => other,
            None => unchanged(self.experiment.data.source(), &self.info.data.sha256)?,
        };
        splits::load(&self.experiment, &source, name, self.info.data.layout)
    }
}

/// The data set of a run, if it is still the one that the run was made with.
fn unchanged(source: Source, noted: &str) -> Result<Source> {
    let found = source.checksum()?;
    if found == noted {
        return Ok(source);
    }
    Err(Error::new(format!("the data set `{source}` has changed: its digest is {found}, expected {noted}"))
        .hint(format!("to evaluate on it as it is, say so: `--data {source}`")))
}
