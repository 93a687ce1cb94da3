//! Owns the summary of an experiment before its training: layers, parameters, FLOPs, steps, loss
//! and update rule, in numbers and formulas. Depends on `model` and `optim`. It builds no network
//! and reads no image.

use serde::Serialize;

use crate::data::InputSpec;
use crate::experiment::Experiment;
use crate::model::{LayerKind, LayerSummary};
use crate::optim::{average_formula, schedule_formula, update_formula};
use crate::training::TrainingConfig;
use crate::util::format::{counted, grouped, significant};
use crate::util::table::{Column, TextTable, or_dash};

/// The summary of an experiment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelSummary {
    /// The name of the experiment.
    pub experiment: String,
    /// The size of the images and the number of classes.
    #[serde(flatten)]
    pub layout: InputSpec,
    /// The layers of the network, beginning with the image.
    pub layers: Vec<LayerRow>,
    /// The number of weights and biases of all layers.
    pub num_parameters: usize,
    /// The size of the parameters, with four bytes per parameter.
    pub num_bytes: usize,
    /// Floating-point operations of the forward pass per image. See
    /// [`crate::model::MlpConfig::layers`].
    pub flops_per_image: usize,
    /// A description of Flatten.
    pub flatten: String,
    /// The loss function.
    pub loss: String,
    /// The name of the optimizer.
    pub optimizer: String,
    /// The update of a weight in a step, and of its average if there is one. See [`update_formula`].
    pub update_rule: Vec<String>,
    /// The learning rate over time.
    pub learning_rate: String,
    /// The number of training images per epoch.
    pub num_train: usize,
    /// The number of images per step.
    pub batch_size: usize,
    /// The number of steps per epoch, including the shorter last batch.
    pub steps_per_epoch: usize,
    /// The largest number of epochs.
    pub num_epochs: usize,
    /// The largest number of steps.
    pub num_steps: usize,
    /// The calculation of the number of steps.
    pub steps: String,
    /// The changes of the training images, one line for each that is on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub augmentation: Vec<String>,
}

/// A layer with its name and a note.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerRow {
    /// The name for people.
    pub name: String,
    /// A formula or a few words.
    pub note: String,
    /// The numbers of the layer.
    #[serde(flatten)]
    pub info: LayerSummary,
}

impl ModelSummary {
    /// Summarizes `experiment` with `num_train` training images of `layout`.
    pub fn new(experiment: &Experiment, layout: InputSpec, num_train: usize) -> Self {
        let Experiment { augmentation, model, optimizer, schedule, training, .. } = experiment;
        let InputSpec { height, width, num_classes } = layout;
        let layers = model.layers(height, width, num_classes);
        let num_parameters = layers.iter().map(|layer| layer.num_parameters).sum();
        let steps_per_epoch = training.steps_per_epoch(num_train);
        let num_epochs = training.num_epochs;
        // The number of images may come from an untrusted run folder.
        let num_steps = steps_per_epoch.saturating_mul(num_epochs);
        Self {
            experiment: experiment.name.clone(),
            layout,
            num_parameters,
            num_bytes: num_parameters * size_of::<f32>(),
            flops_per_image: layers.iter().filter_map(|layer| layer.flops).sum(),
            layers: layers.into_iter().map(layer_row).collect(),
            flatten: format!(
                "[{height}, {width}] → [{}], row by row: the pixel in row r, column c becomes number {width} · r + \
                 c; nothing is learned",
                height * width
            ),
            loss: loss_formula(training, num_classes),
            optimizer: optimizer.rule().name().to_owned(),
            update_rule: update_formula(optimizer, training.clip_norm, training.clip_value)
                .into_iter()
                .chain(training.average.map(average_formula))
                .collect(),
            learning_rate: schedule_formula(optimizer, schedule),
            num_train,
            batch_size: training.batch_size,
            steps_per_epoch,
            num_epochs,
            num_steps,
            steps: format!(
                "{}; times {}: {}",
                describe_batches(num_train, training.batch_size),
                counted(num_epochs, "epoch", "epochs"),
                counted(num_steps, "step", "steps")
            ),
            augmentation: augmentation.sentences(),
        }
    }

