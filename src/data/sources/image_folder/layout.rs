//! Owns the folders of an image folder: which of them are its parts, which are its classes, and
//! which files may be pictures. Depends on `content` for the first bytes of files. Must not know
//! how a picture is decoded.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::content;
use crate::data::Subset;
use crate::data::sources::listing::Listing;
use crate::error::{Error, Result};
use crate::util::format::{counted, listed};

/// Number of files of a folder, and of folders in a folder, that are looked at in the search for a
/// picture. It bounds the time that a large folder of other things takes.
const MAX_LOOKED_AT: usize = 100;

/// The expected folders, for hints.
const EXPECTED: &str = "put the pictures of each class into a folder of its own, `train/CLASS/*.png`";

/// One part of the data set: the folder that holds its class folders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) subset: Subset,
    pub(super) path: PathBuf,
}

/// Files of a part, in their final order: class after class.
#[derive(Debug, Default)]
pub(super) struct PartFiles {
    /// Names of the class folders. Empty if the images have no labels.
    pub(super) classes: Vec<String>,
    /// Files that may be pictures, each with its class, an index into `classes`.
    pub(super) files: Vec<PartFile>,
    /// Sentences for the user: see [`crate::data::RawImages::notes`].
    pub(super) notes: Vec<String>,
}

/// A file that may be a picture.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PartFile {
    pub(super) path: PathBuf,
    /// Index of the class. 0 if there are no classes.
    pub(super) class: usize,
}

/// Returns the parts of the image folder at `listing`, none if it is no image folder.
///
/// The parts are folders called `train`, `test` or the like. Without them, the folder itself is the
/// training part, if its folders hold pictures.
///
/// # Errors
/// Two folders for the same part.
pub(super) fn find_parts(listing: &Listing) -> Result<Vec<Part>> {
    let named = listing.folders.iter().filter_map(|name| Some((name, subset_of(name)?)));
    let (mut parts, mut have_classes) = (Vec::new(), false);
    for (name, subset) in named {
        let Some(part) = enter(&listing.join(name), subset) else { continue };
        let has_classes = class_folders(&part).next().is_some();
        if has_classes || has_picture(&part) {
            have_classes |= has_classes;
            parts.push((name.clone(), Part { subset, path: part.path }));
        }
    }
    // Pictures of vehicles may have a class `train`, beside other classes.
    let has_other_classes = || class_folders(listing).any(|name| subset_of(name).is_none());
    if !parts.is_empty() && (have_classes || !has_other_classes()) {
        check_once_each(listing, &parts)?;
        return Ok(parts.into_iter().map(|(_, part)| part).collect());
    }
    let whole = Part { subset: Subset::Train, path: listing.path.clone() };
    Ok(if is_whole(listing) { vec![whole] } else { Vec::new() })
}

/// True if the folders in this one are classes. A single folder with pictures is one only if
/// nothing else is there that may be the data set.
fn is_whole(listing: &Listing) -> bool {
    match class_folders(listing).take(2).count() {
        0 => false,
        1 => listing.folders.len() == 1 && !listing.files.iter().any(|name| name.ends_with(".csv")),
        _ => true,
    }
}

/// Checks that each part has one folder.
fn check_once_each(listing: &Listing, parts: &[(String, Part)]) -> Result<()> {
    for (index, (name, part)) in parts.iter().enumerate() {
        let earlier = parts.iter().take(index).find(|(_, earlier)| earlier.subset == part.subset);
        if let Some((earlier, _)) = earlier {
            let folder = listing.path.display();
            return Err(Error::data(format!(
                "the folders `{earlier}` and `{name}` in `{folder}` are the same part of a data set"
            ))
            .hint("move one of them elsewhere, or move its pictures into the other one"));
        }
    }
    Ok(())
}

