//! The three products of a dense layer: forward, the weights' gradient and the inputs' gradient.
//!
//! Matrices are row-major: weights `[inputs, outputs]`, outputs and their gradients `[rows, outputs]`. A tile of the result
//! stays in registers while everything that goes into it passes by, as in Goto and van de Geijn's products (2008). Weights
//! are read where they are: a tile of eight rows uses each of them eight times, and that is enough.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use crate::engine::cpu::kernels::block_sparse::{BLOCK, BlockSparse};
use crate::engine::cpu::kernels::{TILE_ROWS, dispatch};

/// What goes into a layer.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// Images.
    Images(&'a BlockSparse),
    /// A `[rows, inputs]` matrix.
    Matrix(&'a [f32]),
}

/// `out[r][o] = bias[o] + Σᵢ input[r][i] · weight[i][o]`, with as many rows as `out` has room for.
///
/// # Panics
/// When a length does not fit.
pub fn forward(input: Input<'_>, weight: &[f32], bias: &[f32], out: &mut [f32]) {
    let (inputs, outputs) = (weight.len() / bias.len(), bias.len());
    match input {
        // How large none of them would be is not known.
        Input::Images(words) if words.num_images() == 0 => {}
        Input::Images(words) => {
            assert_eq!(out.len(), words.num_images() * outputs, "outputs");
            dispatch(ForwardBlocks { words, weight, bias, out });
        }
        Input::Matrix(matrix) => {
            assert_eq!(matrix.len() * outputs, out.len() * inputs, "outputs");
            let whole = out.len() / outputs / TILE_ROWS * TILE_ROWS;
            let (first, rest) = matrix.split_at(whole * inputs);
            let (eights, ones) = out.split_at_mut(whole * outputs);
            dispatch(Forward::<TILE_ROWS> { matrix: first, weight, bias, out: eights });
            dispatch(Forward::<1> { matrix: rest, weight, bias, out: ones });
        }
    }
}

/// Images forward: the sums of a block of neurons pass by, while the weights of eight pixels stay in registers.
struct ForwardBlocks<'a> {
    words: &'a BlockSparse,
    weight: &'a [f32],
    bias: &'a [f32],
    out: &'a mut [f32],
}

impl WithSimd for ForwardBlocks<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let done = if S::REGISTER_COUNT >= 32 { self.columns::<S, 2>(simd, 0) } else { 0 };
        self.columns::<S, 1>(simd, done);
    }
}

impl ForwardBlocks<'_> {
    /// The outputs from `from` on in blocks of `U` vectors; where the last block ends. Only a single vector may be wider than
    /// what is left.
    #[inline(always)]
    fn columns<S: Simd, const U: usize>(&mut self, simd: S, from: usize) -> usize {
        let (outputs, width) = (self.bias.len(), U * S::F32_LANES);
        let inputs = self.weight.len() / outputs;
        let mut column = from;
        // One image behind the other: in `out` they would push one another out of the cache.
        let mut block = vec![[simd.splat_f32s(0.0); U]; self.words.num_images()];
        while column + width <= outputs || (U == 1 && column < outputs) {
            let end = outputs.min(column + width);
            block.fill(some_vectors::<S, U>(simd, &self.bias[column..end]));
            for input in (0..inputs).step_by(BLOCK) {
                let mut weights = [[simd.splat_f32s(0.0); U]; BLOCK];
                for (offset, weights) in weights[..BLOCK.min(inputs - input)].iter_mut().enumerate() {
                    let row = (input + offset) * outputs;
                    *weights = some_vectors::<S, U>(simd, &self.weight[row + column..row + end]);
                }
                for (image, pixels) in self.words.entries(input / BLOCK) {
                    block[image] = plus_products(simd, block[image], pixels, &weights);
                }
            }
            for (row, sums) in self.out.chunks_exact_mut(outputs).zip(&block) {
                store::<S, U>(simd, sums, &mut row[column..end]);
            }
            column = end;
        }
        column
    }
}

