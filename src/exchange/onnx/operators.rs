//! Owns which operators smallnet understands, and the messages about the others. Depends on the files
//! for layers, arithmetic and shapes. Must not know how a graph is walked through.

use std::rc::Rc;

use crate::error::{Error, Result};
use crate::exchange::onnx::formula::Function;
use crate::exchange::onnx::proto::{AttributeProto, NodeProto};
use crate::exchange::onnx::read::{EXPECTED, Graph};
use crate::exchange::onnx::reshaping::{list_of_sizes, reshaped_constant};
use crate::exchange::onnx::tensor::{Constant, Tensor};
use crate::exchange::onnx::value::{Computed, Value, describe, quoted};

/// Operators with weights. They cannot follow the probabilities.
const LAYERS: [&str; 5] = ["Gemm", "MatMul", "Conv", "LinearClassifier", "LinearRegressor"];

/// Operators that may have images of whole numbers as their input.
const FOR_WHOLE_NUMBERS: [&str; 8] =
    ["Cast", "Flatten", "Identity", "Reshape", "Shape", "Squeeze", "Transpose", "Unsqueeze"];

/// Inputs of a node. `None` is an input that the node leaves out.
pub(super) type Inputs<'a> = &'a [Option<Value>];

/// Returns the input at `index`, if the node has it.
pub(super) fn input(inputs: Inputs<'_>, index: usize) -> Option<&Value> {
    inputs.get(index)?.as_ref()
}

/// Returns the constant numbers that are the input at `index`.
pub(super) fn numbers(inputs: Inputs<'_>, index: usize) -> Option<&Rc<Tensor>> {
    match input(inputs, index)? {
        Value::Numbers(tensor) => Some(tensor),
        _ => None,
    }
}

/// Returns the input at `index` if it depends on the images.
pub(super) fn computed(inputs: Inputs<'_>, index: usize) -> Option<&Computed> {
    match input(inputs, index)? {
        Value::Computed(computed) => Some(computed),
        _ => None,
    }
}

/// Returns the attribute `name` of a node.
pub(super) fn attribute<'a>(node: &'a NodeProto, name: &str) -> Option<&'a AttributeProto> {
    node.attribute.iter().find(|attribute| attribute.name == name)
}

/// Returns the whole number that is the attribute `name`, or `default`.
pub(super) fn int(node: &NodeProto, name: &str, default: i64) -> i64 {
    attribute(node, name).and_then(|attribute| attribute.i).unwrap_or(default)
}

/// Returns the number that is the attribute `name`, or `default`.
pub(super) fn float(node: &NodeProto, name: &str, default: f32) -> f32 {
    attribute(node, name).and_then(|attribute| attribute.f).unwrap_or(default)
}

/// Error of a node that does not fit a dense network, with the reason.
pub(super) fn misfit(node: &NodeProto, reason: &str) -> Error {
    Error::unsupported(format!("the {}: {reason}", describe(node))).hint(EXPECTED)
}

impl Graph {
    /// Returns the outputs of a node. Those that are missing at the end are unknown.
    ///
    /// # Errors
    /// A node that depends on the images and does not fit a dense network.
    pub(super) fn evaluate(&mut self, node: &NodeProto, inputs: Inputs<'_>) -> Result<Vec<Value>> {
        let is_computed = |value: &&Value| matches!(value, Value::Computed(_) | Value::IsPositive(_));
        let after_logits = inputs.iter().flatten().find_map(|value| match value {
            Value::AfterLogits(stage) => Some(*stage),
            _ => None,
        });
        if let Some(stage) = after_logits {
            return self.after_logits(node, inputs, stage);
        }
        if !inputs.iter().flatten().any(|value| is_computed(&value)) {
            return Ok(vec![self.constant(node, inputs)?]);
        }
        self.check_whole(node, inputs)?;
        let found = match node.domain.as_str() {
            "" | "ai.onnx" => self.computed(node, inputs)?.map(|value| vec![value]),
            "ai.onnx.ml" => self.machine_learning(node, inputs)?,
            "com.microsoft" if node.op_type == "Gelu" => {
                self.computed(node, inputs)?.map(|value| vec![value])
            }
            _ => None,
        };
        found.ok_or_else(|| unknown(node, inputs))
    }

