//! Owns folders that appear whole or not at all, and the checks of their entries.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile, TempDir};

use crate::error::{Error, ErrorKind, Result};
use crate::util::files::drive::{has_no_locks, sync_file, sync_folder};
use crate::util::files::lock::{LOCK, Lock};
use crate::util::files::open::{describe, open_to_write};
use crate::util::files::rename::rename;
use crate::util::files::{TEMP_PREFIX, WRITERS, is_temp, parent_of};

/// Number of attempts to make a staging folder. Another process may remove the folder before it is
/// locked.
const MAX_ATTEMPTS: usize = 10;

/// Makes the folder at `path` if it is missing, but not the folder that contains it: a user who
/// removed that one did so on purpose.
pub(crate) fn make_folder(path: &Path) -> Result<()> {
    match fs::create_dir(path) {
        Err(error) if !path.is_dir() => Err(Error::io("make the folder", path, error)),
        _ => Ok(()),
    }
}

/// Makes a temporary file with a unique name in `folder`. It is removed with the value, unless it
/// is renamed first.
///
/// The writer holds the lock of the file as long as the value exists, so that [`remove_stale_temp`]
/// of another process does not remove the file. The system releases the lock when the writer is
/// killed.
pub(super) fn new_temp_file(folder: &Path) -> io::Result<NamedTempFile> {
    loop {
        let mut builder = Builder::new();
        builder.prefix(TEMP_PREFIX);
        #[cfg(unix)]
        builder.permissions(crate::util::files::permissions(0o666));
        let file = builder.tempfile_in(folder)?;
        match file.as_file().try_lock() {
            Ok(()) if file.path().exists() => return Ok(file),
            // Another process found the file before it was locked, and removes it. The loop makes a
            // new one.
            Ok(()) | Err(TryLockError::WouldBlock) => {}
            // A drive without locks. No process has the lock of its folders, so none removes files
            // in them.
            Err(TryLockError::Error(_)) => return Ok(file),
        }
    }
}

/// Makes a temporary folder in `parent` and locks it for this process. It is removed with the
/// value.
pub(crate) fn new_staging_dir(parent: &Path) -> Result<(TempDir, Lock)> {
    for _ in 0..MAX_ATTEMPTS {
        let folder = new_temp_folder(parent).map_err(|error| Error::io("make a folder in", parent, error))?;
        let lock = Lock::take(folder.path());
        // Another process may have removed the folder before it was locked.
        match lock {
            Ok(Some(lock)) if folder.path().exists() => return Ok((folder, lock)),
            Err(error) if folder.path().exists() => return Err(error),
            _ => {}
        }
    }
    Err(Error::new(format!("cannot make a folder in `{}`: it is cleared away each time", parent.display()))
        .with_kind(ErrorKind::Io))
}

