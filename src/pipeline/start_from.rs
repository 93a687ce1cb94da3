//! The start of a new run from the weights of another run.

use std::path::Path;

use crate::backend::Compute;
use crate::data::{Classes, InputSpec};
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::model::{Activation, MlpConfig, weights_sha256};
use crate::pipeline::inputs::RunInputs;
use crate::pipeline::train::create;
use crate::pipeline::{LoadedModel, PreparedRun};
use crate::run;
use crate::run::SourceRun;
use crate::util::format::counted;

/// Prepares a run as [`prepare`](crate::pipeline::prepare) does, but the network has the weights of
/// `source`. If the data set has another number of classes, its last layer is initialized anew from
/// the seed. Optimizer, schedule and order of the images start anew.
///
/// The last layer is kept if the number of classes is the same, whatever their names are. A note
/// says so if the names differ.
///
/// # Errors
/// Those of `prepare`, an experiment with other hidden layers or another activation, images of
/// another size, or another number of classes where the last layer is the only one.
pub fn prepare_from(
    experiment: Experiment,
    source: &LoadedModel,
    compute: Compute,
    artifacts: &Path,
) -> Result<PreparedRun> {
    check_network(&experiment, source)?;
    let inputs = RunInputs::new(&experiment, compute)?;
    start(experiment, source, compute, inputs, artifacts)
}

/// Prepares a run as [`prepare_from`] does, but its classes are those of `source`, even if the images
/// have only some of them. So the last layer is kept, and each output keeps its meaning.
///
/// # Errors
/// Those of [`prepare_from`], or no image of a class of `source`.
pub fn prepare_from_keeping_classes(
    experiment: Experiment,
    source: &LoadedModel,
    compute: Compute,
    artifacts: &Path,
) -> Result<PreparedRun> {
    check_network(&experiment, source)?;
    let inputs = RunInputs::new_of(&experiment, compute, &source.info.data.classes())?;
    start(experiment, source, compute, inputs, artifacts)
}

/// Gives the network in `inputs` the weights of `source`, and creates the run.
fn start(
    experiment: Experiment,
    source: &LoadedModel,
    compute: Compute,
    mut inputs: RunInputs,
    artifacts: &Path,
) -> Result<PreparedRun> {
    check_images(inputs.splits.layout, source, &experiment)?;
    let new_last_layer = inputs.splits.layout.num_classes != source.info.data.layout.num_classes;
    let num_layers = source.model.layers().len() - usize::from(new_last_layer);
    inputs.model = inputs.model.with_layers_of(&source.model, num_layers)?;
    let classes = &inputs.splits.properties.classes;
    let note = match new_last_layer {
        true => Some(format!(
            "{} instead of {}: the last layer is new, drawn from seed {}; all other layers are those of the run",
            counted(classes.len(), "class", "classes"),
            source.info.data.layout.num_classes,
            experiment.seed
        )),
        false => other_names(classes, &source.info.data.classes()),
    };
    inputs.splits.notes.extend(note);
    let source_run = SourceRun {
        id: source.folder.id(),
        path: path(source),
        weights_sha256: weights_sha256(&source.model)?,
        new_last_layer,
        initial_weights_sha256: weights_sha256(&inputs.model)?,
    };
    create(experiment, compute, inputs, Some(source_run), artifacts)
}

/// Returns the path of the run's folder, or of the folder of its checkpoint.
fn path(source: &LoadedModel) -> String {
    let folder = run::checkpoint_folder(&source.weights_path).unwrap_or(source.folder.path());
    folder.display().to_string()
}

/// Returns a note about classes with other names than those of the run, whose number is the same.
fn other_names(classes: &Classes, own: &Classes) -> Option<String> {
    let (name, own_name) = classes.names().iter().zip(own.names()).find(|(name, own)| name != own)?;
    Some(format!(
        "the classes have other names than those of the run, such as `{name}` for `{own_name}`; their number is the same, so \
         the last layer is kept"
    ))
}

/// Checks that `experiment` describes the hidden layers of the run.
fn check_network(experiment: &Experiment, source: &LoadedModel) -> Result<()> {
    let (wanted, own) = (&experiment.model, &source.experiment.model);
    let has_same_activation = wanted.activation == own.activation || own.hidden.is_empty();
    if wanted.hidden == own.hidden && has_same_activation {
        return Ok(());
    }
    Err(Error::usage(format!(
        "the experiment `{}` has {}, and the run `{}` has {}",
        experiment.name,
        describe(wanted),
        path(source),
        describe(own)
    ))
    .hint("weights fit a network of the same shape alone: leave out the experiment, so that the run's own is trained, or `--from`"))
}

/// Describes the shape of a network apart from its input and output: `hidden layers [128, 64] with
/// Tanh`.
fn describe(model: &MlpConfig) -> String {
    let activation = match model.activation {
        Activation::LeakyRelu { slope } => format!("Leaky ReLU of slope {slope}"),
        other => other.name().to_owned(),
    };
    match model.hidden.len() {
        0 => "no hidden layer".to_owned(),
        1 => format!("a hidden layer {:?} with {activation}", model.hidden),
        _ => format!("hidden layers {:?} with {activation}", model.hidden),
    }
}

/// Checks that the images have the size that the network takes, and that a layer of it is left if
/// the number of classes differs.
fn check_images(images: InputSpec, source: &LoadedModel, experiment: &Experiment) -> Result<()> {
    let (own, data) = (source.info.data.layout, &experiment.data.source);
    if (images.height, images.width) != (own.height, own.width) {
        return Err(Error::data(format!(
            "the images in `{data}` have {}x{} pixels, expected {}x{} as the network of the run takes them",
            images.height, images.width, own.height, own.width
        ))
        .hint("pictures can be resized: `--set 'data.image_size=[HEIGHT,WIDTH]'`"));
    }
    if images.num_classes != own.num_classes && source.experiment.model.hidden.is_empty() {
        return Err(Error::data(format!(
            "`{data}` has {}, and the run has {}: the only layer of its network is that of the classes, so nothing of it \
             would be left",
            counted(images.num_classes, "class", "classes"),
            own.num_classes
        ))
        .hint(
            "if they are classes of the run, keep all of its classes: `--keep-classes`; otherwise, train without `--from`, or \
             start from a network with a hidden layer",
        ));
    }
    Ok(())
}
