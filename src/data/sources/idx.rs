//! Owns the IDX format: turns the bytes of an image or label file into checked images or labels.
//! Must not know the origin of the bytes (a file's name is for messages only), nor any tensor.
//!
//! The header is untrusted: memory grows with the bytes that are really there.

use std::fmt;
use std::io::{self, Read};

use crate::data::ImageDataset;
use crate::error::{Error, ErrorKind, Result, copy_io_error};
use crate::util::format::{counted, grouped};

/// The images of one IDX file as one block of bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IdxImages {
    /// Pixels: `count * height * width` bytes, row-major, 0 is background. Image `i` starts at
    /// `i * height * width`.
    pub(super) pixels: Vec<u8>,
    /// Number of images, at least 1.
    pub(super) count: usize,
    /// Rows per image, at least 1.
    pub(super) height: usize,
    /// Columns per image, at least 1.
    pub(super) width: usize,
}

impl IdxImages {
    /// Joins the images of one file and the labels of another.
    ///
    /// # Errors
    /// There are not as many labels as images.
    pub(super) fn with_labels(
        self,
        images_name: String,
        labels: Vec<u8>,
        labels_name: String,
    ) -> Result<ImageDataset> {
        if self.count != labels.len() {
            let count = counted(self.count, "image", "images");
            let labels = counted(labels.len(), "label", "labels");
            return Err(Error::data(format!(
                "`{images_name}` holds {count}, but `{labels_name}` holds {labels}"
            ))
            .hint("both files must come from the same part of the same data set"));
        }
        let Self { pixels, height, width, .. } = self;
        Ok(ImageDataset { pixels, labels, height, width, images_name, labels_name })
    }
}

/// Reads an image file (magic number 2051) to its end.
///
/// `name` is the name of the file in messages. `max_bytes` is an upper bound of the file's size,
/// header included. The function reserves memory at once for the size in the header, but never for
/// more than `max_bytes`.
///
/// # Errors
/// The bytes are not an image file. Each reason has its own message: see the tests.
pub(super) fn read_images(mut reader: impl Read, name: &str, max_bytes: u64) -> Result<IdxImages> {
    let header = read_header(&mut reader, FileKind::Images, name)?;
    let pixels = read_body(reader, &header, name, max_bytes)?;
    Ok(header.with_pixels(pixels))
}

/// Reads a label file (magic number 2049) to its end: one label per byte. Otherwise as
/// [`read_images`].
///
/// # Errors
/// The bytes are not a label file. Each reason has its own message: see the tests.
pub(super) fn read_labels(mut reader: impl Read, name: &str, max_bytes: u64) -> Result<Vec<u8>> {
    let header = read_header(&mut reader, FileKind::Labels, name)?;
    read_body(reader, &header, name, max_bytes)
}

/// Reads an image file that is in memory as a whole. Its block of memory becomes the pixels.
/// Otherwise as [`read_images`].
///
/// # Errors
/// As [`read_images`].
pub(super) fn images_from_bytes(mut bytes: Vec<u8>, name: &str) -> Result<IdxImages> {
    let header = Header::parse(&bytes, FileKind::Images, name)?;
    bytes.drain(..FileKind::Images.header_size());
    header.check_body(bytes.len(), name)?;
    Ok(header.with_pixels(bytes))
}

/// Error of a file that could not be read to its end, because of a device or a damaged compressed
/// stream.
pub(super) fn read_error(name: &str, source: &io::Error) -> Error {
    let kind = match source.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::FileTooLarge => ErrorKind::Data,
        io::ErrorKind::OutOfMemory => ErrorKind::Resources,
        _ => ErrorKind::Io,
    };
    let error = Error::new(format!("cannot read `{name}`: {source}"))
        .with_kind(kind)
        .with_source(copy_io_error(source));
    match source.kind() {
        io::ErrorKind::InvalidData => error.hint(
            "the download may be incomplete or damaged; a file that is not compressed must not end in `.gz`",
        ),
        io::ErrorKind::FileTooLarge => {
            error.hint("if these are images nevertheless, unpack the file and use it without `.gz`")
        }
        _ => error,
    }
}

/// The two kinds of IDX files that a data set has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FileKind {
    Images,
    Labels,
}

