//! The resumption of a run from its last usable checkpoint.

use crate::backend;
use crate::backend::{Backend, BackendHandle, Compute, Engine, chosen_device};
use crate::data::Source;
use crate::error::{Error, ErrorKind, Result};
use crate::experiment::Experiment;
use crate::model::Mlp;
use crate::optim::ScheduleConfig;
use crate::pipeline::PreparedRun;
use crate::pipeline::inputs::RunInputs;
use crate::pipeline::tracking::earlier_trackers;
use crate::pipeline::train::should_restore_best;
use crate::run;
use crate::run::{BackendChange, Metrics, ResumeEvent, RunFolder, RunInfo, RunLock, Status};
use crate::training::{Checkpoint, EpochRecord, Position, ResumePoint, SizeLimits, Store};
use crate::util::format::counted;

/// A run that is ready to resume.
pub struct Resume {
    /// The run.
    pub run: PreparedRun,
    /// The position of the checkpoint that the run resumes from. `None` if it starts again.
    pub position: Option<Position>,
    /// Warnings for the user, such as damaged checkpoints.
    pub warnings: Vec<String>,
}

/// Prepares the run in `folder` to resume from its last undamaged checkpoint. With `num_epochs`, it
/// ends after that many epochs. `data` is where the run's data set is now, if it was moved.
///
/// It ends as if it had never stopped: with the same weights and metrics to the last bit on the
/// same CPU backend. On another `backend` than the run's own, it ends with the same up to rounding.
/// `run.json` then records the change.
///
/// # Errors
/// A run that is finished or that another process trains, a backend that cannot be opened, another
/// engine than the run's own on its own backend, or a data set that has changed.
pub fn resume(
    folder: RunFolder,
    num_epochs: Option<usize>,
    backend: Option<Backend>,
    engine: Option<Engine>,
    data: Option<Source>,
) -> Result<Resume> {
    let lock = folder.lock()?;
    let mut info = folder.info()?;
    check_format(&folder, &info)?;
    check_trained(&folder, &info)?;
    let compute = choose_compute(&folder, &info, backend, engine)?;
    let mut experiment = folder.experiment(&info)?;
    experiment.tracking.add(&earlier_trackers(&folder));
    let (mut metrics, epochs) = folder.metrics()?;
    let num_planned = experiment.training.num_epochs;
    if let Some(num_epochs) = num_epochs {
        set_num_epochs(&mut experiment, num_epochs, &folder, epochs.len())?;
    }
    check_unfinished(&folder, &info, num_planned, experiment.training.num_epochs)?;
    let mut warnings = Vec::new();
    warn_about_version(&info, &mut warnings);
    warn_about_missing_lock(&folder, &info, &lock, &mut warnings);

    if let Some(source) = data {
        experiment.data.source = source.to_absolute()?.to_string();
    }
    let inputs = RunInputs::again(&experiment, compute, &info.data);
    let RunInputs { handle, splits, model, data } = inputs.map_err(|error| match error.kind() {
        ErrorKind::Backend if backend.is_none() && chosen_device().is_none() => error.and_hint(INEXACT),
        _ => error,
    })?;
    info.data.source = data.source;
    let search =
        CheckpointSearch { folder: &folder, experiment: &experiment, model: &model, metrics: &metrics };
    let steps_per_epoch = experiment.training.steps_per_epoch(splits.train.len());
    let resume_point = search.find_last(epochs, steps_per_epoch, &mut warnings)?;
    let position = resume_point.as_ref().map(|point| point.checkpoint.state.position);
    // Without a checkpoint, the training starts again. The weights of another run cannot be drawn
    // from the seed.
    let model = match &info.source_run {
        Some(source) if position.is_none() => folder.load_initial_weights(model, source)?,
        _ => model,
    };
    if position.is_some() {
        warn_about_schedule(&experiment, num_planned, &mut warnings);
    }

    let change = change_backend(&mut info, compute, &handle, position.is_some(), &mut warnings);
    info.format = run::FORMAT;
    info.engine = Some(compute.engine());
    let instructions = Some(backend::instructions().to_owned());
    // Digits that two kinds of processors computed can be compared with those of neither.
    info.instructions =
        instructions.filter(|own| position.is_none() || info.instructions.as_ref() == Some(own));
    info.num_epochs = num_epochs.or(info.num_epochs);
    info.resumes.push(ResumeEvent { resumed_at: run::timestamp(run::now()), position, change });
    (info.status, info.ended_at, info.message, info.weights_sha256) = (Status::Running, None, None, None);
    // This comes first: from now on, nothing in the folder counts as the result of the run.
    folder.write_info(&info)?;
    folder.remove_results()?;
    if position.is_none() {
        // The callback that writes the file truncates it only if training is resumed.
        metrics.truncate(0)?;
    }
    let metrics = Some(metrics);
    let findings = Vec::new();
    let run = PreparedRun {
        experiment,
        folder,
        info,
        model,
        handle,
        splits,
        lock,
        metrics,
        resume_point,
        findings,
    };
    Ok(Resume { run, position, warnings })
}

