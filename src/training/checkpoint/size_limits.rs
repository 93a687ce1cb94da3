//! How large the records of a checkpoint are at the most: it follows from the network and its optimizer. A reader takes no
//! more bytes than that from a foreign file, and a writer writes no more.

use crate::model::{Mlp, max_record_size, max_weights_size};
use crate::optim::OptimizerConfig;

/// The most bytes that the records of a checkpoint have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SizeLimits {
    /// Of `model.bpk`.
    pub(super) model: u64,
    /// Of `optimizer.bpk`.
    pub(super) optimizer: u64,
}

impl SizeLimits {
    /// The limits of a training of `model` with `optimizer`.
    pub fn new(model: &Mlp, optimizer: &OptimizerConfig) -> Self {
        let (numbers, tensors) = model.record_counts();
        let copies = optimizer.rule().numbers_per_weight();
        Self {
            model: max_weights_size(model),
            optimizer: max_record_size(copies * numbers, copies * tensors),
        }
    }
}
