//! The differences between the settings of experiments.

use std::collections::BTreeMap;

use toml::Value;

use crate::error::{Error, Result};
use crate::experiment::Experiment;

/// A setting with different values in several experiments.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// The dotted key, such as `optimizer.learning_rate`.
    pub key: String,
    /// The value in each experiment as TOML. `None` if an experiment does not have the setting.
    pub values: Vec<Option<String>>,
}

/// Returns the settings that are not equal in all `experiments`, in the order of the experiment
/// file. The name and the trackers are left out, since they have no effect on a result.
///
/// # Errors
/// An experiment that cannot be written as TOML.
pub fn differences(experiments: &[&Experiment]) -> Result<Vec<Difference>> {
    let settings = experiments.iter().map(|experiment| settings(experiment)).collect::<Result<Vec<_>>>()?;
    let mut keys: Vec<&String> = Vec::new();
    for key in settings.iter().flat_map(BTreeMap::keys) {
        if key != "name" && !is_tracking(key) && !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys.sort_by_key(|key| (section_order(key), *key));
    let rows = keys.into_iter().map(|key| Difference {
        key: key.clone(),
        values: settings.iter().map(|settings| settings.get(key).cloned()).collect(),
    });
    Ok(rows.filter(|row| row.values.windows(2).any(|pair| pair[0] != pair[1])).collect())
}

/// Returns all settings of an experiment, from dotted key to value as TOML.
///
/// # Errors
/// An experiment that cannot be written as TOML.
pub fn settings(experiment: &Experiment) -> Result<BTreeMap<String, String>> {
    let value = Value::try_from(experiment).map_err(|error| {
        Error::new(format!("cannot write the experiment as TOML: {error}")).with_source(error)
    })?;
    let mut settings = BTreeMap::new();
    flatten("", &value, &mut settings);
    Ok(settings)
}

/// Returns whether `key` belongs to the section `[tracking]`, which has no effect on a result.
pub(crate) fn is_tracking(key: &str) -> bool {
    key.starts_with("tracking.")
}

fn flatten(prefix: &str, value: &Value, settings: &mut BTreeMap<String, String>) {
    let Value::Table(table) = value else {
        settings.insert(prefix.to_owned(), value.to_string());
        return;
    };
    for (key, value) in table {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        flatten(&path, value, settings);
    }
}

/// Returns a sort key: the position of the section in the experiment file, then `kind` before all
/// other keys of the section.
fn section_order(key: &str) -> (usize, bool) {
    let section = key.split('.').next().unwrap_or(key);
    let order = ["seed", "data", "augmentation", "model", "optimizer", "schedule", "training"];
    let position = order.iter().position(|name| *name == section).unwrap_or(order.len());
    (position, !key.ends_with(".kind"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
