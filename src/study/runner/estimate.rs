//! How long a study will take: a few real steps of each kind of unit, extrapolated.

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

/// What a unit's time an image depends on: the networks' key, their shape, how many they are.
type Kind = (Option<BatchKey>, String, usize);

/// Steps that are timed, after as many that are not.
const STEPS: usize = 30;
/// Judging an image costs a forward pass, learning from it about three.
const COST_OF_JUDGING: f64 = 1.0 / 3.0;

impl PlannedStudy {
    /// Seconds that the trials in `units` and the winner's training will take, from timing the first steps of each kind
    /// of them. Costs seconds itself where networks are large.
    ///
    /// # Errors
    /// A trial that cannot be trained, or a device that fails.
    pub fn estimate(&self, units: &[Job]) -> Result<Duration> {
        let mut known: Vec<(Kind, f64)> = Vec::new();
        let (mut seconds, mut winner) = (0.0, 0.0f64);
        for unit in units {
            let trials = unit.trials();
            let first = &self.plan.trials[trials[0]];
            if self.why_not(first).is_some() {
                // It will fail at once.
                continue;
            }
            let kind = (BatchKey::new(first.member()), shape(first), trials.len());
            let per_image = match known.iter().find(|(known, _)| *known == kind) {
                Some((_, per_image)) => *per_image,
                None => {
                    let per_image = self.seconds_per_image(unit)?;
                    known.push((kind, per_image));
                    per_image
                }
            };
            let (train, judged) = self.sets.num_images(first);
            let images = train as f64 + judged as f64 * COST_OF_JUDGING;
            let one = per_image * images * first.experiment.training.num_epochs as f64;
            seconds += one;
            let all = (train + judged).max(1) as f64 / train.max(1) as f64;
            winner = winner.max(all * one / trials.len() as f64);
        }
        // Workers are at it together; the winner's training follows, on the images held out as well.
        Ok(Duration::from_secs_f64(seconds / self.workers as f64 + winner))
    }

    /// Seconds of a unit for each image that its networks learn from, while as many of it run as there are workers.
    fn seconds_per_image(&self, unit: &Job) -> Result<f64> {
        let first = &self.plan.trials[unit.trials()[0]];
        let size = STEPS * first.experiment.training.batch_size;
        let images = self.few_steps(unit, size)?;
        let start = Instant::now();
        thread::scope(|scope| {
            let work = || self.few_steps(unit, size);
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

    /// Trains the networks of a unit on their first images, once; returns how many.
    fn few_steps(&self, unit: &Job, size: usize) -> Result<usize> {
        let few = |trial: &Trial| -> Result<(Split, Split)> {
            let (train, judged) = self.sets.of(trial)?;
            Ok((train.slice(0..size.min(train.len())), judged.slice(0..0)))
        };
        let short = |trial: &usize| {
            let mut trial = self.plan.trials[*trial].clone();
            let training = &mut Arc::make_mut(&mut trial.experiment).training;
            training.num_epochs = 1;
            training.early_stopping = None;
            trial
        };
        let interrupter = Interrupter::new();
        match unit {
            Job::Alone(trial) => {
                let trial = short(trial);
                let (train, judged) = few(&trial)?;
                let images = train.len();
                let followers =
                    Observers { renderer: Box::new(NullRenderer), callbacks: Vec::new(), interrupter };
                training::train(self.setup(&trial, train, judged)?, followers)?;
                Ok(images)
            }
            Job::Stack(streams) => {
                let trials: Vec<Vec<Trial>> =
                    streams.iter().map(|stream| stream.iter().map(short).collect()).collect();
                let stream = |trials: &'_ Vec<Trial>| {
                    let (train, validation) = few(&trials[0])?;
                    Ok((trials[0].experiment.seed, train, validation))
                };
                let splits = trials.iter().map(stream).collect::<Result<Vec<_>>>()?;
                let streams: Vec<_> = trials
                    .iter()
                    .zip(splits)
                    .map(|(trials, (seed, train, validation))| ModelGroup {
                        seed,
                        train,
                        validation,
                        members: trials.iter().map(Trial::member).collect(),
                    })
                    .collect();
                let images = streams[0].train.len();
                let (device, engine) = (&self.opened.device, self.opened.engine);
                train_batched(&streams, self.layout.num_classes, device, engine, &interrupter, |_| ())?;
                Ok(images)
            }
        }
    }
}

/// What a step costs depends on it.
fn shape(trial: &Trial) -> String {
    let experiment = &trial.experiment;
    format!("{:?} {}", experiment.model.hidden, experiment.training.batch_size)
}
