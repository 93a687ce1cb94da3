//! `smallnet study --shard`, `--merge`, `--status` and `--script`: parts of a study in several processes.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use common::TestDir;
use serde_json::Value;

/// Ten softmax networks in two folds, which are trained side by side, and two networks with a hidden layer in two
/// folds, which are trained alone.
const STUDY: &str = "name = \"cut\"\nfolds = 2\n[set]\ntraining.num_epochs = 2\ntraining.batch_size = 32\n\
                     [vary]\nmodel.hidden = [[], [16]]\noptimizer.learning_rate = [0.01, 0.05, 0.1, 0.5, 1.0]\n";
const NUM_TRIALS: u64 = 20;

fn study(dir: &TestDir, artifacts: &str, extra: &[&str]) -> Value {
    dir.json(&[&["study", "cut.toml", "--data", "data", "--artifacts", artifacts], extra].concat())
}

fn test_dir() -> TestDir {
    let dir = TestDir::new();
    dir.digits(600, 100);
    dir.write("cut.toml", STUDY);
    dir
}

/// Results of all trials in `results.json` and their epochs in the trial logs, to the last digit and without times.
fn digits_of(dir: &TestDir, artifacts: &str) -> Vec<String> {
    let folder = dir.path().join(artifacts).join("studies/cut");
    let mut lines = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            lines.extend(fs::read_to_string(path).unwrap().lines().map(without_times));
        }
    }
    lines.sort();
    lines
}

fn without_times(line: &str) -> String {
    untimed(serde_json::from_str(line).unwrap()).to_string()
}

/// The statistics of all configurations without times.
fn settings(record: &Value) -> Value {
    untimed(record["summary"]["settings"].clone())
}

fn untimed(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(untimed).collect(),
        Value::Object(fields) => {
            let fields = fields.into_iter().filter(|(key, _)| !key.contains("second"));
            Value::Object(fields.map(|(key, value)| (key, untimed(value))).collect())
        }
        other => other,
    }
}

fn assert_refused(output: &common::CommandOutput, code: i32, message: &str) {
    assert_eq!(output.code, code, "{}", output.stderr);
    assert!(output.stderr.contains(message), "{}", output.stderr);
}

/// One process, three shards and sixteen shards: the same table, digit for digit, and the same best model.
#[test]
fn the_results_do_not_depend_on_the_cut() {
    let dir = test_dir();
    let whole = study(&dir, "whole", &[]);
    for count in [3, 16] {
        let artifacts = format!("shards-{count}");
        let mut done = 0;
        for number in 1..=count {
            let shard = format!("{number}/{count}");
            // A shard has one thread or two, as machines have more or fewer.
            let threads = if number % 2 == 0 { "1" } else { "2" };
            let record = study(&dir, &artifacts, &["--shard", &shard, "--threads", threads]);
            assert_eq!((&record["shard"], &record["failed"]), (&shard.into(), &0.into()));
            assert_eq!(record["done"], record["trials"]);
            done += record["done"].as_u64().unwrap();
        }
        assert_eq!(done, NUM_TRIALS, "each trial is in one shard");
        let folder = dir.path().join(&artifacts).join("studies/cut");
        for file in ["results.csv", "report.html", "results.json", "trials.jsonl"] {
            assert!(!folder.join(file).exists(), "a shard writes no {file}");
        }
        let merged = study(&dir, &artifacts, &["--merge"]);
        assert_eq!(settings(&merged), settings(&whole));
        assert_eq!(merged["result"]["weights_sha256"], whole["result"]["weights_sha256"]);
        assert_eq!(digits_of(&dir, &artifacts), digits_of(&dir, "whole"));
        assert!(merged.get("conflicts").is_none(), "{merged}");
        assert_page_has_every_trial(&dir, &artifacts);
    }
}

