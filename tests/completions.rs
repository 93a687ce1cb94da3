//! Shell completions, loaded by the shells.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::process::Command;

use common::TestDir;

fn script(dir: &TestDir, shell: &str) -> String {
    let output = dir.run(&["completions", shell]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{shell}");
    assert!(output.stdout.contains("lr-find") && output.stdout.contains("batch-size"), "{shell}");
    dir.write(&format!("smallnet.{shell}"), &output.stdout);
    output.stdout
}

/// Returns the output of `shell` for the script `text`, or none if the shell is not installed.
fn run_in_shell(dir: &TestDir, shell: &str, text: &str) -> Option<String> {
    let output = Command::new(shell).args(["-c", text]).current_dir(dir.path()).output();
    let Ok(output) = output else {
        // `.ci/run` installs all shells.
        assert!(std::env::var_os("SMALLNET_REQUIRE_SHELLS").is_none(), "no {shell}");
        return None;
    };
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && errors.is_empty(), "{shell}: {errors}");
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn bash_completes_commands_options_and_values() {
    let dir = TestDir::new();
    script(&dir, "bash");
    let complete = |words: &str, last: usize| {
        let text = format!(
            "source smallnet.bash; COMP_WORDS=({words}); COMP_CWORD={last}; \
             _smallnet smallnet \"${{COMP_WORDS[{last}]}}\" \"${{COMP_WORDS[{last}-1]}}\"; echo \"${{COMPREPLY[@]}}\""
        );
        run_in_shell(&dir, "bash", &text).unwrap()
    };
    assert_eq!(complete("smallnet ev", 1).trim(), "evaluate");
    assert_eq!(complete("smallnet train --ba", 2).trim(), "--batch-size --backend");
    assert_eq!(complete("smallnet evaluate --split ''", 3).trim(), "test validation train");
    // Options that a command does not use are not offered.
    assert_eq!(complete("smallnet runs --thr", 2).trim(), "");
}

#[test]
fn zsh_and_fish_load_their_scripts() {
    let dir = TestDir::new();
    script(&dir, "zsh");
    let loaded = run_in_shell(
        &dir,
        "zsh",
        "autoload -U compinit && compinit -u -d dump && source ./smallnet.zsh && whence -w _smallnet",
    );
    assert!(loaded.is_none_or(|text| text.contains("_smallnet: function")));
    script(&dir, "fish");
    let offered = run_in_shell(&dir, "fish", "source smallnet.fish; complete -C 'smallnet ev'");
    assert!(offered.is_none_or(|text| text.starts_with("evaluate\t")));
}

#[test]
fn every_shell_has_a_script_and_an_unknown_one_is_refused() {
    let dir = TestDir::new();
    for shell in ["powershell", "elvish"] {
        script(&dir, shell);
    }
    let output = dir.run(&["completions", "tcsh"]);
    assert_eq!(output.code, 2);
    assert!(
        output.stderr.contains("possible values: bash, elvish, fish, powershell, zsh"),
        "{}",
        output.stderr
    );
}
