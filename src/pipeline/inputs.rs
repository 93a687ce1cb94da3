//! The inputs of every training, with or without a run folder.

use time::OffsetDateTime;

use crate::backend;
use crate::backend::{BackendHandle, Compute};
use crate::data::{Classes, InputSpec};
use crate::error::Result;
use crate::experiment::Experiment;
use crate::model::Mlp;
use crate::pipeline::Splits;
use crate::run;
use crate::run::{DataInfo, RunInfo, Status};

/// The git commit that smallnet was built from, if it was built in a checkout.
pub const GIT_COMMIT: Option<&str> = option_env!("SMALLNET_GIT_COMMIT");

/// The hint where a run cannot resume because its data set has changed.
const CHANGED_FOR_RESUME: &str = "a run resumes with the images that it began with: put them back, say where they are now \
     with `--data PATH`, or train again";

/// A backend, images and a network with its initial weights.
pub(crate) struct RunInputs {
    pub(crate) handle: BackendHandle,
    pub(crate) splits: Splits,
    pub(crate) model: Mlp,
    pub(crate) data: DataInfo,
}

impl RunInputs {
    /// Opens the backend, reads the images and builds the network, in this order. Writes nothing.
    ///
    /// # Errors
    /// A backend that cannot be opened, a data set that cannot be read or learned from, or a
    /// network that is too large.
    pub(crate) fn new(experiment: &Experiment, compute: Compute) -> Result<Self> {
        Self::with_splits(experiment, compute, || Splits::load_checked(experiment))
    }

    /// Does the same for images of the classes `own`, not all of which need to occur.
    ///
    /// # Errors
    /// As [`RunInputs::new`], or no image of these classes.
    pub(crate) fn new_of(experiment: &Experiment, compute: Compute, own: &Classes) -> Result<Self> {
        Self::with_splits(experiment, compute, || Splits::load_checked_of(experiment, own))
    }

    /// Does the same for the run that recorded `info`: its images are understood as it did.
    ///
    /// # Errors
    /// As [`RunInputs::new`], or a data set that has changed.
    pub(crate) fn again(experiment: &Experiment, compute: Compute, info: &DataInfo) -> Result<Self> {
        Self::with_splits(experiment, compute, || Splits::load_again(experiment, info, CHANGED_FOR_RESUME))
    }

    fn with_splits(
        experiment: &Experiment,
        compute: Compute,
        load: impl FnOnce() -> Result<Splits>,
    ) -> Result<Self> {
        let handle = compute.open()?;
        let splits = load()?;
        splits.check_trainable(experiment)?;
        let InputSpec { height, width, num_classes } = splits.layout;
        let model = experiment.model.init(height * width, num_classes, experiment.seed, &handle.device)?;
        let model = model.with_engine(handle.engine);
        let data = splits.info(&experiment.data.source);
        Ok(Self { handle, splits, model, data })
    }
}

/// Returns the description of a training that starts `now`.
pub(crate) fn start_info(
    experiment: &Experiment,
    compute: Compute,
    handle: &BackendHandle,
    data: DataInfo,
    now: OffsetDateTime,
) -> RunInfo {
    RunInfo {
        format: run::FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        git_commit: GIT_COMMIT.map(str::to_owned),
        experiment: experiment.name.clone(),
        config_sha256: None,
        num_epochs: None,
        resumes: Vec::new(),
        backend: compute.backend(),
        engine: Some(compute.engine()),
        adapter: handle.adapter.clone(),
        instructions: Some(backend::instructions().to_owned()),
        source_run: None,
        imported: None,
        num_threads: backend::num_threads(),
        data,
        seed: experiment.seed,
        started_at: run::timestamp(now),
        ended_at: None,
        status: Status::Running,
        message: None,
        weights_sha256: None,
        skips_test: false,
    }
}
