//! Owns the opening of a file of a data set: it is unpacked if its first bytes say that it is
//! compressed, whatever its name is, and a file that is no data set is named for what it is. Must
//! not know the forms of data sets.

use std::io::{self, Cursor, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use crate::data::progress::ReportingReader;
use crate::error::{Error, ErrorKind, Result, copy_io_error};
use crate::util::files;
use crate::util::format::listed;

/// Number of bytes at the start of a file that decide what it is.
const HEAD_BYTES: usize = 1024;

/// The largest ratio of unpacked to compressed size that the DEFLATE format allows (RFC 1951: a
/// match of 258 bytes takes at least 2 bits).
pub(super) const MAX_DEFLATE_RATIO: u64 = 1032;

/// Size of a file in bytes from which its reading takes long enough to show its progress.
const MIN_REPORTED_BYTES: u64 = 64 << 20;

/// A file of a data set, opened for reading its uncompressed bytes.
pub(super) struct DataFile {
    /// Name of the file for messages: its path.
    pub(super) name: String,
    /// An upper bound of the number of uncompressed bytes.
    pub(super) max_bytes: u64,
    /// The first uncompressed bytes, at most 1024.
    pub(super) head: Vec<u8>,
    /// The head again, then the rest of the file. To read it is faster than to read the whole struct,
    /// which sets a buffer to zeros before it fills it.
    pub(super) reader: Box<dyn Read + Send>,
}

impl DataFile {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let file = files::open_named(path).map_err(|error| Error::io("read", path, error))?;
        let size = file.metadata().map_err(|error| Error::io("read", path, error))?.len();
        let name = path.display().to_string();
        let file: Box<dyn Read + Send> = match size < MIN_REPORTED_BYTES {
            true => Box::new(file),
            false => Box::new(ReportingReader::new(file, &name, size)),
        };
        let (head, reader) = peek(file, &name)?;
        if !head.starts_with(&GZIP) {
            return Ok(Self { name, max_bytes: size, head, reader });
        }
        let unpacked = Box::new(GzReader { stream: MultiGzDecoder::new(reader) });
        let (head, reader) = peek(unpacked, &name)?;
        let max_bytes = size.saturating_mul(MAX_DEFLATE_RATIO);
        Ok(Self { name, max_bytes, head, reader })
    }
}

impl Read for DataFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer)
    }
}

/// Reads the first bytes, and returns them and a reader of all bytes.
fn peek(mut reader: Box<dyn Read + Send>, name: &str) -> Result<(Vec<u8>, Box<dyn Read + Send>)> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    let read = (&mut reader).take(HEAD_BYTES as u64).read_to_end(&mut head);
    read.map_err(|error| read_error(name, &error))?;
    let whole = Cursor::new(head.clone()).chain(reader);
    Ok((head, Box::new(whole)))
}

/// A gzip decoder that reports a damaged stream as `InvalidData` with a reason. Errors of the
/// device stay as they are.
struct GzReader<R> {
    stream: MultiGzDecoder<R>,
}

impl<R: Read> Read for GzReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        self.stream.read(buffer).map_err(|error| match error.kind() {
            UnexpectedEof => io::Error::new(InvalidData, "the gzip stream ends too early"),
            InvalidData | InvalidInput => {
                io::Error::new(InvalidData, format!("the gzip stream is damaged ({error})"))
            }
            _ => error,
        })
    }
}

/// Error of a file that could not be read to its end, because of a device or a damaged compressed
/// stream.
pub(super) fn read_error(name: &str, source: &io::Error) -> Error {
    let kind = match source.kind() {
        io::ErrorKind::InvalidData => ErrorKind::Data,
        io::ErrorKind::OutOfMemory => ErrorKind::Resources,
        _ => ErrorKind::Io,
    };
    let error = Error::new(format!("cannot read `{name}`: {source}"))
        .with_kind(kind)
        .with_source(copy_io_error(source));
    match source.kind() {
        io::ErrorKind::InvalidData => {
            error.hint("the download may be incomplete or damaged: fetch the file again")
        }
        _ => error,
    }
}

/// First bytes of a gzip file.
pub(super) const GZIP: [u8; 2] = [0x1f, 0x8b];
/// First bytes of a zip file, which an npz file is.
pub(super) const ZIP: [u8; 4] = *b"PK\x03\x04";
/// First bytes of a Parquet file.
pub(super) const PARQUET: [u8; 4] = *b"PAR1";
/// First bytes of a PNG file.
pub(super) const PNG: [u8; 8] = *b"\x89PNG\r\n\x1a\n";
/// First bytes of a JPEG file.
pub(super) const JPEG: [u8; 3] = [0xff, 0xd8, 0xff];

