//! Finding runs under the artifacts folder.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::run::{RunFolder, RunInfo, RunSummary};
use crate::util::files;

/// One run, as `smallnet runs` lists it.
#[derive(Debug, Clone, PartialEq)]
pub struct RunEntry {
    /// The run's folder.
    pub folder: RunFolder,
    /// Its `run.json`.
    pub info: RunInfo,
    /// Its result, if there is one.
    pub summary: Option<RunSummary>,
    /// Its share of test images classified correctly, if it has been tested.
    pub accuracy: Option<f64>,
}

/// A folder among the runs that could not be read as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableRun {
    /// Where it is.
    pub path: PathBuf,
    /// What is wrong with it.
    pub error: Error,
}

/// All runs under `artifacts`, oldest first, and what could not be read.
///
/// A missing `artifacts` holds no run.
pub fn list(artifacts: &Path) -> Result<(Vec<RunEntry>, Vec<UnreadableRun>)> {
    let (mut runs, mut unreadable) = (Vec::new(), Vec::new());
    for experiment in subfolders(artifacts)? {
        let paths = subfolders(&experiment).unwrap_or_else(|error| {
            unreadable.push(UnreadableRun { path: experiment, error });
            Vec::new()
        });
        // A study's folder beside the runs is none.
        for path in paths.into_iter().filter(|path| !path.join("study.toml").exists()) {
            match read(&path) {
                Ok(run) => runs.push(run),
                Err(error) => unreadable.push(UnreadableRun { path, error }),
            }
        }
    }
    runs.sort_by(|a, b| a.info.started.cmp(&b.info.started));
    Ok((runs, unreadable))
}

/// The runs of the experiment called `name`, oldest first.
pub(super) fn of_experiment(artifacts: &Path, name: &str) -> Result<Vec<RunFolder>> {
    let folder = artifacts.join(name);
    // What is no folder is refused when a run is to be made in it.
    let mut paths = if folder.is_dir() { subfolders(&folder)? } else { Vec::new() };
    paths.sort();
    Ok(paths.iter().filter_map(|path| RunFolder::open(path).ok()).collect())
}

/// The run that `text` means: a folder, a run id under `artifacts`, or `latest`.
///
/// # Errors
/// No such run, or several of that id.
pub fn find(text: &str, artifacts: &Path) -> Result<RunFolder> {
    let path = Path::new(text);
    if path.exists() {
        return RunFolder::open(path).map_err(|error| match newest_in(path) {
            Some(run) => error.hint(format!("it holds runs; the newest is `{}`", run.path().display())),
            None => error,
        });
    }
    if text == "latest" {
        return latest(artifacts);
    }
    // By the folder's name alone: a run whose files are damaged is still there, and says so when it is read.
    let mut folders: Vec<PathBuf> = subfolders(artifacts)?
        .iter()
        .map(|experiment| experiment.join(path))
        .filter(|run| run.is_dir())
        .collect();
    match (folders.pop(), folders.pop()) {
        (Some(run), None) => RunFolder::open(&run),
        (Some(one), Some(other)) => Err(Error::not_found(format!(
            "`{text}` is the id of several runs, such as `{}` and `{}`",
            other.display(),
            one.display()
        ))
        .hint("name the folder")),
        (None, _) => RunFolder::open(path).map_err(|error| match newest_in(&artifacts.join(path)) {
            Some(run) => error.hint(format!("the newest run of `{text}` is `{}`", run.path().display())),
            None => error,
        }),
    }
}

/// The run that started last; not an older one because that one's files are damaged.
fn latest(artifacts: &Path) -> Result<RunFolder> {
    let (mut runs, unreadable) = list(artifacts)?;
    let id = |path: &Path| path.file_name().unwrap_or_default().to_owned();
    let newest = runs.pop().map(|run| run.folder);
    // A run's name is the time of its start.
    let is_newer = |path: &Path| newest.as_ref().is_none_or(|run| id(path) > id(run.path()));
    let damaged = unreadable.into_iter().filter(|run| RunFolder::open(&run.path).is_ok());
    match damaged.filter(|run| is_newer(&run.path)).max_by_key(|run| id(&run.path)) {
        Some(run) => Err(run.error),
        None => newest.ok_or_else(|| {
            Error::not_found(format!("there is no run in `{}` yet", artifacts.display()))
                .hint("`smallnet train` makes one")
        }),
    }
}

/// The newest run right in `folder`, if there is any.
fn newest_in(folder: &Path) -> Option<RunFolder> {
    let runs = subfolders(folder).ok()?.into_iter().filter_map(|path| read(&path).ok());
    Some(runs.max_by(|a, b| a.info.started.cmp(&b.info.started))?.folder)
}

fn read(path: &Path) -> Result<RunEntry> {
    let folder = RunFolder::open(path)?;
    let info = folder.info()?;
    let summary = folder.summary(&info)?;
    let accuracy = match &summary {
        Some(summary) => Some(summary.test_accuracy),
        // An interrupted run may have been tested later. Damage there does not hide the run.
        None => folder.test(&info).ok().flatten().map(|test| test.evaluation.accuracy),
    };
    Ok(RunEntry { folder, info, summary, accuracy })
}

fn subfolders(path: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("list", path, error)),
    };
    let mut folders = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| Error::io("list", path, error))?.path();
        if path.is_dir() && !files::is_unfinished(&path) {
            folders.push(path);
        }
    }
    Ok(folders)
}
