//! Owns the head of the model card: the YAML that the hub reads. Must not know the text below it.
//!
//! A text in quotation marks is JSON, which YAML takes as it is.

use serde_json::json;

use crate::exchange::DenseNetwork;
use crate::exchange::hugging_face::CardFacts;

/// Data sets that smallnet knows by a name: the name, that of people, and the hub's.
const DATA_SETS: [(&str, &str, &str); 2] = [
    ("mnist", "MNIST", "ylecun/mnist"),
    ("fashion-mnist", "Fashion-MNIST", "zalando-datasets/fashion_mnist"),
];

/// Name of the network's data set for people.
pub(super) fn data_name(network: &DenseNetwork) -> Option<&str> {
    let source = network.metadata.data_source.as_deref()?;
    Some(known(source).map_or(source, |(_, title, _)| title))
}

fn known(source: &str) -> Option<(&'static str, &'static str, &'static str)> {
    DATA_SETS.into_iter().find(|(name, ..)| *name == source)
}

/// Name of the network: that of its experiment.
pub(super) fn name(network: &DenseNetwork) -> &str {
    network.metadata.experiment.as_deref().unwrap_or("smallnet")
}

/// Returns the head with its two lines of dashes.
///
/// It names no license, because that is for the author of the network to choose.
pub(super) fn write(network: &DenseNetwork, facts: &CardFacts) -> String {
    let mut lines: Vec<String> = [
        "---",
        "# Choose a license and name it here: https://huggingface.co/docs/hub/repositories-licenses",
        "# license: mit",
        "library_name: smallnet",
        "pipeline_tag: image-classification",
        "tags:",
        "- image-classification",
        "- mlp",
        "- onnx",
        "- safetensors",
        "- smallnet",
    ]
    .map(str::to_owned)
    .into();
    let source = network.metadata.data_source.as_deref();
    if let Some((.., id)) = source.and_then(known) {
        lines.extend(["datasets:".to_owned(), format!("- {id}")]);
    }
    lines.extend(["metrics:".to_owned(), "- accuracy".to_owned()]);
    if let (Some(test), Some(source)) = (&facts.test, source) {
        let id = known(source).map_or(source, |(.., id)| id);
        lines.extend([
            "model-index:".to_owned(),
            format!("- name: {}", json!(name(network))),
            "  results:".to_owned(),
            "  - task:".to_owned(),
            "      type: image-classification".to_owned(),
            "      name: Image Classification".to_owned(),
            "    dataset:".to_owned(),
            format!("      name: {}", json!(data_name(network))),
            format!("      type: {}", json!(id)),
            "      split: test".to_owned(),
            "    metrics:".to_owned(),
            "    - type: accuracy".to_owned(),
            "      name: Accuracy".to_owned(),
            format!("      value: {:?}", test.accuracy),
            "    - type: cross_entropy".to_owned(),
            "      name: Cross-entropy".to_owned(),
            format!("      value: {:?}", test.loss),
        ]);
    }
    lines.push("---\n".to_owned());
    lines.join("\n")
}
