//! Owns the type of a grey image and the operations on any such image.
//! Must not know the meaning of the values.

use std::f32::consts::SQRT_2;

/// A grey image: `height * width` values, row-major.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct GrayF32 {
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) values: Vec<f32>,
}

impl GrayF32 {
    /// Value in `row` and `column`, both counted from 0.
    pub(super) fn at(&self, row: usize, column: usize) -> f32 {
        self.values[row * self.width + column]
    }

    /// Returns the image with `change` applied to each value.
    pub(super) fn map(&self, change: impl Fn(f32) -> f32) -> Self {
        Self { values: self.values.iter().map(|&value| change(value)).collect(), ..*self }
    }

    /// Replaces each value by `choose` of the values in its row within `radius`, then does the same
    /// along the columns.
    pub(super) fn filter(&self, radius: usize, choose: impl Fn(&[f32]) -> f32) -> Self {
        let filter_rows = |image: &Self| {
            let width = image.width;
            let mut values = Vec::with_capacity(image.values.len());
            for row in image.values.chunks_exact(width) {
                let window = |x: usize| &row[x.saturating_sub(radius)..(x + radius + 1).min(width)];
                values.extend((0..width).map(|x| choose(window(x))));
            }
            Self { values, ..*image }
        };
        filter_rows(&filter_rows(self).transpose()).transpose()
    }

    /// Values on the border.
    pub(super) fn border(&self) -> Vec<f32> {
        let on_border = |index: &usize| {
            let (row, column) = (index / self.width, index % self.width);
            row == 0 || column == 0 || row + 1 == self.height || column + 1 == self.width
        };
        (0..self.values.len()).filter(on_border).map(|index| self.values[index]).collect()
    }

    /// Median of the values on the border.
    pub(super) fn border_median(&self) -> f32 {
        median(self.border())
    }

    /// Cuts out the rectangle of `height` × `width` pixels whose first row and column are `top` and
    /// `left`. It must lie in the image.
    pub(super) fn cut(&self, top: usize, left: usize, height: usize, width: usize) -> Self {
        let rows = (top..top + height).map(|row| &self.values[row * self.width + left..][..width]);
        Self { height, width, values: rows.flatten().copied().collect() }
    }

    /// Adds `margin` pixels of 0 on each side.
    pub(super) fn pad(&self, margin: usize) -> Self {
        let (height, width) = (self.height + 2 * margin, self.width + 2 * margin);
        let mut values = vec![0.0; height * width];
        for (row, line) in self.values.chunks_exact(self.width).enumerate() {
            values[(row + margin) * width + margin..][..self.width].copy_from_slice(line);
        }
        Self { height, width, values }
    }

    /// Mean width of the strokes in pixels. A stroke is where the ink exceeds `half`. Across a
    /// stroke of width w, the mean distance to its edge is w/4.
    pub(super) fn stroke_width(&self, half: f32) -> f64 {
        let distances = self.pad(1).distance_transform(|ink| ink <= half);
        let inside: Vec<f64> = distances
            .values
            .iter()
            .filter(|&&value| value > 0.0)
            .map(|&value| f64::from(value) - 0.5)
            .collect();
        4.0 * inside.iter().sum::<f64>() / inside.len().max(1) as f64
    }

    /// Width in pixels that nine tenths of the strokes' pixels fit in: the width of the strokes,
    /// and more where there are blots. A stroke is where the ink exceeds `half`.
    pub(super) fn stroke_width_above(&self, half: f32) -> f64 {
        let mut distances = self.pad(1).distance_transform(|ink| ink <= half).values;
        distances.retain(|&distance| distance > 0.0);
        let place = distances.len() * 9 / 10;
        if distances.is_empty() {
            return 0.0;
        }
        // The distances across a stroke are evenly distributed from 0 to half of its width.
        f64::from(*distances.select_nth_unstable_by(place, f32::total_cmp).1 - 0.5) / 0.45
    }

    /// Swaps rows and columns.
    pub(super) fn transpose(&self) -> Self {
        let columns =
            (0..self.width).flat_map(|column| (0..self.height).map(move |row| self.at(row, column)));
        Self { height: self.width, width: self.height, values: columns.collect() }
    }

    /// Shrinks the image to the means of blocks of `block` × `block` values. Blocks at the end may
    /// be smaller.
    pub(super) fn shrink(&self, block: usize) -> Self {
        let (height, width) = (self.height.div_ceil(block), self.width.div_ceil(block));
        let mut sums = vec![(0.0f32, 0.0f32); height * width];
        for (index, &value) in self.values.iter().enumerate() {
            let (sum, count) = &mut sums[index / self.width / block * width + index % self.width / block];
            *sum += value;
            *count += 1.0;
        }
        Self { height, width, values: sums.into_iter().map(|(sum, count)| sum / count).collect() }
    }

    /// Distance of each pixel from the nearest one whose value is a `target`, in pixels, exact to
    /// within 8 %. The distance is infinite if there is no target.
    ///
    /// The algorithm is a chamfer distance transform: two sweeps with steps of 1 and √2 (Borgefors
    /// 1986, "Distance transformations in digital images").
    pub(super) fn distance_transform(&self, target: impl Fn(f32) -> bool) -> Self {
        let mut distances = self.map(|value| if target(value) { 0.0 } else { f32::INFINITY });
        for row in 0..self.height {
            for column in 0..self.width {
                distances.relax(
                    row,
                    column,
                    &[(-1, -1, SQRT_2), (-1, 0, 1.0), (-1, 1, SQRT_2), (0, -1, 1.0)],
                );
            }
        }
        for row in (0..self.height).rev() {
            for column in (0..self.width).rev() {
                distances.relax(row, column, &[(1, 1, SQRT_2), (1, 0, 1.0), (1, -1, SQRT_2), (0, 1, 1.0)]);
            }
        }
        distances
    }

    /// Lowers the distance in `row` and `column` to that of the shortest way through a neighbour.
    /// `steps` lists the neighbours: offset in rows, offset in columns and length of the step.
    fn relax(&mut self, row: usize, column: usize, steps: &[(isize, isize, f32)]) {
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

/// Median of the values, 0 if there are none.
pub(super) fn median(mut values: Vec<f32>) -> f32 {
    let middle = values.len() / 2;
    if values.is_empty() { 0.0 } else { *values.select_nth_unstable_by(middle, f32::total_cmp).1 }
}
