//! `smallnet study`

mod dry_run;
pub(super) mod text;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use burn::train::Interrupter;
use clap::Args;
use serde::Serialize;

use crate::cli::experiment::{ShortForms, TrackArgs};
use crate::cli::output::Output;
use crate::cli::shards::ShardArgs;
use crate::cli::signals::Signals;
use crate::cli::study::text::{ended_line, print_earlier, print_end, print_header, print_table};
use crate::cli::{Global, progress, shards};
use crate::error::Result;
use crate::experiment::Override;
use crate::run::{RunRecords, RunSummary};
use crate::study::runner::{
    BestModel, BestModelTraining, OpenStudy, PlannedStudy, ResultPaths, RunOptions, check_journal,
};
use crate::study::{Conflict, Study, StudySummary};

/// Arguments of `smallnet study`.
#[derive(Debug, Args)]
pub(super) struct StudyArgs {
    /// The study: a file, or one of those inside smallnet: learning-rate, learning-rate-cv,
    /// architecture, batch-size, random-search, halving
    #[arg(value_name = "STUDY")]
    file: PathBuf,
    /// Change settings of the base experiment for all trials: one or more, such as
    /// `training.num_epochs=3`
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<Override>,
    #[command(flatten)]
    short: ShortForms,
    /// The images: a name such as `fashion-mnist`, a folder or a file; short for `--set
    /// data.source=DATA`
    #[arg(long, value_name = "DATA")]
    data: Option<String>,
    #[command(flatten)]
    track: TrackArgs,
    /// Print the trials, their number and about how long they take; train none
    #[arg(long)]
    dry_run: bool,
    /// Train every network by itself, one after the other, as other tools do; slower, for
    /// comparison
    #[arg(long)]
    separate: bool,
    /// Time all trials of a timed study again; the earlier records are kept beside the new ones
    #[arg(long)]
    remeasure: bool,
    /// Leave the test images alone: the best configuration is trained on all training images and not
    /// tested; `evaluate` tests it
    #[arg(long)]
    no_test: bool,
    /// Write the study as a journal of Optuna, too, which `optuna.load_study` and optuna-dashboard
    /// read
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    #[command(flatten)]
    shards: ShardArgs,
}

/// Record of `--json`.
#[derive(Serialize)]
struct Record<'a> {
    study: &'a Path,
    trials: usize,
    done: usize,
    failed: usize,
    interrupted: bool,
    /// Trials with two results that differ.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    conflicts: &'a [Conflict],
    summary: &'a StudySummary,
    winner: Option<&'a Path>,
    result: Option<&'a RunSummary>,
    files: &'a ResultPaths,
    #[serde(skip_serializing_if = "Option::is_none")]
    journal: Option<&'a Path>,
}

