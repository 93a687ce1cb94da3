//! Owns reading and writing of files and folders. A file appears whole or not at all, one process
//! writes a folder at a time, and no link leads out of a folder. Must not know the contents.

mod drive;
mod folder;
mod lines;
mod lock;
mod open;
mod private_copy;
mod rename;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{RwLock, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, ErrorKind, Result};
use crate::util::files::drive::{sync_file, sync_folder};

pub(crate) use folder::{
    check_file_types, clean_staging, make_folder, new_staging_dir, publish_dir, remove_folder,
    remove_stale_temp, write_folder,
};
pub(crate) use lines::LineLog;
pub(crate) use lock::{LOCK, Lock, is_locked, is_named_locked};
pub(crate) use open::open_named;
pub(crate) use private_copy::with_private_copy;
pub(crate) use rename::rename;

/// Prefix of the names of temporary files and folders.
const TEMP_PREFIX: &str = ".tmp";

/// Largest size in bytes of a file that is read into memory. The files that smallnet writes are far
/// smaller, except those of networks, which have their own limits. A larger file is an error or an
/// attack.
const MAX_FILE_BYTES: u64 = 1 << 30;

/// Every writer holds this lock for reading: see [`wait_for_writers`].
static WRITERS: RwLock<()> = RwLock::new(());

/// Waits until no file is partly written, at most for `timeout`. After that, no thread can begin to
/// write. This is only for the end of the process.
pub(crate) fn wait_for_writers(timeout: Duration) {
    let start = Instant::now();
    loop {
        match WRITERS.try_write() {
            Ok(guard) => return std::mem::forget(guard),
            Err(TryLockError::Poisoned(_)) => return,
            Err(TryLockError::WouldBlock) if start.elapsed() > timeout => return,
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// Writes a file: into a temporary file in the same folder, which is then renamed to `path`. The
/// data is on the disk when the function returns, unless the drive cannot confirm it.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = parent_of(path);
    let attempt = || -> io::Result<()> {
        let _writer = WRITERS.read();
        let mut file = folder::new_temp_file(folder)?;
        file.write_all(bytes)?;
        sync_file(file.as_file(), folder)?;
        rename::persist(file, path)?;
        sync_folder(folder)
    };
    attempt().map_err(|error| Error::io("write", path, error))
}

/// Renames a file to the first free name of `name-1.ending`, `name-2.ending` … and returns its new
/// path.
pub(crate) fn set_aside(path: &Path) -> Result<PathBuf> {
    let _writer = WRITERS.read();
    let text = |part: Option<&OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let (stem, ending) = (text(path.file_stem()), text(path.extension()));
    let free = (1..).map(|number: u64| path.with_file_name(format!("{stem}-{number}.{ending}")));
    // A symbolic link takes a name, even if its target is missing.
    let new_path = free.into_iter().find(|path| path.symlink_metadata().is_err()).unwrap_or_default();
    let renamed = rename(path, &new_path).and_then(|()| sync_folder(parent_of(path)));
    renamed.map(|()| new_path).map_err(|error| Error::io("rename", path, error))
}

/// Removes a file, if there is one.
pub(crate) fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", path, error)),
        _ => Ok(()),
    }
}

/// True if a file or folder is temporary, by its name.
pub(crate) fn is_temp(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(TEMP_PREFIX))
}

/// Checks that the folder exists that the file or folder `path` is to be written in.
///
/// # Errors
/// A folder that does not exist.
pub(crate) fn check_parent(path: &Path) -> Result<()> {
    let folder = parent_of(path);
    if folder.is_dir() {
        return Ok(());
    }
    Err(Error::not_found(format!(
        "cannot write `{}`: there is no folder `{}`",
        path.display(),
        folder.display()
    ))
    .hint("make the folder first"))
}

/// Returns the absolute path of a file or folder that exists, without links, as users write it.
pub(crate) fn real_path(path: &Path) -> Result<PathBuf> {
    let real = path.canonicalize().map_err(|error| Error::io("read", path, error))?;
    Ok(without_verbatim_prefix(real))
}

