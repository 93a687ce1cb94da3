//! Owns the experiment and study files of the exercise.
//!
//! They are inside the program and are written beside the page, so that the commands on the page
//! work wherever smallnet is installed. They are adapted to other images, another seed or other
//! settings. A file that a person has edited is used as it is.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::data::{SHIPPED_NUM_TRAIN, scaled_validation};
use crate::error::{Error, Result};
use crate::exercise::Exercise;
use crate::exercise::mark;
use crate::exercise::mark::Comment;
use crate::experiment;
use crate::experiment::{DEFAULT_EXPERIMENT, Experiment, Override};

/// Study of the exercise, in full length and in short.
struct StudyTemplate {
    name: &'static str,
    full: &'static str,
    quick: &'static str,
}

macro_rules! study {
    ($name:literal) => {
        StudyTemplate {
            name: $name,
            full: include_str!(concat!("../../configs/studies/", $name, ".toml")),
            quick: include_str!(concat!("../../configs/lab/", $name, "-quick.toml")),
        }
    };
}

/// Studies of questions 11 to 14, in this order.
static STUDIES: [StudyTemplate; NUM_STUDIES] =
    [study!("learning-rate"), study!("learning-rate-cv"), study!("architecture"), study!("batch-size")];

const INSERTED: &str = include_str!("../../configs/lab/inserted.toml");
const HIDDEN: &str = include_str!("../../configs/hidden.toml");
const AUGMENTED: &str = include_str!("../../configs/lab/augmented.toml");
const BEST: &str = include_str!("../../configs/best.toml");

/// Number of questions that a study answers.
pub(super) const NUM_STUDIES: usize = 4;

/// Keys that `--set` may not change, since a question sets them, each with a hint.
const REJECTED_KEYS: [(&str, &str); 4] = [
    ("name", "the exercise names its experiments"),
    ("seed", "say `--seed N`"),
    ("data.source", "say `--data DIR`"),
    ("model.hidden", "questions 10 and 13 ask for it; edit their files in the exercise's folder `configs`"),
];

/// Paths of the files.
pub(super) struct Files {
    /// Experiment of the softmax network.
    pub(super) softmax: PathBuf,
    /// The same experiment with a hidden layer inserted.
    pub(super) inserted: PathBuf,
    /// Experiment with a hidden layer and settings that suit it.
    pub(super) hidden: PathBuf,
    /// Experiment of a network that learns from augmented images.
    pub(super) augmented: PathBuf,
    /// Experiment of the best known network, which takes minutes. Question 13 names it.
    pub(super) best: PathBuf,
    /// Studies that are run.
    pub(super) studies: Vec<PathBuf>,
    /// The same studies in full length.
    pub(super) full_studies: Vec<PathBuf>,
    /// Files that a person has edited.
    pub(super) edited: Vec<String>,
}

/// Checks settings of `--set`.
///
/// # Errors
/// If a key is one of [`REJECTED_KEYS`] or unknown, or if a value is invalid.
pub(super) fn check(settings: &[Override]) -> Result<()> {
    for setting in settings {
        let key = setting.key();
        if let Some((_, instead)) = REJECTED_KEYS.iter().find(|(name, _)| *name == key) {
            return Err(Error::usage(format!("`--set {key}` has no meaning for `lab`")).hint(*instead));
        }
    }
    Experiment::from_toml(DEFAULT_EXPERIMENT, "softmax.toml", settings).map(drop)
}

/// Returns the experiment of the softmax network as [`write`] would write it, without writing a
/// file.
pub(super) fn softmax(exercise: &Exercise, num_train: usize) -> Result<Experiment> {
    Experiment::from_toml(&experiment(DEFAULT_EXPERIMENT, exercise, num_train)?, "softmax.toml", &[])
}

