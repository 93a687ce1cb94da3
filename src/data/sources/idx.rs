//! Owns the IDX format: its header, and what is wrong with a file that has another one. Depends on
//! `array`, which reads the numbers. Must not know the origin of the bytes: a file's name is for
//! messages only.
//!
//! A header has the bytes 0 and 0, the type of the numbers, the number of dimensions, and the length
//! of each dimension in 4 bytes. All numbers are big-endian. The header is untrusted: memory grows
//! with the bytes that are really there.

#[cfg(test)]
mod tests;

use std::io::{self, Read};
use std::path::Path;

use crate::data::sources::array::{Array, ArrayImages, ElementType, read_up_to};
use crate::data::sources::raw::RawLabels;
use crate::data::sources::{ReadOptions, file};
use crate::error::{Error, ErrorKind, Result};
use crate::util::format::{counted, grouped};

/// The largest number of dimensions of images or labels. A header with more is not read further.
const MAX_DIMS: u8 = 8;

/// A length of a dimension from which it is no real one, except for the number of images.
const HUGE: usize = 1 << 24;

/// Reads an image file to its end. `max_bytes` is an upper bound of its size.
///
/// # Errors
/// The bytes are no IDX file, or no images. Each reason has its own message: see the tests.
pub(super) fn read_images(
    mut reader: impl Read,
    name: &str,
    max_bytes: u64,
    options: &ReadOptions,
) -> Result<ArrayImages> {
    let array = read_header(&mut reader, name)?;
    let images = array.read_images(&mut reader, name, max_bytes, options)?;
    check_end(reader, &array, name)?;
    Ok(images)
}

/// Reads a label file to its end. Returns notes for the user, too.
///
/// # Errors
/// The bytes are no IDX file, or no labels. Each reason has its own message: see the tests.
pub(super) fn read_labels(mut reader: impl Read, name: &str) -> Result<(RawLabels, Vec<String>)> {
    let array = read_header(&mut reader, name)?;
    let labels = array.read_labels(&mut reader, name).map_err(|error| match error.kind() {
        // A single length may really be huge. So it is refused only where the labels are missing.
        ErrorKind::Data if has_little_endian_lengths(&array) => little_endian(&array, name),
        _ => error,
    })?;
    check_end(reader, &array, name)?;
    Ok(labels)
}

/// True if `head` is the beginning of an IDX file.
pub(super) fn is_idx(head: &[u8]) -> bool {
    matches!(head, [0, 0, code, 1..=MAX_DIMS, ..] if element_of(*code).is_some())
}

/// Type of the numbers with this code in a header.
fn element_of(code: u8) -> Option<ElementType> {
    CODES.into_iter().find_map(|(element, known)| (known == code).then_some(element))
}

/// The types of the format and their codes.
const CODES: [(ElementType, u8); 6] = [
    (ElementType::U8, 0x08),
    (ElementType::I8, 0x09),
    (ElementType::I16, 0x0b),
    (ElementType::I32, 0x0c),
    (ElementType::F32, 0x0d),
    (ElementType::F64, 0x0e),
];

/// Reads a header, and leaves the reader at the first number.
fn read_header(reader: &mut impl Read, name: &str) -> Result<Array> {
    let mut magic = [0; 4];
    let got = read_up_to(reader, &mut magic).map_err(|error| file::read_error(name, &error))?;
    let [0, 0, code, num_dims @ 1..=MAX_DIMS] = magic else {
        return Err(wrong_magic(&magic[..got], reader, name));
    };
    let Some(element) = element_of(code) else {
        return Err(wrong_magic(&magic[..got], reader, name));
    };
    let array = Array { element, is_big_endian: true, dims: read_lengths(reader, name, num_dims)? };
    if array.dims.len() > 1 && has_little_endian_lengths(&array) {
        return Err(little_endian(&array, name));
    }
    Ok(array)
}

/// Reads the lengths of all dimensions.
fn read_lengths(reader: &mut impl Read, name: &str, num_dims: u8) -> Result<Vec<usize>> {
    let mut bytes = vec![0; 4 * usize::from(num_dims)];
    let got = read_up_to(reader, &mut bytes).map_err(|error| file::read_error(name, &error))?;
    if got < bytes.len() {
        return Err(short_header(4 + got, &(4 + bytes.len()).to_string(), name));
    }
    let (lengths, _) = bytes.as_chunks();
    Ok(lengths.iter().map(|&length| u32::from_be_bytes(length) as usize).collect())
}

/// Checks that no byte follows the numbers. For a compressed file, this also checks its checksum.
fn check_end(reader: impl Read, array: &Array, name: &str) -> Result<()> {
    let expected = array.num_bytes().unwrap_or(usize::MAX) as u64;
    // Enough to recognise numbers of 8 bytes in place of 1.
    let limit = expected.saturating_mul(7).saturating_add(1);
    let surplus = io::copy(&mut reader.take(limit), &mut io::sink());
    let surplus = surplus.map_err(|error| file::read_error(name, &error))?;
    if surplus == 0 {
        return Ok(());
    }
    let (at_least, hint) = if surplus == limit {
        ("at least ", APPENDED_HINT.to_owned())
    } else {
        ("", surplus_hint(array, expected, surplus))
    };
    let promise = counted(usize::try_from(expected).unwrap_or(usize::MAX), "byte", "bytes");
    let more = grouped(usize::try_from(surplus).unwrap_or(usize::MAX));
    let message = format!("`{name}` promises {} in {promise}, got {at_least}{more} more", array.describe());
    Err(Error::data(message).hint(hint))
}

