//! How long a study will take: a few real steps of each kind of job, extrapolated.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use burn::train::Interrupter;

use crate::data::Split;
use crate::error::Result;
use crate::study::runner::PlannedStudy;
use crate::study::{Job, Trial};
use crate::training;
use crate::training::{BatchKey, ModelGroup, NullRenderer, Observers, train_batched};

/// What a job's time an image depends on: the networks' key, their shape, how many they are.
type JobKind = (Option<BatchKey>, String, usize);

/// Steps that are timed, after as many that are not.
const TIMED_STEPS: usize = 30;
/// Judging an image costs a forward pass, learning from it about three.
const VALIDATION_COST: f64 = 1.0 / 3.0;

impl PlannedStudy {
    /// Seconds that the trials in `jobs` and the winner's training will take, from timing the first steps of each kind
    /// of them. Costs seconds itself where networks are large.
    ///
    /// # Errors
    /// A trial that cannot be trained, or a device that fails.
    pub fn estimate(&self, jobs: &[Job]) -> Result<Duration> {
        let mut measured: Vec<(JobKind, f64)> = Vec::new();
        let (mut seconds, mut best_model) = (0.0, 0.0f64);
        for job in jobs {
            let trials = job.trials();
            let first = &self.plan.trials[trials[0]];
            if self.infeasible(first).is_some() {
                // It will fail at once.
                continue;
            }
            let kind = (BatchKey::new(first.model_spec()), shape_key(first), trials.len());
            let per_image = match measured.iter().find(|(other, _)| *other == kind) {
                Some((_, per_image)) => *per_image,
                None => {
                    let per_image = self.seconds_per_image(job)?;
                    measured.push((kind, per_image));
                    per_image
                }
            };
            let (train, validation) = self.splits.num_images(first);
            let images = train as f64 + validation as f64 * VALIDATION_COST;
            let one = per_image * images * first.experiment.training.num_epochs as f64;
            seconds += one;
            let all = (train + validation).max(1) as f64 / train.max(1) as f64;
            best_model = best_model.max(all * one / trials.len() as f64);
        }
        // Workers are at it together; the winner's training follows, on the images held out as well.
        Ok(Duration::from_secs_f64(seconds / self.workers as f64 + best_model))
    }

    /// Seconds of a job for each image that its networks learn from, while as many of it run as there are workers.
    fn seconds_per_image(&self, job: &Job) -> Result<f64> {
        let first = &self.plan.trials[job.trials()[0]];
        let size = TIMED_STEPS * first.experiment.training.batch_size;
        let images = self.train_few_steps(job, size)?;
        let start = Instant::now();
        thread::scope(|scope| {
            let work = || self.train_few_steps(job, size);
            // This thread is one of them. Where others cannot be had, a study has fewer workers, too.
            let others =
                (1..self.workers).map_while(|_| thread::Builder::new().spawn_scoped(scope, work).ok());
            let others: Vec<_> = others.collect();
            // It has been done once without an error.
            drop(work());
            others.into_iter().for_each(|worker| drop(worker.join()));
        });
        Ok(start.elapsed().as_secs_f64() / images as f64)
    }

    /// Trains the networks of a job on their first images, once; returns how many.
    fn train_few_steps(&self, job: &Job, size: usize) -> Result<usize> {
        let few = |trial: &Trial| -> Result<(Split, Split)> {
            let (train, validation) = self.splits.get(trial)?;
            Ok((train.slice(0..size.min(train.len())), validation.slice(0..0)))
        };
        let short = |trial: &usize| {
            let mut trial = self.plan.trials[*trial].clone();
            let training = &mut Arc::make_mut(&mut trial.experiment).training;
            training.num_epochs = 1;
            training.early_stopping = None;
            trial
        };
        let interrupter = Interrupter::new();
        match job {
            Job::Single(trial) => {
                let trial = short(trial);
                let (train, validation) = few(&trial)?;
                let images = train.len();
                let observers = Observers {
                    renderer: Box::new(NullRenderer),
                    on_epoch: Box::new(|_| Ok(())),
                    interrupter,
                };
                training::train(self.train_request(&trial, train, validation)?, observers)?;
                Ok(images)
            }
            Job::Batched(groups) => {
                let trials: Vec<Vec<Trial>> =
                    groups.iter().map(|group| group.iter().map(short).collect()).collect();
                let group = |trials: &'_ Vec<Trial>| {
                    let (train, validation) = few(&trials[0])?;
                    Ok((trials[0].experiment.seed, train, validation))
                };
                let splits = trials.iter().map(group).collect::<Result<Vec<_>>>()?;
                let groups: Vec<_> = trials
                    .iter()
                    .zip(splits)
                    .map(|(trials, (seed, train, validation))| ModelGroup {
                        seed,
                        train,
                        validation,
                        members: trials.iter().map(Trial::model_spec).collect(),
                    })
                    .collect();
                let images = groups[0].train.len();
                train_batched(&groups, self.layout.num_classes, &self.opened.device, &interrupter, |_| ())?;
                Ok(images)
            }
        }
    }
}

/// What a step costs depends on it.
fn shape_key(trial: &Trial) -> String {
    let experiment = &trial.experiment;
    format!("{:?} {}", experiment.model.hidden, experiment.training.batch_size)
}
