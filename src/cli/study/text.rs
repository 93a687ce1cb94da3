//! Owns what `smallnet study` prints: the size of a study, what earlier runs left, a line per trial, the table and the end.
//! Must not know how trials are run.

use crate::backend::Engine;
use crate::cli::output::Output;
use crate::cli::shards;
use crate::cli::table::Table;
use crate::run::{RunRecords, diagnosis};
use crate::study::page::{Medium, conclusions, study_table, test_sentence};
use crate::study::runner::{OpenStudy, PlannedStudy, Progress, ResultPaths};
use crate::study::{Job, Study, StudySummary, TrialEnd, TrialRecord};
use crate::util::format::{counted, grouped, loss, seconds};

/// Maximum number of rows of a search's table, which is sorted by the results. The page has all.
const MAX_ROWS: usize = 20;

/// Prints the size of a study, and how its trials are trained.
pub(super) fn print_header(planned: &PlannedStudy, output: &Output) {
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
pub(super) fn print_earlier(study: &OpenStudy, separate: bool, output: &Output) {
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

/// Formats a line about the trials that have just ended.
pub(super) fn ended_line(progress: &Progress, records: &[TrialRecord], study: &Study) -> Option<String> {
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
pub(super) fn print_table(study: &OpenStudy, summary: &StudySummary, output: &Output) {
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

/// Prints the result of the best model, failures and the paths of the results.
pub(super) fn print_end(
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
pub(in crate::cli) fn print_interrupted(study: &OpenStudy, output: &Output) {
    let (done, all) = (study.num_done(), counted(study.num_trials(), "trial", "trials"));
    let command = match study.planned.remeasure {
        true => "the same command without `--remeasure`",
        false => "the same command",
    };
    output.line(&format!("interrupted after {done} of {all}; {command} resumes from there"));
}

/// Names the trials of a study or a shard that failed.
pub(in crate::cli) fn print_failed(failed: &[String], output: &Output) {
    let trials = counted(failed.len(), "trial", "trials");
    output.warning(&format!("{trials} failed; the same command tries again:"));
    failed.iter().for_each(|name| output.warning(name));
}
