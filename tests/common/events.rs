//! A reader of TensorBoard's event files for tests, apart from the library's own code: it checks every
//! length and checksum. Its messages have the numbers of fields of TensorFlow's `event.proto`,
//! `summary.proto` and `plugin_data.proto`.

#![allow(unreachable_pub, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub struct Event {
    #[prost(double, tag = "1")]
    pub wall_time: f64,
    #[prost(int64, tag = "2")]
    pub step: i64,
    #[prost(string, optional, tag = "3")]
    pub file_version: Option<String>,
    #[prost(message, optional, tag = "5")]
    pub summary: Option<Summary>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Summary {
    #[prost(message, repeated, tag = "1")]
    pub values: Vec<Value>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Value {
    #[prost(string, tag = "1")]
    pub tag: String,
    #[prost(float, optional, tag = "2")]
    pub scalar: Option<f32>,
    #[prost(message, optional, tag = "4")]
    pub image: Option<Image>,
    #[prost(message, optional, tag = "8")]
    pub tensor: Option<Tensor>,
    #[prost(message, optional, tag = "9")]
    pub metadata: Option<Metadata>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Image {
    #[prost(int32, tag = "1")]
    pub height: i32,
    #[prost(int32, tag = "2")]
    pub width: i32,
    #[prost(bytes = "vec", tag = "4")]
    pub png: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Tensor {
    #[prost(int32, tag = "1")]
    pub dtype: i32,
    #[prost(bytes = "vec", repeated, tag = "8")]
    pub strings: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Metadata {
    #[prost(message, optional, tag = "1")]
    pub plugin: Option<Plugin>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Plugin {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(bytes = "vec", tag = "2")]
    pub content: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub struct HParams {
    #[prost(message, optional, tag = "3")]
    pub start: Option<SessionStart>,
    #[prost(message, optional, tag = "4")]
    pub end: Option<SessionEnd>,
}

#[derive(Clone, PartialEq, Message)]
pub struct SessionStart {
    #[prost(btree_map = "string, message", tag = "1")]
    pub hyperparameters: BTreeMap<String, Hyperparameter>,
    #[prost(string, tag = "4")]
    pub group: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct Hyperparameter {
    #[prost(double, optional, tag = "2")]
    pub number: Option<f64>,
    #[prost(string, optional, tag = "3")]
    pub text: Option<String>,
    #[prost(bool, optional, tag = "4")]
    pub flag: Option<bool>,
}

#[derive(Clone, PartialEq, Message)]
pub struct SessionEnd {
    #[prost(int32, tag = "1")]
    pub status: i32,
}

/// CRC-32C bit by bit (polynomial 0x1EDC6F41, reflected), with the mask of `tfrecord`.
fn masked_crc(bytes: &[u8]) -> u32 {
    let mut crc = !0u32;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 };
        }
    }
    let crc = !crc;
    crc.rotate_left(17).wrapping_add(0xa282_ead8)
}

/// Returns the events of whole records, and the number of bytes after them. Every whole record must
/// have the right checksums.
pub fn decode(mut bytes: &[u8]) -> (Vec<Event>, usize) {
    let mut events = Vec::new();
    let number = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().unwrap());
    while bytes.len() >= 12 {
        let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        assert_eq!(number(&bytes[8..12]), masked_crc(&bytes[..8]), "the checksum of a length");
        if bytes.len() < 16 + length {
            break;
        }
        let message = &bytes[12..12 + length];
        assert_eq!(
            number(&bytes[12 + length..16 + length]),
            masked_crc(message),
            "the checksum of a message"
        );
        events.push(Event::decode(message).unwrap());
        bytes = &bytes[16 + length..];
    }
    (events, bytes.len())
}

/// Returns the paths of the event files in a folder. A file that a resumed run has emptied is none.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_event_file = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().contains("tfevents");
    paths.filter(|path| is_event_file(path) && path.metadata().unwrap().len() > 0).collect()
}

/// Returns the events of the only event file in a folder, which must consist of whole records.
pub fn read(folder: &Path) -> Vec<Event> {
    let files = files(folder);
    assert_eq!(files.len(), 1, "{files:?}");
    let (events, rest) = decode(&fs::read(&files[0]).unwrap());
    assert_eq!(rest, 0, "bytes after the last whole record");
    assert_eq!(events[0].file_version.as_deref(), Some("brain.Event:2"));
    events
}

fn values(events: &[Event]) -> impl Iterator<Item = (&Event, &Value)> {
    events
        .iter()
        .flat_map(|event| event.summary.iter().flat_map(move |s| s.values.iter().map(move |v| (event, v))))
}

/// Returns the scalars of a tag: step and value, in the order of the file.
pub fn scalars(events: &[Event], tag: &str) -> Vec<(i64, f32)> {
    let of_tag = values(events).filter(|(_, value)| value.tag == tag);
    of_tag.map(|(event, value)| (event.step, value.scalar.unwrap())).collect()
}

/// Returns the tags of all scalars, sorted.
pub fn scalar_tags(events: &[Event]) -> Vec<&str> {
    let scalars = values(events).filter(|(_, value)| value.scalar.is_some());
    let mut tags: Vec<_> = scalars.map(|(_, value)| value.tag.as_str()).collect();
    tags.sort_unstable();
    tags.dedup();
    tags
}

/// Returns the times of the events with a tag.
pub fn wall_times(events: &[Event], tag: &str) -> Vec<f64> {
    values(events).filter(|(_, value)| value.tag == tag).map(|(event, _)| event.wall_time).collect()
}

/// Returns the only picture of a tag, with its step.
pub fn picture(events: &[Event], tag: &str) -> (i64, image::DynamicImage) {
    let mut pictures = values(events).filter(|(_, value)| value.tag == tag);
    let (event, value) = pictures.next().unwrap();
    assert!(pictures.next().is_none(), "{tag} is there twice");
    let image = value.image.as_ref().unwrap();
    let picture = image::load_from_memory(&image.png).unwrap();
    assert_eq!((picture.height() as i32, picture.width() as i32), (image.height, image.width));
    (event.step, picture)
}

/// Returns the only text of a tag.
pub fn text(events: &[Event], tag: &str) -> String {
    let mut texts = values(events).filter(|(_, value)| value.tag == tag);
    let (_, value) = texts.next().unwrap();
    assert!(texts.next().is_none(), "{tag} is there twice");
    assert_eq!(value.metadata.as_ref().unwrap().plugin.as_ref().unwrap().name, "text");
    String::from_utf8(value.tensor.as_ref().unwrap().strings[0].clone()).unwrap()
}

/// Returns the only start of a session, and the status of its only end, if there is one.
pub fn session(events: &[Event]) -> (SessionStart, Option<i32>) {
    let of_plugin = |tag: &str| -> Vec<HParams> {
        let of_tag = values(events).filter(|(_, value)| value.tag == tag);
        let plugins = of_tag.map(|(_, value)| value.metadata.as_ref().unwrap().plugin.as_ref().unwrap());
        plugins
            .inspect(|plugin| assert_eq!(plugin.name, "hparams"))
            .map(|plugin| HParams::decode(&plugin.content[..]).unwrap())
            .collect()
    };
    let (starts, ends) = (of_plugin("_hparams_/session_start_info"), of_plugin("_hparams_/session_end_info"));
    assert_eq!((starts.len(), ends.len().max(1)), (1, 1));
    (starts[0].start.clone().unwrap(), ends.first().map(|end| end.end.as_ref().unwrap().status))
}
