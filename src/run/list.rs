//! Owns the search for runs in the artifacts folder: the list of all runs, and the run that a user
//! names. Must not know the content of studies.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::run::{RunFolder, RunInfo, RunSummary};
use crate::util::files;

/// A run in the list of `smallnet runs`.
#[derive(Debug, Clone, PartialEq)]
pub struct RunEntry {
    /// The folder of the run.
    pub folder: RunFolder,
    /// The content of its `run.json`.
    pub info: RunInfo,
    /// The result, if the run has one.
    pub summary: Option<RunSummary>,
    /// The test accuracy in [0, 1], if the run was tested.
    pub accuracy: Option<f64>,
}

/// A folder among the runs that cannot be read as a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableRun {
    /// The path of the folder.
    pub path: PathBuf,
    /// The error of reading it.
    pub error: Error,
}

/// Returns all runs in `artifacts`, oldest first, and the folders that cannot be read.
///
/// If `artifacts` does not exist, there are none.
///
/// # Errors
/// An `artifacts` folder that cannot be listed.
pub fn list(artifacts: &Path) -> Result<(Vec<RunEntry>, Vec<UnreadableRun>)> {
    let (mut runs, mut unreadable) = (Vec::new(), Vec::new());
    for experiment in subfolders(artifacts)? {
        let paths = subfolders(&experiment).unwrap_or_else(|error| {
            unreadable.push(UnreadableRun { path: experiment, error });
            Vec::new()
        });
        // The folder of a study is not a run.
        for path in paths.into_iter().filter(|path| !is_study(path)) {
            match read(&path) {
                Ok(run) => runs.push(run),
                Err(error) => unreadable.push(UnreadableRun { path, error }),
            }
        }
    }
    runs.sort_by(|a, b| a.info.started_at.cmp(&b.info.started_at));
    Ok((runs, unreadable))
}

/// Returns the runs of the experiment called `name`, oldest first.
pub(super) fn list_experiment(artifacts: &Path, name: &str) -> Result<Vec<RunFolder>> {
    let folder = artifacts.join(name);
    // A path that is not a folder contains no runs. Only creating a run in it is an error.
    let mut paths = if folder.is_dir() { subfolders(&folder)? } else { Vec::new() };
    paths.sort();
    Ok(paths.iter().filter_map(|path| RunFolder::open(path).ok()).collect())
}

/// Finds the run that `text` names: a folder, a run id in `artifacts`, or `latest`.
///
/// # Errors
/// A run that does not exist, or an id that several runs have.
pub fn find(text: &str, artifacts: &Path) -> Result<RunFolder> {
    let path = Path::new(text);
    if path.exists() {
        return open(path);
    }
    if text == "latest" {
        return latest(artifacts);
    }
    // Only the name of the folder decides. So a run with damaged files is found, too, and reading
    // it returns the error.
    let mut folders: Vec<PathBuf> = subfolders(artifacts)?
        .iter()
        .map(|experiment| experiment.join(path))
        .filter(|run| run.is_dir())
        .collect();
    match (folders.pop(), folders.pop()) {
        (Some(run), None) => open(&run),
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

/// Opens the run at `path`. For another folder, the hint says what it is.
fn open(path: &Path) -> Result<RunFolder> {
    RunFolder::open(path).map_err(|error| match newest_in(path) {
        Some(run) => error.hint(format!("it holds runs; the newest is `{}`", run.path().display())),
        None if is_study(path) => error.hint(
            "it is a study, whose trials keep no weights: train a run of each seed, such as `smallnet train CONFIG --seed 1`, and \
             name these runs",
        ),
        None => error,
    })
}

/// Returns the run that started last. If its files are damaged, that is an error: an older run is
/// not returned instead.
fn latest(artifacts: &Path) -> Result<RunFolder> {
    let (mut runs, unreadable) = list(artifacts)?;
    let id = |path: &Path| path.file_name().unwrap_or_default().to_owned();
    let newest = runs.pop().map(|run| run.folder);
    // The id of a run is the time of its start.
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

/// Returns whether `path` is the folder of a study.
fn is_study(path: &Path) -> bool {
    path.join("study.toml").exists()
}

/// Returns the newest run directly in `folder`, if there is any.
fn newest_in(folder: &Path) -> Option<RunFolder> {
    let runs = subfolders(folder).ok()?.into_iter().filter_map(|path| read(&path).ok());
    Some(runs.max_by(|a, b| a.info.started_at.cmp(&b.info.started_at))?.folder)
}

/// Reads the entry of the run in the folder `path`.
fn read(path: &Path) -> Result<RunEntry> {
    let folder = RunFolder::open(path)?;
    let info = folder.info()?;
    let summary = folder.summary(&info)?;
    let accuracy = match summary.as_ref().and_then(|summary| summary.test_accuracy) {
        Some(accuracy) => Some(accuracy),
        // An interrupted run may have been tested later. A damaged test does not hide the run.
        None => folder.test(&info).ok().flatten().map(|test| test.evaluation.accuracy),
    };
    Ok(RunEntry { folder, info, summary, accuracy })
}

/// Returns the folders in `path`, without those that a process is still creating. If `path` does
/// not exist, there are none.
fn subfolders(path: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("list", path, error)),
    };
    let mut folders = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| Error::io("list", path, error))?.path();
        if path.is_dir() && !files::is_temp(&path) {
            folders.push(path);
        }
    }
    Ok(folders)
}
