//! Data sets as people have them: without test images or labels, with strange labels, moved to
//! another place, or partly broken.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs;
use std::path::Path;

use common::TestDir;
use serde_json::Value;

/// Writes an IDX file of unsigned bytes.
fn write_idx(dir: &TestDir, name: &str, dims: &[usize], body: &[u8]) {
    let mut bytes = vec![0, 0, 8, dims.len() as u8];
    dims.iter().for_each(|&length| bytes.extend((length as u32).to_be_bytes()));
    bytes.extend(body);
    dir.write(name, bytes);
}

/// The first `count` training digits as CSV with a header: pixels, and labels if `with_labels`.
fn digits_csv(dir: &TestDir, name: &str, count: usize, with_labels: bool) {
    dir.digits(count, 1);
    let pixels = fs::read(dir.path().join("data/train-images-idx3-ubyte")).unwrap().split_off(16);
    let labels = fs::read(dir.path().join("data/train-labels-idx1-ubyte")).unwrap().split_off(8);
    let header: Vec<String> = (0..784).map(|pixel| format!("pixel{pixel}")).collect();
    let mut text = if with_labels { "label,".to_owned() } else { String::new() } + &header.join(",") + "\n";
    for (pixels, label) in pixels.chunks(784).zip(&labels) {
        let cells: Vec<String> = pixels.iter().map(u8::to_string).collect();
        text += &if with_labels { format!("{label},") } else { String::new() };
        text += &(cells.join(",") + "\n");
    }
    dir.write(name, text);
}

fn run_info(dir: &TestDir, record: &Value) -> Value {
    serde_json::from_str(&dir.read(dir.run_folder(record).join("run.json"))).unwrap()
}

const QUICK: [&str; 4] = ["--epochs", "1", "--batch-size", "32"];

fn train(dir: &TestDir, more: &[&str]) -> Value {
    dir.json(&[&["train", "softmax"][..], &QUICK, more].concat())
}

#[test]
fn a_data_set_without_test_images_trains_and_says_that_it_is_not_tested() {
    let dir = TestDir::new();
    digits_csv(&dir, "train.csv", 100, true);
    let output = dir.run(&[&["train", "softmax", "--data", "train.csv"][..], &QUICK].concat());
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(
        output.stdout.contains("\nnot tested: there are no test images with labels\n"),
        "{}",
        output.stdout
    );
    let record = train(&dir, &["--data", "train.csv"]);
    assert_eq!(record["test_accuracy"], Value::Null);
    assert_eq!(record["status"], "finished");
    let run = record["run"].as_str().unwrap();
    dir.run(&["evaluate", run]).assert_error(
        1,
        "there are no test images: the data set has none\n\nhint: take a share of the training images: `--set \
         data.test=0.1`",
    );
    // Everything that needs no test works.
    for args in [&["evaluate", run, "--split", "train"][..], &["weights", run], &["report", run], &["runs"]] {
        let output = dir.run(args);
        assert_eq!(output.code, 0, "{args:?}: {}", output.stderr);
    }
}

#[test]
fn a_share_of_the_training_images_becomes_the_test_images() {
    let dir = TestDir::new();
    digits_csv(&dir, "train.csv", 100, true);
    let share = ["--data", "train.csv", "--set", "data.test=0.2"];
    let record = train(&dir, &share);
    assert!(record["test_accuracy"].is_number());
    let info = run_info(&dir, &record);
    assert_eq!((&info["data"]["num_train"], &info["data"]["num_test"]), (&80.into(), &20.into()));
    let run = record["run"].as_str().unwrap();
    let evaluation = dir.json(&["evaluate", run]);
    assert_eq!(evaluation["num_images"], 20);
    assert_eq!(evaluation["accuracy"], record["test_accuracy"]);
    // The images stay the same with another seed of the training, so both runs can be compared.
    let other = train(&dir, &[&share[..], &["--seed", "7"]].concat());
    let labels = |record: &Value| -> Vec<Value> {
        let run = record["run"].as_str().unwrap();
        let indices: Vec<String> = (0..20).map(|index| index.to_string()).collect();
        let mut args = vec!["predict", run, "--index"];
        args.extend(indices.iter().map(String::as_str));
        dir.json(&args).as_array().unwrap().iter().map(|answer| answer["label"].clone()).collect()
    };
    assert_eq!(labels(&record), labels(&other));
    let compared = dir.json(&["compare", run, other["run"].as_str().unwrap()]);
    assert_eq!(compared["tests"].as_array().unwrap().len(), 1, "the same test images: {compared}");
    // Another choice of test images cannot be compared image by image.
    let chosen = train(&dir, &[&share[..], &["--set", "data.test_seed=2"]].concat());
    let compared = dir.json(&["compare", run, chosen["run"].as_str().unwrap()]);
    assert_eq!(compared["tests"], serde_json::json!([]));
}

