//! The files for trackers: TensorBoard's event files and `metrics.csv`.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;
#[path = "common/events.rs"]
mod events;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use common::runs::{result, run_folders, start, start_endless, test_dir, train_with};
use common::{Rng, TestDir, number, wait_for_end};
use events::Event;
use serde_json::Value;

const TRACKED: &str = "tracking.kinds=[\"tensorboard\",\"csv\"]";

/// Tag of a scalar, and the key of `metrics.jsonl` with the same value.
const EPOCH_TAGS: [(&str, &str); 7] = [
    ("loss/train", "train_loss"),
    ("accuracy/train", "train_accuracy"),
    ("loss/validation", "validation_loss"),
    ("accuracy/validation", "validation_accuracy"),
    ("learning_rate", "learning_rate"),
    ("time/epoch_seconds", "seconds"),
    ("time/images_per_second", "images_per_second"),
];

fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Asserts that the event file and `metrics.csv` of a run have each epoch of `metrics.jsonl` once, in
/// order and with the same values.
fn assert_same_epochs(dir: &TestDir, folder: &Path) -> Vec<Event> {
    let folder = dir.path().join(folder);
    let lines = json_lines(&dir.read(folder.join("metrics.jsonl")));
    let events = events::read(&folder.join("tensorboard"));
    for (tag, key) in EPOCH_TAGS {
        let expected: Vec<_> = lines
            .iter()
            .filter(|line| !line[key].is_null())
            .map(|line| (line["epoch"].as_i64().unwrap(), number(line, key) as f32))
            .collect();
        assert_eq!(events::scalars(&events, tag), expected, "{tag}");
    }
    let times = events::wall_times(&events, "loss/train");
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{times:?}");
    let keys =
        ["epoch", "train_accuracy", "train_loss", "validation_accuracy", "validation_loss", "learning_rate"];
    let mut csv = "epoch,accuracy,loss,val_accuracy,val_loss,learning_rate\n".to_owned();
    for line in &lines {
        let cell = |key: &&str| match *key {
            "epoch" => line[key].to_string(),
            key => number(line, key).to_string(),
        };
        csv += &(keys.iter().map(cell).collect::<Vec<_>>().join(",") + "\n");
    }
    assert_eq!(dir.read(folder.join("metrics.csv")), csv);
    events
}

#[test]
fn a_run_writes_what_it_measured_and_keeps_its_weights() {
    let dir = TestDir::new();
    let run = dir.small_run(&common::config("softmax"), &["--track", "tensorboard,csv"]);
    let events = assert_same_epochs(&dir, Path::new(&run));
    let json = |name: &str| -> Value { serde_json::from_str(&dir.read(format!("{run}/{name}"))).unwrap() };
    let summary = json("summary.json");
    let test = |key: &str| vec![(2, number(&summary, key) as f32)];
    assert_eq!(events::scalars(&events, "accuracy/test"), test("test_accuracy"));
    assert_eq!(events::scalars(&events, "loss/test"), test("test_loss"));
    let config = dir.read(format!("{run}/config.toml"));
    assert!(config.ends_with("[tracking]\nkinds = [\"tensorboard\", \"csv\"]\n"), "{config}");
    assert_eq!(events::text(&events, "experiment"), format!("```toml\n{config}```"));

    let (session, status) = events::session(&events);
    assert_eq!((session.group.as_str(), status), ("", Some(1)));
    let hyperparameter = |key: &str| session.hyperparameters[key].clone();
    assert_eq!(hyperparameter("optimizer.learning_rate").number, Some(1.0));
    assert_eq!(hyperparameter("optimizer.kind").text.as_deref(), Some("sgd"));
    assert_eq!(hyperparameter("optimizer.nesterov").flag, Some(false));
    assert_eq!(hyperparameter("seed").number, Some(42.0));
    assert!(!session.hyperparameters.keys().any(|key| key == "name" || key.starts_with("tracking")));

    // The pictures are those that `weights` and `evaluate` draw.
    for (tag, command, file) in
        [("weights", "weights", "weights"), ("confusion", "evaluate", "confusion-test")]
    {
        dir.json(&[command, &run]);
        let (step, picture) = events::picture(&events, tag);
        assert_eq!(step, 2);
        assert_eq!(picture.to_rgb8(), dir.picture(format!("{run}/figures/{file}.png")), "{tag}");
    }

    // The trackers change no result and are no difference between two experiments.
    let untracked = dir.small_run(&common::config("softmax"), &[]);
    let folder = dir.path().join(&untracked);
    assert!(!folder.join("tensorboard").exists() && !folder.join("metrics.csv").exists());
    assert!(!dir.read(format!("{untracked}/config.toml")).contains("tracking"));
    let other: Value = serde_json::from_str(&dir.read(format!("{untracked}/summary.json"))).unwrap();
    assert_eq!(other["weights_sha256"], summary["weights_sha256"]);
    assert_eq!(dir.json(&["compare", &run, &untracked])["differences"], Value::Array(Vec::new()));
}

