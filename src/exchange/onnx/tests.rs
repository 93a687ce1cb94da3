//! Graphs made by hand: what the reader takes, and what it refuses.
#![allow(clippy::unwrap_used, clippy::panic)]

mod exporters;
mod refused;

use std::f32::consts::{FRAC_1_SQRT_2, SQRT_2};

use prost::Message;

use crate::error::Result;
use crate::exchange::onnx::proto::{
    AttributeProto, Dimension, DimensionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto,
    TensorProto, TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto, data_type,
};
use crate::exchange::onnx::{Pixels, read, write};
use crate::exchange::{DenseLayer, DenseNetwork, ModelMetadata};
use crate::model::Activation;

/// A graph whose input `images` has the dimensions `[batch, 2, 1]`.
struct Sample(ModelProto);

impl Sample {
    fn new() -> Self {
        let graph = GraphProto {
            input: vec![value("images", data_type::FLOAT, &[0, 2, 1])],
            ..GraphProto::default()
        };
        let opset_import = vec![OperatorSetIdProto { domain: String::new(), version: 20 }];
        Self(ModelProto { ir_version: 9, graph: Some(graph), opset_import, ..ModelProto::default() })
    }

    fn graph(&mut self) -> &mut GraphProto {
        self.0.graph.as_mut().unwrap()
    }

    fn numbers(mut self, name: &str, dims: &[i64], values: &[f32]) -> Self {
        self.graph().initializer.push(tensor(name, dims, values));
        self
    }

    fn whole(mut self, name: &str, values: &[i64]) -> Self {
        let (name, dims) = (name.to_owned(), vec![values.len() as i64]);
        let int64_data = values.to_vec();
        let tensor =
            TensorProto { name, dims, int64_data, data_type: data_type::INT64, ..TensorProto::default() };
        self.graph().initializer.push(tensor);
        self
    }

    /// Adds a node. `text` is such as `y = Gemm(x, w)`: the output, the operator and the inputs. The
    /// node has the name of its output.
    fn node(mut self, text: &str, attributes: &[AttributeProto]) -> Self {
        let (output, call) = text.split_once(" = ").unwrap();
        let (op_type, inputs) = call.strip_suffix(')').unwrap().split_once('(').unwrap();
        let inputs = inputs.split(',').map(|input| input.trim().to_owned());
        let outputs: Vec<_> = output.split(',').map(|output| output.trim().to_owned()).collect();
        let (domain, op_type) = op_type.rsplit_once(':').unwrap_or(("", op_type));
        self.graph().node.push(NodeProto {
            input: inputs.collect(),
            name: outputs[0].clone(),
            output: outputs,
            op_type: op_type.to_owned(),
            attribute: attributes.to_vec(),
            domain: domain.to_owned(),
        });
        self
    }

    fn nodes(self, texts: &[&str]) -> Self {
        texts.iter().fold(self, |sample, text| sample.node(text, &[]))
    }

    /// Reads the graph with the outputs `names`.
    fn read(mut self, names: &[&str]) -> Result<DenseNetwork> {
        self.graph().output = names.iter().map(|name| value(name, data_type::FLOAT, &[0, 2])).collect();
        read(&self.0.encode_to_vec())
    }

    fn refusal(self, names: &[&str]) -> String {
        self.read(names).unwrap_err().message().to_owned()
    }

    /// Adds a first layer with the weights [[1, 2], [3, 4]] and the biases 5 and 6. Its output is
    /// `x`.
    fn with_layer(self) -> Self {
        self.numbers("w", &[2, 2], &[1.0, 2.0, 3.0, 4.0])
            .numbers("b", &[2], &[5.0, 6.0])
            .nodes(&["flat = Flatten(images)", "x = Gemm(flat, w, b)"])
    }
}

fn tensor(name: &str, dims: &[i64], values: &[f32]) -> TensorProto {
    let (name, dims, float_data) = (name.to_owned(), dims.to_vec(), values.to_vec());
    TensorProto { name, dims, float_data, data_type: data_type::FLOAT, ..TensorProto::default() }
}

