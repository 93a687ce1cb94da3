//! Owns what a verification reads once: the records of a run, its network and its images, with the
//! checks of reading them. Must not know figures.

use crate::backend::{self, Backend, Compute, Engine};
use crate::data::{InputSpec, Source};
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::model::{Mlp, weights_sha256};
use crate::pipeline::inputs::GIT_COMMIT;
use crate::pipeline::loaded_model::open_backend;
use crate::pipeline::splits::{self, Splits};
use crate::run::{RunFolder, RunInfo, RunSummary, Status, TestEvaluation};
use crate::training::EpochRecord;

use super::claims::Claims;
use super::{Check, files};

/// A run with all that could be read of it. What is `None` could not be, and its check says why.
pub(super) struct Subject {
    pub(super) folder: RunFolder,
    pub(super) info: RunInfo,
    /// The experiment, whose data set is where it is now.
    pub(super) experiment: Option<Experiment>,
    /// The network with the weights in `model.bpk`, whether or not their digest is the recorded one.
    pub(super) model: Option<Mlp>,
    /// The network with its initial weights, which has the shape of the run's network.
    pub(super) untrained: Option<Mlp>,
    pub(super) handle: backend::BackendHandle,
    pub(super) compute: Compute,
    pub(super) summary: Option<RunSummary>,
    pub(super) test: Option<TestEvaluation>,
    pub(super) epochs: Vec<EpochRecord>,
    /// The images, if they are those of the run.
    pub(super) splits: Option<Splits>,
}

impl Subject {
    /// Reads the run that `info` describes. Returns the checks of what was read, too.
    ///
    /// # Errors
    /// A backend that the user chose and that cannot be opened.
    pub(super) fn read(
        folder: RunFolder,
        info: RunInfo,
        backend: Option<Backend>,
        engine: Option<Engine>,
        data: Option<Source>,
    ) -> Result<(Self, Vec<Check>)> {
        let (backend, handle, _) = open_backend(&info, &folder, backend)?;
        let compute = Compute::new(backend, Some(engine.unwrap_or(handle.engine)))?;
        let mut checks = Vec::new();
        let mut experiment =
            kept(folder.experiment(&info), |result| files::check_config(&folder, &info, result), &mut checks);
        let (untrained, model) = match &experiment {
            Some(experiment) => network(&folder, &info, experiment, &handle, compute, &mut checks),
            None => (None, None),
        };
        checks.push(files::check_weights(&info, model.as_ref()));
        let summary = record(folder.any_summary(), "summary.json", &mut checks);
        let test = record(folder.any_test(&info), "evaluation.json", &mut checks);
        let epochs = record(folder.epochs().map(Some), "metrics.jsonl", &mut checks).unwrap_or_default();
        if let (Some(experiment), Some(source)) = (&mut experiment, data) {
            experiment.data.source = source.to_absolute()?.to_string();
        }
        let splits = experiment.as_ref().and_then(|experiment| read_images(experiment, &info, &mut checks));
        let subject = Self {
            folder,
            info,
            experiment,
            model,
            untrained,
            handle,
            compute,
            summary,
            test,
            epochs,
            splits,
        };
        Ok((subject, checks))
    }

    /// Returns the reasons for which the same computation need not give the same last digits here as
    /// it gave to the run. Without any, it must.
    pub(super) fn reasons(&self) -> Vec<String> {
        let Self { info, compute, .. } = self;
        let mut reasons = Vec::new();
        if (compute.backend(), compute.engine()) != (info.backend, info.engine()) {
            reasons.push(format!(
                "the run was computed on {} by the engine {}, this on {} by the engine {}",
                info.backend,
                info.engine(),
                compute.backend(),
                compute.engine()
            ));
        }
        if info.backend.is_gpu() {
            reasons.push("a GPU may add in another order each time".to_owned());
        }
        let own = env!("CARGO_PKG_VERSION");
        if info.version != own {
            reasons.push(format!("the run is of smallnet {}, and this is {own}", info.version));
        } else if let (Some(commit), Some(own)) = (info.git_commit.as_deref(), GIT_COMMIT)
            && commit != own
        {
            reasons.push(format!("the run is of the commit {commit}, and this is {own}"));
        }
        let own = backend::instructions();
        match info.instructions.as_deref() {
            Some(instructions) if instructions == own => {}
            Some(other) => reasons.push(format!("the run's processor has {other}, and this one {own}")),
            None => reasons.push("the run does not say which kind of processor it had".to_owned()),
        }
        reasons
    }

