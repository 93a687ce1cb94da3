//! `smallnet train`: results, repeatability and the run folder.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::{TestDir, number};
use serde_json::Value;

/// Keras and PyTorch give 0.911 to 0.925 for this network, depending on the seed.
#[test]
fn the_default_is_the_exercises_baseline() {
    let dir = TestDir::new();
    for seed in ["1", "2", "3", "4", "5"] {
        let record = dir.json(&["train", "--seed", seed]);
        let accuracy = number(&record, "test_accuracy");
        assert!((0.915..=0.926).contains(&accuracy), "seed {seed}: {accuracy}");
        assert_eq!(record["num_parameters"], 7850);
        assert_eq!(record["steps_per_epoch"], 469);
        assert_eq!(record["best_epoch"], 10);
        assert_eq!(record["status"], "finished");
    }
}

#[test]
fn no_command_trains_the_default() {
    let dir = TestDir::new();
    let output = dir.run(&[]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    let lines: Vec<_> = output.stdout.lines().collect();
    assert_eq!(lines.len(), 2 + 10 + 3, "{}", output.stdout);
    assert_eq!(lines[0], "softmax: 784 → 10, 7,850 parameters, on CPU (flex), engine cpu");
    assert_eq!(lines[1], "data: mnist, 60,000 training images");
    for (epoch, line) in (1..=10).zip(&lines[2..12]) {
        assert!(line.starts_with(&format!("epoch {epoch:>2}/10  loss 0.")), "{line}");
    }
    assert!(lines[12].starts_with("test accuracy 0.9"), "{}", lines[12]);
    assert!(lines[14].starts_with("saved in artifacts/softmax/"), "{}", lines[14]);
}

#[test]
fn two_hidden_layers_with_adam_reach_their_accuracy() {
    let dir = TestDir::new();
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/mlp.toml");
    let record = dir.json(&["train", config.to_str().unwrap()]);
    assert!(number(&record, "test_accuracy") >= 0.975, "{record}");
    assert_eq!(record["num_parameters"], 535_818);
}

/// Asserts that two runs have equal weights and metrics, to the last digit.
fn assert_same(dir: &TestDir, a: &Value, b: &Value) {
    assert_eq!(a["weights_sha256"], b["weights_sha256"]);
    assert_eq!(dir.metrics(a), dir.metrics(b));
    assert_eq!(a["test_loss"], b["test_loss"]);
    assert_ne!(a["run"], b["run"]);
}

#[test]
fn the_same_seed_gives_the_same_network_to_the_last_bit() {
    let dir = TestDir::new();
    dir.digits(1000, 200);
    for backend in ["flex", "ndarray"] {
        let train = |seed: &str| {
            let settings = [
                "--set=model.hidden=[32]",
                "--set=model.dropout=0.2",
                "--set=optimizer.kind=adam",
                "--set=optimizer.learning_rate=0.001",
                "--set=data.validation=100",
                "--set=training.num_epochs=2",
            ];
            let fixed = ["--backend", backend, "train", "--data", "data", "--seed", seed];
            dir.json(&[fixed.as_slice(), settings.as_slice()].concat())
        };
        let (first, second, other) = (train("7"), train("7"), train("8"));
        assert_same(&dir, &first, &second);
        assert_ne!(first["weights_sha256"], other["weights_sha256"]);
    }
}

#[test]
fn one_thread_gives_the_same_network_as_two() {
    let dir = TestDir::new();
    let train = |threads| dir.json(&["--threads", threads, "train", "--set", "training.num_epochs=1"]);
    assert_same(&dir, &train("1"), &train("2"));
}

#[test]
fn the_saved_experiment_repeats_the_run_exactly() {
    let dir = TestDir::new();
    dir.digits(1000, 200);
    let settings =
        ["--set", "model.hidden=[16]", "--set", "training.num_epochs=2", "--set", "schedule.kind=cosine"];
    let first = dir
        .json(&[["train", "--data", "data", "--name", "odd", "--seed", "99"].as_slice(), &settings].concat());
    let saved = dir.run_folder(&first).join("config.toml");
    // From another folder, the saved experiment still finds its data, whose path was relative.
    let elsewhere = TestDir::new();
    let artifacts = dir.path().join("artifacts");
    let second = elsewhere.json(&[
        "--artifacts",
        artifacts.to_str().unwrap(),
        "train",
        dir.path().join(&saved).to_str().unwrap(),
    ]);
    assert_same(&dir, &first, &second);
    assert!(second["run"].as_str().unwrap().contains("/artifacts/odd/"), "{second}");
    assert_eq!(dir.read(saved), dir.read(dir.run_folder(&second).join("config.toml")));
}

#[test]
fn a_run_folder_holds_what_its_page_says() {
    let dir = TestDir::new();
    dir.digits(600, 100);
    let record = dir.json(&[
        "train",
        "--data",
        "data",
        "--seed",
        "5",
        "--set",
        "data.validation=100",
        "--set",
        "training.num_epochs=3",
    ]);
    let folder = dir.path().join(dir.run_folder(&record));
    let mut names: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            ".lock",
            "checkpoint",
            "config.toml",
            "evaluation.json",
            "metrics.jsonl",
            "model.bpk",
            "report.html",
            "run.json",
            "summary.json"
        ]
    );

    let info: Value = serde_json::from_str(&dir.read(folder.join("run.json"))).unwrap();
    assert_eq!(info["status"], "finished");
    assert_eq!(info["backend"], "flex");
    assert_eq!(info["seed"], 5);
    assert_eq!(info["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(info["data"]["num_train"], 500);
    assert_eq!(info["data"]["num_validation"], 100);
    assert_eq!(info["data"]["sha256"].as_str().unwrap().len(), 64);
    assert!(info["ended"].as_str().unwrap() >= info["started"].as_str().unwrap());

    let epochs = dir.metrics(&record);
    assert_eq!(epochs.len(), 3);
    for (index, epoch) in epochs.iter().enumerate() {
        assert_eq!(epoch["epoch"], index + 1);
        assert_eq!(epoch["learning_rate"], 1.0);
        for key in ["train_loss", "train_accuracy", "validation_loss", "validation_accuracy"] {
            assert!(number(epoch, key) > 0.0);
        }
    }
    let lowest =
        epochs.iter().min_by(|a, b| number(a, "validation_loss").total_cmp(&number(b, "validation_loss")));
    assert_eq!(record["best_epoch"], lowest.unwrap()["epoch"]);

    let summary: Value = serde_json::from_str(&dir.read(folder.join("summary.json"))).unwrap();
    for key in [
        "test_accuracy",
        "test_loss",
        "num_parameters",
        "steps_per_epoch",
        "seconds_per_epoch",
        "best_epoch",
        "weights_sha256",
    ] {
        assert_eq!(summary[key], record[key], "{key}");
        assert!(!summary[key].is_null(), "{key}");
    }
    let mut kept = vec![summary["best_epoch"].as_u64().unwrap(), 2, 3];
    kept.sort_unstable();
    kept.dedup();
    assert_eq!(checkpoints(&folder), kept);
}

/// Returns the epochs of the checkpoints, each of which must be complete by `sha256sum`.
fn checkpoints(folder: &Path) -> Vec<u64> {
    let mut kept = Vec::new();
    for entry in fs::read_dir(folder.join("checkpoint")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        kept.push(name.strip_prefix("epoch-").unwrap().parse().unwrap());
        let sums =
            Command::new("sha256sum").args(["-c", "--strict", "SHA256SUMS"]).current_dir(&path).output();
        let checked = String::from_utf8(sums.unwrap().stdout).unwrap();
        assert_eq!(
            checked,
            "model.bpk: OK\noptimizer.bpk: OK\nscheduler.bpk: OK\nstate.json: OK\n",
            "{}",
            path.display()
        );
        assert_eq!(fs::read_dir(&path).unwrap().count(), 5);
    }
    kept.sort_unstable();
    kept
}

#[test]
fn without_validation_the_last_two_checkpoints_are_kept() {
    let dir = TestDir::new();
    dir.digits(300, 100);
    let record = dir.json(&["train", "--data", "data", "--seed", "4294967296"]);
    assert_eq!(checkpoints(&dir.path().join(dir.run_folder(&record))), [9, 10]);
    assert_eq!((&record["best_epoch"], &record["model_epoch"]), (&Value::from(10), &Value::from(10)));
}

#[test]
fn the_mean_training_loss_weighs_every_image_alike() {
    // At learning rate 1e-12 the weights do not change. So the training loss must be the loss over
    // all training images, although the last batch has 200 images in place of 400.
    let dir = TestDir::new();
    dir.digits(1000, 100);
    let record = dir.json(&[
        "train",
        "--data",
        "data",
        "--set",
        "optimizer.learning_rate=1e-12",
        "--set",
        "training.batch_size=400",
        "--set",
        "training.num_epochs=1",
    ]);
    let whole = dir.json(&["evaluate", record["run"].as_str().unwrap(), "--split", "train"]);
    let epoch = &dir.metrics(&record)[0];
    assert!((number(epoch, "train_loss") - number(&whole, "loss")).abs() < 1e-6, "{epoch} {whole}");
    assert!((number(epoch, "train_accuracy") - number(&whole, "accuracy")).abs() < 1e-12);
}

#[test]
fn early_stopping_stops_and_restores_the_best_epoch() {
    let dir = TestDir::new();
    dir.digits(400, 100);
    // There are far too many steps for 300 images, so the validation loss soon rises.
    let record = dir.json(&[
        "train",
        "--data",
        "data",
        "--set",
        "model.hidden=[64]",
        "--set",
        "optimizer.kind=adam",
        "--set",
        "optimizer.learning_rate=0.01",
        "--set",
        "data.validation=100",
        "--set",
        "training.num_epochs=60",
        "--set",
        "training.early_stopping={patience=3}",
    ]);
    let epochs = dir.metrics(&record);
    let best = record["best_epoch"].as_u64().unwrap() as usize;
    assert!(epochs.len() < 60, "did not stop");
    assert_eq!(epochs.len(), best + 3);
    assert_eq!(record["model_epoch"], record["best_epoch"]);
    assert_eq!(
        checkpoints(&dir.path().join(dir.run_folder(&record))),
        [best as u64, best as u64 + 2, best as u64 + 3]
    );
    let saved = dir.json(&["evaluate", record["run"].as_str().unwrap(), "--split", "validation"]);
    let expected = number(&epochs[best - 1], "validation_loss");
    assert!((number(&saved, "loss") - expected).abs() < 1e-6, "{saved}, expected {expected}");
}

#[test]
fn every_shipped_experiment_trains() {
    let dir = TestDir::new();
    dir.digits(6000, 100);
    let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs");
    let mut seen = 0;
    for entry in fs::read_dir(configs).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let settings = ["--data", "data", "--set", "training.num_epochs=1"];
            let record = dir.json(&[["train", path.to_str().unwrap()].as_slice(), &settings].concat());
            assert_eq!(record["status"], "finished");
            let name = path.file_stem().unwrap().to_str().unwrap();
            assert!(record["run"].as_str().unwrap().starts_with(&format!("artifacts/{name}/")), "{record}");
            seen += 1;
        }
    }
    assert!(seen >= 3, "{seen} experiments");
}

