//! Owns the limit on the number of parts of an ONNX file. Depends on prost. Must not know what the
//! parts mean.
//!
//! An empty node takes two bytes of a file and a hundred times as much memory. So the parts are
//! counted before memory is taken for them. Numbers take memory in proportion to their bytes.

use prost::DecodeError;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

use crate::error::{Error, Result};

/// Largest number of nodes, names, attributes, constants and other parts of a file. A network of a
/// hundred layers has about 2,000.
const MAX_PARTS: usize = 100_000;

/// Kind of message, as far as its fields hold other messages or texts in lists.
#[derive(Clone, Copy)]
enum Kind {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    Value,
    Type,
    TensorType,
    Shape,
    Part,
}

impl Kind {
    /// Returns the kind of the field `tag`, if it counts.
    fn field(self, tag: u32) -> Option<Self> {
        match (self, tag) {
            (Self::Model, 7) => Some(Self::Graph),
            (Self::Graph, 1) => Some(Self::Node),
            (Self::Node, 5) => Some(Self::Attribute),
            (Self::Graph | Self::Attribute, 5) => Some(Self::Tensor),
            (Self::Graph, 11 | 12) => Some(Self::Value),
            (Self::Value, 2) => Some(Self::Type),
            (Self::Type, 1) => Some(Self::TensorType),
            (Self::TensorType, 2) => Some(Self::Shape),
            (Self::Model, 8 | 14)
            | (Self::Node, 1 | 2)
            | (Self::Attribute, 9)
            | (Self::Tensor, 6)
            | (Self::Shape, 1) => Some(Self::Part),
            _ => None,
        }
    }
}

/// Checks that `bytes` is a protobuf message with few enough parts.
///
/// # Errors
/// Bytes that are no protobuf message, or too many parts.
pub(super) fn check(bytes: &[u8]) -> Result<()> {
    let mut num_parts = 0;
    let counted = count(bytes, Kind::Model, &mut num_parts);
    if num_parts > MAX_PARTS {
        return Err(Error::unsupported(format!(
            "the ONNX graph has more than {MAX_PARTS} parts (nodes, names, constants)"
        ))
        .hint("smallnet reads small dense networks"));
    }
    counted.map_err(|error| damaged(&error))
}

/// Error of bytes that are no ONNX file.
pub(super) fn damaged(error: &DecodeError) -> Error {
    Error::corrupt(format!("it is not an ONNX file, or a damaged one: {error}")).with_source(error.clone())
}

/// Adds the number of parts in a message to `num_parts`. Stops where there are too many.
fn count(mut bytes: &[u8], kind: Kind, num_parts: &mut usize) -> std::result::Result<(), DecodeError> {
    while !bytes.is_empty() && *num_parts <= MAX_PARTS {
        let (tag, wire_type) = decode_key(&mut bytes)?;
        let mut field = bytes;
        match kind.field(tag) {
            Some(inner) if wire_type == WireType::LengthDelimited => {
                let length = usize::try_from(decode_varint(&mut bytes)?).unwrap_or(usize::MAX);
                *num_parts += 1;
                let Some((message, rest)) = bytes.split_at_checked(length) else {
                    // It fails, with prost's own words about a length beyond the end.
                    return skip_field(wire_type, tag, &mut field, DecodeContext::default());
                };
                if !matches!(inner, Kind::Part) {
                    count(message, inner, num_parts)?;
                }
                bytes = rest;
            }
            _ => skip_field(wire_type, tag, &mut bytes, DecodeContext::default())?,
        }
    }
    Ok(())
}
