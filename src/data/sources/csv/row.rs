//! Owns the reading of one row of a CSV file: its pixels, its label, and what is wrong with it. Depends
//! on `cells`, `lines` and `layout`. Must not know files, nor the rows of other pieces.

use std::borrow::Cow;

use crate::data::sources::csv::cells::{Cells, WrongQuotes, as_byte, number};
use crate::data::sources::csv::layout::{Layout, Run};
use crate::data::sources::csv::lines::{is_blank, lines};
use crate::error::Error;
use crate::util::format::counted;

/// The rows of a piece of a file.
#[derive(Debug)]
pub(super) struct PieceRows {
    pub(super) values: Values,
    pub(super) labels: Vec<Label>,
    pub(super) num_rows: usize,
    pub(super) num_lines: usize,
}

/// Pixels of a piece.
#[derive(Debug, PartialEq)]
pub(super) enum Values {
    /// All values so far are whole numbers from 0 to 255.
    Bytes(Vec<u8>),
    Floats(Vec<f32>),
}

#[derive(Debug, PartialEq)]
pub(super) enum Label {
    Whole(u8),
    Text(String),
}

/// A row that cannot be read.
#[derive(Debug)]
pub(super) struct WrongRow {
    /// Line in its piece, from 0.
    line: usize,
    /// Column from 0, if one is wrong.
    column: Option<usize>,
    /// The text that was found, and the one that was expected.
    problem: String,
    hint: &'static str,
}

impl Values {
    /// Appends the next cells of a line as long as they are simple numbers, at most `count`, and
    /// returns their number.
    #[inline]
    fn push_simple(&mut self, cells: &mut Cells<'_>, count: usize) -> usize {
        match self {
            Self::Bytes(bytes) => cells.next_bytes(count, |byte| bytes.push(byte)),
            Self::Floats(floats) => {
                let zeros = cells.next_float_zeros(count);
                floats.resize(floats.len() + zeros, 0.0);
                zeros + cells.next_bytes(count - zeros, |byte| floats.push(byte.into()))
            }
        }
    }

    #[inline]
    fn push_byte(&mut self, byte: u8) {
        match self {
            Self::Bytes(bytes) => bytes.push(byte),
            Self::Floats(floats) => floats.push(byte.into()),
        }
    }

    fn push(&mut self, value: f32) {
        match (&mut *self, as_byte(value)) {
            (_, Some(byte)) => self.push_byte(byte),
            (Self::Floats(floats), None) => floats.push(value),
            (Self::Bytes(bytes), None) => {
                let mut floats: Vec<f32> = bytes.iter().copied().map(f32::from).collect();
                floats.push(value);
                *self = Self::Floats(floats);
            }
        }
    }
}

/// Reads whole lines.
pub(super) fn read_piece(piece: &[u8], layout: &Layout) -> std::result::Result<PieceRows, WrongRow> {
    let mut rows =
        PieceRows { values: Values::Bytes(Vec::new()), labels: Vec::new(), num_rows: 0, num_lines: 0 };
    // The last piece of a file may be empty.
    if piece.is_empty() {
        return Ok(rows);
    }
    for line in lines(piece) {
        if !is_blank(line) {
            read_row(line, layout, &mut rows).map_err(|wrong| wrong.with_line(rows.num_lines))?;
            rows.num_rows += 1;
        }
        rows.num_lines += 1;
    }
    Ok(rows)
}

/// Reads one line.
fn read_row(line: &[u8], layout: &Layout, rows: &mut PieceRows) -> std::result::Result<(), WrongRow> {
    let mut cells = Cells::new(line, layout.header.separator);
    let mut column = 0;
    let wrong_count = || wrong_count(line, layout);
    for run in &layout.runs {
        match *run {
            Run::Pixels(count) => {
                let end = column + count;
                while column < end {
                    column += rows.values.push_simple(&mut cells, end - column);
                    if column < end {
                        let cell = cells.next().ok_or_else(wrong_count)?;
                        rows.values.push(pixel(cell, column, line, layout)?);
                        column += 1;
                    }
                }
            }
            Run::Label => {
                rows.labels.push(match cells.next_byte() {
                    Some(byte) => Label::Whole(byte),
                    None => label(cells.next().ok_or_else(wrong_count)?, column, line, layout)?,
                });
                column += 1;
            }
            Run::LeftOut => {
                cells.next().ok_or_else(wrong_count)?.map_err(|_| wrong_quotes(column))?;
                column += 1;
            }
        }
    }
    if cells.next().is_some() { Err(wrong_count()) } else { Ok(()) }
}