/// Returns the largest memory of a training of so many epochs of 1,000 steps, in kB.
#[cfg(target_os = "linux")]
fn peak_memory(dir: &TestDir, epochs: usize) -> u64 {
    let epochs = format!("training.num_epochs={epochs}");
    let args = ["--quiet", "train", "--data", "data", "--set", "training.batch_size=1", &epochs];
    let mut child = dir.command(&args).spawn().unwrap();
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(peak);
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert!(child.wait().unwrap().success());
    peak
}

/// Burn kept about 3 kB of every step: 87 MB here.
#[test]
#[cfg(target_os = "linux")]
fn the_memory_does_not_grow_with_the_steps() {
    let dir = TestDir::new();
    dir.digits(1000, 10);
    let (short, long) = (peak_memory(&dir, 1), peak_memory(&dir, 30));
    assert!(long < short + 16_000, "{short} kB after 1,000 steps, {long} kB after 30,000");
}

#[test]
fn quiet_prints_nothing_and_json_one_line() {
    let dir = TestDir::new();
    dir.digits(300, 100);
    let output = dir.run(&["--quiet", "train", "--data", "data"]);
    assert_eq!((output.code, output.stdout.as_str(), output.stderr.as_str()), (0, "", ""));
    let output = dir.run(&["--json", "train", "--data", "data"]);
    assert_eq!(output.stdout.lines().count(), 1, "{}", output.stdout);
    assert!(output.stderr.contains("epoch 10/10"), "{}", output.stderr);
}

#[test]
fn runs_of_the_same_second_get_folders_of_their_own() {
    let dir = TestDir::new();
    dir.digits(300, 100);
    let children: Vec<_> = (0..4)
        .map(|_| {
            dir.command(&["--quiet", "train", "--data", "data", "--set", "training.num_epochs=1"]).spawn()
        })
        .collect();
    for child in children {
        assert!(child.unwrap().wait().unwrap().success());
    }
    let folders = fs::read_dir(dir.path().join("artifacts/softmax")).unwrap().count();
    assert_eq!(folders, 4);
}
