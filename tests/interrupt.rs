//! Interruption of a training on purpose, and its failure by divergence.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use common::{CommandOutput, TestDir};
use serde_json::Value;

#[test]
fn ctrl_c_saves_what_was_reached_and_says_how_to_go_on() {
    let dir = TestDir::new();
    dir.digits(1000, 100);
    let mut child = dir
        .command(&["train", "--data", "data", "--set", "training.num_epochs=100000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // Two lines of the header come before the epochs.
    let seen: Vec<String> = lines.by_ref().take(4).map(Result::unwrap).collect();
    assert!(seen[3].starts_with("epoch      2/100000"), "{seen:?}");
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(130));

    let [.., interrupted, _, _, saved] = rest.as_slice() else { panic!("{rest:?}") };
    assert!(interrupted.starts_with("interrupted in epoch "), "{interrupted}");
    assert!(saved.starts_with("saved in artifacts/softmax/"), "{saved}");
    let page = saved.split("report: ").nth(1).unwrap();
    assert!(dir.read(page).contains("This run was interrupted in epoch "), "{saved}");
    let record = dir.json(&["evaluate", "latest"]);
    assert_eq!(record["num_images"], 100);
    let info: Value = serde_json::from_str(&dir.read(dir.run_folder(&record).join("run.json"))).unwrap();
    assert_eq!(info["status"], "interrupted");
    assert!(info["message"].as_str().unwrap().starts_with("in epoch "), "{info}");
}

#[test]
fn a_diverging_training_stops_with_epoch_step_and_rate() {
    let dir = TestDir::new();
    dir.digits(1000, 100);
    let output = dir.run(&[
        "train",
        "--data",
        "data",
        "--set",
        "model.hidden=[32,32,32]",
        "--set",
        "optimizer.learning_rate=1e9",
    ]);
    assert_eq!(output.code, 1, "{}", output.stdout);
    let message = output.stderr.strip_prefix("error: training diverged: the loss is ").unwrap();
    assert!(message.contains(" in epoch 1, step "), "{message}");
    assert!(message.contains(", at learning rate 1000000000\n"), "{message}");
    assert!(
        message.ends_with("hint: lower `optimizer.learning_rate`, or set `training.clip_norm`\n"),
        "{message}"
    );
    let runs = dir.json(&["runs"]);
    assert_eq!(runs[0]["status"], "failed");
    assert!(runs[0]["message"].as_str().unwrap().starts_with("training diverged"), "{runs}");
    assert!(runs[0]["summary"].is_null());
}

#[test]
fn a_training_that_diverges_in_its_last_step_is_no_success() {
    let dir = TestDir::new();
    dir.digits(1000, 100);
    for (held_out, what) in [("0", "the test loss is "), ("100", "the validation loss is ")] {
        let setting = format!("data.validation={held_out}");
        let output = dir.run(&[
            "train",
            "--data",
            "data",
            "--set",
            "training.batch_size=1000",
            "--set",
            "training.num_epochs=1",
            "--set",
            "optimizer.learning_rate=1e38",
            "--set",
            &setting,
        ]);
        assert_eq!(output.code, 1, "{}", output.stdout);
        assert!(output.stderr.starts_with(&format!("error: training diverged: {what}")), "{}", output.stderr);
    }
    let runs = dir.json(&["runs"]);
    assert_eq!((&runs[0]["status"], &runs[1]["status"]), (&Value::from("failed"), &Value::from("failed")));
}

#[test]
fn an_artifacts_folder_that_cannot_be_made_is_named() {
    let dir = TestDir::new();
    dir.digits(300, 100);
    dir.write("taken", "a file");
    let output: CommandOutput = dir.run(&["train", "--data", "data", "--artifacts", "taken"]);
    output.assert_error(1, "cannot make the folder `taken/softmax`: Not a directory (os error 20)");
}
