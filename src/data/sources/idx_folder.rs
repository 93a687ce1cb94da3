//! Owns the source [`IdxFolder`]: the IDX files of one data set in a folder. Depends on `idx`, which
//! reads them, and `file`. Must not know the bytes of the format.

mod mapping;
mod names;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use crate::data::Subset;
use crate::data::sources::array::{ArrayImages, read_up_to};
use crate::data::sources::file::{DataFile, describe_wrong_file, read_error};
use crate::data::sources::idx_folder::names::{Candidates, IdxSet, Role, find_sets, normal_form};
use crate::data::sources::listing::Listing;
use crate::data::sources::{DataSource, RawImages, ReadOptions, Source, idx};
use crate::error::{Error, ErrorKind, Result};
use crate::util::format::listed;

/// The IDX files of one data set in a folder.
#[derive(Debug)]
struct IdxFolder {
    listing: Listing,
    set: IdxSet,
}

/// Returns the data set of IDX files in a folder, if there is one. `prefix` is the begin of their
/// names, with or without the `-` at its end, or empty for any.
///
/// # Errors
/// Several data sets could be meant, or a folder cannot be read.
pub(super) fn in_folder(listing: &Listing, prefix: &str) -> Result<Option<Source>> {
    let prefix = prefix.trim_end_matches('-');
    let mut sets = find_sets(listing)?;
    if !prefix.is_empty() {
        let is_close = |set: &IdxSet| {
            !set.prefix.is_empty()
                && (set.name().starts_with(prefix) || strsim::damerau_levenshtein(&set.name(), prefix) <= 2)
        };
        return match sets.iter().position(|set| set.prefix.trim_end_matches('-') == prefix) {
            Some(index) => Ok(Some(source(listing, sets.swap_remove(index)))),
            None if sets.iter().any(is_close) => {
                let folder = listing.path.display();
                let what = format!("there is no data set `{prefix}` in `{folder}`, but {}", names_of(&sets));
                Err(Error::data(what).hint(choice_hint(listing, &sets)))
            }
            None => Ok(None),
        };
    }
    if sets.len() > 1 {
        let (count, folder) = (sets.len(), listing.path.display());
        let what = format!("there are {count} data sets in `{folder}`: {}", names_of(&sets));
        return Err(Error::data(what).hint(choice_hint(listing, &sets)));
    }
    Ok(sets.pop().map(|set| source(listing, set)))
}

