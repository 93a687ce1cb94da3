//! Owns the zip archive that a `.keras` file is. Depends on nothing. Must not know its members.

use std::io::{Cursor, Read, Write};

use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::error::{Error, Result};

/// First bytes of an archive.
const MAGIC: &[u8] = b"PK\x03\x04";

/// Most bytes that a member may have: this many times the bytes of the archive, and some more for
/// small archives. Keras does not compress, and weights become little smaller by compression.
const MAX_RATIO: u64 = 16;
const SMALL: u64 = 1 << 20;

/// True if a file begins like a zip archive.
pub(super) fn is_archive(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Returns the member called `name` of the archive `bytes`. `None` if there is none.
///
/// # Errors
/// A damaged archive, or a member that is far larger than the archive.
pub(super) fn unpack(bytes: &[u8], name: &str) -> Result<Option<Vec<u8>>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
    let entry = match archive.by_name(name) {
        Ok(entry) => entry,
        Err(ZipError::FileNotFound) => return Ok(None),
        Err(error) => return Err(damaged(error)),
    };
    let limit = (bytes.len() as u64).saturating_mul(MAX_RATIO).saturating_add(SMALL);
    let mut content = Vec::new();
    entry.take(limit + 1).read_to_end(&mut content).map_err(|error| damaged(error.into()))?;
    match content.len() as u64 > limit {
        true => Err(Error::corrupt(format!("`{name}` in the file unpacks to more than {limit} bytes"))),
        false => Ok(Some(content)),
    }
}

/// Returns an archive of `members`: names and contents. They are not compressed, and they have no
/// date, so the same members make the same bytes.
///
/// # Errors
/// An archive that is too large.
pub(super) fn pack(members: &[(&str, Vec<u8>)]) -> Result<Vec<u8>> {
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let attempt = || -> zip::result::ZipResult<Vec<u8>> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in members {
            let is_large = u32::try_from(content.len()).is_err();
            writer.start_file(*name, options.large_file(is_large))?;
            writer.write_all(content)?;
        }
        Ok(writer.finish()?.into_inner())
    };
    attempt().map_err(|error| Error::new(format!("cannot make a `.keras` file: {error}")).with_source(error))
}

fn damaged(error: ZipError) -> Error {
    Error::corrupt(format!("the `.keras` file is damaged: {error}")).with_source(error)
}
