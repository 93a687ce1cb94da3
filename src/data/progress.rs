//! Owns the notice of how far the reading of a data set is. Whoever shows it registers an observer
//! once. Depends on nothing. Must not know how the progress is shown.

use std::io::{self, Read};
use std::sync::OnceLock;

/// Progress of the reading of one part of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadProgress<'a> {
    /// The name of the file or folder that is read.
    pub name: &'a str,
    /// Number of units done.
    pub done: u64,
    /// Number of units in all, at least `done`. When both are equal, the reading is over.
    pub total: u64,
    /// The unit: `files`, `pictures` or `bytes`.
    pub unit: &'static str,
}

/// A function that shows progress. It is called from any thread.
pub type ReadObserver = Box<dyn Fn(ReadProgress<'_>) + Send + Sync>;

static OBSERVER: OnceLock<ReadObserver> = OnceLock::new();

/// Registers the one function that is told how far the reading of data sets is. A second call is
/// ignored.
pub fn observe_reading(observer: ReadObserver) {
    let _ = OBSERVER.set(observer);
}

/// Tells the observer, if there is one.
pub(crate) fn report(progress: ReadProgress<'_>) {
    if let Some(observer) = OBSERVER.get() {
        observer(progress);
    }
}

/// Number of bytes between two reports.
const BYTES_PER_REPORT: u64 = 1 << 20;

/// A reader of a file that reports how many of its bytes were read.
#[derive(Debug)]
pub(crate) struct ReportingReader<R> {
    reader: R,
    name: String,
    done: u64,
    total: u64,
    /// Number of bytes at the last report, 0 before the first.
    reported: u64,
}

impl<R> ReportingReader<R> {
    /// Wraps the reader of a file of `total` bytes.
    pub(crate) fn new(reader: R, name: &str, total: u64) -> Self {
        Self { reader, name: name.to_owned(), done: 0, total, reported: 0 }
    }

    fn report(&mut self, done: u64) {
        self.reported = done;
        report(ReadProgress { name: &self.name, done, total: self.total, unit: "bytes" });
    }
}

impl<R: Read> Read for ReportingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.done += count as u64;
        // The end is reported by `drop`.
        if self.done - self.reported >= BYTES_PER_REPORT && self.done < self.total {
            self.report(self.done);
        }
        Ok(count)
    }
}

/// The last report ends the display, even if the reading has failed.
impl<R> Drop for ReportingReader<R> {
    fn drop(&mut self) {
        if self.reported > 0 {
            self.report(self.total);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
