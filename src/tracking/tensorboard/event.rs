//! Owns the messages of an event file, as far as smallnet writes them: a part of TensorFlow's
//! `event.proto`, `summary.proto`, `tensor.proto` and `tensor_shape.proto`, with their numbers of
//! fields. Depends on `prost`. Must not know what the messages say.

use prost::{Message, Oneof};

/// Number of the type `DT_FLOAT` in `types.proto`.
const DT_FLOAT: i32 = 1;
/// Number of the type `DT_STRING`.
const DT_STRING: i32 = 7;

/// A message of an event file.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Event {
    /// Time in seconds since 1970, in UTC.
    #[prost(double, tag = "1")]
    pub(super) wall_time: f64,
    /// Epoch, from 1. 0 is the state before the first one.
    #[prost(int64, tag = "2")]
    pub(super) step: i64,
    #[prost(oneof = "Content", tags = "3, 5, 7")]
    pub(super) content: Option<Content>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum Content {
    #[prost(string, tag = "3")]
    FileVersion(String),
    #[prost(message, tag = "5")]
    Summary(Summary),
    #[prost(message, tag = "7")]
    SessionLog(SessionLog),
}

/// Start or end of the process that writes.
#[derive(Clone, PartialEq, Message)]
pub(super) struct SessionLog {
    #[prost(int32, tag = "1")]
    pub(super) status: i32,
}

impl SessionLog {
    /// Number of the status `START`. A TensorBoard that is open removes from its memory what it read
    /// about this step and later ones.
    pub(super) const START: i32 = 1;
}

/// Values of one step.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Summary {
    #[prost(message, repeated, tag = "1")]
    pub(super) values: Vec<Value>,
}

/// A value under its tag, which is its name in TensorBoard.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Value {
    #[prost(string, tag = "1")]
    pub(super) tag: String,
    #[prost(message, optional, tag = "9")]
    pub(super) metadata: Option<Metadata>,
    #[prost(oneof = "Datum", tags = "2, 4, 8")]
    pub(super) datum: Option<Datum>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum Datum {
    #[prost(float, tag = "2")]
    Scalar(f32),
    #[prost(message, tag = "4")]
    Image(Image),
    #[prost(message, tag = "8")]
    Tensor(Tensor),
}

/// A picture.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Image {
    #[prost(int32, tag = "1")]
    pub(super) height: i32,
    #[prost(int32, tag = "2")]
    pub(super) width: i32,
    /// Number of channels: 3 for red, green and blue.
    #[prost(int32, tag = "3")]
    pub(super) colorspace: i32,
    /// Bytes of a PNG file.
    #[prost(bytes = "vec", tag = "4")]
    pub(super) encoded: Vec<u8>,
}

/// A tensor of texts, or an empty one.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Tensor {
    #[prost(int32, tag = "1")]
    dtype: i32,
    #[prost(message, optional, tag = "2")]
    shape: Option<Shape>,
    #[prost(bytes = "vec", repeated, tag = "8")]
    strings: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
struct Shape {
    #[prost(message, repeated, tag = "2")]
    dims: Vec<Dim>,
}

#[derive(Clone, PartialEq, Message)]
struct Dim {
    #[prost(int64, tag = "1")]
    size: i64,
}

impl Tensor {
    /// Returns a vector of one text.
    pub(super) fn text(text: &str) -> Self {
        let shape = Some(Shape { dims: vec![Dim { size: 1 }] });
        Self { dtype: DT_STRING, shape, strings: vec![text.as_bytes().to_vec()] }
    }

    /// Returns a vector of no numbers, for a value that has only metadata.
    pub(super) fn empty() -> Self {
        Self { dtype: DT_FLOAT, shape: Some(Shape { dims: vec![Dim { size: 0 }] }), strings: Vec::new() }
    }
}

/// Metadata of a tag: the plugin of TensorBoard that shows it.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Metadata {
    #[prost(message, optional, tag = "1")]
    plugin: Option<Plugin>,
    #[prost(int32, tag = "4")]
    data_class: i32,
}

#[derive(Clone, PartialEq, Message)]
struct Plugin {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(bytes = "vec", tag = "2")]
    content: Vec<u8>,
}

impl Metadata {
    /// Returns the metadata of a tensor that the plugin `name` shows. `content` is a message of that
    /// plugin.
    pub(super) fn of_plugin(name: &str, content: Vec<u8>) -> Self {
        const DATA_CLASS_TENSOR: i32 = 2;
        let plugin = Some(Plugin { name: name.to_owned(), content });
        Self { plugin, data_class: DATA_CLASS_TENSOR }
    }
}
