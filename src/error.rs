//! Owns the error type: what a user reads when something goes wrong, and what a program can match
//! on. Depends on nothing. Must not know any other module.
//!
//! A message says what failed, where, what was found and what was expected. A hint says what to do.
//! The wording follows uv: no final period, literals in backticks, `hint:` after a blank line.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

/// The result of every function of smallnet that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// The cause of an error, for programs that react to it. It also decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The command line is wrong: a flag's value, or a combination of flags. Exit code 2.
    Usage,
    /// An experiment file, a study file or a setting is wrong: invalid TOML, an unknown key, a
    /// value of the wrong type or out of its range. Exit code 1.
    Config,
    /// A data set or a picture cannot be used: a damaged or missing IDX file, images that do not
    /// fit the network, a data set that has changed, an image that does not exist. Exit code 1.
    Data,
    /// The run, checkpoint, experiment or study that was named does not exist, or the name fits
    /// several. Exit code 1.
    NotFound,
    /// The run cannot do what was asked for in its present state: it is finished, has no trained
    /// weights yet, or lacks the checkpoint that is needed. Exit code 1.
    State,
    /// A file has a format that this version of smallnet does not read. Exit code 1.
    Unsupported,
    /// A file of a run, study or checkpoint is damaged, or is not the one that belongs there.
    /// Exit code 1.
    Corrupt,
    /// The system refused to read or write. The source is the [`io::Error`]. Exit code 1.
    Io,
    /// Another process uses the folder of the run or study. Exit code 1.
    Locked,
    /// The backend could not be opened, or failed while it computed. Exit code 1.
    Backend,
    /// The system does not give enough memory or threads. Exit code 1.
    Resources,
    /// A loss or a weight of a training is no longer finite. Exit code 1.
    Diverged,
    /// Any other cause, such as a picture that cannot be drawn, or a bug. Exit code 1.
    Other,
}

/// An error: a message and perhaps a hint for people, a kind and perhaps a source for programs.
///
/// Two errors are equal if their kinds, messages and hints are. The sources are not compared.
#[derive(Debug, Clone)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of the kind [`ErrorKind::Other`]. `message` says what failed, where, what was found
    /// and what was expected.
    pub fn new(message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Other, message: message.into(), hint: None, source: None }
    }

    /// A [`ErrorKind::Usage`] error.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(message).with_kind(ErrorKind::Usage)
    }

    /// A [`ErrorKind::Config`] error.
    pub fn config(message: impl Into<String>) -> Self {
        Self::new(message).with_kind(ErrorKind::Config)
    }

    /// A [`ErrorKind::Data`] error.
    pub fn data(message: impl Into<String>) -> Self {
        Self::new(message).with_kind(ErrorKind::Data)
    }

    /// A [`ErrorKind::NotFound`] error.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(message).with_kind(ErrorKind::NotFound)
    }

    /// A [`ErrorKind::State`] error.
    pub fn state(message: impl Into<String>) -> Self {
        Self::new(message).with_kind(ErrorKind::State)
    }

    /// An [`ErrorKind::Unsupported`] error.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(message).with_kind(ErrorKind::Unsupported)
    }

    /// A [`ErrorKind::Corrupt`] error.
    pub fn corrupt(message: impl Into<String>) -> Self {
        Self::new(message).with_kind(ErrorKind::Corrupt)
    }

    /// A [`ErrorKind::Locked`] error.
    pub fn locked(message: impl Into<String>) -> Self {
        Self::new(message).with_kind(ErrorKind::Locked)
    }

    /// A [`ErrorKind::Backend`] error.
    pub fn backend(message: impl Into<String>) -> Self {
        Self::new(message).with_kind(ErrorKind::Backend)
    }

    /// A [`ErrorKind::Resources`] error.
    pub fn resources(message: impl Into<String>) -> Self {
        Self::new(message).with_kind(ErrorKind::Resources)
    }

    /// A [`ErrorKind::Diverged`] error.
    pub fn diverged(message: impl Into<String>) -> Self {
        Self::new(message).with_kind(ErrorKind::Diverged)
    }

    /// An [`ErrorKind::Io`] error while doing `action` (a verb, such as `read`) to `path`. Missing
    /// memory is of the kind [`ErrorKind::Resources`].
    ///
    /// The message is the system's own, without the name of a temporary file, which no user knows.
    pub fn io(action: &str, path: &Path, source: io::Error) -> Self {
        let kind = match source.kind() {
            io::ErrorKind::OutOfMemory => ErrorKind::Resources,
            _ => ErrorKind::Io,
        };
        let text = source.to_string();
        Self::new(format!("cannot {action} `{}`: {}", path.display(), without_path(&source, &text)))
            .with_kind(kind)
            .with_source(source)
    }

    /// A [`ErrorKind::Resources`] error: the system gives no further thread.
    pub(crate) fn thread(source: &io::Error) -> Self {
        Self::resources(format!("cannot start a thread: {source}"))
            .with_source(copy_io_error(source))
            .hint(TOO_FEW_THREADS)
    }

    /// Adds the hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds to the hint.
    pub(crate) fn and_hint(self, more: &str) -> Self {
        let hint = self.hint.as_ref().map_or_else(|| more.to_owned(), |hint| format!("{hint}; {more}"));
        self.hint(hint)
    }

    /// Replaces the kind.
    pub fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.kind = kind;
        self
    }

    /// Adds the error that caused this one. [`StdError::source`] returns it.
    pub fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// An error with another `message`, the same cause and no hint.
    ///
    /// A [`ErrorKind::Usage`] error becomes a [`ErrorKind::Config`] error: seen from outside, a
    /// setting was wrong, not the command line.
    pub(crate) fn in_context(&self, message: impl Into<String>) -> Self {
        let kind = match self.kind {
            ErrorKind::Usage => ErrorKind::Config,
            kind => kind,
        };
        Self { kind, message: message.into(), hint: None, source: self.source.clone() }
    }

    /// The cause, for programs that react to it.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The message without the hint.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The hint without the message.
    pub(crate) fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The exit code of the process: 2 for [`ErrorKind::Usage`], 1 for all other kinds.
    pub fn exit_code(&self) -> u8 {
        match self.kind {
            ErrorKind::Usage => 2,
            _ => 1,
        }
    }
}

