//! `smallnet lab`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use burn::train::Interrupter;
use burn::train::renderer::MetricsRenderer;
use clap::Args;
use indicatif::ProgressBar;
use serde::Serialize;

use super::output::Output;
use super::signals::Signals;
use super::{DEFAULT_ARTIFACTS, Global, progress};
use crate::data::Source;
use crate::error::{Error, Result};
use crate::number::{counted, seconds};
use crate::report::QUESTIONS;
use crate::workflow::{Lab, LabEnd, LabWatcher, Progress};

/// Arguments of `smallnet lab`.
#[derive(Debug, Args)]
pub(super) struct LabArgs {
    /// The folder for the page, its runs and studies
    #[arg(long, value_name = "DIR", default_value = "lab")]
    out: PathBuf,
    /// Shorter studies: fewer settings and epochs; the page says which
    #[arg(long)]
    quick: bool,
    /// The images: a folder of IDX files [default: the MNIST inside smallnet]
    #[arg(long, value_name = "DIR", default_value = "mnist", hide_default_value = true)]
    data: String,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Record<'a> {
    page: Option<&'a Path>,
    quick: bool,
    interrupted: bool,
    answers: Vec<Answer<'a>>,
    softmax: Option<&'a Path>,
    hidden: Option<&'a Path>,
    studies: &'a [PathBuf],
    reused_trials: usize,
    seconds: Option<f64>,
}

#[derive(Serialize)]
struct Answer<'a> {
    question: &'static str,
    answer: &'a str,
}

pub(super) fn run(args: LabArgs, global: &Global, output: &Output) -> Result<ExitCode> {
    if global.artifacts != Path::new(DEFAULT_ARTIFACTS) {
        return Err(Error::usage(
            "`--artifacts` has no meaning for `lab`: its runs go into the folder of its page",
        )
        .hint(format!("name that folder: `--out {}`", global.artifacts.display())));
    }
    let lab = Lab {
        source: source(&args.data)?,
        folder: args.out,
        quick: args.quick,
        backend: global.backend.unwrap_or_default(),
    };
    let interrupter = Interrupter::new();
    let signals = Signals::listen(interrupter.clone())?;
    let what = if lab.quick { "the exercise in short" } else { "the whole exercise" };
    output.line(&format!(
        "{what}: {} questions about {}, into {}",
        QUESTIONS.len(),
        lab.source,
        lab.folder.display()
    ));
    let mut watcher = Watcher { output, bar: None };
    let Some(end) = lab.run(&interrupter, &mut watcher)? else {
        output.line(&format!(
            "interrupted; what is finished is kept in {}: the same command goes on, and runs no trial of a study twice",
            lab.folder.display()
        ));
        output.record(&record(None, lab.quick))?;
        return Ok(signals.exit_code());
    };
    print(&end, output);
    output.record(&record(Some(&end), lab.quick))?;
    Ok(ExitCode::SUCCESS)
}

/// A folder must be found from the files that are written into another one.
fn source(data: &str) -> Result<Source> {
    match Source::parse(data) {
        Source::Mnist => Ok(Source::Mnist),
        Source::Folder(folder) => {
            let folder = std::path::absolute(&folder).map_err(|error| Error::io("find", &folder, error))?;
            Ok(Source::Folder(folder))
        }
    }
}

fn print(end: &LabEnd, output: &Output) {
    output.line("");
    for (number, answer) in end.answers.iter().enumerate() {
        output.line(&format!("{number:>2}. {answer}"));
    }
    output.line("");
    if end.num_reused > 0 {
        let trials = counted(end.num_reused, "trial", "trials");
        output.line(&format!(
            "{trials} of the studies had been run by an earlier start and were not run again"
        ));
    }
    output.line(&format!("page: {}, in {}", end.page.display(), seconds(end.seconds)));
}

fn record(end: Option<&LabEnd>, quick: bool) -> Record<'_> {
    let answers = end.map(|end| end.answers.as_slice()).unwrap_or_default();
    Record {
        page: end.map(|end| end.page.as_path()),
        quick,
        interrupted: end.is_none(),
        answers: QUESTIONS
            .into_iter()
            .zip(answers)
            .map(|(question, answer)| Answer { question, answer })
            .collect(),
        softmax: end.map(|end| end.softmax.as_path()),
        hidden: end.map(|end| end.hidden.as_path()),
        studies: end.map(|end| end.studies.as_slice()).unwrap_or_default(),
        reused_trials: end.map_or(0, |end| end.num_reused),
        seconds: end.map(|end| end.seconds),
    }
}

/// Shows the work: a line a question, and a bar while a network trains.
struct Watcher<'a> {
    output: &'a Output,
    bar: Option<ProgressBar>,
}

impl LabWatcher for Watcher<'_> {
    fn question(&mut self, number: usize) {
        let last = QUESTIONS.len() - 1;
        self.output.line(&format!("question {number} of {last}: {}", QUESTIONS[number]));
    }

    fn renderer(&mut self) -> Box<dyn MetricsRenderer> {
        Box::new(progress::BarRenderer::new(progress::bar(self.output.is_quiet())))
    }

    fn study(&mut self, progress: &Progress) {
        let bar = self.bar.get_or_insert_with(|| progress::study_bar(self.output.is_quiet()));
        progress::show_study(bar, progress);
    }

    fn end_of_study(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
