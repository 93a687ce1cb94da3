//! Consistency of a run folder: weights, digest, test, page, metrics and checkpoints belong
//! together at every moment.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use common::runs::{result, signal, start, start_endless, test_dir, train_with};
use common::{TestDir, wait_for_end};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Settings of a training with every kind of state, and with epochs of 300 steps, so that a signal
/// comes within an epoch.
const SETTINGS: [&str; 6] = [
    "model.hidden=[12]",
    "model.dropout=0.3",
    "optimizer.kind=adam",
    "data.validation=100",
    "training.batch_size=2",
    "training.early_stopping={patience=1000}",
];

fn json(dir: &TestDir, path: impl AsRef<Path>) -> Value {
    serde_json::from_str(&dir.read(path)).unwrap()
}

/// Returns the summary of a run without its times.
fn summary(dir: &TestDir, folder: &Path) -> Value {
    let mut summary = json(dir, folder.join("summary.json"));
    summary.as_object_mut().unwrap().remove("seconds_per_epoch");
    summary
}

/// Starts an endless training and stops it within an epoch. Returns its folder and the number of
/// finished epochs.
fn stopped_within_an_epoch(dir: &TestDir, settings: &[&str]) -> (PathBuf, usize) {
    loop {
        let (child, folder) = start_endless(dir, settings);
        signal(&child, "-INT");
        assert_eq!(wait_for_end(child).code, 130);
        let epochs = dir.read(folder.join("metrics.jsonl")).lines().count();
        let is_within = |name: &str| name.starts_with(&format!("epoch-{epochs}-step-"));
        let checkpoints = fs::read_dir(folder.join("checkpoint")).unwrap();
        if checkpoints.map(|entry| entry.unwrap().file_name()).any(|name| is_within(name.to_str().unwrap())) {
            return (folder, epochs);
        }
        fs::remove_dir_all(dir.path().join("artifacts")).unwrap();
    }
}

/// Stops a training as above, then resumes and kills it.
fn killed_after_resume(dir: &TestDir) -> PathBuf {
    let (folder, epochs) = stopped_within_an_epoch(dir, &SETTINGS);
    assert_eq!(dir.run(&["evaluate", folder.to_str().unwrap()]).code, 0);
    // An earlier version would have left these files in the folder.
    let kept = dir.path().join("kept");
    fs::create_dir_all(&kept).unwrap();
    for name in ["model.bpk", "evaluation.json", "report.html"] {
        fs::copy(folder.join(name), kept.join(name)).unwrap();
    }
    let mut child = start(dir, &["resume", folder.to_str().unwrap()]);
    let begun = Instant::now();
    while !folder.join(format!("checkpoint/epoch-{}", epochs + 2)).exists() {
        assert!(begun.elapsed() < Duration::from_secs(60), "no further epoch");
        sleep(Duration::from_millis(2));
    }
    // A run in training has no result, either.
    let output = dir.run(&["evaluate", folder.to_str().unwrap()]);
    assert!(output.stderr.contains(" has no trained weights: it is being trained\n"), "{}", output.stderr);
    child.kill().unwrap();
    wait_for_end(child);
    folder
}

fn train_undisturbed(dir: &TestDir, settings: &[&str], epochs: usize) -> PathBuf {
    let epochs = format!("training.num_epochs={epochs}");
    let record = dir.json(&train_with(&[settings, &[&epochs]].concat()));
    dir.path().join(dir.run_folder(&record))
}

