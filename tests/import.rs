//! `import`: networks of PyTorch and safetensors as runs. `tests/reference/networks.py` made the files
//! and their expected results.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::Path;

use common::{TestDir, number};
use serde_json::Value;
use smallnet::Run;
use smallnet::exchange::{DenseLayer, DenseNetwork, Layout, ModelMetadata, safetensors};

/// Preprocessing of torchvision that some of the networks were trained with.
const NORMALIZE: [&str; 4] = ["--mean", "0.1307", "--std", "0.3081"];

/// Path of a file in `tests/fixtures/networks`.
fn file(name: &str) -> String {
    format!("{}/tests/fixtures/networks/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Results of PyTorch for each file.
fn expected() -> Value {
    serde_json::from_str(&fs::read_to_string(file("expected.json")).unwrap()).unwrap()
}

/// Imports a file for the first 200 test images of MNIST, which are in `data`.
fn import(dir: &TestDir, name: &str, args: &[&str]) -> Value {
    dir.json(&[&["import", &file(name), "--data", "data"], args].concat())
}

/// Imports the network with a hidden layer and returns the record and the folder of the run.
fn import_hidden(dir: &TestDir) -> (Value, String) {
    let record = import(dir, "checkpoint.pt", &[&["--activation", "relu"], &NORMALIZE[..]].concat());
    let run = record["run"].as_str().unwrap().to_owned();
    (record, run)
}

/// Checks that the command fails with this code and message, and that it leaves nothing behind.
fn refused(dir: &TestDir, args: &[&str], code: i32, message: &str) {
    let output = dir.run(&[&["import"], args].concat());
    assert_eq!(output.code, code, "{args:?}: {}", output.stderr);
    assert!(output.stderr.contains(message), "{args:?}: {}", output.stderr);
    assert!(!dir.path().join("artifacts").exists(), "{args:?}");
}

#[test]
fn each_file_has_the_results_of_its_own_program() {
    let dir = TestDir::new();
    dir.digits(600, 200);
    let relu = [&["--activation", "ReLU"], &NORMALIZE[..]].concat();
    let files: [(&str, &str, &[&str]); 7] = [
        ("softmax.pt", "PyTorch", &[]),
        ("whole.pt", "PyTorch", &[]),
        ("bytes.pt", "PyTorch", &["--value-range", "0,255"]),
        ("checkpoint.pt", "PyTorch", &relu),
        ("legacy.pth", "PyTorch", &relu),
        ("bfloat16.pt", "PyTorch", &relu),
        ("flax-float16.safetensors", "safetensors", &relu),
    ];
    let expected = expected();
    assert_eq!(expected.as_object().unwrap().len(), files.len());
    for (name, format, args) in files {
        let record = import(&dir, name, args);
        let expected = &expected[name];
        assert_eq!(record["num_correct"], expected["right_of_200"], "{name}");
        let (loss, expected) = (number(&record, "test_loss"), number(expected, "loss_of_200"));
        assert!((loss - expected).abs() < 1e-5, "{name}: {loss}, {expected}");
        assert_eq!(record["imported"]["format"], format, "{name}");
        assert_eq!(record["num_epochs"], 0, "{name}");
    }
    // Without the scaling, the network is another one.
    let wrong = import(&dir, "checkpoint.pt", &["--activation", "relu"]);
    assert_ne!(wrong["test_loss"], import_hidden(&dir).0["test_loss"]);
}

/// The data set is MNIST if nothing else is said.
#[test]
fn all_test_images_of_mnist_are_as_right_as_in_pytorch() {
    let dir = TestDir::new();
    let args = ["import", &file("checkpoint.pt"), "--activation", "relu"];
    let record = dir.json(&[&args[..], &NORMALIZE].concat());
    assert_eq!(record["num_correct"], expected()["checkpoint.pt"]["right"]);
    assert_eq!(record["hidden"], serde_json::json!([8]));
    let run = record["run"].as_str().unwrap();
    assert!(run.starts_with("artifacts/checkpoint/"), "{run}");
}

#[test]
fn every_command_takes_an_imported_network() {
    let dir = TestDir::new();
    let trained = dir.small_run("softmax", &[]);
    let (record, run) = import_hidden(&dir);
    let info: Value = serde_json::from_str(&dir.read(format!("{run}/run.json"))).unwrap();
    assert_eq!(info["imported"]["sha256"].as_str().unwrap().len(), 64);
    assert!(info["imported"]["file"].as_str().unwrap().ends_with("networks/checkpoint.pt"));
    assert_eq!((number(&info["imported"], "mean"), number(&info["imported"], "std")), (0.1307, 0.3081));
    assert_eq!(info["weights_sha256"], record["weights_sha256"]);
    assert!(!dir.path().join(&run).join("metrics.jsonl").exists());

    let evaluation = dir.json(&["evaluate", &run]);
    assert_eq!(evaluation["accuracy"], record["test_accuracy"]);
    assert_eq!(evaluation["loss"], record["test_loss"]);
    assert!(dir.json(&["predict", &run, "--index", "0"]).to_string().contains("\"predicted\""));
    assert_eq!(dir.json(&["weights", &run])["neurons"].as_array().unwrap().len(), 8);

    dir.json(&["report", &run]);
    let page = dir.read(format!("{run}/report.html"));
    assert!(page.contains("imported from <code>checkpoint.pt</code> (PyTorch)"), "{page}");
    assert!(page.contains("smallnet did not train this network"));
    let command = format!(
        "smallnet --backend flex import {} --name checkpoint --data {} --activation relu --mean 0.1307 --std 0.3081",
        file("checkpoint.pt"),
        fs::canonicalize(dir.path()).unwrap().join("data").display()
    );
    assert!(page.contains(&command), "{command}\n{page}");
    for of_training in ["trained on", "Learning curves", "Update rule", "epochs trained", "stopped early"] {
        assert!(!page.contains(of_training), "{of_training}");
    }

    let output = dir.run(&["compare", &trained, &run]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let lines: Vec<&str> = output.stdout.lines().map(str::trim).collect();
    let row = |start: &str| lines.iter().find(|line| line.starts_with(start)).unwrap().to_string();
    assert!(row("checkpoint ").ends_with("imported"), "{}", output.stdout);
    assert!(row("imported from").ends_with("checkpoint.pt"), "{}", output.stdout);
    // The settings of a training are not known.
    assert!(row("training.num_epochs").ends_with("–"), "{}", output.stdout);
    assert!(!output.stdout.contains("nan"));

    let runs = dir.run(&["runs"]).stdout;
    assert!(runs.lines().any(|line| line.contains("checkpoint") && line.contains("imported")), "{runs}");
    assert_eq!(dir.run(&["summary", &format!("{run}/config.toml")]).code, 0);

    let further = dir.json(&["train", "--from", &run, "--lr", "1e-12", "--epochs", "1", "--name", "on"]);
    assert!((number(&further, "test_loss") - number(&record, "test_loss")).abs() < 1e-6);

    let exported = dir.json(&["export", &run, "--format", "onnx"]);
    assert_eq!(exported["weights_sha256"], record["weights_sha256"]);
    let output = dir.run(&["verify", &run, "--train"]);
    assert_eq!(output.code, 0, "{}", output.stdout);
    assert!(output.stdout.contains("the network was not trained here"), "{}", output.stdout);

    let output = dir.run(&["resume", &run]);
    assert_eq!(output.code, 1);
    assert!(
        output.stderr.contains("was imported from `checkpoint.pt` (PyTorch): it has no training to resume")
    );
    assert!(output.stderr.contains("`smallnet train --from "), "{}", output.stderr);
}

/// A file that smallnet wrote states everything that an import needs.
#[test]
fn a_network_comes_back_as_it_was() {
    let dir = TestDir::new();
    let run = dir.small_run("softmax", &["--hidden", "6", "--set", "model.activation=tanh"]);
    let trained = Run::load(dir.path().join(&run).to_str().unwrap(), dir.path()).unwrap();
    let digest = serde_json::from_str::<Value>(&dir.read(format!("{run}/run.json"))).unwrap();
    let metadata = ModelMetadata {
        activation: Some(trained.model().activation()),
        class_names: ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
            .map(str::to_owned)
            .to_vec(),
        image_size: Some((28, 28)),
        ..ModelMetadata::default()
    };
    let network = DenseNetwork::of_model(trained.model(), metadata).unwrap();
    for (layout, name) in [(Layout::Burn, "burn"), (Layout::Pytorch, "pytorch")] {
        let path = format!("{name}.safetensors");
        dir.write(&path, safetensors::write(&network, layout).unwrap());
        let record = dir.json(&["import", &path, "--data", "data"]);
        assert_eq!(record["weights_sha256"], digest["weights_sha256"], "{name}");
        let evaluation = dir.json(&["evaluate", record["run"].as_str().unwrap()]);
        assert_eq!(evaluation["class_names"][9], "nine");
        assert_eq!(evaluation["accuracy"], record["test_accuracy"]);
    }
    // Stated otherwise, the file is not believed.
    let output = dir.run(&["import", "burn.safetensors", "--data", "data", "--activation", "relu"]);
    assert_eq!(output.code, 2);
    assert!(output.stderr.contains("the activation Tanh, and `--activation` says ReLU"), "{}", output.stderr);
    let output = dir.run(&["import", "burn.safetensors", "--data", "data", "--layout", "pytorch"]);
    assert!(output.stderr.contains("the biases `layers.0.bias` have the shape [6]"), "{}", output.stderr);
}

#[test]
fn what_does_not_fit_is_refused_and_leaves_nothing() {
    let dir = TestDir::new();
    dir.digits(600, 200);
    let [conv, norm, hidden, softmax, script] =
        ["conv.pt", "batch-norm.pt", "checkpoint.pt", "softmax.pt", "torchscript.pt"].map(file);
    refused(
        &dir,
        &[&conv],
        1,
        "the tensor `0.weight` of shape [2, 1, 3, 3] is not that of a fully connected layer",
    );
    refused(
        &dir,
        &[&norm],
        1,
        "the tensor `1.num_batches_tracked` of shape [] is not that of a fully connected",
    );
    refused(&dir, &[&script], 1, "it is an archive of TorchScript");
    refused(&dir, &[&hidden], 2, "`checkpoint.pt` has 1 hidden layer and does not say the activation");
    refused(&dir, &[&hidden], 2, "such as `--activation relu`");
    refused(
        &dir,
        &[&hidden, "--activation", "elu"],
        2,
        "`--activation` is `elu`, expected one of relu, leaky-relu",
    );
    refused(&dir, &[&softmax, "--std", "0"], 2, "`--std` is 0, expected a number above 0");
    refused(&dir, &[&softmax, "--value-range", "1"], 2, "expected two numbers, such as `0,255`");
    refused(&dir, &[&softmax, "--name", "a/b"], 1, "`name` is `a/b`");
    let small = format!("{}/tests/fixtures/small/digits.npz", env!("CARGO_MANIFEST_DIR"));
    refused(
        &dir,
        &[&softmax, "--data", &small],
        1,
        "the network takes images with 784 values, and the images in",
    );
    dir.write("picture.pt", b"\x89PNG\r\n\x1a\n");
    refused(&dir, &["picture.pt"], 1, "cannot import `picture.pt`: no network is found in the file");
    refused(&dir, &["data"], 1, "cannot read `data`: it is a folder, expected a file");
    refused(&dir, &["missing.pt"], 1, "cannot read `missing.pt`: No such file");
    let whole = fs::read(&softmax).unwrap();
    dir.write("cut.pt", &whole[..whole.len() / 2]);
    refused(&dir, &["cut.pt"], 1, "cannot import `cut.pt`: the zip archive is damaged");

    let layer = DenseLayer {
        name: "fc".to_owned(),
        inputs: 784,
        outputs: 10,
        weights: vec![0.0; 7840],
        biases: vec![0.0; 10],
    };
    let write = |name: &str, layer: DenseLayer, metadata| {
        let network = DenseNetwork { layers: vec![layer], activation: None, metadata };
        dir.write(name, safetensors::write(&network, Layout::Burn).unwrap());
    };
    let nine = DenseLayer { outputs: 9, weights: vec![0.0; 9 * 784], biases: vec![0.0; 9], ..layer.clone() };
    write("nine.safetensors", nine, ModelMetadata::default());
    let args = ["nine.safetensors", "--data", "data"];
    refused(&dir, &args, 1, "the network has 9 outputs, and `");
    let class_names = ["1", "0", "2", "3", "4", "5", "6", "7", "8", "9"].map(str::to_owned).to_vec();
    write("order.safetensors", layer.clone(), ModelMetadata { class_names, ..ModelMetadata::default() });
    let args = ["order.safetensors", "--data", "data"];
    refused(&dir, &args, 1, "the classes of the file are in the order 1, 0, 2");
    let elsewhere =
        ModelMetadata { data_source: Some("/somebody/digits".to_owned()), ..ModelMetadata::default() };
    write("elsewhere.safetensors", layer.clone(), elsewhere);
    refused(&dir, &["elsewhere.safetensors"], 2, "was trained on the data set `/somebody/digits`");

    // A network that tells nothing apart is imported, with the likely reasons.
    write("zeros.safetensors", layer, ModelMetadata::default());
    let record = dir.json(&["import", "zeros.safetensors", "--data", "data"]);
    assert_eq!(record["warnings"][0]["kind"], "one-class");
    let hint = record["warnings"][0]["hint"].as_str().unwrap();
    assert!(hint.contains("`--value-range`") && !hint.contains("learning rate"), "{hint}");
    assert!(Path::new(&dir.path().join("artifacts/zeros")).is_dir());
}
