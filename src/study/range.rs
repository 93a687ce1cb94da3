//! Owns the ranges of a search space from which values are drawn: their reading, and the value that
//! belongs to a place in a range. Depends on nothing. Must not know how places are drawn.

use std::fmt;

use toml::{Table, Value};

use crate::error::{Error, Result};
use crate::study::search_space::Bounds;

/// Keys of a range.
const KEYS: [&str; 4] = ["low", "high", "step", "scale"];
const HINT: &str = "a range to draw from is `{ low = 0.01, high = 1.0, scale = \"log\" }`, or with steps \
                    `{ low = 0.0, high = 0.9, step = 0.1 }`";
/// Decimal digits that divide a range into a thousand to ten thousand parts. A value has no more of
/// them, so that it is the same on all machines and is trained as it is shown.
const DIGITS: f64 = 4.0;
/// Significant digits of a value that is a whole number of steps above the lower end: 0.3, not
/// 0.30000000000000004.
const STEP_DIGITS: usize = 12;

/// A range of numbers, with both ends.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Range {
    low: f64,
    high: f64,
    values: Values,
    /// True if the values are whole numbers.
    is_whole: bool,
}

/// Numbers in a range.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Values {
    /// All numbers, each interval of one length being as probable as another.
    Linear,
    /// All numbers, each interval between numbers of one ratio being as probable as another.
    Log,
    /// Numbers at equal distances from the lower end, each as probable as another.
    Steps(f64),
}

impl Range {
    /// True if the table of a `[vary]` section is such a range.
    pub(super) fn is_meant_by(table: &Table) -> bool {
        table.contains_key("low") || table.contains_key("high")
    }

    /// Reads `{ low, high, step, scale }` of the key `key` in the file `origin`. `is_whole` says
    /// whether the key's values are whole numbers.
    ///
    /// # Errors
    /// A key that is unknown or missing, or ends, a step or a scale that do not fit together.
    pub(super) fn parse(key: &str, table: &Table, origin: &str, is_whole: bool) -> Result<Self> {
        let bad = |what: String| Error::config(format!("`vary.{key}` in `{origin}` {what}")).hint(HINT);
        if let Some(name) = table.keys().find(|name| !KEYS.contains(&name.as_str())) {
            return Err(bad(format!("has `low` or `high`, and the unknown key `{name}`")));
        }
        let expected = if is_whole { "a whole number" } else { "a number" };
        let number = |name: &str| match table.get(name) {
            Some(Value::Integer(value)) => Ok(Some(*value as f64)),
            Some(Value::Float(value)) if value.is_finite() && (!is_whole || value.fract() == 0.0) => {
                Ok(Some(*value))
            }
            Some(other) => Err(bad(format!("has `{name} = {other}`, expected {expected}"))),
            None => Ok(None),
        };
        let end = |name: &str| number(name)?.ok_or_else(|| bad(format!("has no `{name}`")));
        let (low, high) = (end("low")?, end("high")?);
        let is_log = match table.get("scale").map(Value::as_str) {
            None | Some(Some("linear")) => false,
            Some(Some("log")) => true,
            Some(_) => return Err(bad("has a `scale` that is neither `linear` nor `log`".to_owned())),
        };
        if low >= high || (is_log && low <= 0.0) {
            let least = if is_log { "0 < low < high" } else { "low < high" };
            return Err(bad(format!("goes from {low} to {high}, expected {least}")));
        }
        let step = number("step")?;
        if step.is_some_and(|step| step <= 0.0 || step > high - low) {
            let step = step.unwrap_or_default();
            return Err(bad(format!(
                "has `step = {step}`, expected {expected} above 0 and at most {}",
                high - low
            )));
        }
        let values = match (is_log, step) {
            (true, Some(_)) => return Err(bad("has a `step` on a logarithmic scale".to_owned())),
            (true, None) => Values::Log,
            (false, Some(step)) => Values::Steps(step),
            (false, None) if is_whole => Values::Steps(1.0),
            (false, None) => Values::Linear,
        };
        Ok(Self { low, high, values, is_whole })
    }

