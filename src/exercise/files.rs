//! The experiment and study files of the exercise: inside the program, written beside the page so that its commands
//! work wherever smallnet is installed, and fitted to what was asked for: other images, another seed, other settings. A file
//! that somebody has edited is used as it stands.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::error::{Error, Result};
use crate::exercise::Exercise;
use crate::exercise::mark;
use crate::exercise::mark::Comment;
use crate::experiment;
use crate::experiment::{DEFAULT_EXPERIMENT, Experiment, Override};

/// The training images that the files' numbers are meant for.
const USUAL_IMAGES: usize = 60_000;

/// A study of the exercise in its two lengths.
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

/// The studies of questions 11 to 14, in this order.
static STUDIES: [StudyTemplate; NUM_STUDIES] =
    [study!("learning-rate"), study!("learning-rate-cv"), study!("architecture"), study!("batch-size")];

const INSERTED: &str = include_str!("../../configs/lab/inserted.toml");
const HIDDEN: &str = include_str!("../../configs/hidden.toml");
const BEST: &str = include_str!("../../configs/best.toml");

/// Questions that a study answers.
pub(super) const NUM_STUDIES: usize = 4;

/// Settings that are a question's own, and what else to do.
const NOT_TO_SET: [(&str, &str); 4] = [
    ("name", "the exercise names its experiments"),
    ("seed", "say `--seed N`"),
    ("data.source", "say `--data DIR`"),
    ("model.hidden", "questions 10 and 13 ask for it; edit their files in the exercise's folder `configs`"),
];

/// Where the files are.
pub(super) struct Files {
    /// The softmax network's experiment.
    pub(super) softmax: PathBuf,
    /// The same with a hidden layer inserted.
    pub(super) inserted: PathBuf,
    /// The network with a hidden layer and settings that suit it.
    pub(super) hidden: PathBuf,
    /// The best network known, which takes minutes; question 13 names it.
    pub(super) best: PathBuf,
    /// The studies that are run.
    pub(super) studies: Vec<PathBuf>,
    /// The same studies in full length.
    pub(super) full_studies: Vec<PathBuf>,
    /// Files that somebody has edited.
    pub(super) edited: Vec<String>,
}

/// Refuses settings that would make another exercise of it, and those that no experiment knows.
pub(super) fn check(settings: &[Override]) -> Result<()> {
    for setting in settings {
        let key = setting.key();
        if let Some((_, instead)) = NOT_TO_SET.iter().find(|(name, _)| *name == key) {
            return Err(Error::usage(format!("`--set {key}` has no meaning for `lab`")).hint(*instead));
        }
    }
    Experiment::from_toml(DEFAULT_EXPERIMENT, "softmax.toml", settings).map(drop)
}

/// The softmax network's experiment as it would be written, without writing anything.
pub(super) fn softmax(lab: &Exercise, num_train: usize) -> Result<Experiment> {
    Experiment::from_toml(&experiment(DEFAULT_EXPERIMENT, lab, num_train)?, "softmax.toml", &[])
}

/// Writes the files of an exercise with `num_train` images to learn from.
pub(super) fn write(lab: &Exercise, num_train: usize) -> Result<Files> {
    let folder = lab.folder.join("configs");
    let studies = folder.join("studies");
    let mut edited = Vec::new();
    let mut place = |folder: &Path, name: &str, text: String| -> Result<PathBuf> {
        let placed = mark::write(folder, name, &text, Comment::Toml)?;
        if placed.is_edited {
            edited.push(placed.path.display().to_string());
        }
        Ok(placed.path)
    };
    let mut full_studies = Vec::new();
    let mut quick_studies = Vec::new();
    for StudyTemplate { name, full, quick } in &STUDIES {
        full_studies.push(place(&studies, &format!("{name}.toml"), study(full, lab, num_train)?)?);
        if lab.quick {
            quick_studies.push(place(
                &studies,
                &format!("{name}-quick.toml"),
                study(quick, lab, num_train)?,
            )?);
        }
    }
    let softmax = place(&folder, "softmax.toml", experiment(DEFAULT_EXPERIMENT, lab, num_train)?)?;
    let inserted = place(&folder, "inserted.toml", experiment(INSERTED, lab, num_train)?)?;
    let hidden = place(&folder, "hidden.toml", experiment(HIDDEN, lab, num_train)?)?;
    let best = place(&folder, "best.toml", experiment(BEST, lab, num_train)?)?;
    let studies = if lab.quick { quick_studies } else { full_studies.clone() };
    Ok(Files { softmax, inserted, hidden, best, studies, full_studies, edited })
}

/// An experiment with what was asked for; its comments, which speak of the usual values, are left out then.
fn experiment(text: &str, lab: &Exercise, num_train: usize) -> Result<String> {
    let usual = Experiment::from_toml(text, "experiment.toml", &[])?;
    let mut changes = Vec::new();
    if !lab.source.is_mnist() {
        changes.push(Override::new("data.source", lab.source.to_string()));
        let validation = held_out(usual.data.validation, num_train);
        changes.push(Override::new("data.validation", i64::try_from(validation).unwrap_or(i64::MAX)));
    }
    changes.extend(lab.seed.map(|seed| Override::new("seed", seed)));
    changes.extend_from_slice(&lab.settings);
    if changes.is_empty() {
        return Ok(text.to_owned());
    }
    let changed = Experiment::from_toml(text, "experiment.toml", &changes)?;
    Ok(format!("{}{}", heading(lab), changed.to_toml()?))
}

