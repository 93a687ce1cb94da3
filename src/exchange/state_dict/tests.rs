//! Tests of the rules with small networks whose numbers are their places in the file.

#![allow(clippy::unwrap_used)]

use std::borrow::Cow;

use super::*;
use crate::model::Activation;

/// The numbers 0, 1, 2 … of a tensor of this shape.
fn numbers(shape: &[usize]) -> Vec<f32> {
    (0..shape.iter().product()).map(|number: usize| number as f32).collect()
}

fn read_with(
    tensors: &[(&str, &[usize])],
    metadata: ModelMetadata,
    layout: Option<Layout>,
) -> Result<DenseNetwork> {
    let info = |(name, shape): &(&str, &[usize])| TensorInfo {
        name: (*name).to_owned(),
        shape: shape.to_vec(),
        number_type: NumberType::Float32,
    };
    let tensors: Vec<TensorInfo> = tensors.iter().map(info).collect();
    let bytes = |tensor: &TensorInfo| {
        let bytes = numbers(&tensor.shape).iter().flat_map(|number| number.to_le_bytes()).collect();
        Ok(Cow::Owned(bytes))
    };
    let network = read_network(&tensors, bytes, metadata, layout)?;
    network.check()?;
    Ok(network)
}

fn read(tensors: &[(&str, &[usize])]) -> Result<DenseNetwork> {
    read_with(tensors, ModelMetadata::default(), None)
}

/// Names of the layers and widths of the network, input first.
fn shape(network: &DenseNetwork) -> (Vec<&str>, Vec<usize>) {
    let names = network.layers.iter().map(|layer| layer.name.as_str()).collect();
    let mut sizes = vec![network.num_inputs()];
    sizes.extend(network.layers.iter().map(|layer| layer.outputs));
    (names, sizes)
}

fn message(tensors: &[(&str, &[usize])]) -> String {
    read(tensors).unwrap_err().message().to_owned()
}

