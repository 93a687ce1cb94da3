//! Owns the comparison of a file with the size and the digest that it must have. Must not know where
//! the file is from.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use md5::Md5;
use sha2::{Digest, Sha256};

use crate::data::sources::catalog::{Checksum, RemoteFile};
use crate::error::{Error, Result};
use crate::util::files;
use crate::util::format::grouped;
use crate::util::hex::hex;

/// Number of bytes that are read at once.
const BLOCK_BYTES: usize = 1 << 16;

/// Compares the file at `path` with `expected`. Returns nothing if it is the same, else what is
/// wrong, as the rest of a sentence: `has 3 bytes, expected 5`.
///
/// # Errors
/// The file cannot be read.
pub(super) fn difference(path: &Path, expected: &RemoteFile<'_>) -> Result<Option<String>> {
    let failed = |error| Error::io("read", path, error);
    let file = files::open_named(path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    // Without reading the file.
    if let Some(expected) = expected.size.filter(|&expected| expected != size) {
        let [size, expected] =
            [size, expected].map(|size| grouped(usize::try_from(size).unwrap_or(usize::MAX)));
        return Ok(Some(format!("has {size} bytes, expected {expected}")));
    }
    let (name, got, expected) = match expected.checksum {
        Checksum::Sha256(expected) => ("SHA-256", digest::<Sha256>(file, path)?, expected),
        Checksum::Md5(expected) => ("MD5", digest::<Md5>(file, path)?, expected),
    };
    Ok((got != expected).then(|| format!("has the {name} {got}, expected {expected}")))
}

/// Returns the digest of a file in hexadecimal digits.
fn digest<D: Digest>(mut file: File, path: &Path) -> Result<String> {
    let (mut digest, mut block) = (D::new(), vec![0; BLOCK_BYTES]);
    loop {
        let count = file.read(&mut block).map_err(|error| Error::io("read", path, error))?;
        match block.get(..count) {
            Some(bytes) if !bytes.is_empty() => digest.update(bytes),
            _ => return Ok(hex(&digest.finalize())),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
