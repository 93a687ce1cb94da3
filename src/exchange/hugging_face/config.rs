//! Owns `config.json`: the network in plain keys. Must not know the model card.

use serde_json::{Map, Value, json};

use crate::error::{Error, Result};
use crate::exchange::DenseNetwork;
use crate::exchange::hugging_face::{class_names, layer_sizes};

/// Returns the JSON. `id2label` and `label2id` have the form that the Transformers library has.
pub(super) fn write(network: &DenseNetwork) -> Result<String> {
    let metadata = &network.metadata;
    let names = class_names(network);
    let id_to_label: Map<String, Value> =
        names.iter().enumerate().map(|(id, name)| (id.to_string(), json!(name))).collect();
    let label_to_id: Map<String, Value> =
        names.iter().enumerate().map(|(id, name)| (name.clone(), json!(id))).collect();
    let mut config = json!({
        "model_type": "smallnet-mlp",
        "layer_sizes": layer_sizes(network),
        "activation": network.activation,
        "num_labels": names.len(),
        "id2label": id_to_label,
        "label2id": label_to_id,
        "torch_dtype": "float32",
        "preprocessing": {
            "input_range": [0.0, 1.0],
            "preparation": metadata.preparation,
            "value_range": metadata.value_range,
        },
    });
    let more = [
        ("image_size", metadata.image_size.map(|(height, width)| json!([height, width]))),
        ("smallnet_version", metadata.version.as_ref().map(|version| json!(version))),
        ("weights_sha256", metadata.weights_sha256.as_ref().map(|digest| json!(digest))),
        ("data_sha256", metadata.data_sha256.as_ref().map(|digest| json!(digest))),
    ];
    if let Some(map) = config.as_object_mut() {
        map.extend(more.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
    }
    let text = serde_json::to_string_pretty(&config);
    text.map(|text| text + "\n")
        .map_err(|error| Error::new(format!("cannot write JSON: {error}")).with_source(error))
}
