//! Owns the reading of many picture files into one block of pixels: several at a time, in a fixed
//! order, in bounded memory. Depends on `content` and `picture`. Must not know classes or labels.

use std::path::Path;

use rayon::prelude::*;

use super::content::{self, Content};
use super::layout::PartFile;
use crate::data::progress::{ReadProgress, report};
use crate::data::sources::{ReadOptions, file, picture};
use crate::error::{Error, Result};
use crate::util::memory;

/// Number of files that are read together. Progress is reported after them.
const CHUNK_FILES: usize = 128;

/// Number of files that are read before memory is reserved for all. If pictures are of different
/// sizes, these usually are too.
const FIRST_FILES: usize = 4;

/// Largest side of `data.image_size` in pixels.
const MAX_SIDE: usize = 65_535;

/// Images of a part.
#[derive(Debug)]
pub(super) struct Pictures {
    /// `height * width` bytes per [`Outcome::Image`], in the order of the files.
    pub(super) pixels: Vec<u8>,
    pub(super) height: usize,
    pub(super) width: usize,
    /// The outcome of each file.
    pub(super) outcomes: Vec<Outcome>,
}

/// The outcome of the reading of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The file is an image.
    Image { is_coloured: bool, is_resized: bool },
    /// The picture has another height and width than the first one.
    OtherSize([usize; 2]),
    /// A picture, but no PNG or JPEG.
    OtherPicture,
    /// No picture.
    NoPicture,
    /// A picture that cannot be read. The text says why, to be put behind the file's name.
    Broken(String),
}

/// Reads the pictures among `files`. `name` is the folder in messages. Broken pictures are outcomes,
/// not errors.
///
/// # Errors
/// Pictures of different sizes, unless the options name a size, or too little memory.
pub(super) fn read(files: &[PartFile], name: &str, options: &ReadOptions) -> Result<Pictures> {
    check_image_size(options)?;
    let first_size = || files.par_iter().find_map_first(|file| size_of(&file.path));
    // Without any picture, no size is needed.
    let [height, width] = options.image_size.or_else(first_size).unwrap_or([1, 1]);
    let size = Size { height, width, resizes: options.image_size.is_some() };
    let mut pictures = Pictures { pixels: Vec::new(), height, width, outcomes: Vec::new() };
    let (first, rest) = files.split_at(files.len().min(FIRST_FILES));
    let progress = |done: usize| {
        report(ReadProgress { name, done: done as u64, total: files.len() as u64, unit: "files" });
    };
    progress(0);
    reserve(&mut pictures.pixels, first.len(), size, name)?;
    if !pictures.append(first, size) {
        return Err(sizes_error(files, &pictures));
    }
    reserve(&mut pictures.pixels, rest.len(), size, name)?;
    progress(first.len());
    for chunk in rest.chunks(CHUNK_FILES) {
        if !pictures.append(chunk, size) {
            return Err(sizes_error(files, &pictures));
        }
        progress(pictures.outcomes.len());
    }
    // Files that are no pictures leave memory free.
    pictures.pixels.shrink_to_fit();
    Ok(pictures)
}

/// Size of all images.
#[derive(Debug, Clone, Copy)]
struct Size {
    height: usize,
    width: usize,
    /// True if pictures of another size are resized.
    resizes: bool,
}

impl Size {
    /// Bytes per image, at least 1: both sides are limited, here and by the decoder.
    fn pixels(self) -> usize {
        self.height * self.width
    }
}

impl Pictures {
    /// Reads further files, in parallel, each into its own place. Returns false if a picture has
    /// another size than the first one.
    fn append(&mut self, files: &[PartFile], size: Size) -> bool {
        let (start, size_bytes) = (self.pixels.len(), size.pixels());
        self.pixels.resize(start + files.len() * size_bytes, 0);
        let places = self.pixels[start..].par_chunks_exact_mut(size_bytes).zip(files);
        let read = |buffer: &mut Vec<u8>, (place, file): (&mut [u8], &PartFile)| {
            read_into(place, &file.path, size, buffer)
        };
        let outcomes: Vec<Outcome> = places.map_init(Vec::new, read).collect();
        // Images move to the places of files that are none.
        let mut end = start;
        for (index, outcome) in outcomes.iter().enumerate() {
            if matches!(outcome, Outcome::Image { .. }) {
                let from = start + index * size_bytes;
                if from > end {
                    self.pixels.copy_within(from..from + size_bytes, end);
                }
                end += size_bytes;
            }
        }
        self.pixels.truncate(end);
        let have_one_size = !outcomes.iter().any(|outcome| matches!(outcome, Outcome::OtherSize(_)));
        self.outcomes.extend(outcomes);
        have_one_size
    }
}

