//! The whole exercise, in order: trains what its questions ask for, runs its studies, and hands everything to the page.

mod files;
mod studies;

use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::train::Interrupter;
use burn::train::renderer::MetricsRenderer;

use super::{Progress, SavedModel, SplitName, Splits, prepare};
use crate::backend::Backend;
use crate::config::Experiment;
use crate::data::Source;
use crate::error::{Error, Result};
use crate::report::{self, LabImage, LabPage, LabStudy};
use crate::run::{Records, write_in};

use files::Files;
use studies::FinishedStudy;

/// Test images that are asked about at a time, while one is looked for.
const ASKED_AT_ONCE: usize = 500;

/// The exercise, before anything is done.
#[derive(Debug, Clone)]
pub struct Lab {
    /// Where everything goes.
    pub folder: PathBuf,
    /// The images.
    pub source: Source,
    /// Whether the studies are run in short.
    pub quick: bool,
    /// What computes.
    pub backend: Backend,
}

/// Who follows the work.
pub trait LabWatcher {
    /// A question's turn has come.
    fn question(&mut self, number: usize);
    /// Shows a training.
    fn renderer(&mut self) -> Box<dyn MetricsRenderer>;
    /// Shows a study; told of every change.
    fn study(&mut self, progress: &Progress);
    /// A study's trials are over.
    fn end_of_study(&mut self);
}

/// The answered exercise.
#[derive(Debug, Clone)]
pub struct LabEnd {
    /// The page.
    pub page: PathBuf,
    /// The answers, question by question, in a sentence each.
    pub answers: Vec<String>,
    /// The run of the softmax network.
    pub softmax: PathBuf,
    /// The run of the network with a hidden layer.
    pub hidden: PathBuf,
    /// The folders of the studies, in the questions' order.
    pub studies: Vec<PathBuf>,
    /// Trials that an earlier start had left.
    pub num_reused: usize,
    /// How long it took.
    pub seconds: f64,
}

/// A training that the page tells of.
struct Trained {
    records: Records,
    seconds: f64,
}

impl Lab {
    /// Works on all questions and writes the page; none where `interrupter` stopped it. What is finished by then is
    /// kept: the studies' trials are used when the exercise is started again.
    ///
    /// # Errors
    /// Images that cannot be read or learned from, a training that diverges, a file that cannot be written.
    pub fn run(&self, interrupter: &Interrupter, watcher: &mut dyn LabWatcher) -> Result<Option<LabEnd>> {
        let start = Instant::now();
        watcher.question(0);
        let (splits, files) = self.begin()?;
        let Some(softmax) = self.train(&files.softmax, interrupter, watcher)? else { return Ok(None) };
        (1..10).for_each(|number| watcher.question(number));
        let saved = SavedModel::of_run(softmax.records.folder.clone(), None)?;
        let neurons = saved.model.first_layer()?;
        let (right, wrong) = examples(&saved)?;
        watcher.question(10);
        let Some(hidden) = self.train(&files.hidden, interrupter, watcher)? else { return Ok(None) };
        let Some(studies) = self.studies(&files, interrupter, watcher)? else { return Ok(None) };
        let records: Vec<_> = studies.iter().map(|study| study.opened.records()).collect();
        let pages: Vec<LabStudy<'_>> =
            studies.iter().zip(&records).map(|(study, records)| study.page(records)).collect();
        let page = LabPage {
            train: &splits.train,
            test: &splits.test,
            layout: splits.layout,
            softmax: &softmax.records,
            softmax_seconds: softmax.seconds,
            hidden: &hidden.records,
            neurons: &neurons,
            right: right.as_ref(),
            wrong: wrong.as_ref(),
            studies: &pages,
            quick: self.quick,
            files: [&files.softmax, &files.hidden],
            artifacts: &self.artifacts(),
            seconds: start.elapsed().as_secs_f64(),
        };
        let (html, answers) = report::lab(&page)?;
        Ok(Some(LabEnd {
            page: write_in(&self.folder, "report.html", html.as_bytes())?,
            answers,
            softmax: softmax.records.folder.path().to_owned(),
            hidden: hidden.records.folder.path().to_owned(),
            studies: studies.iter().map(|study| study.opened.folder.path().to_owned()).collect(),
            num_reused: studies.iter().map(|study| study.num_reused).sum(),
            seconds: start.elapsed().as_secs_f64(),
        }))
    }

    fn artifacts(&self) -> PathBuf {
        self.folder.join("artifacts")
    }

    /// Reads the images and writes the files that everything else starts from.
    fn begin(&self) -> Result<(Splits, Files)> {
        let mut experiment = Experiment::default();
        experiment.data.source = self.source.to_string();
        let splits = Splits::load(&experiment)?;
        splits.check_trainable(&experiment)?;
        let files = files::write(&self.folder.join("configs"), &self.source, splits.train.len(), self.quick)?;
        Ok((splits, files))
    }

    /// Trains and tests the network of an experiment file; none where it was interrupted.
    fn train(
        &self,
        file: &Path,
        interrupter: &Interrupter,
        watcher: &mut dyn LabWatcher,
    ) -> Result<Option<Trained>> {
        let start = Instant::now();
        let text = crate::files::read(file)?;
        let experiment = Experiment::from_toml(&text, &file.display().to_string(), &[])?;
        let prepared = prepare(experiment, self.backend, &self.artifacts())?;
        let folder = prepared.folder.clone();
        let outcome = prepared.train(watcher.renderer(), interrupter.clone(), |_| ())?;
        if outcome.result.is_none() {
            return Ok(None);
        }
        outcome.report?;
        Ok(Some(Trained { records: folder.records()?, seconds: start.elapsed().as_secs_f64() }))
    }

    fn studies(
        &self,
        files: &Files,
        interrupter: &Interrupter,
        watcher: &mut dyn LabWatcher,
    ) -> Result<Option<Vec<FinishedStudy>>> {
        let mut finished = Vec::with_capacity(files.studies.len());
        for (number, (file, full)) in (11..).zip(files.studies.iter().zip(&files.full_studies)) {
            watcher.question(number);
            match studies::run(self, (file, full), interrupter, watcher)
                .map_err(|error| error_in(number, error))?
            {
                Some(study) => finished.push(study),
                None => return Ok(None),
            }
        }
        Ok(Some(finished))
    }
}

fn error_in(number: usize, error: Error) -> Error {
    Error::new(format!("question {number}: {error}"))
}

/// Two test images to look at: one that the network recognises and one that it does not, the first of each.
fn examples(saved: &SavedModel) -> Result<(Option<LabImage>, Option<LabImage>)> {
    let subject = saved.subject(SplitName::Test, None)?;
    let all: Vec<usize> = (0..subject.split.len()).collect();
    let (mut right, mut wrong) = (None, None);
    for indices in all.chunks(ASKED_AT_ONCE) {
        let answers = saved.ask_about(&subject, indices)?;
        for (&index, answer) in indices.iter().zip(answers) {
            let label = usize::from(subject.split.image(index).1);
            let place = if answer.prediction.class == label { &mut right } else { &mut wrong };
            if place.is_none() {
                let (pixels, prediction) = (answer.pixels, answer.prediction);
                *place = Some(LabImage { index, label, pixels, prediction });
            }
        }
        if right.is_some() && wrong.is_some() {
            break;
        }
    }
    Ok((right, wrong))
}
