//! The moving average of the weights: which network is validated, saved and tested.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;

use common::{TestDir, number};
use serde_json::Value;

const AVERAGE: [&str; 2] = ["--set", "training.average=0.9"];

/// Evaluates a run, or the checkpoint of one, on its 100 validation images.
fn validate(dir: &TestDir, run: &str) -> [f64; 2] {
    let record = dir.json(&["evaluate", run, "--split", "validation"]);
    assert_eq!(record["num_images"], 100);
    ["accuracy", "loss"].map(|key| number(&record, key))
}

#[test]
fn the_average_is_the_network_that_is_validated_saved_and_tested() {
    let dir = TestDir::new();
    let hidden = ["--set", "model.hidden=[16]"];
    let plain = dir.small_run("softmax", &hidden);
    let run = dir.small_run("softmax", &[&hidden[..], &AVERAGE].concat());
    let epochs = |run: &str| -> Vec<Value> {
        let text = dir.read(format!("{run}/metrics.jsonl"));
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    // The training is the same, and the validation is not.
    for (averaged, plain) in epochs(&run).iter().zip(&epochs(&plain)) {
        assert_eq!(averaged["train_loss"], plain["train_loss"]);
        assert_eq!(averaged["train_accuracy"], plain["train_accuracy"]);
        assert_ne!(averaged["validation_loss"], plain["validation_loss"]);
    }
    let last = epochs(&run).pop().unwrap();
    let [accuracy, loss] = validate(&dir, &run);
    assert_eq!(number(&last, "validation_accuracy"), accuracy);
    assert!((number(&last, "validation_loss") - loss).abs() < 1e-6, "{last} {loss}");
    let checkpoint = format!("{run}/checkpoint/epoch-2");
    assert_eq!(validate(&dir, &checkpoint), [accuracy, loss]);
    let summary: Value = serde_json::from_str(&dir.read(format!("{run}/summary.json"))).unwrap();
    assert_eq!(summary["test_accuracy"], dir.json(&["evaluate", &run])["accuracy"]);

    // The checkpoint also has the weights that are trained, which are those of the plain run.
    let sums = dir.read(format!("{checkpoint}/SHA256SUMS"));
    let names: Vec<&str> = sums.lines().map(|line| line.split_once("  ").unwrap().1).collect();
    assert_eq!(names, ["model.bpk", "optimizer.bpk", "scheduler.bpk", "state.json", "trained.bpk"]);
    let exchanged = dir.path().join(&run).join("model.bpk");
    fs::copy(dir.path().join(&checkpoint).join("trained.bpk"), &exchanged).unwrap();
    let output = dir.run(&["verify", &run]);
    let claim: Value = serde_json::from_str(&dir.read(format!("{plain}/run.json"))).unwrap();
    let trained = claim["weights_sha256"].as_str().unwrap();
    assert!(output.stdout.contains(trained), "{} {}", output.stdout, output.stderr);
}

#[test]
fn a_run_with_an_average_is_repeated_trained_on_and_shown() {
    let dir = TestDir::new();
    let early = ["--set", "training.early_stopping={patience=2}", "optimizer.learning_rate=20"];
    let run = dir.small_run("softmax", &[&early[..], &AVERAGE].concat());
    let output = dir.run(&["verify", &run, "--train"]);
    assert_eq!(output.code, 0, "{}", output.stdout);
    assert!(output.stdout.contains("trained again, the weights have the digest"), "{}", output.stdout);
    let config = dir.read(format!("{run}/config.toml"));
    assert!(config.contains("\naverage = 0.9\n"), "{config}");
    let formula =
        "a ← a + (1 − d) · (w − a), d = min(0.9, (1 + n) / (10 + n)) after n steps; the result is a";
    let page = dir.read(format!("{run}/report.html"));
    assert!(page.contains(formula) && page.contains("validation values of their average"));
    assert!(dir.run(&["summary", &format!("{run}/config.toml")]).stdout.contains(formula));
    // A training that starts from the run starts from the average.
    let record = dir.json(&["train", "--from", &run, "--set", "training.num_epochs=1"]);
    let info = |run: &str| -> Value { serde_json::from_str(&dir.read(format!("{run}/run.json"))).unwrap() };
    let source = &info(record["run"].as_str().unwrap())["from"];
    assert_eq!(source["initial_weights_sha256"], info(&run)["weights_sha256"], "{source}");
}

#[test]
fn a_checkpoint_without_the_average_or_with_one_too_many_is_not_resumed_from() {
    let dir = TestDir::new();
    let [plain, averaged] = [&[][..], &AVERAGE].map(|more| dir.path().join(dir.small_run("softmax", more)));
    for (run, found) in [(&plain, "has an average"), (&averaged, "has no average")] {
        let other = if *run == plain { &averaged } else { &plain };
        let swapped = dir.path().join("swapped");
        fs::rename(run.join("checkpoint"), &swapped).unwrap();
        fs::rename(other.join("checkpoint"), run.join("checkpoint")).unwrap();
        fs::rename(&swapped, other.join("checkpoint")).unwrap();
        let info = dir.read(run.join("run.json"));
        fs::write(run.join("run.json"), info.replace("\"finished\"", "\"running\"")).unwrap();
        let output = dir.run(&["resume", run.to_str().unwrap()]);
        assert_eq!(output.code, 0, "{}", output.stderr);
        assert!(
            output.stderr.contains(&format!("epoch-2` {found} of the weights, and the")),
            "{}",
            output.stderr
        );
        assert!(output.stderr.contains("the training starts again"), "{}", output.stderr);
    }
}

#[test]
fn a_decay_out_of_range_and_the_words_of_other_libraries_are_refused() {
    let dir = TestDir::new();
    for (value, found) in [("1", "1"), ("0", "0"), ("-0.5", "-0.5"), ("nan", "NaN"), ("1.5", "1.5")] {
        dir.run(&["train", "softmax", "--set", &format!("training.average={value}")]).assert_error(
            2,
            &format!("`training.average` is {found}, expected a number between 0 and 1, such as 0.999"),
        );
    }
    for word in ["ema_momentum", "use_ema", "model_ema_decay"] {
        let output = dir.run(&["train", "softmax", "--set", &format!("training.{word}=0.99")]);
        assert_eq!(output.code, 2);
        assert!(output.stderr.contains("--set training.average=0.99"), "{}", output.stderr);
    }
}
