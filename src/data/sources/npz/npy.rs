//! Owns NumPy's format of one array, `.npy`: its header, the order of its numbers, and words.
//! Depends on `array`. Must not know archives, nor which array holds what.
//!
//! The header is untrusted: memory grows with the bytes that are really there.

use std::io::Read;

use crate::data::sources::array::{Array, ArrayImages, ElementType};
use crate::data::sources::raw::RawLabels;
use crate::data::sources::{ReadOptions, file};
use crate::error::{Error, Result};
use crate::util::memory;

/// First bytes of the format.
pub(super) const MAGIC: [u8; 6] = *b"\x93NUMPY";

/// Longest header. NumPy's own limit is 10,000 characters.
const MAX_HEADER_BYTES: usize = 1 << 16;

/// Largest number of dimensions that NumPy has.
const MAX_DIMS: usize = 64;

/// The description of an array in its header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    elements: Elements,
    is_big_endian: bool,
    /// True if the first index changes fastest.
    is_fortran: bool,
    dims: Vec<usize>,
}

/// The elements of an array.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Elements {
    Numbers(ElementType),
    /// Words of this many characters of 4 bytes, filled up with zeros.
    Unicode(usize),
    /// Words of this many bytes, filled up with zeros.
    Bytes(usize),
    /// Any Python object.
    Pickled,
    /// Another type, as the header writes it.
    Other(String),
}

impl Header {
    /// Reads the header. `name` is the array's name in messages.
    ///
    /// # Errors
    /// The bytes are no such header, or an array of a version that is not known.
    pub(super) fn read(reader: &mut impl Read, name: &str) -> Result<Self> {
        let mut start = [0; 8];
        read_exact(reader, name, &mut start)?;
        let length = match start {
            [magic @ .., 1, _] if magic == MAGIC => {
                let mut bytes = [0; 2];
                read_exact(reader, name, &mut bytes)?;
                usize::from(u16::from_le_bytes(bytes))
            }
            [magic @ .., 2 | 3, _] if magic == MAGIC => {
                let mut bytes = [0; 4];
                read_exact(reader, name, &mut bytes)?;
                u32::from_le_bytes(bytes) as usize
            }
            [magic @ .., version, _] if magic == MAGIC => {
                return Err(Error::data(format!("`{name}` has version {version} of NumPy's format"))
                    .hint("versions 1 to 3 are read: save it again with `numpy.save`"));
            }
            _ => return Err(damaged(name, "it does not begin like an array of NumPy")),
        };
        if length > MAX_HEADER_BYTES {
            return Err(damaged(name, "its header is too long"));
        }
        let mut text = vec![0; length];
        read_exact(reader, name, &mut text)?;
        let text = String::from_utf8_lossy(&text);
        Self::parse(&text).ok_or_else(|| damaged(name, "its header cannot be read"))
    }

    /// Parses a Python dictionary such as
    /// `{'descr': '<f8', 'fortran_order': False, 'shape': (60, 28), }`.
    fn parse(text: &str) -> Option<Self> {
        let value = |key: &str| {
            let (_, rest) = text.split_once(&format!("'{key}'"))?;
            Some(rest.trim_start().strip_prefix(':')?.trim_start())
        };
        let is_fortran = value("fortran_order")?.starts_with("True");
        let (shape, _) = value("shape")?.strip_prefix('(')?.split_once(')')?;
        // The comma after the last length is Python's.
        let lengths = shape.split(',').map(str::trim).filter(|length| !length.is_empty());
        let dims: Vec<usize> = lengths.map(|length| length.parse().ok()).collect::<Option<_>>()?;
        let descr = value("descr")?;
        let (is_big_endian, elements) = match descr.strip_prefix('\'') {
            Some(descr) => parse_descr(descr.split_once('\'')?.0),
            // A list: an array of records.
            None => (false, Elements::Other("records".to_owned())),
        };
        let is_possible = dims.len() <= MAX_DIMS;
        is_possible.then_some(Self { elements, is_big_endian, is_fortran, dims })
    }

    /// The array in words, for messages: `60 × 28 × 28 unsigned bytes`.
    pub(super) fn describe(&self) -> String {
        let lengths: Vec<String> =
            self.dims.iter().map(|&length| crate::util::format::grouped(length)).collect();
        let what = match &self.elements {
            Elements::Numbers(element) => element.describe(),
            Elements::Unicode(_) | Elements::Bytes(_) => "words",
            Elements::Pickled => "pickled objects",
            Elements::Other(descr) => &format!("values of type `{descr}`"),
        };
        format!("{} {what}", lengths.join(" × ")).trim_start().to_owned()
    }

