//! `smallnet lab`

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;

use burn::train::Interrupter;
use burn::train::renderer::MetricsRenderer;
use clap::Args;
use serde::Serialize;

use crate::cli::output::{Output, invocation};
use crate::cli::signals::Signals;
use crate::cli::{DEFAULT_ARTIFACTS, Global, progress};
use crate::data::Source;
use crate::error::{Error, Result};
use crate::exercise::page::{ExerciseAnswer, Missing, QUESTIONS};
use crate::exercise::{Exercise, ExerciseObserver, ExerciseReport};
use crate::experiment::Override;
use crate::study::runner::Progress;
use crate::util::format::{counted, seconds};

/// Arguments of `smallnet lab`.
#[derive(Debug, Args)]
pub(super) struct LabArgs {
    /// The folder for the page, its runs and studies
    #[arg(long, value_name = "DIR", default_value = "lab")]
    out: PathBuf,
    /// Shorter studies: fewer settings and epochs; the page says which
    #[arg(long)]
    quick: bool,
    /// Answer these questions alone, such as `1-9` or `0,3,8-10`; only what they need is trained
    #[arg(long, value_name = "NUMBERS")]
    questions: Option<Questions>,
    /// Write the sheet to hand out, `sheet.html`: the questions with space for the answers; trains
    /// nothing
    #[arg(long)]
    no_answers: bool,
    /// The seed of all experiments; studies with several seeds take this one and those that follow
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(i64).range(0..))]
    seed: Option<i64>,
    /// Change settings of all experiments: one or more, such as `training.num_epochs=3`.
    /// Studies start from these experiments: they take it, too, unless they vary it themselves
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<Override>,
    /// The images: a name such as `fashion-mnist`, a folder or a file [default: the MNIST inside
    /// smallnet]
    #[arg(long, value_name = "DATA", default_value = "mnist", hide_default_value = true)]
    data: String,
}

/// Numbers of questions as typed: `1-9`, `0,3,8-10`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Questions(Vec<usize>);

impl FromStr for Questions {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let last = QUESTIONS.len() - 1;
        let number = |text: &str| {
            let number = text.trim().parse::<usize>().ok().filter(|number| *number <= last);
            number.ok_or_else(|| format!("`{text}` is not a question: expected numbers from 0 to {last}, such as `1-9` or `0,3,8-10`"))
        };
        let mut numbers = BTreeSet::new();
        for part in text.split(',') {
            let (from, to) = match part.split_once('-') {
                Some((from, to)) => (number(from)?, number(to)?),
                None => (number(part)?, number(part)?),
            };
            if from > to {
                return Err(format!("`{part}` has no question in it: did you mean `{to}-{from}`?"));
            }
            numbers.extend(from..=to);
        }
        Ok(Self(numbers.into_iter().collect()))
    }
}

/// Record of `--json`.
#[derive(Serialize)]
struct Record<'a> {
    page: &'a Path,
    quick: bool,
    interrupted: bool,
    /// Number of questions and further sections whose work failed.
    failed: usize,
    answers: Vec<Answer<'a>>,
    /// Sentence of the section beyond the questions. None if there is none.
    beyond: Option<&'a str>,
    softmax: Option<&'a Path>,
    hidden: Option<&'a Path>,
    studies: &'a [PathBuf],
    reused_trials: usize,
    /// Files that a person has edited. They were used as they are.
    edited: &'a [String],
    seconds: f64,
}

/// A question with its answer, or the reason why there is none.
#[derive(Serialize)]
struct Answer<'a> {
    number: usize,
    question: &'static str,
    /// None if there is no answer.
    answer: Option<&'a str>,
    /// Reason why there is no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<String>,
}

/// Runs the command.
pub(super) fn run(args: LabArgs, global: &Global, output: &Output) -> Result<ExitCode> {
    if global.artifacts != Path::new(DEFAULT_ARTIFACTS) {
        return Err(Error::usage(
            "`--artifacts` has no meaning for `lab`: its runs go into the folder of its page",
        )
        .hint(format!("name that folder: `--out {}`", global.artifacts.display())));
    }
    let exercise = Exercise {
        source: Source::parse(&args.data).to_absolute()?,
        folder: args.out,
        quick: args.quick,
        compute: global.compute()?,
        seed: args.seed,
        settings: args.settings,
        questions: args.questions.map_or_else(|| (0..QUESTIONS.len()).collect(), |questions| questions.0),
    };
    if args.no_answers {
        return print_sheet(&exercise, output);
    }
    let interrupter = Interrupter::new();
    let signals = Signals::listen(interrupter.clone())?;
    print_header(&exercise, output);
    let report = exercise.run(&interrupter, &mut Observer { output, bar: None })?;
    let (interrupted, failed) = (interrupter.should_stop(), num_failed(&report));
    print(&report, &exercise, interrupted, output);
    output.record(&record(&report, &exercise, interrupted))?;
    Ok(match (interrupted, failed) {
        (true, _) => signals.exit_code(),
        (false, 0) => ExitCode::SUCCESS,
        (false, _) => ExitCode::FAILURE,
    })
}