#[test]
fn test_images_without_labels_can_be_predicted() {
    let dir = TestDir::new();
    digits_csv(&dir, "kaggle/train.csv", 100, true);
    digits_csv(&dir, "kaggle/test.csv", 30, false);
    let record = train(&dir, &["--data", "kaggle"]);
    assert_eq!(record["test_accuracy"], Value::Null);
    let run = record["run"].as_str().unwrap();
    let answer = &dir.json(&["predict", run, "--index", "29"])[0];
    assert_eq!(answer["label"], Value::Null);
    assert!(answer["predicted"].is_number());
    let output = dir.run(&["evaluate", run]);
    assert_eq!(output.code, 1);
    assert!(output.stderr.contains("have no labels"), "{}", output.stderr);
}

#[test]
fn labels_of_any_numbers_become_classes_without_gaps() {
    let dir = TestDir::new();
    dir.digits(300, 60);
    let name = |part: &str| format!("data/{part}-labels-idx1-ubyte");
    for (first, names) in [(48u8, 48..58), (1, 1..11)] {
        dir.digits(300, 60);
        for part in ["train", "t10k"] {
            let mut bytes = fs::read(dir.path().join(name(part))).unwrap();
            bytes[8..].iter_mut().for_each(|label| *label += first);
            dir.write(&name(part), bytes);
        }
        let record = train(&dir, &["--data", "data"]);
        let info = run_info(&dir, &record);
        assert_eq!(info["data"]["num_classes"], 10);
        let expected: Vec<String> = names.map(|label: i32| label.to_string()).collect();
        assert_eq!(info["data"]["class_names"], serde_json::json!(expected));
    }
}

#[test]
fn a_class_that_only_the_test_images_have_is_scored_without_numbers() {
    let dir = TestDir::new();
    // Two images of 1x2 pixels per class.
    write_idx(&dir, "odd/train-images-idx3-ubyte", &[4, 1, 2], &[0, 255, 0, 200, 255, 0, 200, 0]);
    write_idx(&dir, "odd/train-labels-idx1-ubyte", &[4], &[0, 0, 1, 1]);
    write_idx(&dir, "odd/t10k-images-idx3-ubyte", &[3, 1, 2], &[0, 255, 255, 0, 99, 99]);
    write_idx(&dir, "odd/t10k-labels-idx1-ubyte", &[3], &[0, 1, 9]);
    let output = dir.run(&[&["train", "softmax", "--data", "odd"][..], &QUICK].concat());
    assert_eq!(output.code, 0, "{}", output.stderr);
    let text = output.stdout + &output.stderr;
    assert!(text.contains("no training image is of class `9`"), "{text}");
    let run = dir.json(&["runs"])[0]["run"].as_str().unwrap().to_owned();
    let evaluation = dir.json(&["evaluate", &run]);
    assert_eq!(evaluation["class_names"], serde_json::json!(["0", "1", "9"]));
    assert_eq!(evaluation["classes"][2]["num_images"], 1);
}