    /// True if the array is a list of words.
    pub(super) fn is_list_of_words(&self) -> bool {
        self.dims.len() == 1 && matches!(self.elements, Elements::Unicode(_) | Elements::Bytes(_))
    }

    /// Reads all numbers as images: see [`Array::read_images`].
    ///
    /// # Errors
    /// As there, or an array that holds no numbers.
    pub(super) fn read_images(
        &self,
        reader: impl Read,
        name: &str,
        max_bytes: u64,
        options: &ReadOptions,
    ) -> Result<ArrayImages> {
        let array = self.numbers(name, "images")?;
        if self.is_in_order() {
            return array.read_images(reader, name, max_bytes, options);
        }
        let numbers = read_fortran(&array, reader, name, max_bytes)?;
        array.read_images(&numbers[..], name, numbers.len() as u64, options)
    }

    /// Reads all elements as labels: numbers as [`Array::read_labels`] does, or words.
    ///
    /// # Errors
    /// As there, or an array of other values.
    pub(super) fn read_labels(
        &self,
        mut reader: impl Read,
        name: &str,
        max_bytes: u64,
    ) -> Result<(RawLabels, Vec<String>)> {
        if matches!(self.elements, Elements::Unicode(_) | Elements::Bytes(_)) {
            let ([_] | [_, 1]) = self.dims[..] else {
                return Err(Error::data(format!("`{name}` holds {}, expected labels", self.describe()))
                    .hint("labels are one word or number per image"));
            };
            let mut labels = RawLabels::default();
            self.for_each_word(&mut reader, name, |word| labels.push(&word))?;
            return Ok((labels, Vec::new()));
        }
        let array = self.numbers(name, "labels")?;
        if self.is_in_order() {
            return array.read_labels(reader, name);
        }
        let numbers = read_fortran(&array, reader, name, max_bytes)?;
        array.read_labels(&numbers[..], name)
    }

    /// Reads all words of an array.
    ///
    /// # Errors
    /// The array ends too early, or has no words.
    pub(super) fn read_words(&self, mut reader: impl Read, name: &str) -> Result<Vec<String>> {
        let mut words = Vec::new();
        self.for_each_word(&mut reader, name, |word| {
            words.push(word);
            Ok(())
        })?;
        Ok(words)
    }

    /// True if the last index changes fastest, or there is only one way.
    fn is_in_order(&self) -> bool {
        !self.is_fortran || self.dims.iter().filter(|&&length| length != 1).count() <= 1
    }

    /// The array of numbers that this is.
    fn numbers(&self, name: &str, expected: &str) -> Result<Array> {
        let hint = match &self.elements {
            Elements::Numbers(element) => {
                let (element, is_big_endian) = (*element, self.is_big_endian);
                return Ok(Array { element, is_big_endian, dims: self.dims.clone() });
            }
            Elements::Pickled => {
                "pickled objects may run code, so they are not read: make an array of one type with \
                 `numpy.stack`, or with `.astype(\"uint8\")`, and save it again"
            }
            _ => "save it again as an array of numbers, with `.astype(\"uint8\")` for images",
        };
        Err(Error::data(format!("`{name}` holds {}, expected {expected}", self.describe())).hint(hint))
    }

    /// Calls `take` with each word of the array.
    fn for_each_word(
        &self,
        reader: &mut impl Read,
        name: &str,
        mut take: impl FnMut(String) -> Result<()>,
    ) -> Result<()> {
        let (length, is_wide) = match self.elements {
            Elements::Unicode(length) => (length.checked_mul(4), true),
            Elements::Bytes(length) => (Some(length), false),
            _ => (None, false),
        };
        // Words of no characters would take no bytes of the file, however many there are.
        let Some(length @ 1..=MAX_WORD_BYTES) = length else {
            return Err(Error::data(format!("`{name}` holds {}, expected words", self.describe())));
        };
        let mut bytes = vec![0; length];
        let count = self.dims.iter().try_fold(1usize, |product, &length| product.checked_mul(length));
        for _ in 0..count.unwrap_or(usize::MAX) {
            read_exact(reader, name, &mut bytes)?;
            let word: String = match is_wide {
                true => bytes.chunks_exact(4).map(|code| self.char(code)).collect(),
                false => String::from_utf8_lossy(&bytes).into_owned(),
            };
            take(word.trim_end_matches('\0').to_owned())?;
        }
        Ok(())
    }