/// Runs the command.
pub(super) fn run(args: StudyArgs, global: &Global, output: &Output) -> Result<ExitCode> {
    let mut settings = args.settings;
    settings.extend(args.short.settings());
    settings.extend(args.track.setting());
    settings.extend(args.data.map(|data| Override::new("data.source", data)));
    let study = Study::read(&args.file, &settings)?;
    let ShardArgs { shard, merge, status, script, shards: number } = args.shards;
    if let Some((kind, number)) = script.zip(number) {
        return shards::print_script(kind, number, &study, &args.file, global, output);
    }
    let options = RunOptions { separate: args.separate, remeasure: args.remeasure, shard };
    let planned = PlannedStudy::new(study, global.compute()?, options)?;
    if status {
        return shards::print_status(&planned, global, output);
    }
    print_header(&planned, output);
    planned.note.iter().for_each(|note| output.note(note));
    if let Some(journal) = &args.journal {
        check_journal(journal)?;
    }
    if args.dry_run {
        return dry_run::run(&planned, global, output);
    }
    let interrupter = Interrupter::new();
    let signals = Signals::listen(interrupter.clone())?;
    let mut study = planned.open(&global.artifacts)?;
    print_earlier(&study, args.separate, output);
    if merge {
        shards::check_complete(&study)?;
    }
    run_trials(&mut study, &interrupter, output)?;
    if let Some(shard) = shard {
        let interrupted = interrupter.should_stop();
        let is_complete = shards::print_end(&study, shard, interrupted, output)?;
        return Ok(exit_code(&signals, interrupted, is_complete));
    }
    let summary = study.summary();
    let failed = study.failed();
    let interrupted = interrupter.should_stop();
    if !interrupted {
        print_table(&study, &summary, output);
    }
    // The results are written before the best model is trained, so that the trials have their page
    // even if that training fails. A study that cannot write its results has failed; the records of
    // its trials are in `trials.jsonl`.
    let mut files = study.write_results(&summary, None)?;
    if let Some(journal) = &args.journal {
        study.write_journal(&summary, journal)?;
    }
    let mut winner = None;
    let mut winner_failed = false;
    if !interrupted && failed.is_empty() {
        match train_best(&study, &summary, &interrupter, global, args.no_test, output) {
            Ok(records) => winner = records,
            Err(error) => {
                winner_failed = true;
                output.error(&error);
            }
        }
    }
    if winner.is_some() {
        files = study.write_results(&summary, winner.as_ref())?;
    }
    let interrupted = interrupted || interrupter.should_stop();
    print_end(&study, winner.as_ref(), &failed, interrupted, &files, output);
    if let Some(journal) = &args.journal {
        output.line(&format!("Optuna's journal: {}", journal.display()));
    }
    output.record(&Record {
        study: study.folder.path(),
        trials: summary.num_trials,
        done: study.num_done(),
        failed: failed.len(),
        interrupted,
        conflicts: &study.trial_log.conflicts,
        summary: &summary,
        winner: winner.as_ref().map(|run| run.folder.path()),
        result: winner.as_ref().and_then(|run| run.summary.as_ref()),
        files: &files,
        journal: args.journal.as_deref(),
    })?;
    Ok(exit_code(&signals, interrupted, failed.is_empty() && !winner_failed))
}

/// Runs the missing trials with a progress bar, and prints a line for each job that ends.
fn run_trials(study: &mut OpenStudy, interrupter: &Interrupter, output: &Output) -> Result<()> {
    let bar = progress::study_bar(output.is_quiet());
    let file = study.planned.study.clone();
    let all_done = study.run(interrupter, |progress, records| {
        progress::show_study(&bar, progress);
        if let Some(line) = ended_line(progress, records, &file) {
            bar.suspend(|| output.line(&line));
        }
    });
    bar.finish_and_clear();
    all_done.map(drop)
}

/// Trains the best configuration on all training images, unless an earlier start has done so, and
/// tests it, unless `no_test` is set.
fn train_best(
    study: &OpenStudy,
    summary: &StudySummary,
    interrupter: &Interrupter,
    global: &Global,
    no_test: bool,
    output: &Output,
) -> Result<Option<RunRecords>> {
    match study.best_model(summary, &global.artifacts)? {
        None => Ok(None),
        Some(BestModel::AlreadyTrained(records)) => Ok(Some(*records)),
        Some(BestModel::ToTrain(training)) => {
            let BestModelTraining { prepared, warnings } = *training;
            let prepared = if no_test { prepared.without_test()? } else { prepared };
            train_new_best(study, BestModelTraining { prepared, warnings }, interrupter, output)
        }
    }
}

/// Trains the best configuration with a progress bar.
fn train_new_best(
    study: &OpenStudy,
    training: BestModelTraining,
    interrupter: &Interrupter,
    output: &Output,
) -> Result<Option<RunRecords>> {
    training.warnings.iter().for_each(|warning| output.warning(warning));
    let bar = progress::Bar::new(output.is_quiet());
    let renderer = Box::new(progress::BarRenderer::new(bar.clone()));
    let records = study.train_best_model(training, renderer, interrupter);
    bar.finish_and_clear();
    records
}

/// Exit code of a study or a shard.
fn exit_code(signals: &Signals, interrupted: bool, is_complete: bool) -> ExitCode {
    match (interrupted, is_complete) {
        (true, _) => signals.exit_code(),
        (false, true) => ExitCode::SUCCESS,
        (false, false) => ExitCode::FAILURE,
    }
}
