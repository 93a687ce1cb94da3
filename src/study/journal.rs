//! Owns a study as a journal of Optuna: JSON lines that `optuna.load_study` and optuna-dashboard
//! read, and that Optuna can go on with. Must not know files or the runner.
//!
//! A trial of Optuna is a configuration, and its value is the mean over the folds and seeds. So
//! Optuna's best parameters are those of the study's best configuration. The single trainings are in
//! its user attributes.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value as Json, json};
use time::{Duration, OffsetDateTime};
use toml::Value;

use crate::error::{Error, Result};
use crate::run::timestamp;
use crate::study::halving::{furthest_rungs, has_result, members};
use crate::study::search_space::{Bounds, Parameter};
use crate::study::{Configuration, ConfigurationResult, Measure, StudySummary, TrialPlan, TrialRecord};
use crate::util::files;

/// Beginning of the names of the writers of smallnet's lines. Optuna's own begin with a UUID.
const WORKER: &str = "smallnet-";
/// Codes of Optuna's operations (`JournalOperation`).
const CREATE_STUDY: u8 = 0;
const SET_STUDY_USER_ATTR: u8 = 2;
const CREATE_TRIAL: u8 = 4;
/// Optuna's `StudyDirection.MAXIMIZE`.
const MAXIMIZE: u8 = 2;
/// Optuna's `TrialState.COMPLETE`, `TrialState.PRUNED` and `TrialState.FAIL`. A configuration that
/// successive halving stopped is pruned.
const COMPLETE: u8 = 1;
const PRUNED: u8 = 2;
const FAIL: u8 = 3;
/// Longest duration of a configuration in seconds. The log of the trials may be edited.
const MAX_SECONDS: f64 = 1e9;

/// Contents of the journal of a study.
pub(super) struct Journal<'a> {
    /// Name of the study.
    pub(super) name: &'a str,
    /// The search space.
    pub(super) parameters: &'a [Parameter],
    /// The trials of the study.
    pub(super) plan: &'a TrialPlan,
    /// The results of the configurations.
    pub(super) summary: &'a StudySummary,
    /// One entry per trial of `plan`, in its order.
    pub(super) records: &'a [Option<&'a TrialRecord>],
    /// Facts about the study: its user attributes.
    pub(super) facts: &'a [(&'a str, String)],
}

/// Line that creates a trial.
#[derive(Serialize)]
struct TrialLine {
    op_code: u8,
    worker_id: String,
    study_id: usize,
    datetime_start: String,
    datetime_complete: String,
    state: u8,
    /// Mean of the measure. `None` if the trial failed.
    value: Option<f64>,
    values: Option<Vec<f64>>,
    distributions: BTreeMap<String, String>,
    /// Values as Optuna keeps them: of a list, the index.
    params: BTreeMap<String, Json>,
    user_attrs: BTreeMap<&'static str, Json>,
    system_attrs: BTreeMap<String, Json>,
    /// Mean of the measure after each epoch.
    intermediate_values: BTreeMap<String, f64>,
}