    /// Ends of the range, and how the values lie between them.
    pub(super) fn bounds(&self) -> Bounds {
        let step = match self.values {
            Values::Steps(step) => Some(step),
            Values::Linear | Values::Log => None,
        };
        let Self { low, high, is_whole, .. } = *self;
        Bounds { low, high, step, is_log: self.is_log(), is_whole }
    }

    /// True if values are drawn on a logarithmic scale.
    pub(super) fn is_log(&self) -> bool {
        self.values == Values::Log
    }

    /// Number of different values. `None` if there are as many as numbers.
    pub(super) fn count(&self) -> Option<usize> {
        match self.values {
            Values::Steps(step) => Some(num_steps(self.high - self.low, step)),
            Values::Log if self.is_whole => Some((self.high - self.low) as usize + 1),
            Values::Linear | Values::Log => None,
        }
    }

    /// Value at `place`, which is in [0, 1): the ends are at 0 and 1.
    pub(super) fn value(&self, place: f64) -> Value {
        let number = match self.values {
            Values::Steps(step) => {
                let count = num_steps(self.high - self.low, step);
                let index = ((place * count as f64) as usize).min(count - 1);
                round_to_digits(self.low + index as f64 * step, STEP_DIGITS)
            }
            Values::Linear => {
                let width = self.high - self.low;
                let decimals = (DIGITS - width.log10() + 1e-9).floor().clamp(0.0, 15.0);
                round_to_decimals(self.low + place * width, decimals as usize)
            }
            // Every whole number gets the numbers that are rounded to it.
            Values::Log if self.is_whole => between(self.low - 0.5, self.high + 0.5, place).round(),
            Values::Log => {
                let digits = 1.0 + (DIGITS - (self.high / self.low).ln().log10() + 1e-9).floor();
                round_to_digits(between(self.low, self.high, place), digits.clamp(2.0, 15.0) as usize)
            }
        };
        let number = number.clamp(self.low, self.high);
        if self.is_whole { Value::Integer(number as i64) } else { Value::Float(number) }
    }
}

/// Number at `place` between two positive ends on a logarithmic scale.
fn between(low: f64, high: f64, place: f64) -> f64 {
    low * (high / low).powf(place)
}

/// Number of values from 0 to `width` at distances of `step`. A rounding error of the quotient must
/// not leave out the last one.
fn num_steps(width: f64, step: f64) -> usize {
    (width / step + 1e-9).floor() as usize + 1
}

/// Rounds to `digits` significant decimal digits.
fn round_to_digits(value: f64, digits: usize) -> f64 {
    format!("{value:.*e}", digits - 1).parse().unwrap_or(value)
}

