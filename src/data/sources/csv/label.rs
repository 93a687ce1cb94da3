//! Owns the decision which end of the rows is the label where no name says it. It looks at the values
//! of the first and the last column. Depends on `cells`. Must not know files.

use std::collections::HashMap;

use crate::data::sources::csv::cells::number;

/// The first or the last of the columns that may be the label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    First,
    Last,
}

/// Number of different values from which a column is rather a pixel of a photo than a label.
const MANY_VALUES: usize = 128;

/// Number of different values that are counted. More are no label.
const MAX_VALUES: usize = 1 << 16;

/// The values of one column.
#[derive(Debug, Default)]
pub(super) struct ColumnValues {
    /// Number of rows with each whole number, at most [`MAX_VALUES`] numbers.
    counts: HashMap<i64, usize>,
    has_words: bool,
    has_fractions: bool,
    num_rows: usize,
}

impl ColumnValues {
    /// Counts the column's cell in one more row.
    pub(super) fn add(&mut self, cell: &[u8]) {
        self.num_rows += 1;
        match number(cell) {
            None => self.has_words = true,
            Some(value) if value.fract() != 0.0 || !value.is_finite() => self.has_fractions = true,
            // The key only tells values apart.
            Some(value) if self.counts.len() < MAX_VALUES => {
                *self.counts.entry(value as i64).or_default() += 1
            }
            Some(_) => {}
        }
    }

    /// True if all values are whole numbers.
    fn is_whole(&self) -> bool {
        !self.has_words && !self.has_fractions
    }

    /// True if at least 9 of 10 rows have the same value, as at the corner of nearly all drawings.
    fn is_mostly_constant(&self) -> bool {
        let most = self.counts.values().copied().max().unwrap_or(0);
        10 * most >= 9 * self.num_rows
    }

    fn looks_like_label(&self) -> bool {
        self.counts.len() < MANY_VALUES && !self.is_mostly_constant()
    }
}

/// Decides by the values of both columns. `None` if neither end looks more like a label. If the rows
/// are only a part of the file, all of them may decide it.
pub(super) fn label_end(first: &ColumnValues, last: &ColumnValues) -> Option<End> {
    let choose = |first_is, last_is| match (first_is, last_is) {
        (true, false) => Some(End::First),
        (false, true) => Some(End::Last),
        _ => None,
    };
    // Words are never pixels, and fractions never labels.
    choose(first.has_words, last.has_words)
        .or_else(|| choose(first.is_whole(), last.is_whole()))
        .or_else(|| choose(first.looks_like_label(), last.looks_like_label()))
}

/// Decides as [`label_end`] by the values of all rows, for files where even that is not clear: a
/// column with one value alone is no label, and one with far fewer values than the other is one.
pub(super) fn label_end_of_all(first: &ColumnValues, last: &ColumnValues) -> Option<End> {
    let (num_first, num_last) = (first.counts.len(), last.counts.len());
    label_end(first, last).or(match (num_first, num_last) {
        (1, 2..) => Some(End::Last),
        (2.., 1) => Some(End::First),
        _ if 4 * num_first < num_last => Some(End::First),
        _ if 4 * num_last < num_first => Some(End::Last),
        _ => None,
    })
}

/// True if neither column can be a label, since both have fractions.
pub(super) fn has_no_label(first: &ColumnValues, last: &ColumnValues) -> bool {
    first.has_fractions && last.has_fractions && !first.has_words && !last.has_words
}

#[cfg(test)]
mod tests;
