//! The whole exercise, in order: trains what its questions ask for, runs its studies, and hands everything to the page. What
//! is interrupted or fails costs the questions that need it; all others are answered.

mod files;
mod mark;
mod networks;
pub mod page;
mod studies;

use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::train::Interrupter;
use burn::train::renderer::MetricsRenderer;

use crate::backend::Backend;
use crate::data::Source;
use crate::error::{BACKEND_PANIC, Error, Result, catch_panic};
use crate::exercise::page::{
    ExerciseAnswer, ExercisePage, ExerciseRun, ExerciseStudy, FIRST_STUDY, Inside, Missing, QUESTIONS, Work,
};
use crate::experiment::{Experiment, Override};
use crate::pipeline::inputs::{RunInputs, start_info};
use crate::report::components::shell_word;
use crate::run;
use crate::run::{RunInfo, RunRecords};
use crate::study::runner::Progress;

use files::Files;
use networks::{Trainer, inside};
use studies::FinishedStudy;

/// The exercise, before anything is done.
#[derive(Debug, Clone)]
pub struct Exercise {
    /// Where everything goes.
    pub folder: PathBuf,
    /// The images.
    pub source: Source,
    /// Whether the studies are run in short.
    pub quick: bool,
    /// What computes.
    pub backend: Backend,
    /// The seed of the experiments, and the first of those of the studies; none for the files' own.
    pub seed: Option<i64>,
    /// Settings that are changed in all experiments.
    pub settings: Vec<Override>,
    /// The questions that are answered, in order, none twice.
    pub questions: Vec<usize>,
}

/// Who follows the work.
pub trait ExerciseObserver {
    /// A question's turn has come.
    fn question(&mut self, number: usize);
    /// Shows a training.
    fn renderer(&mut self) -> Box<dyn MetricsRenderer>;
    /// Shows a study; told of every change.
    fn study(&mut self, progress: &Progress);
    /// A study's trials are over.
    fn end_of_study(&mut self);
}

/// The exercise, answered as far as it could be.
#[derive(Debug, Clone)]
pub struct ExerciseReport {
    /// The page.
    pub page: PathBuf,
    /// Whether the page stands beside an earlier one that somebody has edited.
    pub is_beside: bool,
    /// The answers in a sentence each, or why there is none.
    pub answers: Vec<ExerciseAnswer>,
    /// The run of the softmax network.
    pub softmax: Option<PathBuf>,
    /// The run of the network with a hidden layer.
    pub hidden: Option<PathBuf>,
    /// The folders of the studies, in the questions' order.
    pub studies: Vec<PathBuf>,
    /// Trials that an earlier start had left.
    pub num_reused: usize,
    /// Files that somebody has edited, and that were used as they stand.
    pub edited: Vec<String>,
    /// How long it took.
    pub seconds: f64,
}

/// What all questions stand on: the images, and where everything happens.
struct ExerciseInputs {
    start: RunInputs,
    /// The softmax network's.
    experiment: Experiment,
    info: RunInfo,
}

static NO_RUN: Work<ExerciseRun> = Err(Missing::NotAsked);
static NO_SEEDS: Work<Vec<RunRecords>> = Err(Missing::NotAsked);
static NO_INSIDE: Work<Inside> = Err(Missing::NotAsked);

/// What the questions need.
struct Material {
    softmax: Work<ExerciseRun>,
    seeds: Work<Vec<RunRecords>>,
    inserted: Work<ExerciseRun>,
    hidden: Work<ExerciseRun>,
    inside: Work<Inside>,
    studies: Vec<Work<FinishedStudy>>,
}

impl Exercise {
    /// Works on the questions and writes the page. Once `interrupter` has stopped, nothing more is trained: questions that
    /// need it are left open, and what is finished is kept for the next start.
    ///
    /// # Errors
    /// Settings that are refused, images that cannot be read or learned from, a page that cannot be written.
    pub fn run(
        &self,
        interrupter: &Interrupter,
        watcher: &mut dyn ExerciseObserver,
    ) -> Result<ExerciseReport> {
        let began = Instant::now();
        let mut setting = self.setting()?;
        let files = files::write(self, setting.start.splits.train.len())?;
        // Somebody may have edited it.
        setting.experiment = networks::read(&files.softmax)?;
        setting.info.seed = setting.experiment.seed;
        let material = self.material(&setting, &files, interrupter, watcher);
        let finished: Vec<_> = material.studies.iter().flatten().collect();
        let records = material.studies.iter().map(|study| match study {
            Ok(study) => study.opened.records(),
            Err(_) => Vec::new(),
        });
        let records: Vec<_> = records.collect();
        let studies: Vec<Work<ExerciseStudy<'_>>> = material
            .studies
            .iter()
            .zip(&records)
            .map(|(study, records)| Ok(study.as_ref().map_err(Clone::clone)?.page(records)))
            .collect();
        let arguments = self.arguments();
        let page = ExercisePage {
            softmax: &material.softmax,
            seeds: &material.seeds,
            inserted: &material.inserted,
            hidden: &material.hidden,
            inside: &material.inside,
            studies: &studies,
            files: [&files.softmax, &files.inserted, &files.hidden, &files.best],
            edited: &files.edited,
            command: &arguments,
            artifacts: &self.artifacts(),
            seconds: began.elapsed().as_secs_f64(),
            ..self.page_without_work(&setting)
        };
        let (html, answers) = page::page(&page);
        let placed = mark::write_beside(&self.folder, "report", &html)?;
        let folder = |run: &Work<ExerciseRun>| Some(run.as_ref().ok()?.records.folder.path().to_owned());
        Ok(ExerciseReport {
            page: placed.path,
            is_beside: placed.is_edited,
            answers,
            softmax: folder(&material.softmax),
            hidden: folder(&material.hidden),
            studies: finished.iter().map(|study| study.opened.folder.path().to_owned()).collect(),
            num_reused: finished.iter().map(|study| study.num_reused).sum(),
            edited: files.edited.clone(),
            seconds: began.elapsed().as_secs_f64(),
        })
    }