#[test]
fn pytorch_has_rows_of_outputs() {
    let network = read(&[
        ("net.10.weight", &[2, 3]),
        ("net.10.bias", &[2]),
        ("net.2.weight", &[3, 4]),
        ("net.2.bias", &[3]),
    ]);
    let network = network.unwrap();
    assert_eq!(shape(&network), (vec!["net.2", "net.10"], vec![4, 3, 2]));
    // The rows [0, 1, 2] and [3, 4, 5] are those of the two outputs.
    assert_eq!(network.layers[1].weights, [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
    assert_eq!(network.layers[1].biases, [0.0, 1.0]);
    assert_eq!(network.activation, None);
}

#[test]
fn kernels_have_rows_of_inputs() {
    let network = read(&[
        ("params/Dense_0/kernel", &[4, 3]),
        ("params/Dense_0/bias", &[3]),
        ("params/Dense_1/kernel", &[3, 2]),
        ("opt_state/0/mu/Dense_1/kernel", &[3, 2]),
    ]);
    let network = network.unwrap();
    assert_eq!(shape(&network), (vec!["params/Dense_0", "params/Dense_1"], vec![4, 3, 2]));
    assert_eq!(network.layers[1].weights, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    // Without biases, they are zeros.
    assert_eq!(network.layers[1].biases, [0.0, 0.0]);
}

/// The sizes decide where the names say another layout, and the names where the sizes do not.
#[test]
fn the_layout_is_found_from_sizes_metadata_names_or_the_option() {
    let burn = [("layers.0.weight", &[4, 3][..]), ("layers.1.weight", &[3, 2])];
    assert_eq!(shape(&read(&burn).unwrap()).1, [4, 3, 2]);
    let one = [("weight", &[4, 3][..]), ("bias", &[3])];
    assert_eq!(shape(&read(&one).unwrap()).1, [4, 3]);

    let square = [("fc.weight", &[2, 2][..]), ("fc.bias", &[2])];
    let weights = |metadata: &str, layout| {
        let layout_text = Some(metadata.to_owned()).filter(|text| !text.is_empty());
        let metadata = ModelMetadata { layout: layout_text, ..ModelMetadata::default() };
        read_with(&square, metadata, layout).unwrap().layers[0].weights.clone()
    };
    let (as_is, exchanged) = ([0.0, 1.0, 2.0, 3.0], [0.0, 2.0, 1.0, 3.0]);
    assert_eq!(weights("", None), exchanged);
    assert_eq!(weights("burn", None), as_is);
    assert_eq!(weights("burn", Some(Layout::Pytorch)), exchanged);
    assert_eq!(weights("", Some(Layout::Burn)), as_is);
    // A stated layout is not replaced by the other one.
    let error = read_with(&one, ModelMetadata::default(), Some(Layout::Pytorch)).unwrap_err();
    assert_eq!(
        error.message(),
        "the biases `bias` have the shape [3], expected one for each of the 4 outputs of the weights `weight`"
    );
}

#[test]
fn sizes_give_the_order_where_names_do_not() {
    let network =
        read(&[("a_last.weight", &[2, 3]), ("b_first.weight", &[5, 4]), ("c_middle.weight", &[3, 5])]);
    assert_eq!(shape(&network.unwrap()), (vec!["b_first", "c_middle", "a_last"], vec![4, 5, 3, 2]));
    // Names that give an order are not overruled: both orders of the two middle layers are possible.
    let network =
        read(&[("1.weight", &[3, 4]), ("2.weight", &[3, 3]), ("3.weight", &[3, 3]), ("4.weight", &[2, 3])]);
    assert_eq!(shape(&network.unwrap()).0, ["1", "2", "3", "4"]);
    assert_eq!(
        message(&[("fc1.weight", &[3, 4]), ("fc2.weight", &[2, 5])]),
        "the layers do not follow one another in one order: `fc1` from 4 to 3, `fc2` from 5 to 2; expected as many inputs \
         of each as the layer before it has outputs"
    );
}

#[test]
fn the_activation_is_that_of_the_metadata() {
    let metadata = ModelMetadata { activation: Some(Activation::Tanh), ..ModelMetadata::default() };
    let two = [("1.weight", &[3, 4][..]), ("3.weight", &[2, 3])];
    assert_eq!(read_with(&two, metadata.clone(), None).unwrap().activation, Some(Activation::Tanh));
    assert_eq!(read_with(&two[..1], metadata, None).unwrap().activation, None);
}

#[test]
fn what_is_no_fully_connected_layer_is_refused_by_its_name() {
    let dense = ("fc.weight", &[2, 3][..]);
    let refused = |name: &str, shape: &[usize]| message(&[dense, (name, shape)]);
    let is_refused = |name: &str, shape: &[usize]| {
        let expected =
            format!("the tensor `{name}` of shape {shape:?} is not that of a fully connected layer");
        let message = refused(name, shape);
        assert!(message.starts_with(&expected), "{message}");
    };
    is_refused("conv1.weight", &[32, 1, 3, 3]);
    is_refused("bn1.running_mean", &[32]);
    is_refused("bn1.weight", &[32]);
    is_refused("embedding.weight", &[100, 32]);
    is_refused("fc.bias", &[1, 2]);
    assert_eq!(refused("out.bias", &[2]), "the biases `out.bias` have no weights beside them");
    assert_eq!(
        refused("fc.kernel", &[3, 2]),
        "the tensor `fc.weight` is the second one of its kind in its layer"
    );
    assert_eq!(message(&[]), "the file has no tensor of a fully connected layer");
    let names: Vec<String> = (0..100_000).map(|index| format!("{index}.weight")).collect();
    let many: Vec<(&str, &[usize])> = names.iter().map(|name| (name.as_str(), &[1, 1][..])).collect();
    assert!(message(&many).starts_with("`model.hidden` is a list of 99999 layers, expected at most"));
    let huge = read(&[("fc.weight", &[usize::MAX, 3])]).unwrap_err();
    assert!(huge.message().contains("parameters, expected at most"), "{huge}");
}
