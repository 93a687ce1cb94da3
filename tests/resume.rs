//! Resuming a training after every kind of stop.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::fs;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use common::runs::{result, run_folders, signal, start, start_endless, temp_files, test_dir, train_with};
use common::{CommandOutput, Rng, TestDir, wait_for_end};
use serde_json::Value;

/// Settings of a training with every kind of state: momentum, dropout, augmentation, a schedule, the best
/// epoch, checkpoints within an epoch, an average of the weights.
const SETTINGS: [&str; 13] = [
    "augmentation.rotation=5",
    "augmentation.elastic_alpha=5",
    "model.hidden=[12]",
    "model.dropout=0.3",
    "optimizer.kind=adam",
    "optimizer.learning_rate=0.005",
    "schedule.kind=cosine",
    "data.validation=100",
    "training.batch_size=60",
    "training.average=0.9",
    "training.mixup=0.5",
    "training.num_epochs=10",
    "checkpoint.every_steps=4",
];

/// Returns whether the run has finished. Only the page is written after the status, so a kill
/// between them finds the run finished.
fn has_finished(output: &CommandOutput) -> bool {
    let all_trained =
        output.stderr.contains("is finished: all of its ") && output.stderr.contains("are trained\n");
    output.code == 0 || all_trained
}

#[test]
fn killed_a_hundred_times_at_any_moment_it_ends_as_if_it_had_never_stopped() {
    let dir = test_dir();
    let train = train_with(&SETTINGS);
    let begun = Instant::now();
    assert_eq!(dir.run(&train).code, 0);
    let whole_time = begun.elapsed();
    let reference = result(&dir, &run_folders(&dir)[0]);
    fs::remove_dir_all(dir.path().join("artifacts")).unwrap();

    let mut rng = Rng::new(7);
    let (mut kills, mut ends) = (0, 0);
    while kills < 100 {
        // The run resumes. A new one starts if there is none.
        let going = run_folders(&dir).pop();
        let folder = going.as_ref().map(|folder| folder.to_str().unwrap().to_owned());
        let args = folder.as_ref().map_or(train.clone(), |folder| vec!["resume", folder]);
        let mut child = start(&dir, &args);
        sleep(whole_time.mul_f64(rng.next_f64()));
        let killed = child.try_wait().unwrap().is_none();
        if killed {
            child.kill().unwrap();
        }
        let output = wait_for_end(child);
        assert!(!output.stderr.contains("warning"), "a kill left damage: {}", output.stderr);
        kills += usize::from(killed);
        let is_finished = has_finished(&output);
        assert!(killed || is_finished, "{} {}", output.code, output.stderr);
        if is_finished {
            let folder = run_folders(&dir).pop().unwrap();
            assert_eq!(result(&dir, &folder), reference, "after {kills} kills");
            for folder in [&folder, &folder.join("checkpoint"), &dir.path().join("artifacts/n")] {
                assert!(temp_files(folder).is_empty(), "{:?}", temp_files(folder));
            }
            fs::remove_dir_all(dir.path().join("artifacts")).unwrap();
            ends += 1;
        }
    }
    assert!(ends > 5, "only {ends} runs came to their end");
}

