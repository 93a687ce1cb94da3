//! Tests of the format and of each message about a file that has another one.
#![allow(clippy::panic, clippy::unwrap_used)]

use super::*;
use crate::data::sources::RawPixels;

/// Returns a file: these numbers in 4 big-endian bytes each, then `body`.
fn file(numbers: &[u32], body: &[u8]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).chain(body.iter().copied()).collect()
}

/// Message about an image file, which must be the same whatever its size is said to be.
fn images_error(bytes: &[u8]) -> String {
    let options = ReadOptions::default();
    let error = read_images(bytes, "x", bytes.len() as u64, &options).unwrap_err();
    assert_eq!(read_images(bytes, "x", 100 * bytes.len() as u64, &options).unwrap_err(), error);
    error.to_string()
}

fn labels_error(bytes: &[u8]) -> String {
    read_labels(bytes, "x").unwrap_err().to_string()
}

#[test]
fn images_are_read_in_order() {
    let bytes = file(&[2051, 2, 1, 3], &[1, 2, 3, 4, 5, 255]);
    let images = read_images(&bytes[..], "x", 22, &ReadOptions::default()).unwrap();
    assert_eq!((images.count, images.height, images.width), (2, 1, 3));
    assert_eq!(images.pixels, RawPixels::Bytes(vec![1, 2, 3, 4, 5, 255]));
}

#[test]
fn every_type_is_known() {
    for (code, body, value) in [
        (8, &[200][..], 200.0),
        (9, &[100], 100.0),
        (0x0b, &[0xff, 0xfe], -2.0),
        (0x0c, &[0, 0, 1, 0], 256.0),
        (0x0d, &[0x40, 0x20, 0, 0], 2.5),
        (0x0e, &[0xc0, 0x04, 0, 0, 0, 0, 0, 0], -2.5),
    ] {
        let bytes = file(&[code << 8 | 3, 1, 1, 1], body);
        assert!(is_idx(&bytes));
        let options = ReadOptions::default();
        let images = read_images(&bytes[..], "x", 100, &options).unwrap();
        assert_eq!(images.pixels.min_max(), (value, value), "{code}");
    }
}

#[test]
fn labels_are_read_in_order() {
    let (labels, notes) = read_labels(&file(&[2049, 3], &[7, 0, 255])[..], "x").unwrap();
    assert_eq!((labels.keys(), labels.ids()), (&["7", "0", "255"].map(String::from)[..], &[0, 1, 2][..]));
    assert!(notes.is_empty());
}

#[test]
fn short_header_is_refused() {
    let hint = "\n\nhint: the download may be incomplete: fetch the file again";
    for (length, text) in [
        (1, "1 byte, expected an IDX header of at least 8 bytes"),
        (3, "3 bytes, expected an IDX header of at least 8 bytes"),
        (4, "4 bytes, expected an IDX header of 16 bytes"),
        (15, "15 bytes, expected an IDX header of 16 bytes"),
    ] {
        let expected = format!("`x` has only {text}{hint}");
        assert_eq!(images_error(&file(&[2051, 1, 1, 1], &[])[..length]), expected);
    }
    let expected = format!("`x` has only 7 bytes, expected an IDX header of 8 bytes{hint}");
    assert_eq!(labels_error(&file(&[2049, 1], &[])[..7]), expected);
    assert_eq!(
        images_error(&[]),
        "`x` is an empty file, expected an IDX file\n\nhint: the download failed: fetch it again"
    );
}

#[test]
fn swapped_files_are_named() {
    assert_eq!(
        images_error(&file(&[2049, 1], &[7])),
        "`x` holds 1 unsigned bytes, expected images\n\n\
         hint: one number per image is a label: are the images and the labels swapped?"
    );
    assert_eq!(
        labels_error(&file(&[2051, 1, 1, 1], &[7])),
        "`x` holds 1 × 1 × 1 unsigned bytes, expected labels\n\n\
         hint: these are images: are the images and the labels swapped?"
    );
}

#[test]
fn other_files_are_named_for_what_they_are() {
    for (bytes, text) in [
        (
            &b"<!DOCTYPE html><html>"[..],
            "`x` is a web page, expected an IDX file\n\nhint: the download failed",
        ),
        (b"\x1f\x8b\x08\x08", "`x` is compressed twice, expected an IDX file\n\nhint: unpack it: `gunzip x`"),
        (b"PK\x03\x04", "`x` is a zip archive, expected an IDX file"),
        (
            b"version https://git-lfs.github.com/spec/v1",
            "`x` is a Git LFS pointer, which only names the data",
        ),
    ] {
        assert!(images_error(bytes).starts_with(text), "{}", images_error(bytes));
        assert_eq!(labels_error(bytes), images_error(bytes));
    }
    for magic in [0x0a03, 0x0800, 0x0809, 0x01_0803, 0x6162_6364] {
        let bytes = file(&[magic, 1, 1, 1, 1], &[]);
        let digits: Vec<String> = bytes[..4].iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            images_error(&bytes),
            format!(
                "`x` is not an IDX file: it begins with the bytes {}, expected 00 00, a type (08, 09, 0b, 0c, \
                 0d, 0e) and the number of dimensions\n\n\
                 hint: is it the right file? docs/data.md shows every form of data that is read",
                digits.join(" ")
            )
        );
        assert!(!is_idx(&bytes));
    }
}

