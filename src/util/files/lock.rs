//! One process at a time in a folder. The system lets go of a lock when its process ends, however that ends.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::util::files::open::{open, open_to_write};

/// The name of the file that is locked.
pub(crate) const LOCK: &str = ".lock";

/// Who only asks whether there is a lock takes it for a moment; it is waited for.
const ATTEMPTS: usize = 10;
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(20);

/// A folder is this process's own until this is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of `folder`; none where another process has it.
    ///
    /// # Errors
    /// A folder that cannot be written in.
    pub(crate) fn take(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(LOCK);
        let file = open_to_write(File::options().create(true).truncate(false).write(true), &path);
        let file = file.map_err(|error| Error::io("write", &path, error))?;
        for attempt in 0..ATTEMPTS {
            match file.try_lock() {
                Ok(()) => return Ok(Some(Self { _file: file })),
                Err(TryLockError::Error(error)) => return Err(Error::io("lock", &path, error)),
                Err(TryLockError::WouldBlock) if attempt + 1 < ATTEMPTS => thread::sleep(BETWEEN_ATTEMPTS),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        Ok(None)
    }
}

/// Whether some process, this one included, has the lock of `folder`. None where nobody ever took one, or it cannot be
/// told.
pub(crate) fn is_locked(folder: &Path) -> Option<bool> {
    // A link or a pipe in its place is no lock of ours.
    let file = open(&folder.join(LOCK)).ok()?;
    match file.try_lock_shared() {
        Ok(()) => Some(false),
        Err(TryLockError::WouldBlock) => Some(true),
        Err(TryLockError::Error(_)) => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_had_once_and_given_back() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(is_locked(folder.path()), None);
        let lock = Lock::take(folder.path()).unwrap();
        assert!(lock.is_some());
        assert_eq!(is_locked(folder.path()), Some(true));
        assert!(Lock::take(folder.path()).unwrap().is_none());
        drop(lock);
        assert_eq!(is_locked(folder.path()), Some(false));
        assert!(Lock::take(folder.path()).unwrap().is_some());
    }
}
