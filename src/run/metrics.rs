//! Owns the file `metrics.jsonl`, with one line per epoch. The training writes it through the trait
//! `Callback`. Must not know the other files of a run folder.

use std::path::Path;

use crate::error::{Error, Result};
use crate::training::{Callback, EpochRecord, MetricsDigest};
use crate::util::files;
use crate::util::files::LineLog;

/// The open file `metrics.jsonl`.
#[derive(Debug)]
pub struct Metrics {
    lines: LineLog,
    /// One entry for each valid line that the file had when it was opened: its end, in bytes from
    /// the beginning of the file, and the digest of all lines up to it.
    line_ends: Vec<(usize, MetricsDigest)>,
}

impl Metrics {
    /// Opens the file, or creates it, and returns the records of its epochs up to the first invalid
    /// line. That line stays in the file until [`Metrics::truncate`] removes it.
    pub(super) fn open(path: &Path) -> Result<(Self, Vec<EpochRecord>)> {
        let (lines, bytes) = LineLog::open(path)?;
        let (mut line_ends, mut records) = (Vec::new(), Vec::new());
        let (mut end, mut digest) = (0, MetricsDigest::default());
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            match serde_json::from_slice::<EpochRecord>(line) {
                Ok(record) if record.epoch == records.len() + 1 => records.push(record),
                _ => break,
            }
            end += line.len();
            digest.add(line);
            line_ends.push((end, digest.clone()));
        }
        Ok((Self { lines, line_ends }, records))
    }

    /// Returns the digest of the first `num_epochs` lines that the file had when it was opened.
    pub fn digest(&self, num_epochs: usize) -> MetricsDigest {
        let last = num_epochs.checked_sub(1).and_then(|index| self.line_ends.get(index));
        last.map(|(_, digest)| digest.clone()).unwrap_or_default()
    }

    /// Removes all lines after the first `num_epochs`.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn truncate(&mut self, num_epochs: usize) -> Result<()> {
        self.line_ends.truncate(num_epochs);
        self.lines.truncate(self.line_ends.last().map_or(0, |&(end, _)| end))
    }

    /// Appends the line of an epoch. Returns when the line is on the disk.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn append(&mut self, record: &EpochRecord) -> Result<()> {
        self.lines.append(&record.line()?)
    }
}

impl Callback for Metrics {
    fn on_resume(&mut self, epochs: &[EpochRecord]) -> Result<()> {
        self.truncate(epochs.len())
    }

    fn on_epoch_end(&mut self, record: &EpochRecord) -> Result<()> {
        self.append(record)
    }
}

/// Returns the digest of the first `num_epochs` lines in the file at `path`.
///
/// # Errors
/// A file that cannot be read, or that has fewer lines.
pub(super) fn digest(path: &Path, num_epochs: usize) -> Result<String> {
    let bytes = if num_epochs == 0 { Vec::new() } else { files::read_bytes(path)? };
    let mut lines = bytes.split_inclusive(|&byte| byte == b'\n').take(num_epochs);
    let mut digest = MetricsDigest::default();
    let found = lines.by_ref().map(|line| digest.add(line)).count();
    match found == num_epochs {
        true => Ok(digest.sha256()),
        false => Err(files::corrupt(path, &format!("it has {found} lines, expected {num_epochs}"))),
    }
}

/// Reads the records in the file at `path`. A missing file has no records. A last line without a
/// line end is ignored, since another process is writing it.
///
/// # Errors
/// A file that cannot be read, or an invalid line.
pub(super) fn read(path: &Path) -> Result<Vec<EpochRecord>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = files::read(path)?;
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let read = |(index, line)| {
        let failed = |error| {
            Error::corrupt(format!("`{}`, line {}, is damaged: {error}", path.display(), index + 1))
                .with_source(error)
        };
        serde_json::from_str(line).map_err(failed)
    };
    whole.lines().enumerate().map(read).collect()
}
