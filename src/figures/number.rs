//! Owns how numbers are written in pictures: thousands with commas, a true minus sign, no digits without meaning.

/// `12345` as `12,345`.
pub(super) fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `value` with `digits` significant digits, without trailing zeros; very small and very large ones as `1.2e−7`.
pub(super) fn significant(value: f64, digits: usize) -> String {
    if value == 0.0 || !value.is_finite() {
        return true_minus(&format!("{value:.0}"));
    }
    let exponent = value.abs().log10().floor() as i32;
    if !(-4..6).contains(&exponent) {
        return true_minus(&format!("{value:.*e}", digits.saturating_sub(1)));
    }
    let decimals = usize::try_from(digits as i32 - 1 - exponent).unwrap_or(0);
    true_minus(strip_zeros(&format!("{value:.decimals$}")))
}

/// A tick label: as many decimals as the `step` between ticks needs.
pub(super) fn tick(value: f64, step: f64) -> String {
    let value = if value.abs() < step * 1e-6 { 0.0 } else { value };
    let exponent = step.abs().log10().floor();
    if value != 0.0 && (value.abs() >= 1e7 || exponent < -5.0) {
        return true_minus(&format!("{value:.2e}"));
    }
    let decimals = (-exponent).clamp(0.0, 6.0) as usize;
    if decimals == 0 && value >= 10_000.0 {
        return grouped(value.round() as u64);
    }
    true_minus(&format!("{value:.decimals$}"))
}

/// A probability or share, 0 to 1, as a percentage; tiny but not zero is told from zero.
pub(super) fn percent(share: f64) -> String {
    if !share.is_finite() {
        return "–".to_owned();
    }
    let percent = share * 100.0;
    if percent > 0.0 && percent < 0.05 {
        "< 0.1 %".to_owned()
    } else if (99.95..100.0).contains(&percent) {
        "> 99.9 %".to_owned()
    } else if percent.abs() > 1e6 {
        format!("{} %", significant(percent, 3))
    } else {
        true_minus(&format!("{percent:.1} %"))
    }
}

fn true_minus(text: &str) -> String {
    text.replace('-', "−")
}

fn strip_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_write_them() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(significant(-0.31249, 3), "−0.312");
        assert_eq!(significant(1.5, 3), "1.5");
        assert_eq!(significant(1234.0, 3), "1234");
        assert_eq!(significant(0.000_000_12, 2), "1.2e−7");
        assert_eq!(significant(0.0, 3), "0");
        assert_eq!(tick(0.30000000000000004, 0.1), "0.3");
        assert_eq!(tick(-1e-17, 0.1), "0.0");
        assert_eq!(tick(25_000.0, 5_000.0), "25,000");
        assert_eq!(tick(2e-7, 1e-7), "2.00e−7");
    }

    #[test]
    fn a_percentage_never_rounds_to_certainty() {
        assert_eq!(percent(0.992), "99.2 %");
        assert_eq!(percent(0.0), "0.0 %");
        assert_eq!(percent(1.0), "100.0 %");
        assert_eq!(percent(0.9999), "> 99.9 %");
        assert_eq!(percent(0.0001), "< 0.1 %");
        assert_eq!(percent(f64::NAN), "–");
    }
}
