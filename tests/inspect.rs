//! Commands that inspect data and networks: `data`, `summary`, `predict`, `weights`, `evaluate`.
//! Expected values come from `tests/reference/evaluation.py` (numpy and scikit-learn) or from
//! counting by hand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::fs;
use std::path::Path;

use common::{TestDir, assert_close, config, number, numbers, reference};
use image::{GrayImage, Luma};
use serde_json::{Value, json};

#[test]
fn the_baseline_in_numbers() {
    let dir = TestDir::new();
    let record = dir.json(&["summary"]);
    for (key, value) in [
        ("num_parameters", 7850),
        ("num_bytes", 31_400),
        ("flops_per_image", 15_680),
        ("num_train", 60_000),
        ("steps_per_epoch", 469),
        ("num_steps", 4690),
    ] {
        assert_eq!(record[key], json!(value), "{key}");
    }
    let out = dir.run(&["summary"]).stdout;
    for line in [
        " Linear   [batch, 10]           7,850  15,680  784 × 10 + 10 = 7,850",
        " SGD         w ← w − η · g",
        " steps       60,000 images / 128 per batch: 468 full batches and one of 96, 469 steps per epoch; times 10 epochs: 4,690 steps",
    ] {
        assert!(out.lines().any(|printed| printed == line), "`{line}` is missing in:\n{out}");
    }
    assert!(!dir.path().join("artifacts").exists(), "nothing is trained");
}

/// The numbers are 784·128 + 128 + 128·10 + 10, and 784·512 + 512 + 512·256 + 256 + 256·10 + 10.
#[test]
fn the_weights_of_every_shipped_network() {
    let dir = TestDir::new();
    for (name, weights) in [("softmax", 7850), ("hidden", 101_770), ("mlp", 535_818)] {
        assert_eq!(dir.json(&["summary", &config(name)])["num_parameters"], json!(weights), "{name}");
    }
    let changed = dir.json(&["summary", "--set", "model.hidden=[3]", "--set", "data.validation=59000"]);
    assert_eq!(
        (&changed["num_parameters"], &changed["steps_per_epoch"]),
        (&json!(784 * 3 + 3 + 40), &json!(8))
    );
}

#[test]
fn mnist_in_numbers() {
    let dir = TestDir::new();
    let record = dir.json(&["data"]);
    assert_eq!(
        (&record["height"], &record["width"], &record["num_classes"]),
        (&json!(28), &json!(28), &json!(10))
    );
    assert_eq!((&record["smallest_value"], &record["largest_value"]), (&json!(0), &json!(255)));
    // These counts of MNIST are well known.
    assert_eq!(record["train"], json!([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]));
    assert_eq!(record["test"], json!([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]));
    let labels: Vec<_> = record["labels"].as_array().unwrap().iter().map(|label| &label["label"]).collect();
    assert_eq!(json!(labels), json!([5, 0, 4, 1, 9, 2, 1, 3, 1, 4]));
    assert_eq!(record["labels"][2]["one_hot"], json!([0, 0, 0, 0, 1, 0, 0, 0, 0, 0]));
    assert_eq!(record["picture"], json!("artifacts/data/mnist-train-samples.png"));
    dir.picture("artifacts/data/mnist-train-samples.png");

    let held_out = dir.run(&["data", "--split", "validation", "--set", "data.validation=1000"]);
    assert!(held_out.stdout.contains("   all  59,000       1,000  10,000\n"), "{}", held_out.stdout);
    assert!(
        held_out.stdout.lines().any(|line| line == "     0      1  0 1 0 0 0 0 0 0 0 0"),
        "{}",
        held_out.stdout
    );
}

