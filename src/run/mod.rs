//! Owns the run folder: its names, its formats, and that nothing in it is ever half-written or overwritten by
//! another run. Knows nothing of how a run is made.
//!
//! ```text
//! artifacts/<experiment>/<run id>/
//!   config.toml     the whole experiment; training from it repeats the run
//!   run.json        where and with what it ran, and how it stands
//!   metrics.jsonl   a line an epoch
//!   checkpoint/     Burn's records of the last and the best epoch
//!   model.bpk       the trained weights
//!   summary.json    the result
//!   evaluation.json the test in detail
//!   report.html     all of it as a page
//!   figures/        pictures of the network and its mistakes
//!   predictions/    pictures of single predictions
//! ```

mod list;
mod records;
mod test;
mod weights;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use burn::module::Module;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use crate::config::Experiment;
use crate::data::Layout;
use crate::digest::hex;
use crate::error::{Error, Result};
use crate::files;
use crate::model::Mlp;
use crate::training::EpochRecord;

pub use list::{Listed, Unreadable, find, list};
pub use records::{DataInfo, Records, RunInfo, Status, Summary};
pub use test::TestRecord;
pub use weights::load_weights;

const CONFIG: &str = "config.toml";
const INFO: &str = "run.json";
const METRICS: &str = "metrics.jsonl";
const MODEL: &str = "model.bpk";
const SUMMARY: &str = "summary.json";
const EVALUATION: &str = "evaluation.json";
const REPORT: &str = "report.html";