/// Says what a file is whose first bytes are `head`, if it is something that people have in place
/// of a data set: what it is, and the next thing to do.
pub(super) fn describe_wrong_file(head: &[u8], path: &Path) -> Option<(&'static str, String)> {
    let text = String::from_utf8_lossy(&head[..head.len().min(256)]).trim_start().to_ascii_lowercase();
    let name = path.display();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = folder.display();
    let again =
        || "the download failed: fetch the file again, and look at its address and its size".to_owned();
    if head.is_empty() {
        return Some(("an empty file", "the download failed: fetch it again".to_owned()));
    }
    if text.starts_with("<!doctype html") || text.starts_with("<html") || text.starts_with("<head") {
        return Some(("a web page", again()));
    }
    if text.starts_with("<?xml") {
        return Some(("an XML text, perhaps an error of the server", again()));
    }
    if text.starts_with("version https://git-lfs") {
        let fetch = "fetch it from its repository: `git lfs install; git lfs pull`";
        return Some(("a Git LFS pointer, which only names the data", fetch.to_owned()));
    }
    let unpack = |command: String| format!("unpack it: `{command}`");
    let packed: [(&[u8], &str, String); 7] = [
        (&ZIP, "a zip archive", format!("unzip {name} -d {folder}")),
        (b"\xfd7zXZ\0", "compressed with xz", format!("xz --decompress {name}")),
        (b"BZh", "compressed with bzip2", format!("bunzip2 {name}")),
        (b"\x28\xb5\x2f\xfd", "compressed with zstd", format!("unzstd {name}")),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive", format!("7z x {name} -o{folder}")),
        (b"Rar!", "a RAR archive", format!("unrar x {name} {folder}/")),
        (&GZIP, "compressed twice", format!("gunzip {name}")),
    ];
    if let Some((_, what, command)) = packed.into_iter().find(|(magic, ..)| head.starts_with(magic)) {
        return Some((what, unpack(command)));
    }
    if head.get(257..262) == Some(b"ustar") {
        return Some(("a tar archive", unpack(format!("tar xf {name} -C {folder}"))));
    }
    let pictures: [&[u8]; 4] = [&PNG, &JPEG, b"GIF8", b"BM"];
    if pictures.iter().any(|magic| head.starts_with(magic)) {
        let folders = "put the pictures of each class into a folder of its own, `train/CLASS/*.png`";
        return Some(("a single picture", folders.to_owned()));
    }
    if head.starts_with(b"%PDF") {
        return Some(("a PDF document", again()));
    }
    if head.starts_with(b"\x89HDF") || head.starts_with(b"MATLAB 5.0") {
        let convert =
            "convert it with Python: `numpy.savez(\"data.npz\", x_train=…, y_train=…, x_test=…, y_test=…)`";
        return Some(("an HDF5 or MATLAB file, which is not read", convert.to_owned()));
    }
    if matches!(head, [0x80, 2..=5, ..]) {
        let convert =
            "convert it with Python: `numpy.savez(\"data.npz\", x_train=…, y_train=…, x_test=…, y_test=…)`";
        return Some(("a Python pickle, which may run code and is not read", convert.to_owned()));
    }
    None
}

/// Error of a file that is something else than `expected`.
pub(super) fn wrong_file(head: &[u8], path: &Path, expected: &str) -> Error {
    let name = path.display();
    match describe_wrong_file(head, path) {
        Some((what, hint)) => Error::data(format!("`{name}` is {what}, expected {expected}")).hint(hint),
        None => Error::data(format!("`{name}` is not {expected}")),
    }
}

/// Largest number of names that a message lists.
const MAX_LISTED: usize = 10;

/// Names in backquotes, for messages: `a`, `b` and others.
pub(super) fn quoted(names: impl Iterator<Item = impl std::fmt::Display>) -> String {
    shortened(names.map(|name| format!("`{name}`")))
}

