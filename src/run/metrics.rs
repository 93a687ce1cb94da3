//! `metrics.jsonl`: a line an epoch.

use std::path::Path;

use crate::error::{Error, Result};
use crate::training::{EpochRecord, MetricsDigest};
use crate::util::files;
use crate::util::files::LineLog;

/// `metrics.jsonl`, open for writing.
#[derive(Debug)]
pub struct Metrics {
    lines: LineLog,
    /// Of each epoch that was there when the file was opened: where its line ends, in bytes from the beginning, and the
    /// digest of all lines up to it.
    ends: Vec<(usize, MetricsDigest)>,
}

impl Metrics {
    /// Opens the file, which is made where it is missing, and gives its epochs up to the first line that is none.
    pub(super) fn open(path: &Path) -> Result<(Self, Vec<EpochRecord>)> {
        let (lines, bytes) = LineLog::open(path)?;
        let (mut ends, mut records) = (Vec::new(), Vec::new());
        let (mut end, mut digest) = (0, MetricsDigest::default());
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            match serde_json::from_slice::<EpochRecord>(line) {
                Ok(record) if record.epoch == records.len() + 1 => records.push(record),
                _ => break,
            }
            end += line.len();
            digest.add(line);
            ends.push((end, digest.clone()));
        }
        Ok((Self { lines, ends }, records))
    }

    /// The digest of the lines of the first `epochs` epochs that were there when the file was opened.
    pub fn digest(&self, epochs: usize) -> MetricsDigest {
        let last = epochs.checked_sub(1).and_then(|index| self.ends.get(index));
        last.map(|(_, digest)| digest.clone()).unwrap_or_default()
    }

    /// Leaves the lines of the first `epochs` epochs and nothing more.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn cut(&mut self, epochs: usize) -> Result<()> {
        self.ends.truncate(epochs);
        self.lines.cut(self.ends.last().map_or(0, |&(end, _)| end))
    }

    /// Adds an epoch's line, and waits until the disk has it.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn append(&mut self, record: &EpochRecord) -> Result<()> {
        self.lines.append(&record.line()?)
    }
}

/// The epochs in the file at `path`; none where there is no file. A line that is being written is no line yet.
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
