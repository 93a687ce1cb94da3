//! Owns the types of numbers that files have, and their conversion to `f32`. Depends on `half`. Must
//! not know file formats.

use half::{bf16, f16};

use crate::error::{Error, Result};

/// Type of the numbers of a tensor in a file. They are little-endian.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NumberType {
    /// Half precision.
    Float16,
    /// The upper half of a `Float32`.
    Bfloat16,
    /// Single precision, which smallnet computes with.
    Float32,
    /// Double precision.
    Float64,
    /// Any other type, such as `I64`: the weights of a network do not have it.
    Other(String),
}

impl NumberType {
    /// Returns `bytes` as numbers. Those of double precision are rounded. `name` is that of the
    /// tensor, for the message.
    ///
    /// # Errors
    /// A type that is no floating-point number, or bytes that are no whole number of them.
    pub(crate) fn to_f32(&self, bytes: &[u8], name: &str) -> Result<Vec<f32>> {
        let (values, rest) = match self {
            Self::Float16 => convert(bytes, |number| f16::from_le_bytes(number).to_f32()),
            Self::Bfloat16 => convert(bytes, |number| bf16::from_le_bytes(number).to_f32()),
            Self::Float32 => convert(bytes, f32::from_le_bytes),
            Self::Float64 => convert(bytes, |number| f64::from_le_bytes(number) as f32),
            Self::Other(other) => {
                return Err(Error::unsupported(format!(
                    "the tensor `{name}` has numbers of the type {other}, expected float16, bfloat16, float32 or \
                     float64"
                )));
            }
        };
        match rest {
            0 => Ok(values),
            rest => Err(Error::corrupt(format!("the tensor `{name}` has {rest} bytes too many"))),
        }
    }
}

/// Converts groups of `N` bytes. Returns the numbers and how many bytes are left over.
fn convert<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f32) -> (Vec<f32>, usize) {
    let (groups, rest) = bytes.as_chunks::<N>();
    (groups.iter().map(|&group| number(group)).collect(), rest.len())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
