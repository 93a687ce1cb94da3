//! A trained network, loaded from its run folder, and the images to evaluate it on.

use std::path::{Path, PathBuf};

use crate::backend::{Backend, BackendHandle, Compute, Engine, chosen_device};
use crate::data::{InputSpec, Source, Split};
use crate::error::{Error, ErrorKind, Result};
use crate::evaluation::{Evaluation, evaluate};
use crate::experiment::Experiment;
use crate::model::{Mlp, weights_sha256};
use crate::pipeline::eval_split::{LoadedSplit, load_other, load_own};
use crate::pipeline::report;
use crate::pipeline::{PreparedRun, SplitName};
use crate::run;
use crate::run::diagnosis;
use crate::run::diagnosis::Finding;
use crate::run::{RunFolder, RunInfo, Status, TestEvaluation};
use crate::training::Position;
use crate::util::files;

/// A trained network, loaded from a file, with the run that it belongs to.
#[derive(Debug, Clone)]
pub struct LoadedModel {
    /// The folder of the run.
    pub folder: RunFolder,
    /// The experiment of the run.
    pub experiment: Experiment,
    /// The `run.json` of the run.
    pub info: RunInfo,
    /// The path of the file with the weights.
    pub weights_path: PathBuf,
    /// The network.
    pub model: Mlp,
    /// The backend that the network computes on.
    pub handle: BackendHandle,
    /// Sentences about the backend, for the user: it is another one than the run's.
    pub notes: Vec<String>,
    backend: Backend,
}

/// Images to evaluate a trained network on.
#[derive(Debug, Clone)]
pub struct EvalSet {
    /// The images.
    pub split: Split,
    /// The name of the split.
    pub name: SplitName,
    /// The data set, if it is not the run's own.
    pub other_source: Option<Source>,
    /// The name of the images in file names: `test`, or `test-of-` and a name for another data set.
    pub tag: String,
    /// Sentences about what was decided or left out while reading, for the user.
    pub notes: Vec<String>,
}

impl LoadedModel {
    /// Loads the network that `text` names: a run (its folder, its id or `latest`), the folder of a
    /// checkpoint in a run, or the file of weights in it. The network is placed on `backend`, or
    /// else on the backend that trained it. If that is a GPU which this machine does not have, the
    /// network is placed on flex, and a note says so.
    ///
    /// # Errors
    /// A run that does not exist, a file outside of a run folder, weights that are missing,
    /// damaged, or of another network than the run's experiment describes, or a backend that cannot
    /// be opened.
    pub fn load(text: &str, artifacts: &Path, backend: Option<Backend>) -> Result<Self> {
        let mut path = PathBuf::from(text);
        if path.file_name().and_then(|name| Position::parse(name.to_str()?)).is_some() && path.is_dir() {
            path.push("model.bpk");
        }
        if !path.is_file() {
            return Self::from_run(run::find(text, artifacts)?, backend);
        }
        let absolute = files::real_path(&path)?;
        let folder = absolute.ancestors().skip(1).take(3).find(|folder| RunFolder::exists_at(folder));
        let folder = folder.ok_or_else(|| {
            Error::not_found(format!("the checkpoint `{text}` is not in a run folder"))
                .hint("its network is described by the `config.toml` of its run: leave it in there")
        })?;
        Self::read(RunFolder::open(folder)?, absolute, backend)
    }

    /// Loads the final weights of the run in `folder`.
    ///
    /// # Errors
    /// Those of [`LoadedModel::load`].
    pub fn from_run(folder: RunFolder, backend: Option<Backend>) -> Result<Self> {
        let weights_path = folder.model_path();
        Self::read(folder, weights_path, backend)
    }

    /// Returns the network that `run` has just trained, with the backend and the records of the run.
    pub(super) fn of_training(run: &PreparedRun, model: Mlp) -> Self {
        Self {
            folder: run.folder.clone(),
            experiment: run.experiment.clone(),
            info: run.info.clone(),
            weights_path: run.folder.model_path(),
            model,
            handle: run.handle.clone(),
            notes: Vec::new(),
            backend: run.info.backend,
        }
    }

    /// Returns the backend that the network computes on.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Computes with `engine` instead of the backend's default one, if it is given.
    ///
    /// # Errors
    /// As [`Engine::check`]'s.
    pub fn with_engine(mut self, engine: Option<Engine>) -> Result<Self> {
        if let Some(engine) = engine {
            engine.check(self.backend)?;
            self.model = self.model.with_engine(engine);
        }
        Ok(self)
    }