#[test]
fn more_than_256_classes_work() {
    let dir = TestDir::new();
    let num_classes = 300u32;
    let labels: Vec<u8> = (0..num_classes).flat_map(|label| (2 * label as i32).to_be_bytes()).collect();
    // A 16-bit number per image, in two pixels.
    let pixels: Vec<u8> =
        (0..num_classes).flat_map(|class| [(class % 256) as u8, (class / 256 * 255) as u8]).collect();
    for part in ["train", "t10k"] {
        write_idx(&dir, &format!("many/{part}-images-idx3-ubyte"), &[300, 1, 2], &pixels);
        let mut bytes = vec![0, 0, 0x0c, 1];
        bytes.extend(num_classes.to_be_bytes());
        bytes.extend(&labels);
        dir.write(&format!("many/{part}-labels-idx1-int"), bytes);
    }
    let record = train(&dir, &["--data", "many"]);
    let info = run_info(&dir, &record);
    assert_eq!(info["data"]["num_classes"], 300);
    assert_eq!(info["data"]["class_names"][299], "598");
    let run = record["run"].as_str().unwrap();
    assert_eq!(dir.json(&["evaluate", run])["classes"].as_array().unwrap().len(), 300);
    assert_eq!(dir.json(&["predict", run, "--index", "299"])[0]["label"], 299);
}

#[test]
fn a_run_finds_its_data_in_another_place() {
    let dir = TestDir::new();
    dir.digits(200, 50);
    let record = train(&dir, &["--data", "data"]);
    let run = record["run"].as_str().unwrap().to_owned();
    fs::rename(dir.path().join("data"), dir.path().join("elsewhere")).unwrap();
    let output = dir.run(&["evaluate", &run]);
    assert_eq!(output.code, 1);
    let evaluation = dir.json(&["evaluate", &run, "--data", "elsewhere"]);
    assert_eq!(evaluation["data"], Value::Null, "the run's own data set");
    assert_eq!(evaluation["accuracy"], record["test_accuracy"]);
    // `report` and `resume` record the new place.
    dir.json(&["report", &run, "--data", "elsewhere"]);
    assert_eq!(dir.json(&["evaluate", &run])["accuracy"], record["test_accuracy"]);
    fs::rename(dir.path().join("elsewhere"), dir.path().join("third")).unwrap();
    dir.json(&["resume", &run, "--epochs", "2", "--data", "third"]);
    dir.json(&["evaluate", &run]);
    // Other images are refused.
    dir.digits(200, 40);
    let output = dir.run(&["report", &run, "--data", "data"]);
    assert_eq!(output.code, 1);
    assert!(
        output.stderr.contains("`") && output.stderr.contains("is not the data set of this run"),
        "{}",
        output.stderr
    );
    let output = dir.run(&["resume", &run, "--epochs", "3", "--data", "data"]);
    assert_eq!(output.code, 1);
    assert!(output.stderr.contains("has changed: its digest is"), "{}", output.stderr);
}

#[test]
fn one_pair_of_files_can_be_evaluated() {
    let dir = TestDir::new();
    let run = dir.small_run("softmax", &[]);
    for part in ["train", "t10k"] {
        let own = format!("own-{part}");
        for kind in ["images-idx3-ubyte", "labels-idx1-ubyte"] {
            let bytes = fs::read(dir.path().join(format!("data/t10k-{kind}"))).unwrap();
            dir.write(&format!("{own}/{part}-{kind}"), bytes);
        }
        let evaluation = dir.json(&["evaluate", &run, "--data", &own]);
        assert_eq!(evaluation["num_images"], 200, "{part}");
        assert!(evaluation["data"].as_str().unwrap().ends_with(&own));
    }
}

/// 12 images of 800×800 pixels.
#[test]
fn large_images_are_trained_on() {
    let dir = TestDir::new();
    let image = |class: usize| {
        let mut pixels = vec![0u8; 800 * 800];
        pixels[class * 320_000..(class + 1) * 320_000].fill(255);
        pixels
    };
    for (part, count) in [("train", 12), ("t10k", 4)] {
        let pixels: Vec<u8> = (0..count).flat_map(|index| image(index % 2)).collect();
        let labels: Vec<u8> = (0..count).map(|index| (index % 2) as u8).collect();
        write_idx(&dir, &format!("large/{part}-images-idx3-ubyte"), &[count, 800, 800], &pixels);
        write_idx(&dir, &format!("large/{part}-labels-idx1-ubyte"), &[count], &labels);
    }
    let record = train(&dir, &["--data", "large", "--lr", "0.00001"]);
    assert_eq!(record["test_accuracy"], 1.0);
}

