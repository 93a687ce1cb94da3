//! Owns the learning-rate range test (Smith 2017, "Cyclical Learning Rates for Training Neural
//! Networks", section 3.3): one short training in which the rate rises from step to step.
//! Depends on `engine` for the steps. Must not know schedules, epochs, or validation and test
//! images. It discards the trained network.

use burn::data::dataloader::DataLoader;
use burn::tensor::Device;
use burn::train::{Interrupter, ItemLazy, TrainStep};
use serde::Serialize;

use crate::data::Split;
use crate::engine::LazyMetrics;
use crate::error::{Error, Result};
use crate::model::Mlp;
use crate::training::fit::burn_error;
use crate::training::step::randomized;
use crate::training::{Hyperparameters, shuffled_loader};

/// Sweep of the learning rate, which rises by the same factor from each step to the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sweep {
    from: f64,
    to: f64,
    /// Number of steps; `None` for the steps of an epoch, from 100 to 500.
    num_steps: Option<usize>,
}

/// Default first and last rate of a sweep. They are so far apart that the sweep suits any
/// optimizer.
pub const DEFAULT_RATES: (f64, f64) = (1e-5, 100.0);
/// Smallest number of steps. Fewer steps do not make a curve.
const MIN_STEPS: usize = 10;
/// Largest number of steps. Nobody would wait for more.
const MAX_STEPS: usize = 1_000_000;

impl Sweep {
    /// Returns a sweep from the rate `from` to the rate `to`, in `num_steps` steps. Without
    /// `num_steps`, it has as many steps as an epoch, but at least 100 and at most 500.
    ///
    /// # Errors
    /// A rate that is not above 0 or not finite, a `from` that is not below `to`, or a number of
    /// steps that is not from 10 to 1,000,000.
    pub fn new(from: f64, to: f64, num_steps: Option<usize>) -> Result<Self> {
        for (name, rate) in [("from", from), ("to", to)] {
            if !(rate > 0.0 && rate.is_finite()) {
                return Err(Error::usage(format!("`--{name}` is {rate}, expected a number above 0")));
            }
        }
        if from >= to {
            return Err(Error::usage(format!("`--from` is {from}, expected less than `--to`, {to}")).hint(
                "the learning rate rises from `--from` to `--to`; left out, they are 0.00001 and 100",
            ));
        }
        let is_possible = |steps: usize| (MIN_STEPS..=MAX_STEPS).contains(&steps);
        match num_steps.filter(|&steps| !is_possible(steps)) {
            None => Ok(Self { from, to, num_steps }),
            Some(steps) => Err(Error::usage(format!(
                "`--steps` is {steps}, expected a whole number from {MIN_STEPS} to {MAX_STEPS}"
            ))
            .hint("left out, it is the steps of an epoch, from 100 to 500")),
        }
    }

    /// Returns the number of steps of the sweep, if an epoch has `steps_per_epoch`.
    pub fn num_steps(&self, steps_per_epoch: usize) -> usize {
        self.num_steps.unwrap_or(steps_per_epoch.clamp(100, 500))
    }

    /// Returns the rate of a step of `num_steps`, counted from 0. It is exactly `from` in the first
    /// step and exactly `to` in the last one.
    fn learning_rate(&self, step: usize, num_steps: usize) -> f64 {
        let done = step as f64 / (num_steps - 1) as f64;
        self.from.powf(1.0 - done) * self.to.powf(done)
    }
}

/// Request for a range test of one network.
pub struct RangeSetup<'a> {
    /// Network with its initial weights.
    pub model: Mlp,
    /// Hyperparameters of the training. Learning rate, schedule, epochs, early stopping and the
    /// average of the weights are not used.
    pub hyperparameters: Hyperparameters<'a>,
    /// Seed of the order, the changes and the mixtures of the images, and of the dropout masks.
    pub seed: u64,
    /// Training images.
    pub train: Split,
    /// Device that computes the test. Must not be an autodiff device.
    pub device: &'a Device,
    /// Learning rates of the steps.
    pub sweep: Sweep,
}

/// One step of a range test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RatePoint {
    /// Step, counted from 1.
    pub step: usize,
    /// Learning rate of the step's update.
    pub learning_rate: f64,
    /// Mean loss on the step's batch, before its update.
    pub loss: f64,
    /// Mean of the losses so far, in which the latest losses count most; see [`RangeTest`].
    pub smoothed_loss: f64,
}

