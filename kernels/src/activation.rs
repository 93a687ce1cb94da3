//! Owns the activation functions on slices, each with its derivative, and the product with the factors of
//! dropout. Depends on `functions` and pulp. Must not know layers, or which activation a network has.
//!
//! Each function replaces `output` by the activation a of every pre-activation z of `input`. Its backward pass
//! multiplies `gradients`, the ∂L/∂a, by ∂a/∂z at each of `pre_activations`, so that they become the ∂L/∂z. Both
//! take as many numbers as there are in the shorter slice.
//!
//! σ(z) is 1 / (1 + e⁻ᶻ). Φ is the distribution function of the standard normal distribution, and
//! φ(z) = exp(−z² / 2) / √(2π) its density.

use std::f32::consts::{FRAC_1_SQRT_2, PI};

use pulp::{Simd, WithSimd};

use crate::dispatch;
use crate::functions::{self, erf, exp};

/// a = max(0, z)
pub fn relu(input: &[f32], output: &mut [f32]) {
    map(input, output, |z, _| if z < 0.0 { 0.0 } else { z });
}

/// ∂a/∂z = 1 if z > 0, else 0. A gradient that is not finite becomes 0 where z ≤ 0, so it is a selection and not
/// a product.
pub fn relu_backward(pre_activations: &[f32], gradients: &mut [f32]) {
    map(pre_activations, gradients, |z, gradient| if z <= 0.0 { 0.0 } else { gradient });
}

/// a = z if z ≥ 0, else `slope` · z
pub fn leaky_relu(slope: f32, input: &[f32], output: &mut [f32]) {
    map(input, output, |z, _| if z < 0.0 { slope * z } else { z });
}

/// ∂a/∂z = 1 if z ≥ 0, else `slope`
pub fn leaky_relu_backward(slope: f32, pre_activations: &[f32], gradients: &mut [f32]) {
    map(pre_activations, gradients, |z, gradient| if z < 0.0 { slope * gradient } else { gradient });
}

/// a = z · Φ(z)
pub fn gelu(input: &[f32], output: &mut [f32]) {
    map(input, output, |z, _| z * normal_cdf(z));
}

/// ∂a/∂z = Φ(z) + z · φ(z)
pub fn gelu_backward(pre_activations: &[f32], gradients: &mut [f32]) {
    multiply_by(pre_activations, gradients, |z| {
        normal_cdf(z) + z * exp(-0.5 * z * z) * (1.0 / (2.0 * PI).sqrt())
    });
}

/// a = z · σ(z), also called swish
pub fn silu(input: &[f32], output: &mut [f32]) {
    map(input, output, |z, _| z * logistic(z));
}

/// ∂a/∂z = σ(z) · (1 + z · (1 − σ(z)))
pub fn silu_backward(pre_activations: &[f32], gradients: &mut [f32]) {
    multiply_by(pre_activations, gradients, |z| logistic(z) * (1.0 + z * (1.0 - logistic(z))));
}

/// a = σ(z)
pub fn sigmoid(input: &[f32], output: &mut [f32]) {
    map(input, output, |z, _| logistic(z));
}

/// ∂a/∂z = σ(z) · (1 − σ(z))
pub fn sigmoid_backward(pre_activations: &[f32], gradients: &mut [f32]) {
    multiply_by(pre_activations, gradients, |z| logistic(z) * (1.0 - logistic(z)));
}

/// a = tanh z
pub fn tanh(input: &[f32], output: &mut [f32]) {
    map(input, output, |z, _| functions::tanh(z));
}

/// ∂a/∂z = 1 − tanh² z
pub fn tanh_backward(pre_activations: &[f32], gradients: &mut [f32]) {
    multiply_by(pre_activations, gradients, |z| 1.0 - functions::tanh(z) * functions::tanh(z));
}

/// Multiplies each of `values` by its factor of dropout. Without factors the values stay as they are.
pub fn multiply(values: &mut [f32], factors: &[f32]) {
    map(factors, values, |factor, value| value * factor);
}

/// Replaces each of `values` by `function` of the number of `input` at its place and of itself.
#[inline(always)]
fn map(input: &[f32], values: &mut [f32], function: impl Fn(f32, f32) -> f32) {
    dispatch(Map { input, values, function });
}

/// Multiplies each gradient by the `derivative` at its pre-activation.
#[inline(always)]
fn multiply_by(pre_activations: &[f32], gradients: &mut [f32], derivative: impl Fn(f32) -> f32) {
    map(pre_activations, gradients, |z, gradient| gradient * derivative(z));
}

/// Loop that is compiled once per function and set of vector instructions.
struct Map<'a, F> {
    input: &'a [f32],
    values: &'a mut [f32],
    function: F,
}

impl<F: Fn(f32, f32) -> f32> WithSimd for Map<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (value, &input) in self.values.iter_mut().zip(self.input) {
            *value = (self.function)(input, *value);
        }
    }
}

/// Returns Φ(x), the distribution function of the standard normal distribution.
#[inline(always)]
fn normal_cdf(x: f32) -> f32 {
    0.5 * (1.0 + erf(x * FRAC_1_SQRT_2))
}

/// Returns 1 / (1 + e⁻ˣ), without overflow on either side.
#[inline(always)]
fn logistic(x: f32) -> f32 {
    let small = exp(-x.abs());
    (if x < 0.0 { small } else { 1.0 }) / (1.0 + small)
}

#[cfg(test)]
mod tests;
