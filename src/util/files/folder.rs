//! Folders that appear whole or not at all, and what is refused in them.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile, TempDir};

use crate::error::{Error, ErrorKind, Result};
use crate::util::files::lock::{LOCK, Lock};
use crate::util::files::open::{describe, open_to_write};
use crate::util::files::{TEMP_PREFIX, WRITING, parent, sync_folder};

/// How often a folder is made that others clear away before it is locked.
const ATTEMPTS: usize = 10;

/// Makes the folder at `path` where it is missing; not the folder that it is in: who took that away meant it.
pub(crate) fn make_folder(path: &Path) -> Result<()> {
    match fs::create_dir(path) {
        Err(error) if !path.is_dir() => Err(Error::io("make the folder", path, error)),
        _ => Ok(()),
    }
}

/// A new file in `folder` under a name of its own. It goes with the value, unless it gets another name first.
///
/// The writer holds the file's lock as long as the value lives, so that [`remove_leftovers`] of another process leaves it
/// alone. The system takes the lock back when the writer is killed.
pub(super) fn temporary_file(folder: &Path) -> io::Result<NamedTempFile> {
    loop {
        let mut builder = Builder::new();
        builder.prefix(TEMP_PREFIX);
        #[cfg(unix)]
        builder.permissions(crate::util::files::permissions(0o666));
        let file = builder.tempfile_in(folder)?;
        match file.as_file().try_lock() {
            Ok(()) if file.path().exists() => return Ok(file),
            // Another process found the file before it was locked, and removes it: a new one is made.
            Ok(()) | Err(TryLockError::WouldBlock) => {}
            // A file system without locks. Nobody can lock its folders, so nobody clears them.
            Err(TryLockError::Error(_)) => return Ok(file),
        }
    }
}

/// A folder in `parent` that is not finished, and goes with the value; this process's own.
pub(crate) fn unborn_folder(parent: &Path) -> Result<(TempDir, Lock)> {
    for _ in 0..ATTEMPTS {
        let folder = new_folder(parent).map_err(|error| Error::io("make a folder in", parent, error))?;
        let lock = Lock::take(folder.path());
        // Another process may have cleared it away in the moment before it was locked.
        match lock {
            Ok(Some(lock)) if folder.path().exists() => return Ok((folder, lock)),
            Err(error) if folder.path().exists() => return Err(error),
            _ => {}
        }
    }
    Err(Error::new(format!("cannot make a folder in `{}`: it is cleared away each time", parent.display()))
        .with_kind(ErrorKind::Io))
}

