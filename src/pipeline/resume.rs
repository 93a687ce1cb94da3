//! From the folder of a run that has not ended, or shall go on, to a training that goes on where it stopped.

use crate::backend::Backend;
use crate::data::Source;
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::model::Mlp;
use crate::optim::ScheduleConfig;
use crate::pipeline::PreparedRun;
use crate::pipeline::inputs::RunInputs;
use crate::pipeline::train::restores_best;
use crate::run;
use crate::run::{Metrics, ResumeEvent, RunFolder, RunInfo, Status};
use crate::training::{Checkpoint, EpochRecord, Position, ResumePoint, SizeLimits, Store};
use crate::util::format::counted;

/// A run that is about to go on.
pub struct Resume {
    /// The run.
    pub prepared: PreparedRun,
    /// The checkpoint that it goes on from; it starts again without one.
    pub from: Option<Position>,
    /// What whoever waits for the result should know.
    pub warnings: Vec<String>,
}

/// Takes the run in `folder` up where its last whole checkpoint was taken; with `num_epochs`, to end after that many.
///
/// It ends as if it had never stopped: the same weights and metrics to the last bit on the same CPU backend.
///
/// # Errors
/// A run that is finished, or that another process trains; another backend than its own; a data set that has changed.
pub fn resume(folder: RunFolder, num_epochs: Option<usize>, backend: Option<Backend>) -> Result<Resume> {
    let lock = folder.lock()?;
    let mut info = folder.info()?;
    check_origin(&folder, &info, backend)?;
    let mut experiment = folder.experiment(&info)?;
    let (mut metrics, epochs) = folder.metrics()?;
    let planned = experiment.training.num_epochs;
    if let Some(num_epochs) = num_epochs {
        extend(&mut experiment, num_epochs, &folder, epochs.len())?;
    }
    check_unfinished(&folder, &info, planned, experiment.training.num_epochs)?;
    let mut warnings = Vec::new();
    warn_of_version(&info, &mut warnings);

    let RunInputs { opened, splits, model, data } = RunInputs::new(&experiment, info.backend)?;
    check_data(&experiment.data.source(), &data.sha256, &info.data.sha256)?;
    let search = Search { folder: &folder, experiment: &experiment, model: &model, metrics: &metrics };
    let steps_per_epoch = experiment.training.steps_per_epoch(splits.train.len());
    let from = search.last(epochs, steps_per_epoch, &mut warnings)?;
    let position = from.as_ref().map(|from| from.checkpoint.state.position);
    if position.is_some() {
        warn_of_stretching(&experiment, planned, &mut warnings);
    }

    info.format = run::FORMAT;
    info.num_epochs = num_epochs.or(info.num_epochs);
    info.resumed.push(ResumeEvent { at: run::timestamp(run::now()), from: position });
    (info.status, info.ended, info.message, info.weights_sha256) = (Status::Running, None, None, None);
    // First of all: from here on, nothing in the folder counts as the run's result.
    folder.write_info(&info)?;
    folder.remove_results()?;
    metrics.cut(position.map_or(0, |position| position.epochs))?;
    let metrics = Some(metrics);
    let prepared = PreparedRun { experiment, folder, info, model, opened, splits, lock, metrics, from };
    Ok(Resume { prepared, from: position, warnings })
}

/// Another backend rounds differently; the first version left nothing to go on from.
fn check_origin(folder: &RunFolder, info: &RunInfo, backend: Option<Backend>) -> Result<()> {
    let path = folder.path().display();
    if let Some(backend) = backend.filter(|&backend| backend != info.backend) {
        let own = info.backend;
        return Err(Error::usage(format!("`{path}` is being trained on {own}, not on {backend}"))
            .hint("leave `--backend` out: on another backend it would not end the same"));
    }
    if info.format < 2 {
        return Err(Error::new(format!(
            "`{path}` was made by smallnet {}, which saved too little to resume from",
            info.version
        ))
        .hint(format!("train again: `smallnet train {}`", folder.config_path().display())));
    }
    Ok(())
}

/// Sets the number of epochs of a run that has trained `done` already.
fn extend(experiment: &mut Experiment, num_epochs: usize, folder: &RunFolder, done: usize) -> Result<()> {
    if num_epochs < done {
        let done = counted(done, "epoch", "epochs");
        return Err(Error::usage(format!(
            "`{}` has been trained for {done} already, and `--epochs` is {num_epochs}",
            folder.path().display()
        )));
    }
    experiment.training.num_epochs = num_epochs;
    experiment.check()
}

/// Refuses a finished run that was `planned` for so many epochs and shall have no more than that.
fn check_unfinished(folder: &RunFolder, info: &RunInfo, planned: usize, wanted: usize) -> Result<()> {
    if info.status != Status::Finished {
        return Ok(());
    }
    let path = folder.path().display();
    let done = folder.summary(info)?.map_or(planned, |summary| summary.num_epochs);
    if done < planned {
        return Err(Error::new(format!(
            "`{path}` is finished: early stopping ended it after epoch {done} of {planned}"
        ))
        .hint("more epochs would not change that; train again with another `training.early_stopping`"));
    }
    if wanted > done {
        return Ok(());
    }
    Err(Error::new(format!(
        "`{path}` is finished: all of its {} are trained",
        counted(done, "epoch", "epochs")
    ))
    .hint(format!("to train it on, say until when: `--epochs {}`", 2 * done.max(1))))
}