/// Reads one file, and its pixels into `place`. `buffer` is memory that is used again.
fn read_into(place: &mut [u8], path: &Path, size: Size, buffer: &mut Vec<u8>) -> Outcome {
    match content::read(path, buffer) {
        Ok(Content::Picture) => {}
        Ok(Content::OtherPicture) => return Outcome::OtherPicture,
        Ok(Content::NoPicture) if content::is_named_as_picture(path) => {
            let what = file::describe_wrong_file(buffer, path);
            return Outcome::Broken(format!("is {}", what.map_or("no PNG or JPEG", |(what, _)| what)));
        }
        // A file without an ending may have been a picture, too.
        Err(error) if content::is_named_as_picture(path) || path.extension().is_none() => {
            return Outcome::Broken(format!("cannot be read: {error}"));
        }
        Ok(Content::NoPicture) | Err(_) => return Outcome::NoPicture,
    }
    let picture = match picture::decode_gray(buffer) {
        Ok(picture) => picture,
        Err(reason) => return Outcome::Broken(reason),
    };
    let is_resized = (picture.height, picture.width) != (size.height, size.width);
    if is_resized && !size.resizes {
        return Outcome::OtherSize([picture.height, picture.width]);
    }
    let picture = picture::resize(picture, size.height, size.width);
    if picture.pixels.len() != place.len() {
        return Outcome::Broken("has fewer pixels than its size says".to_owned());
    }
    place.copy_from_slice(&picture.pixels);
    Outcome::Image { is_coloured: picture.is_coloured, is_resized }
}

/// Height and width of a picture, `None` if it cannot be read.
fn size_of(path: &Path) -> Option<[usize; 2]> {
    let mut bytes = Vec::new();
    let content = content::read(path, &mut bytes).ok()?;
    let picture = picture::decode_gray(&bytes).ok().filter(|_| content == Content::Picture)?;
    Some([picture.height, picture.width])
}

/// Reserves memory for `count` images.
fn reserve(pixels: &mut Vec<u8>, count: usize, size: Size, name: &str) -> Result<()> {
    let bytes = count as u128 * size.pixels() as u128;
    memory::check_available(bytes, &format!("`{name}`"))?;
    // Checked just before, so this fails only if memory was taken in between.
    let reserved = pixels.try_reserve_exact(usize::try_from(bytes).unwrap_or(usize::MAX));
    reserved.map_err(|error| Error::resources(format!("`{name}` needs more memory: {error}")))
}

/// Checks the size that the user wants.
fn check_image_size(options: &ReadOptions) -> Result<()> {
    match options.image_size {
        Some([height, width]) if !(1..=MAX_SIDE).contains(&height) || !(1..=MAX_SIDE).contains(&width) => {
            Err(Error::config(format!(
                "`data.image_size` is [{height}, {width}], expected sides from 1 to {MAX_SIDE}"
            )))
        }
        _ => Ok(()),
    }
}

/// Error of two pictures of different sizes.
fn sizes_error(files: &[PartFile], pictures: &Pictures) -> Error {
    let Pictures { height, width, .. } = pictures;
    let path_of = |is: fn(&Outcome) -> bool| {
        let index = pictures.outcomes.iter().position(is);
        index.and_then(|index| files.get(index)).map_or(Path::new(""), |file| &file.path).display()
    };
    let first = path_of(|outcome| matches!(outcome, Outcome::Image { .. }));
    let other = path_of(|outcome| matches!(outcome, Outcome::OtherSize(_)));
    let other_size = pictures.outcomes.iter().find_map(|outcome| match outcome {
        Outcome::OtherSize(size) => Some(*size),
        _ => None,
    });
    let [other_height, other_width] = other_size.unwrap_or_default();
    let [best_height, best_width] = most_frequent_size(pictures);
    Error::data(format!(
        "`{first}` is {height} pixels high and {width} wide, but `{other}` is {other_height} high and {other_width} wide"
    ))
    .hint(format!(
        "all images must have the same size: resize them with `--set data.image_size=[{best_height},{best_width}]`"
    ))
}

/// The most frequent height and width so far. The smallest of those that are equally frequent.
fn most_frequent_size(pictures: &Pictures) -> [usize; 2] {
    let mut counts: Vec<([usize; 2], usize)> = Vec::new();
    for outcome in &pictures.outcomes {
        let size = match outcome {
            Outcome::Image { .. } => [pictures.height, pictures.width],
            Outcome::OtherSize(size) => *size,
            _ => continue,
        };
        match counts.iter_mut().find(|(counted, _)| *counted == size) {
            Some((_, count)) => *count += 1,
            None => counts.push((size, 1)),
        }
    }
    let rank = |(size, count): &([usize; 2], usize)| (usize::MAX - count, size[0] * size[1], *size);
    counts.iter().min_by_key(|entry| rank(entry)).map_or([pictures.height, pictures.width], |(size, _)| *size)
}
