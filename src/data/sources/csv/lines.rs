//! Owns the reading of a text file in large blocks of whole lines. Depends on `file`. Must not know
//! what the lines hold.

use std::io::Read;
use std::path::Path;

use crate::data::sources::file::{DataFile, read_error};
use crate::error::{Error, Result};

/// Number of bytes that are read at once.
const BLOCK_BYTES: usize = 4 << 20;

/// Largest number of bytes in a line: an image of a million pixels with 32 characters each.
const MAX_LINE_BYTES: usize = 32 << 20;

/// A text file that is read block by block.
pub(super) struct Blocks {
    pub(super) file: DataFile,
    /// The beginning of a line whose end is not read yet.
    carry: Vec<u8>,
    has_ended: bool,
}

impl Blocks {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let file = DataFile::open(path)?;
        Ok(Self { file, carry: Vec::new(), has_ended: false })
    }

    /// Returns the next block: whole lines with their ends, or the last lines, whose last may lack
    /// its end. `None` at the end of the file.
    ///
    /// # Errors
    /// The file cannot be read, or a line has no end for 32 MB.
    pub(super) fn next(&mut self) -> Result<Option<Vec<u8>>> {
        let mut block = std::mem::take(&mut self.carry);
        while !self.has_ended {
            let read = (&mut self.file).take(BLOCK_BYTES as u64).read_to_end(&mut block);
            let count = read.map_err(|error| read_error(&self.file.name, &error))?;
            self.has_ended = count < BLOCK_BYTES;
            if self.has_ended {
                break;
            }
            if let Some(end) = block.iter().rposition(|&byte| byte == b'\n') {
                self.carry = block.split_off(end + 1);
                return Ok(Some(block));
            }
            if block.len() > MAX_LINE_BYTES {
                let name = &self.file.name;
                return Err(Error::data(format!(
                    "`{name}` has a line of more than 32 MB, expected a CSV file"
                ))
                .hint("each image is a line of its own"));
            }
        }
        Ok(if block.is_empty() { None } else { Some(block) })
    }
}

/// Cuts a block into pieces of whole lines for parallel work, each with about `size` bytes.
pub(super) fn pieces(mut block: &[u8], size: usize) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    while block.len() > size {
        let line_end = block.iter().skip(size).position(|&byte| byte == b'\n');
        let Some((piece, rest)) = line_end.and_then(|end| block.split_at_checked(size + end + 1)) else {
            break;
        };
        pieces.push(piece);
        block = rest;
    }
    pieces.push(block);
    pieces
}

/// The lines of a block without their ends, which are `\n` or `\r\n`.
pub(super) fn lines(block: &[u8]) -> impl Iterator<Item = &[u8]> {
    let block = block.strip_suffix(b"\n").unwrap_or(block);
    block.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// True for a line without any cell.
pub(super) fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|&byte| byte == b' ' || byte == b'\t')
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
