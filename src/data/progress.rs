//! Owns the notice of how far the reading of a data set is. Whoever shows it registers an observer
//! once. Depends on nothing. Must not know how the progress is shown.

use std::sync::OnceLock;

/// Progress of the reading of one part of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadProgress<'a> {
    /// What is read, for people: the name of a file or folder.
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