    fn read(folder: RunFolder, weights_path: PathBuf, backend: Option<Backend>) -> Result<Self> {
        loop {
            let info = folder.info()?;
            let expected = info.weights_sha256.clone();
            let loaded = Self::read_once(info, folder.clone(), weights_path.clone(), backend);
            // A process that trains the run may have replaced the weights after `run.json` was
            // read.
            if loaded.is_ok() || folder.info()?.weights_sha256 == expected {
                return loaded;
            }
        }
    }

    /// Reads the weights of the run that `info` describes, and compares them with their digest.
    fn read_once(
        info: RunInfo,
        folder: RunFolder,
        weights_path: PathBuf,
        backend: Option<Backend>,
    ) -> Result<Self> {
        let experiment = folder.experiment(&info)?;
        check_verifiable(&info, &folder, &weights_path)?;
        let (backend, handle, notes) = open_backend(&info, &folder, backend)?;
        let InputSpec { height, width, num_classes } = info.data.layout;
        let model = experiment.model.init(height * width, num_classes, experiment.seed, &handle.device)?;
        let model = folder.load_weights(model, &weights_path)?.with_engine(handle.engine);
        let loaded = Self { folder, experiment, info, weights_path, model, handle, notes, backend };
        loaded.verify()?;
        Ok(loaded)
    }

    /// Compares the final weights with the digest in `run.json`. Reading a checkpoint has compared
    /// its weights with their own digest already.
    fn verify(&self) -> Result<()> {
        let Some(expected) = self.info.weights_sha256.as_ref().filter(|_| self.is_final()) else {
            return Ok(());
        };
        let found = weights_sha256(&self.model)?;
        if found == *expected {
            return Ok(());
        }
        let path = self.weights_path.display();
        Err(Error::corrupt(format!(
            "`{path}` is damaged: its weights have the digest {found}, expected {expected}"
        ))
        .hint("a checkpoint in the run's folder `checkpoint` may still be whole"))
    }

    /// Returns whether these are the final weights of the run, not those of a checkpoint.
    pub fn is_final(&self) -> bool {
        self.weights_path == self.folder.model_path()
    }

    /// Returns the name of a picture of these weights: `stem` for the final ones, else the
    /// checkpoint's name and `stem`.
    pub(crate) fn figure_name(&self, stem: &str) -> String {
        let folder = self.weights_path.parent().and_then(Path::file_name).filter(|_| !self.is_final());
        match folder {
            Some(checkpoint) => format!("{}-{stem}", checkpoint.to_string_lossy()),
            None => stem.to_owned(),
        }
    }

    /// Loads a split of the run's own data set, or of `source`. If that has the same digest, it is
    /// the run's own data set in another place.
    ///
    /// # Errors
    /// A data set that has changed since the training or does not fit the network, or a split
    /// without images.
    pub fn eval_set(&self, name: SplitName, source: Option<Source>) -> Result<EvalSet> {
        let loaded = match &source {
            None => load_own(&self.experiment, &self.info.data, name)?,
            Some(source) => load_other(&self.experiment, &self.info.data, source, name)?,
        };
        let LoadedSplit { split, is_own, sha256, notes } = loaded;
        let other_source = source.filter(|_| !is_own);
        Ok(match other_source {
            None => EvalSet { notes, ..EvalSet::own(split, name) },
            Some(other) => {
                let tag = format!("{name}-of-{}", other.tag(&sha256));
                EvalSet { split, name, other_source: Some(other), tag, notes }
            }
        })
    }

    /// Evaluates the network on `eval_set`.
    ///
    /// # Errors
    /// A device that fails.
    pub fn evaluate(&self, eval_set: &EvalSet) -> Result<Evaluation> {
        evaluate(&self.model, &eval_set.split, &self.handle.device)
    }

    /// Returns the faults that an `evaluation` of the network on `eval_set` shows.
    pub fn diagnose(&self, evaluation: &Evaluation, eval_set: &EvalSet) -> Vec<Finding> {
        let is_result = eval_set.is_own_test() && self.is_final() && self.info.status == Status::Finished;
        let names = self.info.data.classes();
        let findings = diagnosis::diagnose(&self.experiment, evaluation, names.names(), is_result);
        diagnosis::of_network(findings, &self.info)
    }

