use super::*;
use crate::model::Activation;

/// Three pixels, two hidden neurons, one class.
fn network() -> DenseNetwork {
    let layer = |name: &str, inputs, outputs, weights: &[f32], biases: &[f32]| DenseLayer {
        name: name.to_owned(),
        inputs,
        outputs,
        weights: weights.to_vec(),
        biases: biases.to_vec(),
    };
    DenseNetwork {
        layers: vec![
            layer("layers.0", 3, 2, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[-1.0, -2.0]),
            layer("layers.1", 2, 1, &[7.0, 8.0], &[-3.0]),
        ],
        activation: Some(Activation::Tanh),
        metadata: ModelMetadata {
            activation: Some(Activation::Tanh),
            class_names: vec!["ten".to_owned()],
            ..ModelMetadata::default()
        },
    }
}

/// Shape and numbers of the tensor `name`.
fn tensor(bytes: &[u8], name: &str) -> (Vec<usize>, Vec<f32>) {
    let file = SafeTensors::deserialize(bytes).unwrap();
    let view = file.tensor(name).unwrap();
    (view.shape().to_vec(), NumberType::Float32.to_f32(view.data(), name).unwrap())
}

#[test]
fn a_network_is_read_as_it_was_written_in_each_layout() {
    for (layout, names) in [(Layout::Burn, ["layers.0", "layers.1"]), (Layout::Pytorch, ["1", "3"])] {
        let bytes = write(&network(), layout).unwrap();
        assert!(is_safetensors(&bytes));
        let read = read(&bytes, None).unwrap();
        assert_eq!(read.layers.iter().map(|layer| layer.name.as_str()).collect::<Vec<_>>(), names);
        for (read, written) in read.layers.iter().zip(&network().layers) {
            assert_eq!((&read.weights, &read.biases), (&written.weights, &written.biases));
        }
        assert_eq!(read.activation, Some(Activation::Tanh));
        assert_eq!(
            (read.metadata.class_names, read.metadata.layout.as_deref()),
            (vec!["ten".to_owned()], Some(layout.key()))
        );
        assert_eq!(write(&network(), layout).unwrap(), bytes);
    }
    let pytorch = write(&network(), Layout::Pytorch).unwrap();
    assert_eq!(tensor(&pytorch, "1.weight"), (vec![2, 3], vec![1.0, 3.0, 5.0, 2.0, 4.0, 6.0]));
    let burn = write(&network(), Layout::Burn).unwrap();
    assert_eq!(tensor(&burn, "layers.0.weight"), (vec![3, 2], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
}

#[test]
fn damaged_files_are_refused() {
    let bytes = write(&network(), Layout::Burn).unwrap();
    for length in 0..bytes.len() {
        let error = read(&bytes[..length], None).unwrap_err();
        assert!(error.message().starts_with("the safetensors file is damaged: "), "{error}");
    }
    let mut long = bytes;
    long[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    let error = read(&long, None).unwrap_err();
    assert!(error.message().ends_with("bytes, expected at most 4194304"), "{error}");
    assert!(!is_safetensors(b"PK\x03\x04 a zip file"));
}
