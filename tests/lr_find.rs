//! `lr-find`: the learning-rate range test.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use common::{TestDir, config, number};
use serde_json::Value;

/// Returns the columns of the CSV file of a record.
fn points(dir: &TestDir, record: &Value) -> Vec<[f64; 4]> {
    let text = dir.read(record["points"].as_str().unwrap());
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("step,learning_rate,loss,smoothed_loss"));
    let row = |line: &str| line.split(',').map(|cell| cell.parse().unwrap()).collect::<Vec<_>>();
    lines.map(|line| row(line).try_into().unwrap()).collect()
}

#[test]
fn it_suggests_a_rate_that_trains_well() {
    let dir = TestDir::new();
    dir.digits(3000, 100);
    let arguments =
        ["lr-find", &config("hidden"), "--data", "data", "--set", "data.validation=1000", "--seed", "7"];
    let record = dir.json(&arguments);
    let suggestion = &record["suggestion"];
    let [rate, steepest, lowest, largest] =
        ["learning_rate", "steepest", "lowest", "largest"].map(|key| number(suggestion, key));
    assert!(1e-5 < steepest && steepest < rate && rate < lowest && lowest < largest, "{suggestion}");
    assert!((number(suggestion, "lowest_tenth") * 10.0 / lowest - 1.0).abs() < 1e-12);
    let half_way = (steepest * lowest).sqrt();
    assert!((rate / half_way - 1.0).abs() < 0.05, "{rate} is not {half_way} to two digits");

    let points = points(&dir, &record);
    assert_eq!(record["has_diverged"], true);
    assert_eq!(points.len(), record["num_steps"].as_u64().unwrap() as usize);
    // 2000 images in batches of 128 are 16 steps per epoch, so the test takes the minimum of 100
    // steps.
    let factor = 1e7f64.powf(1.0 / 99.0);
    for (index, [step, rate, loss, _]) in points.iter().enumerate() {
        assert_eq!(*step, (index + 1) as f64);
        assert!((rate / (1e-5 * factor.powi(index as i32)) - 1.0).abs() < 1e-9 && *loss > 0.0);
    }
    let [.., before, diverged] = points.as_slice() else { panic!("{points:?}") };
    let lowest_loss = points.iter().map(|point| point[3]).fold(f64::INFINITY, f64::min);
    assert!(diverged[3] > 4.0 * lowest_loss && before[3] <= 4.0 * lowest_loss, "{diverged:?}");
    assert_eq!(before[1], largest);
    let at_lowest = points.iter().find(|point| point[1] == lowest).unwrap();
    assert_eq!(at_lowest[3], lowest_loss);

    // The same command gives the same numbers with any test images. Another seed gives others.
    let csv = dir.read(record["points"].as_str().unwrap());
    dir.digits(3000, 50);
    dir.json(&arguments);
    assert_eq!(dir.read(record["points"].as_str().unwrap()), csv);
    dir.json(&[&arguments[..7], &["8"]].concat());
    assert_ne!(dir.read(record["points"].as_str().unwrap()), csv);

    // The suggestion trains better than a learning rate that is ten times larger or smaller.
    let accuracy = |rate: f64| {
        let setting = format!("optimizer.learning_rate={rate}");
        let train = ["train", &config("hidden"), "--data", "data", "--set", "data.validation=1000", "--set"];
        let epochs = [&setting, "--set", "training.num_epochs=3"];
        let run = dir.json(&[&train[..], &epochs].concat());
        number(dir.metrics(&run).last().unwrap(), "validation_accuracy")
    };
    let found = accuracy(rate);
    assert!(found > 0.85 && found > accuracy(rate * 10.0) && found > accuracy(rate / 10.0), "{found}");
}

/// Five of twelve images are held out. So exactly five images can be blanked without an effect.
#[test]
fn held_out_images_are_not_used() {
    let dir = TestDir::new();
    dir.digits(12, 10);
    let images = dir.path().join("data/train-images-idx3-ubyte");
    let whole = fs::read(&images).unwrap();
    let run = || {
        let held_out = ["--set", "data.validation=5", "--set", "data.stratified=false"];
        let output = dir.run(&[&["lr-find", "--data", "data", "--steps", "10"], &held_out[..]].concat());
        assert!(
            output.stdout.contains("7 training images, 5 held out"),
            "{}{}",
            output.stdout,
            output.stderr
        );
        dir.read("artifacts/lr-find/softmax.csv")
    };
    let undisturbed = run();
    let has_no_effect = |&image: &usize| {
        let mut blanked = whole.clone();
        blanked[16 + 784 * image..][..784].fill(0);
        fs::write(&images, blanked).unwrap();
        run() == undisturbed
    };
    assert_eq!((0..12).filter(has_no_effect).count(), 5);
}

