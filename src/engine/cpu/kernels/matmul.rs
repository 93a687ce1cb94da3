//! Owns the three matrix products of a dense layer: forward pass, gradient of the weights, gradient
//! of the inputs. Depends on `block_sparse` and pulp. Must not know activations, losses or threads.
//!
//! Matrices are row-major: weights `[inputs, outputs]`, outputs and their gradients
//! `[rows, outputs]`. A row is one image. A tile of the result stays in registers until it is
//! complete, as in the products of Goto and van de Geijn (2008). Weights are not copied: a tile of
//! eight rows uses each weight eight times, and that is enough.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use crate::engine::cpu::kernels::block_sparse::{BLOCK, BlockSparse};
use crate::engine::cpu::kernels::{TILE_ROWS, dispatch};

/// Input of a layer, one row per image.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Input<'a> {
    /// Images as the input of the first layer: `[rows, inputs]` without blocks of zeros.
    Images(&'a BlockSparse),
    /// Matrix `[rows, inputs]`.
    Matrix(&'a [f32]),
}

/// Forward pass: `out[r][o] = bias[o] + Σᵢ input[r][i] · weight[i][o]`. `out` is `[rows, outputs]`.
///
/// # Panics
/// If a length does not fit.
pub(crate) fn forward(input: Input<'_>, weight: &[f32], bias: &[f32], out: &mut [f32]) {
    let (inputs, outputs) = (weight.len() / bias.len(), bias.len());
    match input {
        // Without images the number of pixels is unknown, and there is nothing to compute.
        Input::Images(images) if images.num_images() == 0 => {}
        Input::Images(images) => {
            assert_eq!(out.len(), images.num_images() * outputs, "outputs");
            dispatch(ForwardBlocks { images, weight, bias, out });
        }
        Input::Matrix(matrix) => {
            assert_eq!(matrix.len() * outputs, out.len() * inputs, "outputs");
            let whole = out.len() / outputs / TILE_ROWS * TILE_ROWS;
            let (first, rest) = matrix.split_at(whole * inputs);
            let (whole_out, rest_out) = out.split_at_mut(whole * outputs);
            dispatch(Forward::<TILE_ROWS> { matrix: first, weight, bias, out: whole_out });
            dispatch(Forward::<1> { matrix: rest, weight, bias, out: rest_out });
        }
    }
}

/// Forward pass of images. The weights of a block of eight pixels stay in registers. The sums of
/// all images in some columns are read and written for each block of pixels.
struct ForwardBlocks<'a> {
    images: &'a BlockSparse,
    weight: &'a [f32],
    bias: &'a [f32],
    out: &'a mut [f32],
}

impl WithSimd for ForwardBlocks<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let done = if S::REGISTER_COUNT >= 32 { self.compute_columns::<S, 2>(simd, 0) } else { 0 };
        self.compute_columns::<S, 1>(simd, done);
    }
}

impl ForwardBlocks<'_> {
    /// Computes the outputs from `from` on, `U` vectors at a time. Returns the end of the last
    /// ones. With `U` = 1 the last vector may be wider than the rest of the outputs, so that
    /// nothing is left over.
    #[inline(always)]
    fn compute_columns<S: Simd, const U: usize>(&mut self, simd: S, from: usize) -> usize {
        let (outputs, width) = (self.bias.len(), U * S::F32_LANES);
        let inputs = self.weight.len() / outputs;
        let mut column = from;
        // One sum per image, next to each other. In `out` they are one row apart, such as 2 kB, and
        // would compete for a few sets of the cache.
        let mut block = vec![[simd.splat_f32s(0.0); U]; self.images.num_images()];
        while column + width <= outputs || (U == 1 && column < outputs) {
            let end = outputs.min(column + width);
            block.fill(load_partial::<S, U>(simd, &self.bias[column..end]));
            for input in (0..inputs).step_by(BLOCK) {
                let mut weights = [[simd.splat_f32s(0.0); U]; BLOCK];
                for (offset, weights) in weights[..BLOCK.min(inputs - input)].iter_mut().enumerate() {
                    let row = (input + offset) * outputs;
                    *weights = load_partial::<S, U>(simd, &self.weight[row + column..row + end]);
                }
                for (image, pixels) in self.images.nonzero_blocks(input / BLOCK) {
                    block[image] = fma_rows(simd, block[image], pixels, &weights);
                }
            }
            for (row, sums) in self.out.chunks_exact_mut(outputs).zip(&block) {
                store_partial::<S, U>(simd, sums, &mut row[column..end]);
            }
            column = end;
        }
        column
    }
}

