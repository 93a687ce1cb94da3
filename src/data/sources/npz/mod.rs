//! Owns data sets in NumPy's formats: an npz archive, several of them with names such as KMNIST's,
//! or `.npy` files. Depends on the array reader and on crate `zip`. Must not know other forms, nor
//! the network's classes.

mod member;
mod npy;
mod roles;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::data::Subset;
use crate::data::sources::array::ArrayImages;
use crate::data::sources::file::{ZIP, quoted, shortened};
use crate::data::sources::listing::Listing;
use crate::data::sources::{DataSource, RawImages, RawLabels, ReadOptions, Source};
use crate::error::{Error, Result};
use member::Member;
use roles::{FLAT_IMAGES, Kind};

/// The way to write a file with names that are known.
const SAVE: &str = "save it with these names: `numpy.savez_compressed(\"data.npz\", x_train=…, y_train=…, x_test=…, y_test=…)`";

/// Finds a data set in a folder: the only npz file, files with names such as `kmnist-train-imgs.npz`
/// or `train.npz`, or `.npy` files with such names. All names begin with `prefix`.
///
/// # Errors
/// There are several data sets.
pub(super) fn in_folder(listing: &Listing, prefix: &str) -> Result<Option<Source>> {
    let named = |ending: &str| -> Vec<(&str, &str)> {
        let files = listing.files.iter().filter(|name| name.starts_with(prefix));
        files.filter_map(|name| Some((name.as_str(), strip_ending(name, ending)?))).collect()
    };
    let archives = named(".npz");
    if let [(name, _)] = archives[..] {
        return Ok(Some(NpzSource::of_file(&listing.join(name))));
    }
    let sets = group(listing, &archives);
    if let [set] = &sets[..]
        && set.len() == archives.len()
    {
        return Ok(Some(Source::new(NpzSource { path: listing.path.clone(), files: set.clone() })));
    }
    if !archives.is_empty() {
        return Err(several(listing, &archives));
    }
    let arrays = named(member::NPY);
    match &group(listing, &arrays)[..] {
        [] => Ok(None),
        [set] => Ok(Some(Source::new(NpzSource { path: listing.path.clone(), files: set.clone() }))),
        _ => Err(several(listing, &arrays)),
    }
}

/// Recognises an npz file, and a `.npy` file of images.
///
/// # Errors
/// A damaged file with the ending `.npz`.
pub(super) fn in_file(path: &Path, head: &[u8]) -> Result<Option<Source>> {
    let is_named_npz = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("npz"));
    if head.starts_with(&ZIP) {
        return match member::in_archive(path) {
            Ok(members) if members.is_empty() => Ok(None),
            Err(error) if is_named_npz => Err(error),
            // Any other archive is named for what it is.
            Err(_) => Ok(None),
            Ok(_) => Ok(Some(NpzSource::of_file(path))),
        };
    }
    Ok(head.starts_with(&npy::MAGIC).then(|| NpzSource::of_file(path)))
}

/// Name without its ending, whatever its case is.
fn strip_ending<'a>(name: &'a str, ending: &str) -> Option<&'a str> {
    let at = name.len().checked_sub(ending.len())?;
    let (stem, end) = name.split_at_checked(at)?;
    end.eq_ignore_ascii_case(ending).then_some(stem)
}

/// Files with names that say a part, one group per data set: see [`roles::of_file`]. `names` are
/// names of files with and without their ending.
fn group(listing: &Listing, names: &[(&str, &str)]) -> Vec<Vec<DataFile>> {
    let mut sets: BTreeMap<String, Vec<DataFile>> = BTreeMap::new();
    for (name, stem) in names {
        if let Some((set, role)) = roles::of_file(stem) {
            let key = roles::compact(stem)[set.len()..].to_owned();
            let file = DataFile { path: listing.join(name), key, is_one_array: role.kind.is_some() };
            sets.entry(set).or_default().push(file);
        }
    }
    sets.into_values().collect()
}

