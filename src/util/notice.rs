//! Owns notices: sentences for the user from modules that do not print. Whoever shows them registers
//! an observer once. Depends on nothing. Must not know how a notice is shown.

use std::sync::{Mutex, OnceLock, PoisonError};

/// A sentence for the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice<'a> {
    /// A fact to know.
    Note(&'a str),
    /// A risk to know.
    Warning(&'a str),
}

/// A function that shows notices. It is called from any thread.
pub type NoticeObserver = Box<dyn Fn(Notice<'_>) + Send + Sync>;

static OBSERVER: OnceLock<NoticeObserver> = OnceLock::new();

/// Topics of the notices that this process has given.
static TOPICS: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());

/// Registers the one function that shows notices. A second call is ignored.
///
/// A notice tells, for example, that a drive has no locks, or that a graphics driver computes on the
/// CPU. Each topic has at most one notice per process.
pub fn observe_notices(observer: NoticeObserver) {
    let _ = OBSERVER.set(observer);
}

/// Gives a notice, unless one about `topic` was given before.
pub(crate) fn give_once(topic: &'static str, notice: Notice<'_>) {
    if is_first(topic)
        && let Some(observer) = OBSERVER.get()
    {
        observer(notice);
    }
}

/// Returns whether no notice about `topic` was given yet, and notes that one is given now.
pub(crate) fn is_first(topic: &'static str) -> bool {
    let mut topics = TOPICS.lock().unwrap_or_else(PoisonError::into_inner);
    let is_first = !topics.contains(&topic);
    if is_first {
        topics.push(topic);
    }
    is_first
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
