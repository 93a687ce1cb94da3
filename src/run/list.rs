//! Finding runs under the artifacts folder.

use std::fs;
use std::path::{Path, PathBuf};

use super::{RunFolder, RunInfo, Summary};
use crate::error::{Error, Result};

/// One run, as `smallnet runs` lists it.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// The run's folder.
    pub folder: RunFolder,
    /// Its `run.json`.
    pub info: RunInfo,
    /// Its result, if there is one.
    pub summary: Option<Summary>,
    /// Its share of test images classified correctly, if it has been tested.
    pub accuracy: Option<f64>,
}

/// All runs under `artifacts`, oldest first, and what could not be read.
///
/// A missing `artifacts` holds no run.
pub fn list(artifacts: &Path) -> Result<(Vec<Listed>, Vec<Error>)> {
    let (mut runs, mut unreadable) = (Vec::new(), Vec::new());
    for experiment in subfolders(artifacts)? {
        let paths = subfolders(&experiment).unwrap_or_else(|error| {
            unreadable.push(error);
            Vec::new()
        });
        for path in paths {
            match read(&path) {
                Ok(run) => runs.push(run),
                Err(error) => unreadable.push(error),
            }
        }
    }
    runs.sort_by(|a, b| a.info.started.cmp(&b.info.started));
    Ok((runs, unreadable))
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
    let mut runs = list(artifacts)?.0;
    if text == "latest" {
        let none = || Error::new(format!("there is no run in `{}` yet", artifacts.display()));
        return Ok(runs.pop().ok_or_else(|| none().hint("`smallnet train` makes one"))?.folder);
    }
    runs.retain(|run| run.folder.path().file_name().is_some_and(|id| id == text));
    match (runs.pop(), runs.pop()) {
        (Some(run), None) => Ok(run.folder),
        (Some(one), Some(other)) => Err(Error::new(format!(
            "`{text}` is the id of several runs, such as `{}` and `{}`",
            other.folder.path().display(),
            one.folder.path().display()
        ))
        .hint("name the folder")),
        (None, _) => RunFolder::open(path).map_err(|error| match newest_in(&artifacts.join(path)) {
            Some(run) => error.hint(format!("the newest run of `{text}` is `{}`", run.path().display())),
            None => error,
        }),
    }
}

/// The newest run right in `folder`, if there is any.
fn newest_in(folder: &Path) -> Option<RunFolder> {
    let runs = subfolders(folder).ok()?.into_iter().filter_map(|path| read(&path).ok());
    Some(runs.max_by(|a, b| a.info.started.cmp(&b.info.started))?.folder)
}

fn read(path: &Path) -> Result<Listed> {
    let folder = RunFolder::open(path)?;
    let (info, summary) = (folder.info()?, folder.summary()?);
    let accuracy = match &summary {
        Some(summary) => Some(summary.test_accuracy),
        // An interrupted run may have been tested later.
        None => folder.test(info.data.layout)?.map(|test| test.evaluation.accuracy),
    };
    Ok(Listed { folder, info, summary, accuracy })
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
        if path.is_dir() {
            folders.push(path);
        }
    }
    Ok(folders)
}
