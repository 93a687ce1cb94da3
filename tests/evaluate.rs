//! `smallnet evaluate` and `smallnet runs`: saved networks and damaged ones.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::PathBuf;

use common::{TestDir, number};
use serde_json::Value;

/// Trains a small run in a temporary folder.
fn train_small_run() -> (TestDir, Value, PathBuf) {
    let dir = TestDir::new();
    dir.digits(1000, 200);
    let record = dir.json(&[
        "train",
        "--data",
        "data",
        "--set",
        "data.validation=200",
        "--set",
        "training.num_epochs=3",
        "--set",
        "model.hidden=[16]",
        "--set",
        "optimizer.learning_rate=0.1",
    ]);
    let folder = dir.run_folder(&record);
    (dir, record, folder)
}

#[test]
fn a_saved_network_gives_exactly_what_training_printed() {
    let dir = TestDir::new();
    let trained = dir.json(&["train", "--set", "training.num_epochs=2"]);
    let run = trained["run"].as_str().unwrap();
    for name in [run, "latest", run.rsplit('/').next().unwrap(), &format!("{run}/model.bpk")] {
        let evaluated = dir.json(&["evaluate", name]);
        assert_eq!(evaluated["accuracy"], trained["test_accuracy"], "{name}");
        assert_eq!(evaluated["loss"], trained["test_loss"], "{name}");
        assert_eq!(evaluated["split"], "test");
        assert_eq!(evaluated["num_images"], 10_000);
    }
}

#[test]
fn every_split_and_checkpoint_can_be_evaluated() {
    let (dir, record, folder) = train_small_run();
    let run = folder.to_str().unwrap();
    let images = |split| dir.json(&["evaluate", run, "--split", split])["num_images"].clone();
    assert_eq!([images("test"), images("validation"), images("train")], [200, 200, 800]);
    // The last epoch's validation loss was measured with the weights that are evaluated here.
    let checkpoint = folder.join("checkpoint/epoch-3");
    let last = dir.json(&["evaluate", checkpoint.to_str().unwrap(), "--split", "validation"]);
    let noted = &dir.metrics(&record)[2];
    assert!((number(&last, "loss") - number(noted, "validation_loss")).abs() < 1e-6, "{last} {noted}");
    assert_eq!(last["accuracy"], noted["validation_accuracy"]);
}

#[test]
fn a_network_can_be_tested_on_other_data() {
    let (dir, record, folder) = train_small_run();
    let other = TestDir::new();
    other.digits(100, 50);
    let data = other.path().join("data");
    let evaluated = dir.json(&["evaluate", folder.to_str().unwrap(), "--data", data.to_str().unwrap()]);
    assert_eq!(evaluated["num_images"], 50);
    assert_eq!(record["status"], "finished");
}

#[test]
fn a_missing_run_is_named() {
    let dir = TestDir::new();
    dir.run(&["evaluate", "nothing"]).assert_error(
        1,
        "`nothing` does not exist\n\nhint: `smallnet runs` lists the runs; a run folder holds `config.toml` and \
         `run.json`",
    );
    fs::create_dir(dir.path().join("empty")).unwrap();
    dir.run(&["evaluate", "empty"]).assert_error(
        1,
        "`empty` is not a run folder\n\nhint: `smallnet runs` lists the runs; a run folder holds `config.toml` \
         and `run.json`",
    );
    dir.run(&["evaluate", "latest"])
        .assert_error(1, "there is no run in `artifacts` yet\n\nhint: `smallnet train` makes one");
    let stray = dir.write("stray.bpk", "");
    dir.run(&["evaluate", stray.to_str().unwrap()]).assert_error(
        1,
        &format!(
            "the checkpoint `{}` is not in a run folder\n\nhint: its network is described by the `config.toml` of \
             its run: leave it in there",
            stray.display()
        ),
    );
}