type Cell<'a> = std::result::Result<Cow<'a, [u8]>, WrongQuotes>;

/// The value of a pixel's cell.
fn pixel(cell: Cell<'_>, column: usize, line: &[u8], layout: &Layout) -> std::result::Result<f32, WrongRow> {
    let cell = cell.map_err(|_| wrong_quotes(column))?;
    match number(&cell) {
        Some(value) if value.is_finite() => Ok(value),
        _ => Err(wrong_cell(&cell, column, "a number", line, layout)),
    }
}

/// The label in a cell, which is not empty.
fn label(
    cell: Cell<'_>,
    column: usize,
    line: &[u8],
    layout: &Layout,
) -> std::result::Result<Label, WrongRow> {
    let cell = cell.map_err(|_| wrong_quotes(column))?;
    let is_finite = number(&cell).is_none_or(f32::is_finite);
    match std::str::from_utf8(&cell) {
        Ok(text) if !text.is_empty() && is_finite => Ok(Label::Text(text.to_owned())),
        Ok(_) => Err(wrong_cell(&cell, column, "a label", line, layout)),
        Err(_) => Err(WrongRow {
            line: 0,
            column: Some(column),
            problem: format!("got `{}`, expected text in UTF-8", String::from_utf8_lossy(&cell)),
            hint: "save the file as UTF-8",
        }),
    }
}

/// Number of characters of a cell that a message shows.
const SHOWN_CHARACTERS: usize = 40;

/// A cell that is not what was expected. If the line has another number of cells, that is what is
/// wrong.
fn wrong_cell(cell: &[u8], column: usize, expected: &str, line: &[u8], layout: &Layout) -> WrongRow {
    if Cells::new(line, layout.header.separator).count() != layout.header.num_columns {
        return wrong_count(line, layout);
    }
    let text: String = String::from_utf8_lossy(cell).chars().take(SHOWN_CHARACTERS).collect();
    let is_missing =
        matches!(text.to_lowercase().as_str(), "" | "nan" | "na" | "n/a" | "null" | "?" | "none");
    let (problem, hint) = if text.is_empty() {
        (format!("the cell is empty, expected {expected}"), "fill in the missing value, or remove the line")
    } else if is_missing {
        (
            format!("the value is missing (`{text}`), expected {expected}"),
            "fill in the missing value, or remove the line",
        )
    } else if number(cell).is_some() {
        (format!("got `{text}`, expected a finite number"), "correct the value, or remove the line")
    } else if layout.header.separator != b',' && text.contains(',') {
        (format!("got `{text}`, expected {expected}"), "write numbers with a point: `0.5`")
    } else {
        (
            format!("got `{text}`, expected {expected}"),
            "expected are cells such as `0`, `255`, `0.5` or `1e-3`",
        )
    };
    WrongRow { line: 0, column: Some(column), problem, hint }
}

fn wrong_count(line: &[u8], layout: &Layout) -> WrongRow {
    let got = Cells::new(line, layout.header.separator).count();
    let expected = counted(layout.header.num_columns, "cell", "cells");
    let problem = format!("got {}, expected {expected} as in the first line", counted(got, "cell", "cells"));
    WrongRow { line: 0, column: None, problem, hint: "the file may be cut off or damaged: look at this line" }
}

fn wrong_quotes(column: usize) -> WrongRow {
    let problem = "a cell in quotes has no end, expected `\"text\"`".to_owned();
    let hint = "a quote inside is written twice; a line break inside is not supported";
    WrongRow { line: 0, column: Some(column), problem, hint }
}

impl WrongRow {
    fn with_line(self, line: usize) -> Self {
        Self { line, ..self }
    }

