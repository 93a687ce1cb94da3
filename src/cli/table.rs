//! Owns tables made of characters that fit the terminal. Text that is too wide is wrapped, and
//! columns that still do not fit are moved to a further table below.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Width, presets};
use console::measure_text_width;

use crate::cli::terminal;
use crate::util::table::{Align, Header, TextTable};

/// Maximum length of a word that is never broken, in characters: a run's id has 15.
const MAX_UNBROKEN: usize = 16;
/// Spaces of a column, one on either side.
const PADDING: usize = 2;

/// Table without rules. Texts are aligned to the left and wrapped if they do not fit. Numbers are
/// aligned to the right and never wrapped.
#[derive(Debug, Clone)]
pub(super) struct Table {
    columns: Vec<Column>,
}

/// Column of a table, with its cells from top to bottom.
#[derive(Debug, Clone)]
struct Column {
    header: String,
    cells: Vec<String>,
    is_text: bool,
}

impl Table {
    /// Creates a table without rows. The first `num_texts` columns contain texts, all others
    /// numbers.
    pub(super) fn new<S: Into<String>>(header: impl IntoIterator<Item = S>, num_texts: usize) -> Self {
        let column = |(index, header): (usize, S)| Column {
            header: header.into(),
            cells: Vec::new(),
            is_text: index < num_texts,
        };
        Self { columns: header.into_iter().enumerate().map(column).collect() }
    }

    /// The table whose columns were declared once for the terminal and the pages.
    pub(super) fn of_text(table: TextTable) -> Self {
        let column = |header: Header| Column {
            header: header.name,
            cells: Vec::new(),
            is_text: header.align == Align::Left,
        };
        let mut aligned = Self { columns: table.headers.into_iter().map(column).collect() };
        aligned.add_rows(table.rows);
        aligned
    }

    /// Creates a table of `(name, description)` pairs, without a header.
    pub(super) fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut table = Self::new(["", ""], 2);
        table.add_rows(pairs.into_iter().map(<[&str; 2]>::from));
        table
    }

    pub(super) fn add_row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            column.cells.push(cell.into());
        }
    }

    /// Adds several rows.
    pub(super) fn add_rows<S: Into<String>, R: IntoIterator<Item = S>>(
        &mut self,
        rows: impl IntoIterator<Item = R>,
    ) {
        rows.into_iter().for_each(|row| self.add_row(row));
    }

    /// Returns the table as lines that fit the terminal, without trailing spaces.
    pub(super) fn lines(&self) -> String {
        self.fit(usize::from(terminal::width()))
    }

    /// Draws the table in lines of at most `width` characters. If not all columns fit next to one
    /// another, the others are drawn in a further table below, which repeats the first column.
    fn fit(&self, width: usize) -> String {
        let columns: Vec<&Column> = self.columns.iter().collect();
        let blocks = blocks(&columns, width);
        let blocks = blocks.iter().map(|columns| draw(columns, &widths(columns, width)));
        blocks.collect::<Vec<_>>().join("\n\n")
    }
}

impl Column {
    /// Returns the width at which nothing is wrapped.
    fn natural_width(&self) -> usize {
        self.cells_width().max(measure_text_width(&self.header))
    }

    fn cells_width(&self) -> usize {
        self.cells.iter().map(|cell| measure_text_width(cell)).max().unwrap_or(0)
    }

    /// Returns the minimum width, at which texts and headers are wrapped and numbers are not.
    fn min_width(&self) -> usize {
        let word = |text: &String| text.split(' ').map(measure_text_width).max().unwrap_or(0);
        let header = word(&self.header).min(MAX_UNBROKEN);
        match self.is_text {
            true => self.cells.iter().map(word).max().unwrap_or(0).min(MAX_UNBROKEN).max(header),
            false => self.cells_width().max(header),
        }
    }
}

/// Returns the width of a table with columns of these widths.
fn total_width(widths: impl IntoIterator<Item = usize>) -> usize {
    // A line has no space at its end.
    widths.into_iter().map(|width| width + PADDING).sum::<usize>().saturating_sub(1)
}

/// Groups the columns into tables whose minimum width is at most `width`. Each group begins with
/// the first column.
fn blocks<'a>(columns: &[&'a Column], width: usize) -> Vec<Vec<&'a Column>> {
    let Some((&first, others)) = columns.split_first() else { return Vec::new() };
    let (mut blocks, mut block) = (Vec::new(), vec![first]);
    for &column in others {
        let wanted = total_width(block.iter().chain([&column]).map(|column| column.min_width()));
        if block.len() > 1 && wanted > width {
            blocks.push(std::mem::replace(&mut block, vec![first]));
        }
        block.push(column);
    }
    blocks.push(block);
    blocks
}

/// Returns the columns' widths in lines of `width` characters.
///
/// Each column gets its minimum width. The remaining width goes to the columns that lack least
/// first. If even the minimum widths do not fit, columns of texts get less.
fn widths(columns: &[&Column], width: usize) -> Vec<usize> {
    let mut widths: Vec<usize> = columns.iter().map(|column| column.min_width()).collect();
    let mut excess = total_width(widths.iter().copied()).saturating_sub(width);
    for (width, _) in widths.iter_mut().zip(columns).filter(|(_, column)| column.is_text) {
        let less = excess.min(width.saturating_sub(1));
        *width -= less;
        excess -= less;
    }
    let mut left = width.saturating_sub(total_width(widths.iter().copied()));
    let missing = |index: usize| columns[index].natural_width() - columns[index].min_width();
    let mut order: Vec<usize> = (0..columns.len()).collect();
    order.sort_by_key(|&index| missing(index));
    for index in order {
        let more = missing(index).min(left);
        widths[index] += more;
        left -= more;
    }
    widths
}

/// Draws one table with columns of these widths.
fn draw(columns: &[&Column], widths: &[usize]) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    if columns.iter().any(|column| !column.header.is_empty()) {
        table.set_header(columns.iter().map(|column| &column.header));
    }
    let num_rows = columns.first().map_or(0, |column| column.cells.len());
    for row in 0..num_rows {
        table.add_row(columns.iter().map(|column| column.cells.get(row).map_or("", String::as_str)));
    }
    for ((drawn, column), &width) in table.column_iter_mut().zip(columns).zip(widths) {
        let width = u16::try_from(width + PADDING).unwrap_or(u16::MAX);
        drawn.set_constraint(ColumnConstraint::Absolute(Width::Fixed(width)));
        drawn.set_cell_alignment(if column.is_text { CellAlignment::Left } else { CellAlignment::Right });
    }
    let text = table.to_string();
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