impl Journal<'_> {
    /// Returns the lines. Configurations with trials that have not run are left out.
    ///
    /// The log of the trials has their durations and no times of day. So the configurations follow
    /// one another, and the last one ends `now`.
    ///
    /// # Errors
    /// A value that JSON cannot represent.
    pub(super) fn lines(&self, now: OffsetDateTime) -> Result<String> {
        let worker = format!("{WORKER}{}", env!("CARGO_PKG_VERSION"));
        let mut lines = vec![files::to_json(&json!({
            "op_code": CREATE_STUDY, "worker_id": worker, "study_name": self.name, "directions": [MAXIMIZE],
        }))?];
        for (key, text) in self.facts {
            lines.push(files::to_json(&json!({
                "op_code": SET_STUDY_USER_ATTR, "worker_id": worker, "study_id": 0, "user_attr": { *key: text },
            }))?);
        }
        let groups = self.groups();
        let order = self.order(&groups);
        let seconds: Vec<f64> = order.iter().map(|&index| training_seconds(&groups[index])).collect();
        let mut start = now - duration(seconds.iter().sum());
        for (&index, &seconds) in order.iter().zip(&seconds) {
            let end = (start + duration(seconds)).min(now);
            lines.push(files::to_json(&self.trial(index, &groups[index], &worker, [start, end])?)?);
            start = end;
        }
        Ok(lines.join("\n") + "\n")
    }

    /// Indices of the configurations of which all trials have run, in the plan's order. Of equal
    /// means, Optuna takes the first trial as the best, and the study that of the lowest loss. So the
    /// study's best one comes before those.
    fn order(&self, groups: &[Vec<&TrialRecord>]) -> Vec<usize> {
        let results = &self.summary.configurations;
        let mut order: Vec<usize> = (0..groups.len()).filter(|&index| !groups[index].is_empty()).collect();
        let mean = |index: usize| results[index].mean.filter(|_| results[index].is_ranked());
        if let Some(best) = self.summary.best
            && let Some(first) = order.iter().position(|&index| mean(index) == mean(best))
            && let Some(own) = order.iter().position(|&index| index == best)
        {
            order[first..=own].rotate_right(1);
        }
        order
    }

    /// Records of the trials that judge each configuration: those of the last rung that it has come
    /// to. Those of a configuration with a trial that has not run are empty.
    fn groups(&self) -> Vec<Vec<&TrialRecord>> {
        let result = |trial: usize| self.records[trial].filter(|record| has_result(Some(record)));
        let furthest = furthest_rungs(self.plan, &members(self.plan, result));
        let group = |(index, &rung): (usize, &usize)| {
            let records: Option<Vec<_>> =
                self.plan.trials_of(rung, index).map(|trial| self.records[trial]).collect();
            records.unwrap_or_default()
        };
        furthest.iter().enumerate().map(group).collect()
    }

    /// The line of the configuration `index`, whose trials have these records.
    fn trial(
        &self,
        index: usize,
        records: &[&TrialRecord],
        worker: &str,
        [start, end]: [OffsetDateTime; 2],
    ) -> Result<TrialLine> {
        let result = &self.summary.configurations[index];
        let (mut distributions, mut params) = (BTreeMap::new(), BTreeMap::new());
        for parameter in self.parameters {
            let (distribution, value) = distribution(parameter, &result.configuration)?;
            distributions.insert(parameter.key.clone(), files::to_json(&distribution)?);
            params.insert(parameter.key.clone(), value);
        }
        let value = result.mean.filter(|_| result.is_ranked());
        Ok(TrialLine {
            op_code: CREATE_TRIAL,
            worker_id: worker.to_owned(),
            study_id: 0,
            datetime_start: iso(start),
            datetime_complete: iso(end),
            state: match (value, result.stopped_after) {
                (None, _) => FAIL,
                (Some(_), Some(_)) => PRUNED,
                (Some(_), None) => COMPLETE,
            },
            value,
            values: None,
            distributions,
            params,
            user_attrs: user_attributes(result, records, self.summary.measure),
            system_attrs: BTreeMap::new(),
            intermediate_values: value
                .map(|_| intermediate(records, self.summary.measure))
                .unwrap_or_default(),
        })
    }
}

/// Returns whether all lines of a journal are smallnet's own. If not, Optuna went on with it, or it is
/// another file.
pub(super) fn is_own(text: &str) -> bool {
    text.lines().all(|line| {
        let line: Option<Json> = serde_json::from_str(line).ok();
        let worker = line.as_ref().and_then(|line| line.get("worker_id")?.as_str());
        worker.is_some_and(|worker| worker.starts_with(WORKER))
    })
}

