//! The experiment and study files of the exercise: inside the program, written beside the page so that its commands
//! work wherever smallnet is installed, and fitted to other images where those are asked for.

use std::path::{Path, PathBuf};

use crate::config::DEFAULT_EXPERIMENT;
use crate::data::Source;
use crate::error::Result;
use crate::run::write_in;

/// The training images that the files' numbers are meant for.
const USUAL_IMAGES: usize = 60_000;

/// A study of the exercise in its two lengths.
struct Texts {
    name: &'static str,
    full: &'static str,
    quick: &'static str,
}

macro_rules! study {
    ($name:literal) => {
        Texts {
            name: $name,
            full: include_str!(concat!("../../../configs/studies/", $name, ".toml")),
            quick: include_str!(concat!("../../../configs/lab/", $name, "-quick.toml")),
        }
    };
}

/// The studies of questions 11 to 14, in this order.
static STUDIES: [Texts; NUM_STUDIES] =
    [study!("learning-rate"), study!("learning-rate-cv"), study!("architecture"), study!("batch-size")];

const HIDDEN: &str = include_str!("../../../configs/hidden.toml");

/// Questions that a study answers.
pub(super) const NUM_STUDIES: usize = 4;

/// Where the files are.
pub(super) struct Files {
    /// The softmax network's experiment.
    pub(super) softmax: PathBuf,
    /// The network with a hidden layer.
    pub(super) hidden: PathBuf,
    /// The studies that are run.
    pub(super) studies: Vec<PathBuf>,
    /// The same studies in full length.
    pub(super) full_studies: Vec<PathBuf>,
}

/// Writes the files into `folder`; for the images in `source`, of which there are `num_train` to learn from.
pub(super) fn write(folder: &Path, source: &Source, num_train: usize, quick: bool) -> Result<Files> {
    let fit = |text: &str| match source {
        Source::Mnist => text.to_owned(),
        source => fitted(text, &source.to_string(), num_train),
    };
    let studies = folder.join("studies");
    let write_study = |name: &str, text: &str| write_in(&studies, name, fit(text).as_bytes());
    let mut full_studies = Vec::new();
    let mut quick_studies = Vec::new();
    for Texts { name, full, quick: short } in &STUDIES {
        full_studies.push(write_study(&format!("{name}.toml"), full)?);
        if quick {
            quick_studies.push(write_study(&format!("{name}-quick.toml"), short)?);
        }
    }
    Ok(Files {
        softmax: write_in(folder, "softmax.toml", fit(DEFAULT_EXPERIMENT).as_bytes())?,
        hidden: write_in(folder, "hidden.toml", fit(HIDDEN).as_bytes())?,
        studies: if quick { quick_studies } else { full_studies.clone() },
        full_studies,
    })
}

/// A file with other images for its data and no more of them held out than their number allows. Its comments, which
/// speak of MNIST, are left out.
fn fitted(text: &str, source: &str, num_train: usize) -> String {
    let mut fitted = "# Written by smallnet lab, for other images than MNIST's.\n".to_owned();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim_end();
        let Some((key, value)) = line.split_once(" = ") else {
            if !line.is_empty() {
                fitted += &format!("{line}\n");
            }
            continue;
        };
        let value = match (key, value.parse::<usize>()) {
            ("source", _) => toml::Value::from(source).to_string(),
            ("validation" | "data.validation", Ok(number)) => held_out(number, num_train).to_string(),
            _ => value.to_owned(),
        };
        fitted += &format!("{key} = {value}\n");
    }
    fitted
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
    use crate::study::Study;

    #[test]
    fn files_fitted_to_other_images_are_read_and_say_so() {
        let place = tempfile::tempdir().unwrap();
        let source = Source::parse("/some \"where\"/#1");
        for quick in [false, true] {
            let files = write(place.path(), &source, 6000, quick).unwrap();
            for study in files.studies.iter().chain(&files.full_studies) {
                let study = Study::read(study, &[]).unwrap();
                assert_eq!(study.base.data.source, "/some \"where\"/#1");
                assert!(study.folds == 5 || study.base.data.validation == 1000);
            }
            assert_eq!(files.studies.len(), NUM_STUDIES);
        }
    }

    /// A short study asks the same question: the same base, the same folds, the same key.
    #[test]
    fn the_quick_studies_are_the_full_ones_in_short() {
        let place = tempfile::tempdir().unwrap();
        let files = write(place.path(), &Source::Mnist, USUAL_IMAGES, true).unwrap();
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
}