#[test]
fn empty_dimensions_are_refused() {
    for dims in [[0, 28, 28], [1, 0, 28], [2, 28, 0]] {
        let [count, height, width] = dims;
        assert_eq!(
            images_error(&file(&[2051, count, height, width], &[])),
            format!(
                "`x` holds {count} × {height} × {width} unsigned bytes, expected at least one\n\n\
                 hint: the program that wrote the file had no images: look there"
            )
        );
    }
    assert!(
        labels_error(&file(&[2049, 0], &[])).starts_with("`x` holds 0 unsigned bytes, expected at least")
    );
}

#[test]
fn missing_bytes_are_counted() {
    let hint = "\n\nhint: the download may be incomplete: fetch the file again";
    assert_eq!(
        images_error(&file(&[2051, 3, 2, 2], &[0; 11])),
        format!("`x` promises 3 × 2 × 2 unsigned bytes in 12 bytes, got 11{hint}")
    );
    assert_eq!(
        labels_error(&file(&[2049, 3], &[1])),
        format!("`x` promises 3 unsigned bytes in 3 bytes, got 1{hint}")
    );
}

#[test]
fn trailing_bytes_are_refused() {
    let hint = "the header may be damaged, or something was appended: fetch the file again";
    for (surplus, text, hint) in [
        (1, "1", hint),
        (4, "4", "the number of images or labels in the header may be wrong: there are bytes for 4 of them"),
        (30, "30", hint),
        (100, "at least 85", hint),
    ] {
        assert_eq!(
            images_error(&file(&[2051, 3, 2, 2], &vec![0; 12 + surplus])),
            format!("`x` promises 3 × 2 × 2 unsigned bytes in 12 bytes, got {text} more\n\nhint: {hint}")
        );
    }
    // Two images of one pixel: what follows is not counted to its end.
    assert!(images_error(&file(&[2051, 2, 1, 1], &[0; 99])).ends_with(&format!("15 more\n\nhint: {hint}")));
    assert_eq!(
        labels_error(&file(&[2049, 3], &[0; 4])),
        format!("`x` promises 3 unsigned bytes in 3 bytes, got 1 more\n\nhint: {hint}")
    );
}

/// numpy's whole numbers have 8 bytes unless one asks for others.
#[test]
fn numbers_of_another_size_than_the_header_says_are_named() {
    let wide = |size: &str, header: &str, numpy: &str| {
        format!(
            "hint: the numbers seem to have {size} bytes each, and the type in the header has {header}. Write \
             the file again: in Python, its numbers are `array.astype(\"{numpy}\").tobytes()`"
        )
    };
    for (code, got, expected) in [
        (0x0c, 80, wide("8", "4 bytes", ">i4")),
        (0x08, 80, wide("8", "1 byte", "uint8")),
        (0x08, 40, wide("4", "1 byte", "uint8")),
        (0x0b, 80, wide("8", "2 bytes", ">i2")),
    ] {
        let text = labels_error(&file(&[code << 8 | 1, 10], &vec![0; got]));
        assert_eq!(text.split_once("\n\n").unwrap().1, expected);
    }
}

#[test]
fn little_endian_numbers_are_named() {
    let little =
        |numbers: &[u32]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>();
    let expected = "`x`: the numbers in the header are little-endian, and IDX has big-endian ones\n\n\
                    hint: write the file again. In Python, it is";
    let whole = [little(&[2051, 2, 1, 3]), vec![0; 6]].concat();
    let images =
        format!("{expected} `struct.pack(\">4I\", 2051, 2, 1, 3) + array.astype(\"uint8\").tobytes()`");
    assert_eq!(images_error(&whole), images);
    let counts = [file(&[2051], &[]), little(&[2, 1, 3]), vec![0; 6]].concat();
    assert_eq!(images_error(&counts), images);
    let labels = format!("{expected} `struct.pack(\">2I\", 3073, 60000) + array.astype(\">i4\").tobytes()`");
    assert_eq!(labels_error(&[little(&[3073, 60_000]), vec![0; 240_000]].concat()), labels);
    assert_eq!(labels_error(&[file(&[3073], &[]), little(&[60_000]), vec![0; 240_000]].concat()), labels);
}

#[test]
fn overflowing_promise_is_refused() {
    let max = u32::MAX;
    assert_eq!(
        images_error(&file(&[2051, max, max, max], &[0; 9])),
        "`x` promises 4,294,967,295 × 4,294,967,295 × 4,294,967,295 unsigned bytes, more than can be \
         counted\n\nhint: the header is damaged: fetch or write the file again"
    );
}

/// Reserving the 2^62 bytes of the header would abort the process or fail with another message.
#[test]
fn huge_promise_takes_no_memory() {
    let expected = "`x` promises 1,073,741,823 × 65,535 × 65,535 unsigned bytes in 4,611,545,277,717,938,175 \
                    bytes, got 5\n\nhint: the download may be incomplete: fetch the file again";
    assert_eq!(images_error(&file(&[2051, (1 << 30) - 1, 65_535, 65_535], &[0; 5])), expected);
}

#[test]
fn failing_reader_is_named() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    for start in [&[][..], &file(&[2049, 3], &[1]), &file(&[2049, 1], &[1]), b"abcd"] {
        let error = read_labels(start.chain(Failing), "x").unwrap_err();
        assert_eq!(error.to_string(), "cannot read `x`: the disk is gone");
        assert_eq!(error.kind(), ErrorKind::Io);
    }
}
