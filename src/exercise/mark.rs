//! Tells the files that smallnet wrote into the exercise's folder from those that somebody has edited: the last line of each
//! has a digest of the lines above it, in a comment.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::Result;
use crate::run::write_file;
use crate::util::files;
use crate::util::hex::hex;

const WORDS: &str = "written by smallnet lab; digest of the lines above: ";
/// Characters of the digest: enough to notice a change, which nobody tries to hide.
const DIGITS: usize = 16;

/// How a kind of file writes a comment.
#[derive(Debug, Clone, Copy)]
pub(super) enum Comment {
    Toml,
    Html,
}

/// A file that is there now.
pub(super) struct Placed {
    pub(super) path: PathBuf,
    /// Somebody has edited it: it was left as it is.
    pub(super) is_edited: bool,
}

/// Writes `text` to `folder/name`, unless somebody has edited that file: then it stays as it is.
pub(super) fn write(folder: &Path, name: &str, text: &str, comment: Comment) -> Result<Placed> {
    let path = folder.join(name);
    let is_edited = is_edited(&path, text)?;
    if !is_edited {
        write_file(folder, name, marked(text, comment).as_bytes())?;
    }
    Ok(Placed { path, is_edited })
}

/// Writes `text` to `folder/stem.html`, or beside it where somebody has edited that: `stem-2.html`.
pub(super) fn write_beside(folder: &Path, stem: &str, text: &str) -> Result<Placed> {
    let first = write(folder, &format!("{stem}.html"), text, Comment::Html)?;
    if !first.is_edited {
        return Ok(first);
    }
    let mut number = 2;
    loop {
        let placed = write(folder, &format!("{stem}-{number}.html"), text, Comment::Html)?;
        if !placed.is_edited {
            return Ok(Placed { is_edited: true, ..placed });
        }
        number += 1;
    }
}

fn marked(text: &str, comment: Comment) -> String {
    let end = if text.ends_with('\n') { "" } else { "\n" };
    let text = format!("{text}{end}");
    let digest = digest(&text);
    match comment {
        Comment::Toml => format!("{text}# {WORDS}{digest}\n"),
        Comment::Html => format!("{text}<!-- {WORDS}{digest} -->\n"),
    }
}

fn digest(text: &str) -> String {
    hex(&Sha256::digest(text)).chars().take(DIGITS).collect()
}

/// Whether there is a file at `path` that smallnet did not write as it stands. One without the mark, as earlier versions
/// wrote it, is nobody's edit where it is `text`.
fn is_edited(path: &Path, text: &str) -> Result<bool> {
    if !path.exists() {
        return Ok(false);
    }
    let found = files::read_bytes(path)?;
    // Some editors end lines in their own way; that is no edit.
    let found = String::from_utf8_lossy(&found).replace("\r\n", "\n");
    Ok(found.trim_end() != text.trim_end() && !is_whole(&found))
}

/// Whether a text ends with the digest of its other lines.
fn is_whole(text: &str) -> bool {
    let Some((above, rest)) = text.rsplit_once(WORDS) else { return false };
    let above = &above[..above.rfind('\n').map_or(0, |end| end + 1)];
    let (found, end) = rest.split_at_checked(DIGITS).unwrap_or_default();
    found == digest(above) && ["", "-->"].contains(&end.trim())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_edits_is_told_from_what_was_written() {
        for comment in [Comment::Toml, Comment::Html] {
            let text = marked("a = 1\nb = 2", comment);
            assert!(is_whole(&text), "{text}");
            for edited in [
                text.replace("a = 1", "a = 2"),
                format!("{text}c = 3\n"),
                text.replace("above: ", "above: 0"),
                text.lines().take(2).collect::<Vec<_>>().join("\n"),
                String::new(),
            ] {
                assert!(!is_whole(&edited), "{edited}");
            }
        }
    }

    #[test]
    fn an_edited_file_stays_and_the_new_one_goes_beside_it() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path();
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
        assert!(!write(folder, "a.toml", "a = 1\n", Comment::Toml).unwrap().is_edited);
        assert!(!write(folder, "a.toml", "a = 2\n", Comment::Toml).unwrap().is_edited);
        assert!(read("a.toml").starts_with("a = 2\n"));
        // Another editor's line ends are no edit; another value is.
        std::fs::write(folder.join("a.toml"), read("a.toml").replace('\n', "\r\n")).unwrap();
        assert!(!write(folder, "a.toml", "a = 3\n", Comment::Toml).unwrap().is_edited);
        let mine = read("a.toml").replace("a = 3", "a = 4");
        std::fs::write(folder.join("a.toml"), &mine).unwrap();
        assert!(write(folder, "a.toml", "a = 5\n", Comment::Toml).unwrap().is_edited);
        assert_eq!(read("a.toml"), mine);
        // As an earlier version wrote it, without the mark.
        std::fs::write(folder.join("a.toml"), "a = 5\n").unwrap();
        assert!(!write(folder, "a.toml", "a = 5\n", Comment::Toml).unwrap().is_edited);

        for name in ["report.html", "report-2.html"] {
            std::fs::write(folder.join(name), "mine").unwrap();
        }
        for text in ["one", "two"] {
            let placed = write_beside(folder, "report", text).unwrap();
            assert!(placed.is_edited && placed.path.ends_with("report-3.html"));
            assert!(read("report-3.html").starts_with(text) && read("report.html") == "mine");
        }
    }
}
