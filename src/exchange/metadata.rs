//! Owns what a file of another format says about a network beside its weights, and the keys it says
//! it with. Depends on `data` and `model`. Must not know file formats.

use std::collections::BTreeMap;

use crate::data::{Preparation, ValueRange};
use crate::error::{Error, Result};
use crate::model::Activation;

/// Facts about a network that a file keeps as texts under keys. ONNX (`metadata_props`) and
/// safetensors (`__metadata__`) have a place for them.
///
/// A file of another program has none of them, so each is optional.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelMetadata {
    /// Version of smallnet that wrote the file.
    pub version: Option<String>,
    /// Name of the experiment.
    pub experiment: Option<String>,
    /// Id of the run.
    pub run: Option<String>,
    /// Name of each class, in the order of the logits.
    pub class_names: Vec<String>,
    /// Height and width of an image in pixels.
    pub image_size: Option<(usize, usize)>,
    /// Activation after each hidden layer.
    pub activation: Option<Activation>,
    /// Pixel values of the data set's files that became 0 and 1.
    pub value_range: Option<ValueRange>,
    /// Preparation of pictures that fits the training images.
    pub preparation: Option<Preparation>,
    /// Digest of the weights: see [`crate::model::weights_sha256`].
    pub weights_sha256: Option<String>,
    /// Name or place of the data set.
    pub data_source: Option<String>,
    /// Digest of the data set.
    pub data_sha256: Option<String>,
    /// Test accuracy in [0, 1].
    pub test_accuracy: Option<f64>,
    /// Layout of weights in the file: `burn` for `[inputs, outputs]`, `pytorch` for `[outputs,
    /// inputs]`. Only files without a fixed layout have it.
    pub layout: Option<String>,
}

/// Keys of the texts.
mod key {
    pub(super) const VERSION: &str = "smallnet.version";
    pub(super) const EXPERIMENT: &str = "smallnet.experiment";
    pub(super) const RUN: &str = "smallnet.run";
    pub(super) const CLASS_NAMES: &str = "class_names";
    pub(super) const IMAGE_SIZE: &str = "image_size";
    pub(super) const ACTIVATION: &str = "activation";
    pub(super) const VALUE_RANGE: &str = "value_range";
    pub(super) const PREPARATION: &str = "preparation";
    pub(super) const WEIGHTS_SHA256: &str = "weights_sha256";
    pub(super) const DATA_SOURCE: &str = "data_source";
    pub(super) const DATA_SHA256: &str = "data_sha256";
    pub(super) const TEST_ACCURACY: &str = "test_accuracy";
    pub(super) const LAYOUT: &str = "layout";
}

impl ModelMetadata {
    /// Returns the texts by their keys. Values that are no texts are JSON: `class_names` is
    /// `["0","1"]`, `image_size` is `[28,28]`, `value_range` is `{"black":0.0,"white":255.0}`.
    ///
    /// # Errors
    /// A number that JSON cannot represent.
    pub fn to_texts(&self) -> Result<BTreeMap<String, String>> {
        let json = |value: serde_json::Result<String>| {
            value
                .map_err(|error| Error::new(format!("cannot write the metadata: {error}")).with_source(error))
        };
        let mut texts = BTreeMap::new();
        let mut add = |key: &str, text: Option<String>| {
            texts.extend(text.map(|text| (key.to_owned(), text)));
        };
        add(key::VERSION, self.version.clone());
        add(key::EXPERIMENT, self.experiment.clone());
        add(key::RUN, self.run.clone());
        if !self.class_names.is_empty() {
            add(key::CLASS_NAMES, Some(json(serde_json::to_string(&self.class_names))?));
        }
        add(key::IMAGE_SIZE, self.image_size.map(|(height, width)| format!("[{height},{width}]")));
        let activation = self.activation.map(|activation| serde_json::to_string(&activation));
        add(key::ACTIVATION, activation.map(json).transpose()?);
        let range = self.value_range.map(|range| serde_json::to_string(&range));
        add(key::VALUE_RANGE, range.map(json).transpose()?);
        let preparation = self.preparation.map(|preparation| serde_json::to_string(&preparation));
        add(key::PREPARATION, preparation.map(json).transpose()?);
        add(key::WEIGHTS_SHA256, self.weights_sha256.clone());
        add(key::DATA_SOURCE, self.data_source.clone());
        add(key::DATA_SHA256, self.data_sha256.clone());
        add(key::TEST_ACCURACY, self.test_accuracy.map(|accuracy| accuracy.to_string()));
        add(key::LAYOUT, self.layout.clone());
        Ok(texts)
    }

    /// Reads the texts of a file. A text that has another form than smallnet's is left out: other
    /// programs may use the same key for something else.
    pub fn from_texts(texts: &BTreeMap<String, String>) -> Self {
        fn parsed<T: serde::de::DeserializeOwned>(texts: &BTreeMap<String, String>, key: &str) -> Option<T> {
            texts.get(key).and_then(|text| serde_json::from_str(text).ok())
        }
        let text = |key: &str| texts.get(key).cloned();
        Self {
            version: text(key::VERSION),
            experiment: text(key::EXPERIMENT),
            run: text(key::RUN),
            class_names: parsed(texts, key::CLASS_NAMES).unwrap_or_default(),
            image_size: parsed(texts, key::IMAGE_SIZE),
            activation: parsed(texts, key::ACTIVATION),
            value_range: parsed(texts, key::VALUE_RANGE),
            preparation: parsed(texts, key::PREPARATION),
            weights_sha256: text(key::WEIGHTS_SHA256),
            data_source: text(key::DATA_SOURCE),
            data_sha256: text(key::DATA_SHA256),
            test_accuracy: parsed(texts, key::TEST_ACCURACY),
            layout: text(key::LAYOUT),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