/// The table of the page has the accuracy of each trial in a cell of its own.
fn assert_page_has_every_trial(dir: &TestDir, artifacts: &str) {
    let page = dir.read(format!("{artifacts}/studies/cut/report.html"));
    let table = page.split("<h2>Trial by trial</h2>").nth(1).unwrap().split("</table>").next().unwrap();
    assert_eq!(table.matches("<td class=\"right\">0.").count() as u64, NUM_TRIALS, "{table}");
    for line in digits_of(dir, artifacts) {
        let accuracy = serde_json::from_str::<Value>(&line).unwrap()["accuracy"].as_f64().unwrap();
        assert!(table.contains(&format!("<td class=\"right\">{accuracy:.4}</td>")), "{accuracy} in {table}");
    }
}

#[test]
fn costs_are_balanced() {
    let dir = test_dir();
    let artifacts = "balanced";
    let sizes: Vec<u64> = (1..=4)
        .map(|number| {
            study(&dir, artifacts, &["--shard", &format!("{number}/4")])["trials"].as_u64().unwrap()
        })
        .collect();
    // By images × epochs × (parameters + 20,000), a network with 16 hidden neurons costs 1.19 softmax networks.
    assert_eq!(sizes.iter().sum::<u64>(), NUM_TRIALS);
    assert!(sizes.iter().all(|size| (4..=6).contains(size)), "{sizes:?}");
}

#[test]
fn what_is_missing_is_named_or_trained() {
    let dir = test_dir();
    study(&dir, "artifacts", &["--shard", "2/3"]);
    let command = ["study", "cut.toml", "--data", "data"];
    let refused = dir.run(&[&command[..], &["--merge"]].concat());
    assert_refused(&refused, 1, "of 20 trials have no result: shard 1/3 has 0 of ");
    assert!(refused.stderr.contains("or leave out `--merge`"), "{}", refused.stderr);
    let status = study(&dir, "artifacts", &["--status"]);
    let shards = status["shards"].as_array().unwrap();
    assert_eq!(shards.len(), 3);
    assert_eq!((&shards[1]["done"], &shards[1]["running"]), (&shards[1]["trials"], &false.into()));
    assert_eq!((&shards[0]["done"], &shards[0]["seconds_since_last_result"]), (&0.into(), &Value::Null));
    assert_eq!(status["done"], shards[1]["done"]);
    let text = dir.run(&[&command[..], &["--status"]].concat()).stdout;
    assert!(text.contains("1/3    not started") && text.contains("2/3    done"), "{text}");
    let finished = study(&dir, "artifacts", &[]);
    assert_eq!((&finished["done"], &finished["failed"]), (&NUM_TRIALS.into(), &0.into()));
    assert_eq!(
        study(&dir, "artifacts", &["--merge"])["winner"],
        finished["winner"],
        "nothing is trained twice"
    );
}

/// A shard that is stopped goes on with what it has; SIGTERM is what Slurm sends before the time limit.
///
/// One thread trains, so that the other trials are not done when the first one is. SIGSTOP holds the shard while other
/// processes are refused: a fast machine would finish it in that time.
#[test]
fn a_stopped_shard_goes_on() {
    let dir = test_dir();
    dir.digits(3000, 100);
    let arguments = [
        &["study", "cut.toml", "--data", "data", "--shard", "1/2"][..],
        &["--threads", "1", "--set", "training.num_epochs=60"],
    ]
    .concat();
    let mut child = dir.command(&arguments).spawn().unwrap();
    let log = dir.path().join("artifacts/studies/cut/trials-1-of-2.jsonl");
    let start = Instant::now();
    while fs::read_to_string(&log).map_or(0, |text| text.lines().count()) == 0 {
        assert!(start.elapsed() < Duration::from_secs(120), "no trial ended");
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was stopped");
        std::thread::sleep(Duration::from_millis(1));
    }
    send("STOP", child.id());
    let second = dir.run(&arguments);
    assert_refused(&second, 1, "is in use: shard 1/2 is running already");
    let whole = dir.run(&["study", "cut.toml", "--data", "data", "--set", "training.num_epochs=60"]);
    assert_refused(&whole, 1, "is in use: its shard 1/2 is running already");
    send("TERM", child.id());
    send("CONT", child.id());
    assert_eq!(child.wait().unwrap().code(), Some(143));
    let before = fs::read_to_string(&log).unwrap();
    assert!(before.ends_with('\n') && before.lines().count() < 10, "{before}");
    let record = dir.json(&arguments);
    assert_eq!(record["done"], record["trials"]);
    let after = fs::read_to_string(&log).unwrap();
    assert!(after.starts_with(&before), "what it had is kept and not trained again");
    assert_eq!(after.lines().count() as u64, record["trials"].as_u64().unwrap());
}

