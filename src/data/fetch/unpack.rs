//! Owns the unpacking of a fetched zip archive. Must not know where the archive is from.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use zip::ZipArchive;
use zip::result::ZipError;

use crate::data::fetch::{MAX_FILE_BYTES, part_of};
use crate::error::{Error, Result};
use crate::util::files;

/// Unpacks the files named `members` from the archive at `path` into `folder`, whatever folder of
/// the archive they are in. Each is unpacked under the name of a partial file and then renamed.
///
/// # Errors
/// The archive is damaged or lacks a member, or a file cannot be written.
pub(super) fn unpack<'a>(path: &Path, members: impl Iterator<Item = &'a str>, folder: &Path) -> Result<()> {
    let file = files::open_named(path).map_err(|error| Error::io("read", path, error))?;
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|error| damaged(path, "", error))?;
    for member in members {
        let target = folder.join(member);
        let part = part_of(&target);
        unpack_member(&mut archive, path, member, &part)?;
        files::rename(&part, &target).map_err(|error| Error::io("write", &target, error))?;
    }
    Ok(())
}

/// Unpacks the file named `member` into the file `part`.
fn unpack_member(
    archive: &mut ZipArchive<BufReader<File>>,
    path: &Path,
    member: &str,
    part: &Path,
) -> Result<()> {
    let ends_with_member = |name: &str| name.rsplit('/').next() == Some(member);
    let name = archive.file_names().filter_map(|name| name.ok()).find(|name| ends_with_member(name));
    let name = name.map_or_else(|| member.to_owned(), |name| name.into_owned());
    let entry = archive.by_name(&name).map_err(|error| damaged(path, member, error))?;
    let mut file = File::create(part).map_err(|error| Error::io("write", part, error))?;
    // The reader compares the checksum of the archive when it comes to the end.
    let mut entry = entry.take(MAX_FILE_BYTES);
    let copied = io::copy(&mut entry, &mut file);
    if entry.limit() == 0 {
        let what = format!("`{member}` in `{}` is larger than 1 GiB", path.display());
        return Err(Error::data(what).hint("remove the archive and fetch it again"));
    }
    copied.map(drop).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof | io::ErrorKind::Other => {
            damaged(path, member, error.into())
        }
        _ => Error::io("write", part, error),
    })
}

/// Error of an archive from which a member, or nothing at all, can be read.
fn damaged(path: &Path, member: &str, error: ZipError) -> Error {
    let what = if member.is_empty() { String::new() } else { format!("`{member}` from ") };
    Error::data(format!("cannot unpack {what}`{}`: {error}", path.display()))
        .with_source(error)
        .hint("remove the archive and fetch it again")
}
