//! `smallnet study`

mod dry_run;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use burn::train::Interrupter;
use clap::Args;
use serde::Serialize;

use crate::backend::Engine;
use crate::cli::experiment::{ShortForms, TrackArgs};
use crate::cli::output::Output;
use crate::cli::shards::ShardArgs;
use crate::cli::signals::Signals;
use crate::cli::table::Table;
use crate::cli::{Global, progress, shards};
use crate::error::Result;
use crate::experiment::Override;
use crate::run::diagnosis;
use crate::run::{RunRecords, RunSummary};
use crate::study::page::{Medium, conclusions, study_table, test_sentence};
use crate::study::runner::{
    BestModel, BestModelTraining, OpenStudy, PlannedStudy, Progress, ResultPaths, RunOptions, check_journal,
};
use crate::study::{Conflict, Job, Study, StudySummary, TrialEnd, TrialRecord};
use crate::util::format::{counted, grouped, loss, seconds};

/// Maximum number of rows of a search's table, which is sorted by the results. The page has all.
const MAX_ROWS: usize = 20;

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

/// Prints the size of a study, and how its trials are trained.
fn print_header(planned: &PlannedStudy, output: &Output) {
    let PlannedStudy { study, plan, .. } = planned;
    let mut factors = vec![counted(plan.configurations.len(), "configuration", "configurations")];
    factors.extend((study.seeds.len() > 1).then(|| format!("{} seeds", study.seeds.len())));
    factors.extend((study.folds > 0).then(|| format!("{} folds", study.folds)));
    let of_rung = plan.configurations.len() * plan.trials_per_configuration();
    let trials = match plan.rungs {
        None => counted(of_rung, "trial", "trials"),
        Some(_) => format!("{} in the first rung", counted(of_rung, "trial", "trials")),
    };
    let (engine, adapter) = (planned.compute.engine(), &planned.opened.adapter);
    let other_engine =
        (engine != Engine::default_of(planned.compute.backend())).then(|| format!(", engine {engine}"));
    let own = planned.jobs.iter().map(|job| job.trials().len()).sum::<usize>();
    let shard = planned.shard.map(|shard| format!(", {own} of them in shard {shard}")).unwrap_or_default();
    output.line(&format!(
        "{}: {} = {trials}{shard}, on {adapter}{}",
        study.name,
        factors.join(" × "),
        other_engine.unwrap_or_default()
    ));
    if let Some(sentence) = planned.rungs_sentence() {
        output.line(&sentence);
    }
    let (batches, single): (Vec<_>, Vec<_>) =
        planned.jobs.iter().partition(|job| matches!(job, Job::Batched(_)));
    let mut groups = Vec::new();
    if !batches.is_empty() {
        let networks = batches.iter().map(|job| job.trials().len()).sum();
        let networks = counted(networks, "network", "networks");
        groups.push(format!("{networks} in {}", counted(batches.len(), "batch", "batches")));
    }
    if !single.is_empty() {
        groups.push(counted(single.len(), "by itself", "by themselves"));
    }
    if groups.is_empty() {
        output.line("nothing to train: the study has fewer parts than shards");
        return;
    }
    let at_once =
        if planned.workers > 1 { format!(", {} at a time", planned.workers) } else { String::new() };
    output.line(&format!("trained {}{at_once}", groups.join(", ")));
    if planned.opened.compiles_kernels {
        output.line("the first steps compile the GPU's kernels and take longer than all others");
    }
}