#[test]
fn one_image_on_the_terminal_and_as_a_picture() {
    let dir = TestDir::new();
    dir.digits(20, 20);
    let output = dir.run(&["data", "--data", "data", "--index", "0"]);
    assert!(output.stdout.contains("label 5, one-hot 0 0 0 0 0 1 0 0 0 0"), "{}", output.stdout);
    // Row 5 of MNIST's first image has these values from column 12 on: 3 18 18 18 126 136 175 26
    // 166 255 247 127. At least half of 255 is drawn.
    assert!(output.stdout.lines().any(|line| line == "                 ▄▄ ▄▄▄"), "{}", output.stdout);
    let record = dir.json(&["data", "--data", "data", "--index", "0"]);
    assert_eq!(record["one_hot"], json!([0, 0, 0, 0, 0, 1, 0, 0, 0, 0]));
    let picture = dir.picture(record["picture"].as_str().unwrap());
    assert_eq!(picture.dimensions(), (280, 280));
    let pixels = &fs::read(dir.path().join("data/train-images-idx3-ubyte")).unwrap()[16..800];
    for (x, y, pixel) in picture.enumerate_pixels() {
        assert_eq!(pixel.0, [pixels[(y / 10 * 28 + x / 10) as usize]; 3]);
    }
}

#[test]
fn an_image_that_is_not_there() {
    let dir = TestDir::new();
    dir.digits(20, 10);
    let run = dir.saved_run();
    let missing = "there is no image 10 in the test split: it has 10 images, 0 to 9";
    dir.run(&["data", "--data", "data", "--split", "test", "--index", "10"]).assert_error(1, missing);
    dir.run(&["predict", &run, "--data", "data", "--index", "0", "10"]).assert_error(1, missing);
    dir.run(&["data", "--data", "data", "--split", "validation"]).assert_error(
        1,
        "there are no validation images: this experiment holds none out\n\nhint: hold some out: `--set \
         data.validation=10000`",
    );
    assert!(!dir.path().join("artifacts/data").exists(), "nothing is left behind");
}

#[test]
fn a_saved_run_evaluates_as_numpy_and_scikit_learn_do() {
    let dir = TestDir::new();
    let run = dir.saved_run();
    let (got, expected) = (dir.json(&["evaluate", &run]), reference());
    assert_eq!(got["confusion"], expected["confusion"]);
    let balanced = |record: &Value| number(record, "balanced_accuracy");
    assert!((balanced(&got) - balanced(&expected)).abs() < 1e-12, "{got}");
    assert_close(
        &[number(&got, "accuracy"), number(&got, "loss"), number(&got["calibration"], "error")],
        &[
            number(&expected, "accuracy"),
            number(&expected, "loss"),
            number(&expected, "expected_calibration_error"),
        ],
        1e-6,
    );
    for key in ["precision", "recall", "f1"] {
        let scores: Vec<f64> =
            got["classes"].as_array().unwrap().iter().map(|class| number(class, key)).collect();
        assert_close(&scores, &numbers(&expected[key]), 1e-12);
    }
    let worst = |record: &Value| -> Vec<(Value, Value, Value)> {
        let mistakes = record["worst"].as_array().unwrap();
        mistakes.iter().map(|m| (m["index"].clone(), m["label"].clone(), m["predicted"].clone())).collect()
    };
    assert_eq!(worst(&got), worst(&expected));
    assert_eq!(worst(&got).len(), 20);
    dir.picture(format!("{run}/figures/confusion-test.png"));
    dir.picture(format!("{run}/figures/mistakes-test.png"));
}

#[test]
fn evaluate_prints_the_matrix_and_the_scores() {
    let dir = TestDir::new();
    let run = dir.saved_run();
    let out = dir.run(&["evaluate", &run]).stdout;
    for line in [
        " 0  951      ·    2    2    1    8   11    4    1    ·",
        "     0     0.9655  0.9704  0.9679     980",
        "expected calibration error 0.0047 (mean gap between confidence and accuracy)",
    ] {
        assert!(out.lines().any(|printed| printed == line), "`{line}` is missing in:\n{out}");
    }
}

