//! Owns reading an ONNX file as a dense network: the walk through the graph, and the network at its
//! end. Depends on operators and values. Must not know how a file is written.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use prost::Message;

use crate::error::{Error, Result};
use crate::exchange::onnx::formula::Formula;
use crate::exchange::onnx::limits;
use crate::exchange::onnx::proto::{
    Dimension, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, ValueInfoProto, data_type,
};
use crate::exchange::onnx::tensor::Constant;
use crate::exchange::onnx::value::{Computed, Layer, Stage, Value, describe, quoted};
use crate::exchange::{DenseLayer, DenseNetwork, ModelMetadata};
use crate::model::Activation;

/// Networks that smallnet takes, for hints.
pub(super) const EXPECTED: &str = "smallnet reads networks of fully connected layers: Flatten or Reshape, Gemm or MatMul \
     and Add, one of its activations after each hidden layer, and a Softmax or nothing at the end";

/// Reads a dense network from an ONNX file.
///
/// The network takes pixels in [0, 1]. A scaling in front of the first layer is folded into it. So is
/// the division of bytes: if the input of the graph has whole numbers, they are bytes from 0 to 255.
/// If it has floating-point numbers, their range is not in the file. They are from 0 to 255 if the
/// graph makes them at least fifty times smaller first, and from 0 to 1 elsewhere.
///
/// Nodes after the softmax or the logits are left out, such as the labels of scikit-learn.
///
/// # Errors
/// Bytes that are no ONNX file, or a graph that is no dense network. The message names the node.
pub fn read(bytes: &[u8]) -> Result<DenseNetwork> {
    limits::check(bytes)?;
    let model = ModelProto::decode(bytes).map_err(|error| limits::damaged(&error))?;
    let Some(graph) = model.graph.filter(|graph| !graph.node.is_empty()) else {
        return Err(Error::corrupt("it is not an ONNX file: it has no graph with nodes".to_owned()));
    };
    let texts = model.metadata_props.into_iter().map(|entry| (entry.key, entry.value)).collect();
    let mut reader = Graph::new(&model.opset_import, bytes.len());
    reader.add_constants(&graph)?;
    reader.add_images(&graph)?;
    graph.node.iter().try_for_each(|node| reader.take(node))?;
    let end = reader.end(&graph)?;
    reader.network(end, &texts)
}

/// Everything that is known about a graph while its nodes are taken one by one.
pub(super) struct Graph {
    /// Version of ONNX's own operators.
    pub(super) opset: i64,
    values: HashMap<String, Value>,
    pub(super) stages: Vec<Stage>,
    /// Names of the classes that a node after the logits has.
    pub(super) class_names: Vec<String>,
    /// Numbers that computed constants may still have, all together. A small file must not make
    /// large ones.
    allowance: usize,
    /// Dimensions of one image, if they are known.
    image_dims: Option<Rc<Vec<usize>>>,
    takes_whole_numbers: bool,
}

impl Graph {
    fn new(opsets: &[OperatorSetIdProto], num_bytes: usize) -> Self {
        let is_own = |opset: &&OperatorSetIdProto| matches!(opset.domain.as_str(), "" | "ai.onnx");
        Self {
            opset: opsets.iter().find(is_own).map_or(1, |opset| opset.version),
            values: HashMap::new(),
            stages: Vec::new(),
            class_names: Vec::new(),
            allowance: num_bytes.saturating_mul(4),
            image_dims: None,
            takes_whole_numbers: false,
        }
    }

    /// Counts numbers that are made of constants.
    ///
    /// # Errors
    /// More numbers than belong to a file of this size.
    pub(super) fn charge(&mut self, numbers: usize) -> Result<()> {
        self.allowance = self.allowance.checked_sub(numbers).ok_or_else(|| {
            Error::unsupported("the graph makes far more constant numbers than the file has".to_owned())
        })?;
        Ok(())
    }

    fn add_constants(&mut self, graph: &GraphProto) -> Result<()> {
        for tensor in &graph.initializer {
            let value = Value::from(Constant::read(tensor, &tensor.name)?);
            self.values.insert(tensor.name.clone(), value);
        }
        Ok(())
    }

    /// Finds the input of the graph that has the images.
    fn add_images(&mut self, graph: &GraphProto) -> Result<()> {
        // Old files list their constants as inputs, too.
        let inputs: Vec<_> =
            graph.input.iter().filter(|input| !self.values.contains_key(&input.name)).collect();
        let [input] = inputs[..] else {
            let names: Vec<_> = inputs.iter().take(10).map(|input| quoted(&input.name)).collect();
            return Err(Error::unsupported(format!(
                "the graph has {} inputs ({}), expected one: the images",
                inputs.len(),
                names.join(", ")
            )));
        };
        self.takes_whole_numbers = is_whole(input)?;
        self.image_dims = image_dims(input)?;
        self.stages.push(Stage {
            factors: Rc::new(vec![1.0]),
            offsets: Rc::new(vec![0.0]),
            layer: None,
            is_whole: self.takes_whole_numbers,
        });
        let images = Computed {
            stage: 0,
            formula: Formula::IDENTITY,
            dims: self.image_dims.clone(),
            node: format!("input {}", quoted(&input.name)).into(),
        };
        self.values.insert(input.name.clone(), Value::Computed(images));
        Ok(())
    }

