use std::fs;

use super::*;

const CSV: &str = "label,a,b,c,d\n1,0,0,255,0\n0,9,9,9,9\n";

/// Makes a folder with these files and returns the number of training images in it, or the error.
fn find_in(files: &[(&str, &str)], name: &str) -> std::result::Result<usize, String> {
    let dir = tempfile::tempdir().unwrap();
    for (file, text) in files {
        let path = dir.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let source = Source::new(PathSource::new(dir.path().join(name)));
    match source.read(Subset::Train, &ReadOptions::default()) {
        Ok(images) => Ok(images.unwrap().count),
        Err(error) => Err(error.to_string().replace(dir.path().to_str().unwrap(), "DIR")),
    }
}

#[test]
fn a_data_set_is_found_two_levels_below() {
    assert_eq!(find_in(&[("a/b/train.csv", CSV), ("a/notes.txt", "text")], ""), Ok(2));
    assert_eq!(find_in(&[("a/train.csv", CSV), ("b/x.csv", CSV), ("b/y.csv", CSV)], ""), Ok(2));
    let error = find_in(&[("a/b/c/train.csv", CSV)], "").unwrap_err();
    assert!(error.starts_with("there is no data set in `DIR/`, nor in the folders in it"), "{error}");
}

#[test]
fn several_data_sets_are_named() {
    let error = find_in(&[("a/train.csv", CSV), ("b/train.csv", CSV)], "").unwrap_err();
    assert_eq!(
        error,
        "there are 2 data sets in `DIR/`: `DIR/a` and `DIR/b`\n\nhint: name one of these folders"
    );
}

#[test]
fn a_path_that_is_not_there_may_begin_the_names_of_files() {
    let files = [("x-train.csv", CSV), ("y-train.csv", CSV), ("y-test.csv", CSV)];
    assert_eq!(find_in(&files, "y"), Ok(2));
    let error = find_in(&files, "z").unwrap_err();
    assert!(error.starts_with("there is no data set `DIR/z`: no such file or folder"), "{error}");
}
