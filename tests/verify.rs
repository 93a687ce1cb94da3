//! `smallnet verify`: a good run passes, each false claim is found and named, and the run stays as it
//! is.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use common::{CommandOutput, TestDir};
use serde_json::{Value, json};

const RUN: &str = "artifacts/copy/run";

/// A change of the files of a run that makes a claim false.
type Change<'a> = Box<dyn Fn() + 'a>;

/// Trains a small network and copies its run to [`RUN`].
fn trained(more: &[&str]) -> (TestDir, PathBuf) {
    let dir = TestDir::new();
    let run = dir.path().join(dir.small_run("softmax", more));
    copy(&run, &dir.path().join(RUN));
    (dir, run)
}

fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy(&path, &target),
            false => assert!(fs::copy(&path, target).is_ok()),
        }
    }
}

/// The content of all files below a folder, with the times of their last change.
fn snapshot(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, std::time::SystemTime)> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(snapshot(&path));
        } else {
            let modified = path.metadata().unwrap().modified().unwrap();
            files.insert(path.clone(), (fs::read(&path).unwrap(), modified));
        }
    }
    files
}

fn edit(path: &Path, change: impl Fn(&mut Value)) {
    let mut value: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    change(&mut value);
    fs::write(path, value.to_string()).unwrap();
}

fn replace(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from} in {text}");
    fs::write(path, text.replace(from, to)).unwrap();
}

/// Changes a byte near the end of a file, where the numbers are.
fn damage(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let last = bytes.len() - 2;
    bytes[last] ^= 1;
    fs::write(path, bytes).unwrap();
}

