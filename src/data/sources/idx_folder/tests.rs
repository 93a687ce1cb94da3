//! Tests of folders of IDX files: their names, and what is done where a file is missing, damaged or
//! there twice.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

use super::*;
use crate::data::sources::RawPixels;

const NAMES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// Returns the file of `count` images of 2x1 pixels, with pixels 0, 1, 2 …
fn image_bytes(count: u8) -> Vec<u8> {
    [&[0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 2, 0, 0, 0, 1][..], &(0..2 * count).collect::<Vec<_>>()].concat()
}

fn label_bytes(labels: &[u8]) -> Vec<u8> {
    [&[0, 0, 8, 1, 0, 0, 0, labels.len() as u8][..], labels].concat()
}

/// Returns four files: three training images with labels 0, 2, 1 and two test images with labels
/// 2, 0.
fn small_files() -> [Vec<u8>; 4] {
    [image_bytes(3), label_bytes(&[0, 2, 1]), image_bytes(2), label_bytes(&[2, 0])]
}

/// Writes a file, and the folder that it is in. Files with the ending `.gz` are compressed.
fn write(dir: &TempDir, name: &str, bytes: &[u8]) {
    let path = dir.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    if !name.ends_with(".gz") {
        return fs::write(path, bytes).unwrap();
    }
    let mut encoder = GzEncoder::new(fs::File::create(path).unwrap(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap();
}

/// Makes a folder of the four small files with these `names`.
fn folder(names: [&str; 4]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in names.iter().zip(small_files()) {
        write(&dir, name, &bytes);
    }
    dir
}

/// Reads a subset of the data set at the path `name` in a folder.
fn read_at(dir: &TempDir, name: &str, subset: Subset) -> Result<Option<RawImages>> {
    let path = if name.is_empty() { dir.path().to_owned() } else { dir.path().join(name) };
    Source::parse(path.to_str().unwrap()).read(subset, &ReadOptions::default())
}

fn read(dir: &TempDir, subset: Subset) -> RawImages {
    read_at(dir, "", subset).unwrap().unwrap()
}

/// Text with the folder's path replaced by `DIR`.
fn without_dir(dir: &TempDir, text: &str) -> String {
    text.replace(dir.path().to_str().unwrap(), "DIR")
}

fn error_at(dir: &TempDir, name: &str, subset: Subset) -> String {
    without_dir(dir, &read_at(dir, name, subset).unwrap_err().to_string())
}

/// Labels of the images as texts.
fn labels_of(images: &RawImages) -> Option<Vec<&str>> {
    let labels = images.labels.as_ref()?;
    Some(labels.ids().iter().map(|&id| labels.keys()[id as usize].as_str()).collect())
}

fn assert_small_data_set(dir: &TempDir, name: &str) {
    for (subset, pixels, labels) in [
        (Subset::Train, vec![0, 1, 2, 3, 4, 5], vec!["0", "2", "1"]),
        (Subset::Test, vec![0, 1, 2, 3], vec!["2", "0"]),
    ] {
        let images = read_at(dir, name, subset).unwrap().unwrap();
        assert_eq!((images.count, images.height, images.width), (labels.len(), 2, 1));
        assert_eq!(images.pixels, RawPixels::Bytes(pixels));
        assert_eq!(labels_of(&images), Some(labels));
        assert!(images.class_names.is_empty() && images.notes.is_empty(), "{images:?}");
    }
    assert!(read_at(dir, name, Subset::Validation).unwrap().is_none());
}

#[test]
fn every_accepted_name_is_read() {
    for names in [
        NAMES,
        [
            "train-images.idx3-ubyte",
            "train-labels.idx1-ubyte",
            "t10k-images.idx3-ubyte",
            "t10k-labels.idx1-ubyte.gz",
        ],
        [NAMES[0], NAMES[1], "test-images-idx3-ubyte", "test-labels.idx1-ubyte"],
        [
            "a-train-images-idx3-ubyte.gz",
            "a-train-labels-idx2-int",
            "a-test-images-idx4-float",
            "a-test-labels-idx1-long.gz",
        ],
    ] {
        let dir = folder(names);
        // Ignored: files whose names only look alike.
        write(&dir, "xtrain-images-idx3-ubyte", b"");
        write(&dir, "xnist-images-idx3-ubyte.xz", b"");
        write(&dir, "qmnist-train-labels.tsv.gz", b"");
        assert_small_data_set(&dir, "");
        let images = read(&dir, Subset::Train);
        assert_eq!(without_dir(&dir, &images.images_name), format!("DIR/{}", names[0]));
        assert_eq!(without_dir(&dir, &images.labels_name), format!("DIR/{}", names[1]));
    }
}

#[test]
fn a_folder_below_is_found() {
    assert_small_data_set(
        &folder(NAMES.map(|name| format!("MNIST/raw/{name}")).each_ref().map(String::as_str)),
        "",
    );
}

#[test]
fn folders_with_the_names_of_files_are_looked_into() {
    let dir = folder(NAMES.map(|name| format!("{name}/{name}")).each_ref().map(String::as_str));
    assert_small_data_set(&dir, "");
    // The files of the folder itself go first.
    for (name, bytes) in NAMES.iter().zip(small_files()) {
        write(&dir, &name.replace("-idx", ".idx"), &bytes);
        write(&dir, &format!("{name}/{name}"), b"damaged");
    }
    assert_small_data_set(&dir, "");
}

/// 7-Zip unpacks a file under another name than that of the compressed one.
#[test]
fn a_plain_file_is_preferred_to_its_gz() {
    for plain in [NAMES[1], "train-labels.idx1-ubyte"] {
        let dir = folder([NAMES[0], plain, NAMES[2], NAMES[3]]);
        write(&dir, "train-labels-idx1-ubyte.gz", &label_bytes(&[9, 9, 9]));
        assert_small_data_set(&dir, "");
    }
}

#[test]
fn a_whole_gz_is_read_in_place_of_a_damaged_plain_file() {
    let dir = folder(NAMES);
    write(&dir, "train-images.idx3-ubyte.gz", &image_bytes(3));
    for damaged in [&image_bytes(3)[..21], b"<html>", b""] {
        fs::write(dir.path().join(NAMES[0]), damaged).unwrap();
        let images = read(&dir, Subset::Train);
        assert_eq!(images.pixels, RawPixels::Bytes(vec![0, 1, 2, 3, 4, 5]));
        let note =
            "`DIR/train-images-idx3-ubyte` is damaged: `DIR/train-images.idx3-ubyte.gz` is read in its place";
        assert_eq!(images.notes.iter().map(|note| without_dir(&dir, note)).collect::<Vec<_>>(), [note]);
        assert_eq!(without_dir(&dir, &images.images_name), "DIR/train-images.idx3-ubyte.gz");
    }
    // If both are damaged, the message is about the plain one.
    fs::write(dir.path().join("train-images.idx3-ubyte.gz"), b"<html>").unwrap();
    assert!(error_at(&dir, "", Subset::Train).starts_with("`DIR/train-images-idx3-ubyte` is an empty file"));
}

#[test]
fn files_with_the_same_contents_are_one() {
    let dir = folder(NAMES);
    for (name, bytes) in NAMES.iter().zip(small_files()) {
        write(&dir, &name.replace("-idx", ".idx"), &bytes);
        write(&dir, &name.replace("t10k", "test").replace("ubyte", "ubyte.gz"), &bytes);
    }
    assert_small_data_set(&dir, "");
}

#[test]
fn files_with_different_contents_are_ambiguous() {
    let hint = "could both be meant, and they differ\n\nhint: keep one of them in the folder";
    for other in ["test-labels-idx1-ubyte.gz", "t10k-labels.idx1-ubyte", "t10k-labels-idx2-int"] {
        let dir = folder(NAMES);
        write(&dir, other, &label_bytes(&[2, 1]));
        let text = error_at(&dir, "", Subset::Test);
        assert!(text.ends_with(hint) && text.contains(other) && text.contains(NAMES[3]), "{text}");
        assert_eq!(labels_of(&read(&dir, Subset::Train)), Some(vec!["0", "2", "1"]));
    }
}

/// A folder of two sets with the prefixes `emnist-letters-` and `emnist-digits-`. The digits have
/// other labels.
fn two_sets() -> TempDir {
    let dir =
        folder(NAMES.map(|name| format!("gzip/emnist-letters-{name}.gz")).each_ref().map(String::as_str));
    write(&dir, "gzip/emnist-digits-train-images-idx3-ubyte.gz", &image_bytes(1));
    write(&dir, "gzip/emnist-digits-train-labels-idx1-ubyte.gz", &label_bytes(&[7]));
    dir
}

#[test]
fn one_of_several_sets_is_named_by_its_prefix_or_by_a_file() {
    let dir = two_sets();
    for name in
        ["gzip/emnist-letters", "gzip/emnist-letters-", "gzip/emnist-letters-test-labels-idx1-ubyte.gz"]
    {
        let name = name.replace("test", "t10k");
        assert_small_data_set(&dir, &name);
        assert!(read_at(&dir, &name, Subset::Train).unwrap().unwrap().transposed);
    }
    let digits = read_at(&dir, "gzip/emnist-digits", Subset::Train).unwrap().unwrap();
    assert_eq!(labels_of(&digits), Some(vec!["7"]));
    assert!(read_at(&dir, "gzip/emnist-digits", Subset::Test).unwrap().is_none());
    assert!(!read(&folder(NAMES), Subset::Train).transposed);
}

#[test]
fn several_sets_are_listed() {
    let dir = two_sets();
    let hint = "`emnist-digits` and `emnist-letters`\n\n\
                hint: name one of them, such as `--data DIR/gzip/emnist-letters`";
    let several = format!("there are 2 data sets in `DIR/gzip`: {hint}");
    assert_eq!(error_at(&dir, "gzip", Subset::Train), several);
    assert_eq!(error_at(&dir, "", Subset::Train), several);
    for prefix in ["emnist", "emnist-leters"] {
        let expected = format!("there is no data set `{prefix}` in `DIR/gzip`, but {hint}");
        assert_eq!(error_at(&dir, &format!("gzip/{prefix}"), Subset::Train), expected);
    }
    assert!(error_at(&dir, "gzip/other", Subset::Train).starts_with("there is no data set `DIR/gzip/other`"));
    // A set without a prefix is named by one of its files.
    write(&dir, "gzip/train-images-idx3-ubyte", &image_bytes(1));
    let text = error_at(&dir, "gzip", Subset::Train);
    assert!(
        text.contains(
            ": `train-images-idx3-ubyte`, `emnist-digits` and `emnist-letters`
"
        ),
        "{text}"
    );
    let named = read_at(&dir, "gzip/train-images-idx3-ubyte", Subset::Train).unwrap().unwrap();
    assert_eq!((named.count, labels_of(&named)), (1, None));
}

#[test]
fn classes_have_the_names_of_the_mapping() {
    let dir = two_sets();
    write(&dir, "gzip/emnist-letters-mapping.txt", b"1 65 97\n2 66 98\n");
    let letters = |subset| read_at(&dir, "gzip/emnist-letters", subset).unwrap().unwrap();
    let expected = [("1", "A"), ("2", "B")].map(|(label, name)| (label.to_owned(), name.to_owned()));
    assert_eq!(letters(Subset::Train).class_names, expected);
    assert_eq!(letters(Subset::Test).class_names, expected);
    assert!(read_at(&dir, "gzip/emnist-digits", Subset::Train).unwrap().unwrap().class_names.is_empty());
    write(&dir, "gzip/emnist-letters-mapping.txt", b"1 65 97\nb\n");
    let images = letters(Subset::Train);
    let note = "line 2 of `DIR/gzip/emnist-letters-mapping.txt` is not a label and the codes of characters: the \
                classes have no names";
    assert_eq!((without_dir(&dir, &images.notes[0]), images.class_names), (note.to_owned(), Vec::new()));
}

#[test]
fn a_part_that_is_missing_is_none() {
    let dir = folder(NAMES);
    fs::remove_file(dir.path().join(NAMES[3])).unwrap();
    let test = read(&dir, Subset::Test);
    assert_eq!((test.count, labels_of(&test)), (2, None));
    assert_eq!(without_dir(&dir, &test.labels_name), "DIR/t10k-labels-idx1-ubyte");
    fs::remove_file(dir.path().join(NAMES[2])).unwrap();
    assert!(read_at(&dir, "", Subset::Test).unwrap().is_none());
    fs::remove_file(dir.path().join(NAMES[1])).unwrap();
    assert_eq!(labels_of(&read(&dir, Subset::Train)), None);
    let dir = folder(NAMES);
    NAMES[..2].iter().for_each(|name| fs::remove_file(dir.path().join(name)).unwrap());
    assert!(read_at(&dir, "", Subset::Train).unwrap().is_none());
    assert_eq!(labels_of(&read(&dir, Subset::Test)), Some(vec!["2", "0"]));
}

#[test]
fn labels_without_images_are_an_error() {
    let dir = folder(NAMES);
    fs::remove_file(dir.path().join(NAMES[0])).unwrap();
    let text = error_at(&dir, "", Subset::Train);
    assert!(
        text.starts_with("cannot find `train-images-idx3-ubyte` in `DIR`\n\nhint: the names are"),
        "{text}"
    );
    assert_eq!(read(&dir, Subset::Test).count, 2);
}

#[test]
fn a_file_that_must_be_unpacked_is_named_with_the_command() {
    for (name, ending, head, command) in [
        (NAMES[0], ".xz", &b"\xfd7zXZ\0"[..], "xz --decompress DIR/train-images-idx3-ubyte.xz"),
        (NAMES[1], ".zip", b"PK\x03\x04", "unzip DIR/train-labels-idx1-ubyte.zip -d DIR"),
    ] {
        let dir = folder(NAMES);
        fs::remove_file(dir.path().join(name)).unwrap();
        fs::write(dir.path().join(format!("{name}{ending}")), head).unwrap();
        assert_eq!(
            error_at(&dir, "", Subset::Train),
            format!("cannot read `DIR/{name}{ending}` before it is unpacked\n\nhint: unpack it: `{command}`")
        );
        assert_eq!(read(&dir, Subset::Test).count, 2);
        assert_eq!(
            error_at(&dir, &format!("{name}{ending}"), Subset::Train),
            error_at(&dir, "", Subset::Train)
        );
        NAMES.iter().for_each(|name| drop(fs::remove_file(dir.path().join(name))));
        assert!(error_at(&dir, "", Subset::Train).starts_with("cannot read `DIR/train-"));
    }
}

#[test]
fn an_idx_file_with_another_name_is_explained() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir, "digits.bin", &image_bytes(3));
    let text = error_at(&dir, "digits.bin", Subset::Train);
    assert!(
        text.starts_with("`DIR/digits.bin` is an IDX file whose name does not say what it holds\n"),
        "{text}"
    );
    assert!(text.contains("hint: the names are `train-images-idx3-ubyte`"), "{text}");
}

