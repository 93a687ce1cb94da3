//! Owns the lock of a folder, which allows one process at a time. The system releases the lock when
//! its process ends, even when the process is killed. Some drives have no locks: see `drive`.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::util::files::drive::{has_no_locks, tell_no_locks};
use crate::util::files::open::{open, open_to_write};

/// Name of the file that is locked.
pub(crate) const LOCK: &str = ".lock";

/// Number of attempts to take a lock. [`is_locked`] of another process takes a shared lock for a
/// moment, so one attempt is not enough.
const MAX_ATTEMPTS: usize = 10;

/// Time between two attempts, which makes 0.2 s for all of them.
const RETRY_DELAY: Duration = Duration::from_millis(20);

/// The lock of a folder. The folder belongs to this process until the value is dropped, if the drive
/// has locks.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
    is_exclusive: bool,
}

impl Lock {
    /// Takes the lock of `folder`. Returns nothing if another process has it. On a drive without
    /// locks, the user is told once, and the value does not keep other processes out.
    ///
    /// # Errors
    /// The lock file cannot be made or locked.
    pub(crate) fn take(folder: &Path) -> Result<Option<Self>> {
        Self::take_named(folder, LOCK)
    }

    /// Takes the lock called `name` in `folder`, in the same way: a part of the folder belongs to this process.
    ///
    /// # Errors
    /// The same as those of [`Lock::take`].
    pub(crate) fn take_named(folder: &Path, name: &str) -> Result<Option<Self>> {
        let path = folder.join(name);
        let file = open_to_write(File::options().create(true).truncate(false).write(true), &path);
        let file = file.map_err(|error| Error::io("write", &path, error))?;
        for attempt in 0..MAX_ATTEMPTS {
            match file.try_lock() {
                Ok(()) => return Ok(Some(Self { _file: file, is_exclusive: true })),
                Err(TryLockError::Error(error)) if has_no_locks(&error) => {
                    tell_no_locks(folder);
                    return Ok(Some(Self { _file: file, is_exclusive: false }));
                }
                Err(TryLockError::Error(error)) => return Err(Error::io("lock", &path, error)),
                Err(TryLockError::WouldBlock) if attempt + 1 < MAX_ATTEMPTS => thread::sleep(RETRY_DELAY),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        Ok(None)
    }

    /// Calls `rename`, which may rename the folder of this lock and returns the path that the folder
    /// then has.
    ///
    /// Windows renames no folder in which a file is open. So the lock is given up for that moment.
    ///
    /// # Errors
    /// Those of `rename`. On Windows, those of [`Lock::take`] as well, and a process that has taken
    /// the lock in that moment.
    #[cfg(unix)]
    pub(super) fn across_rename<'a>(self, rename: impl FnOnce() -> Result<&'a Path>) -> Result<Self> {
        rename().map(|_| self)
    }

    #[cfg(not(unix))]
    pub(super) fn across_rename<'a>(self, rename: impl FnOnce() -> Result<&'a Path>) -> Result<Self> {
        drop(self);
        let folder = rename()?;
        Self::take(folder)?.ok_or_else(|| {
            Error::locked(format!("`{}` is in use: another process has locked it", folder.display()))
        })
    }

    /// Returns whether the lock keeps other processes out. False on a drive without locks.
    pub(crate) fn is_exclusive(&self) -> bool {
        self.is_exclusive
    }
}

/// Returns whether a process, this one included, has the lock of `folder`. Returns nothing if no
/// process ever locked the folder, or if the system does not say.
pub(crate) fn is_locked(folder: &Path) -> Option<bool> {
    is_named_locked(folder, LOCK)
}

/// Returns whether a process has the lock called `name` in `folder`, as [`is_locked`] does.
pub(crate) fn is_named_locked(folder: &Path, name: &str) -> Option<bool> {
    // A link or a pipe with this name was not made by smallnet.
    let file = open(&folder.join(name)).ok()?;
    match file.try_lock_shared() {
        Ok(()) => Some(false),
        Err(TryLockError::WouldBlock) => Some(true),
        Err(TryLockError::Error(_)) => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