/// Hint where a run's own backend cannot be opened.
const INEXACT: &str =
    "`--backend flex` resumes it inexactly on the CPU: it ends with the same up to rounding";

/// Refuses a run of the first version, which has no checkpoint to resume from.
fn check_format(folder: &RunFolder, info: &RunInfo) -> Result<()> {
    if info.format >= 2 {
        return Ok(());
    }
    Err(Error::unsupported(format!(
        "`{}` was made by smallnet {}, which saved too little to resume from",
        folder.path().display(),
        info.version
    ))
    .hint(format!("train again: `smallnet train {}`", folder.config_path().display())))
}

/// Refuses a network that was imported: it has no training to resume.
fn check_trained(folder: &RunFolder, info: &RunInfo) -> Result<()> {
    let Some(imported) = &info.imported else { return Ok(()) };
    let path = folder.path().display();
    Err(Error::state(format!("`{path}` was {}: it has no training to resume", imported.describe()))
        .hint(format!("`smallnet train --from {path}` trains it further, in a run of its own")))
}

/// Returns the backend and the engine that the run resumes on: its own, or another `backend` if the
/// user asks for it.
///
/// # Errors
/// Another engine on the same backend, which rounds differently without a need, or an engine that does
/// not compute on `backend`.
fn choose_compute(
    folder: &RunFolder,
    info: &RunInfo,
    backend: Option<Backend>,
    engine: Option<Engine>,
) -> Result<Compute> {
    if let Some(backend) = backend.filter(|&backend| backend != info.backend) {
        return Compute::new(backend, engine);
    }
    let own = info.engine();
    if let Some(engine) = engine.filter(|&engine| engine != own) {
        return Err(Error::usage(format!(
            "`{}` is being trained by the engine {own}, not by the engine {engine}",
            folder.path().display()
        ))
        .hint("leave `--engine` out: with another engine it would not end the same"));
    }
    Compute::new(info.backend, Some(own))
}

/// Enters another backend than the run's own into `info`, and returns the change. The run resumes
/// from a checkpoint, or else starts again.
fn change_backend(
    info: &mut RunInfo,
    compute: Compute,
    handle: &BackendHandle,
    has_checkpoint: bool,
    warnings: &mut Vec<String>,
) -> Option<BackendChange> {
    let (backend, backend_before) = (compute.backend(), info.backend);
    if backend == backend_before {
        return None;
    }
    (info.backend, info.adapter) = (backend, handle.adapter.clone());
    info.num_threads = backend::num_threads();
    if has_checkpoint {
        warnings.push(format!(
            "the run was trained on {backend_before} and resumes on {backend}, which rounds differently: it will end \
             with the same up to rounding, not to the last digit; `run.json` records this"
        ));
    }
    Some(BackendChange { backend, backend_before, inexact: has_checkpoint })
}

/// Warns if a run says that it is being trained, on a drive without locks: nothing else tells whether
/// its process was killed.
fn warn_about_missing_lock(folder: &RunFolder, info: &RunInfo, lock: &RunLock, warnings: &mut Vec<String>) {
    if info.status == Status::Running && !lock.is_exclusive() {
        warnings.push(format!(
            "`{}` was killed, or another process still trains it: its drive has no locks that would tell. If one does, \
             stop this command or that process, because both write the same files",
            folder.path().display()
        ));
    }
}

