//! Owns the form "image folders": one folder of PNG or JPEG pictures per class, in `train` and
//! `test` or alone. Depends on `picture` for the decoding. Must not know classes of a network.
//!
//! `layout` finds the files, `content` says what a file is, `pixels` reads them, and this file makes
//! the labels and says what was left out.

mod content;
mod layout;
mod pixels;

use std::path::{Path, PathBuf};

use crate::data::Subset;
use crate::data::sources::array::COLOUR_NOTE;
use crate::data::sources::listing::Listing;
use crate::data::sources::{DataSource, RawImages, RawLabels, RawPixels, ReadOptions, Source};
use crate::error::{Error, Result};
use crate::util::format::{counted, grouped};
use crate::util::threads;
pub(in crate::data) use content::is_named_as_picture;
use layout::{Part, PartFiles, first_names};
use pixels::{Outcome, Pictures};

/// Returns the image folder at `listing`, if it is one. Its files have no common beginning of their
/// names, so any `prefix` means another form.
///
/// # Errors
/// Two folders for the same part of the data set.
pub(super) fn in_folder(listing: &Listing, prefix: &str) -> Result<Option<Source>> {
    if !prefix.is_empty() {
        return Ok(None);
    }
    let parts = layout::find_parts(listing)?;
    let path = listing.path.clone();
    Ok((!parts.is_empty()).then(|| Source::new(ImageFolder { path, parts })))
}

/// Returns `None`: a single file is no image folder.
pub(super) fn in_file(_: &Path, _: &[u8]) -> Result<Option<Source>> {
    Ok(None)
}

/// Error of a folder with pictures but no class folders. `None` if there are no pictures.
pub(super) fn error_of_loose_pictures(path: &Path) -> Option<Error> {
    let listing = Listing::read(path).ok()?;
    layout::has_picture(&listing).then(|| layout::no_classes(&listing))
}

/// A folder with one folder of pictures per class, or with such folders for each part.
#[derive(Debug)]
struct ImageFolder {
    path: PathBuf,
    parts: Vec<Part>,
}

impl DataSource for ImageFolder {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn read(&self, subset: Subset, options: &ReadOptions) -> Result<Option<RawImages>> {
        let part = self.parts.iter().find(|part| part.subset == subset);
        part.map(|part| read_part(part, options)).transpose()
    }
}

/// Reads one part.
fn read_part(part: &Part, options: &ReadOptions) -> Result<RawImages> {
    // Pictures are read on the threads that compute.
    threads::start(None).map_err(Error::thread)?;
    let name = part.path.display().to_string();
    let mut found = layout::list_files(part)?;
    let pictures = pixels::read(&found.files, &name, options)?;
    let count = pictures.outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Image { .. })).count();
    let broken = describe_broken(&found, &pictures);
    if !broken.is_empty() && (!options.skip_broken || count == 0) {
        return Err(broken_error(broken, &pictures, &name));
    }
    if count == 0 {
        return Err(nothing_error(&found, &pictures, &name));
    }
    let mut notes = std::mem::take(&mut found.notes);
    notes.extend(class_note(&found, &pictures, &name));
    notes.extend(picture_notes(&found, &pictures, &name));
    notes.extend(broken_note(broken, &name));
    Ok(RawImages {
        labels: labels(&found, &pictures)?,
        pixels: RawPixels::Bytes(pictures.pixels),
        count,
        height: pictures.height,
        width: pictures.width,
        class_names: Vec::new(),
        images_name: name.clone(),
        labels_name: name,
        transposed: false,
        notes,
    })
}

/// The label of each image, which is the name of its class folder.
fn labels(found: &PartFiles, pictures: &Pictures) -> Result<Option<RawLabels>> {
    if found.classes.is_empty() {
        return Ok(None);
    }
    let mut labels = RawLabels::default();
    for (file, outcome) in found.files.iter().zip(&pictures.outcomes) {
        if matches!(outcome, Outcome::Image { .. })
            && let Some(class) = found.classes.get(file.class)
        {
            labels.push(class)?;
        }
    }
    Ok(Some(labels))
}

/// A sentence for each broken picture.
fn describe_broken(found: &PartFiles, pictures: &Pictures) -> Vec<String> {
    let files = found.files.iter().zip(&pictures.outcomes);
    let broken = files.filter_map(|(file, outcome)| match outcome {
        Outcome::Broken(reason) => Some(format!("`{}` {reason}", file.path.display())),
        _ => None,
    });
    broken.collect()
}

