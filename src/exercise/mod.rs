//! Owns the exercise: it trains the networks and runs the studies that the fifteen questions need,
//! and passes the results to the page. Depends on `pipeline`, `study` and `report`, and only the
//! command line may depend on it. Work that is interrupted or fails leaves only those questions
//! without an answer that need it.

mod files;
mod mark;
mod networks;
pub(crate) mod page;
mod studies;

use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::train::Interrupter;
use burn::train::renderer::MetricsRenderer;

use crate::backend::{Backend, Compute, Engine};
use crate::data::Source;
use crate::error::{BACKEND_PANIC, Error, Result, catch_panic};
use crate::exercise::page::{
    Beyond, ExerciseAnswer, ExercisePage, ExerciseRun, ExerciseStudy, FIRST_STUDY, Inside, Missing,
    QUESTIONS, Work,
};
use crate::experiment::{Experiment, Override};
use crate::pipeline::SplitName;
use crate::pipeline::inputs::{RunInputs, start_info};
use crate::report::components::shell_word;
use crate::run;
use crate::run::{RunInfo, RunRecords};
use crate::study::runner::Progress;

use files::Files;
use networks::{Trainer, inspect};
use studies::FinishedStudy;

/// Options of the exercise.
#[derive(Debug, Clone)]
pub(crate) struct Exercise {
    /// Folder for the page, its runs and its studies.
    pub folder: PathBuf,
    /// Data set.
    pub source: Source,
    /// True if the short forms of the studies are run.
    pub quick: bool,
    /// Backend and engine of all trainings.
    pub compute: Compute,
    /// Seed of the experiments and first seed of the studies. None keeps the seeds of the files.
    pub seed: Option<i64>,
    /// Settings that replace those of all experiments.
    pub settings: Vec<Override>,
    /// Numbers of the questions to answer, in ascending order without repetition.
    pub questions: Vec<usize>,
}

/// Observer of the progress.
pub(crate) trait ExerciseObserver {
    /// Called when the work on a question begins.
    fn question(&mut self, number: usize);
    /// Returns the renderer of the next training.
    fn renderer(&mut self) -> Box<dyn MetricsRenderer>;
    /// Called on every change of the progress of a study.
    fn study(&mut self, progress: &Progress);
    /// Called when the trials of a study have ended.
    fn end_of_study(&mut self);
}

/// Result of the exercise.
#[derive(Debug, Clone)]
pub(crate) struct ExerciseReport {
    /// Path of the page.
    pub page: PathBuf,
    /// True if the page was written beside an earlier one that a person has edited.
    pub is_beside: bool,
    /// One sentence per question, or the reason why there is no answer.
    pub answers: Vec<ExerciseAnswer>,
    /// Sentence of the section beyond the questions, or the reason why there is none.
    pub beyond: Work<String>,
    /// Folder of the run of the softmax network.
    pub softmax: Option<PathBuf>,
    /// Folder of the run of the network with a hidden layer.
    pub hidden: Option<PathBuf>,
    /// Folders of the studies, in the order of their questions.
    pub studies: Vec<PathBuf>,
    /// Number of trials that an earlier start had finished.
    pub num_reused: usize,
    /// Files that a person has edited. They were used as they are.
    pub edited: Vec<String>,
    /// Duration in seconds.
    pub seconds: f64,
}

/// Inputs of all questions: the images, the backend and the experiment of the softmax network.
struct ExerciseInputs {
    start: RunInputs,
    /// Experiment of the softmax network.
    experiment: Experiment,
    info: RunInfo,
}

static NO_RUN: Work<ExerciseRun> = Err(Missing::NotAsked);
static NO_BEYOND: Work<Beyond> = Err(Missing::NotAsked);
static NO_SEEDS: Work<Vec<RunRecords>> = Err(Missing::NotAsked);
static NO_INSIDE: Work<Inside> = Err(Missing::NotAsked);

/// Results that the questions need.
struct Results {
    softmax: Work<ExerciseRun>,
    seeds: Work<Vec<RunRecords>>,
    inserted: Work<ExerciseRun>,
    hidden: Work<ExerciseRun>,
    beyond: Work<Beyond>,
    inside: Work<Inside>,
    studies: Vec<Work<FinishedStudy>>,
}