/// Rows forward, `R` at a time.
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
        // As many sums as fit into the registers: of a single row, those of many neurons.
        let done = match (R == 1, many_registers) {
            (true, true) => self.columns::<S, 8>(simd, 0),
            (true, false) => self.columns::<S, 4>(simd, 0),
            (false, true) => self.columns::<S, 2>(simd, 0),
            (false, false) => 0,
        };
        let done = self.columns::<S, 1>(simd, done);
        if done < self.bias.len() {
            self.last_columns(simd, done);
        }
    }
}

impl<const R: usize> Forward<'_, R> {
    /// The outputs from `from` on in blocks of `U` vectors; where the last whole block ends.
    #[inline(always)]
    fn columns<S: Simd, const U: usize>(&mut self, simd: S, from: usize) -> usize {
        let (outputs, width) = (self.bias.len(), U * S::F32_LANES);
        let mut column = from;
        while column + width <= outputs {
            let bias = vectors::<S, U>(&self.bias[column..column + width]);
            for (first, block) in blocks(self.matrix, self.weight.len() / outputs) {
                let mut sums = [bias; R];
                for (input, values) in terms(block) {
                    let start = input * outputs + column;
                    let weights = vectors::<S, U>(&self.weight[start..start + width]);
                    add_products(simd, &values, &weights, &mut sums);
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

    /// The outputs from `from` on, fewer than a vector.
    #[inline(always)]
    fn last_columns<S: Simd>(&mut self, simd: S, from: usize) {
        let outputs = self.bias.len();
        let bias = simd.partial_load_f32s(&self.bias[from..]);
        for (first, block) in blocks(self.matrix, self.weight.len() / outputs) {
            let mut sums = [[bias]; R];
            for (input, values) in terms(block) {
                let start = input * outputs + from;
                // A whole vector is read sooner than a part of one; what is behind the row's end is not stored.
                let weights = match self.weight.get(start..start + S::F32_LANES) {
                    Some(weights) => S::as_simd_f32s(weights).0[0],
                    None => simd.partial_load_f32s(&self.weight[start..(input + 1) * outputs]),
                };
                add_products(simd, &values, &[weights], &mut sums);
            }
            for (r, &[sum]) in sums.iter().enumerate() {
                let row = first + r;
                simd.partial_store_f32s(&mut self.out[row * outputs + from..(row + 1) * outputs], sum);
            }
        }
    }
}

/// A matrix in blocks of `R` rows, each with its first row's number.
fn blocks<const R: usize>(matrix: &[f32], width: usize) -> impl Iterator<Item = (usize, [&[f32]; R])> {
    let blocks = matrix.chunks_exact(R * width);
    (0..).step_by(R).zip(blocks).map(move |(first, block)| {
        let rows = std::array::from_fn(|row| &block[row * width..(row + 1) * width]);
        (first, rows)
    })
}

/// What `R` rows have in each column. Of a single row, zeros are left out: after ReLU a neuron is as often silent as not, but
/// eight are hardly ever silent together.
#[inline(always)]
fn terms<const R: usize>(rows: [&[f32]; R]) -> impl Iterator<Item = (usize, [f32; R])> {
    let width = rows[0].len();
    let rows = rows.map(|row| &row[..width]);
    let terms = (0..width).map(move |column| (column, rows.map(|row| row[column])));
    terms.filter(|&(_, values)| R > 1 || values != [0.0; R])
}

/// `gradient[i − from][o] = Σ input[r][i] · deltas[r][o]`, over the rows of all pairs of inputs and deltas, for the inputs i in
/// `inputs`, which begin with `from`. A layer has `shape` inputs and outputs.
///
/// # Panics
/// When a length does not fit, or `inputs` does not begin with a multiple of eight.
pub fn weight_gradient(
    pairs: &[(Input<'_>, &[f32])],
    shape: [usize; 2],
    inputs: Range<usize>,
    gradient: &mut [f32],
) {
    assert!(inputs.start.is_multiple_of(TILE_INPUTS), "inputs begin with {}", inputs.start);
    assert_eq!(gradient.len(), inputs.len() * shape[1], "gradient");
    dispatch(WeightGradient { pairs, shape, inputs, gradient });
}

/// Inputs whose weights' gradients are added up side by side.
const TILE_INPUTS: usize = BLOCK;

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
        let done = if S::REGISTER_COUNT >= 32 { self.columns::<S, 2>(simd, 0) } else { 0 };
        self.columns::<S, 1>(simd, done);
    }
}

impl WeightGradient<'_> {
    /// The outputs from `from` on in blocks of `U` vectors; where the last block ends. Only a single vector may be wider than
    /// what is left.
    #[inline(always)]
    fn columns<S: Simd, const U: usize>(&mut self, simd: S, from: usize) -> usize {
        let (outputs, width) = (self.shape[1], U * S::F32_LANES);
        let mut column = from;
        let mut blocks: Vec<Vec<[S::f32s; U]>> = vec![Vec::new(); self.pairs.len()];
        while column + width <= outputs || (U == 1 && column < outputs) {
            let end = outputs.min(column + width);
            for ((_, deltas), block) in self.pairs.iter().zip(&mut blocks) {
                block.clear();
                for row in deltas.chunks_exact(outputs) {
                    block.push(some_vectors::<S, U>(simd, &row[column..end]));
                }
            }
            for input in self.inputs.clone().step_by(TILE_INPUTS) {
                let mut sums = [[simd.splat_f32s(0.0); U]; TILE_INPUTS];
                for ((input_of, _), deltas) in self.pairs.iter().zip(&blocks) {
                    add_tile::<S, U>(simd, *input_of, self.shape[0], input, deltas, &mut sums);
                }
                let rows = TILE_INPUTS.min(self.inputs.end - input);
                for (offset, sums) in sums[..rows].iter().enumerate() {
                    let row = (input - self.inputs.start + offset) * outputs;
                    store::<S, U>(simd, sums, &mut self.gradient[row + column..row + end]);
                }
            }
            column = end;
        }
        column
    }
}

/// Adds the products of eight inputs from `first` on, of `num_inputs`, with a block of deltas.
#[inline(always)]
fn add_tile<S: Simd, const U: usize>(
    simd: S,
    input: Input<'_>,
    num_inputs: usize,
    first: usize,
    deltas: &[[S::f32s; U]],
    sums: &mut [[S::f32s; U]; TILE_INPUTS],
) {
    // A copy stays in registers, what is behind a reference does not.
    let mut tile = *sums;
    match input {
        Input::Images(words) => {
            for (image, pixels) in words.entries(first / BLOCK) {
                add_products(simd, pixels, &deltas[image], &mut tile);
            }
        }
        Input::Matrix(matrix) if first + TILE_INPUTS <= num_inputs => {
            for (row, deltas) in matrix.chunks_exact(num_inputs).zip(deltas) {
                if let Some(values) = row[first..].first_chunk() {
                    add_products(simd, values, deltas, &mut tile);
                }
            }
        }
        Input::Matrix(matrix) => {
            for (row, deltas) in matrix.chunks_exact(num_inputs).zip(deltas) {
                let mut values = [0.0; TILE_INPUTS];
                values[..num_inputs - first].copy_from_slice(&row[first..]);
                add_products(simd, &values, deltas, &mut tile);
            }
        }
    }
    *sums = tile;
}

/// `out[r][i] = Σₒ deltas[r][o] · weight[i][o]`.
///
/// # Panics
/// When a length does not fit.
pub fn input_gradient(deltas: &[f32], weight: &[f32], outputs: usize, out: &mut [f32]) {
    let (rows, inputs) = (deltas.len() / outputs, weight.len() / outputs);
    assert_eq!(out.len(), rows * inputs, "the inputs' gradient");
    dispatch(InputGradient { deltas, weight, outputs, inputs, out });
}

struct InputGradient<'a> {
    deltas: &'a [f32],
    weight: &'a [f32],
    outputs: usize,
    inputs: usize,
    out: &'a mut [f32],
}

/// Rows of either side that a tile of the inputs' gradient is made of.
const TILE_GRAD: usize = 4;

impl WithSimd for InputGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let rows = self.deltas.len() / self.outputs;
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
    /// The dot products of `R` rows of deltas with `I` rows of weights.
    #[inline(always)]
    fn tile<S: Simd, const R: usize, const I: usize>(&mut self, simd: S, row: usize, input: usize) {
        let outputs = self.outputs;
        let whole = outputs / S::F32_LANES;
        let deltas: [_; R] = std::array::from_fn(|r| split::<S>(self.deltas, row + r, outputs));
        let weights: [_; I] = std::array::from_fn(|i| split::<S>(self.weight, input + i, outputs));
        let mut sums = [[simd.splat_f32s(0.0); I]; R];
        for place in 0..whole {
            let weights = weights.map(|(vectors, _)| vectors[place]);
            for r in 0..R {
                let delta = deltas[r].0[place];
                for i in 0..I {
                    sums[r][i] = simd.mul_add_e_f32s(delta, weights[i], sums[r][i]);
                }
            }
        }
        if whole * S::F32_LANES < outputs {
            let weights = weights.map(|(_, rest)| simd.partial_load_f32s(rest));
            for r in 0..R {
                let delta = simd.partial_load_f32s(deltas[r].1);
                for i in 0..I {
                    sums[r][i] = simd.mul_add_e_f32s(delta, weights[i], sums[r][i]);
                }
            }
        }
        for (r, sums) in sums.iter().enumerate() {
            let start = (row + r) * self.inputs + input;
            for (place, &sum) in self.out[start..start + I].iter_mut().zip(sums) {
                *place = simd.reduce_sum_f32s(sum);
            }
        }
    }
}

