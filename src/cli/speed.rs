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
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn no_speed_is_stated_before_enough_was_measured() {
        let (mut speed, start) = (Speed::default(), Instant::now());
        assert_eq!((speed.per_second(), speed.left(start, 100)), (None, None));
        speed.advance(start, 0);
        speed.advance(start + 10 * SECOND, 0);
        assert_eq!((speed.per_second(), speed.left(start + 10 * SECOND, 100)), (None, None));
        let mut speed = Speed::default();
        speed.advance(start, 0);
        speed.advance(start + SECOND / 10, 90);
        assert_eq!((speed.per_second(), speed.left(start + SECOND, 100)), (None, None));
    }

    #[test]
    fn work_of_an_earlier_process_does_not_count() {
        let (mut speed, start) = (Speed::default(), Instant::now());
        // The first position of a resumed training.
        speed.advance(start, 1000);
        assert_eq!((speed.per_second(), speed.left(start, 1200)), (None, None));
        speed.advance(start + 2 * SECOND, 1100);
        assert_eq!(speed.per_second(), Some(50.0));
        assert_eq!(speed.left(start + 2 * SECOND, 1200), Some(2 * SECOND));
        // The remaining time falls between two positions, and never below zero.
        speed.advance(start + 3 * SECOND, 1100);
        assert_eq!(speed.left(start + 3 * SECOND, 1200), Some(SECOND));
        assert_eq!(speed.left(start + 9 * SECOND, 1200), Some(Duration::ZERO));
    }

    #[test]
    fn durations_are_formatted_for_people() {
        for (seconds, text) in [
            (0.0, "0 s"),
            (0.2, "1 s"),
            (41.5, "42 s"),
            (59.5, "1 min 00 s"),
            (725.0, "12 min 05 s"),
            (3600.0, "1 h 00 min"),
            (11_220.0, "3 h 07 min"),
        ] {
            assert_eq!(duration(Duration::from_secs_f64(seconds)), text);
        }
    }
}