impl Exercise {
    /// Answers the questions and writes the page. Once `interrupter` has stopped, nothing more is
    /// trained. Questions that need more training have no answer then, and finished work is kept
    /// for the next start.
    ///
    /// # Errors
    /// If settings are refused, if the images cannot be read or trained on, or if the page cannot
    /// be written.
    pub(crate) fn run(
        &self,
        interrupter: &Interrupter,
        observer: &mut dyn ExerciseObserver,
    ) -> Result<ExerciseReport> {
        let start = Instant::now();
        let mut inputs = self.load_inputs()?;
        let files = files::write(self, inputs.start.splits.train.len())?;
        // A person may have edited the file.
        inputs.experiment = networks::read(&files.softmax)?;
        inputs.info.seed = inputs.experiment.seed;
        let results = self.compute(&inputs, &files, interrupter, observer);
        let finished: Vec<_> = results.studies.iter().flatten().collect();
        let records = results.studies.iter().map(|study| match study {
            Ok(study) => study.opened.records(),
            Err(_) => Vec::new(),
        });
        let records: Vec<_> = records.collect();
        let studies: Vec<Work<ExerciseStudy<'_>>> = results
            .studies
            .iter()
            .zip(&records)
            .map(|(study, records)| Ok(study.as_ref().map_err(Clone::clone)?.page(records)))
            .collect();
        let arguments = self.arguments();
        let page = ExercisePage {
            softmax: &results.softmax,
            seeds: &results.seeds,
            inserted: &results.inserted,
            hidden: &results.hidden,
            beyond: &results.beyond,
            inside: &results.inside,
            studies: &studies,
            files: [&files.softmax, &files.inserted, &files.hidden, &files.best],
            augmented_file: &files.augmented,
            edited: &files.edited,
            command: &arguments,
            artifacts: &self.artifacts(),
            seconds: start.elapsed().as_secs_f64(),
            ..self.page_without_work(&inputs)
        };
        let (html, answers, beyond) = page::page(&page);
        let written = mark::write_beside(&self.folder, "report", &html)?;
        let folder = |run: &Work<ExerciseRun>| Some(run.as_ref().ok()?.records.folder.path().to_owned());
        Ok(ExerciseReport {
            page: written.path,
            is_beside: written.is_edited,
            answers,
            beyond,
            softmax: folder(&results.softmax),
            hidden: folder(&results.hidden),
            studies: finished.iter().map(|study| study.opened.folder.path().to_owned()).collect(),
            num_reused: finished.iter().map(|study| study.num_reused).sum(),
            edited: files.edited.clone(),
            seconds: start.elapsed().as_secs_f64(),
        })
    }

    /// Writes the sheet to hand out, without training. Returns its path, and true if it was written
    /// beside an earlier one that a person has edited.
    ///
    /// # Errors
    /// Those of [`Exercise::run`].
    pub(crate) fn sheet(&self) -> Result<(PathBuf, bool)> {
        let inputs = self.load_inputs()?;
        let written =
            mark::write_beside(&self.folder, "sheet", &page::sheet(&self.page_without_work(&inputs))?)?;
        Ok((written.path, written.is_edited))
    }

    /// Returns the content of the page that is known without training.
    fn page_without_work<'a>(&'a self, inputs: &'a ExerciseInputs) -> ExercisePage<'a> {
        let (splits, nothing) = (&inputs.start.splits, Path::new(""));
        ExercisePage {
            questions: &self.questions,
            train: &splits.train,
            test: &splits.test,
            layout: splits.layout,
            classes: splits.properties.classes.names(),
            experiment: &inputs.experiment,
            info: &inputs.info,
            softmax: &NO_RUN,
            seeds: &NO_SEEDS,
            inserted: &NO_RUN,
            hidden: &NO_RUN,
            beyond: &NO_BEYOND,
            inside: &NO_INSIDE,
            studies: &[],
            quick: self.quick,
            files: [nothing; 4],
            augmented_file: nothing,
            edited: &[],
            command: "",
            artifacts: nothing,
            seconds: 0.0,
        }
    }

    /// Returns the folder of the runs and studies.
    fn artifacts(&self) -> PathBuf {
        self.folder.join("artifacts")
    }

    /// Returns the options of backend and engine, with a space before each; empty for the defaults.
    pub(crate) fn compute_options(&self) -> String {
        compute_options(self.compute.backend(), self.compute.engine())
    }

    /// Returns the arguments after `smallnet` that start this exercise.
    pub(crate) fn arguments(&self) -> String {
        let mut words = vec!["lab".to_owned()];
        words.extend(self.quick.then(|| "--quick".to_owned()));
        let mut option = |name: &str, value: String| words.extend([name.to_owned(), shell_word(&value)]);
        if self.folder != Path::new("lab") {
            option("--out", self.folder.display().to_string());
        }
        if !self.source.is_mnist() {
            option("--data", self.source.to_string());
        }
        self.seed.iter().for_each(|seed| option("--seed", seed.to_string()));
        self.settings.iter().for_each(|setting| option("--set", setting.to_string()));
        if self.questions.len() < QUESTIONS.len() {
            let numbers: Vec<_> = self.questions.iter().map(usize::to_string).collect();
            option("--questions", numbers.join(","));
        }
        words.join(" ")
    }