    /// The message, for a piece before which the file `name` has `lines_before` lines.
    pub(super) fn into_error(self, name: &str, lines_before: usize, layout: &Layout) -> Error {
        let line = lines_before + self.line + 1;
        let column = self.column.map(|column| format!(", {}", layout.header.describe_column(column)));
        Error::data(format!("`{name}`, line {line}{}: {}", column.unwrap_or_default(), self.problem))
            .hint(self.hint)
    }
}
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::data::sources::ReadOptions;
    use crate::data::sources::csv::header::Header;
    use crate::data::sources::csv::label::End;
    use crate::data::sources::csv::layout;

    /// The rows of a text, whose label is first if it has no header.
    fn read_text(text: &str) -> std::result::Result<PieceRows, String> {
        let header = Header::read("a.csv", text.as_bytes()).unwrap().unwrap();
        let layout =
            layout::find("a.csv", header, &ReadOptions::default(), false, |_, _, _| Ok(Some(End::First)))
                .unwrap();
        let piece = &text.as_bytes()[layout.header.start..];
        read_piece(piece, &layout)
            .map_err(|wrong| wrong.into_error("a.csv", layout.header.num_lines, &layout).message().to_owned())
    }

    fn values(text: &str) -> Values {
        read_text(text).unwrap().values
    }

    #[test]
    fn whole_numbers_become_bytes_and_all_others_floats() {
        assert_eq!(values("7,0,255,3.0, 4 \n"), Values::Bytes(vec![0, 255, 3, 4]));
        assert_eq!(
            values("7,1,2,3,4\r\n8,5,1e-3,-7,256\r\n9,1,2,3,4\r\n"),
            Values::Floats(vec![1.0, 2.0, 3.0, 4.0, 5.0, 0.001, -7.0, 256.0, 1.0, 2.0, 3.0, 4.0])
        );
    }

    #[test]
    fn labels_are_numbers_or_words() {
        let rows = read_text("7,0,0,0,0\n\n7.0,0,0,0,0\n \"a, b\" ,0,0,0,0\n300,0,0,0,0\n\n\n").unwrap();
        let texts = ["7.0", "a, b", "300"].map(|text| Label::Text(text.to_owned()));
        assert_eq!(rows.labels[0], Label::Whole(7));
        assert_eq!(rows.labels[1..], texts);
        assert_eq!((rows.num_rows, rows.num_lines), (4, 6 + 1));
    }

    /// Quotes take each cell off the fast path.
    #[test]
    fn both_paths_give_the_same_values() {
        let plain: String = (0..60)
            .map(|row: usize| {
                let cells = (0..10).map(|column| {
                    let number = (row * 97 + column * 31) * 13 % 300;
                    if row < 30 { (number % 256).to_string() } else { format!("{}", number as f32 / 8.0) }
                });
                cells.collect::<Vec<_>>().join(",") + "\n"
            })
            .collect();
        let quoted = format!("\"{}\"\n", plain.trim_end().replace(',', "\",\"").replace('\n', "\"\n\""));
        for count in [30, 60] {
            let first_lines = |text: &str| text.split_inclusive('\n').take(count).collect::<String>();
            let (plain, quoted) =
                (read_text(&first_lines(&plain)).unwrap(), read_text(&first_lines(&quoted)).unwrap());
            assert_eq!(matches!(plain.values, Values::Bytes(_)), count == 30);
            assert_eq!(plain.values, quoted.values);
            assert_eq!((plain.labels.len(), plain.num_rows), (count, count));
        }
    }

    #[test]
    fn a_wrong_row_is_named() {
        let header = "label,p0,p1,p2,p3\n";
        for (rows, message) in [
            ("1,0,0,0,0\n\n1,0,0,0\n", "line 4: got 4 cells, expected 5 cells as in the first line"),
            ("1,0,0,0,0,0\n", "line 2: got 6 cells, expected 5 cells as in the first line"),
            ("1,0,0,0,0,\n", "line 2: got 6 cells, expected 5 cells as in the first line"),
            ("1,x,0\n", "line 2: got 3 cells, expected 5 cells as in the first line"),
            ("1,0,abc,0,0\n", "line 2, column 3 (`p1`): got `abc`, expected a number"),
            ("1,0,0,0,\n", "line 2, column 5 (`p3`): the cell is empty, expected a number"),
            ("1,0,0,NA,0\n", "line 2, column 4 (`p2`): the value is missing (`NA`), expected a number"),
            ("1,0,0,nan,0\n", "line 2, column 4 (`p2`): the value is missing (`nan`), expected a number"),
            ("1,0,0,-inf,0\n", "line 2, column 4 (`p2`): got `-inf`, expected a finite number"),
            ("1,0,0,1e39,0\n", "line 2, column 4 (`p2`): got `1e39`, expected a finite number"),
            (",0,0,0,0\n", "line 2, column 1 (`label`): the cell is empty, expected a label"),
            ("NaN,0,0,0,0\n", "line 2, column 1 (`label`): the value is missing (`NaN`), expected a label"),
            ("1,0,\"0,0,0\n", "line 2, column 3 (`p1`): a cell in quotes has no end, expected `\"text\"`"),
        ] {
            let error = read_text(&format!("{header}{rows}")).unwrap_err();
            assert_eq!(error, format!("`a.csv`, {message}"));
        }
        let error = read_text("1;0;0;0;0\n1;0;0,5;0;0\n").unwrap_err();
        assert_eq!(error, "`a.csv`, line 2, column 3: got `0,5`, expected a number");
    }
}
