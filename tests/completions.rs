//! Shell completions, loaded by the shells.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::process::Command;

use common::TestDir;

fn script(place: &TestDir, shell: &str) -> String {
    let ran = place.run(&["completions", shell]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{shell}");
    assert!(ran.stdout.contains("lr-find") && ran.stdout.contains("batch-size"), "{shell}");
    place.write(&format!("smallnet.{shell}"), &ran.stdout);
    ran.stdout
}

/// Returns the output of `shell` for the script `text`, or none if the shell is not installed.
fn run_in_shell(place: &TestDir, shell: &str, text: &str) -> Option<String> {
    let output = Command::new(shell).args(["-c", text]).current_dir(place.path()).output();
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
    let place = TestDir::new();
    script(&place, "bash");
    let complete = |words: &str, last: usize| {
        let text = format!(
            "source smallnet.bash; COMP_WORDS=({words}); COMP_CWORD={last}; \
             _smallnet smallnet \"${{COMP_WORDS[{last}]}}\" \"${{COMP_WORDS[{last}-1]}}\"; echo \"${{COMPREPLY[@]}}\""
        );
        run_in_shell(&place, "bash", &text).unwrap()
    };
    assert_eq!(complete("smallnet ev", 1).trim(), "evaluate");
    assert_eq!(complete("smallnet train --ba", 2).trim(), "--batch-size --backend");
    assert_eq!(complete("smallnet evaluate --split ''", 3).trim(), "test validation train");
    // Options that a command does not use are not offered.
    assert_eq!(complete("smallnet runs --thr", 2).trim(), "");
}

#[test]
fn zsh_and_fish_load_their_scripts() {
    let place = TestDir::new();
    script(&place, "zsh");
    let loaded = run_in_shell(
        &place,
        "zsh",
        "autoload -U compinit && compinit -u -d dump && source ./smallnet.zsh && whence -w _smallnet",
    );
    assert!(loaded.is_none_or(|text| text.contains("_smallnet: function")));
    script(&place, "fish");
    let offered = run_in_shell(&place, "fish", "source smallnet.fish; complete -C 'smallnet ev'");
    assert!(offered.is_none_or(|text| text.starts_with("evaluate\t")));
}

#[test]
fn every_shell_has_a_script_and_an_unknown_one_is_refused() {
    let place = TestDir::new();
    for shell in ["powershell", "elvish"] {
        script(&place, shell);
    }
    let ran = place.run(&["completions", "tcsh"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("possible values: bash, elvish, fish, powershell, zsh"), "{}", ran.stderr);
}