#[test]
fn damaged_weights_are_refused_wherever_the_damage_is() {
    let (dir, _, folder) = train_small_run();
    let path = dir.path().join(folder.join("model.bpk"));
    let whole = fs::read(&path).unwrap();
    for place_of_damage in 0..40 {
        let mut bytes = whole.clone();
        bytes[place_of_damage * (whole.len() - 1) / 39] ^= 0x10;
        fs::write(&path, bytes).unwrap();
        // The check is the same for the run folder and for the file.
        let name = if place_of_damage % 2 == 0 { folder.clone() } else { folder.join("model.bpk") };
        let output = dir.run(&["evaluate", name.to_str().unwrap()]);
        assert_eq!(
            output.code, 1,
            "damage {place_of_damage} went unnoticed: {}{}",
            output.stdout, output.stderr
        );
        let first = output.stderr.lines().next().unwrap();
        assert!(first.starts_with("error: ") && first.contains("model.bpk"), "{}", output.stderr);
        assert!(!output.stderr.contains("panicked"), "{}", output.stderr);
    }
    for length in [0, 1, 7, 100, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        let output = dir.run(&["evaluate", folder.to_str().unwrap()]);
        assert_eq!(output.code, 1, "{length} bytes: {}{}", output.stdout, output.stderr);
        assert!(output.stderr.starts_with("error: cannot load `"), "{length} bytes: {}", output.stderr);
    }
    fs::remove_file(&path).unwrap();
    let output = dir.run(&["evaluate", folder.to_str().unwrap()]);
    output.assert_error(
        1,
        &format!(
            "`{}` has no trained weights: its `model.bpk` is gone\n\nhint: a run saves them when it ends; its last checkpoint \
             can be evaluated too: `{}`",
            folder.display(),
            folder.join("checkpoint/epoch-3").display()
        ),
    );
}

#[test]
fn weights_of_another_network_are_refused() {
    let (dir, _, other) = train_small_run();
    let record = dir.json(&[
        "train",
        "--data",
        "data",
        "--set",
        "training.num_epochs=1",
        "--set",
        "model.hidden=[12]",
    ]);
    let folder = dir.run_folder(&record);
    fs::copy(dir.path().join(other.join("model.bpk")), dir.path().join(folder.join("model.bpk"))).unwrap();
    let output = dir.run(&["evaluate", folder.to_str().unwrap()]);
    output.assert_error(
        1,
        &format!(
            "`{}` holds the weights of another network: layers.0.weight: shape mismatch, expected [784, 12] but \
             record has [784, 16]\n\nhint: is it the file that this run saved?",
            folder.join("model.bpk").display()
        ),
    );
}

/// `latest` must not skip a damaged run and name an older one.
#[test]
fn the_latest_run_is_the_latest_even_if_damaged() {
    let (dir, _, older) = train_small_run();
    let newer = dir.json(&["train", "--data", "data", "--set", "training.num_epochs=1"]);
    let newer = dir.run_folder(&newer);
    let message = format!("`{}` is damaged: ", newer.join("run.json").display());
    dir.write(newer.join("run.json").to_str().unwrap(), "{");
    let id = newer.file_name().unwrap().to_str().unwrap();
    for text in ["latest", id] {
        let output = dir.run(&["evaluate", text]);
        assert!(output.code == 1 && output.stderr.contains(&message), "{}", output.stderr);
    }
    assert_eq!(dir.run(&["evaluate", older.file_name().unwrap().to_str().unwrap()]).code, 0);
    // Folders that are no runs do not disturb.
    fs::remove_dir_all(dir.path().join(&newer)).unwrap();
    fs::create_dir_all(dir.path().join("artifacts/zzz/zzz")).unwrap();
    assert_eq!(dir.run(&["evaluate", "latest"]).code, 0);
}

#[test]
fn a_file_that_no_digest_belongs_to_is_not_taken_for_weights() {
    let (dir, _, folder) = train_small_run();
    fs::copy(dir.path().join(folder.join("model.bpk")), dir.path().join(folder.join("copy.bpk"))).unwrap();
    for name in ["checkpoint/epoch-3/optimizer.bpk", "copy.bpk"] {
        let output = dir.run(&["evaluate", folder.join(name).to_str().unwrap()]);
        assert_eq!(output.code, 1, "{}", output.stdout);
        assert!(
            output.stderr.contains(&format!("{name}` is neither the weights of the run `")),
            "{}",
            output.stderr
        );
    }
}

