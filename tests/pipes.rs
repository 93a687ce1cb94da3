//! Pipes, folders and devices in the place of each file of a run, a checkpoint and a study: every
//! command refuses them, and none waits.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::fs;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{CommandOutput, TestDir, wait_for_end};

/// Runs a command, which must end by itself, and with a message if it fails.
fn run_to_end(dir: &TestDir, args: &[&str]) -> CommandOutput {
    let child = dir.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let output = wait_for_end(child);
    assert!([0, 1].contains(&output.code), "{args:?} did not end: exit {}, {}", output.code, output.stderr);
    assert!(output.code == 0 || output.stderr.starts_with("error: "), "{args:?}: {}", output.stderr);
    output
}

fn make_pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Returns all files below `folder`.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            found.extend(files_in(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Calls `check` while the object that `put` makes takes the place of the file at `path`.
fn with_replaced(path: &Path, put: impl Fn(&Path), check: impl FnOnce()) {
    let aside = path.with_extension("aside");
    fs::rename(path, &aside).unwrap();
    put(path);
    check();
    if path.is_dir() { fs::remove_dir(path) } else { fs::remove_file(path) }.unwrap();
    fs::rename(&aside, path).unwrap();
}

#[test]
fn a_pipe_for_a_file_of_a_run_is_refused_by_every_command() {
    let dir = TestDir::new();
    dir.digits(300, 100);
    let record = dir.json(&["train", "--data", "data", "--name", "n", "--set=training.num_epochs=2"]);
    let other = dir.json(&["train", "--data", "data", "--name", "other", "--set=training.num_epochs=1"]);
    let run = dir.run_folder(&record);
    let (name, other) = (run.to_str().unwrap(), other["run"].as_str().unwrap());
    let folder = dir.path().join(&run);
    let checkpoint = format!("{name}/checkpoint/epoch-2");
    let files = files_in(&folder);
    assert_eq!(files.len(), 8 + 2 * 5, "{files:?}");
    let commands = [
        &["evaluate", name][..],
        &["evaluate", &checkpoint],
        &["predict", name, "--index", "1"],
        &["weights", name],
        &["report", name],
        &["compare", other, name],
        &["resume", name, "--epochs", "3"],
        &["runs"],
    ];
    for file in files {
        let of_run = file.parent() == Some(&folder);
        let shown = run.join(file.strip_prefix(&folder).unwrap());
        for command in commands {
            // Each command runs on a copy, so that its effects, such as a new checkpoint, do not
            // reach the next one.
            let kept = dir.path().join("kept");
            assert!(Command::new("cp").arg("-a").arg(&folder).arg(&kept).status().unwrap().success());
            fs::remove_file(&file).unwrap();
            make_pipe(&file);
            let output = run_to_end(&dir, command);
            if of_run && command[0] != "runs" {
                // The message names the whole path of the checkpoint's file.
                let (start, end) =
                    (output.stderr.find(&format!("{}`", shown.display())), "` is a pipe, expected a file\n");
                assert!(
                    output.code == 1 && start.is_some() && output.stderr.ends_with(end),
                    "{command:?}: {}",
                    output.stderr
                );
            }
            // A checkpoint that is no longer needed is removed as a whole.
            let is_pipe = || fs::symlink_metadata(&file).unwrap().file_type().is_fifo();
            assert!(!of_run || is_pipe(), "{}", file.display());
            fs::remove_dir_all(&folder).unwrap();
            fs::rename(&kept, &folder).unwrap();
        }
    }
}

#[test]
fn a_pipe_for_a_file_of_a_study_is_refused() {
    let dir = TestDir::new();
    dir.digits(300, 100);
    let study = "name = \"s\"\nfolds = 2\n[set]\ntraining.num_epochs = 1\n[vary]\noptimizer.learning_rate = [0.1, 1.0]\n";
    dir.write("s.toml", study);
    let command = ["study", "s.toml", "--data", "data"];
    assert_eq!(dir.run(&command).code, 0);
    let folder = dir.path().join("artifacts/studies/s");
    let files = files_in(&folder);
    assert!(files.len() >= 7, "{files:?}");
    for file in files {
        with_replaced(&file, make_pipe, || {
            let name = file.file_name().unwrap().to_str().unwrap();
            let message = format!("`artifacts/studies/s/{name}` is a pipe, expected a file");
            run_to_end(&dir, &command).assert_error(1, &message);
            run_to_end(&dir, &["study", "s.toml", "--data", "data", "--dry-run"]);
            run_to_end(&dir, &["runs"]);
        });
    }
    // The study has been finished, as before.
    let output = dir.run(&command);
    assert!(
        output.code == 0 && output.stdout.contains("have been run already"),
        "{}{}",
        output.stdout,
        output.stderr
    );
}

#[test]
fn nothing_else_is_taken_for_a_file_either() {
    let dir = TestDir::new();
    dir.digits(300, 100);
    let record = dir.json(&["train", "--data", "data", "--name", "n", "--set=training.num_epochs=1"]);
    let run = dir.run_folder(&record);
    let name = run.to_str().unwrap();
    for file in [".lock", "metrics.jsonl", "summary.json"] {
        let refused = |output: CommandOutput, what: &str| {
            output.assert_error(1, &format!("`{name}/{file}` is {what}, expected a file"))
        };
        let resume = || run_to_end(&dir, &["resume", name, "--epochs", "2"]);
        let path = dir.path().join(&run).join(file);
        with_replaced(&path, |path| fs::create_dir(path).unwrap(), || refused(resume(), "a folder"));
        with_replaced(
            &path,
            |path| drop(UnixListener::bind(path).unwrap()),
            || refused(resume(), "a socket"),
        );
        with_replaced(
            &path,
            |path| symlink("/dev/zero", path).unwrap(),
            || {
                assert!(resume().stderr.contains("` is a symbolic link, and smallnet stays inside of `"));
            },
        );
    }
    for folder in ["checkpoint", "figures"] {
        let path = dir.path().join(&run).join(folder);
        let _ = fs::rename(&path, dir.path().join(folder));
        make_pipe(&path);
        run_to_end(&dir, &["weights", name])
            .assert_error(1, &format!("`{name}/{folder}` is a pipe, expected a folder"));
        fs::remove_file(&path).unwrap();
        let _ = fs::rename(dir.path().join(folder), &path);
    }
}

#[test]
fn a_pipe_that_a_user_names_is_refused_but_for_one_that_the_shell_connected() {
    let dir = TestDir::new();
    dir.digits(300, 100);
    dir.write("x.toml", "[training]\nnum_epochs = 1\n");
    let pipe = dir.path().join("pipe.png");
    make_pipe(&pipe);
    let record = dir.json(&["train", "--data", "data", "x.toml"]);
    let run = record["run"].as_str().unwrap();
    run_to_end(&dir, &["predict", run, "pipe.png"])
        .assert_error(1, "cannot read `pipe.png`: it is a pipe, expected a file");
    let output = run_to_end(&dir, &["train", "pipe.png"]);
    assert!(
        output.stderr.starts_with("error: cannot read the experiment file `pipe.png`: it is a pipe"),
        "{}",
        output.stderr
    );
    let mut shell = Command::new("sh");
    let script = "cat x.toml | \"$0\" summary /dev/stdin --data data";
    shell.args(["-c", script, env!("CARGO_BIN_EXE_smallnet")]).current_dir(dir.path());
    assert!(shell.output().unwrap().status.success());
}