/// Returns `path` without the prefix `\\?\` with which Windows marks paths such as `\\?\C:\runs`.
fn without_verbatim_prefix(path: PathBuf) -> PathBuf {
    let rest = path.to_str().and_then(|text| text.strip_prefix(r"\\?\"));
    // Without it, `\\?\UNC\server` would be another path.
    match rest.filter(|rest| rest.as_bytes().get(1) == Some(&b':')) {
        Some(rest) => rest.into(),
        None => path,
    }
}

/// Returns the folder that contains `path`.
fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Permissions that are requested for a new file or folder. The process's umask removes those that
/// its user does not grant.
#[cfg(unix)]
fn permissions(mode: u32) -> fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(mode)
}

/// Reads a whole file.
///
/// # Errors
/// The path is not a regular file (reading a pipe could wait for ever), or the file is larger than
/// any that smallnet writes.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    read_bytes_up_to(path, MAX_FILE_BYTES)
}

/// Reads a whole file of at most `limit` bytes. Otherwise as [`read_bytes`].
pub(crate) fn read_bytes_up_to(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let bytes = open::open(path).and_then(|file| read_to_end(&file, limit));
    bytes.map_err(|error| Error::io("read", path, error))
}

/// Reads a whole file that a user named, of at most `limit` bytes: see [`open_named`].
pub(crate) fn read_named_up_to(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let bytes = open_named(path).and_then(|file| read_to_end(&file, limit));
    bytes.map_err(|error| Error::io("read", path, error))
}

/// Reads a file to its end, but at most `limit` bytes. The size in the file's metadata says how much memory to ask
/// for, and no more: the file may grow while it is read.
fn read_to_end(file: &File, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let size = file.metadata()?.len().min(limit);
    bytes.try_reserve_exact(usize::try_from(size).unwrap_or(usize::MAX).saturating_add(1))?;
    file.take(limit + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > limit {
        true => Err(io::Error::other(format!("it is larger than {limit} bytes"))),
        false => Ok(bytes),
    }
}

/// Reads a whole file of UTF-8 text. Otherwise as [`read_bytes`].
pub(crate) fn read(path: &Path) -> Result<String> {
    String::from_utf8(read_bytes(path)?).map_err(|_| {
        Error::io("read", path, io::Error::other("it is not UTF-8 text")).with_kind(ErrorKind::Corrupt)
    })
}

/// Returns a value as JSON in one line.
pub(crate) fn to_json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|error| Error::new(format!("cannot write JSON: {error}")).with_source(error))
}

/// Returns a value as indented JSON, with a line feed at the end.
pub(crate) fn to_pretty_json(value: &impl Serialize) -> Result<String> {
    let text = serde_json::to_string_pretty(value);
    Ok(text.map_err(|error| Error::new(format!("cannot write JSON: {error}")).with_source(error))? + "\n")
}

/// Writes a value as indented JSON: see [`write`].
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    write(path, to_pretty_json(value)?.as_bytes())
}

/// Reads a value from a JSON file.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    parse_json(&read(path)?, path)
}

/// Parses the JSON text of the file at `path`.
pub(crate) fn parse_json<T: DeserializeOwned>(text: &str, path: &Path) -> Result<T> {
    serde_json::from_str(text).map_err(|error| corrupt(path, &error).with_source(error))
}

/// Error of a file whose contents are not those that smallnet wrote.
pub(crate) fn corrupt(path: &Path, reason: &dyn std::fmt::Display) -> Error {
    Error::corrupt(format!("`{}` is damaged: {reason}", path.display()))
}

/// Checks the format number of a file against `newest`, the newest that this smallnet reads.
///
/// # Errors
/// A later smallnet wrote the file.
pub(crate) fn check_format(path: &Path, format: u32, newest: u32) -> Result<()> {
    if format <= newest {
        return Ok(());
    }
    Err(Error::unsupported(format!(
        "`{}` has format {format}, and this smallnet reads formats up to {newest}",
        path.display()
    ))
    .hint("a newer smallnet wrote it: use that one"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_windows_are_shown_as_users_write_them() {
        for (path, shown) in [
            (r"\\?\C:\runs\a", r"C:\runs\a"),
            (r"\\?\UNC\server\share", r"\\?\UNC\server\share"),
            (r"C:\runs", r"C:\runs"),
            ("/runs/a", "/runs/a"),
        ] {
            assert_eq!(without_verbatim_prefix(path.into()), Path::new(shown));
        }
    }
}
