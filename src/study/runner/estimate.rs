//! Owns the estimate of a study's duration: it times a few real steps of each kind of job and
//! extrapolates to all images and epochs. Depends on `training`. Writes nothing.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use burn::train::Interrupter;

use crate::data::Split;
use crate::error::Result;
use crate::study::runner::PlannedStudy;
use crate::study::runner::trial_splits::{NumImages, TrialImages};
use crate::study::{Job, Trial};
use crate::training;
use crate::training::{BatchKey, Hyperparameters, ModelGroup, NullRenderer, Observers, train_batched};

/// Properties that decide a job's time per image: the batch key, the shape, and the number of
/// networks.
type JobKind = (Option<BatchKey>, String, usize);

/// Number of steps that are timed, after as many that are not.
const TIMED_STEPS: usize = 30;
/// Cost of validating an image, relative to training with it: one forward pass against about three.
const VALIDATION_COST: f64 = 1.0 / 3.0;

impl PlannedStudy {
    /// Estimates the time of the trials in `jobs` and of the best model's training, from the first
    /// steps of each kind of job. The estimate itself takes some seconds where networks are large.
    ///
    /// # Errors
    /// A trial cannot be trained, or the device fails.
    pub fn estimate(&self, jobs: &[Job]) -> Result<Duration> {
        let mut measured: Vec<(JobKind, f64)> = Vec::new();
        let (mut seconds, mut best_model) = (0.0, 0.0f64);
        for job in jobs {
            let trials = job.trials();
            let first = &self.plan.trials[trials[0]];
            if self.infeasible(first).is_some() {
                // Such a trial fails at once and takes no time.
                continue;
            }
            // A network alone takes the same time with any momentum, which a search draws for each.
            let batch = BatchKey::new(first.hyperparameters()).filter(|_| matches!(job, Job::Batched(_)));
            let kind = (batch, shape_key(first), trials.len());
            let per_image = match measured.iter().find(|(other, _)| *other == kind) {
                Some((_, per_image)) => *per_image,
                None => {
                    let per_image = self.seconds_per_image(job)?;
                    measured.push((kind, per_image));
                    per_image
                }
            };
            let NumImages { train, stopping, validation } = self.splits.num_images(first);
            // Stopping images take the place of the validation images in every epoch.
            let validated = if stopping > 0 { stopping } else { validation };
            let images = train as f64 + validated as f64 * VALIDATION_COST;
            let epoch = per_image * images;
            seconds += epoch * first.num_epochs() as f64;
            // Any configuration may be the best. The slowest one counts, on all images.
            let all = (train + stopping + validation).max(1) as f64 / train.max(1) as f64;
            let whole = epoch * first.experiment.training.num_epochs as f64;
            best_model = best_model.max(all * whole / trials.len() as f64);
        }
        // The workers share the trials. The training of the best model follows alone, with the
        // validation images as well.
        Ok(Duration::from_secs_f64(seconds / self.workers as f64 + best_model))
    }

    /// Seconds of a job per training image, while every worker runs one such job.
    fn seconds_per_image(&self, job: &Job) -> Result<f64> {
        let first = &self.plan.trials[job.trials()[0]];
        let size = TIMED_STEPS * first.experiment.training.batch_size;
        let images = self.train_few_steps(job, size)?;
        let start = Instant::now();
        thread::scope(|scope| {
            let work = || self.train_few_steps(job, size);
            // This thread is one of the workers. Where threads cannot be started, a study has fewer
            // workers, too.
            let others =
                (1..self.workers).map_while(|_| thread::Builder::new().spawn_scoped(scope, work).ok());
            let others: Vec<_> = others.collect();
            // The same work has been done once without an error.
            drop(work());
            others.into_iter().for_each(|worker| drop(worker.join()));
        });
        Ok(start.elapsed().as_secs_f64() / images as f64)
    }

    /// Trains the networks of a job on their first `size` images once. Returns the number of
    /// images.
    fn train_few_steps(&self, job: &Job, size: usize) -> Result<usize> {
        let few = |trial: &Trial| -> Result<(Split, Split)> {
            let TrialImages { train, validation, .. } = self.splits.get(trial)?;
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
                let observers =
                    Observers { renderer: Box::new(NullRenderer), callbacks: Vec::new(), interrupter };
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
                        members: trials.iter().map(Trial::hyperparameters).collect(),
                    })
                    .collect();
                let images = groups[0].train.len();
                let (device, engine) = (&self.opened.device, self.opened.engine);
                train_batched(&groups, self.layout.num_classes, device, engine, &interrupter, |_| ())?;
                Ok(images)
            }
        }
    }
}

/// Text of everything that decides the cost of a step.
fn shape_key(trial: &Trial) -> String {
    let Hyperparameters { augmentation, model, optimizer, training, .. } = trial.hyperparameters();
    let (dropout, clipping) = (model.has_dropout(), training.clipping().is_some());
    let (average, mixup) = (training.average.is_some(), training.mixup.is_some());
    let changes = (augmentation.is_active(), augmentation.elastic_alpha > 0.0);
    let optimizer = std::mem::discriminant(optimizer);
    let (hidden, activation, batch_size) = (&model.hidden, &model.activation, training.batch_size);
    format!(
        "{hidden:?} {activation:?} {batch_size} {optimizer:?} {dropout} {clipping} {average} {mixup} {changes:?}"
    )
}
