//! Owns the activation functions on slices: each function and its derivative. Depends on the names
//! in `model::Activation` and on `kernels`. Must not know tensors or layers.

use std::f32::consts::{FRAC_1_SQRT_2, PI};

use pulp::{Simd, WithSimd};

use crate::engine::cpu::kernels::{dispatch, erf, exp, tanh};
use crate::model::Activation;

/// Applies `activation` to every pre-activation z of `input` and writes the activations a to `output`.
///
/// | activation | a | ∂a/∂z |
/// |---|---|---|
/// | ReLU | max(0, z) | 1 if z > 0, else 0 |
/// | leaky ReLU | z if z ≥ 0, else slope · z | 1 if z ≥ 0, else slope |
/// | GELU | z · Φ(z) | Φ(z) + z · φ(z) |
/// | SiLU | z · σ(z) | σ(z) · (1 + z · (1 − σ(z))) |
/// | sigmoid | σ(z) | σ(z) · (1 − σ(z)) |
/// | tanh | tanh z | 1 − tanh² z |
///
/// σ(z) is 1 / (1 + e⁻ᶻ). Φ is the distribution function of the standard normal distribution, and
/// φ(z) = exp(−z² / 2) / √(2π) its density.
///
/// # Panics
/// If the lengths differ.
pub(super) fn forward(activation: Activation, input: &[f32], output: &mut [f32]) {
    assert_eq!(input.len(), output.len(), "activations");
    match activation {
        Activation::Relu => map(input, output, |z, _| relu(z)),
        Activation::LeakyRelu { slope } => {
            let slope = slope as f32;
            map(input, output, |z, _| if z < 0.0 { slope * z } else { z });
        }
        Activation::Gelu => map(input, output, |z, _| z * normal_cdf(z)),
        Activation::Silu => map(input, output, |z, _| z * sigmoid(z)),
        Activation::Sigmoid => map(input, output, |z, _| sigmoid(z)),
        Activation::Tanh => map(input, output, |z, _| tanh(z)),
    }
}

/// Backward pass through `activation`, in place: turns ∂L/∂a into ∂L/∂z = ∂L/∂a · ∂a/∂z. The table
/// at [`forward`] has the derivatives. `pre_activations` are the z, as many as `gradients`.
pub(super) fn backward(activation: Activation, pre_activations: &[f32], gradients: &mut [f32]) {
    match activation {
        // A selection and no product, so that a gradient that is not finite becomes 0 where z ≤ 0.
        Activation::Relu => {
            map(pre_activations, gradients, |z, gradient| if z <= 0.0 { 0.0 } else { gradient })
        }
        Activation::LeakyRelu { slope } => {
            let slope = slope as f32;
            map(pre_activations, gradients, |z, gradient| if z < 0.0 { slope * gradient } else { gradient });
        }
        Activation::Gelu => scale(pre_activations, gradients, |z| {
            normal_cdf(z) + z * exp(-0.5 * z * z) * (1.0 / (2.0 * PI).sqrt())
        }),
        Activation::Silu => {
            scale(pre_activations, gradients, |z| sigmoid(z) * (1.0 + z * (1.0 - sigmoid(z))))
        }
        Activation::Sigmoid => scale(pre_activations, gradients, |z| sigmoid(z) * (1.0 - sigmoid(z))),
        Activation::Tanh => scale(pre_activations, gradients, |z| 1.0 - tanh(z) * tanh(z)),
    }
}

/// Replaces each of `values` by `function` of the number of `input` at its place and of itself.
#[inline(always)]
fn map(input: &[f32], values: &mut [f32], function: impl Fn(f32, f32) -> f32) {
    dispatch(Map { input, values, function });
}

/// Multiplies each gradient by the `derivative` at its pre-activation.
#[inline(always)]
fn scale(pre_activations: &[f32], gradients: &mut [f32], derivative: impl Fn(f32) -> f32) {
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

/// Returns max(0, x). NaN stays NaN.
#[inline(always)]
fn relu(x: f32) -> f32 {
    if x < 0.0 { 0.0 } else { x }
}

/// Returns Φ(x), the distribution function of the standard normal distribution.
#[inline(always)]
fn normal_cdf(x: f32) -> f32 {
    0.5 * (1.0 + erf(x * FRAC_1_SQRT_2))
}

/// Returns 1 / (1 + e⁻ˣ), without overflow on either side.
#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    let small = exp(-x.abs());
    (if x < 0.0 { small } else { 1.0 }) / (1.0 + small)
}

#[cfg(test)]
mod tests;
