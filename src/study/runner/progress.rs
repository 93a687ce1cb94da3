//! Runs the trials that are missing: jobs from a queue, by as many workers as the study has, and a record on the disk
//! the moment a unit ends.

use std::collections::{HashMap, VecDeque};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use burn::train::Interrupter;

use crate::backend::BackendHandle;
use crate::error::{BACKEND_PANIC, Error, Result, catch_panic};
use crate::pipeline::splits::check_trainable;
use crate::pipeline::train::model_epoch;
use crate::study::runner::{OpenedStudy, PlannedStudy, num_parameters};
use crate::study::{Configuration, Job, Trial, TrialEnd, TrialRecord, remaining};
use crate::training;
use crate::training::{
    EpochRecord, ModelGroup, ModelResult, NullRenderer, Observers, StopReason, TrainRequest, train_batched,
};
use crate::util::format::counted;

/// Steps of the warm-up before a timed trial.
const WARM_UP_STEPS: usize = 50;

/// Told of every epoch.
type OnEpoch = Box<dyn FnMut(usize) + Send>;

/// How a study stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// Trials done, those of earlier times included.
    pub done: usize,
    /// All trials.
    pub total: usize,
    /// What is being trained.
    pub running: Vec<String>,
    /// The setting of the highest mean accuracy so far, with that.
    pub best: Option<(String, f64)>,
    /// How much of the work of this time is done, in [0, 1], by estimated cost.
    pub share: f64,
}

/// What workers say.
enum Message {
    Started { unit: usize },
    Epoch { unit: usize, epoch: usize },
    Ended { unit: usize, records: Vec<TrialRecord> },
}

impl OpenedStudy {
    /// Runs every trial that has no result yet. `on_progress` is told of every change, and of the trials that have just
    /// ended.
    ///
    /// Returns whether all trials have been run; not when `interrupter` stopped them.
    ///
    /// # Errors
    /// A record that cannot be written. A trial that fails is none: it is a record that says so.
    pub fn run(
        &mut self,
        interrupter: &Interrupter,
        mut on_progress: impl FnMut(&Progress, &[TrialRecord]),
    ) -> Result<bool> {
        let Self { planned, journal, .. } = self;
        let trials = &planned.plan.trials;
        let wanted: Vec<bool> = trials.iter().map(|trial| journal.result(trial).is_none()).collect();
        let jobs = remaining(planned.jobs.clone(), |trial| wanted[trial]);
        let mut board =
            ProgressTracker::new(planned, &jobs, wanted.iter().filter(|wanted| !**wanted).count());
        board.rank(trials.iter().filter_map(|trial| journal.result(trial)));
        let queue = Mutex::new((0..jobs.len()).collect::<VecDeque<usize>>());
        let (sender, receiver) = channel();
        thread::scope(|scope| -> Result<()> {
            for worker in 0..planned.workers.min(jobs.len()) {
                let (sender, queue, jobs) = (sender.clone(), &queue, &jobs);
                let planned = &*planned;
                let work = move || planned.work(queue, jobs, interrupter, &sender);
                match thread::Builder::new().spawn_scoped(scope, work) {
                    // Fewer workers take longer; none would leave everything undone.
                    Err(error) if worker == 0 => return Err(Error::thread(&error)),
                    Err(_) => break,
                    Ok(_) => {}
                }
            }
            drop(sender);
            for message in receiver {
                let records = board.note(message);
                // Written before it is shown: what has been seen is safe.
                if let Err(error) = journal.append(&records) {
                    interrupter.stop(Some("a record could not be written"));
                    return Err(error);
                }
                on_progress(&board.progress, &records);
            }
            Ok(())
        })?;
        Ok(!interrupter.should_stop())
    }
}

/// What is known of the work while it goes on.
struct ProgressTracker {
    progress: Progress,
    names: Vec<String>,
    costs: Vec<f64>,
    num_epochs: Vec<usize>,
    shares: Vec<f64>,
    running: Vec<usize>,
    /// The accuracies of each setting's trials: their sum and number.
    accuracies: Vec<(Configuration, f64, usize)>,
    /// Where each setting is in `accuracies`.
    places: HashMap<Configuration, usize>,
}

impl ProgressTracker {
    fn new(planned: &PlannedStudy, jobs: &[Job], done: usize) -> Self {
        let first = |unit: &Job| unit.trials().first().copied().unwrap_or(0);
        let epochs = |unit: &Job| planned.plan.trials[first(unit)].experiment.training.num_epochs;
        let total = planned.plan.trials.len();
        Self {
            progress: Progress { done, total, running: Vec::new(), best: None, share: 0.0 },
            names: jobs.iter().map(|unit| planned.name(unit)).collect(),
            costs: jobs.iter().map(|unit| planned.cost(unit)).collect(),
            num_epochs: jobs.iter().map(epochs).collect(),
            shares: vec![0.0; jobs.len()],
            running: Vec::new(),
            accuracies: planned.plan.settings.iter().map(|setting| (setting.clone(), 0.0, 0)).collect(),
            places: planned.plan.settings.iter().cloned().zip(0..).collect(),
        }
    }

