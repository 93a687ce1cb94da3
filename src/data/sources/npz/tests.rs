//! Tests with files that NumPy wrote: see `reference_npz_parquet.py`. Image `i` has the bytes from
//! 10 · i to 10 · i + 5, in 2 × 3 pixels.

#![allow(clippy::unwrap_used)]

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::data::Subset;
use crate::data::sources::{RawImages, RawPixels, ReadOptions, Source};
use crate::error::Result;

fn fixture(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/small")).join(name)
}

fn read_path(path: &Path, subset: Subset) -> Result<Option<RawImages>> {
    Source::parse(&path.display().to_string()).read(subset, &ReadOptions::default())
}

fn read(name: &str, subset: Subset) -> RawImages {
    read_path(&fixture(name), subset).unwrap().unwrap()
}

fn message(path: &Path) -> String {
    let message = read_path(path, Subset::Train).unwrap_err().to_string();
    message.replace(&format!("{}/", path.parent().unwrap().display()), "")
}

/// Bytes of the images with these numbers.
fn images(numbers: std::ops::Range<u8>) -> Vec<u8> {
    numbers.flat_map(|image| 10 * image..10 * image + 6).collect()
}

fn label_words(raw: &RawImages) -> Vec<&str> {
    let labels = raw.labels.as_ref().unwrap();
    labels.ids().iter().map(|&id| labels.keys()[id as usize].as_str()).collect()
}

fn check(raw: &RawImages, pixels: RawPixels, labels: &[&str]) {
    assert_eq!((raw.count, raw.height, raw.width), (labels.len(), 2, 3));
    assert_eq!(raw.pixels, pixels);
    assert_eq!(label_words(raw), labels);
}

#[test]
fn keras_stored_and_compressed_and_single_arrays() {
    for name in ["stored.npz", "keras.npz", "npy"] {
        let train = read(name, Subset::Train);
        check(&train, RawPixels::Bytes(images(0..4)), &["0", "1", "1", "0"]);
        assert!(train.notes.is_empty(), "{:?}", train.notes);
        check(&read(name, Subset::Test), RawPixels::Bytes(images(4..6)), &["1", "0"]);
        assert!(read_path(&fixture(name), Subset::Validation).unwrap().is_none());
    }
    let train = read("keras.npz", Subset::Train);
    assert!(train.images_name.ends_with("keras.npz[x_train]"), "{}", train.images_name);
    assert!(train.labels_name.ends_with("keras.npz[y_train]"), "{}", train.labels_name);
}

#[test]
fn medmnist_has_three_parts_and_a_column_of_labels() {
    check(&read("medmnist.npz", Subset::Train), RawPixels::Bytes(images(0..3)), &["0", "1", "2"]);
    check(&read("medmnist.npz", Subset::Validation), RawPixels::Bytes(images(3..4)), &["2"]);
    check(&read("medmnist.npz", Subset::Test), RawPixels::Bytes(images(4..6)), &["1", "0"]);
}

#[test]
fn kmnist_is_a_folder_of_archives() {
    check(&read("kmnist", Subset::Train), RawPixels::Bytes(images(0..4)), &["0", "1", "2", "0"]);
    check(&read("kmnist", Subset::Test), RawPixels::Bytes(images(4..6)), &["1", "2"]);
    check(&read("kmnist/kmnist", Subset::Test), RawPixels::Bytes(images(4..6)), &["1", "2"]);
    assert_eq!(
        message(&fixture("kmnist/kmnist-train-imgs.npz")),
        "`kmnist-train-imgs.npz` holds `arr_0` (4 × 2 × 3 unsigned bytes), expected arrays with names such as \
         `x_train` and `y_train`\n\nhint: this is one of several files: name their folder"
    );
}

#[test]
fn scikit_learn_has_the_numbers_twice_and_names() {
    let raw = read("digits.npz", Subset::Train);
    check(&raw, RawPixels::Floats(RawPixels::to_floats(&images(0..3))), &["2", "0", "1"]);
    let names = [("0", "zero"), ("1", "one"), ("2", "two")].map(|(a, b)| (a.to_owned(), b.to_owned()));
    assert_eq!(raw.class_names, names);
    assert_eq!(raw.notes, ["arrays of other names are left out: `frame`, `feature_names` and `DESCR`"]);
    assert!(read_path(&fixture("digits.npz"), Subset::Test).unwrap().is_none());
}

/// Rows of 6 pixels need the size that they have.
#[test]
fn words_fortran_order_and_other_byte_orders() {
    let read = |name: &str, size| {
        let options = ReadOptions { image_size: size, ..ReadOptions::default() };
        Source::parse(&fixture(name).display().to_string()).read(Subset::Train, &options)
    };
    let error = read("words.npz", None).unwrap_err();
    assert!(error.to_string().contains("`--set data.image_size=[HEIGHT,WIDTH]`"), "{error}");
    let raw = read("words.npz", Some([2, 3])).unwrap().unwrap();
    check(&raw, RawPixels::Floats(RawPixels::to_floats(&images(0..3))), &["cat", "dög", "cat"]);
    let raw = read("bytes.npz", None).unwrap().unwrap();
    let quarters: Vec<f32> = images(0..2).iter().map(|&byte| f32::from(byte) / 4.0).collect();
    check(&raw, RawPixels::Floats(vec![quarters]), &["a", "bc"]);
}