/// A study with what was asked for. Its base experiment has that already; what the study itself sets is set otherwise here,
/// and what it varies stays varied. As many seeds as it has follow the one asked for.
fn study(text: &str, lab: &Exercise, num_train: usize) -> Result<String> {
    let mut table = experiment::parse(text, "study.toml")?;
    let usual = table.clone();
    if !lab.source.is_mnist() {
        let validation = number(&table, "data.validation").unwrap_or(0);
        let fitted = held_out(usize::try_from(validation).unwrap_or(0), num_train);
        replace(&mut table, "data.validation", &Value::Integer(i64::try_from(fitted).unwrap_or(i64::MAX)));
    }
    for setting in &lab.settings {
        replace(&mut table, &setting.key(), setting.value());
    }
    if let (Some(seed), Some(Value::Array(seeds))) = (lab.seed, table.get_mut("seeds")) {
        for (index, value) in (0..).zip(seeds.iter_mut()) {
            *value = Value::Integer(seed.saturating_add(index));
        }
    }
    if table == usual {
        return Ok(text.to_owned());
    }
    let written = toml::to_string(&table)
        .map_err(|error| Error::new(format!("cannot write the study as TOML: {error}")).with_source(error))?;
    Ok(format!("{}{written}", heading(lab)))
}

/// A whole number among what a study sets.
fn number(study: &Table, key: &str) -> Option<i64> {
    let (section, key) = key.split_once('.')?;
    study.get("set")?.get(section)?.get(key)?.as_integer()
}

/// Sets a key otherwise that a study sets; any other stays the base experiment's.
fn replace(study: &mut Table, key: &str, value: &Value) {
    let Some(set) = study.get_mut("set") else { return };
    let place = key.split('.').try_fold(set, |table, part| table.get_mut(part));
    if let Some(place) = place {
        *place = value.clone();
    }
}

fn heading(lab: &Exercise) -> String {
    // A folder's name may have a line feed in it, which would end the comment.
    let arguments: String = lab.arguments().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("# Written by smallnet {arguments}\n")
}

/// The same share of fewer images than usual.
fn held_out(number: usize, num_train: usize) -> usize {
    if number == 0 || num_train >= USUAL_IMAGES {
        return number;
    }
    (number * num_train / USUAL_IMAGES).max(1)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::backend::Backend;
    use crate::data::Source;
    use crate::study::Study;

    fn lab(folder: &Path, quick: bool) -> Exercise {
        let (source, backend) = (Source::mnist(), Backend::Flex);
        let questions = (0..15).collect();
        Exercise {
            folder: folder.to_owned(),
            source,
            quick,
            backend,
            seed: None,
            settings: Vec::new(),
            questions,
        }
    }

    fn experiment_at(path: &Path) -> Experiment {
        Experiment::from_toml(&std::fs::read_to_string(path).unwrap(), "e.toml", &[]).unwrap()
    }

    #[test]
    fn files_fitted_to_other_images_are_read_and_say_so() {
        let place = tempfile::tempdir().unwrap();
        let source = Source::parse("/some \"where\"/#1");
        for quick in [false, true] {
            let lab = Exercise { source: source.clone(), ..lab(place.path(), quick) };
            let files = write(&lab, 6000).unwrap();
            for study in files.studies.iter().chain(&files.full_studies) {
                let study = Study::read(study, &[]).unwrap();
                assert_eq!(study.base.data.source, "/some \"where\"/#1");
                assert!(study.folds == 5 || study.base.data.validation == 1000);
            }
            assert_eq!(files.studies.len(), NUM_STUDIES);
            assert_eq!(experiment_at(&files.hidden).data.validation, 500);
        }
    }

    /// A short study asks the same question: the same base, the same folds, the same key.
    #[test]
    fn the_quick_studies_are_the_full_ones_in_short() {
        let place = tempfile::tempdir().unwrap();
        let files = write(&lab(place.path(), true), USUAL_IMAGES).unwrap();
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

    /// Question 10 says that nothing but the layer was changed.
    #[test]
    fn a_layer_is_inserted_and_everything_else_kept() {
        let place = tempfile::tempdir().unwrap();
        let files = write(&lab(place.path(), false), USUAL_IMAGES).unwrap();
        let (softmax, mut inserted) = (experiment_at(&files.softmax), experiment_at(&files.inserted));
        assert_eq!((inserted.name.as_str(), inserted.model.hidden.as_slice()), ("inserted", &[128][..]));
        (inserted.name, inserted.model.hidden) = (softmax.name.clone(), Vec::new());
        assert_eq!(inserted, softmax);
    }

    /// What is asked for reaches experiments and studies, but not what a study varies.
    #[test]
    fn settings_and_seeds_are_written_into_the_files() {
        let place = tempfile::tempdir().unwrap();
        let settings = ["training.num_epochs=3", "optimizer.learning_rate=0.5"];
        let settings = settings.iter().map(|text| text.parse().unwrap()).collect();
        let lab = Exercise { seed: Some(70), settings, ..lab(place.path(), false) };
        let files = write(&lab, USUAL_IMAGES).unwrap();
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
        // Asked for otherwise, what smallnet wrote is written anew; what somebody edited stays.
        let text = std::fs::read_to_string(&files.hidden).unwrap();
        std::fs::write(&files.hidden, text.replace("momentum = 0.9", "momentum = 0.8")).unwrap();
        let files = write(&Exercise { seed: Some(7), ..lab }, USUAL_IMAGES).unwrap();
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
