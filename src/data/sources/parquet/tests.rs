//! Tests with files that pyarrow wrote: see `reference_npz_parquet.py`. Picture `i` has the bytes
//! from 10 · i to 10 · i + 5, in 2 × 3 pixels.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use crate::data::Subset;
use crate::data::sources::{RawImages, RawPixels, ReadOptions, Source};
use crate::error::Result;

fn fixture(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/small")).join(name)
}

fn read_with(path: &Path, subset: Subset, options: &ReadOptions) -> Result<Option<RawImages>> {
    Source::parse(&path.display().to_string()).read(subset, options)
}

fn read(name: &str, subset: Subset) -> RawImages {
    read_with(&fixture(name), subset, &ReadOptions::default()).unwrap().unwrap()
}

fn message(path: &Path) -> String {
    let message = read_with(path, Subset::Train, &ReadOptions::default()).unwrap_err().to_string();
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

fn check(raw: &RawImages, pixels: Vec<u8>, labels: &[&str]) {
    assert_eq!((raw.count, raw.height, raw.width), (labels.len(), 2, 3));
    assert_eq!(raw.pixels, RawPixels::Bytes(pixels));
    assert_eq!(label_words(raw), labels);
}

/// Two shards, the first of two groups of rows, and names of classes in the metadata.
#[test]
fn a_data_set_of_hugging_face() {
    let train = read("hub", Subset::Train);
    check(&train, images(0..4), &["0", "1", "2", "2"]);
    let names = [("0", "zero"), ("1", "one"), ("2", "two")].map(|(a, b)| (a.to_owned(), b.to_owned()));
    assert_eq!(train.class_names, names);
    assert!(train.notes.is_empty(), "{:?}", train.notes);
    assert!(train.images_name.ends_with("train-00000-of-00002.parquet"), "{}", train.images_name);
    check(&read("hub", Subset::Test), images(4..6), &["1", "0"]);
    assert!(read_with(&fixture("hub"), Subset::Validation, &ReadOptions::default()).unwrap().is_none());
}

#[test]
fn a_single_file_is_one_part() {
    let name = "hub/test-00000-of-00001.parquet";
    check(&read(name, Subset::Train), images(4..6), &["1", "0"]);
    assert!(read_with(&fixture(name), Subset::Test, &ReadOptions::default()).unwrap().is_none());
}

#[test]
fn other_columns() {
    check(&read("plain.parquet", Subset::Train), images(0..2), &["cat", "dog"]);
    check(&read("int32.parquet", Subset::Train), images(0..2), &["3", "4"]);
    let options = ReadOptions { label_column: Some("id".to_owned()), ..ReadOptions::default() };
    let raw = read_with(&fixture("plain.parquet"), Subset::Train, &options).unwrap().unwrap();
    assert_eq!(label_words(&raw), ["7", "8"]);
    let options = ReadOptions { label_column: Some("text".to_owned()), ..ReadOptions::default() };
    let error = read_with(&fixture("plain.parquet"), Subset::Train, &options).unwrap_err();
    assert!(error.message().ends_with("has no column `text` of whole numbers or words"), "{error}");
    for name in ["text", "lists"] {
        let message = message(&fixture(&format!("{name}.parquet")));
        assert!(
            message.contains("`label`, expected `image` with PNG or JPEG pictures") || name == "text",
            "{message}"
        );
        assert!(message.starts_with(&format!("`{name}.parquet` has the columns ")), "{message}");
    }
}

/// 76, 150, 29 and 124 are what Pillow's `convert("L")` makes of the colours.
#[test]
fn colours_become_grey_as_with_pillow() {
    let raw = read("colours.parquet", Subset::Train);
    check(&raw, [vec![76, 150, 29, 124, 9, 0], images(1..2)].concat(), &["0", "1"]);
    assert_eq!(raw.notes, ["the images are coloured: they are turned to grey"]);
}

#[test]
fn pictures_have_one_size() {
    assert_eq!(
        message(&fixture("sizes.parquet")),
        "the picture in row 1 of `sizes.parquet` has 2x3 pixels, expected 4x6 as those before it\n\nhint: resize all \
         pictures with `--set data.image_size=[4,6]`"
    );
    let options = ReadOptions { image_size: Some([2, 3]), ..ReadOptions::default() };
    let raw = read_with(&fixture("sizes.parquet"), Subset::Train, &options).unwrap().unwrap();
    check(&raw, [vec![90; 6], images(1..2)].concat(), &["0", "1"]);
}

#[test]
fn rows_without_a_picture() {
    assert_eq!(
        message(&fixture("missing.parquet")),
        "the picture in row 1 of `missing.parquet` is missing\n\nhint: rows are counted from 0; leave such pictures \
         out with `--set data.skip_broken=true`"
    );
    let options = ReadOptions { skip_broken: true, ..ReadOptions::default() };
    let raw = read_with(&fixture("missing.parquet"), Subset::Train, &options).unwrap().unwrap();
    check(&raw, images(0..1), &["0"]);
    assert_eq!(raw.notes, ["1 picture that cannot be read: left out, with their labels"]);
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let message_of = message(&fixture("zstd.parquet"));
    assert!(
        message_of.starts_with("`zstd.parquet` is compressed with ZSTD, expected Snappy or none"),
        "{message_of}"
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.parquet");
    let bytes = std::fs::read(fixture("plain.parquet")).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 100]).unwrap();
    let cut = message(&path);
    assert!(cut.starts_with("`x.parquet` is damaged: "), "{cut}");
    assert!(cut.ends_with("hint: the download may be incomplete or damaged: fetch the file again"), "{cut}");
}

#[test]
fn a_missing_shard_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let copy =
        |name: &str, to: &str| std::fs::copy(fixture("hub").join(name), folder.path().join(to)).unwrap();
    copy("train-00000-of-00002.parquet", "train-00000-of-00002.parquet");
    copy("test-00000-of-00001.parquet", "test-00000-of-00001.parquet");
    let error = read_with(folder.path(), Subset::Train, &ReadOptions::default()).unwrap_err();
    assert!(error.message().starts_with("shard 1 of 2 is missing in `"), "{error}");
    copy("train-00001-of-00002.parquet", "train-00001-of-00002-5fa2.parquet");
    let raw = read_with(folder.path(), Subset::Train, &ReadOptions::default()).unwrap().unwrap();
    assert_eq!(raw.count, 4);
}

#[test]
fn folders_of_parts() {
    let folder = tempfile::tempdir().unwrap();
    for (part, name) in [("train", "train-00000-of-00002.parquet"), ("test", "test-00000-of-00001.parquet")] {
        std::fs::create_dir(folder.path().join(part)).unwrap();
        std::fs::copy(fixture("hub").join(name), folder.path().join(part).join("0000.parquet")).unwrap();
    }
    let read = |subset| read_with(folder.path(), subset, &ReadOptions::default()).unwrap().unwrap();
    check(&read(Subset::Train), images(0..3), &["0", "1", "2"]);
    check(&read(Subset::Test), images(4..6), &["1", "0"]);
}
