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
