//! Owns the reading of an array as labels: one number per image, one-hot rows, or QMNIST's rows.
//! Depends on `array` and `raw`. Must not know the header of any format.

use std::io::Read;

use crate::data::sources::array::{Array, ElementType};
use crate::data::sources::raw::RawLabels;
use crate::error::{Error, Result};
use crate::util::memory;

/// Numbers per image in QMNIST's label files.
const QMNIST_COLUMNS: usize = 8;

/// Number of labels after which the memory for as many more is checked.
const MEMORY_STEP: usize = 1 << 24;

impl Array {
    /// Reads all numbers as labels: `[n]`, `[n, 1]`, one-hot rows `[n, k]`, or the rows of 8 integers
    /// of QMNIST, of which the first is the class. Returns notes for the user, too. More bytes may
    /// follow the last number.
    ///
    /// # Errors
    /// Missing bytes, too little memory, or numbers that are no labels. `name` is the file's name in
    /// messages.
    pub(in crate::data::sources) fn read_labels(
        &self,
        reader: impl Read,
        name: &str,
    ) -> Result<(RawLabels, Vec<String>)> {
        self.checked_num_bytes(name)?;
        let columns = match self.dims[..] {
            [_] => 1,
            [_, columns] => columns,
            [_, _, _, ..] => {
                return Err(self.no_labels(name, "these are images: are the images and the labels swapped?"));
            }
            [] => return Err(self.no_labels(name, "labels are one number per image, or one-hot rows")),
        };
        let is_qmnist =
            columns == QMNIST_COLUMNS && matches!(self.element, ElementType::I32 | ElementType::I64);
        let mut rows = LabelRows {
            name,
            columns,
            filled: 0,
            hot: None,
            is_one_hot: columns > 1,
            one_hot: RawLabels::default(),
            has_class_column: columns == 1 || is_qmnist,
            first: RawLabels::default(),
        };
        self.for_each(reader, name, |value| {
            rows.push(value)?;
            // No row can still become labels.
            if rows.is_one_hot || rows.has_class_column { Ok(()) } else { Err(self.not_one_hot(name)) }
        })?;
        if rows.is_one_hot {
            return Ok((rows.one_hot, Vec::new()));
        }
        let note = "of the 8 numbers per label the first is the class, as in QMNIST";
        Ok((rows.first, if is_qmnist { vec![note.to_owned()] } else { Vec::new() }))
    }

    /// Error of rows that are neither one-hot nor QMNIST's.
    fn not_one_hot(&self, name: &str) -> Error {
        let hint = "a row of labels must be one-hot: one 1, and 0 everywhere else. If the rows are images, \
                    the images and the labels are swapped";
        self.no_labels(name, hint)
    }

    /// Error of an array that is no labels.
    fn no_labels(&self, name: &str, hint: &str) -> Error {
        Error::data(format!("`{name}` holds {}, expected labels", self.describe())).hint(hint)
    }
}

/// Rows of numbers that are labels.
struct LabelRows<'a> {
    /// Name of the file, for messages.
    name: &'a str,
    columns: usize,
    /// Number of values of the current row so far.
    filled: usize,
    /// Column of the single 1 in the current row.
    hot: Option<usize>,
    /// True as long as every row is one-hot.
    is_one_hot: bool,
    /// Class of each one-hot row.
    one_hot: RawLabels,
    /// True if the first column may be the class.
    has_class_column: bool,
    /// The first column.
    first: RawLabels,
}

impl LabelRows<'_> {
    fn push(&mut self, value: f64) -> Result<()> {
        if self.filled == 0 && self.has_class_column {
            let label = whole(value, self.name)?;
            push_label(&mut self.first, label, self.name)?;
        }
        if self.is_one_hot {
            match value {
                0.0 => {}
                1.0 if self.hot.is_none() => self.hot = Some(self.filled),
                _ => self.is_one_hot = false,
            }
        }
        self.filled += 1;
        if self.filled == self.columns {
            self.filled = 0;
            match self.hot.take() {
                Some(class) if self.is_one_hot => push_label(&mut self.one_hot, class as i64, self.name)?,
                _ => self.is_one_hot = false,
            }
        }
        Ok(())
    }
}

/// Appends a label, after a check of the memory.
fn push_label(labels: &mut RawLabels, label: i64, name: &str) -> Result<()> {
    if !labels.is_empty() && labels.len().is_multiple_of(MEMORY_STEP) {
        memory::check_available(8 * labels.len() as u128, &format!("`{name}`"))?;
    }
    labels.push_int(label).map_err(|error| {
        error
            .in_context(format!("`{name}` holds no labels: {}", error.message()))
            .hint("labels are classes, and many images share one: are the images and the labels swapped?")
    })
}

/// The whole number that `value` is.
fn whole(value: f64, name: &str) -> Result<i64> {
    if value.fract() == 0.0 && value.abs() < 9e15 {
        return Ok(value as i64);
    }
    Err(Error::data(format!("`{name}` holds {value} as a label, expected a whole number"))
        .hint("labels are the numbers of classes: are the images and the labels swapped?"))
}