/// The checks of the record of `--json`, each name with its status.
fn checks(output: &CommandOutput) -> BTreeMap<String, String> {
    let record: Value = serde_json::from_str(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let checks = record["checks"].as_array().unwrap();
    assert_eq!(record["ok"], output.code == 0, "{record}");
    checks.iter().map(|check| (text(&check["name"]), text(&check["status"]))).collect()
}

fn verify(dir: &TestDir, more: &[&str]) -> CommandOutput {
    dir.run(&[&["verify", RUN, "--json"], more].concat())
}

/// The names of the failed checks of [`RUN`].
fn failed(dir: &TestDir, more: &[&str]) -> Vec<String> {
    let output = verify(dir, more);
    let failed: Vec<_> =
        checks(&output).into_iter().filter(|(_, status)| status == "failed").map(|(name, _)| name).collect();
    assert_eq!(output.code, i32::from(!failed.is_empty()), "{}", output.stderr);
    failed
}

#[test]
fn a_good_run_passes_and_stays_as_it_is() {
    let (dir, run) = trained(&["--set", "training.early_stopping.patience=1", "training.num_epochs=4"]);
    let before = snapshot(&run);
    let output = dir.run(&["verify", "latest", "--train"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{}", output.stdout);
    assert!(
        !output.stdout.contains("failed  ") && !output.stdout.contains("not checked  "),
        "{}",
        output.stdout
    );
    for line in
        ["config.toml", "run.json", "weights", "data set", "validation", "test", "report.html", "training"]
    {
        let is_line =
            |text: &&str| text.starts_with("ok ") && text["ok           ".len()..].starts_with(line);
        assert!(output.stdout.lines().any(|text| is_line(&text)), "{line} in {}", output.stdout);
    }
    assert!(output.stdout.ends_with(" ok, 0 failed, 0 not checked\n"), "{}", output.stdout);
    assert_eq!(snapshot(&run), before);
    // In another folder, with other line ends, it is the same run.
    replace(&dir.path().join(RUN).join("config.toml"), "\n", "\r\n");
    assert_eq!(failed(&dir, &["--backend", "ndarray"]), [""; 0]);
}

#[test]
fn each_false_claim_is_found_and_named() {
    let (dir, run) = trained(&[]);
    let folder = dir.path().join(RUN);
    let path = |name: &str| folder.join(name);
    let set = |file: &str, pointer: &str, value: Value| {
        edit(&path(file), |json| {
            *json.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value.clone()
        });
    };
    let digest = json!("0".repeat(64));
    let claims: Vec<(&str, Change)> = vec![
        (
            "config.toml",
            Box::new(|| replace(&path("config.toml"), "learning_rate = 1.0", "learning_rate = 0.9")),
        ),
        ("config.toml", Box::new(|| set("run.json", "/config_sha256", digest.clone()))),
        (
            "config.toml",
            Box::new(|| {
                fs::remove_file(path("config.toml"))
                    .and_then(|()| fs::write(path("config.toml"), "="))
                    .unwrap()
            }),
        ),
        ("run.json", Box::new(|| set("run.json", "/seed", json!(43)))),
        ("run.json", Box::new(|| set("run.json", "/experiment", json!("mlp")))),
        ("run.json", Box::new(|| fs::write(path("run.json"), "{").unwrap())),
        ("weights", Box::new(|| set("run.json", "/weights_sha256", digest.clone()))),
        ("weights", Box::new(|| set("run.json", "/weights_sha256", Value::Null))),
        ("weights", Box::new(|| damage(&path("model.bpk")))),
        ("weights", Box::new(|| fs::remove_file(path("model.bpk")).unwrap())),
        ("model.bpk", Box::new(|| fs::write(path("model.bpk"), "no weights").unwrap())),
        ("data set", Box::new(|| set("run.json", "/data/sha256", digest.clone()))),
        ("data set", Box::new(|| set("run.json", "/data/num_validation", json!(99)))),
        ("data set", Box::new(|| set("run.json", "/data/num_test", json!(199)))),
        ("data set", Box::new(|| set("run.json", "/data/class_names/3", json!("7")))),
        ("data set", Box::new(|| set("run.json", "/data/value_range/white", json!(254.0)))),
        ("checkpoint epoch-2", Box::new(|| damage(&path("checkpoint/epoch-2/model.bpk")))),
        (
            "checkpoint epoch-1",
            Box::new(|| replace(&path("checkpoint/epoch-1/state.json"), "\"epochs\": 1", "\"epochs\": 2")),
        ),
        ("checkpoint epoch-2", Box::new(|| replace(&path("metrics.jsonl"), "\"epoch\":1,", "\"epoch\":1, "))),
        ("metrics.jsonl", Box::new(|| fs::write(path("metrics.jsonl"), "{\n").unwrap())),
        ("summary.json", Box::new(|| fs::write(path("metrics.jsonl"), "").unwrap())),
        ("summary.json", Box::new(|| fs::write(path("summary.json"), "{").unwrap())),
        ("summary.json", Box::new(|| set("summary.json", "/weights_sha256", digest.clone()))),
        ("summary.json", Box::new(|| set("summary.json", "/best_epoch", json!(7)))),
        ("summary.json", Box::new(|| set("summary.json", "/model_epoch", json!(1)))),
        ("summary.json", Box::new(|| set("summary.json", "/num_epochs", json!(3)))),
        ("summary.json", Box::new(|| set("summary.json", "/steps_per_epoch", json!(3)))),
        ("summary.json", Box::new(|| set("summary.json", "/num_parameters", json!(3)))),
        ("summary.json", Box::new(|| set("summary.json", "/seconds_per_epoch", json!(0.001)))),
        ("summary.json", Box::new(|| set("summary.json", "/validation_accuracy", json!(0.99)))),
        ("summary.json", Box::new(|| set("summary.json", "/validation_loss", json!(0.01)))),
        ("evaluation.json", Box::new(|| set("summary.json", "/test_accuracy", json!(0.99)))),
        ("evaluation.json", Box::new(|| set("summary.json", "/test_balanced_accuracy", json!(0.99)))),
        ("evaluation.json", Box::new(|| set("evaluation.json", "/weights_sha256", digest.clone()))),
        ("evaluation.json", Box::new(|| set("evaluation.json", "/accuracy", json!(0.99)))),
        ("evaluation.json", Box::new(|| set("evaluation.json", "/classes/0/recall", json!(0.99)))),
        ("evaluation.json", Box::new(|| set("evaluation.json", "/confusion/0/0", json!(u64::MAX)))),
        ("evaluation.json", Box::new(|| set("evaluation.json", "/confusion", json!([[1]])))),
        ("test", Box::new(|| set("evaluation.json", "/calibration/error", json!(0.0)))),
        ("test", Box::new(|| set("evaluation.json", "/worst/0/loss", json!(0.0)))),
        ("report.html", Box::new(|| replace(&path("report.html"), "test accuracy", "validation accuracy"))),
        ("report.html", Box::new(|| fs::write(path("report.html"), "").unwrap())),
    ];
    for (index, (name, falsify)) in claims.iter().enumerate() {
        copy(&run, &folder);
        falsify();
        let failed = failed(&dir, &[]);
        assert!(failed.iter().any(|check| check == name), "{name} ({index}): {failed:?}");
    }
}

/// Claims that agree with each other in all files are false all the same.
#[test]
fn figures_are_computed_again() {
    let (dir, run) = trained(&[]);
    let folder = dir.path().join(RUN);
    // A better loss, in all places.
    edit(&folder.join("summary.json"), |summary| summary["test_loss"] = json!(0.1));
    edit(&folder.join("evaluation.json"), |test| test["loss"] = json!(0.1));
    fs::remove_file(folder.join("report.html")).unwrap();
    assert_eq!(failed(&dir, &[]), ["test"]);
    let output = dir.run(&["verify", RUN]);
    let line = output.stdout.lines().find(|line| line.starts_with("failed ")).unwrap();
    assert!(line.contains("claimed loss 0.1; found loss "), "{line}");

    copy(&run, &folder);
    fs::remove_dir_all(folder.join("checkpoint")).unwrap();
    let text = fs::read_to_string(folder.join("metrics.jsonl")).unwrap();
    let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    lines[1]["validation_accuracy"] = json!(0.99);
    fs::write(folder.join("metrics.jsonl"), format!("{}\n{}\n", lines[0], lines[1])).unwrap();
    edit(&folder.join("summary.json"), |summary| summary["validation_accuracy"] = json!(0.99));
    fs::remove_file(folder.join("report.html")).unwrap();
    assert_eq!(failed(&dir, &[]), ["validation"]);
    assert_eq!(failed(&dir, &["--train"]), ["validation"], "the weights are those of the training");
}

#[test]
fn weights_of_another_training_are_not_repeated() {
    let (dir, _) = trained(&[]);
    let folder = dir.path().join(RUN);
    let other = dir.path().join(dir.small_run("softmax", &["--seed", "7"]));
    for name in ["model.bpk", "summary.json", "evaluation.json", "metrics.jsonl"] {
        fs::copy(other.join(name), folder.join(name)).unwrap();
    }
    fs::remove_dir_all(folder.join("checkpoint")).unwrap();
    fs::remove_file(folder.join("report.html")).unwrap();
    let summary: Value =
        serde_json::from_str(&fs::read_to_string(other.join("summary.json")).unwrap()).unwrap();
    edit(&folder.join("run.json"), |info| info["weights_sha256"] = summary["weights_sha256"].clone());
    // The validation images follow from the seed, so another seed held out others.
    assert_eq!(failed(&dir, &[]), ["validation"]);
    assert_eq!(failed(&dir, &["--train"]), ["training", "validation"]);
}

#[test]
fn a_run_from_the_weights_of_another_is_trained_from_them_again() {
    let (dir, run) = trained(&[]);
    let from = run.to_str().unwrap();
    let record = dir.json(&["train", "--from", from, "--data", "data", "--epochs", "1", "--name", "copy"]);
    let folder = dir.path().join(RUN);
    copy(&dir.path().join(record["run"].as_str().unwrap()), &folder);
    assert_eq!(failed(&dir, &["--train"]), [""; 0]);
    damage(&folder.join("initial.bpk"));
    assert_eq!(failed(&dir, &[]), ["initial.bpk"]);
}

#[test]
fn data_that_was_moved_or_changed() {
    let (dir, _) = trained(&[]);
    fs::rename(dir.path().join("data"), dir.path().join("moved")).unwrap();
    let missing = verify(&dir, &["--train"]);
    let all = checks(&missing);
    assert_eq!(missing.code, 0);
    for name in ["data set", "validation", "test", "training"] {
        assert_eq!(all[name], "not-checked", "{}", missing.stdout);
    }
    assert_eq!(failed(&dir, &["--data", "moved", "--train"]), [""; 0]);
    assert_eq!(checks(&verify(&dir, &["--data", "moved"]))["test"], "ok");
    damage(&dir.path().join("moved/t10k-images-idx3-ubyte"));
    assert_eq!(failed(&dir, &["--data", "moved"]), ["data set"]);
}

#[test]
fn runs_that_have_not_ended_and_runs_of_earlier_versions() {
    let (dir, _) = trained(&[]);
    let folder = dir.path().join(RUN);
    for name in ["model.bpk", "summary.json", "evaluation.json", "report.html"] {
        fs::remove_file(folder.join(name)).unwrap();
    }
    edit(&folder.join("run.json"), |info| {
        (info["status"], info["weights_sha256"]) = (json!("running"), Value::Null);
    });
    assert_eq!(failed(&dir, &["--train"]), [""; 0]);
    assert_eq!(checks(&verify(&dir, &[]))["weights"], "not-checked");

    let saved = dir.saved_run();
    let output = dir.run(&["verify", &saved, "--json"]);
    let checks = checks(&output);
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert_eq!((checks["weights"].as_str(), checks["data set"].as_str()), ("ok", "ok"));
    edit(&dir.path().join(&saved).join("summary.json"), |summary| summary["test_accuracy"] = json!(0.93));
    let output = dir.run(&["verify", &saved]);
    assert_eq!(output.code, 1);
    assert!(output.stdout.contains("claimed accuracy 0.93; found accuracy 0.9239"), "{}", output.stdout);
    dir.run(&["verify", "nowhere"]).assert_error(
        1,
        "`nowhere` does not exist\n\nhint: `smallnet runs` lists the runs; a run folder holds `config.toml` and `run.json`",
    );
}