/// Sets the number of epochs of a run that has trained `num_done` epochs already.
fn set_num_epochs(
    experiment: &mut Experiment,
    num_epochs: usize,
    folder: &RunFolder,
    num_done: usize,
) -> Result<()> {
    if num_epochs < num_done {
        let done = counted(num_done, "epoch", "epochs");
        return Err(Error::usage(format!(
            "`{}` has been trained for {done} already, and `--epochs` is {num_epochs}",
            folder.path().display()
        )));
    }
    experiment.training.num_epochs = num_epochs;
    experiment.check()
}

/// Refuses a finished run with no epochs left to train: `num_planned` is its number of epochs so
/// far, `num_wanted` the number that the user asks for.
fn check_unfinished(folder: &RunFolder, info: &RunInfo, num_planned: usize, num_wanted: usize) -> Result<()> {
    if info.status != Status::Finished {
        return Ok(());
    }
    let path = folder.path().display();
    let num_done = folder.summary(info)?.map_or(num_planned, |summary| summary.num_epochs);
    if num_done < num_planned {
        return Err(Error::state(format!(
            "`{path}` is finished: early stopping ended it after epoch {num_done} of {num_planned}"
        ))
        .hint("more epochs would not change that; train again with another `training.early_stopping`"));
    }
    if num_wanted > num_done {
        return Ok(());
    }
    Err(Error::state(format!(
        "`{path}` is finished: all of its {} are trained",
        counted(num_done, "epoch", "epochs")
    ))
    .hint(format!("to train it on, say until when: `--epochs {}`", 2 * num_done.max(1))))
}

/// Warns if the schedule changes with the number of epochs. A cosine schedule reaches its end with
/// the last epoch, so with another last epoch, its learning rates differ.
fn warn_about_schedule(experiment: &Experiment, num_planned: usize, warnings: &mut Vec<String>) {
    let num_epochs = experiment.training.num_epochs;
    if num_epochs != num_planned && matches!(experiment.schedule, ScheduleConfig::Cosine(_)) {
        warnings.push(format!(
            "the cosine schedule is stretched from {num_planned} to {num_epochs} epochs: what was trained so far followed the \
             old one, so the run will not end as one that was meant for {num_epochs} from the start"
        ));
    }
}

fn warn_about_version(info: &RunInfo, warnings: &mut Vec<String>) {
    let own = env!("CARGO_PKG_VERSION");
    if info.version != own {
        warnings.push(format!(
            "the run was started by smallnet {}, and this is {own}: the last digits may come out differently",
            info.version
        ));
    }
}

/// The search for the checkpoint that a run resumes from.
struct CheckpointSearch<'a> {
    folder: &'a RunFolder,
    experiment: &'a Experiment,
    /// The network with its initial weights.
    model: &'a Mlp,
    metrics: &'a Metrics,
}

