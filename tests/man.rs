//! `smallnet man`: manual pages, formatted by `man`.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::process::Command;

use common::TestDir;

/// Returns the page of `smallnet man` with `words` as a terminal shows it, or in roff where no `man` is installed.
fn page(dir: &TestDir, words: &[&str]) -> String {
    let output = dir.run(&[&["man"], words].concat());
    assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{words:?}");
    assert!(output.stdout.contains(".TH smallnet"), "{}", output.stdout);
    dir.write("page.1", &output.stdout);
    let arguments = ["--warnings", "--no-hyphenation", "--no-justification", "--local-file", "page.1"];
    let shown = Command::new("man").args(arguments).env("MANWIDTH", "100").current_dir(dir.path()).output();
    match shown {
        Ok(shown) => {
            assert!(shown.status.success() && shown.stderr.is_empty(), "{shown:?}");
            String::from_utf8(shown.stdout).unwrap()
        }
        Err(_) => output.stdout.replace('\\', ""),
    }
}

#[test]
fn the_page_of_the_program_names_its_commands() {
    let text = page(&TestDir::new(), &[]);
    for part in ["smallnet-train(1)", "smallnet-lr-find(1)", "--backend", "Exit codes: 0 done, 1 failed"] {
        assert!(text.contains(part), "no {part} in {text}");
    }
}

#[test]
fn the_page_of_a_command_has_the_options_that_it_uses() {
    let dir = TestDir::new();
    let train = page(&dir, &["train"]);
    for part in ["smallnet train", "--batch-size", "--set", "--threads"] {
        assert!(train.contains(part), "no {part} in {train}");
    }
    let runs = page(&dir, &["runs"]);
    assert!(runs.contains("--artifacts") && !runs.contains("--threads"), "{runs}");
    assert_eq!(page(&dir, &["exercise"]), page(&dir, &["lab"]));
}

#[test]
fn an_unknown_command_is_refused() {
    let output = TestDir::new().run(&["man", "trian"]);
    assert_eq!((output.code, output.stdout.as_str()), (2, ""));
    assert!(output.stderr.contains("smallnet has no command `trian`"), "{}", output.stderr);
    assert!(output.stderr.contains("did you mean `train`?"), "{}", output.stderr);
}
