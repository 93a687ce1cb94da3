//! Tests with files of Keras: see tests/reference/keras_files.py.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::path::PathBuf;

use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor, TensorData};
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;
use crate::data::{Preparation, ValueRange};
use crate::error::ErrorKind;
use crate::exchange::{DenseLayer, DenseNetwork, ModelMetadata};
use crate::model::Activation;

#[derive(serde::Deserialize)]
struct Expected {
    images: Vec<Vec<f32>>,
    probabilities: Vec<Vec<f32>>,
}

fn fixture(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/keras");
    std::fs::read(folder.join(name)).unwrap()
}

fn probabilities(network: &DenseNetwork, images: &[Vec<f32>]) -> Vec<f32> {
    let device = Device::flex();
    let images = TensorData::new(images.concat(), [images.len(), 1, images[0].len()]);
    let logits = network.to_model(&device).unwrap().forward(Tensor::<3>::from_data(images, &device));
    softmax(logits, 1).into_data().iter::<f32>().collect()
}

#[test]
fn files_of_keras_give_the_probabilities_that_keras_gives() {
    let expected: BTreeMap<String, Expected> = serde_json::from_slice(&fixture("expected.json")).unwrap();
    assert_eq!(expected.len(), 13);
    for (name, expected) in expected {
        let network = read(&fixture(&name)).unwrap();
        let got = probabilities(&network, &expected.images);
        // Keras computes in the type of the weights.
        let tolerance = match name.as_str() {
            "float16.keras" => 2e-3,
            "bfloat16.keras" => 2e-2,
            _ => 2e-6,
        };
        for (got, expected) in got.iter().zip(expected.probabilities.concat()) {
            assert!((got - expected).abs() < tolerance, "{name}: {got}, expected {expected}");
        }
    }
}

#[test]
fn a_file_says_what_the_network_is() {
    let network = read(&fixture("functional.keras")).unwrap();
    let names: Vec<&str> = network.layers.iter().map(|layer| layer.name.as_str()).collect();
    assert_eq!(names, ["first", "second", "third"]);
    assert_eq!((network.num_inputs(), network.hidden(), network.num_classes()), (4, vec![3, 3], 2));
    assert_eq!(network.activation, Some(Activation::LeakyRelu { slope: 0.1 }));
    assert_eq!(network.metadata.image_size, Some((2, 2)));
    assert_eq!(network.metadata.value_range, Some(ValueRange::BYTES));
    // The layer `first` has no biases, and pixels become 2x − 1: its biases are minus the sums.
    let first = &network.layers[0];
    let sum: f32 = (0..4).map(|input| first.weights[3 * input] / 2.0).sum();
    assert!((first.biases[0] + sum).abs() < 1e-6);
    assert_eq!(read(&fixture("functional.h5")).unwrap().layers, network.layers);

    let network = read(&fixture("leaky_relu.keras")).unwrap();
    assert_eq!(network.activation, Some(Activation::LeakyRelu { slope: 0.2 }));
    assert_eq!(network.metadata.value_range, None);
    let network = read(&fixture("normalization.keras")).unwrap();
    assert_eq!((network.activation, network.layers.len()), (None, 1));
    assert_eq!(network.metadata.value_range, Some(ValueRange::BYTES));
    assert_eq!(read(&fixture("trained.h5")).unwrap(), read(&fixture("trained.keras")).unwrap());
}

#[test]
fn what_is_no_dense_network_is_refused_by_name() {
    for (name, message) in [
        ("refused_conv.keras", "the layer `edges` (Conv2D) is no part of a dense network"),
        (
            "refused_batch_normalization.keras",
            "the layer `norm` (BatchNormalization) is no part of a dense network",
        ),
        (
            "refused_mixed.keras",
            "the layer `other` (Dense) has the activation Tanh, and the layer before it Relu",
        ),
        (
            "refused_branches.keras",
            "the layer `sum` (Add) has 2 inputs, expected 1: only a chain of layers is read",
        ),
        (
            "refused_weights_alone.weights.h5",
            "the file has weights alone, without the layers that they belong to",
        ),
    ] {
        let error = read(&fixture(name)).unwrap_err();
        assert_eq!((error.message(), error.kind()), (message, ErrorKind::Unsupported));
    }
}

/// The file `relu.keras` with its list of layers changed.
fn changed(change: impl FnOnce(&mut Vec<Value>)) -> Vec<u8> {
    let file = fixture("relu.keras");
    let mut config: Value =
        serde_json::from_slice(&archive::unpack(&file, CONFIG).unwrap().unwrap()).unwrap();
    change(config["config"]["layers"].as_array_mut().unwrap());
    let weights = archive::unpack(&file, WEIGHTS).unwrap().unwrap();
    archive::pack(&[(CONFIG, config.to_string().into_bytes()), (WEIGHTS, weights)]).unwrap()
}