#[test]
fn broken_pictures_are_named_and_can_be_left_out() {
    let dir = TestDir::new();
    let forms = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/forms/images");
    for part in ["train", "test"] {
        for class in fs::read_dir(forms.join(part)).unwrap() {
            let class = class.unwrap();
            for file in fs::read_dir(class.path()).unwrap() {
                let file = file.unwrap();
                let name = format!("{part}/{}/{}", class.file_name().display(), file.file_name().display());
                dir.write(&format!("pictures/{name}"), fs::read(file.path()).unwrap());
            }
        }
    }
    dir.write("pictures/train/3/broken.png", b"\x89PNG\r\n\x1a\n and no more");
    let args = [&["train", "softmax", "--data", "pictures"][..], &QUICK].concat();
    let output = dir.run(&args);
    assert_eq!(output.code, 1);
    assert!(
        output.stderr.contains("broken.png") && output.stderr.contains("--skip-broken"),
        "{}",
        output.stderr
    );
    let output = dir.run(&[&args[..], &["--skip-broken"]].concat());
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(output.stdout.contains("broken.png"), "{}", output.stdout);
    let run = dir.json(&["runs"])[0]["run"].as_str().unwrap().to_owned();
    assert_eq!(dir.json(&["evaluate", &run])["num_images"], 20);
}

/// A network of five classes meets ten: the images of the other five are left out, and said.
#[test]
fn images_of_classes_that_the_network_does_not_have_are_left_out() {
    let dir = TestDir::new();
    dir.digits(300, 100);
    let labels = fs::read(dir.path().join("data/train-labels-idx1-ubyte")).unwrap();
    let pixels = fs::read(dir.path().join("data/train-images-idx3-ubyte")).unwrap().split_off(16);
    let small: Vec<usize> = (0..300).filter(|&index| labels[8 + index] < 5).collect();
    let images: Vec<u8> =
        small.iter().flat_map(|&index| pixels[index * 784..(index + 1) * 784].to_vec()).collect();
    let classes: Vec<u8> = small.iter().map(|&index| labels[8 + index]).collect();
    write_idx(&dir, "five/train-images-idx3-ubyte", &[small.len(), 28, 28], &images);
    write_idx(&dir, "five/train-labels-idx1-ubyte", &[small.len()], &classes);
    let record = train(&dir, &["--data", "five"]);
    let run = record["run"].as_str().unwrap();
    let test_labels = fs::read(dir.path().join("data/t10k-labels-idx1-ubyte")).unwrap();
    let known = test_labels[8..].iter().filter(|&&label| label < 5).count();
    let output = dir.run(&["evaluate", run, "--data", "data"]);
    let note = format!("note: {} images of 100 in `", 100 - known);
    assert!(output.stdout.contains(&note), "{}", output.stdout);
    assert!(
        output
            .stdout
            .contains("of classes that the network does not have, `5`, `6`, `7`, `8` and `9`: left out")
    );
    assert_eq!(dir.json(&["evaluate", run, "--data", "data"])["num_images"], known);
}

/// The trials of a study on images that are read in another way are not those of before.
#[test]
fn a_study_knows_its_images_by_how_they_are_read() {
    let dir = TestDir::new();
    dir.digits(200, 50);
    let study = "[set]\ndata.validation = 50\ntraining.num_epochs = 1\n[vary]\noptimizer.learning_rate = [0.1, 0.5]\n";
    dir.write("s.toml", study);
    let done = |more: &[&str]| {
        let args = [&["study", "s.toml", "--data", "data", "--dry-run"][..], more].concat();
        dir.json(&args)["trials"].as_array().unwrap().iter().filter(|trial| trial["done"] == true).count()
    };
    dir.json(&["study", "s.toml", "--data", "data"]);
    assert_eq!(done(&[]), 2);
    // The same images, each lying on its side.
    assert_eq!(done(&["--set", "data.transpose=true"]), 0);
}
