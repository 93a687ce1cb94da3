//! The import of a network from a file of another program into a run folder.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf, absolute};

use burn::module::Module;
use sha2::{Digest, Sha256};

use crate::backend::Compute;
use crate::data::{InputSpec, Source, catalog_entries, evaluation_batch_size};
use crate::error::{Error, Result};
use crate::evaluation::{Evaluation, evaluate};
use crate::exchange::{self, DenseNetwork, Layout, MAX_FILE_BYTES, ModelMetadata};
use crate::experiment::{Experiment, MAX_NAME_LENGTH};
use crate::model::{Activation, Mlp, weights_sha256};
use crate::pipeline::inputs::start_info;
use crate::pipeline::{Splits, report};
use crate::run;
use crate::run::diagnosis::{Finding, diagnose_training};
use crate::run::{
    DataInfo, ImportedNetwork, PixelScaling, RunFolder, RunInfo, RunSummary, Status, TestEvaluation,
};
use crate::util::files;
use crate::util::format::counted;
use crate::util::hex::hex;

/// File with a network, and what the user states about it.
#[derive(Debug, Clone, Default)]
pub struct ImportRequest {
    /// The file.
    pub path: PathBuf,
    /// The name of the experiment. `None` for the name of the file.
    pub name: Option<String>,
    /// The data set. `None` for the one that the file names, or else MNIST.
    pub data: Option<Source>,
    /// Whether pictures of the data set that cannot be read are left out.
    pub skip_broken: bool,
    /// The activation of the hidden layers, where the file does not state it.
    pub activation: Option<Activation>,
    /// The layout of the weights, where the file does not show it.
    pub layout: Option<Layout>,
    /// The preprocessing that the other program does outside the network.
    pub scaling: PixelScaling,
}

/// A run that was made of a file.
#[derive(Debug)]
pub struct ImportedRun {
    /// The folder of the run.
    pub folder: RunFolder,
    /// The experiment: the network and the data set.
    pub experiment: Experiment,
    /// The content of `run.json`.
    pub info: RunInfo,
    /// The content of `summary.json`.
    pub summary: RunSummary,
    /// The evaluation on the test images. `None` without labelled ones.
    pub evaluation: Option<Evaluation>,
    /// Sentences about the file and the data set, for the user.
    pub notes: Vec<String>,
    /// Signs that the network does not fit the images as they are.
    pub findings: Vec<Finding>,
    /// The path of the page about the run, or the error of writing it.
    pub report: Result<PathBuf>,
}

/// Reads the network in a file, tests it on the test images of a data set, and saves both as a run in
/// `artifacts`. Nothing is written before all of this has succeeded.
///
/// # Errors
/// A file that cannot be read or has another network than one of fully connected layers, a hidden layer
/// without a known activation, a data set that does not fit, or a folder that cannot be written.
pub fn import(request: &ImportRequest, compute: Compute, artifacts: &Path) -> Result<ImportedRun> {
    request.scaling.check()?;
    let (mut network, imported) = read_file(request)?;
    set_activation(&mut network, request.activation, &imported)?;
    scale(&mut network, request.scaling);
    let experiment = describe(request, &network)?;
    RunFolder::check_writable(artifacts, &experiment.name)?;

    let handle = compute.open()?;
    let splits = Splits::load_checked(&experiment)?;
    check_fit(&network, &splits, &experiment)?;
    let mut notes = splits.notes.clone();
    let mut data = splits.info(&experiment.data.source);
    name_classes(&mut data, &network.metadata, &mut notes)?;
    note_other_data(&data, &network.metadata, &mut notes);
    let model = network.to_model(&handle.device)?.with_engine(handle.engine);
    let evaluation = test(&model, &splits, &handle.device)?;

    let now = run::now();
    let digest = weights_sha256(&model)?;
    let mut info = start_info(&experiment, compute, &handle, data, now);
    info.imported = Some(imported);
    info.weights_sha256 = Some(digest.clone());
    info.ended_at = Some(run::timestamp(run::now()));
    info.status = Status::Finished;
    let summary = summarize(&model, digest.clone(), evaluation.as_ref());
    let fill = |folder: &RunFolder| {
        folder.save_model(&model)?;
        if let Some(evaluation) = evaluation.clone() {
            folder.write_test(&TestEvaluation::new(evaluation, &splits.test, digest))?;
        }
        folder.write_summary(&summary)
    };
    let (folder, lock, info) = RunFolder::create(artifacts, &experiment, info, fill, now)?;
    drop(lock);
    let findings = diagnose_training(&experiment, &info, evaluation.as_ref(), Some(&summary), &[]);
    let report = report(&folder);
    Ok(ImportedRun { folder, experiment, info, summary, evaluation, notes, findings, report })
}

