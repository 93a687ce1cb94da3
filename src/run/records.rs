//! Owns the records in the files of a run folder: their fields are the fields of the JSON files.
//! Must not know how they are written and read.

use serde::{Deserialize, Serialize};

use crate::backend::{Backend, Engine};
use crate::data::{Appearance, Classes, DataProperties, InputSpec, PicturePreparer, Preparation, ValueRange};
use crate::evaluation::{Evaluation, PredictionCounts};
use crate::experiment::Experiment;
use crate::run::{ImportedNetwork, RunFolder, TestEvaluation};
use crate::training::{EpochRecord, Position};
use crate::util::format::{counted, grouped};

/// The status of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// A process is training the run.
    Running,
    /// The process was killed, or the machine stopped. This status is never written: `run.json`
    /// still says `running`.
    Killed,
    /// The last epoch is trained, or early stopping ended the training.
    Finished,
    /// The user stopped the training. The weights at that point are saved.
    Interrupted,
    /// An error ended the training.
    Failed,
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Running => "running",
            Self::Killed => "killed",
            Self::Finished => "finished",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
        })
    }
}

/// The content of `run.json`: the circumstances of a run, and its status.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunInfo {
    /// The format of the run folder. Runs of the first version have no such number, which means 1.
    #[serde(default = "first_format")]
    pub format: u32,
    /// The version of smallnet.
    pub version: String,
    /// The git commit that smallnet was built from, if it was built in a checkout.
    pub git_commit: Option<String>,
    /// The name of the experiment.
    pub experiment: String,
    /// The SHA-256 of `config.toml` in hex. `None` in runs of the first version.
    #[serde(default)]
    pub config_sha256: Option<String>,
    /// The number of epochs, if `resume` changed it from the number in `config.toml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub num_epochs: Option<usize>,
    /// The times when the run was resumed.
    #[serde(rename = "resumed", default, skip_serializing_if = "Vec::is_empty")]
    pub resumes: Vec<ResumeEvent>,
    /// The backend. If the run was resumed on another one, it is the newest.
    pub backend: Backend,
    /// The engine. `None` in runs of smallnet 0.1.0 and earlier, which had one engine per backend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<Engine>,
    /// The name of the GPU, or of the CPU backend.
    pub adapter: String,
    /// The instructions for many numbers at once that the processor has: see
    /// [`crate::backend::instructions`]. `None` in runs of an earlier smallnet, and where a run was
    /// resumed on a processor with others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    /// The number of threads of the CPU backends.
    #[serde(rename = "threads")]
    pub num_threads: usize,
    /// The run whose weights this run started from. `None` if it started from random ones.
    #[serde(rename = "from", default, skip_serializing_if = "Option::is_none")]
    pub source_run: Option<SourceRun>,
    /// The file that the network was imported from. `None` for a network that smallnet trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<ImportedNetwork>,
    /// The data set and its digest.
    pub data: DataInfo,
    /// The seed of the experiment.
    pub seed: u64,
    /// The time of the start, in UTC as RFC 3339.
    #[serde(rename = "started")]
    pub started_at: String,
    /// The time of the end, in UTC as RFC 3339. `None` while the run is being trained.
    #[serde(rename = "ended")]
    pub ended_at: Option<String>,
    /// The status of the run.
    pub status: Status,
    /// The reason of a failure, or the position of an interruption.
    pub message: Option<String>,
    /// The digest of the weights in `model.bpk`, once they are saved. See
    /// [`crate::model::weights_sha256`].
    pub weights_sha256: Option<String>,
    /// True if the training leaves the test images alone (`--no-test`). `smallnet evaluate` may have
    /// tested the network later.
    #[serde(rename = "no_test", default, skip_serializing_if = "std::ops::Not::not")]
    pub skips_test: bool,
}

impl RunInfo {
    /// Returns the engine that trained the run: the recorded one, or the only one that its backend
    /// had when it was trained.
    pub fn engine(&self) -> Engine {
        self.engine.unwrap_or(Engine::usual(self.backend))
    }

    /// Returns the state of the run in words: its status, or `imported`, which is no training.
    pub fn state(&self) -> String {
        match self.imported {
            Some(_) => "imported".to_owned(),
            None => self.status.to_string(),
        }
    }

    /// Returns whether the run was resumed on another backend than the one before. No other training
    /// ends with the same weights to the last bit.
    pub fn is_inexact(&self) -> bool {
        self.inexact_changes().next().is_some()
    }

