//! Owns the arithmetic of dense layers on the CPU: plain slices in, plain slices out, with vector instructions chosen at
//! run time. Knows no tensor, no network and no data set.
//!
//! What makes it fast: the background of images is left out, sums stay in registers until they are complete, what is read
//! once is used for eight rows, an update reads each weight once, and no thread is woken within a step.
//!
//! No sum is ever shared between threads: every number is added up by one thread, in the order of the images. So results do
//! not depend on how many threads there are.
//!
//! What each function computes stands in its documentation as a formula, and its tests compare it with that formula written
//! as plain loops.

mod block_sparse;
mod matmul;
mod softmax;
#[cfg(test)]
mod tests;
mod update;

pub use block_sparse::BlockSparse;
pub use matmul::{Input, forward, input_gradient, weight_gradient};
pub use softmax::{RowScores, column_sums, softmax_cross_entropy_backward};
pub use update::{AdamParams, MomentumParams, RmsPropParams, adam, momentum, rmsprop, sgd, sgd_per_column};

use pulp::{Arch, WithSimd};

/// Rows that a product takes side by side.
pub const TILE_ROWS: usize = 8;

/// Runs `operation` with the widest vector instructions that this processor has.
pub(crate) fn dispatch<Operation: WithSimd>(operation: Operation) -> Operation::Output {
    Arch::new().dispatch(operation)
}
