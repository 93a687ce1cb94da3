//! `smallnet study`: trials, cross-validation, trained in batches or separately, killed and
//! resumed.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{CommandOutput, Rng, TestDir, number};
use serde_json::Value;

/// Small cross-validation: four learning rates in three folds, twelve trials.
const RATES: &str = "name = \"rates\"\nfolds = 3\n[set]\ntraining.num_epochs = 2\ntraining.batch_size = 32\n\
                     [vary]\noptimizer.learning_rate = [0.01, 0.1, 0.5, 30.0]\n";

fn study(dir: &TestDir, extra: &[&str]) -> Value {
    dir.json(&[&["study", "rates.toml", "--data", "data"], extra].concat())
}

/// Returns the rows of a study's CSV file without their times.
fn rows(dir: &TestDir, folder: &str) -> Vec<Vec<String>> {
    dir.study_rows(folder)
}

#[test]
fn side_by_side_gives_what_one_by_one_gives() {
    let dir = TestDir::new();
    dir.digits(1500, 200);
    dir.write("rates.toml", RATES);
    let stacked = study(&dir, &[]);
    let separate = study(&dir, &["--separate", "--artifacts", "separate"]);
    let settings = |record: &Value| record["summary"]["settings"].as_array().unwrap().clone();
    assert_eq!(settings(&stacked).len(), 4);
    for (stacked, separate) in settings(&stacked).iter().zip(&settings(&separate)) {
        // At the absurd learning rate of 30, rounding errors grow to visible differences.
        let rate = stacked["setting"]["values"][0][1].as_str().unwrap();
        let tolerance = if rate == "30.0" { 0.2 } else { 0.002 };
        assert!(
            (number(stacked, "mean") - number(separate, "mean")).abs() <= tolerance,
            "{stacked} {separate}"
        );
    }
    assert_eq!(stacked["summary"]["best"], separate["summary"]["best"]);
    // Both studies train the best model in the same way: on all images, tested once.
    assert_eq!(stacked["result"]["weights_sha256"], separate["result"]["weights_sha256"]);
    let trials = |folder: &str| -> Vec<Value> {
        let text = dir.read(format!("{folder}/studies/rates/trials.jsonl"));
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    assert!(trials("artifacts").iter().all(|trial| trial["stacked"] == true));
    assert!(trials("separate").iter().all(|trial| trial["stacked"] == false));
    for trial in trials("artifacts") {
        assert_eq!(trial["num_images"], serde_json::json!([1000, 500]));
        assert_eq!(trial["steps_per_epoch"], 32);
        assert_eq!(trial["epochs"].as_array().unwrap().len(), 2);
    }
}

#[test]
fn the_same_study_gives_the_same_results() {
    let dir = TestDir::new();
    dir.digits(600, 100);
    dir.write("rates.toml", RATES);
    study(&dir, &[]);
    study(&dir, &["--artifacts", "again"]);
    assert_eq!(rows(&dir, "artifacts/studies/rates"), rows(&dir, "again/studies/rates"));
}

/// Makes a study of three learning rates in five folds whose trials had these accuracies, with 400
/// training images and 100 validation images each.
fn study_of(dir: &TestDir, extra: &str, accuracies: [[f64; 5]; 3]) -> Value {
    dir.digits(500, 100);
    dir.write(
        "s.toml",
        format!(
            "folds = 5\n{extra}\n[set]\ntraining.num_epochs = 1\n[vary]\noptimizer.learning_rate = [0.1, 0.2, 0.3]\n"
        ),
    );
    let listed = dir.json(&["study", "s.toml", "--data", "data", "--dry-run"]);
    let trials = listed["trials"].as_array().unwrap().iter().zip(accuracies.into_iter().flatten());
    let line = |(index, (trial, accuracy)): (usize, (&Value, f64))| {
        let rate = ["0.1", "0.2", "0.3"][index / 5];
        let record = serde_json::json!({
            "id": trial["id"], "setting": {"values": [["optimizer.learning_rate", rate]]}, "seed": 42,
            "fold": index % 5, "end": "finished", "message": null, "accuracy": accuracy, "loss": 0.5, "epoch": 1,
            "num_images": [400, 100], "num_parameters": 7850, "steps_per_epoch": 4, "stacked": false, "epochs": [],
        });
        record.to_string() + "\n"
    };
    let lines: String = trials.enumerate().map(line).collect();
    dir.write("artifacts/studies/s/trials.jsonl", lines);
    dir.json(&["study", "s.toml", "--data", "data"])
}

/// One learning rate is worse in five of five folds by 4 to 23 percentage points. The interval of
/// the difference contains 0, since the spread is large. `tests/reference/statistics.py` has the
/// probabilities from scipy and baycomp.
#[test]
fn what_is_worse_every_time_is_never_called_equal() {
    let dir = TestDir::new();
    let best = [0.90, 0.91, 0.92, 0.93, 0.94];
    let scattered = [0.86, 0.78, 0.69, 0.85, 0.83];
    let near_chance = [0.90, 0.905, 0.10, 0.925, 0.93];
    let record = study_of(&dir, "", [best, scattered, near_chance]);
    let settings = record["summary"]["settings"].as_array().unwrap();
    let comparison = &settings[1]["comparison"];
    assert_eq!(comparison["verdict"], "probably-worse");
    for (key, expected) in
        [("worse", 0.961_411_097_5), ("equal", 0.007_766_248_6), ("better", 0.030_822_653_9)]
    {
        assert!((number(comparison, key) - expected).abs() < 1e-8, "{comparison}");
    }
    // The fields for scripts are those of earlier versions.
    assert!((number(&settings[1]["standing"]["not-worse"], "difference") - 0.118).abs() < 1e-12);
    assert_eq!(settings[2]["comparison"]["verdict"], "undecided");
    assert_eq!(settings[2]["unstable"]["reason"], "spread");
    // The standard deviation is 4.41 times that of the best: the F test gives 0.0067.
    assert!((number(&settings[1]["unstable"], "times") - 4.413_615_298).abs() < 1e-6);
    assert_eq!(settings[0]["unstable"], Value::Null);
    let out = dir.run(&["study", "s.toml", "--data", "data"]).stdout;
    let page = dir.read("artifacts/studies/s/report.html");
    for sentence in [
        "Probably worse by more than 0.5 percentage points: learning rate 0.2 (96.1 %).",
        "Undecided, with the probability of being worse by more than 0.5 percentage points: learning rate 0.3 (72.9 %).",
        "Unstable, for their trials lie far apart: learning rate 0.2 (from 0.6900 to 0.8600, 4.41 times the best one’s \
         standard deviation) and learning rate 0.3 (from 0.1000 to 0.9300, 23.1 times the best one’s standard deviation).",
    ] {
        assert!(out.contains(sentence), "{sentence}\n{out}");
        assert!(page.contains(sentence), "{sentence}\n{page}");
    }
    assert!(!out.contains("qual") && !out.contains("not significantly different"), "{out}");
    assert!(
        out.lines().all(|line| line.chars().count() <= 80 || !line.contains("learning rate 0.2  ")),
        "{out}"
    );
    assert_eq!(page.matches("winner’s curse").count(), 1, "the note stands once");
    // With a wider region of practical equivalence, the same trials allow fewer conclusions.
    let record = study_of(&dir, "equivalence = 0.02", [best, scattered, near_chance]);
    assert_eq!(record["summary"]["equivalence"], 0.02);
    let comparison = &record["summary"]["settings"][1]["comparison"];
    assert_eq!(comparison["verdict"], "undecided");
    assert!((number(comparison, "worse") - 0.945_261_187_9).abs() < 1e-8, "{comparison}");
    let results: Value = serde_json::from_str(&dir.read("artifacts/studies/s/results.json")).unwrap();
    assert_eq!(results["equivalence"], 0.02);
    let changed = dir.run(&["study", "s.toml", "--data", "data"]).stdout;
    assert!(
        changed.contains("Undecided, with the probability of being worse by more than 2 percentage points")
    );
}

#[test]
fn one_trial_of_each_setting_says_what_its_probabilities_are_of() {
    let dir = TestDir::new();
    dir.digits(900, 100);
    dir.write(
        "one.toml",
        "[set]\ndata.validation = 300\ntraining.num_epochs = 1\n[vary]\noptimizer.learning_rate = [0.5, 0.000001]\n",
    );
    let record = dir.json(&["study", "one.toml", "--data", "data"]);
    let other = &record["summary"]["settings"][1];
    assert_eq!(
        (&other["comparison"]["basis"], &other["comparison"]["p_value"]),
        (&"images".into(), &Value::Null)
    );
    assert_eq!(other["comparison"]["verdict"], "probably-worse");
    let out = dir.run(&["study", "one.toml", "--data", "data"]).stdout;
    let said = "Each configuration was trained once: the probabilities follow from the number of images alone, and say nothing of \
                another seed.";
    assert!(out.contains(said) && out.contains("of the choice of images alone"), "{out}");
}

/// A trial of a study is the same training as `smallnet train` with the same settings.
#[test]
fn a_trial_is_a_training() {
    let dir = TestDir::new();
    dir.digits(1000, 100);
    dir.write(
        "rates.toml",
        RATES.replace("folds = 3", "seeds = [5]").replace("[set]", "[set]\ndata.validation = 200"),
    );
    study(&dir, &["--separate"]);
    let trial: Value =
        serde_json::from_str(dir.read("artifacts/studies/rates/trials.jsonl").lines().nth(1).unwrap())
            .unwrap();
    let run = dir.json(&[
        "train",
        "--data",
        "data",
        "--seed",
        "5",
        "--set",
        "data.validation=200",
        "--set",
        "training.num_epochs=2",
        "--set",
        "training.batch_size=32",
        "--set",
        "optimizer.learning_rate=0.1",
    ]);
    let epochs = dir.metrics(&run);
    for (epoch, expected) in trial["epochs"].as_array().unwrap().iter().zip(&epochs) {
        for key in ["train_loss", "validation_loss", "validation_accuracy"] {
            assert_eq!(epoch[key], expected[key], "{key}");
        }
    }
}

/// Two seeds in two folds, with early stopping, which sets the number of epochs of the best model.
#[test]
fn seeds_folds_and_early_stopping_together() {
    let dir = TestDir::new();
    dir.digits(900, 100);
    dir.write(
        "s.toml",
        "folds = 2\nseeds = [3, 4]\n[set]\ntraining.num_epochs = 6\ntraining.early_stopping = { patience = 1 }\n\
         [vary]\noptimizer.learning_rate = [0.5, 0.05]\n",
    );
    let record = dir.json(&["study", "s.toml", "--data", "data"]);
    let results: Value = serde_json::from_str(&dir.read("artifacts/studies/s/results.json")).unwrap();
    assert_eq!(results["settings"], record["summary"]["settings"]);
    assert_eq!(results["winner"]["test_accuracy"], record["result"]["test_accuracy"]);
    let table = rows(&dir, "artifacts/studies/s");
    assert_eq!(table.len(), 9);
    let column = |name: &str| table[0].iter().position(|cell| cell == name).unwrap();
    let repeats: Vec<_> =
        table[1..5].iter().map(|row| (row[column("seed")].as_str(), row[column("fold")].as_str())).collect();
    assert_eq!(repeats, [("3", "1"), ("3", "2"), ("4", "1"), ("4", "2")]);
    let accuracies: Vec<f64> =
        table[1..5].iter().map(|row| row[column("accuracy")].parse().unwrap()).collect();
    let mean = accuracies.iter().sum::<f64>() / 4.0;
    assert!((number(&record["summary"]["settings"][0], "mean") - mean).abs() < 1e-12);
    // The best configuration has four trials: the larger of the two middle numbers of epochs is
    // that of the best model.
    let best = record["summary"]["best"].as_u64().unwrap() as usize;
    let mut epochs: Vec<u64> =
        table[1 + 4 * best..][..4].iter().map(|row| row[column("epoch")].parse().unwrap()).collect();
    epochs.sort_unstable();
    let config = dir.read(Path::new(record["winner"].as_str().unwrap()).join("config.toml"));
    assert!(config.contains(&format!("num_epochs = {}\n", epochs[2])), "{config}{epochs:?}");
    let page = dir.read("artifacts/studies/s/report.html");
    assert!(page.contains("seed 4, fold 2"), "{page}");
}

/// The dropout masks of a trial must not depend on the other trials of its batch.
#[test]
fn dropout_is_repeatable_in_a_study() {
    let dir = TestDir::new();
    dir.digits(900, 100);
    dir.write(
        "drop.toml",
        "folds = 3\n[set]\nmodel.hidden = [32]\nmodel.dropout = 0.5\ntraining.num_epochs = 2\n\
         [vary]\noptimizer.learning_rate = [0.5, 0.05]\n",
    );
    for artifacts in ["one", "two"] {
        dir.json(&["study", "drop.toml", "--data", "data", "--artifacts", artifacts]);
    }
    assert_eq!(rows(&dir, "one/studies/drop"), rows(&dir, "two/studies/drop"));
}

/// Errors that would end a study late are reported at its start.
#[test]
fn what_can_be_refused_is_refused_before_the_first_trial() {
    let dir = TestDir::new();
    dir.digits(400, 100);
    let study = "folds = 2\n[set]\ntraining.num_epochs = 1\n[vary]\n";
    let rates = format!("{study}optimizer.learning_rate = [0.1]\n");
    let refused = |text: &str, start: &str| {
        dir.write("s.toml", text);
        let output = dir.run(&["study", "s.toml", "--data", "data"]);
        assert_eq!(output.code, 1, "{}", output.stderr);
        assert!(output.stderr.starts_with(&format!("error: {start}")), "{}", output.stderr);
        let trials = dir.path().join("artifacts/studies");
        let lines = |path: &Path| fs::read_to_string(path).map_or(0, |text| text.lines().count());
        let studies = fs::read_dir(trials).into_iter().flatten();
        let run: usize = studies.map(|study| lines(&study.unwrap().path().join("trials.jsonl"))).sum();
        assert_eq!(run, 0, "{start}");
        let _ = fs::remove_dir_all(dir.path().join("artifacts"));
    };
    // The run of the best model could not have its name.
    let long = "n".repeat(96);
    refused(
        &format!("name = \"{long}\"\n{rates}"),
        "the name of the study `s.toml` is 96 characters long, expected at most 95: its best configuration is trained as `nnn",
    );
    // Another file is in the place of its run or of a result file.
    dir.write("artifacts/s-best", "");
    refused(&rates, "cannot make a folder in `artifacts/s-best`");
    for name in ["results.csv", "results.json", "report.html"] {
        fs::create_dir_all(dir.path().join("artifacts/studies/s").join(name)).unwrap();
        refused(&rates, &format!("`artifacts/studies/s/{name}` is a folder, expected a file"));
    }
    // These settings cannot be trained in a trial, or not on all 400 images, of which a trial has
    // 200.
    refused(
        &format!("{study}model.hidden = [[8], [60000, 60000], [4]]\n"),
        "the configuration hidden 60000-60000 cannot be trained: a network [784, 60000, 60000, 10] has 3647760010 parameters",
    );
    dir.digits(30_000, 100);
    refused(
        &format!("{study}training.batch_size = [128, 30000]\nmodel.hidden = [[20000]]\n"),
        "the configuration hidden 20000, batch size 30000 cannot be trained: on all images, as the best one is, a batch of \
         30000 images becomes",
    );
}

#[test]
fn the_longest_name_has_its_winner() {
    let dir = TestDir::new();
    dir.digits(400, 100);
    let name = "n".repeat(95);
    dir.write(
        &format!("{name}.toml"),
        "folds = 2\n[set]\ntraining.num_epochs = 1\n[vary]\noptimizer.learning_rate = [0.1]\n",
    );
    let record = dir.json(&["study", &format!("{name}.toml"), "--data", "data"]);
    let winner = format!("artifacts/{name}-best/");
    assert!(record["winner"].as_str().unwrap().starts_with(&winner), "{record}");
}

/// Early stopping shortens the training of the best model, but not below the warm-up, which would
/// be refused.
#[test]
fn a_winner_is_trained_to_the_end_of_its_warm_up() {
    let dir = TestDir::new();
    dir.digits(900, 100);
    dir.write(
        "s.toml",
        "folds = 2\n[set]\ntraining.num_epochs = 6\nschedule.warmup_epochs = 5.5\n\
         training.early_stopping = { patience = 1 }\n[vary]\noptimizer.learning_rate = [300.0]\n",
    );
    let record = dir.json(&["study", "s.toml", "--data", "data"]);
    let table = rows(&dir, "artifacts/studies/s");
    let column = table[0].iter().position(|cell| cell == "epoch").unwrap();
    assert!(table[1..].iter().all(|row| row[column].parse::<usize>().unwrap() < 6), "{table:?}");
    assert_eq!(record["result"]["num_epochs"], 6);
}

#[test]
fn a_killed_study_goes_on_and_ends_with_the_same_table() {
    let dir = TestDir::new();
    dir.digits(2000, 100);
    dir.write("rates.toml", RATES.replace("num_epochs = 2", "num_epochs = 12"));
    study(&dir, &["--separate", "--artifacts", "whole"]);
    let mut child = dir
        .command(&["study", "rates.toml", "--data", "data", "--separate"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let journal = dir.path().join("artifacts/studies/rates/trials.jsonl");
    let lines = || fs::read_to_string(&journal).map_or(0, |text| text.lines().count());
    let start = Instant::now();
    while lines() < 3 && start.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let before = fs::read_to_string(&journal).unwrap();
    let done = before.matches('\n').count();
    assert!((3..12).contains(&done), "{done} trials before the kill");
    // A kill in the middle of a line leaves this.
    fs::write(&journal, format!("{before}{{\"id\":\"half a li")).unwrap();
    let output = dir.run(&["study", "rates.toml", "--data", "data", "--separate"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(
        output.stdout.contains(&format!("{done} of 12 trials have been run already")),
        "{}",
        output.stdout
    );
    let after = fs::read_to_string(&journal).unwrap();
    assert!(after.starts_with(&before[..before.rfind('\n').unwrap()]), "what was done is as it was");
    assert_eq!(after.lines().count(), 12, "nothing was run twice");
    assert_eq!(rows(&dir, "artifacts/studies/rates"), rows(&dir, "whole/studies/rates"));
}

#[test]
fn killed_a_hundred_times_at_any_moment_a_study_ends_as_if_it_had_never_stopped() {
    let dir = TestDir::new();
    dir.digits(900, 100);
    dir.write("rates.toml", RATES.replace("num_epochs = 2", "num_epochs = 4"));
    let args = ["study", "rates.toml", "--data", "data", "--separate"];
    let json = |path: &str| -> Value { serde_json::from_str(&dir.read(path)).unwrap() };
    // The table is printed, and the best model is one run that is finished and tested.
    let result = || {
        let runs: Vec<_> = fs::read_dir(dir.path().join("artifacts/rates-best")).unwrap().collect();
        let runs: Vec<_> =
            runs.into_iter().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        let runs: Vec<_> = runs.iter().filter(|name| !name.starts_with('.')).collect();
        assert_eq!(runs.len(), 1, "{runs:?}");
        let summary = json(&format!("artifacts/rates-best/{}/summary.json", runs[0]));
        let journal = dir.read("artifacts/studies/rates/trials.jsonl");
        assert_eq!(journal.lines().count(), 12, "nothing is run twice");
        (
            rows(&dir, "artifacts/studies/rates"),
            summary["weights_sha256"].clone(),
            summary["test_loss"].clone(),
        )
    };
    let start = Instant::now();
    assert_eq!(dir.run(&args).code, 0);
    let whole_time = start.elapsed();
    let reference = result();
    fs::remove_dir_all(dir.path().join("artifacts")).unwrap();

    let mut rng = Rng::new(11);
    let (mut kills, mut ends) = (0, 0);
    while kills < 100 {
        let mut child = dir.command(&args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        std::thread::sleep(whole_time.mul_f64(rng.next_f64()));
        let killed = child.try_wait().unwrap().is_none();
        if killed {
            child.kill().unwrap();
        }
        let output = CommandOutput::new(child.wait_with_output().unwrap());
        assert!(!output.stderr.contains("warning"), "a kill left damage: {}", output.stderr);
        kills += usize::from(killed);
        assert!(killed || output.code == 0, "{} {}", output.code, output.stderr);
        if output.code == 0 {
            assert_eq!(result(), reference, "after {kills} kills");
            fs::remove_dir_all(dir.path().join("artifacts")).unwrap();
            ends += 1;
        }
    }
    assert!(ends > 5, "only {ends} studies came to their end");
}

#[test]
fn ctrl_c_keeps_what_is_done() {
    let dir = TestDir::new();
    dir.digits(1500, 100);
    dir.write("rates.toml", RATES.replace("num_epochs = 2", "num_epochs = 100000"));
    let child = dir
        .command(&["study", "rates.toml", "--data", "data"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The trial log is opened after the handler of Ctrl-C is installed.
    let journal = dir.path().join("artifacts/studies/rates/trials.jsonl");
    let start = Instant::now();
    while !journal.exists() && start.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(
        stdout.contains("interrupted after 0 of 12 trials; the same command resumes from there"),
        "{stdout}"
    );
}

#[test]
fn the_winner_is_tested_once() {
    let dir = TestDir::new();
    dir.digits(600, 100);
    dir.write("rates.toml", RATES);
    let first = study(&dir, &[]);
    let again = study(&dir, &[]);
    assert_eq!(first["winner"], again["winner"]);
    assert_eq!(fs::read_dir(dir.path().join("artifacts/rates-best")).unwrap().count(), 1);
    let runs = dir.run(&["runs"]);
    assert_eq!((runs.stdout.lines().count(), runs.stderr.as_str()), (2, ""), "{}", runs.stdout);
    assert_eq!(dir.read("artifacts/studies/rates/trials.jsonl").lines().count(), 12);
    let winner = first["winner"].as_str().unwrap();
    let config = dir.read(Path::new(winner).join("config.toml"));
    assert!(config.contains("validation = 0\n") && config.contains("seed = 42\n"), "{config}");
    let best = first["summary"]["best"].as_u64().unwrap() as usize;
    let rate = first["summary"]["settings"][best]["setting"]["values"][0][1].as_str().unwrap();
    assert!(config.contains(&format!("learning_rate = {rate}\n")), "{config}");
    // Another test set changes neither the trials nor the choice.
    dir.digits(600, 50);
    let other = study(&dir, &["--artifacts", "other"]);
    assert_eq!(other["summary"]["best"], first["summary"]["best"]);
    assert_eq!(rows(&dir, "other/studies/rates"), rows(&dir, "artifacts/studies/rates"));
}

#[test]
fn a_changed_study_says_what_it_invalidates() {
    let dir = TestDir::new();
    dir.digits(600, 100);
    dir.write("rates.toml", RATES);
    study(&dir, &[]);
    // One more learning rate leaves the twelve trials as they are.
    dir.write("rates.toml", RATES.replace("30.0]", "30.0, 1.0]"));
    let more = dir.run(&["study", "rates.toml", "--data", "data"]);
    assert_eq!(more.code, 0, "{}", more.stderr);
    assert!(more.stdout.contains("12 of 15 trials have been run already"), "{}", more.stdout);
    assert!(
        more.stdout.contains("  optimizer.learning_rate: varied: 0.01, 0.1, 0.5, 30.0 → varied: "),
        "{}",
        more.stdout
    );
    for fold in 1..=3 {
        assert!(more.stdout.contains(&format!("learning rate 1.0, fold {fold} of 3  ")), "{}", more.stdout);
    }
    // Another number of epochs makes other trials.
    dir.write("rates.toml", RATES.replace("num_epochs = 2", "num_epochs = 1"));
    let other = dir.run(&["study", "rates.toml", "--data", "data"]);
    assert!(other.stdout.contains("  training.num_epochs: 2 → 1\n"), "{}", other.stdout);
    assert!(
        other.stdout.contains(
            "  15 trials run earlier are not of this study any more and not used (trials.jsonl keeps them)"
        ),
        "{}",
        other.stdout
    );
    // The old number of epochs finds the old trials again.
    dir.write("rates.toml", RATES);
    let back = dir.run(&["study", "rates.toml", "--data", "data"]);
    assert!(back.stdout.contains("all 12 trials have been run already"), "{}", back.stdout);
}

#[test]
fn a_diverging_trial_is_a_result() {
    let dir = TestDir::new();
    dir.digits(300, 100);
    dir.write(
        "wild.toml",
        "folds = 2\n[set]\nmodel.hidden = [16]\ntraining.num_epochs = 2\noptimizer.weight_decay = 0.1\n[vary]\n\
         optimizer.learning_rate = [0.1, 1e9]\n",
    );
    let record = dir.json(&["study", "wild.toml", "--data", "data"]);
    assert_eq!(record["summary"]["settings"][1]["num_diverged"], 2);
    assert_eq!(record["summary"]["best"], 0);
    let page = dir.read("artifacts/studies/wild/report.html");
    assert!(
        page.contains("Diverged, the loss no longer being a number: learning rate 1000000000.0 (2 of 2)."),
        "{page}"
    );
    let again = dir.run(&["study", "wild.toml", "--data", "data"]);
    assert!(again.stdout.contains("all 4 trials have been run already"), "{}", again.stdout);
}

#[test]
fn a_dry_run_lists_the_trials_and_leaves_nothing() {
    let dir = TestDir::new();
    dir.digits(600, 100);
    dir.write("rates.toml", RATES);
    let output = dir.run(&["study", "rates.toml", "--data", "data", "--dry-run"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(
        output.stdout.starts_with("rates: 4 configurations × 3 folds = 12 trials, on CPU (flex)\n"),
        "{}",
        output.stdout
    );
    assert!(
        output.stdout.contains("\n 12     learning rate 30.0, fold 3 of 3  in a batch  to run\n"),
        "{}",
        output.stdout
    );
    assert!(output.stdout.contains("12 trials to run: about "), "{}", output.stdout);
    assert!(!dir.path().join("artifacts").exists());
    study(&dir, &[]);
    let record = dir.json(&["study", "rates.toml", "--data", "data", "--dry-run"]);
    assert!(record["trials"].as_array().unwrap().iter().all(|trial| trial["done"] == true));
}

/// Every study in `configs/studies` can be planned and varies the settings that it says.
#[test]
fn the_shipped_studies_are_what_they_say() {
    let dir = TestDir::new();
    for (name, trials, text) in [
        ("learning-rate", 45, "learning rate 0.00316, seed 2"),
        ("learning-rate-cv", 40, "learning rate 0.32, fold 3 of 5"),
        ("architecture", 55, "no hidden layer, seed 1"),
        ("batch-size", 45, "batch size 4096, seed 1"),
        ("random-search", 24, "learning rate 0.1162, momentum 0.4887, batch size 256"),
        // The first of three rungs: 27 configurations in three folds.
        (
            "halving",
            81,
            "learning rate 0.888, weight decay 0.00003165, label smoothing 0.0542, fold 2 of 3, 1 epoch",
        ),
    ] {
        let file = format!("{}/configs/studies/{name}.toml", env!("CARGO_MANIFEST_DIR"));
        let record = dir.json(&["study", &file, "--dry-run"]);
        let listed = record["trials"].as_array().unwrap();
        assert_eq!(listed.len(), trials, "{name}");
        assert!(listed.iter().any(|trial| trial["name"] == text), "{name}: {listed:?}");
    }
    assert_eq!(fs::read_dir(format!("{}/configs/studies", env!("CARGO_MANIFEST_DIR"))).unwrap().count(), 6);
}

/// Timed study of three batch sizes.
const SIZES: &str = "timing = true\n[set]\ndata.validation = 200\ntraining.num_epochs = 3\n\
                     [vary]\ntraining.batch_size = [10, 100, 1000]\n";

/// Returns the batch size and seed of each trial, in the order of the runs.
fn order(dir: &TestDir) -> Vec<(String, u64)> {
    let trials = dir.read("artifacts/studies/sizes/trials.jsonl");
    let trials = trials.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    trials
        .map(|trial| {
            let size = trial["setting"]["values"][0][1].as_str().unwrap();
            (size.to_owned(), trial["seed"].as_u64().unwrap())
        })
        .collect()
}

#[test]
fn timed_settings_take_turns_and_are_called_faster_only_where_the_trials_allow_it() {
    let dir = TestDir::new();
    dir.digits(1200, 100);
    dir.write("sizes.toml", format!("seeds = [1, 2, 3, 4]\n{SIZES}"));
    let turns: Vec<(String, u64)> = [(1, ["10", "100", "1000"]), (2, ["100", "1000", "10"])]
        .into_iter()
        .chain([(3, ["1000", "10", "100"]), (4, ["10", "100", "1000"])])
        .flat_map(|(seed, sizes)| sizes.map(|size| (size.to_owned(), seed)))
        .collect();
    let planned = dir.run(&["study", "sizes.toml", "--data", "data", "--dry-run"]).stdout;
    let rows: Vec<&str> = planned.lines().filter(|line| line.contains("batch size")).collect();
    for (row, (size, seed)) in rows.iter().zip(&turns) {
        assert!(row.contains(&format!("batch size {size}, seed {seed} ")), "{planned}");
    }
    let record = dir.json(&["study", "sizes.toml", "--data", "data"]);
    assert_eq!(order(&dir), turns);
    for setting in record["summary"]["settings"].as_array().unwrap() {
        let times = &setting["epoch_seconds"];
        let trials: Vec<f64> = common::numbers(&times["trials"]);
        assert_eq!((trials.len(), times["count"].as_u64()), (4, Some(4)));
        let (min, max) = (number(times, "min"), number(times, "max"));
        assert!(0.0 < min && min <= number(times, "median") && number(times, "median") <= max, "{times}");
        assert!(trials.iter().all(|&seconds| (min..=max).contains(&seconds)), "{times}");
    }
    // The first epoch of each trial is a warm-up and is left out.
    let first: Value =
        serde_json::from_str(dir.read("artifacts/studies/sizes/trials.jsonl").lines().next().unwrap())
            .unwrap();
    let seconds = |epoch: usize| number(&first["epochs"][epoch], "seconds");
    let times = &record["summary"]["settings"][0]["epoch_seconds"]["trials"];
    assert!((common::numbers(times)[0] - (seconds(1) + seconds(2)) / 2.0).abs() < 1e-12);
    let page = dir.read("artifacts/studies/sizes/report.html");
    assert!(page.contains("With batches of 10 images an epoch has 100 updates of "), "{page}");
    assert!(page.contains("with batches of 1,000 it has 1 of "), "{page}");
    // With four trials each, the Mann-Whitney test is below 0.05 if the times do not overlap.
    let trials =
        |setting: usize| common::numbers(&record["summary"]["settings"][setting]["epoch_seconds"]["trials"]);
    let (small, large) = (trials(0), trials(2));
    let are_all_below =
        |one: &[f64], other: &[f64]| one.iter().all(|one| other.iter().all(|other| one < other));
    let said = match (are_all_below(&large, &small), are_all_below(&small, &large)) {
        (true, _) => "An epoch is faster with batches of 1,000 than with batches of 10: ",
        (_, true) => "An epoch is faster with batches of 10 than with batches of 1,000: ",
        _ => "in the median, but the trials overlap so much that neither can be called faster (Mann-Whitney",
    };
    assert!(page.contains(said), "{said} {small:?} {large:?}");
    assert!(page.contains("Mann-Whitney test over 4 trials of each, p = "), "{page}");
    // Nothing is said about equal time if no batch size finished an epoch by then on a busy
    // machine.
    assert!(page.contains("At equal epochs (3), batches of "), "{page}");
}

#[test]
fn one_timed_trial_of_each_says_nothing_of_faster() {
    let dir = TestDir::new();
    dir.digits(1200, 100);
    dir.write("sizes.toml", SIZES);
    dir.json(&["study", "sizes.toml", "--data", "data"]);
    let page = dir.read("artifacts/studies/sizes/report.html");
    assert!(
        page.contains("With 1 trial of each it cannot be said whether that is more than chance"),
        "{page}"
    );
    assert!(!page.contains("An epoch is faster"), "{page}");
}

#[test]
fn a_timed_study_measures_again_when_asked_and_keeps_what_it_measured_before() {
    let dir = TestDir::new();
    dir.digits(600, 100);
    dir.write("sizes.toml", SIZES);
    let first = dir.json(&["study", "sizes.toml", "--data", "data"]);
    let journal = "artifacts/studies/sizes/trials.jsonl";
    let before = dir.read(journal);
    let again = dir.run(&["study", "sizes.toml", "--data", "data"]);
    let hint = "all 3 trials have been run already\ntheir times are those of then; `--remeasure` measures all trials again\n";
    assert!(again.stdout.contains(hint), "{}", again.stdout);
    assert_eq!(dir.read(journal), before);

    let output = dir.run(&["study", "sizes.toml", "--data", "data", "--remeasure"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let kept = "artifacts/studies/sizes/trials-1.jsonl";
    let said = format!("measured again; 3 records of earlier measurements: {kept}\n");
    assert!(output.stdout.contains(&said), "{}", output.stdout);
    assert_eq!(dir.read(kept), before);
    let accuracies = |text: &str| -> Vec<(Value, Value)> {
        let trials = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        trials.map(|trial| (trial["id"].clone(), trial["accuracy"].clone())).collect()
    };
    assert_eq!(accuracies(&dir.read(journal)), accuracies(&before));
    assert_ne!(dir.read(journal), before, "other seconds");
    // The best model is unchanged and was tested once.
    let second = dir.json(&["study", "sizes.toml", "--data", "data"]);
    assert_eq!(second["winner"], first["winner"]);

    dir.write("rates.toml", RATES);
    dir.run(&["study", "rates.toml", "--data", "data", "--remeasure"]).assert_error(
        2,
        "the study `rates` is not timed: there is nothing to measure again\n\nhint: write `timing = true` at its top, or \
         leave out `--remeasure`: its results would be the same",
    );
}

#[test]
fn bad_studies_are_refused_before_anything_is_trained() {
    let dir = TestDir::new();
    dir.digits(300, 100);
    dir.write("none.toml", "");
    dir.write("lost.toml", "base = \"nowhere.toml\"\nfolds = 2");
    dir.write("typo.toml", "folds = 2\n[vary]\noptimizer.learning_rat = [0.1]");
    dir.write("many.toml", "folds = 90");
    for (file, expected) in [
        ("gone.toml", "cannot read the study file `gone.toml`: "),
        ("lost.toml", "cannot read the study's base experiment `nowhere.toml`: "),
        (
            "none.toml",
            "the study `none.toml` has nothing to choose by: no `folds`, and `data.validation` is 0\n",
        ),
        (
            "typo.toml",
            "the configuration learning rat 0.1: unknown key `optimizer.learning_rat` in `softmax.toml` changed by `typo.toml`\n",
        ),
    ] {
        let output = dir.run(&["study", file, "--data", "data"]);
        assert_eq!(output.code, 1);
        assert!(output.stderr.starts_with(&format!("error: {expected}")), "{}", output.stderr);
    }
    assert_eq!(dir.run(&["study"]).code, 2);
    assert!(!dir.path().join("artifacts").exists());
}

/// 90 images of class 1 and 1,710 of class 0. A network that always answers 0 has the balanced
/// accuracy 0.5.
#[test]
fn a_study_can_choose_by_balanced_accuracy() {
    let dir = TestDir::new();
    dir.digits(1800, 100);
    let label = |index: usize| u8::from(index.is_multiple_of(20));
    for (name, number) in [("train", 1800), ("t10k", 100)] {
        let count = u32::try_from(number).unwrap().to_be_bytes();
        let labels: Vec<u8> = (0..number).map(label).collect();
        dir.write(&format!("data/{name}-labels-idx1-ubyte"), [&[0, 0, 8, 1], &count[..], &labels].concat());
    }
    let text = "folds = 3\n[set]\ntraining.num_epochs = 2\n[vary]\noptimizer.learning_rate = [0.001, 0.5]\n";
    dir.write("s.toml", text);
    let plain = dir.run(&["study", "s.toml", "--data", "data"]);
    assert!(plain.stdout.contains("The classes are unbalanced, and the accuracy chose"), "{}", plain.stdout);
    // Records of an earlier smallnet have no balanced accuracy.
    let path = "artifacts/studies/s/trials.jsonl";
    let strip = |line: &str| {
        let mut record: Value = serde_json::from_str(line).unwrap();
        let object = record.as_object_mut().unwrap();
        assert!(object.remove("balanced_accuracy").is_some() && object.remove("effective_images").is_some());
        record.to_string() + "\n"
    };
    let old: String = dir.read(path).lines().map(strip).collect();
    dir.write(path, &old);
    dir.write("s.toml", format!("choose = \"balanced_accuracy\"\n{text}"));
    let chosen = dir.run(&["study", "s.toml", "--data", "data"]);
    let said = "6 trials were recorded without its balanced accuracy by an earlier smallnet: trained again";
    assert!(chosen.stdout.contains(said), "{}", chosen.stdout);
    assert!(chosen.stdout.contains("Chosen by the balanced accuracy"), "{}", chosen.stdout);
    assert!(chosen.stdout.contains("mean validation balanced accuracy"), "{}", chosen.stdout);
    let results: Value = serde_json::from_str(&dir.read("artifacts/studies/s/results.json")).unwrap();
    assert_eq!(results["choose"], "balanced_accuracy");
    let lines = dir.read(path);
    let records: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let slow = &results["settings"][0];
    let scores: Vec<f64> = records[6..]
        .iter()
        .filter(|record| record["setting"]["values"][0][1] == "0.001")
        .map(|record| number(record, "balanced_accuracy"))
        .collect();
    assert_eq!(scores.len(), 3);
    assert!((number(slow, "mean") - scores.iter().sum::<f64>() / 3.0).abs() < 1e-12, "{slow} {scores:?}");
    assert_eq!(slow["mean"], slow["balanced_accuracy"]);
    // 30 images of class 1 and 570 of class 0: 4 / (1/30 + 1/570) are 114.
    assert_eq!(records[6]["effective_images"], 114);
    let page = dir.read("artifacts/studies/s/report.html");
    assert!(
        page.contains("validation balanced accuracy") && page.contains("Chosen by the balanced"),
        "{page}"
    );
    assert!(
        dir.read("artifacts/studies/s/results.csv").lines().next().unwrap().contains("balanced_accuracy")
    );
}

/// The shipped files hold out 10,000 of 60,000 images: the same share of 600 is 100.
#[test]
fn shipped_files_hold_a_share_of_a_small_data_set_out() {
    let dir = TestDir::new();
    dir.digits(600, 100);
    let all = |output: &CommandOutput| format!("{}{}", output.stdout, output.stderr);
    let study = dir.run(&["study", "architecture", "--data", "data", "--dry-run"]);
    let note = "100 images are held out for validation: 10,000 of 60,000";
    assert!(study.code == 0 && all(&study).contains(note), "{}{}", study.stdout, study.stderr);
    let trained = dir.run(&["train", "hidden", "--data", "data", "--epochs", "1"]);
    assert!(
        all(&trained).contains("50 images are held out for validation: 5,000 of 60,000"),
        "{}",
        all(&trained)
    );
    let record = dir.json(&["train", "hidden", "--data", "data", "--epochs", "1"]);
    let run = Path::new(record["run"].as_str().unwrap());
    assert!(dir.read(run.join("config.toml")).contains("validation = 50\n"));
    // A number of one's own is kept, and refused if it is too large.
    let own = dir.run(&["train", "hidden", "--data", "data", "--set", "data.validation=5000"]);
    assert!(own.stderr.contains("expected less than the 600 training images"), "{}", own.stderr);
    assert!(own.stderr.contains("`--set data.validation=60`"), "{}", own.stderr);
}
