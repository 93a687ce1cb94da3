//! Folders that appear whole or not at all, and what is refused in them.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile, TempDir};

use super::{UNFINISHED, WRITING, parent, share, sync_folder};
use crate::error::{Error, Result};

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
        // The kind alone: the message names a temporary file that nobody asked for.
        let file = NamedTempFile::with_prefix_in(UNFINISHED, folder)
            .map_err(|error| io::Error::from(error.kind()))?;
        match file.as_file().try_lock() {
            Ok(()) if file.path().exists() => return Ok(file),
            // Another process found the file before it was locked, and removes it: a new one is made.
            Ok(()) | Err(TryLockError::WouldBlock) => {}
            // A file system without locks. Nobody can lock its folders, so nobody clears them.
            Err(TryLockError::Error(_)) => return Ok(file),
        }
    }
}

/// A folder in `parent` that is not finished, and goes with the value.
pub(crate) fn temporary_folder(parent: &Path) -> Result<TempDir> {
    let folder = Builder::new().prefix(UNFINISHED).tempdir_in(parent);
    folder.map_err(|error| Error::io("make a folder in", parent, io::Error::from(error.kind())))
}

/// Gives a finished folder its name; says whether it could: not where another folder has that.
pub(crate) fn name_folder(folder: &TempDir, path: &Path) -> Result<bool> {
    let attempt = || -> io::Result<bool> {
        let _writing = WRITING.read();
        share(folder.path(), 0o755)?;
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
        let folder = Builder::new()
            .prefix(UNFINISHED)
            .tempdir_in(around)
            .map_err(|error| io::Error::from(error.kind()))?;
        for (name, bytes) in files {
            let mut file = File::create_new(folder.path().join(name))?;
            file.write_all(bytes)?;
            file.sync_all()?;
        }
        share(folder.path(), 0o755)?;
        sync_folder(folder.path())?;
        if path.exists() {
            let old = Builder::new().prefix(UNFINISHED).tempdir_in(around)?;
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
        let aside = Builder::new().prefix(UNFINISHED).tempdir_in(parent(path))?;
        fs::rename(path, aside.path().join("old"))?;
        aside.close()
    };
    attempt().map_err(|error| Error::io("remove the folder", path, error))
}

/// What is not finished in `folder`.
pub(crate) fn unfinished(folder: &Path) -> Result<Vec<PathBuf>> {
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
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(UNFINISHED))
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
            let file = File::options().write(true).open(path);
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

/// Refuses a folder in which one of these names is a symbolic link: it would be read or written somewhere else.
pub(crate) fn refuse_links(folder: &Path, names: &[&str]) -> Result<()> {
    for name in names {
        let path = folder.join(name);
        if path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink()) {
            return Err(Error::new(format!(
                "`{}` is a symbolic link, and smallnet stays inside of `{}`",
                path.display(),
                folder.display()
            ))
            .hint("put the file or folder itself in its place"));
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
                super::super::write(&path, number.to_string().as_bytes())
            };
            let written = (0..500).try_for_each(write);
            // First of all, so that the other thread ends in any case.
            writing.store(false, std::sync::atomic::Ordering::Relaxed);
            written.unwrap();
        });
        assert_eq!(fs::read(place.path().join("2")).unwrap(), b"499");
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 7);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_refused() {
        let place = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/etc", place.path().join("figures")).unwrap();
        refuse_links(place.path(), &["model.bpk"]).unwrap();
        let error = refuse_links(place.path(), &["model.bpk", "figures"]).unwrap_err();
        assert!(error.message().contains("figures` is a symbolic link"), "{error}");
    }
}
