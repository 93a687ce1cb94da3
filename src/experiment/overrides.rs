//! The overrides of single settings, as in `--set key=value`.

use std::fmt;
use std::str::FromStr;

use toml::{Table, Value};

use crate::error::{Error, Result};
use crate::experiment::parse;

/// The largest number of sections that a key may be nested in.
const MAX_SECTIONS: usize = 8;

/// The largest length in bytes of a text that may be a `kind`.
const MAX_KIND_LENGTH: usize = 100;

/// The override of one setting: a dotted key and a TOML value. A text that is not a TOML value
/// counts as a string.
#[derive(Debug, Clone, PartialEq)]
pub struct Override {
    path: Vec<String>,
    value: Value,
}

impl Override {
    /// Creates the override that sets the dotted `key` to `value`.
    pub fn new(key: &str, value: impl Into<Value>) -> Self {
        Self { path: key.split('.').map(str::to_owned).collect(), value: value.into() }
    }

    /// Returns the dotted key.
    pub fn key(&self) -> String {
        self.path.join(".")
    }

    /// Returns the value.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Writes the value into `table`, and creates missing sections.
    ///
    /// # Errors
    /// A key with too many parts, or a part that is a value and not a section.
    pub(super) fn apply(&self, table: &mut Table) -> Result<()> {
        let Some((last, sections)) = self.path.split_last() else { return Ok(()) };
        // Code that walks through nested tables needs a stack of the same depth.
        if sections.len() > MAX_SECTIONS {
            let start = self.path[..MAX_SECTIONS].join(".");
            return Err(Error::config(format!("unknown key `{start}…`, of {} parts", self.path.len()))
                .hint("the longest key is `training.early_stopping.restore_best`"));
        }
        let mut current = table;
        for section in sections {
            let entry = current.entry(section).or_insert_with(|| Value::Table(Table::new()));
            current = entry.as_table_mut().ok_or_else(|| {
                Error::usage(format!("--set {}: `{section}` is a value, not a section", self.path.join(".")))
            })?;
        }
        current.insert(last.clone(), self.value.clone());
        Ok(())
    }

    /// Removes the value that this override will replace from `table`.
    ///
    /// Two values stay: a section, and a `kind`, since a change of `kind` decides whether the
    /// section's other keys are kept.
    pub(super) fn remove_from(&self, table: &mut Table) {
        let Some((last, sections)) = self.path.split_last() else { return };
        let mut current = table;
        for section in sections {
            let Some(Value::Table(inner)) = current.get_mut(section) else { return };
            current = inner;
        }
        match current.get(last) {
            Some(Value::Table(_)) | None => {}
            Some(Value::String(kind)) if last == "kind" && kind.len() <= MAX_KIND_LENGTH => {}
            // No section has such a kind. The empty string is not a kind either.
            Some(_) if last == "kind" => drop(current.insert(last.clone(), String::new().into())),
            Some(_) => drop(current.remove(last)),
        }
    }
}

/// Writes the override as a user types it after `--set`.
impl fmt::Display for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=", self.path.join("."))?;
        match &self.value {
            Value::String(text) if parse_value(text) == self.value => f.write_str(text),
            value => write!(f, "{value}"),
        }
    }
}

impl FromStr for Override {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let Some((key, value)) = text.split_once('=') else {
            return Err(Error::usage(format!("`{text}` is not of the form key=value"))
                .hint("for example `--set optimizer.learning_rate=0.1`"));
        };
        let (key, value) = (key.trim(), value.trim());
        if key.is_empty() || key.split('.').any(str::is_empty) {
            return Err(Error::usage(format!("`{text}` has no key before `=`"))
                .hint("for example `--set optimizer.learning_rate=0.1`"));
        }
        Ok(Self::new(key, parse_value(value)))
    }
}

/// Parses `text` as a TOML value. Any other text becomes a string, so `--set model.activation=tanh`
/// needs no quotes. `True` and `False` are truth values, as programs in Python write them.
pub(super) fn parse_value(text: &str) -> Value {
    match text {
        "True" => return Value::Boolean(true),
        "False" => return Value::Boolean(false),
        _ => {}
    }
    parse(&format!("v = {text}"), "")
        .ok()
        .and_then(|mut table| if table.len() == 1 { table.remove("v") } else { None })
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
