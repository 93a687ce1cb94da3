//! From a run folder back to its network, and the images that it is asked about.

use std::path::{Path, PathBuf};

use crate::backend::{Backend, BackendHandle};
use crate::data::{InputSpec, Source, Split};
use crate::error::{Error, Result};
use crate::evaluation::{Evaluation, evaluate};
use crate::experiment::Experiment;
use crate::model::{Mlp, weights_sha256};
use crate::pipeline::SplitName;
use crate::pipeline::{report, splits};
use crate::run;
use crate::run::diagnosis;
use crate::run::diagnosis::Finding;
use crate::run::{RunFolder, RunInfo, Status, TestEvaluation};
use crate::training::Position;

/// A saved network, loaded, with the run it belongs to.
#[derive(Debug, Clone)]
pub struct LoadedModel {
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
    pub opened: BackendHandle,
    backend: Backend,
}

/// Images that a saved network is asked about.
#[derive(Debug, Clone)]
pub struct EvalSet {
    /// The images.
    pub split: Split,
    /// Which split they are.
    pub name: SplitName,
    /// The data set, where it is not the run's own.
    pub other: Option<Source>,
    /// What tells files about them apart: `test`, or `test-of-` and a name for other data.
    pub tag: String,
}

impl LoadedModel {
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
        let folder = absolute.ancestors().skip(1).take(3).find(|folder| RunFolder::is_at(folder));
        let folder = folder.ok_or_else(|| {
            Error::not_found(format!("the checkpoint `{text}` is not in a run folder"))
                .hint("its network is described by the `config.toml` of its run: leave it in there")
        })?;
        Self::read(RunFolder::open(folder)?, absolute, backend)
    }

    /// Loads the weights that the run in `folder` ended with.
    ///
    /// # Errors
    /// As [`LoadedModel::load`]'s.
    pub fn of_run(folder: RunFolder, backend: Option<Backend>) -> Result<Self> {
        let weights = folder.model_path();
        Self::read(folder, weights, backend)
    }

    fn read(folder: RunFolder, weights: PathBuf, backend: Option<Backend>) -> Result<Self> {
        loop {
            let info = folder.info()?;
            let noted = info.weights_sha256.clone();
            let saved = Self::read_as(info, folder.clone(), weights.clone(), backend);
            // A process that trains the run may have replaced the weights after `run.json` was read.
            if saved.is_ok() || folder.info()?.weights_sha256 == noted {
                return saved;
            }
        }
    }

    /// Reads the weights of the run that `info` is of, and compares them with the digest that belongs to them.
    fn read_as(info: RunInfo, folder: RunFolder, weights: PathBuf, backend: Option<Backend>) -> Result<Self> {
        let experiment = folder.experiment(&info)?;
        check_verifiable(&info, &folder, &weights)?;
        let backend = backend.unwrap_or(info.backend);
        let opened = backend.open()?;
        let InputSpec { height, width, num_classes } = info.data.layout;
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
        Err(Error::corrupt(format!(
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
    pub fn subject(&self, name: SplitName, data: Option<Source>) -> Result<EvalSet> {
        let layout = self.info.data.layout;
        let Some(other) = data else {
            let own = unchanged(self.experiment.data.source(), &self.info.data.sha256)?;
            let split = splits::load(&self.experiment, &own, name, layout)?;
            return Ok(EvalSet { split, name, other: None, tag: name.to_string() });
        };
        let split = splits::load(&self.experiment, &other, name, layout)?;
        let tag = format!("{name}-of-{}", other.tag()?);
        Ok(EvalSet { split, name, other: Some(other), tag })
    }

    /// Evaluates the network.
    ///
    /// # Errors
    /// A device that fails.
    pub fn evaluate(&self, subject: &EvalSet) -> Result<Evaluation> {
        evaluate(&self.model, &subject.split, &self.opened.device)
    }

    /// What is plainly wrong with the network, by an evaluation of it on `subject`.
    pub fn diagnose(&self, evaluation: &Evaluation, subject: &EvalSet) -> Vec<Finding> {
        let is_own_test = subject.name == SplitName::Test && subject.other.is_none();
        let is_result = is_own_test && self.is_final() && self.info.status == Status::Finished;
        diagnosis::diagnose(&self.experiment, evaluation, is_result)
    }

    /// Keeps an evaluation as the run's test and writes its page again, where the run has no readable test, such as an
    /// interrupted one, or one of an earlier smallnet that does not say which images were wrong, and the evaluation is what
    /// training would have found: of the final weights, on the run's own test images and backend, with a loss that is a
    /// number. A run that has been gone on with meanwhile is left alone.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn keep_test(&self, evaluation: &Evaluation, subject: &EvalSet) -> Result<()> {
        let is_the_test = subject.name == SplitName::Test
            && subject.other.is_none()
            && self.is_final()
            && self.backend == self.info.backend
            && evaluation.loss.is_finite();
        if !is_the_test || !self.write_test(evaluation, subject)? {
            return Ok(());
        }
        report(&self.folder).map(drop)
    }

    /// Saves the run's test; says whether it did. Holds the run's lock: who trains it on has no use for this test.
    fn write_test(&self, evaluation: &Evaluation, subject: &EvalSet) -> Result<bool> {
        // A damaged test counts as none: this is how it is repaired.
        let is_whole = |test: &TestEvaluation| test.evaluation.misclassified.is_some();
        let has_test = |info: &RunInfo| matches!(self.folder.test(info), Ok(Some(test)) if is_whole(&test));
        if has_test(&self.info) {
            return Ok(false);
        }
        let Some(_lock) = self.folder.try_lock()? else { return Ok(false) };
        let info = self.folder.info()?;
        let Some(digest) = info.weights_sha256.clone().filter(|_| info == self.info) else {
            return Ok(false);
        };
        if has_test(&info) {
            return Ok(false);
        }
        self.folder.write_test(&TestEvaluation::new(evaluation.clone(), &subject.split, digest))?;
        Ok(true)
    }
}

impl EvalSet {
    /// What people call the images: `test`, with the data set's name where it is not the run's own.
    pub fn describe(&self) -> String {
        match &self.other {
            Some(source) => format!("{} ({source})", self.name),
            None => self.name.to_string(),
        }
    }
}

/// Refuses weights of which nothing says whether they are whole: a run's that has no digest of them, because it is being
/// trained or was killed, and files that are neither a run's weights nor a checkpoint's.
fn check_verifiable(info: &RunInfo, folder: &RunFolder, weights: &Path) -> Result<()> {
    let path = folder.path().display();
    if weights != folder.model_path() {
        return match run::checkpoint_of(weights) {
            Some(_) => Ok(()),
            None => Err(Error::not_found(format!(
                "`{}` is neither the weights of the run `{path}` nor those of one of its checkpoints",
                weights.display()
            ))
            .hint("name the run, or a checkpoint's folder in it")),
        };
    }
    if info.weights_sha256.is_some() && weights.exists() {
        return Ok(());
    }
    let why = match info.status {
        Status::Running => "it is being trained",
        Status::Killed => "it was killed",
        Status::Failed => "it failed",
        Status::Finished | Status::Interrupted if weights.exists() => "its `run.json` has no digest of them",
        Status::Finished | Status::Interrupted => "its `model.bpk` is gone",
    };
    let checkpoints = folder.checkpoints();
    let hint = match checkpoints.positions()?.pop().map(|position| checkpoints.folder(position)) {
        Some(checkpoint) => format!(
            "a run saves them when it ends; its last checkpoint can be evaluated too: `{}`",
            checkpoint.display()
        ),
        None => "a run saves them when it ends".to_owned(),
    };
    Err(Error::state(format!("`{path}` has no trained weights: {why}")).hint(hint))
}

/// The data set of a run, if it is still the one that the run was made with.
fn unchanged(source: Source, noted: &str) -> Result<Source> {
    let found = source.checksum()?;
    if found == noted {
        return Ok(source);
    }
    Err(Error::data(format!("the data set `{source}` has changed: its digest is {found}, expected {noted}"))
        .hint(format!("to evaluate on it as it is, say so: `--data {source}`")))
}
