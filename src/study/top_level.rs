//! Owns the reading of the top level of a study file: its keys, their types and their ranges. Must
//! not know what a study does with them.

use toml::{Table, Value};

use crate::error::{Error, Result, ensure};
use crate::study::choice::{DEFAULT_STOPPING_SHARE, Measure};
use crate::study::halving::Halving;
use crate::study::sampling::{Method, Sample};
use crate::util::suggest::suggestion;

/// Keys of the top level of a study file.
const KEYS: [&str; 12] = [
    "name",
    "base",
    "folds",
    "seeds",
    "timing",
    "equivalence",
    "choose",
    "stopping_share",
    "sample",
    "halving",
    "set",
    "vary",
];
/// Default of [`Study::equivalence`](crate::study::Study::equivalence): half a percentage point, which is about the effect of another
/// seed on the exercise's network. Benavoli et al. (2017) use a whole percentage point, which is
/// much where only one percent of the images is classified wrongly.
pub(super) const DEFAULT_EQUIVALENCE: f64 = 0.005;
const MAX_FOLDS: i64 = 100;
const MAX_SEEDS: usize = 1000;
/// Largest number of the section `[halving]`.
const MAX_HALVING: usize = 1_000_000;

/// The top level of a study file. Reading a key removes it.
pub(super) struct TopLevel<'a> {
    /// The keys that are left.
    pub(super) table: &'a mut Table,
    /// Name of the file, for messages.
    pub(super) origin: &'a str,
}

