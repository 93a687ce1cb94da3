//! Owns what a user reads when something goes wrong. Knows no other module.
//!
//! One message says what failed, where, what was found and what was expected; a hint says the way out.
//! The wording follows uv: no final period, literals in backticks, `hint:` after a blank line.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The result of everything in smallnet that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// Whose mistake an error is; decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The work could not be done: exit code 1.
    Failed,
    /// The command line was wrong: exit code 2.
    Usage,
}

/// An error with everything its reader needs; it is printed, never matched on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: Kind,
    message: String,
    hint: Option<String>,
}

impl Error {
    /// The work could not be done: `message` says what, where, got and expected.
    pub fn new(message: impl Into<String>) -> Self {
        Self { kind: Kind::Failed, message: message.into(), hint: None }
    }

    /// The command line asked for something impossible.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { kind: Kind::Usage, ..Self::new(message) }
    }

    /// An input or output error while doing `action` (a verb, such as `read`) to `path`.
    pub fn io(action: &str, path: &std::path::Path, source: std::io::Error) -> Self {
        Self::new(format!("cannot {action} `{}`: {source}", path.display()))
    }

    /// Adds the way out.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What went wrong, without the way out.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The process exit code: 1 for failed work, 2 for a wrong command line.
    pub fn exit_code(&self) -> u8 {
        match self.kind {
            Kind::Failed => 1,
            Kind::Usage => 2,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\n\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

/// Who panics where networks are trained.
pub(crate) const BACKEND: &str = "the backend gave up";

/// Does `work`; a panic in it, as libraries have when a device fails or memory runs out, is an error like any other, which
/// begins with `who`.
pub fn catching<T>(who: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let what = panic.downcast_ref::<String>().map(String::as_str);
        let what = what.or(panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
        Err(Error::new(format!("{who}: {what}")))
    })
}

/// Refuses a setting whose range check failed: `key` is its dotted name, `expected` describes the range.
pub fn ensure(in_range: bool, key: &str, got: impl fmt::Display, expected: &str) -> Result<()> {
    if in_range { Ok(()) } else { Err(Error::new(format!("`{key}` is {got}, expected {expected}"))) }
}
