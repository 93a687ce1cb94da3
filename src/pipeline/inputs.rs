//! The inputs of every training, with or without a run folder.

use time::OffsetDateTime;

use crate::backend;
use crate::backend::{BackendHandle, Compute};
use crate::data::InputSpec;
use crate::error::Result;
use crate::experiment::Experiment;
use crate::model::Mlp;
use crate::pipeline::Splits;
use crate::run;
use crate::run::{DataInfo, RunInfo, Status};

/// The git commit that smallnet was built from, if it was built in a checkout.
pub const GIT_COMMIT: Option<&str> = option_env!("SMALLNET_GIT_COMMIT");

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
        let handle = compute.open()?;
        let source = experiment.data.source();
        let splits = Splits::load(experiment)?;
        splits.check_trainable(experiment)?;
        let InputSpec { height, width, num_classes } = splits.layout;
        let model = experiment.model.init(height * width, num_classes, experiment.seed, &handle.device)?;
        let model = model.with_engine(handle.engine);
        let data = DataInfo {
            source: source.to_string(),
            sha256: source.checksum()?,
            layout: splits.layout,
            num_train: splits.train.len(),
            num_validation: splits.validation.len(),
        };
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
        num_threads: backend::num_threads(),
        data,
        seed: experiment.seed,
        started_at: run::timestamp(now),
        ended_at: None,
        status: Status::Running,
        message: None,
        weights_sha256: None,
    }
}