    /// The changes of the backend that the result depends on. What was before the last start from the
    /// beginning has no part in it.
    fn inexact_changes(&self) -> impl Iterator<Item = BackendChange> {
        let start = self.resumes.iter().rposition(|resumed| resumed.position.is_none()).unwrap_or(0);
        let changes = self.resumes.iter().skip(start).filter_map(|resumed| resumed.change);
        changes.filter(|change| change.inexact)
    }

    /// Returns the backends of the run in their order: `flex`, or `flex, then ndarray` if it was
    /// resumed on another one.
    pub fn backends(&self) -> String {
        let earlier = self.inexact_changes().map(|change| change.backend_before);
        let names: Vec<String> = earlier.chain([self.backend]).map(|backend| backend.to_string()).collect();
        names.join(", then ")
    }
}

/// A record of the run whose weights another run started from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRun {
    /// The id of the run.
    #[serde(rename = "run")]
    pub id: String,
    /// The path of the run's folder, or of the folder of the checkpoint in it.
    pub path: String,
    /// The digest of the weights. See [`crate::model::weights_sha256`].
    pub weights_sha256: String,
    /// True if the last layer was initialized anew, since the number of classes differs.
    pub new_last_layer: bool,
    /// The digest of the weights that the training started with. It differs from the digest of the
    /// run's weights if the last layer is new.
    pub initial_weights_sha256: String,
}

impl SourceRun {
    /// Describes where the weights are from: `artifacts/softmax/20261122-180805, weights
    /// 1a2b3c4d5e6f7a8b; the last layer is new`.
    pub fn describe(&self) -> String {
        let digest: String = self.weights_sha256.chars().take(16).collect();
        let last = if self.new_last_layer { "; the last layer is new" } else { "" };
        format!("{}, weights {digest}{last}", self.path)
    }
}

/// A record of one resumption of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResumeEvent {
    /// The time, in UTC as RFC 3339.
    #[serde(rename = "at")]
    pub resumed_at: String,
    /// The position of the checkpoint. `None` if the training started again from its beginning.
    #[serde(rename = "from")]
    pub position: Option<Position>,
    /// The change of the backend. `None` if the run resumed on the backend that it had before.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub change: Option<BackendChange>,
}

/// A change of the backend when a run was resumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackendChange {
    /// The backend from here on.
    pub backend: Backend,
    /// The backend before.
    pub backend_before: Backend,
    /// True if the run had trained already: another backend rounds differently, so the run does not
    /// end as it would have on one backend.
    pub inexact: bool,
}

/// Format of a run whose `run.json` states none.
fn first_format() -> u32 {
    1
}

/// The data set of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataInfo {
    /// The data source: `mnist` or a folder.
    pub source: String,
    /// The digest of the data set's files.
    pub sha256: String,
    /// The size of the images and the number of classes that the network takes.
    #[serde(flatten)]
    pub layout: InputSpec,
    /// The number of training images, without the validation images.
    pub num_train: usize,
    /// The number of validation images.
    pub num_validation: usize,
    /// The number of test images. `None` in runs of 0.1.0 and earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub num_test: Option<usize>,
    /// The name of each class. Empty in runs of 0.1.0 and earlier, whose classes are numbered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub class_names: Vec<String>,
    /// The label of each class in the files, if it is not the name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub class_labels: Vec<String>,
    /// The pixel values of the files that became 0 and 1. `None` in runs of 0.1.0 and earlier: 0
    /// and 255.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_range: Option<ValueRange>,
    /// True if rows and columns of the files' images were exchanged.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub transposed: bool,
    /// Measures of how the training images look: light on dark or dark on light, and where the ink
    /// is. `None` in runs of 0.1.0 and earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appearance: Option<Appearance>,
    /// The preparation of pictures that fits the training images. `None` in runs of 0.1.0 and
    /// earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preparation: Option<Preparation>,
}

impl DataInfo {
    /// True if a data set can be like this. A record of an untrusted folder may contain anything.
    pub(crate) fn is_possible(&self) -> bool {
        let fits = |list: &[String]| list.is_empty() || list.len() == self.layout.num_classes;
        let has_range = self.value_range.is_none_or(|range| range.white > range.black);
        self.layout.is_possible() && fits(&self.class_names) && fits(&self.class_labels) && has_range
    }

    /// The classes of the network.
    pub fn classes(&self) -> Classes {
        if self.class_names.is_empty() {
            return Classes::numbered(self.layout.num_classes);
        }
        let labels = if self.class_labels.is_empty() { &self.class_names } else { &self.class_labels };
        Classes::new(labels.clone(), self.class_names.clone())
    }

