//! Tests of the folder. tests/reference/model_card.py reads a real one with the hub's own library.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;
use crate::data::{Preparation, ValueRange};
use crate::exchange::ModelMetadata;
use crate::model::Activation;

fn network() -> DenseNetwork {
    let layer = |inputs: usize, outputs: usize| DenseLayer {
        name: String::new(),
        inputs,
        outputs,
        weights: vec![0.5; inputs * outputs],
        biases: vec![0.0; outputs],
    };
    DenseNetwork {
        layers: vec![layer(6, 4), layer(4, 2)],
        activation: Some(Activation::LeakyRelu { slope: 0.2 }),
        metadata: ModelMetadata {
            version: Some("0.1.0".to_owned()),
            experiment: Some("two".to_owned()),
            class_names: vec!["a|b".to_owned(), "\"c\"".to_owned()],
            image_size: Some((2, 3)),
            value_range: Some(ValueRange { black: -1.0, white: 1.0 }),
            preparation: Some(Preparation::Digits),
            weights_sha256: Some("00ff".to_owned()),
            data_source: Some("mnist".to_owned()),
            ..ModelMetadata::default()
        },
    }
}

fn facts() -> CardFacts {
    let class = ClassFigures { precision: Some(0.75), recall: None, f1: Some(0.5), num_images: 7 };
    CardFacts {
        training: Some(Training {
            num_train: 54_000,
            num_validation: 6_000,
            num_epochs: 3,
            optimizer: "adam, learning rate 0.001".to_owned(),
            computed_by: "backend flex, engine cpu".to_owned(),
            not_repeatable: None,
        }),
        test: Some(TestFigures {
            num_images: 10_000,
            accuracy: 0.97641,
            interval: (0.97325, 0.97920),
            loss: 0.08125,
            classes: vec![class.clone(), class],
        }),
    }
}

/// Content of the file called `name`.
fn file(network: &DenseNetwork, facts: &CardFacts, name: &str) -> String {
    let parts =
        Parts { confusion: Some(vec![1]), experiment: Some("seed = 1".to_owned()), ..Parts::default() };
    let files = write(network, facts, parts).unwrap();
    let (_, content) = files.into_iter().find(|(file, _)| file == name).unwrap();
    String::from_utf8(content).unwrap()
}

#[test]
fn a_folder_has_what_there_is() {
    let names = |parts: Parts| {
        let files = write(&network(), &CardFacts::default(), parts).unwrap();
        files.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    };
    let all = ["model.safetensors", "model.onnx", "config.json", "README.md", "confusion.png", "config.toml"];
    let parts = Parts { confusion: Some(Vec::new()), experiment: Some(String::new()), ..Parts::default() };
    assert_eq!(names(parts), all);
    assert_eq!(names(Parts::default()), all[..4]);
}

#[test]
fn the_configuration_is_the_network_in_plain_keys() {
    let config: Value = serde_json::from_str(&file(&network(), &facts(), "config.json")).unwrap();
    let expected = json!({
        "model_type": "smallnet-mlp",
        "smallnet_version": "0.1.0",
        "layer_sizes": [6, 4, 2],
        "activation": { "kind": "leaky-relu", "slope": 0.2 },
        "image_size": [2, 3],
        "num_labels": 2,
        "id2label": { "0": "a|b", "1": "\"c\"" },
        "label2id": { "a|b": 0, "\"c\"": 1 },
        "torch_dtype": "float32",
        "preprocessing": {
            "input_range": [0.0, 1.0],
            "preparation": "digits",
            "value_range": { "black": -1.0, "white": 1.0 },
        },
        "weights_sha256": "00ff",
    });
    assert_eq!(config, expected);
}

#[test]
fn a_card_states_the_figures() {
    let card = file(&network(), &facts(), "README.md");
    for expected in [
        "---\n# Choose a license",
        "datasets:\n- ylecun/mnist\n",
        "- name: \"two\"\n  results:\n",
        "      value: 0.97641\n",
        "\n---\n\n# two\n",
        "(6-4-2 with Leaky ReLU) that sorts grey images of 2 × 3 pixels into 2 classes: a\\|b, \"c\". smallnet 0.1.0 \
         trained it on MNIST.",
        "| Test accuracy | 97.64 % (97.32 % to 97.92 %) |\n| Test loss (cross-entropy) | 0.0813 |\n| Test images | 10,000 |",
        // 6 · 4 + 4 + 4 · 2 + 2
        "| Parameters | 38 |\n",
        "| a\\|b | 75.00 % | – | 50.00 % | 7 |\n",
        "![Confusion matrix](confusion.png)",
        "In the files of the training images, 0 was the value -1 and 1 the value 1.",
        ".resize((3, 2))\n",
        "    nn.Flatten(),\n    nn.Linear(6, 4),\n    nn.LeakyReLU(0.2),\n    nn.Linear(4, 2),\n)\n",
        "3 epochs with adam, learning rate 0.001, on backend flex, engine cpu.",
        "smallnet train config.toml\n",
        "(`weights_sha256`) is then `00ff`.",
    ] {
        assert!(card.contains(expected), "{expected}\n\nin\n\n{card}");
    }
}

#[test]
fn a_card_claims_nothing_that_is_not_known() {
    let mut network = network();
    network.metadata.data_source = Some("my: digits".to_owned());
    let mut facts = facts();
    if let Some(training) = &mut facts.training {
        training.not_repeatable = Some("it began with the weights of another run".to_owned());
    }
    let card = file(&network, &facts, "README.md");
    assert!(!card.contains("datasets:") && card.contains("      type: \"my: digits\"\n"), "{card}");
    assert!(card.contains("the same weights again: it began with the weights of another run."), "{card}");
    assert!(!card.contains("smallnet train config.toml"), "{card}");
    network.metadata = ModelMetadata::default();
    let card = file(&network, &CardFacts::default(), "README.md");
    assert!(
        !card.contains("model-index") && !card.contains("## Results") && !card.contains("## Training"),
        "{card}"
    );
    assert!(card.contains("into 2 classes: 0, 1. Another program trained it."), "{card}");
    assert!(card.contains("images = pixels.reshape(1, 6) / 255\n"), "{card}");
    assert!(card.contains("- It was not tested by smallnet."), "{card}");
}