impl FileKind {
    /// Number in the first four bytes.
    fn magic(self) -> u32 {
        match self {
            Self::Images => 2051,
            Self::Labels => 2049,
        }
    }

    /// Bytes of the header: the magic number and one number per dimension, 4 bytes each.
    fn header_size(self) -> usize {
        match self {
            Self::Images => 16,
            Self::Labels => 8,
        }
    }
}

/// Contents of a file according to its header. For labels, height and width are 1.
#[derive(Debug)]
struct Header {
    kind: FileKind,
    count: usize,
    height: usize,
    width: usize,
    body_size: usize,
}

impl Header {
    /// Parses the header at the start of `bytes`. More bytes may follow it.
    fn parse(bytes: &[u8], kind: FileKind, name: &str) -> Result<Self> {
        let number_at = |offset: usize| bytes.get(offset..)?.first_chunk().copied().map(u32::from_be_bytes);
        if let Some(magic) = number_at(0)
            && magic != kind.magic()
        {
            return Err(wrong_magic(magic, kind, name));
        }
        let dimensions = match kind {
            FileKind::Images => {
                number_at(4).zip(number_at(8)).zip(number_at(12)).map(|((n, h), w)| (n, h, w))
            }
            FileKind::Labels => number_at(4).map(|count| (count, 1, 1)),
        };
        let Some((count, height, width)) = dimensions else {
            let (got, expected) = (bytes.len(), kind.header_size());
            let got = counted(got, "byte", "bytes");
            let detail = format!("got {got}, expected a header of {expected} bytes");
            return Err(invalid(name, &detail).hint("the download may be incomplete"));
        };
        Self::from_dimensions(kind, [count, height, width], name)
    }

    /// Builds the header after checking that its size is above 0 and can be counted.
    fn from_dimensions(kind: FileKind, dimensions: [u32; 3], name: &str) -> Result<Self> {
        let [count, height, width] = dimensions.map(|dimension| dimension as usize);
        let body_size = count.checked_mul(height).and_then(|rows| rows.checked_mul(width));
        let header = Self { kind, count, height, width, body_size: body_size.unwrap_or(usize::MAX) };
        if header.body_size == 0 {
            let smallest = Self { count: 1, height: 1, width: 1, ..header };
            return Err(invalid(
                name,
                &format!("the header promises {header}, expected at least {smallest}"),
            ));
        }
        if body_size.is_none() {
            let detail = format!("the header promises {header}, more bytes than can be counted");
            return Err(invalid(name, &detail).hint("the header is damaged"));
        }
        Ok(header)
    }

    /// Checks the number of bytes after the header. A caller may count any surplus as 1.
    fn check_body(&self, got: usize, name: &str) -> Result<()> {
        let expected = self.body_size;
        if got < expected {
            let expected = counted(expected, "byte", "bytes");
            let detail = format!("the header promises {self} in {expected}, got {}", grouped(got));
            return Err(invalid(name, &detail).hint("the download may be incomplete"));
        }
        if got > expected {
            let end = expected.saturating_add(self.kind.header_size());
            let detail =
                format!("the header promises {self}, got bytes after the expected end at {end} bytes");
            return Err(invalid(name, &detail).hint("the header may be damaged, or something was appended"));
        }
        Ok(())
    }

    /// Adds the pixels, whose number was checked.
    fn with_pixels(self, pixels: Vec<u8>) -> IdxImages {
        IdxImages { pixels, count: self.count, height: self.height, width: self.width }
    }
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, height, width, .. } = self;
        match self.kind {
            FileKind::Images => {
                write!(f, "{} of {height}x{width} pixels", counted(*count, "image", "images"))
            }
            FileKind::Labels => f.write_str(&counted(*count, "label", "labels")),
        }
    }
}

/// Reads and parses the header.
fn read_header(reader: &mut impl Read, kind: FileKind, name: &str) -> Result<Header> {
    let size = kind.header_size();
    let mut bytes = Vec::with_capacity(size);
    reader.take(size as u64).read_to_end(&mut bytes).map_err(|error| read_error(name, &error))?;
    Header::parse(&bytes, kind, name)
}

