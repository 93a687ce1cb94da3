//! Owns the product of a matrix with weights: the forward pass of a layer behind the first one, and the
//! gradient of the inputs of a layer. Depends on `aligned`, `packed`, `vectors` and pulp. Must not know
//! images, activations or threads.
//!
//! A block of weights, some rows of a panel, stays in the first-level cache while all rows of the matrix
//! are multiplied by it (Goto and van de Geijn 2008). Weights as the model has them are copied to such a
//! block first.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use crate::aligned::AlignedBuffer;
use crate::packed::{Weights, panel_width};
use crate::vectors::{fma_tile, load, load_beyond, load_padded, store};
use crate::{TILE_ROWS, dispatch, has_many_registers};

/// Number of rows of weights in a block: with AVX-512, 256 rows of two vectors are 32 KiB, and with AVX2
/// 16 KiB. The first-level caches of such processors have 48 and 32 KiB.
const BLOCK_ROWS: usize = 256;

/// Product: `out[r][c] = bias[c] + Σᵢ matrix[r][i] · weights[i][c]`, with 0 for no bias. `matrix` is
/// `[rows, inner]`, `weights` are `[inner, columns]`, and `out` is `[rows, columns]`. Each sum is added
/// in the order of i.
///
/// # Panics
/// If a length does not fit.
pub fn product(matrix: &[f32], weights: Weights<'_>, columns: usize, bias: Option<&[f32]>, out: &mut [f32]) {
    let inner = match weights {
        Weights::RowMajor(weights) => weights.len() / columns.max(1),
        Weights::Packed(packed) => packed.num_rows(),
    };
    assert_eq!(matrix.len() * columns, out.len() * inner, "outputs");
    assert!(bias.is_none_or(|bias| bias.len() == columns), "bias");
    dispatch(Product { matrix, weights, inner, num_columns: columns, bias, out });
}

/// Product, [`TILE_ROWS`] rows at a time, or half as many where the processor has few registers.
struct Product<'a> {
    matrix: &'a [f32],
    weights: Weights<'a>,
    inner: usize,
    num_columns: usize,
    bias: Option<&'a [f32]>,
    out: &'a mut [f32],
}

/// A block of weights, `[rows, width]`.
struct Block<'a> {
    weights: &'a [f32],
    /// Range of its rows in the weights.
    rows: Range<usize>,
    /// Range of its columns.
    columns: Range<usize>,
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        match panel_width::<S>(self.num_columns) / S::F32_LANES {
            1 => self.compute::<S, 1>(simd),
            _ => self.compute::<S, 2>(simd),
        }
    }
}

impl Product<'_> {
    /// Computes all panels, each `U` vectors wide, one block of weights after the other.
    #[inline(always)]
    fn compute<S: Simd, const U: usize>(&mut self, simd: S) {
        let width = U * S::F32_LANES;
        let mut copy = AlignedBuffer::default();
        for (panel, column) in (0..self.num_columns).step_by(width).enumerate() {
            let columns = column..self.num_columns.min(column + width);
            for start in (0..self.inner).step_by(BLOCK_ROWS) {
                let rows = start..self.inner.min(start + BLOCK_ROWS);
                let weights = match self.weights {
                    Weights::Packed(packed) => packed.rows_of_panel(panel, rows.clone()),
                    Weights::RowMajor(weights) => {
                        copy.resize(rows.len() * width);
                        let weights = &weights[rows.start * self.num_columns..];
                        copy_block::<S, U>(simd, weights, self.num_columns, columns.clone(), &mut copy);
                        &copy
                    }
                };
                self.multiply::<S, U>(simd, &Block { weights, rows, columns: columns.clone() });
            }
        }
    }

    /// Multiplies all rows by a block of weights.
    #[inline(always)]
    fn multiply<S: Simd, const U: usize>(&mut self, simd: S, block: &Block<'_>) {
        let mut rows = (0, self.matrix);
        if has_many_registers::<S>() {
            rows = self.tiles::<S, EightRows, TILE_ROWS, U>(simd, rows, block);
        }
        rows = self.tiles::<S, FourRows, 4, U>(simd, rows, block);
        self.tiles::<S, OneRow, 1, U>(simd, rows, block);
    }

    /// Adds the products of as many rows as whole tiles of `R` rows have to their sums, which begin with
    /// the bias. `rows` are the rows that are left, behind the number of the first one. Returns those
    /// that are left then.
    #[inline(always)]
    fn tiles<'m, S: Simd, T: Rows<R>, const R: usize, const U: usize>(
        &mut self,
        simd: S,
        (mut first, rows): (usize, &'m [f32]),
        block: &Block<'_>,
    ) -> (usize, &'m [f32]) {
        let Block { weights, rows: depth, columns } = block;
        let (inner, num_columns) = (self.inner, self.num_columns);
        let bias = match self.bias {
            Some(bias) => load_padded::<S, U>(simd, &bias[columns.clone()]),
            None => [simd.splat_f32s(0.0); U],
        };
        let tiles = rows.chunks_exact(R * inner);
        let rest = tiles.remainder();
        for tile in tiles {
            let start = |r: usize| (first + r) * num_columns + columns.start;
            let mut sums = [bias; R];
            if depth.start > 0 {
                for (r, sums) in sums.iter_mut().enumerate() {
                    *sums = load_padded::<S, U>(simd, &self.out[start(r)..][..columns.len()]);
                }
            }
            let slices = std::array::from_fn(|r| &tile[r * inner..(r + 1) * inner][depth.clone()]);
            let columns_of_rows = T::columns(slices).zip(weights.chunks_exact(U * S::F32_LANES));
            let sums = sums_of_tile::<S, R, U>(simd, sums, columns_of_rows);
            for (r, sums) in sums.iter().enumerate() {
                store::<S, U>(simd, sums, &mut self.out[start(r)..][..columns.len()]);
            }
            first += R;
        }
        (first, rest)
    }
}