#[test]
fn a_prediction_beside_its_label() {
    let dir = TestDir::new();
    let run = dir.saved_run();
    let records = dir.json(&["predict", &run, "--index", "0", "1", "2"]);
    let expected = reference();
    for (index, record) in records.as_array().unwrap().iter().enumerate() {
        assert_eq!(record["label"], json!([7, 2, 1][index]));
        assert_eq!(record["predicted"], record["label"]);
        let probabilities = numbers(&expected["first_probabilities"][index]);
        assert_close(&numbers(&record["probabilities"]), &probabilities, 1e-6);
        dir.picture(record["picture"].as_str().unwrap());
    }
    let out = dir.run(&["predict", &run, "--index", "0"]).stdout;
    assert!(out.starts_with("test image 0: predicted 7 with 99.9 %; its label is 7: right\n"), "{out}");
    assert!(out.contains("7  99.9 %  ██████████████████████████████"), "{out}");
}

/// Strokes of a digit: points of a polyline on a field of 100 × 150.
fn strokes(digit: usize) -> Vec<Vec<(f32, f32)>> {
    let arc = |x: f32, y: f32, rx: f32, ry: f32, from: f32, to: f32| -> Vec<(f32, f32)> {
        let angle = |step: i32| (from + (to - from) * step as f32 / 24.0).to_radians();
        (0..=24).map(|step| (x + rx * angle(step).cos(), y + ry * angle(step).sin())).collect()
    };
    match digit {
        0 => vec![arc(50.0, 75.0, 27.0, 45.0, 0.0, 360.0)],
        1 => vec![vec![(50.0, 25.0), (50.0, 125.0)]],
        2 => {
            vec![arc(50.0, 50.0, 26.0, 24.0, 190.0, 380.0), vec![(74.0, 58.0), (26.0, 122.0), (80.0, 122.0)]]
        }
        3 => vec![arc(48.0, 50.0, 24.0, 24.0, 200.0, 450.0), arc(48.0, 98.0, 27.0, 25.0, 270.0, 510.0)],
        4 => vec![vec![(40.0, 25.0), (25.0, 80.0), (80.0, 80.0)], vec![(66.0, 30.0), (66.0, 125.0)]],
        5 => vec![vec![(74.0, 28.0), (36.0, 28.0), (32.0, 68.0)], arc(46.0, 92.0, 29.0, 29.0, 235.0, 510.0)],
        6 => vec![vec![(62.0, 25.0), (42.0, 55.0), (30.0, 90.0)], arc(51.0, 98.0, 22.0, 25.0, 180.0, 540.0)],
        7 => vec![vec![(25.0, 30.0), (76.0, 30.0), (45.0, 125.0)]],
        8 => vec![arc(50.0, 50.0, 20.0, 24.0, 90.0, 450.0), arc(50.0, 99.0, 24.0, 25.0, 270.0, 630.0)],
        _ => vec![arc(49.0, 54.0, 22.0, 25.0, 0.0, 360.0), vec![(71.0, 54.0), (66.0, 125.0)]],
    }
}

/// Draws a thick black digit on a white canvas of 200 × 300 pixels.
fn draw_digit(digit: usize) -> GrayImage {
    const RADIUS: f32 = 13.0;
    let distance = |(x, y): (f32, f32), (a, b): ((f32, f32), (f32, f32))| {
        let (dx, dy) = (b.0 - a.0, b.1 - a.1);
        let t = (((x - a.0) * dx + (y - a.1) * dy) / (dx * dx + dy * dy).max(1e-6)).clamp(0.0, 1.0);
        (x - a.0 - t * dx).hypot(y - a.1 - t * dy)
    };
    GrayImage::from_fn(200, 300, |x, y| {
        let nearest = strokes(digit)
            .iter()
            .flat_map(|line| line.windows(2).map(|pair| (pair[0], pair[1])).collect::<Vec<_>>())
            .map(|(a, b)| distance((x as f32, y as f32), ((a.0 * 2.0, a.1 * 2.0), (b.0 * 2.0, b.1 * 2.0))))
            .fold(f32::INFINITY, f32::min);
        Luma([if nearest <= RADIUS { 0 } else { 255 }])
    })
}