impl CheckpointSearch<'_> {
    /// Returns the last checkpoint that the run can resume from, with the records of the epochs
    /// before it, taken from `epochs`. Returns `None` if there is no such checkpoint. A damaged
    /// checkpoint is skipped with a warning.
    ///
    /// # Errors
    /// A run that has trained beyond the requested end, if it has no checkpoint of that end.
    fn find_last(
        &self,
        mut epochs: Vec<EpochRecord>,
        steps_per_epoch: usize,
        warnings: &mut Vec<String>,
    ) -> Result<Option<ResumePoint>> {
        let end = Position { epochs: self.experiment.training.num_epochs, steps: 0 };
        let store = self.folder.checkpoints();
        let (positions, beyond): (Vec<_>, Vec<_>) =
            store.positions()?.into_iter().partition(|&position| position <= end);
        self.check_end(end, &positions, &beyond, warnings)?;
        let mut lost_epochs = Vec::new();
        for &position in positions.iter().rev() {
            match self.read(&store, position, steps_per_epoch, &epochs) {
                Ok(checkpoint) if self.has_best_weights(&store, &checkpoint, &mut lost_epochs, warnings) => {
                    epochs.truncate(position.epochs);
                    let metrics = self.metrics.digest(position.epochs);
                    return Ok(Some(ResumePoint { checkpoint, epochs, metrics }));
                }
                Ok(_) => {}
                Err(error) => {
                    warnings.push(format!("{}; going back to the checkpoint before it", error.message()));
                }
            }
        }
        if !positions.is_empty() {
            warnings.push(
                "no checkpoint is left to resume from: the training starts again from its beginning"
                    .to_owned(),
            );
        }
        Ok(None)
    }

    /// Checks that a run with checkpoints `beyond` the requested `end` has a checkpoint of that
    /// end, and warns that it returns there.
    fn check_end(
        &self,
        end: Position,
        positions: &[Position],
        beyond: &[Position],
        warnings: &mut Vec<String>,
    ) -> Result<()> {
        let Some(reached) = beyond.last() else { return Ok(()) };
        let path = self.folder.path().display();
        let reached = match (reached.epochs, reached.steps) {
            (epochs, 0) => format!("to the end of epoch {epochs}"),
            (epochs, steps) => format!("to step {steps} of epoch {}", epochs.saturating_add(1)),
        };
        if positions.last() == Some(&end) {
            warnings.push(format!(
                "`{path}` has been trained {reached}, and goes back to the end of epoch {}",
                end.epochs
            ));
            return Ok(());
        }
        Err(Error::state(format!(
            "`{path}` has been trained {reached}, and has no checkpoint of the end of epoch {} any more",
            end.epochs
        ))
        .hint(format!("resume it to a later end: `--epochs {}`", end.epochs + 1)))
    }

    /// Reads the checkpoint of `position` and checks that it belongs to this training. `epochs` are
    /// the records in `metrics.jsonl`.
    fn read(
        &self,
        store: &Store,
        position: Position,
        steps_per_epoch: usize,
        epochs: &[EpochRecord],
    ) -> Result<Checkpoint> {
        let name = store.folder(position).display().to_string();
        let checkpoint = store.read(position, &self.limits())?;
        checkpoint.check(self.model, self.experiment.training.average.is_some(), &name)?;
        if position.steps > steps_per_epoch {
            return Err(Error::corrupt(format!("`{name}` is not of this training")));
        }
        if epochs.len() < position.epochs {
            let num_epochs = epochs.len();
            return Err(Error::corrupt(format!(
                "`metrics.jsonl` has {num_epochs} whole epochs, and `{name}` needs them all"
            )));
        }
        let found = self.metrics.digest(position.epochs).sha256();
        match &checkpoint.state.metrics_sha256 {
            Some(expected) if *expected != found => Err(Error::corrupt(format!(
                "`metrics.jsonl` is not what it was when `{name}` was saved: the digest of its lines up to epoch {} is \
                 {found}, expected {expected}",
                position.epochs
            ))),
            _ => Ok(checkpoint),
        }
    }

    /// Returns whether the weights of the best epoch can be read, or are not needed: the run does
    /// not restore them, or `checkpoint` contains them itself. Adds one warning for each epoch
    /// whose weights cannot be read. `lost_epochs` are those with a warning already.
    fn has_best_weights(
        &self,
        store: &Store,
        checkpoint: &Checkpoint,
        lost_epochs: &mut Vec<usize>,
        warnings: &mut Vec<String>,
    ) -> bool {
        let Some(best) = checkpoint.state.best.filter(|_| should_restore_best(self.experiment)) else {
            return true;
        };
        let position = Position { epochs: best.epoch, steps: 0 };
        if position == checkpoint.state.position {
            return true;
        }
        if lost_epochs.contains(&best.epoch) {
            return false;
        }
        let weights = self.folder.load_weights(self.model.clone(), &store.weights_path(position));
        let Err(error) = weights else { return true };
        lost_epochs.push(best.epoch);
        warnings.push(format!(
            "{}; with it, the weights of the best epoch so far, {}, are lost: going back to before that epoch, to train it \
             again",
            error.message(),
            best.epoch
        ));
        false
    }

    fn limits(&self) -> SizeLimits {
        SizeLimits::new(self.model, &self.experiment.optimizer)
    }
}
