//! `smallnet study` as a search: configurations drawn from ranges, and successive halving, killed and
//! resumed.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{TestDir, number};
use serde_json::Value;

/// Search over two ranges and a choice, trained for one epoch.
const SEARCH: &str = "[set]\ndata.validation = 200\ntraining.num_epochs = 1\n[sample]\nnum = 4\nmethod = \"METHOD\"\n\
                      [vary]\noptimizer.learning_rate = { low = 0.01, high = 1.0, scale = \"log\" }\n\
                      optimizer.momentum = { low = 0.0, high = 0.9 }\ntraining.batch_size = [32, 64]\n";

/// Six learning rates in two folds with a schedule. Rungs of 1, 2 and 4 epochs have 6, 3 and 2 of
/// them.
const HALVING: &str = "folds = 2\n[set]\ntraining.num_epochs = 4\ntraining.batch_size = 32\n\
                       schedule = { kind = \"cosine\", warmup_epochs = 1 }\n[halving]\nmin_epochs = 1\nfactor = 2\n\
                       [vary]\noptimizer.learning_rate = [0.001, 0.005, 0.02, 0.1, 0.5, 2.0]\n";

fn study(dir: &TestDir, extra: &[&str]) -> Value {
    dir.json(&[&["study", "s.toml", "--data", "data"], extra].concat())
}

/// Records of the trial log without their times.
fn records(dir: &TestDir, artifacts: &str) -> Vec<Value> {
    let text = dir.read(format!("{artifacts}/studies/s/trials.jsonl"));
    let mut records: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for record in &mut records {
        for epoch in record["epochs"].as_array_mut().unwrap() {
            let epoch = epoch.as_object_mut().unwrap();
            epoch.remove("seconds").unwrap();
            epoch.remove("images_per_second").unwrap();
        }
    }
    records
}

fn ids(records: &[Value]) -> Vec<&str> {
    records.iter().map(|record| record["id"].as_str().unwrap()).collect()
}

