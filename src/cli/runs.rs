//! `smallnet runs`

use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

use crate::cli::Global;
use crate::cli::output::{Output, invocation};
use crate::cli::table::Table;
use crate::error::Result;
use crate::run;
use crate::run::{RunEntry, RunInfo, RunSummary};
use crate::util::format::grouped;

/// Record of one run in `--json`.
#[derive(Serialize)]
struct Record<'a> {
    run: &'a Path,
    #[serde(flatten)]
    info: &'a RunInfo,
    summary: &'a Option<RunSummary>,
}

/// Runs the command.
pub(super) fn run(global: &Global, output: &Output) -> Result<ExitCode> {
    let (runs, unreadable) = run::list(&global.artifacts)?;
    if let Some(first) = unreadable.first() {
        let reason = first.error.to_string();
        let reason = reason.lines().next().unwrap_or_default();
        let more = match unreadable.len() - 1 {
            0 => String::new(),
            others => format!(", and {others} more"),
        };
        output.warning(&format!("left out: {reason}{more}"));
    }
    if runs.is_empty() {
        output.line(&format!("no runs in {} yet; next: {} train", global.artifacts.display(), invocation()));
    } else {
        output.line(&table(&runs).lines());
    }
    let records: Vec<_> = runs
        .iter()
        .map(|run| Record { run: run.folder.path(), info: &run.info, summary: &run.summary })
        .collect();
    output.record(&records)?;
    Ok(ExitCode::SUCCESS)
}

/// Returns the table of all runs.
fn table(runs: &[RunEntry]) -> Table {
    let header = ["experiment", "run (UTC)", "backend", "status", "accuracy", "parameters"];
    let mut table = Table::new(header, 4);
    for run in runs {
        let summary = run.summary.as_ref();
        table.add_row([
            run.info.experiment.clone(),
            run.folder.id(),
            run.info.backend.to_string(),
            run.info.state(),
            run.accuracy.map_or_else(String::new, |accuracy| format!("{accuracy:.4}")),
            summary.map_or_else(String::new, |summary| grouped(summary.num_parameters)),
        ]);
    }
    table
}
