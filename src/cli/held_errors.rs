//! Owns standard error while the dashboard is open: it is redirected into a file and shown
//! afterwards.
//!
//! Other output would damage the dashboard's screen. Also, if the terminal is closed, libraries
//! that cannot restore it print an error. They panic if standard error is that terminal, and a
//! panic within a panic ends the process at once.

/// Redirects standard error into a file, if it is a terminal.
#[cfg(unix)]
pub(super) fn hold() {
    // If that fails, standard error stays the terminal.
    if std::io::IsTerminal::is_terminal(&std::io::stderr()) {
        let held = unix::Held::begin().ok();
        *unix::lock() = held;
    }
}

/// Redirects standard error to the terminal again, and prints the contents of the file there.
#[cfg(unix)]
pub(super) fn release() {
    let held = unix::lock().take();
    if let Some(held) = held {
        // The terminal may have been closed.
        let _ = held.end();
    }
}

#[cfg(not(unix))]
pub(super) fn hold() {}

#[cfg(not(unix))]
pub(super) fn release() {}

#[cfg(unix)]
mod unix {
    use std::fs::File;
    use std::io::{self, Seek, stderr};
    use std::os::fd::{AsFd, OwnedFd};
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use rustix::stdio::dup2_stderr;

    /// A process has one standard error, so this is a static.
    static HELD: Mutex<Option<Held>> = Mutex::new(None);

    pub(super) fn lock() -> MutexGuard<'static, Option<Held>> {
        HELD.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Standard error, redirected into a file.
    pub(super) struct Held {
        terminal: OwnedFd,
        file: File,
    }

    impl Held {
        /// Redirects standard error into a temporary file.
        pub(super) fn begin() -> io::Result<Self> {
            let terminal = stderr().as_fd().try_clone_to_owned()?;
            let file = tempfile::tempfile()?;
            dup2_stderr(&file)?;
            Ok(Self { terminal, file })
        }

        /// Restores standard error and copies the contents of the file to it.
        pub(super) fn end(mut self) -> io::Result<()> {
            dup2_stderr(&self.terminal)?;
            self.file.rewind()?;
            io::copy(&mut self.file, &mut stderr()).map(drop)
        }
    }
}