    /// Takes the next node.
    fn take(&mut self, node: &NodeProto) -> Result<()> {
        let value = |name: &String| match self.values.get(name) {
            _ if name.is_empty() => Ok(None),
            Some(value) => Ok(Some(value.clone())),
            None => Err(Error::corrupt(format!(
                "the {} and takes {}, which no node before it makes",
                describe(node),
                quoted(name)
            ))),
        };
        let inputs = node.input.iter().map(value).collect::<Result<Vec<_>>>()?;
        let mut outputs = self.evaluate(node, &inputs)?.into_iter();
        for name in node.output.iter().filter(|name| !name.is_empty()) {
            self.values.insert(name.clone(), outputs.next().unwrap_or(Value::Unknown));
        }
        Ok(())
    }

    /// Returns the stage of the logits.
    fn end(&mut self, graph: &GraphProto) -> Result<usize> {
        let outputs: Vec<_> =
            graph.output.iter().filter_map(|output| self.values.get(&output.name)).collect();
        let after_logits = outputs.iter().filter_map(|value| match value {
            Value::AfterLogits(stage) => Some(*stage),
            _ => None,
        });
        let mut ends: Vec<_> = after_logits.collect();
        if ends.is_empty() {
            let computed = outputs.iter().filter_map(|value| match value {
                Value::Computed(computed) => Some(computed.clone()),
                _ => None,
            });
            let computed: Vec<_> = computed.collect();
            ends = computed.iter().map(|computed| self.logits(computed)).collect::<Result<_>>()?;
        }
        ends.dedup();
        match ends[..] {
            [stage] => Ok(stage),
            [] => {
                Err(Error::unsupported("no output of the graph depends on the images".to_owned())
                    .hint(EXPECTED))
            }
            _ => {
                let names: Vec<_> = graph.output.iter().take(10).map(|output| quoted(&output.name)).collect();
                Err(Error::unsupported(format!(
                    "the graph has several results ({}), expected the logits or probabilities of one network",
                    names.join(", ")
                )))
            }
        }
    }

    /// Makes the network whose logits are those of the stage `end`.
    fn network(self, end: usize, texts: &BTreeMap<String, String>) -> Result<DenseNetwork> {
        let mut layers = Vec::new();
        let (mut activation, mut num_parameters) = (None, 0usize);
        let mut stage = self.stages.get(end);
        while let Some(Stage { factors, offsets, layer: Some(layer), .. }) = stage {
            // Checked before memory is taken: a small file may use the same weights many times.
            num_parameters = num_parameters.saturating_add(layer.weights.numbers.len());
            if num_parameters > self.allowance {
                return Err(Error::unsupported("the layers have more weights than the file".to_owned()));
            }
            layers.push(dense_layer(layer, factors, offsets));
            activation = layer.input.formula.activation().or(activation);
            stage = self.stages.get(layer.input.stage);
        }
        layers.reverse();
        let mut metadata = ModelMetadata::from_texts(texts);
        let mut network = DenseNetwork { layers, activation: None, metadata: ModelMetadata::default() };
        if let Some(images) = stage {
            self.fold(images, &mut network);
        }
        if metadata.class_names.is_empty() {
            metadata.class_names = self.class_names;
        }
        let size = metadata.image_size.or_else(|| image_size(self.image_dims.as_deref()?));
        metadata.image_size =
            size.filter(|(height, width)| height.checked_mul(*width) == Some(network.num_inputs()));
        network.activation = activation.map(|activation| exact_slope(activation, metadata.activation));
        network.metadata = metadata;
        network.check()?;
        Ok(network)
    }

    /// Folds the scaling of the images into the first layer.
    fn fold(&self, images: &Stage, network: &mut DenseNetwork) {
        let takes_bytes = self.takes_whole_numbers || is_scaling_of_bytes(&images.factors);
        let white = if takes_bytes { 255.0 } else { 1.0 };
        let per_pixel = |numbers: &[f64]| match numbers {
            [number] => vec![*number; network.num_inputs()],
            numbers => numbers.to_vec(),
        };
        let factors: Vec<_> = per_pixel(&images.factors).iter().map(|factor| factor * white).collect();
        let offsets = per_pixel(&images.offsets);
        // The file has 1 / 255 in single precision. So that the weights stay what they are, 255 times
        // that is 1.
        let is_one = |factor: &f64| (factor - 1.0).abs() < 1e-7;
        if !factors.iter().all(is_one) || offsets.iter().any(|&offset| offset != 0.0) {
            network.fold_scaling(&factors, &offsets);
        }
    }
}

