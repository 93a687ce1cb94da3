//! The values that a study goes through: lists, ranges, their grid, and a random sample of it.

use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::error::{Error, Result};
use crate::random::{Purpose, stream};

/// The most settings of a grid: more are a mistake.
const MAX_SETTINGS: usize = 100_000;
/// Digits of a number in a range of fractions: 0.00316, not 0.0031622776601683794.
const DIGITS: usize = 3;

/// A key with the values that it takes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Varied {
    pub(super) key: String,
    pub(super) values: Vec<Value>,
}

/// One choice of a value for every varied key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// Dotted keys with their values as TOML, sorted.
    pub values: Vec<(String, String)>,
}

impl Setting {
    /// As people read it: `learning rate 0.1, hidden 128-64`.
    pub fn name(&self) -> String {
        if self.values.is_empty() {
            return "as it is".to_owned();
        }
        self.values.iter().map(|(key, value)| named(key, value)).collect::<Vec<_>>().join(", ")
    }

    /// The value of a key, as a number.
    pub fn number(&self, key: &str) -> Option<f64> {
        self.values.iter().find(|(name, _)| name == key)?.1.parse().ok()
    }
}

fn named(key: &str, value: &str) -> String {
    let short = key.rsplit('.').next().unwrap_or(key).replace('_', " ");
    match (key, value) {
        ("model.hidden", "[]") => "no hidden layer".to_owned(),
        ("model.hidden", widths) => format!("hidden {}", widths.trim_matches(['[', ']']).replace(", ", "-")),
        _ => format!("{short} {}", value.trim_matches('"')),
    }
}

/// The keys in a `[vary]` section, which may be nested, with their values.
pub(super) fn read(table: &Table, prefix: &str, origin: &str) -> Result<Vec<Varied>> {
    let mut all = Vec::new();
    for (name, value) in table {
        let key = format!("{prefix}{name}");
        match value {
            Value::Array(values) => all.push(Varied { values: list(&key, values, origin)?, key }),
            Value::Table(range) if range.contains_key("from") || range.contains_key("to") => {
                all.push(Varied { values: self::range(&key, range, origin)?, key });
            }
            Value::Table(section) => all.extend(read(section, &format!("{key}."), origin)?),
            other => {
                return Err(Error::new(format!("`vary.{key}` in `{origin}` is `{other}`, expected values"))
                    .hint(RANGE_HINT));
            }
        }
    }
    Ok(all)
}

const RANGE_HINT: &str =
    "a list such as `[0.1, 1.0]`, or a range such as `{ from = 0.001, to = 10, num = 9, scale = \"log\" }`";

fn list(key: &str, values: &[Value], origin: &str) -> Result<Vec<Value>> {
    if values.is_empty() {
        return Err(Error::new(format!("`vary.{key}` in `{origin}` is empty, expected a value or more")));
    }
    let is_repeated = |(index, value): &(usize, &Value)| values[..*index].contains(value);
    match values.iter().enumerate().find(is_repeated) {
        None => Ok(values.to_vec()),
        Some((_, value)) => Err(Error::new(format!("`vary.{key}` in `{origin}` has `{value}` twice"))
            .hint("to repeat a setting, name several `seeds`")),
    }
}

