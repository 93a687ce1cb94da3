//! The learning-rate range test of an experiment, and its files.

use std::path::{Path, PathBuf};

use burn::train::Interrupter;

use crate::backend::{BackendHandle, Compute};
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

/// A learning-rate range test that is ready to start.
pub struct LrFinder {
    /// The experiment. Its own learning rate and schedule are not used.
    pub experiment: Experiment,
    /// The description of the test: data set, backend, start.
    pub info: RunInfo,
    /// The backend.
    pub handle: BackendHandle,
    /// The largest number of steps. The test ends earlier if the loss diverges.
    pub num_steps: usize,
    sweep: Sweep,
    model: Mlp,
    splits: Splits,
}

impl LrFinder {
    /// Opens the backend, reads the images and builds the network.
    ///
    /// # Errors
    /// Those of a training that cannot start.
    pub fn prepare(mut experiment: Experiment, sweep: Sweep, compute: Compute) -> Result<Self> {
        let RunInputs { handle, splits, model, data } = RunInputs::new(&experiment, compute)?;
        splits.settle_validation(&mut experiment);
        let num_steps = sweep.num_steps(experiment.training.steps_per_epoch(data.num_train));
        let info = start_info(&experiment, compute, &handle, data, run::now());
        Ok(Self { experiment, info, handle, num_steps, sweep, model, splits })
    }

    /// Trains with a rising learning rate on the training images without the validation images, and
    /// calls `on_step` after each step. Returns `None` if the user interrupted the test.
    ///
    /// # Errors
    /// A device that fails.
    pub fn run(
        &self,
        interrupter: &Interrupter,
        on_step: impl FnMut(&RatePoint),
    ) -> Result<Option<RangeTest>> {
        let setup = RangeSetup {
            model: self.model.clone(),
            hyperparameters: self.experiment.hyperparameters(),
            seed: self.experiment.seed,
            train: self.splits.train.clone(),
            device: &self.handle.device,
            sweep: self.sweep,
        };
        training::range_test(setup, interrupter, on_step)
    }

    /// Writes the points as CSV and the page about them, and returns both paths. They replace those
    /// of an earlier test of the same experiment. `command` is the command line that trains this
    /// experiment.
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
        let points = run::write_file(&folder, &format!("{name}.csv"), &to_csv(&test.points)?)?;
        let page = report::lr_find(test, &self.experiment, &self.info, command)?;
        let page = run::write_file(&folder, &format!("{name}.html"), page.as_bytes())?;
        Ok((points, page))
    }
}

/// Returns the points as CSV with a header.
fn to_csv(points: &[RatePoint]) -> Result<Vec<u8>> {
    let message = |error: &dyn std::fmt::Display| format!("cannot write the points as CSV: {error}");
    let mut writer = csv::Writer::from_writer(Vec::new());
    for point in points {
        writer.serialize(point).map_err(|error| Error::new(message(&error)).with_source(error))?;
    }
    writer.into_inner().map_err(|error| Error::new(message(&error)))
}
