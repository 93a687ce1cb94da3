//! Owns the scaling of pixels in front of the first fully connected layer. Depends on `chain` and
//! `hdf5`. Must not know the layers behind it.

use serde_json::Value;

use crate::data::ValueRange;
use crate::error::{Error, Result};
use crate::exchange::DenseNetwork;
use crate::exchange::keras::chain::Layer;
use crate::exchange::keras::hdf5::Tensor;

/// Values of white at the input of networks: a share, the digits of scikit-learn, and the largest
/// numbers of 8 and 16 bits.
const WHITES: [f64; 4] = [1.0, 16.0, 255.0, 65535.0];

/// Smallest standard deviation that Keras divides by.
const EPSILON: f64 = 1e-7;

/// One layer that scales pixels.
#[derive(Debug, Clone, PartialEq)]
enum Part {
    Rescale { scale: f64, offset: f64 },
    Normalize { axes: Vec<usize>, shape: Vec<usize>, means: Vec<f64>, deviations: Vec<f64> },
}

/// The layers that scale pixels, first to last.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Scaling {
    parts: Vec<Part>,
    /// Value of a white pixel at the input. It follows from the first part.
    white: f64,
}

impl Scaling {
    /// Adds `x · scale + offset`.
    ///
    /// # Errors
    /// The first factor of a chain that does not say which pixel values the network takes.
    pub(super) fn rescale(&mut self, layer: &Layer, scale: f64, offset: f64) -> Result<()> {
        if self.parts.is_empty() {
            // The range of white pixels is 0 to 1 or -1 to 1.
            let is_near = |value: f64, width: f64| (value - width).abs() <= 0.01 * width;
            let fits = |white: f64| is_near(white * scale.abs(), 1.0) || is_near(white * scale.abs(), 2.0);
            self.white = WHITES.into_iter().find(|&white| fits(white)).ok_or_else(|| unknown_range(layer))?;
        }
        self.parts.push(Part::Rescale { scale, offset });
        Ok(())
    }

    /// Adds `(x - mean) / deviation` of a `Normalization` layer whose input has `shape`. Means and
    /// variances are among its settings, or else its first two arrays.
    ///
    /// # Errors
    /// Means or variances that are missing or do not fit the shape, or pixel values that smallnet
    /// cannot tell.
    pub(super) fn normalize(&mut self, layer: &Layer, shape: &[usize], arrays: &[Tensor]) -> Result<()> {
        let axes = axes(layer, shape.len())?;
        let number = axes.iter().try_fold(1_usize, |product, &axis| product.checked_mul(*shape.get(axis)?));
        let values = |key: &str, index: usize| {
            let values = match layer.setting(key) {
                Some(value) => numbers(value),
                None => arrays.get(index).map(|array| array.values.iter().map(|&x| f64::from(x)).collect()),
            };
            let fits = |values: &Vec<f64>| values.len() == 1 || Some(values.len()) == number;
            values
                .filter(fits)
                .ok_or_else(|| layer.unsupported(&format!("has no `{key}` that fits its input {shape:?}")))
        };
        let (means, variances) = (values("mean", 0)?, values("variance", 1)?);
        let deviations: Vec<f64> = variances.iter().map(|variance| variance.sqrt().max(EPSILON)).collect();
        if self.parts.is_empty() {
            // Numbers from 0 to `white` have means in this range and deviations up to half of it.
            let fits = |white: f64| {
                means.iter().all(|mean| (0.0..=white).contains(mean))
                    && deviations.iter().all(|&deviation| deviation <= 0.51 * white)
            };
            self.white =
                [1.0, 255.0].into_iter().find(|&white| fits(white)).ok_or_else(|| unknown_range(layer))?;
        }
        self.parts.push(Part::Normalize { axes, shape: shape.to_vec(), means, deviations });
        Ok(())
    }

    /// Folds the scaling into the first layer of `network`, which then takes pixels from 0 to 1, and
    /// notes the range of the file's pixels.
    pub(super) fn fold_into(&self, network: &mut DenseNetwork) {
        if self.parts.is_empty() {
            return;
        }
        let number = network.num_inputs();
        let (mut factors, mut offsets) = (vec![self.white; number], vec![0.0; number]);
        for part in &self.parts {
            for (pixel, (factor, offset)) in factors.iter_mut().zip(&mut offsets).enumerate() {
                let (scale, shift) = part.at(pixel);
                *factor *= scale;
                *offset = *offset * scale + shift;
            }
        }
        network.fold_scaling(&factors, &offsets);
        network.metadata.value_range = Some(ValueRange { black: 0.0, white: self.white });
    }
}

impl Part {
    /// Factor and offset of one pixel.
    fn at(&self, pixel: usize) -> (f64, f64) {
        match self {
            Self::Rescale { scale, offset } => (*scale, *offset),
            Self::Normalize { axes, shape, means, deviations } => {
                let index = kept_index(pixel, shape, axes);
                let pick = |values: &[f64]| values.get(index).or(values.first()).copied().unwrap_or_default();
                let (mean, deviation) = (pick(means), pick(deviations).max(EPSILON));
                (1.0 / deviation, -mean / deviation)
            }
        }
    }
}

/// Index of a pixel among the numbers of the dimensions `axes` of `shape`, both row-major.
fn kept_index(pixel: usize, shape: &[usize], axes: &[usize]) -> usize {
    let (mut rest, mut index, mut stride) = (pixel, 0, 1);
    for (axis, &size) in shape.iter().enumerate().rev() {
        let size = size.max(1);
        if axes.contains(&axis) {
            index += rest % size * stride;
            stride *= size;
        }
        rest /= size;
    }
    index
}

/// Dimensions of the input, without the batch, that have a mean each.
fn axes(layer: &Layer, num_dims: usize) -> Result<Vec<usize>> {
    let axes = match layer.config.get("axis") {
        None => vec![-1],
        Some(Value::Null) => Vec::new(),
        Some(Value::Array(axes)) => axes.iter().filter_map(Value::as_i64).collect(),
        Some(axis) => axis.as_i64().into_iter().collect(),
    };
    let dims = i64::try_from(num_dims).unwrap_or(i64::MAX);
    // Dimension 0 is the batch.
    let dim = |axis: i64| if axis < 0 { axis.checked_add(dims) } else { axis.checked_sub(1) };
    let in_range =
        |axis: i64| dim(axis).filter(|dim| (0..dims).contains(dim)).and_then(|dim| usize::try_from(dim).ok());
    let axes = axes.into_iter().map(in_range).collect::<Option<Vec<usize>>>();
    axes.ok_or_else(|| layer.unsupported("has an `axis` that its input does not have"))
}

/// All numbers of nested lists. `None` if something else is among them.
fn numbers(value: &Value) -> Option<Vec<f64>> {
    match value {
        Value::Array(items) => Some(items.iter().map(numbers).collect::<Option<Vec<_>>>()?.concat()),
        Value::Object(map) => numbers(map.get("config")?.get("value")?),
        value => Some(vec![value.as_f64()?]),
    }
}

fn unknown_range(layer: &Layer) -> Error {
    layer.unsupported("does not say which pixel values the network takes").hint(
        "smallnet knows a Rescaling by 1/255 or 1/127.5, and a Normalization of pixels from 0 to 1 or from 0 to 255",
    )
}
