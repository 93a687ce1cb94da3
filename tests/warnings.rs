//! Warnings about a network that has learned nothing.
#![allow(clippy::unwrap_used)]

mod common;

use common::TestDir;

/// Returns the kinds of the warnings in a `--json` record.
fn kinds(record: &serde_json::Value) -> Vec<String> {
    let kind = |warning: &serde_json::Value| warning["kind"].as_str().unwrap().to_owned();
    record["warnings"].as_array().unwrap().iter().map(kind).collect()
}

#[test]
fn a_network_that_answers_one_class_is_told_so() {
    let dir = TestDir::new();
    dir.digits(1000, 100);
    let training =
        ["train", "--data", "data", "--hidden", "8", "--set", "model.initializer=zeros", "--epochs", "1"];
    let warning = "warning: all 100 images are taken for class ";
    let hint = "hidden neurons that start alike stay alike: set another `model.initializer` than `zeros`\n";
    for args in [&training[..], &["evaluate", "latest"]] {
        let output = dir.run(args);
        assert_eq!(output.code, 0, "{}", output.stderr);
        assert!(
            output.stderr.starts_with(warning) && output.stderr.ends_with(hint),
            "{args:?}: {}",
            output.stderr
        );
        assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
        let record = dir.json(args);
        assert_eq!(kinds(&record), ["one-class"], "{record}");
        assert_eq!(dir.run(&[&["--quiet"], args].concat()).stderr, "");
    }
    let run = dir.run_folder(&dir.json(&["evaluate", "latest"]));
    let page = dir.read(run.join("report.html"));
    assert!(page.contains("All 100 images are taken for class "), "{page}");
    assert!(page.contains("set another <code>model.initializer</code> than <code>zeros</code>."), "{page}");
}

#[test]
fn steps_that_are_too_large_are_named_as_the_reason() {
    let dir = TestDir::new();
    dir.digits(1000, 100);
    let output = dir.run(&["train", "--data", "data", "--hidden", "64,64,64", "--lr", "4", "--epochs", "2"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(
        output.stderr.contains("a learning rate of 4 is high: lower `optimizer.learning_rate`; ReLU neurons"),
        "{}",
        output.stderr
    );
}

#[test]
fn hidden_layers_that_end_below_the_softmax_network_are_told_so() {
    let dir = TestDir::new();
    let record = dir.json(&["train", "--hidden", "2", "--lr", "0.1", "--epochs", "1"]);
    assert!(kinds(&record).contains(&"below-softmax".to_owned()), "{record}");
    let page = dir.read(dir.run_folder(&record).join("report.html"));
    assert!(page.contains("is below the 0.92 of a softmax network without hidden layers."), "{page}");
    let evaluated = dir.json(&["evaluate", "latest"]);
    assert_eq!(evaluated["warnings"], record["warnings"]);
    // The training images cannot show that.
    let trained_on = dir.json(&["evaluate", "latest", "--split", "train"]);
    assert!(!kinds(&trained_on).contains(&"below-softmax".to_owned()), "{trained_on}");
}

#[test]
fn a_network_that_is_right_is_told_nothing() {
    let dir = TestDir::new();
    let output = dir.run(&["train", "--epochs", "1"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    let record = dir.json(&["evaluate", "latest"]);
    assert_eq!(kinds(&record), Vec::<String>::new());
    let run = dir.run_folder(&record);
    assert!(!dir.read(run.join("report.html")).contains("class=\"warning\""));
}
