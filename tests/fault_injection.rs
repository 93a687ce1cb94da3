//! Faults around a training: a full disk, missing permissions, a missing folder, symbolic links and
//! numbers that are not finite.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use common::{CommandOutput, TestDir, wait_for_end};
use serde_json::Value;

const ENDLESS: [&str; 6] = ["train", "--data", "data", "--name", "n", "--set=training.num_epochs=100000"];

fn test_dir() -> TestDir {
    let dir = TestDir::new();
    dir.digits(300, 100);
    dir
}

/// Waits until a file or folder exists.
fn wait_for(path: &Path) {
    let start = Instant::now();
    while !path.exists() {
        assert!(start.elapsed() < Duration::from_secs(60), "{} did not appear", path.display());
        sleep(Duration::from_millis(2));
    }
}

/// Waits for the folder of the only run and returns it.
fn run_folder(dir: &TestDir) -> PathBuf {
    let runs = dir.path().join("artifacts/n");
    wait_for(&runs);
    let start = Instant::now();
    loop {
        assert!(start.elapsed() < Duration::from_secs(60), "no run");
        let visible = |path: &PathBuf| !path.file_name().unwrap().to_str().unwrap().starts_with('.');
        let found = fs::read_dir(&runs).unwrap().map(|entry| entry.unwrap().path()).find(visible);
        if let Some(folder) = found {
            return folder;
        }
        sleep(Duration::from_millis(2));
    }
}