/// Error of broken pictures.
fn broken_error(broken: Vec<String>, pictures: &Pictures, name: &str) -> Error {
    let is_tried = |outcome: &&Outcome| matches!(outcome, Outcome::Image { .. } | Outcome::Broken(_));
    let all = counted(pictures.outcomes.iter().filter(is_tried).count(), "picture", "pictures");
    let count = broken.len();
    let are = if count == 1 { "is" } else { "are" };
    let hint = match pictures.pixels.is_empty() {
        true => "copy or download the pictures again",
        false => "replace or remove them, or leave them out with `--skip-broken`",
    };
    Error::data(format!("{} of {all} in `{name}` {are} broken: {}", grouped(count), first_names(broken)))
        .hint(hint)
}

/// Note about broken pictures that are left out.
fn broken_note(broken: Vec<String>, name: &str) -> Option<String> {
    let count = counted(broken.len(), "broken picture", "broken pictures");
    let are = if broken.len() == 1 { "is" } else { "are" };
    (!broken.is_empty()).then(|| format!("{count} in `{name}` {are} left out: {}", first_names(broken)))
}

/// Error of a part without any picture.
fn nothing_error(found: &PartFiles, pictures: &Pictures, name: &str) -> Error {
    let error = Error::data(format!("there is no PNG or JPEG picture in the class folders of `{name}`"));
    match other_pictures(found, pictures, name) {
        Some(_) => error.hint("convert the pictures to PNG: `mogrify -format png *` of ImageMagick does it"),
        None => error.hint("expected is one folder of pictures per class, `train/CLASS/*.png`"),
    }
}

/// Note about class folders without pictures.
fn class_note(found: &PartFiles, pictures: &Pictures, name: &str) -> Option<String> {
    let mut is_empty = vec![true; found.classes.len()];
    for (file, outcome) in found.files.iter().zip(&pictures.outcomes) {
        if matches!(outcome, Outcome::Image { .. } | Outcome::Broken(_))
            && let Some(is_empty) = is_empty.get_mut(file.class)
        {
            *is_empty = false;
        }
    }
    let classes = found.classes.iter().zip(is_empty).filter(|(_, is_empty)| *is_empty);
    let names: Vec<String> = classes.map(|(class, _)| format!("`{class}`")).collect();
    let (folders, hold) = if names.len() == 1 { ("folder", "holds") } else { ("folders", "hold") };
    (!names.is_empty())
        .then(|| format!("the {folders} {} in `{name}` {hold} no PNG or JPEG: left out", first_names(names)))
}

/// Notes about pictures of other kinds, sizes and colours.
fn picture_notes(found: &PartFiles, pictures: &Pictures, name: &str) -> Vec<String> {
    let count_of = |is: fn(&Outcome) -> bool| pictures.outcomes.iter().filter(|outcome| is(outcome)).count();
    let resized = count_of(|outcome| matches!(outcome, Outcome::Image { is_resized: true, .. }));
    let coloured = count_of(|outcome| matches!(outcome, Outcome::Image { is_coloured: true, .. }));
    let Pictures { height, width, .. } = pictures;
    let resized_note = (resized > 0).then(|| {
        let are = if resized == 1 { "is" } else { "are" };
        let count = counted(resized, "picture", "pictures");
        format!("{count} of another size in `{name}` {are} resized to {height}x{width} pixels")
    });
    let colour_note = (coloured > 0).then(|| COLOUR_NOTE.to_owned());
    [other_pictures(found, pictures, name), resized_note, colour_note].into_iter().flatten().collect()
}

/// Note about pictures that are no PNG or JPEG.
fn other_pictures(found: &PartFiles, pictures: &Pictures, name: &str) -> Option<String> {
    let files = found.files.iter().zip(&pictures.outcomes);
    let others = files.filter(|(_, outcome)| **outcome == Outcome::OtherPicture);
    let names: Vec<String> = others.map(|(file, _)| format!("`{}`", file.path.display())).collect();
    let are = if names.len() == 1 { "is" } else { "are" };
    let count = counted(names.len(), "picture", "pictures");
    let first = names.first()?;
    Some(format!("{count} in `{name}` {are} no PNG or JPEG, the first {first}: left out"))
}

#[cfg(all(test, unix))]
mod tests;
