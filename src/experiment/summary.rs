//! Owns what an experiment amounts to before anything is trained: its layers, weights, operations and steps, the loss
//! and the update rule, in numbers and formulas. Builds no network and reads no image.

use serde::Serialize;

use crate::data::InputSpec;
use crate::experiment::Experiment;
use crate::model::{LayerKind, LayerSummary};
use crate::optim::{OptimizerConfig, schedule_formula, update_formula};
use crate::util::format::{counted, grouped, significant};

/// What an experiment amounts to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelSummary {
    /// The experiment's name.
    pub experiment: String,
    /// The images and classes it is for.
    #[serde(flatten)]
    pub layout: InputSpec,
    /// What the network is made of, the image first.
    pub layers: Vec<LayerRow>,
    /// Weights and biases of all layers.
    pub num_parameters: usize,
    /// Their size: four bytes each.
    pub num_bytes: usize,
    /// Floating-point operations for one image on the way forward; see [`crate::model::MlpConfig::layers`].
    pub flops_per_image: usize,
    /// What Flatten does.
    pub flatten: String,
    /// What is made small.
    pub loss: String,
    /// The optimizer's name.
    pub optimizer: String,
    /// What a step does to each weight; see [`update_formula`].
    pub update_rule: Vec<String>,
    /// The learning rate over time.
    pub learning_rate: String,
    /// Images learned from in an epoch.
    pub num_train: usize,
    /// Images in a step.
    pub batch_size: usize,
    /// Steps in an epoch, the short last batch included.
    pub steps_per_epoch: usize,
    /// Epochs at the most.
    pub num_epochs: usize,
    /// Steps at the most.
    pub num_steps: usize,
    /// How the number of steps follows.
    pub steps: String,
}

/// A layer with its name and what there is to say of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerRow {
    /// As people write it.
    pub name: String,
    /// A formula or a few words.
    pub note: String,
    /// Its numbers.
    #[serde(flatten)]
    pub info: LayerSummary,
}

impl ModelSummary {
    /// What `experiment` amounts to on `num_train` training images of `layout`.
    pub fn new(experiment: &Experiment, layout: InputSpec, num_train: usize) -> Self {
        let Experiment { model, optimizer, schedule, training, .. } = experiment;
        let InputSpec { height, width, num_classes } = layout;
        let layers = model.layers(height, width, num_classes);
        let num_parameters = layers.iter().map(|layer| layer.num_parameters).sum();
        let steps_per_epoch = training.steps_per_epoch(num_train);
        let num_epochs = training.num_epochs;
        // A run's number of images may be somebody else's.
        let num_steps = steps_per_epoch.saturating_mul(num_epochs);
        Self {
            experiment: experiment.name.clone(),
            layout,
            num_parameters,
            num_bytes: num_parameters * size_of::<f32>(),
            flops_per_image: layers.iter().filter_map(|layer| layer.flops).sum(),
            layers: layers.into_iter().map(planned).collect(),
            flatten: format!(
                "[{height}, {width}] → [{}], row by row: the pixel in row r, column c becomes number {width} · r + \
                 c; nothing is learned",
                height * width
            ),
            loss: loss(training.label_smoothing, num_classes),
            optimizer: optimizer_name(optimizer).to_owned(),
            update_rule: update_formula(optimizer, training),
            learning_rate: schedule_formula(optimizer, schedule),
            num_train,
            batch_size: training.batch_size,
            steps_per_epoch,
            num_epochs,
            num_steps,
            steps: format!(
                "{}; times {}: {}",
                batches(num_train, training.batch_size),
                counted(num_epochs, "epoch", "epochs"),
                counted(num_steps, "step", "steps")
            ),
        }
    }

