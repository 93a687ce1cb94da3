//! Owns the arrays in files: an entry of an npz archive, or a `.npy` file. Depends on `npy`. Must
//! not know which array holds what.
//!
//! Archives are untrusted: memory grows with the bytes that are really there, and the checksum of
//! an array is compared.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use zip::ZipArchive;
use zip::result::ZipError;

use crate::data::sources::file::{self, DataFile, MAX_DEFLATE_RATIO};
use crate::data::sources::npz::npy::Header;
use crate::error::{Error, Result};
use crate::util::files;

/// Ending of the name of an array.
pub(super) const NPY: &str = ".npy";

/// One array.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// The array's name in the file: `x_train`.
    pub(super) key: String,
    /// Its name for messages: `data.npz[x_train]`, or the path of its file.
    pub(super) name: String,
    path: PathBuf,
    /// Number of the entry in the archive. `None` if the file is the array.
    entry: Option<usize>,
}

/// Lists the arrays of the npz archive at `path`. An archive without arrays has none.
///
/// # Errors
/// The file cannot be read, or is no archive.
pub(super) fn in_archive(path: &Path) -> Result<Vec<Member>> {
    let archive = open(path)?;
    let mut members = Vec::new();
    for (index, entry) in archive.file_names().enumerate() {
        // A name in an unknown encoding is no name that means something.
        let Ok(entry) = entry else { continue };
        if let Some(key) = entry.strip_suffix(NPY) {
            let name = format!("{}[{key}]", path.display());
            members.push(Member { key: key.to_owned(), name, path: path.to_owned(), entry: Some(index) });
        }
    }
    Ok(members)
}

/// The array that is the file at `path`, called `key`.
pub(super) fn in_file(path: &Path, key: &str) -> Member {
    Member { key: key.to_owned(), name: path.display().to_string(), path: path.to_owned(), entry: None }
}

impl Member {
    /// The same array with another key.
    pub(super) fn with_key(self, key: String) -> Self {
        Self { key, ..self }
    }

    /// Reads only what the array is.
    ///
    /// # Errors
    /// The file cannot be read, or is no array.
    pub(super) fn header(&self) -> Result<Header> {
        match self.entry {
            None => Header::read(&mut DataFile::open(&self.path)?, &self.name),
            Some(entry) => {
                let mut archive = open(&self.path)?;
                let entry = archive.by_index(entry).map_err(|error| zip_error(&self.name, error))?;
                Header::read(&mut EntryReader(entry), &self.name)
            }
        }
    }

    /// Reads the array: `work` gets its header, a reader at its first number, and an upper bound of
    /// the number of bytes that the reader has.
    ///
    /// # Errors
    /// The file cannot be read or is damaged, or those of `work`.
    pub(super) fn read<T>(&self, work: impl FnOnce(&Header, &mut dyn Read, u64) -> Result<T>) -> Result<T> {
        let Some(entry) = self.entry else {
            let mut file = DataFile::open(&self.path)?;
            let header = Header::read(&mut file, &self.name)?;
            let max_bytes = file.max_bytes;
            return work(&header, &mut file, max_bytes);
        };
        let mut archive = open(&self.path)?;
        let entry = archive.by_index(entry).map_err(|error| zip_error(&self.name, error))?;
        let size = self.path.metadata().map_err(|error| Error::io("read", &self.path, error))?.len();
        let max_bytes = entry.compressed_size().min(size).saturating_mul(MAX_DEFLATE_RATIO);
        let mut reader = EntryReader(entry);
        let header = Header::read(&mut reader, &self.name)?;
        let result = work(&header, &mut reader, max_bytes)?;
        // The checksum is compared at the end of the entry.
        match reader.read(&mut [0]).map_err(|error| file::read_error(&self.name, &error))? {
            0 => Ok(result),
            _ => Err(Error::data(format!("`{}` has more bytes than its header says", self.name))
                .hint("the file may be damaged: fetch or save it again")),
        }
    }
}

fn open(path: &Path) -> Result<ZipArchive<BufReader<File>>> {
    let file = files::open_named(path).map_err(|error| Error::io("read", path, error))?;
    ZipArchive::new(BufReader::new(file)).map_err(|error| zip_error(&path.display().to_string(), error))
}

/// Translates an error of the archive's reader.
fn zip_error(name: &str, error: ZipError) -> Error {
    match error {
        ZipError::Io(error) => file::read_error(name, &as_damage(error)),
        ZipError::CompressionMethodNotSupported(_)
        | ZipError::UnsupportedArchive(_)
        | ZipError::InvalidPassword => Error::data(format!("cannot read `{name}`: {error}"))
            .hint("save it again with `numpy.savez_compressed`"),
        error => Error::data(format!("`{name}` is damaged: {error}"))
            .hint("the download may be incomplete or damaged: fetch the file again")
            .with_source(error),
    }
}

/// Reads an entry, and reports a damaged one as `InvalidData` with a reason. Errors of the device
/// stay as they are.
struct EntryReader<R>(R);

impl<R: Read> Read for EntryReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(as_damage)
    }
}

fn as_damage(error: io::Error) -> io::Error {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    match error.kind() {
        UnexpectedEof => io::Error::new(InvalidData, "the archive ends too early"),
        InvalidData | InvalidInput => {
            io::Error::new(InvalidData, format!("the archive is damaged ({error})"))
        }
        _ => error,
    }
}
