//! Graphs that are no dense network, or no graphs at all: each gets a message, and none takes more
//! memory than a multiple of its size.

use crate::exchange::onnx::Pixels;
use crate::exchange::onnx::proto::{AttributeProto, TensorProto, data_type};
use crate::exchange::onnx::read;
use crate::exchange::onnx::tests::{Sample, floats, int, ints, network, tensor, text, value};
use crate::exchange::onnx::write;
use crate::model::Activation;

#[test]
fn the_message_names_the_node() {
    let refusal = |sample: Sample| sample.refusal(&["y"]);
    let convolution = Sample::new().numbers("k", &[1, 1, 1, 1], &[1.0]);
    assert_eq!(
        refusal(convolution.nodes(&["y = Conv(images, k)"])),
        "the node `y` is a `Conv`: a dense network of smallnet has no such node"
    );
    assert_eq!(
        refusal(Sample::new().with_layer().nodes(&["y = com.acme:Relu(x)"])),
        "the node `y` is a `Relu` of `com.acme`: a dense network of smallnet has no such node"
    );
    assert_eq!(
        refusal(Sample::new().with_layer().nodes(&["y = MatMulInteger(x, w)"])),
        "the node `y` is a `MatMulInteger`: the network is quantized"
    );
    assert_eq!(
        refusal(Sample::new().with_layer().node("y = Gelu(x)", &[text("approximate", "tanh")])),
        "the node `y` is a `Gelu`: its form is `tanh`, and smallnet's GELU is exact"
    );
    assert_eq!(
        refusal(Sample::new().with_layer().nodes(&["y = Relu(x)"])),
        "the network ends with an activation: the node `y` is a `Relu`; expected a layer, and perhaps a softmax"
    );
    assert_eq!(
        refusal(Sample::new().numbers("w", &[1, 2], &[1.0, 2.0]).nodes(&["y = MatMul(images, w)"])),
        "the node `y` is a `MatMul`: it multiplies the rows of images of [2, 1], expected a Flatten before it"
    );
    assert_eq!(
        refusal(Sample::new().with_layer().nodes(&["p = Softmax(x)", "y = MatMul(p, w)"])),
        "the node `y` is a `MatMul`: it follows a softmax or the choice of a class"
    );
    assert_eq!(
        refusal(Sample::new().with_layer().node("y = Softmax(x)", &[int("axis", 0)])),
        "the node `y` is a `Softmax`: its axis is 0, expected 1 or -1: the classes"
    );
    assert_eq!(
        refusal(Sample::new().with_layer().node("y = Gemm(x, w)", &[int("transA", 1)])),
        "the node `y` is a `Gemm`: it exchanges the images and their pixels (`transA` = 1)"
    );
    assert_eq!(
        refusal(Sample::new().nodes(&["y = Relu(images)"])),
        "the node `y` is a `Relu`: it is before the first layer"
    );
    assert_eq!(
        refusal(Sample::new().with_layer().nodes(&["y = Add(x, nothing)"])),
        "the node `y` is a `Add` and takes `nothing`, which no node before it makes"
    );
    let two = Sample::new().with_layer().nodes(&[
        "a = Relu(x)",
        "h = Gemm(a, w)",
        "b2 = Tanh(h)",
        "y = Gemm(b2, w)",
    ]);
    assert_eq!(
        refusal(two),
        "the node `b2` is a `Tanh`: the activation after its layer is tanh(x), and after the layer before max(0, \
         x); a network of smallnet has the same after each hidden layer"
    );
    let turned = Sample::new().node("t = Transpose(images)", &[ints("perm", &[1, 0, 2])]);
    assert_eq!(
        refusal(turned.nodes(&["y = Flatten(t)"])),
        "the node `t` is a `Transpose`: it moves pixels, or its dimensions are not known"
    );
    let mut columns = Sample::new().node("t = Transpose(images)", &[ints("perm", &[0, 2, 1])]);
    columns.graph().input = vec![value("images", data_type::FLOAT, &[0, 2, 3])];
    assert_eq!(
        refusal(columns.nodes(&["y = Flatten(t)"])),
        "the node `t` is a `Transpose`: it moves pixels, or its dimensions are not known"
    );
    let rows = Sample::new().whole("s", &[-1, 1]);
    assert_eq!(
        refusal(rows.nodes(&["y = Reshape(images, s)"])),
        "the node `y` is a `Reshape`: it makes [-1, 1] of images of [2, 1]"
    );
    let mut whole = Sample::new().numbers("white", &[], &[255.0]);
    whole.graph().input = vec![value("images", data_type::UINT8, &[0, 2])];
    assert_eq!(
        refusal(whole.nodes(&["y = Div(images, white)"])),
        "the node `y` is a `Div`: it computes with whole numbers, expected a `Cast` to float before it"
    );
    let labels =
        AttributeProto { name: "classlabels_ints".to_owned(), ints: vec![0, 1], ..AttributeProto::default() };
    let each = [labels, floats("coefficients", &[0.0; 4]), floats("intercepts", &[0.0; 2])];
    let one_against_all = [&each[..], &[text("post_transform", "LOGISTIC")]].concat();
    let classifier = Sample::new().nodes(&["f = Flatten(images)"]);
    assert_eq!(
        refusal(classifier.node("l, y = ai.onnx.ml:LinearClassifier(f)", &one_against_all)),
        "the node `l` is a `LinearClassifier` of `ai.onnx.ml`: its scores become probabilities by `LOGISTIC`, \
         expected the softmax"
    );
}

