//! A clock that stands still: every epoch takes no time and has no number of images per second.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod common;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use common::runs::{run_folders, test_dir, train_with};
use common::{TestDir, wait_for_end};

/// Library that replaces the clock of the C library.
fn clock(dir: &TestDir) -> PathBuf {
    let source = dir.write(
        "clock.c",
        "#include <time.h>\nint clock_gettime(clockid_t id, struct timespec *t)\n{ (void)id; t->tv_sec = 1700000000; \
         t->tv_nsec = 0; return 0; }\n",
    );
    let library = dir.path().join("clock.so");
    // The C compiler that links Rust programs compiles it.
    let built = Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).status();
    assert!(built.unwrap().success());
    library
}

fn run_without_clock(dir: &TestDir, args: &[&str]) -> String {
    let mut command = dir.command(args);
    command.env("LD_PRELOAD", clock(dir)).stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = wait_for_end(command.spawn().unwrap());
    assert_eq!((output.code, output.unexpected_errors().as_str()), (0, ""), "{args:?}");
    for word in ["inf", "NaN"] {
        assert!(!output.stdout.split_whitespace().any(|printed| printed == word), "{}", output.stdout);
    }
    output.stdout
}

#[test]
fn a_run_can_be_read_again() {
    let dir = test_dir();
    let printed = run_without_clock(&dir, &train_with(&["training.num_epochs=2"]));
    assert!(!printed.contains("images/s"), "{printed}");
    let folder = run_folders(&dir).pop().unwrap();
    let run = folder.to_str().unwrap();
    let metrics = dir.read(folder.join("metrics.jsonl"));
    let has_no_rate = |line: &str| line.ends_with("\"seconds\":0.0,\"images_per_second\":null}");
    assert!(metrics.lines().all(has_no_rate), "{metrics}");
    run_without_clock(&dir, &["resume", run, "--epochs", "3"]);
    run_without_clock(&dir, &["report", run]);
    // The run resumes with a moving clock.
    let output = dir.run(&["resume", run, "--epochs", "4"]);
    assert_eq!((output.code, output.unexpected_errors().as_str()), (0, ""));
    assert_eq!(dir.run(&["report", run]).stderr, "");
    assert_eq!(dir.json(&["runs"])[0]["summary"]["num_epochs"], 4);
}

#[test]
fn a_study_can_be_read_again() {
    let dir = test_dir();
    dir.write("base.toml", "data.source = \"data\"\ntraining.num_epochs = 2\n");
    dir.write("s.toml", "base = \"base.toml\"\nfolds = 2\n[vary]\nmodel.hidden = [[], [64]]\n");
    run_without_clock(&dir, &["study", "s.toml"]);
    let trials = dir.read("artifacts/studies/s/trials.jsonl");
    assert_eq!(trials.lines().count(), 4);
    assert!(trials.contains("\"images_per_second\":null"), "{trials}");
    // Every trial and the best model are found again.
    let output = dir.run(&["study", "s.toml"]);
    assert_eq!((output.code, output.unexpected_errors().as_str()), (0, ""));
    assert_eq!(dir.read("artifacts/studies/s/trials.jsonl"), trials);
}
