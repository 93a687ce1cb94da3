//! Owns the source [`IdxFolder`]: the four IDX files of a folder, and their uncompressed bytes.
//! Must not know the meaning of the bytes, which is the task of `idx`.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

use crate::data::sources::{DataSource, Source, checksum_of_files, idx, usage};
use crate::data::{ImageDataset, Subset};
use crate::error::{Error, Result};
use crate::util::files;
use crate::util::hex::hex;

/// A folder of four IDX files, plain or `.gz`, written as its path. All four files must be there,
/// whichever subset is read.
#[derive(Debug, Clone)]
pub struct IdxFolder {
    path: PathBuf,
}

impl IdxFolder {
    /// Makes a source of the folder at `path`. It is not opened yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Takes any text for the path of a folder.
    pub(super) fn recognise(text: &str) -> Option<Source> {
        Some(Source::new(Self::new(text)))
    }
}

impl DataSource for IdxFolder {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn load(&self, subset: Subset) -> Result<ImageDataset> {
        let [train_images, train_labels, test_images, test_labels] = find_files(&self.path)?;
        let (images, labels) = match subset {
            Subset::Train => (train_images, train_labels),
            Subset::Test => (test_images, test_labels),
        };
        let (images_name, labels_name) = (images.display().to_string(), labels.display().to_string());
        let (reader, max_bytes) = open(&images)?;
        let images = idx::read_images(reader, &images_name, max_bytes)?;
        let (reader, max_bytes) = open(&labels)?;
        let labels = idx::read_labels(reader, &labels_name, max_bytes)?;
        images.with_labels(images_name, labels, labels_name)
    }

    /// Reads all four files, without a check of their contents.
    fn checksum(&self) -> Result<String> {
        let digests: Result<Vec<_>> = find_files(&self.path)?.iter().map(|path| file_digest(path)).collect();
        Ok(checksum_of_files(&digests?))
    }

    fn to_absolute(&self) -> Result<Source> {
        let path = std::path::absolute(&self.path).map_err(|error| Error::io("find", &self.path, error))?;
        Ok(Source::new(Self { path }))
    }
}

/// SHA-256 of the uncompressed file at `path`.
fn file_digest(path: &Path) -> Result<String> {
    let (mut reader, _) = open(path)?;
    let mut buffer = vec![0; 1 << 16];
    let mut digest = Sha256::new();
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(hex(&digest.finalize())),
            Ok(count) => digest.update(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(idx::read_error(&path.display().to_string(), &error)),
        }
    }
}

/// Endings of the names of the four files, before `.gz`. The first of each list is the ending in
/// the original MNIST.
pub(super) const ENDINGS: [&[&str]; 4] = [
    &["train-images-idx3-ubyte", "train-images.idx3-ubyte"],
    &["train-labels-idx1-ubyte", "train-labels.idx1-ubyte"],
    &["t10k-images-idx3-ubyte", "t10k-images.idx3-ubyte", "test-images-idx3-ubyte", "test-images.idx3-ubyte"],
    &["t10k-labels-idx1-ubyte", "t10k-labels.idx1-ubyte", "test-labels-idx1-ubyte", "test-labels.idx1-ubyte"],
];

/// Largest ratio of unpacked to compressed size. MNIST becomes 5 times larger. A file that becomes
/// a thousand times larger was made to fill the memory. An image of one pixel takes some 16 bytes
/// more in memory than in its files.
const MAX_UNPACK_RATIO: u64 = 100;

/// Bytes that a compressed file may always unpack to. Labels sorted by class are only a few bytes
/// when compressed.
const MIN_UNPACK_LIMIT: u64 = 1 << 20;

/// Finds the training images, training labels, test images and test labels in `folder`.
///
/// # Errors
/// The folder or one of its files is missing, or more than one file could be meant.
fn find_files(folder: &Path) -> Result<[PathBuf; 4]> {
    let names = file_names(folder)?;
    let mut paths = [const { PathBuf::new() }; 4];
    let mut first: Option<(&str, &str)> = None;
    for (path, endings) in paths.iter_mut().zip(ENDINGS) {
        let (prefix, name) = find_file(folder, &names, endings)?;
        let (first_prefix, first_name) = *first.get_or_insert((prefix, name));
        if prefix != first_prefix {
            return Err(ambiguous(first_name, name, folder, "are not of the same data set"));
        }
        *path = folder.join(name);
    }
    Ok(paths)
}

