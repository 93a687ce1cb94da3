//! Owns the ONNX file of a network. Depends on the messages of the format. Must not know how a file
//! is read.

use std::f32::consts::FRAC_1_SQRT_2;

use prost::Message;

use crate::error::{Error, Result};
use crate::exchange::onnx::proto::{
    AttributeProto, Dimension, DimensionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto,
    StringStringEntryProto, TensorProto, TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
    attribute_type, data_type,
};
use crate::exchange::{DenseLayer, DenseNetwork};
use crate::model::Activation;

/// Version of ONNX's operators. It is the lowest one in which a Softmax means what it means today
/// (one axis, by default the last), so the most programs open the file. Version 20 has an operator
/// for GELU. In version 13, five simple nodes compute the same.
const OPSET: i64 = 13;

/// Version of the file format that came with [`OPSET`], in ONNX 1.8.
const IR_VERSION: i64 = 7;

/// Numbers that a written network takes as its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pixels {
    /// Single-precision numbers from 0 to 1.
    #[default]
    Fractions,
    /// Bytes from 0 to 255. The network divides them by 255 itself.
    Bytes,
}

/// Writes `network` as an ONNX file with the input `images` (`[batch, height, width]`, or `[batch,
/// inputs]` without a known image size) and the outputs `logits` and `probabilities` (`[batch,
/// classes]`).
///
/// # Errors
/// As [`DenseNetwork::check`]'s, hidden layers without a known activation, or metadata that cannot
/// be written.
pub fn write(network: &DenseNetwork, pixels: Pixels) -> Result<Vec<u8>> {
    network.check()?;
    let metadata = network.metadata.to_texts()?;
    let texts = metadata.into_iter().map(|(key, value)| StringStringEntryProto { key, value });
    let model = ModelProto {
        ir_version: IR_VERSION,
        producer_name: "smallnet".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        doc_string: description(network, pixels),
        graph: Some(graph(network, pixels)?),
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: OPSET }],
        metadata_props: texts.collect(),
    };
    Ok(model.encode_to_vec())
}

/// Describes the network, its input and its outputs for people.
fn description(network: &DenseNetwork, pixels: Pixels) -> String {
    let sizes = network.layers.iter().map(|layer| layer.outputs);
    let sizes: Vec<_> =
        [network.num_inputs()].into_iter().chain(sizes).map(|size| size.to_string()).collect();
    let activation = network.activation.map_or(String::new(), |activation| format!(", {}", activation.key()));
    format!(
        "Fully connected network {}{activation}. Input `images`: {}. Outputs: `logits` and `probabilities` of \
         the classes.",
        sizes.join("-"),
        pixels_text(pixels)
    )
}

/// Describes the values of the pixels.
fn pixels_text(pixels: Pixels) -> &'static str {
    match pixels {
        Pixels::Fractions => "pixels from 0.0 to 1.0",
        Pixels::Bytes => "pixels from 0 to 255",
    }
}

/// Nodes and constants of a graph while it is built.
#[derive(Default)]
struct Builder {
    nodes: Vec<NodeProto>,
    constants: Vec<TensorProto>,
}

impl Builder {
    /// Adds a node with one output, and returns the name of the output.
    fn node(
        &mut self,
        op_type: &str,
        inputs: &[&str],
        output: &str,
        attributes: Vec<AttributeProto>,
    ) -> String {
        self.nodes.push(NodeProto {
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            output: vec![output.to_owned()],
            name: output.to_owned(),
            op_type: op_type.to_owned(),
            attribute: attributes,
            domain: String::new(),
        });
        output.to_owned()
    }

    /// Adds numbers, row-major, and returns their name.
    fn constant(&mut self, name: &str, dims: &[usize], values: &[f32]) -> String {
        self.constants.push(TensorProto {
            dims: dims.iter().map(|&size| size as i64).collect(),
            data_type: data_type::FLOAT,
            name: name.to_owned(),
            raw_data: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            ..TensorProto::default()
        });
        name.to_owned()
    }

    /// Adds one number, and returns its name.
    fn scalar(&mut self, name: &str, value: f32) -> String {
        if self.constants.iter().any(|constant| constant.name == name) {
            return name.to_owned();
        }
        self.constant(name, &[], &[value])
    }

    /// Adds the nodes of one layer at `index`. The node and its output have the name `output`.
    fn layer(&mut self, index: usize, layer: &DenseLayer, input: &str, output: &str) -> String {
        let DenseLayer { inputs, outputs, weights, biases, .. } = layer;
        let weights = self.constant(&format!("layers.{index}.weight"), &[*inputs, *outputs], weights);
        let biases = self.constant(&format!("layers.{index}.bias"), &[*outputs], biases);
        self.node("Gemm", &[input, &weights, &biases], output, Vec::new())
    }

