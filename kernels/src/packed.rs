//! Owns weights in the order in which a product reads them. Depends on `aligned`, `vectors` and pulp.
//! Must not know images, activations or threads.
//!
//! Weights as the model has them are one row after the other. A tile of a product reads a few columns
//! of every row. In a matrix with 1,024 columns these numbers are 4 kB apart, and the cache holds only
//! a few of them. Packed, they lie one after the other (Goto and van de Geijn 2008).

use std::ops::Range;

use pulp::{Simd, WithSimd};

use crate::aligned::AlignedBuffer;
use crate::dispatch;
use crate::vectors::load;

/// Weights of a product, `[inner, columns]`.
#[derive(Debug, Clone, Copy)]
pub enum Weights<'a> {
    /// One row after the other, as the model has them.
    RowMajor(&'a [f32]),
    /// In panels.
    Packed(&'a PackedMatrix),
}

/// A matrix `[inner, columns]` in panels of some columns: panel p has the columns from p · width on,
/// `[inner, width]`. The last panel ends with zeros. `pack` reuses the memory.
#[derive(Debug, Default)]
pub struct PackedMatrix {
    panels: AlignedBuffer,
    layout: Layout,
}

/// Number of rows, columns and columns of a panel.
#[derive(Debug, Default, Clone, Copy)]
struct Layout {
    inner: usize,
    columns: usize,
    width: usize,
}

/// Product that a packed matrix is made for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PackFor {
    /// The forward pass.
    Forward,
    /// The gradient of the inputs: the matrix is transposed.
    InputGradient,
}

/// Some panels of a matrix, to be filled by one thread.
pub struct PackTask<'a> {
    source: &'a [f32],
    is_transposed: bool,
    layout: Layout,
    /// Number of the first panel.
    first: usize,
    panels: &'a mut [f32],
}

impl PackedMatrix {
    /// Returns the tasks that fill the matrix with the weights of a layer, `[inputs, outputs]`, in at
    /// most `num_parts` parts. The matrix is `[outputs, inputs]` for the gradient of the inputs.
    pub fn pack<'a>(
        &'a mut self,
        weight: &'a [f32],
        [inputs, outputs]: [usize; 2],
        pack_for: PackFor,
        num_parts: usize,
    ) -> impl Iterator<Item = PackTask<'a>> {
        assert_eq!(weight.len(), inputs * outputs, "weights");
        let is_transposed = pack_for == PackFor::InputGradient;
        let (inner, columns) = if is_transposed { (outputs, inputs) } else { (inputs, outputs) };
        let layout = Layout { inner, columns, width: dispatch(PanelWidth { columns }) };
        self.layout = layout;
        let num_panels = columns.div_ceil(layout.width.max(1));
        self.panels.resize(num_panels * inner * layout.width);
        let per_part = num_panels.div_ceil(num_parts.max(1)).max(1);
        let parts = self.panels.chunks_mut((per_part * inner * layout.width).max(1));
        (0..).step_by(per_part).zip(parts).map(move |(first, panels)| PackTask {
            source: weight,
            is_transposed,
            layout,
            first,
            panels,
        })
    }

    /// Number of columns.
    pub(super) fn num_columns(&self) -> usize {
        self.layout.columns
    }

    /// Number of columns of a panel, with those that are 0 at the end of the last one.
    pub(super) fn width(&self) -> usize {
        self.layout.width
    }

    /// Number of rows.
    pub(super) fn num_rows(&self) -> usize {
        self.layout.inner
    }

    /// Some rows of panel number `panel`, `[rows, width]`.
    pub(super) fn rows_of_panel(&self, panel: usize, rows: Range<usize>) -> &[f32] {
        let Layout { inner, width, .. } = self.layout;
        &self.panels[(panel * inner + rows.start) * width..(panel * inner + rows.end) * width]
    }

    /// Panels `[inner, width]`, each with the range of its columns.
    pub(super) fn panels(&self) -> impl Iterator<Item = (&[f32], Range<usize>)> {
        let Layout { inner, columns, width } = self.layout;
        let panels = self.panels.chunks_exact((inner * width).max(1));
        (0..)
            .step_by(width.max(1))
            .zip(panels)
            .map(move |(from, panel)| (panel, from..columns.min(from + width)))
    }
}

impl PackTask<'_> {
    /// Fills the panels.
    pub fn run(self) {
        dispatch(self);
    }
}

/// Number of columns of a panel: one or two vectors.
pub(super) fn panel_width<S: Simd>(columns: usize) -> usize {
    if columns <= S::F32_LANES { S::F32_LANES } else { 2 * S::F32_LANES }
}

struct PanelWidth {
    columns: usize,
}

impl WithSimd for PanelWidth {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        panel_width::<S>(self.columns)
    }
}

impl WithSimd for PackTask<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Layout { inner, columns, width } = self.layout;
        for (panel, values) in (self.first..).zip(self.panels.chunks_exact_mut((inner * width).max(1))) {
            let start = panel * width;
            let end = columns.min(start + width);
            if self.is_transposed {
                transpose(&self.source[start * inner..end * inner], inner, values, width);
            } else if end - start == width {
                match width / S::F32_LANES {
                    1 => copy_columns::<S, 1>(self.source, columns, start, values),
                    _ => copy_columns::<S, 2>(self.source, columns, start, values),
                }
            } else {
                for (row, values) in self.source.chunks_exact(columns).zip(values.chunks_exact_mut(width)) {
                    let (whole, rest) = values.split_at_mut(end - start);
                    whole.copy_from_slice(&row[start..end]);
                    rest.fill(0.0);
                }
            }
        }
    }
}

/// Copies `U` vectors of columns of every row of `source` to a panel. A copy of a known length is not a
/// call.
#[inline(always)]
fn copy_columns<S: Simd, const U: usize>(source: &[f32], columns: usize, start: usize, panel: &mut [f32]) {
    let width = U * S::F32_LANES;
    for (row, values) in source.chunks_exact(columns).zip(panel.chunks_exact_mut(width)) {
        S::as_mut_simd_f32s(values).0.copy_from_slice(&load::<S, U>(&row[start..start + width]));
    }
}

/// Side of the squares that `transpose` copies: as many numbers as a cache line has.
const SQUARE: usize = 16;

/// Writes the rows of `source`, each of `inner` numbers, as columns of a panel `[inner, width]`. The
/// columns behind them become 0.
#[inline(always)]
fn transpose(source: &[f32], inner: usize, panel: &mut [f32], width: usize) {
    let rows = source.len() / inner;
    if rows < width {
        panel.fill(0.0);
    }
    for first_row in (0..rows).step_by(SQUARE) {
        for first in (0..inner).step_by(SQUARE) {
            let (height, len) = (SQUARE.min(rows - first_row), SQUARE.min(inner - first));
            let mut square = [[0.0; SQUARE]; SQUARE];
            // A row of the source is a column of the square.
            #[allow(clippy::needless_range_loop)]
            for row in 0..height {
                let start = (first_row + row) * inner + first;
                match source[start..].first_chunk::<SQUARE>() {
                    Some(values) if len == SQUARE => {
                        (0..SQUARE).for_each(|column| square[column][row] = values[column]);
                    }
                    _ => (0..len).for_each(|column| square[column][row] = source[start + column]),
                }
            }
            for (column, values) in square[..len].iter().enumerate() {
                let start = (first + column) * width + first_row;
                match panel[start..].first_chunk_mut::<SQUARE>() {
                    Some(slot) if height == SQUARE => *slot = *values,
                    _ => panel[start..start + height].copy_from_slice(&values[..height]),
                }
            }
        }
    }
}