/// Forward pass of the rows of a matrix, `R` at a time. The number of rows is a multiple of `R`.
struct Forward<'a, const R: usize> {
    matrix: &'a [f32],
    weight: &'a [f32],
    bias: &'a [f32],
    out: &'a mut [f32],
}

impl<const R: usize> WithSimd for Forward<'_, R> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let many_registers = S::REGISTER_COUNT >= 32;
        // As many sums as fit into the registers. A single row takes the sums of more outputs
        // instead.
        let done = match (R == 1, many_registers) {
            (true, true) => self.compute_columns::<S, 8>(simd, 0),
            (true, false) => self.compute_columns::<S, 4>(simd, 0),
            (false, true) => self.compute_columns::<S, 2>(simd, 0),
            (false, false) => 0,
        };
        let done = self.compute_columns::<S, 1>(simd, done);
        if done < self.bias.len() {
            self.last_columns(simd, done);
        }
    }
}

impl<const R: usize> Forward<'_, R> {
    /// Computes the outputs from `from` on, `U` vectors at a time. Returns the end of the last
    /// ones: the rest is narrower than `U` vectors.
    #[inline(always)]
    fn compute_columns<S: Simd, const U: usize>(&mut self, simd: S, from: usize) -> usize {
        let (outputs, width) = (self.bias.len(), U * S::F32_LANES);
        let mut column = from;
        while column + width <= outputs {
            let bias = vectors::<S, U>(&self.bias[column..column + width]);
            for (first, block) in blocks(self.matrix, self.weight.len() / outputs) {
                let mut sums = [bias; R];
                for (input, values) in iter_columns(block) {
                    let start = input * outputs + column;
                    let weights = vectors::<S, U>(&self.weight[start..start + width]);
                    fma_tile(simd, &values, &weights, &mut sums);
                }
                for (r, sums) in sums.iter().enumerate() {
                    let start = (first + r) * outputs + column;
                    S::as_mut_simd_f32s(&mut self.out[start..start + width]).0.copy_from_slice(sums);
                }
            }
            column += width;
        }
        column
    }

    /// Computes the outputs from `from` on. They are fewer than a vector holds.
    #[inline(always)]
    fn last_columns<S: Simd>(&mut self, simd: S, from: usize) {
        let outputs = self.bias.len();
        let bias = simd.partial_load_f32s(&self.bias[from..]);
        for (first, block) in blocks(self.matrix, self.weight.len() / outputs) {
            let mut sums = [[bias]; R];
            for (input, values) in iter_columns(block) {
                let start = input * outputs + from;
                // Loading a whole vector is faster than loading a part of one. The values beyond
                // the end of the row are computed and not stored.
                let weights = match self.weight.get(start..start + S::F32_LANES) {
                    Some(weights) => S::as_simd_f32s(weights).0[0],
                    None => simd.partial_load_f32s(&self.weight[start..(input + 1) * outputs]),
                };
                fma_tile(simd, &values, &[weights], &mut sums);
            }
            for (r, &[sum]) in sums.iter().enumerate() {
                let row = first + r;
                simd.partial_store_f32s(&mut self.out[row * outputs + from..(row + 1) * outputs], sum);
            }
        }
    }
}