    /// Adds the nodes of an activation that takes `x`, the output of the layer at `index`.
    fn activation(&mut self, activation: Activation, index: usize, x: &str) -> String {
        let name = |part: &str| format!("activations.{index}{part}");
        let output = name("");
        match activation {
            Activation::Relu => self.node("Relu", &[x], &output, Vec::new()),
            Activation::LeakyRelu { slope } => {
                self.node("LeakyRelu", &[x], &output, vec![float("alpha", slope as f32)])
            }
            Activation::Sigmoid => self.node("Sigmoid", &[x], &output, Vec::new()),
            Activation::Tanh => self.node("Tanh", &[x], &output, Vec::new()),
            Activation::Silu => {
                let gate = self.node("Sigmoid", &[x], &name(".sigmoid"), Vec::new());
                self.node("Mul", &[x, &gate], &output, Vec::new())
            }
            // ½ · x · (1 + erf(x / √2))
            Activation::Gelu => {
                let (root, one) = (self.scalar("sqrt_half", FRAC_1_SQRT_2), self.scalar("one", 1.0));
                let half = self.scalar("half", 0.5);
                let scaled = self.node("Mul", &[x, &root], &name(".scaled"), Vec::new());
                let erf = self.node("Erf", &[&scaled], &name(".erf"), Vec::new());
                let sum = self.node("Add", &[&erf, &one], &name(".sum"), Vec::new());
                let product = self.node("Mul", &[x, &sum], &name(".product"), Vec::new());
                self.node("Mul", &[&product, &half], &output, Vec::new())
            }
        }
    }
}

/// Builds the graph.
fn graph(network: &DenseNetwork, pixels: Pixels) -> Result<GraphProto> {
    let mut builder = Builder::default();
    let mut value = "images".to_owned();
    if pixels == Pixels::Bytes {
        let to_float = vec![int("to", i64::from(data_type::FLOAT))];
        let numbers = builder.node("Cast", &[&value], "images.cast", to_float);
        // A division, since 1 / 255 is no floating-point number: so byte 255 becomes exactly 1.
        let white = builder.scalar("white", 255.0);
        value = builder.node("Div", &[&numbers, &white], "images.scaled", Vec::new());
    }
    value = builder.node("Flatten", &[&value], "images.flat", vec![int("axis", 1)]);
    let last = network.layers.len().saturating_sub(1);
    for (index, layer) in network.layers.iter().enumerate() {
        if index == last {
            value = builder.layer(index, layer, &value, "logits");
            continue;
        }
        let activation = network
            .activation
            .ok_or_else(|| Error::new("the activation of the hidden layers is not known".to_owned()))?;
        let output = builder.layer(index, layer, &value, &format!("layers.{index}"));
        value = builder.activation(activation, index, &output);
    }
    builder.node("Softmax", &[&value], "probabilities", vec![int("axis", -1)]);
    let classes = [network.num_classes()];
    Ok(GraphProto {
        node: builder.nodes,
        name: "smallnet".to_owned(),
        initializer: builder.constants,
        input: vec![images(network, pixels)],
        output: vec![
            batch("logits", data_type::FLOAT, &classes, "one number per class, before the softmax"),
            batch("probabilities", data_type::FLOAT, &classes, "softmax of the logits"),
        ],
    })
}

/// Describes the input.
fn images(network: &DenseNetwork, pixels: Pixels) -> ValueInfoProto {
    let element = match pixels {
        Pixels::Fractions => data_type::FLOAT,
        Pixels::Bytes => data_type::UINT8,
    };
    let size = network.metadata.image_size.map(|(height, width)| [height, width]);
    let flat = [network.num_inputs()];
    let dims = size.as_ref().map_or(&flat[..], |size| &size[..]);
    batch("images", element, dims, pixels_text(pixels))
}

/// Describes an input or output of the graph: any number of values with the dimensions `dims` each.
fn batch(name: &str, element: i32, dims: &[usize], text: &str) -> ValueInfoProto {
    let fixed = dims.iter().map(|&size| Dimension::Value(size as i64));
    let dims = [Dimension::Param("batch".to_owned())].into_iter().chain(fixed);
    let shape = TensorShapeProto { dim: dims.map(|value| DimensionProto { value: Some(value) }).collect() };
    let tensor_type = TensorTypeProto { elem_type: element, shape: Some(shape) };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto { tensor_type: Some(tensor_type) }),
        doc_string: text.to_owned(),
    }
}

/// Returns an attribute that is a whole number.
fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        i: Some(value),
        r#type: attribute_type::INT,
        ..AttributeProto::default()
    }
}

/// Returns an attribute that is a number.
fn float(name: &str, value: f32) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        f: Some(value),
        r#type: attribute_type::FLOAT,
        ..AttributeProto::default()
    }
}
