//! Owns the folder for a model hub: which files it has, its `config.json` and its model card. Depends
//! on `exchange`'s network. Must not know run folders, or how the other files in the folder are made:
//! they come in as bytes, and the figures come in as [`CardFacts`].

mod card;
mod config;
mod head;
mod snippets;
#[cfg(test)]
mod tests;

use crate::error::Result;
use crate::exchange::{DenseLayer, DenseNetwork};

/// Names of the files in the folder.
pub const SAFETENSORS: &str = "model.safetensors";
/// Name of the ONNX file.
pub const ONNX: &str = "model.onnx";
const CONFIG: &str = "config.json";
const CARD: &str = "README.md";
const CONFUSION: &str = "confusion.png";
const EXPERIMENT: &str = "config.toml";

/// Facts about a run that its model card states, beside those in the network's metadata.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CardFacts {
    /// The training. `None` for a network that another program trained.
    pub training: Option<Training>,
    /// The test. `None` without one.
    pub test: Option<TestFigures>,
}

/// A training of smallnet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Training {
    /// Number of training images, without the validation images.
    pub num_train: usize,
    /// Number of validation images.
    pub num_validation: usize,
    /// Number of epochs of the exported weights.
    pub num_epochs: usize,
    /// The optimizer and its learning rate, for people.
    pub optimizer: String,
    /// The backend and the engine that computed it, for people.
    pub computed_by: String,
    /// Reason why `config.toml` alone does not give these weights again, as a sentence without a
    /// period. `None` if it does.
    pub not_repeatable: Option<String>,
}

/// Figures of a test on images that the training did not use.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TestFigures {
    /// Number of images.
    pub num_images: usize,
    /// Accuracy in [0, 1].
    pub accuracy: f64,
    /// Both ends of its 95 % interval, in [0, 1].
    pub interval: (f64, f64),
    /// Mean cross-entropy.
    pub loss: f64,
    /// Scores of each class, in the order of the logits. May be empty.
    pub classes: Vec<ClassFigures>,
}

/// Scores of one class, each in [0, 1]. `None` if its denominator is zero.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClassFigures {
    /// Share of the images that are predicted as the class and are of it.
    pub precision: Option<f64>,
    /// Share of the images of the class that are predicted as it.
    pub recall: Option<f64>,
    /// Harmonic mean of both.
    pub f1: Option<f64>,
    /// Number of images of the class.
    pub num_images: u64,
}

/// Contents of the files that other modules make.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parts {
    /// The network as ONNX, with the input `images` and the output `probabilities`.
    pub onnx: Vec<u8>,
    /// The network as safetensors in PyTorch's layout.
    pub safetensors: Vec<u8>,
    /// The experiment file. `None` for a network that another program trained.
    pub experiment: Option<String>,
    /// The confusion matrix as a PNG picture. `None` without a test.
    pub confusion: Option<Vec<u8>>,
}

/// Returns the files of the folder: names and contents.
///
/// # Errors
/// A network that [`DenseNetwork::check`] refuses.
pub fn write(network: &DenseNetwork, facts: &CardFacts, parts: Parts) -> Result<Vec<(String, Vec<u8>)>> {
    network.check()?;
    let card = card::write(network, facts, parts.confusion.is_some());
    let files = [
        (SAFETENSORS, Some(parts.safetensors)),
        (ONNX, Some(parts.onnx)),
        (CONFIG, Some(config::write(network)?.into_bytes())),
        (CARD, Some(card.into_bytes())),
        (CONFUSION, parts.confusion),
        (EXPERIMENT, parts.experiment.map(String::into_bytes)),
    ];
    Ok(files.into_iter().filter_map(|(name, content)| Some((name.to_owned(), content?))).collect())
}

/// Number of pixels, and of the outputs of each layer.
fn layer_sizes(network: &DenseNetwork) -> Vec<usize> {
    let outputs = network.layers.iter().map(|layer: &DenseLayer| layer.outputs);
    [network.num_inputs()].into_iter().chain(outputs).collect()
}

/// Name of each class. Their numbers, if the network does not have as many names.
fn class_names(network: &DenseNetwork) -> Vec<String> {
    let names = &network.metadata.class_names;
    match names.len() == network.num_classes() {
        true => names.clone(),
        false => (0..network.num_classes()).map(|class| class.to_string()).collect(),
    }
}
