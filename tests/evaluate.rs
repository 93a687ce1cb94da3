//! `smallnet evaluate` and `smallnet runs`: saved networks and damaged ones.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::PathBuf;

use common::{TestDir, number};
use serde_json::Value;

/// Trains a small run in a temporary folder.
fn train_small_run() -> (TestDir, Value, PathBuf) {
    let dir = TestDir::new();
    dir.digits(1000, 200);
    let record = dir.json(&[
        "train",
        "--data",
        "data",
        "--set",
        "data.validation=200",
        "--set",
        "training.num_epochs=3",
        "--set",
        "model.hidden=[16]",
        "--set",
        "optimizer.learning_rate=0.1",
    ]);
    let folder = dir.run_folder(&record);
    (dir, record, folder)
}

#[test]
fn a_saved_network_gives_exactly_what_training_printed() {
    let dir = TestDir::new();
    let trained = dir.json(&["train", "--set", "training.num_epochs=2"]);
    let run = trained["run"].as_str().unwrap();
    for name in [run, "latest", run.rsplit('/').next().unwrap(), &format!("{run}/model.bpk")] {
        let evaluated = dir.json(&["evaluate", name]);
        assert_eq!(evaluated["accuracy"], trained["test_accuracy"], "{name}");
        assert_eq!(evaluated["loss"], trained["test_loss"], "{name}");
        assert_eq!(evaluated["split"], "test");
        assert_eq!(evaluated["num_images"], 10_000);
    }
}

#[test]
fn every_split_and_checkpoint_can_be_evaluated() {
    let (dir, record, folder) = train_small_run();
    let run = folder.to_str().unwrap();
    let images = |split| dir.json(&["evaluate", run, "--split", split])["num_images"].clone();
    assert_eq!([images("test"), images("validation"), images("train")], [200, 200, 800]);
    // The last epoch's validation loss was measured with the weights that are evaluated here.
    let checkpoint = folder.join("checkpoint/epoch-3");
    let last = dir.json(&["evaluate", checkpoint.to_str().unwrap(), "--split", "validation"]);
    let noted = &dir.metrics(&record)[2];
    assert!((number(&last, "loss") - number(noted, "validation_loss")).abs() < 1e-6, "{last} {noted}");
    assert_eq!(last["accuracy"], noted["validation_accuracy"]);
}

#[test]
fn a_network_can_be_tested_on_other_data() {
    let (dir, record, folder) = train_small_run();
    let other = TestDir::new();
    other.digits(100, 50);
    let data = other.path().join("data");
    let evaluated = dir.json(&["evaluate", folder.to_str().unwrap(), "--data", data.to_str().unwrap()]);
    assert_eq!(evaluated["num_images"], 50);
    assert_eq!(record["status"], "finished");
}

#[test]
fn a_missing_run_is_named() {
    let dir = TestDir::new();
    dir.run(&["evaluate", "nothing"]).assert_error(
        1,
        "`nothing` does not exist\n\nhint: `smallnet runs` lists the runs; a run folder holds `config.toml` and \
         `run.json`",
    );
    fs::create_dir(dir.path().join("empty")).unwrap();
    dir.run(&["evaluate", "empty"]).assert_error(
        1,
        "`empty` is not a run folder\n\nhint: `smallnet runs` lists the runs; a run folder holds `config.toml` \
         and `run.json`",
    );
    dir.run(&["evaluate", "latest"])
        .assert_error(1, "there is no run in `artifacts` yet\n\nhint: `smallnet train` makes one");
    let stray = dir.write("stray.bpk", "");
    dir.run(&["evaluate", stray.to_str().unwrap()]).assert_error(
        1,
        &format!(
            "the checkpoint `{}` is not in a run folder\n\nhint: its network is described by the `config.toml` of \
             its run: leave it in there",
            stray.display()
        ),
    );
}