#[test]
fn a_checkpoint_under_another_name_is_refused() {
    let (dir, _, folder) = train_small_run();
    let checkpoints = dir.path().join(folder).join("checkpoint");
    fs::rename(checkpoints.join("epoch-3"), checkpoints.join("epoch-4")).unwrap();
    let output = dir.run(&["evaluate", checkpoints.join("epoch-4").to_str().unwrap()]);
    assert!(output.stderr.ends_with("/state.json` is damaged: it is of epoch-3\n"), "{}", output.stderr);
}

#[test]
fn a_changed_data_set_is_noticed() {
    let (dir, _, folder) = train_small_run();
    let run = folder.to_str().unwrap();
    let path = dir.path().join("data/t10k-images-idx3-ubyte");
    let mut bytes = fs::read(&path).unwrap();
    bytes[16..16 + 78_400].fill(0);
    fs::write(&path, bytes).unwrap();
    let output = dir.run(&["evaluate", run]);
    assert_eq!(output.code, 1);
    assert!(output.stderr.contains("has changed: its digest is "), "{}", output.stderr);
    assert!(
        output.stderr.contains("hint: to evaluate on it as it is, say so: `--data "),
        "{}",
        output.stderr
    );
    assert_eq!(dir.json(&["evaluate", run, "--data", "data"])["num_images"], 200);
}

#[test]
fn a_saved_network_is_evaluated_on_the_backend_that_trained_it() {
    let dir = TestDir::new();
    dir.digits(1000, 200);
    let trained = dir.json(&["--backend", "ndarray", "train", "--data", "data"]);
    let evaluated = dir.json(&["evaluate", trained["run"].as_str().unwrap()]);
    assert_eq!(evaluated["loss"], trained["test_loss"]);
}

#[test]
fn a_run_without_held_out_images_says_so() {
    let dir = TestDir::new();
    dir.digits(300, 100);
    let record = dir.json(&["train", "--data", "data", "--set", "training.num_epochs=1"]);
    let run = record["run"].as_str().unwrap();
    dir.run(&["evaluate", run, "--split", "validation"]).assert_error(
        1,
        "there are no validation images: the run held none out\n\nhint: hold some out when training: `smallnet train \
         --set data.validation=10000`",
    );
}

#[test]
fn runs_lists_every_run() {
    let dir = TestDir::new();
    assert_eq!(dir.run(&["runs"]).stdout, "no runs in artifacts yet; next: smallnet train\n");
    dir.digits(300, 100);
    for (name, backend) in [("first", "flex"), ("second", "ndarray")] {
        dir.json(&["--backend", backend, "train", "--data", "data", "--name", name]);
    }
    // The list leaves out a folder that is no run, and names it in a warning.
    fs::create_dir_all(dir.path().join("artifacts/second/stray")).unwrap();
    let output = dir.run(&["runs"]);
    assert_eq!(output.code, 0);
    assert!(output.stderr.starts_with("warning: left out: `artifacts/second/stray` is not a run folder"));
    let lines: Vec<Vec<&str>> = output.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["experiment", "run", "(UTC)", "backend", "status", "accuracy", "parameters"]);
    assert_eq!((lines[1][0], lines[1][2], lines[1][3], lines[1][5]), ("first", "flex", "finished", "7,850"));
    assert_eq!(
        (lines[2][0], lines[2][2], lines[2][3], lines[2][5]),
        ("second", "ndarray", "finished", "7,850")
    );
    assert_eq!(lines.len(), 3);

    let records = dir.json(&["runs"]);
    assert_eq!(records.as_array().unwrap().len(), 2);
    assert_eq!(records[1]["experiment"], "second");
    assert_eq!(records[1]["summary"]["num_parameters"], 7850);
}
