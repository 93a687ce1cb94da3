//! Owns the run of the missing trials: workers take jobs from a queue, and each record is on the
//! disk the moment its job ends. Depends on `training` and the trial log. Must not know the
//! terminal.

use std::collections::{HashMap, VecDeque};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use burn::train::Interrupter;

use crate::backend::BackendHandle;
use crate::error::{BACKEND_PANIC, Error, Result, catch_panic};
use crate::study::halving::rung_sizes;
use crate::study::runner::tracking::TrialTracking;
use crate::study::runner::trial_run::TrialRun;
use crate::study::runner::trial_splits::{TrialImages, class_sizes};
use crate::study::runner::{OpenStudy, PlannedStudy, num_parameters};
use crate::study::{Configuration, Job, Measure, Trial, TrialEnd, TrialRecord, filter_jobs};
use crate::training::{ModelGroup, StopReason, train_batched_until};
use crate::util::format::counted;

/// Function that a training calls after every epoch, with the epoch's number from 1.
type OnEpoch = Box<dyn FnMut(usize) + Send>;

/// Progress of a study.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// Number of trials that are done, including those of earlier runs.
    pub done: usize,
    /// Number of all trials.
    pub total: usize,
    /// Names of the jobs that are being trained.
    pub running: Vec<String>,
    /// Name of the configuration with the highest mean so far of the measure that the study chooses
    /// by, and that mean.
    pub best: Option<(String, f64)>,
    /// Fraction of this run's work that is done, in [0, 1], by estimated cost.
    pub fraction: f64,
}

/// Message from a worker. `job` is the index of a job of this run.
enum Message {
    /// The worker starts to train the job.
    Started { job: usize },
    /// The job's networks have been trained for `epoch` epochs.
    Epoch { job: usize, epoch: usize },
    /// The job has ended with `records`. Interrupted trials have none.
    Ended { job: usize, records: Vec<TrialRecord> },
}

impl OpenStudy {
    /// Runs every trial that has no result yet. Calls `on_progress` after every change, with the
    /// records of the trials that have just ended.
    ///
    /// Returns true if all trials have been run, and false if `interrupter` stopped them.
    ///
    /// # Errors
    /// A record or an event file cannot be written, or no worker can be started. A trial that fails is no error: its
    /// record says that it failed.
    pub fn run(
        &mut self,
        interrupter: &Interrupter,
        mut on_progress: impl FnMut(&Progress, &[TrialRecord]),
    ) -> Result<bool> {
        // The trackers see the results of all shards when the study is run whole.
        let tracking = match self.planned.shard {
            None => TrialTracking::new(&self.planned, &self.folder),
            Some(_) => None,
        };
        let mut spent = 0.0;
        for rung in 0..self.planned.plan.num_rungs() {
            // Without the results of a whole rung, nobody knows who goes on.
            let known = self.planned.members(Some(&self.trial_log));
            if rung >= known.len() || interrupter.should_stop() {
                break;
            }
            // A configuration that goes on has the event files of its new rung alone.
            tracking.iter().try_for_each(|tracking| tracking.synchronize(&self.records()))?;
            spent = self.run_rung(rung, &known, spent, tracking.as_ref(), interrupter, &mut on_progress)?;
        }
        Ok(!interrupter.should_stop())
    }

    /// Runs the trials of a rung that have no result yet. `known` are the configurations of this rung
    /// and those before it, and `spent` is the cost of what this run has trained before. Returns the
    /// cost with that of this rung.
    fn run_rung(
        &mut self,
        rung: usize,
        known: &[Vec<usize>],
        spent: f64,
        tracking: Option<&TrialTracking>,
        interrupter: &Interrupter,
        on_progress: &mut impl FnMut(&Progress, &[TrialRecord]),
    ) -> Result<f64> {
        let (num_done, num_trials) = (self.num_done(), self.num_trials());
        let Self { planned, trial_log, .. } = self;
        let is_missing = |trial: usize| !planned.is_done(Some(trial_log), trial);
        let jobs = filter_jobs(planned.rung_jobs(rung, &known[rung]), is_missing);
        let mut tracker = ProgressTracker::new(planned, &jobs, (num_done, num_trials));
        tracker.spent = spent;
        tracker.later = if planned.shard.is_none() { planned.later_cost(rung, known) } else { 0.0 };
        let of_rung = known[rung].iter().flat_map(|&member| planned.plan.trials_of(rung, member));
        tracker.update_best(of_rung.filter_map(|trial| trial_log.result(&planned.plan.trials[trial])));
        let total = spent + tracker.costs.iter().sum::<f64>();
        let queue = Mutex::new((0..jobs.len()).collect::<VecDeque<usize>>());
        let (sender, receiver) = channel();
        thread::scope(|scope| -> Result<()> {
            for worker in 0..planned.workers.min(jobs.len()) {
                let (sender, queue, jobs) = (sender.clone(), &queue, &jobs);
                let planned = &*planned;
                let work = move || planned.work(queue, jobs, interrupter, &sender);
                match thread::Builder::new().spawn_scoped(scope, work) {
                    // With fewer workers the study takes longer. Without any, no trial would run.
                    Err(error) if worker == 0 => return Err(Error::thread(&error)),
                    Err(_) => break,
                    Ok(_) => {}
                }
            }
            drop(sender);
            for message in receiver {
                let records = tracker.apply(message);
                // A record is written before it is shown: everything that the user has seen is
                // safe.
                let track =
                    |tracking: &&TrialTracking| records.iter().try_for_each(|record| tracking.write(record));
                let written = trial_log.append(&records).and_then(|()| tracking.iter().try_for_each(track));
                if let Err(error) = written {
                    interrupter.stop(Some("a record could not be written"));
                    return Err(error);
                }
                on_progress(&tracker.progress, &records);
            }
            Ok(())
        })?;
        Ok(total)
    }
}

