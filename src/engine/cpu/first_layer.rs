//! Owns the forward pass of the first layer that threads share by outputs. Depends on `network`,
//! `smallnet_kernels` and `threads`. Must not know losses, batches or optimizers.
//!
//! The first layer has most of the weights. If each thread computes all outputs of its images, each
//! reads all weights, and with few images per thread that takes longer than the arithmetic. So each
//! thread computes some outputs of all images instead, and reads only its part of the weights. Each
//! output is one sum in both cases, so the results are the same to the last bit.

use std::ops::Range;

use smallnet_kernels::{AlignedBuffer, BlockSparse, TILE_COLUMNS};

use crate::engine::cpu::network::{CpuNetwork, MAX_CHUNK, PackedWeights};
use crate::engine::cpu::threads::pool;

/// Some outputs of the first layer, for the images of some successive chunks.
#[derive(Debug, Default)]
pub(super) struct ColumnPart {
    /// Range of the outputs.
    columns: Range<usize>,
    /// Pre-activations, `[images, columns]`.
    values: AlignedBuffer,
}

/// Returns how many successive chunks share the first layer of `network`: as many threads compute some
/// of its outputs each, and together they have at most [`MAX_CHUNK`] images. 1 if every chunk computes its
/// own outputs, since it has enough images or the layer has too few outputs. There are `num_chunks` chunks
/// of `num_images` images.
pub(super) fn num_sharing(network: &CpuNetwork, num_chunks: usize, num_images: usize) -> usize {
    let most = num_chunks.min(network.layers()[0].num_outputs() / TILE_COLUMNS);
    (MAX_CHUNK / num_images.max(1)).min(most).max(1)
}

/// Computes the first layer for all chunks: one part per chunk, in their order. The `images` of
/// `num_sharing` successive chunks are those of as many parts.
pub(super) fn compute(
    network: &CpuNetwork,
    weights: &PackedWeights,
    images: &[&BlockSparse],
    num_sharing: usize,
    parts: &mut Vec<ColumnPart>,
) {
    parts.resize_with(images.len(), ColumnPart::default);
    let outputs = network.layers()[0].num_outputs();
    let mut work = Vec::with_capacity(parts.len());
    for (images, parts) in images.chunks(num_sharing).zip(parts.chunks_mut(num_sharing)) {
        let num_images: usize = images.iter().map(|images| images.num_images()).sum();
        let (num_parts, num_tiles) = (parts.len(), outputs.div_ceil(TILE_COLUMNS));
        let end = |part: usize| (num_tiles * part / num_parts * TILE_COLUMNS).min(outputs);
        for (index, part) in parts.iter_mut().enumerate() {
            part.columns = end(index)..end(index + 1);
            part.values.resize(num_images * part.columns.len());
            work.push((images, part));
        }
    }
    pool::par_map(work, |(images, part)| {
        network.first_layer(weights, images, part.columns.clone(), &mut part.values);
    });
}

/// Copies the rows from `first_row` on of `parts` to `pre_activations`, `[images, outputs]` of one chunk.
pub(super) fn copy_rows(parts: &[ColumnPart], first_row: usize, pre_activations: &mut [f32]) {
    let outputs: usize = parts.iter().map(|part| part.columns.len()).sum();
    for ColumnPart { columns, values } in parts {
        let rows = values.chunks_exact(columns.len()).skip(first_row);
        for (out, row) in pre_activations.chunks_exact_mut(outputs).zip(rows) {
            out[columns.clone()].copy_from_slice(row);
        }
    }
}
