//! Where words go: results to standard output, talk to standard error when `--json` needs the former.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;

use crate::error::{Error, Result};

/// How a person types the next command: through cargo where this one came through it.
pub(super) fn program() -> &'static str {
    if std::env::var_os("CARGO").is_some() { "cargo run --release --" } else { "smallnet" }
}

/// A way out, on standard error.
pub(super) fn hint(text: &str) {
    let _ = writeln!(io::stderr(), "\nhint: {}", harmless(text));
}

/// A text without what would move the terminal's cursor, name its window or type for its user: names and messages may be
/// somebody else's. Colours are left, and what ends lines.
fn harmless(text: &str) -> Cow<'_, str> {
    let is_harmless = |c: char| !c.is_control() || "\n\t".contains(c);
    if text.chars().all(is_harmless) {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len());
    for (index, part) in text.split('\u{1b}').enumerate() {
        if index > 0 {
            shown.push(if sets_colour(part) { '\u{1b}' } else { char::REPLACEMENT_CHARACTER });
        }
        shown.extend(part.chars().map(|c| if is_harmless(c) { c } else { char::REPLACEMENT_CHARACTER }));
    }
    shown.into()
}

/// Whether an escape sequence, without its first character, sets a colour: `[38;5;255m`.
fn sets_colour(sequence: &str) -> bool {
    let numbers = sequence
        .strip_prefix('[')
        .map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';'));
    numbers.is_some_and(|rest| rest.starts_with('m'))
}

/// Prints for one command.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    json: bool,
    quiet: bool,
}

impl Output {
    pub(super) fn new(json: bool, quiet: bool) -> Self {
        Self { json, quiet }
    }

    /// Whether `--quiet` was given.
    pub(super) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether lines end up on a terminal that shows colours.
    pub(super) fn has_colors(&self) -> bool {
        if self.json { console::colors_enabled_stderr() } else { console::colors_enabled() }
    }

    /// A line for a person.
    pub(super) fn line(&self, text: &str) {
        if self.quiet {
            return;
        }
        let text = harmless(text);
        let written =
            if self.json { writeln!(io::stderr(), "{text}") } else { writeln!(io::stdout(), "{text}") };
        // A reader that has gone away, such as `head`, is no error of ours.
        if let Err(error) = written
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            self.warning(&format!("cannot print: {error}"));
        }
    }

    /// The record of `--json`, on one line of standard output.
    ///
    /// # Errors
    /// When the record cannot be written: whoever asked for it waits for it.
    pub(super) fn record(&self, record: &impl Serialize) -> Result<()> {
        if !self.json {
            return Ok(());
        }
        let text = serde_json::to_string(record).map_err(|error| {
            Error::new(format!("cannot write the JSON record: {error}")).with_source(error)
        })?;
        writeln!(io::stdout(), "{text}")
            .map_err(|error| Error::new(format!("cannot write the JSON record: {error}")).with_source(error))
    }

    /// An error, on standard error.
    pub(super) fn error(&self, error: &Error) {
        let _ = writeln!(io::stderr(), "error: {}", harmless(&error.to_string()));
    }

    /// What succeeded; of what did not, a warning and nothing.
    pub(super) fn or_warn<T: Default>(&self, result: Result<T>) -> T {
        result.unwrap_or_else(|error| {
            self.warning(&error.to_string());
            T::default()
        })
    }

    /// A warning, on standard error.
    pub(super) fn warning(&self, text: &str) {
        if self.quiet {
            return;
        }
        let _ = writeln!(io::stderr(), "warning: {}", harmless(text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_named_cannot_steer_the_terminal() {
        for (text, shown) in [
            ("two\nlines, – and\ttabs", "two\nlines, – and\ttabs"),
            ("\u{1b}[38;5;255m▀\u{1b}[0m", "\u{1b}[38;5;255m▀\u{1b}[0m"),
            ("\u{1b}[2Jgone \u{1b}]0;title\u{7}", "\u{fffd}[2Jgone \u{fffd}]0;title\u{fffd}"),
            ("a\rb\u{8}\u{9b}1A\u{1b}", "a\u{fffd}b\u{fffd}\u{fffd}1A\u{fffd}"),
        ] {
            assert_eq!(harmless(text), shown);
        }
    }
}