/// Reads the bytes after the header, and tries to read one more, which a valid file does not have.
fn read_body(reader: impl Read, header: &Header, name: &str, max_bytes: u64) -> Result<Vec<u8>> {
    let expected = header.body_size;
    let max_bytes = usize::try_from(max_bytes).unwrap_or(usize::MAX);
    let mut body = Vec::new();
    let reserved = body.try_reserve_exact(expected.min(max_bytes));
    reserved.map_err(|_| read_error(name, &io::ErrorKind::OutOfMemory.into()))?;
    let mut reader = reader.take((expected as u64).saturating_add(1));
    reader.read_to_end(&mut body).map_err(|error| read_error(name, &error))?;
    header.check_body(body.len(), name)?;
    Ok(body)
}

fn invalid(name: &str, detail: &str) -> Error {
    Error::data(format!("invalid IDX file `{name}`: {detail}"))
}

fn wrong_magic(got: u32, expected: FileKind, name: &str) -> Error {
    let hint = match got.to_be_bytes() {
        [0x1f, 0x8b, ..] if name.ends_with(".gz") => "this file was compressed twice; unpack it once",
        [0x1f, 0x8b, ..] => "this file is compressed with gzip; its name must end in `.gz`",
        [0, 0, 8, 1] => "this is a label file; are the image and label files swapped?",
        [0, 0, 8, 3] => "this is an image file; are the image and label files swapped?",
        [0, 0, 8, _] => "images have 3 dimensions (count, height, width) and labels 1; this file differs",
        [0, 0, 9..=14, _] => "only values of one unsigned byte are read; this file holds another type",
        _ => "this is not an IDX file",
    };
    invalid(name, &format!("magic number {got}, expected {}", expected.magic())).hint(hint)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn file(numbers: &[u32], body: &[u8]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_be_bytes()).chain(body.iter().copied()).collect()
    }

    /// Message about an image file, which must be the same from each function that reads one.
    fn images_error(bytes: &[u8]) -> String {
        let error = read_images(bytes, "x", 0).unwrap_err();
        assert_eq!(read_images(bytes, "x", bytes.len() as u64).unwrap_err(), error);
        assert_eq!(images_from_bytes(bytes.to_vec(), "x").unwrap_err(), error);
        error.to_string()
    }

    fn labels_error(bytes: &[u8]) -> String {
        read_labels(bytes, "x", 0).unwrap_err().to_string()
    }

    #[test]
    fn images_are_read_in_order() {
        let bytes = file(&[2051, 2, 1, 3], &[1, 2, 3, 4, 5, 255]);
        let images = read_images(&bytes[..], "x", 0).unwrap();
        assert_eq!(images, IdxImages { pixels: vec![1, 2, 3, 4, 5, 255], count: 2, height: 1, width: 3 });
        assert_eq!(read_images(&bytes[..], "x", 22).unwrap(), images);
        assert_eq!(images_from_bytes(bytes, "x").unwrap(), images);
    }

    #[test]
    fn labels_are_read_in_order() {
        assert_eq!(read_labels(&file(&[2049, 3], &[7, 0, 255])[..], "x", 0).unwrap(), [7, 0, 255]);
    }

    #[test]
    fn short_header_is_refused() {
        let hint = "\n\nhint: the download may be incomplete";
        for length in [0, 3, 4, 15] {
            let expected =
                format!("invalid IDX file `x`: got {length} bytes, expected a header of 16 bytes{hint}");
            assert_eq!(images_error(&file(&[2051, 1, 1, 1], &[])[..length]), expected);
        }
        let expected = format!("invalid IDX file `x`: got 7 bytes, expected a header of 8 bytes{hint}");
        assert_eq!(labels_error(&file(&[2049, 1], &[])[..7]), expected);
    }

    #[test]
    fn swapped_files_are_named() {
        assert_eq!(
            images_error(&file(&[2049, 1], &[7])),
            "invalid IDX file `x`: magic number 2049, expected 2051\n\n\
             hint: this is a label file; are the image and label files swapped?"
        );
        assert_eq!(
            labels_error(&file(&[2051, 1, 1, 1], &[7])),
            "invalid IDX file `x`: magic number 2051, expected 2049\n\n\
             hint: this is an image file; are the image and label files swapped?"
        );
    }

    #[test]
    fn other_magic_numbers_name_the_kind_of_file() {
        let hints = [
            (0x1f8b_0808, "this file is compressed with gzip; its name must end in `.gz`"),
            (0x0804, "images have 3 dimensions (count, height, width) and labels 1; this file differs"),
            (0x0d03, "only values of one unsigned byte are read; this file holds another type"),
            (0x8950_4e47, "this is not an IDX file"),
        ];
        for (magic, hint) in hints {
            let expected =
                format!("invalid IDX file `x`: magic number {magic}, expected 2051\n\nhint: {hint}");
            assert_eq!(images_error(&file(&[magic], &[])), expected);
        }
        assert_eq!(
            read_images(&file(&[0x1f8b_0808], &[])[..], "x.gz", 0).unwrap_err().to_string(),
            "invalid IDX file `x.gz`: magic number 529205256, expected 2051\n\n\
             hint: this file was compressed twice; unpack it once"
        );
    }

    #[test]
    fn empty_dimensions_are_refused() {
        for ([count, height, width], promise) in [
            ([0, 28, 28], "0 images of 28x28 pixels"),
            ([1, 0, 28], "1 image of 0x28 pixels"),
            ([2, 28, 0], "2 images of 28x0 pixels"),
        ] {
            let expected = format!(
                "invalid IDX file `x`: the header promises {promise}, expected at least 1 image of 1x1 pixels"
            );
            assert_eq!(images_error(&file(&[2051, count, height, width], &[])), expected);
        }
        assert_eq!(
            labels_error(&file(&[2049, 0], &[])),
            "invalid IDX file `x`: the header promises 0 labels, expected at least 1 label"
        );
    }

    #[test]
    fn missing_bytes_are_counted() {
        assert_eq!(
            images_error(&file(&[2051, 3, 2, 2], &[0; 11])),
            "invalid IDX file `x`: the header promises 3 images of 2x2 pixels in 12 bytes, got \
             11\n\nhint: the download may be incomplete"
        );
        assert_eq!(
            labels_error(&file(&[2049, 3], &[1])),
            "invalid IDX file `x`: the header promises 3 labels in 3 bytes, got 1\n\n\
             hint: the download may be incomplete"
        );
    }

    #[test]
    fn trailing_bytes_are_refused() {
        assert_eq!(
            images_error(&file(&[2051, 3, 2, 2], &[0; 15])),
            "invalid IDX file `x`: the header promises 3 images of 2x2 pixels, got bytes after the expected \
             end at 28 bytes\n\nhint: the header may be damaged, or something was appended"
        );
        assert_eq!(
            labels_error(&file(&[2049, 3], &[0; 4])),
            "invalid IDX file `x`: the header promises 3 labels, got bytes after the expected end at 11 bytes\
             \n\nhint: the header may be damaged, or something was appended"
        );
    }

    #[test]
    fn overflowing_promise_is_refused() {
        let max = u32::MAX;
        assert_eq!(
            images_error(&file(&[2051, max, max, max], &[0; 9])),
            "invalid IDX file `x`: the header promises 4,294,967,295 images of 4294967295x4294967295 pixels, \
             more bytes than can be counted\n\nhint: the header is damaged"
        );
    }

    /// Reserving the 2^62 bytes of the header would abort the process or fail with another message.
    #[test]
    fn huge_promise_takes_no_memory() {
        let expected = "invalid IDX file `x`: the header promises 1,073,741,824 images of 65536x65536 pixels \
                        in 4,611,686,018,427,387,904 bytes, got 5\n\n\
                        hint: the download may be incomplete";
        assert_eq!(images_error(&file(&[2051, 1 << 30, 1 << 16, 1 << 16], &[0; 5])), expected);
    }

    #[test]
    fn failing_reader_is_named() {
        struct Failing;
        impl Read for Failing {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("the disk is gone"))
            }
        }
        let start = file(&[2049, 3], &[1]);
        assert_eq!(
            read_labels(Failing, "x", 0).unwrap_err().to_string(),
            "cannot read `x`: the disk is gone"
        );
        assert_eq!(
            read_labels(start.chain(Failing), "x", 0).unwrap_err().to_string(),
            "cannot read `x`: the disk is gone"
        );
    }
}