/// Removes the staging folders of killed processes in `parent`.
pub(crate) fn clean_staging(parent: &Path) -> Result<()> {
    for path in temp_entries(parent)? {
        let is_empty = || fs::read_dir(&path).is_ok_and(|mut entries| entries.next().is_none());
        let removed = match path.join(LOCK).symlink_metadata() {
            // The process that fills the folder holds its lock.
            // On a drive without locks, no process can tell whether another one still fills it.
            Ok(_) => match Lock::take(&path)? {
                Some(lock) if lock.is_exclusive() => fs::remove_dir_all(&path),
                _ => Ok(()),
            },
            // The folder may be new. If its process locks it now, the folder is not empty any more
            // and stays.
            Err(_) if is_empty() => fs::remove_dir(&path),
            // The lock is the first file in a new folder. So another process is removing this
            // folder, or was killed while it removed it.
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

/// Makes a temporary folder with the permissions that the process's umask allows, because it is
/// renamed when it is complete.
fn new_temp_folder(parent: &Path) -> io::Result<TempDir> {
    let mut builder = Builder::new();
    builder.prefix(TEMP_PREFIX);
    #[cfg(unix)]
    builder.permissions(crate::util::files::permissions(0o777));
    builder.tempdir_in(parent)
}

/// Renames a complete folder to `path`. Returns false if a folder with this name exists already.
/// `lock` is the lock of the folder, which is returned.
pub(crate) fn publish_dir(folder: &TempDir, lock: Lock, path: &Path) -> Result<(bool, Lock)> {
    let attempt = || -> io::Result<bool> {
        let _writer = WRITERS.read();
        sync_folder(folder.path())?;
        if path.exists() {
            return Ok(false);
        }
        match rename(folder.path(), path) {
            // Another process made the folder in between.
            Err(_) if path.exists() => Ok(false),
            renamed => renamed.and_then(|()| sync_folder(parent_of(path))).map(|()| true),
        }
    };
    let mut is_published = false;
    let lock = lock.across_rename(|| {
        is_published = attempt().map_err(|error| Error::io("make the folder", path, error))?;
        Ok(if is_published { path } else { folder.path() })
    })?;
    Ok((is_published, lock))
}

/// Writes a folder of `files`, given as names and contents: into a temporary folder in the same
/// parent, which is written to the disk and then renamed to `path`. It replaces a folder that
/// exists already.
pub(crate) fn write_folder(path: &Path, files: &[(&str, &[u8])]) -> Result<()> {
    let attempt = || -> io::Result<()> {
        let _writer = WRITERS.read();
        let parent = parent_of(path);
        let folder = new_temp_folder(parent)?;
        for (name, bytes) in files {
            let mut file = File::create_new(folder.path().join(name))?;
            file.write_all(bytes)?;
            sync_file(&file, parent)?;
        }
        sync_folder(folder.path())?;
        if path.exists() {
            let old = new_temp_folder(parent)?;
            rename(path, &old.path().join("old"))?;
        }
        rename(folder.path(), path)?;
        // The temporary name does not exist any more, so there is nothing to remove.
        let _ = folder.keep();
        sync_folder(parent)
    };
    attempt().map_err(|error| Error::io("write the folder", path, error))
}

/// Removes a folder with its contents. The folder is moved into a temporary one first, so that a
/// killed process does not leave a part of it.
pub(crate) fn remove_folder(path: &Path) -> Result<()> {
    let attempt = || -> io::Result<()> {
        let _writer = WRITERS.read();
        let trash = new_temp_folder(parent_of(path))?;
        rename(path, &trash.path().join("old"))?;
        trash.close()
    };
    attempt().map_err(|error| Error::io("remove the folder", path, error))
}

/// Paths of the temporary files and folders in `folder`.
fn temp_entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = |error| Error::io("list", folder, error);
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        paths.extend(Some(path).filter(|path| is_temp(path)));
    }
    Ok(paths)
}

/// Removes the temporary files and folders of killed processes in `folder`. Files that another
/// process is writing stay.
///
/// Only the process that has the lock of `folder` may call this: all temporary folders are removed,
/// and files are removed if they are not locked.
pub(crate) fn remove_stale_temp(folder: &Path) -> Result<()> {
    for path in temp_entries(folder)? {
        remove_if_stale(&path).map_err(|error| Error::io("remove", &path, error))?;
    }
    Ok(())
}

/// Removes a temporary file or folder, unless another process is writing the file.
fn remove_if_stale(path: &Path) -> io::Result<()> {
    let removed = match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(metadata) if metadata.is_file() => {
            let file = open_to_write(File::options().write(true), path);
            match file.map(|file| (file.try_lock(), file)) {
                // The lock is held until the name is removed, so that a writer detects it: see
                // `new_temp_file`.
                Ok((Ok(()), _file)) => fs::remove_file(path),
                Ok((Err(TryLockError::WouldBlock), _)) => Ok(()),
                Ok((Err(TryLockError::Error(error)), _)) if has_no_locks(&error) => Ok(()),
                Ok((Err(TryLockError::Error(error)), _)) | Err(error) => Err(error),
            }
        }
        // A link or a pipe. smallnet makes none, so no process uses it.
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        // The writer renamed or removed it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Checks the kinds of entries in `folder`: names in `files` must be regular files, and names in
/// `folders` real folders. A link would lead to another place, and a pipe would have to be waited
/// for.
///
/// Missing entries are accepted. A regular file instead of a folder is accepted, too: then only the
/// files that would have been written there are lost, and a warning reports this.
///
/// # Errors
/// An entry has another kind.
pub(crate) fn check_file_types(folder: &Path, files: &[&str], folders: &[&str]) -> Result<()> {
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
    use crate::util::files::is_locked;

    #[test]
    fn a_folder_replaces_another_as_a_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("folder");
        write_folder(&path, &[("a", b"1"), ("b", b"2")]).unwrap();
        write_folder(&path, &[("a", b"3")]).unwrap();
        assert_eq!(fs::read(path.join("a")).unwrap(), b"3");
        let names = |path: &Path| fs::read_dir(path).unwrap().count();
        assert_eq!((names(&path), names(dir.path())), (1, 1), "nothing is left over");
    }

    #[test]
    fn a_folder_that_cannot_be_written_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let error = write_folder(&dir.path().join("folder"), &[("a", b"1"), ("no/such", b"2")]);
        assert!(error.unwrap_err().message().contains("/folder`: No such file or directory"));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        let gone = dir.path().join("gone/folder");
        assert!(write_folder(&gone, &[]).is_err());
        assert!(make_folder(&gone).is_err());
        assert!(!gone.parent().unwrap().exists(), "a removed parent is not made again");
    }

    #[test]
    fn stale_temporary_entries_are_removed_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(".tmpAbc"), "").unwrap();
        fs::create_dir(dir.path().join(".tmpDef")).unwrap();
        fs::write(dir.path().join(".tmpDef/model.bpk"), "").unwrap();
        fs::write(dir.path().join("kept"), "").unwrap();
        remove_stale_temp(dir.path()).unwrap();
        let names: Vec<_> =
            fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["kept"]);
    }

    #[test]
    fn a_file_that_is_being_written_is_not_removed() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = new_temp_file(dir.path()).unwrap();
        remove_stale_temp(dir.path()).unwrap();
        file.write_all(b"whole").unwrap();
        remove_stale_temp(dir.path()).unwrap();
        file.persist(dir.path().join("file")).unwrap();
        assert_eq!(fs::read(dir.path().join("file")).unwrap(), b"whole");
        // The same file without its writer, as after a kill.
        let (file, path) = new_temp_file(dir.path()).unwrap().keep().unwrap();
        drop(file);
        remove_stale_temp(dir.path()).unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn files_are_written_while_another_thread_removes_stale_ones() {
        let dir = tempfile::tempdir().unwrap();
        let is_writing = std::sync::atomic::AtomicBool::new(true);
        std::thread::scope(|scope| {
            let clean = || {
                while is_writing.load(std::sync::atomic::Ordering::Relaxed) {
                    remove_stale_temp(dir.path()).unwrap();
                }
            };
            scope.spawn(clean);
            let write = |number: usize| {
                let path = dir.path().join(format!("{}", number % 7));
                crate::util::files::write(&path, number.to_string().as_bytes())
            };
            let written = (0..500).try_for_each(write);
            // Stored before `unwrap`, so that the other thread ends in any case.
            is_writing.store(false, std::sync::atomic::Ordering::Relaxed);
            written.unwrap();
        });
        assert_eq!(fs::read(dir.path().join("2")).unwrap(), b"499");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 7);
    }

    #[test]
    fn staging_folders_of_killed_processes_are_removed_and_those_in_use_stay() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        for name in [".tmpEmpty", ".tmpLocked/old", ".tmpTrash/old", "run"] {
            fs::create_dir_all(path(name)).unwrap();
        }
        fs::write(path(".tmpLocked/.lock"), "").unwrap();
        fs::write(path(".tmpTrash/old/model.bpk"), "").unwrap();
        let (own, _lock) = new_staging_dir(dir.path()).unwrap();
        clean_staging(dir.path()).unwrap();
        let mut names: Vec<_> =
            fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.sort();
        assert_eq!(names, [own.path(), &path("run")]);
    }

    #[test]
    fn a_folder_that_gets_its_name_stays_locked() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::create_dir_all(path("taken/full")).unwrap();
        let (folder, lock) = new_staging_dir(dir.path()).unwrap();
        let (is_published, lock) = publish_dir(&folder, lock, &path("taken")).unwrap();
        assert!(!is_published);
        assert_eq!(is_locked(folder.path()), Some(true));
        let (is_published, lock) = publish_dir(&folder, lock, &path("new")).unwrap();
        assert!(is_published && !folder.path().exists());
        assert_eq!(is_locked(&path("new")), Some(true));
        drop(lock);
        assert_eq!(is_locked(&path("new")), Some(false));
    }

    #[cfg(unix)]
    #[test]
    fn entries_of_another_kind_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/etc", dir.path().join("figures")).unwrap();
        fs::create_dir(dir.path().join("folder")).unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        check_file_types(dir.path(), &["model.bpk", "file"], &["folder", "file"]).unwrap();
        for (files, folders, message) in [
            (
                &["model.bpk"][..],
                &["figures"][..],
                "figures` is a symbolic link, and smallnet stays inside of `",
            ),
            (&["folder"], &[], "folder` is a folder, expected a file"),
        ] {
            let error = check_file_types(dir.path(), files, folders).unwrap_err();
            assert!(error.message().contains(message), "{error}");
        }
    }
}