    /// Refuses arithmetic with whole numbers: its results are rounded.
    fn check_whole(&self, node: &NodeProto, inputs: Inputs<'_>) -> Result<()> {
        let is_whole = |value: &Value| match value {
            Value::Computed(computed) => self.stages.get(computed.stage).is_some_and(|stage| stage.is_whole),
            _ => false,
        };
        if inputs.iter().flatten().any(is_whole)
            && !FOR_WHOLE_NUMBERS.contains(&node.op_type.as_str())
            && node.domain != "ai.onnx.ml"
        {
            return Err(misfit(node, "it computes with whole numbers, expected a `Cast` to float before it"));
        }
        Ok(())
    }

    /// Returns the output of a node of ONNX's own operators that depends on the images, or `None` if
    /// the operator does not belong into a dense network.
    fn computed(&mut self, node: &NodeProto, inputs: Inputs<'_>) -> Result<Option<Value>> {
        let function = match node.op_type.as_str() {
            "Relu" => Function::Relu,
            "LeakyRelu" => Function::LeakyRelu { slope: float(node, "alpha", 0.01) },
            "Sigmoid" => Function::Sigmoid,
            "Tanh" => Function::Tanh,
            "Erf" => Function::Erf { factor: 1.0 },
            "Gelu" => self.gelu(node)?,
            "Add" | "Sub" | "Mul" | "Div" | "Max" => return self.binary(node, inputs),
            "Neg" => return self.scale(node, inputs, -1.0),
            "Clip" => return self.clip(node, inputs),
            "Greater" | "GreaterOrEqual" => return Ok(compared(inputs)),
            "Where" => return self.choice(node, inputs),
            "Swish" => return self.swish(node, inputs),
            "BatchNormalization" => return self.batch_normalization(node, inputs),
            "Gemm" => return self.gemm(node, inputs).map(Some),
            "MatMul" => return self.mat_mul(node, inputs).map(Some),
            "Softmax" | "LogSoftmax" | "Hardmax" => return self.softmax(node, inputs).map(Some),
            "ArgMax" | "TopK" | "ReduceMax" => return self.after_computed(node, inputs).map(Some),
            "Identity" => return Ok(input(inputs, 0).cloned()),
            "Dropout" => return dropout(node, inputs).map(Some),
            "Cast" | "CastLike" => return self.cast(node, inputs),
            "Flatten" | "Reshape" | "Squeeze" | "Unsqueeze" | "Transpose" | "Shape" => {
                return self.reshaped(node, inputs);
            }
            _ => return Ok(None),
        };
        self.apply(node, inputs, function)
    }

    /// Returns the function of a `Gelu`. smallnet's is exact.
    fn gelu(&self, node: &NodeProto) -> Result<Function> {
        let form = attribute(node, "approximate").and_then(|attribute| attribute.s.as_deref());
        match form {
            None | Some(b"none") => Ok(Function::Gelu),
            Some(form) => Err(misfit(
                node,
                &format!(
                    "its form is {}, and smallnet's GELU is exact",
                    quoted(&String::from_utf8_lossy(form))
                ),
            )
            .hint(
                "train and export the network with the exact form: `approximate=\"none\"` in PyTorch, \
                   `approximate=False` in Keras and JAX",
            )),
        }
    }

    /// Returns the outputs of a node that takes probabilities, or what is made of them. It is left
    /// out, but for the names of classes.
    fn after_logits(&mut self, node: &NodeProto, inputs: Inputs<'_>, stage: usize) -> Result<Vec<Value>> {
        if LAYERS.contains(&node.op_type.as_str()) {
            return Err(misfit(node, "it follows a softmax or the choice of a class"));
        }
        let names = class_labels(node).or_else(|| match input(inputs, 0)? {
            Value::Texts(texts) => Some(texts.to_vec()),
            Value::Numbers(tensor) => Some(tensor.whole()?.iter().map(i64::to_string).collect()),
            _ => None,
        });
        let layer = self.stages.get(stage).and_then(|stage| stage.layer.as_ref());
        let num_classes = layer.map_or(0, |layer| layer.outputs);
        if let Some(names) = names.filter(|names| names.len() == num_classes)
            && matches!(node.op_type.as_str(), "ZipMap" | "ArrayFeatureExtractor")
        {
            self.class_names = names;
        }
        Ok(vec![Value::AfterLogits(stage); node.output.len()])
    }

