//! smallnet on a real terminal: keys, a closed window, a small size.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use common::TestDir;
use serde_json::Value;

/// Arguments of an endless training.
const ENDLESS: [&str; 5] = ["train", "--data", "data", "--epochs", "100000"];
const USUAL: (u16, u16) = (80, 24);

fn test_dir() -> TestDir {
    let dir = TestDir::new();
    dir.digits(1000, 100);
    dir
}

/// Asserts that the run is saved, marked as interrupted, and can be evaluated and resumed.
fn assert_interrupted(dir: &TestDir) {
    let runs = dir.json(&["runs"]);
    assert_eq!(runs.as_array().unwrap().len(), 1, "{runs}");
    assert_eq!(runs[0]["status"], "interrupted", "{runs}");
    assert!(runs[0]["message"].as_str().unwrap().starts_with("in epoch "), "{runs}");
    assert_eq!(dir.json(&["evaluate", "latest"])["num_images"], 100);
}

#[test]
fn a_signal_that_is_ignored_stays_ignored() {
    let dir = test_dir();
    let binary = env!("CARGO_BIN_EXE_smallnet");
    // `nohup` starts a program in this way, and so does the shell of a script with `&`.
    let script = format!("trap '' HUP INT; exec '{binary}' {}", ENDLESS.join(" "));
    let mut child = Command::new("sh")
        .args(["-c", &script])
        .current_dir(dir.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let id = child.id().to_string();
    let send = |signal: &str| {
        let kill = ["-s", signal, &id];
        assert!(Command::new("kill").args(kill).status().unwrap().success());
    };
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut epochs = |number| {
        let epochs = lines.by_ref().filter(|line| line.starts_with("epoch ")).take(number);
        assert_eq!(epochs.count(), number, "the training has ended");
    };
    epochs(2);
    send("HUP");
    send("INT");
    send("INT");
    // The training continues; a signal would have stopped it long before.
    epochs(500);
    send("TERM");
    assert!(lines.any(|line| line.starts_with("interrupted in epoch ")));
    assert_eq!(child.wait().unwrap().code(), Some(143));
    assert_interrupted(&dir);
}

#[test]
fn ctrl_c_and_a_closed_window_end_a_training_saved() {
    for (keys, code) in [(Some("\x03"), 130), (None, 129)] {
        let dir = test_dir();
        let mut terminal = dir.on_terminal(USUAL, &ENDLESS);
        terminal.wait_for("epoch      2/100000");
        match keys {
            Some(keys) => terminal.type_keys(keys),
            None => terminal.close(),
        }
        assert_eq!(terminal.wait_for_end(), code, "{}", terminal.text);
        assert_interrupted(&dir);
    }
}

/// Escape sequence that leaves the alternate screen.
const LEAVES_SCREEN: &str = "\x1b[?1049l";

#[test]
fn keys_in_the_dashboard_end_a_training_saved() {
    // The keys are Ctrl-C, and q followed by s ("stop") or k ("kill").
    for keys in [&["\x03"] as &[&str], &["q", "s"], &["q", "k"]] {
        let dir = test_dir();
        let mut terminal = dir.on_terminal(USUAL, &[&ENDLESS[..], &["--dashboard"]].concat());
        terminal.wait_for("Accuracy");
        for (index, key) in keys.iter().enumerate() {
            if index > 0 {
                terminal.wait_for("Quit");
            }
            terminal.type_keys(key);
        }
        assert_eq!(terminal.wait_for_end(), 130, "{keys:?}: {}", terminal.text);
        let after = terminal.text.split(LEAVES_SCREEN).last().unwrap();
        assert!(after.contains("interrupted in epoch "), "{keys:?}: {}", terminal.text);
        assert_interrupted(&dir);
    }
}

#[test]
fn a_window_that_is_closed_ends_the_dashboard_and_the_training_saved() {
    let dir = test_dir();
    let mut terminal = dir.on_terminal(USUAL, &[&ENDLESS[..], &["--dashboard"]].concat());
    terminal.wait_for("Accuracy");
    terminal.close();
    assert_eq!(terminal.wait_for_end(), 129, "{}", terminal.text);
    assert_interrupted(&dir);
}

#[test]
fn a_window_made_as_small_as_can_be_ends_nothing() {
    let dir = test_dir();
    let mut terminal = dir.on_terminal(USUAL, &[&ENDLESS[..], &["--dashboard"]].concat());
    terminal.wait_for("Accuracy");
    terminal.shrink();
    std::thread::sleep(std::time::Duration::from_secs(1));
    terminal.type_keys("\x03");
    assert_eq!(terminal.wait_for_end(), 130, "{}", terminal.text);
    assert_interrupted(&dir);
}

#[test]
fn terminals_without_room_are_no_trouble() {
    let dir = test_dir();
    dir.write("study.toml", "folds = 2\n[vary]\noptimizer.learning_rate = [0.1, 1.0]\n");
    for size in [(0, 0), (1, 1), (1, 24), (2, 2), (20, 5)] {
        let run = |args: &[&str]| {
            let mut terminal = dir.on_terminal(size, args);
            (terminal.wait_for_end(), std::mem::take(&mut terminal.text))
        };
        let ended = |args: &[&str]| {
            let (code, text) = run(args);
            assert_eq!(code, 0, "{args:?} on {size:?}: {text}");
            assert!(!text.contains("bug"), "{args:?} on {size:?}: {text}");
        };
        let artifacts = format!("of-{}-{}", size.0, size.1);
        let artifacts = ["--artifacts", artifacts.as_str()];
        let training = ["train", "--data", "data", "--epochs", "3"];
        ended(&[&training[..], &artifacts].concat());
        ended(&[&["study", "study.toml", "--data", "data", "--epochs", "2"][..], &artifacts].concat());
        ended(&[&["lr-find", "--data", "data"][..], &artifacts].concat());
        for args in [
            &["evaluate", "latest"][..],
            &["predict", "latest", "--index", "0"],
            &["predict", "latest", "--index", "0", "1"],
            &["weights", "latest"],
            &["runs"],
            &["summary", "--data", "data"],
            &["data", "--data", "data"],
            &["data", "--data", "data", "--index", "0"],
            &["--help"],
            &["train", "--help"],
        ] {
            ended(&[args, &artifacts].concat());
        }
        let (code, text) = run(&[&training[..], &artifacts, &["--dashboard"]].concat());
        if size == (0, 0) {
            // The terminal does not know its size.
            assert_eq!(code, 0, "{text}");
            continue;
        }
        assert_eq!(code, 2, "{text}");
        assert!(text.starts_with("error: --dashboard needs a terminal, and this one has "), "{text}");
    }
}

#[test]
fn a_bar_promises_nothing_before_there_is_something_to_go_by() {
    let dir = test_dir();
    dir.write("study.toml", "folds = 2\n[vary]\noptimizer.learning_rate = [0.1, 1.0]\n");
    let mut study = dir.on_terminal((120, 24), &["study", "study.toml", "--data", "data", "--epochs", "100"]);
    assert_eq!(study.wait_for_end(), 0, "{}", study.text);
    let first = study.text.split("trials 0/4").nth(1).unwrap().split('\r').next().unwrap();
    assert!(!first.contains("left"), "{first}");

    let mut training = dir.on_terminal((120, 24), &["train", "--data", "data", "--epochs", "600"]);
    training.wait_for("epoch 100/600");
    training.type_keys("\x03");
    assert_eq!(training.wait_for_end(), 130, "{}", training.text);
    let mut resumed = dir.on_terminal((120, 24), &["resume", "latest"]);
    assert_eq!(resumed.wait_for_end(), 0, "{}", resumed.text);
    // These are the drawings of the bar up to the first one that states a speed.
    let drawn: Vec<&str> = resumed.text.split('\r').filter(|text| text.contains(" %  ")).collect();
    assert!(!drawn.is_empty(), "{}", resumed.text);
    let first = drawn.iter().find(|text| text.contains("loss")).unwrap();
    assert!(!first.contains("left") && !first.contains("images/s"), "{drawn:?}");
    let last = drawn.last().unwrap();
    let speed =
        last.split("images/s").next().unwrap().split_whitespace().next_back().unwrap().replace(',', "");
    let (speed, lines): (f64, Vec<Value>) = (speed.parse().unwrap(), {
        let run = dir.json(&["runs"]);
        let metrics = dir.read(dir.run_folder(&run[0]).join("metrics.jsonl"));
        metrics.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    });
    // The stated speed is not above that of the fastest epoch: work before the resume does not
    // count.
    let fastest =
        lines.iter().map(|line| line["images_per_second"].as_f64().unwrap_or(0.0)).fold(0.0, f64::max);
    assert!(speed <= fastest, "{speed}, {fastest}");
}
