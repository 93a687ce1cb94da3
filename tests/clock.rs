//! A clock that stands still: every epoch takes no time and has no number of images per second.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod common;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use common::runs::{place, run_folders, train_with};
use common::{TestDir, wait_for_end};

/// Library that replaces the clock of the C library.
fn clock(place: &TestDir) -> PathBuf {
    let source = place.write(
        "clock.c",
        "#include <time.h>\nint clock_gettime(clockid_t id, struct timespec *t)\n{ (void)id; t->tv_sec = 1700000000; \
         t->tv_nsec = 0; return 0; }\n",
    );
    let library = place.path().join("clock.so");
    // The C compiler that links Rust programs compiles it.
    let built = Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).status();
    assert!(built.unwrap().success());
    library
}

fn run_without_clock(place: &TestDir, args: &[&str]) -> String {
    let mut command = place.command(args);
    command.env("LD_PRELOAD", clock(place)).stdout(Stdio::piped()).stderr(Stdio::piped());
    let ran = wait_for_end(command.spawn().unwrap());
    assert_eq!((ran.code, ran.unexpected_errors().as_str()), (0, ""), "{args:?}");
    for word in ["inf", "NaN"] {
        assert!(!ran.stdout.split_whitespace().any(|printed| printed == word), "{}", ran.stdout);
    }
    ran.stdout
}

#[test]
fn a_run_can_be_read_again() {
    let place = place();
    let printed = run_without_clock(&place, &train_with(&["training.num_epochs=2"]));
    assert!(!printed.contains("images/s"), "{printed}");
    let folder = run_folders(&place).pop().unwrap();
    let run = folder.to_str().unwrap();
    let metrics = place.read(folder.join("metrics.jsonl"));
    let has_no_rate = |line: &str| line.ends_with("\"seconds\":0.0,\"images_per_second\":null}");
    assert!(metrics.lines().all(has_no_rate), "{metrics}");
    run_without_clock(&place, &["resume", run, "--epochs", "3"]);
    run_without_clock(&place, &["report", run]);
    // The run resumes with a moving clock.
    let ran = place.run(&["resume", run, "--epochs", "4"]);
    assert_eq!((ran.code, ran.unexpected_errors().as_str()), (0, ""));
    assert_eq!(place.run(&["report", run]).stderr, "");
    assert_eq!(place.json(&["runs"])[0]["summary"]["num_epochs"], 4);
}

#[test]
fn a_study_can_be_read_again() {
    let place = place();
    place.write("base.toml", "data.source = \"data\"\ntraining.num_epochs = 2\n");
    place.write("s.toml", "base = \"base.toml\"\nfolds = 2\n[vary]\nmodel.hidden = [[], [64]]\n");
    run_without_clock(&place, &["study", "s.toml"]);
    let trials = place.read("artifacts/studies/s/trials.jsonl");
    assert_eq!(trials.lines().count(), 4);
    assert!(trials.contains("\"images_per_second\":null"), "{trials}");
    // Every trial and the best model are found again.
    let ran = place.run(&["study", "s.toml"]);
    assert_eq!((ran.code, ran.unexpected_errors().as_str()), (0, ""));
    assert_eq!(place.read("artifacts/studies/s/trials.jsonl"), trials);
}
