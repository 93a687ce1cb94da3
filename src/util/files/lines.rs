//! Owns a file that grows by whole lines or records. Must not know their contents.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::util::files::drive::sync_appended;
use crate::util::files::open::open_to_write;
use crate::util::files::{MAX_FILE_BYTES, WRITERS, parent_of, read_to_end};

/// A file that is open for appending log.
#[derive(Debug)]
pub(crate) struct LineLog {
    file: File,
    path: PathBuf,
    /// Number of bytes of whole log.
    num_bytes: u64,
}

impl LineLog {
    /// Opens the file at `path`, or makes it if it is missing, and returns its contents.
    ///
    /// A last line without a line feed is removed. It is left when a process is killed while it
    /// writes.
    pub(crate) fn open(path: &Path) -> Result<(Self, Vec<u8>)> {
        let file = open_to_write(File::options().read(true).create(true).append(true), path);
        let file = file.map_err(|error| Error::io("open", path, error))?;
        let mut bytes = read_to_end(&file, MAX_FILE_BYTES).map_err(|error| Error::io("read", path, error))?;
        bytes.truncate(bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1));
        let mut log = Self { file, path: path.to_owned(), num_bytes: 0 };
        log.truncate(bytes.len())?;
        Ok((log, bytes))
    }

    /// Makes an empty file at `path`, or empties the one that is there.
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let mut log = Self::reopen(path)?;
        log.truncate(0)?;
        Ok(log)
    }

    /// Opens the file at `path` to append to what it has, or makes it if it is missing.
    pub(crate) fn reopen(path: &Path) -> Result<Self> {
        let opened = open_to_write(File::options().create(true).append(true), path)
            .and_then(|file| Ok((file.metadata()?.len(), file)));
        let (num_bytes, file) = opened.map_err(|error| Error::io("open", path, error))?;
        Ok(Self { file, path: path.to_owned(), num_bytes })
    }

    /// Removes all but the first `num_bytes` bytes.
    pub(crate) fn truncate(&mut self, num_bytes: usize) -> Result<()> {
        self.num_bytes = num_bytes as u64;
        self.cut().map_err(|error| Error::io("write", &self.path, error))
    }

    /// Shortens the file to its whole lines.
    #[cfg(unix)]
    fn cut(&self) -> io::Result<()> {
        self.file.set_len(self.num_bytes)
    }

    /// Windows does not shorten a file that is open for appending.
    #[cfg(not(unix))]
    fn cut(&self) -> io::Result<()> {
        open_to_write(File::options().write(true), &self.path)?.set_len(self.num_bytes)
    }

    /// Appends `text`, which is made of whole log, and waits until it is on the disk. After a
    /// failure, a partly written text is removed.
    pub(crate) fn append(&mut self, text: &str) -> Result<()> {
        self.append_bytes(text.as_bytes())
    }

    /// Appends whole records. Otherwise as [`LineLog::append`].
    pub(crate) fn append_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        let _writer = WRITERS.read();
        // One write for all lines: if the process is killed, at most the last line in the file is
        // incomplete.
        let written =
            self.file.write_all(bytes).and_then(|()| sync_appended(&self.file, parent_of(&self.path)));
        if written.is_err() {
            // If this fails, too, the rest is removed when the file is opened again.
            let _ = self.cut();
        } else {
            self.num_bytes += bytes.len() as u64;
        }
        written.map_err(|error| Error::io("write", &self.path, error))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn an_incomplete_last_line_is_removed_before_the_next_is_appended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        let (mut log, before) = LineLog::open(&path).unwrap();
        assert!(before.is_empty());
        log.append("one\ntwo\n").unwrap();
        fs::write(&path, "one\ntwo\nthr").unwrap();
        let (mut log, before) = LineLog::open(&path).unwrap();
        assert_eq!(before, b"one\ntwo\n");
        log.append("three\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\nthree\n");
        log.truncate(4).unwrap();
        log.append("four\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\nfour\n");
    }
}
