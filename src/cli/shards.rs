//! The options of `smallnet study` for many machines: `--shard`, `--merge`, `--status` and `--script`.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use crate::cli::Global;
use crate::cli::output::Output;
use crate::cli::study::text::{print_failed, print_interrupted};
use crate::cli::table::Table;
use crate::error::{Error, Result};
use crate::study::runner::{OpenStudy, PlannedStudy, ShardStatus, StudyStatus};
use crate::study::{Conflict, ScriptKind, ScriptRequest, Shard, Study, script};
use crate::util::format::{counted, seconds};

/// Maximum number of unfinished shards that an error names, and of trials with two results.
const MAX_NAMED: usize = 5;

/// Options for a study that several processes train.
#[derive(Debug, Args)]
pub(super) struct ShardArgs {
    /// Train one part of the trials alone, such as 3/16: the third of sixteen. The same command without it
    /// puts the results of all parts together
    #[arg(long, value_name = "I/N", conflicts_with_all = ["merge", "status", "remeasure", "no_test", "journal"])]
    pub(super) shard: Option<Shard>,
    /// Put the results of all shards together and train no trial: an error says which trials are missing
    #[arg(long, conflicts_with_all = ["status", "dry_run", "remeasure"])]
    pub(super) merge: bool,
    /// Show how far each shard is; train nothing
    #[arg(long, conflicts_with_all = ["dry_run", "remeasure", "no_test", "journal"])]
    pub(super) status: bool,
    /// Print a script that trains the study in `--shards` parts with this program and puts the results together
    #[arg(long, value_enum, value_name = "PROGRAM", requires = "shards", conflicts_with_all = ["shard", "merge", "status", "dry_run"])]
    pub(super) script: Option<ScriptKind>,
    /// Number of shards of the script; a few per machine balance best
    #[arg(long, value_name = "N", requires = "script", value_parser = clap::value_parser!(u16).range(1..=MAX_SHARDS))]
    pub(super) shards: Option<u16>,
}

/// Largest number of shards of a script.
const MAX_SHARDS: i64 = crate::study::MAX_SHARDS as i64;

/// Record of `--json` with `--script`.
#[derive(Serialize)]
struct ScriptRecord<'a> {
    script: &'a str,
}

/// Prints a script that trains the study of `file` in shards.
pub(super) fn print_script(
    kind: ScriptKind,
    shards: u16,
    study: &Study,
    file: &Path,
    global: &Global,
    output: &Output,
) -> Result<ExitCode> {
    let program = std::env::current_exe().unwrap_or_else(|_| "smallnet".into());
    let options = other_options(std::env::args().skip(1), &file.to_string_lossy());
    let request = ScriptRequest {
        study,
        file,
        options: &options,
        artifacts: &global.artifacts,
        num_shards: usize::from(shards),
        threads: global.threads.map(usize::from),
        program: &program,
    };
    let text = script(kind, &request)?;
    output.line(text.trim_end());
    output.record(&ScriptRecord { script: &text })?;
    Ok(ExitCode::SUCCESS)
}

/// The arguments of the command line without the command, the study's file, and the options that the script sets
/// itself or that say how to print.
fn other_options(arguments: impl Iterator<Item = String>, file: &str) -> Vec<String> {
    const WITH_VALUE: [&str; 4] = ["--script", "--shards", "--artifacts", "--threads"];
    const ALONE: [&str; 3] = ["--json", "--quiet", "-q"];
    let (mut has_command, mut has_file, mut is_value) = (false, false, false);
    arguments
        .filter(|argument| {
            let is_named = |name: &str| argument.strip_prefix(name).is_some_and(|rest| rest.starts_with('='));
            if is_value || ALONE.contains(&argument.as_str()) || WITH_VALUE.into_iter().any(is_named) {
                is_value = false;
                return false;
            }
            is_value = WITH_VALUE.contains(&argument.as_str());
            let is_first =
                |seen: &mut bool, word: &str| !*seen && argument == word && !std::mem::replace(seen, true);
            !is_value && !is_first(&mut has_command, "study") && !is_first(&mut has_file, file)
        })
        .collect()
}

/// Record of `--json` with `--shard`.
#[derive(Serialize)]
struct Record<'a> {
    study: &'a Path,
    shard: Shard,
    trials: usize,
    done: usize,
    failed: usize,
    interrupted: bool,
}

