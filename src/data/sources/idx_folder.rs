//! Owns a folder of IDX files: which file is which, and its uncompressed bytes.
//! Must not know what the bytes mean.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use crate::error::{Error, Result};
use crate::util::files;

/// What the names of the four files end in, before `.gz`; the first of each is the original's.
pub(super) const ENDINGS: [&[&str]; 4] = [
    &["train-images-idx3-ubyte", "train-images.idx3-ubyte"],
    &["train-labels-idx1-ubyte", "train-labels.idx1-ubyte"],
    &["t10k-images-idx3-ubyte", "t10k-images.idx3-ubyte", "test-images-idx3-ubyte", "test-images.idx3-ubyte"],
    &["t10k-labels-idx1-ubyte", "t10k-labels.idx1-ubyte", "test-labels-idx1-ubyte", "test-labels.idx1-ubyte"],
];

/// How many times larger a compressed file may become: MNIST becomes 5 times larger, and what becomes a thousand times
/// larger was made to fill the memory. An image of one pixel takes some 16 bytes more than it has in its files.
const MOST_UNPACKED: u64 = 100;

/// So many bytes it may become in any case: labels in the order of their classes are a few bytes when compressed.
const ALWAYS_UNPACKED: u64 = 1 << 20;

/// The training images, training labels, test images and test labels in `folder`.
pub(super) fn locate(folder: &Path) -> Result<[PathBuf; 4]> {
    let names = file_names(folder)?;
    let mut paths = [const { PathBuf::new() }; 4];
    let mut first: Option<(&str, &str)> = None;
    for (path, endings) in paths.iter_mut().zip(ENDINGS) {
        let (prefix, name) = find(folder, &names, endings)?;
        let (first_prefix, first_name) = *first.get_or_insert((prefix, name));
        if prefix != first_prefix {
            return Err(ambiguous(first_name, name, folder, "are not of the same data set"));
        }
        *path = folder.join(name);
    }
    Ok(paths)
}

/// The names of the files in `folder`, sorted.
fn file_names(folder: &Path) -> Result<Vec<String>> {
    let wrong = |what| {
        Error::data(format!("data set folder `{}` {what}", folder.display()))
            .hint("`mnist` is the built-in data set; anything else is a folder of four IDX files")
    };
    let entries = folder.read_dir().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => wrong("does not exist"),
        io::ErrorKind::NotADirectory => wrong("is not a folder"),
        _ => Error::io("read", folder, error),
    })?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| Error::io("read", folder, error))?;
        if let Ok(name) = entry.file_name().into_string()
            && entry.path().is_file()
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// The prefix and name of the one file that ends as given; a plain file goes before its `.gz`.
fn find<'a>(folder: &Path, names: &'a [String], endings: &[&str]) -> Result<(&'a str, &'a str)> {
    let mut candidates = names
        .iter()
        .filter(|name| !name.strip_suffix(".gz").is_some_and(|plain| names.iter().any(|name| name == plain)))
        .filter_map(|name| Some((prefix(name, endings)?, name.as_str())));
    match (candidates.next(), candidates.next()) {
        (None, _) => Err(missing(folder, endings)),
        (Some(found), None) => Ok(found),
        (Some((_, one)), Some((_, two))) => Err(ambiguous(one, two, folder, "could both be meant")),
    }
}

/// What stands before the ending in a file's name: nothing, or something like `emnist-letters-`.
fn prefix<'a>(name: &'a str, endings: &[&str]) -> Option<&'a str> {
    let plain = name.strip_suffix(".gz").unwrap_or(name);
    let prefix = endings.iter().find_map(|ending| plain.strip_suffix(ending))?;
    (prefix.is_empty() || prefix.ends_with('-')).then_some(prefix)
}

fn missing(folder: &Path, endings: &[&str]) -> Error {
    let accepted = endings.join("`, `");
    Error::data(format!("cannot find `{}` in `{}`", endings[0], folder.display()))
        .hint(format!("accepted are `{accepted}`, each also with `.gz` and after a prefix that ends in `-`"))
}

fn ambiguous(one: &str, two: &str, folder: &Path, why: &str) -> Error {
    Error::data(format!("`{one}` and `{two}` in `{}` {why}", folder.display()))
        .hint("keep one data set in a folder, its four files with the same prefix or none")
}

/// Opens a file for its uncompressed bytes, and says how many they are at the most.
pub(super) fn open(path: &Path) -> Result<(Box<dyn Read>, u64)> {
    let file = files::open_named(path).map_err(|error| Error::io("read", path, error))?;
    let size = file.metadata().map_err(|error| Error::io("read", path, error))?.len();
    if path.extension().is_some_and(|extension| extension == "gz") {
        let most = size.saturating_mul(MOST_UNPACKED).max(ALWAYS_UNPACKED);
        return Ok((Box::new(Gunzip { stream: MultiGzDecoder::new(file), left: most }), most));
    }
    Ok((Box::new(file), size))
}

/// Unpacks no more than a data set may become, and makes a damaged stream `InvalidData` with a reason; a device's errors
/// go through as they are.
struct Gunzip<R> {
    stream: MultiGzDecoder<R>,
    /// How many bytes may still come.
    left: u64,
}

impl<R: Read> Read for Gunzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        let count = self.stream.read(buffer).map_err(|error| match error.kind() {
            UnexpectedEof => io::Error::new(InvalidData, "the gzip stream ends too early"),
            InvalidData | InvalidInput => {
                io::Error::new(InvalidData, format!("the gzip stream is damaged ({error})"))
            }
            _ => error,
        })?;
        let left = self.left.checked_sub(count as u64);
        let too_much = || format!("it unpacks to more than {MOST_UNPACKED} times its size");
        self.left = left.ok_or_else(|| io::Error::new(io::ErrorKind::FileTooLarge, too_much()))?;
        Ok(count)
    }
}