/// Prints what earlier runs of the study left, and which of it is used again.
fn print_earlier(study: &OpenStudy, separate: bool, output: &Output) {
    let trials = &study.planned.plan.trials;
    if let Some((kept, number)) = &study.archived {
        let records = counted(*number, "record", "records");
        output.line(&format!("measured again; {records} of earlier measurements: {}", kept.display()));
    }
    if study.trial_log.num_damaged > 0 {
        let lines = counted(study.trial_log.num_damaged, "line", "lines");
        output.warning(&format!("{lines} of its trial logs cannot be read and are not used"));
    }
    shards::print_conflicts(study, output);
    let others = study.trial_log.num_others(trials);
    if !study.changes.is_empty() && (others > 0 || study.num_done() > 0) {
        output.line("the study has changed since it was last run:");
        for (key, before, now) in &study.changes {
            output.line(&format!("  {key}: {before} → {now}"));
        }
        if others > 0 {
            let records = counted(others, "trial run earlier is", "trials run earlier are");
            output.line(&format!(
                "  {records} not of this study any more and not used (trials.jsonl keeps them)"
            ));
        }
    }
    let num_without = study.trial_log.num_without_measure(trials);
    if num_without > 0 {
        output.line(&format!(
            "{} without its {} by an earlier smallnet: trained again",
            counted(num_without, "trial was recorded", "trials were recorded"),
            study.planned.study.measure.name()
        ));
    }
    let num_batched = trials
        .iter()
        .filter_map(|trial| study.trial_log.result(trial))
        .filter(|record| record.is_batched)
        .count();
    if separate && num_batched > 0 {
        output.line(&format!(
            "{} trained in batches earlier and are not trained again: `--artifacts DIR` starts afresh",
            counted(num_batched, "network was", "networks were")
        ));
    }
    match (study.num_done(), study.num_trials()) {
        (0, _) => {}
        (1, 1) => output.line("its only trial has been run already"),
        (done, all) if done == all => output.line(&format!("all {all} trials have been run already")),
        (done, all) => {
            let have = if done == 1 { "has" } else { "have" };
            output.line(&format!("{done} of {all} trials {have} been run already"));
        }
    }
    if study.planned.study.timing && study.num_done() > 0 {
        output.line("their times are those of then; `--remeasure` measures all trials again");
    }
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

/// Formats a line about the trials that have just ended.
fn ended_line(progress: &Progress, records: &[TrialRecord], study: &Study) -> Option<String> {
    let digits = progress.total.to_string().len();
    let count = format!("[{:>digits$}/{}]", progress.done, progress.total);
    let spent: f64 = records.iter().flat_map(|record| &record.epochs).map(|epoch| epoch.seconds).sum();
    match records {
        [] => None,
        [record] => {
            let result = match (record.end, record.score(study.measure), record.loss) {
                (TrialEnd::Finished, Some(score), Some(value)) => {
                    format!("{} {score:.4}  loss {}  {}", study.measure.name(), loss(value), seconds(spent))
                }
                (TrialEnd::Diverged, ..) => {
                    format!("diverged: {}", record.message.as_deref().unwrap_or_default())
                }
                _ => format!("failed: {}", record.message.as_deref().unwrap_or_default()),
            };
            let name = study.trial_name(&record.configuration, record.seed, record.fold);
            let epochs =
                record.stopped_after.map(|epochs| format!(", {}", counted(epochs, "epoch", "epochs")));
            Some(format!("{count} {name}{}  {result}", epochs.unwrap_or_default()))
        }
        records => {
            let diverged = records.iter().filter(|record| record.end == TrialEnd::Diverged).count();
            let failed = records.iter().filter(|record| record.end == TrialEnd::Failed).count();
            let networks = counted(records.len(), "network", "networks");
            let mut line = format!("{count} {networks} in one batch  {}", seconds(spent));
            if diverged > 0 {
                line += &format!("  {diverged} diverged");
            }
            if failed > 0 {
                line += &format!("  {failed} failed");
            }
            Some(line)
        }
    }
}

/// Prints the results of all configurations, and the conclusions.
fn print_table(study: &OpenStudy, summary: &StudySummary, output: &Output) {
    let mut table = study_table(summary, study.planned.study.timing, Medium::Terminal);
    let more = if summary.is_search { table.rows.len().saturating_sub(MAX_ROWS) } else { 0 };
    table.rows.truncate(table.rows.len() - more);
    output.line("");
    output.line(&Table::of_text(table).lines());
    if more > 0 {
        output.line(&format!(" … and {} more; the page has all", grouped(more)));
    }
    output.line("");
    for sentence in conclusions(summary) {
        output.line(&sentence);
    }
    if summary.configurations.iter().any(|setting| setting.comparison.is_some()) {
        output.line(
            "(probabilities: Bayesian correlated t-test, each comparison by itself; the highest of several means is on average too \
             high; the page says more)",
        );
    }
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

/// Prints the result of the best model, failures and the paths of the results.
fn print_end(
    study: &OpenStudy,
    winner: Option<&RunRecords>,
    failed: &[String],
    interrupted: bool,
    files: &ResultPaths,
    output: &Output,
) {
    if let Some(winner) = winner
        && let Some(sentence) = test_sentence(winner)
    {
        output.line(&sentence);
        output.line(&format!("its run: {}", winner.folder.path().display()));
        diagnosis::diagnose_run(winner).iter().for_each(|finding| output.warning(&finding.to_string()));
    }
    if interrupted {
        print_interrupted(study, output);
    }
    if !failed.is_empty() {
        output.line("no winner is trained while trials are missing");
        print_failed(failed, output);
    }
    output.line(&format!("page: {}; trials: {}", files.page.display(), files.csv.display()));
}

/// Says how to go on with a study or a shard that was interrupted.
pub(super) fn print_interrupted(study: &OpenStudy, output: &Output) {
    let (done, all) = (study.num_done(), counted(study.num_trials(), "trial", "trials"));
    let command = match study.planned.remeasure {
        true => "the same command without `--remeasure`",
        false => "the same command",
    };
    output.line(&format!("interrupted after {done} of {all}; {command} resumes from there"));
}

/// Names the trials of a study or a shard that failed.
pub(super) fn print_failed(failed: &[String], output: &Output) {
    let trials = counted(failed.len(), "trial", "trials");
    output.warning(&format!("{trials} failed; the same command tries again:"));
    failed.iter().for_each(|name| output.warning(name));
}

/// Exit code of a study or a shard.
fn exit_code(signals: &Signals, interrupted: bool, is_complete: bool) -> ExitCode {
    match (interrupted, is_complete) {
        (true, _) => signals.exit_code(),
        (false, true) => ExitCode::SUCCESS,
        (false, false) => ExitCode::FAILURE,
    }
}
