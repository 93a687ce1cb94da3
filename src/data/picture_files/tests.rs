use std::fs;

use super::*;

/// A folder with pictures in two class folders, and with other files.
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for name in ["3/10.png", "3/9.JPG", "3/.hidden.png", "7/a.jpeg", "b.png", "notes.txt", "odd[1].png"] {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, b"").unwrap();
    }
    dir
}

/// Names below `dir`, each with its folder.
fn found(dir: &Path, texts: &[&str]) -> Vec<(String, Option<String>)> {
    let paths: Vec<PathBuf> = texts.iter().map(|text| dir.join(text)).collect();
    let name = |file: &PictureFile| file.path.strip_prefix(dir).unwrap().display().to_string();
    find_pictures(&paths).unwrap().into_iter().map(|file| (name(&file), file.folder)).collect()
}

fn pair(name: &str, folder: &str) -> (String, Option<String>) {
    (name.to_owned(), Some(folder.to_owned()).filter(|folder| !folder.is_empty()))
}

#[test]
fn a_folder_stands_for_its_pictures_in_natural_order() {
    let dir = folder();
    let expected = [
        pair("b.png", ""),
        pair("odd[1].png", ""),
        pair("3/9.JPG", "3"),
        pair("3/10.png", "3"),
        pair("7/a.jpeg", "7"),
    ];
    assert_eq!(found(dir.path(), &[""]), expected);
    // The folder that the user names says nothing about its pictures.
    assert_eq!(found(dir.path(), &["7"]), [pair("7/a.jpeg", "")]);
}

#[test]
fn files_are_taken_by_any_name_and_in_the_given_order() {
    let dir = folder();
    let texts = ["notes.txt", "odd[1].png", "missing.png", "b.png"];
    assert_eq!(found(dir.path(), &texts), texts.map(|text| pair(text, "")));
}

#[test]
fn patterns_match_files_and_folders() {
    let dir = folder();
    assert_eq!(found(dir.path(), &["3/*"]), [pair("3/9.JPG", ""), pair("3/10.png", "")]);
    assert_eq!(found(dir.path(), &["[37]"]).len(), 3);
    let message = |text: &str| find_pictures(&[dir.path().join(text)]).unwrap_err().to_string();
    assert!(message("*.gif").starts_with("no file matches `"), "{}", message("*.gif"));
    assert!(message("a[").contains("no valid pattern"), "{}", message("a["));
}

#[test]
fn a_folder_without_pictures_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("train-images-idx3-ubyte"), b"").unwrap();
    let message = find_pictures(&[dir.path().to_owned()]).unwrap_err().to_string();
    assert!(message.starts_with("there is no PNG or JPEG file in the folder `"), "{message}");
    assert!(message.contains("hint: name a folder with pictures"), "{message}");
}

#[cfg(unix)]
#[test]
fn a_circle_of_links_ends() {
    let dir = folder();
    std::os::unix::fs::symlink("..", dir.path().join("7/up")).unwrap();
    assert_eq!(found(dir.path(), &[""]).len(), 5);
}
