//! Owns the search space of a study: the keys that vary with their values, and the configurations
//! that are made of them. Depends on ranges. Must not know which configurations are trained.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::error::{Error, Result};
use crate::study::range::Range;
use crate::study::sobol::MAX_DIMENSIONS;

/// Most values of a key.
const MAX_VALUES: usize = 1000;
/// Most keys that vary.
const MAX_KEYS: usize = MAX_DIMENSIONS;
/// Significant digits of the numbers in a range, where so many are enough to distinguish them:
/// 0.00316, not 0.0031622776601683794.
const DIGITS: usize = 3;
/// Most significant digits to which a range is rounded: an `f64` has 15.
const MAX_DIGITS: usize = 15;

/// A key that varies, with its values.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parameter {
    pub(super) key: String,
    pub(super) domain: Domain,
    /// Range that the values are from. `None` for a list.
    pub(super) bounds: Option<Bounds>,
}

/// Ends of a range of numbers, and how numbers lie between them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bounds {
    pub(super) low: f64,
    pub(super) high: f64,
    /// Distance between neighbours, if only numbers at this distance are values.
    pub(super) step: Option<f64>,
    /// True if numbers of equal ratios are equally far apart.
    pub(super) is_log: bool,
    /// True if the values are whole numbers.
    pub(super) is_whole: bool,
}

/// Values of a key that varies.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Domain {
    /// These values.
    List(Vec<Value>),
    /// Values that are drawn from a range.
    Range(Range),
}

impl Parameter {
    /// Values of a list. Empty for a range that values are drawn from.
    pub(super) fn values(&self) -> &[Value] {
        match &self.domain {
            Domain::List(values) => values,
            Domain::Range(_) => &[],
        }
    }

    /// Values as text, for the fingerprint of a study.
    pub(super) fn describe(&self) -> String {
        match &self.domain {
            Domain::List(values) => {
                let values: Vec<_> = values.iter().map(ToString::to_string).collect();
                format!("varied: {}", values.join(", "))
            }
            Domain::Range(range) => format!("drawn: {range}"),
        }
    }
}

/// One choice of a value for every varied key. A hundred thousand configurations may have the same
/// few texts, so configurations share the texts in memory.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Configuration {
    /// Dotted keys with their values as TOML, sorted.
    pub values: Arc<[(Arc<str>, Arc<str>)]>,
}

impl Configuration {
    /// Name as people read it, such as `learning rate 0.1, hidden 128-64`.
    pub fn name(&self) -> String {
        if self.values.is_empty() {
            return "as it is".to_owned();
        }
        self.values.iter().map(|(key, value)| name_value(key, value)).collect::<Vec<_>>().join(", ")
    }

    /// Value of a key, as TOML. `None` where the key does not vary.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.values.iter().find(|(name, _)| **name == *key).map(|(_, value)| &**value)
    }

    /// Value of a key, as a number. `None` where it is no number or the key does not vary.
    pub fn number(&self, key: &str) -> Option<f64> {
        self.value(key)?.parse().ok()
    }
}

/// Name of a key as people read it, such as `learning rate`.
pub(super) fn key_name(key: &str) -> String {
    key.rsplit('.').next().unwrap_or(key).replace('_', " ")
}

/// A value as people read it without its key, such as `128-64`.
pub(super) fn value_name(key: &str, value: &str) -> String {
    match (key, value) {
        ("model.hidden", "[]") => "none".to_owned(),
        ("model.hidden", widths) => widths.trim_matches(['[', ']']).replace(", ", "-"),
        _ => value.trim_matches('"').to_owned(),
    }
}

/// Name of a key and its value, such as `learning rate 0.1`.
fn name_value(key: &str, value: &str) -> String {
    match (key, value) {
        ("model.hidden", "[]") => "no hidden layer".to_owned(),
        _ => format!("{} {}", key_name(key), value_name(key, value)),
    }
}

