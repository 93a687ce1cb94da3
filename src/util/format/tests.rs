use super::*;

#[test]
fn thousands_are_grouped() {
    for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (7850, "7,850"), (1234567, "1,234,567")] {
        assert_eq!(grouped(number), text);
    }
}

#[test]
fn a_noun_is_singular_after_1() {
    for (number, text) in [(0, "0 threads"), (1, "1 thread"), (2, "2 threads"), (1000, "1,000 threads")] {
        assert_eq!(counted(number, "thread", "threads"), text);
    }
}

#[test]
fn articles_follow_the_spoken_number() {
    for (number, text) in [
        (0, "a 0"),
        (1, "a 1"),
        (8, "an 8"),
        (11, "an 11"),
        (12, "a 12"),
        (18, "an 18"),
        (80, "an 80"),
        (100, "a 100"),
        (110, "a 110"),
        (811, "an 811"),
        (1800, "a 1,800"),
        (8000, "an 8,000"),
        (11_000, "an 11,000"),
    ] {
        assert_eq!(with_article(number), text);
    }
}

#[test]
fn measured_numbers_have_the_same_digits() {
    for (number, text) in [(1.5, "1.5000"), (-0.088_3, "-0.0883"), (-1e-9, "0.0000"), (1e6, "1e6")] {
        assert_eq!(decimals(number), text);
    }
}

#[test]
fn significant_numbers_have_three_digits() {
    for (number, text) in [
        (1.0, "1"),
        (0.05, "0.05"),
        (0.1, "0.1"),
        (0.001, "0.001"),
        (0.000_274_3, "2.74e-4"),
        (12.345, "12.3"),
        (1000.0, "1000"),
        (0.0, "0"),
        (4.5e-10, "4.5e-10"),
        (1e9, "1e9"),
        (-0.0, "0"),
        (-0.25, "-0.25"),
        (f64::INFINITY, "inf"),
        (f64::NAN, "NaN"),
    ] {
        assert_eq!(significant(number), text);
    }
}

#[test]
fn a_percentage_never_rounds_to_certainty() {
    for (share, text) in
        [(0.992, "99.2 %"), (0.0, "0.0 %"), (1.0, "100.0 %"), (0.9999, "> 99.9 %"), (0.0001, "< 0.1 %")]
    {
        assert_eq!(percent(share), text);
    }
}

#[test]
fn differences_are_percentage_points() {
    assert_eq!((points(-0.0024), short_points(0.5)), ("0.24 percentage points".into(), "50.00 pp".into()));
}

#[test]
fn a_column_has_three_digits() {
    for (number, text) in [
        (0.25, "0.250"),
        (1.0, "1.00"),
        (0.9996, "1.00"),
        (-0.0123, "-0.0123"),
        (123_456.0, "123456"),
        (1.0e-5, "1.00e-5"),
        (0.0, "0"),
    ] {
        assert_eq!(three_digits(number), text);
    }
}

#[test]
fn seconds_have_three_digits_or_minutes() {
    for (number, text) in [
        (0.01234, "0.0123 s"),
        (0.1234, "0.123 s"),
        (0.0, "0 s"),
        (1.0, "1.00 s"),
        (0.000_123_4, "0.000123 s"),
        (12.34, "12.3 s"),
        (59.96, "1 min 00 s"),
        (119.7, "2 min 00 s"),
    ] {
        assert_eq!(seconds(number), text);
    }
    assert_eq!(range_of_seconds(0.0123, 0.35), "0.0123 to 0.350 s");
    assert_eq!(range_of_seconds(12.0, 61.0), "12.0 s to 1 min 01 s");
}
