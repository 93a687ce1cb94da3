//! Owns the forward pass of a layer with weights as the model has them: of images, and of a few rows.
//! Depends on `block_sparse`, `vectors` and pulp. Must not know activations, losses or threads.
//!
//! Matrices are row-major: weights `[inputs, outputs]`, outputs `[rows, outputs]`. A row is one image.

use pulp::{Simd, WithSimd};

use crate::engine::cpu::kernels::block_sparse::{BLOCK, BlockSparse};
use crate::engine::cpu::kernels::dispatch;
use crate::engine::cpu::kernels::vectors::{fma_rows, fma_tile, load_beyond, load_padded, store};

/// Forward pass of images: `out[r][o] = bias[o] + Σᵢ image[r][i] · weight[i][o]`. `out` is
/// `[images, outputs]`.
///
/// # Panics
/// If a length does not fit.
pub(crate) fn forward_images(images: &BlockSparse, weight: &[f32], bias: &[f32], out: &mut [f32]) {
    // Without images the number of pixels is unknown, and there is nothing to compute.
    if images.num_images() > 0 {
        assert_eq!(out.len(), images.num_images() * bias.len(), "outputs");
        dispatch(ForwardImages { images, weight, bias, out });
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

/// Forward pass of images. The weights of a block of pixels stay in registers. The sums of all images
/// in some columns are read and written for each block of pixels.
struct ForwardImages<'a> {
    images: &'a BlockSparse,
    weight: &'a [f32],
    bias: &'a [f32],
    out: &'a mut [f32],
}

impl WithSimd for ForwardImages<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let outputs = self.bias.len();
        let mut done = 0;
        if S::REGISTER_COUNT >= 32 {
            while done + 4 * S::F32_LANES <= outputs {
                done = self.compute_columns::<S, 4>(simd, done);
            }
        }
        while done < outputs {
            // The last vectors may be wider than the rest of the outputs.
            done = match outputs - done <= S::F32_LANES {
                true => self.compute_columns::<S, 1>(simd, done),
                false => self.compute_columns::<S, 2>(simd, done),
            };
        }
    }
}

impl ForwardImages<'_> {
    /// Computes the outputs from `column` on, at most as many as `U` vectors have. Returns their end.
    #[inline(always)]
    fn compute_columns<S: Simd, const U: usize>(&mut self, simd: S, column: usize) -> usize {
        let outputs = self.bias.len();
        let inputs = self.weight.len() / outputs;
        let end = outputs.min(column + U * S::F32_LANES);
        // One sum per image, next to each other. In `out` they are one row apart, such as 2 kB, and
        // would compete for a few sets of the cache.
        let bias = load_padded::<S, U>(simd, &self.bias[column..end]);
        let mut block = vec![bias; self.images.num_images()];
        for input in (0..inputs).step_by(BLOCK) {
            let mut weights = [[simd.splat_f32s(0.0); U]; BLOCK];
            for (offset, weights) in weights[..BLOCK.min(inputs - input)].iter_mut().enumerate() {
                let row = (input + offset) * outputs;
                *weights = load_beyond::<S, U>(simd, self.weight, row + column, row + end);
            }
            for (image, pixels) in self.images.nonzero_blocks(input / BLOCK) {
                block[image] = fma_rows(simd, block[image], pixels, &weights);
            }
        }
        for (row, sums) in self.out.chunks_exact_mut(outputs).zip(&block) {
            store::<S, U>(simd, sums, &mut row[column..end]);
        }
        end
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
        if S::REGISTER_COUNT >= 32 {
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
        for (row, out) in
            self.matrix.chunks_exact(inputs.max(1)).zip(self.out.chunks_exact_mut(outputs))
        {
            let mut sums = [bias];
            // After ReLU about half of the values are 0, and most pixels are.
            for (input, &value) in row.iter().enumerate().filter(|&(_, &value)| value != 0.0) {
                let start = input * outputs;
                let weights = load_beyond::<S, U>(simd, self.weight, start + column, start + end);
                fma_tile(simd, &[value], &weights, &mut sums);
            }
            store::<S, U>(simd, &sums[0], &mut out[column..end]);
        }
        end
    }
}
