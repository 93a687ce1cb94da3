//! The GPU backend. These tests need a Vulkan driver; `mesa-vulkan-drivers` has one that computes
//! on the CPU. Without a driver they do nothing, unless `SMALLNET_REQUIRE_WGPU` is set, as in CI.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::PathBuf;

use common::{CommandOutput, TestDir, number};
use serde_json::Value;

/// Message of a machine without a GPU.
const NO_GPU: &str = "error: the backend `wgpu` found no usable GPU: ";

/// Returns whether wgpu works here. Panics if it is required and does not work.
fn has_gpu(dir: &TestDir) -> bool {
    let output = dir.run(&[
        "--backend",
        "wgpu",
        "--quiet",
        "train",
        "--data",
        "data",
        "--set",
        "training.num_epochs=1",
    ]);
    if output.code == 0 {
        return true;
    }
    let required = std::env::var_os("SMALLNET_REQUIRE_WGPU").is_some();
    assert!(!required && output.stderr.starts_with(NO_GPU), "{}", output.stderr);
    eprintln!("passed over: no GPU and no Vulkan driver");
    false
}

#[test]
fn all_backends_agree() {
    let dir = TestDir::new();
    dir.digits(2000, 1000);
    if !has_gpu(&dir) {
        return;
    }
    let train = |backend| {
        dir.json(&[
            "--backend",
            backend,
            "train",
            "--data",
            "data",
            "--set",
            "training.num_epochs=3",
            "--set",
            "model.hidden=[32]",
            "--set",
            "optimizer.learning_rate=0.5",
        ])
    };
    let (flex, ndarray, wgpu) = (train("flex"), train("ndarray"), train("wgpu"));
    assert!(number(&flex, "test_accuracy") > 0.8, "{flex}");
    for other in [&ndarray, &wgpu] {
        assert!((number(&flex, "test_accuracy") - number(other, "test_accuracy")).abs() <= 0.003, "{other}");
        assert!((number(&flex, "test_loss") - number(other, "test_loss")).abs() < 1e-3, "{other}");
    }
    // A network that was trained on a GPU gives the same results on a CPU.
    let run = wgpu["run"].as_str().unwrap();
    let (gpu, cpu) = (dir.json(&["--backend", "wgpu", "evaluate", run]), dir.json(&["evaluate", run]));
    assert_eq!(gpu["accuracy"], wgpu["test_accuracy"]);
    assert!((number(&gpu, "accuracy") - number(&cpu, "accuracy")).abs() <= 0.003);
}

/// Runs smallnet as on a machine without a GPU.
fn run_without_gpu(dir: &TestDir, args: &[&str]) -> CommandOutput {
    let mut command = dir.command(args);
    // This hides every Vulkan driver, and every EGL vendor, so that wgpu does not use OpenGL.
    for variable in ["VK_DRIVER_FILES", "VK_ICD_FILENAMES", "__EGL_VENDOR_LIBRARY_FILENAMES"] {
        command.env(variable, "/nonexistent");
    }
    CommandOutput::new(command.output().unwrap())
}

#[test]
fn a_machine_without_a_gpu_is_told_the_ways_out() {
    let dir = TestDir::new();
    let output = run_without_gpu(&dir, &["--backend", "wgpu"]);
    assert_eq!(output.code, 1, "{}", output.stdout);
    assert!(output.stderr.contains(NO_GPU), "{}", output.stderr);
    assert!(output.stderr.contains("hint: install a graphics driver"), "{}", output.stderr);
    assert!(
        output.stderr.trim_end().ends_with("or use a CPU backend: `--backend flex`"),
        "{}",
        output.stderr
    );
    assert!(!output.stderr.contains("panicked"), "{}", output.stderr);
    assert!(!dir.path().join("artifacts").exists());
}

