//! Dropout (Srivastava and others 2014): which neurons and pixels a training step leaves out.
//!
//! Drawn here and not by a backend: so every backend leaves out the same, whoever computes which image, and a training can go
//! on from any step.

use std::ops::Range;

use burn::tensor::{Tensor, TensorData};
use rand::Rng;

use crate::util::rng::{RngStream, rng};

/// The probabilities, in [0, 1), with which a training step leaves something out.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Dropout {
    /// Each hidden neuron's.
    pub hidden: f64,
    /// Each pixel's.
    pub input: f64,
}

/// What a training step leaves out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DropoutMask {
    dropout: Dropout,
    /// The step's own.
    seed: u64,
}

/// A probability is as near to what was asked for as 1 / 65,536.
const RESOLUTION: u32 = 1 << 16;

impl Dropout {
    /// What a step with this seed leaves out; nothing without a seed.
    pub(crate) fn masks(self, seed: Option<u64>) -> DropoutMask {
        let dropout = if seed.is_some() { self } else { Self::default() };
        DropoutMask { dropout, seed: seed.unwrap_or_default() }
    }
}

impl DropoutMask {
    /// How many of the levels leave something out of what goes into `layer`.
    fn threshold(&self, layer: usize) -> u32 {
        let probability = if layer == 0 { self.dropout.input } else { self.dropout.hidden };
        ((probability * f64::from(RESOLUTION)).round() as u32).min(RESOLUTION - 1)
    }

    /// By what each number is multiplied that stays in what goes into `layer`: one divided by the share that stays.
    pub(crate) fn factor(&self, layer: usize) -> f32 {
        RESOLUTION as f32 / (RESOLUTION - self.threshold(layer)) as f32
    }

    /// `x`, `[batch, width]`, which goes into `layer`, without what is left out of it.
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

    /// Puts into `factors` by what each number is multiplied that goes into `layer`, 0 or the factor, `[images, width]`, for the
    /// images at these places of the batch. Leaves it empty where everything stays.
    pub(crate) fn fill(&self, layer: usize, images: Range<usize>, width: usize, factors: &mut Vec<f32>) {
        factors.clear();
        let (threshold, factor) = (self.threshold(layer), self.factor(layer));
        if threshold == 0 {
            return;
        }
        let mut levels = vec![0; 2 * width];
        for image in images {
            let index = (layer as u64) << 32 | image as u64;
            rng(self.seed, RngStream::DropoutMask, index).fill_bytes(&mut levels);
            let levels = levels.as_chunks().0.iter().map(|&level| u32::from(u16::from_le_bytes(level)));
            factors.extend(levels.map(|level| if level < threshold { 0.0 } else { factor }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factors(masks: &DropoutMask, layer: usize, images: Range<usize>, width: usize) -> Vec<f32> {
        let mut factors = vec![7.0];
        masks.fill(layer, images, width, &mut factors);
        factors
    }

    #[test]
    fn what_stays_makes_up_for_what_is_left_out() {
        for probability in [0.001, 0.2, 0.5, 0.9, 0.999_999] {
            let masks = Dropout { hidden: probability, input: 0.0 }.masks(Some(5));
            assert_eq!(factors(&masks, 0, 0..3, 10), [0.0; 0]);
            let factors = factors(&masks, 1, 0..500, 400);
            assert_eq!(factors.len(), 200_000);
            let stay = factors.iter().filter(|&&factor| factor > 0.0);
            let share = stay.clone().count() as f64 / 200_000.0;
            // Five standard deviations.
            let allowed = 5.0 * (probability * (1.0 - probability) / 200_000.0).sqrt() + 1.0 / 65_536.0;
            assert!((share - (1.0 - probability)).abs() < allowed, "{probability}: {share}");
            for &factor in stay {
                assert_eq!(factor, masks.factor(1));
                assert!((f64::from(factor) * (1.0 - probability) - 1.0).abs() < 1e-4 || probability > 0.99);
            }
        }
    }

    #[test]
    fn an_images_mask_depends_on_seed_layer_and_place_alone() {
        let dropout = Dropout { hidden: 0.5, input: 0.5 };
        let masks = dropout.masks(Some(5));
        let whole = factors(&masks, 1, 0..40, 33);
        assert_eq!(factors(&masks, 1, 16..40, 33), whole[16 * 33..]);
        for other in [factors(&masks, 0, 0..40, 33), factors(&masks, 2, 0..40, 33)] {
            assert_ne!(other, whole);
        }
        assert_ne!(factors(&dropout.masks(Some(6)), 1, 0..40, 33), whole);
        let rows: Vec<&[f32]> = whole.chunks(33).collect();
        assert!(rows.iter().enumerate().all(|(index, row)| !rows[..index].contains(row)));
    }
}
