//! Owns the file that names the classes of an EMNIST set, such as `emnist-letters-mapping.txt`: each
//! line has a label and the codes of the characters of its class. Depends on `file`. Must not know
//! the IDX files beside it.

use std::io::Read;

use crate::data::sources::file::DataFile;
use crate::data::sources::listing::Listing;
use crate::error::{Error, Result};

/// An upper bound of the size of the file. EMNIST's largest has 62 lines of some 6 bytes.
const MAX_BYTES: u64 = 1 << 16;

/// Returns each label and the name of its class, as the file of the set with this `prefix` states
/// them. Returns no names if there is no such file, or if it has another form, which a note says.
///
/// # Errors
/// The system cannot read the file.
pub(super) fn class_names(
    listing: &Listing,
    prefix: &str,
    notes: &mut Vec<String>,
) -> Result<Vec<(String, String)>> {
    let file_name = format!("{prefix}mapping.txt");
    if prefix.is_empty() || !listing.files.contains(&file_name) {
        return Ok(Vec::new());
    }
    let path = listing.join(&file_name);
    let mut bytes = Vec::new();
    let read = DataFile::open(&path)?.take(MAX_BYTES).read_to_end(&mut bytes);
    read.map_err(|error| Error::io("read", &path, error))?;
    let text = String::from_utf8_lossy(&bytes);
    match parse(&text) {
        Ok(names) => Ok(names),
        Err(number) => {
            notes.push(format!(
                "line {number} of `{}` is not a label and the codes of characters: the classes have no names",
                path.display()
            ));
            Ok(Vec::new())
        }
    }
}

/// Takes the text of a file apart. The error is the number of the first wrong line, from 1.
fn parse(text: &str) -> std::result::Result<Vec<(String, String)>, usize> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(index, line)| parse_line(line).ok_or(index + 1)).collect()
}

/// The label of a line, and the first of its characters as the name: `1 65 97` is `1` and `A`. A
/// class of letters holds both cases.
fn parse_line(line: &str) -> Option<(String, String)> {
    let mut words = line.split_whitespace();
    let label: i64 = words.next()?.parse().ok()?;
    let chars = words.map(|code| {
        let code: u8 = code.parse().ok()?;
        code.is_ascii_graphic().then_some(char::from(code))
    });
    let chars: Vec<char> = chars.collect::<Option<_>>()?;
    Some((label.to_string(), chars.first()?.to_string()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