    /// Character of a code of 4 bytes.
    fn char(&self, code: &[u8]) -> char {
        let code = code.try_into().unwrap_or_default();
        let code = if self.is_big_endian { u32::from_be_bytes(code) } else { u32::from_le_bytes(code) };
        char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
    }
}

/// Longest word in bytes.
const MAX_WORD_BYTES: usize = 1 << 16;

/// Byte order and elements of a type such as `<f8`. Returns true for big endian.
fn parse_descr(descr: &str) -> (bool, Elements) {
    let order = descr.chars().next().filter(|order| "<>|=".contains(*order));
    let code = &descr[order.map_or(0, char::len_utf8)..];
    // `=` is the order of the writer's machine, which is little endian nearly everywhere.
    (order == Some('>'), elements(code).unwrap_or_else(|| Elements::Other(printable(descr))))
}

/// The beginning of a text of the file, fit for a message.
fn printable(text: &str) -> String {
    text.chars().filter(|char| !char.is_control()).take(20).collect()
}

/// Elements of a type's code, such as `f8`.
fn elements(code: &str) -> Option<Elements> {
    Some(Elements::Numbers(match code {
        "u1" | "b1" => ElementType::U8,
        "i1" => ElementType::I8,
        "u2" => ElementType::U16,
        "i2" => ElementType::I16,
        "u4" => ElementType::U32,
        "i4" => ElementType::I32,
        "u8" => ElementType::U64,
        "i8" => ElementType::I64,
        "f2" => ElementType::F16,
        "f4" => ElementType::F32,
        "f8" => ElementType::F64,
        "O" => return Some(Elements::Pickled),
        _ => {
            let length = code.get(1..)?.parse().ok()?;
            return match code.get(..1)? {
                "U" => Some(Elements::Unicode(length)),
                "S" | "a" => Some(Elements::Bytes(length)),
                _ => None,
            };
        }
    }))
}

/// Reads the bytes of an array whose first index changes fastest, and returns them with the last
/// index changing fastest. The memory is twice that of the array.
fn read_fortran(array: &Array, reader: impl Read, name: &str, max_bytes: u64) -> Result<Vec<u8>> {
    let num_bytes = array.num_bytes().filter(|&bytes| bytes as u64 <= max_bytes);
    let num_bytes = num_bytes.ok_or_else(|| {
        let error = Error::data(format!("`{name}` promises {}, and is shorter", array.describe()));
        error.hint("the download may be incomplete")
    })?;
    memory::check_available(2 * num_bytes as u128, &format!("`{name}`"))?;
    let mut stored = memory::reserve(num_bytes, &format!("`{name}`"))?;
    reader.take(num_bytes as u64).read_to_end(&mut stored).map_err(|error| file::read_error(name, &error))?;
    let size = array.element.size();
    // Distance in the file between neighbours of each dimension, in numbers.
    let mut strides = Vec::new();
    let mut stride = 1usize;
    for &length in &array.dims {
        strides.push(stride);
        stride = stride.saturating_mul(length);
    }
    let mut ordered = memory::reserve(num_bytes, &format!("`{name}`"))?;
    let mut index = vec![0; array.dims.len()];
    for _ in 0..num_bytes / size {
        let offset: usize = index.iter().zip(&strides).map(|(&at, &stride): (&usize, _)| at * stride).sum();
        // Missing bytes at the end are reported by the reader of the array.
        let Some(number) = stored.get(offset * size..(offset + 1) * size) else { break };
        ordered.extend_from_slice(number);
        for (at, &length) in index.iter_mut().zip(&array.dims).rev() {
            *at += 1;
            if *at < length {
                break;
            }
            *at = 0;
        }
    }
    Ok(ordered)
}

fn read_exact(reader: &mut impl Read, name: &str, bytes: &mut [u8]) -> Result<()> {
    reader.read_exact(bytes).map_err(|error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => damaged(name, "its end is missing"),
        _ => file::read_error(name, &error),
    })
}

/// Error of an array whose bytes cannot be right.
fn damaged(name: &str, detail: &str) -> Error {
    Error::data(format!("`{name}` is damaged: {detail}"))
        .hint("the download may be incomplete or damaged: fetch the file again")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