impl PartialEq for Error {
    fn eq(&self, other: &Self) -> bool {
        (self.kind, &self.message, &self.hint) == (other.kind, &other.message, &other.hint)
    }
}

impl Eq for Error {}

/// The `text` of an error without the path that the crate tempfile appends. That crate hides the
/// system's error itself.
fn without_path<'a>(error: &io::Error, text: &'a str) -> &'a str {
    let wrapped = error.get_ref().and_then(|_| text.split_once(" at path \""));
    wrapped.map_or(text, |(text, _)| text)
}

/// A copy of an [`io::Error`] with the same kind and text, since the type cannot be cloned.
pub(crate) fn copy_io_error(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::new(error.kind(), error.to_string()),
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

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

/// Why the system gives no further thread. Windows has no such limits.
const TOO_FEW_THREADS: &str = match cfg!(unix) {
    true => {
        "the system, or a limit such as `ulimit -u` or `ulimit -v`, leaves too few threads or too little memory"
    }
    false => "the system has too little memory for another thread",
};

/// The beginning of the message after a panic during the computation of a network.
pub(crate) const BACKEND_PANIC: &str = "the backend gave up";

/// Runs `work` and turns a panic into an error whose message begins with `prefix`.
///
/// Libraries panic when a device fails or memory runs out. With the prefix `BACKEND_PANIC`, the
/// error is of the kind [`ErrorKind::Backend`], else of the kind [`ErrorKind::Other`].
pub fn catch_panic<T>(prefix: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
        Err(panic_error(prefix, text))
    })
}

fn panic_error(prefix: &str, text: &str) -> Error {
    let kind = if prefix == BACKEND_PANIC { ErrorKind::Backend } else { ErrorKind::Other };
    match system_error(text) {
        // Nothing else in a training fails with `WouldBlock`.
        Some((source, is_thread)) if is_thread || source.kind() == io::ErrorKind::WouldBlock => {
            Error::thread(&source)
        }
        Some((source, _)) => Error::new(format!("{prefix}: {source}")).with_kind(kind).with_source(source),
        None => Error::new(format!("{prefix}: {}", text.trim_end())).with_kind(kind),
    }
}

/// The system's error in the text of a panic, and whether the text before it speaks of a thread. An
/// example is "failed to spawn thread: Os { code: 11, kind: … }".
fn system_error(text: &str) -> Option<(io::Error, bool)> {
    let (before, code) = text.split_once("Os { code: ")?;
    let source = io::Error::from_raw_os_error(code.split_once(',')?.0.parse().ok()?);
    Some((source, before.contains("thread")))
}

/// Checks a setting's value: if it is not `in_range`, the error names its dotted `key` and the
/// `expected` range.
///
/// # Errors
/// A value out of range, of the kind [`ErrorKind::Config`].
pub fn ensure(in_range: bool, key: &str, got: impl fmt::Display, expected: &str) -> Result<()> {
    if in_range { Ok(()) } else { Err(Error::config(format!("`{key}` is {got}, expected {expected}"))) }
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
