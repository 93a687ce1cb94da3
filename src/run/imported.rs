//! Owns the record of a network that was imported from a file: where it is from, and what the user
//! said about it. Depends on `data` and `model`. Must not know how a file is read.

use serde::{Deserialize, Serialize};

use crate::data::ValueRange;
use crate::error::{Error, Result};
use crate::model::Activation;

/// The file that the network of a run is from. smallnet did not train such a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportedNetwork {
    /// The path of the file.
    pub file: String,
    /// The SHA-256 of the file in hex.
    pub sha256: String,
    /// The format: `ONNX`, `safetensors`, `PyTorch` or `Keras`.
    pub format: String,
    /// The activation that the user stated. `None` if the file states it, or has no hidden layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activation: Option<Activation>,
    /// The layout of weights that the user stated, `burn` or `pytorch`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<String>,
    /// Scaling of the pixels that the file's network takes in place of pixels from 0 to 1. It is
    /// part of the first layer since the import.
    #[serde(flatten)]
    pub scaling: PixelScaling,
}

impl ImportedNetwork {
    /// Returns the name of the file without its folder.
    pub fn file_name(&self) -> &str {
        self.file.rsplit(['/', '\\']).next().unwrap_or(&self.file)
    }

    /// Describes where the network is from: ``imported from `model.pt` (PyTorch)``.
    pub fn describe(&self) -> String {
        format!("imported from `{}` ({})", self.file_name(), self.format)
    }
}

/// The preprocessing that another program does outside its network, as the user states it. A pixel
/// x in [0, 1] becomes (black + x · (white − black) − `mean`) / `std`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct PixelScaling {
    /// The values that the network takes for black and white pixels before `mean` and `std`.
    #[serde(rename = "pixels", default, skip_serializing_if = "Option::is_none")]
    pub value_range: Option<ValueRange>,
    /// Number that is subtracted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// Number that divides the difference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub std: Option<f64>,
}

impl PixelScaling {
    /// Checks the numbers.
    ///
    /// # Errors
    /// A number that is not finite, a range from a number to itself, or a `std` that is not positive.
    pub fn check(&self) -> Result<()> {
        let ValueRange { black, white } = self.value_range.unwrap_or(UNIT);
        let (mean, std) = (self.mean.unwrap_or(0.0), self.std.unwrap_or(1.0));
        if ![black, white, mean, std].iter().all(|number| number.is_finite()) {
            return Err(Error::usage("`--value-range`, `--mean` and `--std` take finite numbers"));
        }
        if black == white {
            return Err(Error::usage(format!(
                "`--value-range` is {black},{white}, expected two different numbers, those of black and white pixels"
            )));
        }
        match std > 0.0 {
            true => Ok(()),
            false => Err(Error::usage(format!("`--std` is {std}, expected a number above 0"))),
        }
    }

    /// Returns whether the network takes pixels from 0 to 1 as they are.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Returns `factor` and `offset`: the network takes `factor` · x + `offset` for a pixel x in
    /// [0, 1].
    pub(crate) fn factor_and_offset(&self) -> (f64, f64) {
        let ValueRange { black, white } = self.value_range.unwrap_or(UNIT);
        let (mean, std) = (self.mean.unwrap_or(0.0), self.std.unwrap_or(1.0));
        ((white - black) / std, (black - mean) / std)
    }

    /// Describes the scaling: `pixels from 0 to 255, mean 0.1307, std 0.3081`.
    pub fn describe(&self) -> String {
        let range =
            self.value_range.map(|ValueRange { black, white }| format!("pixels from {black} to {white}"));
        let mean = self.mean.map(|mean| format!("mean {mean}"));
        let std = self.std.map(|std| format!("std {std}"));
        range.into_iter().chain(mean).chain(std).collect::<Vec<_>>().join(", ")
    }
}

/// Range of the pixels that smallnet's networks take.
const UNIT: ValueRange = ValueRange { black: 0.0, white: 1.0 };

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
