//! `train --from`: a new run that starts from the weights of another run.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::Path;

use common::{TestDir, number};
use serde_json::Value;
use smallnet::Run;

/// Trains a hidden layer of 24 neurons on 2,000 digits and returns the record.
fn source(dir: &TestDir) -> Value {
    dir.digits(2000, 500);
    dir.json(&["train", "--data", "data", "--name", "a", "--hidden", "24", "--lr", "0.3", "--epochs", "6"])
}

/// Trains on from the run in `record` and returns the new record.
fn go_on(dir: &TestDir, record: &Value, args: &[&str]) -> Value {
    dir.json(&[&["train", "--from", record["run"].as_str().unwrap(), "--name", "b"], args].concat())
}

fn info(dir: &TestDir, record: &Value) -> Value {
    serde_json::from_str(&dir.read(dir.run_folder(record).join("run.json"))).unwrap()
}

/// Returns the weights of each layer of a run.
fn layers(dir: &TestDir, record: &Value) -> Vec<Vec<f32>> {
    let run = Run::load(dir.path().join(dir.run_folder(record)).to_str().unwrap(), dir.path()).unwrap();
    run.model().layers().iter().map(|layer| layer.weight.val().into_data().iter::<f32>().collect()).collect()
}

/// Copies the data set `data` to `to` with the images that `keep` and a change of their labels.
fn relabel(dir: &TestDir, to: &str, change: impl Fn(u8) -> Option<u8>) {
    for part in ["train", "t10k"] {
        let read = |name: &str| fs::read(dir.path().join(format!("data/{part}-{name}-ubyte"))).unwrap();
        let (images, labels) = (read("images-idx3"), read("labels-idx1"));
        let (mut new_images, mut new_labels) = (images[..16].to_vec(), labels[..8].to_vec());
        for (image, label) in images[16..].chunks(784).zip(&labels[8..]) {
            if let Some(label) = change(*label) {
                new_images.extend(image);
                new_labels.push(label);
            }
        }
        let count = u32::try_from(new_labels.len() - 8).unwrap().to_be_bytes();
        new_images[4..8].copy_from_slice(&count);
        new_labels[4..8].copy_from_slice(&count);
        dir.write(&format!("{to}/{part}-images-idx3-ubyte"), new_images);
        dir.write(&format!("{to}/{part}-labels-idx1-ubyte"), new_labels);
    }
}

#[test]
fn the_training_goes_on_from_the_weights() {
    let dir = TestDir::new();
    let source = source(&dir);
    let last = dir.metrics(&source).pop().unwrap();
    // Steps of almost no length leave the network as it was.
    let same = go_on(&dir, &source, &["--lr", "1e-12", "--epochs", "1"]);
    assert_eq!(same["test_accuracy"], source["test_accuracy"]);
    assert!((number(&same, "test_loss") - number(&source, "test_loss")).abs() < 1e-6);

    let next = go_on(&dir, &source, &["--epochs", "1"]);
    let first = dir.metrics(&next).remove(0);
    assert!(number(&first, "train_accuracy") >= number(&last, "train_accuracy"), "{first}, {last}");
    assert!(number(&first, "train_loss") < number(&last, "train_loss"), "{first}, {last}");
    assert_ne!(next["weights_sha256"], source["weights_sha256"]);
    let again = go_on(&dir, &source, &["--epochs", "1"]);
    assert_eq!(again["weights_sha256"], next["weights_sha256"], "the same seed gives the same weights");

    let record = &info(&dir, &next)["from"];
    let run = source["run"].as_str().unwrap();
    assert_eq!(record["path"], run);
    assert!(run.ends_with(record["run"].as_str().unwrap()), "{record}");
    assert_eq!(record["weights_sha256"], source["weights_sha256"]);
    assert_eq!(record["initial_weights_sha256"], source["weights_sha256"]);
    assert_eq!(record["new_last_layer"], false);
    let digest = &source["weights_sha256"].as_str().unwrap()[..16];
    let page = dir.read(dir.run_folder(&next).join("report.html"));
    assert!(page.contains(&format!("weights of another run: {run}, weights {digest}.")), "{page}");
    assert!(page.contains(&format!("config.toml --from {run}</pre>")), "{page}");
    assert!(info(&dir, &source).get("from").is_none(), "a run with weights of its own");

    // The experiment may be named, too, and a checkpoint may take the place of the run.
    let checkpoint = format!("{run}/checkpoint/epoch-5");
    let args = [
        "train", "hidden", "--data", "data", "--hidden", "24", "--lr", "0.3", "--epochs", "1", "--name", "c",
    ];
    let more = ["--set", "data.validation=0", "--from", &checkpoint];
    let output = dir.run(&[&args[..], &more].concat());
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(output.stdout.contains(&format!("/{checkpoint}, weights ")), "{}", output.stdout);
    assert!(!output.stdout.contains(digest), "{}", output.stdout);
}

