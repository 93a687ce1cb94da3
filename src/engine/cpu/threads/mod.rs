//! Owns the threads that share a step: the pool whose workers stay active, the number of workers
//! that a step uses, and the size from which on sharing is faster. Depends on `util::threads` and
//! `model`. Must not know networks beyond their number of parameters.

mod autotune;
pub(super) mod pool;

use burn::module::Module;

use crate::model::Mlp;

/// Multiplications of one forward pass from which on several threads are faster than one, if they
/// are active.
const MIN_PARALLEL_MACS: usize = 400_000;

/// Number of parameters from which on several threads update them faster than one.
pub(super) const MIN_PARALLEL_PARAMS: usize = 100_000;

/// Returns whether several threads pass `num_images` images at a time through `model` faster than
/// one. An image takes about one multiplication per parameter.
pub(super) fn should_parallelize(model: &Mlp, num_images: usize) -> bool {
    num_images * model.num_params() >= MIN_PARALLEL_MACS
}
