use super::*;

fn read(text: &str) -> Result<Study> {
    Study::from_toml(text, "studies/s.toml", &[], |name| {
        assert_eq!(name, "../b.toml");
        Ok(("[optimizer]\nkind = \"adam\"".to_owned(), "b.toml".to_owned()))
    })
}

#[test]
fn a_study_names_a_base_and_what_varies() {
    let study = read(
        "base = \"../b.toml\"\nfolds = 3\nseeds = [7, 8]\n[set]\ntraining.num_epochs = 2\n\"model.hidden\" = [5]\n\
         [vary]\noptimizer.learning_rate = [0.1, 0.2]",
    )
    .unwrap();
    assert_eq!((study.name.as_str(), study.folds, study.seeds.as_slice()), ("s", 3, &[7, 8][..]));
    assert_eq!((study.base.training.num_epochs, &study.base.model.hidden[..]), (2, &[5][..]));
    let experiment = study.experiment(&[Value::Float(0.2)], 8).unwrap();
    assert_eq!((experiment.optimizer.learning_rate(), experiment.seed), (0.2, 8));
    assert!(matches!(experiment.optimizer, crate::optim::OptimizerConfig::Adam(_)));
    assert_eq!(experiment.training.num_epochs, 2);
}

#[test]
fn early_stopping_works_with_folds() {
    let study = read("folds = 2\n[set]\ntraining.early_stopping.patience = 1").unwrap();
    assert!(study.base.training.early_stopping.is_some());
}

#[test]
fn without_a_base_it_is_the_exercises_network() {
    let study = read("[set]\ndata.validation = 100").unwrap();
    assert_eq!((study.base.data.validation, study.base.optimizer.learning_rate()), (100, 1.0));
    assert_eq!((study.seeds.as_slice(), study.equivalence), (&[42][..], 0.005));
    assert_eq!((study.measure, study.stopping_share), (Measure::Accuracy, 0.1));
    let own = read("folds = 2\nequivalence = 0.002\nchoose = \"balanced_accuracy\"\nstopping_share = 0.25")
        .unwrap();
    assert_eq!(own.equivalence, 0.002);
    assert_eq!((own.measure, own.stopping_share), (Measure::BalancedAccuracy, 0.25));
}

#[test]
fn too_long_lists_are_refused() {
    let numbers = |end: usize| (1..=end).map(|number| number.to_string()).collect::<Vec<_>>().join(", ");
    let keys: String = (0..21).map(|index| format!("k{index} = [1]\n")).collect();
    for (text, expected) in [
        (
            format!("folds = 2\nseeds = [{}]", numbers(1001)),
            "`seeds` in `studies/s.toml` is a list of 1001 seeds, expected at most 1000",
        ),
        (
            format!("folds = 2\n[vary]\noptimizer.momentum = [{}]", numbers(1001)),
            "`vary.optimizer.momentum` in `studies/s.toml` has 1001 values, expected at most 1000",
        ),
        (format!("folds = 2\n[vary]\n{keys}"), "`studies/s.toml` varies 21 settings, expected at most 20"),
    ] {
        assert_eq!(read(&text).unwrap_err().message(), expected);
    }
}

#[cfg(unix)]
#[test]
fn a_base_that_has_no_end_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.toml");
    std::fs::write(&path, "folds = 2\nbase = \"/dev/zero\"").unwrap();
    assert_eq!(
        Study::read(&path, &[]).unwrap_err().message(),
        "cannot read the study's base experiment `/dev/zero`: it is not a file"
    );
}

#[test]
fn bad_studies_say_what_is_wrong() {
    for (text, expected) in [
        ("folds = 1", "`folds` in `studies/s.toml` is 1, expected a whole number from 2 to 100"),
        (
            "seeds = [1, 1]\nfolds = 2",
            "`seeds` in `studies/s.toml` is [1, 1], expected a list of different whole numbers from 0, such as \
             `[1, 2, 3]`",
        ),
        (
            "name = \"../x\"\nfolds = 2",
            "`name` is `../x`, expected 1 to 100 letters, digits, `-`, `_` or `.`, not starting with `.` or `-`",
        ),
        (
            "folds = 2\nequivalence = 0.5e1",
            "`equivalence` in `studies/s.toml` is 5.0, expected a difference of accuracies from 0 to below 1, such \
             as `0.005`",
        ),
        (
            "folds = 2\nequivalence = -0.01",
            "`equivalence` in `studies/s.toml` is -0.01, expected a difference of accuracies from 0 to below 1, such \
             as `0.005`",
        ),
        (
            "folds = 2\nchoose = \"f1\"",
            "`choose` in `studies/s.toml` is \"f1\", expected `\"accuracy\"` or `\"balanced_accuracy\"`",
        ),
        (
            "folds = 2\nstopping_share = 1",
            "`stopping_share` in `studies/s.toml` is 1, expected a share of the training images from 0 to below 1, \
             such as `0.1`",
        ),
        ("timing = 1", "`timing` in `studies/s.toml` is 1, expected `true` or `false`"),
        ("", "the study `studies/s.toml` has nothing to choose by: no `folds`, and `data.validation` is 0"),
        (
            "folds = 2\n[vary]\ndata.validation = [1, 2]",
            "`vary.data.validation` in `studies/s.toml` is not something to vary",
        ),
        (
            "folds = 2\n[set]\noptimizer.momentum = 0.5\n[vary]\noptimizer.momentum = [0.1]",
            "`optimizer.momentum` is both varied and set in the study `studies/s.toml`",
        ),
        (
            "folds = 2\nseeds = [1]\n[set]\nseed = 3",
            "`seeds` stands at the top of a study, not among what it sets",
        ),
        ("folds = 2\n[vary]\nseed = [1, 2]", "`vary.seed` in `studies/s.toml` is not something to vary"),
        ("folds = 2\n[sample]\nnum = 0", "`sample.num` is 0, expected a whole number from 1"),
        (
            "folds = 2\n[sample]\nseed = 0",
            "`sample.num` in `studies/s.toml` is missing, expected a whole number from 0",
        ),
    ] {
        assert_eq!(read(text).unwrap_err().message(), expected);
    }
    let error = read("fold = 2").unwrap_err().to_string();
    assert!(
        error.starts_with("unknown key `fold` in `studies/s.toml`\n\nhint: did you mean `folds`?"),
        "{error}"
    );
    let error = read("folds = 2\n[set]\nlearning_rate = 2").unwrap_err().to_string();
    assert!(
        error.starts_with("unknown key `learning_rate` in `softmax.toml` changed by `studies/s.toml`"),
        "{error}"
    );
}
