//! The command line: help, and one clear message for every kind of bad input.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;

use common::Place;

#[test]
fn help_reads_like_a_manual() {
    let place = Place::new();
    let help = place.run(&["--help"]).stdout;
    for words in ["train", "evaluate", "runs", "--backend", "--json", "--threads", "Examples:", "Exit codes:"]
    {
        assert!(help.contains(words), "no `{words}` in {help}");
    }
    let help = place.run(&["train", "--help"]).stdout;
    for words in ["--set <KEY=VALUE>", "--seed", "--name", "--data <DIR>", "--dashboard"] {
        assert!(help.contains(words), "no `{words}` in {help}");
    }
}

#[test]
fn wrong_usage_exits_with_2() {
    let place = Place::new();
    for args in [
        &["frobnicate"] as &[&str],
        &["train", "--set", "seed"],
        &["--backend", "abacus"],
        &["--threads", "0"],
        &["evaluate"],
        &["evaluate", "latest", "--split", "half"],
        &["train", "--dashboard"],
    ] {
        let ran = place.run(args);
        assert_eq!(ran.code, 2, "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.starts_with("error: "), "{args:?}: {}", ran.stderr);
    }
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0, "wrong usage left something behind");
}

#[test]
fn what_belongs_to_training_says_where() {
    let place = Place::new();
    let hint = "hint: what belongs to training follows `train`: put `train` before it\n";
    for args in [&["--seed", "7"] as &[&str], &["configs/mlp.toml"], &["--quiet", "--set", "seed=1"]] {
        let ran = place.run(args);
        assert_eq!(ran.code, 2, "{args:?}");
        assert!(ran.stderr.ends_with(hint), "{args:?}: {}", ran.stderr);
    }
    assert!(!place.run(&["--frobnicate"]).stderr.contains("hint:"));
}

#[test]
fn a_backend_that_was_not_built_says_how_to_build_it() {
    if cfg!(feature = "cuda") {
        return;
    }
    let place = Place::new();
    place.run(&["--backend", "cuda"]).assert_error(
        1,
        "the backend `cuda` is not in this build\n\nhint: build it in with `cargo run --release --features cuda -- \
         --backend cuda`",
    );
}

#[test]
fn bad_experiments_are_refused_before_a_folder_is_made() {
    let place = Place::new();
    place.write("typo.toml", "[optimizer]\nlearning_rte = 0.1\n");
    place.run(&["train", "typo.toml"]).assert_error(
        1,
        "unknown key `optimizer.learning_rte` in `typo.toml`\n\nhint: did you mean `optimizer.learning_rate`? Valid \
         keys of kind `sgd`: `kind`, `learning_rate`, `momentum`, `nesterov`, `weight_decay`",
    );
    place.run(&["train", "none.toml"]).assert_error(
        1,
        "cannot read the experiment file `none.toml`: No such file or directory (os error 2)\n\nhint: an experiment \
         is a TOML file; `configs/softmax.toml` is one to start from",
    );
    place
        .run(&["train", "--set", "training.batch_size=0"])
        .assert_error(1, "`training.batch_size` is 0, expected a whole number from 1 to 1000000");
    place
        .run(&["train", "--set", "data.validation=60000"])
        .assert_error(1, "`data.validation` is 60000, expected less than the 60000 training images");
    place.run(&["train", "--set", "model.hidden=[60000,60000]"]).assert_error(
        1,
        "a network [784, 60000, 60000, 10] has 3647760010 weights, expected at most 100000000\n\nhint: make the layers \
         of `model.hidden` narrower",
    );
    place.run(&["train", "--set", "model.hidden=[60000]", "--set", "training.batch_size=60000"]).assert_error(
        1,
        "a batch of 60000 images becomes 3647640000 numbers in a network [784, 60000, 10], expected at most \
         500000000\n\nhint: make `training.batch_size` smaller or the layers of `model.hidden` narrower",
    );
    assert!(!place.path().join("artifacts").exists());
}

#[test]
fn bad_data_is_refused_before_a_folder_is_made() {
    let place = Place::new();
    let missing = place.path().canonicalize().unwrap().join("nowhere");
    let ran = place.run(&["train", "--data", missing.to_str().unwrap()]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains(&format!("`{}`", missing.display())), "{}", ran.stderr);

    place.digits(300, 100);
    let data = place.path().join("data");
    let (images, labels) = (data.join("train-images-idx3-ubyte"), data.join("train-labels-idx1-ubyte"));
    let (image_bytes, label_bytes) = (fs::read(&images).unwrap(), fs::read(&labels).unwrap());
    fs::write(&images, &label_bytes).unwrap();
    fs::write(&labels, &image_bytes).unwrap();
    let ran = place.run(&["train", "--data", "data"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("magic number 2049, expected 2051"), "{}", ran.stderr);
    assert!(ran.stderr.contains("are the image and label files swapped?"), "{}", ran.stderr);

    fs::write(&images, &image_bytes[..1000]).unwrap();
    fs::write(&labels, &label_bytes).unwrap();
    let ran = place.run(&["train", "--data", "data"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.starts_with("error: invalid IDX file"), "{}", ran.stderr);

    // The test images are used after the last step, but looked at before the first.
    fs::write(&images, &image_bytes).unwrap();
    let test_labels = data.join("t10k-labels-idx1-ubyte");
    let test_bytes = fs::read(&test_labels).unwrap();
    let mut out_of_range = test_bytes.clone();
    out_of_range[8 + 42] = 10;
    fs::write(&test_labels, out_of_range).unwrap();
    let ran = place.run(&["train", "--data", "data"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.starts_with("error: label 10 of image 42 in `"), "{}", ran.stderr);
    assert!(ran.stderr.ends_with("is out of range: the training labels go from 0 to 9\n"), "{}", ran.stderr);

    fs::write(&test_labels, test_bytes).unwrap();
    let mut one_class = label_bytes.clone();
    one_class[8..].fill(0);
    fs::write(&labels, one_class).unwrap();
    let test_only_zeros: Vec<u8> = [&fs::read(&test_labels).unwrap()[..8], &[0; 100]].concat();
    fs::write(&test_labels, test_only_zeros).unwrap();
    let ran = place.run(&["train", "--data", "data"]);
    assert!(ran.stderr.contains("are of class 0, expected two classes"), "{}", ran.stderr);
    assert!(!place.path().join("artifacts").exists());
}
