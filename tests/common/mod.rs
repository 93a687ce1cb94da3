//! Helpers that run the real binary in a temporary folder on real digits.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod runs;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use image::RgbImage;
use serde_json::Value;
use smallnet::data::{Source, Subset};
use tempfile::TempDir;

#[cfg(target_os = "linux")]
mod terminal;

/// Temporary folder in which smallnet runs. It is removed at the end of the test.
pub struct TestDir {
    folder: TempDir,
}

/// Exit code and output of a command.
pub struct CommandOutput {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl TestDir {
    pub fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = with_default_signals(env!("CARGO_BIN_EXE_smallnet"));
        // Cargo sets this variable for the programs that it starts. Without it, smallnet acts as if
        // a person had started it.
        command.args(args).current_dir(self.path()).stdin(Stdio::null()).env_remove("CARGO");
        command
    }

    /// Runs smallnet with these arguments.
    pub fn run(&self, args: &[&str]) -> CommandOutput {
        CommandOutput::new(self.command(args).output().unwrap())
    }

    /// Runs smallnet, which must succeed, and returns the record of `--json`.
    pub fn json(&self, args: &[&str]) -> Value {
        let output = self.run(&[&["--json"], args].concat());
        assert_eq!(output.code, 0, "{args:?}: {}", output.stderr);
        let last = output.stdout.lines().last().expect("a JSON record on standard output");
        serde_json::from_str(last).unwrap()
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    pub fn read(&self, path: impl AsRef<Path>) -> String {
        fs::read_to_string(self.path().join(path)).unwrap()
    }

    /// Writes a folder `data` with the first `train` training and `test` test images of MNIST.
    pub fn digits(&self, train: usize, test: usize) {
        for (part, subset, count) in [("train", Subset::Train, train), ("t10k", Subset::Test, test)] {
            let digits = Source::mnist().load(subset).unwrap();
            let header = |numbers: &[usize]| -> Vec<u8> {
                numbers.iter().flat_map(|&number| u32::try_from(number).unwrap().to_be_bytes()).collect()
            };
            let mut images = header(&[2051, count, 28, 28]);
            (0..count).for_each(|index| digits.pixels.image(index, 784).append_to(&mut images));
            let labels = digits.labels[..count].iter().map(|&label| u8::try_from(label).unwrap());
            let labels = header(&[2049, count]).into_iter().chain(labels);
            self.write(&format!("data/{part}-images-idx3-ubyte"), images);
            self.write(&format!("data/{part}-labels-idx1-ubyte"), labels.collect::<Vec<u8>>());
        }
    }

    /// Trains for two epochs on 600 digits, 100 of which are validation images. Returns the run's
    /// folder.
    pub fn small_run(&self, config: &str, more: &[&str]) -> String {
        self.digits(600, 200);
        let train = ["train", config, "--data", "data", "--set", "training.num_epochs=2"];
        let record = self.json(&[&train[..], &["--set", "data.validation=100"], more].concat());
        record["run"].as_str().unwrap().to_owned()
    }

    /// Copies the run in `tests/reference/softmax-run` and returns its folder. `evaluation.json`
    /// beside it has its reference values.
    pub fn saved_run(&self) -> String {
        let run = "artifacts/softmax/saved";
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/softmax-run");
        for entry in fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            self.write(&format!("{run}/{name}"), fs::read(&path).unwrap());
        }
        run.to_owned()
    }

    /// Reads the picture at `path`, which must be a PNG with more than one colour.
    pub fn picture(&self, path: impl AsRef<Path>) -> RgbImage {
        let path = self.path().join(path);
        let picture = image::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let picture = picture.to_rgb8();
        let first = picture.get_pixel(0, 0);
        assert!(picture.pixels().any(|pixel| pixel != first), "{} is blank", path.display());
        picture
    }

