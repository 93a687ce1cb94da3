//! Owns arrays of numbers in files: their types, their sizes, and the reading of their numbers. IDX
//! and npz files are such arrays. The files in `array/` read them as images and as labels. Depends
//! on `file`. Must not know the header of any format.
//!
//! A header is untrusted: memory grows with the bytes that are really there.

mod images;
mod labels;
#[cfg(test)]
mod tests;

use std::io::{self, Read};

use crate::data::sources::file;
use crate::error::{Error, Result};
use crate::util::format::{counted, grouped};

pub(super) use images::{ArrayImages, COLOUR_NOTE, grey_byte, image_size};

/// Type of the numbers of an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ElementType {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F16,
    F32,
    F64,
}

impl ElementType {
    /// Bytes per number.
    pub(super) fn size(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 | Self::F16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }

    /// The type in words, for messages.
    pub(super) fn describe(self) -> &'static str {
        match self {
            Self::U8 => "unsigned bytes",
            Self::I8 => "signed bytes",
            Self::U16 => "unsigned 16-bit integers",
            Self::I16 => "16-bit integers",
            Self::U32 => "unsigned 32-bit integers",
            Self::I32 => "32-bit integers",
            Self::U64 => "unsigned 64-bit integers",
            Self::I64 => "64-bit integers",
            Self::F16 => "16-bit floats",
            Self::F32 => "32-bit floats",
            Self::F64 => "64-bit floats",
        }
    }

    /// The number that the first [`ElementType::size`] bytes state: there must be as many. Integers
    /// beyond 2^53 are rounded.
    fn decode(self, bytes: &[u8], is_big_endian: bool) -> f64 {
        let mut word = [0; 8];
        let size = self.size();
        word[..size].copy_from_slice(&bytes[..size]);
        if is_big_endian {
            word[..size].reverse();
        }
        let [a, b, c, d, ..] = word;
        match self {
            Self::U8 => a.into(),
            Self::I8 => i8::from_le_bytes([a]).into(),
            Self::U16 => u16::from_le_bytes([a, b]).into(),
            Self::I16 => i16::from_le_bytes([a, b]).into(),
            Self::U32 => u32::from_le_bytes([a, b, c, d]).into(),
            Self::I32 => i32::from_le_bytes([a, b, c, d]).into(),
            Self::U64 => u64::from_le_bytes(word) as f64,
            Self::I64 => i64::from_le_bytes(word) as f64,
            Self::F16 => half::f16::from_bits(u16::from_le_bytes([a, b])).to_f64(),
            Self::F32 => f32::from_le_bytes([a, b, c, d]).into(),
            Self::F64 => f64::from_le_bytes(word),
        }
    }
}

/// An array of numbers in a file, according to its header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Array {
    pub(super) element: ElementType,
    pub(super) is_big_endian: bool,
    /// Length of each dimension, the outermost first.
    pub(super) dims: Vec<usize>,
}

impl Array {
    /// Number of bytes of all numbers, if it can be counted.
    pub(super) fn num_bytes(&self) -> Option<usize> {
        self.dims.iter().try_fold(self.element.size(), |product, &length| product.checked_mul(length))
    }

    /// The array in words, for messages: `60 × 28 × 28 unsigned bytes`.
    pub(super) fn describe(&self) -> String {
        let lengths: Vec<String> = self.dims.iter().map(|&length| grouped(length)).collect();
        format!("{} {}", lengths.join(" × "), self.element.describe())
    }

    /// Number of bytes of all numbers: at least 1.
    fn checked_num_bytes(&self, name: &str) -> Result<usize> {
        match self.num_bytes() {
            Some(0) => Err(Error::data(format!("`{name}` holds {}, expected at least one", self.describe()))
                .hint("the program that wrote the file had no images: look there")),
            Some(bytes) => Ok(bytes),
            None => {
                let what = format!("`{name}` promises {}, more than can be counted", self.describe());
                Err(Error::data(what).hint("the header is damaged: fetch or write the file again"))
            }
        }
    }

    /// Calls `take` with each number of the array.
    fn for_each(
        &self,
        mut reader: impl Read,
        name: &str,
        mut take: impl FnMut(f64) -> Result<()>,
    ) -> Result<()> {
        let expected = self.checked_num_bytes(name)?;
        let mut buffer = vec![0; 1 << 16];
        let mut done = 0;
        while done < expected {
            let wanted = buffer.len().min(expected - done);
            let got = read_up_to(&mut reader, &mut buffer[..wanted])
                .map_err(|error| file::read_error(name, &error))?;
            if got < wanted {
                return Err(self.cut(name, done + got));
            }
            for number in buffer[..got].chunks_exact(self.element.size()) {
                take(self.element.decode(number, self.is_big_endian))?;
            }
            done += got;
        }
        Ok(())
    }

    /// Error of an array whose last numbers are missing.
    fn cut(&self, name: &str, got: usize) -> Error {
        let expected = counted(self.num_bytes().unwrap_or(usize::MAX), "byte", "bytes");
        Error::data(format!("`{name}` promises {} in {expected}, got {}", self.describe(), grouped(got)))
            .hint("the download may be incomplete: fetch the file again")
    }
}

/// Reads until `buffer` is full or the reader ends, and returns the number of bytes.
pub(super) fn read_up_to(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