/// Prints the end of a shard. Returns whether it has all its results.
pub(super) fn print_end(study: &OpenStudy, shard: Shard, interrupted: bool, output: &Output) -> Result<bool> {
    let (trials, done, failed) = (study.num_trials(), study.num_done(), study.failed());
    if interrupted {
        print_interrupted(study, output);
    }
    if !failed.is_empty() {
        print_failed(&failed, output);
    }
    output.line(&format!(
        "shard {shard}: {done} of {} in {}",
        counted(trials, "trial", "trials"),
        study.own_log().display()
    ));
    if !interrupted && failed.is_empty() {
        output.line(match study.knows_all_rungs() {
            true => "when all shards have ended, the same command with `--merge` in place of `--shard` puts them together",
            false => {
                "the next rung follows from the results of all shards: when all have ended, start them again, or the same command \
                 without `--shard` trains the rest"
            }
        });
    }
    let folder = study.folder.path();
    output.record(&Record { study: folder, shard, trials, done, failed: failed.len(), interrupted })?;
    Ok(failed.is_empty())
}

/// Refuses to merge a study while trials are missing.
///
/// # Errors
/// Names the number of the missing trials, and the shards that have them.
pub(super) fn check_complete(study: &OpenStudy) -> Result<()> {
    let StudyStatus { trials, done, shards } = study.status()?;
    if done == trials {
        return Ok(());
    }
    let missing = trials - done;
    let unfinished: Vec<&ShardStatus> = shards.iter().filter(|shard| shard.done < shard.trials).collect();
    let mut named: Vec<String> = unfinished
        .iter()
        .take(MAX_NAMED)
        .map(|shard| format!("{} has {} of {}", shard.shard, shard.done, shard.trials))
        .collect();
    if unfinished.len() > MAX_NAMED {
        named.push(format!("{} more", unfinished.len() - MAX_NAMED));
    }
    let named = if named.is_empty() { String::new() } else { format!(": shard {}", named.join(", ")) };
    let have = if missing == 1 { "has" } else { "have" };
    Err(Error::new(format!("{missing} of {} {have} no result{named}", counted(trials, "trial", "trials"))).hint(
        "run these shards again, which resume; or leave out `--merge`, and the missing trials are trained here",
    ))
}

/// Names the trials that two processes trained with different results.
pub(super) fn print_conflicts(study: &OpenStudy, output: &Output) {
    let conflicts = &study.trial_log.conflicts;
    if conflicts.is_empty() {
        return;
    }
    let trials = counted(conflicts.len(), "trial", "trials");
    output.warning(&format!(
        "{trials} with two results that differ, as those of two kinds of processors may; the first one counts:"
    ));
    for Conflict { id, used, other } in conflicts.iter().take(MAX_NAMED) {
        let trial = study.planned.plan.trials.iter().find(|trial| trial.id == *id);
        let name = trial.map_or_else(|| id.clone(), |trial| study.planned.trial_name(trial));
        output.warning(&format!("{name}: {used} and {other}"));
    }
    if conflicts.len() > MAX_NAMED {
        output.warning(&format!("… and {} more", conflicts.len() - MAX_NAMED));
    }
}

/// Prints how far each shard is.
pub(super) fn print_status(planned: &PlannedStudy, global: &Global, output: &Output) -> Result<ExitCode> {
    let status = planned.status(&global.artifacts)?;
    let trials = counted(status.trials, "trial", "trials");
    output.line(&format!("{}: {} of {trials} have a result", planned.study.name, status.done));
    if status.shards.is_empty() {
        output.line("no shard has started: `--shard 1/4` trains the first of four parts");
    } else {
        let mut table = Table::new(["shard", "state", "trials", "done", "failed", "last result"], 2);
        for shard in &status.shards {
            let ago = shard.seconds_since_last_result;
            let ago = ago.map_or_else(|| "–".to_owned(), |age| format!("{} ago", seconds(age as f64)));
            let numbers = [shard.trials, shard.done, shard.failed].map(|number| number.to_string());
            let [trials, done, failed] = numbers;
            table.add_row([shard.shard.to_string(), state(shard).to_owned(), trials, done, failed, ago]);
        }
        output.line("");
        output.line(&table.lines());
    }
    output.record(&status)?;
    Ok(ExitCode::SUCCESS)
}

/// State of a shard in words.
fn state(shard: &ShardStatus) -> &'static str {
    match (shard.done == shard.trials, shard.running, shard.seconds_since_last_result) {
        (_, Some(true), _) => "running",
        (true, ..) => "done",
        (false, _, None) => "not started",
        (false, Some(false), _) => "stopped",
        (false, None, _) => "not done",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_keeps_the_options_that_are_not_its_own() {
        let line = "--backend ndarray study s.toml --script slurm --set seed=2 --threads=2 --shards 4 -q --artifacts study";
        let options = other_options(line.split(' ').map(str::to_owned), "s.toml");
        assert_eq!(options, ["--backend", "ndarray", "--set", "seed=2"]);
    }
}