/// Iterates over a matrix in groups of `R` rows, each with the number of its first row.
fn blocks<const R: usize>(matrix: &[f32], width: usize) -> impl Iterator<Item = (usize, [&[f32]; R])> {
    let blocks = matrix.chunks_exact(R * width);
    (0..).step_by(R).zip(blocks).map(move |(first, block)| {
        let rows = std::array::from_fn(|row| &block[row * width..(row + 1) * width]);
        (first, rows)
    })
}

/// Iterates over the columns of `R` rows: the number of each column and its `R` values. For a
/// single row it leaves out zeros. After ReLU about half of the values are 0, but the values of
/// eight rows are rarely all 0.
#[inline(always)]
fn iter_columns<const R: usize>(rows: [&[f32]; R]) -> impl Iterator<Item = (usize, [f32; R])> {
    let width = rows[0].len();
    let rows = rows.map(|row| &row[..width]);
    let columns = (0..width).map(move |column| (column, rows.map(|row| row[column])));
    columns.filter(|&(_, values)| R > 1 || values != [0.0; R])
}

/// Gradient of the weights: `gradient[i − from][o] = Σ input[r][i] · gradients[r][o]`, summed over
/// the rows of all `pairs` of inputs and gradients. The inputs i are those in `inputs`, which
/// begins with `from`. `shape` is the layer's number of inputs and of outputs.
///
/// # Panics
/// If a length does not fit, or `inputs` does not begin with a multiple of eight.
pub(crate) fn weight_gradient(
    pairs: &[(Input<'_>, &[f32])],
    shape: [usize; 2],
    inputs: Range<usize>,
    gradient: &mut [f32],
) {
    assert!(inputs.start.is_multiple_of(TILE_INPUTS), "inputs begin with {}", inputs.start);
    assert_eq!(gradient.len(), inputs.len() * shape[1], "gradient");
    dispatch(WeightGradient { pairs, shape, inputs, gradient });
}

/// Number of inputs whose gradients are computed in one tile.
const TILE_INPUTS: usize = BLOCK;

/// Gradient of the weights, [`TILE_INPUTS`] inputs at a time.
struct WeightGradient<'a> {
    pairs: &'a [(Input<'a>, &'a [f32])],
    shape: [usize; 2],
    inputs: Range<usize>,
    gradient: &'a mut [f32],
}

impl WithSimd for WeightGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let done = if S::REGISTER_COUNT >= 32 { self.compute_columns::<S, 2>(simd, 0) } else { 0 };
        self.compute_columns::<S, 1>(simd, done);
    }
}

impl WeightGradient<'_> {
    /// Computes the outputs from `from` on, `U` vectors at a time. Returns the end of the last
    /// ones. With `U` = 1 the last vector may be wider than the rest of the outputs, so that
    /// nothing is left over.
    #[inline(always)]
    fn compute_columns<S: Simd, const U: usize>(&mut self, simd: S, from: usize) -> usize {
        let (outputs, width) = (self.shape[1], U * S::F32_LANES);
        let mut column = from;
        // The gradients of these outputs, copied so that they lie next to each other.
        let mut blocks: Vec<Vec<[S::f32s; U]>> = vec![Vec::new(); self.pairs.len()];
        while column + width <= outputs || (U == 1 && column < outputs) {
            let end = outputs.min(column + width);
            for ((_, gradients), block) in self.pairs.iter().zip(&mut blocks) {
                block.clear();
                for row in gradients.chunks_exact(outputs) {
                    block.push(load_partial::<S, U>(simd, &row[column..end]));
                }
            }
            for input in self.inputs.clone().step_by(TILE_INPUTS) {
                let mut sums = [[simd.splat_f32s(0.0); U]; TILE_INPUTS];
                for ((input_of, _), gradients) in self.pairs.iter().zip(&blocks) {
                    accumulate_tile::<S, U>(simd, *input_of, self.shape[0], input, gradients, &mut sums);
                }
                let rows = TILE_INPUTS.min(self.inputs.end - input);
                for (offset, sums) in sums[..rows].iter().enumerate() {
                    let row = (input - self.inputs.start + offset) * outputs;
                    store_partial::<S, U>(simd, sums, &mut self.gradient[row + column..row + end]);
                }
            }
            column = end;
        }
        column
    }
}