/// Rounds to `decimals` digits after the point. The result is never −0.
fn round_to_decimals(value: f64, decimals: usize) -> f64 {
    format!("{value:.decimals$}").parse().unwrap_or(value) + 0.0
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.low, self.high)?;
        match self.values {
            Values::Log => write!(f, " on a logarithmic scale"),
            Values::Steps(step) => write!(f, " in steps of {step}"),
            Values::Linear => Ok(()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parse(text: &str, is_whole: bool) -> Result<Range> {
        Range::parse("a", &text.parse::<Table>().unwrap(), "s.toml", is_whole)
    }

    fn values(text: &str, is_whole: bool, places: &[f64]) -> Vec<f64> {
        let range = parse(text, is_whole).unwrap();
        let number = |value: Value| {
            assert_eq!(value.as_integer().is_some(), is_whole);
            value.as_float().or(value.as_integer().map(|whole| whole as f64)).unwrap()
        };
        places.iter().map(|&place| number(range.value(place))).collect()
    }

    const LAST: f64 = 1.0 - f64::EPSILON / 2.0;

    #[test]
    fn values_by_hand() {
        let places = [0.0, 0.25, 0.5, LAST];
        assert_eq!(values("low = 0.0\nhigh = 1", false, &places), [0.0, 0.25, 0.5, 1.0]);
        assert_eq!(values("low = -1.0\nhigh = 1.0", false, &[0.12345678, 0.5]), [-0.753, 0.0]);
        // The square root of 0.01 is 0.1; its fourth root, 0.31622777, has four digits here.
        assert_eq!(
            values("low = 0.01\nhigh = 1.0\nscale = \"log\"", false, &[0.0, 0.5, 0.75, LAST]),
            [0.01, 0.1, 0.3162, 1.0]
        );
        // Digits enough to tell values of a narrow range apart.
        assert_eq!(values("low = 0.99\nhigh = 0.9999", false, &[0.5, 0.501]), [0.99495, 0.99496]);
        assert_eq!(
            values("low = 0.1\nhigh = 0.101\nscale = \"log\"", false, &[0.5, 0.501]),
            [0.1004988, 0.1004998]
        );
        assert_eq!(
            values("low = 0.0\nhigh = 0.95\nstep = 0.1", false, &[0.0, 0.35, 0.99]),
            [0.0, 0.3, 0.9],
            "the last step does not reach the upper end"
        );
        assert_eq!(values("low = 0.1\nhigh = 0.3\nstep = 0.1", false, &[LAST]), [0.3]);
    }

    #[test]
    fn whole_numbers_are_equally_probable_or_by_their_logarithm() {
        assert_eq!(
            values("low = 1\nhigh = 4", true, &[0.0, 0.249, 0.25, 0.5, LAST]),
            [1.0, 1.0, 2.0, 3.0, 4.0]
        );
        assert_eq!(
            values("low = 16\nhigh = 64\nstep = 16", true, &[0.0, 0.3, 0.6, 0.9]),
            [16.0, 32.0, 48.0, 64.0]
        );
        // From 0.5 to 4.5: a third of the logarithms lie below 1.04, two thirds below 2.16.
        assert_eq!(
            values("low = 1\nhigh = 4\nscale = \"log\"", true, &[0.0, 0.333, 0.667, LAST]),
            [1.0, 1.0, 2.0, 4.0]
        );
        let count = |text: &str, is_whole| parse(text, is_whole).unwrap().count();
        assert_eq!(count("low = 1\nhigh = 4", true), Some(4));
        assert_eq!(count("low = 1\nhigh = 4\nscale = \"log\"", true), Some(4));
        assert_eq!(count("low = 0.0\nhigh = 0.9\nstep = 0.1", false), Some(10));
        assert_eq!(count("low = 0.0\nhigh = 0.9", false), None);
    }

    #[test]
    fn bad_ranges_say_what_is_expected() {
        for (text, is_whole, expected) in [
            ("low = 2\nhigh = 1", false, "goes from 2 to 1, expected low < high"),
            ("low = 1\nhigh = 1", true, "goes from 1 to 1, expected low < high"),
            ("low = 0\nhigh = 1\nscale = \"log\"", false, "goes from 0 to 1, expected 0 < low < high"),
            ("low = 1", false, "has no `high`"),
            ("high = 1", false, "has no `low`"),
            ("low = 0.5\nhigh = 3", true, "has `low = 0.5`, expected a whole number"),
            ("low = \"a\"\nhigh = 3", false, "has `low = \"a\"`, expected a number"),
            ("low = inf\nhigh = 3", false, "has `low = inf`, expected a number"),
            ("low = 1\nhigh = 3\nstep = 0", false, "has `step = 0`, expected a number above 0 and at most 2"),
            (
                "low = 1\nhigh = 3\nstep = 3",
                true,
                "has `step = 3`, expected a whole number above 0 and at most 2",
            ),
            ("low = 1\nhigh = 3\nstep = 1\nscale = \"log\"", false, "has a `step` on a logarithmic scale"),
            ("low = 1\nhigh = 3\nscale = \"ln\"", false, "has a `scale` that is neither `linear` nor `log`"),
            ("low = 1\nhigh = 3\nnum = 3", false, "has `low` or `high`, and the unknown key `num`"),
        ] {
            let error = parse(text, is_whole).unwrap_err();
            assert_eq!(error.message(), format!("`vary.a` in `s.toml` {expected}"));
        }
    }
}