#[test]
fn other_classes_get_a_new_last_layer() {
    let dir = TestDir::new();
    let source = source(&dir);
    relabel(&dir, "five", |label| (label < 5).then_some(label));
    let run = source["run"].as_str().unwrap();
    let args = ["train", "--from", run, "--data", "five", "--name", "b", "--epochs"];
    let output = dir.run(&[&args[..], &["1"]].concat());
    assert!(output.stdout.contains("; the last layer is new\n"), "{}", output.stdout);
    let note = "note: 5 classes instead of 10: the last layer is new, drawn from seed 42; all other layers are those of the run\n";
    assert!(output.stdout.contains(note), "{}", output.stdout);
    // With steps of almost no length, the first layer is that of the run, and the last is random.
    let still = dir.json(&[&args[..], &["1", "--lr", "1e-12"]].concat());
    let (own, new) = (layers(&dir, &source), layers(&dir, &still));
    let is_close = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-6;
    assert!(own[0].iter().zip(&new[0]).all(is_close), "the first layer is not that of the run");
    assert_eq!(new[1].len(), 24 * 5);
    assert!(number(&still, "test_accuracy") < 0.7, "{still}");
    let record = &info(&dir, &still)["from"];
    assert_eq!(
        (&record["new_last_layer"], &record["weights_sha256"]),
        (&true.into(), &source["weights_sha256"])
    );
    assert_ne!(record["initial_weights_sha256"], source["weights_sha256"]);
    // It learns, and with another seed the new layer begins with other weights.
    let learned = dir.json(&[&args[..], &["6"]].concat());
    assert!(number(&learned, "test_accuracy") > 0.93, "{learned}");
    let other = dir.json(&[&args[..], &["1", "--lr", "1e-12", "--seed", "7"]].concat());
    assert_ne!(layers(&dir, &other)[1], new[1]);
}

#[test]
fn the_same_number_of_classes_keeps_the_last_layer() {
    let dir = TestDir::new();
    let source = source(&dir);
    relabel(&dir, "named", |label| Some(label + 10));
    let run = source["run"].as_str().unwrap();
    let args = ["train", "--from", run, "--data", "named", "--name", "b", "--epochs", "1", "--lr", "1e-12"];
    let output = dir.run(&args);
    let note = "note: the classes have other names than those of the run, such as `10` for `0`; their number is the same, so \
                the last layer is kept\n";
    assert!(output.stdout.contains(note), "{} {}", output.stdout, output.stderr);
    assert_eq!(dir.json(&args)["test_accuracy"], source["test_accuracy"]);
}