    /// Returns the output of a node that depends on constants alone.
    fn constant(&mut self, node: &NodeProto, inputs: Inputs<'_>) -> Result<Value> {
        let value = match node.op_type.as_str() {
            "Constant" => constant_of(node)?,
            "Identity" | "Cast" | "CastLike" => input(inputs, 0).cloned(),
            "Transpose" => self.transposed_constant(node, inputs)?,
            "Reshape" | "Flatten" => reshaped_constant(node, inputs),
            "Shape" | "Gather" | "Slice" | "Squeeze" | "Unsqueeze" | "Concat" => list_of_sizes(node, inputs),
            _ => self.constant_arithmetic(node, inputs)?,
        };
        Ok(value.unwrap_or(Value::Unknown))
    }
}

/// Error of a node whose operator does not belong into a dense network.
fn unknown(node: &NodeProto, inputs: Inputs<'_>) -> Error {
    let is_quantized = ["Quantize", "Integer", "QLinear", "QGemm"];
    if is_quantized.iter().any(|word| node.op_type.contains(word)) {
        return misfit(node, "the network is quantized")
            .hint("smallnet does not read quantized networks: export the network in single precision");
    }
    let numbers_of_images =
        inputs.iter().flatten().filter(|value| matches!(value, Value::Computed(_))).count();
    let reason = match node.op_type.as_str() {
        "Mul" | "Add" | "Sub" | "Div" | "Max" | "Where" | "Clip" | "Pow" if numbers_of_images > 0 => {
            "what it computes is no part of one of smallnet's activations"
        }
        _ => "a dense network of smallnet has no such node",
    };
    let error = misfit(node, reason);
    match node.op_type.as_str() {
        "Mul" | "Pow" => error.and_hint("its GELU is the exact one, not the tanh approximation"),
        _ => error,
    }
}

/// Returns the names of the classes that are attributes of a node of `ai.onnx.ml`.
pub(super) fn class_labels(node: &NodeProto) -> Option<Vec<String>> {
    let strings = attribute(node, "classlabels_strings");
    if let Some(labels) = strings.filter(|labels| !labels.strings.is_empty()) {
        return Some(
            labels.strings.iter().map(|label| String::from_utf8_lossy(label).into_owned()).collect(),
        );
    }
    let numbers = ["classlabels_int64s", "classlabels_ints"].iter().find_map(|name| attribute(node, name))?;
    Some(numbers.ints.iter().map(i64::to_string).collect())
}

/// Returns the input of a `Dropout`, which does nothing after training.
fn dropout(node: &NodeProto, inputs: Inputs<'_>) -> Result<Value> {
    let is_training =
        numbers(inputs, 2).and_then(|tensor| tensor.single()).is_some_and(|number| number != 0.0);
    match input(inputs, 0) {
        Some(value) if !is_training => Ok(value.clone()),
        _ => Err(misfit(node, "it drops numbers at random, as in training")
            .hint("export the network for inference")),
    }
}

/// Returns the condition that a number is positive.
fn compared(inputs: Inputs<'_>) -> Option<Value> {
    let is_zero = numbers(inputs, 1)?.single()? == 0.0;
    is_zero.then(|| computed(inputs, 0).cloned()).flatten().map(Value::IsPositive)
}

/// Returns the value of a `Constant` node.
fn constant_of(node: &NodeProto) -> Result<Option<Value>> {
    let name = node.output.first().map_or("", String::as_str);
    let Some(attribute) = node.attribute.first() else { return Ok(None) };
    let tensor = match attribute.name.as_str() {
        "value" => {
            return match &attribute.t {
                Some(tensor) => Constant::read(tensor, name).map(|constant| Some(constant.into())),
                None => Ok(None),
            };
        }
        "value_float" => attribute.f.map(|number| Tensor::scalar(number.into())),
        "value_int" => attribute.i.map(|number| Tensor::scalar(number as f64)),
        "value_floats" => Some(Tensor::list(attribute.floats.iter().map(|&number| number.into()).collect())),
        "value_ints" => Some(Tensor::list(attribute.ints.iter().map(|&number| number as f64).collect())),
        _ => None,
    };
    Ok(tensor.map(|tensor| Value::Numbers(Rc::new(tensor))))
}
