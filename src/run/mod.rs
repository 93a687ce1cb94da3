//! Owns the run folder: its file names and formats. No file in it is ever half-written, and no run
//! overwrites another one.
//! Depends on `experiment`, `evaluation` and `training`. Must not know the order of the work that
//! makes a run.
//!
//! ```text
//! artifacts/<experiment>/<run id>/
//!   config.toml     the whole experiment: training it again repeats the run
//!   run.json        data set, backend, version of smallnet, status
//!   metrics.jsonl   one line per epoch
//!   metrics.csv     the same as Keras' CSVLogger writes it, if the tracker `csv` is on
//!   tensorboard/    event files, if the tracker `tensorboard` is on
//!   checkpoint/     the training's state after the last two epochs and the best one
//!   initial.bpk     the initial weights, if they are from another run
//!   model.bpk       the trained weights
//!   summary.json    the result
//!   evaluation.json the test in detail
//!   report.html     all of it as a page
//!   draw.html       the page on which one draws for the network
//!   figures/        pictures of the network and of misclassified images
//!   predictions/    pictures of single predictions
//!   export/         the network in the formats of other programs
//!   .lock           locked by the process that trains
//! ```

pub mod diagnosis;
mod imported;
mod initial;
mod list;
mod metrics;
mod records;
mod results;
mod test;

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::model::{Mlp, load_weights, max_weights_size, weights_to_bytes};
use crate::training::{EpochRecord, Position, Store, read_checkpointed_weights};
use crate::util::files;
use crate::util::hex::hex;

pub use imported::{ImportedNetwork, PixelScaling};
pub use list::{RunEntry, UnreadableRun, find, list};
pub use metrics::Metrics;
pub use records::{
    BackendChange, DataInfo, ResumeEvent, RunInfo, RunRecords, RunSummary, SourceRun, Status, Untested,
};
pub use test::TestEvaluation;

/// The format of run folders that this smallnet writes. Format 1 had Burn's own checkpoints. In
/// format 2, checkpoints and tests did not record the weights that they belong to.
pub const FORMAT: u32 = 3;

/// Name of the experiment file in a run folder.
pub(crate) const CONFIG: &str = "config.toml";
const INFO: &str = "run.json";
const METRICS: &str = "metrics.jsonl";
const METRICS_CSV: &str = "metrics.csv";
const TENSORBOARD: &str = "tensorboard";
const INITIAL: &str = "initial.bpk";
const MODEL: &str = "model.bpk";
const SUMMARY: &str = "summary.json";
const EVALUATION: &str = "evaluation.json";
const REPORT: &str = "report.html";
const DRAW: &str = "draw.html";
const CHECKPOINTS: &str = "checkpoint";
const FIGURES: &str = "figures";
const PREDICTIONS: &str = "predictions";
const EXPORTS: &str = "export";
/// All files of a run folder. The folder may be untrusted: none of these files may be a link that
/// leads out of it, or a pipe, which would block the reader.
const FILES: [&str; 11] =
    [CONFIG, INFO, METRICS, METRICS_CSV, INITIAL, MODEL, SUMMARY, EVALUATION, REPORT, DRAW, files::LOCK];
/// All folders in a run folder.
const FOLDERS: [&str; 5] = [CHECKPOINTS, TENSORBOARD, FIGURES, PREDICTIONS, EXPORTS];

/// The lock of a run folder. No other process can train in the folder while this value exists, if the
/// drive has locks.
#[derive(Debug)]
pub struct RunLock {
    lock: files::Lock,
}

impl RunLock {
    /// Returns whether the lock keeps other processes out. False on a drive without locks.
    pub fn is_exclusive(&self) -> bool {
        self.lock.is_exclusive()
    }
}

