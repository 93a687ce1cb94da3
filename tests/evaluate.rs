//! `smallnet evaluate` and `smallnet runs`: saved networks and damaged ones.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::PathBuf;

use common::{TestDir, number};
use serde_json::Value;

/// Trains a small run in a temporary folder.
fn train_small_run() -> (TestDir, Value, PathBuf) {
    let place = TestDir::new();
    place.digits(1000, 200);
    let record = place.json(&[
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
    let folder = place.run_folder(&record);
    (place, record, folder)
}

#[test]
fn a_saved_network_gives_exactly_what_training_printed() {
    let place = TestDir::new();
    let trained = place.json(&["train", "--set", "training.num_epochs=2"]);
    let run = trained["run"].as_str().unwrap();
    for name in [run, "latest", run.rsplit('/').next().unwrap(), &format!("{run}/model.bpk")] {
        let evaluated = place.json(&["evaluate", name]);
        assert_eq!(evaluated["accuracy"], trained["test_accuracy"], "{name}");
        assert_eq!(evaluated["loss"], trained["test_loss"], "{name}");
        assert_eq!(evaluated["split"], "test");
        assert_eq!(evaluated["num_images"], 10_000);
    }
}

#[test]
fn every_split_and_checkpoint_can_be_evaluated() {
    let (place, record, folder) = train_small_run();
    let run = folder.to_str().unwrap();
    let images = |split| place.json(&["evaluate", run, "--split", split])["num_images"].clone();
    assert_eq!([images("test"), images("validation"), images("train")], [200, 200, 800]);
    // The last epoch's validation loss was measured with the weights that are evaluated here.
    let checkpoint = folder.join("checkpoint/epoch-3");
    let last = place.json(&["evaluate", checkpoint.to_str().unwrap(), "--split", "validation"]);
    let noted = &place.metrics(&record)[2];
    assert!((number(&last, "loss") - number(noted, "validation_loss")).abs() < 1e-6, "{last} {noted}");
    assert_eq!(last["accuracy"], noted["validation_accuracy"]);
}

#[test]
fn a_network_can_be_tested_on_other_data() {
    let (place, record, folder) = train_small_run();
    let other = TestDir::new();
    other.digits(100, 50);
    let data = other.path().join("data");
    let evaluated = place.json(&["evaluate", folder.to_str().unwrap(), "--data", data.to_str().unwrap()]);
    assert_eq!(evaluated["num_images"], 50);
    assert_eq!(record["status"], "finished");
}

#[test]
fn a_missing_run_is_named() {
    let place = TestDir::new();
    place.run(&["evaluate", "nothing"]).assert_error(
        1,
        "`nothing` does not exist\n\nhint: `smallnet runs` lists the runs; a run folder holds `config.toml` and \
         `run.json`",
    );
    fs::create_dir(place.path().join("empty")).unwrap();
    place.run(&["evaluate", "empty"]).assert_error(
        1,
        "`empty` is not a run folder\n\nhint: `smallnet runs` lists the runs; a run folder holds `config.toml` \
         and `run.json`",
    );
    place
        .run(&["evaluate", "latest"])
        .assert_error(1, "there is no run in `artifacts` yet\n\nhint: `smallnet train` makes one");
    let stray = place.write("stray.bpk", "");
    place.run(&["evaluate", stray.to_str().unwrap()]).assert_error(
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
    let (place, _, folder) = train_small_run();
    let path = place.path().join(folder.join("model.bpk"));
    let whole = fs::read(&path).unwrap();
    for place_of_damage in 0..40 {
        let mut bytes = whole.clone();
        bytes[place_of_damage * (whole.len() - 1) / 39] ^= 0x10;
        fs::write(&path, bytes).unwrap();
        // The check is the same for the run folder and for the file.
        let name = if place_of_damage % 2 == 0 { folder.clone() } else { folder.join("model.bpk") };
        let ran = place.run(&["evaluate", name.to_str().unwrap()]);
        assert_eq!(ran.code, 1, "damage {place_of_damage} went unnoticed: {}{}", ran.stdout, ran.stderr);
        let first = ran.stderr.lines().next().unwrap();
        assert!(first.starts_with("error: ") && first.contains("model.bpk"), "{}", ran.stderr);
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    }
    for length in [0, 1, 7, 100, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        let ran = place.run(&["evaluate", folder.to_str().unwrap()]);
        assert_eq!(ran.code, 1, "{length} bytes: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.starts_with("error: cannot load `"), "{length} bytes: {}", ran.stderr);
    }
    fs::remove_file(&path).unwrap();
    let ran = place.run(&["evaluate", folder.to_str().unwrap()]);
    ran.assert_error(
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
    let (place, _, other) = train_small_run();
    let record = place.json(&[
        "train",
        "--data",
        "data",
        "--set",
        "training.num_epochs=1",
        "--set",
        "model.hidden=[12]",
    ]);
    let folder = place.run_folder(&record);
    fs::copy(place.path().join(other.join("model.bpk")), place.path().join(folder.join("model.bpk")))
        .unwrap();
    let ran = place.run(&["evaluate", folder.to_str().unwrap()]);
    ran.assert_error(
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
    let (place, _, older) = train_small_run();
    let newer = place.json(&["train", "--data", "data", "--set", "training.num_epochs=1"]);
    let newer = place.run_folder(&newer);
    let message = format!("`{}` is damaged: ", newer.join("run.json").display());
    place.write(newer.join("run.json").to_str().unwrap(), "{");
    let id = newer.file_name().unwrap().to_str().unwrap();
    for text in ["latest", id] {
        let ran = place.run(&["evaluate", text]);
        assert!(ran.code == 1 && ran.stderr.contains(&message), "{}", ran.stderr);
    }
    assert_eq!(place.run(&["evaluate", older.file_name().unwrap().to_str().unwrap()]).code, 0);
    // Folders that are no runs do not disturb.
    fs::remove_dir_all(place.path().join(&newer)).unwrap();
    fs::create_dir_all(place.path().join("artifacts/zzz/zzz")).unwrap();
    assert_eq!(place.run(&["evaluate", "latest"]).code, 0);
}

#[test]
fn a_file_that_no_digest_belongs_to_is_not_taken_for_weights() {
    let (place, _, folder) = train_small_run();
    fs::copy(place.path().join(folder.join("model.bpk")), place.path().join(folder.join("copy.bpk")))
        .unwrap();
    for name in ["checkpoint/epoch-3/optimizer.bpk", "copy.bpk"] {
        let ran = place.run(&["evaluate", folder.join(name).to_str().unwrap()]);
        assert_eq!(ran.code, 1, "{}", ran.stdout);
        assert!(
            ran.stderr.contains(&format!("{name}` is neither the weights of the run `")),
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn a_checkpoint_under_another_name_is_refused() {
    let (place, _, folder) = train_small_run();
    let checkpoints = place.path().join(folder).join("checkpoint");
    fs::rename(checkpoints.join("epoch-3"), checkpoints.join("epoch-4")).unwrap();
    let ran = place.run(&["evaluate", checkpoints.join("epoch-4").to_str().unwrap()]);
    assert!(ran.stderr.ends_with("/state.json` is damaged: it is of epoch-3\n"), "{}", ran.stderr);
}

#[test]
fn a_changed_data_set_is_noticed() {
    let (place, _, folder) = train_small_run();
    let run = folder.to_str().unwrap();
    let path = place.path().join("data/t10k-images-idx3-ubyte");
    let mut bytes = fs::read(&path).unwrap();
    bytes[16..16 + 78_400].fill(0);
    fs::write(&path, bytes).unwrap();
    let ran = place.run(&["evaluate", run]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("has changed: its digest is "), "{}", ran.stderr);
    assert!(ran.stderr.contains("hint: to evaluate on it as it is, say so: `--data "), "{}", ran.stderr);
    assert_eq!(place.json(&["evaluate", run, "--data", "data"])["num_images"], 200);
}

#[test]
fn a_saved_network_is_evaluated_on_the_backend_that_trained_it() {
    let place = TestDir::new();
    place.digits(1000, 200);
    let trained = place.json(&["--backend", "ndarray", "train", "--data", "data"]);
    let evaluated = place.json(&["evaluate", trained["run"].as_str().unwrap()]);
    assert_eq!(evaluated["loss"], trained["test_loss"]);
}

#[test]
fn a_run_without_held_out_images_says_so() {
    let place = TestDir::new();
    place.digits(300, 100);
    let record = place.json(&["train", "--data", "data", "--set", "training.num_epochs=1"]);
    let run = record["run"].as_str().unwrap();
    place.run(&["evaluate", run, "--split", "validation"]).assert_error(
        1,
        "there are no validation images: the run held none out\n\nhint: hold some out when training: `smallnet train \
         --set data.validation=10000`",
    );
}

#[test]
fn runs_lists_every_run() {
    let place = TestDir::new();
    assert_eq!(place.run(&["runs"]).stdout, "no runs in artifacts yet; next: smallnet train\n");
    place.digits(300, 100);
    for (name, backend) in [("first", "flex"), ("second", "ndarray")] {
        place.json(&["--backend", backend, "train", "--data", "data", "--name", name]);
    }
    // The list leaves out a folder that is no run, and names it in a warning.
    fs::create_dir_all(place.path().join("artifacts/second/stray")).unwrap();
    let ran = place.run(&["runs"]);
    assert_eq!(ran.code, 0);
    assert!(ran.stderr.starts_with("warning: left out: `artifacts/second/stray` is not a run folder"));
    let lines: Vec<Vec<&str>> = ran.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["experiment", "run", "(UTC)", "backend", "status", "accuracy", "parameters"]);
    assert_eq!((lines[1][0], lines[1][2], lines[1][3], lines[1][5]), ("first", "flex", "finished", "7,850"));
    assert_eq!(
        (lines[2][0], lines[2][2], lines[2][3], lines[2][5]),
        ("second", "ndarray", "finished", "7,850")
    );
    assert_eq!(lines.len(), 3);

    let records = place.json(&["runs"]);
    assert_eq!(records.as_array().unwrap().len(), 2);
    assert_eq!(records[1]["experiment"], "second");
    assert_eq!(records[1]["summary"]["num_parameters"], 7850);
}
