//! Owns the run folder: its names, its formats, and that nothing in it is ever half-written or overwritten by
//! another run. Knows nothing of how a run is made.
//!
//! ```text
//! artifacts/<experiment>/<run id>/
//!   config.toml     the whole experiment; training from it repeats the run
//!   run.json        where and with what it ran, and how it stands
//!   metrics.jsonl   a line an epoch
//!   checkpoint/     the training's state after the last two epochs and the best one
//!   model.bpk       the trained weights
//!   summary.json    the result
//!   evaluation.json the test in detail
//!   report.html     all of it as a page
//!   figures/        pictures of the network and its mistakes
//!   predictions/    pictures of single predictions
//!   .lock           held by whoever trains
//! ```

pub mod diagnosis;
mod list;
mod metrics;
mod records;
mod results;
mod test;

use std::fs;
use std::path::{Path, PathBuf};

use burn::module::Module;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::model::{Mlp, load_weights, max_weights_size};
use crate::training::{EpochRecord, Position, Store, read_checkpointed_weights};
use crate::util::files;
use crate::util::hex::hex;

pub use list::{RunEntry, UnreadableRun, find, list};
pub use metrics::Metrics;
pub use records::{DataInfo, ResumeEvent, RunInfo, RunRecords, RunSummary, Status};
pub use test::TestEvaluation;

/// The newest format of run folders, which this smallnet writes. The first had Burn's own checkpoints; in the second, neither
/// checkpoints nor tests said what they belong to.
pub const FORMAT: u32 = 3;

const CONFIG: &str = "config.toml";
const INFO: &str = "run.json";
const METRICS: &str = "metrics.jsonl";
const MODEL: &str = "model.bpk";
const SUMMARY: &str = "summary.json";
const EVALUATION: &str = "evaluation.json";
const REPORT: &str = "report.html";
const CHECKPOINTS: &str = "checkpoint";
const FIGURES: &str = "figures";
const PREDICTIONS: &str = "predictions";
/// All of them. A run folder may be somebody else's: none of these may lead out of it, or be waited for.
const FILES: [&str; 8] = [CONFIG, INFO, METRICS, MODEL, SUMMARY, EVALUATION, REPORT, files::LOCK];
const FOLDERS: [&str; 3] = [CHECKPOINTS, FIGURES, PREDICTIONS];

/// A run folder that no other process may train in while this one has it.
#[derive(Debug)]
pub struct RunLock {
    _lock: files::Lock,
}

