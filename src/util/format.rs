//! Numbers and lists as people read them, on the terminal and in pages.

/// 1234567 as `1,234,567`.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A loss with four decimals, or three digits where it is huge.
pub(crate) fn loss(loss: f64) -> String {
    decimals(loss)
}

/// A measured number with four decimals, or three digits where it is huge: one below the other, they have the same digits.
pub(crate) fn decimals(number: f64) -> String {
    // What is rounded to 0 has no sign.
    let number = if number.abs() < 0.00005 { 0.0 } else { number };
    if number.abs() < 1e5 || !number.is_finite() { format!("{number:.4}") } else { significant(number) }
}

/// `1 step`, `2 steps`.
pub(crate) fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// `a 7`, `an 8`, `an 11`, `a 100`: a number with the article that it is spoken with.
#[cfg(any(test, feature = "exercise"))]
pub(crate) fn with_article(number: usize) -> String {
    // What begins with "eight", "eleven" or "eighteen": only the digits before the first comma are spoken first.
    let text = grouped(number);
    let first = text.split(',').next().unwrap_or_default();
    let article = if first.starts_with('8') || matches!(first, "11" | "18") { "an" } else { "a" };
    format!("{article} {text}")
}

/// Seconds with three significant digits, so that they are alike in a column: `0.0123 s`, `0.123 s`, `12.3 s`; from a minute
/// on `2 min 05 s`.
pub(crate) fn seconds(seconds: f64) -> String {
    // An empty sum is -0.
    match seconds + 0.0 {
        s if s < 59.95 => format!("{} s", three_digits(s)),
        s => {
            let whole = s.round() as u64;
            format!("{} min {:02} s", whole / 60, whole % 60)
        }
    }
}

/// Three significant digits, with zeros at the end, for numbers that stand in one column: `1.00`, `0.0500`, `2.74e-4`.
pub(crate) fn three_digits(number: f64) -> String {
    if number == 0.0 || !number.is_finite() {
        return (number + 0.0).to_string();
    }
    // The exponent after rounding: 0.9996 is 1.00.
    let rounded = format!("{number:.2e}");
    let exponent =
        rounded.split_once('e').and_then(|(_, exponent)| exponent.parse::<i32>().ok()).unwrap_or(0);
    match exponent {
        -4..=5 => format!("{number:.*}", (2 - exponent).max(0) as usize),
        _ => rounded,
    }
}

/// From one number of seconds to another, with the unit once where it is the same: `0.123 to 0.350 s`.
pub(crate) fn range_of_seconds(low: f64, high: f64) -> String {
    let (from, to) = (seconds(low), seconds(high));
    match (from.strip_suffix(" s"), to.ends_with(" s") && !to.contains("min") && !from.contains("min")) {
        (Some(from), true) => format!("{from} to {to}"),
        _ => format!("{from} to {to}"),
    }
}

/// Three significant digits, without zeros at the end: `1`, `0.05`, `2.74e-4`.
pub(crate) fn significant(number: f64) -> String {
    if number == 0.0 || !number.is_finite() {
        return (number + 0.0).to_string();
    }
    let exponent = number.abs().log10().floor();
    if !(-3.0..6.0).contains(&exponent) {
        let text = format!("{number:.2e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        return format!("{}e{exponent}", mantissa.trim_end_matches('0').trim_end_matches('.'));
    }
    let decimals = (2.0 - exponent).max(0.0) as usize;
    let text = format!("{number:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A share in [0, 1] as `99.2 %`. What is almost nothing or almost all is never rounded to it.
pub(crate) fn percent(share: f64) -> String {
    match 100.0 * share {
        tiny if tiny > 0.0 && tiny < 0.05 => "< 0.1 %".to_owned(),
        sure if (99.95..100.0).contains(&sure) => "> 99.9 %".to_owned(),
        percent => format!("{percent:.1} %"),
    }
}

/// A difference of accuracies as `0.24 percentage points`, whichever is larger.
pub(crate) fn points(difference: f64) -> String {
    format!("{:.2} percentage points", 100.0 * difference.abs())
}

/// The same for a column: `0.24 pp`.
pub(crate) fn short_points(difference: f64) -> String {
    format!("{:.2} pp", 100.0 * difference.abs())
}

/// A p-value with four decimals after its sign: `= 0.0196`, `< 0.0001`.
pub(crate) fn p_value(p: f64) -> String {
    if p < 0.0001 { "< 0.0001".to_owned() } else { format!("= {p:.4}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        for (number, text) in
            [(0, "0"), (999, "999"), (1000, "1,000"), (7850, "7,850"), (1234567, "1,234,567")]
        {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn one_thing_is_no_several_things() {
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
    fn rates_keep_three_digits() {
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
        assert_eq!(
            (points(-0.0024), short_points(0.5)),
            ("0.24 percentage points".into(), "50.00 pp".into())
        );
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
    fn seconds_keep_what_matters() {
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
}