/// Reads the file, and returns its network and the record of it.
fn read_file(request: &ImportRequest) -> Result<(DenseNetwork, ImportedNetwork)> {
    let path = &request.path;
    let bytes = files::read_named_up_to(path, MAX_FILE_BYTES)?;
    let (format, network) = exchange::read(&bytes, request.layout).map_err(|error| {
        let hint = error.hint_text().map(str::to_owned);
        let error = error.in_context(format!("cannot import `{}`: {}", path.display(), error.message()));
        hint.map_or(error.clone(), |hint| error.hint(hint))
    })?;
    let file = absolute(path).map_err(|error| Error::io("find", path, error))?;
    let imported = ImportedNetwork {
        file: file.display().to_string(),
        sha256: hex(&Sha256::digest(&bytes)),
        format: format.name().to_owned(),
        activation: request.activation.filter(|_| network.layers.len() > 1),
        layout: request.layout.map(|layout| layout.key().to_owned()),
        scaling: request.scaling,
    };
    Ok((network, imported))
}

/// Gives the hidden layers the activation that the user states, if the file states none.
fn set_activation(
    network: &mut DenseNetwork,
    stated: Option<Activation>,
    imported: &ImportedNetwork,
) -> Result<()> {
    if network.layers.len() < 2 {
        return Ok(());
    }
    let file = imported.file_name();
    match (network.activation, stated) {
        (Some(own), Some(stated)) if own != stated => Err(Error::usage(format!(
            "`{file}` says that its hidden layers have the activation {}, and `--activation` says {}",
            own.name(),
            stated.name()
        ))
        .hint("leave out `--activation`")),
        (None, None) => Err(Error::usage(format!(
            "`{file}` has {} and does not say the activation",
            counted(network.layers.len() - 1, "hidden layer", "hidden layers")
        ))
        .hint("state it, such as `--activation relu`; others are leaky-relu, gelu, silu, sigmoid and tanh")),
        (own, stated) => {
            network.activation = own.or(stated);
            Ok(())
        }
    }
}

/// Folds the preprocessing of the other program into the first layer.
fn scale(network: &mut DenseNetwork, scaling: PixelScaling) {
    if !scaling.is_none() {
        let (factor, offset) = scaling.factor_and_offset();
        let num_inputs = network.num_inputs();
        network.fold_scaling(&vec![factor; num_inputs], &vec![offset; num_inputs]);
    }
}

/// Returns the experiment that has this network and the data set.
fn describe(request: &ImportRequest, network: &DenseNetwork) -> Result<Experiment> {
    let mut experiment = Experiment {
        name: request.name.clone().unwrap_or_else(|| name_of(&request.path)),
        model: network.model_config(),
        ..Experiment::default()
    };
    experiment.data.source = data_source(request, &network.metadata)?.to_absolute()?.to_string();
    experiment.data.skip_broken = request.skip_broken;
    experiment.check()?;
    Ok(experiment)
}

/// Returns the name of the file without its extension, with a `-` for each character that no name of
/// an experiment has.
fn name_of(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let name: String =
        stem.chars().map(|c| if is_allowed(c) { c } else { '-' }).take(MAX_NAME_LENGTH).collect();
    match name.trim_start_matches(['-', '.']) {
        "" => "imported".to_owned(),
        name => name.to_owned(),
    }
}

/// Returns the data set: the user's, or the one that the file names, or else MNIST. A path in the
/// file is one of another machine, and no file may say which paths are read.
fn data_source(request: &ImportRequest, metadata: &ModelMetadata) -> Result<Source> {
    if let Some(source) = &request.data {
        return Ok(source.clone());
    }
    let Some(text) = &metadata.data_source else { return Ok(Source::mnist()) };
    let source = Source::parse(text);
    if source.is_mnist() || catalog_entries()?.iter().any(|entry| entry.name == text) {
        return Ok(source);
    }
    Err(Error::usage(format!(
        "the network in `{}` was trained on the data set `{text}`",
        request.path.display()
    ))
    .hint("say where that data set is on this machine: `--data PATH`"))
}