/// Copies `columns` of the first rows of `weights`, each of `num_columns` numbers, to `block`, `U` vectors
/// per row. Numbers beyond the last column are arbitrary, and so are sums that nothing stores.
#[inline(always)]
fn copy_block<S: Simd, const U: usize>(
    simd: S,
    weights: &[f32],
    num_columns: usize,
    columns: Range<usize>,
    block: &mut [f32],
) {
    for (row, slot) in block.chunks_exact_mut(U * S::F32_LANES).enumerate() {
        let start = row * num_columns;
        let values = load_beyond::<S, U>(simd, weights, start + columns.start, start + columns.end);
        S::as_mut_simd_f32s(slot).0.copy_from_slice(&values);
    }
}

/// Returns `sums` plus, of each column of the rows, its products with a row of the weights. A function of
/// its own, because the compiler keeps sums in registers only if nothing else refers to them.
#[inline(always)]
fn sums_of_tile<'a, S: Simd, const R: usize, const U: usize>(
    simd: S,
    sums: [[S::f32s; U]; R],
    columns: impl Iterator<Item = ([&'a f32; R], &'a [f32])>,
) -> [[S::f32s; U]; R] {
    let mut sums = sums;
    for (values, weights) in columns {
        fma_tile(simd, values, &load::<S, U>(weights), &mut sums);
    }
    sums
}

/// Iteration over the columns of `R` rows of equal length. Nested zips have no checks of bounds, with
/// which the compiler would load each number apart from its multiplication.
trait Rows<const R: usize> {
    fn columns(rows: [&[f32]; R]) -> impl Iterator<Item = [&f32; R]>;
}

struct OneRow;
struct FourRows;
struct EightRows;

impl Rows<1> for OneRow {
    #[inline(always)]
    fn columns([row]: [&[f32]; 1]) -> impl Iterator<Item = [&f32; 1]> {
        row.iter().map(|value| [value])
    }
}

impl Rows<4> for FourRows {
    #[inline(always)]
    fn columns([r0, r1, r2, r3]: [&[f32]; 4]) -> impl Iterator<Item = [&f32; 4]> {
        r0.iter().zip(r1).zip(r2).zip(r3).map(|(((a, b), c), d)| [a, b, c, d])
    }
}

impl Rows<8> for EightRows {
    #[inline(always)]
    fn columns([r0, r1, r2, r3, r4, r5, r6, r7]: [&[f32]; 8]) -> impl Iterator<Item = [&f32; 8]> {
        let first = FourRows::columns([r0, r1, r2, r3]);
        let second = FourRows::columns([r4, r5, r6, r7]);
        first.zip(second).map(|([a, b, c, d], [e, f, g, h])| [a, b, c, d, e, f, g, h])
    }
}
