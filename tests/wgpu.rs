//! The GPU backend. These tests need a Vulkan driver; `mesa-vulkan-drivers` has one that computes
//! on the CPU. Without a driver they do nothing, unless `SMALLNET_REQUIRE_WGPU` is set, as in CI.
#![allow(clippy::unwrap_used)]

mod common;

use common::{TestDir, number};

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

#[test]
fn a_machine_without_a_gpu_is_told_the_ways_out() {
    let dir = TestDir::new();
    // This hides every Vulkan driver, and every EGL vendor, so that wgpu does not use OpenGL.
    let output = dir
        .command(&["--backend", "wgpu"])
        .env("VK_DRIVER_FILES", "/nonexistent")
        .env("VK_ICD_FILENAMES", "/nonexistent")
        .env("__EGL_VENDOR_LIBRARY_FILENAMES", "/nonexistent")
        .output()
        .unwrap();
    let output = common::CommandOutput::new(output);
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
