//! Owns which kernel computes which activation. Depends on the names in `model::Activation` and on
//! `smallnet_kernels`, where the formulas are. Must not know tensors or layers.

use smallnet_kernels::{
    gelu, gelu_backward, leaky_relu, leaky_relu_backward, relu, relu_backward, sigmoid, sigmoid_backward,
    silu, silu_backward, tanh, tanh_backward,
};

use crate::model::Activation;

/// Applies `activation` to every pre-activation z of `input` and writes the activations a to `output`.
///
/// # Panics
/// If the lengths differ.
pub(super) fn forward(activation: Activation, input: &[f32], output: &mut [f32]) {
    assert_eq!(input.len(), output.len(), "activations");
    match activation {
        Activation::Relu => relu(input, output),
        Activation::LeakyRelu { slope } => leaky_relu(slope as f32, input, output),
        Activation::Gelu => gelu(input, output),
        Activation::Silu => silu(input, output),
        Activation::Sigmoid => sigmoid(input, output),
        Activation::Tanh => tanh(input, output),
    }
}

/// Backward pass through `activation`, in place: turns ∂L/∂a into ∂L/∂z = ∂L/∂a · ∂a/∂z.
/// `pre_activations` are the z, as many as `gradients`.
pub(super) fn backward(activation: Activation, pre_activations: &[f32], gradients: &mut [f32]) {
    match activation {
        Activation::Relu => relu_backward(pre_activations, gradients),
        Activation::LeakyRelu { slope } => leaky_relu_backward(slope as f32, pre_activations, gradients),
        Activation::Gelu => gelu_backward(pre_activations, gradients),
        Activation::Silu => silu_backward(pre_activations, gradients),
        Activation::Sigmoid => sigmoid_backward(pre_activations, gradients),
        Activation::Tanh => tanh_backward(pre_activations, gradients),
    }
}

#[cfg(test)]
mod tests;