#[test]
fn damaged_weights_are_refused_wherever_the_damage_is() {
    let (dir, _, folder) = train_small_run();
    let path = dir.path().join(folder.join("model.bpk"));
    let whole = fs::read(&path).unwrap();
    for place_of_damage in 0..40 {
        let mut bytes = whole.clone();
        bytes[place_of_damage * (whole.len() - 1) / 39] ^= 0x10;
        fs::write(&path, bytes).unwrap();
        // The check is the same for the run folder and for the file.
        let name = if place_of_damage % 2 == 0 { folder.clone() } else { folder.join("model.bpk") };
        let output = dir.run(&["evaluate", name.to_str().unwrap()]);
        assert_eq!(
            output.code, 1,
            "damage {place_of_damage} went unnoticed: {}{}",
            output.stdout, output.stderr
        );
        let first = output.stderr.lines().next().unwrap();
        assert!(first.starts_with("error: ") && first.contains("model.bpk"), "{}", output.stderr);
        assert!(!output.stderr.contains("panicked"), "{}", output.stderr);
    }
    for length in [0, 1, 7, 100, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        let output = dir.run(&["evaluate", folder.to_str().unwrap()]);
        assert_eq!(output.code, 1, "{length} bytes: {}{}", output.stdout, output.stderr);
        assert!(output.stderr.starts_with("error: cannot load `"), "{length} bytes: {}", output.stderr);
    }
    fs::remove_file(&path).unwrap();
    let output = dir.run(&["evaluate", folder.to_str().unwrap()]);
    output.assert_error(
        1,
        &format!(
            "`{}` has no trained weights: its `model.bpk` is gone\n\nhint: a run saves them when it ends; its last checkpoint \
             can be evaluated too: `{}`",
            folder.display(),
            folder.join("checkpoint/epoch-3").display()
        ),
    );
}

#[test]
fn weights_of_another_network_are_refused() {
    let (dir, _, other) = train_small_run();
    let record = dir.json(&[
        "train",
        "--data",
        "data",
        "--set",
        "training.num_epochs=1",
        "--set",
        "model.hidden=[12]",
    ]);
    let folder = dir.run_folder(&record);
    fs::copy(dir.path().join(other.join("model.bpk")), dir.path().join(folder.join("model.bpk"))).unwrap();
    let output = dir.run(&["evaluate", folder.to_str().unwrap()]);
    output.assert_error(
        1,
        &format!(
            "`{}` holds the weights of another network: layers.0.weight: shape mismatch, expected [784, 12] but \
             record has [784, 16]\n\nhint: is it the file that this run saved?",
            folder.join("model.bpk").display()
        ),
    );
}

/// `latest` must not skip a damaged run and name an older one.
#[test]
fn the_latest_run_is_the_latest_even_if_damaged() {
    let (dir, _, older) = train_small_run();
    let newer = dir.json(&["train", "--data", "data", "--set", "training.num_epochs=1"]);
    let newer = dir.run_folder(&newer);
    let message = format!("`{}` is damaged: ", newer.join("run.json").display());
    dir.write(newer.join("run.json").to_str().unwrap(), "{");
    let id = newer.file_name().unwrap().to_str().unwrap();
    for text in ["latest", id] {
        let output = dir.run(&["evaluate", text]);
        assert!(output.code == 1 && output.stderr.contains(&message), "{}", output.stderr);
    }
    assert_eq!(dir.run(&["evaluate", older.file_name().unwrap().to_str().unwrap()]).code, 0);
    // Folders that are no runs do not disturb.
    fs::remove_dir_all(dir.path().join(&newer)).unwrap();
    fs::create_dir_all(dir.path().join("artifacts/zzz/zzz")).unwrap();
    assert_eq!(dir.run(&["evaluate", "latest"]).code, 0);
}

#[test]
fn a_file_that_no_digest_belongs_to_is_not_taken_for_weights() {
    let (dir, _, folder) = train_small_run();
    fs::copy(dir.path().join(folder.join("model.bpk")), dir.path().join(folder.join("copy.bpk"))).unwrap();
    for name in ["checkpoint/epoch-3/optimizer.bpk", "copy.bpk"] {
        let output = dir.run(&["evaluate", folder.join(name).to_str().unwrap()]);
        assert_eq!(output.code, 1, "{}", output.stdout);
        assert!(
            output.stderr.contains(&format!("{name}` is neither the weights of the run `")),
            "{}",
            output.stderr
        );
    }
}

