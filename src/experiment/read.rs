//! The conversion of TOML into a typed experiment, with messages that name the key.

use std::io::{self, Read};
use std::path::Path;

use serde::Deserialize;
use toml::de::{DeTable, DeValue, Deserializer};
use toml::{Spanned, Table, Value};

use crate::error::{Error, ErrorKind, Result};
use crate::experiment::synonyms::{meant_key, meant_settings};
use crate::experiment::{Experiment, Override};
use crate::util::files;
use crate::util::suggest::suggestion;

/// A parsed experiment file. It can be converted into typed experiments with different overrides.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ParsedExperiment {
    table: Table,
    origin: String,
}

impl ParsedExperiment {
    /// Parses `text`. `origin` is its name in messages.
    ///
    /// # Errors
    /// Those of [`parse`].
    pub(crate) fn new(text: &str, origin: &str) -> Result<Self> {
        Ok(Self { table: parse(text, origin)?, origin: origin.to_owned() })
    }

    /// Applies `overrides`, fills in missing kinds, converts the result into an experiment and
    /// checks every value. `by` names the origin of the overrides in messages.
    ///
    /// # Errors
    /// An unknown key (with the nearest valid one), a value of the wrong type or out of range.
    pub(crate) fn with_overrides(&self, overrides: &[Override], by: &str) -> Result<Experiment> {
        let origin = &self.origin;
        let mut table = apply_overrides(self.table.clone(), overrides)?;
        if let Some(stem) = Path::new(origin).file_stem().and_then(|stem| stem.to_str()) {
            table.entry("name").or_insert_with(|| Value::String(stem.to_owned()));
        }
        for (section, default) in DEFAULT_KINDS {
            let entry = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(section) = entry {
                section.entry("kind").or_insert_with(|| Value::String(default.to_owned()));
            }
        }
        let place = match overrides {
            [] => format!("in `{origin}`"),
            _ => format!("in `{origin}` {by}"),
        };
        let experiment = deserialize(table, &place)?;
        experiment.check()?;
        Ok(experiment)
    }

    /// Returns `error`, with which the experiment refused `fixed` and then `overrides`. If it takes
    /// `fixed` alone, the overrides of the command line are wrong: the error becomes one of usage,
    /// with a hint at the settings that are meant.
    pub(crate) fn explain_refusal(&self, error: Error, fixed: &[Override], overrides: &[Override]) -> Error {
        if overrides.is_empty() || self.with_overrides(fixed, "").is_err() {
            return error;
        }
        let error = error.with_kind(ErrorKind::Usage);
        let table = apply_overrides(self.table.clone(), fixed);
        match table.ok().and_then(|table| meant_settings(&table, overrides)) {
            Some(settings) => error.hint(format!("did you mean `{settings}`?")),
            None => error,
        }
    }

    /// Removes the values that `overrides` replace, which may be long lists. With `overrides`
    /// applied, the experiment is the same as before.
    pub(crate) fn without_overridden(mut self, overrides: &[Override]) -> Self {
        overrides.iter().for_each(|setting| setting.remove_from(&mut self.table));
        self
    }
}

/// The largest size of an experiment or study file in bytes. Real files are far smaller, and the
/// memory needed for a file of this size is acceptable.
const MAX_BYTES: usize = 1_000_000;

/// The largest depth of nested tables and lists. A study's `vary.model.hidden`, a list of lists,
/// has a depth of four.
const MAX_DEPTH: usize = 8;

