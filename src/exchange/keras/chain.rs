//! Owns the order of the layers in Keras' JSON: `Sequential`, and `Functional` without branches.
//! Depends on nothing. Must not know what a layer does, or its weights.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// One layer as the JSON describes it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layer {
    /// Name that its author or Keras gave it: `dense_3`.
    pub(super) name: String,
    /// Name of its class: `Dense`.
    pub(super) class: String,
    /// Name of its group of weights in a `.keras` file: the class in snake case and the number of
    /// layers of the same class before it in the list, as in `dense_1`.
    pub(super) group: String,
    /// Its settings.
    pub(super) config: Map<String, Value>,
}

/// The layers of a network, from its input to its output.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chain {
    /// Shape of one input without the batch. `None` if the file does not say it, or leaves a size
    /// open.
    pub(super) input_shape: Option<Vec<usize>>,
    /// Layers without the `InputLayer`.
    pub(super) layers: Vec<Layer>,
}

impl Layer {
    /// An error that names the layer: `the layer `name` (Class) WHAT`.
    pub(super) fn unsupported(&self, what: &str) -> Error {
        Error::unsupported(format!("the layer `{}` ({}) {what}", self.name, self.class))
    }

    /// The setting called `key`. `None` if it is missing or null.
    pub(super) fn setting(&self, key: &str) -> Option<&Value> {
        self.config.get(key).filter(|value| !value.is_null())
    }
}

/// Reads the chain of a model's JSON.
///
/// # Errors
/// Another class of model, a layer that is not Keras' own, branches, or several inputs or outputs.
pub(super) fn read(model: &Value) -> Result<Chain> {
    let class = text(model, "class_name").unwrap_or_default();
    let config = model.get("config").unwrap_or(&Value::Null);
    // Keras 2 had versions whose `Sequential` is the list of layers itself.
    let list = config.get("layers").unwrap_or(config).as_array();
    let list = list.ok_or_else(|| Error::corrupt("the file has no list of layers".to_owned()))?;
    let layers = layers(list)?;
    let ordered = match class {
        "Sequential" => layers,
        "Functional" | "Model" => straight(config, list, &layers)?,
        class => {
            return Err(Error::unsupported(format!(
                "the model's class is `{class}`, expected `Sequential` or `Functional`"
            ))
            .hint("smallnet reads dense networks that Keras describes layer by layer"));
        }
    };
    let input_shape = input_shape(&ordered).or_else(|| shape(config.get("build_input_shape")));
    let layers = ordered.into_iter().filter(|layer| layer.class != "InputLayer").collect();
    Ok(Chain { input_shape, layers })
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

/// Reads the list of layers in the order of the file, in which their groups of weights are numbered.
fn layers(list: &[Value]) -> Result<Vec<Layer>> {
    let mut numbers = BTreeMap::<String, usize>::new();
    let mut layers = Vec::new();
    for entry in list {
        let class = text(entry, "class_name").unwrap_or_default().to_owned();
        let config = entry.get("config").and_then(Value::as_object).cloned().unwrap_or_default();
        let name =
            text(entry, "name").or_else(|| config.get("name").and_then(Value::as_str)).unwrap_or_default();
        let base = snake_case(&class);
        let number = numbers.entry(base.clone()).or_default();
        let group = if *number == 0 { base } else { format!("{base}_{number}") };
        *number += 1;
        let layer = Layer { name: name.to_owned(), class, group, config };
        // A class of a user's own can have the name of one of Keras'.
        if text(entry, "module").is_some_and(|module| !module.starts_with("keras")) {
            return Err(layer.unsupported("is no layer of Keras itself"));
        }
        layers.push(layer);
    }
    Ok(layers)
}

/// Returns a class name as Keras writes it in paths: `LeakyReLU` is `leaky_re_lu`.
fn snake_case(class: &str) -> String {
    let letters: Vec<char> =
        class.chars().filter(|letter| letter.is_alphanumeric() || *letter == '_').collect();
    let mut name = String::new();
    for (index, &letter) in letters.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| letters.get(before));
        let follows_small = before.is_some_and(|before| before.is_lowercase());
        let begins_word = letters.get(index + 1).is_some_and(|next| next.is_lowercase()) && before.is_some();
        if letter.is_uppercase() && (follows_small || begins_word) {
            name.push('_');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

/// Follows a `Functional` model from its output back to its input.
fn straight(config: &Value, list: &[Value], layers: &[Layer]) -> Result<Vec<Layer>> {
    let single = |key: &str, what: &str| {
        let names = tensors(config.get(key).unwrap_or(&Value::Null));
        match names.as_slice() {
            [name] => Ok(name.clone()),
            names => Err(Error::unsupported(format!("the model has {} {what}, expected 1", names.len()))),
        }
    };
    let input = single("input_layers", "inputs")?;
    let mut name = single("output_layers", "outputs")?;
    let mut chain = Vec::new();
    // A path without a repetition is not longer than the list.
    for _ in 0..layers.len() {
        let Some(index) = layers.iter().position(|layer| layer.name == name) else {
            return Err(Error::corrupt(format!("the file names the layer `{name}`, which it does not have")));
        };
        let (Some(layer), Some(entry)) = (layers.get(index), list.get(index)) else { break };
        chain.push(layer.clone());
        if name == input {
            chain.reverse();
            return Ok(chain);
        }
        let before = tensors(entry.get("inbound_nodes").unwrap_or(&Value::Null));
        name = match before.as_slice() {
            [before] => before.clone(),
            before => {
                let what = format!("has {} inputs, expected 1: only a chain of layers is read", before.len());
                return Err(layer.unsupported(&what));
            }
        };
    }
    Err(Error::corrupt("no chain of layers leads from the model's input to its output".to_owned()))
}

/// Names of the layers whose outputs a value refers to: tensors of Keras 3, and lists such as
/// `["flatten", 0, 0]`.
fn tensors(value: &Value) -> Vec<String> {
    let history = match value {
        Value::Object(map) => match map.get("class_name").and_then(Value::as_str) {
            Some("__keras_tensor__") => map.get("config").and_then(|config| config.get("keras_history")),
            _ => return map.values().flat_map(tensors).collect(),
        },
        Value::Array(_) => Some(value),
        _ => None,
    };
    let Some(Value::Array(items)) = history else { return Vec::new() };
    match items.as_slice() {
        [Value::String(name), Value::Number(_), ..] => vec![name.clone()],
        items => items.iter().flat_map(tensors).collect(),
    }
}

/// Shape of the first layer's input. Keras 2 says it in any first layer.
fn input_shape(layers: &[Layer]) -> Option<Vec<usize>> {
    let config = &layers.first()?.config;
    shape(config.get("batch_shape")).or_else(|| shape(config.get("batch_input_shape")))
}

/// Reads a shape, without its first size, which is that of the batch.
fn shape(value: Option<&Value>) -> Option<Vec<usize>> {
    let sizes = value?.as_array()?.get(1..)?;
    sizes.iter().map(|size| size.as_u64().and_then(|size| usize::try_from(size).ok())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_written_as_in_paths() {
        for (class, expected) in [
            ("Dense", "dense"),
            ("LeakyReLU", "leaky_re_lu"),
            ("ReLU", "re_lu"),
            ("InputLayer", "input_layer"),
            ("GaussianNoise", "gaussian_noise"),
            ("Conv2D", "conv2d"),
            ("ELU", "elu"),
        ] {
            assert_eq!(snake_case(class), expected);
        }
    }
}
