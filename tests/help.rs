//! `--help`: each command shows the options that it uses, and no others.
#![allow(clippy::unwrap_used)]

mod common;

use common::TestDir;

const COMMANDS: [&str; 20] = [
    "train",
    "resume",
    "evaluate",
    "predict",
    "export",
    "draw",
    "weights",
    "report",
    "verify",
    "compare",
    "import",
    "data",
    "summary",
    "study",
    "lab",
    "lr-find",
    "runs",
    "devices",
    "completions",
    "man",
];

#[test]
fn a_command_shows_the_options_that_it_uses() {
    let dir = TestDir::new();
    let global = ["--backend", "--device", "--artifacts", "--json", "--quiet", "--threads"];
    for command in COMMANDS {
        let shown: &[&str] = match command {
            "resume" => &["--backend", "--device", "--artifacts", "--json", "--quiet", "--threads"],
            "export" | "draw" | "weights" | "report" | "compare" | "data" | "runs" => {
                &["--artifacts", "--json", "--quiet"]
            }
            "summary" => &["--json", "--quiet"],
            "devices" => &["--json", "--quiet", "--threads"],
            "lab" => &["--backend", "--device", "--json", "--quiet", "--threads"],
            "completions" | "man" => &[],
            _ => &global,
        };
        let help = dir.run(&[command, "--help"]).stdout;
        for option in global {
            let is_shown = help
                .lines()
                .any(|line| line.split_whitespace().any(|word| word.trim_end_matches([',', '=']) == option));
            assert_eq!(is_shown, shown.contains(&option), "{option} in {help}");
        }
        // All options are accepted before and after the command's name, as in earlier versions.
        let options =
            ["--backend", "flex", "--device", "0", "--artifacts", "a", "--json", "--quiet", "--threads", "1"];
        for words in [&[&[command][..], &options].concat()[..], &[&options[..], &[command]].concat()] {
            let output = dir.run(&[words, &["--no-such-option"]].concat());
            assert!(output.stderr.contains("'--no-such-option' found"), "{words:?}: {}", output.stderr);
        }
    }
}

#[test]
fn exercise_is_another_name_of_lab() {
    let dir = TestDir::new();
    let help = |command: &str| dir.run(&[command, "--help"]);
    let (lab, exercise) = (help("lab"), help("exercise"));
    assert_eq!((lab.code, exercise.code), (0, 0), "{}", exercise.stderr);
    assert!(lab.stdout.contains("--questions") && exercise.stdout == lab.stdout, "{}", exercise.stdout);
    let all = dir.run(&["--help"]).stdout;
    let words: Vec<&str> = all.split_whitespace().collect();
    assert!(words.join(" ").contains("[alias: exercise]"), "{all}");
}

#[test]
fn hidden_options_still_do_what_they_did() {
    let dir = TestDir::new();
    dir.digits(300, 100);
    dir.json(&["train", "--data", "data", "--epochs", "1"]);
    dir.json(&["weights", "latest", "--backend", "ndarray", "--threads", "1"]);
    dir.json(&["--backend", "flex", "summary", "--artifacts", "elsewhere"]);
    let moved = dir.json(&["runs", "--artifacts", "elsewhere"]);
    assert_eq!(moved.as_array().unwrap().len(), 0);
}

