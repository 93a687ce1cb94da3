//! Owns the forward pass of images, and that of a few rows with weights as the model has them. Depends
//! on `block_sparse`, `packed`, `vectors` and pulp. Must not know activations, losses or threads.
//!
//! Matrices are row-major: weights `[inputs, outputs]`, outputs `[rows, outputs]`. A row is one image.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use crate::engine::cpu::kernels::block_sparse::{BLOCK, BlockSparse};
use crate::engine::cpu::kernels::packed::PackedMatrix;
use crate::engine::cpu::kernels::vectors::{fma_rows, fma_tile, load_beyond, load_padded, store};
use crate::engine::cpu::kernels::{dispatch, has_many_registers};

/// Weights of the first layer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ImageWeights<'a> {
    /// As the model has them: `[inputs, outputs]`.
    RowMajor(&'a [f32]),
    /// Packed for images.
    Packed(&'a PackedMatrix),
}

/// Returns whether packing the weights for the forward pass of images pays on this processor. With
/// AVX-512, four vectors of a row are 256 bytes one after the other, and the weights are as fast where
/// they lie. Measured: docs/kernels.md.
pub(crate) fn packing_for_images_pays() -> bool {
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

/// Forward pass of images: `out[r][o] = bias[o] + Σᵢ image[r][i] · weight[i][o]`. `out` is
/// `[images, outputs]`.
///
/// # Panics
/// If a length does not fit.
pub(crate) fn forward_images(images: &BlockSparse, weights: ImageWeights<'_>, bias: &[f32], out: &mut [f32]) {
    // Without images the number of pixels is unknown, and there is nothing to compute.
    if images.num_images() > 0 {
        assert_eq!(out.len(), images.num_images() * bias.len(), "outputs");
        match weights {
            ImageWeights::RowMajor(weight) => dispatch(RowMajorForward { images, weight, bias, out }),
            ImageWeights::Packed(weights) => {
                assert_eq!(weights.num_columns(), bias.len(), "weights");
                dispatch(PackedForward { images, weights, bias, out });
            }
        }
    }
}

/// Forward pass of a few rows: `out[r][o] = bias[o] + Σᵢ matrix[r][i] · weight[i][o]`. It leaves out
/// inputs that are 0. `matrix` is `[rows, inputs]`, and `out` is `[rows, outputs]`.
///
/// # Panics
/// If a length does not fit.
pub(crate) fn forward_rows(matrix: &[f32], weight: &[f32], bias: &[f32], out: &mut [f32]) {
    assert_eq!(matrix.len() * bias.len(), out.len() * (weight.len() / bias.len()), "outputs");
    dispatch(ForwardRows { matrix, weight, bias, out });
}

/// Forward pass of images with weights as the model has them.
struct RowMajorForward<'a> {
    images: &'a BlockSparse,
    weight: &'a [f32],
    bias: &'a [f32],
    out: &'a mut [f32],
}

impl WithSimd for RowMajorForward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { images, weight, bias, out } = self;
        let (outputs, mut done) = (bias.len(), 0);
        let rows = weight.len() / outputs;
        while done < outputs {
            // The last vectors may be wider than the rest of the outputs.
            let (lanes, rest) = (S::F32_LANES, outputs - done);
            let num_vectors = match rest.div_ceil(lanes) {
                1 => 1,
                3.. if has_many_registers::<S>() => 4,
                _ => 2,
            };
            let end = outputs.min(done + num_vectors * lanes);
            let columns = Columns { bias, range: done..end, weight, start: done, stride: outputs, rows };
            match num_vectors {
                1 => columns.compute::<S, 1>(simd, images, out),
                2 => columns.compute::<S, 2>(simd, images, out),
                _ => columns.compute::<S, 4>(simd, images, out),
            }
            done = end;
        }
    }
}

/// Forward pass of images with packed weights.
struct PackedForward<'a> {
    images: &'a BlockSparse,
    weights: &'a PackedMatrix,
    bias: &'a [f32],
    out: &'a mut [f32],
}

impl WithSimd for PackedForward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { images, weights, bias, out } = self;
        let stride = weights.width();
        for (panel, range) in weights.panels() {
            let rows = panel.len() / stride;
            let columns = Columns { bias, range, weight: panel, start: 0, stride, rows };
            match stride / S::F32_LANES {
                1 => columns.compute::<S, 1>(simd, images, out),
                _ => columns.compute::<S, 2>(simd, images, out),
            }
        }
    }
}

/// Some outputs of the first layer and their weights.
struct Columns<'a> {
    bias: &'a [f32],
    /// Range of the outputs.
    range: Range<usize>,
    weight: &'a [f32],
    /// Index of the first weight of the first row, and its distance from that of the next row.
    start: usize,
    stride: usize,
    /// Number of rows of weights, one per pixel.
    rows: usize,
}

impl Columns<'_> {
    /// Computes the outputs of all images, at most as many as `U` vectors have. The weights of a block
    /// of pixels stay in registers. The sums of all images are read and written for each block.
    #[inline(always)]
    fn compute<S: Simd, const U: usize>(&self, simd: S, images: &BlockSparse, out: &mut [f32]) {
        let Self { bias, range, weight, start, stride, rows } = self;
        // One sum per image, next to each other. In `out` they are one row apart, such as 2 kB, and
        // would compete for a few sets of the cache.
        let mut block = vec![load_padded::<S, U>(simd, &bias[range.clone()]); images.num_images()];
        for input in (0..*rows).step_by(BLOCK) {
            let mut weights = [[simd.splat_f32s(0.0); U]; BLOCK];
            for (offset, weights) in weights[..BLOCK.min(rows - input)].iter_mut().enumerate() {
                let start = start + (input + offset) * stride;
                *weights = load_beyond::<S, U>(simd, weight, start, start + range.len());
            }
            for (image, pixels) in images.nonzero_blocks(input / BLOCK) {
                block[image] = fma_rows(simd, block[image], pixels, &weights);
            }
        }
        for (row, sums) in out.chunks_exact_mut(bias.len()).zip(&block) {
            store::<S, U>(simd, sums, &mut row[range.clone()]);
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
