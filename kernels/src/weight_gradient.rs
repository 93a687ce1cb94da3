//! Owns the gradient of a layer's weights. Depends on `aligned`, `block_sparse`, `vectors` and pulp. Must not know
//! activations, losses or threads.
//!
//! A tile of the gradient, a few inputs by a few vectors of outputs, stays in registers until it is
//! complete, as in the products of Goto and van de Geijn (2008).

use std::ops::Range;

use pulp::{Simd, WithSimd};

use crate::aligned::AlignedBuffer;
use crate::block_sparse::BlockSparse;
use crate::pixels::BLOCK;
use crate::vectors::{fma_tile, load_padded, store, tiles};
use crate::{dispatch, has_many_registers};

/// Input of a layer, one row per image.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// Images as the input of the first layer: `[rows, inputs]` without blocks of zeros.
    Images(&'a BlockSparse),
    /// Matrix `[rows, inputs]`.
    Matrix(&'a [f32]),
}

/// Gradient of the weights: `gradient[i − from][o] = Σ input[r][i] · gradients[r][o]`, summed over
/// the rows of all `pairs` of inputs and gradients. The inputs i are those in `inputs`, which
/// begins with `from`. `shape` is the layer's number of inputs and of outputs.
///
/// # Panics
/// If a length does not fit, or `inputs` does not begin with a multiple of [`BLOCK`].
pub fn weight_gradient(
    pairs: &[(Input<'_>, &[f32])],
    shape: [usize; 2],
    inputs: Range<usize>,
    gradient: &mut [f32],
) {
    assert!(inputs.start.is_multiple_of(BLOCK), "inputs begin with {}", inputs.start);
    assert_eq!(gradient.len(), inputs.len() * shape[1], "gradient");
    let pairs: Vec<_> = pairs
        .iter()
        .map(|&(input, gradients)| match input {
            Input::Images(images) => (Blocks::Sparse(images), gradients),
            Input::Matrix(matrix) => (Blocks::of(matrix, shape[0], inputs.clone()), gradients),
        })
        .collect();
    dispatch(WeightGradient { pairs: &pairs, outputs: shape[1], inputs, gradient });
}

/// Adds columns of a matrix of `width` columns to their sums: `sums[c − from] += Σᵣ matrix[r][c]`. The
/// columns c are those in `columns`, which begins with `from`. With the gradients by the pre-activations
/// of a layer, the sums are the gradients of its biases.
///
/// # Panics
/// If there is not one sum per column.
pub fn column_sums(matrix: &[f32], width: usize, columns: Range<usize>, sums: &mut [f32]) {
    assert_eq!(sums.len(), columns.len(), "sums");
    dispatch(ColumnSums { matrix, width, columns, sums });
}

struct ColumnSums<'a> {
    matrix: &'a [f32],
    width: usize,
    columns: Range<usize>,
    sums: &'a mut [f32],
}

impl WithSimd for ColumnSums<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for row in self.matrix.chunks_exact(self.width) {
            for (sum, value) in self.sums.iter_mut().zip(&row[self.columns.clone()]) {
                *sum += value;
            }
        }
    }
}

/// Inputs of a layer in blocks of [`BLOCK`] inputs.
enum Blocks<'a> {
    /// Images without blocks of zeros.
    Sparse(&'a BlockSparse),
    /// The blocks from the first input of a range on: `[blocks, rows]`. In a matrix, the values of one
    /// tile are one row apart, such as 4 kB, and would compete for a few sets of the cache.
    Dense { rows: usize, blocks: Vec<[f32; BLOCK]> },
}

/// Number of rows whose blocks fill a cache line of 64 bytes.
const LINE_ROWS: usize = 64 / size_of::<[f32; BLOCK]>();