#[test]
fn digits_drawn_by_hand_are_read() {
    let dir = TestDir::new();
    let record = dir.json(&["train", &config("mlp"), "--set", "training.num_epochs=2"]);
    let run = record["run"].as_str().unwrap();
    let mut arguments = vec!["predict", run];
    let files: Vec<String> = (0..10).map(|digit| format!("drawn-{digit}.png")).collect();
    for (digit, file) in files.iter().enumerate() {
        draw_digit(digit).save(dir.path().join(file)).unwrap();
        arguments.push(file);
    }
    let records = dir.json(&arguments);
    let predicted: Vec<u64> =
        records.as_array().unwrap().iter().map(|record| record["predicted"].as_u64().unwrap()).collect();
    let right =
        predicted.iter().enumerate().filter(|(digit, predicted)| **predicted == *digit as u64).count();
    assert!(right >= 8, "{right} of 10 are right: {predicted:?}");
    let prepared = dir.picture(records[3]["prepared"].as_str().unwrap());
    assert_eq!(prepared.dimensions(), (28, 28));
    dir.picture(records[3]["picture"].as_str().unwrap());
    let table = dir.run(&arguments).stdout;
    assert!(table.lines().any(|line| line.starts_with(" drawn-3.png      –")), "{table}");
}

/// Photographs of 24 and 50 million pixels, in ten scans, rotated by 90°, with a colour profile,
/// and a PNG of 16 bits. `tests/reference/photos/photos.py` made them with Pillow.
#[test]
fn photographs_and_screenshots_as_they_are_saved_are_read() {
    let dir = TestDir::new();
    let run = dir.saved_run();
    let files = ["photo-24.jpg", "photo-50.jpg", "screenshot-16.png"];
    for file in files {
        let packed = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/reference/photos/{file}.zst"));
        dir.write(file, zstd::decode_all(fs::File::open(packed).unwrap()).unwrap());
    }
    let records = dir.json(&[&["predict", &run][..], &files].concat());
    for (record, file) in records.as_array().unwrap().iter().zip(files) {
        assert_eq!(record["predicted"], 7, "{file}: {record}");
        assert!(number(record, "confidence") > 0.99, "{file}: {record}");
        assert_eq!(dir.picture(record["prepared"].as_str().unwrap()).dimensions(), (28, 28));
    }
}

#[test]
fn files_that_are_no_pictures_of_digits() {
    let dir = TestDir::new();
    let run = dir.saved_run();
    dir.write("text.png", "not a picture");
    dir.write("empty.png", "");
    GrayImage::from_pixel(50, 60, Luma([255])).save(dir.path().join("blank.png")).unwrap();
    // The header of this PNG states 50,000 × 50,000 grey pixels: signature, IHDR and its checksum.
    let mut header = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\xc3\x50\0\0\xc3\x50\x08\0\0\0\0".to_vec();
    header.extend(png_checksum(&header[12..]).to_be_bytes());
    dir.write("huge.png", header);
    for (file, message) in [
        ("text.png", "`text.png` is not a PNG or JPEG image\n\nhint: "),
        ("empty.png", "`empty.png` is empty"),
        ("blank.png", "there is no digit in `blank.png`: all its pixels are alike\n\nhint: "),
        ("huge.png", "`huge.png` has 50000x50000 pixels, expected at most "),
        ("missing.png", "cannot read `missing.png`: No such file or directory (os error 2)"),
    ] {
        let output = dir.run(&["predict", &run, file]);
        assert_eq!((output.code, output.stdout.as_str()), (1, ""), "{file}");
        assert!(output.stderr.starts_with(&format!("error: {message}")), "{}", output.stderr);
        assert_eq!(output.stderr.matches("error:").count(), 1, "{}", output.stderr);
    }
    assert!(!dir.path().join(&run).join("predictions").exists(), "nothing is left behind");
    // Some names differ only slightly, and one is too long for a file name.
    let long = format!("{}.png", "long".repeat(60));
    for file in ["a.png", "prepared-a.png", "x/a.png", "test-0.png", &long] {
        let path = dir.write(file, "");
        draw_digit(4).save(path).unwrap();
    }
    let files = ["a.png", "prepared-a.png", "x/a.png", "test-0.png", &long];
    let records = dir.json(&[&["predict", &run][..], &files].concat());
    let mut paths: Vec<_> =
        records.as_array().unwrap().iter().map(|record| record["picture"].clone()).collect();
    paths.extend(records.as_array().unwrap().iter().map(|record| record["prepared"].clone()));
    let distinct: std::collections::BTreeSet<_> = paths.iter().map(Value::to_string).collect();
    assert_eq!(distinct.len(), 10, "{paths:?}");
    for record in records.as_array().unwrap() {
        assert_eq!(dir.picture(record["prepared"].as_str().unwrap()).dimensions(), (28, 28));
    }
    let neither = dir.run(&["predict", &run]);
    assert!(
        neither.code == 2 && neither.stderr.contains("<IMAGE|--index <N>...|--split <SPLIT>|--data <DATA>>"),
        "{}",
        neither.stderr
    );
    let both = dir.run(&["predict", &run, "a.png", "--index", "0"]);
    assert!(both.code == 2 && both.stderr.contains("cannot be used with"), "{}", both.stderr);
}

