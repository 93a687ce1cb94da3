//! `--engine`: which engine ran, what both have in common, and what keeps them apart.
#![allow(clippy::unwrap_used)]

mod common;

use common::TestDir;
use serde_json::Value;

const TRAIN: [&str; 8] = ["train", "--data", "data", "--hidden", "16", "--epochs", "3", "--set"];

/// Trains a network with a hidden layer on 600 digits, with `engine` or the default.
fn train(dir: &TestDir, engine: Option<&str>, activation: &str) -> Value {
    let setting = format!("model.activation={activation}");
    let options: Vec<&str> = engine.iter().flat_map(|engine| ["--engine", engine]).collect();
    dir.json(&[&TRAIN[..], &[&setting, "--lr", "0.1"], &options].concat())
}

fn run_info(dir: &TestDir, record: &Value) -> Value {
    serde_json::from_str(&dir.read(dir.run_folder(record).join("run.json"))).unwrap()
}

#[test]
fn both_engines_learn_the_same_up_to_rounding_and_say_which_they_are() {
    let dir = TestDir::new();
    dir.digits(600, 200);
    for activation in ["relu", "leaky-relu", "gelu"] {
        let [default, cpu, autodiff] =
            [None, Some("cpu"), Some("autodiff")].map(|engine| train(&dir, engine, activation));
        assert_eq!(default["weights_sha256"], cpu["weights_sha256"], "cpu is the default on flex");
        assert_ne!(cpu["weights_sha256"], autodiff["weights_sha256"], "both took the same engine");
        for (record, engine) in [(&default, "cpu"), (&cpu, "cpu"), (&autodiff, "autodiff")] {
            assert_eq!(run_info(&dir, record)["engine"], engine);
        }
        for (one, other) in dir.metrics(&cpu).iter().zip(dir.metrics(&autodiff)) {
            let [one, other] = [one, &other].map(|epoch| epoch["train_loss"].as_f64().unwrap());
            assert!((one - other).abs() < 1e-4, "{activation}: {one}, {other}");
        }
    }
    let output = dir.run(&["train", "--data", "data", "--epochs", "1", "--engine", "autodiff"]);
    assert!(output.stdout.contains("on CPU (flex), engine autodiff\n"), "{}", output.stdout);
}

#[test]
fn a_run_resumes_with_its_own_engine_alone() {
    let dir = TestDir::new();
    dir.digits(600, 200);
    for (own, other) in [("autodiff", "cpu"), ("cpu", "autodiff")] {
        let whole = train(&dir, Some(own), "relu");
        let part = dir.json(&[&TRAIN[..5], &["--epochs", "2", "--lr", "0.1", "--engine", own]].concat());
        let run = part["run"].as_str().unwrap();
        let refused = dir.run(&["resume", run, "--epochs", "3", "--engine", other]);
        assert_eq!(refused.code, 2, "{}", refused.stdout);
        assert!(
            refused
                .stderr
                .contains(&format!("is being trained by the engine {own}, not by the engine {other}")),
            "{}",
            refused.stderr
        );
        let resumed = dir.json(&["resume", run, "--epochs", "3"]);
        assert_eq!(resumed["weights_sha256"], whole["weights_sha256"]);
    }
}

/// Runs of smallnet 0.1.0 do not record an engine: it was the only one of their backend.
#[test]
fn a_run_without_an_engine_resumes_with_the_one_that_trained_it() {
    let dir = TestDir::new();
    dir.digits(600, 200);
    let whole = train(&dir, None, "relu");
    let part = dir.json(&[&TRAIN[..5], &["--epochs", "2", "--lr", "0.1"]].concat());
    let path = dir.run_folder(&part).join("run.json");
    let old: String = dir.read(&path).lines().filter(|line| !line.contains("\"engine\"")).collect();
    dir.write(path.to_str().unwrap(), old);
    let run = part["run"].as_str().unwrap();
    assert_eq!(dir.run(&["resume", run, "--epochs", "3", "--engine", "autodiff"]).code, 2);
    assert_eq!(dir.json(&["resume", run, "--epochs", "3"])["weights_sha256"], whole["weights_sha256"]);
    assert_eq!(run_info(&dir, &part)["engine"], "cpu");
}