#[test]
fn damaged_gzip_is_named() {
    let dir = folder([NAMES[0], "train-labels-idx1-ubyte.gz", NAMES[2], NAMES[3]]);
    let path = dir.path().join("train-labels-idx1-ubyte.gz");
    let mut bytes = fs::read(&path).unwrap();
    // The sum is wrong although all labels are there.
    let sum = bytes.len() - 8;
    bytes[sum] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let text = error_at(&dir, "", Subset::Train);
    assert!(
        text.starts_with("cannot read `DIR/train-labels-idx1-ubyte.gz`: the gzip stream is damaged"),
        "{text}"
    );
}

/// 17 MiB of zeros become some 17,000 bytes. They are what the header says, so they are read.
#[test]
fn empty_pictures_are_no_bomb_and_a_lie_takes_no_memory() {
    let dir = folder([&format!("{}.gz", NAMES[0]), NAMES[1], NAMES[2], NAMES[3]]);
    let header = |count: u32| [2051, count, 1, 17].map(u32::to_be_bytes).concat();
    write(&dir, &format!("{}.gz", NAMES[0]), &[header(1 << 20), vec![0; 17 << 20]].concat());
    assert_eq!(read(&dir, Subset::Train).count, 1 << 20);
    write(&dir, &format!("{}.gz", NAMES[0]), &[header(u32::MAX), vec![0; 17]].concat());
    let text = error_at(&dir, "", Subset::Train);
    assert!(text.contains("bytes in 73,014,444,015 bytes, got 17\n"), "{text}");
}