#[test]
fn a_seed_decides_the_configurations_and_more_of_them_keep_the_earlier_ones() {
    let dir = TestDir::new();
    dir.digits(600, 100);
    for method in ["random", "sobol"] {
        let text = SEARCH.replace("METHOD", method);
        dir.write("s.toml", &text);
        study(&dir, &["--artifacts", method, "--separate"]);
        let first = records(&dir, method);
        assert_eq!(first.len(), 4);
        for record in &first {
            let values: BTreeMap<String, String> =
                serde_json::from_value::<Vec<(String, String)>>(record["setting"]["values"].clone())
                    .unwrap()
                    .into_iter()
                    .collect();
            let number = |key: &str| values[key].parse::<f64>().unwrap();
            assert!((0.01..=1.0).contains(&number("optimizer.learning_rate")), "{values:?}");
            assert!((0.0..=0.9).contains(&number("optimizer.momentum")), "{values:?}");
            assert!([32.0, 64.0].contains(&number("training.batch_size")), "{values:?}");
        }
        // The same file gives the same configurations in another folder, and another seed others.
        let listed = |artifacts: &str| -> Vec<String> {
            let record = study(&dir, &["--dry-run", "--artifacts", artifacts]);
            let trials = record["trials"].as_array().unwrap().clone();
            trials.iter().map(|trial| trial["id"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(listed("elsewhere"), ids(&first));
        dir.write("s.toml", text.replace("num = 4", "num = 4\nseed = 1"));
        assert!(listed("elsewhere").iter().all(|id| !ids(&first).contains(&id.as_str())));
        dir.write("s.toml", text.replace("num = 4", "num = 7"));
        assert_eq!(listed("elsewhere")[..4], ids(&first));
        let output = dir.run(&["study", "s.toml", "--data", "data", "--artifacts", method, "--separate"]);
        assert_eq!(output.code, 0, "{}", output.stderr);
        assert!(output.stdout.contains("4 of 7 trials have been run already"), "{}", output.stdout);
        let extended = records(&dir, method);
        assert_eq!((&extended[..4], extended.len()), (&first[..], 7));
    }
    assert_ne!(ids(&records(&dir, "random")), ids(&records(&dir, "sobol")));
}

/// The table of a search has a column for each key and begins with the best configuration.
#[test]
fn the_table_of_a_search_is_sorted_by_the_results() {
    let dir = TestDir::new();
    dir.digits(600, 100);
    dir.write("s.toml", SEARCH.replace("METHOD", "random").replace("num = 4", "num = 25"));
    let record = study(&dir, &[]);
    let output = dir.run(&["study", "s.toml", "--data", "data"]).stdout;
    let table: Vec<&str> = output.lines().skip_while(|line| !line.contains("accuracy")).collect();
    assert!(table[0].contains("momentum") && table[0].contains("verdict"), "{output}");
    assert!(output.contains(" … and 5 more; the page has all"), "{output}");
    let rows: Vec<Vec<&str>> = table[1..]
        .iter()
        .map(|line| line.split_whitespace().collect())
        .filter(|row: &Vec<_>| row.len() > 4)
        .take(20)
        .collect();
    let accuracies: Vec<f64> = rows.iter().filter_map(|row| row[3].parse().ok()).collect();
    assert_eq!(accuracies.len(), 20, "{output}");
    assert!(accuracies.windows(2).all(|pair| pair[0] >= pair[1]), "{output}");
    let best = record["summary"]["best"].as_u64().unwrap() as usize;
    let values = &record["summary"]["settings"][best]["setting"]["values"];
    assert_eq!(rows[0][0], values[0][1].as_str().unwrap(), "{output}");
    assert!(rows[0].contains(&"best"), "{output}");
    let page = dir.read("artifacts/studies/s/report.html");
    assert!(page.contains("Accuracy against each key") && page.contains("25 drawn at random, seed 0"));
}

/// Mean accuracy and loss of each configuration after `epochs`, from the trial log.
fn means(records: &[Value], epochs: &Value) -> BTreeMap<String, (f64, f64)> {
    let mut sums: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    for record in
        records.iter().filter(|record| record.get("stopped_after").unwrap_or(&Value::Null) == epochs)
    {
        let sum = sums.entry(record["setting"]["values"][0][1].as_str().unwrap().to_owned()).or_default();
        // Each configuration has two trials, one for each fold.
        sum.0 += number(record, "accuracy") / 2.0;
        sum.1 += number(record, "loss") / 2.0;
    }
    sums
}

#[test]
fn the_best_of_each_rung_go_on_and_the_last_rung_is_the_whole_training() {
    let dir = TestDir::new();
    dir.digits(1200, 200);
    dir.write("s.toml", HALVING);
    let record = study(&dir, &["--separate"]);
    let log = records(&dir, "artifacts");
    assert_eq!(log.len(), 2 * (6 + 3 + 2));
    let rungs = [serde_json::json!(1), serde_json::json!(2), Value::Null];
    let means = rungs.each_ref().map(|epochs| means(&log, epochs));
    assert_eq!(means.each_ref().map(BTreeMap::len), [6, 3, 2]);
    for (rung, going_on) in means.windows(2).map(|pair| (&pair[0], &pair[1])) {
        let mut order: Vec<&String> = rung.keys().collect();
        order.sort_by(|a, b| rung[*b].0.total_cmp(&rung[*a].0).then(rung[*a].1.total_cmp(&rung[*b].1)));
        let mut expected = order[..going_on.len()].to_vec();
        expected.sort();
        assert_eq!(going_on.keys().collect::<Vec<_>>(), expected, "{rung:?}");
    }

    // A rung before the last is the beginning of the whole training, to the last bit.
    let whole = |record: &&Value| record.get("stopped_after").is_none();
    let mut compared = 0;
    for last in log.iter().filter(whole) {
        let same = |record: &&Value| record["setting"] == last["setting"] && record["fold"] == last["fold"];
        for part in log.iter().filter(same) {
            let epochs = part["epochs"].as_array().unwrap();
            assert_eq!(epochs[..], last["epochs"].as_array().unwrap()[..epochs.len()]);
            compared += 1;
        }
    }
    assert_eq!(compared, 2 * 2 * 3);

    // Without halving, the same trials are trained to the same end.
    dir.write("s.toml", HALVING.replace("[halving]\nmin_epochs = 1\nfactor = 2\n", ""));
    let plain = study(&dir, &["--separate", "--artifacts", "plain"]);
    let plain_log = records(&dir, "plain");
    assert_eq!(plain_log.len(), 12);
    for last in log.iter().filter(whole) {
        assert!(plain_log.contains(last), "{last}");
    }
    if plain["summary"]["best"] == record["summary"]["best"] {
        assert_eq!(plain["result"]["weights_sha256"], record["result"]["weights_sha256"]);
    }

    // Only the last rung is compared, and the results say of how many epochs the others are.
    let settings = record["summary"]["settings"].as_array().unwrap();
    for setting in settings {
        let rate = setting["setting"]["values"][0][1].as_str().unwrap();
        let epochs = setting.get("stopped_after").cloned().unwrap_or(Value::Null);
        let (rung, _) = means.iter().enumerate().rfind(|(_, means)| means.contains_key(rate)).unwrap();
        assert_eq!(epochs, rungs[rung], "{setting}");
        assert!((number(setting, "mean") - means[rung][rate].0).abs() < 1e-12, "{setting}");
        assert!(
            rung == 2 || setting["comparison"].is_null() && setting["standing"] == "not-ranked",
            "{setting}"
        );
    }
    assert_eq!(settings.iter().filter(|setting| !setting["comparison"].is_null()).count(), 1);
    assert_eq!(
        record["summary"]["halving"][1],
        serde_json::json!({"epochs": 2, "settings": 3, "judged": true})
    );
    assert_eq!((&record["trials"], &record["done"]), (&22.into(), &22.into()));
    dir.write("s.toml", HALVING);
    let output = dir.run(&["study", "s.toml", "--data", "data", "--separate"]).stdout;
    for sentence in [
        "successive halving: 6 configurations for 1 epoch, 3 configurations for 2 epochs, 2 configurations for 4 epochs",
        "all 22 trials have been run already",
        "Successive halving judged 6 configurations after 1 epoch, the best 3 of them after 2 epochs and the best 2 of them \
         after 4 epochs, each by the mean over all of its trials. Only those of the last rung are compared: the figures of the \
         others are of fewer epochs.",
    ] {
        assert!(output.contains(sentence), "{sentence}\n{output}");
    }
    let table = dir.study_rows("artifacts/studies/s");
    assert_eq!(table.len(), 1 + 22);
    assert_eq!(table[0].last().unwrap(), "stopped_after");
    assert_eq!(table[1].last().unwrap(), "1");
    assert_eq!(table[22].last().unwrap(), "");
}

/// `train` with the settings of the best configuration goes through the epochs of its trial.
#[test]
fn the_last_rung_is_what_train_does() {
    let dir = TestDir::new();
    dir.digits(1000, 100);
    dir.write(
        "s.toml",
        HALVING.replace("folds = 2", "seeds = [5]").replace("[set]", "[set]\ndata.validation = 200"),
    );
    let record = study(&dir, &["--separate"]);
    let best = record["summary"]["best"].as_u64().unwrap() as usize;
    let rate = record["summary"]["settings"][best]["setting"]["values"][0][1].as_str().unwrap().to_owned();
    let log = records(&dir, "artifacts");
    let trial = log
        .iter()
        .find(|one| one.get("stopped_after").is_none() && one["setting"]["values"][0][1] == rate.as_str())
        .unwrap();
    dir.write("x.toml", "[schedule]\nkind = \"cosine\"\nwarmup_epochs = 1\n");
    let run = dir.json(&[
        "train",
        "x.toml",
        "--data",
        "data",
        "--seed",
        "5",
        "--set",
        "data.validation=200",
        "--set",
        "training.num_epochs=4",
        "--set",
        "training.batch_size=32",
        "--set",
        &format!("optimizer.learning_rate={rate}"),
    ]);
    assert_eq!(trial["epochs"].as_array().unwrap()[..], dir.metrics(&run)[..]);
}

/// Killed after any number of trials, a study ends with the table of one that was not killed.
#[test]
fn a_killed_halving_ends_with_the_same_results() {
    let dir = TestDir::new();
    dir.digits(1200, 100);
    dir.write("s.toml", HALVING.replace("[0.001,", "[0.0005, 0.001,"));
    let results = |artifacts: &str| {
        let mut results: Value =
            serde_json::from_str(&dir.read(format!("{artifacts}/studies/s/results.json"))).unwrap();
        let mut settings = results["settings"].take();
        for setting in settings.as_array_mut().unwrap() {
            let setting = setting.as_object_mut().unwrap();
            assert!(
                setting.remove("seconds_per_epoch").is_some() && setting.remove("epoch_seconds").is_some()
            );
        }
        (settings, results["halving"].take(), results["winner"]["weights_sha256"].take())
    };
    study(&dir, &["--artifacts", "whole", "--separate"]);
    let num_trials = records(&dir, "whole").len();
    for stop in [1, 9, 14, 16, 20] {
        let artifacts = format!("killed-{stop}");
        let args = ["study", "s.toml", "--data", "data", "--separate", "--artifacts", &artifacts];
        let mut child = dir.command(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let journal = dir.path().join(&artifacts).join("studies/s/trials.jsonl");
        let lines = || fs::read_to_string(&journal).map_or(0, |text| text.lines().count());
        let start = Instant::now();
        while lines() < stop && start.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let output = dir.run(&args);
        assert_eq!(output.code, 0, "{}", output.stderr);
        assert_eq!(dir.study_rows(&format!("{artifacts}/studies/s")), dir.study_rows("whole/studies/s"));
        assert_eq!(results(&artifacts), results("whole"), "killed after {stop} trials");
        assert_eq!(records(&dir, &artifacts).len(), num_trials, "nothing is run twice");
    }
}

/// More configurations change who goes on. What was trained is used again.
#[test]
fn a_larger_search_with_halving_uses_what_was_trained() {
    let dir = TestDir::new();
    dir.digits(900, 100);
    let text = SEARCH
        .replace("METHOD", "sobol")
        .replace("num_epochs = 1", "num_epochs = 4")
        .replace("[sample]", "[halving]\nfactor = 2\n[sample]");
    dir.write("s.toml", &text);
    study(&dir, &["--separate"]);
    let first = records(&dir, "artifacts");
    dir.write("s.toml", text.replace("num = 4", "num = 8"));
    study(&dir, &["--separate"]);
    let all = records(&dir, "artifacts");
    assert_eq!(all[..first.len()], first[..]);
    let again = dir.run(&["study", "s.toml", "--data", "data", "--separate", "--dry-run"]).stdout;
    assert!(again.contains("0 trials to run: about "), "{again}");
    // A study that starts with eight ends with the same table.
    study(&dir, &["--separate", "--artifacts", "fresh"]);
    assert_eq!(dir.study_rows("artifacts/studies/s"), dir.study_rows("fresh/studies/s"));
}

#[test]
fn bad_searches_say_what_is_wrong() {
    let dir = TestDir::new();
    dir.digits(300, 100);
    let sampled = "folds = 2\n[sample]\nnum = 3\n[vary]\n";
    let halved = |halving: &str, rest: &str| {
        format!("folds = 2\n{halving}\n{rest}\n[vary]\noptimizer.learning_rate = [0.1, 0.2]")
    };
    for (text, expected) in [
        (
            format!("{sampled}optimizer.momentum = {{ low = 0.9, high = 0.1 }}"),
            "`vary.optimizer.momentum` in `s.toml` goes from 0.9 to 0.1, expected low < high",
        ),
        (
            format!("{sampled}optimizer.learning_rate = {{ low = 0, high = 1, scale = \"log\" }}"),
            "`vary.optimizer.learning_rate` in `s.toml` goes from 0 to 1, expected 0 < low < high",
        ),
        (
            format!("{sampled}training.batch_size = {{ low = 0.5, high = 64 }}"),
            "`vary.training.batch_size` in `s.toml` has `low = 0.5`, expected a whole number",
        ),
        (
            "folds = 2\n[vary]\noptimizer.momentum = { low = 0.1, high = 0.9 }".to_owned(),
            "`vary.optimizer.momentum` in `s.toml` is a range to draw from, and there is no `[sample]`",
        ),
        (
            "folds = 2\n[sample]\nnum = 2\nmethod = \"sobol\"\n[vary]\noptimizer.momentum = [0.1, 0.9]"
                .to_owned(),
            "`sample.method` in `s.toml` is `sobol`, and nothing in `[vary]` is a range to draw from",
        ),
        (
            format!("{sampled}optimizer.momentum = {{ low = 0.1, high = 0.9 }}")
                .replace("num = 3", "num = 3\nmethod = \"halton\""),
            "`sample.method` in `s.toml` is \"halton\", expected `\"random\"` or `\"sobol\"`",
        ),
        (
            format!("{sampled}training.batch_size = {{ low = 16, high = 17 }}"),
            "`sample.num` is 3, and only 2 different configurations can be drawn from `[vary]`",
        ),
        (
            format!("{sampled}optimizer.momentum = {{ low = 0.1, high = 0.9 }}")
                .replace("num = 3", "num = 10001"),
            "`sample.num` in `s.toml` is 10001, expected at most 10000 where values are drawn from ranges",
        ),
        (
            halved("[halving]\nmin_epochs = 5", ""),
            "`[halving]` in `s.toml` has one rung only: `training.num_epochs` is 10, `min_epochs` 5, `factor` 3",
        ),
        (
            halved("[halving]\nfactor = 1", ""),
            "`halving.factor` in `s.toml` is 1, expected a whole number from 2 to 1000000",
        ),
        (
            halved("[halving]\nmin_epochs = 0", ""),
            "`halving.min_epochs` in `s.toml` is 0, expected a whole number from 1 to 1000000",
        ),
        (halved("[halving]\nrungs = 3", ""), "unknown key `halving.rungs` in `s.toml`"),
        (halved("halving = 3", ""), "`halving` in `s.toml` is 3, expected a section `[halving]`"),
        (
            halved("timing = true\n[halving]", ""),
            "`[halving]` in `s.toml` and `timing = true` exclude each other",
        ),
        (
            halved("[halving]", "[set]\ntraining.early_stopping.patience = 2"),
            "`[halving]` in `s.toml` and `training.early_stopping` exclude each other",
        ),
        (
            halved("[halving]", "") + "\ntraining.num_epochs = [9, 27]",
            "`[halving]` in `s.toml` decides the epochs, and `training.num_epochs` varies",
        ),
        (
            "folds = 2\n[halving]".to_owned(),
            "the study has one configuration: `[halving]` has nothing to choose from",
        ),
    ] {
        dir.write("s.toml", &text);
        let output = dir.run(&["study", "s.toml", "--data", "data"]);
        assert_eq!((output.code, output.stdout.as_str()), (1, ""), "{text}");
        assert!(
            output.stderr.starts_with(&format!("error: {expected}\n\nhint: "))
                || output.stderr == format!("error: {expected}\n"),
            "{text}\n{}",
            output.stderr
        );
        assert!(!dir.path().join("artifacts").exists());
    }
}
