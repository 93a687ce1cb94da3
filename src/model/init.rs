//! Owns the distributions of initial weights. The weights are drawn on the CPU, so every backend
//! starts from the same ones. Depends on `util::rng`.

use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use crate::util::rng::{RngStream, rng};

/// Distribution of the initial weights of a layer with `fan_in` inputs and `fan_out` outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Initializer {
    /// Uniform within ±√(6 / (fan_in + fan_out)): Keras' default (Glorot and Bengio 2010).
    GlorotUniform,
    /// Truncated normal of variance 2 / (fan_in + fan_out), as in Keras.
    GlorotNormal,
    /// Uniform within ±√(6 / fan_in), for ReLU (He et al. 2015).
    HeUniform,
    /// Truncated normal of variance 2 / fan_in, as in Keras.
    HeNormal,
    /// All zero. This is sensible only without hidden layers: neurons that start alike stay alike.
    Zeros,
}

/// Standard deviation of a standard normal distribution that is cut off at ±2. Draws are divided by
/// it, as in Keras, so that the cut does not reduce their variance.
const TRUNCATED_STD: f64 = 0.879_625_661_034_239_8;

impl Initializer {
    /// Draws the weights of one layer, row-major `[fan_in, fan_out]`. They depend on `seed` and on
    /// the index `layer`, counted from 0.
    pub fn draw(self, fan_in: usize, fan_out: usize, seed: u64, layer: u64) -> Vec<f32> {
        let mut rng = rng(seed, RngStream::Weights, layer);
        let (inputs, both) = (fan_in as f64, (fan_in + fan_out) as f64);
        let mut fill = |mut draw: Box<dyn FnMut(&mut _) -> f64>| -> Vec<f32> {
            (0..fan_in * fan_out).map(|_| draw(&mut rng) as f32).collect()
        };
        match self {
            Self::GlorotUniform => fill(uniform((6.0 / both).sqrt())),
            Self::GlorotNormal => fill(truncated_normal((2.0 / both).sqrt())),
            Self::HeUniform => fill(uniform((6.0 / inputs).sqrt())),
            Self::HeNormal => fill(truncated_normal((2.0 / inputs).sqrt())),
            Self::Zeros => vec![0.0; fan_in * fan_out],
        }
    }
}

/// Returns a function that draws uniformly within ±`limit`.
fn uniform<R: rand::Rng>(limit: f64) -> Box<dyn FnMut(&mut R) -> f64> {
    Box::new(move |rng| (2.0 * rng.random::<f64>() - 1.0) * limit)
}

/// Returns a function that draws from a normal distribution that is cut off at ±2 standard
/// deviations and then scaled to the standard deviation `std`.
fn truncated_normal<R: rand::Rng>(std: f64) -> Box<dyn FnMut(&mut R) -> f64> {
    Box::new(move |rng| {
        loop {
            let z: f64 = StandardNormal.sample(rng);
            if z.abs() <= 2.0 {
                return z * std / TRUNCATED_STD;
            }
        }
    })
}

#[cfg(test)]
mod tests;
