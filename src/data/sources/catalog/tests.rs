use std::fs;

use super::*;
use crate::data::RawPixels;

fn source(name: &str) -> CatalogSource {
    CatalogSource { set: find(name).unwrap() }
}

#[test]
fn a_name_means_its_data_set_and_a_path_does_not() {
    let source = recognise("emnist/letters").unwrap();
    assert_eq!(source.to_string(), "emnist/letters");
    assert_eq!(source.to_absolute().unwrap(), source);
    for text in ["./fashion-mnist", "fashion-mnist/", "emnist", "mnist", ""] {
        assert!(recognise(text).is_none(), "{text}");
    }
}

#[test]
fn a_data_set_that_was_not_fetched_is_an_error_with_the_command() {
    let cache = tempfile::tempdir().unwrap();
    let read = |name| source(name).read_in(cache.path(), Subset::Train, &ReadOptions::default());
    assert_eq!(
        read("fashion-mnist").unwrap_err().to_string(),
        "`fashion-mnist` is not on this machine\n\nhint: `smallnet fetch fashion-mnist` downloads it (31 MB)"
    );
    let hint = "`smallnet fetch emnist/digits` downloads it (562 MB)";
    assert!(read("emnist/digits").unwrap_err().to_string().ends_with(hint));
    // The sizes are not known.
    assert!(read("qmnist").unwrap_err().to_string().ends_with("`smallnet fetch qmnist` downloads it"));
}

#[test]
fn a_data_set_is_there_when_all_its_files_are() {
    let folder = tempfile::tempdir().unwrap();
    let set = find("emnist/letters").unwrap();
    for (index, name) in set.files.iter().enumerate() {
        assert!(!set.is_in(folder.path()));
        // One of them is not compressed.
        let name = if index == 2 { name.trim_end_matches(".gz") } else { name };
        fs::write(folder.path().join(name), "").unwrap();
    }
    assert!(set.is_in(folder.path()));
    assert!(!find("emnist/digits").unwrap().is_in(folder.path()));
}

#[test]
fn classes_have_the_names_of_the_table() {
    let images = || RawImages {
        pixels: RawPixels::Bytes(vec![0]),
        count: 1,
        height: 1,
        width: 1,
        labels: None,
        class_names: Vec::new(),
        images_name: String::new(),
        labels_name: String::new(),
        transposed: false,
        notes: Vec::new(),
    };
    let name = |set: &str, index: usize| {
        let images = find(set).unwrap().complete(images());
        (images.class_names.get(index).cloned(), images.transposed)
    };
    let named = |label: &str, name: &str| Some((label.to_owned(), name.to_owned()));
    // EMNIST's letters have labels from 1 on.
    assert_eq!(name("emnist/letters", 0), (named("1", "A"), true));
    assert_eq!(name("emnist/letters", 25), (named("26", "Z"), true));
    assert_eq!(name("emnist/letters", 26), (None, true));
    // The first small letters are a, b and d: a c looks like a C.
    assert_eq!(name("emnist/balanced", 38), (named("38", "d"), true));
    assert_eq!(name("emnist/byclass", 38), (named("38", "c"), true));
    assert_eq!(name("fashion-mnist", 9), (named("9", "Ankle boot"), false));
    assert_eq!(name("qmnist", 0), (None, false));
}

#[test]
fn a_mistyped_name_is_corrected() {
    for (text, name) in
        [("fashion_mnist", "fashion-mnist"), ("Fashion-MNIST", "fashion-mnist"), ("emnist", "emnist/letters")]
    {
        let hint = usage(text);
        assert!(
            hint.starts_with(&format!("did you mean `{name}`? Valid names: `emnist/letters`, ")),
            "{hint}"
        );
    }
    let hint = usage("/data/my pictures");
    assert!(hint.starts_with("valid names: `emnist/letters`, "), "{hint}");
    assert!(hint.ends_with("`qmnist`, `mnist`; any other text is the path of a folder or file"), "{hint}");
}

#[test]
fn sizes_are_rounded_up() {
    for (bytes, text) in [(999, "999 bytes"), (29_515, "30 kB"), (561_753_746, "562 MB")] {
        assert_eq!(size_text(bytes), text);
    }
}
