//! What every training starts from, whether a run comes of it or not.

use time::OffsetDateTime;

use crate::backend;
use crate::backend::{Backend, BackendHandle};
use crate::data::InputSpec;
use crate::error::Result;
use crate::experiment::Experiment;
use crate::model::Mlp;
use crate::pipeline::Splits;
use crate::run;
use crate::run::{DataInfo, RunInfo, Status};

/// The git commit that smallnet was built from, where it was built in a checkout.
pub const GIT_COMMIT: Option<&str> = option_env!("SMALLNET_GIT_COMMIT");

/// A backend, images and a network with its initial weights.
pub(crate) struct RunInputs {
    pub(crate) opened: BackendHandle,
    pub(crate) splits: Splits,
    pub(crate) model: Mlp,
    pub(crate) data: DataInfo,
}

impl RunInputs {
    /// Opens the backend, reads the images and builds the network, in this order. Writes nothing.
    pub(crate) fn new(experiment: &Experiment, backend: Backend) -> Result<Self> {
        let opened = backend.open()?;
        let source = experiment.data.source();
        let splits = Splits::load(experiment)?;
        splits.check_trainable(experiment)?;
        let InputSpec { height, width, num_classes } = splits.layout;
        let model = experiment.model.init(height * width, num_classes, experiment.seed, &opened.device)?;
        let model = model.with_engine(opened.engine);
        let data = DataInfo {
            source: source.to_string(),
            sha256: source.checksum()?,
            layout: splits.layout,
            num_train: splits.train.len(),
            num_validation: splits.validation.len(),
        };
        Ok(Self { opened, splits, model, data })
    }
}

/// What is known of a training that starts `now`.
pub(crate) fn start_info(
    experiment: &Experiment,
    backend: Backend,
    opened: &BackendHandle,
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
        resumed: Vec::new(),
        backend,
        adapter: opened.adapter.clone(),
        threads: backend::num_threads(),
        data,
        seed: experiment.seed,
        started: run::timestamp(now),
        ended: None,
        status: Status::Running,
        message: None,
        weights_sha256: None,
    }
}
