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
            .hint("the system, or a limit such as `ulimit -u` or `ulimit -v`, leaves too few threads or too little memory")
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
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::backend::{Backend, Engine};
    use crate::experiment::{Experiment, Override};
    use crate::pipeline::{Splits, prepare, resume};
    use crate::run;
    use crate::run::{RunFolder, RunInfo};
    use crate::training::{Observers, Sweep};
    use crate::util::{files, memory};

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

    /// The error of an operation that must fail, its kind and its exit code checked.
    fn fails<T>(result: Result<T>, kind: ErrorKind) -> Error {
        let error = result.err().unwrap();
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(error.exit_code(), if kind == ErrorKind::Usage { 2 } else { 1 }, "{error}");
        error
    }

    /// The source of an error, as the type that it must have.
    fn source<E: StdError + 'static>(error: &Error) -> &E {
        StdError::source(error).unwrap().downcast_ref::<E>().unwrap()
    }

    fn experiment(text: &str) -> Result<Experiment> {
        Experiment::from_toml(text, "test.toml", &[])
    }

    /// Writes a data set of `num_images` images of 2 x 2 pixels in two classes and returns an
    /// experiment that learns from it.
    fn small_experiment(folder: &Path, num_images: u8, settings: &str) -> Experiment {
        for part in ["train", "t10k"] {
            let mut images = vec![0, 0, 8, 3, 0, 0, 0, num_images, 0, 0, 0, 2, 0, 0, 0, 2];
            images.extend((0..4 * num_images).map(|index| index.wrapping_mul(37)));
            let mut labels = vec![0, 0, 8, 1, 0, 0, 0, num_images];
            labels.extend((0..num_images).map(|index| index % 2));
            std::fs::write(folder.join(format!("{part}-images-idx3-ubyte")), images).unwrap();
            std::fs::write(folder.join(format!("{part}-labels-idx1-ubyte")), labels).unwrap();
        }
        experiment(&format!("[data]\nsource = \"{}\"\n{settings}", folder.display())).unwrap()
    }

    fn train(experiment: Experiment, artifacts: &Path) -> Result<RunFolder> {
        let prepared = prepare(experiment, Backend::Flex.into(), artifacts)?;
        let folder = prepared.folder.clone();
        prepared.train(Observers::silent()).map(|_| folder)
    }

    #[test]
    fn kinds_of_files_that_cannot_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("missing.json");
        let missing = fails(files::read(&path), ErrorKind::Io);
        assert_eq!(source::<io::Error>(&missing).kind(), io::ErrorKind::NotFound);
        std::fs::write(&path, [0xFF, 0xFE]).unwrap();
        fails(files::read(&path), ErrorKind::Corrupt);
        std::fs::write(&path, "{").unwrap();
        let cut_off = fails(files::read_json::<RunInfo>(&path), ErrorKind::Corrupt);
        assert!(source::<serde_json::Error>(&cut_off).is_eof());
        let keys = std::collections::HashMap::from([((1, 2), 3)]);
        let unwritable = fails(files::to_json(&keys), ErrorKind::Other);
        assert!(!source::<serde_json::Error>(&unwritable).is_io());
    }

    #[test]
    fn kinds_of_settings_that_are_refused() {
        let unknown = fails(experiment("sed = 1"), ErrorKind::Config);
        assert!(source::<toml::de::Error>(&unknown).message().starts_with("unknown field `sed`"));
        let invalid = fails(experiment("seed"), ErrorKind::Config);
        assert!(source::<toml::de::Error>(&invalid).span().is_some());
        fails(experiment("[optimizer]\nlearning_rate = 0.0"), ErrorKind::Config);
        fails("seed".parse::<Override>(), ErrorKind::Usage);
        fails(Sweep::new(-1.0, 1.0, None), ErrorKind::Usage);
        // With a context, the command line is no longer what is wrong.
        let inner = fails("seed".parse::<Override>(), ErrorKind::Usage);
        fails(Err::<(), _>(inner.in_context("the setting cannot be used")), ErrorKind::Config);
    }

    #[test]
    fn kinds_of_data_sets_and_pictures_that_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let experiment = small_experiment(folder.path(), 8, "");
        let images = folder.path().join("train-images-idx3-ubyte");
        let whole = std::fs::read(&images).unwrap();
        std::fs::write(&images, &whole[..whole.len() - 1]).unwrap();
        fails(Splits::load(&experiment), ErrorKind::Data);
        std::fs::remove_file(&images).unwrap();
        fails(Splits::load(&experiment), ErrorKind::Data);
        let gzip = folder.path().join("train-images-idx3-ubyte.gz");
        std::fs::write(gzip, b"\x1f\x8b\x08 no gzip at all").unwrap();
        let unpacked = fails(Splits::load(&experiment), ErrorKind::Data);
        assert!(StdError::source(&unpacked).is_some_and(|source| source.is::<io::Error>()));
        let picture = folder.path().join("digit.png");
        std::fs::write(&picture, b"\x89PNG\r\n\x1a\n cut off").unwrap();
        let damaged = fails(crate::data::read_digit(&picture, 28, 28), ErrorKind::Data);
        assert!(StdError::source(&damaged).is_some());
    }

    #[test]
    fn kinds_of_runs_that_cannot_be_used() {
        let folder = tempfile::tempdir().unwrap();
        fails(run::find("nowhere", folder.path()), ErrorKind::NotFound);
        let settings = "[training]\nnum_epochs = 1";
        let run = train(small_experiment(folder.path(), 8, settings), folder.path()).unwrap();
        let held = run.lock().unwrap();
        fails(run.lock(), ErrorKind::Locked);
        drop(held);
        fails(resume(run.clone(), None, None, None, None), ErrorKind::State);
        fails(resume(run.clone(), None, None, Some(Engine::Autodiff), None), ErrorKind::Usage);
        let store = run.checkpoints();
        let checkpoint = store.folder(store.positions().unwrap().pop().unwrap());
        std::fs::write(checkpoint.join("optimizer.bpk"), "damaged").unwrap();
        let weights = checkpoint.join("model.bpk");
        std::fs::write(&weights, "damaged").unwrap();
        let model = run.experiment(&run.info().unwrap()).unwrap().model;
        let model = model.init(4, 2, 1, &Device::flex()).unwrap();
        fails(run.load_weights(model, &weights), ErrorKind::Corrupt);
        std::fs::write(run.path().join("run.json"), "{\"format\": 99}").unwrap();
        fails(run.info(), ErrorKind::Unsupported);
    }

    #[test]
    fn kinds_of_trainings_that_fail() {
        let folder = tempfile::tempdir().unwrap();
        let settings = "[model]\nhidden = [4]\n[optimizer]\nlearning_rate = 1e38\n[training]\nbatch_size = 2";
        let experiment = small_experiment(folder.path(), 32, settings);
        fails(train(experiment, folder.path()), ErrorKind::Diverged);
        fails(memory::reserve(usize::MAX / 2, "everything"), ErrorKind::Resources);
        let panicked =
            |prefix| catch_panic(prefix, || -> Result<()> { std::panic::panic_any("out of luck") });
        fails(panicked(BACKEND_PANIC), ErrorKind::Backend);
        fails(panicked("smallnet has a bug"), ErrorKind::Other);
        let thread = io::Error::from_raw_os_error(11);
        let error = fails(Err::<(), _>(Error::thread(&thread)), ErrorKind::Resources);
        assert_eq!(source::<io::Error>(&error).kind(), io::ErrorKind::WouldBlock);
        assert!(error == error.clone() && error != Error::new(error.message()));
    }
}
