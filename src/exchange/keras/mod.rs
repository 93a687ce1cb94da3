//! Owns Keras' files: `.keras` both ways, and whole models in HDF5 (`.h5`) on the way in. Depends on
//! `exchange`'s network. Must not know other formats.
//!
//! A `.keras` file is a zip archive of `config.json` (the layers), `model.weights.h5` (their weights
//! in HDF5) and `metadata.json`. smallnet's own facts are in `metadata.json` under the key
//! `smallnet`: Keras does not read that file.
//!
//! Files are untrusted. `archive` bounds what is unpacked, `hdf5` bounds what is allocated, and
//! `read` checks all sizes.

mod archive;
mod chain;
mod hdf5;
mod layers;
mod read;
mod scaling;
#[cfg(test)]
mod tests;
mod weights;
mod write;

pub use read::read;
pub use write::write;

/// Name of the list of layers in the archive.
const CONFIG: &str = "config.json";
/// Name of the file of weights in the archive.
const WEIGHTS: &str = "model.weights.h5";
/// Name of the file of facts in the archive, and the key of smallnet's facts in it.
const METADATA: &str = "metadata.json";
const SMALLNET: &str = "smallnet";
