//! Augmented training images: the real binary on real digits.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{TestDir, assert_close, config, number};
use serde_json::Value;

/// Settings that change every image in every way.
const ALL: [&str; 10] = [
    "augmentation.shift=2",
    "augmentation.rotation=10",
    "augmentation.scale=0.1",
    "augmentation.shear=10",
    "augmentation.elastic_alpha=30",
    "augmentation.elastic_sigma=4",
    "augmentation.thickness=0.5",
    "augmentation.noise=0.02",
    "augmentation.cutout=4",
    "augmentation.probability=0.9",
];

/// Returns a folder with some real digits in `data`.
fn digits() -> TestDir {
    let dir = TestDir::new();
    dir.digits(600, 100);
    dir
}

/// Trains a small network for two epochs with `settings` and further arguments.
fn train(dir: &TestDir, settings: &[&str], more: &[&str]) -> Value {
    let base = ["train", "mlp", "--data", "data", "--set", "model.hidden=[32]", "training.num_epochs=2"];
    dir.json(&[&base[..], settings, more].concat())
}

fn weights(record: &Value) -> &str {
    record["weights_sha256"].as_str().unwrap()
}

#[test]
fn augmented_training_repeats_itself_with_any_number_of_threads() {
    let dir = digits();
    let reference = train(&dir, &ALL, &[]);
    assert_ne!(weights(&reference), weights(&train(&dir, &[], &[])), "augmentation changes nothing");
    for threads in ["1", "2", "3"] {
        assert_eq!(weights(&train(&dir, &ALL, &["--threads", threads])), weights(&reference), "{threads}");
    }
}

/// On the engine with tensors, threads make the images ahead.
#[test]
fn both_engines_see_the_same_images() {
    let dir = digits();
    let one = train(&dir, &ALL, &["--engine", "cpu"]);
    let other = train(&dir, &ALL, &["--engine", "autodiff"]);
    let losses = |record: &Value| -> Vec<f64> {
        let run = record["run"].as_str().unwrap();
        let lines = dir.read(format!("{run}/metrics.jsonl"));
        let loss = |line: &str| serde_json::from_str::<Value>(line).unwrap()["train_loss"].as_f64().unwrap();
        lines.lines().map(loss).collect()
    };
    let (one, other) = (losses(&one), losses(&other));
    assert_eq!(one.len(), 2);
    for (one, other) in one.iter().zip(&other) {
        assert!((one - other).abs() < 1e-4 * one, "{one} and {other}");
    }
}

#[test]
fn validation_and_test_images_are_never_changed() {
    let dir = digits();
    let record = train(&dir, &ALL, &["--set", "data.validation=100"]);
    let run = record["run"].as_str().unwrap();
    let validated = dir.json(&["evaluate", run, "--split", "validation"]);
    assert_close(&[number(&validated, "loss")], &[number(&record, "validation_loss")], 1e-6);
    let tested = dir.json(&["evaluate", run]);
    assert_close(&[number(&tested, "loss")], &[number(&record, "test_loss")], 1e-6);
    let config = dir.read(format!("{run}/config.toml"));
    assert!(config.contains("[augmentation]\nprobability = 0.9\nshift = 2.0\n"), "{config}");
}

#[test]
fn the_sheet_shows_what_training_sees() {
    let dir = digits();
    let args = ["data", "mlp", "--data", "data", "--augmented", "--set"];
    let record = dir.json(&[&args[..], &ALL].concat());
    assert_eq!(record["augmentation"]["rotation"], 10.0);
    let sheet = dir.picture(record["picture"].as_str().unwrap());
    assert!(sheet.height() > 800, "{}x{}", sheet.width(), sheet.height());
    let with = |setting: &str| {
        let record = dir.json(&[&args[..], &ALL, &[setting]].concat());
        dir.picture(record["picture"].as_str().unwrap())
    };
    let turned = with("augmentation.rotation=30");
    assert_eq!(turned.dimensions(), sheet.dimensions());
    assert_ne!(turned, sheet);
    // As many columns as the training has epochs, at most nine.
    assert!(with("training.num_epochs=8").width() > sheet.width());
    assert_eq!(with("training.num_epochs=10"), with("training.num_epochs=9"));
    let output =
        dir.run(&[&args[..], &["augmentation.rotation=10", "augmentation.probability=0.5"]].concat());
    assert!(
        output.stdout.contains("  50 % of the images are changed, drawn anew in each epoch\n"),
        "{}",
        output.stdout
    );
    assert!(output.stdout.contains("  rotation: up to 10 degrees to either side\n"), "{}", output.stdout);
    let summary = dir.run(&["summary", "mlp", "--set", "augmentation.cutout=4"]).stdout;
    assert!(summary.contains("augmentation  cutout: a square of 4×4 pixels becomes 0"), "{summary}");
}

#[test]
fn a_wrong_value_is_refused_with_its_range() {
    let dir = digits();
    for (setting, message) in [
        (
            "augmentation.rotation=-1",
            "`augmentation.rotation` is -1, expected a number from 0 to 180, in degrees",
        ),
        ("augmentation.scale=1", "`augmentation.scale` is 1, expected a share from 0 up to, not with, 1"),
        ("augmentation.probability=2", "`augmentation.probability` is 2, expected a number from 0 to 1"),
        (
            "augmentation.elastic_sigma=0",
            "`augmentation.elastic_sigma` is 0, expected a number from 0.5 to 100, in pixels",
        ),
        (
            "augmentation.thickness=nan",
            "`augmentation.thickness` is NaN, expected a number from 0 to 1, in pixels",
        ),
    ] {
        let output = dir.run(&["train", "mlp", "--data", "data", "--set", setting]);
        assert!(output.code != 0 && output.stderr.contains(message), "{}", output.stderr);
    }
    let output = dir.run(&["data", "mlp", "--data", "data", "--augmented"]);
    assert_eq!(output.code, 1);
    assert!(
        output.stderr.contains("`mlp` changes no training image: its augmentation is off\n"),
        "{}",
        output.stderr
    );
    let output = dir.run(&["train", "mlp", "--set", "rotate=10"]);
    assert!(output.stderr.contains("--set augmentation.rotation=10"), "{}", output.stderr);
}

#[test]
fn a_study_varies_the_augmentation() {
    let dir = digits();
    let study = format!(
        "base = \"{}\"\nseeds = [1]\n[set]\ndata.source = \"data\"\ndata.validation = 100\n\
         training.num_epochs = 2\n[vary]\naugmentation.rotation = [0.0, 90.0]\n",
        config("softmax")
    );
    dir.write("turned.toml", study);
    dir.json(&["study", "turned.toml"]);
    let lines = dir.read("artifacts/studies/turned/trials.jsonl");
    let loss = |line: &str| {
        let trial: Value = serde_json::from_str(line).unwrap();
        trial["epochs"][1]["train_loss"].as_f64().unwrap()
    };
    let losses: Vec<f64> = lines.lines().map(loss).collect();
    // Turned digits are harder to learn.
    assert!(losses.len() == 2 && (losses[0] - losses[1]).abs() > 0.1, "{losses:?}");
}
