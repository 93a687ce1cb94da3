//! The arithmetic of smallnet's CPU engine: plain slices in, plain slices out, with vector
//! instructions chosen at run time.
//!
//! Owns the operations of dense layers, activations, losses and updates, the movement of pixels by
//! augmentation, and the form in which these get the pixels of an image. Depends on pulp alone. Must not
//! know tensors, networks, data sets or threads.
//!
//! It is a crate of its own because the compiler must inline every loop of it. So it is built as one unit
//! (`codegen-units = 1`). smallnet is much larger and is built as several units, on several cores. The
//! interface serves smallnet alone, so smallnet names one exact version of it.
//!
//! It is fast for five reasons. The background of images is left out. Sums stay in registers until
//! they are complete. A weight that is read once is used for several rows. What a product reads lies
//! one after the other, from the beginning of a cache line on. An update reads each weight once.
//!
//! No sum is shared between threads: one thread computes each sum, in the order of the images. So
//! results do not depend on the number of threads.
//!
//! Each function's documentation gives its formula. The tests compare the function with that
//! formula, written as plain loops or computed by hand.
//!
//! Code that is generic over `S: Simd` is compiled once for each set of vector instructions.
//! `S::f32s` is a vector of `S::F32_LANES` numbers: 16 with AVX-512 and 8 with AVX2. A parameter
//! `U` is the number of such vectors next to each other in a row, and `R` is a number of rows.

mod activation;
mod aligned;
mod block_sparse;
mod clipping;
mod denormal;
mod dropout;
mod elastic;
mod exp_ln;
mod forward;
mod functions;
mod packed;
mod pixels;
mod product;
mod softmax;
#[cfg(test)]
mod tests;
mod thickness;
mod update;
mod vectors;
mod warp;
mod weight_gradient;

pub use activation::{
    gelu, gelu_backward, leaky_relu, leaky_relu_backward, multiply, relu, relu_backward, sigmoid,
    sigmoid_backward, silu, silu_backward, tanh, tanh_backward,
};
pub use aligned::{AlignedBuffer, aligned_capacity, num_before_line};
pub use block_sparse::BlockSparse;
pub use clipping::{clamp, scale, sum_of_squares};
pub use denormal::flush_denormals;
pub use dropout::append_dropout_factors;
pub use elastic::{Field, Gaussian};
pub use forward::{TILE_COLUMNS, forward_images, forward_rows, packing_for_images_pays};
pub use packed::{PackFor, PackTask, PackedMatrix, Weights};
pub use pixels::{BLOCK, ImagePixels, MAX_PIXEL, normalize};
pub use product::product;
pub use softmax::{RowScores, Targets, softmax_cross_entropy_backward};
pub use thickness::change_thickness;
pub use update::{
    AdamParams, LionParams, MomentumParams, RmsPropParams, adam, lion, momentum, moving_average, rmsprop,
    sgd, sgd_per_column,
};
pub use warp::{Affine, Warp};
pub use weight_gradient::{Input, column_sums, weight_gradient};

use pulp::{Arch, Simd, WithSimd};

/// Largest number of rows that a product computes in one tile. All ranges of images and of inputs that
/// are shared between threads begin with a multiple of it.
pub const TILE_ROWS: usize = 8;

/// Runs `operation` with the widest vector instructions of this processor. In an operation that
/// does not use its `simd` argument, the compiler chooses the vector instructions of the loops
/// itself.
pub(crate) fn dispatch<Operation: WithSimd>(operation: Operation) -> Operation::Output {
    Arch::new().dispatch(operation)
}

/// Returns whether a tile may have 16 sums: with AVX-512, which has 32 registers. With AVX2 it has eight.
#[inline(always)]
fn has_many_registers<S: Simd>() -> bool {
    #[cfg(test)]
    if simulated::MANY_REGISTERS.get() {
        return true;
    }
    S::REGISTER_COUNT >= 32
}

/// Simulation of a processor with many registers: the same tiles as with AVX-512, on any processor.
#[cfg(test)]
mod simulated {
    use std::cell::Cell;

    thread_local! {
        pub(super) static MANY_REGISTERS: Cell<bool> = const { Cell::new(false) };
    }

    /// Runs `test` as it is, and once more as if there were many registers.
    pub(super) fn with_all_tiles(test: impl Fn()) {
        test();
        MANY_REGISTERS.set(true);
        test();
        MANY_REGISTERS.set(false);
    }
}
