//! Drives that know no locks, no permissions or no confirmation that files are saved: NFS, SMB, exFAT,
//! FUSE drives. A library in front of the C library answers as they do.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use common::runs::{run_folders, test_dir, train_with};
use common::{CommandOutput, TestDir, wait_for_end};

/// Replaces the functions that a drive may not know. Each fails with the error number in its
/// environment variable, if it is set.
const SHIM: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

static int fails(const char *name) {
    const char *code = getenv(name);
    errno = code ? atoi(code) : 0;
    return errno != 0;
}
static int is_folder(int file) {
    struct stat about;
    return fstat(file, &about) == 0 && S_ISDIR(about.st_mode);
}
#define REAL(name, type, ...) return ((int (*) type)dlsym(RTLD_NEXT, #name))(__VA_ARGS__)

int flock(int file, int how) {
    if (fails("LOCK")) return -1;
    REAL(flock, (int, int), file, how);
}
int fsync(int file) {
    if (fails(is_folder(file) ? "FOLDER_SYNC" : "FILE_SYNC")) return -1;
    REAL(fsync, (int), file);
}
int fdatasync(int file) {
    if (fails("FILE_SYNC")) return -1;
    REAL(fdatasync, (int), file);
}
int chmod(const char *path, mode_t mode) {
    if (fails("CHMOD")) return -1;
    REAL(chmod, (const char *, mode_t), path, mode);
}
int fchmod(int file, mode_t mode) {
    if (fails("CHMOD")) return -1;
    REAL(fchmod, (int, mode_t), file, mode);
}
int fchmodat(int folder, const char *path, mode_t mode, int flags) {
    if (fails("CHMOD")) return -1;
    REAL(fchmodat, (int, const char *, mode_t, int), folder, path, mode, flags);
}
"#;

const LOCKS: &str = "has no locks: do not train twice in one folder at the same time, because nothing stops the second \
                     process";
const SYNC: &str = "does not confirm that files are saved: after a power failure, its newest files may be missing or \
                    incomplete";

/// Settings of a training that learns all classes, so that no warning speaks of them.
const TWO_EPOCHS: [&str; 3] =
    ["training.num_epochs=2", "training.batch_size=20", "optimizer.learning_rate=0.2"];

/// A folder with digits, and a drive of which some functions fail.
struct Drive {
    dir: TestDir,
    library: PathBuf,
}

impl Drive {
    fn new() -> Self {
        let dir = test_dir();
        let (source, library) = (dir.write("drive.c", SHIM), dir.path().join("drive.so"));
        // The C compiler that links Rust programs compiles it.
        let built = Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).output();
        let built = built.unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        Self { dir, library }
    }

    /// Returns a command on a drive with these faults: names of functions and error numbers.
    fn command(&self, faults: &[(&str, i32)], args: &[&str]) -> Command {
        let mut command = self.dir.command(args);
        command.env("LD_PRELOAD", &self.library).stdout(Stdio::piped()).stderr(Stdio::piped());
        for (function, code) in faults {
            command.env(function, code.to_string());
        }
        command
    }

    fn run(&self, faults: &[(&str, i32)], args: &[&str]) -> CommandOutput {
        wait_for_end(self.command(faults, args).spawn().unwrap())
    }

    /// Trains for two epochs, and returns the run and what was printed.
    fn train(&self, faults: &[(&str, i32)]) -> (PathBuf, CommandOutput) {
        let output = self.run(faults, &train_with(&TWO_EPOCHS));
        assert_eq!(output.code, 0, "{}", output.stderr);
        (run_folders(&self.dir).pop().unwrap(), output)
    }

    fn digest(&self, run: &std::path::Path) -> String {
        let info: serde_json::Value = serde_json::from_str(&self.dir.read(run.join("run.json"))).unwrap();
        info["weights_sha256"].as_str().unwrap().to_owned()
    }
}

/// Asserts that the only message is one warning about a folder, with these words.
fn assert_one_warning(output: &CommandOutput, words: &str) {
    assert_eq!((output.code, output.stderr.lines().count()), (0, 1), "{}", output.stderr);
    assert!(output.stderr.starts_with("warning: the drive of `"), "{}", output.stderr);
    assert!(output.stderr.ends_with(&format!("` {words}\n")), "{}", output.stderr);
    let folder = output.stderr.split('`').nth(1).unwrap().split_once("artifacts").unwrap().1;
    assert!(!folder.contains(".tmp"), "a temporary folder means nothing to a user: {folder}");
}