/// Smallest factor that pixels in [0, 1] are multiplied with. Standardization divides them by their
/// standard deviation, which is at most ½. So a smaller factor means pixels in [0, 255].
const MIN_FACTOR: f64 = 1.0 / 50.0;

/// Returns whether factors make pixels from 0 to 255 smaller.
fn is_scaling_of_bytes(factors: &[f64]) -> bool {
    factors.iter().any(|factor| *factor != 0.0 && factor.abs() < MIN_FACTOR)
}

/// Returns whether an input of the graph has whole numbers.
fn is_whole(input: &ValueInfoProto) -> Result<bool> {
    let tensor_type = input.r#type.as_ref().and_then(|value| value.tensor_type.as_ref());
    match tensor_type.map_or(0, |tensor| tensor.elem_type) {
        data_type::FLOAT | data_type::DOUBLE | data_type::FLOAT16 | data_type::BFLOAT16 => Ok(false),
        data_type::UINT8
        | data_type::UINT16
        | data_type::INT16
        | data_type::INT32
        | data_type::UINT32
        | data_type::INT64
        | data_type::UINT64 => Ok(true),
        other => Err(Error::unsupported(format!(
            "the input {} has values of ONNX's type {other}, expected numbers",
            quoted(&input.name)
        ))),
    }
}

/// Returns the dimensions of one image, if the file says them. The first dimension is the batch.
fn image_dims(input: &ValueInfoProto) -> Result<Option<Rc<Vec<usize>>>> {
    let tensor_type = input.r#type.as_ref().and_then(|value| value.tensor_type.as_ref());
    let Some(shape) = tensor_type.and_then(|tensor| tensor.shape.as_ref()) else { return Ok(None) };
    if !(2..=MAX_DIMS).contains(&shape.dim.len()) {
        return Err(Error::unsupported(format!(
            "the input {} has {} dimensions, expected 2 to {MAX_DIMS}: the batch and those of an image",
            quoted(&input.name),
            shape.dim.len()
        )));
    }
    let size = |dim: &crate::exchange::onnx::proto::DimensionProto| match dim.value {
        Some(Dimension::Value(size)) => usize::try_from(size).ok().filter(|&size| size > 0),
        _ => None,
    };
    let sizes: Option<Vec<_>> = shape.dim.iter().skip(1).map(size).collect();
    Ok(sizes.filter(|sizes| product(sizes).is_some()).map(Rc::new))
}

/// Largest number of dimensions of a value.
pub(super) const MAX_DIMS: usize = 8;

/// Product of dimensions, if it is a number of this computer.
pub(super) fn product(dims: &[usize]) -> Option<usize> {
    dims.iter().try_fold(1usize, |product, &size| product.checked_mul(size))
}

/// Returns the height and width of images with the dimensions `dims`, one of which may be a single
/// channel.
fn image_size(dims: &[usize]) -> Option<(usize, usize)> {
    match *dims {
        [height, width] | [1, height, width] | [height, width, 1] => Some((height, width)),
        _ => None,
    }
}

/// Makes a layer with weights in single precision, `[inputs, outputs]`.
fn dense_layer(layer: &Layer, factors: &[f64], offsets: &[f64]) -> DenseLayer {
    let Layer { weights, outputs, .. } = layer;
    let outputs = *outputs;
    let inputs = weights.numbers.len() / outputs.max(1);
    let at =
        |numbers: &[f64], index: usize| numbers.get(index).or(numbers.first()).copied().unwrap_or_default();
    let number = |input: usize, output: usize| {
        let index = if layer.is_transposed { output * inputs + input } else { input * outputs + output };
        at(factors, output) * weights.numbers.get(index).copied().unwrap_or(f64::NAN)
    };
    let numbers = (0..inputs).flat_map(|input| (0..outputs).map(move |output| (input, output)));
    DenseLayer {
        name: layer.name.to_string(),
        inputs,
        outputs,
        weights: numbers.map(|(input, output)| number(input, output) as f32).collect(),
        biases: (0..outputs).map(|output| at(offsets, output) as f32).collect(),
    }
}

/// Returns the slope of the metadata, if it is that of the graph in single precision: an ONNX file
/// has no slopes in double precision.
fn exact_slope(found: Activation, named: Option<Activation>) -> Activation {
    match (found, named) {
        (Activation::LeakyRelu { slope: a }, Some(Activation::LeakyRelu { slope: b }))
            if a as f32 == b as f32 =>
        {
            Activation::LeakyRelu { slope: b }
        }
        _ => found,
    }
}
