//! The forms of data sets: the same images, written by the libraries that people use, train the
//! same network whatever form they are in. `tests/reference/data_forms.py` wrote them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::path::Path;

use common::TestDir;
use serde_json::Value;

/// Path of the fixture in this form.
fn form(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/forms").join(name);
    assert!(path.exists(), "{}", path.display());
    path.display().to_string()
}

/// Trains the softmax network for two epochs on `data`. Returns the record and `run.json`.
fn train(dir: &TestDir, data: &str, more: &[&str]) -> (Value, Value) {
    let settings = ["train", "softmax", "--data", data, "--epochs", "2", "--batch-size", "16"];
    let record = dir.json(&[&settings[..], more].concat());
    let info = serde_json::from_str(&dir.read(dir.run_folder(&record).join("run.json"))).unwrap();
    (record, info)
}

#[test]
fn every_form_trains_the_same_network() {
    let dir = TestDir::new();
    let (idx, idx_info) = train(&dir, &form("idx"), &[]);
    let weights = &idx["weights_sha256"];
    assert!(weights.is_string());
    for name in [
        "idx-float32",
        "idx-nhwc",
        "idx-flat",
        "csv",
        "csv-label-last",
        "npz",
        "npz/mnist.npz",
        "npz-float",
        "npz-medmnist",
        "parquet",
        "parquet-words",
    ] {
        let (record, info) = train(&dir, &form(name), &[]);
        assert_eq!(record["weights_sha256"], *weights, "{name}");
        assert_eq!(record["test_accuracy"], idx["test_accuracy"], "{name}");
        assert_eq!(info["data"]["sha256"], idx_info["data"]["sha256"], "{name}");
    }
}

/// An image folder has the images in the order of the classes.
#[test]
fn image_folders_train_the_network_of_the_same_images_in_that_order() {
    let dir = TestDir::new();
    let (idx, idx_info) = train(&dir, &form("idx-by-class"), &[]);
    let (images, images_info) = train(&dir, &form("images"), &[]);
    assert_eq!(images["weights_sha256"], idx["weights_sha256"]);
    assert_eq!(images_info["data"]["sha256"], idx_info["data"]["sha256"]);
}

/// Pixels of 0 and 1 become the network's 0 and 1, as those of 0 and 255 do.
#[test]
fn the_range_of_the_pixels_does_not_matter() {
    let dir = TestDir::new();
    let (white_255, info_255) = train(&dir, &form("idx-white-255"), &[]);
    let (white_1, info_1) = train(&dir, &form("idx-white-1"), &[]);
    assert_eq!(white_1["weights_sha256"], white_255["weights_sha256"]);
    assert_eq!(info_255["data"]["value_range"], serde_json::json!({"black": 0.0, "white": 255.0}));
    assert_eq!(info_1["data"]["value_range"], serde_json::json!({"black": 0.0, "white": 1.0}));
    // The user's word goes before what the images show.
    let (as_bytes, _) = train(&dir, &form("idx-white-1"), &["--set", "data.scale=255"]);
    assert_ne!(as_bytes["weights_sha256"], white_1["weights_sha256"]);
}

/// Evaluating the network on the same images in another form finds the run's own data set.
#[test]
fn a_run_recognises_its_images_in_another_form() {
    let dir = TestDir::new();
    let (record, _) = train(&dir, &form("csv"), &[]);
    let run = record["run"].as_str().unwrap();
    let evaluation = dir.json(&["evaluate", run, "--data", &form("parquet")]);
    assert_eq!(evaluation["data"], Value::Null, "its own data set");
    assert_eq!(evaluation["accuracy"], record["test_accuracy"]);
}

#[test]
fn names_of_classes_stand_in_tables_and_pages() {
    let dir = TestDir::new();
    let (record, info) = train(&dir, &form("parquet-words"), &[]);
    let run = record["run"].as_str().unwrap();
    let words = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    assert_eq!(info["data"]["class_names"], serde_json::json!(words));
    let evaluation = dir.run(&["evaluate", run]);
    for word in words {
        assert!(evaluation.stdout.contains(word), "{word}: {}", evaluation.stdout);
        assert!(dir.read(Path::new(run).join("report.html")).contains(word), "{word} in the page");
    }
    assert_eq!(dir.json(&["evaluate", run])["class_names"], serde_json::json!(words));
    let prediction = dir.json(&["predict", run, "--index", "0"]);
    let predicted = prediction[0]["predicted"].as_u64().unwrap() as usize;
    assert_eq!(prediction[0]["predicted_name"], words[predicted]);
    let shown = dir.run(&["predict", run, "--index", "0"]).stdout;
    assert!(shown.contains(&format!("predicted {} with", words[predicted])), "{shown}");
    assert!(shown.contains("its label is seven"), "{shown}");
}
