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

use common::runs::{place, result, signal, start, start_endless, train_with};
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

fn json(place: &TestDir, path: impl AsRef<Path>) -> Value {
    serde_json::from_str(&place.read(path)).unwrap()
}

/// Returns the summary of a run without its times.
fn summary(place: &TestDir, folder: &Path) -> Value {
    let mut summary = json(place, folder.join("summary.json"));
    summary.as_object_mut().unwrap().remove("seconds_per_epoch");
    summary
}

/// Starts an endless training and stops it within an epoch. Returns its folder and the number of
/// finished epochs.
fn stopped_within_an_epoch(place: &TestDir, settings: &[&str]) -> (PathBuf, usize) {
    loop {
        let (child, folder) = start_endless(place, settings);
        signal(&child, "-INT");
        assert_eq!(wait_for_end(child).code, 130);
        let epochs = place.read(folder.join("metrics.jsonl")).lines().count();
        let is_within = |name: &str| name.starts_with(&format!("epoch-{epochs}-step-"));
        let checkpoints = fs::read_dir(folder.join("checkpoint")).unwrap();
        if checkpoints.map(|entry| entry.unwrap().file_name()).any(|name| is_within(name.to_str().unwrap())) {
            return (folder, epochs);
        }
        fs::remove_dir_all(place.path().join("artifacts")).unwrap();
    }
}

/// Stops a training as above, then resumes and kills it.
fn killed_after_resume(place: &TestDir) -> PathBuf {
    let (folder, epochs) = stopped_within_an_epoch(place, &SETTINGS);
    assert_eq!(place.run(&["evaluate", folder.to_str().unwrap()]).code, 0);
    // An earlier version would have left these files in the folder.
    let kept = place.path().join("kept");
    fs::create_dir_all(&kept).unwrap();
    for name in ["model.bpk", "evaluation.json", "report.html"] {
        fs::copy(folder.join(name), kept.join(name)).unwrap();
    }
    let mut child = start(place, &["resume", folder.to_str().unwrap()]);
    let begun = Instant::now();
    while !folder.join(format!("checkpoint/epoch-{}", epochs + 2)).exists() {
        assert!(begun.elapsed() < Duration::from_secs(60), "no further epoch");
        sleep(Duration::from_millis(2));
    }
    // A run in training has no result, either.
    let ran = place.run(&["evaluate", folder.to_str().unwrap()]);
    assert!(ran.stderr.contains(" has no trained weights: it is being trained\n"), "{}", ran.stderr);
    child.kill().unwrap();
    wait_for_end(child);
    folder
}

fn train_undisturbed(place: &TestDir, settings: &[&str], epochs: usize) -> PathBuf {
    let epochs = format!("training.num_epochs={epochs}");
    let record = place.json(&train_with(&[settings, &[&epochs]].concat()));
    place.path().join(place.run_folder(&record))
}

