//! Owns the forward pass of images, and that of a few rows with weights as the model has them. Depends
//! on `aligned`, `block_sparse`, `packed`, `vectors` and pulp. Must not know activations, losses or threads.
//!
//! Matrices are row-major: weights `[inputs, outputs]`, outputs `[rows, outputs]`. A row is one image.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use crate::aligned::AlignedBuffer;
use crate::block_sparse::BlockSparse;
use crate::packed::{PackedMatrix, Weights};
use crate::pixels::BLOCK;
use crate::vectors::{fma_rows, fma_tile, load_beyond, load_padded, store, tiles};
use crate::{dispatch, has_many_registers};

/// Returns whether packing the weights for the forward pass of images pays on this processor. With
/// AVX-512, four vectors of a row are 256 bytes one after the other, and the weights are as fast where
/// they lie (decision 67).
pub fn packing_for_images_pays() -> bool {
    dispatch(PackingForImagesPays)
}

struct PackingForImagesPays;

impl WithSimd for PackingForImagesPays {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> bool {
        !has_many_registers::<S>()
    }
}

/// Largest tile of a forward pass of images, in columns: four vectors of AVX-512. The columns of a layer
/// are shared between threads in multiples of it.
pub const TILE_COLUMNS: usize = 64;

/// Forward pass of images: `out[r][o] = bias[o] + Σᵢ image[r][i] · weight[i][o]` for the outputs o in
/// `columns`, which begins with a multiple of [`TILE_COLUMNS`]. `out` is `[images, columns]`. The images
/// may be in several pieces. Their weights are read once for all.
///
/// # Panics
/// If a length does not fit.
pub fn forward_images(
    images: &[&BlockSparse],
    weights: Weights<'_>,
    bias: &[f32],
    columns: Range<usize>,
    out: &mut [f32],
) {
    let num_images: usize = images.iter().map(|images| images.num_images()).sum();
    assert!(columns.start.is_multiple_of(TILE_COLUMNS), "columns begin with {}", columns.start);
    // Without images the number of pixels is unknown, and there is nothing to compute.
    if num_images > 0 {
        assert_eq!(out.len(), num_images * columns.len(), "outputs");
        let pass = ImagePass { images, num_images, bias, columns };
        match weights {
            Weights::RowMajor(weight) => dispatch(RowMajorForward { pass, weight, out }),
            Weights::Packed(weights) => {
                assert_eq!(weights.num_columns(), bias.len(), "weights");
                dispatch(PackedForward { pass, weights, out });
            }
        }
    }
}

/// Forward pass of a few rows: `out[r][o] = bias[o] + Σᵢ matrix[r][i] · weight[i][o]`. It leaves out
/// inputs that are 0. `matrix` is `[rows, inputs]`, and `out` is `[rows, outputs]`.
///
/// # Panics
/// If a length does not fit.
pub fn forward_rows(matrix: &[f32], weight: &[f32], bias: &[f32], out: &mut [f32]) {
    assert_eq!(matrix.len() * bias.len(), out.len() * (weight.len() / bias.len()), "outputs");
    dispatch(ForwardRows { matrix, weight, bias, out });
}

/// Some outputs of some images.
struct ImagePass<'a> {
    images: &'a [&'a BlockSparse],
    num_images: usize,
    bias: &'a [f32],
    /// Range of the outputs.
    columns: Range<usize>,
}

/// Forward pass of images with weights as the model has them.
struct RowMajorForward<'a> {
    pass: ImagePass<'a>,
    weight: &'a [f32],
    out: &'a mut [f32],
}

impl WithSimd for RowMajorForward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { pass, weight, out } = self;
        let outputs = pass.bias.len();
        let Range { start: mut done, end: last } = pass.columns;
        let rows = weight.len() / outputs;
        while done < last {
            // The last vectors may be wider than the rest of the outputs.
            let num_vectors = match (last - done).div_ceil(S::F32_LANES) {
                1 => 1,
                3 if has_many_registers::<S>() => 3,
                4.. if has_many_registers::<S>() => 4,
                _ => 2,
            };
            let end = last.min(done + num_vectors * S::F32_LANES);
            let tile = ColumnTile { columns: done..end, weight, start: done, stride: outputs, rows };
            match num_vectors {
                1 => pass.compute::<S, 1>(simd, &tile, out),
                2 => pass.compute::<S, 2>(simd, &tile, out),
                3 => pass.compute::<S, 3>(simd, &tile, out),
                _ => pass.compute::<S, 4>(simd, &tile, out),
            }
            done = end;
        }
    }
}

/// Forward pass of images with packed weights.
struct PackedForward<'a> {
    pass: ImagePass<'a>,
    weights: &'a PackedMatrix,
    out: &'a mut [f32],
}