/// Adds the products of `input` and its gradients to a tile:
/// `sums[k][·] += Σᵣ input[r][first + k] · gradients[r][·]`, for eight k. The layer has
/// `num_inputs` inputs; values beyond the last one count as 0.
#[inline(always)]
fn accumulate_tile<S: Simd, const U: usize>(
    simd: S,
    input: Input<'_>,
    num_inputs: usize,
    first: usize,
    gradients: &[[S::f32s; U]],
    sums: &mut [[S::f32s; U]; TILE_INPUTS],
) {
    // A copy, because the compiler keeps it in registers, but not values behind a reference.
    let mut tile = *sums;
    match input {
        Input::Images(images) => {
            for (image, pixels) in images.nonzero_blocks(first / BLOCK) {
                fma_tile(simd, pixels, &gradients[image], &mut tile);
            }
        }
        Input::Matrix(matrix) if first + TILE_INPUTS <= num_inputs => {
            for (row, gradients) in matrix.chunks_exact(num_inputs).zip(gradients) {
                if let Some(values) = row[first..].first_chunk() {
                    fma_tile(simd, values, gradients, &mut tile);
                }
            }
        }
        Input::Matrix(matrix) => {
            for (row, gradients) in matrix.chunks_exact(num_inputs).zip(gradients) {
                let mut values = [0.0; TILE_INPUTS];
                values[..num_inputs - first].copy_from_slice(&row[first..]);
                fma_tile(simd, &values, gradients, &mut tile);
            }
        }
    }
    *sums = tile;
}

/// Gradient of the inputs: `out[r][i] = Σₒ gradients[r][o] · weight[i][o]`. `out` is
/// `[rows, inputs]`, and `outputs` is the number of outputs.
///
/// # Panics
/// If a length does not fit.
pub(crate) fn input_gradient(gradients: &[f32], weight: &[f32], outputs: usize, out: &mut [f32]) {
    let (rows, inputs) = (gradients.len() / outputs, weight.len() / outputs);
    assert_eq!(out.len(), rows * inputs, "gradient of the inputs");
    dispatch(InputGradient { gradients, weight, outputs, inputs, out });
}

/// Gradient of the inputs, in tiles of [`TILE_GRAD`] rows and as many inputs.
struct InputGradient<'a> {
    gradients: &'a [f32],
    weight: &'a [f32],
    outputs: usize,
    inputs: usize,
    out: &'a mut [f32],
}

/// Side of a tile of the gradient of the inputs: its number of rows and its number of inputs.
const TILE_GRAD: usize = 4;

impl WithSimd for InputGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let rows = self.gradients.len() / self.outputs;
        let (whole_inputs, whole_rows) = (self.inputs / TILE_GRAD * TILE_GRAD, rows / TILE_GRAD * TILE_GRAD);
        for input in (0..whole_inputs).step_by(TILE_GRAD) {
            for row in (0..whole_rows).step_by(TILE_GRAD) {
                self.tile::<S, TILE_GRAD, TILE_GRAD>(simd, row, input);
            }
            for row in whole_rows..rows {
                self.tile::<S, 1, TILE_GRAD>(simd, row, input);
            }
        }
        for input in whole_inputs..self.inputs {
            for row in 0..rows {
                self.tile::<S, 1, 1>(simd, row, input);
            }
        }
    }
}