impl TopLevel<'_> {
    fn invalid(&self, key: &str, got: impl std::fmt::Display, expected: &str) -> Error {
        Error::config(format!("`{key}` in `{}` is {got}, expected {expected}", self.origin))
    }

    pub(super) fn text(&mut self, key: &str) -> Result<Option<String>> {
        match self.table.remove(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.invalid(key, other, "a string")),
        }
    }

    pub(super) fn flag(&mut self, key: &str) -> Result<bool> {
        match self.table.remove(key) {
            None => Ok(false),
            Some(Value::Boolean(flag)) => Ok(flag),
            Some(other) => Err(self.invalid(key, other, "`true` or `false`")),
        }
    }

    pub(super) fn equivalence(&mut self) -> Result<f64> {
        let Some(value) = self.table.remove("equivalence") else { return Ok(DEFAULT_EQUIVALENCE) };
        let number = value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64));
        number.filter(|number| (0.0..1.0).contains(number)).ok_or_else(|| {
            self.invalid(
                "equivalence",
                value,
                "a difference of accuracies from 0 to below 1, such as `0.005`",
            )
        })
    }

    pub(super) fn measure(&mut self) -> Result<Measure> {
        let Some(value) = self.table.remove("choose") else { return Ok(Measure::default()) };
        let measure = Measure::ALL.into_iter().find(|measure| value.as_str() == Some(measure.key()));
        measure.ok_or_else(|| self.invalid("choose", value, "`\"accuracy\"` or `\"balanced_accuracy\"`"))
    }

    pub(super) fn stopping_share(&mut self) -> Result<f64> {
        let Some(value) = self.table.remove("stopping_share") else { return Ok(DEFAULT_STOPPING_SHARE) };
        let number = value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64));
        number.filter(|number| (0.0..1.0).contains(number)).ok_or_else(|| {
            self.invalid(
                "stopping_share",
                value,
                "a share of the training images from 0 to below 1, such as `0.1`",
            )
        })
    }

    pub(super) fn section(&mut self, key: &str) -> Result<Table> {
        match self.table.remove(key) {
            None => Ok(Table::new()),
            Some(Value::Table(section)) => Ok(section),
            Some(other) => Err(self.invalid(key, other, &format!("a section `[{key}]`"))),
        }
    }

    pub(super) fn folds(&mut self) -> Result<usize> {
        match self.table.remove("folds") {
            None => Ok(0),
            Some(Value::Integer(folds)) if (2..=MAX_FOLDS).contains(&folds) => Ok(folds as usize),
            Some(other) => Err(self.invalid("folds", other, "a whole number from 2 to 100")),
        }
    }

    pub(super) fn seeds(&mut self) -> Result<Option<Vec<u64>>> {
        let expected = "a list of different whole numbers from 0, such as `[1, 2, 3]`";
        let Some(value) = self.table.remove("seeds") else { return Ok(None) };
        if let Some(num) = value.as_array().map(Vec::len).filter(|&num| num > MAX_SEEDS) {
            return Err(self.invalid(
                "seeds",
                format!("a list of {num} seeds"),
                &format!("at most {MAX_SEEDS}"),
            ));
        }
        let seeds = value.as_array().map(|seeds| {
            seeds.iter().map(|seed| u64::try_from(seed.as_integer()?).ok()).collect::<Option<Vec<_>>>()
        });
        match seeds.flatten() {
            Some(seeds) if !seeds.is_empty() && (1..seeds.len()).all(|i| !seeds[..i].contains(&seeds[i])) => {
                Ok(Some(seeds))
            }
            _ => Err(self.invalid("seeds", value, expected)),
        }
    }

    pub(super) fn sample(&mut self) -> Result<Option<Sample>> {
        let mut section = self.section("sample")?;
        if section.is_empty() {
            return Ok(None);
        }
        let method = match section.remove("method") {
            None => None,
            Some(value) => {
                let known = Method::ALL.into_iter().find(|method| value.as_str() == Some(method.key()));
                Some(
                    known
                        .ok_or_else(|| self.invalid("sample.method", value, "`\"random\"` or `\"sobol\"`"))?,
                )
            }
        };
        let mut whole = |key: &str, default: Option<i64>| {
            let value = section.remove(key).or(default.map(Value::Integer));
            let number =
                value.as_ref().and_then(Value::as_integer).and_then(|number| u64::try_from(number).ok());
            let got = value.map_or("missing".to_owned(), |value| value.to_string());
            number.ok_or_else(|| self.invalid(&format!("sample.{key}"), got, "a whole number from 0"))
        };
        let (num, seed) = (whole("num", None)?, whole("seed", Some(0))?);
        ensure(num > 0, "sample.num", num, "a whole number from 1")?;
        match section.keys().next() {
            Some(key) => Err(unknown(&format!("sample.{key}"), key, &["num", "seed", "method"], self.origin)),
            None => Ok(Some(Sample { num: num as usize, seed, method })),
        }
    }

    pub(super) fn halving(&mut self) -> Result<Option<Halving>> {
        if !self.table.contains_key("halving") {
            return Ok(None);
        }
        let mut section = self.section("halving")?;
        let mut whole = |key: &str, default: usize, least: usize| {
            let Some(value) = section.remove(key) else { return Ok(default) };
            let number = value.as_integer().and_then(|number| usize::try_from(number).ok());
            number.filter(|number| (least..=MAX_HALVING).contains(number)).ok_or_else(|| {
                let expected = format!("a whole number from {least} to {MAX_HALVING}");
                self.invalid(&format!("halving.{key}"), value, &expected)
            })
        };
        let halving = Halving { min_epochs: whole("min_epochs", 1, 1)?, factor: whole("factor", 3, 2)? };
        match section.keys().next() {
            Some(key) => Err(unknown(&format!("halving.{key}"), key, &["min_epochs", "factor"], self.origin)),
            None => Ok(Some(halving)),
        }
    }

    pub(super) fn reject_unknown_keys(&self) -> Result<()> {
        match self.table.keys().next() {
            Some(key) => Err(unknown(key, key, &KEYS, self.origin)),
            None => Ok(()),
        }
    }
}

fn unknown(path: &str, key: &str, valid: &[&str], origin: &str) -> Error {
    let valid: Vec<_> = valid.iter().map(|&key| key.to_owned()).collect();
    Error::config(format!("unknown key `{path}` in `{origin}`")).hint(suggestion(
        "",
        key,
        &valid,
        "keys of a study",
    ))
}