#[test]
fn graphs_and_constants_that_cannot_be_are_refused() {
    let refusal = |sample: Sample| sample.with_layer().refusal(&["x"]);
    assert_eq!(
        refusal(Sample::new().numbers("c", &[3], &[1.0])),
        "the constant `c` has 1 numbers, expected as many as its dimensions [3] have"
    );
    assert_eq!(
        refusal(Sample::new().numbers("c", &[-1], &[])),
        "the constant `c` has 0 numbers, expected as many as its dimensions [-1] have"
    );
    let constant = |change: fn(&mut TensorProto)| {
        let mut sample = Sample::new();
        let mut constant = tensor("c", &[1], &[1.0]);
        change(&mut constant);
        sample.graph().initializer.push(constant);
        refusal(sample)
    };
    assert_eq!(constant(|c| c.data_location = 1), "the numbers of the constant `c` are in another file");
    let message = constant(|c| c.data_type = 22);
    assert!(
        message.starts_with("the constant `c` has numbers of ONNX's type 22, expected float"),
        "{message}"
    );
    let two = |count: usize| {
        let mut sample = Sample::new();
        sample.graph().input = (0..count).map(|index| value(&format!("in{index}"), 1, &[0, 2])).collect();
        sample.nodes(&["y = Identity(in0)"]).refusal(&["y"])
    };
    assert_eq!(two(2), "the graph has 2 inputs (`in0`, `in1`), expected one: the images");
    assert_eq!(
        two(1),
        "the network ends with no layer: the input `in0`; expected a layer, and perhaps a softmax"
    );
    assert_eq!(Sample::new().with_layer().refusal(&[]), "no output of the graph depends on the images");
    let several = Sample::new().with_layer().nodes(&["y = Gemm(flat, w)"]);
    assert_eq!(
        several.refusal(&["x", "y"]),
        "the graph has several results (`x`, `y`), expected the logits or probabilities of one network"
    );
    let infinite = Sample::new().numbers("w", &[2, 1], &[1.0, f32::INFINITY]);
    assert_eq!(
        infinite.nodes(&["f = Flatten(images)", "y = MatMul(f, w)"]).refusal(&["y"]),
        "the layer `y` has the weight inf, expected numbers"
    );
}

#[test]
fn names_in_messages_are_short_and_harmless() {
    let long = "n\u{1b}".repeat(1_000_000);
    let message = Sample::new().nodes(&[&format!("{long} = Conv(images)")]).refusal(&["y"]);
    assert!(message.len() < 400 && !message.contains('\u{1b}'), "{message}");
}

/// Small files that would become large in memory: each is refused, or its work is bounded.
#[test]
fn a_small_file_takes_little_memory() {
    let many =
        |count: usize| (0..count).fold(Sample::new(), |sample, _| sample.nodes(&["n = Identity(images)"]));
    let message = many(40_000).refusal(&["y"]);
    assert_eq!(message, "the ONNX graph has more than 100000 parts (nodes, names, constants)");
    // Each transposition of 10,000 numbers would make 10,000 more.
    let numbers = vec![0.5; 10_000];
    let sample = Sample::new().numbers("t0", &[100, 100], &numbers);
    let turned = (0..1000)
        .fold(sample, |sample, index| sample.nodes(&[&format!("t{} = Transpose(t{index})", index + 1)]));
    assert_eq!(turned.refusal(&["y"]), "the graph makes far more constant numbers than the file has");
    // Each layer would have the same weights again.
    let sample = Sample::new().numbers("w", &[2, 100], &[0.5; 200]).numbers("t", &[100, 100], &numbers);
    let sample = sample.nodes(&["f = Flatten(images)", "l0 = MatMul(f, w)"]);
    let deep = (0..1000).fold(sample, |sample, index| {
        let texts = [format!("a{index} = Relu(l{index})"), format!("l{} = MatMul(a{index}, t)", index + 1)];
        sample.nodes(&[&texts[0], &texts[1]])
    });
    assert_eq!(deep.refusal(&["l1000"]), "the layers have more weights than the file");
    // A constant for each pixel of images that the file only names.
    let mut wide = Sample::new().numbers("c", &[2], &[1.0, 2.0]).nodes(&["y = Add(images, c)"]);
    wide.graph().input = vec![value("images", data_type::FLOAT, &[0, 1 << 40, 2])];
    assert_eq!(wide.refusal(&["y"]), "the graph makes far more constant numbers than the file has");
    // A shape that doubles with each node.
    let sample = Sample::new().whole("s0", &[1, 2, 3, 4]);
    let doubled = (0..200).fold(sample, |sample, index| {
        sample.nodes(&[&format!("s{} = Concat(s{index}, s{index})", index + 1)])
    });
    assert_eq!(
        doubled.nodes(&["y = Reshape(images, s200)"]).refusal(&["y"]),
        "the node `y` is a `Reshape`: its shape is not constant"
    );
}

/// Every byte is changed, and the file is cut at every length: nothing panics.
#[test]
fn damaged_files_are_refused_or_read() {
    let whole = write(&network(Activation::Gelu), Pixels::Bytes).unwrap();
    let mut num_refused = 0;
    for index in 0..whole.len() {
        for mask in [0x01, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[index] ^= mask;
            num_refused += usize::from(read(&bytes).is_err());
        }
        num_refused += usize::from(read(&whole[..index]).is_err());
    }
    assert!(num_refused > whole.len(), "{num_refused} of {}", 4 * whole.len());
    let message = |bytes: &[u8]| read(bytes).unwrap_err().message().to_owned();
    assert_eq!(message(b""), "it is not an ONNX file: it has no graph with nodes");
    assert!(message(b"\x89PNG\r\n\x1a\n").starts_with("it is not an ONNX file, or a damaged one: "));
}