impl WithSimd for PackedForward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { pass, weights, out } = self;
        let stride = weights.width();
        // A whole number of panels has `TILE_COLUMNS` columns.
        let panels = weights.panels().skip_while(|(_, columns)| columns.start < pass.columns.start);
        for (panel, columns) in panels.take_while(|(_, columns)| columns.start < pass.columns.end) {
            let tile = ColumnTile { columns, weight: panel, start: 0, stride, rows: panel.len() / stride };
            match stride / S::F32_LANES {
                1 => pass.compute::<S, 1>(simd, &tile, out),
                _ => pass.compute::<S, 2>(simd, &tile, out),
            }
        }
    }
}

/// Some outputs of the first layer and their weights.
struct ColumnTile<'a> {
    /// Range of the outputs.
    columns: Range<usize>,
    weight: &'a [f32],
    /// Index of the first weight of the first row, and its distance from that of the next row.
    start: usize,
    stride: usize,
    /// Number of rows of weights, one per pixel.
    rows: usize,
}

impl ColumnTile<'_> {
    /// Weights of a block of pixels from `row` on, which has `num_rows` rows, and 0 for the rows beyond.
    #[inline(always)]
    fn block<S: Simd, const U: usize>(&self, simd: S, row: usize, num_rows: usize) -> [[S::f32s; U]; BLOCK] {
        let mut block = [[simd.splat_f32s(0.0); U]; BLOCK];
        for (offset, weights) in block[..num_rows].iter_mut().enumerate() {
            let start = self.start + (row + offset) * self.stride;
            *weights = load_beyond::<S, U>(simd, self.weight, start, start + self.columns.len());
        }
        block
    }
}

impl ImagePass<'_> {
    /// Computes the outputs of a tile, at most as many as `U` vectors have, for all images. The weights
    /// of a block of pixels stay in registers. The sums of all images are read and written for each
    /// block.
    #[inline(always)]
    fn compute<S: Simd, const U: usize>(&self, simd: S, tile: &ColumnTile<'_>, out: &mut [f32]) {
        let ColumnTile { columns, rows, .. } = tile;
        // One sum per image, next to each other. In `out` they are one row apart, such as 2 kB, and
        // would compete for a few sets of the cache.
        let mut sums = AlignedBuffer::default();
        sums.resize(self.num_images * U * S::F32_LANES);
        let sums = tiles::<S, U>(&mut sums);
        sums.fill(load_padded::<S, U>(simd, &self.bias[columns.clone()]));
        for input in (0..*rows).step_by(BLOCK) {
            // The usual case by itself: with a number of rows that varies, the compiler keeps the weights in
            // memory.
            let weights = match rows - input {
                BLOCK.. => tile.block::<S, U>(simd, input, BLOCK),
                num_rows => tile.block::<S, U>(simd, input, num_rows),
            };
            let mut sums = &mut sums[..];
            for images in self.images {
                let (own, others) = sums.split_at_mut(images.num_images());
                for entry in images.entries(input / BLOCK) {
                    let sums = &mut own[entry.image()];
                    *sums = fma_rows(simd, *sums, &entry.pixels, &weights);
                }
                sums = others;
            }
        }
        let first = columns.start - self.columns.start;
        for (row, sums) in out.chunks_exact_mut(self.columns.len()).zip(&*sums) {
            store::<S, U>(simd, sums, &mut row[first..first + columns.len()]);
        }
    }
}

/// Forward pass of the rows of a matrix, one at a time.
struct ForwardRows<'a> {
    matrix: &'a [f32],
    weight: &'a [f32],
    bias: &'a [f32],
    out: &'a mut [f32],
}

impl WithSimd for ForwardRows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let outputs = self.bias.len();
        let mut done = 0;
        // As many sums as fit into the registers.
        if has_many_registers::<S>() {
            while done + 8 * S::F32_LANES <= outputs {
                done = self.compute_columns::<S, 8>(simd, done);
            }
        }
        while done + 4 * S::F32_LANES <= outputs {
            done = self.compute_columns::<S, 4>(simd, done);
        }
        while done < outputs {
            done = self.compute_columns::<S, 1>(simd, done);
        }
    }
}

impl ForwardRows<'_> {
    /// Computes the outputs from `column` on, at most as many as `U` vectors have. Returns their end.
    #[inline(always)]
    fn compute_columns<S: Simd, const U: usize>(&mut self, simd: S, column: usize) -> usize {
        let outputs = self.bias.len();
        let inputs = self.weight.len() / outputs;
        let end = outputs.min(column + U * S::F32_LANES);
        let bias = load_padded::<S, U>(simd, &self.bias[column..end]);
        for (row, out) in self.matrix.chunks_exact(inputs.max(1)).zip(self.out.chunks_exact_mut(outputs)) {
            let mut sums = [bias];
            // After ReLU about half of the values are 0, and most pixels are.
            for (input, &value) in row.iter().enumerate().filter(|&(_, &value)| value != 0.0) {
                let start = input * outputs;
                let weights = load_beyond::<S, U>(simd, self.weight, start + column, start + end);
                fma_tile(simd, [&value], &weights, &mut sums);
            }
            store::<S, U>(simd, &sums[0], &mut out[column..end]);
        }
        end
    }
}
