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
mod tests;