#[test]
fn what_does_not_fit_is_refused_before_anything_is_written() {
    let dir = TestDir::new();
    let source = source(&dir);
    let run = source["run"].as_str().unwrap();
    let softmax = dir.json(&["train", "--data", "data", "--name", "a", "--epochs", "1"]);
    let softmax = softmax["run"].as_str().unwrap();
    relabel(&dir, "five", |label| (label < 5).then_some(label));
    let shape_hint = "\n\nhint: weights fit a network of the same shape alone: leave out the experiment, so that the run's own is \
                      trained, or `--from`";
    dir.run(&["train", "--from", run, "--hidden", "32,16", "--name", "b"]).assert_error(
        2,
        &format!("the experiment `b` has hidden layers [32, 16] with ReLU, and the run `{run}` has a hidden layer [24] with ReLU{shape_hint}"),
    );
    dir.run(&["train", "--from", run, "--set", "model.activation=tanh", "--name", "b"]).assert_error(
        2,
        &format!("the experiment `b` has a hidden layer [24] with Tanh, and the run `{run}` has a hidden layer [24] with ReLU{shape_hint}"),
    );
    dir.run(&["train", "softmax", "--from", run, "--data", "data", "--name", "b"]).assert_error(
        2,
        &format!("the experiment `b` has no hidden layer, and the run `{run}` has a hidden layer [24] with ReLU{shape_hint}"),
    );
    let output = dir.run(&["train", "--from", softmax, "--data", "five", "--name", "b"]);
    assert_eq!(output.code, 1);
    assert!(output.stderr.contains("has 5 classes, and the run has 10: the only layer"), "{}", output.stderr);
    // Images of another size.
    for part in ["train", "t10k"] {
        let path = dir.path().join(format!("five/{part}-images-idx3-ubyte"));
        let mut images = fs::read(&path).unwrap();
        images[8..16].copy_from_slice(&[0, 0, 0, 14, 0, 0, 0, 56]);
        fs::write(&path, images).unwrap();
    }
    let output = dir.run(&["train", "--from", run, "--data", "five", "--name", "b"]);
    assert_eq!(output.code, 1);
    assert!(output.stderr.contains("have 14x56 pixels, expected 28x28 as the network"), "{}", output.stderr);
    assert_eq!(dir.run(&["train", "--from", "nowhere", "--name", "b"]).code, 1);
    assert!(!dir.path().join("artifacts/b").exists());
}

/// Makes a run in the state after a kill before its first checkpoint.
fn make_killed(folder: &Path) {
    fs::remove_dir_all(folder.join("checkpoint")).unwrap();
    for name in ["summary.json", "evaluation.json", "model.bpk", "report.html", "metrics.jsonl"] {
        fs::remove_file(folder.join(name)).unwrap();
    }
    let info = fs::read_to_string(folder.join("run.json")).unwrap();
    fs::write(folder.join("run.json"), info.replace("\"finished\"", "\"running\"")).unwrap();
}

#[test]
fn it_resumes_also_before_its_first_checkpoint() {
    let dir = TestDir::new();
    let source = source(&dir);
    relabel(&dir, "five", |label| (label < 5).then_some(label));
    for data in ["data", "five"] {
        let record = go_on(&dir, &source, &["--data", data, "--epochs", "2"]);
        let (folder, run) = (dir.path().join(dir.run_folder(&record)), record["run"].as_str().unwrap());
        // More epochs continue from the last checkpoint, as of any run.
        let longer = go_on(&dir, &source, &["--data", data, "--epochs", "3"]);
        make_killed(&folder);
        let output = dir.run(&["resume", run]);
        assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{data}");
        assert_eq!(info(&dir, &record)["weights_sha256"], record["weights_sha256"], "{data}");
        assert_eq!(dir.run(&["resume", run, "--epochs", "3"]).code, 0);
        assert_eq!(info(&dir, &record)["weights_sha256"], longer["weights_sha256"], "{data}");

        make_killed(&folder);
        let initial = folder.join("initial.bpk");
        let mut bytes = fs::read(&initial).unwrap();
        let last = bytes.len() - 3;
        bytes[last] ^= 1;
        fs::write(&initial, bytes).unwrap();
        let output = dir.run(&["resume", run]);
        assert_eq!(output.code, 1);
        let hint = format!(
            "start again: `smallnet train {run}/config.toml --from {}`\n",
            source["run"].as_str().unwrap()
        );
        assert!(
            output.stderr.contains("initial.bpk` is damaged: its weights have the digest "),
            "{}",
            output.stderr
        );
        assert!(output.stderr.ends_with(&hint), "{}", output.stderr);
    }
}