/// Checks that the network takes the images of the data set and has one logit per class.
fn check_fit(network: &DenseNetwork, splits: &Splits, experiment: &Experiment) -> Result<()> {
    let InputSpec { height, width, num_classes } = splits.layout;
    let source = &experiment.data.source;
    let hint = "name the data set that the network was trained on: `--data DATA`";
    let stated = network.metadata.image_size;
    if network.num_inputs() != height * width || stated.is_some_and(|size| size != (height, width)) {
        let size = stated.map_or_else(String::new, |(height, width)| format!(" of {height}x{width} pixels"));
        return Err(Error::data(format!(
            "the network takes images{size} with {} values, and the images in `{source}` have {height}x{width} pixels, which is \
             {}",
            network.num_inputs(),
            height * width
        ))
        .hint(hint));
    }
    if network.num_classes() != num_classes {
        return Err(Error::data(format!(
            "the network has {} outputs, and `{source}` has {num_classes} classes",
            network.num_classes()
        ))
        .hint(hint));
    }
    experiment.model.check_memory(height * width, num_classes, evaluation_batch_size(height * width))
}

/// Gives the classes the names in the file, if it has some. A note says so if the data set has others.
///
/// # Errors
/// As many names as there are no classes, or the names of the data set in another order: then the
/// outputs of the network would be taken for other classes.
fn name_classes(data: &mut DataInfo, metadata: &ModelMetadata, notes: &mut Vec<String>) -> Result<()> {
    let names = &metadata.class_names;
    if names.is_empty() || *names == data.class_names {
        return Ok(());
    }
    if names.len() != data.layout.num_classes {
        return Err(Error::data(format!(
            "the file has {} names of classes, and `{}` has {} classes",
            names.len(),
            data.source,
            data.layout.num_classes
        )));
    }
    let (own, other): (BTreeSet<_>, BTreeSet<_>) =
        (data.class_names.iter().collect(), names.iter().collect());
    if own == other {
        return Err(Error::data(format!(
            "the classes of the file are in the order {}, and those of `{}` in the order {}",
            names.join(", "),
            data.source,
            data.class_names.join(", ")
        ))
        .hint("name the data set that the network was trained on: `--data DATA`"));
    }
    if let Some((name, own)) = names.iter().zip(&data.class_names).find(|(name, own)| name != own) {
        notes.push(format!(
            "the classes have the names in the file, such as `{name}` for `{own}` of the data set"
        ));
    }
    if data.class_labels.is_empty() {
        data.class_labels.clone_from(&data.class_names);
    }
    data.class_names.clone_from(names);
    Ok(())
}

/// Adds a note if the file says that the network was trained on other images.
fn note_other_data(data: &DataInfo, metadata: &ModelMetadata, notes: &mut Vec<String>) {
    if metadata.data_sha256.as_ref().is_some_and(|digest| *digest != data.sha256) {
        notes.push(
            "the file names another digest of its data set: the network was trained on other images"
                .to_owned(),
        );
    }
}

/// Evaluates the network on the test images, if they have labels.
fn test(model: &Mlp, splits: &Splits, device: &burn::tensor::Device) -> Result<Option<Evaluation>> {
    if splits.test.is_empty() || !splits.test.is_labelled() {
        return Ok(None);
    }
    let evaluation = evaluate(model, &splits.test, device)?;
    match evaluation.loss.is_finite() {
        true => Ok(Some(evaluation)),
        false => {
            Err(Error::data(format!("the test loss of the network is {}", evaluation.loss))
                .hint(SCALING_HINT))
        }
    }
}

/// Hint where the weights do not fit pixels from 0 to 1.
const SCALING_HINT: &str =
    "the network may take other pixels than 0 to 1: see `--value-range`, `--mean` and `--std`";

/// Returns the summary of a network that was not trained here.
fn summarize(model: &Mlp, weights_sha256: String, evaluation: Option<&Evaluation>) -> RunSummary {
    RunSummary {
        test_accuracy: evaluation.map(|evaluation| evaluation.accuracy),
        test_loss: evaluation.map(|evaluation| evaluation.loss),
        num_parameters: model.num_params(),
        steps_per_epoch: 0,
        num_epochs: 0,
        seconds_per_epoch: None,
        best_epoch: None,
        model_epoch: None,
        weights_sha256,
        test_balanced_accuracy: evaluation.and_then(Evaluation::balanced_accuracy),
        untested: None,
        validation_accuracy: None,
        validation_loss: None,
        skipped_test: false,
    }
}

#[cfg(test)]
mod tests;