    /// Returns the rows of a study's CSV file without their times.
    pub fn study_rows(&self, folder: &str) -> Vec<Vec<String>> {
        let text = self.read(format!("{folder}/results.csv"));
        let header: Vec<&str> = text.lines().next().unwrap().split(',').collect();
        let is_time: Vec<bool> = header.iter().map(|name| name.starts_with("seconds")).collect();
        let cells = |line: &str| -> Vec<String> {
            let cells = line.split(',').zip(&is_time);
            cells.filter(|(_, is_time)| !**is_time).map(|(cell, _)| cell.to_owned()).collect()
        };
        text.lines().map(cells).collect()
    }

    /// Returns the folder of the run in a `--json` record, relative to this folder.
    pub fn run_folder(&self, record: &Value) -> PathBuf {
        PathBuf::from(record["run"].as_str().unwrap())
    }

    /// Returns the lines of a run's metrics without their times.
    pub fn metrics(&self, record: &Value) -> Vec<Value> {
        let text = self.read(self.run_folder(record).join("metrics.jsonl"));
        let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        for line in &mut lines {
            let line = line.as_object_mut().unwrap();
            assert!(line.remove("seconds").unwrap().as_f64().unwrap() > 0.0);
            assert!(line.remove("images_per_second").unwrap().as_f64().unwrap() > 0.0);
        }
        lines
    }
}

impl CommandOutput {
    pub fn new(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Returns standard error without the warning that a class is never predicted. Networks that
    /// were trained on a few hundred digits for one or two epochs give that warning.
    pub fn unexpected_errors(&self) -> String {
        let is_expected =
            |line: &&str| line.starts_with("warning: class") && line.contains("never predicted;");
        self.stderr.split_inclusive('\n').filter(|line| !is_expected(line)).collect()
    }

    /// Asserts that the command failed with this exit code and exactly this message.
    pub fn assert_error(&self, code: i32, message: &str) {
        assert_eq!((self.code, self.stderr.as_str()), (code, format!("error: {message}\n").as_str()));
    }
}

/// Returns a command that runs `program` with the default handling of Ctrl-C. The tests may run
/// with Ctrl-C ignored, as in a background job of a script, and smallnet would keep it ignored.
pub fn with_default_signals(program: &str) -> Command {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.map_or(0, |digits| u64::from_str_radix(digits.trim(), 16).unwrap());
    // SIGHUP, SIGINT and SIGTERM.
    if ignored & 0b0100_0000_0000_0011 == 0 {
        return Command::new(program);
    }
    let mut command = Command::new("/usr/bin/env");
    command.args(["--default-signal=HUP,INT,TERM", program]);
    command
}

/// Waits for the end of a process, which must come within a minute.
pub fn wait_for_end(child: Child) -> CommandOutput {
    let id = child.id().to_string();
    let (ended, end) = channel::<()>();
    let watchdog = thread::spawn(move || {
        if end.recv_timeout(Duration::from_secs(60)) == Err(RecvTimeoutError::Timeout) {
            Command::new("kill").args(["-KILL", &id]).status().unwrap();
        }
    });
    let output = CommandOutput::new(child.wait_with_output().unwrap());
    drop(ended);
    watchdog.join().unwrap();
    output
}

/// Returns a number of a record.
pub fn number(record: &Value, key: &str) -> f64 {
    record[key].as_f64().unwrap_or_else(|| panic!("`{key}` is no number in {record}"))
}

/// Returns the values that `tests/reference/evaluation.py` computed for the saved run.
pub fn reference() -> Value {
    serde_json::from_str(include_str!("../reference/evaluation.json")).unwrap()
}

/// Returns the numbers of an array.
pub fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// Asserts that two lists of numbers are equal within `tolerance`.
pub fn assert_close(got: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len());
    for (got, expected) in got.iter().zip(expected) {
        assert!((got - expected).abs() <= tolerance, "{got}, expected {expected}");
    }
}

/// Returns the path of an experiment in `configs/`.
pub fn config(name: &str) -> String {
    format!("{}/configs/{name}.toml", env!("CARGO_MANIFEST_DIR"))
}

/// Pseudo-random number generator (splitmix64).
pub struct Rng {
    state: u64,
}

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Returns a number from 0 (included) to 1 (excluded).
    pub fn next_f64(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}
