//! Owns the clipping of a gradient in its memory, before the update. Depends on `smallnet_kernels` and `threads`.
//! Must not know optimizers.
//!
//! The formulas are those of Burn's `GradientClipping`. The norm is summed in another order, which does
//! not depend on the number of threads.

use burn::grad_clipping::GradientClipping;
use smallnet_kernels::{clamp, scale, sum_of_squares};

use crate::engine::cpu::threads::{MIN_PARALLEL_PARAMS, pool};

/// Number of values whose squares one call sums.
const BLOCK: usize = 1 << 14;

/// Clips the gradient of one tensor: each value to [−t, t], or all of them by min(1, t / norm), where t is
/// the threshold and the norm is √Σ g².
pub(super) fn clip(clipping: &GradientClipping, gradient: &mut [f32]) {
    match *clipping {
        GradientClipping::Value(threshold) => par_change(gradient, |part| clamp(threshold, part)),
        GradientClipping::Norm(threshold) => {
            let factor = threshold / (norm(gradient) + f32::MIN_POSITIVE);
            // A factor that is not a number makes the gradient so, and the training ends.
            if factor < 1.0 || factor.is_nan() {
                par_change(gradient, |part| scale(factor, part));
            }
        }
    }
}

/// Returns √Σ g². Whatever the threads, the same blocks are summed, and their sums are added in order.
fn norm(gradient: &[f32]) -> f32 {
    let parts = gradient.chunks(part_len(gradient.len()).next_multiple_of(BLOCK)).collect();
    let sums =
        pool::par_map(parts, |part: &[f32]| part.chunks(BLOCK).map(sum_of_squares).collect::<Vec<_>>());
    sums.into_iter().flatten().sum::<f64>().sqrt() as f32
}

/// Changes the values in parts on several threads, if they are many.
fn par_change(values: &mut [f32], change: impl Fn(&mut [f32]) + Sync) {
    let len = part_len(values.len());
    pool::par_map(values.chunks_mut(len).collect(), change);
}

/// Returns the length of the part of each thread.
fn part_len(len: usize) -> usize {
    let num_parts = if len < MIN_PARALLEL_PARAMS { 1 } else { pool::num_partitions() };
    len.div_ceil(num_parts).max(1)
}