#[test]
fn a_stop_saves_the_step_it_was_in_and_says_how_to_go_on() {
    let dir = test_dir();
    let whole = dir.json(&train_with(&[&SETTINGS[..11], &["training.num_epochs=60"]].concat()));
    let reference = result(&dir, &dir.run_folder(&whole));
    fs::remove_dir_all(dir.path().join("artifacts")).unwrap();
    for (name, code) in [("-INT", 130), ("-TERM", 143)] {
        let (child, folder) = start_endless(&dir, &SETTINGS[..5]);
        signal(&child, name);
        let output = wait_for_end(child);
        assert_eq!(output.code, code, "{}", output.stderr);
        let run = folder.strip_prefix(dir.path().canonicalize().unwrap()).unwrap_or(&folder);
        let run = run.strip_prefix(dir.path()).unwrap_or(run).to_str().unwrap();
        let lines: Vec<&str> = output.stdout.lines().rev().take(4).collect();
        let [saved, go_on, _, interrupted] = lines[..] else { panic!("{lines:?}") };
        assert!(interrupted.starts_with("interrupted in epoch "), "{interrupted}");
        assert_eq!(go_on, format!("resume: smallnet resume {run}"));
        assert!(saved.starts_with(&format!("saved in {run}")), "{saved}");
        assert_eq!(dir.json(&["runs"])[0]["status"], "interrupted");
        assert!(dir.read(folder.join("report.html")).contains("resumes it"));
        // The weights of the interrupted run can be evaluated.
        assert_eq!(dir.json(&["evaluate", run])["num_images"], 100);
        fs::remove_dir_all(dir.path().join("artifacts")).unwrap();
    }
    // The same training with a given end is stopped at random moments, five times per signal.
    let mut rng = Rng::new(3);
    let settings = [&SETTINGS[..11], &["training.num_epochs=60"]].concat();
    for _ in 0..5 {
        let mut args = train_with(&settings);
        let mut run = String::new();
        loop {
            let child = start(&dir, &args);
            sleep(Duration::from_millis((rng.next_f64() * 300.0) as u64));
            signal(&child, "-INT");
            if rng.next_f64() < 0.3 {
                signal(&child, "-INT");
            }
            let output = wait_for_end(child);
            assert!(!output.stderr.contains("warning"), "{}", output.stderr);
            if has_finished(&output) {
                break;
            }
            // Before the handler is installed, an interrupt ends the process, and there is no exit
            // code.
            assert!([130, -1].contains(&output.code), "{} {}", output.code, output.stderr);
            if let Some(folder) = run_folders(&dir).pop() {
                run = folder.to_str().unwrap().to_owned();
                args = vec!["resume", &run];
            }
        }
        let folder = run_folders(&dir).pop().unwrap();
        assert_eq!(temp_files(&folder), [""; 0].map(PathBuf::from));
        assert_eq!(result(&dir, &folder), reference);
        fs::remove_dir_all(dir.path().join("artifacts")).unwrap();
        drop(run);
    }
}

#[test]
fn a_second_signal_ends_at_once_and_leaves_nothing_half_written() {
    let dir = test_dir();
    let mut rng = Rng::new(5);
    for _ in 0..20 {
        let (child, folder) = start_endless(&dir, &["checkpoint.every_steps=1", "model.hidden=[64]"]);
        sleep(Duration::from_millis((rng.next_f64() * 10.0) as u64));
        signal(&child, "-INT");
        signal(&child, "-TERM");
        let output = wait_for_end(child);
        // The exit code is that of the first signal if the work stopped before the second one.
        assert!([130, 143].contains(&output.code), "{} {}", output.code, output.stderr);
        for folder in [&folder, &folder.join("checkpoint")] {
            assert!(temp_files(folder).is_empty(), "{:?}", temp_files(folder));
        }
        fs::remove_dir_all(dir.path().join("artifacts")).unwrap();
    }
}