/// State of the jobs while they run, from which [`Progress`] follows. Lists with one entry per job
/// are in the order of the jobs.
struct ProgressTracker {
    /// The progress after the last message.
    progress: Progress,
    /// Name of each job.
    names: Vec<String>,
    /// Estimated cost of each job; see [`PlannedStudy::cost`].
    costs: Vec<f64>,
    /// Number of epochs of each job.
    num_epochs: Vec<usize>,
    /// Cost of what this run has trained in earlier rungs, and expected cost of later ones.
    spent: f64,
    later: f64,
    /// Fraction of each job that is done, in [0, 1].
    fractions: Vec<f64>,
    /// Indices of the jobs that are being trained.
    running: Vec<usize>,
    /// Measure that the study chooses by.
    measure: Measure,
    /// Sum and number of the values of the measure of each configuration.
    scores: Vec<(Configuration, f64, usize)>,
    /// Index of each configuration in `scores`.
    indices: HashMap<Configuration, usize>,
}

impl ProgressTracker {
    /// Starts with `done` trials of `total` that have a result already. `jobs` are those of this rung
    /// that are left.
    fn new(planned: &PlannedStudy, jobs: &[Job], (done, total): (usize, usize)) -> Self {
        let first = |job: &Job| job.trials().first().copied().unwrap_or(0);
        let epochs = |job: &Job| planned.plan.trials[first(job)].num_epochs();
        Self {
            progress: Progress { done, total, running: Vec::new(), best: None, fraction: 0.0 },
            names: jobs.iter().map(|job| planned.job_name(job)).collect(),
            costs: jobs.iter().map(|job| planned.cost(job)).collect(),
            num_epochs: jobs.iter().map(epochs).collect(),
            spent: 0.0,
            later: 0.0,
            fractions: vec![0.0; jobs.len()],
            running: Vec::new(),
            measure: planned.study.measure,
            scores: planned
                .plan
                .configurations
                .iter()
                .map(|configuration| (configuration.clone(), 0.0, 0))
                .collect(),
            indices: planned.plan.configurations.iter().cloned().zip(0..).collect(),
        }
    }

    /// Applies a message and returns the records in it.
    fn apply(&mut self, message: Message) -> Vec<TrialRecord> {
        let mut ended = Vec::new();
        match message {
            Message::Started { job } => self.running.push(job),
            Message::Epoch { job, epoch } => self.fractions[job] = epoch as f64 / self.num_epochs[job] as f64,
            Message::Ended { job, records } => {
                self.running.retain(|&running| running != job);
                self.fractions[job] = 1.0;
                self.progress.done += records.iter().filter(|record| record.end != TrialEnd::Failed).count();
                self.update_best(records.iter());
                ended = records;
            }
        }
        self.progress.running = self.running.iter().map(|&job| self.names[job].clone()).collect();
        let done: f64 = self.costs.iter().zip(&self.fractions).map(|(cost, fraction)| cost * fraction).sum();
        let all = self.spent + self.costs.iter().sum::<f64>() + self.later;
        self.progress.fraction = (self.spent + done) / all.max(f64::MIN_POSITIVE);
        ended
    }