/// Reads the text of an experiment or study file. It stops at the size limit, since the path may
/// name a pipe without an end.
///
/// # Errors
/// A file that cannot be read, is too large, or is not UTF-8 text.
pub(crate) fn read_text(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    files::open_named(path)?.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > MAX_BYTES {
        return Err(io::Error::other(format!("it is larger than {MAX_BYTES} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8 text"))
}

/// Parses TOML into a table. `origin` is the name of the text in messages.
///
/// # Errors
/// Text that is not valid TOML (with line and column), is too long, or is nested too deeply.
pub(crate) fn parse(text: &str, origin: &str) -> Result<Table> {
    if text.len() > MAX_BYTES {
        return Err(Error::config(format!("`{origin}` is larger than {MAX_BYTES} bytes")));
    }
    let invalid = |error: &toml::de::Error| {
        let start = error.span().map_or(0, |span| span.start.min(text.len()));
        let before = &text.as_bytes()[..start];
        let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|&&byte| byte != b'\n').count() + 1;
        Error::config(format!(
            "invalid TOML in `{origin}`, line {line}, column {column}: {}",
            error.message().replace('\n', ", ")
        ))
        .with_source(error.clone())
    };
    let (table, errors) = DeTable::parse_recoverable(text);
    let Some(table) = check_depth(table) else {
        return Err(Error::config(format!(
            "`{origin}` has tables or lists in one another, deeper than {MAX_DEPTH}"
        )));
    };
    match errors.first() {
        Some(error) => Err(invalid(error)),
        None => Table::deserialize(Deserializer::from(table)).map_err(|error| invalid(&error)),
    }
}

/// Returns the values directly in a table or list.
fn children<'a, 'i>(value: &'a DeValue<'i>) -> Vec<&'a DeValue<'i>> {
    match value {
        DeValue::Table(table) => table.iter().map(|(_, value)| value.get_ref()).collect(),
        DeValue::Array(array) => array.iter().map(Spanned::get_ref).collect(),
        _ => Vec::new(),
    }
}

/// Returns the table if it is not nested more deeply than [`MAX_DEPTH`].
///
/// Otherwise, it takes the table apart in a loop and returns `None`. Most code walks through tables
/// by recursion, and so does their drop. A short text can be nested deeply enough to overflow any
/// stack.
fn check_depth(table: Spanned<DeTable<'_>>) -> Option<Spanned<DeTable<'_>>> {
    let mut level: Vec<&DeValue<'_>> = table.get_ref().iter().map(|(_, value)| value.get_ref()).collect();
    for _ in 0..MAX_DEPTH {
        level = level.into_iter().flat_map(children).collect();
    }
    if level.is_empty() {
        return Some(table);
    }
    let mut remaining: Vec<DeValue<'_>> =
        table.into_inner().into_iter().map(|(_, value)| value.into_inner()).collect();
    while let Some(value) = remaining.pop() {
        match value {
            DeValue::Table(table) => remaining.extend(table.into_iter().map(|(_, value)| value.into_inner())),
            DeValue::Array(array) => remaining.extend(array.into_iter().map(Spanned::into_inner)),
            _ => {}
        }
    }
    None
}

/// The sections whose `kind` decides which other keys they have, with their default kinds.
pub(super) const DEFAULT_KINDS: [(&str, &str); 2] = [("optimizer", "sgd"), ("schedule", "constant")];
/// The key that has the same meaning for all kinds.
const SHARED_KEY: &str = "warmup_epochs";

/// Applies `overrides` in order. If they change the kind of a section, the file's other keys of
/// that section are removed, since they were meant for the old kind.
fn apply_overrides(mut table: Table, overrides: &[Override]) -> Result<Table> {
    let apply = |table: &mut Table| overrides.iter().try_for_each(|setting| setting.apply(table));
    let mut result = table.clone();
    apply(&mut result)?;
    for (section, default) in DEFAULT_KINDS {
        let kind = |table: &Table| table.get(section).and_then(|section| section.get("kind")).cloned();
        let before = kind(&table).unwrap_or_else(|| default.into());
        let changed = kind(&result).is_some_and(|after| after != before);
        if let Some(Value::Table(section)) = table.get_mut(section).filter(|_| changed) {
            section.retain(|key, _| key == SHARED_KEY);
        }
    }
    apply(&mut table)?;
    Ok(table)
}

fn deserialize(table: Table, place: &str) -> Result<Experiment> {
    serde_path_to_error::deserialize(Value::Table(table.clone())).map_err(|error| {
        let path = error.path().to_string();
        let message = error.inner().message().to_owned();
        translate_serde(&table, &path, &message, place).with_source(error.into_inner())
    })
}

/// Translates a message of serde into one of smallnet. Serde documents the form of its messages:
/// "unknown field `x`, expected one of `a`, `b`", "unknown variant `x`, expected …" and "invalid
/// type: integer `1`, expected …".
fn translate_serde(table: &Table, path: &str, message: &str, place: &str) -> Error {
    let (problem, expected) = message.split_once(", expected ").unwrap_or((message, ""));
    let quoted =
        |text: &str| -> Vec<String> { text.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let got = quoted(problem).pop().unwrap_or_default();
    if problem.starts_with("unknown field") {
        unknown_key(table, path, &got, quoted(expected), place)
    } else if problem.starts_with("unknown variant") {
        let key = if has_kind(path) { format!("{path}.kind") } else { path.to_owned() };
        let choices = quoted(expected);
        let hint = suggestion("", &got, &choices, "choices");
        Error::config(format!("`{key}` {place} is `{got}`, expected one of its choices")).hint(hint)
    } else if let Some(got) =
        problem.strip_prefix("invalid type: ").or(problem.strip_prefix("invalid value: "))
    {
        let key = offending_key(table, path);
        // If a string is expected, serde's message does not contain the value that it found.
        let got =
            match lookup(table, &key).filter(|_| ["string only", "variant identifier"].contains(&expected)) {
                Some(value) => value.to_string(),
                None => got.to_owned(),
            };
        Error::config(format!("`{key}` {place} is {got}, expected {}", type_name(expected, &key)))
    } else {
        Error::config(format!("invalid value of `{path}` {place}: {message}"))
    }
}

fn unknown_key(table: &Table, path: &str, key: &str, mut valid: Vec<String>, place: &str) -> Error {
    // The path of an unknown field may or may not end with the field itself.
    let section = path.strip_suffix(key).unwrap_or(path).trim_matches('.');
    let mut noun = "keys".to_owned();
    if has_kind(section) {
        valid.push("kind".to_owned());
        let kind = lookup(table, &format!("{section}.kind")).and_then(Value::as_str).unwrap_or_default();
        noun = format!("keys of kind `{kind}`");
    }
    valid.sort();
    let prefix = if section.is_empty() { String::new() } else { format!("{section}.") };
    let full = format!("{prefix}{key}");
    let hint = match meant_key(key).filter(|meant| *meant != full) {
        Some(meant) => match meant.strip_prefix(&prefix).filter(|rest| valid.iter().any(|key| key == rest)) {
            Some(meant) => suggestion(&prefix, meant, &valid, &noun),
            None => format!("did you mean `{meant}`?"),
        },
        None => suggestion(&prefix, key, &valid, &noun),
    };
    Error::config(format!("unknown key `{full}` {place}")).hint(hint)
}

/// Returns whether an experiment accepts the key of `setting`, whatever its value is. `alone` is a
/// table with the kind of the setting's section, if that has one.
pub(super) fn is_accepted(setting: &Override, mut alone: Table) -> bool {
    if setting.apply(&mut alone).is_err() {
        return false;
    }
    match Value::Table(alone).try_into::<Experiment>() {
        Ok(_) => true,
        Err(error) => !error.message().starts_with("unknown field "),
    }
}

/// Returns whether a section has a `kind`.
fn has_kind(section: &str) -> bool {
    DEFAULT_KINDS.iter().any(|(name, _)| *name == section)
}

/// Returns the value of a dotted key.
pub(super) fn lookup<'a>(table: &'a Table, key: &str) -> Option<&'a Value> {
    let (first, rest) = key.split_once('.').unwrap_or((key, ""));
    let value = table.get(first)?;
    if rest.is_empty() { Some(value) } else { lookup(value.as_table()?, rest) }
}

/// Returns the key with the wrong value. Serde reads a section with a `kind` in two passes and
/// loses the key in the second one. So this function reads the section again with each key alone.
fn offending_key(table: &Table, path: &str) -> String {
    let Some(Value::Table(section)) = table.get(path).filter(|_| has_kind(path)) else {
        return path.to_owned();
    };
    let is_wrong = |(key, value): &(&String, &Value)| {
        let mut alone = Table::new();
        alone.insert((*key).clone(), (*value).clone());
        if let Some(kind) = section.get("kind") {
            alone.insert("kind".to_owned(), kind.clone());
        }
        let table = Table::from_iter([(path.to_owned(), Value::Table(alone))]);
        let read = Value::Table(table).try_into::<Experiment>();
        read.is_err_and(|error| error.message().starts_with("invalid "))
    };
    match section.iter().find(is_wrong) {
        Some((key, _)) => format!("{path}.{key}"),
        None => path.to_owned(),
    }
}

/// Translates the name of a Rust type into words.
fn type_name(expected: &str, key: &str) -> String {
    match expected {
        "f64" => "a number".to_owned(),
        "u64" | "usize" => "a whole number from 0".to_owned(),
        "a boolean" => "`true` or `false`".to_owned(),
        "a sequence" => "a list such as `[128, 64]`".to_owned(),
        "string only" | "variant identifier" | "a string" => "a string".to_owned(),
        _ if expected.starts_with("struct") || expected.contains("enum") => format!("a section `[{key}]`"),
        _ => expected.to_owned(),
    }
}
