//! Owns the way from Keras' files to a network. Depends on `chain`, `layers`, `scaling` and
//! `weights`. Must not know bytes.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::error::{Error, Result};
use crate::exchange::keras::archive;
use crate::exchange::keras::chain::{self, Layer};
use crate::exchange::keras::hdf5::{self, Hdf5, Tensor};
use crate::exchange::keras::layers::{self, Function, Step};
use crate::exchange::keras::scaling::Scaling;
use crate::exchange::keras::weights::Weights;
use crate::exchange::keras::{CONFIG, METADATA, SMALLNET, WEIGHTS};
use crate::exchange::{DenseLayer, DenseNetwork, ModelMetadata};
use crate::model::Activation;

/// Reads a `.keras` file, or a whole model in HDF5.
///
/// Scaling layers are folded into the first layer, so the network takes pixels from 0 to 1. The
/// memory that is used is at most 16 times the size of the file and some megabytes.
///
/// # Errors
/// A damaged file, a layer that no dense network has, or different activations.
pub fn read(bytes: &[u8]) -> Result<DenseNetwork> {
    let (config, weights, metadata) = if archive::is_archive(bytes) {
        let config = archive::unpack(bytes, CONFIG)?.ok_or_else(|| missing(CONFIG))?;
        let weights = archive::unpack(bytes, WEIGHTS)?.ok_or_else(|| missing(WEIGHTS))?;
        let facts = archive::unpack(bytes, METADATA)?.unwrap_or_default();
        (json(&config)?, Weights::of_archive(weights)?, metadata(&facts))
    } else if hdf5::is_hdf5(bytes) {
        let file = Hdf5::open(bytes.to_vec())?;
        let config = file.texts("", "model_config").and_then(|texts| texts.into_iter().next());
        let config = config.ok_or_else(|| {
            Error::unsupported(
                "the file has weights alone, without the layers that they belong to".to_owned(),
            )
            .hint("save the whole model in Keras: `model.save(\"model.keras\")`")
        })?;
        (json(config.as_bytes())?, Weights::of_whole_model(file), ModelMetadata::default())
    } else {
        return Err(Error::unsupported("the file is neither a `.keras` file nor HDF5".to_owned()));
    };
    let mut network = network(&config, &weights)?;
    network.metadata = ModelMetadata {
        image_size: network.metadata.image_size.or(metadata.image_size),
        value_range: network.metadata.value_range.or(metadata.value_range),
        ..metadata
    };
    network.check()?;
    Ok(network)
}

fn missing(name: &str) -> Error {
    Error::unsupported(format!("the archive has no `{name}`, expected a `.keras` file"))
        .hint("save the whole model in Keras: `model.save(\"model.keras\")`")
}

fn json(bytes: &[u8]) -> Result<Value> {
    serde_json::from_slice(bytes).map_err(|error| {
        Error::corrupt(format!("the description of the layers is damaged: {error}")).with_source(error)
    })
}

/// Reads the facts of a file that smallnet wrote. Other files have none.
fn metadata(bytes: &[u8]) -> ModelMetadata {
    let texts = serde_json::from_slice::<Value>(bytes).ok().and_then(|facts| {
        serde_json::from_value::<BTreeMap<String, String>>(facts.get(SMALLNET)?.clone()).ok()
    });
    texts.map(|texts| ModelMetadata::from_texts(&texts)).unwrap_or_default()
}

/// A network that grows layer by layer.
struct Builder<'a> {
    weights: &'a Weights,
    /// Shape of the present layer's input, without the batch, if it is known.
    shape: Option<Vec<usize>>,
    scaling: Scaling,
    layers: Vec<DenseLayer>,
    /// The description and the function of each of `layers`.
    functions: Vec<(&'a Layer, Function)>,
}

fn network(config: &Value, weights: &Weights) -> Result<DenseNetwork> {
    let chain = chain::read(config)?;
    let image_size = image_size(chain.input_shape.as_deref())?;
    let mut builder = Builder {
        weights,
        shape: chain.input_shape,
        scaling: Scaling::default(),
        layers: Vec::new(),
        functions: Vec::new(),
    };
    for layer in &chain.layers {
        builder.add(layer)?;
    }
    let activation = builder.activation()?;
    let metadata = ModelMetadata { image_size, ..ModelMetadata::default() };
    let mut network = DenseNetwork { layers: builder.layers, activation, metadata };
    builder.scaling.fold_into(&mut network);
    Ok(network)
}

/// Height and width of the images that a network takes. `None` if its input is one row, or unknown.
fn image_size(shape: Option<&[usize]>) -> Result<Option<(usize, usize)>> {
    match shape {
        None | Some([_]) => Ok(None),
        Some(&[height, width] | &[height, width, 1] | &[1, height, width]) => Ok(Some((height, width))),
        Some(shape) => Err(Error::unsupported(format!(
            "the network takes inputs of the shape {shape:?}, expected grey images or rows of pixels"
        ))),
    }
}

impl<'a> Builder<'a> {
    fn add(&mut self, layer: &'a Layer) -> Result<()> {
        match layers::step(layer)? {
            Step::Nothing => Ok(()),
            Step::Flatten => {
                let size = self.shape.as_deref().map(|shape| size(layer, shape)).transpose()?;
                self.shape = size.map(|size| vec![size]);
                Ok(())
            }
            Step::Reshape(target) => self.reshape(layer, &target),
            Step::Rescale { scale, offset } => {
                self.check_in_front(layer)?;
                self.scaling.rescale(layer, scale, offset)
            }
            Step::Normalize => self.normalize(layer),
            Step::Dense { units, has_bias, function } => self.dense(layer, units, has_bias, function),
            Step::Apply(function) => self.apply(layer, function),
        }
    }