/// Error of a folder with files that are not one data set.
fn several(listing: &Listing, names: &[(&str, &str)]) -> Error {
    let names = quoted(names.iter().map(|&(name, _)| name));
    let folder = listing.path.display();
    Error::data(format!("`{folder}` holds {}, expected one data set", names)).hint(format!(
        "name one of the files, or the folder and the beginning of the names of its files: `{folder}/NAME`"
    ))
}

/// One file of a data set.
#[derive(Debug, Clone)]
struct DataFile {
    path: PathBuf,
    /// The part of the file's name about its arrays: `train`, `trainimgs`. It may be empty.
    key: String,
    /// True if the key says all about the one array of the file.
    is_one_array: bool,
}

/// A data set of arrays.
#[derive(Debug)]
struct NpzSource {
    path: PathBuf,
    files: Vec<DataFile>,
}

impl NpzSource {
    /// The data set that is one file.
    fn of_file(path: &Path) -> Source {
        let file = DataFile { path: path.to_owned(), key: String::new(), is_one_array: false };
        Source::new(Self { path: path.to_owned(), files: vec![file] })
    }

    /// Lists all arrays, with keys that say which part they are.
    fn members(&self) -> Result<Vec<Member>> {
        let mut all = Vec::new();
        for DataFile { path, key, is_one_array } in &self.files {
            let is_archive = path.extension().is_none_or(|ending| !ending.eq_ignore_ascii_case("npy"));
            if !is_archive {
                // A single file of no known name can only hold images.
                all.push(member::in_file(path, if key.is_empty() { "images" } else { key }));
                continue;
            }
            let members = member::in_archive(path)?;
            let is_one_array = *is_one_array && members.len() == 1;
            all.extend(members.into_iter().map(|member| {
                let key = if is_one_array { key.clone() } else { format!("{key}{}", member.key) };
                member.with_key(key)
            }));
        }
        Ok(all)
    }

    /// Error of arrays that are no data set.
    fn unknown(&self, members: &[Member]) -> Error {
        let shapes = shortened(members.iter().map(describe));
        let hint = match members {
            [_] if roles::of_file(&self.path.file_stem().unwrap_or_default().to_string_lossy()).is_some() => {
                "this is one of several files: name their folder"
            }
            _ => SAVE,
        };
        Error::data(format!(
            "`{}` holds {}, expected arrays with names such as `x_train` and `y_train`",
            self.path.display(),
            shapes
        ))
        .hint(hint)
    }
}

/// An array in words, for messages: `x_train` (60 × 28 × 28 unsigned bytes).
fn describe(member: &Member) -> String {
    match member.header() {
        Ok(header) => format!("`{}` ({})", member.key, header.describe()),
        Err(_) => format!("`{}`", member.key),
    }
}

impl DataSource for NpzSource {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn read(&self, subset: Subset, options: &ReadOptions) -> Result<Option<RawImages>> {
        let members = self.members()?;
        let named = named(&members);
        let has_images = |part: Subset| named.iter().any(|it| (it.subset, it.kind) == (part, Kind::Images));
        let all = [Subset::Train, Subset::Test, Subset::Validation];
        let present: Vec<Subset> = all.into_iter().filter(|&part| has_images(part)).collect();
        // A single part is the training images, whatever it is called.
        let part = match present[..] {
            [] => return Err(self.unknown(&members)),
            [_] if subset != Subset::Train => return Ok(None),
            [single] => single,
            _ => subset,
        };
        let Some(images) = self.find(&named, part, Kind::Images)? else {
            return match (subset, self.find(&named, part, Kind::Labels)?) {
                (Subset::Test | Subset::Validation, None) => Ok(None),
                _ => Err(self.unknown(&members)),
            };
        };
        let labels = self.find(&named, part, Kind::Labels)?;
        let mut raw = read_arrays(images, labels, options)?;
        if let Some(names) = self.find(&named, Subset::Train, Kind::ClassNames)? {
            raw.class_names = read_class_names(names)?;
        }
        if subset == Subset::Train {
            raw.notes.extend(left_out(&members, &named));
        }
        Ok(Some(raw))
    }
}

