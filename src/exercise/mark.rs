//! Owns the mark that distinguishes files that smallnet wrote into the exercise's folder from files
//! that a person has edited: the last line of a file is a comment with a digest of the lines above
//! it.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::Result;
use crate::run::write_file;
use crate::util::files;
use crate::util::hex::hex;

/// Text of the mark, in front of the digest.
const MARK: &str = "written by smallnet lab; digest of the lines above: ";
/// Length of the digest in characters: enough to notice a change that nobody tries to hide.
const DIGEST_LENGTH: usize = 16;

/// Syntax of the comment.
#[derive(Debug, Clone, Copy)]
pub(super) enum Comment {
    Toml,
    Html,
}

/// A file after writing.
pub(super) struct WrittenFile {
    pub(super) path: PathBuf,
    /// True if a person has edited the file, so that it was not written.
    pub(super) is_edited: bool,
}

/// Writes `text` to `folder/name`, unless a person has edited that file.
pub(super) fn write(folder: &Path, name: &str, text: &str, comment: Comment) -> Result<WrittenFile> {
    let path = folder.join(name);
    let is_edited = is_edited(&path, text)?;
    if !is_edited {
        write_file(folder, name, add_mark(text, comment).as_bytes())?;
    }
    Ok(WrittenFile { path, is_edited })
}

/// Writes `text` to `folder/stem.html`. If a person has edited that file, writes
/// `folder/stem-2.html`, `folder/stem-3.html` and so on.
pub(super) fn write_beside(folder: &Path, stem: &str, text: &str) -> Result<WrittenFile> {
    let first = write(folder, &format!("{stem}.html"), text, Comment::Html)?;
    if !first.is_edited {
        return Ok(first);
    }
    let mut number = 2;
    loop {
        let written = write(folder, &format!("{stem}-{number}.html"), text, Comment::Html)?;
        if !written.is_edited {
            return Ok(WrittenFile { is_edited: true, ..written });
        }
        number += 1;
    }
}

/// Returns `text` with the mark as its last line.
fn add_mark(text: &str, comment: Comment) -> String {
    let end = if text.ends_with('\n') { "" } else { "\n" };
    let text = format!("{text}{end}");
    let digest = digest(&text);
    match comment {
        Comment::Toml => format!("{text}# {MARK}{digest}\n"),
        Comment::Html => format!("{text}<!-- {MARK}{digest} -->\n"),
    }
}

/// Returns the first [`DIGEST_LENGTH`] characters of the SHA-256 digest.
fn digest(text: &str) -> String {
    hex(&Sha256::digest(text)).chars().take(DIGEST_LENGTH).collect()
}

/// Returns whether the file at `path` exists and differs from all that smallnet wrote. A file
/// without the mark, as earlier versions wrote it, counts as not edited if it equals `text`.
fn is_edited(path: &Path, text: &str) -> Result<bool> {
    if !path.exists() {
        return Ok(false);
    }
    let found = files::read_bytes(path)?;
    // Another line ending is no edit.
    let found = String::from_utf8_lossy(&found).replace("\r\n", "\n");
    Ok(found.trim_end() != text.trim_end() && !has_valid_mark(&found))
}

/// Returns whether `text` ends with a mark that has the digest of the lines above it.
fn has_valid_mark(text: &str) -> bool {
    let Some((above, rest)) = text.rsplit_once(MARK) else { return false };
    let above = &above[..above.rfind('\n').map_or(0, |end| end + 1)];
    let (found, end) = rest.split_at_checked(DIGEST_LENGTH).unwrap_or_default();
    found == digest(above) && ["", "-->"].contains(&end.trim())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
