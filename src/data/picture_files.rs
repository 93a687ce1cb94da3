//! Owns the list of picture files that a user names: files, folders and patterns. Depends on
//! `sources::listing`. Must not know what the pictures show.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern, glob_with};

use crate::data::sources::image_folder::is_named_as_picture;
use crate::data::sources::listing::Listing;
use crate::data::sources::natural_order;
use crate::error::{Error, Result};

/// A picture file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PictureFile {
    /// The path, as the user named it or below the folder that the user named.
    pub path: PathBuf,
    /// The name of the folder that contains it, if that is below a folder that the user named. In an
    /// image folder, it is the name of the class.
    pub folder: Option<String>,
}

/// Finds the pictures that `paths` name: a file is taken whatever it is called, a folder stands for
/// all PNG and JPEG files in it and below it, and a text with `*`, `?` or `[` that is no file is a
/// pattern. The files of a folder and of a pattern are in natural order: `2.png` before `10.png`.
///
/// # Errors
/// A folder that cannot be read or has no pictures, or a pattern that is wrong or matches nothing.
/// A file that does not exist is no error here.
pub fn find_pictures(paths: &[PathBuf]) -> Result<Vec<PictureFile>> {
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        match path.to_str().filter(|text| is_pattern(text, path)) {
            Some(pattern) => add_matches(pattern, &mut files)?,
            None => add_path(path, &mut files)?,
        }
    }
    Ok(files)
}

/// True if `text`, which is also `path`, is a pattern and no file.
fn is_pattern(text: &str, path: &Path) -> bool {
    text.contains(['*', '?', '[']) && path.symlink_metadata().is_err()
}

fn add_path(path: &Path, files: &mut Vec<PictureFile>) -> Result<()> {
    if !path.is_dir() {
        files.push(PictureFile { path: path.to_owned(), folder: None });
        return Ok(());
    }
    let before = files.len();
    add_folder(path, None, &mut HashSet::new(), files)?;
    if files.len() > before {
        return Ok(());
    }
    Err(Error::data(format!("there is no PNG or JPEG file in the folder `{}`", path.display())).hint(
        "name a folder with pictures; the images of a data set in another form are predicted with `--data`",
    ))
}

/// Adds the pictures in a folder and in all folders below it. `name` is the folder's name, if it is
/// below the one that the user named. `seen` are the folders that were read: links may form a
/// circle.
fn add_folder(
    path: &Path,
    name: Option<&str>,
    seen: &mut HashSet<PathBuf>,
    files: &mut Vec<PictureFile>,
) -> Result<()> {
    let real = path.canonicalize().map_err(|error| Error::io("read", path, error))?;
    if !seen.insert(real) {
        return Ok(());
    }
    let listing = Listing::read(path)?;
    let pictures = listing.files.iter().filter(|name| is_named_as_picture(Path::new(name)));
    files.extend(
        pictures.map(|file| PictureFile { path: listing.join(file), folder: name.map(str::to_owned) }),
    );
    for folder in &listing.folders {
        add_folder(&listing.join(folder), Some(folder), seen, files)?;
    }
    Ok(())
}

/// Adds all files, and the pictures in all folders, that match `pattern`.
fn add_matches(pattern: &str, files: &mut Vec<PictureFile>) -> Result<()> {
    let wrong = |error: &dyn std::fmt::Display| {
        Error::usage(format!("`{pattern}` is no file and no valid pattern: {error}"))
    };
    Pattern::new(pattern).map_err(|error| wrong(&error))?;
    // As in a shell, a star does not match hidden files.
    let options = MatchOptions { require_literal_leading_dot: true, ..MatchOptions::new() };
    let matches = glob_with(pattern, options).map_err(|error| wrong(&error))?;
    let mut paths: Vec<PathBuf> =
        matches.collect::<std::result::Result<_, _>>().map_err(|error: glob::GlobError| {
            Error::io("read", error.path(), std::io::Error::from(error.error().kind()))
        })?;
    if paths.is_empty() {
        return Err(Error::not_found(format!("no file matches `{pattern}`"))
            .hint("`*` stands for any part of a name, `**` for any folders"));
    }
    paths.sort_by(|a, b| natural_order(&a.to_string_lossy(), &b.to_string_lossy()).then_with(|| a.cmp(b)));
    paths.iter().try_for_each(|path| add_path(path, files))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
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
}
