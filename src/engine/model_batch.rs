//! Owns the interface of a model batch: many networks of one shape that are trained in one batch. It
//! has the shape, the configuration, the batches of the groups, the sums of metrics, and the trait
//! that both implementations have in common.
//! Depends on `data`, `model` and `optim`. Must not know the engines.

use crate::data::Split;
use crate::error::Result;
use crate::model::{Activation, Initializer};
use crate::optim::OptimizerConfig;

/// Shape of a model batch. Networks are numbered group by group: network `m` belongs to group
/// `m / group_size`.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    /// Number of groups.
    pub(crate) num_groups: usize,
    /// Number of networks in each group.
    pub(crate) group_size: usize,
    /// Layer sizes, the same for all networks, from the number of pixels to the number of classes.
    pub(crate) sizes: Vec<usize>,
}

impl Shape {
    /// Number of networks in all groups.
    pub(crate) fn num_models(&self) -> usize {
        self.num_groups * self.group_size
    }

    /// Number of pixels of an image: the inputs of the first layer.
    pub(crate) fn num_pixels(&self) -> usize {
        self.sizes.first().copied().unwrap_or(0)
    }

    /// Number of classes: the outputs of the last layer.
    pub(crate) fn num_classes(&self) -> usize {
        self.sizes.last().copied().unwrap_or(0)
    }
}

/// Description of the networks of a model batch. Lists have one entry per network, group by group.
#[derive(Debug, Clone)]
pub(crate) struct ModelBatchConfig<'a> {
    pub(crate) shape: Shape,
    pub(crate) activation: Activation,
    /// Optimizer of all networks, with a weight decay of 0. Each network has its own weight decay
    /// and its own learning rate.
    pub(crate) optimizer: &'a OptimizerConfig,
    /// Initializer and seed of the initial weights.
    pub(crate) initializers: Vec<(Initializer, u64)>,
    /// Weight decay, 0 for none.
    pub(crate) weight_decays: Vec<f64>,
    /// Share of each target's probability that is spread evenly over all classes, 0 to 1.
    pub(crate) label_smoothing: Vec<f64>,
}

impl ModelBatchConfig<'_> {
    /// Initial weights of layer `layer`, the same that each network would have by itself. The first
    /// layer has the shape `[groups, inputs, group_size · outputs]`, all others
    /// `[models, inputs, outputs]`.
    pub(crate) fn initial_weights(&self, layer: usize) -> Vec<f32> {
        let [inputs, outputs] = [self.shape.sizes[layer], self.shape.sizes[layer + 1]];
        let mut values: Vec<f32> = Vec::with_capacity(self.shape.num_models() * inputs * outputs);
        for group in self.initializers.chunks(self.shape.group_size) {
            let drawn: Vec<Vec<f32>> = group
                .iter()
                .map(|(initializer, seed)| initializer.draw(inputs, outputs, *seed, layer as u64))
                .collect();
            match layer {
                0 => (0..inputs).for_each(|row| {
                    let row = row * outputs..(row + 1) * outputs;
                    drawn.iter().for_each(|weights| values.extend(&weights[row.clone()]));
                }),
                _ => drawn.iter().for_each(|weights| values.extend(weights)),
            }
        }
        values
    }
}

/// Batch of images of one group, as positions in a split.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GroupBatch<'a> {
    /// Split that contains the images.
    pub(crate) split: &'a Split,
    /// Positions of the images in `split`.
    pub(crate) positions: &'a [u32],
}

/// Many networks of one shape that are trained as one program. Their metrics are summed until
/// `take_sums` returns them, so that a GPU is read rarely.
pub(crate) trait ModelBatch {
    /// Trains all networks for one step. `learning_rates` has one entry per network, `batches` one
    /// batch per group, all of one length. The metrics before the update are added to the sums.
    fn train_step(&mut self, batches: &[GroupBatch<'_>], learning_rates: &[f64]);

    /// Adds the metrics of all networks on `batches` to the sums, without label smoothing.
    fn eval_step(&mut self, batches: &[GroupBatch<'_>]);

    /// Returns for each network, group by group, which images of its group's batch it classifies
    /// correctly, in their order. The sums do not change.
    ///
    /// # Errors
    /// A device that fails.
    fn correct_images(&self, batches: &[GroupBatch<'_>]) -> Result<Vec<Vec<bool>>>;

    /// Returns the sums over all steps since the last call, and begins new sums at 0.
    ///
    /// # Errors
    /// A device that fails.
    fn take_sums(&mut self) -> Result<Sums>;
}

/// Metrics summed over the images of some steps, one entry per network.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sums {
    /// Sum of the losses of all images, in nats.
    pub(crate) loss: Vec<f64>,
    /// Number of images classified correctly.
    pub(crate) correct: Vec<f64>,
    /// Number of steps after which the sum of the losses was still finite. A sum that is not finite
    /// stays so, and the next step is the one that diverged.
    pub(crate) finite_steps: Vec<f64>,
    /// Number of images of one group, the same for all groups.
    pub(crate) num_images: usize,
}
