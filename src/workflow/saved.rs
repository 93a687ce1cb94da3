//! From a run folder back to its network, and the images that it is asked about.

use std::path::{Path, PathBuf};

use super::SplitName;
use super::{report, splits};
use crate::backend::{Backend, Opened};
use crate::config::Experiment;
use crate::data::{Layout, Source, Split};
use crate::error::{Error, Result};
use crate::evaluation::{Evaluation, evaluate};
use crate::model::{Mlp, weights_sha256};
use crate::run::{self, RunFolder, RunInfo, TestRecord};
use crate::training::Position;

/// A saved network, loaded, with the run it belongs to.
#[derive(Debug, Clone)]
pub struct SavedModel {
    /// The run.
    pub folder: RunFolder,
    /// What was trained.
    pub experiment: Experiment,
    /// Where and with what.
    pub info: RunInfo,
    /// The weights' file.
    pub weights: PathBuf,
    /// The network.
    pub model: Mlp,
    /// Where it computes.
    pub opened: Opened,
    backend: Backend,
}

/// Images that a saved network is asked about.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The images.
    pub split: Split,
    /// Which split they are.
    pub name: SplitName,
    /// The data set, where it is not the run's own.
    pub other: Option<Source>,
    /// What tells files about them apart: `test`, or `test-of-` and a name for other data.
    pub tag: String,
}

impl SavedModel {
    /// Loads the model that `text` means: a run (its folder, its id or `latest`), or a checkpoint's folder in a run or the
    /// weights' file in it; on `backend`, or else on the one that trained it.
    ///
    /// # Errors
    /// No such run, a file that is in no run folder, weights that are missing, damaged, or of another network than the
    /// run's experiment describes, or a backend that cannot be opened.
    pub fn load(text: &str, artifacts: &Path, backend: Option<Backend>) -> Result<Self> {
        let mut path = PathBuf::from(text);
        if path.file_name().and_then(|name| Position::parse(name.to_str()?)).is_some() && path.is_dir() {
            path.push("model.bpk");
        }
        if !path.is_file() {
            return Self::of_run(run::find(text, artifacts)?, backend);
        }
        let absolute = path.canonicalize().map_err(|error| Error::io("read", &path, error))?;
        let folder = absolute.ancestors().skip(1).take(3).find_map(|folder| RunFolder::open(folder).ok());
        let folder = folder.ok_or_else(|| {
            Error::new(format!("the checkpoint `{text}` is not in a run folder"))
                .hint("its network is described by the `config.toml` of its run: leave it in there")
        })?;
        Self::read(folder, absolute, backend)
    }

    /// Loads the weights that the run in `folder` ended with.
    ///
    /// # Errors
    /// As [`SavedModel::load`]'s.
    pub fn of_run(folder: RunFolder, backend: Option<Backend>) -> Result<Self> {
        let weights = folder.model_path();
        Self::read(folder, weights, backend)
    }

    fn read(folder: RunFolder, weights: PathBuf, backend: Option<Backend>) -> Result<Self> {
        let info = folder.info()?;
        let experiment = folder.experiment(&info)?;
        if !weights.exists() {
            return Err(Error::new(format!("`{}` has no trained weights", folder.path().display())).hint(
                "a run saves them when it ends; a checkpoint in its folder `checkpoint` can be evaluated too",
            ));
        }
        let backend = backend.unwrap_or(info.backend);
        let opened = backend.open()?;
        let Layout { height, width, num_classes } = info.data.layout;
        let model = experiment.model.init(height * width, num_classes, experiment.seed, &opened.device)?;
        let model = folder.load_weights(model, &weights)?;
        let saved = Self { folder, experiment, info, weights, model, opened, backend };
        saved.verify()?;
        Ok(saved)
    }

    /// Compares a run's weights with the digest that it noted down. A checkpoint's have been compared with its own.
    fn verify(&self) -> Result<()> {
        let Some(noted) = self.info.weights_sha256.as_ref().filter(|_| self.is_final()) else {
            return Ok(());
        };
        let found = weights_sha256(&self.model)?;
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
    pub(super) fn figure_name(&self, stem: &str) -> String {
        let folder = self.weights.parent().and_then(Path::file_name).filter(|_| !self.is_final());
        match folder {
            Some(checkpoint) => format!("{}-{stem}", checkpoint.to_string_lossy()),
            None => stem.to_owned(),
        }
    }

    /// A split of the run's data set, or of the one at `data`.
    ///
    /// # Errors
    /// A data set that has changed since, or does not fit the network, or a split without images.
    pub fn subject(&self, name: SplitName, data: Option<Source>) -> Result<Subject> {
        let layout = self.info.data.layout;
        let Some(other) = data else {
            let own = unchanged(self.experiment.data.source(), &self.info.data.sha256)?;
            let split = splits::load(&self.experiment, &own, name, layout)?;
            return Ok(Subject { split, name, other: None, tag: name.to_string() });
        };
        let split = splits::load(&self.experiment, &other, name, layout)?;
        let tag = format!("{name}-of-{}", other.tag()?);
        Ok(Subject { split, name, other: Some(other), tag })
    }

    /// Evaluates the network.
    ///
    /// # Errors
    /// A device that fails.
    pub fn evaluate(&self, subject: &Subject) -> Result<Evaluation> {
        evaluate(&self.model, &subject.split, &self.opened.device)
    }

    /// Keeps an evaluation as the run's test and writes its page again, where the run has no readable test, such as an
    /// interrupted one, or an earlier smallnet's that does not say which images were wrong, and the evaluation is what training would have found: of the final weights, on the run's own
    /// test images and backend, with a loss that is a number.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn keep_test(&self, evaluation: &Evaluation, subject: &Subject) -> Result<()> {
        let is_the_test = subject.name == SplitName::Test
            && subject.other.is_none()
            && self.is_final()
            && self.backend == self.info.backend
            && evaluation.loss.is_finite();
        // A damaged test counts as none: this is how it is repaired.
        let is_whole = |test: &TestRecord| test.evaluation.misclassified.is_some();
        let has_test =
            || matches!(self.folder.test(self.info.data.layout), Ok(Some(test)) if is_whole(&test));
        if !is_the_test || has_test() {
            return Ok(());
        }
        self.folder.write_test(&TestRecord::new(evaluation.clone(), &subject.split))?;
        report(&self.folder).map(drop)
    }
}

impl Subject {
    /// What people call the images: `test`, with the data set's name where it is not the run's own.
    pub fn describe(&self) -> String {
        match &self.other {
            Some(source) => format!("{} ({source})", self.name),
            None => self.name.to_string(),
        }
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
