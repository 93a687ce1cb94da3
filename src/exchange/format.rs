//! Owns the choice among the file formats: which one a file has, by its content. Depends on the
//! readers. Must not know the names of files.
//!
//! To add a format, add a variant with its name, its signs in [`Format::of`] and its reader in
//! [`read`].

use std::io::Cursor;

use crate::error::{Error, Result};
use crate::exchange::zip_end::without_64_bit_end;
use crate::exchange::{DenseNetwork, Layout, keras, onnx, pytorch, safetensors};

/// Largest file in bytes that is imported. A network of the largest size has 400 MB in single
/// precision and 800 MB in double precision.
pub(crate) const MAX_FILE_BYTES: u64 = 1 << 30;

/// Format of a file with a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// safetensors of Hugging Face.
    Safetensors,
    /// A file of `torch.save`.
    Pytorch,
    /// Keras' `.keras`, `.h5` and `.weights.h5`.
    Keras,
    /// ONNX.
    Onnx,
}

/// First bytes of an HDF5 file.
const HDF5: &[u8] = b"\x89HDF\r\n\x1a\n";
/// Tags that a protobuf message of ONNX may begin with: those of its first eight fields.
const ONNX_TAGS: [u8; 8] = [0x08, 0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42];

impl Format {
    /// Name in records and on the screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Safetensors => "safetensors",
            Self::Pytorch => "PyTorch",
            Self::Keras => "Keras",
            Self::Onnx => "ONNX",
        }
    }

    /// Returns the format of a file with these bytes.
    ///
    /// # Errors
    /// A file of no known format.
    pub fn of(bytes: &[u8]) -> Result<Self> {
        if bytes.starts_with(b"PK") {
            return Self::of_zip(bytes);
        }
        let is_tar = bytes.get(257..262) == Some(b"ustar");
        match bytes.first() {
            _ if bytes.starts_with(HDF5) => Ok(Self::Keras),
            _ if safetensors::is_safetensors(bytes) => Ok(Self::Safetensors),
            _ if pytorch::is_pickle(bytes) || is_tar => Ok(Self::Pytorch),
            Some(tag) if ONNX_TAGS.contains(tag) => Ok(Self::Onnx),
            _ => Err(unknown("its first bytes are those of no known format")),
        }
    }

    /// Returns the format of a zip archive by the names in it.
    fn of_zip(bytes: &[u8]) -> Result<Self> {
        let archive = zip::ZipArchive::new(Cursor::new(without_64_bit_end(bytes))).map_err(|error| {
            Error::corrupt(format!("the zip archive is damaged: {error}")).with_source(error)
        })?;
        let names: Vec<_> = archive.file_names().filter_map(std::result::Result::ok).collect();
        let has = |wanted: &str| names.iter().any(|name| name == wanted);
        let ends = |ending: &str| names.iter().any(|name| name.ends_with(ending));
        match () {
            () if has(pytorch::PICKLE) || ends(&format!("/{}", pytorch::PICKLE)) => Ok(Self::Pytorch),
            () if has("model.weights.h5") => Ok(Self::Keras),
            () if ends(".npy") => Err(unknown("it is an npz archive of arrays")),
            () => Err(unknown("it is a zip archive of another program")),
        }
    }
}

/// Error of a file without a network that smallnet can read.
fn unknown(reason: &str) -> Error {
    Error::unsupported(format!("no network is found in the file: {reason}"))
        .hint("smallnet imports ONNX, safetensors, PyTorch's `.pt` and `.pth`, and Keras' `.keras`")
}

/// Reads a network from the bytes of a file in any format. `layout` is that of the weights, if the
/// user states it and the format has no fixed one.
///
/// # Errors
/// A file of no known format, or those of its reader.
pub fn read(bytes: &[u8], layout: Option<Layout>) -> Result<(Format, DenseNetwork)> {
    let format = Format::of(bytes)?;
    let network = match format {
        Format::Safetensors => safetensors::read(bytes, layout),
        Format::Pytorch => pytorch::read(bytes, layout),
        Format::Keras => keras::read(bytes),
        Format::Onnx => onnx::read(bytes),
    }?;
    network.check()?;
    Ok((format, network))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
