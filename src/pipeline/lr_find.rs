//! From an experiment to a learning rate for it.

use std::path::{Path, PathBuf};

use burn::train::Interrupter;

use crate::backend::{Backend, BackendHandle};
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::model::Mlp;
use crate::pipeline::Splits;
use crate::pipeline::inputs::{RunInputs, start_info};
use crate::report;
use crate::run;
use crate::run::RunInfo;
use crate::training;
use crate::training::{RangeSetup, RangeTest, RatePoint, Sweep};

/// The folder of all range tests in the artifacts folder.
const FOLDER: &str = "lr-find";

/// A range test about to start.
pub struct LrFinder {
    /// What is tried; its own learning rate and schedule are not used.
    pub experiment: Experiment,
    /// Where and with what it runs.
    pub info: RunInfo,
    /// The backend it runs on.
    pub opened: BackendHandle,
    /// Steps at the most.
    pub num_steps: usize,
    sweep: Sweep,
    model: Mlp,
    splits: Splits,
}

impl LrFinder {
    /// Opens the backend, reads the images and builds the network.
    ///
    /// # Errors
    /// As those of a training that cannot start.
    pub fn prepare(experiment: Experiment, sweep: Sweep, backend: Backend) -> Result<Self> {
        let RunInputs { opened, splits, model, data } = RunInputs::new(&experiment, backend)?;
        let num_steps = sweep.num_steps(experiment.training.steps_per_epoch(data.num_train));
        let info = start_info(&experiment, backend, &opened, data, run::now());
        Ok(Self { experiment, info, opened, num_steps, sweep, model, splits })
    }

    /// Trains with a rising rate, on the training images that are not held out; `on_step` is told of every step. None
    /// when it was interrupted.
    ///
    /// # Errors
    /// An error of the device.
    pub fn run(
        &self,
        interrupter: &Interrupter,
        on_step: impl FnMut(&RatePoint),
    ) -> Result<Option<RangeTest>> {
        let trial = RangeSetup {
            model: self.model.clone(),
            hyperparameters: self.experiment.hyperparameters(),
            seed: self.experiment.seed,
            train: self.splits.train.clone(),
            device: &self.opened.device,
            sweep: self.sweep,
        };
        training::range_test(trial, interrupter, on_step)
    }

    /// Saves the points and the page about them, replacing an earlier test of the same experiment, and says where they
    /// are. `command` is the command line that trains this experiment.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write(
        &self,
        test: &RangeTest,
        command: &[String],
        artifacts: &Path,
    ) -> Result<(PathBuf, PathBuf)> {
        let folder = artifacts.join(FOLDER);
        let name = &self.experiment.name;
        let points = run::write_in(&folder, &format!("{name}.csv"), &csv(&test.points)?)?;
        let page = report::lr_find(test, &self.experiment, &self.info, command)?;
        let page = run::write_in(&folder, &format!("{name}.html"), page.as_bytes())?;
        Ok((points, page))
    }
}

/// The points as a table with a header.
fn csv(points: &[RatePoint]) -> Result<Vec<u8>> {
    let message = |error: &dyn std::fmt::Display| format!("cannot write the points as CSV: {error}");
    let mut writer = csv::Writer::from_writer(Vec::new());
    for point in points {
        writer.serialize(point).map_err(|error| Error::new(message(&error)).with_source(error))?;
    }
    writer.into_inner().map_err(|error| Error::new(message(&error)))
}