/// Row `row` of a matrix as whole vectors and the rest.
#[inline(always)]
fn split<S: Simd>(matrix: &[f32], row: usize, width: usize) -> (&[S::f32s], &[f32]) {
    let (vectors, rest) = S::as_simd_f32s(&matrix[row * width..(row + 1) * width]);
    (&vectors[..width / S::F32_LANES], rest)
}

/// `sums[r] += values[r] · vectors`.
#[inline(always)]
fn add_products<S: Simd, const R: usize, const U: usize>(
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

/// `sums + Σ values[i] · vectors[i]`.
#[inline(always)]
fn plus_products<S: Simd, const I: usize, const U: usize>(
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

/// `slice` as `U` vectors.
#[inline(always)]
fn vectors<S: Simd, const U: usize>(slice: &[f32]) -> [S::f32s; U] {
    let vectors = S::as_simd_f32s(slice).0;
    std::array::from_fn(|u| vectors[u])
}

/// `slice` as `U` vectors, or as one with zeros behind its end.
#[inline(always)]
fn some_vectors<S: Simd, const U: usize>(simd: S, slice: &[f32]) -> [S::f32s; U] {
    if slice.len() < U * S::F32_LANES { [simd.partial_load_f32s(slice); U] } else { vectors::<S, U>(slice) }
}

/// Stores `U` vectors, or what there is room for of one.
#[inline(always)]
fn store<S: Simd, const U: usize>(simd: S, vectors: &[S::f32s; U], slice: &mut [f32]) {
    if slice.len() < U * S::F32_LANES {
        simd.partial_store_f32s(slice, vectors[0]);
    } else {
        S::as_mut_simd_f32s(slice).0.copy_from_slice(vectors);
    }
}
