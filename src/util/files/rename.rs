//! Owns renames. On Windows, they are tried again for a moment. Must not know what is renamed.

use std::fs;
use std::io;
use std::path::Path;
use std::thread;
use std::time::Duration;

use tempfile::NamedTempFile;

/// Errors of a rename that may succeed a moment later. Unix has none: it renames what is open.
#[cfg(unix)]
const PASSING: [i32; 0] = [];
/// `ERROR_ACCESS_DENIED`, `ERROR_SHARING_VIOLATION` and `ERROR_LOCK_VIOLATION`. Windows renames no
/// folder in which any program has a file open. Virus scanners open each new file for a moment.
#[cfg(not(unix))]
const PASSING: [i32; 3] = [5, 32, 33];

/// Number of attempts.
const MAX_ATTEMPTS: usize = 25;

/// Time between two attempts, which makes 0.5 s for all of them.
const RETRY_DELAY: Duration = Duration::from_millis(20);

/// Renames a file or folder. It replaces a file that has the new name, even if a process reads it.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    retry(&PASSING, || fs::rename(from, to))
}

/// Gives a temporary file its lasting name, as [`rename`] does. It stays locked until then. If that
/// fails, it is removed.
pub(super) fn persist(file: NamedTempFile, path: &Path) -> io::Result<()> {
    // The rename of the crate tempfile does not replace a file that is open on Windows.
    let (_file, temp_path) = file.keep()?;
    rename(&temp_path, path).inspect_err(|_| drop(fs::remove_file(&temp_path)))
}

/// Repeats `attempt` as long as it fails with one of the `passing` errors.
fn retry(passing: &[i32], mut attempt: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    let is_passing = |error: &io::Error| error.raw_os_error().is_some_and(|code| passing.contains(&code));
    for _ in 1..MAX_ATTEMPTS {
        match attempt() {
            Err(error) if is_passing(&error) => thread::sleep(RETRY_DELAY),
            ended => return ended,
        }
    }
    attempt()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_passing_error_is_waited_for_and_others_are_not() {
        for (failures, code, expected_attempts) in [(0, 5, 1), (2, 5, 3), (100, 5, MAX_ATTEMPTS), (100, 2, 1)]
        {
            let mut attempts = 0;
            let renamed = retry(&[5, 32], || {
                attempts += 1;
                if attempts <= failures { Err(io::Error::from_raw_os_error(code)) } else { Ok(()) }
            });
            assert_eq!(attempts, expected_attempts, "{failures} failures with {code}");
            assert_eq!(renamed.is_ok(), attempts > failures);
        }
    }

    #[test]
    fn a_temporary_file_that_cannot_get_its_name_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("taken/full")).unwrap();
        for name in ["taken", "new"] {
            let file = NamedTempFile::new_in(dir.path()).unwrap();
            assert_eq!(persist(file, &dir.path().join(name)).is_ok(), name == "new");
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }
}
