//! Tests of the reading of arrays, with values that are worked out by hand.
#![allow(clippy::panic, clippy::unwrap_used)]

use super::*;
use crate::data::sources::ReadOptions;
use crate::data::sources::raw::RawPixels;
use crate::error::ErrorKind;

fn array(element: ElementType, dims: &[usize]) -> Array {
    Array { element, is_big_endian: true, dims: dims.to_vec() }
}

fn images(element: ElementType, dims: &[usize], bytes: &[u8]) -> Result<ArrayImages> {
    array(element, dims).read_images(bytes, "x", bytes.len() as u64, &ReadOptions::default())
}

fn images_error(element: ElementType, dims: &[usize], bytes: &[u8]) -> String {
    images(element, dims, bytes).unwrap_err().to_string()
}

/// Labels of an array as texts, and the notes.
fn labels(element: ElementType, dims: &[usize], bytes: &[u8]) -> Result<(Vec<String>, Vec<String>)> {
    let (labels, notes) = array(element, dims).read_labels(bytes, "x")?;
    Ok((labels.ids().iter().map(|&id| labels.keys()[id as usize].clone()).collect(), notes))
}

fn labels_error(element: ElementType, dims: &[usize], bytes: &[u8]) -> String {
    labels(element, dims, bytes).unwrap_err().to_string()
}