#[test]
fn arrays_that_are_no_data_set_are_refused() {
    assert_eq!(
        message(&fixture("pickled.npz")),
        "`pickled.npz[x_train]` holds 2 pickled objects, expected images\n\nhint: pickled objects may run code, so \
         they are not read: make an array of one type with `numpy.stack`, or with `.astype(\"uint8\")`, and save it \
         again"
    );
    assert_eq!(
        message(&fixture("unnamed.npz")),
        "`unnamed.npz` holds `arr_0` (4 × 2 × 3 unsigned bytes) and `arr_1` (4 64-bit integers), expected arrays \
         with names such as `x_train` and `y_train`\n\nhint: save it with these names: \
         `numpy.savez_compressed(\"data.npz\", x_train=…, y_train=…, x_test=…, y_test=…)`"
    );
}

/// An archive with these entries, in a folder that is removed with the first value.
fn archive(name: &str, entries: &[(&str, Vec<u8>)]) -> (tempfile::TempDir, PathBuf) {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, writer.finish().unwrap().into_inner()).unwrap();
    (folder, path)
}

/// A `.npy` file with this header, which NumPy fills up with spaces.
fn npy(header: &str, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    [b"\x93NUMPY\x01\0", &length[..], header.as_bytes(), data].concat()
}

fn bytes_header(shape: &str) -> String {
    format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}")
}

#[test]
fn damage_is_reported() {
    let good = std::fs::read(fixture("stored.npz")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npz");
    // One bit of the last pixel of `x_train`, which the checksum finds.
    let mut bytes = good.clone();
    let at = bytes.windows(6).position(|pixels| pixels == [30, 31, 32, 33, 34, 35]).unwrap();
    bytes[at + 5] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let hint = "\n\nhint: the download may be incomplete or damaged: fetch the file again";
    let damaged = message(&path);
    assert!(damaged.starts_with("cannot read `x.npz[x_train]`: the archive is damaged ("), "{damaged}");
    assert!(damaged.ends_with(hint), "{damaged}");
    std::fs::write(&path, &good[..good.len() / 2]).unwrap();
    let cut = message(&path);
    assert!(cut.starts_with("`x.npz` is damaged: ") && cut.ends_with(hint), "{cut}");
}

#[test]
fn a_header_takes_no_memory_that_is_not_there() {
    for shape in ["(60000, 100000, 100000)", "(1, 4294967296, 4294967296, 3)", "(9999999999999999999999,)"] {
        let (_folder, path) = archive("x.npz", &[("x_train.npy", npy(&bytes_header(shape), &[1, 2, 3]))]);
        let message = message(&path);
        assert!(message.starts_with("`x.npz[x_train]` "), "{message}");
    }
    let (_folder, path) = archive("x.npz", &[("x.npy", npy(&bytes_header("(1, 1, 2)"), &[1, 2, 3]))]);
    assert!(
        message(&path).starts_with("`x.npz[x]` has more bytes than its header says"),
        "{}",
        message(&path)
    );
}

#[test]
fn a_zip_archive_without_arrays_is_named() {
    let (_folder, path) = archive("x.npz", &[("a.png", vec![1])]);
    assert!(message(&path).starts_with("`x.npz` is a zip archive, expected one of "), "{}", message(&path));
}

#[test]
fn two_arrays_for_the_same_thing_are_refused() {
    let array = || npy(&bytes_header("(1, 1, 2)"), &[1, 2]);
    let (_folder, path) = archive("x.npz", &[("x_train.npy", array()), ("train_images.npy", array())]);
    let message = message(&path);
    assert!(message.starts_with("`x_train` and `train_images` in `x.npz` could both be meant"), "{message}");
}

#[test]
fn the_number_of_labels_is_checked() {
    let labels = npy(&bytes_header("(3,)"), &[0, 1, 2]);
    let (_folder, path) =
        archive("x.npz", &[("X.npy", npy(&bytes_header("(1, 1, 2)"), &[1, 2])), ("y.npy", labels)]);
    let message = message(&path);
    assert!(message.starts_with("`x.npz[X]` holds 1 image, but `x.npz[y]` holds 3 labels"), "{message}");
}

#[test]
fn a_folder_has_one_data_set() {
    let folder = tempfile::tempdir().unwrap();
    let copy = |from: &str, to: &str| std::fs::copy(fixture(from), folder.path().join(to)).unwrap();
    copy("keras.npz", "a.npz");
    check(
        &read_path(folder.path(), Subset::Test).unwrap().unwrap(),
        RawPixels::Bytes(images(4..6)),
        &["1", "0"],
    );
    copy("medmnist.npz", "b.npz");
    let message = read_path(folder.path(), Subset::Test).unwrap_err().to_string();
    assert!(message.contains("holds `a.npz` and `b.npz`, expected one data set"), "{message}");
    let chosen = read_path(&folder.path().join("b"), Subset::Validation).unwrap().unwrap();
    assert_eq!(chosen.count, 1);
}

/// `train.npz` and `test.npz`, each with `x` and `y`.
#[test]
fn one_archive_per_part() {
    let folder = tempfile::tempdir().unwrap();
    for (part, pixel) in [("train", 5), ("test", 7)] {
        let images = npy(&bytes_header("(1, 1, 2)"), &[pixel, 0]);
        let (_inner, path) =
            archive("x.npz", &[("x.npy", images), ("y.npy", npy(&bytes_header("(1,)"), &[3]))]);
        std::fs::copy(path, folder.path().join(format!("mnist_{part}.npz"))).unwrap();
    }
    for (subset, pixel) in [(Subset::Train, 5), (Subset::Test, 7)] {
        let raw = read_path(folder.path(), subset).unwrap().unwrap();
        assert_eq!(raw.pixels, RawPixels::Bytes(vec![pixel, 0]));
        assert_eq!(label_words(&raw), ["3"]);
    }
}