/// `{ from, to, num, scale }`: `num` values from one end to the other, evenly spread or by equal factors.
fn range(key: &str, range: &Table, origin: &str) -> Result<Vec<Value>> {
    let bad = |what: String, hint: &str| {
        Error::new(format!("`vary.{key}` in `{origin}` {what}")).hint(hint.to_owned())
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
        Some(Value::Integer(num)) if (2..=1000).contains(num) => *num as usize,
        Some(other) => {
            return Err(bad(
                format!("has `num = {other}`, expected a whole number from 2 to 1000"),
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
    let whole = [range.get("from"), range.get("to")].iter().all(|end| matches!(end, Some(Value::Integer(_))));
    let mut values: Vec<Value> = (0..num)
        .map(|index| {
            let share = index as f64 / (num - 1) as f64;
            let value = if log { from * (to / from).powf(share) } else { from + (to - from) * share };
            if whole { Value::Integer(value.round() as i64) } else { Value::Float(rounded(value)) }
        })
        .collect();
    // Rounding may bring neighbours together.
    values.dedup();
    Ok(values)
}

fn rounded(value: f64) -> f64 {
    format!("{value:.*e}", DIGITS - 1).parse().unwrap_or(value)
}

/// Every combination of values, the last key changing fastest.
pub(super) fn grid(varied: &[Varied]) -> Result<Vec<Vec<Value>>> {
    let size = varied.iter().try_fold(1usize, |size, varied| size.checked_mul(varied.values.len()));
    if size.is_none_or(|size| size > MAX_SETTINGS) {
        return Err(Error::new(format!("the grid has more than {MAX_SETTINGS} settings")));
    }
    let mut grid = vec![Vec::new()];
    for Varied { values, .. } in varied {
        grid = grid
            .into_iter()
            .flat_map(|row: Vec<Value>| {
                values.iter().map(move |value| [row.as_slice(), std::slice::from_ref(value)].concat())
            })
            .collect();
    }
    Ok(grid)
}

/// `num` settings of a grid, drawn from `seed`, in the grid's order.
pub(super) fn sample<T: Clone>(grid: &[T], num: usize, seed: u64) -> Vec<T> {
    let mut places: Vec<usize> = (0..grid.len()).collect();
    places.shuffle(&mut stream(seed, Purpose::Sample, 0));
    places.truncate(num);
    places.sort_unstable();
    places.into_iter().map(|place| grid[place].clone()).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn vary(text: &str) -> Result<Vec<Varied>> {
        read(&text.parse::<Table>().unwrap(), "", "s.toml")
    }

    fn floats(text: &str) -> Vec<f64> {
        vary(text).unwrap()[0].values.iter().map(|value| value.to_string().parse().unwrap()).collect()
    }

    #[test]
    fn ranges_by_hand() {
        assert_eq!(
            floats("a = { from = 0.001, to = 10.0, num = 9, scale = \"log\" }"),
            [0.001, 0.00316, 0.01, 0.0316, 0.1, 0.316, 1.0, 3.16, 10.0]
        );
        assert_eq!(floats("a = { from = 0.0, to = 1.0, num = 5 }"), [0.0, 0.25, 0.5, 0.75, 1.0]);
        assert_eq!(
            floats("a = { from = 16, to = 4096, num = 5, scale = \"log\" }"),
            [16.0, 64.0, 256.0, 1024.0, 4096.0]
        );
        assert_eq!(floats("a = { from = 1, to = 3, num = 9 }"), [1.0, 2.0, 3.0]);
    }

    #[test]
    fn a_grid_is_every_combination_and_a_sample_is_some_of_it() {
        let varied = vary("b.c = [1, 2, 3]\na = [true, false]").unwrap();
        let keys: Vec<_> = varied.iter().map(|varied| varied.key.as_str()).collect();
        assert_eq!(keys, ["a", "b.c"]);
        let grid = grid(&varied).unwrap();
        let text: Vec<String> = grid.iter().map(|row| format!("{}{}", row[0], row[1])).collect();
        assert_eq!(text, ["true1", "true2", "true3", "false1", "false2", "false3"]);
        let drawn = sample(&text, 3, 7);
        assert_eq!(drawn.len(), 3);
        assert_eq!(drawn, sample(&text, 3, 7));
        assert!((0..20).any(|seed| sample(&text, 3, seed) != drawn));
        assert!(drawn.windows(2).all(|pair| text.iter().position(|t| *t == pair[0]) < text.iter().position(|t| *t == pair[1])));
    }

    #[test]
    fn settings_have_names() {
        let setting = |pairs: &[(&str, &str)]| {
            let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
            Setting { values: pairs.iter().map(own).collect() }.name()
        };
        assert_eq!(
            setting(&[("model.hidden", "[128, 64]"), ("optimizer.kind", "\"adam\"")]),
            "hidden 128-64, kind adam"
        );
        assert_eq!(setting(&[("model.hidden", "[]")]), "no hidden layer");
        assert_eq!(setting(&[("optimizer.learning_rate", "0.1")]), "learning rate 0.1");
        assert_eq!(setting(&[]), "as it is");
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
            ("a = { from = 1, to = 2, nun = 1 }", "`vary.a` in `s.toml` has the unknown key `nun`"),
        ] {
            assert_eq!(vary(text).unwrap_err().message(), expected);
        }
    }
}