/// Result of a range test.
///
/// Losses of single batches scatter, so they are smoothed as in fastai: by an exponential moving
/// average, divided by the sum of its weights because it starts at 0 (Kingma and Ba 2015,
/// section 3). fastai keeps 0.98 of the average in each step. So its average extends over 50 steps,
/// which in a sweep of 469 is most of a decade. The curve would lag behind, and so would every rate
/// that is read from it. Here the average extends over a 35th of the sweep. This is a fifth of a
/// decade in the seven decades of the default.
#[derive(Debug, Clone, PartialEq)]
pub struct RangeTest {
    /// All steps, including the one that diverged.
    pub points: Vec<RatePoint>,
    /// True if the test was stopped because the smoothed loss rose above four times its lowest
    /// value, or was not finite.
    pub has_diverged: bool,
    /// Number of steps of the whole sweep.
    pub(super) num_steps: usize,
}

/// Length of the sweep, divided by the length of the moving average.
const WINDOWS: f64 = 35.0;
/// Multiple of the lowest smoothed loss above which a training counts as diverged, as in fastai.
const DIVERGED: f64 = 4.0;
/// Steps that are read from the device in one transfer. A read makes a GPU wait.
const STEPS_PER_READ: usize = 16;

/// Trains once with a rising rate, and calls `on_step` with each step. Returns `None` if it was
/// interrupted.
///
/// # Errors
/// No images to train on, or an error of the device.
pub fn range_test(
    trial: RangeSetup<'_>,
    interrupter: &Interrupter,
    mut on_step: impl FnMut(&RatePoint),
) -> Result<Option<RangeTest>> {
    let RangeSetup { model, hyperparameters, seed, train, device, sweep } = trial;
    let Hyperparameters { optimizer, training, .. } = hyperparameters;
    if train.is_empty() {
        return Err(Error::data("there are no images to train on"));
    }
    let num_steps = sweep.num_steps(training.steps_per_epoch(train.len()));
    let loader = shuffled_loader(train.held_on(device, None), &hyperparameters, seed, device, model.engine());
    let loader = loader.to_device(&device.clone().autodiff());
    // A sweep longer than an epoch continues with the next epoch.
    let batches = std::iter::repeat_with(|| loader.iter()).flatten();
    let mut model = model.engine().prepare_training(model);
    let mut optimizer = model.engine().optimizer(optimizer, training.clipping());
    let mut unread = LazyMetrics::default();
    let mut curve = LossCurve::new(sweep, num_steps);
    for (step, batch) in batches.take(num_steps).enumerate() {
        let output = TrainStep::step(&model, randomized(burn_error(batch)?, training.mixup, seed, step));
        model = optimizer.step(sweep.learning_rate(step, num_steps), model, output.grads);
        unread.append(output.item);
        if interrupter.should_stop() {
            return Ok(None);
        }
        if unread.len() == STEPS_PER_READ || step + 1 == num_steps {
            // Up to 15 steps after the divergence have been computed. They do not change the
            // result.
            for measured in burn_error(std::mem::take(&mut unread).sync())?.steps() {
                on_step(&curve.add(measured.loss));
                if curve.has_diverged() {
                    return Ok(Some(curve.finish()));
                }
            }
        }
    }
    Ok(Some(curve.finish()))
}

/// Losses of the steps so far, with their smoothed values.
struct LossCurve {
    sweep: Sweep,
    num_steps: usize,
    /// Share of the average that a step keeps, in [0, 1).
    kept: f64,
    /// Average before its correction.
    average: f64,
    /// Lowest smoothed loss.
    lowest: f64,
    points: Vec<RatePoint>,
}

impl LossCurve {
    fn new(sweep: Sweep, num_steps: usize) -> Self {
        let kept = 1.0 - 1.0 / (num_steps as f64 / WINDOWS).max(1.0);
        Self { sweep, num_steps, kept, average: 0.0, lowest: f64::INFINITY, points: Vec::new() }
    }

    /// Adds the next step's loss and returns its point.
    fn add(&mut self, loss: f64) -> RatePoint {
        let index = self.points.len();
        self.average = self.kept * self.average + (1.0 - self.kept) * loss;
        let smoothed_loss = self.average / (1.0 - self.kept.powf((index + 1) as f64));
        self.lowest = self.lowest.min(smoothed_loss);
        let learning_rate = self.sweep.learning_rate(index, self.num_steps);
        let point = RatePoint { step: index + 1, learning_rate, loss, smoothed_loss };
        self.points.push(point);
        point
    }

    /// Returns whether the last smoothed loss is not finite or above `DIVERGED` times the lowest.
    fn has_diverged(&self) -> bool {
        let last = self.points.last().map_or(0.0, |point| point.smoothed_loss);
        !last.is_finite() || last > DIVERGED * self.lowest
    }

    fn finish(self) -> RangeTest {
        RangeTest { has_diverged: self.has_diverged(), points: self.points, num_steps: self.num_steps }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