#[test]
fn a_checkpoint_under_another_name_is_refused() {
    let (dir, _, folder) = train_small_run();
    let checkpoints = dir.path().join(folder).join("checkpoint");
    fs::rename(checkpoints.join("epoch-3"), checkpoints.join("epoch-4")).unwrap();
    let output = dir.run(&["evaluate", checkpoints.join("epoch-4").to_str().unwrap()]);
    assert!(output.stderr.ends_with("/state.json` is damaged: it is of epoch-3\n"), "{}", output.stderr);
}

#[test]
fn a_changed_data_set_is_noticed() {
    let (dir, _, folder) = train_small_run();
    let run = folder.to_str().unwrap();
    let path = dir.path().join("data/t10k-images-idx3-ubyte");
    let mut bytes = fs::read(&path).unwrap();
    bytes[16..16 + 78_400].fill(0);
    fs::write(&path, bytes).unwrap();
    let output = dir.run(&["evaluate", run]);
    assert_eq!(output.code, 1);
    assert!(output.stderr.contains("has changed: its digest is "), "{}", output.stderr);
    assert!(
        output.stderr.contains("hint: to evaluate on it as it is, say so: `--data "),
        "{}",
        output.stderr
    );
    assert_eq!(dir.json(&["evaluate", run, "--data", "data"])["num_images"], 200);
}

#[test]
fn a_saved_network_is_evaluated_on_the_backend_that_trained_it() {
    let dir = TestDir::new();
    dir.digits(1000, 200);
    let trained = dir.json(&["--backend", "ndarray", "train", "--data", "data"]);
    let evaluated = dir.json(&["evaluate", trained["run"].as_str().unwrap()]);
    assert_eq!(evaluated["loss"], trained["test_loss"]);
}

#[test]
fn a_run_without_held_out_images_says_so() {
    let dir = TestDir::new();
    dir.digits(300, 100);
    let record = dir.json(&["train", "--data", "data", "--set", "training.num_epochs=1"]);
    let run = record["run"].as_str().unwrap();
    dir.run(&["evaluate", run, "--split", "validation"]).assert_error(
        1,
        "there are no validation images: the run held none out\n\nhint: hold some out when training: `smallnet train \
         --set data.validation=10000`",
    );
}

#[test]
fn runs_lists_every_run() {
    let dir = TestDir::new();
    assert_eq!(dir.run(&["runs"]).stdout, "no runs in artifacts yet; next: smallnet train\n");
    dir.digits(300, 100);
    for (name, backend) in [("first", "flex"), ("second", "ndarray")] {
        dir.json(&["--backend", backend, "train", "--data", "data", "--name", name]);
    }
    // The list leaves out a folder that is no run, and names it in a warning.
    fs::create_dir_all(dir.path().join("artifacts/second/stray")).unwrap();
    let output = dir.run(&["runs"]);
    assert_eq!(output.code, 0);
    assert!(output.stderr.starts_with("warning: left out: `artifacts/second/stray` is not a run folder"));
    let lines: Vec<Vec<&str>> = output.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["experiment", "run", "(UTC)", "backend", "status", "accuracy", "parameters"]);
    assert_eq!((lines[1][0], lines[1][2], lines[1][3], lines[1][5]), ("first", "flex", "finished", "7,850"));
    assert_eq!(
        (lines[2][0], lines[2][2], lines[2][3], lines[2][5]),
        ("second", "ndarray", "finished", "7,850")
    );
    assert_eq!(lines.len(), 3);

    let records = dir.json(&["runs"]);
    assert_eq!(records.as_array().unwrap().len(), 2);
    assert_eq!(records[1]["experiment"], "second");
    assert_eq!(records[1]["summary"]["num_parameters"], 7850);
}