    /// Adds the values of `records` and updates the configuration with the highest mean so far.
    fn update_best<'a>(&mut self, records: impl Iterator<Item = &'a TrialRecord>) {
        for record in records {
            let score = record.score(self.measure);
            if let (Some(&index), Some(score)) = (self.indices.get(&record.configuration), score) {
                let (_, sum, count) = &mut self.scores[index];
                *sum += score;
                *count += 1;
            }
        }
        let means = self.scores.iter().filter(|(_, _, count)| *count > 0);
        let means = means.map(|(configuration, sum, count)| (configuration, sum / *count as f64));
        let best = means.max_by(|a, b| a.1.total_cmp(&b.1));
        self.progress.best = best.map(|(configuration, mean)| (configuration.name(), mean));
    }
}

impl PlannedStudy {
    /// Work of one worker: takes jobs from the queue and trains them, until the queue is empty or
    /// the user interrupts.
    fn work(
        &self,
        queue: &Mutex<VecDeque<usize>>,
        jobs: &[Job],
        interrupter: &Interrupter,
        sender: &Sender<Message>,
    ) {
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        // The receiver is gone only if a record could not be written. `OpenStudy::run` has then
        // stopped the interrupter, which ends this worker.
        let send = |message| drop(sender.send(message));
        while let Some(job) = next() {
            if interrupter.should_stop() {
                break;
            }
            send(Message::Started { job });
            let on_epoch = {
                let sender = sender.clone();
                move |epoch| drop(sender.send(Message::Epoch { job, epoch }))
            };
            let records = self.train_or_fail(&jobs[job], interrupter, on_epoch);
            send(Message::Ended { job, records });
        }
    }

    /// Trains the networks of a job, and makes a record of a trial that fails or panics. Where a
    /// model batch fails, each of its networks is trained individually, so that the error of one
    /// does not fail the others.
    fn train_or_fail(
        &self,
        job: &Job,
        interrupter: &Interrupter,
        on_epoch: impl FnMut(usize) + Send + 'static,
    ) -> Vec<TrialRecord> {
        match (catch_panic(BACKEND_PANIC, || self.train(job, interrupter, on_epoch)), job) {
            (Ok(records), _) => records,
            (Err(error), Job::Single(trial)) => vec![self.failed_record(*trial, &error)],
            (Err(_), Job::Batched(_)) => {
                let alone = job.trials().into_iter().map(Job::Single);
                alone
                    .flat_map(|trial| self.train_or_fail(&trial, interrupter, Box::new(|_| ()) as OnEpoch))
                    .collect()
            }
        }
    }

    /// Trains the networks of a job. An interrupted network leaves no record.
    fn train(
        &self,
        job: &Job,
        interrupter: &Interrupter,
        on_epoch: impl FnMut(usize) + Send + 'static,
    ) -> Result<Vec<TrialRecord>> {
        let runs = match job {
            Job::Batched(groups) => self.train_batched(groups, interrupter, on_epoch)?,
            Job::Single(trial) => {
                vec![self.train_single(&self.plan.trials[*trial], interrupter, on_epoch)?]
            }
        };
        let is_batched = matches!(job, Job::Batched(_));
        let pairs = job.trials().into_iter().zip(runs);
        let finished = pairs.filter(|(_, run)| !matches!(run.end, StopReason::Interrupted { .. }));
        Ok(finished
            .map(|(trial, run)| self.trial_record(&self.plan.trials[trial], run, is_batched))
            .collect())
    }

    /// Trains the trial groups of a model batch. The results are in the order of the groups.
    fn train_batched(
        &self,
        groups: &[Vec<usize>],
        interrupter: &Interrupter,
        on_epoch: impl FnMut(usize),
    ) -> Result<Vec<TrialRun>> {
        let group = |trials: &Vec<usize>| {
            let first = &self.plan.trials[trials[0]];
            let TrialImages { train, validation, .. } = self.splits.get(first)?;
            let members = trials.iter().map(|&trial| self.plan.trials[trial].hyperparameters()).collect();
            Ok(ModelGroup { seed: first.experiment.seed, train, validation, members })
        };
        let trials = groups.iter().flatten();
        let first = trials.clone().next().copied();
        let groups = groups.iter().map(group).collect::<Result<Vec<_>>>()?;
        let BackendHandle { device, engine, .. } = &self.opened;
        let last_epoch = first.map_or(usize::MAX, |trial| self.plan.trials[trial].num_epochs());
        let results = train_batched_until(
            &groups,
            self.layout.num_classes,
            device,
            *engine,
            last_epoch,
            interrupter,
            on_epoch,
        )?;
        let validation = groups.iter().flat_map(|group| group.members.iter().map(|_| &group.validation));
        let runs = trials.zip(results).zip(validation).map(|((&trial, result), validation)| {
            TrialRun::of_batch(&self.plan.trials[trial], result, validation)
        });
        Ok(runs.collect())
    }

