//! Owns the short interface of the library: one function each to train, load, evaluate, predict and
//! run a study. `lib.rs` exports it. Depends on `pipeline` and `study`. Must not know screens or
//! the command line.

use std::path::{Path, PathBuf};

use burn::train::Interrupter;

use crate::backend::{Backend, Compute};
use crate::data::PictureFile;
use crate::error::{Error, Result};
use crate::evaluation::Evaluation;
use crate::experiment::Experiment;
use crate::model::Mlp;
use crate::pipeline::{
    Export, ExportOptions, ImagePrediction, LoadedModel, SplitName, prepare, prepare_from,
};
use crate::run::{RunFolder, RunInfo, RunSummary};
use crate::study::Study;
use crate::study::StudySummary;
use crate::study::runner::{PlannedStudy, RunOptions};
use crate::training::{EpochRecord, Observers};

/// A trained network and its run folder.
#[derive(Debug, Clone)]
pub struct Run(LoadedModel);

impl Run {
    /// Loads a run of the folder `artifacts`. `name` is the run's folder, its id, or `latest`.
    ///
    /// # Errors
    /// A run that does not exist, or weights that are missing or damaged.
    ///
    /// # Example
    /// ```no_run
    /// let run = smallnet::Run::load("latest", "artifacts")?;
    /// println!("{}", run.path().display());
    /// # Ok::<(), smallnet::Error>(())
    /// ```
    pub fn load(name: &str, artifacts: impl AsRef<Path>) -> Result<Self> {
        LoadedModel::load(name, artifacts.as_ref(), None).map(Self)
    }

    /// Loads the run in `folder`.
    fn open(folder: RunFolder) -> Result<Self> {
        LoadedModel::from_run(folder, None).map(Self)
    }

    /// Folder of the run.
    pub fn path(&self) -> &Path {
        self.0.folder.path()
    }

    /// Network with its final weights.
    pub fn model(&self) -> &Mlp {
        &self.0.model
    }

    /// Experiment of the run.
    pub fn experiment(&self) -> &Experiment {
        &self.0.experiment
    }

    /// Content of `run.json`.
    pub fn info(&self) -> &RunInfo {
        &self.0.info
    }

    /// Reads the result of the run: validation and test accuracy, number of parameters, and more.
    /// `None` if the training has not ended.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn summary(&self) -> Result<Option<RunSummary>> {
        self.0.folder.summary(&self.0.info)
    }

    /// Writes the network in the format of another program, and checks what was written: see
    /// [`LoadedModel::export`].
    ///
    /// # Errors
    /// As [`LoadedModel::export`]'s.
    ///
    /// # Example
    /// ```no_run
    /// use smallnet::pipeline::{ExportFormat, ExportOptions};
    ///
    /// let run = smallnet::Run::load("latest", "artifacts")?;
    /// let options = ExportOptions { format: ExportFormat::Onnx, output: None, bytes: false, layout: None };
    /// println!("{}", run.export(&options)?.path.display());
    /// # Ok::<(), smallnet::Error>(())
    /// ```
    pub fn export(&self, options: &ExportOptions) -> Result<Export> {
        self.0.export(options)
    }

    /// Reads the records of all epochs.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn epochs(&self) -> Result<Vec<EpochRecord>> {
        self.0.folder.epochs()
    }
}

/// Trains a network on the backend flex, which uses the CPU, and tests it. The run gets a new
/// folder in `artifacts` with the weights, the metrics, the checkpoints and a page.
///
/// # Errors
/// A value of the experiment out of range, a data set that cannot be read, a training that
/// diverges, or a file that cannot be written.
pub fn train(experiment: Experiment, artifacts: impl AsRef<Path>) -> Result<Run> {
    train_with(experiment, artifacts, Backend::default(), Observers::silent())
}