fn big_endian(numbers: &[i32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

#[test]
fn every_type_is_decoded_in_both_orders_of_bytes() {
    use ElementType::*;
    for (element, bytes, value) in [
        (U8, &[200][..], 200.0),
        (I8, &[200], -56.0),
        (U16, &[0xff, 0xfe], 65534.0),
        (I16, &[0xff, 0xfe], -2.0),
        (U32, &[0xff, 0xff, 0xff, 0xfe], 4_294_967_294.0),
        (I32, &[0xff, 0xff, 0xff, 0xfe], -2.0),
        (U64, &[0, 0, 0, 1, 0, 0, 0, 2], 4_294_967_298.0),
        (I64, &[255, 255, 255, 255, 255, 255, 255, 254], -2.0),
        // Sign, exponent 128 and mantissa 1.25: 2.5.
        (F32, &[0x40, 0x20, 0, 0], 2.5),
        (F64, &[0xc0, 0x04, 0, 0, 0, 0, 0, 0], -2.5),
    ] {
        assert_eq!(bytes.len(), element.size());
        assert_eq!(element.decode(bytes, true), value, "{element:?}");
        let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
        assert_eq!(element.decode(&reversed, false), value, "{element:?}");
    }
}

#[test]
fn every_shape_of_grey_images_is_read() {
    let bytes: Vec<u8> = (0..8).collect();
    for (dims, size) in [
        (&[2, 2, 2][..], (2, 2, 2)),
        (&[2, 4, 1], (2, 4, 1)),
        (&[2, 4], (2, 2, 2)),
        (&[2, 2, 2, 1], (2, 2, 2)),
        (&[2, 1, 2, 2], (2, 2, 2)),
    ] {
        let read = images(ElementType::U8, dims, &bytes).unwrap();
        assert_eq!((read.count, read.height, read.width), size, "{dims:?}");
        assert_eq!((read.pixels, read.notes), (RawPixels::Bytes(bytes.clone()), Vec::new()));
    }
}

#[test]
fn a_given_size_is_that_of_flat_images() {
    let options = ReadOptions { image_size: Some([3, 2]), ..ReadOptions::default() };
    let bytes: Vec<u8> = (0..12).collect();
    let read = |dims: &[usize]| array(ElementType::U8, dims).read_images(&bytes[..], "x", 12, &options);
    let flat = read(&[2, 6]).unwrap();
    assert_eq!((flat.count, flat.height, flat.width), (2, 3, 2));
    assert_eq!(
        read(&[3, 4]).unwrap_err().to_string(),
        "`x` holds 3 × 4 unsigned bytes, expected images\n\n\
         hint: `data.image_size` is [3, 2], and the images have 4 pixels"
    );
    assert_eq!(
        images_error(ElementType::U8, &[2, 6], &bytes),
        "`x` holds 2 × 6 unsigned bytes, expected images\n\n\
         hint: 6 pixels are no square: say the size with `--set data.image_size=[HEIGHT,WIDTH]`"
    );
}

/// The colours are red 255, green 255, and (10, 20, 30). Their grey values are 0.299 · 255 = 76.2,
/// 0.587 · 255 = 149.7, and 2.99 + 11.74 + 3.42 = 18.15.
#[test]
fn colours_become_grey_in_both_orders() {
    let last = [255, 0, 0, 0, 255, 0, 10, 20, 30, 0, 0, 0];
    let first = [255, 0, 10, 0, 0, 255, 20, 0, 0, 0, 30, 0];
    let grey = RawPixels::Bytes(vec![76, 150, 18, 0]);
    let note = "the images are coloured: they are turned to grey";
    for (dims, bytes) in [(&[1, 2, 2, 3], last), (&[1, 3, 2, 2], first)] {
        let read = images(ElementType::U8, dims, &bytes).unwrap();
        assert_eq!((read.count, read.height, read.width, &read.pixels), (1, 2, 2, &grey), "{dims:?}");
        assert_eq!(read.notes, [note]);
        let wide = big_endian(&bytes.map(i32::from));
        let RawPixels::Floats(blocks) = images(ElementType::I32, dims, &wide).unwrap().pixels else {
            panic!("bytes");
        };
        let expected = [76.245, 149.685, 18.15, 0.0];
        assert!(blocks[0].iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-4), "{blocks:?}");
    }
    // Two images: the colours of the second follow those of the first.
    let two = images(ElementType::U8, &[2, 3, 1, 2], &[255, 0, 0, 255, 0, 0, 10, 0, 20, 0, 30, 0]).unwrap();
    assert_eq!(two.pixels, RawPixels::Bytes(vec![76, 150, 18, 0]));
}

#[test]
fn other_types_are_read_as_floats() {
    let bytes = big_endian(&[-1, 70_000]);
    let read = images(ElementType::I32, &[1, 1, 2], &bytes).unwrap();
    assert_eq!(read.pixels, RawPixels::Floats(vec![vec![-1.0, 70_000.0]]));
}

#[test]
fn signed_bytes_are_unsigned_ones_or_moved_by_128() {
    let read = |bytes: &[u8]| {
        let read = images(ElementType::I8, &[1, 1, bytes.len()], bytes).unwrap();
        (read.pixels, read.notes.first().map(String::len).is_some())
    };
    assert_eq!(read(&[0, 0, 127]), (RawPixels::Bytes(vec![0, 0, 127]), false));
    assert_eq!(read(&[0, 0, 255]), (RawPixels::Bytes(vec![0, 0, 255]), true));
    // -128 is the background, 127 the ink.
    assert_eq!(read(&[128, 128, 127, 0]), (RawPixels::Bytes(vec![0, 0, 255, 128]), true));
}

#[test]
fn shapes_that_are_no_images_are_refused() {
    let wrong = |dims: &[usize]| images_error(ElementType::U8, dims, &[0; 1000]);
    assert_eq!(
        wrong(&[60]),
        "`x` holds 60 unsigned bytes, expected images\n\n\
         hint: one number per image is a label: are the images and the labels swapped?"
    );
    let channels = "images are `count × height × width`, with 1 or 3 channels before or after the size";
    for (dims, what) in [(&[1, 2, 2, 4][..], "1 × 2 × 2 × 4"), (&[1, 1, 1, 2, 2], "1 × 1 × 1 × 2 × 2")]
    {
        assert_eq!(
            wrong(dims),
            format!("`x` holds {what} unsigned bytes, expected images\n\nhint: {channels}")
        );
    }
    let hint = "\n\nhint: the program that wrote the file had no images: look there";
    for dims in [[0, 28, 28], [1, 0, 28], [1, 28, 0]] {
        let [count, height, width] = dims;
        assert_eq!(
            wrong(&dims),
            format!("`x` holds {count} × {height} × {width} unsigned bytes, expected at least one{hint}")
        );
    }
}

#[test]
fn missing_bytes_are_counted_for_every_kind_of_images() {
    for (element, dims, bytes) in [
        (ElementType::U8, &[1, 2, 5][..], 9),
        (ElementType::I16, &[1, 1, 5], 9),
        (ElementType::U8, &[1, 2, 2, 3], 11),
        (ElementType::I16, &[1, 3, 1, 2], 11),
    ] {
        let array = array(element, dims);
        let expected = format!(
            "`x` promises {} in {} bytes, got {bytes}\n\n\
             hint: the download may be incomplete: fetch the file again",
            array.describe(),
            bytes + 1
        );
        assert_eq!(images_error(element, dims, &vec![1; bytes]), expected);
        // The bound of a compressed file is no limit of what is missing.
        let error = array.read_images(&vec![1; bytes][..], "x", 1000, &ReadOptions::default());
        assert_eq!(error.unwrap_err().to_string(), expected);
    }
}

/// Reserving the memory of the promise would end the process.
#[test]
fn a_lying_header_takes_no_memory() {
    let huge = 1 << 20;
    for (element, dims) in [
        (ElementType::U8, &[huge, huge, 1 << 10][..]),
        (ElementType::F64, &[huge, huge, 1 << 10]),
        (ElementType::U8, &[1, huge, huge, 3]),
        (ElementType::F64, &[1, 3, huge, huge]),
    ] {
        let text = images_error(element, dims, &[1; 100]);
        assert!(text.contains(" bytes, got 100\n"), "{text}");
    }
    let text = labels_error(ElementType::U8, &[1 << 50], &[1; 100]);
    assert!(text.contains("in 1,125,899,906,842,624 bytes, got 100\n"), "{text}");
}

#[test]
fn more_numbers_than_can_be_counted_are_refused() {
    let max = u32::MAX as usize;
    let expected = "`x` promises 4,294,967,295 × 4,294,967,295 × 4,294,967,295 unsigned bytes, more than can \
                    be counted\n\nhint: the header is damaged: fetch or write the file again";
    assert_eq!(images_error(ElementType::U8, &[max, max, max], &[1; 9]), expected);
    assert_eq!(labels_error(ElementType::U8, &[max, max, max], &[1; 9]), expected);
}

/// More memory than any machine has, and the file might have as many bytes.
#[test]
fn memory_that_is_not_there_is_an_error() {
    let array = array(ElementType::U8, &[1 << 30, 1 << 10, 1 << 10]);
    let error = array.read_images(&[][..], "x", u64::MAX, &ReadOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Resources);
    let start = "`x`, which promises 1,073,741,824 × 1,024 × 1,024 unsigned bytes, needs 1125899907 MB";
    assert!(error.message().starts_with(start), "{error}");
}

#[test]
fn every_shape_of_labels_is_read() {
    let texts = |labels: &[&str]| labels.iter().map(|&label| label.to_owned()).collect::<Vec<_>>();
    let plain = |element, dims: &[usize], bytes: &[u8]| {
        let (labels, notes) = labels(element, dims, bytes).unwrap();
        assert!(notes.is_empty());
        labels
    };
    assert_eq!(plain(ElementType::U8, &[3], &[7, 0, 255]), texts(&["7", "0", "255"]));
    assert_eq!(plain(ElementType::U8, &[2, 1], &[7, 0]), texts(&["7", "0"]));
    assert_eq!(plain(ElementType::I32, &[2], &big_endian(&[-1, 70_000])), texts(&["-1", "70000"]));
    assert_eq!(plain(ElementType::F32, &[1], &2f32.to_be_bytes()), texts(&["2"]));
    assert_eq!(plain(ElementType::U8, &[2, 3], &[0, 0, 1, 1, 0, 0]), texts(&["2", "0"]));
    let one_hot: Vec<u8> = [0f32, 1.0].iter().flat_map(|value| value.to_be_bytes()).collect();
    assert_eq!(plain(ElementType::F32, &[1, 2], &one_hot), texts(&["1"]));
    // One-hot rows of 8 classes are no QMNIST.
    assert_eq!(plain(ElementType::I32, &[1, 8], &big_endian(&[0, 0, 0, 0, 0, 1, 0, 0])), texts(&["5"]));
    let qmnist = big_endian(&[5, 4, 0, 0, 0, 0, 0, 0, 1, 4, 1, 0, 0, 0, 0, 0]);
    let (labels, notes) = labels(ElementType::I32, &[2, 8], &qmnist).unwrap();
    assert_eq!(labels, texts(&["5", "1"]));
    assert_eq!(notes, ["of the 8 numbers per label the first is the class, as in QMNIST"]);
}

#[test]
fn numbers_that_are_no_labels_are_refused() {
    assert_eq!(
        labels_error(ElementType::U8, &[1, 2, 2], &[0; 4]),
        "`x` holds 1 × 2 × 2 unsigned bytes, expected labels\n\n\
         hint: these are images: are the images and the labels swapped?"
    );
    let one_hot = "\n\nhint: a row of labels must be one-hot: one 1, and 0 everywhere else. If the rows are \
                   images, the images and the labels are swapped";
    for (dims, bytes) in [
        ([1, 3], &[0, 0, 0][..]),
        ([1, 3], &[0, 1, 1]),
        ([1, 3], &[0, 2, 0]),
        ([1, 8], &[5, 0, 0, 0, 0, 0, 0, 0]),
    ] {
        let what = format!("`x` holds 1 × {} unsigned bytes, expected labels", dims[1]);
        assert_eq!(labels_error(ElementType::U8, &dims, bytes), what + one_hot);
    }
    assert_eq!(
        labels_error(ElementType::F32, &[1], &0.5f32.to_be_bytes()),
        "`x` holds 0.5 as a label, expected a whole number\n\n\
         hint: labels are the numbers of classes: are the images and the labels swapped?"
    );
    assert!(labels_error(ElementType::F32, &[1], &f32::NAN.to_be_bytes()).starts_with("`x` holds NaN as"));
    assert!(labels_error(ElementType::U8, &[0], &[]).starts_with("`x` holds 0 unsigned bytes, expected at"));
    assert_eq!(
        labels_error(ElementType::I32, &[65_537], &big_endian(&(0..65_537).collect::<Vec<_>>())),
        "`x` holds no labels: the labels have more than 65,536 different values\n\n\
         hint: labels are classes, and many images share one: are the images and the labels swapped?"
    );
    assert_eq!(
        labels_error(ElementType::U8, &[3], &[1, 2]),
        "`x` promises 3 unsigned bytes in 3 bytes, got 2\n\n\
         hint: the download may be incomplete: fetch the file again"
    );
}

#[test]
fn bytes_after_the_last_number_stay_unread() {
    for (element, dims) in
        [(ElementType::U8, &[1, 1, 6][..]), (ElementType::U8, &[1, 2, 1, 3]), (ElementType::I16, &[1, 1, 3])]
    {
        let mut reader = &[1, 2, 3, 4, 5, 6, 77][..];
        array(element, dims).read_images(&mut reader, "x", 7, &ReadOptions::default()).unwrap();
        assert_eq!(reader, [77], "{dims:?}");
    }
}