#[test]
fn the_page_and_the_terminal_say_what_the_record_says() {
    let dir = TestDir::new();
    dir.digits(1000, 100);
    let settings = ["--set", "model.activation=tanh", "--set", "name=mine"];
    let arguments = [&["--backend", "ndarray", "lr-find", "--data", "data"], &settings[..]].concat();
    let record = dir.json(&arguments);
    assert_eq!(record["page"], "artifacts/lr-find/mine.html");
    assert_eq!(record["points"], "artifacts/lr-find/mine.csv");
    let output = dir.run(&arguments);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    let rate = number(&record["suggestion"], "learning_rate");
    let data = dir.path().join("data");
    let command = format!(
        "smallnet --backend ndarray train --set model.activation=tanh --set name=mine --data data --set optimizer.learning_rate={rate}"
    );
    let lines: Vec<_> = output.stdout.lines().collect();
    for line in [
        format!("suggested learning rate: {rate}, half-way between the steepest fall and the lowest loss"),
        format!("train with it: {command}"),
        "page: artifacts/lr-find/mine.html".to_owned(),
    ] {
        assert!(lines.contains(&line.as_str()), "no `{line}` in {}", output.stdout);
    }
    assert!(output.stdout.contains("lr 1e-5  "), "{}", output.stdout);
    // No run is saved and no other file is written.
    assert_eq!(fs::read_dir(dir.path().join("artifacts")).unwrap().count(), 1);
    assert_eq!(fs::read_dir(dir.path().join("artifacts/lr-find")).unwrap().count(), 2);

    let page = dir.read("artifacts/lr-find/mine.html");
    for text in [
        format!("<strong>{rate}</strong><span>suggested learning rate</span>"),
        format!("<pre>{command}</pre>"),
        "<svg".to_owned(),
        "Content-Security-Policy".to_owned(),
        format!("{}, 1,000 training images", data.canonicalize().unwrap().display()),
        "name = &quot;mine&quot;".to_owned(),
    ] {
        assert!(page.contains(&text), "`{text}` is missing");
    }
    // The printed command works.
    let words: Vec<_> = command.split(' ').skip(1).chain(["--set", "training.num_epochs=1"]).collect();
    dir.json(&words);
}

#[test]
fn without_a_descent_that_ends_nothing_is_suggested() {
    let dir = TestDir::new();
    dir.digits(1000, 100);
    for (arguments, why, hint) in [
        (
            &["--to", "0.1"] as &[&str],
            "the smoothed loss was still falling at the last learning rate",
            "end at a larger learning rate with `--to`",
        ),
        (
            &["--to", "1e-4"],
            "the smoothed loss fell by less than a tenth of itself at all learning rates",
            "end at a larger learning rate with `--to`, or take more steps with `--steps`",
        ),
        (
            &["--from", "100", "--to", "1000"],
            "the loss diverged without having fallen before",
            "start at a smaller learning rate with `--from`",
        ),
    ] {
        let output = dir.run(&[&["--json", "lr-find", "--data", "data"], arguments].concat());
        let error = format!("error: no learning rate can be suggested: {why}\n\nhint: {hint}\n");
        assert!(output.code == 1 && output.stderr.ends_with(&error), "{arguments:?}: {}", output.stderr);
        let record: Value = serde_json::from_str(output.stdout.trim()).unwrap();
        assert!(record["suggestion"].is_null(), "{record}");
        let page = dir.read(record["page"].as_str().unwrap());
        assert!(
            page.contains(&format!("No learning rate can be suggested: {why}.")) && page.contains("<svg")
        );
    }
}

#[test]
fn rates_and_steps_that_make_no_sense_are_wrong_usage() {
    let dir = TestDir::new();
    let rising =
        "\n\nhint: the learning rate rises from `--from` to `--to`; left out, they are 0.00001 and 100";
    let steps = "\n\nhint: left out, it is the steps of an epoch, from 100 to 500";
    for (arguments, message) in [
        (["--from", "0"], "`--from` is 0, expected a number above 0".to_owned()),
        (["--from", "-0.1"], "`--from` is -0.1, expected a number above 0".to_owned()),
        (["--from", "nan"], "`--from` is NaN, expected a number above 0".to_owned()),
        (["--to", "inf"], "`--to` is inf, expected a number above 0".to_owned()),
        (["--to", "0.00001"], format!("`--from` is 0.00001, expected less than `--to`, 0.00001{rising}")),
        (["--from", "200"], format!("`--from` is 200, expected less than `--to`, 100{rising}")),
        (["--steps", "9"], format!("`--steps` is 9, expected a whole number from 10 to 1000000{steps}")),
        (
            ["--steps", "1000001"],
            format!("`--steps` is 1000001, expected a whole number from 10 to 1000000{steps}"),
        ),
    ] {
        dir.run(&[&["lr-find"], &arguments[..]].concat()).assert_error(2, &message);
    }
    let output = dir.run(&["lr-find", "--from", "fast"]);
    assert_eq!(output.code, 2);
    assert!(
        output.stderr.starts_with("error: invalid value 'fast' for '--from <RATE>'"),
        "{}",
        output.stderr
    );
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "wrong usage left something behind");
}

#[test]
fn ctrl_c_ends_it_without_a_trace() {
    let dir = TestDir::new();
    dir.digits(1000, 100);
    let mut child = dir
        .command(&["lr-find", "--data", "data", "--steps", "1000000", "--to", "0.1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The header is printed, and then nothing before the result.
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let announced: Vec<String> = lines.by_ref().take(2).map(Result::unwrap).collect();
    assert!(announced[1].starts_with("data: "), "{announced:?}");
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest:?}");
    assert_eq!(rest, ["interrupted; nothing was written"]);
    assert!(!dir.path().join("artifacts").exists());
}
