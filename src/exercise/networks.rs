//! Owns the networks of questions 0 to 10: it trains and tests them, or finds the runs of an
//! earlier start.

use std::path::Path;
use std::time::Instant;

use burn::train::Interrupter;

use crate::data::AugmentationConfig;
use crate::draw::DrawOptions;
use crate::error::{Error, Result};
use crate::exercise::page::{Beyond, ExampleImage as LabImage, ExerciseRun, Inside, Missing, Work};
use crate::exercise::{Exercise, ExerciseObserver};
use crate::experiment::Experiment;
use crate::pipeline::earlier::{find_runs, finished_records};
use crate::pipeline::{LoadedModel, SplitName, Splits, prepare};
use crate::run::RunRecords;
use crate::training::Observers;

/// Number of further seeds that show how much the softmax network's accuracy depends on the seed.
const MORE_SEEDS: u64 = 4;

/// Number of test images that are predicted at a time in the search for an example.
const CHUNK: usize = 500;

/// Trainer of the networks of the exercise.
pub(super) struct Trainer<'a> {
    pub(super) exercise: &'a Exercise,
    /// Identity of the images: see [`crate::run::DataInfo::identity`].
    pub(super) data: String,
    pub(super) interrupter: &'a Interrupter,
}

impl Trainer<'_> {
    /// Trains the softmax network, since question 0 asks how long that takes. After a stop, returns
    /// the run of an earlier start.
    pub(super) fn softmax(&self, file: &Path, observer: &mut dyn ExerciseObserver) -> Work<ExerciseRun> {
        let experiment = read(file)?;
        if self.interrupter.should_stop() {
            return self.find_finished(&experiment)?.ok_or_else(not_started);
        }
        self.train(experiment, observer)
    }

    /// Returns the run of an earlier start, or trains the network.
    pub(super) fn network(&self, file: &Path, observer: &mut dyn ExerciseObserver) -> Work<ExerciseRun> {
        self.find_or_train(read(file)?, observer)
    }

    /// Returns the run of an earlier start, or trains an experiment.
    fn find_or_train(
        &self,
        experiment: Experiment,
        observer: &mut dyn ExerciseObserver,
    ) -> Work<ExerciseRun> {
        match self.find_finished(&experiment)? {
            Some(run) => Ok(run),
            None => self.train(experiment, observer),
        }
    }

    /// Trains an experiment with augmentation and the same one without, and writes the page on which
    /// one draws.
    pub(super) fn beyond(&self, file: &Path, observer: &mut dyn ExerciseObserver) -> Work<Beyond> {
        let experiment = read(file)?;
        let name = format!("not-{}", experiment.name);
        let plain = Experiment { name, augmentation: AugmentationConfig::default(), ..experiment.clone() };
        let plain = self.find_or_train(plain, observer)?;
        let train = Splits::load(&experiment)?.train;
        let augmented = self.find_or_train(experiment, observer)?;
        let draw_page = self.draw_page(&augmented).map_err(|error| error.message().to_owned());
        Ok(Beyond { plain, augmented, train, draw_page })
    }

    /// Writes the page on which one draws, for a run. Returns its path from the exercise's folder.
    fn draw_page(&self, run: &ExerciseRun) -> Result<String> {
        let page = LoadedModel::from_run(run.records.folder.clone(), None)?.draw(&DrawOptions::default())?;
        let folder = &self.exercise.folder;
        Ok(page.path.strip_prefix(folder).unwrap_or(&page.path).display().to_string())
    }

    /// Trains the softmax network with the [`MORE_SEEDS`] seeds that follow its own.
    pub(super) fn seeds(&self, file: &Path, observer: &mut dyn ExerciseObserver) -> Work<Vec<RunRecords>> {
        let first = read(file)?;
        let mut runs = Vec::new();
        for offset in 1..=MORE_SEEDS {
            // A seed is an integer of TOML. The largest one is followed by 0.
            let seed = (first.seed + offset) & i64::MAX as u64;
            let experiment = Experiment { name: format!("{}-seeds", first.name), seed, ..first.clone() };
            let earlier = self.finished_runs(&experiment)?.into_iter().next_back();
            runs.push(match earlier {
                Some(records) => records,
                None => self.train_records(experiment, observer)?,
            });
        }
        Ok(runs)
    }

    /// Returns the finished runs of an experiment, oldest first.
    fn finished_runs(&self, experiment: &Experiment) -> Result<Vec<RunRecords>> {
        let runs = find_runs(experiment, self.exercise.compute, &self.data, &self.exercise.artifacts())?;
        Ok(runs.iter().filter_map(finished_records).collect())
    }

    /// Returns the newest finished run of an experiment.
    fn find_finished(&self, experiment: &Experiment) -> Result<Option<ExerciseRun>> {
        let Some(records) = self.finished_runs(experiment)?.pop() else { return Ok(None) };
        let training = evaluate_on_training_images(&records)?;
        Ok(Some(ExerciseRun { records, training, seconds: None }))
    }

    /// Trains and tests an experiment, and measures the time.
    fn train(&self, experiment: Experiment, observer: &mut dyn ExerciseObserver) -> Work<ExerciseRun> {
        let start = Instant::now();
        let records = self.train_records(experiment, observer)?;
        let seconds = Some(start.elapsed().as_secs_f64());
        let training = evaluate_on_training_images(&records)?;
        Ok(ExerciseRun { records, training, seconds })
    }

    /// Trains and tests an experiment, and returns the records of its run.
    fn train_records(&self, experiment: Experiment, observer: &mut dyn ExerciseObserver) -> Work<RunRecords> {
        if self.interrupter.should_stop() {
            return Err(not_started());
        }
        let prepared = prepare(experiment, self.exercise.compute, &self.exercise.artifacts())?;
        let folder = prepared.folder.clone();
        let outcome = prepared.train(Observers {
            renderer: observer.renderer(),
            callbacks: Vec::new(),
            interrupter: self.interrupter.clone(),
        })?;
        if outcome.result.is_none() {
            return Err(Missing::Interrupted(format!("in the training of {}", folder.path().display())));
        }
        outcome.report?;
        Ok(folder.records()?)
    }
}