#[test]
fn a_run_stopped_within_an_epoch_goes_back_to_the_end_of_the_one_before() {
    let dir = test_dir();
    let (folder, epochs) = stopped_within_an_epoch(&dir, &SETTINGS);
    let run = folder.to_str().unwrap();
    let output = dir.run(&["resume", run, "--epochs", &epochs.to_string()]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let expected = format!(" of epoch {}, and goes back to the end of epoch {epochs}\n", epochs + 1);
    assert!(
        output.stderr.starts_with(&format!("warning: `{run}` has been trained to step ")),
        "{}",
        output.stderr
    );
    assert!(output.stderr.ends_with(&expected), "{}", output.stderr);
    assert!(
        output.stdout.starts_with(&format!("resuming {run} after epoch {epochs}\n")),
        "{}",
        output.stdout
    );
    let whole = train_undisturbed(&dir, &SETTINGS, epochs);
    assert_eq!(result(&dir, &folder), result(&dir, &whole));
    assert_eq!(summary(&dir, &folder), summary(&dir, &whole));
    let page = dir.read(folder.join("report.html"));
    assert!(page.contains(&format!("<b>{epochs}</b>")) || page.contains(&format!("of {epochs} epochs")));
    assert!(!page.contains("This run was interrupted"));
    assert_eq!(dir.json(&["evaluate", run])["accuracy"], summary(&dir, &whole)["test_accuracy"]);
    // It can be resumed like any other run.
    assert_eq!(dir.run(&["resume", run, "--epochs", &(epochs + 2).to_string()]).code, 0);
    let whole = train_undisturbed(&dir, &SETTINGS, epochs + 2);
    assert_eq!(result(&dir, &folder), result(&dir, &whole));
    assert_eq!(summary(&dir, &folder), summary(&dir, &whole));
}

#[test]
fn the_end_of_an_epoch_stays_until_the_next_one_is_whole() {
    let dir = test_dir();
    let settings = [&SETTINGS[..], &["checkpoint.every_steps=10"]].concat();
    let (folder, epochs) = stopped_within_an_epoch(&dir, &settings);
    let run = folder.to_str().unwrap();
    assert_eq!(dir.run(&["resume", run, "--epochs", &epochs.to_string()]).code, 0);
    assert_eq!(result(&dir, &folder), result(&dir, &train_undisturbed(&dir, &SETTINGS, epochs)));
}

#[test]
fn an_end_that_has_no_checkpoint_is_refused() {
    let dir = test_dir();
    let (folder, epochs) = stopped_within_an_epoch(&dir, &SETTINGS);
    let run = folder.to_str().unwrap();
    // Earlier versions removed this checkpoint if there were checkpoints within the epoch.
    fs::remove_dir_all(folder.join(format!("checkpoint/epoch-{epochs}"))).unwrap();
    let before = dir.read(folder.join("run.json"));
    let output = dir.run(&["resume", run, "--epochs", &epochs.to_string()]);
    assert_eq!(output.code, 1);
    let expected = format!(
        " of epoch {}, and has no checkpoint of the end of epoch {epochs} any more\n\nhint: resume it to a later end: \
         `--epochs {}`\n",
        epochs + 1,
        epochs + 1
    );
    assert!(
        output.stderr.starts_with(&format!("error: `{run}` has been trained to step ")),
        "{}",
        output.stderr
    );
    assert!(output.stderr.ends_with(&expected), "{}", output.stderr);
    assert_eq!(dir.read(folder.join("run.json")), before);
    // The files of the run are still there.
    assert_eq!(dir.run(&["evaluate", run]).code, 0);
}

#[test]
fn weights_of_an_earlier_end_are_not_taken_for_the_runs() {
    let dir = test_dir();
    let folder = killed_after_resume(&dir);
    let run = folder.to_str().unwrap();
    assert_eq!(json(&dir, folder.join("run.json"))["weights_sha256"], Value::Null);
    for name in ["model.bpk", "evaluation.json", "summary.json", "report.html"] {
        assert!(!folder.join(name).exists(), "{name} is of the interruption");
    }
    // The result files are still there if the process was killed right after the start, or if an
    // earlier version resumed the run.
    for is_there in [false, true] {
        if is_there {
            for entry in fs::read_dir(dir.path().join("kept")).unwrap() {
                let path = entry.unwrap().path();
                fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
            }
        }
        for command in [&["evaluate", run][..], &["predict", run, "--index", "0"], &["weights", run]] {
            let output = dir.run(command);
            assert_eq!(output.code, 1, "{command:?}: {}", output.stdout);
            let expected = format!("error: `{run}` has no trained weights: it was killed\n\nhint: ");
            assert!(output.stderr.starts_with(&expected), "{}", output.stderr);
            // The weights of its last checkpoint match their digest.
            let checkpoint = output.stderr.trim_end().rsplit('`').nth(1).unwrap().to_owned();
            assert_eq!(dir.run(&["evaluate", &checkpoint]).code, 0, "{checkpoint}");
        }
        let own = folder.join("model.bpk");
        assert!(!is_there || dir.run(&["evaluate", own.to_str().unwrap()]).code == 1);
        let listed = dir.run(&["runs"]).stdout;
        let line: Vec<&str> = listed.lines().last().unwrap().split_whitespace().collect();
        assert_eq!(line[3..], ["killed"], "neither accuracy nor weights: {listed}");
        assert_eq!(dir.run(&["report", run]).stderr, "");
        let page = dir.read(folder.join("report.html"));
        assert!(page.contains("This run was killed.") && !page.contains("test accuracy"));
        assert!(!page.contains(">Weights<") && !page.contains("Confusion matrix"));
        fs::remove_file(folder.join("report.html")).unwrap();
    }
    // The resumed run ends like an undisturbed one.
    let epochs = dir.read(folder.join("metrics.jsonl")).lines().count() + 1;
    assert_eq!(dir.run(&["resume", run, "--epochs", &epochs.to_string()]).code, 0);
    assert_eq!(result(&dir, &folder), result(&dir, &train_undisturbed(&dir, &SETTINGS, epochs)));
}

/// Trains a run whose weights are those of an epoch before the last one.
fn train_with_early_best(dir: &TestDir) -> (PathBuf, u64) {
    let settings = [
        "model.hidden=[64]",
        "optimizer.kind=adam",
        "optimizer.learning_rate=0.01",
        "data.validation=100",
        "training.num_epochs=60",
        "training.early_stopping={patience=3}",
    ];
    let record = dir.json(&train_with(&settings));
    let best = record["best_epoch"].as_u64().unwrap();
    assert!(best > 1 && best < record["num_epochs"].as_u64().unwrap(), "{record}");
    (dir.path().join(dir.run_folder(&record)), best)
}

/// Changes a run folder to the state after a kill just before the end.
fn undo_end(dir: &TestDir, folder: &Path) {
    for name in ["summary.json", "evaluation.json", "model.bpk", "report.html"] {
        fs::remove_file(folder.join(name)).unwrap();
    }
    let mut info = json(dir, folder.join("run.json"));
    info["status"] = "running".into();
    info["weights_sha256"] = Value::Null;
    fs::write(folder.join("run.json"), info.to_string()).unwrap();
}

fn flip_byte(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x04;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_damaged_best_checkpoint_is_trained_again() {
    let dir = test_dir();
    let (folder, best) = train_with_early_best(&dir);
    let run = folder.to_str().unwrap();
    let (reference, expected) = (result(&dir, &folder), summary(&dir, &folder));
    undo_end(&dir, &folder);
    flip_byte(&folder.join(format!("checkpoint/epoch-{best}/model.bpk")));
    let output = dir.run(&["resume", run]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let warnings: Vec<&str> = output.stderr.lines().collect();
    let lost = format!(
        "; with it, the weights of the best epoch so far, {best}, are lost: going back to before that epoch, to train it again"
    );
    assert!(warnings[0].contains("model.bpk` is damaged: its digest is "), "{}", output.stderr);
    assert!(warnings[0].ends_with(&lost), "{}", output.stderr);
    assert_eq!(warnings.iter().filter(|line| line.contains("are lost")).count(), 1, "{}", output.stderr);
    assert_eq!(result(&dir, &folder), reference);
    assert_eq!(summary(&dir, &folder), expected);
}

#[test]
fn metrics_that_were_edited_decide_nothing() {
    let dir = test_dir();
    let (folder, best) = train_with_early_best(&dir);
    let run = folder.to_str().unwrap();
    let (reference, expected) = (result(&dir, &folder), summary(&dir, &folder));
    let metrics = dir.read(folder.join("metrics.jsonl"));
    let mut lines: Vec<Value> = metrics.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    lines[0]["validation_loss"] = 0.001.into();
    let mut edited = String::new();
    lines.iter().for_each(|line| writeln!(edited, "{line}").unwrap());

    // The digest in the checkpoint identifies the best model. The epochs after it are trained
    // again.
    undo_end(&dir, &folder);
    fs::write(folder.join("metrics.jsonl"), &edited).unwrap();
    let output = dir.run(&["resume", run]);
    assert!(output.stderr.contains("`metrics.jsonl` is not what it was when `"), "{}", output.stderr);
    assert_eq!(result(&dir, &folder), reference);
    assert_eq!(summary(&dir, &folder), expected);

    // Other line endings are no edit.
    undo_end(&dir, &folder);
    let text = dir.read(folder.join("metrics.jsonl")).replace('\n', "\r\n");
    fs::write(folder.join("metrics.jsonl"), text).unwrap();
    let output = dir.run(&["resume", run]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    assert_eq!(result(&dir, &folder), reference);

    // A run of an earlier version has no digest there, but its checkpoints name the best epoch.
    undo_end(&dir, &folder);
    for entry in fs::read_dir(folder.join("checkpoint")).unwrap() {
        make_first_format(&dir, &entry.unwrap().path());
    }
    let info = dir.read(folder.join("run.json")).replace("\"format\":3", "\"format\":2");
    fs::write(folder.join("run.json"), info).unwrap();
    fs::write(folder.join("metrics.jsonl"), &edited).unwrap();
    let output = dir.run(&["resume", run]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    assert_eq!(summary(&dir, &folder)["best_epoch"], best);
    assert_eq!(summary(&dir, &folder), expected);
    assert_eq!(json(&dir, folder.join("run.json"))["format"], 3);
}

/// Changes a checkpoint to the first format version.
fn make_first_format(dir: &TestDir, folder: &Path) {
    let mut state = json(dir, folder.join("state.json"));
    assert_eq!(state["format"], 2);
    assert!(state.as_object_mut().unwrap().remove("metrics_sha256").is_some());
    state["format"] = 1.into();
    fs::write(folder.join("state.json"), state.to_string()).unwrap();
    let mut sums = String::new();
    for name in ["model.bpk", "optimizer.bpk", "scheduler.bpk", "state.json"] {
        for byte in Sha256::digest(fs::read(folder.join(name)).unwrap()) {
            write!(sums, "{byte:02x}").unwrap();
        }
        writeln!(sums, "  {name}").unwrap();
    }
    fs::write(folder.join("SHA256SUMS"), sums).unwrap();
}

#[test]
fn a_test_of_other_weights_is_not_shown() {
    let dir = test_dir();
    let first = train_undisturbed(&dir, &SETTINGS, 2);
    let longer = train_undisturbed(&dir, &SETTINGS, 3);
    let run = first.to_str().unwrap();
    let own = dir.read(first.join("evaluation.json"));
    let is_shown = || {
        assert_eq!(dir.run(&["report", run]).code, 0);
        dir.read(first.join("report.html")).contains("Confusion matrix")
    };
    assert!(is_shown());
    // The digest is that of other weights, or is missing as in an earlier version.
    let other = dir.read(longer.join("evaluation.json"));
    let without_digest = |text: &str| {
        let mut test: Value = serde_json::from_str(text).unwrap();
        assert!(test.as_object_mut().unwrap().remove("weights_sha256").is_some());
        test.to_string()
    };
    for (text, shown) in [
        (other.clone(), false),
        (without_digest(&other), false),
        (without_digest(&own), true),
        (own.clone(), true),
    ] {
        fs::write(first.join("evaluation.json"), text).unwrap();
        assert_eq!(is_shown(), shown);
    }
    // `evaluate` writes it again.
    fs::write(first.join("evaluation.json"), other).unwrap();
    assert_eq!(dir.run(&["evaluate", run]).code, 0);
    assert_eq!(dir.read(first.join("evaluation.json")), own);
    assert!(dir.read(first.join("report.html")).contains("Confusion matrix"));
    // A summary of other weights is not shown, either.
    fs::copy(longer.join("summary.json"), first.join("summary.json")).unwrap();
    let listed = dir.json(&["runs"]);
    let of_first = listed.as_array().unwrap().iter().find(|listed| listed["num_epochs"].is_null()).unwrap();
    assert_eq!(of_first["summary"], Value::Null);
}

/// A long evaluation may end after its run was resumed.
#[test]
fn an_evaluation_beside_a_resume_leaves_nothing_of_the_weights_before() {
    let dir = test_dir();
    let mut rng = common::Rng::new(11);
    let mut epochs = 2;
    let whole = train_undisturbed(&dir, &["model.hidden=[256]"], epochs);
    let run = whole.to_str().unwrap();
    let (mut kept, mut left_alone) = (0, 0);
    for _ in 0..12 {
        fs::remove_file(whole.join("evaluation.json")).unwrap();
        let evaluation = start(&dir, &["evaluate", run]);
        sleep(Duration::from_millis((rng.next_f64() * 150.0) as u64));
        signal(&evaluation, "-STOP");
        epochs += 1;
        let resumed = dir.run(&["resume", run, "--epochs", &epochs.to_string()]);
        let is_trained = resumed.code == 0;
        // The process is stopped while it holds the lock of the run.
        assert!(is_trained || resumed.stderr.contains(" is in use: "), "{}", resumed.stderr);
        let own = dir.read(whole.join("report.html"));
        if is_trained {
            // An evaluation that starts now finds no test.
            fs::remove_file(whole.join("evaluation.json")).unwrap();
        }
        signal(&evaluation, "-CONT");
        let evaluated = wait_for_end(evaluation);
        assert!(!evaluated.stderr.contains("No such file"), "{}", evaluated.stderr);
        assert!(!evaluated.stderr.contains("is damaged"), "{}", evaluated.stderr);
        let digest = json(&dir, whole.join("run.json"))["weights_sha256"].clone();
        if whole.join("evaluation.json").exists() {
            assert_eq!(json(&dir, whole.join("evaluation.json"))["weights_sha256"], digest);
            kept += 1;
        } else {
            // The page has the contents of the folder: with the test that was there, or without
            // one.
            let page = dir.read(whole.join("report.html"));
            assert!(page == own || !page.contains("Confusion matrix"), "a page of other weights");
            left_alone += 1;
        }
        assert!(dir.read(whole.join("report.html")).contains(digest.as_str().unwrap()));
        assert_eq!(dir.run(&["evaluate", run]).code, 0);
    }
    eprintln!("kept {kept}, left alone {left_alone}");
    assert!(left_alone > 0, "no evaluation was late");
}

#[test]
fn a_file_that_another_process_is_writing_is_left_alone() {
    let dir = test_dir();
    let folder = train_undisturbed(&dir, &SETTINGS, 2);
    let writing = folder.join(".tmpAbcdef");
    // flock(1) holds the lock of the file until its command ends.
    let mut writer = Command::new("flock").arg(&writing).args(["sleep", "60"]).spawn().unwrap();
    while !writing.exists() {
        sleep(Duration::from_millis(2));
    }
    sleep(Duration::from_millis(100));
    fs::write(folder.join(".tmpGhijkl"), "of a killed process").unwrap();
    assert_eq!(dir.run(&["resume", folder.to_str().unwrap(), "--epochs", "3"]).code, 0);
    assert!(writing.exists() && !folder.join(".tmpGhijkl").exists());
    writer.kill().unwrap();
    writer.wait().unwrap();
}