    /// Takes a message in; returns the records in it.
    fn note(&mut self, message: Message) -> Vec<TrialRecord> {
        let mut ended = Vec::new();
        match message {
            Message::Started { unit } => self.running.push(unit),
            Message::Epoch { unit, epoch } => self.shares[unit] = epoch as f64 / self.num_epochs[unit] as f64,
            Message::Ended { unit, records } => {
                self.running.retain(|&running| running != unit);
                self.shares[unit] = 1.0;
                self.progress.done += records.iter().filter(|record| record.end != TrialEnd::Failed).count();
                self.rank(records.iter());
                ended = records;
            }
        }
        self.progress.running = self.running.iter().map(|&unit| self.names[unit].clone()).collect();
        let done: f64 = self.costs.iter().zip(&self.shares).map(|(cost, share)| cost * share).sum();
        self.progress.share = done / self.costs.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        ended
    }

    /// Takes the accuracies of some trials in, and says which setting has the highest mean so far.
    fn rank<'a>(&mut self, records: impl Iterator<Item = &'a TrialRecord>) {
        for record in records {
            if let (Some(&place), Some(accuracy)) = (self.places.get(&record.setting), record.accuracy) {
                let (_, sum, count) = &mut self.accuracies[place];
                *sum += accuracy;
                *count += 1;
            }
        }
        let means = self.accuracies.iter().filter(|(_, _, count)| *count > 0);
        let means = means.map(|(setting, sum, count)| (setting, sum / *count as f64));
        let best = means.max_by(|a, b| a.1.total_cmp(&b.1));
        self.progress.best = best.map(|(setting, mean)| (setting.name(), mean));
    }
}

impl PlannedStudy {
    /// Takes jobs from the queue until there are no more, or someone asks to stop.
    fn work(
        &self,
        queue: &Mutex<VecDeque<usize>>,
        jobs: &[Job],
        interrupter: &Interrupter,
        sender: &Sender<Message>,
    ) {
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        // Nobody listens any more only where the records cannot be written: then the interrupter has been told.
        let tell = |message| drop(sender.send(message));
        while let Some(unit) = next() {
            if interrupter.should_stop() {
                break;
            }
            tell(Message::Started { unit });
            let on_epoch = {
                let sender = sender.clone();
                move |epoch| drop(sender.send(Message::Epoch { unit, epoch }))
            };
            let records = self.train_or_fail(&jobs[unit], interrupter, on_epoch);
            tell(Message::Ended { unit, records });
        }
    }

    /// Trains the networks of a unit. Where a stack fails, each of its networks is tried by itself: one of them must not
    /// take the others along.
    fn train_or_fail(
        &self,
        unit: &Job,
        interrupter: &Interrupter,
        on_epoch: impl FnMut(usize) + Send + 'static,
    ) -> Vec<TrialRecord> {
        match (catch_panic(BACKEND_PANIC, || self.train(unit, interrupter, on_epoch)), unit) {
            (Ok(records), _) => records,
            (Err(error), Job::Alone(trial)) => vec![self.failed(*trial, &error)],
            (Err(_), Job::Stack(_)) => {
                let alone = unit.trials().into_iter().map(Job::Alone);
                alone
                    .flat_map(|trial| self.train_or_fail(&trial, interrupter, Box::new(|_| ()) as OnEpoch))
                    .collect()
            }
        }
    }

    /// Trains the networks of a unit. What is interrupted leaves no record.
    fn train(
        &self,
        unit: &Job,
        interrupter: &Interrupter,
        on_epoch: impl FnMut(usize) + Send + 'static,
    ) -> Result<Vec<TrialRecord>> {
        let runs = match unit {
            Job::Stack(streams) => self.train_batched(streams, interrupter, on_epoch)?,
            Job::Alone(trial) => vec![self.train_alone(&self.plan.trials[*trial], interrupter, on_epoch)?],
        };
        let is_stacked = matches!(unit, Job::Stack(_));
        let pairs = unit.trials().into_iter().zip(runs);
        let whole = pairs.filter(|(_, run)| !matches!(run.end, StopReason::Interrupted { .. }));
        Ok(whole.map(|(trial, run)| self.record(&self.plan.trials[trial], run, is_stacked)).collect())
    }

    fn train_batched(
        &self,
        streams: &[Vec<usize>],
        interrupter: &Interrupter,
        on_epoch: impl FnMut(usize),
    ) -> Result<Vec<ModelResult>> {
        let stream = |trials: &Vec<usize>| {
            let first = &self.plan.trials[trials[0]];
            let (train, validation) = self.sets.of(first)?;
            let members = trials.iter().map(|&trial| self.plan.trials[trial].member()).collect();
            Ok(ModelGroup { seed: first.experiment.seed, train, validation, members })
        };
        let streams = streams.iter().map(stream).collect::<Result<Vec<_>>>()?;
        let BackendHandle { device, engine, .. } = &self.opened;
        train_batched(&streams, self.layout.num_classes, device, *engine, interrupter, on_epoch)
    }

