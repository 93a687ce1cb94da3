//! `predict` on many images: the preparation of pictures, answers about all that can be read, and
//! the files with the predictions.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::fs;

use common::TestDir;
use image::{GrayImage, Luma};
use serde_json::Value;

/// Number of training images and of test images of the data sets.
const SIZES: [usize; 2] = [600, 120];

/// A data set made from real digits, and the pictures of its test images.
struct Variant {
    name: &'static str,
    side: u32,
    /// The value of an IDX file that stands for a pixel of MNIST.
    value: fn(u8) -> u8,
    /// The value of a PNG file for the value of an IDX file.
    png: fn(u8) -> u8,
    preparation: &'static str,
}

/// MNIST's images, images of ink on paper, images that the digit fills, and images with values from
/// 0 to 16, as PNG files with these values and with all of 0 to 255.
const VARIANTS: [Variant; 5] = [
    Variant { name: "digits", side: 28, value: |v| v, png: |v| v, preparation: "digits" },
    Variant { name: "dark", side: 28, value: |v| 255 - v, png: |v| v, preparation: "digits" },
    Variant { name: "filled", side: 18, value: |v| v, png: |v| v, preparation: "whole" },
    Variant { name: "sixteen", side: 18, value: |v| v / 16, png: |v| v, preparation: "whole" },
    Variant {
        name: "scaled",
        side: 18,
        value: |v| v / 16,
        png: |v| (f32::from(v) * 255.0 / 16.0).round() as u8,
        preparation: "whole",
    },
];

/// Writes a variant of real digits as IDX files, and its test images as PNG files. Returns the
/// names of these files.
fn write_variant(dir: &TestDir, variant: &Variant) -> Vec<String> {
    dir.digits(SIZES[0], SIZES[1]);
    let mut names = Vec::new();
    for (part, count) in ["train", "t10k"].into_iter().zip(SIZES) {
        let bytes = fs::read(dir.path().join(format!("data/{part}-images-idx3-ubyte"))).unwrap();
        let margin = (28 - variant.side) / 2;
        let pixel = |index: usize, x: u32, y: u32| {
            (variant.value)(bytes[16 + index * 784 + ((y + margin) * 28 + x + margin) as usize])
        };
        let mut file = vec![0, 0, 8, 3];
        for size in [count as u32, variant.side, variant.side] {
            file.extend(size.to_be_bytes());
        }
        for index in 0..count {
            file.extend((0..variant.side).flat_map(|y| (0..variant.side).map(move |x| pixel(index, x, y))));
        }
        dir.write(&format!("{}/{part}-images-idx3-ubyte", variant.name), file);
        let labels = fs::read(dir.path().join(format!("data/{part}-labels-idx1-ubyte"))).unwrap();
        dir.write(&format!("{}/{part}-labels-idx1-ubyte", variant.name), labels);
        if part == "t10k" {
            let folder = dir.path().join(format!("{}-png", variant.name));
            fs::create_dir_all(&folder).unwrap();
            for index in 0..count {
                let picture = GrayImage::from_fn(variant.side, variant.side, |x, y| {
                    Luma([(variant.png)(pixel(index, x, y))])
                });
                picture.save(folder.join(format!("{index}.png"))).unwrap();
                names.push(format!("{}-png/{index}.png", variant.name));
            }
        }
    }
    names
}

/// Trains a network for one epoch and returns its run.
fn train(dir: &TestDir, data: &str) -> String {
    let args = ["train", "--data", data, "--epochs", "1", "--lr", "0.1", "--set", "data.validation=0"];
    dir.json(&args)["run"].as_str().unwrap().to_owned()
}

/// Bits of the probabilities of each record.
fn probabilities(records: &Value) -> Vec<Vec<u64>> {
    let bits = |record: &Value| {
        let values = record["probabilities"].as_array().unwrap();
        values.iter().map(|value| value.as_f64().unwrap().to_bits()).collect()
    };
    records.as_array().unwrap().iter().map(bits).collect()
}

#[test]
fn a_picture_of_a_test_image_gets_the_answer_of_that_image() {
    for variant in &VARIANTS {
        let dir = TestDir::new();
        let files = write_variant(&dir, variant);
        let run = train(&dir, variant.name);
        let info: Value = serde_json::from_str(&dir.read(format!("{run}/run.json"))).unwrap();
        assert_eq!(info["data"]["preparation"], variant.preparation, "{}", variant.name);
        let by_index = dir.json(&["predict", &run, "--split", "test", "--pictures=0"]);
        let folder = format!("{}-png", variant.name);
        let by_file = dir.json(&["predict", &run, &folder, "--pictures=0"]);
        assert_eq!(by_file.as_array().unwrap().len(), SIZES[1]);
        for (record, file) in by_file.as_array().unwrap().iter().zip(&files) {
            assert_eq!((&record["image"], &record["preparation"]), (&file[..].into(), &"none".into()));
        }
        assert!(probabilities(&by_index) == probabilities(&by_file), "{}", variant.name);
    }
}