/// Prints which questions are answered, and into which folder.
fn print_header(exercise: &Exercise, output: &Output) {
    let part = match (exercise.questions.len() == QUESTIONS.len(), exercise.quick) {
        (true, true) => "the exercise in short",
        (true, false) => "the whole exercise",
        (false, true) => "a part of the exercise, in short",
        (false, false) => "a part of the exercise",
    };
    output.line(&format!(
        "{part}: {} about {}, into {}",
        counted(exercise.questions.len(), "question", "questions"),
        exercise.source,
        exercise.folder.display()
    ));
}

/// Record of `--json` with `--no-answers`.
#[derive(Serialize)]
struct SheetRecord<'a> {
    page: &'a Path,
    answers: [(); 0],
}

/// Writes the sheet to hand out and prints where it is.
fn print_sheet(exercise: &Exercise, output: &Output) -> Result<ExitCode> {
    let (page, is_beside) = exercise.sheet()?;
    warn_if_beside(&page, is_beside, output);
    output.line(&format!("the sheet to hand out: {}", page.display()));
    output.record(&SheetRecord { page: &page, answers: [] })?;
    Ok(ExitCode::SUCCESS)
}

/// Returns the number of questions and further sections whose work failed.
fn num_failed(report: &ExerciseReport) -> usize {
    let answers = report.answers.iter().map(|answer| &answer.answer).chain([&report.beyond]);
    answers.filter(|answer| matches!(answer, Err(Missing::Failed(_)))).count()
}

/// Prints the answers, and what a person should know about them.
fn print(report: &ExerciseReport, exercise: &Exercise, interrupted: bool, output: &Output) {
    output.line("");
    for ExerciseAnswer { number, answer } in &report.answers {
        let text = answer.clone().unwrap_or_else(|missing| format!("not answered: {}", reason(&missing)));
        output.line(&format!("{number:>2}. {text}"));
    }
    match &report.beyond {
        Ok(sentence) => output.line(&format!("beyond: {sentence}")),
        Err(Missing::NotAsked) => (),
        Err(missing) => output.line(&format!("beyond: not written: {}", reason(missing))),
    }
    output.line("");
    if report.num_reused > 0 {
        let trials = counted(report.num_reused, "trial", "trials");
        output.line(&format!(
            "{trials} of the studies had been run by an earlier start and were not run again"
        ));
    }
    for file in &report.edited {
        output.warning(&format!("`{file}` has been edited: it was used as it stands, and not written again"));
    }
    if interrupted {
        output.line("interrupted; what is finished is kept, and the page has what could be answered");
    }
    if interrupted || num_failed(report) > 0 {
        let compute = exercise.compute_options();
        output.line(&format!("resume: {}{compute} {}", invocation(), exercise.arguments()));
    }
    warn_if_beside(&report.page, report.is_beside, output);
    output.line(&format!("page: {}, in {}", report.page.display(), seconds(report.seconds)));
}

/// Prints a warning if a page was written beside an earlier one.
fn warn_if_beside(page: &Path, is_beside: bool, output: &Output) {
    if is_beside {
        output.warning(&format!(
            "the page there has been edited, or is an earlier version's: it stays, and the new one is `{}`",
            page.display()
        ));
    }
}

/// Returns the reason why a question has no answer, on one line.
fn reason(missing: &Missing) -> String {
    match missing {
        Missing::NotAsked => "what it needs was not asked for".to_owned(),
        Missing::Interrupted(position) => format!("interrupted, {position}"),
        Missing::Failed(message) => format!("failed, {}", message.replace("\n\n", "; ").replace('\n', " ")),
    }
}

/// Builds the record of `--json`.
fn record<'a>(report: &'a ExerciseReport, exercise: &Exercise, interrupted: bool) -> Record<'a> {
    let answer = |ExerciseAnswer { number, answer }: &'a ExerciseAnswer| Answer {
        number: *number,
        question: QUESTIONS[*number],
        answer: answer.as_deref().ok(),
        missing: answer.as_ref().err().map(reason),
    };
    Record {
        page: &report.page,
        quick: exercise.quick,
        interrupted,
        failed: num_failed(report),
        answers: report.answers.iter().map(answer).collect(),
        beyond: report.beyond.as_deref().ok(),
        softmax: report.softmax.as_deref(),
        hidden: report.hidden.as_deref(),
        studies: &report.studies,
        reused_trials: report.num_reused,
        edited: &report.edited,
        seconds: report.seconds,
    }
}

/// Shows the progress: one line per question, and a bar while a network trains.
struct Observer<'a> {
    output: &'a Output,
    bar: Option<progress::Bar>,
}

impl ExerciseObserver for Observer<'_> {
    fn question(&mut self, number: usize) {
        let last = QUESTIONS.len() - 1;
        self.output.line(&format!("question {number} of {last}: {}", QUESTIONS[number]));
    }

    fn renderer(&mut self) -> Box<dyn MetricsRenderer> {
        Box::new(progress::BarRenderer::new(progress::Bar::new(self.output.is_quiet())))
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
