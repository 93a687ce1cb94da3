//! The three products of a dense layer: forward, the weights' gradient and the inputs' gradient.
//!
//! Matrices are row-major: weights `[inputs, outputs]`, outputs and their gradients `[rows, outputs]`. A tile of the result
//! stays in registers while everything that goes into it passes by, as in Goto and van de Geijn's products (2008); weights
//! are read where they are, since a panel of eight rows uses each of them eight times.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::panels::{Panel, Panels, ROWS, Strip};
use super::run;

/// out[r][o] = bias[o] + Σᵢ input[r][i] · weight[i][o].
///
/// # Panics
/// When a length does not fit.
pub fn forward(input: &Panels, weight: &[f32], bias: &[f32], out: &mut [f32]) {
    assert_eq!(out.len(), input.len() * bias.len(), "outputs");
    let (eights, ones) = out.split_at_mut(input.eights.iter().count() * ROWS * bias.len());
    run(Forward { input: &input.eights, weight, bias, out: eights });
    run(Forward { input: &input.ones, weight, bias, out: ones });
}

struct Forward<'a, const R: usize> {
    input: &'a Strip<R>,
    weight: &'a [f32],
    bias: &'a [f32],
    out: &'a mut [f32],
}

impl<const R: usize> WithSimd for Forward<'_, R> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let outputs = self.bias.len();
        let many_registers = S::REGISTER_COUNT >= 32;
        // As many sums as fit into the registers. Of a single row, those of as many neurons as possible.
        let done = match (R == 1, many_registers) {
            (true, true) => self.columns::<S, 8>(simd, 0),
            (true, false) => self.columns::<S, 4>(simd, 0),
            (false, true) => self.columns::<S, 2>(simd, 0),
            (false, false) => 0,
        };
        let done = self.columns::<S, 1>(simd, done);
        if done < outputs {
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
            for (index, panel) in self.input.iter().enumerate() {
                let mut sums = [bias; R];
                for (input, values) in panel.terms() {
                    let start = input * outputs + column;
                    let weights = vectors::<S, U>(&self.weight[start..start + width]);
                    for r in 0..R {
                        let value = simd.splat_f32s(values[r]);
                        for u in 0..U {
                            sums[r][u] = simd.mul_add_e_f32s(value, weights[u], sums[r][u]);
                        }
                    }
                }
                for (r, sums) in sums.iter().enumerate() {
                    let start = (index * R + r) * outputs + column;
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
        for (index, panel) in self.input.iter().enumerate() {
            let mut sums = [bias; R];
            for (input, values) in panel.terms() {
                let weights =
                    simd.partial_load_f32s(&self.weight[input * outputs + from..(input + 1) * outputs]);
                for r in 0..R {
                    sums[r] = simd.mul_add_e_f32s(simd.splat_f32s(values[r]), weights, sums[r]);
                }
            }
            for (r, &sum) in sums.iter().enumerate() {
                let row = index * R + r;
                simd.partial_store_f32s(&mut self.out[row * outputs + from..(row + 1) * outputs], sum);
            }
        }
    }
}

/// gradient[i − from][o] += Σᵣ input[r][i] · deltas[r][o], for the inputs i in `inputs`, which begin with `from`.
///
/// # Panics
/// When a length does not fit.
pub fn add_weight_gradient(
    input: &Panels,
    deltas: &[f32],
    outputs: usize,
    inputs: Range<usize>,
    gradient: &mut [f32],
) {
    assert_eq!(deltas.len(), input.len() * outputs, "deltas");
    assert_eq!(gradient.len(), inputs.len() * outputs, "gradient");
    let (eights, ones) = deltas.split_at(input.eights.iter().count() * ROWS * outputs);
    run(WeightGradient {
        input: &input.eights,
        deltas: eights,
        outputs,
        inputs: inputs.clone(),
        gradient: &mut *gradient,
    });
    run(WeightGradient { input: &input.ones, deltas: ones, outputs, inputs, gradient });
}

struct WeightGradient<'a, const R: usize> {
    input: &'a Strip<R>,
    deltas: &'a [f32],
    outputs: usize,
    inputs: Range<usize>,
    gradient: &'a mut [f32],
}

impl<const R: usize> WithSimd for WeightGradient<'_, R> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let many_registers = S::REGISTER_COUNT >= 32;
        let done = match (R == 1, many_registers) {
            (true, true) => self.columns::<S, 8>(simd, 0),
            (true, false) => self.columns::<S, 4>(simd, 0),
            (false, true) => self.columns::<S, 2>(simd, 0),
            (false, false) => 0,
        };
        let done = self.columns::<S, 1>(simd, done);
        if done < self.outputs {
            self.last_columns(simd, done);
        }
    }
}

