//! Owns numbers in rows and what can be computed of any such.
//! Must not know what the numbers mean.

use std::f32::consts::SQRT_2;

/// Numbers in rows: `height * width` of them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct GrayF32 {
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) values: Vec<f32>,
}

impl GrayF32 {
    pub(super) fn at(&self, row: usize, column: usize) -> f32 {
        self.values[row * self.width + column]
    }

    pub(super) fn map(&self, change: impl Fn(f32) -> f32) -> Self {
        Self { values: self.values.iter().map(|&value| change(value)).collect(), ..*self }
    }

    /// Each value replaced by `choose` of those in its row within `radius`, then the same along the columns.
    pub(super) fn filtered(&self, radius: usize, choose: impl Fn(&[f32]) -> f32) -> Self {
        let along_rows = |plane: &Self| {
            let mut values = Vec::with_capacity(plane.values.len());
            for row in plane.values.chunks_exact(plane.width) {
                let near = |at: usize| &row[at.saturating_sub(radius)..(at + radius + 1).min(plane.width)];
                values.extend((0..plane.width).map(|at| choose(near(at))));
            }
            Self { values, ..*plane }
        };
        along_rows(&along_rows(self).transposed()).transposed()
    }

    /// The median of the values at the edges.
    pub(super) fn border_median(&self) -> f32 {
        let on_border = |at: &usize| {
            let (row, column) = (at / self.width, at % self.width);
            row == 0 || column == 0 || row + 1 == self.height || column + 1 == self.width
        };
        median((0..self.values.len()).filter(on_border).map(|at| self.values[at]).collect())
    }

    /// Rows become columns.
    pub(super) fn transposed(&self) -> Self {
        let columns =
            (0..self.width).flat_map(|column| (0..self.height).map(move |row| self.at(row, column)));
        Self { height: self.width, width: self.height, values: columns.collect() }
    }

    /// The means of blocks of `block` × `block` values; blocks at the end may be smaller.
    pub(super) fn shrunk(&self, block: usize) -> Self {
        let (height, width) = (self.height.div_ceil(block), self.width.div_ceil(block));
        let mut sums = vec![(0.0f32, 0.0f32); height * width];
        for (at, &value) in self.values.iter().enumerate() {
            let (sum, count) = &mut sums[at / self.width / block * width + at % self.width / block];
            *sum += value;
            *count += 1.0;
        }
        Self { height, width, values: sums.into_iter().map(|(sum, count)| sum / count).collect() }
    }

    /// How far each value lies from the nearest `target`, in steps to a neighbour, within 8 %: two sweeps
    /// with steps of 1 and √2 (Borgefors 1986, "Distance transformations in digital images"). Infinite
    /// without any target.
    pub(super) fn distances(&self, target: impl Fn(f32) -> bool) -> Self {
        let mut distances = self.map(|value| if target(value) { 0.0 } else { f32::INFINITY });
        for row in 0..self.height {
            for column in 0..self.width {
                distances.approach(
                    row,
                    column,
                    &[(-1, -1, SQRT_2), (-1, 0, 1.0), (-1, 1, SQRT_2), (0, -1, 1.0)],
                );
            }
        }
        for row in (0..self.height).rev() {
            for column in (0..self.width).rev() {
                distances.approach(row, column, &[(1, 1, SQRT_2), (1, 0, 1.0), (1, -1, SQRT_2), (0, 1, 1.0)]);
            }
        }
        distances
    }

    /// Lowers a distance to what the way through one of the neighbours is.
    fn approach(&mut self, row: usize, column: usize, steps: &[(isize, isize, f32)]) {
        let mut nearest = self.at(row, column);
        for &(rows, columns, length) in steps {
            if let (Some(row), Some(column)) =
                (row.checked_add_signed(rows), column.checked_add_signed(columns))
                && row < self.height
                && column < self.width
            {
                nearest = nearest.min(self.at(row, column) + length);
            }
        }
        self.values[row * self.width + column] = nearest;
    }
}

/// The middle of the sorted values, 0 without any.
pub(super) fn median(mut values: Vec<f32>) -> f32 {
    let middle = values.len() / 2;
    if values.is_empty() { 0.0 } else { *values.select_nth_unstable_by(middle, f32::total_cmp).1 }
}
