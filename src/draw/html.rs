//! Owns the HTML of the page: its data, its script, and the policy that lets a browser run this script
//! alone. Depends on `report` for the styles that all pages share.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use maud::{Markup, PreEscaped, html};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::data::{DataConfig, Doubt, InputSpec, Polarity, Preparation, Shape};
use crate::draw::images::PageImages;
use crate::draw::network::{PageLayer, Weights};
use crate::error::{Error, Result};
use crate::experiment::summary::ModelSummary;
use crate::model::{Activation, weights_sha256};
use crate::pipeline::LoadedModel;
use crate::report::components::shell_word;
use crate::report::layout;
use crate::run;
use crate::util::format::{counted, percent};

const BODY: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/style.css");

/// The script, in the order of its parts. They share one scope.
const SCRIPT: [&str; 9] = [
    include_str!("page/network.js"),
    include_str!("page/strokes.js"),
    include_str!("page/prepare.js"),
    include_str!("page/doubt.js"),
    include_str!("page/paper.js"),
    include_str!("page/answer.js"),
    include_str!("page/pictures.js"),
    include_str!("page/collection.js"),
    include_str!("page/page.js"),
];

/// Data that the script reads from the page.
#[derive(Serialize)]
struct PageData<'a> {
    /// Run or checkpoint for the commands in the page.
    run: String,
    /// Settings that a training on drawings needs in place of the run's.
    settings: String,
    digest: String,
    height: usize,
    width: usize,
    preparation: Preparation,
    polarity: Polarity,
    /// Shares of the training images that are light on dark, and dark on light.
    polarity_shares: Option<[f64; 2]>,
    /// Ranges of the training images' measures, for doubts.
    shape: Option<Shape>,
    doubts: Vec<(Doubt, String)>,
    names: Vec<String>,
    /// Word for each class in a data set, which smallnet reads as this class.
    words: Vec<String>,
    /// Column of a data set in which this network's experiment expects the classes.
    label_column: String,
    /// Number in a data set that this network's experiment reads as white.
    white: f64,
    /// True if this network's experiment exchanges rows and columns of any data set.
    is_transposed: bool,
    activation: &'static str,
    slope: f64,
    layers: Vec<PageLayer>,
    images: Option<&'a PageImages>,
}

/// Builds the page of `saved`, with `weights` and test images.
///
/// # Errors
/// A device that fails, or numbers that JSON cannot represent.
pub(super) fn page(saved: &LoadedModel, weights: &Weights, images: Option<&PageImages>) -> Result<String> {
    let data = serde_json::to_string(&data(saved, weights, images)?)
        .map_err(|error| Error::new(format!("cannot write the page's data: {error}")))?;
    let script = SCRIPT.concat();
    let style = [layout::STYLE, STYLE].concat();
    let title = title(saved);
    let body = html! {
        main.draw {
            header { (header(saved, &title)?) }
            noscript { p.warning { "This page computes the answers itself: it needs JavaScript." } }
            (PreEscaped(BODY))
            (layout::footer(&format!("from the run {}; nothing that you draw leaves this page", saved.folder.id())))
        }
        // A browser does not run data.
        script type="application/json" id="data" { (PreEscaped(script_safe(&data))) }
        script { (PreEscaped(&script)) }
    };
    Ok(layout::document(&title, &policy(&script, &style), &style, &body))
}

/// Policy under which the browser runs this script and applies these styles, and fetches nothing.
fn policy(script: &str, style: &str) -> String {
    let digest = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; img-src data: blob:; base-uri 'none'; \
         form-action 'none'",
        digest(script),
        digest(style)
    )
}

/// JSON that may stand in a script element, whatever its strings contain: without `<`, which could end
/// the element or begin a comment.
fn script_safe(json: &str) -> String {
    json.replace('<', "\\u003c")
}

fn data<'a>(saved: &LoadedModel, weights: &Weights, images: Option<&'a PageImages>) -> Result<PageData<'a>> {
    let (info, config) = (&saved.info.data, &saved.experiment.data);
    let InputSpec { height, width, .. } = info.layout;
    let classes = info.classes();
    let mut unique = classes.names().to_vec();
    unique.sort();
    unique.dedup();
    let words = if unique.len() == classes.len() { classes.names() } else { classes.labels() };
    let activation = saved.experiment.model.activation;
    Ok(PageData {
        run: match run::checkpoint_folder(&saved.weights_path) {
            Some(checkpoint) => shell_word(&checkpoint.display().to_string()),
            None => saved.folder.id(),
        },
        settings: settings(config, [height, width]),
        digest: weights_sha256(&saved.model)?,
        height,
        width,
        preparation: info.picture_preparer(None).preparation,
        polarity: info.appearance.map_or(Polarity::LightOnDark, |appearance| appearance.polarity),
        polarity_shares: info.appearance.map(|it| [it.light_on_dark_share, it.dark_on_light_share]),
        shape: info.appearance.and_then(|appearance| appearance.shape),
        doubts: Doubt::KINDS.map(|doubt| (doubt, doubt.to_string())).to_vec(),
        names: classes.names().to_vec(),
        words: words.to_vec(),
        label_column: config.label_column.clone().unwrap_or_else(|| "label".to_owned()),
        white: config.scale.unwrap_or(255.0),
        is_transposed: config.transpose == Some(true),
        activation: activation.key(),
        slope: if let Activation::LeakyRelu { slope } = activation { slope } else { 0.0 },
        layers: weights.layers(),
        images,
    })
}

/// Settings of a training on drawings. A few drawings are neither held out nor set aside for a test, and a CSV
/// file does not have the shape of images that are not square.
fn settings(config: &DataConfig, [height, width]: [usize; 2]) -> String {
    let mut settings = String::from("data.validation=0");
    if config.test > 0.0 {
        settings += " data.test=0";
    }
    if height != width {
        let [rows, columns] = if config.transpose == Some(true) { [width, height] } else { [height, width] };
        settings += &format!(" 'data.image_size=[{rows},{columns}]'");
    }
    settings
}

/// Purpose of the page, as its title: `Draw a digit`.
fn title(saved: &LoadedModel) -> String {
    let info = &saved.info.data;
    let classes = info.classes();
    let all = |is_kind: fn(char) -> bool| {
        classes.names().iter().all(|name| name.chars().count() == 1 && name.chars().all(is_kind))
    };
    match info.picture_preparer(None).preparation {
        Preparation::Whole => "Load a picture, or draw",
        _ if all(|letter| letter.is_ascii_digit()) => "Draw a digit",
        _ if all(char::is_alphabetic) => "Draw a letter",
        _ => "Draw a character",
    }
    .to_owned()
}

fn header(saved: &LoadedModel, title: &str) -> Result<Markup> {
    let InputSpec { height, width, num_classes } = saved.info.data.layout;
    let shape =
        ModelSummary::new(&saved.experiment, saved.info.data.layout, saved.info.data.num_train).shape();
    let summary = saved.folder.summary(&saved.info)?.filter(|_| saved.is_final());
    let accuracy = summary.and_then(|summary| summary.test_accuracy);
    Ok(html! {
        h1 { (title) }
        p {
            "The network " strong { (saved.info.experiment) } " (" (shape) ") answers while you draw."
            span.more {
                " It takes images of " (height) "\u{d7}" (width) " pixels and knows "
                (counted(num_classes, "class", "classes")) "."
                @if let Some(accuracy) = accuracy { " It is right about " (percent(accuracy)) " of the test images." }
            }
        }
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