    /// Record of a trial that was trained to its end or diverged. Accuracy and loss are those of
    /// the epoch whose parameters are the result; see [`model_epoch`](crate::pipeline::train::model_epoch).
    fn trial_record(&self, trial: &Trial, run: TrialRun, is_batched: bool) -> TrialRecord {
        let TrialRun { end, epochs, epoch, accuracy, loss, balanced_accuracy } = run;
        let (end, message) = match end {
            StopReason::Diverged(divergence) => (TrialEnd::Diverged, Some(divergence.to_string())),
            _ => (TrialEnd::Finished, None),
        };
        let images = self.splits.num_images(trial);
        TrialRecord {
            id: trial.id.clone(),
            configuration: self.plan.configurations[trial.configuration].clone(),
            seed: trial.experiment.seed,
            fold: trial.fold,
            end,
            message,
            accuracy,
            loss,
            epoch,
            num_images: (images.train, images.validation),
            num_parameters: num_parameters(&trial.experiment, self.layout),
            steps_per_epoch: trial.experiment.training.steps_per_epoch(images.train),
            is_batched,
            epochs,
            num_stopping_images: (images.stopping > 0).then_some(images.stopping),
            balanced_accuracy,
            stopped_after: trial.stop_after,
            effective_images: balanced_accuracy.and_then(|_| self.effective_images(trial)),
        }
    }

    /// Number of images of equally large classes whose balanced accuracy would be as certain as
    /// that of the trial's validation images: K² / Σ 1/n, where K classes have n images each.
    ///
    /// The balanced accuracy is the mean of K shares, each of n images. Where the shares are equal,
    /// its variance is p (1 − p) Σ 1/n / K².
    fn effective_images(&self, trial: &Trial) -> Option<usize> {
        let sizes = class_sizes(&self.splits.get(trial).ok()?.validation.labels());
        let sizes = sizes.into_iter().filter(|&size| size > 0);
        let (classes, inverses) = sizes.fold((0.0, 0.0), |(k, sum), n| (k + 1.0, sum + 1.0 / n as f64));
        (classes > 0.0).then(|| (classes * classes / inverses).round() as usize)
    }

    /// Record of a trial that ended with `error`. `trial` is its index in the plan.
    fn failed_record(&self, trial: usize, error: &Error) -> TrialRecord {
        let trial = &self.plan.trials[trial];
        let record = self.trial_record(trial, TrialRun::failed(trial), false);
        TrialRecord { end: TrialEnd::Failed, message: Some(error.message().to_owned()), ..record }
    }

    /// Name of a job in [`Progress::running`].
    fn job_name(&self, job: &Job) -> String {
        match job {
            Job::Batched(_) => format!("{} in one batch", counted(job.trials().len(), "network", "networks")),
            Job::Single(trial) => self.trial_name(&self.plan.trials[*trial]),
        }
    }

    /// Name of a trial as people read it; see
    /// [`Study::trial_name`](crate::study::Study::trial_name).
    pub fn trial_name(&self, trial: &Trial) -> String {
        let configuration = &self.plan.configurations[trial.configuration];
        let name = self.study.trial_name(configuration, trial.experiment.seed, trial.fold);
        match trial.stop_after {
            Some(epochs) => format!("{name}, {}", counted(epochs, "epoch", "epochs")),
            None => name,
        }
    }

    /// Expected cost of the rungs after `rung`: that of the trials of the first configurations of
    /// `known` in `rung`, which stand for those that go on.
    fn later_cost(&self, rung: usize, known: &[Vec<usize>]) -> f64 {
        let later = rung_sizes(&self.plan, &known[..=rung]).into_iter().enumerate().skip(rung + 1);
        let trials = later.flat_map(|(rung_later, size)| {
            known[rung].iter().take(size).flat_map(move |&one| self.plan.trials_of(rung_later, one))
        });
        trials.map(|trial| self.cost(&Job::Single(trial))).sum()
    }

    /// Estimated cost of a job, roughly proportional to its time: images × epochs × (parameters +
    /// `HANDLING`), summed over its trials.
    pub(super) fn cost(&self, job: &Job) -> f64 {
        // Cost of handling an image, as a number of parameters. A small network costs at least
        // this.
        const HANDLING: usize = 20_000;
        let one = |trial: usize| {
            let trial = &self.plan.trials[trial];
            let images = self.splits.num_images(trial).train * trial.num_epochs();
            images as f64 * (num_parameters(&trial.experiment, self.layout) + HANDLING) as f64
        };
        job.trials().into_iter().map(one).sum()
    }
}