/// A run of an earlier version says nothing about its training images: they count as digits.
#[test]
fn old_runs_take_pictures_like_those_of_mnist_as_they_are() {
    let dir = TestDir::new();
    let run = dir.saved_run();
    let files = write_variant(&dir, &VARIANTS[0]);
    let by_index = dir.json(&["predict", &run, "--data", "data", "--index", "0-9"]);
    let by_file =
        dir.json(&[&["predict", &run][..], &files[..10].iter().map(|f| &f[..]).collect::<Vec<_>>()].concat());
    assert_eq!(probabilities(&by_index), probabilities(&by_file));
    assert_eq!(by_file[0]["preparation"], "none");
}

#[test]
fn a_picture_that_cannot_be_read_costs_no_other_its_answer() {
    let dir = TestDir::new();
    let run = dir.saved_run();
    let files = write_variant(&dir, &VARIANTS[0]);
    dir.write("many/broken.png", "no picture");
    GrayImage::from_pixel(40, 30, Luma([255])).save(dir.path().join("many/blank.png")).unwrap();
    for (index, name) in ["7/1.png", "9.png", "10.png"].into_iter().enumerate() {
        let bytes = fs::read(dir.path().join(&files[index])).unwrap();
        dir.write(&format!("many/{name}"), bytes);
    }
    let output = dir.run(&["--json", "predict", &run, "many", "missing.png", "--csv", "out.csv"]);
    assert_eq!(output.code, 1);
    let records: Value = serde_json::from_str(&output.stdout).unwrap();
    let records = records.as_array().unwrap();
    let names: Vec<&str> = records.iter().map(|record| record["image"].as_str().unwrap()).collect();
    let expected =
        ["many/9.png", "many/10.png", "many/blank.png", "many/broken.png", "many/7/1.png", "missing.png"];
    assert_eq!(names, expected);
    for (record, is_predicted) in records.iter().zip([true, true, false, false, true, false]) {
        assert_eq!(record["predicted"].is_u64(), is_predicted, "{record}");
        assert_eq!(record["error"].is_string(), !is_predicted, "{record}");
    }
    // The folder's name is that of a class.
    assert_eq!((&records[0]["label"], &records[4]["label"]), (&Value::Null, &7.into()));
    assert_eq!(output.stderr.matches("error: ").count(), 3, "{}", output.stderr);
    for reason in ["`many/blank.png`: all its pixels", "`many/broken.png` is not a PNG", "read `missing.png`"]
    {
        assert!(output.stderr.contains(reason), "{}", output.stderr);
    }
    assert!(
        output
            .stderr
            .contains("\n3 images predicted, 1 of 1 with a label right (100.0 %), 3 cannot be read\n")
    );
    let rows = csv_rows(&dir, "out.csv");
    assert_eq!(rows.len(), 7);
    assert_eq!(
        (&rows[3][0][..], &rows[3][1..17], rows[3][17].contains("all its pixels")),
        ("many/blank.png", &vec![String::new(); 16][..], true)
    );
    assert_eq!(rows[5][..3], ["many/7/1.png", "7", "7"]);
    // A pattern, and a folder in which nothing can be read.
    assert_eq!(dir.json(&["predict", &run, "many/[0-9]*.png"]).as_array().unwrap().len(), 2);
    let nothing = dir.run(&["predict", &run, "many/b*"]);
    assert_eq!((nothing.code, &nothing.stdout[..]), (1, "0 images predicted, 2 cannot be read\n"));
}

