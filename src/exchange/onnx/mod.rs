//! Owns dense networks as ONNX files, which ONNX Runtime, Netron, OpenVINO and others open. Depends
//! on prost. Must not know paths or run folders.
//!
//! [`write()`] and [`read()`] share the messages of the format in `proto`. Reading follows the images
//! through the graph:
//!
//! - `limits` refuses a file with very many parts, before memory is taken for them.
//! - `read` takes the nodes one by one and makes a [`DenseNetwork`](crate::exchange::DenseNetwork)
//!   of the result.
//! - `operators` knows what each operator does to a value: `layers` those that multiply by weights,
//!   `arithmetic` those on each number, `reshaping` those that only change a shape.
//! - `value` is what is known about a value: constant numbers (`tensor`), or a formula of the
//!   outputs of a layer (`formula`), from which an activation is recognised.

mod arithmetic;
mod formula;
mod layers;
mod limits;
mod operators;
mod proto;
mod read;
mod reshaping;
mod tensor;
#[cfg(test)]
mod tests;
mod value;
mod write;

pub use read::read;
pub use write::{Pixels, write};