/// A cosine schedule ends with the training: with another end it has another course.
fn warn_of_stretching(experiment: &Experiment, planned: usize, warnings: &mut Vec<String>) {
    let num_epochs = experiment.training.num_epochs;
    if num_epochs != planned && matches!(experiment.schedule, ScheduleConfig::Cosine(_)) {
        warnings.push(format!(
            "the cosine schedule is stretched from {planned} to {num_epochs} epochs: what was trained so far followed the \
             old one, so the run will not end as one that was meant for {num_epochs} from the start"
        ));
    }
}

fn warn_of_version(info: &RunInfo, warnings: &mut Vec<String>) {
    let own = env!("CARGO_PKG_VERSION");
    if info.version != own {
        warnings.push(format!(
            "the run was started by smallnet {}, and this is {own}: the last digits may come out differently",
            info.version
        ));
    }
}

fn check_data(source: &Source, found: &str, noted: &str) -> Result<()> {
    if found == noted {
        return Ok(());
    }
    Err(Error::new(format!("the data set `{source}` has changed: its digest is {found}, expected {noted}"))
        .hint("a run resumes with the images that it began with: put them back, or train again"))
}

/// The search for the checkpoint that a run goes on from.
struct Search<'a> {
    folder: &'a RunFolder,
    experiment: &'a Experiment,
    /// The network with its initial weights.
    model: &'a Mlp,
    metrics: &'a Metrics,
}

impl Search<'_> {
    /// The last checkpoint that the run can go on from, with the epochs before it, of those in `epochs`; none where there is
    /// none. A damaged one is passed over with a warning.
    ///
    /// # Errors
    /// A run that shall end before the step that it has reached, at a point of which there is no checkpoint.
    fn last(
        &self,
        mut epochs: Vec<EpochRecord>,
        steps_per_epoch: usize,
        warnings: &mut Vec<String>,
    ) -> Result<Option<ResumePoint>> {
        let end = Position { epochs: self.experiment.training.num_epochs, steps: 0 };
        let store = self.folder.checkpoints();
        let (positions, beyond): (Vec<_>, Vec<_>) =
            store.positions()?.into_iter().partition(|&position| position <= end);
        self.go_back(end, &positions, &beyond, warnings)?;
        let mut lost = Vec::new();
        for &position in positions.iter().rev() {
            match self.read(&store, position, steps_per_epoch, &epochs) {
                Ok(checkpoint) if self.best_is_whole(&store, &checkpoint, &mut lost, warnings) => {
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

    /// A run whose checkpoints are `beyond` the `end` that is asked for goes back to it, if its checkpoint is there.
    fn go_back(
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
        Err(Error::new(format!(
            "`{path}` has been trained {reached}, and has no checkpoint of the end of epoch {} any more",
            end.epochs
        ))
        .hint(format!("resume it to a later end: `--epochs {}`", end.epochs + 1)))
    }

    /// Reads the checkpoint of `position` and checks that it is of this training; `epochs` are those in `metrics.jsonl`.
    fn read(
        &self,
        store: &Store,
        position: Position,
        steps_per_epoch: usize,
        epochs: &[EpochRecord],
    ) -> Result<Checkpoint> {
        let name = store.folder(position).display().to_string();
        let checkpoint = store.read(position, &self.limits())?;
        checkpoint.check(self.model, &name)?;
        if position.steps > steps_per_epoch {
            return Err(Error::new(format!("`{name}` is not of this training")));
        }
        if epochs.len() < position.epochs {
            let known = epochs.len();
            return Err(Error::new(format!(
                "`metrics.jsonl` has {known} whole epochs, and `{name}` needs them all"
            )));
        }
        let found = self.metrics.digest(position.epochs).sha256();
        match &checkpoint.state.metrics_sha256 {
            Some(noted) if *noted != found => Err(Error::new(format!(
                "`metrics.jsonl` is not what it was when `{name}` was saved: the digest of its lines up to epoch {} is \
                 {found}, expected {noted}",
                position.epochs
            ))),
            _ => Ok(checkpoint),
        }
    }

    /// Whether the weights of the best epoch are there, where the run will need them and `checkpoint` does not have them
    /// itself. Of each epoch whose weights are `lost`, one warning tells.
    fn best_is_whole(
        &self,
        store: &Store,
        checkpoint: &Checkpoint,
        lost: &mut Vec<usize>,
        warnings: &mut Vec<String>,
    ) -> bool {
        let Some(best) = checkpoint.state.best.filter(|_| restores_best(self.experiment)) else {
            return true;
        };
        let position = Position { epochs: best.epoch, steps: 0 };
        if position == checkpoint.state.position {
            return true;
        }
        if lost.contains(&best.epoch) {
            return false;
        }
        let weights = self.folder.load_weights(self.model.clone(), &store.weights_path(position));
        let Err(error) = weights else { return true };
        lost.push(best.epoch);
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
