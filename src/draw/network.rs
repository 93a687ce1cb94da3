//! Owns the numbers of the network in the page: their precision, and the check that it changes no
//! answer. Depends on `exchange` and `evaluation`. Must not know the page.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;

use crate::data::Split;
use crate::error::Result;
use crate::evaluation::{Prediction, predict};
use crate::exchange::{DenseLayer, DenseNetwork};
use crate::model::Mlp;
use crate::pipeline::{EvalSet, LoadedModel, SplitName};

/// Largest change of a probability by weights of 16 bits. The page states the same probabilities as
/// `predict`, to within this.
const TOLERANCE: f64 = 1e-4;

/// Number of images whose predictions are computed together.
const CHUNK: usize = 1000;

/// Largest of the whole numbers of 16 bits that weights become.
const LARGEST: f32 = i16::MAX as f32;

/// Number of bits per weight of hidden layers. The last layer has 32 in any case: it is small, and its
/// rounding would go into the probabilities undamped.
///
/// A weight of 16 bits is a whole number of steps, of which the largest weight of its neuron has
/// 32,767. Floating-point numbers of 16 bits are less exact here: they spend bits on the range of
/// their exponents, and changed the probabilities of `hidden.toml` seven times as much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeightBits {
    /// Half the size.
    Sixteen,
    /// Single precision.
    ThirtyTwo,
}

impl WeightBits {
    /// Returns the number.
    pub fn number(self) -> u32 {
        match self {
            Self::Sixteen => 16,
            Self::ThirtyTwo => 32,
        }
    }
}

/// Comparison of the network with the one whose hidden layers have 16 bits per weight.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The images that were compared: the test images, or else the first others that there are.
    pub split: SplitName,
    /// Number of images.
    pub num_images: usize,
    /// Number of images with another answer.
    pub num_changed: usize,
    /// Largest difference of a probability.
    pub max_difference: f64,
}

impl Comparison {
    /// Returns whether 16 bits change no answer and hardly any probability.
    pub fn allows_rounding(&self) -> bool {
        self.num_changed == 0 && self.max_difference <= TOLERANCE
    }
}

/// A network as the page holds it, and its predictions for the test images.
pub(super) struct Weights {
    network: DenseNetwork,
    bits: WeightBits,
    comparison: Option<Comparison>,
    predictions: Vec<Prediction>,
}

/// One layer in the page. Numbers are little-endian, in base64.
#[derive(Debug, Serialize)]
pub(super) struct PageLayer {
    inputs: usize,
    outputs: usize,
    /// `[inputs, outputs]`, row-major: single precision, or whole numbers of 16 bits.
    weights: String,
    /// Step of each output's whole numbers, in single precision.
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<String>,
    /// Single precision.
    biases: String,
}

impl Weights {
    /// Chooses the bits per weight of `network`, which is that of `saved`, by the images of `test`, or else by
    /// the run's other images.
    ///
    /// # Errors
    /// A device that fails.
    pub(super) fn new(saved: &LoadedModel, network: &DenseNetwork, test: Option<&EvalSet>) -> Result<Self> {
        let mut weights = Self {
            network: network.clone(),
            bits: WeightBits::ThirtyTwo,
            comparison: None,
            predictions: Vec::new(),
        };
        if let Some(test) = test {
            weights.predictions = predictions(saved, &saved.model, &test.split)?;
        }
        if network.layers.len() < 2 {
            return Ok(weights);
        }
        let Some(rounded) = rounded(network) else { return Ok(weights) };
        let model = rounded.to_model(&saved.handle.device)?.with_engine(saved.model.engine());
        let others = [SplitName::Validation, SplitName::Train].into_iter();
        let other = match test {
            Some(_) => None,
            None => others.map(|name| saved.eval_set(name, None)).find_map(Result::ok),
        };
        let Some(images) = test.or(other.as_ref()) else { return Ok(weights) };
        let own = match test {
            Some(_) => weights.predictions.clone(),
            None => predictions(saved, &saved.model, &images.split)?,
        };
        let comparison = compare(images.name, &own, &predictions(saved, &model, &images.split)?);
        if comparison.allows_rounding() {
            (weights.network, weights.bits) = (rounded, WeightBits::Sixteen);
        }
        weights.comparison = Some(comparison);
        Ok(weights)
    }