#[test]
fn a_run_without_validation_and_test_images_has_no_figures_of_them() {
    let dir = test_dir();
    for name in ["images-idx3", "labels-idx1"] {
        fs::remove_file(dir.path().join(format!("data/t10k-{name}-ubyte"))).unwrap();
    }
    let record = dir.json(&train_with(&["training.num_epochs=1", "tracking.kinds=[\"tensorboard\"]"]));
    let events = events::read(&dir.path().join(dir.run_folder(&record)).join("tensorboard"));
    let tags =
        ["accuracy/train", "learning_rate", "loss/train", "time/epoch_seconds", "time/images_per_second"];
    assert_eq!(events::scalar_tags(&events), tags);
    assert_eq!(events::picture(&events, "weights").0, 1);
    assert_eq!(events::session(&events).1, Some(1));
    assert!(!dir.path().join(dir.run_folder(&record)).join("metrics.csv").exists());
}

#[test]
fn a_diverged_run_is_a_failed_session() {
    let dir = test_dir();
    let output = dir.run(&train_with(&["model.hidden=[32,32,32]", "optimizer.learning_rate=1e9", TRACKED]));
    assert_eq!(output.code, 1, "{}", output.stderr);
    let events = events::read(&run_folders(&dir)[0].join("tensorboard"));
    assert_eq!(events::session(&events).1, Some(2));
}

/// Settings of a training whose checkpoints are also within epochs.
const SETTINGS: [&str; 6] = [
    "model.hidden=[12]",
    "optimizer.kind=adam",
    "data.validation=100",
    "training.batch_size=60",
    "checkpoint.every_steps=4",
    TRACKED,
];

#[test]
fn killed_and_resumed_each_epoch_is_there_once() {
    let dir = test_dir();
    let (mut child, folder) = start_endless(&dir, &SETTINGS);
    // While it trains, every record that is whole can be read, and no epoch is late.
    let path = events::files(&folder.join("tensorboard")).pop().unwrap();
    let (events, _) = events::decode(&fs::read(&path).unwrap());
    assert!(events::scalars(&events, "loss/train").len() >= 2);
    child.kill().unwrap();
    wait_for_end(child);

    let bytes = fs::read(&path).unwrap();
    let (events, _) = events::decode(&bytes);
    let times_before = events::wall_times(&events, "loss/train");
    // What a kill in the middle of a record may leave, and an epoch that is trained again.
    let mut torn = bytes.clone();
    torn.extend(&bytes[..bytes.len() / 2]);
    fs::write(&path, torn).unwrap();
    let csv = folder.join("metrics.csv");
    fs::write(&csv, dir.read(&csv) + "1000000,0.5,0.").unwrap();

    let done = json_lines(&dir.read(folder.join("metrics.jsonl"))).len();
    let epochs = (done + 2).to_string();
    // The run goes on with the files that it has: `--track` is not needed again.
    let record = dir.json(&["resume", folder.to_str().unwrap(), "--epochs", &epochs]);
    assert_eq!(number(&record, "num_epochs") as usize, done + 2);
    let events = assert_same_epochs(&dir, &folder);
    // The kept epochs have the times at which they ended.
    let kept = done - 1;
    assert_eq!(events::wall_times(&events, "loss/train")[..kept], times_before[..kept]);
    assert_eq!(events::scalars(&events, "accuracy/test").len(), 1);
    assert_eq!(events::session(&events).1, Some(1));

    // A finished run that is trained on has its result once, too.
    dir.json(&["resume", folder.to_str().unwrap(), "--epochs", &(done + 3).to_string()]);
    let events = assert_same_epochs(&dir, &folder);
    assert_eq!(events::scalars(&events, "accuracy/test").len(), 1);
    events::picture(&events, "weights");
}

