//! Owns the format of numbers and lists on the terminal and in pages.
//! Must not know the meaning of the numbers.

/// Formats 1234567 as `1,234,567`.
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

/// Formats a loss as [`decimals`] does.
pub(crate) fn loss(loss: f64) -> String {
    decimals(loss)
}

/// Formats a measured number with four decimals, or with three digits from 100,000 on. In a column,
/// all numbers then have the same number of decimals.
pub(crate) fn decimals(number: f64) -> String {
    // A number that is rounded to 0 has no sign.
    let number = if number.abs() < 0.00005 { 0.0 } else { number };
    if number.abs() < 1e5 || !number.is_finite() { format!("{number:.4}") } else { significant(number) }
}

/// Formats a number with a noun: `1 step`, `2 steps`.
pub(crate) fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// Formats a list: `a`, `a and b`, `a, b and c`.
pub(crate) fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Formats a number with its spoken article: `a 7`, `an 8`, `an 11`, `a 100`.
#[cfg(any(test, feature = "exercise"))]
pub(crate) fn with_article(number: usize) -> String {
    // "Eight", "eleven" and "eighteen" need `an`. The digits before the first comma are spoken
    // first.
    let text = grouped(number);
    let first = text.split(',').next().unwrap_or_default();
    let article = if first.starts_with('8') || matches!(first, "11" | "18") { "an" } else { "a" };
    format!("{article} {text}")
}

/// Formats seconds with three significant digits: `0.0123 s`, `0.123 s`, `12.3 s`. From a minute
/// on, the form is `2 min 05 s`.
pub(crate) fn seconds(seconds: f64) -> String {
    // The sum of no numbers is -0. Adding 0 removes the sign.
    match seconds + 0.0 {
        s if s < 59.95 => format!("{} s", three_digits(s)),
        s => {
            let whole = s.round() as u64;
            format!("{} min {:02} s", whole / 60, whole % 60)
        }
    }
}

/// Formats a number of a column with three significant digits, zeros at the end included: `1.00`,
/// `0.0500`, `2.74e-5`.
pub(crate) fn three_digits(number: f64) -> String {
    if number == 0.0 || !number.is_finite() {
        return (number + 0.0).to_string();
    }
    // The exponent after rounding: 0.9996 becomes 1.00.
    let rounded = format!("{number:.2e}");
    let exponent =
        rounded.split_once('e').and_then(|(_, exponent)| exponent.parse::<i32>().ok()).unwrap_or(0);
    match exponent {
        -4..=5 => format!("{number:.*}", (2 - exponent).max(0) as usize),
        _ => rounded,
    }
}

/// Formats a range of seconds, with the unit once if both ends have the same: `0.123 to 0.350 s`.
pub(crate) fn range_of_seconds(low: f64, high: f64) -> String {
    let (from, to) = (seconds(low), seconds(high));
    match (from.strip_suffix(" s"), to.ends_with(" s") && !to.contains("min") && !from.contains("min")) {
        (Some(from), true) => format!("{from} to {to}"),
        _ => format!("{from} to {to}"),
    }
}

/// Formats a number with three significant digits, without zeros at the end: `1`, `0.05`,
/// `2.74e-4`.
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

/// Formats a share in [0, 1] as `99.2 %`. A share above 0 never becomes `0.0 %`, and one below 1
/// never becomes `100.0 %`.
pub(crate) fn percent(share: f64) -> String {
    match 100.0 * share {
        tiny if tiny > 0.0 && tiny < 0.05 => "< 0.1 %".to_owned(),
        near_100 if (99.95..100.0).contains(&near_100) => "> 99.9 %".to_owned(),
        percent => format!("{percent:.1} %"),
    }
}

/// Formats the absolute difference of two accuracies as `0.24 percentage points`.
pub(crate) fn points(difference: f64) -> String {
    format!("{:.2} percentage points", 100.0 * difference.abs())
}

/// Formats the absolute difference of two accuracies for a column: `0.24 pp`.
pub(crate) fn short_points(difference: f64) -> String {
    format!("{:.2} pp", 100.0 * difference.abs())
}

/// Formats a p-value with a relation sign and four decimals: `= 0.0196`, `< 0.0001`.
pub(crate) fn p_value(p: f64) -> String {
    if p < 0.0001 { "< 0.0001".to_owned() } else { format!("= {p:.4}") }
}

#[cfg(test)]
mod tests;