    fn train_alone(
        &self,
        trial: &Trial,
        interrupter: &Interrupter,
        mut on_epoch: impl FnMut(usize) + Send + 'static,
    ) -> Result<ModelResult> {
        let (train, validation) = self.sets.of(trial)?;
        check_trainable(&trial.experiment, self.layout, train.len())?;
        if self.study.timing {
            self.warm_up(trial)?;
        }
        let followers = Observers {
            renderer: Box::new(NullRenderer),
            callbacks: vec![training::on_epoch_end(move |record: &EpochRecord| {
                on_epoch(record.epoch);
                Ok(())
            })],
            interrupter: interrupter.clone(),
        };
        let setup = self.setup(trial, train, validation)?;
        let trained = training::train(setup, followers)?;
        Ok(ModelResult { end: trained.end, epochs: trained.epochs })
    }

    pub(super) fn setup<'a>(
        &'a self,
        trial: &'a Trial,
        train: crate::data::Split,
        validation: crate::data::Split,
    ) -> Result<TrainRequest<'a>> {
        let experiment = &trial.experiment;
        let pixels = self.layout.height * self.layout.width;
        let BackendHandle { device, engine, .. } = &self.opened;
        let model = experiment.model.init(pixels, self.layout.num_classes, experiment.seed, device)?;
        Ok(TrainRequest {
            model: model.with_engine(*engine),
            hyperparameters: experiment.hyperparameters(),
            seed: experiment.seed,
            train,
            validation,
            device,
            checkpoints: None,
        })
    }

    /// A few steps of the same shapes: memory is fetched, code is read in, and a GPU's kernels are compiled.
    fn warm_up(&self, trial: &Trial) -> Result<()> {
        let mut short = trial.clone();
        let training = &mut Arc::make_mut(&mut short.experiment).training;
        training.num_epochs = 1;
        training.early_stopping = None;
        let (train, validation) = self.sets.of(trial)?;
        let images = (WARM_UP_STEPS * trial.experiment.training.batch_size).min(train.len());
        let setup = self.setup(&short, train.slice(0..images), validation.slice(0..0))?;
        let followers = Observers {
            renderer: Box::new(NullRenderer),
            callbacks: Vec::new(),
            interrupter: Interrupter::new(),
        };
        training::train(setup, followers).map(drop)
    }

    fn record(&self, trial: &Trial, run: ModelResult, stacked: bool) -> TrialRecord {
        let ModelResult { end, epochs } = run;
        let (end, message) = match end {
            StopReason::Diverged(divergence) => (TrialEnd::Diverged, Some(divergence.to_string())),
            _ => (TrialEnd::Finished, None),
        };
        let best = EpochRecord::best(&epochs).filter(|_| end == TrialEnd::Finished);
        let judged = best.map(|best| model_epoch(&trial.experiment, best, epochs.len()));
        let record = judged.and_then(|epoch| epochs.iter().find(|record| record.epoch == epoch));
        let num_images = self.sets.num_images(trial);
        TrialRecord {
            id: trial.id.clone(),
            setting: self.plan.settings[trial.setting].clone(),
            seed: trial.experiment.seed,
            fold: trial.fold,
            end,
            message,
            accuracy: record.and_then(|record| record.validation_accuracy),
            loss: record.and_then(|record| record.validation_loss),
            epoch: judged,
            num_images,
            num_parameters: num_parameters(&trial.experiment, self.layout),
            steps_per_epoch: trial.experiment.training.steps_per_epoch(num_images.0),
            stacked,
            epochs,
        }
    }

    fn failed(&self, trial: usize, error: &Error) -> TrialRecord {
        let nothing = ModelResult { end: StopReason::Finished, epochs: Vec::new() };
        let record = self.record(&self.plan.trials[trial], nothing, false);
        TrialRecord { end: TrialEnd::Failed, message: Some(error.message().to_owned()), ..record }
    }

    /// What a unit is called while it runs.
    fn name(&self, unit: &Job) -> String {
        match unit {
            Job::Stack(_) => format!("{} side by side", counted(unit.trials().len(), "network", "networks")),
            Job::Alone(trial) => self.trial_name(&self.plan.trials[*trial]),
        }
    }

    /// A trial as people call it; see [`Study::trial_name`](crate::study::Study::trial_name).
    pub fn trial_name(&self, trial: &Trial) -> String {
        self.study.trial_name(&self.plan.settings[trial.setting], trial.experiment.seed, trial.fold)
    }

    /// Roughly proportional to the time that a unit takes.
    fn cost(&self, unit: &Job) -> f64 {
        // A small network costs at least as much as handling its images does.
        const HANDLING: usize = 20_000;
        let one = |trial: usize| {
            let trial = &self.plan.trials[trial];
            let images = self.sets.num_images(trial).0 * trial.experiment.training.num_epochs;
            images as f64 * (num_parameters(&trial.experiment, self.layout) + HANDLING) as f64
        };
        unit.trials().into_iter().map(one).sum()
    }
}
