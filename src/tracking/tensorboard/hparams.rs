//! Owns the messages of TensorBoard's HParams plugin: the hyperparameters of a session, and its end.
//! Depends on `event`. Must not know where hyperparameters are from.
//!
//! A session is one training. Sessions with the same group are one row of the table, and TensorBoard
//! shows the mean of their metrics.

use std::collections::BTreeMap;

use prost::{Message, Oneof};

use crate::tracking::tensorboard::event::{Content, Datum, Event, Metadata, Summary, Tensor, Value};

/// Name of the plugin.
const PLUGIN: &str = "hparams";
/// Tags under which the plugin looks for its messages.
const START: &str = "_hparams_/session_start_info";
const END: &str = "_hparams_/session_end_info";

/// A training as the plugin shows it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Session {
    /// Hyperparameters: dotted keys with their values as TOML.
    pub(crate) hyperparameters: BTreeMap<String, String>,
    /// Name of the sessions that are averaged. If it is empty, the session is a group of its own.
    pub(crate) group: String,
    /// Time of the start, in seconds since 1970.
    pub(crate) start: f64,
}

/// End of a training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionEnd {
    /// It has its result.
    Success,
    /// It diverged or ended with an error.
    Failure,
}

#[derive(Clone, PartialEq, Message)]
struct PluginData {
    #[prost(oneof = "PluginContent", tags = "3, 4")]
    content: Option<PluginContent>,
}

#[derive(Clone, PartialEq, Oneof)]
enum PluginContent {
    #[prost(message, tag = "3")]
    Start(SessionStartInfo),
    #[prost(message, tag = "4")]
    End(SessionEndInfo),
}

#[derive(Clone, PartialEq, Message)]
struct SessionStartInfo {
    #[prost(btree_map = "string, message", tag = "1")]
    hyperparameters: BTreeMap<String, Hyperparameter>,
    #[prost(string, tag = "4")]
    group: String,
    #[prost(double, tag = "5")]
    start: f64,
}

#[derive(Clone, PartialEq, Message)]
struct SessionEndInfo {
    #[prost(int32, tag = "1")]
    status: i32,
    #[prost(double, tag = "2")]
    end: f64,
}

/// Message `google.protobuf.Value`.
#[derive(Clone, PartialEq, Message)]
struct Hyperparameter {
    #[prost(oneof = "Kind", tags = "2, 3, 4")]
    kind: Option<Kind>,
}

#[derive(Clone, PartialEq, Oneof)]
enum Kind {
    #[prost(double, tag = "2")]
    Number(f64),
    #[prost(string, tag = "3")]
    Text(String),
    #[prost(bool, tag = "4")]
    Flag(bool),
}

impl Hyperparameter {
    /// Converts a value from its TOML. A list becomes a text.
    fn from_toml(text: &str) -> Self {
        let kind = match (text, text.parse()) {
            ("true" | "false", _) => Kind::Flag(text == "true"),
            (_, Ok(number)) => Kind::Number(number),
            _ => Kind::Text(text.trim_matches('"').to_owned()),
        };
        Self { kind: Some(kind) }
    }
}

impl Session {
    /// Returns the event of the session's start.
    pub(crate) fn start_event(&self) -> Event {
        let hyperparameters = self.hyperparameters.iter();
        let info = SessionStartInfo {
            hyperparameters: hyperparameters
                .map(|(key, value)| (key.clone(), Hyperparameter::from_toml(value)))
                .collect(),
            group: self.group.clone(),
            start: self.start,
        };
        event(self.start, START, PluginContent::Start(info))
    }
}

impl SessionEnd {
    /// Returns the event of a session's end at `time`, in seconds since 1970.
    pub(crate) fn event(self, time: f64) -> Event {
        let status = match self {
            Self::Success => 1,
            Self::Failure => 2,
        };
        event(time, END, PluginContent::End(SessionEndInfo { status, end: time }))
    }
}

fn event(wall_time: f64, tag: &str, content: PluginContent) -> Event {
    let content = PluginData { content: Some(content) }.encode_to_vec();
    let metadata = Some(Metadata::of_plugin(PLUGIN, content));
    let value = Value { tag: tag.to_owned(), metadata, datum: Some(Datum::Tensor(Tensor::empty())) };
    Event { wall_time, step: 0, content: Some(Content::Summary(Summary { values: vec![value] })) }
}

#[cfg(test)]
mod tests;