/// Rows of a CSV file without quotes, with the header.
fn csv_rows(dir: &TestDir, name: &str) -> Vec<Vec<String>> {
    let text = dir.read(name);
    text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

#[test]
fn all_images_of_a_split_in_a_csv_file_and_in_a_submission() {
    let dir = TestDir::new();
    dir.digits(SIZES[0], SIZES[1]);
    // Labels that are not the indices of the classes, and test images without labels.
    let labels = fs::read(dir.path().join("data/train-labels-idx1-ubyte")).unwrap();
    let codes: Vec<u8> =
        labels.iter().enumerate().map(|(index, &byte)| if index < 8 { byte } else { byte + 48 }).collect();
    dir.write("data/train-labels-idx1-ubyte", codes);
    fs::remove_file(dir.path().join("data/t10k-labels-idx1-ubyte")).unwrap();
    let run = train(&dir, "data");
    let args = ["predict", &run, "--split", "test", "--csv", "out.csv", "--submission", "kaggle.csv"];
    let records = dir.json(&args);
    let records = records.as_array().unwrap();
    let (rows, submission) = (csv_rows(&dir, "out.csv"), csv_rows(&dir, "kaggle.csv"));
    assert_eq!((records.len(), rows.len(), submission.len()), (SIZES[1], SIZES[1] + 1, SIZES[1] + 1));
    let header = "image,label,predicted,confidence,runner_up,runner_up_confidence,p_48,p_49,p_50,p_51,p_52,p_53,p_54,p_55,p_56,p_57,warning,error";
    assert_eq!(rows[0].join(","), header);
    assert_eq!(submission[0], ["ImageId", "Label"]);
    for (index, record) in records.iter().enumerate() {
        let row = &rows[index + 1];
        let name = record["predicted_name"].as_str().unwrap();
        assert_eq!(
            (&row[0][..], &row[1][..], &row[2][..], &row[17][..]),
            (&index.to_string()[..], "", name, "")
        );
        assert_eq!(submission[index + 1], [(index + 1).to_string(), name.to_owned()]);
        let numbers: Vec<f64> = row[6..16].iter().map(|cell| cell.parse().unwrap()).collect();
        assert_eq!(
            probabilities(&Value::Array(vec![record.clone()]))[0],
            numbers.iter().map(|n| n.to_bits()).collect::<Vec<_>>()
        );
        // The runner-up is the second largest of all.
        let mut sorted = numbers.clone();
        sorted.sort_by(|a, b| b.total_cmp(a));
        assert_eq!([3, 5].map(|cell| row[cell].parse::<f64>().unwrap()), sorted[..2]);
        let place: BTreeMap<&str, f64> = rows[0][6..16].iter().map(|p| &p[2..]).zip(numbers).collect();
        assert_eq!(place[&row[4][..]], sorted[1]);
        // Pictures of the first 20 answers, and no more.
        assert_eq!(record["picture"].is_string(), index < 20, "{record}");
    }
    let drawn = |run: &str| fs::read_dir(dir.path().join(run).join("predictions")).unwrap().count();
    assert_eq!(drawn(&run), 20);
    let output = dir.run(&["predict", &run, "--split", "test"]);
    assert_eq!(output.stdout.lines().filter(|line| line.starts_with(" test image ")).count(), 100);
    assert!(output.stdout.contains("\n20 more images are not shown; `--csv FILE` writes all of them\n"));
    assert!(output.stdout.contains("\nthe other 100 answers have no picture; `--pictures` draws all\n"));
    assert!(output.stdout.ends_with("\n120 images predicted\n"), "{}", output.stdout);
    dir.run(&["predict", &run, "--index", "20-59", "70,71", "--pictures"]);
    assert_eq!(drawn(&run), 20 + 42);
    // Nothing is written if an index is wrong.
    let output = dir.run(&["predict", &run, "--index", "0-120", "--csv", "none.csv"]);
    output.assert_error(1, "there is no image 120 in the test split: it has 120 images, 0 to 119");
    assert!(!dir.path().join("none.csv").exists());
    let output = dir.run(&["predict", &run, "--index", "0", "--csv", "no/such.csv"]);
    output.assert_error(
        1,
        "cannot write `no/such.csv`: there is no folder `no`\n\nhint: make the folder first",
    );
}

#[test]
fn the_user_can_ask_for_a_preparation() {
    let dir = TestDir::new();
    let run = dir.saved_run();
    let files = write_variant(&dir, &VARIANTS[0]);
    let picture = image::open(dir.path().join(&files[0])).unwrap();
    picture
        .resize_exact(56, 56, image::imageops::FilterType::Nearest)
        .save(dir.path().join("large.png"))
        .unwrap();
    for (how, said) in [("digits", "prepared as a digit"), ("whole", "resized as a whole")] {
        let output = dir.run(&["predict", &run, "large.png", "--prepare", how]);
        assert_eq!(output.code, 0, "{}", output.stderr);
        assert!(output.stdout.contains(&format!("\nthe picture was {said}")), "{}", output.stdout);
        assert_eq!(dir.json(&["predict", &run, "large.png", "--prepare", how])[0]["preparation"], how);
    }
    let output = dir.run(&["predict", &run, "large.png", "--prepare", "none"]);
    assert!(output.stderr.contains("has 56x56 pixels (height x width), expected 28x28"), "{}", output.stderr);
    assert_eq!(dir.run(&["predict", &run, "--index", "0", "--prepare", "whole"]).code, 2);
}