    pub(super) fn bits(&self) -> WeightBits {
        self.bits
    }

    pub(super) fn comparison(&self) -> Option<&Comparison> {
        self.comparison.as_ref()
    }

    /// The predictions for the test images, in their order.
    pub(super) fn predictions(&self) -> &[Prediction] {
        &self.predictions
    }

    /// The layers, first to last.
    pub(super) fn layers(&self) -> Vec<PageLayer> {
        let last = self.network.layers.len().saturating_sub(1);
        let is_rounded = |index: usize| index < last && self.bits == WeightBits::Sixteen;
        let layers = self.network.layers.iter().enumerate();
        layers.map(|(index, layer)| encode(layer, is_rounded(index))).collect()
    }
}

/// Predicts all images of a split. `model` is on the device of `saved`.
fn predictions(saved: &LoadedModel, model: &Mlp, split: &Split) -> Result<Vec<Prediction>> {
    let positions: Vec<u32> = (0..split.len() as u32).collect();
    let mut all = Vec::with_capacity(positions.len());
    for positions in positions.chunks(CHUNK) {
        all.extend(predict(model, split, positions, &saved.handle.device)?);
    }
    Ok(all)
}

/// Rounds the weights of all layers but the last one. `None` if one is not finite.
fn rounded(network: &DenseNetwork) -> Option<DenseNetwork> {
    let mut rounded = network.clone();
    let num_hidden = rounded.layers.len().saturating_sub(1);
    for layer in rounded.layers.iter_mut().take(num_hidden) {
        if !layer.weights.iter().all(|weight| weight.is_finite()) {
            return None;
        }
        let steps = steps(layer);
        for row in layer.weights.chunks_mut(layer.outputs.max(1)) {
            row.iter_mut()
                .zip(&steps)
                .for_each(|(weight, &step)| *weight = count(*weight, step) as f32 * step);
        }
    }
    Some(rounded)
}

/// Returns the step of each neuron's weights.
fn steps(layer: &DenseLayer) -> Vec<f32> {
    let mut largest = vec![0f32; layer.outputs];
    for row in layer.weights.chunks(layer.outputs.max(1)) {
        largest.iter_mut().zip(row).for_each(|(largest, weight)| *largest = largest.max(weight.abs()));
    }
    largest.into_iter().map(|largest| largest / LARGEST).collect()
}

/// Number of steps that a weight has.
fn count(weight: f32, step: f32) -> i16 {
    // Without any step, the quotient is no number, and becomes 0.
    (weight / step).round() as i16
}

/// Compares the predictions of two networks for the same images.
fn compare(split: SplitName, own: &[Prediction], other: &[Prediction]) -> Comparison {
    let pairs = || own.iter().zip(other);
    let difference = |(own, other): (&Prediction, &Prediction)| {
        let pairs = own.probabilities().into_iter().zip(other.probabilities());
        pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    };
    Comparison {
        split,
        num_images: own.len(),
        num_changed: pairs().filter(|(own, other)| own.class != other.class).count(),
        max_difference: pairs().map(difference).fold(0.0, f64::max),
    }
}

fn encode(layer: &DenseLayer, is_rounded: bool) -> PageLayer {
    let single = |numbers: &[f32]| -> String {
        BASE64_STANDARD.encode(numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>())
    };
    let steps = if is_rounded { steps(layer) } else { Vec::new() };
    let counts = layer.weights.iter().zip(steps.iter().cycle());
    let counts: Vec<u8> = counts.flat_map(|(&weight, &step)| count(weight, step).to_le_bytes()).collect();
    PageLayer {
        inputs: layer.inputs,
        outputs: layer.outputs,
        weights: if is_rounded { BASE64_STANDARD.encode(counts) } else { single(&layer.weights) },
        steps: is_rounded.then(|| single(&steps)),
        biases: single(&layer.biases),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