fn send(signal: &str, process: u32) {
    let status = Command::new("kill").args([format!("-{signal}"), process.to_string()]).status();
    assert!(status.unwrap().success(), "SIG{signal}");
}

/// Two kinds of processors may give two results of one trial.
#[test]
fn results_that_differ_are_named() {
    let dir = test_dir();
    let command = ["study", "cut.toml", "--data", "data"];
    study(&dir, "artifacts", &["--shard", "1/1"]);
    let folder = dir.path().join("artifacts/studies/cut");
    let text = fs::read_to_string(folder.join("trials-1-of-1.jsonl")).unwrap();
    let mut other: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let accuracy = other["accuracy"].as_f64().unwrap();
    other["accuracy"] = (accuracy / 2.0).into();
    let mut slower: Value = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap();
    slower["epochs"][0]["seconds"] = 99.0.into();
    slower["epochs"][0]["images_per_second"] = 1.0.into();
    dir.write("artifacts/studies/cut/trials-2-of-5.jsonl", format!("{other}\n{slower}\n"));
    let record = study(&dir, "artifacts", &["--merge"]);
    let conflicts = record["conflicts"].as_array().unwrap();
    assert_eq!(conflicts.len(), 1);
    assert_eq!(conflicts[0]["used"], "trials-1-of-1.jsonl");
    assert_eq!(conflicts[0]["other"], "trials-2-of-5.jsonl");
    let output = dir.run(&[&command[..], &["--merge"]].concat());
    assert!(output.stderr.contains("1 trial with two results that differ"), "{}", output.stderr);
    assert!(output.stderr.contains("trials-1-of-1.jsonl and trials-2-of-5.jsonl"), "{}", output.stderr);
}

/// The later rungs of successive halving follow from the results of all shards.
#[test]
fn halving_goes_rung_by_rung() {
    let dir = test_dir();
    let halving = STUDY.to_owned() + "[halving]\nmin_epochs = 1\nfactor = 2\n";
    dir.write("cut.toml", halving);
    let whole = study(&dir, "whole", &[]);
    let first = dir.run(&["study", "cut.toml", "--data", "data", "--shard", "1/2"]);
    assert!(
        first.stdout.contains("the next rung follows from the results of all shards"),
        "{}",
        first.stdout
    );
    // The second shard ends the first rung, so it knows the next one, too.
    study(&dir, "artifacts", &["--shard", "2/2"]);
    study(&dir, "artifacts", &["--shard", "1/2"]);
    let merged = study(&dir, "artifacts", &["--merge"]);
    assert_eq!(settings(&merged), settings(&whole));
}

#[test]
fn bad_shards_are_refused() {
    let dir = test_dir();
    let command = ["study", "cut.toml", "--data", "data"];
    for shard in ["0/3", "4/3", "3", "a/b"] {
        let refused = dir.run(&[&command[..], &["--shard", shard]].concat());
        assert_refused(&refused, 2, "expected I/N, the number of the shard and of all shards, such as 3/16");
    }
    assert_refused(
        &dir.run(&[&command[..], &["--shard", "1/2", "--merge"]].concat()),
        2,
        "cannot be used with",
    );
    assert_refused(&dir.run(&[&command[..], &["--script", "slurm"]].concat()), 2, "--shards <N>");
    dir.write("cut.toml", STUDY.replace("folds = 2\n", "folds = 2\ntiming = true\n"));
    for extra in [&["--shard", "1/2"][..], &["--script", "slurm", "--shards", "4"]] {
        assert_refused(&dir.run(&[&command[..], extra].concat()), 2, "is timed, so it has no shards");
    }
    assert!(!dir.path().join("artifacts").exists(), "nothing is left behind");
}
