//! Standard error while a dashboard has the screen: kept in a file, and shown afterwards.
//!
//! Words between the dashboard's would spoil it. And when the terminal is closed, libraries that cannot restore it say so on standard
//! error, where they panic if that is the same terminal: a panic within a panic ends the process at once.

/// Standard error is kept from the terminal from now on, where it is one.
#[cfg(unix)]
pub(super) fn hold() {
    // Where it cannot be kept, it goes where it always went.
    if std::io::IsTerminal::is_terminal(&std::io::stderr()) {
        let held = unix::Held::begin().ok();
        *unix::lock() = held;
    }
}

/// Standard error goes to the terminal again, beginning with what was kept.
#[cfg(unix)]
pub(super) fn release() {
    let held = unix::lock().take();
    if let Some(held) = held {
        // The terminal may be gone.
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

    /// There is one standard error in a process.
    static HELD: Mutex<Option<Held>> = Mutex::new(None);

    pub(super) fn lock() -> MutexGuard<'static, Option<Held>> {
        HELD.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) struct Held {
        terminal: OwnedFd,
        kept: File,
    }

    impl Held {
        pub(super) fn begin() -> io::Result<Self> {
            let terminal = stderr().as_fd().try_clone_to_owned()?;
            let kept = tempfile::tempfile()?;
            dup2_stderr(&kept)?;
            Ok(Self { terminal, kept })
        }

        pub(super) fn end(mut self) -> io::Result<()> {
            dup2_stderr(&self.terminal)?;
            self.kept.rewind()?;
            io::copy(&mut self.kept, &mut stderr()).map(drop)
        }
    }
}