/// Returns the names of the files in `folder`, sorted.
fn file_names(folder: &Path) -> Result<Vec<String>> {
    let wrong =
        |detail| Error::data(format!("data set folder `{}` {detail}", folder.display())).hint(usage());
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

/// Returns the prefix and the name of the one file with one of these `endings`. A plain file is
/// preferred to its `.gz`.
fn find_file<'a>(folder: &Path, names: &'a [String], endings: &[&str]) -> Result<(&'a str, &'a str)> {
    let mut candidates = names
        .iter()
        .filter(|name| !name.strip_suffix(".gz").is_some_and(|plain| names.iter().any(|name| name == plain)))
        .filter_map(|name| Some((prefix_of(name, endings)?, name.as_str())));
    match (candidates.next(), candidates.next()) {
        (None, _) => Err(missing(folder, endings)),
        (Some(found), None) => Ok(found),
        (Some((_, one)), Some((_, two))) => Err(ambiguous(one, two, folder, "could both be meant")),
    }
}

/// Returns the part of a file's name before one of the `endings`: it is empty or something like
/// `emnist-letters-`. Returns nothing for a name that has none of them.
fn prefix_of<'a>(name: &'a str, endings: &[&str]) -> Option<&'a str> {
    let plain = name.strip_suffix(".gz").unwrap_or(name);
    let prefix = endings.iter().find_map(|ending| plain.strip_suffix(ending))?;
    (prefix.is_empty() || prefix.ends_with('-')).then_some(prefix)
}

/// Error of a folder without a file with one of the `endings`.
fn missing(folder: &Path, endings: &[&str]) -> Error {
    let accepted = endings.join("`, `");
    Error::data(format!("cannot find `{}` in `{}`", endings[0], folder.display()))
        .hint(format!("accepted are `{accepted}`, each also with `.gz` and after a prefix that ends in `-`"))
}

/// Error of two files of which only one can be used.
fn ambiguous(one: &str, two: &str, folder: &Path, why: &str) -> Error {
    Error::data(format!("`{one}` and `{two}` in `{}` {why}", folder.display()))
        .hint("keep one data set in a folder, its four files with the same prefix or none")
}

/// Opens a file for reading its uncompressed bytes. Returns an upper bound of their number, too.
fn open(path: &Path) -> Result<(Box<dyn Read>, u64)> {
    let file = files::open_named(path).map_err(|error| Error::io("read", path, error))?;
    let size = file.metadata().map_err(|error| Error::io("read", path, error))?.len();
    if path.extension().is_some_and(|extension| extension == "gz") {
        let max_bytes = size.saturating_mul(MAX_UNPACK_RATIO).max(MIN_UNPACK_LIMIT);
        let reader = LimitedGzDecoder { stream: MultiGzDecoder::new(file), remaining: max_bytes };
        return Ok((Box::new(reader), max_bytes));
    }
    Ok((Box::new(file), size))
}

/// A gzip decoder that refuses to unpack more than a limit. It reports a damaged stream as
/// `InvalidData` with a reason. Errors of the device stay as they are.
struct LimitedGzDecoder<R> {
    stream: MultiGzDecoder<R>,
    /// Bytes that may still be unpacked.
    remaining: u64,
}

impl<R: Read> Read for LimitedGzDecoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        let count = self.stream.read(buffer).map_err(|error| match error.kind() {
            UnexpectedEof => io::Error::new(InvalidData, "the gzip stream ends too early"),
            InvalidData | InvalidInput => {
                io::Error::new(InvalidData, format!("the gzip stream is damaged ({error})"))
            }
            _ => error,
        })?;
        let remaining = self.remaining.checked_sub(count as u64);
        let too_much = || format!("it unpacks to more than {MAX_UNPACK_RATIO} times its size");
        self.remaining = remaining.ok_or_else(|| io::Error::new(io::ErrorKind::FileTooLarge, too_much()))?;
        Ok(count)
    }
}
