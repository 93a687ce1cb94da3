//! What outside tuners rely on: the validation figures of `train --json`, `--no-test`, and the journal
//! of a study.
#![allow(clippy::unwrap_used)]

mod common;

use common::TestDir;
use serde_json::Value;

/// Trains on 600 digits, of which 100 are validation images.
fn train(dir: &TestDir, more: &[&str]) -> Value {
    let fixed =
        ["train", "--data", "data", "--name", "n", "--set", "data.validation=100", "training.num_epochs=3"];
    dir.json(&[&fixed[..], more].concat())
}

fn file(dir: &TestDir, record: &Value, name: &str) -> Value {
    serde_json::from_str(&dir.read(dir.run_folder(record).join(name))).unwrap()
}

#[test]
fn validation_figures_are_those_of_the_epoch_whose_weights_are_kept() {
    let dir = TestDir::new();
    dir.digits(600, 100);
    let stopping = "training.early_stopping.patience=1";
    // A rate at which the loss does not fall in each epoch.
    let stopped = train(&dir, &["--lr", "8", "--epochs", "60", "--set", stopping]);
    let last = train(&dir, &["--lr", "8"]);
    let best = stopped["model_epoch"].as_u64().unwrap() as usize;
    assert!(stopped["num_epochs"] == best + 1 && last["model_epoch"] == 3, "{stopped} {last}");
    for (record, kept) in [(&stopped, best - 1), (&last, 2)] {
        let metrics = dir.metrics(record);
        for key in ["validation_accuracy", "validation_loss"] {
            assert_eq!(record[key], metrics[kept][key], "{key}");
            assert_eq!(file(&dir, record, "summary.json")[key], metrics[kept][key]);
        }
    }
    let resumed = dir.json(&["resume", last["run"].as_str().unwrap(), "--epochs", "4"]);
    assert_eq!(resumed["validation_accuracy"], dir.metrics(&resumed)[3]["validation_accuracy"]);
    let without = dir.json(&["train", "--data", "data", "--epochs", "1"]);
    assert!(
        without.get("validation_accuracy").is_none() && without["test_accuracy"].is_number(),
        "{without}"
    );
    let shown = dir.run(&["train", "--data", "data", "--epochs", "1", "--set", "data.validation=100"]).stdout;
    let epoch = shown.split("val loss ").nth(1).unwrap();
    let accuracy = epoch.split("accuracy ").nth(1).unwrap().split(' ').next().unwrap();
    assert!(shown.contains(&format!("\nvalidation accuracy {accuracy}, loss ")), "{shown}");
}

#[test]
fn no_test_leaves_the_test_images_to_evaluate() {
    let dir = TestDir::new();
    dir.digits(600, 100);
    let tested = train(&dir, &[]);
    let record = train(&dir, &["--no-test"]);
    let run = record["run"].as_str().unwrap();
    assert_eq!(record["weights_sha256"], tested["weights_sha256"]);
    assert!(record["no_test"] == true && record["test_accuracy"].is_null(), "{record}");
    assert_eq!(record["validation_accuracy"], tested["validation_accuracy"]);
    assert_eq!(file(&dir, &record, "run.json")["no_test"], true);
    assert!(!dir.path().join(run).join("evaluation.json").exists());
    let page = |run: &str| dir.read(format!("{run}/report.html"));
    assert!(page(run).contains("not tested (--no-test)") && page(run).contains("validation accuracy"));
    let shown = dir.run(&["train", "--data", "data", "--epochs", "1", "--no-test"]).stdout;
    assert!(shown.contains("\nnot tested (--no-test); test it: smallnet evaluate "), "{shown}");
    // `resume` leaves them alone, too, without being told again.
    let longer = dir.json(&["resume", run, "--epochs", "4"]);
    assert!(longer["no_test"] == true && longer["test_accuracy"].is_null(), "{longer}");
    let back = dir.json(&["resume", tested["run"].as_str().unwrap(), "--epochs", "4", "--no-test"]);
    assert!(back["no_test"] == true && back["weights_sha256"] == longer["weights_sha256"], "{back}");
    // `evaluate` tests it, and all records say so.
    let evaluation = dir.json(&["evaluate", run]);
    let summary = file(&dir, &record, "summary.json");
    assert_eq!(summary["test_accuracy"], evaluation["accuracy"]);
    assert_eq!(summary["test_loss"], evaluation["loss"]);
    assert!(summary.get("no_test").is_none() && summary.get("untested").is_none(), "{summary}");
    assert_eq!(file(&dir, &record, "run.json")["no_test"], true, "the training did not test it");
    assert!(!page(run).contains("not tested (--no-test)") && page(run).contains("test accuracy"));
    let runs = dir.json(&["runs"]);
    let accuracies: Vec<_> =
        runs.as_array().unwrap().iter().map(|run| &run["summary"]["test_accuracy"]).collect();
    assert!(accuracies.contains(&&evaluation["accuracy"]), "{runs}");
    assert_eq!(dir.json(&["verify", run])["ok"], true);
}

const STUDY: &str = "base = \"softmax\"\nfolds = 2\n[set]\ndata.source = \"data\"\ntraining.num_epochs = 2\n\
    [vary]\noptimizer.learning_rate = [0.001, 0.5]\n";

#[test]
fn a_study_writes_a_journal_of_optuna() {
    let dir = TestDir::new();
    dir.digits(600, 100);
    dir.write("s.toml", STUDY);
    let command = ["study", "s.toml", "--no-test", "--journal", "study.log"];
    let record = dir.json(&command);
    assert_eq!(record["journal"], "study.log");
    assert!(record["result"]["no_test"] == true && record["result"]["test_accuracy"].is_null(), "{record}");
    let page = dir.read("artifacts/studies/s/report.html");
    assert!(page.contains("not tested (--no-test)"), "{page}");
    let lines = || -> Vec<Value> {
        dir.read("study.log").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let written = lines();
    let trials: Vec<_> = written.iter().filter(|line| line["op_code"] == 4).collect();
    assert_eq!((&written[0]["study_name"], trials.len()), (&Value::from("s"), 2));
    for (trial, setting) in trials.iter().zip(record["summary"]["settings"].as_array().unwrap()) {
        assert_eq!((&trial["value"], &trial["state"]), (&setting["mean"], &Value::from(1)));
        assert_eq!(trial["user_attrs"]["trials"].as_array().unwrap().len(), 2);
    }
    // The same command writes it again. Lines of others are not lost.
    dir.json(&command);
    assert_eq!(lines().len(), written.len());
    let own = dir.read("study.log");
    let foreign = own.clone() + "{\"op_code\":4,\"worker_id\":\"c0ffee-1\",\"study_id\":0}\n";
    dir.write("study.log", &foreign);
    let refused = dir.run(&command);
    assert_eq!((refused.code, dir.read("study.log")), (2, foreign), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("`study.log` has lines that smallnet did not write"),
        "{}",
        refused.stderr
    );
    let nowhere = dir.run(&["study", "s.toml", "--journal", "missing/study.log"]);
    assert!(
        nowhere.code == 2 && nowhere.stderr.contains("is in a folder that does not exist"),
        "{}",
        nowhere.stderr
    );
}
