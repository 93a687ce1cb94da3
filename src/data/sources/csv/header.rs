//! Owns the first line of a CSV file: its separator, and whether it is a header. Owns also the
//! question whether a text is such a file. Depends on `cells` and `lines`. Must not know which column
//! is the label.

use crate::data::sources::csv::cells::{Cells, number};
use crate::data::sources::csv::lines::{is_blank, lines};
use crate::error::{Error, Result};

/// The bytes that some programs write in front of UTF-8 text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The contents of the first line with text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) separator: u8,
    /// Names of the columns. Empty if the first line is an image.
    pub(super) names: Vec<String>,
    /// Number of columns, at least 1.
    pub(super) num_columns: usize,
    /// True if the last cell of the first line is empty and no header names it: each line ends with
    /// a separator.
    pub(super) ends_with_separator: bool,
    /// Number of bytes before the first image.
    pub(super) start: usize,
    /// Number of lines before the first image.
    pub(super) num_lines: usize,
}

impl Header {
    /// Reads the first line with text of a file. `block` is the file's beginning and holds whole
    /// lines. `None` if there is no such line.
    ///
    /// # Errors
    /// Quotes that have no end. `name` is the file's name.
    pub(super) fn read(name: &str, block: &[u8]) -> Result<Option<Self>> {
        let text = block.strip_prefix(BYTE_ORDER_MARK).unwrap_or(block);
        let Some(num_blank) = lines(text).position(|line| !is_blank(line)) else { return Ok(None) };
        let start_of_line = block.len() - text.len() + length_of_lines(text, num_blank);
        let line = lines(text).nth(num_blank).unwrap_or_default();
        let separator = separator_of(line);
        let cells = Cells::new(line, separator)
            .map(|cell| cell.map(|cell| String::from_utf8_lossy(&cell).into_owned()))
            .collect::<std::result::Result<Vec<_>, _>>();
        let cells = cells.map_err(|_| {
            Error::data(format!("`{name}`, line {}: a cell in quotes has no end", num_blank + 1))
                .hint("expected is `\"text\"`; a quote inside is written twice")
        })?;
        let num_columns = cells.len();
        let mut header = Self {
            separator,
            names: Vec::new(),
            num_columns,
            ends_with_separator: num_columns > 1 && cells.last().is_some_and(String::is_empty),
            start: start_of_line,
            num_lines: num_blank,
        };
        if are_names(&cells) {
            header.names = cells.into_iter().map(without_comment_sign).collect();
            header.ends_with_separator = false;
            header.start = block.len() - text.len() + length_of_lines(text, num_blank + 1);
            header.num_lines += 1;
        }
        Ok(Some(header))
    }

    /// A column for messages, such as ``column 2 (`pixel0`)``. They are counted from 1.
    pub(super) fn describe_column(&self, column: usize) -> String {
        match self.names.get(column) {
            Some(name) if !name.is_empty() => format!("column {} (`{name}`)", column + 1),
            _ => format!("column {}", column + 1),
        }
    }
}

/// Number of bytes of the first `count` lines with their ends.
fn length_of_lines(text: &[u8], count: usize) -> usize {
    text.split_inclusive(|&byte| byte == b'\n').take(count).map(<[u8]>::len).sum()
}

/// The separator of a line: the most frequent one. A comma counts half, since it may stand inside
/// numbers where `;` separates them.
fn separator_of(line: &[u8]) -> u8 {
    let count = |separator| line.iter().filter(|&&byte| byte == separator).count();
    let (commas, semicolons, tabs) = (count(b','), 2 * count(b';'), 2 * count(b'\t'));
    if tabs > commas.max(semicolons) {
        b'\t'
    } else if semicolons > commas {
        b';'
    } else {
        b','
    }
}

/// Number of cells from which numbers that count up are names of columns, not pixels.
const MIN_COUNTING: usize = 16;

/// True if the cells of a line are names of columns: most of them are no numbers, or they count the
/// columns as pandas does, `0,1,2,…`.
fn are_names(cells: &[String]) -> bool {
    let numbers: Vec<f32> = cells.iter().filter_map(|cell| number(cell.as_bytes())).collect();
    let num_empty = cells.iter().filter(|cell| cell.is_empty()).count();
    let num_words = cells.len() - numbers.len() - num_empty;
    let counts_up = || {
        numbers.first().is_some_and(|&first| first == 0.0 || first == 1.0)
            && numbers.windows(2).all(|pair| matches!(pair, [a, b] if a + 1.0 == *b))
    };
    2 * num_words > cells.len() || numbers.len() >= MIN_COUNTING && counts_up()
}

/// A column's name without the sign that `numpy.savetxt` puts in front of a header.
fn without_comment_sign(name: String) -> String {
    name.trim_start_matches(['#', ' ']).to_owned()
}

/// True if the first bytes of a file look like a CSV file of images: rows of numbers of which one may
/// be a word, or a header above them. Both may be cut anywhere.
pub(super) fn looks_like_images(head: &[u8]) -> bool {
    if !is_text(head) {
        return false;
    }
    let text = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head);
    let mut rows = lines(text).filter(|line| !is_blank(line));
    let (Some(first), second) = (rows.next(), rows.next()) else { return false };
    let separator = separator_of(first);
    let (num_numbers, words) = count_cells(first, separator);
    if words.len() <= 1 && num_numbers >= 1 {
        return true;
    }
    match second {
        Some(row) => {
            let (num_numbers, words) = count_cells(row, separator);
            num_numbers > words.len()
        }
        // Of a header that is cut, the names must tell.
        None => 2 * words.iter().filter(|word| is_numbered(word)).count() > num_numbers + words.len(),
    }
}

/// The number of cells that are numbers, and the others. The last cell may be cut, so it is left out
/// if there are enough.
fn count_cells(line: &[u8], separator: u8) -> (usize, Vec<String>) {
    let mut cells: Vec<String> = Cells::new(line, separator)
        .map_while(|cell| cell.ok())
        .map(|cell| String::from_utf8_lossy(&cell).into_owned())
        .collect();
    if cells.len() < 2 {
        return (0, cells);
    }
    if cells.len() > 2 {
        cells.pop();
    }
    let num_cells = cells.len();
    cells.retain(|cell| number(cell.as_bytes()).is_none());
    (num_cells - cells.len(), cells)
}

/// True if a name ends with a number, as the names of pixels do: `pixel0`, `28x28`.
pub(super) fn is_numbered(name: &str) -> bool {
    name.ends_with(|char: char| char.is_ascii_digit())
        && !name.contains(['{', '}', '[', ']', '<', '>', '=', ':'])
}

/// True if no byte is one that texts do not hold.
pub(super) fn is_text(head: &[u8]) -> bool {
    head.iter().all(|&byte| byte >= b' ' && byte != 0x7f || matches!(byte, b'\t' | b'\r' | b'\n'))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
