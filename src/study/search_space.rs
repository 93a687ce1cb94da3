//! Owns the search space of a study: lists and ranges of values, their grid, and a random sample of
//! it. Depends on `util`. Must not know trials.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::error::{Error, Result};
use crate::util::rng::{RngStream, rng};

/// Most configurations of a study. A larger number is taken for a mistake.
const MAX_CONFIGURATIONS: usize = 100_000;
/// Most values of a key.
const MAX_VALUES: usize = 1000;
/// Most keys that vary.
const MAX_KEYS: usize = 20;
/// Significant digits of the numbers in a range, where so many are enough to distinguish them:
/// 0.00316, not 0.0031622776601683794.
const DIGITS: usize = 3;
/// Most significant digits to which a range is rounded: an `f64` has 15.
const MAX_DIGITS: usize = 15;

/// A key that varies, with its values.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parameter {
    pub(super) key: String,
    pub(super) values: Vec<Value>,
    /// The range that the values were taken from. `None` for a list.
    pub(super) range: Option<Range>,
}

/// A range of numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    pub(super) from: f64,
    pub(super) to: f64,
    /// True if its values are at equal factors and not at equal differences.
    pub(super) is_log: bool,
    /// True if its values are whole numbers.
    pub(super) is_whole: bool,
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

/// Name of a key and its value, such as `learning rate 0.1`.
fn name_value(key: &str, value: &str) -> String {
    let short = key.rsplit('.').next().unwrap_or(key).replace('_', " ");
    match (key, value) {
        ("model.hidden", "[]") => "no hidden layer".to_owned(),
        ("model.hidden", widths) => format!("hidden {}", widths.trim_matches(['[', ']']).replace(", ", "-")),
        _ => format!("{short} {}", value.trim_matches('"')),
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
                all.push(Parameter { values: parse_list(&key, values, origin)?, range: None, key });
            }
            Value::Table(range) if range.contains_key("from") || range.contains_key("to") => {
                let (range, values) = parse_range(&key, range, origin, is_whole(&key))?;
                all.push(Parameter { values, range: Some(range), key });
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

const RANGE_HINT: &str =
    "a list such as `[0.1, 1.0]`, or a range such as `{ from = 0.001, to = 10, num = 9, scale = \"log\" }`";

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
fn parse_range(key: &str, range: &Table, origin: &str, is_whole: bool) -> Result<(Range, Vec<Value>)> {
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
    let range = Range { from, to, is_log: log, is_whole };
    if is_whole {
        let whole: Vec<i64> = all.iter().map(|value| value.round() as i64).collect();
        return match whole.windows(2).all(|pair| pair[0] < pair[1]) {
            true => Ok((range, whole.into_iter().map(Value::Integer).collect())),
            false => Err(bad(
                format!("has fewer than {num} different whole numbers from {from} to {to}"),
                "write them as a list, or make `num` smaller",
            )),
        };
    }
    let rounded = (DIGITS..=MAX_DIGITS).map(|digits| rounded(&all, digits));
    let distinct = rounded.into_iter().find(|values| values.windows(2).all(|pair| pair[0] < pair[1]));
    Ok((range, distinct.unwrap_or(all).into_iter().map(Value::Float).collect()))
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

/// The configurations of a study: every combination of values, the last key changing fastest, or a
/// sample of them in the same order.
pub(super) struct Grid<'a> {
    parameters: &'a [Parameter],
    /// Each key with its values as TOML.
    texts: Vec<(Arc<str>, Vec<Arc<str>>)>,
    /// Indices of the combinations, in the grid's order.
    indices: Vec<usize>,
}

impl<'a> Grid<'a> {
    /// Creates the grid of `parameters`, or a sample of it. `sample` is the number of combinations
    /// to draw and the seed of the draw.
    ///
    /// # Errors
    /// There are too many configurations.
    pub(super) fn new(parameters: &'a [Parameter], sample: Option<(usize, u64)>) -> Result<Self> {
        let size =
            parameters.iter().try_fold(1usize, |size, parameter| size.checked_mul(parameter.values.len()));
        let indices: Vec<usize> = match (size, sample) {
            (Some(size), Some((num, seed))) if num.min(size) <= MAX_CONFIGURATIONS => {
                draw_sample(size, num, seed)
            }
            (Some(size), None) if size <= MAX_CONFIGURATIONS => (0..size).collect(),
            _ => {
                return Err(Error::config(format!(
                    "the study has more than {MAX_CONFIGURATIONS} configurations"
                ))
                .hint("draw some of them: `[sample]` with `num = 20`"));
            }
        };
        let texts = |parameter: &Parameter| {
            let values = parameter.values.iter().map(|value| value.to_string().into());
            (parameter.key.as_str().into(), values.collect())
        };
        Ok(Self { parameters, texts: parameters.iter().map(texts).collect(), indices })
    }

    /// Number of configurations.
    pub(super) fn len(&self) -> usize {
        self.indices.len()
    }

    /// The configurations in order, each with its values.
    pub(super) fn configurations(&self) -> impl Iterator<Item = (Configuration, Vec<Value>)> {
        self.indices.iter().map(|&index| {
            let choices = self.choices(index);
            let value = |(key, &choice): (&Parameter, &usize)| key.values[choice].clone();
            let text = |((key, values), &choice): (&(Arc<str>, Vec<Arc<str>>), &usize)| {
                (key.clone(), values[choice].clone())
            };
            let configuration = Configuration { values: self.texts.iter().zip(&choices).map(text).collect() };
            (configuration, self.parameters.iter().zip(&choices).map(value).collect())
        })
    }

    /// Returns the index of each key's value in the combination `index`. They are the digits of
    /// `index` in a number system where the base of each digit is the key's number of values.
    fn choices(&self, mut index: usize) -> Vec<usize> {
        let mut choices: Vec<usize> = Vec::with_capacity(self.parameters.len());
        for Parameter { values, .. } in self.parameters.iter().rev() {
            choices.push(index % values.len());
            index /= values.len();
        }
        choices.reverse();
        choices
    }
}

/// Draws `num` indices below `size` from `seed`, in ascending order.
fn draw_sample(size: usize, num: usize, seed: u64) -> Vec<usize> {
    let mut rng = rng(seed, RngStream::Sample, 0);
    let mut indices = rand::seq::index::sample(&mut rng, size, num.min(size)).into_vec();
    indices.sort_unstable();
    indices
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn vary(text: &str) -> Result<Vec<Parameter>> {
        read(&text.parse::<Table>().unwrap(), "", "s.toml", &|key| key == "whole")
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
            floats("whole = { from = 16, to = 4096, num = 5, scale = \"log\" }"),
            [16.0, 64.0, 256.0, 1024.0, 4096.0]
        );
        assert_eq!(floats("a = { from = 1, to = 2, num = 5 }"), [1.0, 1.25, 1.5, 1.75, 2.0]);
        let near_one = floats("a = { from = 0.99, to = 0.9999, num = 3 }");
        assert_eq!(near_one, [0.99, 0.995, 0.9999], "the ends are as they stand");
        assert_eq!(floats("a = { from = 1.0, to = 1.01, num = 3 }"), [1.0, 1.005, 1.01]);
    }

    #[test]
    fn a_grid_is_every_combination_and_a_sample_is_some_of_it() {
        let parameters = vary("b.c = [1, 2, 3]\na = [true, false]").unwrap();
        let keys: Vec<_> = parameters.iter().map(|parameter| parameter.key.as_str()).collect();
        assert_eq!(keys, ["a", "b.c"]);
        let grid = |sample| -> Vec<String> {
            let grid = Grid::new(&parameters, sample).unwrap();
            assert_eq!(grid.len(), grid.configurations().count());
            let text = |(configuration, values): (Configuration, Vec<Value>)| {
                let words: Vec<_> =
                    configuration.values.iter().map(|(key, word)| format!("{key} {word}")).collect();
                assert_eq!(words, [format!("a {}", values[0]), format!("b.c {}", values[1])]);
                format!("{}{}", values[0], values[1])
            };
            grid.configurations().map(text).collect()
        };
        let text = grid(None);
        assert_eq!(text, ["true1", "true2", "true3", "false1", "false2", "false3"]);
        let sample = |num, seed| grid(Some((num, seed)));
        let drawn = sample(3, 7);
        assert_eq!(drawn.len(), 3);
        assert_eq!(drawn, sample(3, 7));
        assert_eq!(sample(100, 7), text, "more than there are");
        assert!((0..20).any(|seed| sample(3, seed) != drawn));
        assert!(drawn.windows(2).all(|pair| text.iter().position(|t| *t == pair[0]) < text.iter().position(|t| *t == pair[1])));
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