/// The first words of a list, for messages: a, b and others.
pub(super) fn shortened(words: impl Iterator<Item = String>) -> String {
    let mut words: Vec<String> = words.take(MAX_LISTED + 1).collect();
    if words.len() > MAX_LISTED {
        words.truncate(MAX_LISTED);
        words.push("others".to_owned());
    }
    listed(&words)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// Opens a file with these bytes, and returns it with all bytes that it gives.
    fn open(bytes: &[u8]) -> (DataFile, io::Result<Vec<u8>>) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        fs::write(&path, bytes).unwrap();
        let mut file = DataFile::open(&path).unwrap();
        let mut read = Vec::new();
        let result = file.read_to_end(&mut read).map(|_| read);
        (file, result)
    }

    #[test]
    fn the_first_bytes_decide_whether_a_file_is_unpacked() {
        let long: Vec<u8> = (0..5000u32).map(|index| index as u8).collect();
        for bytes in [&long[..], &long[..1024], b"ab", b""] {
            let (plain, read) = open(bytes);
            assert_eq!(read.unwrap(), bytes);
            assert_eq!(plain.max_bytes, bytes.len() as u64);
            assert_eq!(plain.head, bytes[..bytes.len().min(1024)]);
            let (packed, read) = open(&gzip(bytes));
            assert_eq!(read.unwrap(), bytes);
            assert_eq!(packed.head, plain.head);
            assert!(packed.max_bytes >= bytes.len() as u64);
        }
    }

    /// The bound decides how much memory is reserved. So even zeros alone must not exceed it.
    #[test]
    fn the_bound_holds_for_the_best_compression() {
        let zeros = vec![0; 1 << 20];
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&zeros).unwrap();
        let (file, read) = open(&encoder.finish().unwrap());
        assert!((zeros.len() as u64..2 * zeros.len() as u64).contains(&file.max_bytes), "{}", file.max_bytes);
        assert_eq!(read.unwrap(), zeros);
    }

    #[test]
    fn a_file_compressed_in_two_pieces_is_read_whole() {
        assert_eq!(open(&[gzip(b"ab"), gzip(b"cd")].concat()).1.unwrap(), b"abcd");
    }

    #[test]
    fn a_damaged_stream_is_described() {
        let whole = gzip(&[7; 5000]);
        let mut wrong_sum = whole.clone();
        wrong_sum[whole.len() - 8] ^= 1;
        for (bytes, what) in [
            (&whole[..whole.len() - 6], "ends too early"),
            (&wrong_sum, "is damaged (corrupt gzip stream does not have a matching checksum)"),
        ] {
            let error = read_error("x", &open(bytes).1.unwrap_err());
            assert_eq!(
                error.to_string(),
                format!(
                    "cannot read `x`: the gzip stream {what}\n\n\
                     hint: the download may be incomplete or damaged: fetch the file again"
                )
            );
            assert_eq!(error.kind(), ErrorKind::Data);
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = DataFile::open(Path::new("no/such")).err().unwrap();
        assert_eq!(error.to_string(), "cannot read `no/such`: No such file or directory (os error 2)");
    }

    #[test]
    fn wrong_files_are_named_for_what_they_are() {
        let mut tar = vec![b'a'; 512];
        tar[257..262].copy_from_slice(b"ustar");
        for (head, what, hint) in [
            (&b""[..], "an empty file", "the download failed"),
            (b"\n <!DOCTYPE html><html>", "a web page", "the download failed: fetch the file again"),
            (b"<?xml version=\"1.0\"?><Error>", "an XML text", "the download failed"),
            (
                b"version https://git-lfs.github.com/spec/v1\n",
                "a Git LFS pointer",
                "`git lfs install; git lfs pull`",
            ),
            (b"PK\x03\x04..", "a zip archive", "unpack it: `unzip d/x -d d`"),
            (b"\xfd7zXZ\0.", "compressed with xz", "unpack it: `xz --decompress d/x`"),
            (b"BZh9", "compressed with bzip2", "unpack it: `bunzip2 d/x`"),
            (b"\x28\xb5\x2f\xfd.", "compressed with zstd", "unpack it: `unzstd d/x`"),
            (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it: `7z x d/x -od`"),
            (b"Rar!\x1a", "a RAR archive", "unpack it: `unrar x d/x d/`"),
            (&gzip(b"a"), "compressed twice", "unpack it: `gunzip d/x`"),
            (&tar, "a tar archive", "unpack it: `tar xf d/x -C d`"),
            (b"\x89PNG\r\n\x1a\n", "a single picture", "put the pictures of each class"),
            (b"%PDF-1.4", "a PDF document", "the download failed"),
            (b"\x89HDF\r\n", "an HDF5 or MATLAB file", "numpy.savez"),
            (b"\x80\x05.", "a Python pickle", "numpy.savez"),
        ] {
            let text = wrong_file(head, Path::new("d/x"), "a digit").to_string();
            let (message, got_hint) = text.split_once("\n\nhint: ").unwrap();
            assert!(message.starts_with(&format!("`d/x` is {what}")), "{text}");
            assert!(message.ends_with(", expected a digit"), "{text}");
            assert!(got_hint.contains(hint), "{text}");
        }
        assert_eq!(wrong_file(b"\0\0\x08\x03", Path::new("x"), "a digit").to_string(), "`x` is not a digit");
    }
}
