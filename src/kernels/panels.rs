//! The left side of a product: rows of numbers, eight side by side, without the columns in which all eight are 0.

/// Rows that stand side by side in a panel.
pub const ROWS: usize = 8;

/// Rows in panels of eight; those that remain in panels of their own.
#[derive(Debug, Default)]
pub struct Panels {
    pub(super) eights: Strip<ROWS>,
    pub(super) ones: Strip<1>,
}

/// Panels of `R` rows, one behind the other.
#[derive(Debug)]
pub(super) struct Strip<const R: usize> {
    /// The columns in which a panel is not 0, ascending.
    columns: Vec<u32>,
    /// What its rows have there.
    values: Vec<[f32; R]>,
    /// Where each panel ends.
    ends: Vec<usize>,
}

impl<const R: usize> Default for Strip<R> {
    fn default() -> Self {
        Self { columns: Vec::new(), values: Vec::new(), ends: Vec::new() }
    }
}

impl Panels {
    /// Rows of bytes, divided by 255: images as the network takes them.
    ///
    /// # Panics
    /// When the rows are not of one length.
    pub fn of_bytes(rows: &[&[u8]]) -> Self {
        let mut panels = Self::default();
        let (eights, ones) = rows.as_chunks::<ROWS>();
        eights.iter().for_each(|rows| panels.eights.push_bytes(rows));
        ones.iter().for_each(|row| panels.ones.push_bytes(&[row]));
        panels
    }

    /// The rows of a `[rows, width]` matrix, every number taken through `function`.
    ///
    /// # Panics
    /// When `width` does not divide the length of `matrix`.
    pub fn of_matrix(matrix: &[f32], width: usize, function: impl Fn(f32) -> f32) -> Self {
        assert!(matrix.len().is_multiple_of(width), "{} numbers in rows of {width}", matrix.len());
        let mut panels = Self::default();
        let rows: Vec<&[f32]> = matrix.chunks_exact(width).collect();
        let (eights, ones) = rows.as_chunks::<ROWS>();
        eights.iter().for_each(|rows| panels.eights.push(rows, &function));
        ones.iter().for_each(|row| panels.ones.push(&[row], &function));
        panels
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.eights.ends.len() * ROWS + self.ones.ends.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<const R: usize> Strip<R> {
    /// The panels: columns and what the rows have in them.
    pub(super) fn iter(&self) -> impl Iterator<Item = Panel<'_, R>> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let range = std::mem::replace(&mut start, end)..end;
            Panel { columns: &self.columns[range.clone()], values: &self.values[range] }
        })
    }

    fn push(&mut self, rows: &[&[f32]; R], function: impl Fn(f32) -> f32) {
        let width = rows[0].len();
        let rows = rows.map(|row| &row[..width]);
        self.reserve(width);
        for column in 0..width {
            let values = rows.map(|row| function(row[column]));
            // Divergence shows in the sums: what is not a number is not 0.
            if values != [0.0; R] {
                self.columns.push(column as u32);
                self.values.push(values);
            }
        }
        self.ends.push(self.columns.len());
    }

    fn push_bytes(&mut self, rows: &[&[u8]; R]) {
        let width = rows[0].len();
        assert!(rows.iter().all(|row| row.len() == width), "images of different sizes");
        self.reserve(width);
        let words = rows.map(|row| row.as_chunks::<8>().0);
        for word in 0..width / 8 {
            let bytes = words.map(|words| words[word]);
            // Most of an image is background: it is passed over eight pixels at a time.
            if bytes.iter().fold(0, |any, &bytes| any | u64::from_ne_bytes(bytes)) != 0 {
                (0..8).for_each(|byte| self.push_column(8 * word + byte, bytes.map(|bytes| bytes[byte])));
            }
        }
        for column in width / 8 * 8..width {
            self.push_column(column, rows.map(|row| row[column]));
        }
        self.ends.push(self.columns.len());
    }

    #[inline(always)]
    fn push_column(&mut self, column: usize, bytes: [u8; R]) {
        if bytes != [0; R] {
            self.columns.push(column as u32);
            self.values.push(bytes.map(|byte| f32::from(byte) / 255.0));
        }
    }

    fn reserve(&mut self, width: usize) {
        self.columns.reserve(width);
        self.values.reserve(width);
    }
}

/// A panel: where its `R` rows are not all 0, and what they are there.
#[derive(Clone, Copy)]
pub(super) struct Panel<'a, const R: usize> {
    columns: &'a [u32],
    values: &'a [[f32; R]],
}

impl<'a, const R: usize> Panel<'a, R> {
    /// Its columns, ascending, each with what the rows have there.
    #[inline(always)]
    pub(super) fn terms(self) -> impl Iterator<Item = (usize, &'a [f32; R])> {
        self.columns.iter().map(|&column| column as usize).zip(self.values)
    }

    /// Its part from column `from` up to, not with, `to`.
    pub(super) fn part(self, from: usize, to: usize) -> Self {
        let place = |column| self.columns.partition_point(|&other| (other as usize) < column);
        let range = place(from)..place(to);
        Self { columns: &self.columns[range.clone()], values: &self.values[range] }
    }
}
