//! Owns tables of text: a column is declared once, and the terminal, the pages and CSV files take
//! its header and its cells from there. Depends on nothing. Must not know where a table is shown.

use std::borrow::Borrow;

/// Alignment of the cells of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Text: at the left, and wrapped where there is no room for it.
    Left,
    /// A number: at the right, and never wrapped.
    Right,
}

/// Header of a column, and how it is aligned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The words above the cells.
    pub name: String,
    /// Alignment of the header and the cells.
    pub align: Align,
}

/// One column of a table: its header and the function that writes its cell of a row.
#[derive(Debug)]
pub struct Column<Row> {
    /// The words above the cells; the field's name in a CSV file.
    pub name: &'static str,
    /// Alignment of the header and the cells.
    pub align: Align,
    /// Writes the cell of one row.
    pub cell: fn(&Row) -> String,
}

impl<Row> Column<Row> {
    /// A column of words.
    pub const fn text(name: &'static str, cell: fn(&Row) -> String) -> Self {
        Self { name, align: Align::Left, cell }
    }

    /// A column of numbers.
    pub const fn number(name: &'static str, cell: fn(&Row) -> String) -> Self {
        Self { name, align: Align::Right, cell }
    }
}

/// A whole table as text. Each row has one cell for each header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextTable {
    /// The headers, from left to right.
    pub headers: Vec<Header>,
    /// The rows, from top to bottom.
    pub rows: Vec<Vec<String>>,
}

impl TextTable {
    /// The table with `columns` that has one row of text for each of `rows`.
    pub fn new<Row>(columns: &[Column<Row>], rows: impl IntoIterator<Item: Borrow<Row>>) -> Self {
        let header = |column: &Column<Row>| Header { name: column.name.to_owned(), align: column.align };
        let cells = |row: &Row| columns.iter().map(|column| (column.cell)(row)).collect();
        let rows = rows.into_iter().map(|row| cells(row.borrow())).collect();
        Self { headers: columns.iter().map(header).collect(), rows }
    }

    /// The same table with `name` in place of the header `from`.
    pub fn renamed(mut self, from: &str, name: &str) -> Self {
        self.headers.iter_mut().filter(|header| header.name == from).for_each(|header| {
            name.clone_into(&mut header.name);
        });
        self
    }
}

/// The text of a value; an en dash where there is none.
pub(crate) fn or_dash<T>(value: Option<T>, text: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| "–".to_owned(), text)
}

#[cfg(test)]
mod tests;