/// Trains as [`train`] does, on another backend or engine, and with observers: a progress bar,
/// callbacks, an interrupter.
///
/// # Errors
/// The same as those of [`train`], a backend that cannot be opened, or an error of a callback.
///
/// # Example
/// ```
/// use smallnet::backend::{Backend, Compute};
/// use smallnet::{Engine, Experiment, Observers, on_epoch_end, train_with};
///
/// # let artifacts = tempfile::tempdir()?;
/// let mut experiment = Experiment::default();
/// experiment.training.num_epochs = 1;
/// let compute = Compute::new(Backend::Flex, Some(Engine::Autodiff))?;
/// let print = on_epoch_end(|epoch| {
///     println!("epoch {}: loss {:.4}", epoch.epoch, epoch.train_loss);
///     Ok(())
/// });
/// let observers = Observers { callbacks: vec![print], ..Observers::silent() };
/// train_with(experiment, &artifacts, compute, observers)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn train_with(
    experiment: Experiment,
    artifacts: impl AsRef<Path>,
    compute: impl Into<Compute>,
    observers: Observers,
) -> Result<Run> {
    experiment.check()?;
    let prepared = prepare(experiment, compute.into(), artifacts.as_ref())?;
    let folder = prepared.folder.clone();
    prepared.train(observers)?.report?;
    Run::open(folder)
}

/// Trains `experiment` as [`train`] does, but starts from the weights of `run`. The experiment must
/// have the hidden layers and the activation of the run. Where the data set has another number of
/// classes, the last layer is initialized anew. The optimizer starts anew, too.
///
/// # Errors
/// The same as those of [`train`], or an experiment or data set that does not fit the network.
///
/// # Example
/// ```no_run
/// let run = smallnet::Run::load("latest", "artifacts")?;
/// let mut experiment = run.experiment().clone();
/// experiment.training.num_epochs = 2;
/// let next = smallnet::train_from(&run, experiment, "artifacts")?;
/// # Ok::<(), smallnet::Error>(())
/// ```
pub fn train_from(run: &Run, experiment: Experiment, artifacts: impl AsRef<Path>) -> Result<Run> {
    experiment.check()?;
    let prepared = prepare_from(experiment, &run.0, Backend::default().into(), artifacts.as_ref())?;
    let folder = prepared.folder.clone();
    prepared.train(Observers::silent())?.report?;
    Run::open(folder)
}

/// Evaluates the network of a run on the test images of its data set. Writes nothing.
///
/// # Errors
/// A data set that has changed or cannot be read, or a device that fails.
pub fn evaluate(run: &Run) -> Result<Evaluation> {
    run.0.evaluate(&run.0.eval_set(SplitName::Test, None)?)
}

/// Predicts the classes of the test images at `indices`, counted from 0.
///
/// # Errors
/// An index beyond the last image, or the errors of [`evaluate`].
pub fn predict(run: &Run, indices: &[usize]) -> Result<Vec<ImagePrediction>> {
    run.0.predict(&run.0.eval_set(SplitName::Test, None)?, indices)
}

/// Predicts the classes of picture files (PNG or JPEG). Each picture is prepared as the training
/// images of the run were.
///
/// # Errors
/// A file that cannot be read or shows nothing, or a device that fails.
pub fn predict_files(run: &Run, files: &[PathBuf]) -> Result<Vec<ImagePrediction>> {
    let files: Vec<_> = files.iter().map(|path| PictureFile { path: path.clone(), folder: None }).collect();
    let answers = run.0.predict_files(&files, None)?;
    answers.into_iter().map(|answer| answer.map_err(|unreadable| unreadable.error)).collect()
}

/// Runs all trials of a study that have no record in `artifacts` yet, and writes its table and its
/// page. Returns the results of its configurations.
///
/// # Errors
/// A trial that fails, a data set that cannot be read, or a file that cannot be written.
pub fn run_study(study: Study, artifacts: impl AsRef<Path>) -> Result<StudySummary> {
    let planned = PlannedStudy::new(study, Backend::default(), RunOptions::default())?;
    let mut study = planned.open(artifacts.as_ref())?;
    study.run(&Interrupter::new(), |_, _| ())?;
    let summary = study.summary();
    study.write_results(&summary, None)?;
    match study.failed().first() {
        None => Ok(summary),
        Some(failure) => Err(Error::state(failure.clone())),
    }
}
