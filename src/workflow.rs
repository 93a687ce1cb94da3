//! Owns the order of the work: from an experiment to a finished run folder, and from a run folder back to an
//! evaluated network. Every other room does its part; none of them knows the order. Prints nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::train::Interrupter;
use burn::train::renderer::MetricsRenderer;
use serde::{Deserialize, Serialize};

use crate::backend::{self, Backend, Opened};
use crate::config::Experiment;
use crate::data::{EVALUATION_BATCH_SIZE, Holdout, Images, Layout, Part, Source, Split};
use crate::error::{Error, Result};
use crate::evaluation::{Evaluation, evaluate};
use crate::model::{Mlp, weights_sha256};
use crate::run::{self, DataInfo, RunFolder, RunInfo, Status, Summary};
use crate::training::{self, End, EpochRecord, Followers, Setup, Trained};

/// The git commit that smallnet was built from, where it was built in a checkout.
pub const GIT_COMMIT: Option<&str> = option_env!("SMALLNET_GIT_COMMIT");

/// A run about to start: its folder is made, its experiment saved.
pub struct Prepared {
    /// What is trained.
    pub experiment: Experiment,
    /// Where it goes.
    pub folder: RunFolder,
    /// `run.json` as it stands.
    pub info: RunInfo,
    /// The network with its initial weights.
    pub model: Mlp,
    /// The backend it runs on.
    pub opened: Opened,
    train: Split,
    validation: Split,
    test: Split,
}

/// A run that has ended without an error.
pub struct Outcome {
    /// How training ended.
    pub end: End,
    /// The result; none for an interrupted run, which is not tested.
    pub result: Option<(Summary, Evaluation)>,
}

/// Opens the backend, reads the images, builds the network and makes the run folder, in this order: what can
/// fail leaves no folder behind.
pub fn prepare(experiment: Experiment, backend: Backend, artifacts: &Path) -> Result<Prepared> {
    let opened = backend.open()?;
    let source = experiment.data.source();
    let images = source.load(Part::Train)?;
    let layout = images.layout();
    let Layout { height, width, num_classes } = layout;
    if num_classes < 2 {
        return Err(Error::new(format!(
            "all training images in `{source}` are of class 0, expected two classes"
        )));
    }
    // Read now so that a test set that does not fit ends the run before it starts; used after the last step.
    let test = source.load(Part::Test)?;
    test.check_layout(layout)?;
    let (train, validation) = split(&experiment, images)?;
    let largest_batch = experiment.training.batch_size.min(train.len()).max(EVALUATION_BATCH_SIZE);
    experiment.model.check_memory(height * width, num_classes, largest_batch)?;
    let model = experiment.model.init(height * width, num_classes, experiment.seed, &opened.device)?;
    let data = DataInfo {
        source: source.to_string(),
        sha256: source.checksum()?,
        layout,
        num_train: train.len(),
        num_validation: validation.len(),
    };

    let now = run::now();
    let folder = RunFolder::create(artifacts, &experiment.name, now)?;
    folder.write_experiment(&experiment)?;
    let info = RunInfo {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        git_commit: GIT_COMMIT.map(str::to_owned),
        experiment: experiment.name.clone(),
        backend,
        adapter: opened.adapter.clone(),
        threads: backend::num_threads(),
        data,
        seed: experiment.seed,
        started: run::timestamp(now),
        ended: None,
        status: Status::Running,
        message: None,
        weights_sha256: None,
    };
    folder.write_info(&info)?;
    Ok(Prepared { experiment, folder, info, model, opened, train, validation, test: Split::whole(test) })
}

/// What the training part of a data set is split into: images trained on and images held out.
fn split(experiment: &Experiment, images: Images) -> Result<(Split, Split)> {
    let data = &experiment.data;
    let holdout = Holdout::draw(&images.labels, data.validation, data.stratified, experiment.seed)?;
    let images = Arc::new(images);
    Ok((Split::new(images.clone(), holdout.train), Split::new(images, holdout.validation)))
}

impl Prepared {
    /// Trains, saves and tests. `on_epoch` is told of every epoch after it has been saved.
    ///
    /// # Errors
    /// As [`training::train`]'s, a test loss that is not finite, or a file that cannot be written. The run folder
    /// then says that the run failed, and why.
    pub fn train(
        mut self,
        renderer: Box<dyn MetricsRenderer>,
        interrupter: Interrupter,
        on_epoch: impl FnMut(&EpochRecord) + Send + 'static,
    ) -> Result<Outcome> {
        let result = self.run(renderer, interrupter, on_epoch);
        self.info.ended = Some(run::timestamp(run::now()));
        (self.info.status, self.info.message) = match &result {
            Ok(Outcome { end: End::Interrupted { epoch, step }, .. }) => {
                (Status::Interrupted, Some(format!("in epoch {epoch}, after step {step}")))
            }
            Ok(_) => (Status::Finished, None),
            Err(error) => (Status::Failed, Some(error.to_string())),
        };
        let saved = self.folder.write_info(&self.info);
        // The first error is the cause; a second one while noting it down is its consequence.
        result.and_then(|outcome| saved.map(|()| outcome))
    }

