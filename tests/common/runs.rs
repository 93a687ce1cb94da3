//! Helpers for runs of the experiment `n` that are stopped, killed and resumed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::TestDir;

pub fn train_with<'a>(settings: &[&'a str]) -> Vec<&'a str> {
    let settings = settings.iter().flat_map(|setting| ["--set", setting]);
    ["train", "--data", "data", "--name", "n"].into_iter().chain(settings).collect()
}

pub fn test_dir() -> TestDir {
    let dir = TestDir::new();
    dir.digits(700, 100);
    dir
}

pub fn start(dir: &TestDir, args: &[&str]) -> Child {
    dir.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Starts a training of 100,000 epochs and waits for the end of its second epoch.
pub fn start_endless(dir: &TestDir, settings: &[&str]) -> (Child, PathBuf) {
    let settings = [&["training.num_epochs=100000"], settings].concat();
    let child = start(dir, &train_with(&settings));
    (child, wait_for_second_epoch(dir))
}

pub fn wait_for_second_epoch(dir: &TestDir) -> PathBuf {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(60) {
        sleep(Duration::from_millis(2));
        let folder = run_folders(dir).pop();
        if let Some(folder) = folder.filter(|folder| folder.join("checkpoint/epoch-2").exists()) {
            return folder;
        }
    }
    panic!("no second epoch");
}

pub fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args([name, &id]).status().unwrap().success());
}

/// Returns the folders of the runs, finished or not, oldest first.
pub fn run_folders(dir: &TestDir) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir.path().join("artifacts/n")) else { return Vec::new() };
    let mut folders: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    folders.retain(|folder| !folder.file_name().unwrap().to_str().unwrap().starts_with('.'));
    folders.sort();
    folders
}

/// Returns the result of a finished run: the digest of its weights, its test, and its epochs
/// without their times.
pub fn result(dir: &TestDir, folder: &Path) -> (Value, Value, Vec<Value>) {
    let json = |name: &str| -> Value { serde_json::from_str(&dir.read(folder.join(name))).unwrap() };
    let summary = json("summary.json");
    let info = json("run.json");
    assert_eq!(info["status"], "finished", "{info}");
    assert_eq!(info["weights_sha256"], summary["weights_sha256"]);
    let record = serde_json::json!({ "run": folder });
    (summary["weights_sha256"].clone(), json("evaluation.json"), dir.metrics(&record))
}

pub fn temp_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(".tmp")).collect()
}
