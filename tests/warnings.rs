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
        output.stderr.contains("a learning rate of 4 is high: lower `optimizer.learning_rate`, `smallnet lr-find` suggests another; ReLU neurons"),
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

/// Writes the labels of `data`'s training and test images.
fn write_labels(dir: &TestDir, train: &[u8], test: &[u8]) {
    for (name, labels) in [("train", train), ("t10k", test)] {
        let count = u32::try_from(labels.len()).unwrap().to_be_bytes();
        let idx = [&[0, 0, 8, 1], &count[..], labels].concat();
        dir.write(&format!("data/{name}-labels-idx1-ubyte"), idx);
    }
}

/// 495 images of class 0 and 5 of class 1: always answering 0 is 99 % right.
#[test]
fn a_rare_class_that_is_never_predicted_is_named_beside_the_balanced_accuracy() {
    let dir = TestDir::new();
    dir.digits(500, 100);
    let labels = |number: usize| {
        (0..number).map(|index: usize| u8::from(index.is_multiple_of(100))).collect::<Vec<_>>()
    };
    write_labels(&dir, &labels(500), &labels(100));
    let training = ["train", "--data", "data", "--lr", "0.05", "--epochs", "2"];
    let output = dir.run(&training);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let line = "balanced accuracy 0.5000: the mean recall of the classes, which are unbalanced";
    assert!(
        output.stdout.contains("test accuracy 0.9900") && output.stdout.contains(line),
        "{}",
        output.stdout
    );
    let finding = "all 100 images are taken for class 0";
    assert_eq!(output.stderr.matches(finding).count(), 1, "{}", output.stderr);
    let record = dir.json(&training);
    assert_eq!(
        (kinds(&record), &record["test_balanced_accuracy"]),
        (vec!["one-class".to_owned()], &0.5.into())
    );
    let evaluated = dir.run(&["evaluate", "latest"]);
    assert!(evaluated.stdout.contains(line), "{}", evaluated.stdout);
    assert_eq!(dir.json(&["evaluate", "latest"])["balanced_accuracy"], 0.5);
    let page = dir.read(dir.run_folder(&record).join("report.html"));
    assert!(page.contains("balanced test accuracy") && page.contains("50.00 %"), "{page}");
    let first = dir.run_folder(&dir.json(&[&training[..], &["--name", "first"]].concat()));
    let compared = dir.run(&["compare", first.to_str().unwrap(), record["run"].as_str().unwrap()]);
    assert!(compared.stdout.contains("balanced"), "{}{}", compared.stdout, compared.stderr);
    // Balanced classes have no such line.
    dir.digits(500, 100);
    let output = dir.run(&training);
    assert!(!output.stdout.contains("balanced accuracy"), "{}", output.stdout);
}

/// Without labelled test images, the validation images or the training images show the fault.
#[test]
fn a_run_that_is_not_tested_is_told_its_faults_too() {
    let dir = TestDir::new();
    dir.digits(600, 100);
    for name in ["images-idx3", "labels-idx1"] {
        std::fs::remove_file(dir.path().join(format!("data/t10k-{name}-ubyte"))).unwrap();
    }
    let training = ["train", "--data", "data", "--hidden", "8", "--epochs", "1"];
    let zeros = ["--set", "model.initializer=zeros"];
    for (held_out, images) in [("0", "600 training images"), ("60", "60 validation images")] {
        let validation = format!("data.validation={held_out}");
        let args = [&training[..], &zeros, &["--set", &validation]].concat();
        let output = dir.run(&args);
        assert_eq!(output.code, 0, "{}", output.stderr);
        let warning = format!("warning: all {images} are taken for class ");
        assert_eq!(output.stderr.matches(&warning).count(), 1, "{}", output.stderr);
        assert!(output.stderr.contains("is that of guessing (ln 10 = 2.303)"), "{}", output.stderr);
        let record = dir.json(&args);
        assert_eq!(kinds(&record), ["one-class"]);
        let page = dir.read(dir.run_folder(&record).join("report.html"));
        assert!(page.contains(&format!("All {images} are taken for class ")), "{page}");
    }
}

/// Labels of which 40 % are wrong: the network first learns the digits, then the wrong labels.
#[test]
fn a_validation_accuracy_that_fell_long_before_the_end_is_named() {
    let dir = TestDir::new();
    dir.digits(1600, 100);
    let labels = std::fs::read(dir.path().join("data/train-labels-idx1-ubyte")).unwrap();
    let noisy = |(index, &label): (usize, &u8)| match index % 5 {
        0 | 2 => (label + 1 + (index % 9) as u8) % 10,
        _ => label,
    };
    let noisy: Vec<u8> = labels[8..].iter().enumerate().map(noisy).collect();
    write_labels(&dir, &noisy, &[0; 100].map(|label| label + 1));
    let training = ["train", "--data", "data", "--hidden", "128", "--lr", "0.3", "--epochs", "60"];
    let args = [&training[..], &["--set", "data.validation=800"]].concat();
    let record = dir.json(&args);
    assert!(kinds(&record).contains(&"early-peak".to_owned()), "{record}");
    let page = dir.read(dir.run_folder(&record).join("report.html"));
    assert!(page.contains("The validation accuracy was highest around epoch"), "{page}");
    // Early stopping restores the weights of the best epoch.
    let stopped = [&args[..], &["--set", "training.early_stopping.patience=5"]].concat();
    assert!(!kinds(&dir.json(&stopped)).contains(&"early-peak".to_owned()));
}