/// The folder of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Creates the folder `artifacts/<experiment>/<run id>` with `config.toml` and `run.json`, and
    /// locks it. `fill` writes the other files that it has from its beginning. The id is the time in
    /// UTC, with a number if another run has that id. Returns `info` with the digest of `config.toml`,
    /// as it was saved.
    ///
    /// # Errors
    /// A folder or file that cannot be written, or those of `fill`. Then there is no folder.
    pub fn create(
        artifacts: &Path,
        experiment: &Experiment,
        mut info: RunInfo,
        fill: impl FnOnce(&Self) -> Result<()>,
        now: OffsetDateTime,
    ) -> Result<(Self, RunLock, RunInfo)> {
        let parent = artifacts.join(&experiment.name);
        fs::create_dir_all(&parent).map_err(|error| Error::io("make the folder", &parent, error))?;
        files::clean_staging(&parent)?;
        // The folder gets its name when it has these files, so no process sees a run without them.
        let (staging, mut lock) = files::new_staging_dir(&parent)?;
        let mut folder = Self { path: staging.path().to_owned() };
        info.config_sha256 = Some(folder.write_experiment(experiment)?);
        folder.write_info(&info)?;
        fill(&folder)?;
        // The time 2026-11-22T18:08:05.112Z becomes the id 20261122-180805.
        let id: String = timestamp(now).chars().take(19).filter(|c| !"-:".contains(*c)).collect();
        let id = id.replace('T', "-");
        folder.path = parent.join(&id);
        let mut attempt = 1;
        // Of two runs that start in the same second, one gets the next number: a folder with files
        // in it is never replaced.
        loop {
            let is_published;
            (is_published, lock) = files::publish_dir(&staging, lock, &folder.path)?;
            if is_published {
                return Ok((folder, RunLock { lock }, info));
            }
            attempt += 1;
            folder.path = parent.join(format!("{id}-{attempt}"));
        }
    }

    /// Checks that a run folder of the experiment called `name` can be created. Leaves nothing
    /// behind.
    ///
    /// # Errors
    /// A path that is not a folder, or a folder that cannot be written.
    pub fn check_writable(artifacts: &Path, name: &str) -> Result<()> {
        let parent = artifacts.join(name);
        match parent.exists() {
            // Windows removes no folder in which a file is open, so the lock is given up first.
            true => files::new_staging_dir(&parent).map(|(folder, lock)| drop((lock, folder))),
            false => Ok(()),
        }
    }

    /// Opens the folder of an existing run.
    ///
    /// # Errors
    /// A path that is not a run folder, or a folder with a link or a pipe in the place of a file.
    pub fn open(path: &Path) -> Result<Self> {
        if Self::exists_at(path) {
            files::check_file_types(path, &FILES, &FOLDERS)?;
            return Ok(Self { path: path.to_owned() });
        }
        let problem = if path.exists() { "is not a run folder" } else { "does not exist" };
        Err(Error::not_found(format!("`{}` {problem}", path.display()))
            .hint("`smallnet runs` lists the runs; a run folder holds `config.toml` and `run.json`"))
    }

    /// Returns whether `path` is the folder of a run: it has `config.toml` and `run.json`.
    pub fn exists_at(path: &Path) -> bool {
        path.join(CONFIG).exists() && path.join(INFO).exists()
    }

    /// Returns the folders of the runs of the experiment called `name`, oldest first.
    ///
    /// # Errors
    /// A folder that cannot be listed.
    pub fn list_experiment(artifacts: &Path, name: &str) -> Result<Vec<Self>> {
        list::list_experiment(artifacts, name)
    }

    /// Locks the folder for training, and removes the unfinished files of a killed process.
    ///
    /// # Errors
    /// A folder that another process has locked, or that cannot be written.
    pub fn lock(&self) -> Result<RunLock> {
        let path = self.path.display();
        self.try_lock()?.ok_or_else(|| {
            Error::locked(format!("`{path}` is in use: another process is training it"))
                .hint("wait for it, or stop it with Ctrl-C; what it has reached is saved")
        })
    }

    /// Locks the folder like [`RunFolder::lock`], but returns `None` if another process has locked
    /// it.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub(crate) fn try_lock(&self) -> Result<Option<RunLock>> {
        let Some(lock) = files::Lock::take(&self.path)? else { return Ok(None) };
        if !lock.is_exclusive() {
            // Another process may be writing the unfinished files.
            return Ok(Some(RunLock { lock }));
        }
        files::remove_stale_temp(&self.path)?;
        for name in FOLDERS {
            let folder = self.path.join(name);
            if folder.is_dir() {
                files::remove_stale_temp(&folder)?;
            }
        }
        Ok(Some(RunLock { lock }))
    }

    /// Returns the path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the path of the trained weights.
    pub fn model_path(&self) -> PathBuf {
        self.path.join(MODEL)
    }

    /// Returns the path of `metrics.csv`, which the tracker `csv` writes.
    pub fn metrics_csv_path(&self) -> PathBuf {
        self.path.join(METRICS_CSV)
    }

    /// Returns the path of the folder with the event files of TensorBoard.
    pub fn tensorboard_path(&self) -> PathBuf {
        self.path.join(TENSORBOARD)
    }

    /// Returns the path of the experiment file.
    pub fn config_path(&self) -> PathBuf {
        self.path.join(CONFIG)
    }

    /// Returns the id of the run, which is the time of its start. It is unique among the runs of
    /// its experiment.
    pub fn id(&self) -> String {
        let path = self.path.canonicalize().unwrap_or_else(|_| self.path.clone());
        path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Reads all records of the run, but not the weights.
    ///
    /// # Errors
    /// A file that is missing or damaged.
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

    /// Returns the digest of `config.toml` as it is.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn config_sha256(&self) -> Result<String> {
        Ok(hex(&Sha256::digest(files::read_bytes(&self.config_path())?)))
    }

    /// Writes `config.toml` and returns its digest.
    fn write_experiment(&self, experiment: &Experiment) -> Result<String> {
        let text = experiment.to_toml()?;
        files::write(&self.config_path(), text.as_bytes())?;
        Ok(hex(&Sha256::digest(&text)))
    }

    /// Reads the experiment of the run that `info` describes.
    ///
    /// # Errors
    /// A file that is damaged, or that is no longer the one that the run was made from. Without
    /// this check, a setting that was removed from the file would silently become its default.
    pub fn experiment(&self, info: &RunInfo) -> Result<Experiment> {
        let mut experiment = self.original_experiment(info)?;
        experiment.training.num_epochs = info.num_epochs.unwrap_or(experiment.training.num_epochs);
        // The data may have been moved since.
        experiment.data.source.clone_from(&info.data.source);
        experiment.check()?;
        Ok(experiment)
    }

    /// Reads the experiment in `config.toml`. It has the number of epochs that the run started
    /// with, even if a resumed run has more.
    fn original_experiment(&self, info: &RunInfo) -> Result<Experiment> {
        let path = self.config_path();
        let text = files::read(&path)?;
        let digest = |text: &str| hex(&Sha256::digest(text));
        let found = digest(&text);
        let is_unchanged = |expected: &String| {
            // Editors and git may change the line endings. The settings stay the same.
            *expected == found || *expected == digest(&text.replace("\r\n", "\n"))
        };
        let experiment = || Experiment::from_toml(&text, &path.display().to_string(), &[]);
        // Other spaces and comments do not change the settings either. This is recognised as long
        // as this smallnet writes the settings like the one that made the run.
        let has_same_settings = |expected: &String| {
            experiment().and_then(|read| read.to_toml()).is_ok_and(|text| *expected == digest(&text))
        };
        match &info.config_sha256 {
            Some(expected) if !is_unchanged(expected) && !has_same_settings(expected) => Err(Error::corrupt(
                format!(
                    "`{}` is not what the run was made from: its digest is {found}, expected {expected}",
                    path.display()
                ),
            )
            .hint(
                "undo what was changed in it; to train with other settings, copy it out of the run folder",
            )),
            _ => experiment(),
        }
    }

    /// Writes `run.json` and replaces its former content.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write_info(&self, info: &RunInfo) -> Result<()> {
        files::write_json(&self.path.join(INFO), info)
    }

    /// Reads `run.json`. If it says that the run is being trained, but no process has locked the
    /// folder, the status is [`Status::Killed`].
    ///
    /// # Errors
    /// A file that is missing, damaged, or of a newer format.
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
        if !info.data.is_possible() {
            return Err(files::corrupt(&path, &"no data set has images or classes like these"));
        }
        if info.status == Status::Running && files::is_locked(&self.path) == Some(false) {
            // The process may have ended the run and unlocked the folder after this one read the
            // file.
            if files::read(&path)? != text {
                return self.info();
            }
            info.status = Status::Killed;
        }
        Ok(info)
    }

    /// Writes the page and returns its path.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write_report(&self, page: &str) -> Result<PathBuf> {
        self.write(&self.path, REPORT, page.as_bytes())
    }

    /// Returns whether the page exists.
    pub fn has_report(&self) -> bool {
        self.path.join(REPORT).exists()
    }

    /// Writes the page on which one draws and returns its path. `name` is the file name without its
    /// extension.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub(crate) fn write_draw(&self, name: &str, page: &str) -> Result<PathBuf> {
        self.write(&self.path, &format!("{name}.html"), page.as_bytes())
    }

    /// Writes a picture of the network and returns its path. `name` is the file name without its
    /// extension.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write_figure(&self, name: &str, png: &[u8]) -> Result<PathBuf> {
        self.write(&self.path.join(FIGURES), &format!("{name}.png"), png)
    }

    /// Writes a picture of a prediction and returns its path. `name` is the file name without its
    /// extension.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write_prediction(&self, name: &str, png: &[u8]) -> Result<PathBuf> {
        self.write(&self.path.join(PREDICTIONS), &format!("{name}.png"), png)
    }

    /// Makes the folder of exported networks, and returns the path of the file or folder `name` in it.
    ///
    /// # Errors
    /// A folder that cannot be made.
    pub(crate) fn export_path(&self, name: &str) -> Result<PathBuf> {
        let folder = self.exports_path();
        files::make_folder(&folder)?;
        Ok(folder.join(name))
    }

    /// Returns the path of the folder with the exported networks.
    pub(crate) fn exports_path(&self) -> PathBuf {
        self.path.join(EXPORTS)
    }

    /// Writes the file `name` in `folder`, a folder of the run, and returns its path.
    fn write(&self, folder: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf> {
        files::make_folder(folder)?;
        let path = folder.join(name);
        files::write(&path, bytes)?;
        Ok(path)
    }

    /// Writes the trained weights. They become valid when `run.json` has their digest.
    ///
    /// # Errors
    /// A device that fails, or a file that cannot be written.
    pub fn save_model(&self, model: &Mlp) -> Result<()> {
        write_weights(&self.model_path(), model)
    }

    /// Loads the weights in a file of the run into `model`. The weights of a checkpoint are
    /// compared with their digest. The final weights of the run are not: the caller does it.
    ///
    /// # Errors
    /// A file that is missing or damaged, or weights of another network.
    pub fn load_weights(&self, model: Mlp, path: &Path) -> Result<Mlp> {
        let bytes = match checkpoint_folder(path) {
            Some(folder) => read_checkpointed_weights(folder, max_weights_size(&model))?,
            // The size is not limited here, so that the weights of a larger network get a message
            // that says so.
            None => files::read_bytes(path)?,
        };
        load_weights(model, bytes, &path.display().to_string())
    }

    /// Returns the store of the training's checkpoints.
    pub fn checkpoints(&self) -> Store {
        Store::at(self.path.join(CHECKPOINTS))
    }

    /// Opens `metrics.jsonl` for writing, and returns its records up to the first invalid line.
    ///
    /// # Errors
    /// A file that cannot be opened.
    pub fn metrics(&self) -> Result<(Metrics, Vec<EpochRecord>)> {
        Metrics::open(&self.path.join(METRICS))
    }

    /// Reads the records in `metrics.jsonl`. There are none before the end of the first epoch.
    ///
    /// # Errors
    /// A file that cannot be read, or an invalid line.
    pub fn epochs(&self) -> Result<Vec<EpochRecord>> {
        metrics::read(&self.path.join(METRICS))
    }

    /// Returns the digest of the first `num_epochs` lines of `metrics.jsonl`, which the checkpoint
    /// after these epochs records.
    ///
    /// # Errors
    /// A file that cannot be read, or that has fewer lines.
    pub fn metrics_sha256(&self, num_epochs: usize) -> Result<String> {
        metrics::digest(&self.path.join(METRICS), num_epochs)
    }
}