    /// Returns whether one of `questions` is to be answered.
    fn is_wanted(&self, questions: &[usize]) -> bool {
        questions.iter().any(|question| self.questions.contains(question))
    }

    /// Opens the backend and reads the images. Writes no file.
    fn load_inputs(&self) -> Result<ExerciseInputs> {
        files::check(&self.settings)?;
        // Of the settings, only those about the data are needed here.
        let about_data = |setting: &&Override| setting.key().starts_with("data.");
        let settings: Vec<_> = self.settings.iter().filter(about_data).cloned().collect();
        let mut experiment = Experiment::from_toml("", "", &settings)?;
        experiment.data.source = self.source.to_string();
        experiment.data.validation = 0;
        let start = RunInputs::new(&experiment, self.compute)?;
        if !start.splits.get(SplitName::Test)?.is_labelled() {
            return Err(Error::data(format!("the test images in `{}` have no labels", self.source))
                .hint("the exercise tests its networks: take test images from the training images, `--set data.test=0.1`"));
        }
        let experiment = files::softmax(self, start.splits.train.len())?;
        let info = start_info(&experiment, self.compute, &start.handle, start.data.clone(), run::now());
        Ok(ExerciseInputs { start, experiment, info })
    }

    /// Trains the networks and runs the studies that the questions need, in the order of the
    /// questions.
    fn compute(
        &self,
        inputs: &ExerciseInputs,
        files: &Files,
        interrupter: &Interrupter,
        observer: &mut dyn ExerciseObserver,
    ) -> Results {
        let trainer = Trainer { exercise: self, data: inputs.start.data.identity(), interrupter };
        self.notify(0, interrupter, observer);
        let softmax = self.attempt(&[0, 8, 9, 10], || trainer.softmax(&files.softmax, observer));
        let seeds = self.attempt(&[0], || trainer.seeds(&files.softmax, observer));
        (1..10).for_each(|number| self.notify(number, interrupter, observer));
        let inside = self.attempt(&[8, 9], || inspect(&softmax));
        self.notify(10, interrupter, observer);
        let inserted = self.attempt(&[10], || trainer.network(&files.inserted, observer));
        let hidden = self.attempt(&[10, 13], || trainer.network(&files.hidden, observer));
        let mut studies = Vec::new();
        for (number, files) in (FIRST_STUDY..).zip(files.studies.iter().zip(&files.full_studies)) {
            self.notify(number, interrupter, observer);
            let files = (files.0.as_path(), files.1.as_path());
            studies.push(self.attempt(&[number], || studies::run(self, files, interrupter, observer)));
        }
        // The last section belongs to the whole exercise.
        let beyond = match self.questions.len() == QUESTIONS.len() {
            true => self.attempt(&self.questions, || trainer.beyond(&files.augmented, observer)),
            false => Err(Missing::NotAsked),
        };
        Results { softmax, seeds, inserted, hidden, beyond, inside, studies }
    }

    /// Tells the observer that the work on a question begins, unless the work has been stopped.
    fn notify(&self, number: usize, interrupter: &Interrupter, observer: &mut dyn ExerciseObserver) {
        if self.is_wanted(&[number]) && !interrupter.should_stop() {
            observer.question(number);
        }
    }

    /// Calls `work` if one of `questions` is to be answered. An error or a panic becomes the reason
    /// why they have no answer.
    fn attempt<T>(&self, questions: &[usize], work: impl FnOnce() -> Work<T>) -> Work<T> {
        if !self.is_wanted(questions) {
            return Err(Missing::NotAsked);
        }
        let mut missing = None;
        let done = catch_panic(BACKEND_PANIC, || {
            work().map_err(|reason| {
                missing = Some(reason);
                Error::new("")
            })
        });
        done.map_err(|panic| missing.unwrap_or_else(|| panic.into()))
    }
}

/// Returns the options of a backend and an engine, with a space before each; empty for the defaults.
pub(crate) fn compute_options(backend: Backend, engine: Engine) -> String {
    let backend_option = match backend {
        Backend::Flex => String::new(),
        backend => format!(" --backend {backend}"),
    };
    match engine == Engine::default_of(backend) {
        true => backend_option,
        false => format!("{backend_option} --engine {engine}"),
    }
}