#[test]
fn a_run_stopped_within_an_epoch_goes_back_to_the_end_of_the_one_before() {
    let place = place();
    let (folder, epochs) = stopped_within_an_epoch(&place, &SETTINGS);
    let run = folder.to_str().unwrap();
    let ran = place.run(&["resume", run, "--epochs", &epochs.to_string()]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let expected = format!(" of epoch {}, and goes back to the end of epoch {epochs}\n", epochs + 1);
    assert!(ran.stderr.starts_with(&format!("warning: `{run}` has been trained to step ")), "{}", ran.stderr);
    assert!(ran.stderr.ends_with(&expected), "{}", ran.stderr);
    assert!(ran.stdout.starts_with(&format!("resuming {run} after epoch {epochs}\n")), "{}", ran.stdout);
    let whole = train_undisturbed(&place, &SETTINGS, epochs);
    assert_eq!(result(&place, &folder), result(&place, &whole));
    assert_eq!(summary(&place, &folder), summary(&place, &whole));
    let page = place.read(folder.join("report.html"));
    assert!(page.contains(&format!("<b>{epochs}</b>")) || page.contains(&format!("of {epochs} epochs")));
    assert!(!page.contains("This run was interrupted"));
    assert_eq!(place.json(&["evaluate", run])["accuracy"], summary(&place, &whole)["test_accuracy"]);
    // It can be resumed like any other run.
    assert_eq!(place.run(&["resume", run, "--epochs", &(epochs + 2).to_string()]).code, 0);
    let whole = train_undisturbed(&place, &SETTINGS, epochs + 2);
    assert_eq!(result(&place, &folder), result(&place, &whole));
    assert_eq!(summary(&place, &folder), summary(&place, &whole));
}

#[test]
fn the_end_of_an_epoch_stays_until_the_next_one_is_whole() {
    let place = place();
    let settings = [&SETTINGS[..], &["checkpoint.every_steps=10"]].concat();
    let (folder, epochs) = stopped_within_an_epoch(&place, &settings);
    let run = folder.to_str().unwrap();
    assert_eq!(place.run(&["resume", run, "--epochs", &epochs.to_string()]).code, 0);
    assert_eq!(result(&place, &folder), result(&place, &train_undisturbed(&place, &SETTINGS, epochs)));
}

#[test]
fn an_end_that_has_no_checkpoint_is_refused() {
    let place = place();
    let (folder, epochs) = stopped_within_an_epoch(&place, &SETTINGS);
    let run = folder.to_str().unwrap();
    // Earlier versions removed this checkpoint if there were checkpoints within the epoch.
    fs::remove_dir_all(folder.join(format!("checkpoint/epoch-{epochs}"))).unwrap();
    let before = place.read(folder.join("run.json"));
    let ran = place.run(&["resume", run, "--epochs", &epochs.to_string()]);
    assert_eq!(ran.code, 1);
    let expected = format!(
        " of epoch {}, and has no checkpoint of the end of epoch {epochs} any more\n\nhint: resume it to a later end: \
         `--epochs {}`\n",
        epochs + 1,
        epochs + 1
    );
    assert!(ran.stderr.starts_with(&format!("error: `{run}` has been trained to step ")), "{}", ran.stderr);
    assert!(ran.stderr.ends_with(&expected), "{}", ran.stderr);
    assert_eq!(place.read(folder.join("run.json")), before);
    // The files of the run are still there.
    assert_eq!(place.run(&["evaluate", run]).code, 0);
}

#[test]
fn weights_of_an_earlier_end_are_not_taken_for_the_runs() {
    let place = place();
    let folder = killed_after_resume(&place);
    let run = folder.to_str().unwrap();
    assert_eq!(json(&place, folder.join("run.json"))["weights_sha256"], Value::Null);
    for name in ["model.bpk", "evaluation.json", "summary.json", "report.html"] {
        assert!(!folder.join(name).exists(), "{name} is of the interruption");
    }
    // The result files are still there if the process was killed right after the start, or if an
    // earlier version resumed the run.
    for is_there in [false, true] {
        if is_there {
            for entry in fs::read_dir(place.path().join("kept")).unwrap() {
                let path = entry.unwrap().path();
                fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
            }
        }
        for command in [&["evaluate", run][..], &["predict", run, "--index", "0"], &["weights", run]] {
            let ran = place.run(command);
            assert_eq!(ran.code, 1, "{command:?}: {}", ran.stdout);
            let expected = format!("error: `{run}` has no trained weights: it was killed\n\nhint: ");
            assert!(ran.stderr.starts_with(&expected), "{}", ran.stderr);
            // The weights of its last checkpoint match their digest.
            let checkpoint = ran.stderr.trim_end().rsplit('`').nth(1).unwrap().to_owned();
            assert_eq!(place.run(&["evaluate", &checkpoint]).code, 0, "{checkpoint}");
        }
        let own = folder.join("model.bpk");
        assert!(!is_there || place.run(&["evaluate", own.to_str().unwrap()]).code == 1);
        let listed = place.run(&["runs"]).stdout;
        let line: Vec<&str> = listed.lines().last().unwrap().split_whitespace().collect();
        assert_eq!(line[3..], ["killed"], "neither accuracy nor weights: {listed}");
        assert_eq!(place.run(&["report", run]).stderr, "");
        let page = place.read(folder.join("report.html"));
        assert!(page.contains("This run was killed.") && !page.contains("test accuracy"));
        assert!(!page.contains(">Weights<") && !page.contains("Confusion matrix"));
        fs::remove_file(folder.join("report.html")).unwrap();
    }
    // The resumed run ends like an undisturbed one.
    let epochs = place.read(folder.join("metrics.jsonl")).lines().count() + 1;
    assert_eq!(place.run(&["resume", run, "--epochs", &epochs.to_string()]).code, 0);
    assert_eq!(result(&place, &folder), result(&place, &train_undisturbed(&place, &SETTINGS, epochs)));
}

/// Trains a run whose weights are those of an epoch before the last one.
fn train_with_early_best(place: &TestDir) -> (PathBuf, u64) {
    let settings = [
        "model.hidden=[64]",
        "optimizer.kind=adam",
        "optimizer.learning_rate=0.01",
        "data.validation=100",
        "training.num_epochs=60",
        "training.early_stopping={patience=3}",
    ];
    let record = place.json(&train_with(&settings));
    let best = record["best_epoch"].as_u64().unwrap();
    assert!(best > 1 && best < record["num_epochs"].as_u64().unwrap(), "{record}");
    (place.path().join(place.run_folder(&record)), best)
}

/// Changes a run folder to the state after a kill just before the end.
fn undo_end(place: &TestDir, folder: &Path) {
    for name in ["summary.json", "evaluation.json", "model.bpk", "report.html"] {
        fs::remove_file(folder.join(name)).unwrap();
    }
    let mut info = json(place, folder.join("run.json"));
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
    let place = place();
    let (folder, best) = train_with_early_best(&place);
    let run = folder.to_str().unwrap();
    let (reference, expected) = (result(&place, &folder), summary(&place, &folder));
    undo_end(&place, &folder);
    flip_byte(&folder.join(format!("checkpoint/epoch-{best}/model.bpk")));
    let ran = place.run(&["resume", run]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let warnings: Vec<&str> = ran.stderr.lines().collect();
    let lost = format!(
        "; with it, the weights of the best epoch so far, {best}, are lost: going back to before that epoch, to train it again"
    );
    assert!(warnings[0].contains("model.bpk` is damaged: its digest is "), "{}", ran.stderr);
    assert!(warnings[0].ends_with(&lost), "{}", ran.stderr);
    assert_eq!(warnings.iter().filter(|line| line.contains("are lost")).count(), 1, "{}", ran.stderr);
    assert_eq!(result(&place, &folder), reference);
    assert_eq!(summary(&place, &folder), expected);
}

#[test]
fn metrics_that_were_edited_decide_nothing() {
    let place = place();
    let (folder, best) = train_with_early_best(&place);
    let run = folder.to_str().unwrap();
    let (reference, expected) = (result(&place, &folder), summary(&place, &folder));
    let metrics = place.read(folder.join("metrics.jsonl"));
    let mut lines: Vec<Value> = metrics.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    lines[0]["validation_loss"] = 0.001.into();
    let mut edited = String::new();
    lines.iter().for_each(|line| writeln!(edited, "{line}").unwrap());

    // The digest in the checkpoint identifies the best model. The epochs after it are trained
    // again.
    undo_end(&place, &folder);
    fs::write(folder.join("metrics.jsonl"), &edited).unwrap();
    let ran = place.run(&["resume", run]);
    assert!(ran.stderr.contains("`metrics.jsonl` is not what it was when `"), "{}", ran.stderr);
    assert_eq!(result(&place, &folder), reference);
    assert_eq!(summary(&place, &folder), expected);

    // Other line endings are no edit.
    undo_end(&place, &folder);
    let text = place.read(folder.join("metrics.jsonl")).replace('\n', "\r\n");
    fs::write(folder.join("metrics.jsonl"), text).unwrap();
    let ran = place.run(&["resume", run]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert_eq!(result(&place, &folder), reference);

    // A run of an earlier version has no digest there, but its checkpoints name the best epoch.
    undo_end(&place, &folder);
    for entry in fs::read_dir(folder.join("checkpoint")).unwrap() {
        make_first_format(&place, &entry.unwrap().path());
    }
    let info = place.read(folder.join("run.json")).replace("\"format\":3", "\"format\":2");
    fs::write(folder.join("run.json"), info).unwrap();
    fs::write(folder.join("metrics.jsonl"), &edited).unwrap();
    let ran = place.run(&["resume", run]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert_eq!(summary(&place, &folder)["best_epoch"], best);
    assert_eq!(summary(&place, &folder), expected);
    assert_eq!(json(&place, folder.join("run.json"))["format"], 3);
}

/// Changes a checkpoint to the first format version.
fn make_first_format(place: &TestDir, folder: &Path) {
    let mut state = json(place, folder.join("state.json"));
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
    let place = place();
    let first = train_undisturbed(&place, &SETTINGS, 2);
    let longer = train_undisturbed(&place, &SETTINGS, 3);
    let run = first.to_str().unwrap();
    let own = place.read(first.join("evaluation.json"));
    let is_shown = || {
        assert_eq!(place.run(&["report", run]).code, 0);
        place.read(first.join("report.html")).contains("Confusion matrix")
    };
    assert!(is_shown());
    // The digest is that of other weights, or is missing as in an earlier version.
    let other = place.read(longer.join("evaluation.json"));
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
    assert_eq!(place.run(&["evaluate", run]).code, 0);
    assert_eq!(place.read(first.join("evaluation.json")), own);
    assert!(place.read(first.join("report.html")).contains("Confusion matrix"));
    // A summary of other weights is not shown, either.
    fs::copy(longer.join("summary.json"), first.join("summary.json")).unwrap();
    let listed = place.json(&["runs"]);
    let of_first = listed.as_array().unwrap().iter().find(|listed| listed["num_epochs"].is_null()).unwrap();
    assert_eq!(of_first["summary"], Value::Null);
}

/// A long evaluation may end after its run was resumed.
#[test]
fn an_evaluation_beside_a_resume_leaves_nothing_of_the_weights_before() {
    let place = place();
    let mut rng = common::Rng::new(11);
    let mut epochs = 2;
    let whole = train_undisturbed(&place, &["model.hidden=[256]"], epochs);
    let run = whole.to_str().unwrap();
    let (mut kept, mut left_alone) = (0, 0);
    for _ in 0..12 {
        fs::remove_file(whole.join("evaluation.json")).unwrap();
        let evaluation = start(&place, &["evaluate", run]);
        sleep(Duration::from_millis((rng.next_f64() * 150.0) as u64));
        signal(&evaluation, "-STOP");
        epochs += 1;
        let resumed = place.run(&["resume", run, "--epochs", &epochs.to_string()]);
        let is_trained = resumed.code == 0;
        // The process is stopped while it holds the lock of the run.
        assert!(is_trained || resumed.stderr.contains(" is in use: "), "{}", resumed.stderr);
        let own = place.read(whole.join("report.html"));
        if is_trained {
            // An evaluation that starts now finds no test.
            fs::remove_file(whole.join("evaluation.json")).unwrap();
        }
        signal(&evaluation, "-CONT");
        let evaluated = wait_for_end(evaluation);
        assert!(!evaluated.stderr.contains("No such file"), "{}", evaluated.stderr);
        assert!(!evaluated.stderr.contains("is damaged"), "{}", evaluated.stderr);
        let digest = json(&place, whole.join("run.json"))["weights_sha256"].clone();
        if whole.join("evaluation.json").exists() {
            assert_eq!(json(&place, whole.join("evaluation.json"))["weights_sha256"], digest);
            kept += 1;
        } else {
            // The page has the contents of the folder: with the test that was there, or without
            // one.
            let page = place.read(whole.join("report.html"));
            assert!(page == own || !page.contains("Confusion matrix"), "a page of other weights");
            left_alone += 1;
        }
        assert!(place.read(whole.join("report.html")).contains(digest.as_str().unwrap()));
        assert_eq!(place.run(&["evaluate", run]).code, 0);
    }
    eprintln!("kept {kept}, left alone {left_alone}");
    assert!(left_alone > 0, "no evaluation was late");
}

#[test]
fn a_file_that_another_process_is_writing_is_left_alone() {
    let place = place();
    let folder = train_undisturbed(&place, &SETTINGS, 2);
    let writing = folder.join(".tmpAbcdef");
    // flock(1) holds the lock of the file until its command ends.
    let mut writer = Command::new("flock").arg(&writing).args(["sleep", "60"]).spawn().unwrap();
    while !writing.exists() {
        sleep(Duration::from_millis(2));
    }
    sleep(Duration::from_millis(100));
    fs::write(folder.join(".tmpGhijkl"), "of a killed process").unwrap();
    assert_eq!(place.run(&["resume", folder.to_str().unwrap(), "--epochs", "3"]).code, 0);
    assert!(writing.exists() && !folder.join(".tmpGhijkl").exists());
    writer.kill().unwrap();
    writer.wait().unwrap();
}