    /// Writes the sheet to hand out and says where it is, and whether it stands beside an earlier one that somebody has
    /// edited. Trains nothing.
    ///
    /// # Errors
    /// As [`Exercise::run`]'s.
    pub fn sheet(&self) -> Result<(PathBuf, bool)> {
        let setting = self.setting()?;
        let placed =
            mark::write_beside(&self.folder, "sheet", &page::sheet(&self.page_without_work(&setting))?)?;
        Ok((placed.path, placed.is_edited))
    }

    /// The page of what is known before anything is trained.
    fn page_without_work<'a>(&'a self, setting: &'a ExerciseInputs) -> ExercisePage<'a> {
        let (splits, nothing) = (&setting.start.splits, Path::new(""));
        ExercisePage {
            questions: &self.questions,
            train: &splits.train,
            test: &splits.test,
            layout: splits.layout,
            experiment: &setting.experiment,
            info: &setting.info,
            softmax: &NO_RUN,
            seeds: &NO_SEEDS,
            inserted: &NO_RUN,
            hidden: &NO_RUN,
            inside: &NO_INSIDE,
            studies: &[],
            quick: self.quick,
            files: [nothing; 4],
            edited: &[],
            command: "",
            artifacts: nothing,
            seconds: 0.0,
        }
    }

    /// Where runs and studies are.
    fn artifacts(&self) -> PathBuf {
        self.folder.join("artifacts")
    }

    /// The words after `smallnet` that start this exercise.
    pub fn arguments(&self) -> String {
        let mut words = vec!["lab".to_owned()];
        words.extend(self.quick.then(|| "--quick".to_owned()));
        let mut option = |name: &str, value: String| words.extend([name.to_owned(), shell_word(&value)]);
        if self.folder != Path::new("lab") {
            option("--out", self.folder.display().to_string());
        }
        if let Source::Folder(folder) = &self.source {
            option("--data", folder.display().to_string());
        }
        self.seed.iter().for_each(|seed| option("--seed", seed.to_string()));
        self.settings.iter().for_each(|setting| option("--set", setting.to_string()));
        if self.questions.len() < QUESTIONS.len() {
            let numbers: Vec<_> = self.questions.iter().map(usize::to_string).collect();
            option("--questions", numbers.join(","));
        }
        words.join(" ")
    }

    fn wants(&self, questions: &[usize]) -> bool {
        questions.iter().any(|question| self.questions.contains(question))
    }

    /// Opens the backend and reads the images. Writes nothing.
    fn setting(&self) -> Result<ExerciseInputs> {
        files::check(&self.settings)?;
        let mut experiment = Experiment::default();
        experiment.data.source = self.source.to_string();
        let start = RunInputs::new(&experiment, self.backend)?;
        let experiment = files::softmax(self, start.splits.train.len())?;
        let info = start_info(&experiment, self.backend, &start.opened, start.data.clone(), run::now());
        Ok(ExerciseInputs { start, experiment, info })
    }

    /// Trains and runs what the questions need, in their order.
    fn material(
        &self,
        setting: &ExerciseInputs,
        files: &Files,
        interrupter: &Interrupter,
        watcher: &mut dyn ExerciseObserver,
    ) -> Material {
        let trainer = Trainer { lab: self, data_sha256: &setting.start.data.sha256, interrupter };
        self.announce(0, interrupter, watcher);
        let softmax = self.work(&[0, 8, 9, 10], || trainer.softmax(&files.softmax, watcher));
        let seeds = self.work(&[0], || trainer.seeds(&files.softmax, watcher));
        (1..10).for_each(|number| self.announce(number, interrupter, watcher));
        let inside = self.work(&[8, 9], || inside(&softmax));
        self.announce(10, interrupter, watcher);
        let inserted = self.work(&[10], || trainer.network(&files.inserted, watcher));
        let hidden = self.work(&[10, 13], || trainer.network(&files.hidden, watcher));
        let mut studies = Vec::new();
        for (number, files) in (FIRST_STUDY..).zip(files.studies.iter().zip(&files.full_studies)) {
            self.announce(number, interrupter, watcher);
            let files = (files.0.as_path(), files.1.as_path());
            studies.push(self.work(&[number], || studies::run(self, files, interrupter, watcher)));
        }
        Material { softmax, seeds, inserted, hidden, inside, studies }
    }

    fn announce(&self, number: usize, interrupter: &Interrupter, watcher: &mut dyn ExerciseObserver) {
        if self.wants(&[number]) && !interrupter.should_stop() {
            watcher.question(number);
        }
    }

    /// Does what these questions need, if one of them is asked. What goes wrong costs them alone.
    fn work<T>(&self, questions: &[usize], work: impl FnOnce() -> Work<T>) -> Work<T> {
        if !self.wants(questions) {
            return Err(Missing::NotAsked);
        }
        let mut missing = None;
        let done = catch_panic(BACKEND_PANIC, || {
            work().map_err(|why| {
                missing = Some(why);
                Error::new("")
            })
        });
        done.map_err(|panic| missing.unwrap_or_else(|| panic.into()))
    }
}