/// A run's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Makes a new folder `artifacts/<experiment>/<run id>`; the id is the time, in UTC, and a number where
    /// another run has that already.
    pub fn create(artifacts: &Path, experiment: &str, now: OffsetDateTime) -> Result<Self> {
        let parent = artifacts.join(experiment);
        fs::create_dir_all(&parent).map_err(|error| Error::io("make the folder", &parent, error))?;
        // 2026-11-22T18:08:05.112Z becomes 20261122-180805.
        let id: String = timestamp(now).chars().take(19).filter(|c| !"-:".contains(*c)).collect();
        let id = id.replace('T', "-");
        let mut path = parent.join(&id);
        let mut attempt = 1;
        // Making a folder fails where one is: of two runs, one gets the next number.
        while let Err(error) = fs::create_dir(&path) {
            if error.kind() != std::io::ErrorKind::AlreadyExists {
                return Err(Error::io("make the folder", &path, error));
            }
            attempt += 1;
            path = parent.join(format!("{id}-{attempt}"));
        }
        Ok(Self { path })
    }

    /// Opens an existing run's folder.
    ///
    /// # Errors
    /// A path that is no run folder.
    pub fn open(path: &Path) -> Result<Self> {
        if path.join(CONFIG).is_file() && path.join(INFO).is_file() {
            return Ok(Self { path: path.to_owned() });
        }
        let what = if path.exists() { "is not a run folder" } else { "does not exist" };
        Err(Error::new(format!("`{}` {what}", path.display()))
            .hint("`smallnet runs` lists the runs; a run folder holds `config.toml` and `run.json`"))
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
    pub fn records(&self) -> Result<Records> {
        let info = self.info()?;
        Ok(Records {
            folder: self.clone(),
            experiment: self.experiment(&info)?,
            epochs: self.epochs()?,
            summary: self.summary()?,
            test: self.test(info.data.layout)?,
            info,
        })
    }

    /// Saves the experiment and returns the file's digest, for [`RunInfo::config_sha256`].
    pub fn write_experiment(&self, experiment: &Experiment) -> Result<String> {
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
        let path = self.config_path();
        let text = files::read(&path)?;
        let found = hex(&Sha256::digest(&text));
        match &info.config_sha256 {
            Some(noted) if *noted != found => Err(Error::new(format!(
                "`{}` is not what the run was made from: its digest is {found}, expected {noted}",
                path.display()
            ))
            .hint(
                "undo what was changed in it; to train with other settings, copy it out of the run folder",
            )),
            _ => Experiment::from_toml(&text, &path.display().to_string(), &[]),
        }
    }

    /// Saves `run.json`, replacing the last state of it.
    pub fn write_info(&self, info: &RunInfo) -> Result<()> {
        files::write_json(&self.path.join(INFO), info)
    }

    /// Reads `run.json`.
    pub fn info(&self) -> Result<RunInfo> {
        files::read_json(&self.path.join(INFO))
    }

    /// Saves `summary.json`.
    pub fn write_summary(&self, summary: &Summary) -> Result<()> {
        files::write_json(&self.path.join(SUMMARY), summary)
    }

    /// Reads `summary.json`; none while there is no result.
    pub fn summary(&self) -> Result<Option<Summary>> {
        let path = self.path.join(SUMMARY);
        if path.exists() { files::read_json(&path).map(Some) } else { Ok(None) }
    }

    /// Saves `evaluation.json`.
    pub fn write_test(&self, test: &TestRecord) -> Result<()> {
        files::write_json(&self.path.join(EVALUATION), test)
    }

    /// Reads `evaluation.json`, about images of `layout`; none while the network has not been tested.
    pub fn test(&self, layout: Layout) -> Result<Option<TestRecord>> {
        let path = self.path.join(EVALUATION);
        if !path.exists() {
            return Ok(None);
        }
        const AGAIN: &str = "`smallnet evaluate` makes it again";
        let test: TestRecord = files::read_json(&path).map_err(|error| error.hint(AGAIN))?;
        if test.fits(layout) {
            return Ok(Some(test));
        }
        let name = path.display();
        Err(Error::new(format!("`{name}` is damaged: its lists do not fit each other or the run"))
            .hint(AGAIN))
    }

    /// Saves the page and says where it is.
    pub fn write_report(&self, page: &str) -> Result<PathBuf> {
        write_in(&self.path, REPORT, page.as_bytes())
    }

    /// Saves a picture of the network and says where it is; `name` is the file's, without its ending.
    pub fn write_figure(&self, name: &str, png: &[u8]) -> Result<PathBuf> {
        write_in(&self.path.join("figures"), &format!("{name}.png"), png)
    }

    /// Saves a picture of a prediction and says where it is; `name` is the file's, without its ending.
    pub fn write_prediction(&self, name: &str, png: &[u8]) -> Result<PathBuf> {
        write_in(&self.path.join("predictions"), &format!("{name}.png"), png)
    }

    /// Saves the trained weights.
    pub fn save_model(&self, model: &Mlp) -> Result<()> {
        let path = self.model_path();
        model
            .clone()
            .into_record()
            .save(&path)
            .map_err(|error| Error::new(format!("cannot write `{}`: {error}", path.display())))
    }

    /// Where Burn puts the weights of the checkpoint taken after `epoch`.
    pub fn checkpoint_path(&self, epoch: usize) -> PathBuf {
        self.path.join("checkpoint").join(format!("model-{epoch}.bpk"))
    }

    /// Adds an epoch's line to `metrics.jsonl`.
    pub fn append_epoch(&self, record: &EpochRecord) -> Result<()> {
        let path = self.path.join(METRICS);
        let mut line = files::to_json(record)?;
        line.push('\n');
        // One write call for the whole line: a crash leaves whole lines.
        fs::File::options()
            .create(true)
            .append(true)
            .open(&path)
            .and_then(|mut file| file.write_all(line.as_bytes()))
            .map_err(|error| Error::io("write", &path, error))
    }

    /// Reads `metrics.jsonl`; empty before the first epoch's end.
    pub fn epochs(&self) -> Result<Vec<EpochRecord>> {
        let path = self.path.join(METRICS);
        if !path.exists() {
            return Ok(Vec::new());
        }
        let text = files::read(&path)?;
        let read = |(index, line)| {
            serde_json::from_str(line).map_err(|error| {
                Error::new(format!("`{}`, line {}, is damaged: {error}", path.display(), index + 1))
            })
        };
        text.lines().enumerate().map(read).collect()
    }
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
