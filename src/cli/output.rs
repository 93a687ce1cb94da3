//! Owns standard output and standard error. Lines for people go to standard output, and with
//! `--json` to standard error, since the JSON record is then the only line of standard output.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};

/// Returns the words that start smallnet: `cargo run --release --` if cargo started this process,
/// else `smallnet`. Messages show them in front of the next command to type.
pub(super) fn invocation() -> &'static str {
    if std::env::var_os("CARGO").is_some() { "cargo run --release --" } else { "smallnet" }
}

/// Prints a hint on standard error.
pub(super) fn hint(text: &str) {
    let _ = writeln!(io::stderr(), "\nhint: {}", sanitize(text));
}

/// Prints a file that this program generates, such as a script, as it is.
pub(super) fn print_generated(bytes: &[u8]) -> Result<()> {
    let mut stdout = io::stdout();
    stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(|error| {
        Error::new(format!("cannot write to standard output: {error}"))
            .with_kind(ErrorKind::Io)
            .with_source(error)
    })
}

/// Replaces control characters that could move the terminal's cursor, rename its window or type for
/// its user, since names and messages may come from untrusted files. Colours, line feeds and tabs
/// stay.
fn sanitize(text: &str) -> Cow<'_, str> {
    let is_allowed = |c: char| !c.is_control() || "\n\t".contains(c);
    if text.chars().all(is_allowed) {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len());
    for (index, part) in text.split('\u{1b}').enumerate() {
        if index > 0 {
            shown.push(if is_color_sequence(part) { '\u{1b}' } else { char::REPLACEMENT_CHARACTER });
        }
        shown.extend(part.chars().map(|c| if is_allowed(c) { c } else { char::REPLACEMENT_CHARACTER }));
    }
    shown.into()
}

/// Returns whether an escape sequence, given without its first character, sets a colour, such as
/// `[38;5;255m`.
fn is_color_sequence(sequence: &str) -> bool {
    let numbers = sequence
        .strip_prefix('[')
        .map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';'));
    numbers.is_some_and(|rest| rest.starts_with('m'))
}

/// Printer of one command.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    json: bool,
    quiet: bool,
}

impl Output {
    /// Creates the printer from the values of `--json` and `--quiet`.
    pub(super) fn new(json: bool, quiet: bool) -> Self {
        Self { json, quiet }
    }

    /// Returns whether `--quiet` was given.
    pub(super) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Returns whether lines are printed on a terminal that shows colours.
    pub(super) fn has_colors(&self) -> bool {
        if self.json { console::colors_enabled_stderr() } else { console::colors_enabled() }
    }

    /// Prints a line for a person.
    pub(super) fn line(&self, text: &str) {
        if self.quiet {
            return;
        }
        let text = sanitize(text);
        let written =
            if self.json { writeln!(io::stderr(), "{text}") } else { writeln!(io::stdout(), "{text}") };
        // A reader that has closed the pipe, such as `head`, is no error of smallnet.
        if let Err(error) = written
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            self.warning(&format!("cannot print: {error}"));
        }
    }

    /// Prints the record of `--json` on one line of standard output. Does nothing without `--json`.
    ///
    /// # Errors
    /// If the record cannot be written, since a script waits for it.
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

    /// Prints an error on standard error.
    pub(super) fn error(&self, error: &Error) {
        let _ = writeln!(io::stderr(), "error: {}", sanitize(&error.to_string()));
    }

    /// Returns the value of `result`. An error is printed as a warning and gives the default value.
    pub(super) fn warn_on_error<T: Default>(&self, result: Result<T>) -> T {
        result.unwrap_or_else(|error| {
            self.warning(&error.to_string());
            T::default()
        })
    }

    /// Prints a note, as [`Output::line`] does.
    pub(super) fn note(&self, text: &str) {
        self.line(&format!("note: {text}"));
    }

    /// Prints a warning on standard error.
    pub(super) fn warning(&self, text: &str) {
        if self.quiet {
            return;
        }
        let _ = writeln!(io::stderr(), "warning: {}", sanitize(text));
    }
}

#[cfg(test)]
mod tests;