#[test]
fn a_drive_without_locks_is_told_once_and_the_work_goes_on() {
    let drive = Drive::new();
    let (whole, output) = drive.train(&[]);
    assert_eq!(output.stderr, "");
    // The errors are ENOLCK, ENOSYS and EOPNOTSUPP.
    for code in [37, 38, 95] {
        let (run, output) = drive.train(&[("LOCK", code)]);
        assert_one_warning(&output, LOCKS);
        assert_eq!(drive.digest(&run), drive.digest(&whole));
    }
    let run = run_folders(&drive.dir).pop().unwrap();
    let run = run.to_str().unwrap();
    drive.dir.write(
        "s.toml",
        "folds = 2\n[set]\ntraining.num_epochs = 2\ntraining.batch_size = 20\n[vary]\noptimizer.learning_rate = [0.1, 0.2]\n",
    );
    for args in [&["resume", run, "--epochs", "3"][..], &["study", "s.toml", "--data", "data"]] {
        assert_one_warning(&drive.run(&[("LOCK", 37)], args), LOCKS);
    }
    // These commands do not train.
    for args in [&["evaluate", run][..], &["weights", run], &["report", run], &["runs"]] {
        let output = drive.run(&[("LOCK", 37)], args);
        assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{args:?}");
    }
    let json = drive.run(&[("LOCK", 37)], &[&["--json"][..], &train_with(&TWO_EPOCHS)].concat());
    assert!(json.stdout.starts_with('{') && json.stdout.lines().count() == 1, "{}", json.stdout);
}

#[test]
fn a_drive_that_does_not_confirm_is_told_once_and_the_work_goes_on() {
    let drive = Drive::new();
    let (whole, _) = drive.train(&[]);
    // The errors are EINVAL, ENOSYS and EOPNOTSUPP.
    for code in [22, 38, 95] {
        for functions in [&["FOLDER_SYNC"][..], &["FOLDER_SYNC", "FILE_SYNC"]] {
            let faults: Vec<_> = functions.iter().map(|function| (*function, code)).collect();
            let (run, output) = drive.train(&faults);
            assert_one_warning(&output, SYNC);
            assert_eq!(drive.digest(&run), drive.digest(&whole));
        }
    }
    let (_, output) = drive.train(&[("LOCK", 37), ("FOLDER_SYNC", 22), ("FILE_SYNC", 22)]);
    let both = format!(
        "has no locks and {}; {}",
        LOCKS.replace("has no locks:", "does not confirm that files are saved:"),
        SYNC.split_once(": ").unwrap().1
    );
    assert_one_warning(&output, &both);
}

#[test]
fn a_drive_without_permissions_needs_no_word() {
    let drive = Drive::new();
    // The errors are EPERM and EOPNOTSUPP.
    for code in [1, 95] {
        let (run, output) = drive.train(&[("CHMOD", code)]);
        let report = drive.run(&[("CHMOD", code)], &["report", run.to_str().unwrap()]);
        assert_eq!((output.stderr.as_str(), report.stderr.as_str()), ("", ""));
    }
}

/// A fault of a drive is never taken for a drive that lacks something.
#[test]
fn a_write_that_is_lost_is_an_error() {
    let drive = Drive::new();
    let train = train_with(&TWO_EPOCHS);
    // The errors are EIO, ENOSPC and EDQUOT.
    for (code, text) in
        [(5, "Input/output error"), (28, "No space left on device"), (122, "Disk quota exceeded")]
    {
        for function in ["FOLDER_SYNC", "FILE_SYNC"] {
            let output = drive.run(&[(function, code)], &train);
            assert_eq!((output.code, output.stderr.lines().count()), (1, 1), "{}", output.stderr);
            assert!(output.stderr.contains(&format!("`: {text} (os error {code})")), "{}", output.stderr);
        }
    }
    let output = drive.run(&[("LOCK", 5)], &train);
    assert_eq!(output.code, 1, "{}", output.stderr);
    assert!(output.stderr.contains("/.lock`: Input/output error (os error 5)"), "{}", output.stderr);
    assert!(run_folders(&drive.dir).is_empty());
}

/// Without locks, nothing tells whether a run's process was killed, or which files it still writes.
#[test]
fn a_killed_run_on_a_drive_without_locks_resumes_with_a_word() {
    let drive = Drive::new();
    let (whole, _) = drive.train(&[]);
    let (run, _) = drive.train(&[("LOCK", 37)]);
    let info = drive.dir.read(run.join("run.json"));
    fs::write(run.join("run.json"), info.replace("\"finished\"", "\"running\"")).unwrap();
    fs::remove_dir_all(run.join("checkpoint/epoch-2")).unwrap();
    fs::write(run.join(".tmpFile"), "of another process").unwrap();
    fs::create_dir(run.join(".tmpFolder")).unwrap();
    let temporary = || [".tmpFile", ".tmpFolder"].map(|name| run.join(name).exists());
    let path = run.to_str().unwrap();
    let output = drive.run(&[("LOCK", 37)], &["resume", path]);
    assert_eq!((output.code, output.stderr.lines().count()), (0, 2), "{}", output.stderr);
    let word = format!(
        "warning: `{path}` was killed, or another process still trains it: its drive has no locks that would tell. If one \
         does, stop this command or that process, because both write the same files\n"
    );
    assert!(output.stderr.ends_with(&word), "{}", output.stderr);
    assert_eq!(drive.digest(&run), drive.digest(&whole));
    assert_eq!(temporary(), [true, true], "they may be of another process");
    // With locks, the same command removes them.
    let output = drive.run(&[], &["resume", path, "--epochs", "3"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    assert_eq!(temporary(), [false, false]);
}