/// Returns the reason for a training that has not been started.
fn not_started() -> Missing {
    Missing::Interrupted("before its training began".to_owned())
}

/// Reads an experiment file.
pub(super) fn read(file: &Path) -> Result<Experiment> {
    let text = crate::util::files::read(file)?;
    Experiment::from_toml(&text, &file.display().to_string(), &[])
}

/// Evaluates the final weights of a run on its training images.
fn evaluate_on_training_images(records: &RunRecords) -> Result<crate::evaluation::Evaluation> {
    let saved = LoadedModel::from_run(records.folder.clone(), None)?;
    saved.evaluate(&saved.eval_set(SplitName::Train, None)?)
}

/// Returns the weights of the softmax network and two examples: the first test image, and the first
/// one whose prediction is wrong if the former is right, or right if the former is wrong.
pub(super) fn inspect(softmax: &Work<ExerciseRun>) -> Work<Inside> {
    let run = softmax.as_ref().map_err(Clone::clone)?;
    if !run.records.experiment.model.hidden.is_empty() {
        return Err(Missing::Failed(
            "the experiment of question 0 has hidden layers; questions 8 and 9 look into a network without"
                .to_owned(),
        ));
    }
    let saved = LoadedModel::from_run(run.records.folder.clone(), None)?;
    let neurons = saved.model.first_layer()?;
    let (first, other) = find_examples(&saved)?;
    Ok(Inside { neurons, first, other })
}

/// Finds the two examples of [`inspect`]. The second is none if all predictions are right or all
/// are wrong.
fn find_examples(saved: &LoadedModel) -> Result<(LabImage, Option<LabImage>)> {
    let subject = saved.eval_set(SplitName::Test, None)?;
    let all: Vec<usize> = (0..subject.split.len()).collect();
    let mut first: Option<LabImage> = None;
    for indices in all.chunks(CHUNK) {
        let predictions = saved.predict(&subject, indices)?;
        for (&index, image) in indices.iter().zip(predictions) {
            let label = usize::from(subject.split.label(index));
            let image = LabImage { index, label, pixels: image.pixels, prediction: image.prediction };
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