fn message(file: &[u8]) -> String {
    read(file).unwrap_err().message().to_owned()
}

/// The layers of `relu.keras`: InputLayer, Flatten, and three of the class Dense.
#[test]
fn settings_that_smallnet_does_not_have_are_refused_by_name() {
    let dense = |key: &str, value: Value| changed(|layers| layers[2]["config"][key] = value);
    let after = |class: &str, config: Value| {
        changed(|layers| {
            layers[2]["config"]["activation"] = json!("linear");
            layers.insert(3, json!({ "class_name": class, "config": config }));
        })
    };
    let before = |class: &str, config: Value| {
        changed(|layers| layers.insert(1, json!({ "class_name": class, "config": config })))
    };
    for (file, expected) in [
        (dense("activation", json!("elu")), "the layer `dense` (Dense) has the activation `elu`"),
        (dense("activation", json!(null)), "the layer `dense` (Dense) is a hidden layer with no activation"),
        (dense("activation", json!("softmax")), "the layer `dense` (Dense) is a hidden layer with a softmax"),
        (
            dense("units", json!(4)),
            "the layer `dense` (Dense) has weights of the shape [4, 3], expected [4, 4]",
        ),
        (
            dense("quantization_config", json!({})),
            "the layer `dense` (Dense) has quantized weights, expected floating-point numbers",
        ),
        (
            changed(|layers| layers[4]["config"]["activation"] = json!("sigmoid")),
            "the layer `dense_2` (Dense) is the last one and has the activation `sigmoid`",
        ),
        (
            changed(|layers| drop(layers.remove(1))),
            "the layer `dense` (Dense) has an input of the shape [2, 2], expected one row: a `Flatten` is missing",
        ),
        (
            changed(|layers| layers[2]["module"] = json!("my.layers")),
            "the layer `dense` (Dense) is no layer of Keras itself",
        ),
        (
            changed(|layers| layers[0]["config"]["batch_shape"] = json!([null, 2, 2, 3])),
            "the network takes inputs of the shape [2, 2, 3], expected grey images or rows of pixels",
        ),
        (
            changed(|layers| layers[0]["config"]["batch_shape"] = json!([null, 3, 2])),
            "the layer `dense` (Dense) has weights of the shape [4, 3], expected [6, 3]",
        ),
        (
            after("ReLU", json!({ "name": "cut", "max_value": 6.0 })),
            "the layer `cut` (ReLU) has a largest value or a threshold, expected max(0, x)",
        ),
        (
            after("LeakyReLU", json!({ "name": "steep", "negative_slope": 1.5 })),
            "the layer `steep` (LeakyReLU) has the slope 1.5, expected a number from 0 up to, not with, 1",
        ),
        (
            after("Rescaling", json!({ "name": "scale", "scale": 0.5 })),
            "the layer `scale` (Rescaling) scales numbers behind a `Dense` layer, expected a scaling of pixels alone",
        ),
        (
            before("Rescaling", json!({ "name": "scale", "scale": 0.1 })),
            "the layer `scale` (Rescaling) does not say which pixel values the network takes",
        ),
        (
            before(
                "Normalization",
                json!({ "name": "norm", "axis": null, "mean": [-1.0], "variance": [1.0] }),
            ),
            "the layer `norm` (Normalization) does not say which pixel values the network takes",
        ),
        (
            before("Normalization", json!({ "name": "norm", "mean": [1.0, 2.0, 3.0], "variance": 1.0 })),
            "the layer `norm` (Normalization) has no `mean` that fits its input [2, 2]",
        ),
        (
            before("Reshape", json!({ "name": "shape", "target_shape": [3, -1] })),
            "the layer `shape` (Reshape) makes [3, -1] of [2, 2], which has another size",
        ),
        (
            before("Activation", json!({ "name": "early", "activation": "relu" })),
            "the layer `early` (Activation) is a function of pixels, expected a `Dense` layer before it",
        ),
        (
            changed(|layers| {
                layers.insert(3, json!({ "class_name": "Activation", "config": { "name": "again", "activation": "relu" } }))
            }),
            "the layer `again` (Activation) is the second function after `dense`",
        ),
    ] {
        assert_eq!(message(&file), expected);
    }
}