    /// A text that is the same for the same images understood in the same way.
    pub fn identity(&self) -> String {
        self.properties().identity(&self.sha256)
    }

    /// Classes, range and orientation of the data set's images.
    pub(crate) fn properties(&self) -> DataProperties {
        DataProperties {
            classes: self.classes(),
            value_range: self.value_range.unwrap_or(ValueRange::BYTES),
            transposed: self.transposed,
        }
    }

    /// Returns the converter of picture files to images as the network takes them. `wanted` is the
    /// preparation that the user asks for, if any.
    pub(crate) fn picture_preparer(&self, wanted: Option<Preparation>) -> PicturePreparer {
        let fitting = || Preparation::of_training_images(self.appearance.as_ref());
        PicturePreparer {
            height: self.layout.height,
            width: self.layout.width,
            appearance: self.appearance,
            value_range: self.value_range.unwrap_or(ValueRange::BYTES),
            preparation: self.preparation.unwrap_or_else(fitting),
            wanted,
        }
    }

    /// Describes the data set in words: `mnist, 55,000 training images, 5,000 held out`.
    pub fn describe(&self) -> String {
        let held_out = match self.num_validation {
            0 => String::new(),
            number => format!(", {} held out", grouped(number)),
        };
        let train = counted(self.num_train, "training image", "training images");
        format!("{}, {train}{held_out}", self.source)
    }
}

/// The content of `summary.json`: the result of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// The test accuracy in [0, 1]. `None` without test images, or if these have no labels.
    pub test_accuracy: Option<f64>,
    /// The mean cross-entropy over the test images, in nats. `None` as for the accuracy.
    pub test_loss: Option<f64>,
    /// The number of weights and biases.
    pub num_parameters: usize,
    /// The number of steps per epoch, including the shorter last batch.
    pub steps_per_epoch: usize,
    /// The number of epochs trained.
    pub num_epochs: usize,
    /// The median wall-clock time of the training steps per epoch. `None` before the end of the
    /// first epoch.
    pub seconds_per_epoch: Option<f64>,
    /// The epoch with the lowest validation loss. Without validation images, it is the last epoch.
    pub best_epoch: Option<usize>,
    /// The epoch whose weights are in `model.bpk`: the last one, or the best one if early stopping
    /// restored it.
    pub model_epoch: Option<usize>,
    /// The digest of the weights in `model.bpk`. See [`crate::model::weights_sha256`].
    pub weights_sha256: String,
    /// The balanced test accuracy in [0, 1]: the mean recall of the classes. `None` without labelled
    /// test images, and in runs of an earlier smallnet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_balanced_accuracy: Option<f64>,
    /// The predictions on other images of a run that was not tested, for the diagnosis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untested: Option<Untested>,
    /// The validation accuracy in [0, 1] after the epoch whose weights are kept. `None` without
    /// validation images, and in runs of an earlier smallnet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_accuracy: Option<f64>,
    /// The mean cross-entropy over the validation images after that epoch, in nats. `None` as for
    /// the accuracy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_loss: Option<f64>,
    /// True while the network is not tested because of `--no-test`.
    #[serde(rename = "no_test", default, skip_serializing_if = "std::ops::Not::not")]
    pub skipped_test: bool,
}

/// The predictions of a network that was not tested.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Untested {
    /// The images: `validation`, or `train` without validation images.
    pub split: String,
    /// The numbers of the predictions.
    #[serde(flatten)]
    pub counts: PredictionCounts,
}

impl RunSummary {
    /// Returns whether `test` has the same accuracy and loss, to the last digit.
    pub(super) fn matches(&self, test: &Evaluation) -> bool {
        self.test_accuracy == Some(test.accuracy) && self.test_loss == Some(test.loss)
    }

    /// Enters the figures of a `test` that was made after the training.
    pub(crate) fn enter_test(&mut self, test: &Evaluation) {
        self.test_accuracy = Some(test.accuracy);
        self.test_loss = Some(test.loss);
        self.test_balanced_accuracy = test.balanced_accuracy();
        (self.untested, self.skipped_test) = (None, false);
    }
}

/// All records in a run folder, without the weights.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRecords {
    /// The folder.
    pub folder: RunFolder,
    /// The experiment.
    pub experiment: Experiment,
    /// The content of `run.json`.
    pub info: RunInfo,
    /// The records of the completed epochs.
    pub epochs: Vec<EpochRecord>,
    /// The result, if there is one.
    pub summary: Option<RunSummary>,
    /// The test in detail, if the run was tested.
    pub test: Option<TestEvaluation>,
}