/// A dimension of 0 is not known.
fn value(name: &str, elem_type: i32, dims: &[i64]) -> ValueInfoProto {
    let dim = dims.iter().map(|&size| match size {
        0 => DimensionProto { value: Some(Dimension::Param("batch".to_owned())) },
        size => DimensionProto { value: Some(Dimension::Value(size)) },
    });
    let shape = Some(TensorShapeProto { dim: dim.collect() });
    let r#type = Some(TypeProto { tensor_type: Some(TensorTypeProto { elem_type, shape }) });
    ValueInfoProto { name: name.to_owned(), r#type, doc_string: String::new() }
}

fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto { name: name.to_owned(), i: Some(i), ..AttributeProto::default() }
}

fn float(name: &str, f: f32) -> AttributeProto {
    AttributeProto { name: name.to_owned(), f: Some(f), ..AttributeProto::default() }
}

fn floats(name: &str, floats: &[f32]) -> AttributeProto {
    AttributeProto { name: name.to_owned(), floats: floats.to_vec(), ..AttributeProto::default() }
}

fn ints(name: &str, ints: &[i64]) -> AttributeProto {
    AttributeProto { name: name.to_owned(), ints: ints.to_vec(), ..AttributeProto::default() }
}

fn text(name: &str, text: &str) -> AttributeProto {
    AttributeProto { name: name.to_owned(), s: Some(text.as_bytes().to_vec()), ..AttributeProto::default() }
}

/// The weights and biases of the layer at `index`.
fn layer(network: &DenseNetwork, index: usize) -> (&[f32], &[f32]) {
    (&network.layers[index].weights, &network.layers[index].biases)
}

fn network(activation: Activation) -> DenseNetwork {
    let layer = |name: &str, inputs: usize, outputs: usize| {
        let numbers = |length: usize| (0..length).map(|index| (index as f32 + 0.1).sin()).collect();
        let (weights, biases) = (numbers(inputs * outputs), numbers(outputs));
        DenseLayer { name: name.to_owned(), inputs, outputs, weights, biases }
    };
    let layers = vec![layer("layers.0", 6, 4), layer("layers.1", 4, 4), layer("logits", 4, 3)];
    let metadata = ModelMetadata {
        class_names: vec!["a".to_owned(), "b".to_owned(), "c".to_owned()],
        image_size: Some((3, 2)),
        activation: Some(activation),
        test_accuracy: Some(0.5),
        ..ModelMetadata::default()
    };
    DenseNetwork { layers, activation: Some(activation), metadata }
}

#[test]
fn every_network_is_read_as_it_was_written() {
    // The second slope has no equal number in single precision.
    let slopes = [0.2, 0.123_456_789_012].map(|slope| Activation::LeakyRelu { slope });
    for activation in Activation::KINDS.into_iter().chain(slopes) {
        for pixels in [Pixels::Fractions, Pixels::Bytes] {
            let network = network(activation);
            assert_eq!(read(&write(&network, pixels).unwrap()).unwrap(), network, "{pixels:?}");
        }
    }
    let mut flat = network(Activation::Relu);
    flat.layers.truncate(1);
    flat.layers[0].name = "logits".to_owned();
    (flat.activation, flat.metadata) = (None, ModelMetadata::default());
    assert_eq!(read(&write(&flat, Pixels::Fractions).unwrap()).unwrap(), flat);
    let mut unknown = network(Activation::Relu);
    unknown.activation = None;
    let error = write(&unknown, Pixels::Fractions).unwrap_err();
    assert_eq!(error.message(), "the activation of the hidden layers is not known");
}