impl<const R: usize> WeightGradient<'_, R> {
    fn panel<'a>(panel: Panel<'a, R>, inputs: &Range<usize>) -> Panel<'a, R> {
        panel.part(inputs.start, inputs.end)
    }

    /// The outputs from `from` on in blocks of `U` vectors; where the last whole block ends.
    #[inline(always)]
    fn columns<S: Simd, const U: usize>(&mut self, simd: S, from: usize) -> usize {
        let (outputs, width) = (self.outputs, U * S::F32_LANES);
        let mut column = from;
        while column + width <= outputs {
            for (index, panel) in self.input.iter().enumerate() {
                let deltas: [[S::f32s; U]; R] = std::array::from_fn(|r| {
                    let start = (index * R + r) * outputs + column;
                    vectors::<S, U>(&self.deltas[start..start + width])
                });
                for (input, values) in Self::panel(panel, &self.inputs).terms() {
                    let start = (input - self.inputs.start) * outputs + column;
                    let place = S::as_mut_simd_f32s(&mut self.gradient[start..start + width]).0;
                    let mut sums: [S::f32s; U] = std::array::from_fn(|u| place[u]);
                    for r in 0..R {
                        let value = simd.splat_f32s(values[r]);
                        for u in 0..U {
                            sums[u] = simd.mul_add_e_f32s(value, deltas[r][u], sums[u]);
                        }
                    }
                    place.copy_from_slice(&sums);
                }
            }
            column += width;
        }
        column
    }

    /// The outputs from `from` on, fewer than a vector.
    #[inline(always)]
    fn last_columns<S: Simd>(&mut self, simd: S, from: usize) {
        let outputs = self.outputs;
        for (index, panel) in self.input.iter().enumerate() {
            let deltas: [S::f32s; R] = std::array::from_fn(|r| {
                let row = index * R + r;
                simd.partial_load_f32s(&self.deltas[row * outputs + from..(row + 1) * outputs])
            });
            for (input, values) in Self::panel(panel, &self.inputs).terms() {
                let row = input - self.inputs.start;
                let place = &mut self.gradient[row * outputs + from..(row + 1) * outputs];
                let mut sums = simd.partial_load_f32s(place);
                for r in 0..R {
                    sums = simd.mul_add_e_f32s(simd.splat_f32s(values[r]), deltas[r], sums);
                }
                simd.partial_store_f32s(place, sums);
            }
        }
    }
}

/// out[r][i] = Σₒ deltas[r][o] · weight[i][o].
///
/// # Panics
/// When a length does not fit.
pub fn input_gradient(deltas: &[f32], weight: &[f32], outputs: usize, out: &mut [f32]) {
    let (rows, inputs) = (deltas.len() / outputs, weight.len() / outputs);
    assert_eq!(out.len(), rows * inputs, "the inputs' gradient");
    run(InputGradient { deltas, weight, outputs, inputs, out });
}

struct InputGradient<'a> {
    deltas: &'a [f32],
    weight: &'a [f32],
    outputs: usize,
    inputs: usize,
    out: &'a mut [f32],
}

/// Rows of each side that a tile of the inputs' gradient is made of.
const TILE: usize = 4;

impl WithSimd for InputGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let rows = self.deltas.len() / self.outputs;
        let (whole_inputs, whole_rows) = (self.inputs / TILE * TILE, rows / TILE * TILE);
        for input in (0..whole_inputs).step_by(TILE) {
            for row in (0..whole_rows).step_by(TILE) {
                self.tile::<S, TILE, TILE>(simd, row, input);
            }
            (whole_rows..rows).for_each(|row| self.tile::<S, 1, TILE>(simd, row, input));
        }
        for input in whole_inputs..self.inputs {
            (0..rows).for_each(|row| self.tile::<S, 1, 1>(simd, row, input));
        }
    }
}

impl InputGradient<'_> {
    /// The dot products of `R` rows of deltas with `I` rows of weights.
    #[inline(always)]
    fn tile<S: Simd, const R: usize, const I: usize>(&mut self, simd: S, row: usize, input: usize) {
        let outputs = self.outputs;
        let whole = outputs / S::F32_LANES;
        let rows = |matrix, first: usize, index: usize| -> (&[S::f32s], &[f32]) {
            let matrix: &[f32] = matrix;
            let (head, tail) = S::as_simd_f32s(&matrix[(first + index) * outputs..(first + index + 1) * outputs]);
            (&head[..whole], tail)
        };
        let deltas: [_; R] = std::array::from_fn(|r| rows(self.deltas, row, r));
        let weights: [_; I] = std::array::from_fn(|i| rows(self.weight, input, i));
        let mut sums = [[simd.splat_f32s(0.0); I]; R];
        for place in 0..whole {
            let weights = weights.map(|(head, _)| head[place]);
            for r in 0..R {
                let delta = deltas[r].0[place];
                for i in 0..I {
                    sums[r][i] = simd.mul_add_e_f32s(delta, weights[i], sums[r][i]);
                }
            }
        }
        if whole * S::F32_LANES < outputs {
            let weights = weights.map(|(_, tail)| simd.partial_load_f32s(tail));
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

/// `slice` as `U` vectors.
#[inline(always)]
fn vectors<S: Simd, const U: usize>(slice: &[f32]) -> [S::f32s; U] {
    let vectors = S::as_simd_f32s(slice).0;
    std::array::from_fn(|u| vectors[u])
}