#[test]
fn a_study_on_another_engine_has_trials_of_its_own() {
    let dir = TestDir::new();
    dir.digits(600, 200);
    let text = "base = \"base.toml\"\nfolds = 2\n[vary]\n\"optimizer.learning_rate\" = [0.1, 1.0]\n";
    dir.write("base.toml", "[data]\nsource = \"data\"\n[training]\nnum_epochs = 2\n");
    dir.write("rates.toml", text);
    let results = |args: &[&str]| -> Value {
        dir.json(args);
        serde_json::from_str(&dir.read("artifacts/studies/rates/results.json")).unwrap()
    };
    let accuracies = |results: &Value| -> Vec<f64> {
        let settings = results["settings"].as_array().unwrap();
        settings.iter().map(|setting| setting["mean"].as_f64().unwrap()).collect()
    };
    let cpu = results(&["study", "rates.toml"]);
    let other = dir.run(&["study", "rates.toml", "--engine", "autodiff"]);
    assert!(
        other
            .stdout
            .starts_with("rates: 2 configurations × 2 folds = 4 trials, on CPU (flex), engine autodiff\n")
    );
    assert!(!other.stdout.contains("have been run already"), "{}", other.stdout);
    let autodiff = results(&["study", "rates.toml", "--engine", "autodiff"]);
    for (one, other) in accuracies(&cpu).iter().zip(accuracies(&autodiff)) {
        assert!((one - other).abs() < 0.02, "{one}, {other}");
    }
    assert_eq!((&cpu["backend"], &cpu["engine"]), (&"flex".into(), &"cpu".into()));
    assert_eq!((&autodiff["backend"], &autodiff["engine"]), (&"flex".into(), &"autodiff".into()));
}

#[test]
fn an_engine_that_does_not_fit_is_refused() {
    let dir = TestDir::new();
    dir.digits(300, 100);
    let output = dir.run(&["train", "--data", "data", "--backend", "ndarray", "--engine", "cpu"]);
    assert_eq!(output.code, 2);
    assert_eq!(
        output.stderr,
        "error: the engine `cpu` computes on the backend `flex` alone, not on `ndarray`\n\nhint: leave out \
         `--engine`, or use `--engine autodiff`\n"
    );
    let record = dir.json(&["train", "--data", "data", "--backend", "ndarray", "--epochs", "1"]);
    assert_eq!(run_info(&dir, &record)["engine"], "autodiff");
}

/// An evaluation by another engine is shown, and it is not the run's test.
#[test]
fn evaluation_takes_the_engine_that_is_asked_for() {
    let dir = TestDir::new();
    dir.digits(600, 200);
    let record = train(&dir, None, "gelu");
    let run = record["run"].as_str().unwrap();
    let before = dir.read(format!("{run}/evaluation.json"));
    let [own, other] = ["cpu", "autodiff"].map(|engine| dir.json(&["evaluate", run, "--engine", engine]));
    let [own, other] = [own, other].map(|evaluation| evaluation["loss"].as_f64().unwrap());
    assert!((own - other).abs() < 1e-5, "{own}, {other}");
    assert_eq!(dir.read(format!("{run}/evaluation.json")), before);
}

#[test]
fn a_saved_network_keeps_the_engine_that_trained_it() {
    let dir = TestDir::new();
    dir.digits(600, 200);
    let record = train(&dir, Some("autodiff"), "gelu");
    let run = record["run"].as_str().unwrap();
    let loss = |options: &[&str]| {
        let evaluation = dir.json(&[&["evaluate", run], options].concat());
        evaluation["loss"].as_f64().unwrap()
    };
    let own = loss(&[]);
    assert_eq!(own, record["test_loss"].as_f64().unwrap());
    assert_eq!(own, loss(&["--engine", "autodiff"]));
    assert_ne!(own, loss(&["--engine", "cpu"]), "both took the same engine");
}