    /// A row for each layer: name, output shape, weights, operations, a formula or a few words.
    pub fn rows(&self) -> Vec<[String; 5]> {
        let operations = |flops: Option<usize>| flops.map_or_else(|| "–".to_owned(), grouped);
        let row = |layer: &LayerRow| {
            let (weights, operations) = (grouped(layer.info.num_parameters), operations(layer.info.flops));
            [layer.name.clone(), layer.output(), weights, operations, layer.note.clone()]
        };
        self.layers.iter().map(row).collect()
    }

    /// The size of the weights, in words.
    pub fn size(&self) -> String {
        format!("{} in all, {} bytes", grouped(self.num_parameters), grouped(self.num_bytes))
    }

    /// The operations for one image, in words.
    pub fn flops(&self) -> String {
        format!(
            "{} per image in the forward pass, two for each entry of a weight matrix; all others are not counted",
            grouped(self.flops_per_image)
        )
    }

    /// The layers' sizes, such as `784 → 128 → 10`.
    pub fn shape(&self) -> String {
        let sizes = self.layers.iter().filter_map(|layer| match layer.info.kind {
            LayerKind::Flatten | LayerKind::Linear { .. } => layer.info.output_shape.first(),
            _ => None,
        });
        sizes.map(usize::to_string).collect::<Vec<_>>().join(" → ")
    }
}

/// What [`ModelSummary::rows`] has in its columns.
pub const LAYER_COLUMNS: [&str; 5] = ["layer", "output shape", "parameters", "FLOPs", "formula"];

impl LayerRow {
    /// What a batch of images becomes in it, such as `[batch, 28, 28]`.
    pub fn output(&self) -> String {
        let shape: Vec<_> = self.info.output_shape.iter().map(usize::to_string).collect();
        format!("[batch, {}]", shape.join(", "))
    }
}

fn planned(info: LayerSummary) -> LayerRow {
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
        LayerKind::Activation(activation) => (activation.name(), activation.formula().to_owned()),
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

fn loss(label_smoothing: f64, num_classes: usize) -> String {
    let plain = "cross-entropy −ln p, p the probability given to the true class; mean over the batch";
    match label_smoothing {
        0.0 => plain.to_owned(),
        share => format!(
            "cross-entropy −Σ q ln p over the classes, p the probability given to a class and q the target: 1 for the \
             true class, of which {} are spread evenly over all {num_classes}; mean over the batch",
            significant(share)
        ),
    }
}

fn optimizer_name(optimizer: &OptimizerConfig) -> &'static str {
    match optimizer {
        OptimizerConfig::Sgd(_) => "SGD",
        OptimizerConfig::Adam(_) => "Adam",
        OptimizerConfig::AdamW(_) => "AdamW",
        OptimizerConfig::RmsProp(_) => "RMSprop",
    }
}

/// How many steps an epoch has, and why.
fn batches(num_train: usize, batch_size: usize) -> String {
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
mod tests {
    use super::*;

    const MNIST: InputSpec = InputSpec { height: 28, width: 28, num_classes: 10 };

    #[test]
    fn the_softmax_baseline_by_hand() {
        let plan = ModelSummary::new(&Experiment::default(), MNIST, 60_000);
        assert_eq!((plan.num_parameters, plan.num_bytes, plan.flops_per_image), (7850, 31_400, 15_680));
        assert_eq!((plan.steps_per_epoch, plan.num_steps), (469, 4690));
        assert_eq!(
            plan.steps,
            "60,000 images / 128 per batch: 468 full batches and one of 96, 469 steps per epoch; times 10 epochs: \
             4,690 steps"
        );
        assert_eq!(plan.shape(), "784 → 10");
        assert_eq!(plan.layers[2].note, "784 × 10 + 10 = 7,850");
        assert_eq!(plan.layers[0].output(), "[batch, 28, 28]");
    }

    #[test]
    fn batches_that_fill_or_do_not() {
        assert_eq!(batches(256, 128), "256 images / 128 per batch: 2 full batches, 2 steps per epoch");
        assert_eq!(batches(100, 128), "100 images / 128 per batch: one batch of 100, 1 step per epoch");
    }
}