/// Reads the keys of a `[vary]` section, which may be nested, with their values. `prefix` is the
/// dotted path of the section, `origin` the name of the file. `is_whole` returns whether the value
/// of a key is a whole number.
///
/// # Errors
/// A value is neither a list nor a range, a list or range is wrong, a key is there twice, or there
/// are too many keys.
pub(super) fn read(
    table: &Table,
    prefix: &str,
    origin: &str,
    is_whole: &dyn Fn(&str) -> bool,
) -> Result<Vec<Parameter>> {
    let mut all: Vec<Parameter> = Vec::new();
    for (name, value) in table {
        let key = format!("{prefix}{name}");
        match value {
            Value::Array(values) => {
                let domain = Domain::List(parse_list(&key, values, origin)?);
                all.push(Parameter { key, domain, bounds: None });
            }
            Value::Table(range) if range.contains_key("from") || range.contains_key("to") => {
                let (bounds, values) = parse_range(&key, range, origin, is_whole(&key))?;
                all.push(Parameter { key, domain: Domain::List(values), bounds: Some(bounds) });
            }
            Value::Table(range) if Range::is_meant_by(range) => {
                let range = Range::parse(&key, range, origin, is_whole(&key))?;
                let bounds = Some(range.bounds());
                all.push(Parameter { key, domain: Domain::Range(range), bounds });
            }
            Value::Table(section) => all.extend(read(section, &format!("{key}."), origin, is_whole)?),
            other => {
                return Err(Error::config(format!(
                    "`vary.{key}` in `{origin}` is `{other}`, expected values"
                ))
                .hint(RANGE_HINT));
            }
        }
    }
    if all.len() > MAX_KEYS {
        let got = all.len();
        return Err(Error::config(format!("`{origin}` varies {got} settings, expected at most {MAX_KEYS}"))
            .hint("what has one value only belongs under `[set]`"));
    }
    match (1..all.len()).find(|&index| all[..index].iter().any(|other| other.key == all[index].key)) {
        Some(index) => Err(Error::config(format!("`vary.{}` in `{origin}` is there twice", all[index].key))),
        None => Ok(all),
    }
}

const RANGE_HINT: &str = "a list such as `[0.1, 1.0]`, a range such as `{ from = 0.001, to = 10, num = 9, scale = \"log\" }`, \
                          or one to draw from, `{ low = 0.001, high = 10.0, scale = \"log\" }`";

/// Reads a list of different values.
fn parse_list(key: &str, values: &[Value], origin: &str) -> Result<Vec<Value>> {
    if values.is_empty() {
        return Err(Error::config(format!("`vary.{key}` in `{origin}` is empty, expected a value or more")));
    }
    if values.len() > MAX_VALUES {
        let got = values.len();
        return Err(Error::config(format!(
            "`vary.{key}` in `{origin}` has {got} values, expected at most {MAX_VALUES}"
        )));
    }
    let is_repeated = |(index, value): &(usize, &Value)| values[..*index].contains(value);
    match values.iter().enumerate().find(is_repeated) {
        None => Ok(values.to_vec()),
        Some((_, value)) => Err(Error::config(format!("`vary.{key}` in `{origin}` has `{value}` twice"))
            .hint("to repeat a configuration, name several `seeds`")),
    }
}

/// Reads `{ from, to, num, scale }`: `num` values from one end to the other, at equal differences
/// or by equal factors. The ends stay as written. Between them, fractions have as few digits as
/// distinguish them, at least three.
fn parse_range(key: &str, range: &Table, origin: &str, is_whole: bool) -> Result<(Bounds, Vec<Value>)> {
    let bad = |what: String, hint: &str| {
        Error::config(format!("`vary.{key}` in `{origin}` {what}")).hint(hint.to_owned())
    };
    for name in range.keys() {
        if !["from", "to", "num", "scale"].contains(&name.as_str()) {
            return Err(bad(format!("has the unknown key `{name}`"), RANGE_HINT));
        }
    }
    let end = |name: &str| match range.get(name) {
        Some(Value::Integer(value)) => Ok(*value as f64),
        Some(Value::Float(value)) if value.is_finite() => Ok(*value),
        Some(other) => Err(bad(format!("has `{name} = {other}`, expected a number"), RANGE_HINT)),
        None => Err(bad(format!("has no `{name}`"), RANGE_HINT)),
    };
    let (from, to) = (end("from")?, end("to")?);
    let num = match range.get("num") {
        Some(Value::Integer(num)) if (2..=MAX_VALUES as i64).contains(num) => *num as usize,
        Some(other) => {
            return Err(bad(
                format!("has `num = {other}`, expected a whole number from 2 to {MAX_VALUES}"),
                RANGE_HINT,
            ));
        }
        None => return Err(bad("has no `num`".to_owned(), RANGE_HINT)),
    };
    let log = match range.get("scale").map(Value::as_str) {
        None | Some(Some("linear")) => false,
        Some(Some("log")) => true,
        Some(_) => {
            return Err(bad("has a `scale` that is neither `linear` nor `log`".to_owned(), RANGE_HINT));
        }
    };
    if from >= to || (log && from <= 0.0) {
        let least = if log { "0 < from < to" } else { "from < to" };
        return Err(bad(format!("goes from {from} to {to}, expected {least}"), RANGE_HINT));
    }
    let between = |index: usize| {
        let share = index as f64 / (num - 1) as f64;
        if log { from * (to / from).powf(share) } else { from + (to - from) * share }
    };
    let all: Vec<f64> = (0..num).map(between).collect();
    let bounds = Bounds { low: from, high: to, step: None, is_log: log, is_whole };
    if is_whole {
        let whole: Vec<i64> = all.iter().map(|value| value.round() as i64).collect();
        return match whole.windows(2).all(|pair| pair[0] < pair[1]) {
            true => Ok((bounds, whole.into_iter().map(Value::Integer).collect())),
            false => Err(bad(
                format!("has fewer than {num} different whole numbers from {from} to {to}"),
                "write them as a list, or make `num` smaller",
            )),
        };
    }
    let rounded = (DIGITS..=MAX_DIGITS).map(|digits| rounded(&all, digits));
    let distinct = rounded.into_iter().find(|values| values.windows(2).all(|pair| pair[0] < pair[1]));
    Ok((bounds, distinct.unwrap_or(all).into_iter().map(Value::Float).collect()))
}