/// Probabilities of all classes and the true class of each test image, as `predict` writes them.
fn probabilities(dir: &TestDir, run: &str) -> Vec<(Vec<f64>, usize)> {
    dir.json(&["predict", run, "--split", "test", "--csv", "predictions.csv"]);
    let text = dir.read("predictions.csv");
    let header: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    let truth = header.iter().position(|name| *name == "label").unwrap();
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        let values = header.iter().zip(&cells).filter(|(name, _)| name.starts_with("p_"));
        (values.map(|(_, cell)| cell.parse().unwrap()).collect(), cells[truth].parse().unwrap())
    };
    text.lines().skip(1).map(row).collect()
}

/// Position of the largest value.
fn largest(values: &[f64]) -> usize {
    (0..values.len()).max_by(|&a, &b| values[a].total_cmp(&values[b])).unwrap()
}

/// Three networks, two of which share an experiment and one has another shape. The means are taken
/// from the probabilities that `predict` writes.
#[test]
fn an_ensemble_has_the_mean_probabilities_of_its_networks() {
    let dir = TestDir::new();
    let runs = [&["--seed", "1"][..], &["--seed", "2"], &["--set", "model.hidden=[16]", "--name", "wide"]]
        .map(|more| dir.small_run("softmax", more));
    let files = || -> Vec<PathBuf> {
        let folders = runs.iter().map(|run| fs::read_dir(dir.path().join(run)).unwrap());
        folders.flatten().map(|entry| entry.unwrap().path()).collect()
    };
    let before = files();
    let record = dir.json(&["evaluate", &runs[0], &runs[1], &runs[2]]);
    assert_eq!(files(), before, "nothing is written into the folders of the runs");

    let members = [0, 1, 2].map(|index| probabilities(&dir, &runs[index]));
    let (mut loss, mut ensemble_wrong) = (0.0, Vec::new());
    let mut wrong = [Vec::new(), Vec::new(), Vec::new()];
    for image in 0..200 {
        let truth = members[0][image].1;
        let mean: Vec<f64> = (0..10)
            .map(|class| members.iter().map(|member| member[image].0[class]).sum::<f64>() / 3.0)
            .collect();
        loss -= mean[truth].ln() / 200.0;
        if largest(&mean) != truth {
            ensemble_wrong.push(image);
        }
        for (member, wrong) in members.iter().zip(&mut wrong) {
            if largest(&member[image].0) != truth {
                wrong.push(image);
            }
        }
    }
    assert_eq!(record["misclassified"], serde_json::json!(ensemble_wrong));
    let accuracy = |wrong: &[usize]| 1.0 - wrong.len() as f64 / 200.0;
    assert!((number(&record, "loss") - loss).abs() < 1e-9, "{loss} {record}");
    assert!((number(&record, "accuracy") - accuracy(&ensemble_wrong)).abs() < 1e-12);
    assert_eq!((&record["split"], &record["num_images"]), (&"test".into(), &200.into()));
    let mut sum = 0.0;
    for (index, wrong) in wrong.iter().enumerate() {
        let member = &record["members"][index];
        assert_eq!(member["run"], runs[index]);
        let alone = dir.json(&["evaluate", &runs[index]]);
        assert_eq!((&member["accuracy"], &member["loss"]), (&alone["accuracy"], &alone["loss"]));
        let test = &member["against_ensemble"];
        let lacks = |image: &&usize, other: &[usize]| !other.contains(image);
        let only_member = ensemble_wrong.iter().filter(|image| lacks(image, wrong)).count();
        let only_ensemble = wrong.iter().filter(|image| lacks(image, &ensemble_wrong)).count();
        assert_eq!(
            (&test["only_this_right"], &test["only_first_right"]),
            (&only_member.into(), &only_ensemble.into())
        );
        assert!((number(test, "difference") - accuracy(wrong) + accuracy(&ensemble_wrong)).abs() < 1e-12);
        sum += accuracy(wrong);
    }
    assert!((number(&record, "mean_accuracy") - sum / 3.0).abs() < 1e-12);

    let output = dir.run(&["evaluate", &runs[0], &runs[1], &runs[2]]);
    let first = output.stdout.lines().next().unwrap();
    assert!(first.ends_with("on 200 images, with the mean probabilities of 3 networks"), "{first}");
    let id = |run: &str| run.rsplit('/').next().unwrap().to_owned();
    for name in [format!(" softmax {} ", id(&runs[0])), " wide ".to_owned(), " ensemble ".to_owned()] {
        assert!(output.stdout.contains(&name), "{name}: {}", output.stdout);
    }
}

