//! Owns the file formats in which networks leave smallnet and come in from other programs: one file
//! or folder per format. Depends on `model` and `data`. Must not know run folders, paths or
//! printing: writers return bytes, and readers take bytes.
//!
//! A reader makes a [`DenseNetwork`] of its input, whose numbers are not to be trusted. A writer
//! takes a [`DenseNetwork`] and a [`ModelMetadata`].

pub mod csv;
mod format;
pub mod hugging_face;
pub mod keras;
mod layout;
mod metadata;
mod network;
mod number_type;
pub mod onnx;
pub mod pytorch;
pub mod safetensors;
mod state_dict;
mod zip_end;

pub(crate) use format::MAX_FILE_BYTES;
pub use format::{Format, read};
pub use layout::Layout;
pub use metadata::ModelMetadata;
pub use network::{DenseLayer, DenseNetwork};
