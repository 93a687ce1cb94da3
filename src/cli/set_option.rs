//! Owns what is special about the option `--set`: several settings may follow it, and options that
//! do not exist may mean a setting. Depends on `experiment`. Must not know commands.

use std::ffi::{OsStr, OsString};

use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::cli::Cli;
use crate::experiment::meant_setting;

const OPTION: &str = "--set";

/// Returns `words` with `--set` before each setting that follows another one:
/// `--set a=1 b=2 softmax` becomes `--set a=1 --set b=2 softmax`.
///
/// A setting begins with a key and `=`. So the name of an experiment or a path may follow the
/// settings. clap's own lists of values would take it as one of them.
pub(super) fn repeat(words: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut repeated = Vec::new();
    let (mut is_value, mut may_follow) = (false, false);
    let mut is_option = true;
    for word in words {
        is_option &= word != "--";
        let text = word.to_str().unwrap_or_default();
        if may_follow && is_option && is_setting(text) {
            repeated.push(OPTION.into());
            is_value = true;
        }
        // The value itself may be anything: clap reports one without `=`.
        may_follow =
            is_option && (is_value || text.strip_prefix(OPTION).is_some_and(|rest| rest.starts_with('=')));
        is_value = is_option && !is_value && text == OPTION;
        repeated.push(word);
    }
    repeated
}

/// Returns whether a word is a dotted key and a value, with `=` between them.
fn is_setting(word: &str) -> bool {
    let is_part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    word.split_once('=').is_some_and(|(key, _)| key.split('.').all(is_part))
}

/// Returns the words that set what an unknown option means, such as
/// `--set optimizer.momentum=0.9` for `--momentum 0.9`. None for any other `error`, an option
/// without a value, or a command without `--set`.
pub(super) fn meant_by(error: &clap::Error, words: &[OsString]) -> Option<String> {
    let (ErrorKind::UnknownArgument, Some(ContextValue::String(option))) =
        (error.kind(), error.get(ContextKind::InvalidArg))
    else {
        return None;
    };
    let key = option.strip_prefix("--")?;
    let words: Vec<&str> = words.iter().filter_map(|word| OsStr::to_str(word)).collect();
    let command = Cli::command();
    let takes_settings = |name: &&str| {
        let command = command.find_subcommand(name);
        command
            .is_some_and(|command| command.get_arguments().any(|argument| argument.get_long() == Some("set")))
    };
    words
        .iter()
        .skip(1)
        .find(|name| command.find_subcommand(name).is_some())
        .filter(|name| takes_settings(name))?;
    let value =
        words.iter().enumerate().find_map(|(index, word)| match word.strip_prefix(option.as_str())? {
            "" => words.get(index + 1).copied(),
            rest => rest.strip_prefix('='),
        })?;
    meant_setting(key, value)
}

#[cfg(test)]
mod tests;
