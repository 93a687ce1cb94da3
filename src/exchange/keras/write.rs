//! Owns the way from a network to a `.keras` file. Depends on `archive` and `hdf5`. Must not know how
//! such files are read.

use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::exchange::keras::{CONFIG, METADATA, SMALLNET, WEIGHTS, archive, hdf5};
use crate::exchange::{DenseLayer, DenseNetwork};
use crate::model::Activation;

/// Version of Keras whose form of the file this is: the first one with it.
const KERAS_VERSION: &str = "3.0.0";

/// Returns a `.keras` file of a `Sequential` model that takes images with pixels from 0 to 1 and
/// gives the probabilities of the classes. The same network makes the same bytes.
///
/// `keras.saving.load_model` opens it, without code of the file's own. The model is not compiled:
/// `fit` needs a `compile` first.
///
/// # Errors
/// A network that [`DenseNetwork::check`] refuses, or hidden layers without a known activation.
pub fn write(network: &DenseNetwork) -> Result<Vec<u8>> {
    network.check()?;
    let json_bytes = |value: &Value| {
        serde_json::to_vec(value)
            .map_err(|error| Error::new(format!("cannot write JSON: {error}")).with_source(error))
    };
    let metadata = json!({ "keras_version": KERAS_VERSION, SMALLNET: network.metadata.to_texts()? });
    archive::pack(&[
        (METADATA, json_bytes(&metadata)?),
        (CONFIG, json_bytes(&model(network)?)?),
        (WEIGHTS, weights(network)?),
    ])
}

/// JSON of the model.
fn model(network: &DenseNetwork) -> Result<Value> {
    let input = input_shape(network);
    let mut layers = vec![layer(
        "InputLayer",
        json!({ "name": "images", "batch_shape": input, "dtype": "float32" }),
        None,
    )];
    if input.len() > 2 {
        layers.push(layer("Flatten", json!({ "name": "flatten", "dtype": "float32" }), Some(&input)));
    }
    let Some((output, hidden)) = network.layers.split_last() else { return Ok(Value::Null) };
    for (index, hidden) in hidden.iter().enumerate() {
        let name = format!("hidden_{}", index + 1);
        let Some(activation) = network.activation else {
            return Err(Error::new("the activation of the hidden layers is not known".to_owned()));
        };
        layers.push(dense(hidden, &name, function(activation)));
        if let Activation::LeakyRelu { slope } = activation {
            let config = json!({ "name": format!("leaky_relu_{}", index + 1), "dtype": "float32", "negative_slope": slope });
            layers.push(layer("LeakyReLU", config, None));
        }
    }
    layers.push(dense(output, "output", "softmax"));
    Ok(json!({
        "module": "keras",
        "class_name": "Sequential",
        "config": { "name": "smallnet", "trainable": true, "dtype": "float32", "layers": layers, "build_input_shape": input },
        "registered_name": null,
        "build_config": { "input_shape": input },
    }))
}

/// Shape of a batch of inputs: images, or rows if the size of the images is not known.
fn input_shape(network: &DenseNetwork) -> Vec<Option<usize>> {
    match network.metadata.image_size {
        Some((height, width)) if height.checked_mul(width) == Some(network.num_inputs()) => {
            vec![None, Some(height), Some(width)]
        }
        _ => vec![None, Some(network.num_inputs())],
    }
}

/// JSON of one layer, and of the shape that it is built with.
fn layer(class: &str, config: Value, input: Option<&[Option<usize>]>) -> Value {
    let mut layer =
        json!({ "module": "keras.layers", "class_name": class, "config": config, "registered_name": null });
    if let (Some(input), Some(map)) = (input, layer.as_object_mut()) {
        map.insert("build_config".to_owned(), json!({ "input_shape": input }));
    }
    layer
}

fn dense(dense: &DenseLayer, name: &str, activation: &str) -> Value {
    let config = json!({
        "name": name,
        "trainable": true,
        "dtype": "float32",
        "units": dense.outputs,
        "activation": activation,
        "use_bias": true,
    });
    layer("Dense", config, Some(&[None, Some(dense.inputs)]))
}

/// Name of Keras' function. The slope of a leaky ReLU is a setting of a layer of its own, since the
/// function `leaky_relu` has a fixed one. Keras' `gelu` is the exact form by default.
fn function(activation: Activation) -> &'static str {
    match activation {
        Activation::LeakyRelu { .. } => "linear",
        Activation::Relu => "relu",
        Activation::Gelu => "gelu",
        Activation::Silu => "silu",
        Activation::Sigmoid => "sigmoid",
        Activation::Tanh => "tanh",
    }
}

/// `model.weights.h5`: the layers are numbered per class.
fn weights(network: &DenseNetwork) -> Result<Vec<u8>> {
    let layers: Vec<_> =
        network.layers.iter().enumerate().map(|(index, layer)| arrays(index, layer)).collect();
    hdf5::write("layers", &layers)
}

/// Name of the group of the layer at `index`, and its arrays: weights and biases.
fn arrays(index: usize, layer: &DenseLayer) -> hdf5::Group<'_> {
    let name = if index == 0 { "dense".to_owned() } else { format!("dense_{index}") };
    let (inputs, outputs) = (layer.inputs as u64, layer.outputs as u64);
    (name, vec![("0", vec![inputs, outputs], &layer.weights), ("1", vec![outputs], &layer.biases)])
}
