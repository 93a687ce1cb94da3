//! Files that PyTorch, Keras, scikit-learn and JAX wrote: `tests/reference/onnx_exporters.py` made them,
//! and noted what ONNX Runtime computes from them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::exchange::onnx::read;
use crate::exchange::{DenseLayer, DenseNetwork};
use crate::model::Activation;

#[derive(Deserialize)]
struct Expected {
    images: Vec<Vec<u8>>,
    files: BTreeMap<String, File>,
}

#[derive(Deserialize)]
struct File {
    outputs: Vec<Vec<f64>>,
}

/// The logits of an image in double precision.
fn logits(network: &DenseNetwork, image: &[u8]) -> Vec<f64> {
    let mut values: Vec<f64> = image.iter().map(|&pixel| f64::from(pixel) / 255.0).collect();
    for (index, DenseLayer { outputs, weights, biases, .. }) in network.layers.iter().enumerate() {
        let mut sums: Vec<f64> = biases.iter().map(|&bias| bias.into()).collect();
        for (row, value) in weights.chunks(*outputs).zip(&values) {
            row.iter().zip(&mut sums).for_each(|(weight, sum)| *sum += f64::from(*weight) * value);
        }
        if index + 1 < network.layers.len() {
            let activation = network.activation.unwrap();
            sums.iter_mut().for_each(|x| *x = apply(activation, *x));
        }
        values = sums;
    }
    values
}

fn apply(activation: Activation, x: f64) -> f64 {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    match activation {
        Activation::Relu => x.max(0.0),
        Activation::LeakyRelu { slope } => x.max(slope * x),
        Activation::Gelu => x * normal_distribution(x),
        Activation::Silu => x * sigmoid(x),
        Activation::Sigmoid => sigmoid(x),
        Activation::Tanh => x.tanh(),
    }
}

/// Φ(x) = ½ + φ(x) · (x + x³/3 + x⁵/(3·5) + …)
fn normal_distribution(x: f64) -> f64 {
    let (mut term, mut sum) = (x, x);
    for index in 1..200 {
        term *= x * x / f64::from(2 * index + 1);
        sum += term;
    }
    0.5 + sum * (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

fn softmax(logits: &[f64]) -> Vec<f64> {
    let sum: f64 = logits.iter().map(|logit| logit.exp()).sum();
    logits.iter().map(|logit| logit.exp() / sum).collect()
}

fn is_close(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 2e-6 * a.abs().max(1.0))
}

/// The outputs are logits, probabilities or their logarithms.
#[test]
fn the_files_of_all_exporters_compute_what_onnx_runtime_computes() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/onnx"));
    let text = fs::read_to_string(folder.join("expected.json")).unwrap();
    let expected: Expected = serde_json::from_str(&text).unwrap();
    assert!(expected.files.len() >= 20, "{}", expected.files.len());
    for (name, file) in expected.files {
        let bytes = fs::read(folder.join(format!("{name}.onnx"))).unwrap();
        let network = read(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        for (image, outputs) in expected.images.iter().zip(&file.outputs) {
            let logits = logits(&network, image);
            let probabilities = softmax(&logits);
            let logarithms: Vec<_> = probabilities.iter().map(|probability| probability.ln()).collect();
            let forms = [&logits, &probabilities, &logarithms];
            assert!(
                forms.iter().any(|form| is_close(form, outputs)),
                "{name}: {forms:?}, expected {outputs:?}"
            );
        }
        let is_named = name.starts_with("sklearn");
        let names = network.metadata.class_names;
        assert_eq!(names == ["cat", "dog", "emu"], is_named, "{name}: {names:?}");
        let has_size = network.metadata.image_size == Some((2, 2));
        assert_eq!(has_size, !is_named, "{name}");
    }
}