/// The likely fault of a file that has more bytes than its header promises.
const APPENDED_HINT: &str = "the header may be damaged, or something was appended: fetch the file again";

/// The likely fault of a file with `surplus` bytes after the `expected` ones, and the remedy.
fn surplus_hint(array: &Array, expected: u64, surplus: u64) -> String {
    let size = array.element.size() as u64;
    let is_multiple = surplus.is_multiple_of(expected);
    let real_size = (surplus / expected.max(1)).saturating_add(1).saturating_mul(size);
    if is_multiple && matches!(real_size, 2 | 4 | 8) {
        return format!(
            "the numbers seem to have {real_size} bytes each, and the type in the header has {}. Write the \
             file again: in Python, its numbers are `array.astype(\"{}\").tobytes()`",
            counted(array.element.size(), "byte", "bytes"),
            numpy_type(array.element)
        );
    }
    let rows = array.dims.first().copied().unwrap_or_default() as u64;
    let bytes_per_row = expected.checked_div(rows).unwrap_or_default();
    if array.dims.len() > 1 && bytes_per_row > 0 && surplus.is_multiple_of(bytes_per_row) {
        let there = expected.saturating_add(surplus) / bytes_per_row;
        return format!(
            "the number of images or labels in the header may be wrong: there are bytes for {} of them",
            grouped(usize::try_from(there).unwrap_or(usize::MAX))
        );
    }
    APPENDED_HINT.to_owned()
}

/// Error of a file that begins with other bytes than an IDX file. `magic` is the first bytes, at
/// most 4.
fn wrong_magic(magic: &[u8], reader: &mut impl Read, name: &str) -> Error {
    if let [num_dims @ 1..=MAX_DIMS, code, 0, 0] = *magic
        && let Some(element) = element_of(code)
    {
        return match read_lengths(reader, name, num_dims) {
            Ok(dims) => little_endian(&Array { element, is_big_endian: true, dims }, name),
            Err(error) => error,
        };
    }
    let mut head = magic.to_vec();
    if let Err(error) = reader.take(1020).read_to_end(&mut head) {
        return file::read_error(name, &error);
    }
    if file::describe_wrong_file(&head, Path::new(name)).is_some() {
        return file::wrong_file(&head, Path::new(name), "an IDX file");
    }
    if magic.len() < 4 {
        return short_header(magic.len(), "at least 8", name);
    }
    let bytes: Vec<String> = magic.iter().map(|byte| format!("{byte:02x}")).collect();
    let codes: Vec<String> = CODES.iter().map(|(_, code)| format!("{code:02x}")).collect();
    Error::data(format!(
        "`{name}` is not an IDX file: it begins with the bytes {}, expected 00 00, a type ({}) and the number \
         of dimensions",
        bytes.join(" "),
        codes.join(", ")
    ))
    .hint("is it the right file? docs/data.md shows every form of data that is read")
}

/// Error of a file that ends within its header.
fn short_header(got: usize, expected: &str, name: &str) -> Error {
    let got = counted(got, "byte", "bytes");
    Error::data(format!("`{name}` has only {got}, expected an IDX header of {expected} bytes"))
        .hint("the download may be incomplete: fetch the file again")
}

/// True if the lengths are impossible, and are usual ones with their bytes in the other order.
fn has_little_endian_lengths(array: &Array) -> bool {
    array.dims.iter().any(|&length| length >= HUGE)
        && array.dims.iter().all(|&length| (1..HUGE).contains(&swapped(length)))
}

/// A length with its 4 bytes in the other order.
fn swapped(length: usize) -> usize {
    (length as u32).swap_bytes() as usize
}

/// Error of a file whose header has its numbers in the wrong order of bytes. `array` has the
/// lengths as big-endian ones.
fn little_endian(array: &Array, name: &str) -> Error {
    let dims: Vec<String> = array.dims.iter().map(|&length| swapped(length).to_string()).collect();
    let code = CODES.into_iter().find_map(|(element, code)| (element == array.element).then_some(code));
    let magic = u32::from(code.unwrap_or_default()) << 8 | dims.len() as u32;
    Error::data(format!("`{name}`: the numbers in the header are little-endian, and IDX has big-endian ones"))
        .hint(format!(
            "write the file again. In Python, it is `struct.pack(\">{}I\", {magic}, {}) + \
             array.astype(\"{}\").tobytes()`",
            dims.len() + 1,
            dims.join(", "),
            numpy_type(array.element)
        ))
}

/// The type of the numbers as numpy writes it.
fn numpy_type(element: ElementType) -> &'static str {
    match element {
        ElementType::U8 => "uint8",
        ElementType::I8 => "int8",
        ElementType::I16 => ">i2",
        ElementType::F32 => ">f4",
        ElementType::F64 => ">f8",
        _ => ">i4",
    }
}