/// Clears away folders in `parent` that were to get a name from processes that were killed.
pub(crate) fn remove_unborn(parent: &Path) -> Result<()> {
    for path in unfinished(parent)? {
        let is_empty = || fs::read_dir(&path).is_ok_and(|mut entries| entries.next().is_none());
        let removed = match path.join(LOCK).symlink_metadata() {
            // Whoever makes it has its lock.
            Ok(_) => match Lock::take(&path)? {
                Some(_lock) => fs::remove_dir_all(&path),
                None => Ok(()),
            },
            // It may be a moment old: if it gets a lock now, it is not empty any more and stays.
            Err(_) if is_empty() => fs::remove_dir(&path),
            // The lock is the first file in a new folder: this one is being cleared away, or was to be.
            Err(_) => fs::remove_dir_all(&path),
        };
        match removed {
            Err(error) if path.exists() && error.kind() != io::ErrorKind::DirectoryNotEmpty => {
                return Err(Error::io("remove", &path, error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// A temporary folder that may be read by whom the process's umask allows to read its files: it is renamed when it is whole.
fn new_folder(parent: &Path) -> io::Result<TempDir> {
    let mut builder = Builder::new();
    builder.prefix(TEMP_PREFIX);
    #[cfg(unix)]
    builder.permissions(crate::util::files::permissions(0o777));
    builder.tempdir_in(parent)
}

/// Gives a finished folder its name; says whether it could: not where another folder has that.
pub(crate) fn name_folder(folder: &TempDir, path: &Path) -> Result<bool> {
    let attempt = || -> io::Result<bool> {
        let _writing = WRITING.read();
        sync_folder(folder.path())?;
        if path.exists() {
            return Ok(false);
        }
        match fs::rename(folder.path(), path) {
            // Another process was quicker.
            Err(_) if path.exists() => Ok(false),
            renamed => renamed.and_then(|()| sync_folder(parent(path))).map(|()| true),
        }
    };
    attempt().map_err(|error| Error::io("make the folder", path, error))
}

/// Writes a folder of files: into a temporary folder beside `path`, on the disk, then renamed to `path`. A folder that
/// is there already gives way.
pub(crate) fn write_folder(path: &Path, files: &[(&str, &[u8])]) -> Result<()> {
    let attempt = || -> io::Result<()> {
        let _writing = WRITING.read();
        let around = parent(path);
        let folder = new_folder(around)?;
        for (name, bytes) in files {
            let mut file = File::create_new(folder.path().join(name))?;
            file.write_all(bytes)?;
            file.sync_all()?;
        }
        sync_folder(folder.path())?;
        if path.exists() {
            let old = new_folder(around)?;
            fs::rename(path, old.path().join("old"))?;
        }
        fs::rename(folder.path(), path)?;
        // It has its name: there is nothing temporary to clear away.
        let _ = folder.keep();
        sync_folder(around)
    };
    attempt().map_err(|error| Error::io("write the folder", path, error))
}

/// Removes a folder with all that is in it: out of sight first, so that a kill does not leave half of it.
pub(crate) fn remove_folder(path: &Path) -> Result<()> {
    let attempt = || -> io::Result<()> {
        let _writing = WRITING.read();
        let aside = new_folder(parent(path))?;
        fs::rename(path, aside.path().join("old"))?;
        aside.close()
    };
    attempt().map_err(|error| Error::io("remove the folder", path, error))
}

/// What is not finished in `folder`.
fn unfinished(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = |error| Error::io("list", folder, error);
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        paths.extend(Some(path).filter(|path| is_unfinished(path)));
    }
    Ok(paths)
}

/// Whether a file or folder is not finished, by its name.
pub(crate) fn is_unfinished(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(TEMP_PREFIX))
}

/// Removes what a killed process had not finished in `folder`, and leaves alone what another process is writing.
///
/// Only for the process that has the folder's lock: a folder in it is taken for unfinished, a file is asked for its lock.
pub(crate) fn remove_leftovers(folder: &Path) -> Result<()> {
    for path in unfinished(folder)? {
        remove_leftover(&path).map_err(|error| Error::io("remove", &path, error))?;
    }
    Ok(())
}

fn remove_leftover(path: &Path) -> io::Result<()> {
    let removed = match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(metadata) if metadata.is_file() => {
            let file = open_to_write(File::options().write(true), path);
            match file.map(|file| (file.try_lock(), file)) {
                // The lock is held until the name is gone, so that a writer notices: see `temporary_file`.
                Ok((Ok(()), _file)) => fs::remove_file(path),
                Ok((Err(TryLockError::WouldBlock), _)) => Ok(()),
                Ok((Err(TryLockError::Error(error)), _)) | Err(error) => Err(error),
            }
        }
        // A link or a pipe: smallnet makes none, and nobody waits for one.
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        // The writer gave it its name, or removed it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Refuses a folder in which one of these names is something else than a regular file (`files`) or a real folder
/// (`folders`): a link would be read or written somewhere else, a pipe would be waited for. What is missing is fine. So is a
/// regular file in the place of a folder: nothing is lost but what would have been written there, of which a warning tells.
pub(crate) fn check_kinds(folder: &Path, files: &[&str], folders: &[&str]) -> Result<()> {
    let files = files.iter().map(|name| (name, "a file"));
    for (name, expected) in files.chain(folders.iter().map(|name| (name, "a folder"))) {
        let path = folder.join(name);
        let Ok(metadata) = path.symlink_metadata() else { continue };
        let found = describe(metadata.file_type());
        if metadata.is_symlink() {
            return Err(Error::corrupt(format!(
                "`{}` is a symbolic link, and smallnet stays inside of `{}`",
                path.display(),
                folder.display()
            ))
            .hint("put the file or folder itself in its place"));
        }
        if found != expected && !metadata.is_file() {
            return Err(Error::corrupt(format!("`{}` is {found}, expected {expected}", path.display())));
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_takes_the_place_of_another_as_a_whole() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("folder");
        write_folder(&path, &[("a", b"1"), ("b", b"2")]).unwrap();
        write_folder(&path, &[("a", b"3")]).unwrap();
        assert_eq!(fs::read(path.join("a")).unwrap(), b"3");
        let names = |path: &Path| fs::read_dir(path).unwrap().count();
        assert_eq!((names(&path), names(place.path())), (1, 1), "nothing is left over");
    }

    #[test]
    fn a_folder_that_cannot_be_written_leaves_nothing() {
        let place = tempfile::tempdir().unwrap();
        let error = write_folder(&place.path().join("folder"), &[("a", b"1"), ("no/such", b"2")]);
        assert!(error.unwrap_err().message().contains("/folder`: No such file or directory"));
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
        let gone = place.path().join("gone/folder");
        assert!(write_folder(&gone, &[]).is_err());
        assert!(make_folder(&gone).is_err());
        assert!(!gone.parent().unwrap().exists(), "what was taken away is not made again");
    }

    #[test]
    fn leftovers_are_cleared_away_and_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join(".tmpAbc"), "").unwrap();
        fs::create_dir(place.path().join(".tmpDef")).unwrap();
        fs::write(place.path().join(".tmpDef/model.bpk"), "").unwrap();
        fs::write(place.path().join("kept"), "").unwrap();
        remove_leftovers(place.path()).unwrap();
        let names: Vec<_> =
            fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["kept"]);
    }

    #[test]
    fn a_file_that_is_being_written_is_not_cleared_away() {
        let place = tempfile::tempdir().unwrap();
        let mut file = temporary_file(place.path()).unwrap();
        remove_leftovers(place.path()).unwrap();
        file.write_all(b"whole").unwrap();
        remove_leftovers(place.path()).unwrap();
        file.persist(place.path().join("file")).unwrap();
        assert_eq!(fs::read(place.path().join("file")).unwrap(), b"whole");
        // The same file without its writer, as a kill leaves it.
        let (file, path) = temporary_file(place.path()).unwrap().keep().unwrap();
        drop(file);
        remove_leftovers(place.path()).unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn files_are_written_while_another_clears_away() {
        let place = tempfile::tempdir().unwrap();
        let writing = std::sync::atomic::AtomicBool::new(true);
        std::thread::scope(|scope| {
            let clears = || {
                while writing.load(std::sync::atomic::Ordering::Relaxed) {
                    remove_leftovers(place.path()).unwrap();
                }
            };
            scope.spawn(clears);
            let write = |number: usize| {
                let path = place.path().join(format!("{}", number % 7));
                crate::util::files::write(&path, number.to_string().as_bytes())
            };
            let written = (0..500).try_for_each(write);
            // First of all, so that the other thread ends in any case.
            writing.store(false, std::sync::atomic::Ordering::Relaxed);
            written.unwrap();
        });
        assert_eq!(fs::read(place.path().join("2")).unwrap(), b"499");
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 7);
    }

    #[test]
    fn what_killed_processes_were_about_to_make_goes_and_what_is_being_made_stays() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        for name in [".tmpEmpty", ".tmpLocked/old", ".tmpTrash/old", "run"] {
            fs::create_dir_all(path(name)).unwrap();
        }
        fs::write(path(".tmpLocked/.lock"), "").unwrap();
        fs::write(path(".tmpTrash/old/model.bpk"), "").unwrap();
        let (own, _lock) = unborn_folder(place.path()).unwrap();
        remove_unborn(place.path()).unwrap();
        let mut names: Vec<_> =
            fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.sort();
        assert_eq!(names, [own.path(), &path("run")]);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_of_another_kind_is_refused() {
        let place = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/etc", place.path().join("figures")).unwrap();
        fs::create_dir(place.path().join("folder")).unwrap();
        fs::write(place.path().join("file"), "").unwrap();
        check_kinds(place.path(), &["model.bpk", "file"], &["folder", "file"]).unwrap();
        for (files, folders, message) in [
            (
                &["model.bpk"][..],
                &["figures"][..],
                "figures` is a symbolic link, and smallnet stays inside of `",
            ),
            (&["folder"], &[], "folder` is a folder, expected a file"),
        ] {
            let error = check_kinds(place.path(), files, folders).unwrap_err();
            assert!(error.message().contains(message), "{error}");
        }
    }
}