/// The weights are [[1, 2], [3, 4]] for two inputs and two outputs in each form.
#[test]
fn each_form_of_a_layer_is_read() {
    let same = |sample: Sample, name: &str| {
        let network = sample.read(&[name]).unwrap();
        assert_eq!(layer(&network, 0), (&[1.0, 2.0, 3.0, 4.0][..], &[5.0, 6.0][..]));
        assert_eq!((network.activation, network.metadata.image_size), (None, Some((2, 1))));
    };
    same(Sample::new().with_layer(), "x");
    let flat = || Sample::new().node("flat = Flatten(images)", &[]).numbers("b", &[1, 2], &[5.0, 6.0]);
    let turned = || flat().numbers("w", &[2, 2], &[1.0, 3.0, 2.0, 4.0]);
    same(turned().node("y = Gemm(flat, w, b)", &[int("transB", 1)]), "y");
    same(turned().nodes(&["t = Transpose(w)", "m = MatMul(flat, t)", "y = Add(b, m)"]), "y");
    let halves = flat().numbers("w", &[2, 2], &[0.5, 1.0, 1.5, 2.0]).numbers("c", &[2], &[10.0, 12.0]);
    same(halves.node("y = Gemm(flat, w, c)", &[float("alpha", 2.0), float("beta", 0.5)]), "y");
    let scaled = flat().numbers("w", &[2, 2], &[0.5, 1.0, 1.5, 2.0]).numbers("two", &[], &[2.0]);
    same(scaled.nodes(&["m = MatMul(flat, w)", "n = Mul(two, m)", "y = Add(n, b)", "z = Softmax(y)"]), "z");
    // 784 dynamic images are flattened by `x.view(x.size(0), -1)`.
    let view = Sample::new().numbers("w", &[2, 2], &[1.0, 2.0, 3.0, 4.0]).numbers("b", &[2], &[5.0, 6.0]);
    let view = view.whole("zero", &[0]).whole("rest", &[-1]);
    let nodes = ["s = Shape(images)", "n = Gather(s, zero)", "d = Concat(n, rest)", "f = Reshape(images, d)"];
    same(view.nodes(&nodes).nodes(&["y = Gemm(f, w, b)", "p = LogSoftmax(y)"]), "p");
    // The numbers in half precision: 1, 2, 3, 4.
    let mut half = tensor("w", &[2, 2], &[]);
    half.data_type = data_type::FLOAT16;
    half.raw_data = vec![0, 0x3c, 0, 0x40, 0, 0x42, 0, 0x44];
    let constant = AttributeProto { name: "value".to_owned(), t: Some(half), ..AttributeProto::default() };
    let sample = flat().node("w = Constant()", &[constant]);
    same(sample.nodes(&["f = Cast(w)", "y = Gemm(flat, f, b)"]), "y");
}

/// The first layer has the weights [[1, 2], [3, 4]] and the biases 5 and 6.
#[test]
fn a_scaling_in_front_is_folded_in() {
    // (x − ½) · 2 = 2x − 1: the biases become 5 − 1 − 3 and 6 − 2 − 4.
    let scaled = Sample::new().numbers("half", &[], &[0.5]).numbers("two", &[1], &[2.0]);
    let scaled = scaled.nodes(&["s = Sub(images, half)", "images2 = Mul(s, two)"]);
    let with = |sample: Sample| {
        let sample = sample.numbers("w", &[2, 2], &[1.0, 2.0, 3.0, 4.0]).numbers("b", &[2], &[5.0, 6.0]);
        sample.nodes(&["flat = Flatten(images2)", "y = Gemm(flat, w, b)"]).read(&["y"]).unwrap()
    };
    assert_eq!(layer(&with(scaled), 0), (&[2.0, 4.0, 6.0, 8.0][..], &[1.0, 0.0][..]));
    // Each pixel has its own mean (1, 2) and deviation (2, ½): ½x − ½ and 2x − 4.
    let each =
        Sample::new().numbers("mean", &[2, 1], &[1.0, 2.0]).numbers("deviation", &[1, 2, 1], &[2.0, 0.5]);
    let each = each.nodes(&["s = Sub(images, mean)", "images2 = Div(s, deviation)"]);
    assert_eq!(layer(&with(each), 0), (&[0.5, 1.0, 6.0, 8.0][..], &[-7.5, -11.0][..]));
    // Bytes become pixels in [0, 1] by themselves.
    let bytes = |element: i32| {
        let mut sample = Sample::new().numbers("white", &[], &[255.0]);
        sample.graph().input = vec![value("images", element, &[0, 2, 1])];
        sample.node("f = Cast(images)", &[int("to", 1)]).nodes(&["images2 = Div(f, white)"])
    };
    for element in [data_type::UINT8, data_type::FLOAT] {
        assert_eq!(layer(&with(bytes(element)), 0), (&[1.0, 2.0, 3.0, 4.0][..], &[5.0, 6.0][..]));
    }
    // 255 times the single-precision number nearest to 1 / 255 is 1: the weights stay what they are.
    let multiplied = Sample::new().numbers("c", &[], &[1.0 / 255.0]).nodes(&["images2 = Mul(images, c)"]);
    assert_eq!(layer(&with(multiplied), 0), (&[1.0, 2.0, 3.0, 4.0][..], &[5.0, 6.0][..]));
    // 1 − x
    let inverted = Sample::new().numbers("one", &[], &[1.0]).nodes(&["images2 = Sub(one, images)"]);
    assert_eq!(layer(&with(inverted), 0), (&[-1.0, -2.0, -3.0, -4.0][..], &[9.0, 12.0][..]));
    let scaler = [floats("offset", &[1.0, 2.0]), floats("scale", &[0.5, 2.0])];
    let scaler =
        Sample::new().node("f = Flatten(images)", &[]).node("images2 = ai.onnx.ml:Scaler(f)", &scaler);
    assert_eq!(layer(&with(scaler), 0), (&[0.5, 1.0, 6.0, 8.0][..], &[-7.5, -11.0][..]));
}

