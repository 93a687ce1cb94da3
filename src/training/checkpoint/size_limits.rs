//! Owns the largest sizes of a checkpoint's records, which follow from the network and its
//! optimizer. A reader takes no more bytes than that from an untrusted file, and a writer writes no
//! more.
//! Depends on `model` and `optim`. Must not know files.

use crate::model::{Mlp, max_record_size, max_weights_size};
use crate::optim::OptimizerConfig;

/// Largest numbers of bytes that the records of a checkpoint can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SizeLimits {
    /// Largest size of `model.bpk` and of `trained.bpk`, in bytes.
    pub(super) model: u64,
    /// Largest size of `optimizer.bpk`, in bytes.
    pub(super) optimizer: u64,
}

impl SizeLimits {
    /// Returns the limits for a training of `model` with `optimizer`.
    pub fn new(model: &Mlp, optimizer: &OptimizerConfig) -> Self {
        let (numbers, tensors) = model.record_counts();
        // The optimizer keeps this many values per weight, in as many tensors per weight tensor.
        let copies = optimizer.rule().numbers_per_weight();
        Self {
            model: max_weights_size(model),
            optimizer: max_record_size(copies * numbers, copies * tensors),
        }
    }
}