/// Computes the checksum of a PNG chunk.
fn png_checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(
            crc ^ u32::from(byte),
            |crc, _| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 },
        )
    })
}

#[test]
fn the_weights_of_a_saved_run() {
    let dir = TestDir::new();
    let run = dir.saved_run();
    let record = dir.json(&["weights", &run]);
    let expected = reference();
    let of = |key: &str| -> Vec<f64> {
        record["neurons"].as_array().unwrap().iter().map(|neuron| number(neuron, key)).collect()
    };
    assert_close(&of("neuron"), &(0..10).map(f64::from).collect::<Vec<_>>(), 0.0);
    assert_close(&of("norm"), &numbers(&expected["norms"]), 1e-5);
    assert_close(&of("bias"), &numbers(&expected["biases"]), 1e-7);
    assert_eq!(record["pictures"], json!([format!("{run}/figures/weights.png")]));
    let sheet = dir.picture(format!("{run}/figures/weights.png"));
    // All ten neurons share one colour scale from blue over white to red, so the picture contains
    // the colour of the extreme weight.
    let extreme = |pick: fn(&[u8; 3]) -> i32| sheet.pixels().map(|pixel| pick(&pixel.0)).max().unwrap();
    assert!(extreme(|[r, _, b]| i32::from(*b) - i32::from(*r)) > 80, "blue");
    assert!(extreme(|[r, _, b]| i32::from(*r) - i32::from(*b)) > 80, "red");
}

#[test]
fn other_data_does_not_take_the_place_of_the_runs_own() {
    let dir = TestDir::new();
    dir.digits(20, 50);
    let run = dir.saved_run();
    let own = dir.json(&["evaluate", &run]);
    let before = fs::read(dir.path().join(format!("{run}/figures/confusion-test.png"))).unwrap();
    let kept = dir.read(format!("{run}/evaluation.json"));
    let other = dir.json(&["evaluate", &run, "--data", "data"]);
    assert_eq!((own["data"].clone(), other["data"].clone()), (Value::Null, json!("data")));
    assert_eq!(other["num_images"], json!(50));
    assert!(other["pictures"][0].as_str().unwrap().contains("confusion-test-of-data-"), "{other}");
    assert_eq!(fs::read(dir.path().join(format!("{run}/figures/confusion-test.png"))).unwrap(), before);
    assert_eq!(dir.read(format!("{run}/evaluation.json")), kept);
    let answer = dir.run(&["predict", &run, "--data", "data", "--index", "0"]);
    assert!(answer.stdout.starts_with("test (data) image 0: predicted 7"), "{}", answer.stdout);
    assert!(answer.stdout.contains("predictions/test-of-data-"), "{}", answer.stdout);
}