impl Blocks<'_> {
    /// Copies the columns `inputs` of a matrix with `width` columns. Values beyond the last column are
    /// 0.
    fn of(matrix: &[f32], width: usize, inputs: Range<usize>) -> Self {
        let rows = matrix.len() / width;
        let mut blocks = vec![[0.0; BLOCK]; rows * inputs.len().div_ceil(BLOCK)];
        // Some rows at a time, whose blocks fill a cache line: two blocks of a row are too far apart.
        for first in (0..rows).step_by(LINE_ROWS) {
            let last = rows.min(first + LINE_ROWS);
            for (block, start) in inputs.clone().step_by(BLOCK).enumerate() {
                let slots = &mut blocks[block * rows + first..block * rows + last];
                for (slot, row) in slots.iter_mut().zip(matrix[first * width..].chunks_exact(width)) {
                    match row[start..inputs.end].first_chunk::<BLOCK>() {
                        Some(whole) => *slot = *whole,
                        None => slot[..inputs.end - start].copy_from_slice(&row[start..inputs.end]),
                    }
                }
            }
        }
        Self::Dense { rows, blocks }
    }
}

/// Gradient of the weights, [`BLOCK`] inputs at a time.
struct WeightGradient<'a> {
    pairs: &'a [(Blocks<'a>, &'a [f32])],
    outputs: usize,
    inputs: Range<usize>,
    gradient: &'a mut [f32],
}

impl WithSimd for WeightGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let mut done = 0;
        if has_many_registers::<S>() {
            while done + 4 * S::F32_LANES <= self.outputs {
                done = self.compute_columns::<S, 4>(simd, done);
            }
        }
        while done < self.outputs {
            // The last vectors may be wider than the rest of the outputs.
            done = match (self.outputs - done).div_ceil(S::F32_LANES) {
                1 => self.compute_columns::<S, 1>(simd, done),
                3 if has_many_registers::<S>() => self.compute_columns::<S, 3>(simd, done),
                _ => self.compute_columns::<S, 2>(simd, done),
            };
        }
    }
}

impl WeightGradient<'_> {
    /// Computes the outputs from `column` on, at most as many as `U` vectors have. Returns their end.
    #[inline(always)]
    fn compute_columns<S: Simd, const U: usize>(&mut self, simd: S, column: usize) -> usize {
        let outputs = self.outputs;
        let end = outputs.min(column + U * S::F32_LANES);
        // The gradients of these outputs, copied so that they lie next to each other.
        let mut copies = Vec::with_capacity(self.pairs.len());
        for (_, gradients) in self.pairs {
            let mut copy = AlignedBuffer::default();
            copy.resize(gradients.len() / outputs * U * S::F32_LANES);
            for (row, copy) in gradients.chunks_exact(outputs).zip(tiles::<S, U>(&mut copy)) {
                *copy = load_padded::<S, U>(simd, &row[column..end]);
            }
            copies.push(copy);
        }
        let copies: Vec<&[[S::f32s; U]]> = copies.iter_mut().map(|copy| &*tiles::<S, U>(copy)).collect();
        for (block, rows) in self.gradient.chunks_mut((BLOCK * outputs).max(1)).enumerate() {
            let mut sums = [[simd.splat_f32s(0.0); U]; BLOCK];
            for ((input, _), gradients) in self.pairs.iter().zip(&copies) {
                // A copy, because the compiler keeps it in registers, but not values behind a
                // reference.
                let mut tile = sums;
                match input {
                    Blocks::Sparse(images) => {
                        for entry in images.entries(self.inputs.start / BLOCK + block) {
                            let gradients = &gradients[entry.image()];
                            fma_tile(simd, entry.pixels.each_ref(), gradients, &mut tile);
                        }
                    }
                    Blocks::Dense { rows, blocks } => {
                        let values = &blocks[block * rows..(block + 1) * rows];
                        for (values, gradients) in values.iter().zip(*gradients) {
                            fma_tile(simd, values.each_ref(), gradients, &mut tile);
                        }
                    }
                }
                sums = tile;
            }
            for (row, sums) in rows.chunks_exact_mut(outputs).zip(&sums) {
                store::<S, U>(simd, sums, &mut row[column..end]);
            }
        }
        end
    }
}
