//! Owns the threads that share a step: the pool whose workers stay active, how many of them a step uses, and from which
//! size on sharing pays. Depends on `util::threads`. Must not know networks beyond their number of parameters.

mod autotune;
pub(super) mod pool;

use burn::module::Module;

use crate::model::Mlp;

/// Multiplications of one pass from which on several threads are faster than one, if they are active.
const MIN_PARALLEL_MACS: usize = 400_000;

/// Parameters from which on several threads update them faster than one.
pub(super) const MIN_PARALLEL_PARAMS: usize = 100_000;

/// Returns whether several threads pass `num_images` images at a time through `model` faster than one.
pub(super) fn should_parallelize(model: &Mlp, num_images: usize) -> bool {
    num_images * model.num_params() >= MIN_PARALLEL_MACS
}