    /// Stores `evaluation` as the run's test and writes the run's page again, if two conditions
    /// hold:
    ///
    /// - The run has no readable test. It was interrupted, for example, or its test is of an
    ///   earlier smallnet and does not say which images were misclassified.
    /// - The evaluation is the one that the training would have made: of the final weights, on the
    ///   run's own test images and backend, with a finite loss.
    ///
    /// If the run was resumed meanwhile, nothing is stored.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn store_test(&self, evaluation: &Evaluation, eval_set: &EvalSet) -> Result<()> {
        let is_the_test = eval_set.is_own_test()
            && self.is_final()
            && self.backend == self.info.backend
            && self.model.engine() == self.info.engine()
            && evaluation.loss.is_finite();
        if !is_the_test || !self.write_test(evaluation, eval_set)? {
            return Ok(());
        }
        report(&self.folder).map(drop)
    }

    /// Writes the run's test and returns whether it did. It holds the run's lock meanwhile: a
    /// process that resumes the run has no use for this test.
    fn write_test(&self, evaluation: &Evaluation, eval_set: &EvalSet) -> Result<bool> {
        // A damaged test counts as missing. So this function repairs it.
        let is_complete = |test: &TestEvaluation| test.evaluation.misclassified.is_some();
        let has_test =
            |info: &RunInfo| matches!(self.folder.test(info), Ok(Some(test)) if is_complete(&test));
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
        // The summary of a run with `--no-test` gets the figures that the training left out.
        if let Some(mut summary) = self.folder.summary(&info)?.filter(|summary| summary.skipped_test) {
            summary.enter_test(evaluation);
            self.folder.write_summary(&summary)?;
        }
        self.folder.write_test(&TestEvaluation::new(evaluation.clone(), &eval_set.split, digest))?;
        Ok(true)
    }
}

impl EvalSet {
    /// Returns the run's own images of the split `name`.
    pub(super) fn own(split: Split, name: SplitName) -> Self {
        Self { split, name, other_source: None, tag: name.to_string(), notes: Vec::new() }
    }

    /// Returns the name of the images for people: `test`, with the data set's name if it is not the
    /// run's own.
    pub fn describe(&self) -> String {
        match &self.other_source {
            Some(source) => format!("{} ({source})", self.name),
            None => self.name.to_string(),
        }
    }

    fn is_own_test(&self) -> bool {
        self.name == SplitName::Test && self.other_source.is_none()
    }
}

/// Opens `wanted`, or else the backend that trained the run. Returns the backend, its handle and the
/// notes about it.
///
/// Looking at a network needs no GPU. So if nobody chose a backend or an adapter, and the run's GPU
/// backend cannot be opened, flex takes its place.
pub(super) fn open_backend(
    info: &RunInfo,
    folder: &RunFolder,
    wanted: Option<Backend>,
) -> Result<(Backend, BackendHandle, Vec<String>)> {
    let backend = wanted.unwrap_or(info.backend);
    // On its own backend a network keeps the engine that trained it, if this build has it.
    let is_own = |engine: &Engine| backend == info.backend && engine.check(backend).is_ok();
    let opened = Compute::new(backend, Some(info.engine()).filter(is_own))?.open();
    let may_replace = wanted.is_none() && backend.is_gpu() && chosen_device().is_none();
    match opened {
        Err(error) if may_replace && error.kind() == ErrorKind::Backend => {
            let reason =
                if backend.is_built() { "this machine has no usable GPU" } else { "it is not in this build" };
            let path = folder.path().display();
            let note =
                format!("`{path}` was trained on {backend}, and {reason}: computed on the CPU with flex");
            Ok((Backend::Flex, Compute::from(Backend::Flex).open()?, vec![note]))
        }
        opened => opened.map(|handle| (backend, handle, Vec::new())),
    }
}

/// Refuses weights without a digest. A run that is being trained or was killed has none for its
/// weights, and neither has a file that belongs to neither the run nor a checkpoint.
fn check_verifiable(info: &RunInfo, folder: &RunFolder, weights_path: &Path) -> Result<()> {
    let path = folder.path().display();
    if weights_path != folder.model_path() {
        return match run::checkpoint_folder(weights_path) {
            Some(_) => Ok(()),
            None => Err(Error::not_found(format!(
                "`{}` is neither the weights of the run `{path}` nor those of one of its checkpoints",
                weights_path.display()
            ))
            .hint("name the run, or a checkpoint's folder in it")),
        };
    }
    if info.weights_sha256.is_some() && weights_path.exists() {
        return Ok(());
    }
    let reason = match info.status {
        Status::Running => "it is being trained",
        Status::Killed => "it was killed",
        Status::Failed => "it failed",
        Status::Finished | Status::Interrupted if weights_path.exists() => {
            "its `run.json` has no digest of them"
        }
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
    Err(Error::state(format!("`{path}` has no trained weights: {reason}")).hint(hint))
}