    /// Returns the reason for which the network cannot be compared with what the run recorded about
    /// it. `None` if it can.
    pub(super) fn without_model(&self) -> Option<String> {
        match (&self.model, self.info.status) {
            (None, Status::Running | Status::Killed | Status::Failed) => {
                Some(format!("the run has no trained weights: it is {}", self.info.status))
            }
            (None, _) => Some("the network cannot be read".to_owned()),
            (Some(_), _) => None,
        }
    }
}

/// Returns a value that was read. Adds the check of reading it.
fn kept<T>(
    result: Result<T>,
    check: impl FnOnce(std::result::Result<&T, &Error>) -> Vec<Check>,
    checks: &mut Vec<Check>,
) -> Option<T> {
    checks.extend(check(result.as_ref()));
    result.ok()
}

/// Returns the record in the file `name`, if there is one. A file that cannot be read is a failed
/// check.
fn record<T>(result: Result<Option<T>>, name: &str, checks: &mut Vec<Check>) -> Option<T> {
    result.unwrap_or_else(|error| {
        checks.push(Check::failed(name, "a record of a run", error.message()));
        None
    })
}

/// Returns the run's network with its initial weights, and with those in `model.bpk`.
fn network(
    folder: &RunFolder,
    info: &RunInfo,
    experiment: &Experiment,
    handle: &backend::BackendHandle,
    compute: Compute,
    checks: &mut Vec<Check>,
) -> (Option<Mlp>, Option<Mlp>) {
    let InputSpec { height, width, num_classes } = info.data.layout;
    let untrained = experiment.model.init(height * width, num_classes, experiment.seed, &handle.device);
    let untrained = match untrained {
        Ok(model) => model.with_engine(compute.engine()),
        Err(error) => {
            checks.push(Check::failed("network", "a network of the experiment", error.message()));
            return (None, None);
        }
    };
    let path = folder.model_path();
    if !path.exists() {
        return (Some(untrained), None);
    }
    let model = folder.load_weights(untrained.clone(), &path);
    let model = record(model.map(|model| Some(model.with_engine(compute.engine()))), "model.bpk", checks);
    (Some(untrained), model)
}

/// Reads the images of a run and compares them with what the run recorded about them.
fn read_images(experiment: &Experiment, info: &RunInfo, checks: &mut Vec<Check>) -> Option<Splits> {
    const NAME: &str = "data set";
    let source = experiment.data.source();
    let (raw, sha256) = match splits::read(&experiment.data) {
        Ok(read) => read,
        Err(error) => {
            let reason = format!("{}; `--data PATH` says where it is", error.message());
            checks.push(Check::not_checked(NAME, reason));
            return None;
        }
    };
    if sha256 != info.data.sha256 {
        checks.push(Check::failed(
            NAME,
            format!("digest {}", info.data.sha256),
            format!("digest {sha256} of `{source}`"),
        ));
        return None;
    }
    // The first versions did not record how they understood the images.
    let data = match info.data.value_range {
        Some(_) => raw.into_new(&experiment.data),
        None => raw.into_known(info.data.properties()),
    };
    let splits = data.and_then(|data| {
        let check = data.check();
        Ok(Splits { check, ..Splits::divide(data, sha256, experiment)? })
    });
    match splits.and_then(|splits| Ok((files::check_images(&splits, info)?, splits))) {
        Ok((check, splits)) => {
            let is_same = !check.is_failed();
            checks.push(check);
            Some(splits).filter(|_| is_same)
        }
        Err(error) => {
            checks.push(Check::failed(NAME, "the images of the run", error.message()));
            None
        }
    }
}

/// Returns the digest of the weights of `model`, or the error of reading them as text.
pub(super) fn digest(model: &Mlp) -> String {
    weights_sha256(model).unwrap_or_else(|error| error.message().to_owned())
}

/// Adds the claims of `run.json` that repeat the experiment.
pub(super) fn check_info(info: &RunInfo, experiment: &Experiment) -> Check {
    let mut claims = Claims::default();
    claims.add("experiment", &info.experiment, &experiment.name);
    claims.add("seed", info.seed, experiment.seed);
    claims.into_check(
        files::INFO,
        format!("experiment {}, seed {}, {}", info.experiment, info.seed, info.status),
    )
}