/// An array, and what its name says.
struct Named<'a> {
    member: &'a Member,
    subset: Subset,
    kind: Kind,
}

/// The arrays whose names say something. Names without a part, such as `x` and `y`, are the training
/// images and labels if no other names are. Names of classes count for all parts.
fn named(members: &[Member]) -> Vec<Named<'_>> {
    let roles = || members.iter().filter_map(|member| Some((member, roles::of_array(&member.key)?)));
    let has_train = roles().any(|(_, role)| role == (Some(Subset::Train), Kind::Images));
    let named = roles().filter_map(|(member, (subset, kind))| match (subset, kind) {
        (_, Kind::ClassNames) => Some(Named { member, subset: Subset::Train, kind }),
        (None, _) if has_train => None,
        (None, _) => Some(Named { member, subset: Subset::Train, kind }),
        (Some(subset), _) => Some(Named { member, subset, kind }),
    });
    named.collect()
}

impl NpzSource {
    /// The array of one part with images, labels or names.
    fn find<'a>(&self, named: &[Named<'a>], subset: Subset, kind: Kind) -> Result<Option<&'a Member>> {
        let fitting = named.iter().filter(|it| (it.subset, it.kind) == (subset, kind));
        let mut fitting: Vec<&Member> = fitting.map(|it| it.member).collect();
        if fitting.len() > 1 {
            // scikit-learn has the same numbers twice. Those of `images` have a height and a width.
            fitting.retain(|member| roles::compact(&member.key) != FLAT_IMAGES);
        }
        match fitting[..] {
            [] => Ok(None),
            [one] => Ok(Some(one)),
            [first, second, ..] => Err(Error::data(format!(
                "`{}` and `{}` in `{}` could both be meant",
                first.key,
                second.key,
                self.path.display()
            ))
            .hint(SAVE)),
        }
    }
}

/// Note about arrays that are not used.
fn left_out(members: &[Member], named: &[Named<'_>]) -> Option<String> {
    let is_used = |member: &Member| named.iter().any(|it| it.member.key == member.key);
    let others = members.iter().filter(|member| !is_used(member));
    let names = quoted(others.map(|member| &member.key));
    (!names.is_empty()).then(|| format!("arrays of other names are left out: {names}"))
}

/// Reads the images of one part, and their labels if there are any.
fn read_arrays(images: &Member, labels: Option<&Member>, options: &ReadOptions) -> Result<RawImages> {
    let ArrayImages { pixels, count, height, width, mut notes } = images
        .read(|header, reader, max_bytes| header.read_images(reader, &images.name, max_bytes, options))?;
    let labels_name = labels.map_or(&images.name, |labels| &labels.name).clone();
    let labels = match labels {
        None => None,
        Some(labels) => Some(read_labels(labels, count, images, &mut notes)?),
    };
    let images_name = images.name.clone();
    let (class_names, transposed) = (Vec::new(), false);
    Ok(RawImages {
        pixels,
        count,
        height,
        width,
        labels,
        class_names,
        images_name,
        labels_name,
        transposed,
        notes,
    })
}

/// Reads one label for each of `count` images.
fn read_labels(labels: &Member, count: usize, images: &Member, notes: &mut Vec<String>) -> Result<RawLabels> {
    let (values, more) =
        labels.read(|header, reader, max_bytes| header.read_labels(reader, &labels.name, max_bytes))?;
    values.check_count(count, &images.name, &labels.name)?;
    notes.extend(more);
    Ok(values)
}

/// Reads the names of the classes 0, 1, and so on. Numbers and other values name nothing.
fn read_class_names(names: &Member) -> Result<Vec<(String, String)>> {
    if !names.header()?.is_list_of_words() {
        return Ok(Vec::new());
    }
    let words = names.read(|header, reader, _| header.read_words(reader, &names.name))?;
    Ok(words.into_iter().enumerate().map(|(label, name)| (label.to_string(), name)).collect())
}
