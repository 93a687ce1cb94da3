//! Width of tables: they fit the terminal with any contents.
#![allow(clippy::unwrap_used)]

mod common;

use common::{CommandOutput, TestDir};

/// Runs smallnet as on a terminal with `columns` columns and asserts that its tables, whose lines
/// begin with a space, fit.
fn assert_fits(dir: &TestDir, columns: usize, args: &[&str]) -> String {
    let output = CommandOutput::new(dir.command(args).env("COLUMNS", columns.to_string()).output().unwrap());
    assert_eq!(output.code, 0, "{args:?}: {}", output.stderr);
    let table: Vec<&str> = output.stdout.lines().filter(|line| line.starts_with(' ')).collect();
    assert!(!table.is_empty(), "{args:?}: {}", output.stdout);
    for line in table {
        assert!(line.chars().count() <= columns, "{args:?}, {columns} columns:\n{}", output.stdout);
    }
    output.stdout
}

#[test]
fn tables_fit_eighty_columns() {
    let dir = TestDir::new();
    dir.digits(600, 300);
    let name = "a-very-long-name-of-an-experiment".repeat(3);
    let network =
        ["--hidden", "12345,7", "--set", "model.dropout=0.25", "--set", "model.input_dropout=0.125"];
    assert_fits(&dir, 80, &[&["summary", "--data", "data"][..], &network].concat());
    for seed in ["1", "2", "3", "4", "5", "6"] {
        let training =
            ["train", "--data", "data", "--epochs", "2", "--name", &name, "--seed", seed, "--quiet"];
        assert_eq!(dir.run(&training).code, 0);
    }
    let runs = dir.json(&["runs"]);
    let runs: Vec<&str> = runs.as_array().unwrap().iter().map(|run| run["run"].as_str().unwrap()).collect();
    for columns in [20, 40, 80] {
        assert_fits(&dir, columns, &["runs"]);
        assert_fits(&dir, columns, &["evaluate", "latest"]);
        assert_fits(&dir, columns, &["weights", "latest"]);
        assert_fits(&dir, columns, &["predict", "latest", "--index", "0", "1", "2"]);
    }
    // Wrapping loses no text.
    let unwrapped = |text: &str| text.split_whitespace().collect::<String>();
    assert!(unwrapped(&assert_fits(&dir, 80, &["runs"])).contains(&name[..60]));
    let compared = assert_fits(&dir, 80, &[&["compare"][..], &runs].concat());
    for run in &runs {
        assert!(compared.contains(run.rsplit('/').next().unwrap()), "{compared}");
    }
    dir.write(
        "study.toml",
        "folds = 2\n[vary]\noptimizer.learning_rate = [0.1, 1.0]\ntraining.label_smoothing = [0, 0.0625]\n\
         optimizer.weight_decay = [0, 1e-5]\n",
    );
    assert_fits(&dir, 80, &["study", "study.toml", "--data", "data", "--dry-run"]);
    assert_fits(&dir, 80, &["study", "study.toml", "--data", "data", "--epochs", "1"]);
}

#[test]
fn as_many_classes_as_there_can_be() {
    let dir = TestDir::new();
    dir.digits(1024, 512);
    for (name, count) in [("train", 1024), ("t10k", 512)] {
        let header = [2049u32, count].map(u32::to_be_bytes).concat();
        let labels = (0..count).map(|index| (index % 256) as u8);
        dir.write(
            &format!("data/{name}-labels-idx1-ubyte"),
            header.into_iter().chain(labels).collect::<Vec<u8>>(),
        );
    }
    let data = assert_fits(&dir, 80, &["data", "--data", "data"]);
    assert!(data.contains("\n   255      4 "), "{data}");
    assert_fits(&dir, 80, &["summary", "--data", "data"]);
    assert_eq!(dir.run(&["train", "--data", "data", "--epochs", "1", "--quiet"]).code, 0);
    for columns in [20, 40, 80] {
        assert_fits(&dir, columns, &["evaluate", "latest"]);
    }
}