    fn run(
        &mut self,
        renderer: Box<dyn MetricsRenderer>,
        interrupter: Interrupter,
        mut on_epoch: impl FnMut(&EpochRecord) + Send + 'static,
    ) -> Result<Outcome> {
        let Self { experiment, folder, .. } = &*self;
        let metrics = folder.clone();
        let on_epoch = Box::new(move |record: &EpochRecord| {
            metrics.append_epoch(record)?;
            on_epoch(record);
            Ok(())
        });
        let setup = Setup {
            model: self.model.clone(),
            optimizer: &experiment.optimizer,
            schedule: &experiment.schedule,
            training: &experiment.training,
            seed: experiment.seed,
            train: self.train.clone(),
            validation: self.validation.clone(),
            device: &self.opened.device,
            directory: folder.path(),
        };
        let Trained { model, end, epochs } =
            training::train(setup, Followers { renderer, on_epoch, interrupter })?;

        let interrupted = matches!(end, End::Interrupted { .. });
        let (model, model_epoch) = match self.epoch_to_restore(&epochs) {
            Some(best) if !interrupted => {
                (run::load_weights(model, &folder.checkpoint_path(best))?, Some(best))
            }
            _ => (model, epochs.last().map(|epoch| epoch.epoch)),
        };
        folder.save_model(&model)?;
        let digest = weights_sha256(&model)?;
        self.info.weights_sha256 = Some(digest.clone());
        let result =
            if interrupted { None } else { Some(self.test(&model, digest, model_epoch, &epochs)?) };
        Ok(Outcome { end, result })
    }

    /// The best epoch, where early stopping asks for its weights and they are not the last.
    fn epoch_to_restore(&self, epochs: &[EpochRecord]) -> Option<usize> {
        let wanted = self.experiment.training.early_stopping.as_ref().is_some_and(|stop| stop.restore_best);
        best_epoch(epochs).filter(|&best| wanted && best != epochs.len())
    }

    fn test(
        &self,
        model: &Mlp,
        weights_sha256: String,
        model_epoch: Option<usize>,
        epochs: &[EpochRecord],
    ) -> Result<(Summary, Evaluation)> {
        let evaluation = evaluate(model, &self.test, &self.opened.device)?;
        if !evaluation.loss.is_finite() {
            return Err(training::diverged(&format!("the test loss is {}", evaluation.loss)));
        }
        let summary = Summary {
            test_accuracy: evaluation.accuracy,
            test_loss: evaluation.loss,
            num_parameters: burn::module::Module::num_params(model),
            steps_per_epoch: self.experiment.training.steps_per_epoch(self.train.len()),
            num_epochs: epochs.len(),
            seconds_per_epoch: median(epochs.iter().map(|epoch| epoch.seconds).collect()),
            best_epoch: best_epoch(epochs),
            model_epoch,
            weights_sha256,
        };
        self.folder.write_summary(&summary)?;
        Ok((summary, evaluation))
    }
}

/// The epoch of the lowest validation loss; the last one where nothing was held out.
fn best_epoch(epochs: &[EpochRecord]) -> Option<usize> {
    let validated = epochs.iter().filter_map(|epoch| Some((epoch.epoch, epoch.validation_loss?)));
    let best = validated.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(epoch, _)| epoch);
    best.or(epochs.last().map(|epoch| epoch.epoch))
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    Some(if values.len() % 2 == 1 { upper } else { (values[values.len() / 2 - 1] + upper) / 2.0 })
}

/// Part of a data set to evaluate on.
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
            return Self::open(folder.model_path(), folder);
        }
        let absolute = path.canonicalize().map_err(|error| Error::io("read", path, error))?;
        let folder = absolute.ancestors().skip(1).take(2).find_map(|folder| RunFolder::open(folder).ok());
        let folder = folder.ok_or_else(|| {
            Error::new(format!("the checkpoint `{text}` is not in a run folder"))
                .hint("its network is described by the `config.toml` of its run: leave it in there")
        })?;
        Self::open(absolute, folder)
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
        let is_final = self.weights == self.folder.model_path();
        let Some(noted) = self.info.weights_sha256.as_ref().filter(|_| is_final) else { return Ok(()) };
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

    /// Evaluates `model` on a split of the run's data set, or of the one at `data`.
    ///
    /// # Errors
    /// A data set that does not fit the network, or a split without images.
    pub fn evaluate(
        &self,
        model: &Mlp,
        name: SplitName,
        data: Option<Source>,
        opened: &Opened,
    ) -> Result<Evaluation> {
        let Self { experiment, info, .. } = self;
        let source = match data {
            Some(other) => other,
            None => unchanged(experiment.data.source(), &info.data.sha256)?,
        };
        let part = if name == SplitName::Test { Part::Test } else { Part::Train };
        let images = source.load(part)?;
        images.check_layout(info.data.layout)?;
        let split = match name {
            SplitName::Test => Split::whole(images),
            SplitName::Train => split(experiment, images)?.0,
            SplitName::Validation => split(experiment, images)?.1,
        };
        if split.is_empty() {
            return Err(Error::new(format!("the run `{}` held no image out", self.folder.path().display()))
                .hint("hold some out when training: `--set data.validation=10000`"));
        }
        evaluate(model, &split, &opened.device)
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