    /// The layers as a table: one row per layer.
    pub fn table(&self) -> TextTable {
        TextTable::new(&LAYER_COLUMNS, &self.layers)
    }

    /// Returns the size of the parameters in words.
    pub fn size(&self) -> String {
        format!("{} in all, {} bytes", grouped(self.num_parameters), grouped(self.num_bytes))
    }

    /// Returns the number of floating-point operations per image in words.
    pub fn flops(&self) -> String {
        format!(
            "{} per image in the forward pass, two for each entry of a weight matrix; all others are not counted",
            grouped(self.flops_per_image)
        )
    }

    /// Returns the sizes of the layers, such as `784 → 128 → 10`.
    pub fn shape(&self) -> String {
        let sizes = self.layers.iter().filter_map(|layer| match layer.info.kind {
            LayerKind::Flatten | LayerKind::Linear { .. } => layer.info.output_shape.first(),
            _ => None,
        });
        sizes.map(usize::to_string).collect::<Vec<_>>().join(" → ")
    }
}

/// The columns of the table of layers.
const LAYER_COLUMNS: [Column<LayerRow>; 5] = [
    Column::text("layer", |layer| layer.name.clone()),
    Column::text("output shape", LayerRow::output),
    Column::number("parameters", |layer| grouped(layer.info.num_parameters)),
    Column::number("FLOPs", |layer| or_dash(layer.info.flops, grouped)),
    Column::text("formula", |layer| layer.note.clone()),
];

impl LayerRow {
    /// Returns the shape of the layer's output, such as `[batch, 28, 28]`.
    pub fn output(&self) -> String {
        let shape: Vec<_> = self.info.output_shape.iter().map(usize::to_string).collect();
        format!("[batch, {}]", shape.join(", "))
    }
}

fn layer_row(info: LayerSummary) -> LayerRow {
    let (name, note) = match info.kind {
        LayerKind::Input => ("Image", "pixels from 0 to 1".to_owned()),
        LayerKind::Flatten => ("Flatten", "one row of pixels after the other".to_owned()),
        LayerKind::Linear { inputs, outputs } => (
            "Linear",
            format!(
                "{} × {} + {} = {}",
                grouped(inputs),
                grouped(outputs),
                grouped(outputs),
                grouped(info.num_parameters)
            ),
        ),
        LayerKind::Activation(activation) => (activation.name(), activation.formula()),
        LayerKind::Dropout { probability } => (
            "Dropout",
            format!(
                "while training, each is 0 with probability {}, else divided by {}",
                significant(probability),
                significant(1.0 - probability)
            ),
        ),
        LayerKind::Softmax => ("Softmax", "logits become probabilities".to_owned()),
    };
    LayerRow { name: name.to_owned(), note, info }
}

fn loss_formula(training: &TrainingConfig, num_classes: usize) -> String {
    let plain = "cross-entropy −ln p, p the probability given to the true class; mean over the batch";
    let loss = match training.label_smoothing {
        0.0 => plain.to_owned(),
        share => format!(
            "cross-entropy −Σ q ln p over the classes, p the probability given to a class and q the target: 1 for the \
             true class, of which {} are spread evenly over all {num_classes}; mean over the batch",
            significant(share)
        ),
    };
    match training.mixup.map(significant) {
        None => loss,
        Some(alpha) => format!(
            "{loss}; mixup: λ of each image and 1 − λ of the next one in the batch, λ from Beta({alpha}, {alpha}) per step, with \
             λ of the first loss and 1 − λ of the second"
        ),
    }
}

/// Describes the batches and the steps of an epoch.
fn describe_batches(num_train: usize, batch_size: usize) -> String {
    let (full, rest) = (num_train / batch_size, num_train % batch_size);
    let batches = match (full, rest) {
        (_, 0) => counted(full, "full batch", "full batches"),
        (0, _) => format!("one batch of {}", grouped(rest)),
        _ => format!("{} and one of {}", counted(full, "full batch", "full batches"), grouped(rest)),
    };
    format!(
        "{} / {} per batch: {batches}, {} per epoch",
        counted(num_train, "image", "images"),
        grouped(batch_size),
        counted(num_train.div_ceil(batch_size), "step", "steps")
    )
}

#[cfg(test)]
mod tests;
