//! Owns dropout (Srivastava et al. 2014): the choice of the neurons and pixels that a training step
//! leaves out. Depends on `util::rng` and `smallnet_kernels`. Must not know layers or the order of steps.
//!
//! smallnet draws the mask itself and does not leave that to the backend. So the mask is the same
//! on every backend and for every number of threads, and a training can be resumed from any step.

use std::ops::Range;

use burn::tensor::{Tensor, TensorData};
use rand::Rng;
use smallnet_kernels::append_dropout_factors;

use crate::util::rng::{RngStream, rng};

/// Probabilities, in [0, 1), with which a training step leaves neurons and pixels out.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Dropout {
    /// Probability, in [0, 1), that a hidden neuron is left out.
    pub hidden: f64,
    /// Probability, in [0, 1), that a pixel is left out.
    pub input: f64,
}

/// Dropout mask of one training step. It is drawn when it is used, and not stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DropoutMask {
    dropout: Dropout,
    /// Seed of the step. Equal seeds give equal masks.
    seed: u64,
}

/// Number of steps of a probability: each probability is rounded to a multiple of 1 / 65,536.
const RESOLUTION: u32 = 1 << 16;

impl Dropout {
    /// Returns the mask of a step with this seed. Without a seed, nothing is left out.
    pub(crate) fn mask(self, seed: Option<u64>) -> DropoutMask {
        let dropout = if seed.is_some() { self } else { Self::default() };
        DropoutMask { dropout, seed: seed.unwrap_or_default() }
    }
}

impl DropoutMask {
    /// 16-bit threshold for the inputs of `layer`, whose first layer is 0. An input is left out if
    /// its random number is below the threshold. The inputs of layer 0 are pixels, those of other
    /// layers are hidden neurons.
    fn threshold(&self, layer: usize) -> u32 {
        let probability = if layer == 0 { self.dropout.input } else { self.dropout.hidden };
        ((probability * f64::from(RESOLUTION)).round() as u32).min(RESOLUTION - 1)
    }

    /// Inverted-dropout scale of the inputs of `layer` that are kept: 1 / (1 − p), with the rounded
    /// probability p.
    pub(crate) fn scale(&self, layer: usize) -> f32 {
        RESOLUTION as f32 / (RESOLUTION - self.threshold(layer)) as f32
    }

    /// Multiplies the inputs `x`, `[batch, width]`, of `layer` by the mask.
    pub(crate) fn apply(&self, layer: usize, x: Tensor<2>) -> Tensor<2> {
        let [images, width] = x.dims();
        let mut factors = Vec::new();
        self.fill(layer, 0..images, width, &mut factors);
        if factors.is_empty() {
            return x;
        }
        let factors = Tensor::from_data(TensorData::new(factors, [images, width]), &x.device());
        x * factors
    }

    /// Replaces `factors` by the factor of each input of `layer`, `[images, width]`: 0 or the
    /// scale. `images` are positions in the batch. Without dropout, `factors` is empty afterwards.
    ///
    /// Each image has a random stream of its own, from the seed, the layer and its position. So any
    /// range of images can be filled alone.
    pub(crate) fn fill(&self, layer: usize, images: Range<usize>, width: usize, factors: &mut Vec<f32>) {
        factors.clear();
        let (threshold, scale) = (self.threshold(layer), self.scale(layer));
        if threshold == 0 {
            return;
        }
        // Two random bytes per input.
        let mut levels = vec![0; 2 * width];
        for image in images {
            let index = (layer as u64) << 32 | image as u64;
            rng(self.seed, RngStream::DropoutMask, index).fill_bytes(&mut levels);
            append_dropout_factors(&levels, threshold, scale, factors);
        }
    }
}

#[cfg(test)]
mod tests;
