//! `--help`: each command shows the options that it uses, and no others.
#![allow(clippy::unwrap_used)]

mod common;

use common::TestDir;

const COMMANDS: [&str; 14] = [
    "train",
    "resume",
    "evaluate",
    "predict",
    "weights",
    "report",
    "compare",
    "data",
    "summary",
    "study",
    "lab",
    "lr-find",
    "runs",
    "completions",
];

#[test]
fn a_command_shows_the_options_that_it_uses() {
    let place = TestDir::new();
    let global = ["--backend", "--artifacts", "--json", "--quiet", "--threads"];
    for command in COMMANDS {
        let shown: &[&str] = match command {
            "resume" => &["--artifacts", "--json", "--quiet", "--threads"],
            "weights" | "report" | "compare" | "data" | "runs" => &["--artifacts", "--json", "--quiet"],
            "summary" => &["--json", "--quiet"],
            "lab" => &["--backend", "--json", "--quiet", "--threads"],
            "completions" => &[],
            _ => &global,
        };
        let help = place.run(&[command, "--help"]).stdout;
        for option in global {
            let is_shown = help
                .lines()
                .any(|line| line.split_whitespace().any(|word| word.trim_end_matches([',', '=']) == option));
            assert_eq!(is_shown, shown.contains(&option), "{option} in {help}");
        }
        // All options are accepted before and after the command's name, as in earlier versions.
        let options = ["--backend", "flex", "--artifacts", "a", "--json", "--quiet", "--threads", "1"];
        for words in [&[&[command][..], &options].concat()[..], &[&options[..], &[command]].concat()] {
            let ran = place.run(&[words, &["--no-such-option"]].concat());
            assert!(ran.stderr.contains("'--no-such-option' found"), "{words:?}: {}", ran.stderr);
        }
    }
}

#[test]
fn exercise_is_another_name_of_lab() {
    let place = TestDir::new();
    let help = |command: &str| place.run(&[command, "--help"]);
    let (lab, exercise) = (help("lab"), help("exercise"));
    assert_eq!((lab.code, exercise.code), (0, 0), "{}", exercise.stderr);
    assert!(lab.stdout.contains("--questions") && exercise.stdout == lab.stdout, "{}", exercise.stdout);
    let all = place.run(&["--help"]).stdout;
    assert!(all.contains("[alias: exercise]"), "{all}");
}

#[test]
fn hidden_options_still_do_what_they_did() {
    let place = TestDir::new();
    place.digits(300, 100);
    place.json(&["train", "--data", "data", "--epochs", "1"]);
    place.json(&["weights", "latest", "--backend", "ndarray", "--threads", "1"]);
    place.json(&["--backend", "flex", "summary", "--artifacts", "elsewhere"]);
    let moved = place.json(&["runs", "--artifacts", "elsewhere"]);
    assert_eq!(moved.as_array().unwrap().len(), 0);
}

