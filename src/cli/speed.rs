//! Owns the estimate of the speed of some work and of its remaining time.

use std::time::{Duration, Instant};

/// Minimum measured time before a speed is stated, since the first steps take longer than the
/// others.
const MIN_TIME: Duration = Duration::from_millis(500);

/// Speed of the work of this process. The work that an earlier process did before a resume does not
/// count.
#[derive(Debug, Default)]
pub(super) struct Speed {
    /// Time and position at which this process began.
    start: Option<(Instant, u64)>,
    /// Time and position of the latest change.
    latest: Option<(Instant, u64)>,
}

impl Speed {
    /// Records that the work has reached `position`. The first call sets the start of this process.
    pub(super) fn advance(&mut self, now: Instant, position: u64) {
        let first = self.start.get_or_insert((now, position)).1;
        let is_new = self.latest.is_none_or(|(_, latest)| latest != position);
        if is_new && position > first {
            self.latest = Some((now, position));
        }
    }

    /// Returns the positions per second, or none before [`MIN_TIME`] has been measured.
    pub(super) fn per_second(&self) -> Option<f64> {
        let ((start, from), (end, to)) = (self.start?, self.latest?);
        let spent = end.duration_since(start);
        (spent >= MIN_TIME).then(|| to.saturating_sub(from) as f64 / spent.as_secs_f64())
    }

    /// Returns the time from `now` until `length` is reached, or none before [`MIN_TIME`] has been
    /// measured.
    pub(super) fn left(&self, now: Instant, length: u64) -> Option<Duration> {
        let (per_second, (end, position)) = (self.per_second()?, self.latest?);
        let left = Duration::try_from_secs_f64(length.saturating_sub(position) as f64 / per_second).ok()?;
        Some(left.saturating_sub(now.duration_since(end)))
    }
}

/// Formats a duration as `42 s`, `12 min 05 s` or `3 h 07 min`, rounded up to whole seconds.
pub(super) fn duration(duration: Duration) -> String {
    match duration.as_secs_f64().ceil() as u64 {
        s if s < 60 => format!("{s} s"),
        s if s < 3600 => format!("{} min {:02} s", s / 60, s % 60),
        s => format!("{} h {:02} min", s / 3600, s % 3600 / 60),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