/// A `Normalization` of images of 2 × 2 pixels has one mean per column by default, one for all pixels
/// with `axis = None`, one per row with `axis = 1`, and one per pixel with both axes.
#[test]
fn means_belong_to_the_axes_of_a_normalization() {
    let plain = read(&fixture("relu.keras")).unwrap();
    for (axis, means) in [
        (json!([-1]), vec![0.1, 0.2, 0.1, 0.2]),
        (json!(null), vec![0.1; 4]),
        (json!(1), vec![0.1, 0.1, 0.2, 0.2]),
        (json!([1, 2]), vec![0.1, 0.2, 0.3, 0.4]),
    ] {
        let number = if axis.is_null() {
            1
        } else if axis == json!([1, 2]) {
            4
        } else {
            2
        };
        let given: Vec<f64> = [0.1, 0.2, 0.3, 0.4].into_iter().take(number).collect();
        let config = json!({ "name": "n", "axis": axis, "mean": given, "variance": vec![0.25; number] });
        let file =
            changed(|layers| layers.insert(1, json!({ "class_name": "Normalization", "config": config })));
        let mut expected = plain.clone();
        let offsets: Vec<f64> = means.iter().map(|mean| -mean / 0.5).collect();
        expected.fold_scaling(&[2.0; 4], &offsets);
        expected.metadata.value_range = Some(ValueRange { black: 0.0, white: 1.0 });
        assert_eq!(read(&file).unwrap(), expected, "{axis}");
    }
}

#[test]
fn damaged_files_are_refused() {
    let file = fixture("relu.keras");
    let content = |name: &str| archive::unpack(&file, name).unwrap().unwrap();
    let packed = |config: &[u8], weights: &[u8]| {
        archive::pack(&[(CONFIG, config.to_vec()), (WEIGHTS, weights.to_vec())]).unwrap()
    };
    assert_eq!(message(b"no file of Keras"), "the file is neither a `.keras` file nor HDF5");
    assert_eq!(
        message(&archive::pack(&[("a.txt", Vec::new())]).unwrap()),
        "the archive has no `config.json`, expected a `.keras` file"
    );
    let text = message(&packed(b"{", &content(WEIGHTS)));
    assert!(text.starts_with("the description of the layers is damaged: "), "{text}");
    let text = message(&packed(&content(CONFIG), b"\x89HDF\r\n\x1a\n"));
    assert!(text.starts_with("the HDF5 data in the file is damaged: "), "{text}");
    let empty = hdf5::write("layers", &[]).unwrap();
    assert_eq!(
        message(&packed(&content(CONFIG), &empty)),
        "the layer `dense` (Dense) has no weights in the file"
    );
    // Neither cut off nor with changed bytes does a file do more than fail.
    for name in ["relu.keras", "normalization.keras", "trained.h5"] {
        let file = fixture(name);
        for length in (0..file.len()).step_by(97) {
            assert!(read(&file[..length]).is_err() || length > file.len() / 2, "{name}, {length}");
        }
        for index in (0..file.len()).step_by(13) {
            let mut changed = file.clone();
            changed[index] ^= 0xFF;
            drop(read(&changed));
        }
    }
}

#[test]
fn an_archive_that_unpacks_to_far_more_is_refused() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file(CONFIG, SimpleFileOptions::default()).unwrap();
    writer.write_all(&vec![b' '; 3 << 20]).unwrap();
    let file = writer.finish().unwrap().into_inner();
    let text = message(&file);
    assert!(text.starts_with("`config.json` in the file unpacks to more than 1"), "{text}");
}

fn layer(name: &str, inputs: usize, outputs: usize) -> DenseLayer {
    let weights = (0..inputs * outputs).map(|index| (index as f32 * 0.7).sin()).collect();
    let biases = (0..outputs).map(|index| index as f32 / 10.0 - 0.1).collect();
    DenseLayer { name: name.to_owned(), inputs, outputs, weights, biases }
}

#[test]
fn networks_are_read_as_they_were_written() {
    let metadata = ModelMetadata {
        run: Some("20261126-073000".to_owned()),
        class_names: vec!["a".to_owned(), "b".to_owned()],
        image_size: Some((2, 3)),
        value_range: Some(ValueRange::BYTES),
        preparation: Some(Preparation::Whole),
        ..ModelMetadata::default()
    };
    for activation in Activation::KINDS.into_iter().chain([Activation::LeakyRelu { slope: 0.35 }]) {
        let layers = vec![layer("hidden_1", 6, 4), layer("hidden_2", 4, 3), layer("output", 3, 2)];
        let network = DenseNetwork { layers, activation: Some(activation), metadata: metadata.clone() };
        let file = write(&network).unwrap();
        assert_eq!(read(&file).unwrap(), network);
        assert_eq!(write(&network).unwrap(), file);
    }
    // Without hidden layers, and without a known size of the images.
    let mut network = DenseNetwork { layers: vec![layer("output", 6, 2)], activation: None, metadata };
    assert_eq!(read(&write(&network).unwrap()).unwrap(), network);
    network.metadata = ModelMetadata::default();
    assert_eq!(read(&write(&network).unwrap()).unwrap(), network);
}

#[test]
fn a_network_without_a_known_activation_is_not_written() {
    let layers = vec![layer("a", 6, 4), layer("b", 4, 2)];
    let network = DenseNetwork { layers, activation: None, metadata: ModelMetadata::default() };
    let error = write(&network).unwrap_err();
    assert_eq!(error.message(), "the activation of the hidden layers is not known");
}