#[test]
fn killed_at_any_moment_it_ends_with_the_files_of_an_undisturbed_run() {
    let dir = test_dir();
    let train = train_with(&[&SETTINGS[..], &["training.num_epochs=10"]].concat());
    let begun = Instant::now();
    dir.json(&train);
    let whole_time = begun.elapsed();
    let reference = result(&dir, &run_folders(&dir)[0]);
    fs::remove_dir_all(dir.path().join("artifacts")).unwrap();
    let mut rng = Rng::new(11);
    let (mut kills, mut ends) = (0, 0);
    while kills < 20 || ends == 0 {
        let going = run_folders(&dir).pop();
        let folder = going.as_ref().map(|folder| folder.to_str().unwrap().to_owned());
        let args = folder.as_ref().map_or(train.clone(), |folder| vec!["resume", folder]);
        let mut child = start(&dir, &args);
        sleep(whole_time.mul_f64(rng.next_f64()));
        let killed = child.try_wait().unwrap().is_none();
        if killed {
            child.kill().unwrap();
        }
        let output = wait_for_end(child);
        assert!(!output.stderr.contains("warning"), "a kill left damage: {}", output.stderr);
        kills += usize::from(killed);
        if output.code == 0 || output.stderr.contains("is finished: all of its ") {
            let folder = run_folders(&dir).pop().unwrap();
            assert_eq!(result(&dir, &folder), reference, "after {kills} kills");
            let events = assert_same_epochs(&dir, &folder);
            assert_eq!(events::scalars(&events, "accuracy/test").len(), 1, "after {kills} kills");
            fs::remove_dir_all(dir.path().join("artifacts")).unwrap();
            ends += 1;
        }
    }
}