/// Rounds all values but the ends to `digits` significant digits.
fn rounded(values: &[f64], digits: usize) -> Vec<f64> {
    let last = values.len() - 1;
    let round = |(index, &value): (usize, &f64)| {
        let text = format!("{value:.*e}", digits - 1);
        if index == 0 || index == last { value } else { text.parse().unwrap_or(value) }
    };
    values.iter().enumerate().map(round).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn vary(text: &str) -> Result<Vec<Parameter>> {
        read(&text.parse::<Table>().unwrap(), "", "s.toml", &|key| key == "whole")
    }

    fn floats(text: &str) -> Vec<f64> {
        vary(text).unwrap()[0].values().iter().map(|value| value.to_string().parse().unwrap()).collect()
    }

    #[test]
    fn ranges_by_hand() {
        assert_eq!(
            floats("a = { from = 0.001, to = 10.0, num = 9, scale = \"log\" }"),
            [0.001, 0.00316, 0.01, 0.0316, 0.1, 0.316, 1.0, 3.16, 10.0]
        );
        assert_eq!(floats("a = { from = 0.0, to = 1.0, num = 5 }"), [0.0, 0.25, 0.5, 0.75, 1.0]);
        assert_eq!(
            floats("whole = { from = 16, to = 4096, num = 5, scale = \"log\" }"),
            [16.0, 64.0, 256.0, 1024.0, 4096.0]
        );
        assert_eq!(floats("a = { from = 1, to = 2, num = 5 }"), [1.0, 1.25, 1.5, 1.75, 2.0]);
        let near_one = floats("a = { from = 0.99, to = 0.9999, num = 3 }");
        assert_eq!(near_one, [0.99, 0.995, 0.9999], "the ends are as they stand");
        assert_eq!(floats("a = { from = 1.0, to = 1.01, num = 3 }"), [1.0, 1.005, 1.01]);
    }

    #[test]
    fn configurations_have_names() {
        let configuration = |pairs: &[(&str, &str)]| {
            let own = |&(key, value): &(&str, &str)| (key.into(), value.into());
            Configuration { values: pairs.iter().map(own).collect() }.name()
        };
        assert_eq!(
            configuration(&[("model.hidden", "[128, 64]"), ("optimizer.kind", "\"adam\"")]),
            "hidden 128-64, kind adam"
        );
        assert_eq!(configuration(&[("model.hidden", "[]")]), "no hidden layer");
        assert_eq!(configuration(&[("optimizer.learning_rate", "0.1")]), "learning rate 0.1");
        assert_eq!(configuration(&[]), "as it is");
    }

    #[test]
    fn bad_values_say_what_is_expected() {
        for (text, expected) in [
            ("a = 3", "`vary.a` in `s.toml` is `3`, expected values"),
            ("a = []", "`vary.a` in `s.toml` is empty, expected a value or more"),
            ("a = [1, 2, 1]", "`vary.a` in `s.toml` has `1` twice"),
            ("a = { from = 1, num = 3 }", "`vary.a` in `s.toml` has no `to`"),
            (
                "a = { from = 2, to = 1, num = 3 }",
                "`vary.a` in `s.toml` goes from 2 to 1, expected from < to",
            ),
            (
                "a = { from = 0, to = 1, num = 3, scale = \"log\" }",
                "`vary.a` in `s.toml` goes from 0 to 1, expected 0 < from < to",
            ),
            (
                "a = { from = 1, to = 2, num = 1 }",
                "`vary.a` in `s.toml` has `num = 1`, expected a whole number from 2 to 1000",
            ),
            (
                "whole = { from = 1, to = 3, num = 9 }",
                "`vary.whole` in `s.toml` has fewer than 9 different whole numbers from 1 to 3",
            ),
            ("\"a.b\" = [1]\na.b = [2]", "`vary.a.b` in `s.toml` is there twice"),
            ("a = { from = 1, to = 2, nun = 1 }", "`vary.a` in `s.toml` has the unknown key `nun`"),
        ] {
            assert_eq!(vary(text).unwrap_err().message(), expected);
        }
    }
}
