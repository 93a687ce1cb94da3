//! The check of an export: what was written is read back, and both networks predict the same images.

use burn::tensor::Device;
use serde::Serialize;

use crate::data::Split;
use crate::error::{Error, Result};
use crate::evaluation::{Prediction, predict};
use crate::exchange::DenseNetwork;
use crate::model::{Mlp, weights_sha256};
use crate::pipeline::{EvalSet, LoadedModel, SplitName};

/// Largest difference between the probabilities of both networks.
const TOLERANCE: f64 = 1e-5;

/// Number of images whose predictions are in memory together.
const CHUNK: usize = 1000;

/// Comparison of an exported network with that of the run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExportCheck {
    /// The images that were compared: the test images, or the first others that there are.
    pub split: SplitName,
    /// Number of images.
    pub num_images: usize,
    /// Largest difference between two probabilities.
    pub max_difference: f64,
}

impl LoadedModel {
    /// Compares the networks that were read back with this one. The inner error is the reason why
    /// there are no images to compare on.
    ///
    /// # Errors
    /// No network, other weights, or other predictions.
    pub(super) fn compare_export(&self, read_back: &[DenseNetwork]) -> Result<Result<ExportCheck>> {
        let device = &self.handle.device;
        let expected = weights_sha256(&self.model)?;
        let models = read_back.iter().map(|network| {
            let model = network.to_model(device).map_err(not_read_back)?.with_engine(self.model.engine());
            let found = weights_sha256(&model)?;
            match found == expected {
                true => Ok(model),
                false => Err(differs(&format!("its weights have the digest {found}, expected {expected}"))),
            }
        });
        let models = models.collect::<Result<Vec<_>>>()?;
        if models.is_empty() {
            return Err(differs("no network was found in it"));
        }
        let eval_set = match self.images_to_compare() {
            Ok(eval_set) => eval_set,
            Err(reason) => return Ok(Err(reason)),
        };
        let mut check =
            ExportCheck { split: eval_set.name, num_images: eval_set.split.len(), max_difference: 0.0 };
        for model in &models {
            let difference = largest_difference(&self.model, model, &eval_set.split, device)?;
            check.max_difference = check.max_difference.max(difference);
        }
        Ok(Ok(check))
    }

    /// Loads the test images, or else the validation or training images.
    ///
    /// # Errors
    /// As those of the test images, if there are no others.
    fn images_to_compare(&self) -> Result<EvalSet> {
        let of_test = self.eval_set(SplitName::Test, None);
        let others = [SplitName::Validation, SplitName::Train].into_iter();
        match of_test {
            Ok(eval_set) => Ok(eval_set),
            Err(error) => others.map(|name| self.eval_set(name, None)).find_map(Result::ok).ok_or(error),
        }
    }
}

/// Returns the largest difference between probabilities of two networks on the images of `split`.
fn largest_difference(expected: &Mlp, found: &Mlp, split: &Split, device: &Device) -> Result<f64> {
    let mut largest = 0f64;
    let positions: Vec<u32> = (0..split.len() as u32).collect();
    for positions in positions.chunks(CHUNK) {
        let pairs = predict(expected, split, positions, device)?
            .into_iter()
            .zip(predict(found, split, positions, device)?);
        for (position, (expected, found)) in positions.iter().zip(pairs) {
            let difference = compare(&expected, &found)
                .map_err(|reason| differs(&format!("for image {position}, {reason}")))?;
            largest = largest.max(difference);
        }
    }
    Ok(largest)
}

/// Returns the largest difference between two predictions for one image, or what is different.
fn compare(expected: &Prediction, found: &Prediction) -> std::result::Result<f64, String> {
    let pairs = expected.probabilities().into_iter().zip(found.probabilities());
    let largest = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    if expected.class != found.class {
        return Err(format!("it predicts class {}, expected {}", found.class, expected.class));
    }
    match largest <= TOLERANCE {
        true => Ok(largest),
        false => Err(format!("a probability differs by {largest:e}, expected at most {TOLERANCE:e}")),
    }
}

/// Error of a file that is read back as another network than the one that was written.
fn differs(what: &str) -> Error {
    Error::new(format!("the exported network is not that of the run: {what}"))
        .hint("nothing was written; this is a bug of smallnet, please report it")
}

/// Error of a file that smallnet's own reader refuses.
pub(super) fn not_read_back(error: Error) -> Error {
    differs(&format!("it cannot be read back: {}", error.message())).with_source(error)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