/// A model batch on the GPU gives the same results as on the CPU.
#[test]
fn a_study_agrees_with_the_cpu() {
    let dir = TestDir::new();
    dir.digits(600, 100);
    if !has_gpu(&dir) {
        return;
    }
    dir.write(
        "s.toml",
        "folds = 2\n[set]\nmodel.hidden = [8]\ntraining.num_epochs = 2\n[vary]\noptimizer.learning_rate = [0.1, 0.5]\n",
    );
    let study = |backend| {
        dir.json(&["--backend", backend, "study", "s.toml", "--data", "data", "--artifacts", backend])
    };
    let (flex, wgpu) = (study("flex"), study("wgpu"));
    for setting in [0, 1] {
        let mean = |record: &serde_json::Value| number(&record["summary"]["settings"][setting], "mean");
        assert!((mean(&flex) - mean(&wgpu)).abs() <= 0.005, "{flex} {wgpu}");
    }
    assert!(dir.read("wgpu/studies/s/trials.jsonl").lines().all(|line| line.contains("\"stacked\":true")));
}

/// A GPU may round differently each time, but it resumes with the saved state.
#[test]
fn a_training_on_the_gpu_goes_on() {
    let dir = TestDir::new();
    dir.digits(600, 100);
    if !has_gpu(&dir) {
        return;
    }
    let train = |epochs: &str| {
        let epochs = format!("training.num_epochs={epochs}");
        let settings =
            ["--set", "optimizer.kind=adam", "--set", "optimizer.learning_rate=0.01", "--set", &epochs];
        dir.json(&[&["--backend", "wgpu", "train", "--data", "data"][..], &settings].concat())
    };
    let (short, whole) = (train("2"), train("4"));
    let resumed = dir.json(&["resume", short["run"].as_str().unwrap(), "--epochs", "4"]);
    for (resumed, whole) in dir.metrics(&resumed).iter().zip(dir.metrics(&whole)) {
        let (resumed, whole) = (number(resumed, "train_loss"), number(&whole, "train_loss"));
        assert!((resumed - whole).abs() < 1e-3, "{resumed} {whole}");
    }
    assert!((number(&resumed, "test_loss") - number(&whole, "test_loss")).abs() < 1e-3);
}

/// Trains on flex and writes into `run.json` that it was on `backend`: a run that came from another
/// machine.
fn run_of(dir: &TestDir, backend: &str) -> (String, PathBuf) {
    dir.digits(300, 100);
    let record = dir.json(&["train", "--data", "data", "--epochs", "3", "--batch-size", "10", "--lr", "0.2"]);
    let path = dir.path().join(dir.run_folder(&record)).join("run.json");
    let info =
        dir.read(&path).replace("\"flex\"", &format!("\"{backend}\"")).replace("\"cpu\"", "\"autodiff\"");
    fs::write(&path, info).unwrap();
    (record["run"].as_str().unwrap().to_owned(), path)
}

#[test]
fn a_run_of_a_gpu_is_read_on_a_machine_without_one() {
    for (backend, reason) in [("wgpu", "this machine has no usable GPU"), ("cuda", "it is not in this build")]
    {
        let dir = TestDir::new();
        let (run, info) = run_of(&dir, backend);
        let run = run.as_str();
        if cfg!(feature = "cuda") && backend == "cuda" {
            continue;
        }
        let note =
            format!("note: `{run}` was trained on {backend}, and {reason}: computed on the CPU with flex\n");
        // The test of a run is not made by another backend.
        fs::remove_file(info.with_file_name("evaluation.json")).unwrap();
        for args in [&["evaluate", run][..], &["predict", run, "--index", "3"]] {
            let output = run_without_gpu(&dir, args);
            assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{args:?}");
            assert!(output.stdout.starts_with(&note), "{}", output.stdout);
        }
        assert!(!info.with_file_name("evaluation.json").exists());
        let json = run_without_gpu(&dir, &["evaluate", run, "--json"]);
        assert!(json.stdout.starts_with('{') && json.stderr.contains(&note), "{}", json.stdout);
        for args in [&["weights", run][..], &["report", run], &["runs"]] {
            let output = run_without_gpu(&dir, args);
            assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{args:?}");
        }
        // Who asks for a backend or an adapter gets no other one.
        for args in [&["evaluate", run, "--backend", backend][..], &["evaluate", run, "--device", "0"]] {
            let output = run_without_gpu(&dir, args);
            assert_eq!(output.code, 1, "{}", output.stdout);
            assert!(
                output.stderr.starts_with(&format!("error: the backend `{backend}` ")),
                "{}",
                output.stderr
            );
        }
        // A training goes on elsewhere only if it is asked to.
        let refused = run_without_gpu(&dir, &["resume", run, "--epochs", "4"]);
        assert_eq!(refused.code, 1, "{}", refused.stdout);
        let hint =
            "; `--backend flex` resumes it inexactly on the CPU: it ends with the same up to rounding\n";
        assert!(refused.stderr.ends_with(hint), "{}", refused.stderr);
        let resumed = run_without_gpu(&dir, &["resume", run, "--epochs", "4", "--backend", "flex"]);
        assert_eq!(resumed.code, 0, "{}", resumed.stderr);
        let info: Value = serde_json::from_str(&fs::read_to_string(&info).unwrap()).unwrap();
        assert_eq!([&info["backend"], &info["engine"]], ["flex", "cpu"]);
    }
}

