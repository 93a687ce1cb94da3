//! `smallnet study --dry-run`

use std::process::ExitCode;

use serde::Serialize;

use crate::cli::Global;
use crate::cli::output::Output;
use crate::cli::table::Table;
use crate::error::Result;
use crate::study::Job;
use crate::study::runner::PlannedStudy;
use crate::util::format::{counted, grouped, seconds};

/// Maximum number of trials that `--dry-run` lists.
const MAX_LISTED: usize = 60;

/// Record of `--json` with `--dry-run`.
#[derive(Serialize)]
struct DryRecord {
    trials: Vec<DryTrial>,
    seconds: f64,
}

/// A trial in the record of `--dry-run`.
#[derive(Serialize)]
struct DryTrial {
    id: String,
    name: String,
    done: bool,
    /// True if the trial is trained in a model batch.
    #[serde(rename = "side_by_side")]
    is_batched: bool,
    will_fail: Option<String>,
}

/// Lists the trials of a study with an estimate of their time, and trains none.
pub(super) fn run(planned: &PlannedStudy, global: &Global, output: &Output) -> Result<ExitCode> {
    let earlier = planned.earlier_log(&global.artifacts);
    let trials = planned.known_trials(earlier.as_ref());
    let batched = planned.batched_trials(earlier.as_ref());
    let listed: Vec<DryTrial> = trials
        .iter()
        .map(|&(index, done)| {
            let trial = &planned.plan.trials[index];
            DryTrial {
                id: trial.id.clone(),
                name: planned.trial_name(trial),
                done,
                will_fail: planned.infeasible(trial).map(|error| error.message().to_owned()),
                is_batched: batched.contains(&index),
            }
        })
        .collect();
    let missing = planned.missing_jobs(earlier.as_ref());
    let mut table = Table::new(["trial", "what", "how", "state"], 4);
    // Timed trials are listed in the order in which they run.
    let order: Vec<usize> = match planned.study.timing {
        true => planned.jobs.iter().flat_map(Job::trials).collect(),
        false => (0..listed.len()).collect(),
    };
    for index in order.into_iter().take(MAX_LISTED) {
        let trial = &listed[index];
        let how = if trial.is_batched { "in a batch" } else { "by itself" };
        let state = match (&trial.will_fail, trial.done) {
            (Some(_), _) => "will fail",
            (None, true) => "done",
            (None, false) => "to run",
        };
        table.add_row([&(index + 1).to_string(), &trial.name, how, state]);
    }
    output.line("");
    output.line(&table.lines());
    if trials.len() > MAX_LISTED {
        output.line(&format!(" … and {} more", grouped(trials.len() - MAX_LISTED)));
    }
    output.line("");
    let left = listed.iter().filter(|trial| !trial.done).count();
    let later = summed_sizes(&missing).saturating_sub(left);
    let later = match later {
        0 => String::new(),
        later => format!(", and about {} of later rungs", grouped(later)),
    };
    let estimate = planned.estimate(&missing)?.as_secs_f64();
    output.line(&format!(
        "{} to run{later}: about {} with the winner's training (a few steps of each kind were timed)",
        counted(left, "trial", "trials"),
        seconds(estimate)
    ));
    output.record(&DryRecord { trials: listed, seconds: estimate })?;
    Ok(ExitCode::SUCCESS)
}

/// Number of trials in these jobs.
fn summed_sizes(jobs: &[Job]) -> usize {
    jobs.iter().map(|job| job.trials().len()).sum()
}
