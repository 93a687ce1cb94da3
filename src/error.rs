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
    ///
    /// The words are the system's own, without the name of a temporary file, which nobody asked for.
    pub fn io(action: &str, path: &std::path::Path, source: std::io::Error) -> Self {
        let words = source.to_string();
        Self::new(format!("cannot {action} `{}`: {}", path.display(), without_path(&source, &words)))
    }

    /// The system gives no further thread.
    pub(crate) fn thread(source: &std::io::Error) -> Self {
        Self::new(format!("cannot start a thread: {source}"))
            .hint("the system, or a limit such as `ulimit -u` or `ulimit -v`, leaves too few threads or too little memory")
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

/// The words of an error without the path that the crate tempfile puts behind them. It hides the system's error itself.
fn without_path<'a>(error: &std::io::Error, words: &'a str) -> &'a str {
    let wrapped = error.get_ref().and_then(|_| words.split_once(" at path \""));
    wrapped.map_or(words, |(words, _)| words)
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
pub(crate) const BACKEND_PANIC: &str = "the backend gave up";

/// Does `work`; a panic in it, as libraries have when a device fails or memory runs out, is an error like any other, which
/// begins with `who`.
pub fn catch_panic<T>(who: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let what = panic.downcast_ref::<String>().map(String::as_str);
        let what = what.or(panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
        Err(system_refused(who, what).unwrap_or_else(|| Error::new(format!("{who}: {what}"))))
    })
}

/// What to say of a panic with an error of the system in it, as libraries have that do not expect one: "failed to spawn thread:
/// Os { code: 11, kind: … }". The error of a thread that cannot be had is of a kind that nothing else in a training has.
fn system_refused(who: &str, panic: &str) -> Option<Error> {
    let (before, code) = panic.split_once("Os { code: ")?;
    let source = std::io::Error::from_raw_os_error(code.split_once(',')?.0.parse().ok()?);
    if before.contains("thread") || source.kind() == std::io::ErrorKind::WouldBlock {
        return Some(Error::thread(&source));
    }
    Some(Error::new(format!("{who}: {source}")))
}

/// Refuses a setting whose range check failed: `key` is its dotted name, `expected` describes the range.
pub fn ensure(in_range: bool, key: &str, got: impl fmt::Display, expected: &str) -> Result<()> {
    if in_range { Ok(()) } else { Err(Error::new(format!("`{key}` is {got}, expected {expected}"))) }
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn the_system_says_why_in_its_own_words() {
        let folder = tempfile::tempdir().unwrap();
        let gone = folder.path().join("gone");
        let wrapped = tempfile::NamedTempFile::new_in(&gone).unwrap_err();
        assert!(wrapped.to_string().contains(" at path "), "{wrapped}");
        let error = Error::io("write", std::path::Path::new("a/b"), wrapped);
        assert_eq!(error.message(), "cannot write `a/b`: No such file or directory (os error 2)");
        // Of kinds that have no words of their own in Rust, too.
        let error = std::io::Error::from_raw_os_error(5);
        let error = Error::io("write", std::path::Path::new("a/b"), error);
        assert_eq!(error.message(), "cannot write `a/b`: Input/output error (os error 5)");
    }
    #[test]
    fn a_thread_that_cannot_be_had_is_said_in_plain_words() {
        let message = |panic: &'static str| {
            let error = catch_panic(BACKEND_PANIC, || -> Result<()> { std::panic::panic_any(panic) });
            error.unwrap_err().message().to_owned()
        };
        let os = "Os { code: 11, kind: WouldBlock, message: \"Resource temporarily unavailable\" }";
        let told = "cannot start a thread: Resource temporarily unavailable (os error 11)";
        assert_eq!(
            message("failed to spawn thread: Os { code: 11, kind: WouldBlock, message: \"…\" }"),
            told
        );
        let of_rayon = format!(
            "The global thread pool has not been initialized.: ThreadPoolBuildError {{ kind: IOError({os}) }}"
        );
        assert_eq!(message(of_rayon.leak()), told);
        let of_burn = format!("called `Result::unwrap()` on an `Err` value: {os}");
        assert_eq!(message(of_burn.leak()), told);
        let other = "called `Result::unwrap()` on an `Err` value: Os { code: 5, kind: Uncategorized, message: \"…\" }";
        assert_eq!(message(other), "the backend gave up: Input/output error (os error 5)");
        assert_eq!(message("out of luck"), "the backend gave up: out of luck");
    }
}