#[test]
fn a_finished_run_is_trained_on() {
    let dir = test_dir();
    let settings = ["optimizer.momentum=0.9", "optimizer.learning_rate=0.05", "data.validation=100"];
    let with = |epochs| train_with(&[&settings[..], &[epochs]].concat());
    let long = dir.json(&with("training.num_epochs=7"));
    let short = dir.json(&with("training.num_epochs=3"));
    let run = short["run"].as_str().unwrap();
    dir.run(&["resume", run]).assert_error(
        1,
        &format!(
            "`{run}` is finished: all of its 3 epochs are trained\n\nhint: to train it on, say until when: `--epochs 6`"
        ),
    );
    dir.run(&["resume", run, "--epochs", "2"])
        .assert_error(2, &format!("`{run}` has been trained for 3 epochs already, and `--epochs` is 2"));
    let output = dir.run(&["resume", run, "--epochs", "7"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    assert!(output.stdout.starts_with(&format!("resuming {run} after epoch 3\n")), "{}", output.stdout);
    let (long, extended) = (dir.run_folder(&long), dir.run_folder(&short));
    assert_eq!(result(&dir, &extended), result(&dir, &long));
    // The records of the run say so.
    assert_eq!(dir.json(&["evaluate", run])["accuracy"], dir.json(&["runs"])[0]["summary"]["test_accuracy"]);
    let page = dir.read(extended.join("report.html"));
    assert!(page.contains("of 7 epochs trained") && page.contains(" after epoch 3</dd>"), "{page}");
    assert!(page.contains("config.toml --set training.num_epochs=7</pre>"), "the command that repeats it");
    assert!(dir.run(&["resume", run]).stderr.contains("all of its 7 epochs are trained"));
}

#[test]
fn a_stretched_cosine_is_said_to_be_one() {
    let dir = test_dir();
    let record = dir.json(&train_with(&["schedule.kind=cosine", "training.num_epochs=2"]));
    let output = dir.run(&["resume", record["run"].as_str().unwrap(), "--epochs", "4"]);
    assert_eq!(output.code, 0);
    assert!(
        output.stderr.starts_with("warning: the cosine schedule is stretched from 2 to 4 epochs"),
        "{}",
        output.stderr
    );
}

#[test]
fn a_run_that_stopped_early_has_no_more_epochs() {
    let dir = test_dir();
    let early = ["data.validation=100", "optimizer.learning_rate=10", "training.num_epochs=50"];
    let record =
        dir.json(&train_with(&[&early[..], &["training.early_stopping={patience=1, min_delta=1}"]].concat()));
    let epochs = dir.metrics(&record).len();
    let run = record["run"].as_str().unwrap();
    dir.run(&["resume", run, "--epochs", "60"]).assert_error(
        1,
        &format!(
            "`{run}` is finished: early stopping ended it after epoch {epochs} of 50\n\nhint: more epochs would not change \
             that; train again with another `training.early_stopping`"
        ),
    );
}

/// Makes a run in the state after a kill in its third epoch, without killing a process.
fn make_killed_run(dir: &TestDir) -> (PathBuf, (Value, Value, Vec<Value>)) {
    let record = dir.json(&train_with(&SETTINGS));
    let folder = dir.path().join(dir.run_folder(&record));
    let reference = result(dir, &folder);
    for name in ["summary.json", "evaluation.json", "model.bpk", "report.html"] {
        fs::remove_file(folder.join(name)).unwrap();
    }
    let info = dir.read(folder.join("run.json"));
    fs::write(folder.join("run.json"), info.replace("\"finished\"", "\"running\"")).unwrap();
    (folder, reference)
}

#[test]
fn damage_is_found_said_and_gone_behind() {
    let dir = test_dir();
    let (folder, reference) = make_killed_run(&dir);
    let run = folder.to_str().unwrap();
    assert_eq!(dir.json(&["runs"])[0]["status"], "killed");
    let checkpoints = || -> Vec<PathBuf> {
        let mut all: Vec<_> =
            fs::read_dir(folder.join("checkpoint")).unwrap().map(|entry| entry.unwrap().path()).collect();
        all.sort_by_key(|path| fs::metadata(path).unwrap().modified().unwrap());
        all
    };
    for name in ["model.bpk", "trained.bpk", "optimizer.bpk", "scheduler.bpk", "state.json", "SHA256SUMS"] {
        let newest = checkpoints().pop().unwrap().join(name);
        let mut bytes = fs::read(&newest).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x04;
        fs::write(&newest, bytes).unwrap();
        let output = dir.run(&["resume", run]);
        assert_eq!(output.code, 0, "{name}: {}", output.stderr);
        assert!(output.stderr.starts_with("warning: `"), "{name}: {}", output.stderr);
        assert!(output.stderr.contains("is damaged: its digest is "), "{name}: {}", output.stderr);
        assert!(
            output.stderr.ends_with("; going back to the checkpoint before it\n"),
            "{name}: {}",
            output.stderr
        );
        assert_eq!(result(&dir, &folder), reference, "{name}");
        let info = dir.read(folder.join("run.json"));
        fs::write(folder.join("run.json"), info.replace("\"finished\"", "\"running\"")).unwrap();
    }

    // A line of the metrics is missing, so the checkpoints after it are not used.
    let metrics = dir.read(folder.join("metrics.jsonl"));
    fs::write(folder.join("metrics.jsonl"), metrics.replace("\"epoch\":2,", "\"epoch\":!,")).unwrap();
    let output = dir.run(&["resume", run]);
    assert!(output.stderr.contains("`metrics.jsonl` has 1 whole epochs, and `"), "{}", output.stderr);
    assert!(
        output
            .stderr
            .contains("no checkpoint is left to resume from: the training starts again from its beginning")
    );
    assert_eq!(result(&dir, &folder), reference);
    assert_eq!(temp_files(&folder.join("checkpoint")), [""; 0].map(PathBuf::from));
}

#[test]
fn what_does_not_go_together_is_refused() {
    let dir = test_dir();
    let (folder, _) = make_killed_run(&dir);
    let run = folder.to_str().unwrap();
    let images = dir.path().join("data/train-images-idx3-ubyte");
    let before = fs::read(&images).unwrap();
    let mut changed = before.clone();
    changed[5000] ^= 1;
    fs::write(&images, changed).unwrap();
    let output = dir.run(&["resume", run]);
    assert_eq!(output.code, 1);
    assert!(output.stderr.contains("has changed: its digest is "), "{}", output.stderr);
    fs::write(&images, before).unwrap();

    let info = dir.read(folder.join("run.json"));
    fs::write(folder.join("run.json"), info.replace("\"format\": 3", "\"format\": 4")).unwrap();
    for command in ["resume", "evaluate", "report"] {
        dir.run(&[command, run]).assert_error(
            1,
            &format!(
                "`{run}/run.json` has format 4, and this smallnet reads formats up to 3\n\nhint: a newer smallnet wrote it: \
                 use that one"
            ),
        );
    }
    fs::write(folder.join("run.json"), info.replace("\"format\": 3", "\"format\": 1")).unwrap();
    let output = dir.run(&["resume", run]);
    assert!(output.stderr.contains("which saved too little to resume from"), "{}", output.stderr);
    assert_eq!(dir.run(&["resume", "nothing"]).code, 1);
}

#[test]
fn a_run_is_trained_by_one_process_at_a_time() {
    let dir = test_dir();
    let (mut child, folder) = start_endless(&dir, &[]);
    let run = folder.to_str().unwrap();
    assert_eq!(dir.json(&["runs"])[0]["status"], "running");
    dir.run(&["resume", run]).assert_error(
        1,
        &format!(
            "`{run}` is in use: another process is training it\n\nhint: wait for it, or stop it with Ctrl-C; what it has \
             reached is saved"
        ),
    );
    child.kill().unwrap();
    wait_for_end(child);
    assert_eq!(dir.json(&["runs"])[0]["status"], "killed");
    assert!(dir.run(&["report", run]).stderr.is_empty());
    assert!(dir.read(folder.join("report.html")).contains("This run was killed."));
    let done = dir.read(folder.join("metrics.jsonl")).lines().count();
    assert_eq!(dir.run(&["resume", run, "--epochs", &(done + 2).to_string()]).code, 0);
}

#[test]
fn runs_of_the_same_second_have_folders_of_their_own() {
    let dir = test_dir();
    let args = train_with(&["training.num_epochs=2"]);
    let children: Vec<_> = (0..6).map(|_| start(&dir, &args)).collect();
    let ends: Vec<_> = children.into_iter().map(wait_for_end).collect();
    assert!(ends.iter().all(|output| output.code == 0), "{}", ends[0].stderr);
    let folders = run_folders(&dir);
    assert_eq!(folders.len(), 6);
    let reference = result(&dir, &folders[0]);
    assert!(folders.iter().all(|folder| result(&dir, folder) == reference));
    assert!(temp_files(&dir.path().join("artifacts/n")).is_empty());
}

/// Settings with all that another backend must take over: Adam's moments, dropout's random numbers, a
/// schedule and the best epoch.
const SHORT: [&str; 8] = [
    "model.hidden=[12]",
    "model.dropout=0.3",
    "optimizer.kind=adam",
    "optimizer.learning_rate=0.005",
    "schedule.kind=step",
    "data.validation=100",
    "training.batch_size=60",
    "checkpoint.every_steps=4",
];

/// Losses may differ by so much, and were seen to differ by 2e-8. Other random numbers made a difference
/// of 0.004, and an optimizer without its state made one of 0.03.
const ROUNDING: f64 = 1e-4;

fn info(dir: &TestDir, folder: &std::path::Path) -> Value {
    serde_json::from_str(&dir.read(folder.join("run.json"))).unwrap()
}

#[test]
fn a_run_resumes_on_another_backend_with_all_its_state_and_says_so() {
    let dir = test_dir();
    let train = |epochs: &str| dir.json(&train_with(&[&SHORT[..], &[epochs]].concat()));
    let whole = train("training.num_epochs=5");
    let part = train("training.num_epochs=2");
    let (folder, run) = (dir.run_folder(&part), part["run"].as_str().unwrap());
    let output = dir.run(&["resume", run, "--epochs", "4", "--backend", "ndarray"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert_eq!(
        output.stderr,
        "warning: the run was trained on flex and resumes on ndarray, which rounds differently: it will end with the same \
         up to rounding, not to the last digit; `run.json` records this\n"
    );
    assert!(output.stdout.contains("on CPU (ndarray), engine autodiff\n"), "{}", output.stdout);
    let changed = info(&dir, &folder);
    assert_eq!(
        [&changed["backend"], &changed["engine"], &changed["adapter"]],
        ["ndarray", "autodiff", "CPU (ndarray)"]
    );
    let event = &changed["resumed"][0];
    assert_eq!([&event["backend"], &event["backend_before"]], ["ndarray", "flex"]);
    assert_eq!((&event["inexact"], &event["from"]["epochs"]), (&true.into(), &2.into()));

    // The run has the new backend now: it resumes there without a word, and is evaluated there.
    let output = dir.run(&["resume", run, "--epochs", "5"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    assert!(info(&dir, &folder)["resumed"][1].get("inexact").is_none());
    assert!(dir.run(&["evaluate", run]).stdout.contains("model.bpk on CPU (ndarray)\n"));
    let page = dir.read(folder.join("report.html"));
    for words in [
        "This run was resumed on another backend: it was trained on flex, then ndarray.",
        "after epoch 2, on ndarray instead of flex",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains("gives the same weights to the last bit"));
    let compared = dir.json(&["compare", run, whole["run"].as_str().unwrap()]);
    let backends =
        compared["differences"].as_array().unwrap().iter().find(|row| row["key"] == "backend").unwrap();
    assert_eq!(backends["values"], serde_json::json!(["flex, then ndarray", "flex"]));

    assert_ne!(info(&dir, &folder)["weights_sha256"], whole["weights_sha256"]);
    let resumed: Value = serde_json::from_str(&dir.read(folder.join("summary.json"))).unwrap();
    for (one, other) in dir.metrics(&part).iter().zip(dir.metrics(&whole)) {
        for key in ["train_loss", "validation_loss", "learning_rate"] {
            let [one, other] = [one, &other].map(|epoch| epoch[key].as_f64().unwrap());
            assert!((one - other).abs() < ROUNDING, "{key}: {one}, {other}");
        }
    }
    let [one, other] = [&resumed, &whole].map(|summary| summary["test_loss"].as_f64().unwrap());
    assert!((one - other).abs() < ROUNDING, "{one}, {other}");
}

#[test]
fn a_run_without_a_checkpoint_starts_again_exactly_on_another_backend() {
    let dir = test_dir();
    let (folder, _) = make_killed_run(&dir);
    let run = folder.to_str().unwrap();
    fs::remove_dir_all(folder.join("checkpoint")).unwrap();
    let output = dir.run(&["resume", run, "--backend", "ndarray"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    assert_eq!(info(&dir, &folder)["resumed"][0]["inexact"], false);
    let whole = dir.json(&[&["--backend", "ndarray"][..], &train_with(&SETTINGS)].concat());
    assert_eq!(info(&dir, &folder)["weights_sha256"], whole["weights_sha256"]);
    assert!(!dir.read(folder.join("report.html")).contains("resumed on another backend"));
}

/// A study takes no run for its own that was resumed on another backend.
#[test]
fn a_run_of_two_backends_is_not_the_best_model_of_a_study() {
    let dir = test_dir();
    dir.write(
        "s.toml",
        "folds = 2\n[set]\ntraining.num_epochs = 1\n[vary]\noptimizer.learning_rate = [0.1, 1.0]\n",
    );
    let study = || assert_eq!(dir.run(&["study", "s.toml", "--data", "data"]).code, 0);
    let runs = || -> Vec<PathBuf> {
        let entries = fs::read_dir(dir.path().join("artifacts/s-best")).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    study();
    study();
    let [run] = &runs()[..] else { panic!("{:?}", runs()) };
    let path = run.join("run.json");
    let event = "\"resumed\": [{\"at\": \"2026-01-01T00:00:00.000Z\", \"from\": {\"epochs\": 1, \"steps\": 0}, \
                 \"backend\": \"flex\", \"backend_before\": \"wgpu\", \"inexact\": true}],\n  \"backend\"";
    fs::write(&path, dir.read(&path).replacen("\"backend\"", event, 1)).unwrap();
    study();
    assert_eq!(runs().len(), 2);
}
