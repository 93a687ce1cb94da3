//! Owns the arithmetic of dense layers on the CPU: plain slices in, plain slices out, with vector instructions chosen at
//! run time. Depends on `util::denormal` and pulp. Must not know tensors, networks, data sets or threads.
//!
//! It is fast for four reasons: the background of images is left out, sums stay in registers until they are complete, a
//! weight that is read once is used for eight rows, and an update reads each weight once.
//!
//! No sum is shared between threads: one thread adds up each number, in the order of the images. So results do not depend
//! on the number of threads.
//!
//! Each function's documentation gives its formula, and its tests compare it with that formula written as plain loops.

mod block_sparse;
mod matmul;
mod softmax;
#[cfg(test)]
mod tests;
mod update;

pub(crate) use block_sparse::BlockSparse;
pub(crate) use matmul::{Input, forward, input_gradient, weight_gradient};
pub(crate) use softmax::{RowScores, column_sums, softmax_cross_entropy_backward};
pub(crate) use update::{
    AdamParams, MomentumParams, RmsPropParams, adam, momentum, rmsprop, sgd, sgd_per_column,
};

use pulp::{Arch, WithSimd};

/// Rows that a product computes in one tile.
pub(crate) const TILE_ROWS: usize = 8;

/// Runs `operation` with the widest vector instructions that this processor has.
pub(crate) fn dispatch<Operation: WithSimd>(operation: Operation) -> Operation::Output {
    Arch::new().dispatch(operation)
}