#[test]
fn a_run_is_tracked_from_its_resumption_on() {
    let dir = test_dir();
    let record = dir.json(&train_with(&["data.validation=100", "training.num_epochs=2"]));
    let run = record["run"].as_str().unwrap();
    dir.json(&["resume", run, "--epochs", "3", "--track", "tensorboard,csv"]);
    assert_same_epochs(&dir, Path::new(run));
    let output = dir.run(&["train", "--track", "mlflow"]);
    assert_eq!(output.code, 2);
    assert!(output.stderr.contains("[possible values: tensorboard, csv]"), "{}", output.stderr);
    let output = dir.run(&["train", "--set", "track=tensorboard"]);
    assert!(
        output.stderr.contains("did you mean `--set 'tracking.kinds=[\"tensorboard\"]'`?"),
        "{}",
        output.stderr
    );
    // No event file is written outside of the run's folder.
    let folder = dir.path().join(run).join("tensorboard");
    fs::rename(&folder, dir.path().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink(dir.path().join("elsewhere"), &folder).unwrap();
    let output = dir.run(&["resume", run, "--epochs", "4"]);
    assert_eq!(output.code, 1);
    assert!(output.stderr.contains("tensorboard` is a symbolic link"), "{}", output.stderr);
}

const STUDY: &str = "folds = 2\nseeds = [1, 2]\n[set]\ndata.source = \"data\"\ntraining.num_epochs = 2\n\
                     [vary]\noptimizer.learning_rate = [0.1, 1.0]\nmodel.hidden = [[], [8]]\n";

/// Returns the events of each session below a study's folder, by the session's folder.
fn sessions(folder: &Path) -> BTreeMap<PathBuf, Vec<Event>> {
    let folders = |path: &Path| -> Vec<PathBuf> {
        fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect()
    };
    let configurations = folders(&folder.join("tensorboard"));
    configurations
        .iter()
        .flat_map(|path| folders(path))
        .map(|path| (path.clone(), events::read(&path)))
        .collect()
}

/// Asserts that the sessions are the trials in `trials.jsonl`: their epochs, their results, and one
/// group for each configuration.
fn assert_sessions_are_trials(dir: &TestDir, folder: &Path, configurations: usize) {
    let mut trials: BTreeMap<String, Value> = BTreeMap::new();
    for trial in json_lines(&dir.read(folder.join("trials.jsonl"))) {
        trials.insert(trial["id"].as_str().unwrap().to_owned(), trial);
    }
    let sessions = sessions(folder);
    assert_eq!(sessions.len(), configurations * 4, "2 folds × 2 seeds");
    let mut groups: BTreeMap<String, usize> = BTreeMap::new();
    for (path, events) in &sessions {
        let name = path.file_name().unwrap().to_str().unwrap();
        let trial = &trials[name.rsplit('-').next().unwrap()];
        let fold = trial["fold"].as_u64().unwrap() + 1;
        assert!(name.starts_with(&format!("seed-{}-fold-{fold}-", trial["seed"])), "{name}");
        let epochs = trial["epochs"].as_array().unwrap();
        for (tag, key) in EPOCH_TAGS.iter().filter(|(_, key)| *key != "images_per_second") {
            let expected: Vec<_> = epochs
                .iter()
                .map(|line| (line["epoch"].as_i64().unwrap(), number(line, key) as f32))
                .collect();
            assert_eq!(events::scalars(events, tag), expected, "{tag} of {name}");
        }
        let accuracy = vec![(trial["epoch"].as_i64().unwrap(), number(trial, "accuracy") as f32)];
        assert_eq!(events::scalars(events, "accuracy/result"), accuracy);
        let (session, status) = events::session(events);
        assert_eq!(status, Some(1));
        let rate = session.hyperparameters["optimizer.learning_rate"].number.unwrap();
        let values = trial["setting"]["values"].as_array().unwrap();
        let is_rate = |pair: &&Value| pair[0] == "optimizer.learning_rate";
        let expected: f64 = values.iter().find(is_rate).unwrap()[1].as_str().unwrap().parse().unwrap();
        assert_eq!(rate, expected);
        *groups.entry(session.group).or_default() += 1;
    }
    assert_eq!(groups.len(), configurations);
    assert!(groups.values().all(|&sessions| sessions == 4), "{groups:?}");
}

#[test]
fn a_study_has_one_session_per_trial_also_after_a_kill() {
    let dir = test_dir();
    dir.write("s.toml", STUDY);
    let folder = dir.path().join("artifacts/studies/s");
    let study = ["study", "s.toml", "--separate", "--track", "tensorboard"];
    // Killed when some trials have ended, and in the middle of a line of the log.
    let mut child = start(&dir, &study);
    let begun = Instant::now();
    let lines = || fs::read_to_string(folder.join("trials.jsonl")).unwrap_or_default().lines().count();
    while lines() < 5 && begun.elapsed() < Duration::from_secs(60) {
        sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    wait_for_end(child);
    assert!((5..16).contains(&lines()), "{} trials before the kill", lines());
    let output = dir.run(&study);
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert_sessions_are_trials(&dir, &folder, 4);
    // The winner's own run is tracked, too.
    let winner = fs::read_dir(dir.path().join("artifacts/s-best")).unwrap().next().unwrap().unwrap().path();
    assert_eq!(events::scalars(&events::read(&winner.join("tensorboard")), "accuracy/test").len(), 1);

    // Without the option, the trials and the winner are the same, and nothing is trained again.
    let output = dir.run(&["study", "s.toml"]);
    assert!(output.stdout.contains("all 16 trials have been run already"), "{}", output.stdout);
    assert!(!output.stdout.contains("has changed"), "{}", output.stdout);
    assert_eq!(fs::read_dir(dir.path().join("artifacts/s-best")).unwrap().count(), 1);

    // A finished study gets its files later. Sessions that belong to it no more are removed, and
    // what a user put there stays.
    fs::remove_dir_all(folder.join("tensorboard")).unwrap();
    assert_eq!(dir.run(&study).code, 0);
    assert_sessions_are_trials(&dir, &folder, 4);
    let of_user = sessions(&folder).into_keys().next().unwrap().join("notes.txt");
    fs::write(&of_user, "mine").unwrap();
    dir.write("s.toml", STUDY.replace("[[], [8]]", "[[9]]"));
    assert_eq!(dir.run(&study).code, 0);
    assert_eq!(fs::read_to_string(&of_user).unwrap(), "mine");
    fs::remove_dir_all(of_user.parent().unwrap()).unwrap();
    assert_sessions_are_trials(&dir, &folder, 2);
}

#[test]
fn trials_in_batches_have_their_epochs_and_stopping_images_their_own_tags() {
    let dir = test_dir();
    dir.write("s.toml", STUDY);
    assert_eq!(dir.run(&["study", "s.toml", "--track", "tensorboard"]).code, 0);
    let folder = dir.path().join("artifacts/studies/s");
    assert!(dir.read(folder.join("trials.jsonl")).contains("\"stacked\":true"));
    assert_sessions_are_trials(&dir, &folder, 4);

    let stopped = "seeds = [1]\nfolds = 2\n[set]\ndata.source = \"data\"\ntraining.num_epochs = 3\n\
                   training.early_stopping.patience = 2\ntracking.kinds = [\"tensorboard\"]\n\
                   [vary]\noptimizer.learning_rate = [0.1, 1.0]\n";
    dir.write("stopped.toml", stopped);
    assert_eq!(dir.run(&["study", "stopped.toml"]).code, 0);
    let sessions = sessions(&dir.path().join("artifacts/studies/stopped"));
    assert_eq!(sessions.len(), 4);
    for events in sessions.values() {
        let tags = events::scalar_tags(events);
        assert!(tags.contains(&"accuracy/stopping") && !tags.contains(&"accuracy/validation"), "{tags:?}");
        assert!(tags.contains(&"accuracy/result"), "{tags:?}");
    }
}
