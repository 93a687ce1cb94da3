//! The networks of questions 0 to 10: trained and tested, or found where an earlier start has left them.

use std::path::Path;
use std::time::Instant;

use burn::train::Interrupter;

use crate::error::{Error, Result};
use crate::exercise::page::{ExampleImage as LabImage, ExerciseRun, Inside, Missing, Work};
use crate::exercise::{Exercise, ExerciseObserver};
use crate::experiment::Experiment;
use crate::pipeline::earlier::{find_runs, finished_records};
use crate::pipeline::{LoadedModel, SplitName, prepare};
use crate::run::RunRecords;

/// Further seeds that tell how far chance moves the softmax network's accuracy.
const MORE_SEEDS: u64 = 4;

/// Test images that are asked about at a time, while one is looked for.
const ASKED_AT_ONCE: usize = 500;

/// Trains networks for the exercise.
pub(super) struct Trainer<'a> {
    pub(super) lab: &'a Exercise,
    pub(super) data_sha256: &'a str,
    pub(super) interrupter: &'a Interrupter,
}

impl Trainer<'_> {
    /// The softmax network: trained anew, since question 0 asks how long that takes; after a stop, as an earlier start left it.
    pub(super) fn softmax(&self, file: &Path, watcher: &mut dyn ExerciseObserver) -> Work<ExerciseRun> {
        let experiment = read(file)?;
        if self.interrupter.should_stop() {
            return self.known(&experiment)?.ok_or_else(stopped);
        }
        self.train(experiment, watcher)
    }

    /// A network that need not be trained again where an earlier start has done so.
    pub(super) fn network(&self, file: &Path, watcher: &mut dyn ExerciseObserver) -> Work<ExerciseRun> {
        let experiment = read(file)?;
        match self.known(&experiment)? {
            Some(run) => Ok(run),
            None => self.train(experiment, watcher),
        }
    }

    /// The softmax network from the seeds that follow its own.
    pub(super) fn seeds(&self, file: &Path, watcher: &mut dyn ExerciseObserver) -> Work<Vec<RunRecords>> {
        let first = read(file)?;
        let mut runs = Vec::new();
        for offset in 1..=MORE_SEEDS {
            // Seeds are TOML's whole numbers; after the largest comes 0.
            let seed = (first.seed + offset) & i64::MAX as u64;
            let experiment = Experiment { name: format!("{}-seeds", first.name), seed, ..first.clone() };
            let known = self.runs(&experiment)?.into_iter().next_back();
            runs.push(match known {
                Some(records) => records,
                None => self.records(experiment, watcher)?,
            });
        }
        Ok(runs)
    }

    /// The finished runs of an experiment.
    fn runs(&self, experiment: &Experiment) -> Result<Vec<RunRecords>> {
        let runs = find_runs(experiment, self.lab.backend, self.data_sha256, &self.lab.artifacts())?;
        Ok(runs.iter().filter_map(finished_records).collect())
    }

    fn known(&self, experiment: &Experiment) -> Result<Option<ExerciseRun>> {
        let Some(records) = self.runs(experiment)?.pop() else { return Ok(None) };
        let training = on_training_images(&records)?;
        Ok(Some(ExerciseRun { records, training, seconds: None }))
    }

    fn train(&self, experiment: Experiment, watcher: &mut dyn ExerciseObserver) -> Work<ExerciseRun> {
        let start = Instant::now();
        let records = self.records(experiment, watcher)?;
        let seconds = Some(start.elapsed().as_secs_f64());
        let training = on_training_images(&records)?;
        Ok(ExerciseRun { records, training, seconds })
    }

    /// Trains and tests an experiment.
    fn records(&self, experiment: Experiment, watcher: &mut dyn ExerciseObserver) -> Work<RunRecords> {
        if self.interrupter.should_stop() {
            return Err(stopped());
        }
        let prepared = prepare(experiment, self.lab.backend, &self.lab.artifacts())?;
        let folder = prepared.folder.clone();
        let outcome = prepared.train(watcher.renderer(), self.interrupter.clone(), |_| ())?;
        if outcome.result.is_none() {
            return Err(Missing::Interrupted(format!("in the training of {}", folder.path().display())));
        }
        outcome.report?;
        Ok(folder.records()?)
    }
}

/// What has not been begun.
fn stopped() -> Missing {
    Missing::Interrupted("before its training began".to_owned())
}

/// The experiment in a file.
pub(super) fn read(file: &Path) -> Result<Experiment> {
    let text = crate::util::files::read(file)?;
    Experiment::from_toml(&text, &file.display().to_string(), &[])
}

/// What a run's final weights make of the images that they were trained on.
fn on_training_images(records: &RunRecords) -> Result<crate::evaluation::Evaluation> {
    let saved = LoadedModel::from_run(records.folder.clone(), None)?;
    saved.evaluate(&saved.eval_set(SplitName::Train, None)?)
}

/// The softmax network's weights, the first test image, and the first with which it is the other way round.
pub(super) fn inside(softmax: &Work<ExerciseRun>) -> Work<Inside> {
    let run = softmax.as_ref().map_err(Clone::clone)?;
    if !run.records.experiment.model.hidden.is_empty() {
        return Err(Missing::Failed(
            "the experiment of question 0 has hidden layers; questions 8 and 9 look into a network without"
                .to_owned(),
        ));
    }
    let saved = LoadedModel::from_run(run.records.folder.clone(), None)?;
    let neurons = saved.model.first_layer()?;
    let (first, other) = examples(&saved)?;
    Ok(Inside { neurons, first, other })
}

/// The first test image, and the first of which the opposite is true.
fn examples(saved: &LoadedModel) -> Result<(LabImage, Option<LabImage>)> {
    let subject = saved.eval_set(SplitName::Test, None)?;
    let all: Vec<usize> = (0..subject.split.len()).collect();
    let mut first: Option<LabImage> = None;
    for indices in all.chunks(ASKED_AT_ONCE) {
        let answers = saved.predict(&subject, indices)?;
        for (&index, answer) in indices.iter().zip(answers) {
            let label = usize::from(subject.split.image(index).1);
            let image = LabImage { index, label, pixels: answer.pixels, prediction: answer.prediction };
            let is_right = |image: &LabImage| image.prediction.class == image.label;
            match &first {
                None => first = Some(image),
                Some(seen) if is_right(seen) != is_right(&image) => {
                    return Ok((seen.clone(), Some(image)));
                }
                Some(_) => (),
            }
        }
    }
    let first = first.ok_or_else(|| Error::data("there is no test image"))?;
    Ok((first, None))
}