/// The part of a data set that a folder's name means: `train`, `Training_Set`, `test-images`, `val`.
fn subset_of(name: &str) -> Option<Subset> {
    let name: String = name.chars().filter(|char| !matches!(char, '_' | '-' | ' ')).collect();
    let name = name.to_lowercase();
    let stem = ["set", "data", "images"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
    match stem {
        "train" | "training" => Some(Subset::Train),
        "val" | "valid" | "validation" => Some(Subset::Validation),
        "test" | "testing" => Some(Subset::Test),
        _ => None,
    }
}

/// Lists the folder of a part, or the only folder in it if that has the same meaning: archives
/// unpack to `trainingSet/trainingSet`. `None` if it cannot be read.
fn enter(path: &Path, subset: Subset) -> Option<Listing> {
    let listing = Listing::read(path).ok()?;
    match &listing.folders[..] {
        [only] if subset_of(only) == Some(subset) && !has_picture(&listing) => {
            Listing::read(&listing.join(only)).ok()
        }
        _ => Some(listing),
    }
}

/// Names of the folders in this one that hold pictures.
fn class_folders(listing: &Listing) -> impl Iterator<Item = &str> {
    let holds_picture =
        |name: &&String| Listing::read(&listing.join(name)).is_ok_and(|folder| has_picture(&folder));
    listing.folders.iter().take(MAX_LOOKED_AT).filter(holds_picture).map(String::as_str)
}

/// True if one of the first files in the folder is a picture.
pub(super) fn has_picture(listing: &Listing) -> bool {
    let mut files = listing.files.iter().take(MAX_LOOKED_AT);
    files.any(|name| content::is_picture(&listing.join(name)))
}

/// Lists the files of a part.
///
/// # Errors
/// A folder cannot be read, or there are pictures but no class folders. Only test images can do
/// without.
pub(super) fn list_files(part: &Part) -> Result<PartFiles> {
    let listing = Listing::read(&part.path)?;
    let folders: Vec<Listing> =
        listing.folders.iter().map(|name| Listing::read(&listing.join(name))).collect::<Result<_>>()?;
    if !folders.iter().any(has_picture) && has_picture(&listing) {
        return match part.subset {
            Subset::Test => Ok(PartFiles { files: candidates(&listing, 0), ..PartFiles::default() }),
            _ => Err(no_classes(&listing)),
        };
    }
    let files = folders.iter().enumerate().flat_map(|(class, folder)| candidates(folder, class)).collect();
    let notes = [loose_pictures(&listing), inner_folders(&folders)].into_iter().flatten().collect();
    Ok(PartFiles { classes: listing.folders, files, notes })
}

/// Files in a folder that may be pictures. Links without a target and the like are errors later, if
/// their names say that they are pictures.
fn candidates(folder: &Listing, class: usize) -> Vec<PartFile> {
    let others = folder.others.iter().filter(|name| content::is_named_as_picture(Path::new(name)));
    let names = folder.files.iter().chain(others);
    names.map(|name| PartFile { path: folder.join(name), class }).collect()
}

/// Error of pictures that are in no class folders.
pub(super) fn no_classes(listing: &Listing) -> Error {
    let name = listing.path.display();
    Error::data(format!("the pictures in `{name}` are in no class folders")).hint(EXPECTED)
}

/// Note about pictures beside the class folders.
fn loose_pictures(listing: &Listing) -> Option<String> {
    let is_picture = |name: &&String| content::is_picture(&listing.join(name));
    let count = listing.files.par_iter().filter(is_picture).count();
    let name = listing.path.display();
    (count > 0).then(|| {
        let are = if count == 1 { "is" } else { "are" };
        format!("{} in `{name}` {are} in no class folder: left out", counted(count, "picture", "pictures"))
    })
}

/// Note about folders inside the class folders.
fn inner_folders(folders: &[Listing]) -> Option<String> {
    let paths = folders.iter().flat_map(|folder| folder.folders.iter().map(|name| folder.join(name)));
    let names = first_names(paths.map(|path| format!("`{}`", path.display())).collect());
    (!names.is_empty()).then(|| format!("folders inside class folders are not read: {names}"))
}

/// The first three names, and the number of the others: `a, b, c and 7 more`.
pub(super) fn first_names(mut names: Vec<String>) -> String {
    let more = names.len().saturating_sub(3);
    names.truncate(3);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    listed(&names)
}