#[test]
fn each_form_of_an_activation_is_read() {
    let read = |nodes: &[&str]| {
        let sample = Sample::new().with_layer().numbers("v", &[2, 2], &[1.0, 0.0, 0.0, 1.0]);
        let constants = [("root2", SQRT_2), ("half", 0.5), ("one", 1.0), ("zero", 0.0), ("tenth", 0.1)];
        let constants = constants.iter().chain(&[("minus_half_root", -FRAC_1_SQRT_2), ("two", 2.0)]);
        let sample = constants.fold(sample, |sample, (name, value)| sample.numbers(name, &[], &[*value]));
        sample.nodes(nodes).nodes(&["l = Gemm(a, v)", "p = Softmax(l)"]).read(&["l", "p"])
    };
    let tenth = Activation::LeakyRelu { slope: 0.1 };
    let forms: [(&[&str], Activation); 14] = [
        (&["a = Relu(x)"], Activation::Relu),
        (&["a = Max(x, zero)"], Activation::Relu),
        (&["a = Clip(x, zero)"], Activation::Relu),
        (&["c = Greater(x, zero)", "a = Where(c, x, zero)"], Activation::Relu),
        (&["a = LeakyRelu(x)"], Activation::LeakyRelu { slope: 0.01 }),
        (&["s = Mul(x, tenth)", "a = Max(s, x)"], tenth),
        (&["c = GreaterOrEqual(x, zero)", "s = Mul(tenth, x)", "a = Where(c, x, s)"], tenth),
        (&["s = Sigmoid(x)", "a = Mul(s, x)"], Activation::Silu),
        (&["a = Swish(x)"], Activation::Silu),
        (&["a = Gelu(x)"], Activation::Gelu),
        (
            &["d = Div(x, root2)", "e = Erf(d)", "f = Add(e, one)", "g = Mul(x, f)", "a = Mul(g, half)"],
            Activation::Gelu,
        ),
        (
            &["h = Mul(half, x)", "d = Div(x, root2)", "e = Erf(d)", "f = Add(one, e)", "a = Mul(h, f)"],
            Activation::Gelu,
        ),
        // With the complement 1 − erf(−x / √2), as JAX has it.
        (
            &[
                "d = Mul(x, minus_half_root)",
                "e = Erf(d)",
                "f = Sub(one, e)",
                "h = Mul(x, half)",
                "a = Mul(h, f)",
            ],
            Activation::Gelu,
        ),
        (&["b2 = Identity(x)", "c2 = Dropout(b2)", "a = Tanh(c2)"], Activation::Tanh),
    ];
    for (nodes, expected) in forms {
        assert_eq!(read(nodes).unwrap().activation, Some(expected), "{nodes:?}");
    }
    let message = |nodes: &[&str]| read(nodes).unwrap_err().message().to_owned();
    assert_eq!(
        message(&["a = Elu(x)"]),
        "the node `a` is a `Elu`: a dense network of smallnet has no such node"
    );
    assert_eq!(
        message(&["s = Relu(x)", "a = Mul(s, two)"]),
        "the node `l` is a `Gemm`: the node `a` is a `Mul` before it computes none of smallnet's activations"
    );
    assert_eq!(
        message(&["s = Relu(x)", "a = Tanh(s)"]),
        "the node `a` is a `Tanh`: it follows another activation, the node `s` is a `Relu`"
    );
    // Without the factor of √½, it is another function.
    let almost = ["e = Erf(x)", "f = Add(e, one)", "g = Mul(x, f)", "a = Mul(g, half)"];
    assert!(message(&almost).ends_with("before it computes none of smallnet's activations"));
    assert_eq!(
        message(&["a = Mul(x, x)"]),
        "the node `a` is a `Mul`: what it computes is no part of one of smallnet's activations"
    );
    assert_eq!(
        message(&["a = Identity(x)"]),
        "the node `l` is a `Gemm`: no activation is between it and the layer `x`"
    );
}