/// Writes the weights of `model` into the file at `path`.
fn write_weights(path: &Path, model: &Mlp) -> Result<()> {
    files::write(path, &weights_to_bytes(model, &path.display().to_string())?)
}

/// Returns the folder of the checkpoint that has its weights at `path`, or `None` if the file is
/// not part of a checkpoint.
pub(crate) fn checkpoint_folder(path: &Path) -> Option<&Path> {
    let folder = path.parent().filter(|_| path.ends_with(MODEL))?;
    let name = folder.file_name()?.to_str()?;
    Position::parse(name).map(|_| folder)
}

/// Writes a file in `folder`, which is created if it is missing, and returns the file's path.
///
/// # Errors
/// A folder or file that cannot be written.
pub fn write_file(folder: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf> {
    fs::create_dir_all(folder).map_err(|error| Error::io("make the folder", folder, error))?;
    let path = folder.join(name);
    files::write(&path, bytes)?;
    Ok(path)
}

/// Returns the present time in UTC.
pub fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// Formats a time in UTC as RFC 3339 with milliseconds. The alphabetical order of such texts is the
/// order in time.
pub fn timestamp(time: OffsetDateTime) -> String {
    let (date, month, (hour, minute, second, milli)) = (time.date(), time.month(), time.to_hms_milli());
    let (year, month, day) = (date.year(), u8::from(month), date.day());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}