    /// Checks that no fully connected layer comes before a scaling.
    fn check_in_front(&self, layer: &Layer) -> Result<()> {
        match self.layers.is_empty() {
            true => Ok(()),
            false => Err(layer
                .unsupported("scales numbers behind a `Dense` layer, expected a scaling of pixels alone")),
        }
    }

    fn reshape(&mut self, layer: &Layer, target: &[i64]) -> Result<()> {
        let Some(shape) = &self.shape else {
            return Err(layer.unsupported("has an input of unknown size"));
        };
        let total = size(layer, shape)?;
        let wrong = || layer.unsupported(&format!("makes {target:?} of {shape:?}, which has another size"));
        let known = target.iter().filter(|&&size| size != -1);
        let known =
            known.map(|&size| usize::try_from(size).ok()).collect::<Option<Vec<_>>>().ok_or_else(wrong)?;
        let product = self::size(layer, &known)?;
        let open = match target.len() - known.len() {
            0 if product == total => 1,
            1 if product > 0 && total % product == 0 => total / product,
            _ => return Err(wrong()),
        };
        self.shape = Some(target.iter().map(|&size| usize::try_from(size).unwrap_or(open)).collect());
        Ok(())
    }

    fn normalize(&mut self, layer: &Layer) -> Result<()> {
        self.check_in_front(layer)?;
        let Some(shape) = &self.shape else {
            return Err(layer.unsupported("has an input of unknown size"));
        };
        let arrays = self.weights.of_layer(layer, 2)?;
        self.scaling.normalize(layer, shape, &arrays)
    }

    fn dense(&mut self, layer: &'a Layer, units: usize, has_bias: bool, function: Function) -> Result<()> {
        if let Some(shape) = self.shape.as_ref().filter(|shape| shape.len() != 1) {
            let what =
                format!("has an input of the shape {shape:?}, expected one row: a `Flatten` is missing");
            return Err(layer.unsupported(&what));
        }
        let mut arrays = self.weights.of_layer(layer, 2)?.into_iter();
        let (kernel, bias) = (arrays.next(), arrays.next());
        let damaged = |what: String| Error::corrupt(format!("the layer `{}` (Dense) has {what}", layer.name));
        let Some(Tensor { shape, values, .. }) = kernel else {
            return Err(damaged("no weights in the file".to_owned()));
        };
        let [inputs, outputs] = shape[..] else {
            return Err(damaged(format!("weights of the shape {shape:?}, expected two dimensions")));
        };
        if outputs != units || self.shape.as_ref().is_some_and(|shape| *shape != [inputs]) {
            let expected = self.shape.as_ref().map_or(inputs, |shape| shape.iter().product());
            return Err(damaged(format!("weights of the shape {shape:?}, expected [{expected}, {units}]")));
        }
        let biases = match (has_bias, bias) {
            (false, _) => vec![0.0; outputs],
            (true, Some(bias)) => bias.values,
            (true, None) => return Err(damaged("no biases in the file".to_owned())),
        };
        self.layers.push(DenseLayer { name: layer.name.clone(), inputs, outputs, weights: values, biases });
        self.functions.push((layer, function));
        self.shape = Some(vec![outputs]);
        Ok(())
    }

    /// Notes a function that is a layer of its own.
    fn apply(&mut self, layer: &Layer, function: Function) -> Result<()> {
        match self.functions.last_mut() {
            _ if function == Function::Linear => Ok(()),
            Some((_, last @ Function::Linear)) => {
                *last = function;
                Ok(())
            }
            Some((dense, _)) => {
                Err(layer.unsupported(&format!("is the second function after `{}`", dense.name)))
            }
            None => Err(layer.unsupported("is a function of pixels, expected a `Dense` layer before it")),
        }
    }

    /// Returns the activation of all hidden layers.
    fn activation(&self) -> Result<Option<Activation>> {
        let Some(((last, function), hidden)) = self.functions.split_last() else { return Ok(None) };
        if let Function::Hidden(activation) = function {
            let what = format!("is the last one and has the activation `{}`", activation.key());
            return Err(last
                .unsupported(&what)
                .hint("smallnet's networks end with a softmax, or with its logits"));
        }
        let mut common = None;
        for (layer, function) in hidden {
            let Function::Hidden(activation) = function else {
                let found = if *function == Function::Softmax { "a softmax" } else { "no activation" };
                return Err(layer.unsupported(&format!("is a hidden layer with {found}")));
            };
            match common {
                Some(before) if before != *activation => {
                    return Err(layer
                        .unsupported(&format!(
                            "has the activation {activation:?}, and the layer before it {before:?}"
                        ))
                        .hint("smallnet's networks have one activation after all hidden layers"));
                }
                _ => common = Some(*activation),
            }
        }
        Ok(common)
    }
}

/// Product of the sizes of a shape.
fn size(layer: &Layer, shape: &[usize]) -> Result<usize> {
    let size = shape.iter().try_fold(1_usize, |product, &size| product.checked_mul(size));
    size.ok_or_else(|| layer.unsupported(&format!("has the shape {shape:?}, which is too large")))
}