#[test]
fn devices_are_listed_and_chosen_by_number() {
    let dir = TestDir::new();
    dir.digits(300, 100);
    let none = run_without_gpu(&dir, &["devices"]);
    assert_eq!(none.code, 0, "{}", none.stderr);
    assert!(none.stdout.contains("flex (default)  the CPU, "), "{}", none.stdout);
    assert!(none.stdout.contains("nothing: there is no GPU and no graphics driver"), "{}", none.stdout);
    let train = ["train", "--data", "data", "--epochs", "1", "--device", "99"];
    let cpu = dir.run(&train);
    assert_eq!(cpu.code, 2, "{}", cpu.stdout);
    assert!(cpu.stderr.contains("`--device 99` chooses an adapter of the backend"), "{}", cpu.stderr);
    if !has_gpu(&dir) {
        return;
    }
    let record = dir.json(&["devices"]);
    let wgpu = record.as_array().unwrap().iter().find(|entry| entry["backend"] == "wgpu").unwrap();
    let adapters = wgpu["adapters"].as_array().unwrap();
    assert_eq!(adapters.iter().filter(|adapter| adapter["default"] == true).count(), 1, "{record}");
    let refused = dir.run(&[&train[..], &["--backend", "wgpu"]].concat());
    assert_eq!(refused.code, 2, "{}", refused.stdout);
    assert!(refused.stderr.contains("error: this machine has no adapter 99\n"), "{}", refused.stderr);
    for adapter in adapters {
        let (number, name) = (adapter["number"].to_string(), adapter["name"].as_str().unwrap());
        assert!(refused.stderr.contains(&format!("\n  {number}: {name}, ")), "{}", refused.stderr);
        let output =
            dir.run(&["train", "--data", "data", "--epochs", "1", "--backend", "wgpu", "--device", &number]);
        assert_eq!(output.code, 0, "{}", output.stderr);
        assert!(output.stdout.contains(&format!(", on {name} (")), "{}", output.stdout);
        // A driver that computes on the CPU is called one, once.
        let told =
            output.stdout.matches("computes on the CPU, not on a GPU; `--backend flex` is faster\n").count();
        assert_eq!(told, usize::from(adapter["kind"] == "cpu"), "{}", output.stdout);
    }
}

/// The variable of Burn that chooses the default adapter.
#[test]
fn a_default_that_does_not_exist_is_not_taken_for_a_machine_without_a_gpu() {
    let dir = TestDir::new();
    dir.digits(300, 100);
    if !has_gpu(&dir) {
        return;
    }
    for value in ["Cuckoo", "DiscreteGpu(60)"] {
        let mut command = dir.command(&["train", "--data", "data", "--backend", "wgpu"]);
        let output = CommandOutput::new(command.env("CUBECL_WGPU_DEFAULT_DEVICE", value).output().unwrap());
        assert_eq!(output.code, 1, "{}", output.stdout);
        let message =
            format!("`CUBECL_WGPU_DEFAULT_DEVICE` is `{value}`, which is none of this machine's adapters\n");
        assert!(output.stderr.contains(&message), "{}", output.stderr);
        assert!(output.stderr.contains("\n  0: "), "{}", output.stderr);
    }
}