/// Writes the files of an exercise with `num_train` training images.
pub(super) fn write(exercise: &Exercise, num_train: usize) -> Result<Files> {
    let folder = exercise.folder.join("configs");
    let studies = folder.join("studies");
    let mut edited = Vec::new();
    let mut write_file = |folder: &Path, name: &str, text: String| -> Result<PathBuf> {
        let written = mark::write(folder, name, &text, Comment::Toml)?;
        if written.is_edited {
            edited.push(written.path.display().to_string());
        }
        Ok(written.path)
    };
    let mut full_studies = Vec::new();
    let mut quick_studies = Vec::new();
    for StudyTemplate { name, full, quick } in &STUDIES {
        full_studies.push(write_file(&studies, &format!("{name}.toml"), study(full, exercise, num_train)?)?);
        if exercise.quick {
            quick_studies.push(write_file(
                &studies,
                &format!("{name}-quick.toml"),
                study(quick, exercise, num_train)?,
            )?);
        }
    }
    let softmax = write_file(&folder, "softmax.toml", experiment(DEFAULT_EXPERIMENT, exercise, num_train)?)?;
    let inserted = write_file(&folder, "inserted.toml", experiment(INSERTED, exercise, num_train)?)?;
    let hidden = write_file(&folder, "hidden.toml", experiment(HIDDEN, exercise, num_train)?)?;
    let augmented = write_file(&folder, "augmented.toml", experiment(AUGMENTED, exercise, num_train)?)?;
    let best = write_file(&folder, "best.toml", experiment(BEST, exercise, num_train)?)?;
    let studies = if exercise.quick { quick_studies } else { full_studies.clone() };
    Ok(Files { softmax, inserted, hidden, augmented, best, studies, full_studies, edited })
}

/// Returns an experiment file adapted to the options of the exercise. A changed file has no
/// comments, since they describe the default values.
fn experiment(text: &str, exercise: &Exercise, num_train: usize) -> Result<String> {
    let default = Experiment::from_toml(text, "experiment.toml", &[])?;
    let mut changes = Vec::new();
    if !exercise.source.is_mnist() {
        changes.push(Override::new("data.source", exercise.source.to_string()));
        let validation = scaled_validation(default.data.validation, SHIPPED_NUM_TRAIN, num_train);
        changes.push(Override::new("data.validation", i64::try_from(validation).unwrap_or(i64::MAX)));
    }
    changes.extend(exercise.seed.map(|seed| Override::new("seed", seed)));
    changes.extend_from_slice(&exercise.settings);
    if changes.is_empty() {
        return Ok(text.to_owned());
    }
    let changed = Experiment::from_toml(text, "experiment.toml", &changes)?;
    Ok(format!("{}{}", heading(exercise), changed.to_toml()?))
}

/// Returns a study file adapted to the options of the exercise.
///
/// The base experiment is adapted already. So only the settings of the study itself are replaced,
/// and the settings that it varies stay. The seeds become the seed of the exercise and the ones
/// that follow it.
fn study(text: &str, exercise: &Exercise, num_train: usize) -> Result<String> {
    let mut table = experiment::parse(text, "study.toml")?;
    let default = table.clone();
    if !exercise.source.is_mnist() {
        let validation = get_integer(&table, "data.validation").unwrap_or(0);
        let fitted =
            scaled_validation(usize::try_from(validation).unwrap_or(0), SHIPPED_NUM_TRAIN, num_train);
        replace(&mut table, "data.validation", &Value::Integer(i64::try_from(fitted).unwrap_or(i64::MAX)));
    }
    for setting in &exercise.settings {
        replace(&mut table, &setting.key(), setting.value());
    }
    if let (Some(seed), Some(Value::Array(seeds))) = (exercise.seed, table.get_mut("seeds")) {
        for (index, value) in (0..).zip(seeds.iter_mut()) {
            *value = Value::Integer(seed.saturating_add(index));
        }
    }
    if table == default {
        return Ok(text.to_owned());
    }
    let written = toml::to_string(&table)
        .map_err(|error| Error::new(format!("cannot write the study as TOML: {error}")).with_source(error))?;
    Ok(format!("{}{written}", heading(exercise)))
}

/// Returns an integer among the settings of a study.
fn get_integer(study: &Table, key: &str) -> Option<i64> {
    let (section, key) = key.split_once('.')?;
    study.get("set")?.get(section)?.get(key)?.as_integer()
}

/// Replaces the value of a key that a study sets. Does nothing if the study does not set it.
fn replace(study: &mut Table, key: &str, value: &Value) {
    let Some(set) = study.get_mut("set") else { return };
    let entry = key.split('.').try_fold(set, |table, part| table.get_mut(part));
    if let Some(entry) = entry {
        *entry = value.clone();
    }
}

/// Returns the first line of an adapted file.
fn heading(exercise: &Exercise) -> String {
    // The name of a folder may contain a line feed, which would end the comment.
    let arguments: String =
        exercise.arguments().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("# Written by smallnet {arguments}\n")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
