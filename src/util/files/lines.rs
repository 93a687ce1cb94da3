//! A file that grows by whole lines.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::util::files::open::open_to_write;
use crate::util::files::{MAX_BYTES, WRITING, read_to_end};

/// A file open for adding lines at its end.
#[derive(Debug)]
pub(crate) struct LineLog {
    file: File,
    path: PathBuf,
    /// Bytes of whole lines.
    length: u64,
}

impl LineLog {
    /// Opens the file at `path`, which is made where it is missing, and gives what is in it.
    ///
    /// A last line without an end, as a kill may leave, is taken off.
    pub(crate) fn open(path: &Path) -> Result<(Self, Vec<u8>)> {
        let file = open_to_write(File::options().read(true).create(true).append(true), path);
        let file = file.map_err(|error| Error::io("open", path, error))?;
        let mut bytes = read_to_end(&file, MAX_BYTES).map_err(|error| Error::io("read", path, error))?;
        bytes.truncate(bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1));
        let mut lines = Self { file, path: path.to_owned(), length: 0 };
        lines.truncate(bytes.len())?;
        Ok((lines, bytes))
    }

    /// Leaves the first `length` bytes and nothing more.
    pub(crate) fn truncate(&mut self, length: usize) -> Result<()> {
        self.length = length as u64;
        self.file.set_len(self.length).map_err(|error| Error::io("write", &self.path, error))
    }

    /// Adds `text`, whole lines, and waits until the disk has them. What could not be written whole is taken off again.
    pub(crate) fn append(&mut self, text: &str) -> Result<()> {
        let _writing = WRITING.read();
        // One write for all lines: a kill leaves all of them or, at the worst, one broken off.
        let written = self.file.write_all(text.as_bytes()).and_then(|()| self.file.sync_data());
        if written.is_err() {
            // What remains is cut off when the file is opened again.
            let _ = self.file.set_len(self.length);
        } else {
            self.length += text.len() as u64;
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
    fn a_broken_last_line_is_taken_off_and_nothing_written_behind_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        let (mut lines, before) = LineLog::open(&path).unwrap();
        assert!(before.is_empty());
        lines.append("one\ntwo\n").unwrap();
        fs::write(&path, "one\ntwo\nthr").unwrap();
        let (mut lines, before) = LineLog::open(&path).unwrap();
        assert_eq!(before, b"one\ntwo\n");
        lines.append("three\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\nthree\n");
        lines.truncate(4).unwrap();
        lines.append("four\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\nfour\n");
    }
}