/// Returns the data set that a file belongs to, if it is an IDX file: the files in its folder with
/// the same prefix. `head` is its first uncompressed bytes.
///
/// # Errors
/// The file's name does not say what it holds, or its folder cannot be read.
pub(super) fn in_file(path: &Path, head: &[u8]) -> Result<Option<Source>> {
    let file_name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let Some((name, _)) = names::parse(file_name) else {
        if !idx::is_idx(head) {
            return Ok(None);
        }
        let what = format!("`{}` is an IDX file whose name does not say what it holds", path.display());
        return Err(Error::data(what).hint(NAMES_HINT));
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let listing = Listing::read(folder)?;
    let set = find_sets(&listing)?.into_iter().find(|set| set.prefix == name.prefix);
    Ok(set.map(|set| source(&listing, set)))
}

/// The names that IDX files must have, as a hint.
const NAMES_HINT: &str = "the names are `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, \
     `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte`, each also with `test` in place of `t10k`, with \
     `.gz`, and after a prefix that ends in `-`";

fn source(listing: &Listing, set: IdxSet) -> Source {
    Source::new(IdxFolder { listing: listing.clone(), set })
}

/// The names of the data sets in a folder, as a part of a message.
fn names_of(sets: &[IdxSet]) -> String {
    let names: Vec<String> = sets.iter().map(|set| format!("`{}`", set.name())).collect();
    listed(&names)
}

/// Says how to choose one of the data sets in a folder.
fn choice_hint(listing: &Listing, sets: &[IdxSet]) -> String {
    let example = sets.last().map(IdxSet::name).unwrap_or_default();
    format!("name one of them, such as `--data {}`", listing.join(&example).display())
}

impl DataSource for IdxFolder {
    fn name(&self) -> String {
        self.listing.join(self.set.prefix.trim_end_matches('-')).display().to_string()
    }

    fn read(&self, subset: Subset, options: &ReadOptions) -> Result<Option<RawImages>> {
        if subset == Subset::Validation || !self.has(subset)? {
            return Ok(None);
        }
        let mut notes = Vec::new();
        let images = self.set.candidates(subset, Role::Images);
        let (images, images_path) = read_first(&ordered(images)?, &mut notes, |file| {
            let DataFile { reader, name, max_bytes, .. } = file;
            idx::read_images(reader, &name, max_bytes, options)
        })?;
        let ArrayImages { pixels, count, height, width, notes: image_notes } = images;
        notes.extend(image_notes);

        let labels = self.set.candidates(subset, Role::Labels);
        let (labels, labels_path) = if labels.files.is_empty() {
            (None, self.listing.join(&self.usual_name(subset, Role::Labels)))
        } else {
            let ((labels, label_notes), path) =
                read_first(&ordered(labels)?, &mut notes, |file| idx::read_labels(file.reader, &file.name))?;
            notes.extend(label_notes);
            (Some(labels), path)
        };
        let class_names = mapping::class_names(&self.listing, &self.set.prefix, &mut notes)?;
        Ok(Some(RawImages {
            pixels,
            count,
            height,
            width,
            labels,
            class_names,
            images_name: images_path.display().to_string(),
            labels_name: labels_path.display().to_string(),
            transposed: self.set.prefix.starts_with("emnist-"),
            notes,
        }))
    }
}

impl IdxFolder {
    /// True if there are images of a subset. They may have no labels.
    ///
    /// # Errors
    /// Images or labels must be unpacked first, or there are labels but no images.
    fn has(&self, subset: Subset) -> Result<bool> {
        let [images, labels] = [Role::Images, Role::Labels].map(|role| self.set.candidates(subset, role));
        for (role, candidates) in [(Role::Images, images), (Role::Labels, labels)] {
            if candidates.files.is_empty()
                && let Some(packed) = candidates.packed.first()
            {
                return Err(self.packed_error(&self.usual_name(subset, role), packed));
            }
        }
        if images.files.is_empty() && !labels.files.is_empty() {
            let missing = self.usual_name(subset, Role::Images);
            let what = format!("cannot find `{missing}` in `{}`", self.listing.path.display());
            return Err(Error::data(what).hint(NAMES_HINT));
        }
        Ok(!images.files.is_empty())
    }

    /// Error of a file that is there in an archive only.
    fn packed_error(&self, missing: &str, packed: &Path) -> Error {
        let what = format!("cannot read `{}` before it is unpacked", packed.display());
        let head = match DataFile::open(packed) {
            Ok(file) => file.head,
            Err(error) => return error,
        };
        let hint = describe_wrong_file(&head, packed).map(|(_, hint)| hint);
        Error::data(what).hint(hint.unwrap_or_else(|| format!("unpack it to `{missing}`")))
    }

    /// The usual name of a file of this set.
    fn usual_name(&self, subset: Subset, role: Role) -> String {
        let part = if subset == Subset::Train { "train" } else { "t10k" };
        let ending = match role {
            Role::Images => "images-idx3-ubyte",
            Role::Labels => "labels-idx1-ubyte",
        };
        format!("{}{part}-{ending}", self.set.prefix)
    }
}

/// The files to read, the best first. The others are for the case that it is damaged.
///
/// # Errors
/// Files with different contents could be meant.
fn ordered(candidates: &Candidates) -> Result<Vec<PathBuf>> {
    let files = &candidates.files;
    let Some((best, others)) = files.split_first() else { return Ok(Vec::new()) };
    for other in others {
        // A `.gz` is what its plain file was unpacked from. So the two are not compared.
        let is_packed_best = is_gz(other) && !is_gz(best) && normal_form(best) == normal_form(other);
        if !is_packed_best && !same_contents(best, other)? {
            let (best, other) = (best.display(), other.display());
            return Err(Error::data(format!("`{best}` and `{other}` could both be meant, and they differ"))
                .hint("keep one of them in the folder"));
        }
    }
    Ok(files.clone())
}

fn is_gz(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "gz")
}

/// True if two files hold the same uncompressed bytes. A damaged file is like no other.
fn same_contents(one: &Path, two: &Path) -> Result<bool> {
    let (mut one, mut two) = (DataFile::open(one)?, DataFile::open(two)?);
    let (mut bytes_of_one, mut bytes_of_two) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        let fill = |file: &mut DataFile, bytes: &mut [u8]| match read_up_to(file, bytes) {
            Ok(count) => Ok(Some(count)),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => Ok(None),
            Err(error) => Err(read_error(&file.name, &error)),
        };
        let counts = (fill(&mut one, &mut bytes_of_one)?, fill(&mut two, &mut bytes_of_two)?);
        match counts {
            (Some(0), Some(0)) => return Ok(true),
            (Some(a), Some(b)) if a == b && bytes_of_one[..a] == bytes_of_two[..b] => {}
            _ => return Ok(false),
        }
    }
}

/// Reads the first of `files`, or the next one if its data are damaged. A note says so.
fn read_first<T>(
    files: &[PathBuf],
    notes: &mut Vec<String>,
    read: impl Fn(DataFile) -> Result<T>,
) -> Result<(T, PathBuf)> {
    let mut first_error = None;
    for path in files {
        match DataFile::open(path).and_then(&read) {
            Ok(value) => {
                if let (Some(_), Some(first)) = (&first_error, files.first()) {
                    let (first, path) = (first.display(), path.display());
                    notes.push(format!("`{first}` is damaged: `{path}` is read in its place"));
                }
                return Ok((value, path.clone()));
            }
            Err(error) if error.kind() == ErrorKind::Data => {
                first_error.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
    }
    Err(first_error.unwrap_or_else(|| Error::data("there is no file to read")))
}
