//! Data sets by name: what is there, what is not, and what the program says of it. The downloads
//! themselves are tested in `src/data/fetch` against a server on the loopback address.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::fs;
use std::path::Path;

use common::{CommandOutput, TestDir};

/// Runs smallnet with a cache folder of this test, and with no program on the search path.
fn run(dir: &TestDir, args: &[&str]) -> CommandOutput {
    let mut command = dir.command(args);
    command.env("SMALLNET_DATA", dir.path().join("cache")).env("PATH", dir.path());
    CommandOutput::new(command.output().unwrap())
}

#[test]
fn a_name_that_was_not_fetched_is_an_error_with_the_command() {
    let dir = TestDir::new();
    run(&dir, &["train", "--data", "fashion-mnist"]).assert_error(
        1,
        "`fashion-mnist` is not on this machine\n\nhint: `smallnet fetch fashion-mnist` downloads it (31 MB)",
    );
    let output = run(&dir, &["train", "--data", "fashion-minst"]);
    assert_eq!(output.code, 1);
    assert!(output.stderr.contains("did you mean `fashion-mnist`?"), "{}", output.stderr);
    let output = run(&dir, &["fetch", "fashion-minst"]);
    assert_eq!(output.code, 2);
    assert!(output.stderr.contains("did you mean `fashion-mnist`?"), "{}", output.stderr);
    assert!(!dir.path().join("artifacts").exists() && !dir.path().join("cache").exists());
}

#[test]
fn without_curl_and_wget_the_addresses_are_listed() {
    let dir = TestDir::new();
    let output = run(&dir, &["fetch", "kmnist"]);
    assert_eq!(output.code, 1);
    for word in ["curl", "wget", "http", "train-images-idx3-ubyte.gz", "cache/kmnist"] {
        assert!(output.stderr.contains(word), "{word}: {}", output.stderr);
    }
}

/// Digits take the place of the clothes.
#[test]
fn files_in_the_cache_folder_have_the_names_of_their_classes() {
    let dir = TestDir::new();
    let listed = run(&dir, &["fetch"]).stdout;
    let line = |text: &str| text.lines().find(|line| line.contains(" fashion-mnist ")).unwrap().to_owned();
    assert!(line(&listed).contains(" no "), "{listed}");
    dir.digits(200, 40);
    fs::create_dir_all(dir.path().join("cache")).unwrap();
    fs::rename(dir.path().join("data"), dir.path().join("cache/fashion-mnist")).unwrap();
    let listed = run(&dir, &["fetch"]).stdout;
    assert!(line(&listed).contains(" yes "), "{listed}");
    let output =
        run(&dir, &["train", "softmax", "--data", "fashion-mnist", "--epochs", "1", "--batch-size", "32"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(output.stdout.contains("data: fashion-mnist, 200 training images"), "{}", output.stdout);
    let output = run(&dir, &["predict", "latest", "--index", "0"]);
    assert!(output.stdout.contains("its label is Sneaker"), "{}", output.stdout);
    let page = fs::read_dir(dir.path().join("artifacts/softmax")).unwrap().next().unwrap().unwrap().path();
    let page = fs::read_to_string(Path::new(&page).join("report.html")).unwrap();
    assert!(page.contains("T-shirt/top") && page.contains("Ankle boot"));
}
