//! Owns how files and folders are written and read: whole or not at all, by one process at a time, and never through a
//! link out of their folder. Knows nothing of what is in them.

mod folder;
mod lines;
mod lock;
mod open;

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

pub(crate) use folder::{
    check_kinds, is_unfinished, make_folder, name_folder, remove_folder, remove_leftovers, remove_unborn,
    unborn_folder, write_folder,
};
pub(crate) use lines::LineLog;
pub(crate) use lock::{LOCK, Lock, is_locked};
pub(crate) use open::open_named;

/// What the names of files and folders begin with that are not finished.
const TEMP_PREFIX: &str = ".tmp";

/// No file of smallnet's but those of networks, which have limits of their own, is near to this; a larger one is somebody's
/// mistake or malice, and is not read into memory.
const MAX_BYTES: u64 = 1 << 30;

/// Held for reading by whoever writes: see [`settle`].
static WRITING: RwLock<()> = RwLock::new(());

/// Waits, `patience` at the most, until no file is half-written, and lets nobody begin another one. For the end of the
/// process alone.
pub(crate) fn settle(patience: Duration) {
    let start = Instant::now();
    loop {
        match WRITING.try_write() {
            Ok(guard) => return std::mem::forget(guard),
            Err(TryLockError::Poisoned(_)) => return,
            Err(TryLockError::WouldBlock) if start.elapsed() > patience => return,
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// Writes to a temporary file beside `path`, then renames it over `path`. When it returns, the disk has it.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let around = parent(path);
    let attempt = || -> io::Result<()> {
        let _writing = WRITING.read();
        let mut file = folder::temporary_file(around)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        sync_folder(around)
    };
    attempt().map_err(|error| Error::io("write", path, error))
}

/// Gives a file the first free name of `name-1.ending`, `name-2.ending` …, and says which.
pub(crate) fn set_aside(path: &Path) -> Result<PathBuf> {
    let _writing = WRITING.read();
    let text = |part: Option<&OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let (stem, ending) = (text(path.file_stem()), text(path.extension()));
    let free = (1..).map(|number: u64| path.with_file_name(format!("{stem}-{number}.{ending}")));
    // A link counts as there, wherever it leads.
    let kept = free.into_iter().find(|path| path.symlink_metadata().is_err()).unwrap_or_default();
    let renamed = fs::rename(path, &kept).and_then(|()| sync_folder(parent(path)));
    renamed.map(|()| kept).map_err(|error| Error::io("rename", path, error))
}

/// Removes a file where there is one.
pub(crate) fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", path, error)),
        _ => Ok(()),
    }
}

/// The folder that `path` is in.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Makes the names in a folder survive a power failure, too.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    open::open_folder(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// What is asked for when a file or folder is made; the process's umask takes off what its user does not want to give.
#[cfg(unix)]
fn permissions(mode: u32) -> fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(mode)
}

/// Reads a whole file.
///
/// # Errors
/// What is no file (a pipe would be waited for), or is larger than anything smallnet writes.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    read_bytes_up_to(path, MAX_BYTES)
}

/// As [`read_bytes`], for a file of which it is known that it has at most `limit` bytes.
pub(crate) fn read_bytes_up_to(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let bytes = open::open(path).and_then(|file| read_to_end(&file, limit));
    bytes.map_err(|error| Error::io("read", path, error))
}

/// The size that the system names may grow while the file is read.
fn read_to_end(file: &File, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > limit {
        true => Err(io::Error::other(format!("it is larger than {limit} bytes"))),
        false => Ok(bytes),
    }
}

/// Reads a whole file of text; as [`read_bytes`].
pub(crate) fn read(path: &Path) -> Result<String> {
    String::from_utf8(read_bytes(path)?).map_err(|_| {
        Error::io("read", path, io::Error::other("it is not UTF-8 text")).with_kind(ErrorKind::Corrupt)
    })
}

pub(crate) fn to_json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|error| Error::new(format!("cannot write JSON: {error}")).with_source(error))
}

/// A value as JSON for people, with a line feed at the end.
pub(crate) fn to_pretty_json(value: &impl Serialize) -> Result<String> {
    let text = serde_json::to_string_pretty(value);
    Ok(text.map_err(|error| Error::new(format!("cannot write JSON: {error}")).with_source(error))? + "\n")
}

pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    write(path, to_pretty_json(value)?.as_bytes())
}

pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    parse_json(&read(path)?, path)
}

/// A value out of the text of the file at `path`.
pub(crate) fn parse_json<T: DeserializeOwned>(text: &str, path: &Path) -> Result<T> {
    serde_json::from_str(text).map_err(|error| damaged(path, &error).with_source(error))
}

/// A file that is not what smallnet wrote.
pub(crate) fn damaged(path: &Path, why: &dyn std::fmt::Display) -> Error {
    Error::corrupt(format!("`{}` is damaged: {why}", path.display()))
}

/// Refuses what a later smallnet wrote: `format` is the file's, `known` the newest that this one reads.
pub(crate) fn check_format(path: &Path, format: u32, known: u32) -> Result<()> {
    if format <= known {
        return Ok(());
    }
    Err(Error::unsupported(format!(
        "`{}` has format {format}, and this smallnet reads formats up to {known}",
        path.display()
    ))
    .hint("a newer smallnet wrote it: use that one"))
}