#[test]
fn networks_that_are_no_ensemble_are_named() {
    let dir = TestDir::new();
    let [one, two] = ["1", "2"].map(|seed| dir.small_run("softmax", &["--seed", seed]));
    dir.run(&["evaluate", &one, &two, &one]).assert_error(
        2,
        &format!("`{one}` is named twice\n\nhint: an ensemble is of different networks; `smallnet runs` lists the runs"),
    );
    dir.run(&["evaluate", &one, &two, "--split", "validation"]).assert_error(
        2,
        &format!(
            "the validation images of `{two}` are not those of `{one}`\n\nhint: runs of other seeds hold other images out of \
             their training; `--split test` is the same for all"
        ),
    );
    let hint = "hint: an ensemble is of networks for the same images and classes";
    // Another size, another name of a class, other test images.
    for (part, count) in [("train", 60_u32), ("t10k", 20)] {
        let numbers = |numbers: &[u32]| -> Vec<u8> { numbers.iter().flat_map(|n| n.to_be_bytes()).collect() };
        let pixels = (0..count * 196).map(|index| (index % 251) as u8);
        let images = numbers(&[0x803, count, 14, 14]).into_iter().chain(pixels).collect::<Vec<_>>();
        let labels = (0..count).map(|index| (index % 10) as u8);
        let labels = numbers(&[0x801, count]).into_iter().chain(labels).collect::<Vec<_>>();
        dir.write(&format!("tiny/{part}-images-idx3-ubyte"), images);
        dir.write(&format!("tiny/{part}-labels-idx1-ubyte"), labels);
    }
    let tiny = dir.json(&["train", "--data", "tiny", "--set", "training.num_epochs=1"]);
    let tiny = tiny["run"].as_str().unwrap();
    dir.run(&["evaluate", &one, tiny])
        .assert_error(2, &format!("`{tiny}` takes images of 14x14 pixels, and `{one}` of 28x28\n\n{hint}"));
    let info = dir.path().join(&two).join("run.json");
    let text = fs::read_to_string(&info).unwrap();
    let mut changed: Value = serde_json::from_str(&text).unwrap();
    changed["data"]["class_names"][3] = "three".into();
    fs::write(&info, changed.to_string()).unwrap();
    dir.run(&["evaluate", &one, &two])
        .assert_error(2, &format!("`{two}` calls class 3 `three`, and `{one}` calls it `3`\n\n{hint}"));
    fs::write(&info, text).unwrap();
    dir.digits(600, 150);
    let other = dir.json(&["train", "--data", "data", "--set", "training.num_epochs=1", "--name", "other"]);
    let other = other["run"].as_str().unwrap();
    let output = dir.run(&["evaluate", other, &two]);
    assert_eq!(output.code, 1, "{}", output.stderr);
    assert!(output.stderr.contains("has changed: its digest is "), "{}", output.stderr);
    // On one data set, they are an ensemble.
    let data = dir.json(&["evaluate", other, &two, "--data", "data"]);
    assert_eq!(data["num_images"], 150);
}

#[test]
fn a_study_has_no_networks_for_an_ensemble_and_says_what_has() {
    let dir = TestDir::new();
    dir.digits(300, 100);
    dir.write(
        "study.toml",
        "name = \"s\"\nseeds = [1, 2]\n[set]\ndata.source = \"data\"\ndata.validation = 100\ntraining.num_epochs = 1\n\
         [vary]\noptimizer.learning_rate = [0.1]\n",
    );
    assert_eq!(dir.run(&["study", "study.toml", "--no-test"]).code, 0);
    for name in ["artifacts/studies/s", "s"] {
        let output = dir.run(&["evaluate", name]);
        assert_eq!(output.code, 1);
        assert!(output.stderr.contains("it is a study, whose trials keep no weights"), "{}", output.stderr);
    }
}