#[test]
fn only_the_runs_own_test_is_kept() {
    let dir = TestDir::new();
    dir.digits(300, 100);
    let train = ["train", "--data", "data", "--set", "training.num_epochs=1", "--set", "data.validation=50"];
    let run = dir.json(&train)["run"].as_str().unwrap().to_owned();
    let file = dir.path().join(&run).join("evaluation.json");
    let written = fs::read_to_string(&file).unwrap();
    fs::remove_file(&file).unwrap();
    let checkpoint = format!("{run}/checkpoint/epoch-1/model.bpk");
    fs::rename(dir.path().join("data"), dir.path().join("own")).unwrap();
    dir.digits(300, 90);
    fs::rename(dir.path().join("data"), dir.path().join("others")).unwrap();
    fs::rename(dir.path().join("own"), dir.path().join("data")).unwrap();
    for other in [
        &["evaluate", &run, "--split", "train"][..],
        &["evaluate", &run, "--split", "validation"],
        &["evaluate", &run, "--data", "others"],
        &["evaluate", &run, "--backend", "ndarray"],
        &["evaluate", &checkpoint],
    ] {
        dir.json(other);
        assert!(!file.exists(), "{other:?}");
    }
    dir.json(&["evaluate", &run]);
    assert_eq!(fs::read_to_string(&file).unwrap(), written, "as training wrote it");
}

#[test]
fn a_network_that_has_diverged_leaves_a_readable_run() {
    let dir = TestDir::new();
    dir.digits(300, 100);
    let settings = ["training.num_epochs=1", "training.batch_size=300", "optimizer.learning_rate=1e38"];
    let settings: Vec<_> = settings.iter().flat_map(|setting| ["--set", setting]).collect();
    let output = dir.run(&[&["train", "--data", "data"][..], &settings].concat());
    assert_eq!(output.code, 1, "{}", output.stderr);
    let run = output.stdout.lines().last().unwrap().strip_prefix("what there is was saved in ").unwrap();
    let evaluated = dir.run(&["evaluate", run]);
    assert!(evaluated.stdout.contains("loss NaN"), "{}", evaluated.stdout);
    assert_eq!(dir.run(&["report", run]).code, 0);
    let page = dir.read(format!("{run}/report.html"));
    assert!(page.contains("This run failed: ") && !page.contains("hint:"), "the cause without the hint");
}

#[test]
fn a_hidden_network_goes_through_every_command() {
    let dir = TestDir::new();
    dir.digits(600, 200);
    let train = ["train", &config("hidden"), "--data", "data", "--set", "data.validation=100"];
    let record = dir.json(&[&train[..], &["--set", "training.num_epochs=2"]].concat());
    let run = record["run"].as_str().unwrap();
    dir.json(&["evaluate", run]);
    dir.picture(format!("{run}/figures/confusion-test.png"));
    let answers = dir.json(&["predict", run, "--split", "validation", "--index", "3"]);
    assert_eq!(answers[0]["image"], json!("validation image 3"));
    let weights = dir.json(&["weights", run]);
    assert_eq!(weights["pictures"].as_array().unwrap().len(), 2, "128 neurons, 64 a sheet");
    let norms: Vec<f64> = weights["neurons"].as_array().unwrap().iter().map(|n| number(n, "norm")).collect();
    assert_eq!(norms.len(), 128);
    assert!(norms.windows(2).all(|pair| pair[0] >= pair[1]), "largest norm first: {norms:?}");
    for picture in weights["pictures"].as_array().unwrap() {
        dir.picture(picture.as_str().unwrap());
    }
    let checkpoint = format!("{run}/checkpoint/epoch-2");
    let of_checkpoint = dir.json(&["weights", &checkpoint]);
    let picture = of_checkpoint["pictures"][0].as_str().unwrap();
    assert!(picture.ends_with(&format!("{run}/figures/epoch-2-weights-1.png")), "{picture}");
    assert_eq!(of_checkpoint["neurons"], weights["neurons"]);
    dir.json(&["report", run]);
    let page = dir.json(&["compare", run, &dir.saved_run()]);
    assert_eq!(page["differences"][0]["key"], json!("data.source"));
}