/// Optuna's distribution of a parameter, and the value that a configuration has, as Optuna keeps it.
/// A range is a number, and a list is a choice.
fn distribution(parameter: &Parameter, configuration: &Configuration) -> Result<(Json, Json)> {
    let text = configuration.value(&parameter.key).unwrap_or_default();
    let missing = || Error::new(format!("`{}` has no value `{text}` in the study", parameter.key));
    match parameter.bounds {
        None => {
            let values = parameter.values();
            let choices = Json::Array(values.iter().map(choice).collect());
            let index = values.iter().position(|value| value.to_string() == text).ok_or_else(missing)?;
            Ok((named("CategoricalDistribution", json!({ "choices": choices })), json!(index)))
        }
        Some(Bounds { low, high, step, is_log, is_whole: true }) => {
            let whole = |number: f64| number.round() as i64;
            let value: i64 = text.parse().map_err(|_| missing())?;
            let step = step.map_or(1, whole);
            let attributes = json!({ "log": is_log, "step": step, "low": whole(low), "high": whole(high) });
            Ok((named("IntDistribution", attributes), json!(value)))
        }
        Some(Bounds { low, high, step, is_log, is_whole: false }) => {
            let value: f64 = text.parse().map_err(|_| missing())?;
            let attributes = json!({ "step": step, "low": low, "high": high, "log": is_log });
            Ok((named("FloatDistribution", attributes), json!(value)))
        }
    }
}

fn named(name: &str, attributes: Json) -> Json {
    json!({ "name": name, "attributes": attributes })
}

/// A value of a list as a choice of Optuna, which can be a number, a text or a truth value. Others,
/// such as the widths of layers, are texts that `--set` reads.
fn choice(value: &Value) -> Json {
    match value {
        Value::String(text) => json!(text),
        Value::Integer(number) => json!(number),
        Value::Float(number) => json!(number),
        Value::Boolean(flag) => json!(flag),
        other => json!(other.to_string()),
    }
}

/// Facts about a configuration beside its mean.
fn user_attributes(
    result: &ConfigurationResult,
    records: &[&TrialRecord],
    measure: Measure,
) -> BTreeMap<&'static str, Json> {
    let trial = |record: &&TrialRecord| {
        json!({
            "seed": record.seed,
            // People count folds from 1.
            "fold": record.fold.map(|fold| fold.saturating_add(1)),
            "end": record.end,
            "value": record.score(measure),
            "loss": record.loss,
            "epoch": record.epoch,
        })
    };
    let mut attributes = BTreeMap::from([("trials", Json::Array(records.iter().map(trial).collect()))]);
    let mut add = |key, number: Option<f64>| attributes.extend(number.map(|number| (key, json!(number))));
    add("accuracy", result.accuracy);
    add("balanced_accuracy", result.balanced_accuracy);
    add("loss", result.loss);
    add("deviation", result.deviation);
    add("seconds_per_epoch", result.seconds_per_epoch);
    attributes.insert("num_parameters", json!(result.num_parameters));
    attributes.insert("num_diverged", json!(result.num_diverged));
    attributes
}

/// Mean validation accuracy after each epoch that all trials have reached. Empty if the records of
/// the epochs are of another measure or of stopping images.
fn intermediate(records: &[&TrialRecord], measure: Measure) -> BTreeMap<String, f64> {
    let is_other = |record: &&TrialRecord| record.num_stopping_images.is_some();
    if measure != Measure::Accuracy || records.iter().any(is_other) {
        return BTreeMap::new();
    }
    let reached = records.iter().map(|record| record.epochs.len()).min().unwrap_or_default();
    let mean = |epoch: usize| {
        let values: Option<Vec<f64>> =
            records.iter().map(|record| record.epochs.get(epoch)?.validation_accuracy).collect();
        let values = values.filter(|values| !values.is_empty())?;
        Some(((epoch + 1).to_string(), values.iter().sum::<f64>() / values.len() as f64))
    };
    (0..reached).filter_map(mean).collect()
}

/// Seconds that the training steps of these trials took.
fn training_seconds(records: &[&TrialRecord]) -> f64 {
    records.iter().flat_map(|record| &record.epochs).map(|epoch| epoch.seconds).sum()
}

/// A number of seconds as a duration. What cannot be one is 0.
fn duration(seconds: f64) -> Duration {
    Duration::seconds_f64(if seconds.is_finite() { seconds.clamp(0.0, MAX_SECONDS) } else { 0.0 })
}

/// A time as Python's `datetime.fromisoformat` reads it, before version 3.11, too.
fn iso(time: OffsetDateTime) -> String {
    timestamp(time).replace('Z', "+00:00")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