#[test]
fn usages_name_the_arguments_in_their_order() {
    let place = TestDir::new();
    for (command, usage) in [
        ("train", "Usage: smallnet train [OPTIONS] [CONFIG]\n"),
        ("evaluate", "Usage: smallnet evaluate [OPTIONS] <RUN or CHECKPOINT>\n"),
        (
            "predict",
            "Usage: smallnet predict [OPTIONS] <RUN or CHECKPOINT> <IMAGE>...\n       smallnet predict [OPTIONS] <RUN or \
             CHECKPOINT> --index <N>...\n",
        ),
        ("compare", "Usage: smallnet compare [OPTIONS] <RUN> <RUN>...\n"),
        ("study", "Usage: smallnet study [OPTIONS] <STUDY>\n"),
        ("completions", "Usage: smallnet completions <SHELL>\n"),
    ] {
        let help = place.run(&[command, "--help"]).stdout;
        assert!(help.contains(usage), "{command}: {help}");
    }
    // The message of a usage error shows the same options.
    let ran = place.run(&["predict", "latest"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("smallnet predict [OPTIONS] <RUN or CHECKPOINT> <IMAGE>..."),
        "{}",
        ran.stderr
    );
}

#[test]
fn short_forms_are_settings() {
    let place = TestDir::new();
    place.digits(300, 100);
    let short = ["--epochs", "2", "--lr", "0.25", "--batch-size", "50", "--hidden", "6,5"];
    let long = [
        "--set",
        "training.num_epochs=2",
        "--set",
        "optimizer.learning_rate=0.25",
        "--set",
        "training.batch_size=50",
        "--set",
        "model.hidden=[6,5]",
    ];
    for command in ["train", "summary", "lr-find"] {
        let records = [&short[..], &long].map(|options| {
            let mut record = place.json(&[&[command, "--data", "data"][..], options].concat());
            for other in ["run", "report", "seconds_per_epoch"] {
                record.as_object_mut().unwrap().remove(other);
            }
            record
        });
        assert_eq!(records[0], records[1], "{command}");
    }
    let config = place.read(place.run_folder(&place.json(&["runs"])[0]).join("config.toml"));
    for setting in ["num_epochs = 2", "learning_rate = 0.25", "batch_size = 50", "hidden = [6, 5]"] {
        assert!(config.contains(setting), "{config}");
    }
    // Short forms override `--set`, in any order, and the defaults of a kind.
    let options = ["--lr", "0.5", "--set", "optimizer.kind=adam", "--set", "optimizer.learning_rate=0.1"];
    let plan = place.json(&[&["summary", "--data", "data", "--hidden", "none"][..], &options].concat());
    assert_eq!(plan["optimizer"], "Adam");
    assert!(plan["learning_rate"].as_str().unwrap().contains("0.5"), "{plan}");
    assert_eq!(plan["layers"].as_array().unwrap().len(), 4);
    place.write("study.toml", "folds = 2\n[vary]\nmodel.hidden = [[], [4]]\n");
    let study =
        place.json(&["study", "study.toml", "--data", "data", "--epochs", "1", "--batch-size", "100"]);
    assert_eq!(study["done"], 4);
    let study = place.read(place.path().join(study["winner"].as_str().unwrap()).join("config.toml"));
    assert!(study.contains("num_epochs = 1\n") && study.contains("batch_size = 100\n"), "{study}");
}

#[test]
fn short_forms_are_refused_like_settings() {
    let place = TestDir::new();
    for (options, message) in [
        (["--epochs", "0"], "`training.num_epochs` is 0, expected "),
        (["--lr", "-1"], "`optimizer.learning_rate` is -1, expected "),
        (["--lr", "nan"], "`optimizer.learning_rate` is NaN, expected "),
        (["--batch-size", "0"], "`training.batch_size` is 0, expected "),
        (["--hidden", "5,0"], "`model.hidden[1]` is 0, expected "),
    ] {
        let ran = place.run(&[&["train"][..], &options].concat());
        assert_eq!(ran.code, 1, "{options:?}: {}", ran.stderr);
        assert!(ran.stderr.starts_with(&format!("error: {message}")), "{options:?}: {}", ran.stderr);
    }
    for options in [
        ["--epochs", "-3"],
        ["--epochs", "two"],
        ["--hidden", "-5"],
        ["--lr", "fast"],
        ["--hidden", "wide"],
        ["--hidden", "5,,6"],
        ["--hidden", ""],
    ] {
        let ran = place.run(&[&["train"][..], &options].concat());
        assert_eq!(ran.code, 2, "{options:?}: {}", ran.stderr);
        assert!(ran.stderr.starts_with("error: "), "{options:?}: {}", ran.stderr);
    }
    let ran = place.run(&["train", "--hidden", "wide"]);
    assert!(ran.stderr.contains("expected widths such as `128` or `128,64`, or `none`"), "{}", ran.stderr);
    assert!(!place.path().join("artifacts").exists());
    let ran = place.run(&["--epochs", "3"]);
    assert!(
        ran.stderr.ends_with("hint: what belongs to training follows `train`: put `train` before it\n"),
        "{}",
        ran.stderr
    );
}
