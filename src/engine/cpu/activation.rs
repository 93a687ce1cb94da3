//! Owns the activation functions on slices: each function and its derivative. Depends on the names
//! in `model::Activation`. Must not know tensors or layers.

use std::f32::consts::{FRAC_1_SQRT_2, PI};

use crate::model::Activation;

/// Applies `activation` to every value, in place: pre-activations z become activations a.
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
pub(super) fn forward(activation: Activation, values: &mut [f32]) {
    match activation {
        Activation::Relu => map(values, relu),
        Activation::LeakyRelu { slope } => {
            let slope = slope as f32;
            map(values, |x| if x < 0.0 { slope * x } else { x });
        }
        Activation::Gelu => map(values, |x| x * normal_cdf(x)),
        Activation::Silu => map(values, |x| x * sigmoid(x)),
        Activation::Sigmoid => map(values, sigmoid),
        Activation::Tanh => map(values, f32::tanh),
    }
}

/// Backward pass through `activation`, in place: turns ∂L/∂a into ∂L/∂z = ∂L/∂a · ∂a/∂z. The table
/// at [`forward`] has the derivatives. `pre_activations` are the z, as many as `gradients`.
pub(super) fn backward(activation: Activation, pre_activations: &[f32], gradients: &mut [f32]) {
    match activation {
        // A selection and no product, so that a gradient that is not finite becomes 0 where z ≤ 0.
        Activation::Relu => {
            pairs(pre_activations, gradients, |z, gradient| if z <= 0.0 { 0.0 } else { gradient })
        }
        Activation::LeakyRelu { slope } => {
            let slope = slope as f32;
            pairs(
                pre_activations,
                gradients,
                |z, gradient| if z < 0.0 { slope * gradient } else { gradient },
            );
        }
        Activation::Gelu => scale(pre_activations, gradients, |z| {
            normal_cdf(z) + z * (-0.5 * z * z).exp() / (2.0 * PI).sqrt()
        }),
        Activation::Silu => {
            scale(pre_activations, gradients, |z| sigmoid(z) * (1.0 + z * (1.0 - sigmoid(z))))
        }
        Activation::Sigmoid => scale(pre_activations, gradients, |z| sigmoid(z) * (1.0 - sigmoid(z))),
        Activation::Tanh => scale(pre_activations, gradients, |z| 1.0 - z.tanh() * z.tanh()),
    }
}

/// Applies `function` to every value. The compiler makes one loop per call and can use vector
/// instructions in it.
#[inline(always)]
fn map(values: &mut [f32], function: impl Fn(f32) -> f32) {
    values.iter_mut().for_each(|x| *x = function(*x));
}

/// Replaces each gradient by `function` of its pre-activation and itself.
#[inline(always)]
fn pairs(pre_activations: &[f32], gradients: &mut [f32], function: impl Fn(f32, f32) -> f32) {
    gradients.iter_mut().zip(pre_activations).for_each(|(gradient, &z)| *gradient = function(z, *gradient));
}

/// Multiplies each gradient by the `derivative` at its pre-activation.
#[inline(always)]
fn scale(pre_activations: &[f32], gradients: &mut [f32], derivative: impl Fn(f32) -> f32) {
    pairs(pre_activations, gradients, |z, gradient| gradient * derivative(z));
}

/// Returns max(0, x). NaN stays NaN.
fn relu(x: f32) -> f32 {
    if x < 0.0 { 0.0 } else { x }
}

/// Returns Φ(x), the distribution function of the standard normal distribution.
fn normal_cdf(x: f32) -> f32 {
    0.5 * (1.0 + libm::erff(x * FRAC_1_SQRT_2))
}

/// Returns 1 / (1 + e⁻ˣ), without overflow on either side.
fn sigmoid(x: f32) -> f32 {
    let small = (-x.abs()).exp();
    (if x < 0.0 { small } else { 1.0 }) / (1.0 + small)
}

#[cfg(test)]
mod tests;