impl InputGradient<'_> {
    /// Computes the tile from `row` and `input` on: dot products of `R` rows of gradients with `I`
    /// rows of weights. Each sum is a vector of partial sums, which are added at the end.
    #[inline(always)]
    fn tile<S: Simd, const R: usize, const I: usize>(&mut self, simd: S, row: usize, input: usize) {
        let outputs = self.outputs;
        let whole = outputs / S::F32_LANES;
        let gradients: [_; R] = std::array::from_fn(|r| split::<S>(self.gradients, row + r, outputs));
        let weights: [_; I] = std::array::from_fn(|i| split::<S>(self.weight, input + i, outputs));
        let mut sums = [[simd.splat_f32s(0.0); I]; R];
        for slot in 0..whole {
            let weights = weights.map(|(vectors, _)| vectors[slot]);
            for r in 0..R {
                let gradient = gradients[r].0[slot];
                for i in 0..I {
                    sums[r][i] = simd.mul_add_e_f32s(gradient, weights[i], sums[r][i]);
                }
            }
        }
        if whole * S::F32_LANES < outputs {
            let weights = weights.map(|(_, rest)| simd.partial_load_f32s(rest));
            for r in 0..R {
                let gradient = simd.partial_load_f32s(gradients[r].1);
                for i in 0..I {
                    sums[r][i] = simd.mul_add_e_f32s(gradient, weights[i], sums[r][i]);
                }
            }
        }
        for (r, sums) in sums.iter().enumerate() {
            let start = (row + r) * self.inputs + input;
            for (slot, &sum) in self.out[start..start + I].iter_mut().zip(sums) {
                *slot = simd.reduce_sum_f32s(sum);
            }
        }
    }
}

/// Splits row `row` of a matrix with `width` columns into whole vectors and the rest.
#[inline(always)]
fn split<S: Simd>(matrix: &[f32], row: usize, width: usize) -> (&[S::f32s], &[f32]) {
    let (vectors, rest) = S::as_simd_f32s(&matrix[row * width..(row + 1) * width]);
    (&vectors[..width / S::F32_LANES], rest)
}

/// Adds an outer product: `sums[r] += values[r] · vectors`.
#[inline(always)]
fn fma_tile<S: Simd, const R: usize, const U: usize>(
    simd: S,
    values: &[f32; R],
    vectors: &[S::f32s; U],
    sums: &mut [[S::f32s; U]; R],
) {
    for (value, sums) in values.iter().zip(sums) {
        let value = simd.splat_f32s(*value);
        for (sum, &vector) in sums.iter_mut().zip(vectors) {
            *sum = simd.mul_add_e_f32s(value, vector, *sum);
        }
    }
}

/// Returns `sums + Σᵢ values[i] · vectors[i]`.
#[inline(always)]
fn fma_rows<S: Simd, const I: usize, const U: usize>(
    simd: S,
    mut sums: [S::f32s; U],
    values: &[f32; I],
    vectors: &[[S::f32s; U]; I],
) -> [S::f32s; U] {
    for (value, vectors) in values.iter().zip(vectors) {
        let value = simd.splat_f32s(*value);
        for (sum, &vector) in sums.iter_mut().zip(vectors) {
            *sum = simd.mul_add_e_f32s(value, vector, *sum);
        }
    }
    sums
}

/// Loads `slice` as `U` vectors. It must hold at least so many numbers.
#[inline(always)]
fn vectors<S: Simd, const U: usize>(slice: &[f32]) -> [S::f32s; U] {
    let vectors = S::as_simd_f32s(slice).0;
    std::array::from_fn(|u| vectors[u])
}

/// Loads `slice` as `U` vectors. A slice that is too short is loaded as one vector with zeros at
/// the end, which is only right for `U` = 1.
#[inline(always)]
fn load_partial<S: Simd, const U: usize>(simd: S, slice: &[f32]) -> [S::f32s; U] {
    if slice.len() < U * S::F32_LANES { [simd.partial_load_f32s(slice); U] } else { vectors::<S, U>(slice) }
}

/// Stores `U` vectors in `slice`. If it is too short, it receives the first values of the first
/// vector, which is only right for `U` = 1.
#[inline(always)]
fn store_partial<S: Simd, const U: usize>(simd: S, vectors: &[S::f32s; U], slice: &mut [f32]) {
    if slice.len() < U * S::F32_LANES {
        simd.partial_store_f32s(slice, vectors[0]);
    } else {
        S::as_mut_simd_f32s(slice).0.copy_from_slice(vectors);
    }
}