fn spawn(mut command: Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Returns a command that runs smallnet in a shell after the commands `before`.
fn shell(dir: &TestDir, before: &str, args: &[&str]) -> Command {
    let mut command = Command::new("sh");
    let script = format!("{before} && exec \"$0\" \"$@\"");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_smallnet")]).args(args);
    command.current_dir(dir.path()).stdin(Stdio::null()).env_remove("CARGO");
    command
}

/// Asserts that a run has at least one checkpoint and that all of them are complete.
fn assert_checkpoints_are_complete(folder: &Path) {
    let entries = fs::read_dir(folder.join("checkpoint")).unwrap().map(|entry| entry.unwrap().path());
    let named: Vec<_> =
        entries.filter(|path| !path.file_name().unwrap().to_str().unwrap().starts_with('.')).collect();
    assert!(!named.is_empty());
    for path in named {
        let sums =
            Command::new("sha256sum").args(["--status", "-c", "SHA256SUMS"]).current_dir(&path).status();
        assert!(sums.unwrap().success(), "{}", path.display());
    }
}

/// Resumes `folder` to a given end and compares the result with that of an undisturbed training.
fn assert_resumes(dir: &TestDir, folder: &Path) {
    let done = dir.read(folder.join("metrics.jsonl")).lines().count();
    let epochs = format!("{}", done + 2);
    let resumed = dir.json(&["resume", folder.to_str().unwrap(), "--epochs", &epochs]);
    let setting = format!("training.num_epochs={epochs}");
    let whole = dir.json(&["train", "--data", "data", "--name", "whole", "--set", &setting]);
    assert_eq!(resumed["weights_sha256"], whole["weights_sha256"]);
    assert_eq!(dir.metrics(&resumed), dir.metrics(&whole));
}

/// Size limit in blocks of 512 bytes: more than a file of a checkpoint, and reached by
/// `metrics.jsonl` after about 250 epochs.
const FILE_SIZE_LIMIT: &str = "ulimit -f 128";

#[test]
fn a_file_that_may_not_grow_ends_the_run_with_one_message() {
    let dir = test_dir();
    let output = wait_for_end(spawn(shell(&dir, FILE_SIZE_LIMIT, &ENDLESS)));
    let folder = run_folder(&dir);
    let run = folder.strip_prefix(dir.path()).unwrap().display();
    output.assert_error(1, &format!("cannot write `{run}/metrics.jsonl`: File too large (os error 27)"));
    assert!(output.stdout.ends_with(&format!("what there is was saved in {run}\n")), "{}", output.stdout);
    let info: Value = serde_json::from_str(&dir.read(folder.join("run.json"))).unwrap();
    assert_eq!(info["status"], "failed");
    assert!(dir.read(folder.join("metrics.jsonl")).ends_with("}\n"), "no half of a line");
    assert_checkpoints_are_complete(&folder);
    assert_resumes(&dir, &folder);
}

/// Runs `args` with a disk of `size` mounted as the folder `artifacts`, and copies that folder to
/// `kept`. Returns none if this machine does not allow mounts.
fn run_on_disk(dir: &TestDir, size: &str, args: &[&str]) -> Option<CommandOutput> {
    fs::create_dir(dir.path().join("artifacts")).unwrap();
    let id = fs::metadata(dir.path()).unwrap().uid();
    let unshare = if id == 0 { "unshare --mount" } else { "unshare --map-root-user --mount" };
    let may_mount = Command::new("sh").args(["-c", &format!("{unshare} true")]).status();
    if !may_mount.is_ok_and(|status| status.success()) {
        eprintln!("passed over: this machine lets nobody mount");
        return None;
    }
    // The disk disappears with the process, so its files are copied first.
    let script = format!(
        "{unshare} sh -c 'mount -t tmpfs -o size={size} none artifacts && \"$0\" \"$@\"; code=$?; cp -r artifacts kept; \
         exit $code' \"$0\" \"$@\""
    );
    let mut command = Command::new("sh");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_smallnet")]).args(args).current_dir(dir.path());
    Some(wait_for_end(spawn(command)))
}

fn assert_no_space(output: &CommandOutput) {
    assert_eq!(output.code, 1, "{}", output.stderr);
    assert!(output.stderr.starts_with("error: cannot "), "{}", output.stderr);
    assert!(output.stderr.ends_with(": No space left on device (os error 28)\n"), "{}", output.stderr);
    assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
}

#[test]
fn a_full_disk_ends_the_run_with_one_message() {
    let dir = test_dir();
    let more = ["--set=model.hidden=[8]", "--set=checkpoint.every_steps=1"];
    let Some(output) = run_on_disk(&dir, "400k", &[&ENDLESS[..], &more].concat()) else { return };
    assert_no_space(&output);
    let run = fs::read_dir(dir.path().join("kept/n")).unwrap().next().unwrap().unwrap().path();
    assert_checkpoints_are_complete(&run);
}

#[test]
fn a_study_on_a_full_disk_has_failed() {
    // The disk grows: first there is no space for a trial, then none for the page, then none for
    // the run of the best model.
    let (mut failed, mut had_trials) = (0, 0);
    for size in ["8k", "16k", "24k", "32k", "64k", "128k"] {
        let dir = test_dir();
        dir.write(
            "s.toml",
            "folds = 2\n[set]\ntraining.num_epochs = 1\n[vary]\noptimizer.learning_rate = [0.1, 1.0]\n",
        );
        let Some(output) = run_on_disk(&dir, size, &["study", "s.toml", "--data", "data"]) else { return };
        let kept = |name: &str| dir.path().join("kept/studies/s").join(name);
        if output.code == 0 {
            assert!(
                kept("report.html").exists() && kept("results.json").exists(),
                "{size}: {}",
                output.stderr
            );
            assert!(dir.path().join("kept/s-best").exists());
            continue;
        }
        assert_eq!(output.code, 1, "{size}: {}", output.stderr);
        assert_eq!(output.stderr.matches("error: ").count(), 1, "{size}: {}", output.stderr);
        assert!(
            output.stderr.contains(": No space left on device (os error 28)\n"),
            "{size}: {}",
            output.stderr
        );
        failed += 1;
        had_trials += usize::from(fs::metadata(kept("trials.jsonl")).is_ok_and(|file| file.len() > 0));
    }
    assert!(failed >= 3 && had_trials >= 1, "{failed} failed, {had_trials} of them after the trials");
}

#[test]
fn files_are_readable_by_whom_the_umask_lets_read_them() {
    for (umask, file, folder) in [("077", 0o600, 0o700), ("022", 0o644, 0o755), ("007", 0o660, 0o770)] {
        let dir = test_dir();
        let args = ["train", "--data", "data", "--name", "n", "--set=training.num_epochs=1"];
        let output = wait_for_end(spawn(shell(&dir, &format!("umask {umask}"), &args)));
        assert_eq!(output.code, 0, "{}", output.stderr);
        let mut folders = vec![dir.path().join("artifacts")];
        while let Some(path) = folders.pop() {
            for entry in fs::read_dir(path).unwrap().map(|entry| entry.unwrap()) {
                let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
                let is_folder = entry.path().is_dir();
                assert_eq!(mode, if is_folder { folder } else { file }, "umask {umask}: {:?}", entry.path());
                folders.extend(is_folder.then(|| entry.path()));
            }
        }
    }
}

/// The limits begin below the size of the program and end at one that is enough.
#[cfg(target_os = "linux")]
#[test]
fn memory_that_cannot_be_had_ends_the_run_with_one_message() {
    let dir = test_dir();
    let own = fs::metadata(env!("CARGO_BIN_EXE_smallnet")).unwrap().len() / 1024;
    let (mut has_begun, mut refused, mut finished) = (false, 0, 0);
    for more in (0..30).map(|step| step * 12 * 1024) {
        let name = format!("--name=n{more}");
        let args = ["train", "--threads=2", "--data=data", &name, "--set=training.num_epochs=1"];
        let network = ["--set=model.hidden=[500]", "--set=optimizer.kind=\"adam\""];
        let before = format!("unset RUST_BACKTRACE; ulimit -v {}", own + more);
        let output = wait_for_end(spawn(shell(&dir, &before, &[&args[..], &network].concat())));
        // Below that limit, the system's loader ends the process.
        has_begun |= [0, 1].contains(&output.code);
        match output.code {
            _ if !has_begun => {}
            0 => finished += 1,
            1 => {
                // The output is one message of smallnet, or messages of the libraries, one per
                // thread.
                let count =
                    |start: &str| output.stderr.lines().filter(|line| line.starts_with(start)).count();
                let below = ["memory allocation of ", "fatal runtime error: ", "Fatal glibc error: "];
                let told = count("error: ");
                let is_told = told == 1 || told == 0 && below.iter().any(|start| count(start) > 0);
                assert!(is_told, "{more}: {}", output.stderr);
                refused += 1;
            }
            code => panic!("{more} kB: exit {code}, {}", output.stderr),
        }
    }
    assert!(refused > 3 && finished > 3, "{refused} refused, {finished} finished");
}

#[test]
fn a_folder_that_may_not_be_written_ends_the_run_with_one_message() {
    let dir = test_dir();
    let own = fs::metadata(dir.path()).unwrap().uid();
    let mut command = dir.command(&ENDLESS);
    if own == 0 {
        // Root may write everywhere. So another user runs the program, from a folder that this user
        // can read.
        let binary = dir.path().join("smallnet");
        fs::copy(env!("CARGO_BIN_EXE_smallnet"), &binary).unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
        command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(binary).args(ENDLESS);
        command.current_dir(dir.path()).stdin(Stdio::null());
    }
    let child = spawn(command);
    let folder = run_folder(&dir);
    let checkpoints = folder.join("checkpoint");
    wait_for(&checkpoints.join("epoch-2"));
    fs::set_permissions(&checkpoints, fs::Permissions::from_mode(0o555)).unwrap();
    let output = wait_for_end(child);
    fs::set_permissions(&checkpoints, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(output.code, 1, "{}", output.stderr);
    assert!(output.stderr.contains("/checkpoint/epoch-"), "{}", output.stderr);
    assert!(output.stderr.to_lowercase().contains("`: permission denied"), "{}", output.stderr);
    assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
    assert_checkpoints_are_complete(&folder);
    assert_resumes(&dir, &folder);
}

#[test]
fn a_folder_that_is_taken_away_ends_the_run_and_is_not_made_again() {
    // The moments differ. Most are in the middle of a checkpoint.
    for delay in 0..6 {
        let dir = test_dir();
        let child = spawn(dir.command(&ENDLESS));
        let folder = run_folder(&dir);
        wait_for(&folder.join("checkpoint/epoch-2"));
        sleep(Duration::from_millis(3 * delay));
        fs::rename(&folder, dir.path().join("elsewhere")).unwrap();
        let output = wait_for_end(child);
        assert_eq!(output.code, 1, "{}", output.stderr);
        assert!(output.stderr.starts_with("error: cannot "), "{}", output.stderr);
        assert!(output.stderr.contains("/checkpoint"), "{}", output.stderr);
        assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
        assert!(!folder.exists());
        assert_checkpoints_are_complete(&dir.path().join("elsewhere"));
        assert_resumes(&dir, &dir.path().join("elsewhere"));
    }
}

#[test]
fn links_in_a_run_folder_lead_nowhere() {
    let dir = test_dir();
    let record = dir.json(&["train", "--data", "data", "--set", "training.num_epochs=1"]);
    let run = record["run"].as_str().unwrap();
    let folder = dir.path().join(run);
    let outside = dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("file"), "untouched").unwrap();
    for (name, target) in [
        ("figures", outside.clone()),
        ("checkpoint", outside.clone()),
        ("metrics.jsonl", outside.join("file")),
        (".lock", outside.join("new")),
        ("model.bpk", outside.join("file")),
    ] {
        let path = folder.join(name);
        let aside = dir.path().join("aside");
        let was = path.exists();
        if was {
            fs::rename(&path, &aside).unwrap();
        }
        symlink(&target, &path).unwrap();
        for command in
            [&["evaluate", run][..], &["weights", run], &["report", run], &["resume", run, "--epochs", "3"]]
        {
            let output = dir.run(command);
            output.assert_error(
                1,
                &format!(
                    "`{run}/{name}` is a symbolic link, and smallnet stays inside of `{run}`\n\nhint: put the file or \
                     folder itself in its place"
                ),
            );
        }
        fs::remove_file(&path).unwrap();
        if was {
            fs::rename(&aside, &path).unwrap();
        }
    }
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
    assert_eq!(fs::read_to_string(outside.join("file")).unwrap(), "untouched");
}

#[test]
fn a_run_file_that_is_none_is_not_waited_for() {
    let dir = test_dir();
    let record = dir.json(&["train", "--data", "data", "--set", "training.num_epochs=1"]);
    let run = record["run"].as_str().unwrap();
    let path = dir.path().join(run).join("summary.json");
    fs::remove_file(&path).unwrap();
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    dir.run(&["report", run]).assert_error(1, &format!("`{run}/summary.json` is a pipe, expected a file"));
}

#[test]
fn a_foreign_run_cannot_ask_for_a_giant_network() {
    let dir = test_dir();
    let record = dir.json(&["train", "--data", "data", "--set", "training.num_epochs=1"]);
    let run = record["run"].as_str().unwrap();
    let path = dir.path().join(run).join("run.json");
    let info = fs::read_to_string(&path).unwrap();
    for height in ["4000000000", "18446744073709551615", "0"] {
        fs::write(&path, info.replace("\"height\": 28", &format!("\"height\": {height}"))).unwrap();
        for command in ["weights", "evaluate", "report", "resume"] {
            dir.run(&[command, run]).assert_error(
                1,
                &format!("`{run}/run.json` is damaged: no data set has images or classes like these"),
            );
        }
    }
    // smallnet's limit is a hundred million parameters, and this network would have more.
    fs::write(&path, info.replace("\"height\": 28", "\"height\": 2000000")).unwrap();
    let output = dir.run(&["weights", run]);
    assert!(output.stderr.contains("parameters, expected at most 100000000"), "{}", output.stderr);
}

#[test]
fn numbers_gone_wrong_leave_the_last_good_checkpoint() {
    let dir = test_dir();
    // Every step changes the sign of the weights and multiplies them by 1.5. They are infinite
    // after about 220 steps.
    let output = dir.run(&[
        "train",
        "--data",
        "data",
        "--name",
        "n",
        "--set=optimizer.weight_decay=2.5",
        "--set=training.batch_size=30",
        "--set=training.num_epochs=100",
    ]);
    assert_eq!(output.code, 1, "{}", output.stdout);
    assert!(output.stderr.starts_with("error: training diverged: the loss is "), "{}", output.stderr);
    assert!(output.stderr.contains(" in epoch "), "{}", output.stderr);
    assert!(output.stderr.contains(", at learning rate 1\n"), "{}", output.stderr);
    let lower = "\n\nhint: lower `optimizer.learning_rate`, or set `training.clip_norm`\n";
    assert!(output.stderr.ends_with(lower), "{}", output.stderr);
    let folder = run_folder(&dir);
    assert_checkpoints_are_complete(&folder);
    let done = dir.read(folder.join("metrics.jsonl")).lines().count();
    let last = folder.join(format!("checkpoint/epoch-{done}"));
    assert_eq!(dir.run(&["evaluate", last.to_str().unwrap()]).code, 0);
    // The result is the same again, so nothing of the noise was kept.
    let again = dir.run(&["resume", folder.to_str().unwrap()]);
    assert_eq!((again.code, again.stderr), (1, output.stderr));
}

#[test]
fn a_weight_that_is_no_number_is_found_before_it_is_saved() {
    let dir = test_dir();
    let output = dir.run(&[
        "train",
        "--data",
        "data",
        "--name",
        "n",
        "--set=optimizer.weight_decay=1e9",
        "--set=optimizer.learning_rate=1e38",
        "--set=training.batch_size=300",
    ]);
    assert_eq!(output.code, 1, "{}", output.stdout);
    assert!(
        output.stderr.starts_with(
            "error: training diverged: a weight is no finite number in epoch 1, after step 1, at learning rate 1"
        ),
        "{}",
        output.stderr
    );
    assert!(!run_folder(&dir).join("checkpoint").exists());
}