#[test]
fn usages_name_the_arguments_in_their_order() {
    let dir = TestDir::new();
    for (command, usage) in [
        ("train", "Usage: smallnet train [OPTIONS] [CONFIG]\n"),
        ("evaluate", "Usage: smallnet evaluate [OPTIONS] <RUN or CHECKPOINT>...\n"),
        (
            "predict",
            "Usage: smallnet predict [OPTIONS] <RUN or CHECKPOINT> <IMAGE>...\n       smallnet predict [OPTIONS] <RUN or \
             CHECKPOINT> --index <N>...\n       smallnet predict [OPTIONS] <RUN or CHECKPOINT> --split <SPLIT>\n",
        ),
        ("compare", "Usage: smallnet compare [OPTIONS] <RUN> <RUN>...\n"),
        ("import", "Usage: smallnet import [OPTIONS] <FILE>\n"),
        ("study", "Usage: smallnet study [OPTIONS] <STUDY>\n"),
        ("completions", "Usage: smallnet completions <SHELL>\n"),
    ] {
        let help = dir.run(&[command, "--help"]).stdout;
        assert!(help.contains(usage), "{command}: {help}");
    }
    // The message of a usage error shows the same options.
    let output = dir.run(&["predict", "latest"]);
    assert_eq!(output.code, 2);
    assert!(
        output.stderr.contains("smallnet predict [OPTIONS] <RUN or CHECKPOINT> <IMAGE>..."),
        "{}",
        output.stderr
    );
}

#[test]
fn short_forms_are_settings() {
    let dir = TestDir::new();
    dir.digits(300, 100);
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
            let mut record = dir.json(&[&[command, "--data", "data"][..], options].concat());
            for other in ["run", "report", "seconds_per_epoch"] {
                record.as_object_mut().unwrap().remove(other);
            }
            record
        });
        assert_eq!(records[0], records[1], "{command}");
    }
    let config = dir.read(dir.run_folder(&dir.json(&["runs"])[0]).join("config.toml"));
    for setting in ["num_epochs = 2", "learning_rate = 0.25", "batch_size = 50", "hidden = [6, 5]"] {
        assert!(config.contains(setting), "{config}");
    }
    // Short forms override `--set`, in any order, and the defaults of a kind.
    let options = ["--lr", "0.5", "--set", "optimizer.kind=adam", "--set", "optimizer.learning_rate=0.1"];
    let plan = dir.json(&[&["summary", "--data", "data", "--hidden", "none"][..], &options].concat());
    assert_eq!(plan["optimizer"], "Adam");
    assert!(plan["learning_rate"].as_str().unwrap().contains("0.5"), "{plan}");
    assert_eq!(plan["layers"].as_array().unwrap().len(), 4);
    dir.write("study.toml", "folds = 2\n[vary]\nmodel.hidden = [[], [4]]\n");
    let study = dir.json(&["study", "study.toml", "--data", "data", "--epochs", "1", "--batch-size", "100"]);
    assert_eq!(study["done"], 4);
    let study = dir.read(dir.path().join(study["winner"].as_str().unwrap()).join("config.toml"));
    assert!(study.contains("num_epochs = 1\n") && study.contains("batch_size = 100\n"), "{study}");
}

#[test]
fn short_forms_are_refused_like_settings() {
    let dir = TestDir::new();
    for (options, message) in [
        (["--epochs", "0"], "`training.num_epochs` is 0, expected "),
        (["--lr", "-1"], "`optimizer.learning_rate` is -1, expected "),
        (["--lr", "nan"], "`optimizer.learning_rate` is NaN, expected "),
        (["--batch-size", "0"], "`training.batch_size` is 0, expected "),
        (["--hidden", "5,0"], "`model.hidden[1]` is 0, expected "),
    ] {
        let output = dir.run(&[&["train"][..], &options].concat());
        assert_eq!(output.code, 2, "{options:?}: {}", output.stderr);
        assert!(output.stderr.starts_with(&format!("error: {message}")), "{options:?}: {}", output.stderr);
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
        let output = dir.run(&[&["train"][..], &options].concat());
        assert_eq!(output.code, 2, "{options:?}: {}", output.stderr);
        assert!(output.stderr.starts_with("error: "), "{options:?}: {}", output.stderr);
    }
    let output = dir.run(&["train", "--hidden", "wide"]);
    assert!(
        output.stderr.contains("expected widths such as `128` or `128,64`, or `none`"),
        "{}",
        output.stderr
    );
    assert!(!dir.path().join("artifacts").exists());
    let output = dir.run(&["--epochs", "3"]);
    assert!(
        output.stderr.ends_with("hint: what belongs to training follows `train`: put `train` before it\n"),
        "{}",
        output.stderr
    );
}
