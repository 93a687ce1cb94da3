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
    let best = write_file(&folder, "best.toml", experiment(BEST, exercise, num_train)?)?;
    let studies = if exercise.quick { quick_studies } else { full_studies.clone() };
    Ok(Files { softmax, inserted, hidden, best, studies, full_studies, edited })
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
mod tests {
    use super::*;
    use crate::backend::Backend;
    use crate::data::Source;
    use crate::study::Study;

    fn exercise(folder: &Path, quick: bool) -> Exercise {
        let (source, backend) = (Source::mnist(), Backend::Flex);
        let questions = (0..15).collect();
        Exercise {
            folder: folder.to_owned(),
            source,
            quick,
            compute: backend.into(),
            seed: None,
            settings: Vec::new(),
            questions,
        }
    }

    fn experiment_at(path: &Path) -> Experiment {
        Experiment::from_toml(&std::fs::read_to_string(path).unwrap(), "e.toml", &[]).unwrap()
    }

    #[test]
    fn files_adapted_to_other_images_can_be_read() {
        let temp_dir = tempfile::tempdir().unwrap();
        let source = Source::parse("/some \"where\"/#1");
        for quick in [false, true] {
            let exercise = Exercise { source: source.clone(), ..exercise(temp_dir.path(), quick) };
            let files = write(&exercise, 6000).unwrap();
            for study in files.studies.iter().chain(&files.full_studies) {
                let study = Study::read(study, &[]).unwrap();
                assert_eq!(study.base.data.source, "/some \"where\"/#1");
                assert!(study.folds == 5 || study.base.data.validation == 1000);
            }
            assert_eq!(files.studies.len(), NUM_STUDIES);
            assert_eq!(experiment_at(&files.hidden).data.validation, 500);
        }
    }

    /// A short study has the same base, the same folds and the same key as the full one.
    #[test]
    fn the_quick_studies_are_the_full_ones_in_short() {
        let temp_dir = tempfile::tempdir().unwrap();
        let files = write(&exercise(temp_dir.path(), true), SHIPPED_NUM_TRAIN).unwrap();
        for (quick, full) in files.studies.iter().zip(&files.full_studies) {
            let (quick, full) = (Study::read(quick, &[]).unwrap(), Study::read(full, &[]).unwrap());
            assert_eq!(quick.name, format!("{}-quick", full.name));
            assert_eq!((quick.folds, quick.timing), (full.folds, full.timing));
            assert_eq!(quick.keys().collect::<Vec<_>>(), full.keys().collect::<Vec<_>>());
            assert!(quick.base.training.num_epochs < full.base.training.num_epochs);
            let mut base = quick.base.clone();
            base.training.num_epochs = full.base.training.num_epochs;
            assert_eq!(base, full.base);
        }
    }

    /// Question 10 says that only the layer was changed.
    #[test]
    fn a_layer_is_inserted_and_everything_else_kept() {
        let temp_dir = tempfile::tempdir().unwrap();
        let files = write(&exercise(temp_dir.path(), false), SHIPPED_NUM_TRAIN).unwrap();
        let (softmax, mut inserted) = (experiment_at(&files.softmax), experiment_at(&files.inserted));
        assert_eq!((inserted.name.as_str(), inserted.model.hidden.as_slice()), ("inserted", &[128][..]));
        (inserted.name, inserted.model.hidden) = (softmax.name.clone(), Vec::new());
        assert_eq!(inserted, softmax);
    }

    /// Options reach experiments and studies, but not the settings that a study varies.
    #[test]
    fn settings_and_seeds_are_written_into_the_files() {
        let temp_dir = tempfile::tempdir().unwrap();
        let settings = ["training.num_epochs=3", "optimizer.learning_rate=0.5"];
        let settings = settings.iter().map(|text| text.parse().unwrap()).collect();
        let exercise = Exercise { seed: Some(70), settings, ..exercise(temp_dir.path(), false) };
        let files = write(&exercise, SHIPPED_NUM_TRAIN).unwrap();
        for file in [&files.softmax, &files.inserted, &files.hidden] {
            let experiment = experiment_at(file);
            assert_eq!((experiment.seed, experiment.training.num_epochs), (70, 3));
            assert_eq!(experiment.optimizer.learning_rate(), 0.5);
        }
        let studies: Vec<Study> = files.studies.iter().map(|file| Study::read(file, &[]).unwrap()).collect();
        for study in &studies {
            assert_eq!(study.base.training.num_epochs, 3, "{}", study.name);
            assert_eq!(study.base.optimizer.learning_rate(), 0.5);
            assert!(study.folds == 5 || study.base.data.validation == 10_000);
        }
        assert_eq!(studies[0].seeds, [70, 71, 72, 73, 74]);
        assert_eq!(studies[1].seeds, [70]);
        assert!(studies[0].keys().eq(["optimizer.learning_rate"]));
        // With other options, files that smallnet wrote are replaced. An edited file stays.
        let text = std::fs::read_to_string(&files.hidden).unwrap();
        std::fs::write(&files.hidden, text.replace("momentum = 0.9", "momentum = 0.8")).unwrap();
        let files = write(&Exercise { seed: Some(7), ..exercise }, SHIPPED_NUM_TRAIN).unwrap();
        assert_eq!(files.edited, [files.hidden.display().to_string()]);
        assert_eq!((experiment_at(&files.softmax).seed, experiment_at(&files.hidden).seed), (7, 70));
    }

    #[test]
    fn settings_of_another_exercise_are_refused() {
        let setting = |text: &str| check(&[text.parse().unwrap()]);
        for key in ["name=x", "seed=1", "data.source=x", "model.hidden=[1]", "training.epoch=1"] {
            assert!(setting(key).is_err(), "{key}");
        }
        assert!(setting("training.num_epochs=3").is_ok());
    }
}
