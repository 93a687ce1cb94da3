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
