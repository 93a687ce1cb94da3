//! What the files of a run folder say.

use serde::{Deserialize, Serialize};

use crate::backend::Backend;
use crate::data::InputSpec;
use crate::evaluation::Evaluation;
use crate::experiment::Experiment;
use crate::run::{RunFolder, TestEvaluation};
use crate::training::{EpochRecord, Position};
use crate::util::format::{counted, grouped};

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Training.
    Running,
    /// Ended without a word: killed, or the machine went down. Never written; `run.json` still says `running`.
    Killed,
    /// Trained to its last epoch, or stopped early as configured.
    Finished,
    /// Stopped on request; the weights reached are saved.
    Interrupted,
    /// Ended by an error.
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

/// `run.json`: where and with what a run was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunInfo {
    /// The folder's format; 1 in runs of the first version, which had no such number.
    #[serde(default = "first_format")]
    pub format: u32,
    /// smallnet's version.
    pub version: String,
    /// The git commit smallnet was built from, where it was built in a checkout.
    pub git_commit: Option<String>,
    /// The experiment's name.
    pub experiment: String,
    /// The SHA-256 of `config.toml`, in hex; none in runs of the first version.
    #[serde(default)]
    pub config_sha256: Option<String>,
    /// Epochs in all, where the run was extended beyond those in `config.toml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub num_epochs: Option<usize>,
    /// When it was gone on with, and from where.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resumed: Vec<ResumeEvent>,
    /// The backend.
    pub backend: Backend,
    /// What computed: the GPU's name, or the CPU backend's.
    pub adapter: String,
    /// Threads of the CPU backends.
    pub threads: usize,
    /// The data set and its digest.
    pub data: DataInfo,
    /// The experiment's seed.
    pub seed: u64,
    /// The start, UTC, RFC 3339.
    pub started: String,
    /// The end, likewise; none while running.
    pub ended: Option<String>,
    /// How the run stands.
    pub status: Status,
    /// Why it failed, or where it was interrupted.
    pub message: Option<String>,
    /// The digest of the weights in `model.bpk`, once they are saved; see [`crate::model::weights_sha256`].
    pub weights_sha256: Option<String>,
}

/// A training that was gone on with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResumeEvent {
    /// When, UTC, RFC 3339.
    pub at: String,
    /// From which checkpoint; none from the beginning.
    pub from: Option<Position>,
}

fn first_format() -> u32 {
    1
}

/// The data set of a run, as far as the network depends on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataInfo {
    /// `mnist` or a folder.
    pub source: String,
    /// The digest over the data set's files.
    pub sha256: String,
    /// What the images must look like for this network.
    #[serde(flatten)]
    pub layout: InputSpec,
    /// Images trained on.
    pub num_train: usize,
    /// Images held out.
    pub num_validation: usize,
}

impl DataInfo {
    /// In words: `mnist, 55,000 training images, 5,000 held out`.
    pub fn describe(&self) -> String {
        let held_out = match self.num_validation {
            0 => String::new(),
            number => format!(", {} held out", grouped(number)),
        };
        let train = counted(self.num_train, "training image", "training images");
        format!("{}, {train}{held_out}", self.source)
    }
}

/// `summary.json`: the result of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Share of the test images classified correctly, in [0, 1].
    pub test_accuracy: f64,
    /// Mean cross-entropy over the test images, in nats.
    pub test_loss: f64,
    /// Weights and biases.
    pub num_parameters: usize,
    /// Steps in an epoch, the short last batch included.
    pub steps_per_epoch: usize,
    /// Epochs trained.
    pub num_epochs: usize,
    /// Median wall-clock time of an epoch's training steps; none before the first epoch's end.
    pub seconds_per_epoch: Option<f64>,
    /// The epoch of the lowest validation loss; without validation images, the last.
    pub best_epoch: Option<usize>,
    /// The epoch whose weights `model.bpk` holds: the last, or the best where early stopping restored it.
    pub model_epoch: Option<usize>,
    /// The digest of the weights in `model.bpk`; see [`crate::model::weights_sha256`].
    pub weights_sha256: String,
}

impl RunSummary {
    /// Whether `test` gave the same figures, to the last digit.
    pub(super) fn is_of(&self, test: &Evaluation) -> bool {
        self.test_accuracy == test.accuracy && self.test_loss == test.loss
    }
}

/// Everything that a run's folder says of it, but for the weights.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRecords {
    /// Where it was read from.
    pub folder: RunFolder,
    /// What was trained.
    pub experiment: Experiment,
    /// Where and with what.
    pub info: RunInfo,
    /// The epochs trained to their end.
    pub epochs: Vec<EpochRecord>,
    /// The result, if there is one.
    pub summary: Option<RunSummary>,
    /// The test in detail, if there was one.
    pub test: Option<TestEvaluation>,
}