/// A run's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Makes a new folder `artifacts/<experiment>/<run id>` with `config.toml` and `run.json` in it, this process's own; the
    /// id is the time, in UTC, and a number where another run has that already. Returns `info` as it was saved, with the
    /// digest of `config.toml`.
    pub fn create(
        artifacts: &Path,
        experiment: &Experiment,
        mut info: RunInfo,
        now: OffsetDateTime,
    ) -> Result<(Self, RunLock, RunInfo)> {
        let parent = artifacts.join(&experiment.name);
        fs::create_dir_all(&parent).map_err(|error| Error::io("make the folder", &parent, error))?;
        files::remove_unborn(&parent)?;
        // Nobody sees a run before it has its two files.
        let (unborn, lock) = files::unborn_folder(&parent)?;
        let mut folder = Self { path: unborn.path().to_owned() };
        let lock = RunLock { _lock: lock };
        info.config_sha256 = Some(folder.write_experiment(experiment)?);
        folder.write_info(&info)?;
        // 2026-11-22T18:08:05.112Z becomes 20261122-180805.
        let id: String = timestamp(now).chars().take(19).filter(|c| !"-:".contains(*c)).collect();
        let id = id.replace('T', "-");
        folder.path = parent.join(&id);
        let mut attempt = 1;
        // A folder with files in it does not give way: of two runs, one gets the next number.
        while !files::name_folder(&unborn, &folder.path)? {
            attempt += 1;
            folder.path = parent.join(format!("{id}-{attempt}"));
        }
        Ok((folder, lock, info))
    }

    /// Checks that a folder for a run of the experiment called `name` could be made. Leaves nothing behind.
    ///
    /// # Errors
    /// Something else of that name, or a folder that cannot be written.
    pub fn check_place(artifacts: &Path, name: &str) -> Result<()> {
        let parent = artifacts.join(name);
        match parent.exists() {
            true => files::unborn_folder(&parent).map(drop),
            false => Ok(()),
        }
    }

    /// Opens an existing run's folder.
    ///
    /// # Errors
    /// A path that is no run folder, or what is neither file nor folder in it, such as a link.
    pub fn open(path: &Path) -> Result<Self> {
        if Self::is_at(path) {
            files::check_kinds(path, &FILES, &FOLDERS)?;
            return Ok(Self { path: path.to_owned() });
        }
        let what = if path.exists() { "is not a run folder" } else { "does not exist" };
        Err(Error::not_found(format!("`{}` {what}", path.display()))
            .hint("`smallnet runs` lists the runs; a run folder holds `config.toml` and `run.json`"))
    }

    /// Whether the folder at `path` has what makes it a run's.
    pub fn is_at(path: &Path) -> bool {
        path.join(CONFIG).exists() && path.join(INFO).exists()
    }

    /// The folders of the runs of the experiment called `name`, oldest first.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub fn of_experiment(artifacts: &Path, name: &str) -> Result<Vec<Self>> {
        list::of_experiment(artifacts, name)
    }

    /// Takes the folder for training, and removes what a killed process had not finished.
    ///
    /// # Errors
    /// Another process has it, or it cannot be written in.
    pub fn lock(&self) -> Result<RunLock> {
        let path = self.path.display();
        self.try_lock()?.ok_or_else(|| {
            Error::locked(format!("`{path}` is in use: another process is training it"))
                .hint("wait for it, or stop it with Ctrl-C; what it has reached is saved")
        })
    }

    /// As [`RunFolder::lock`]; none where another process has it.
    ///
    /// # Errors
    /// A folder that cannot be written in.
    pub(crate) fn try_lock(&self) -> Result<Option<RunLock>> {
        let Some(lock) = files::Lock::take(&self.path)? else { return Ok(None) };
        files::remove_leftovers(&self.path)?;
        for name in [CHECKPOINTS, FIGURES, PREDICTIONS] {
            let folder = self.path.join(name);
            if folder.is_dir() {
                files::remove_leftovers(&folder)?;
            }
        }
        Ok(Some(RunLock { _lock: lock }))
    }

    /// Where the folder is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the trained weights are.
    pub fn model_path(&self) -> PathBuf {
        self.path.join(MODEL)
    }

    /// Where the experiment is.
    pub fn config_path(&self) -> PathBuf {
        self.path.join(CONFIG)
    }

    /// The run's name among those of its experiment: the time of its start.
    pub fn id(&self) -> String {
        let path = self.path.canonicalize().unwrap_or_else(|_| self.path.clone());
        path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Reads everything but the weights.
    pub fn records(&self) -> Result<RunRecords> {
        let info = self.info()?;
        Ok(RunRecords {
            folder: self.clone(),
            experiment: self.experiment(&info)?,
            epochs: self.epochs()?,
            summary: self.summary(&info)?,
            test: self.test(&info)?,
            info,
        })
    }

    /// Saves the experiment and returns the file's digest.
    fn write_experiment(&self, experiment: &Experiment) -> Result<String> {
        let text = experiment.to_toml()?;
        files::write(&self.config_path(), text.as_bytes())?;
        Ok(hex(&Sha256::digest(&text)))
    }

    /// Reads the experiment of the run that `info` is of.
    ///
    /// # Errors
    /// A file that is damaged, or no longer the one that the run was made from: a setting that is gone would be taken
    /// for its default.
    pub fn experiment(&self, info: &RunInfo) -> Result<Experiment> {
        let mut experiment = self.first_experiment(info)?;
        experiment.training.num_epochs = info.num_epochs.unwrap_or(experiment.training.num_epochs);
        experiment.check()?;
        Ok(experiment)
    }

    /// The experiment in `config.toml`: without the epochs that it was extended by.
    fn first_experiment(&self, info: &RunInfo) -> Result<Experiment> {
        let path = self.config_path();
        let text = files::read(&path)?;
        let digest = |text: &str| hex(&Sha256::digest(text));
        let found = digest(&text);
        let is_unchanged = |noted: &String| {
            // Editors and git end lines in their own way: the settings are the same.
            *noted == found || *noted == digest(&text.replace("\r\n", "\n"))
        };
        let experiment = || Experiment::from_toml(&text, &path.display().to_string(), &[]);
        // So they are behind other spaces and comments, as long as this smallnet writes them as the run's did.
        let has_same_settings = |noted: &String| {
            experiment().and_then(|read| read.to_toml()).is_ok_and(|text| *noted == digest(&text))
        };
        match &info.config_sha256 {
            Some(noted) if !is_unchanged(noted) && !has_same_settings(noted) => Err(Error::corrupt(format!(
                "`{}` is not what the run was made from: its digest is {found}, expected {noted}",
                path.display()
            ))
            .hint(
                "undo what was changed in it; to train with other settings, copy it out of the run folder",
            )),
            _ => experiment(),
        }
    }

    /// Saves `run.json`, replacing the last state of it.
    pub fn write_info(&self, info: &RunInfo) -> Result<()> {
        files::write_json(&self.path.join(INFO), info)
    }

    /// Reads `run.json`. A run that nobody is training any more was killed, whatever is written there.
    pub fn info(&self) -> Result<RunInfo> {
        #[derive(Deserialize)]
        struct Format {
            #[serde(default)]
            format: u32,
        }
        let path = self.path.join(INFO);
        let text = files::read(&path)?;
        let Format { format } = files::parse_json(&text, &path)?;
        files::check_format(&path, format, FORMAT)?;
        let mut info: RunInfo = files::parse_json(&text, &path)?;
        if !info.data.layout.is_possible() {
            return Err(files::damaged(&path, &"no data set has images or classes like these"));
        }
        if info.status == Status::Running && files::is_locked(&self.path) == Some(false) {
            // Its process may have ended it, and given the lock back, after the file was read.
            if files::read(&path)? != text {
                return self.info();
            }
            info.status = Status::Killed;
        }
        Ok(info)
    }

    /// Saves the page and says where it is.
    pub fn write_report(&self, page: &str) -> Result<PathBuf> {
        self.write(&self.path, REPORT, page.as_bytes())
    }

    /// Whether the page has been written.
    pub fn has_report(&self) -> bool {
        self.path.join(REPORT).exists()
    }

    /// Saves a picture of the network and says where it is; `name` is the file's, without its ending.
    pub fn write_figure(&self, name: &str, png: &[u8]) -> Result<PathBuf> {
        self.write(&self.path.join(FIGURES), &format!("{name}.png"), png)
    }

    /// Saves a picture of a prediction and says where it is; `name` is the file's, without its ending.
    pub fn write_prediction(&self, name: &str, png: &[u8]) -> Result<PathBuf> {
        self.write(&self.path.join(PREDICTIONS), &format!("{name}.png"), png)
    }

    fn write(&self, folder: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf> {
        files::make_folder(folder)?;
        let path = folder.join(name);
        files::write(&path, bytes)?;
        Ok(path)
    }

    /// Saves the trained weights. They count once `run.json` has their digest.
    pub fn save_model(&self, model: &Mlp) -> Result<()> {
        let path = self.model_path();
        let bytes = model.clone().into_record().into_bytes();
        let bytes =
            bytes.map_err(|error| Error::backend(format!("cannot write `{}`: {error}", path.display())))?;
        files::write(&path, &bytes)
    }

    /// Loads the weights in a file of the run, its own or a checkpoint's, into `model`. A checkpoint's are compared with
    /// their digest; the run's own are not.
    ///
    /// # Errors
    /// A file that is missing or damaged, or weights of another network.
    pub fn load_weights(&self, model: Mlp, path: &Path) -> Result<Mlp> {
        let bytes = match checkpoint_of(path) {
            Some(folder) => read_checkpointed_weights(folder, max_weights_size(&model))?,
            // Those of a larger network are told as such.
            None => files::read_bytes(path)?,
        };
        load_weights(model, bytes, &path.display().to_string())
    }

    /// The training's checkpoints.
    pub fn checkpoints(&self) -> Store {
        Store::at(self.path.join(CHECKPOINTS))
    }

    /// Opens `metrics.jsonl` for writing, and reads what is in it as far as it is whole.
    pub fn metrics(&self) -> Result<(Metrics, Vec<EpochRecord>)> {
        Metrics::open(&self.path.join(METRICS))
    }

    /// Reads `metrics.jsonl`; empty before the first epoch's end.
    pub fn epochs(&self) -> Result<Vec<EpochRecord>> {
        metrics::read(&self.path.join(METRICS))
    }
}

/// The folder of the checkpoint whose weights are at `path`; none where they are no checkpoint's.
pub(crate) fn checkpoint_of(path: &Path) -> Option<&Path> {
    let folder = path.parent().filter(|_| path.ends_with(MODEL))?;
    let name = folder.file_name()?.to_str()?;
    Position::parse(name).map(|_| folder)
}

/// Saves a whole file in `folder`, which is made where it is missing, and says where it is.
pub fn write_in(folder: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf> {
    fs::create_dir_all(folder).map_err(|error| Error::io("make the folder", folder, error))?;
    let path = folder.join(name);
    files::write(&path, bytes)?;
    Ok(path)
}

/// The time now, in UTC.
pub fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// A time in UTC as RFC 3339 with milliseconds: sorting by it sorts by time.
pub fn timestamp(time: OffsetDateTime) -> String {
    let (date, month, (hour, minute, second, milli)) = (time.date(), time.month(), time.to_hms_milli());
    let (year, month, day) = (date.year(), u8::from(month), date.day());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}