/// Root may write anywhere, so a file takes the place of the folder of pictures.
#[test]
fn an_answer_is_not_lost_with_its_picture() {
    let dir = TestDir::new();
    let run = dir.saved_run();
    dir.write(&format!("{run}/figures"), "");
    dir.write(&format!("{run}/predictions"), "");
    for (command, pictures) in
        [(&["evaluate", &run][..], json!([])), (&["predict", &run, "--index", "0"], Value::Null)]
    {
        let output = dir.run(&[&["--json"], command].concat());
        assert_eq!(output.code, 0, "{}", output.stderr);
        assert!(output.stderr.contains("warning: cannot make the folder"), "{}", output.stderr);
        let record: Value = serde_json::from_str(&output.stdout).unwrap();
        let got = if record.is_array() { &record[0]["picture"] } else { &record["pictures"] };
        assert_eq!(*got, pictures);
    }
    dir.write("taken", "");
    for (command, shown, key) in [
        (&["weights", &run][..], "norm", "pictures"),
        (&["data", "--artifacts", "taken"], "first labels", "picture"),
        (&["data", "--index", "7", "--artifacts", "taken"], "label 3", "picture"),
        (
            &["lr-find", "--set", "training.num_epochs=1", "--steps", "100", "--artifacts", "taken"],
            "suggested learning rate",
            "page",
        ),
    ] {
        let output = dir.run(&[&["--json"], command].concat());
        assert_eq!(output.code, 0, "{}", output.stderr);
        let (answer, warning) = output.stderr.split_once("warning: cannot make").unwrap();
        assert!(answer.contains(shown) && warning.lines().count() == 1, "{}", output.stderr);
        let record: Value = serde_json::from_str(&output.stdout).unwrap();
        assert!(record[key].is_null() || record[key] == json!([]), "{record}");
    }
}

#[test]
fn indices_are_whole_numbers() {
    let dir = TestDir::new();
    let run = dir.saved_run();
    for command in [&["data", "--index", "-1"][..], &["predict", &run, "--index", "-1"]] {
        let output = dir.run(command);
        assert_eq!(output.code, 2);
        assert!(output.stderr.contains("'-1' for '--index <N>"), "{}", output.stderr);
        assert!(output.stderr.contains("expected a whole number from 0") && !output.stderr.contains("hint:"));
    }
}

#[test]
fn a_folder_of_runs_is_no_run_but_names_the_newest() {
    let dir = TestDir::new();
    dir.saved_run();
    for text in ["artifacts/softmax", "softmax"] {
        let output = dir.run(&["evaluate", text]);
        assert!(output.code == 1 && output.stderr.contains("`artifacts/softmax/saved`"), "{}", output.stderr);
    }
    let train = dir.run(&["train", "artifacts/softmax/saved"]);
    assert!(train.stderr.contains("hint: a run's experiment is its `artifacts/softmax/saved/config.toml`"));
}

#[test]
fn a_folder_that_is_no_run() {
    let dir = TestDir::new();
    fs::create_dir(dir.path().join("empty")).unwrap();
    let message = "`empty` is not a run folder\n\nhint: `smallnet runs` lists the runs; a run folder holds \
                   `config.toml` and `run.json`";
    for command in [
        &["evaluate", "empty"][..],
        &["predict", "empty", "--index", "0"],
        &["weights", "empty"],
        &["report", "empty"],
        &["compare", "empty", "empty"],
    ] {
        dir.run(command).assert_error(1, message);
    }
}
