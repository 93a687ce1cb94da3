//! `smallnet compare`

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use crate::cli::Global;
use crate::cli::chart::{Curve, chart};
use crate::cli::output::Output;
use crate::cli::table::Table;
use crate::error::Result;
use crate::evaluation::PairedTest;
use crate::experiment::Difference;
use crate::pipeline;
use crate::pipeline::RunComparison;
use crate::report::{accuracy_curves, paired_sentences, paired_table, result_table, uncertainty};
use crate::run::{RunRecords, RunSummary, Status};

/// Arguments of `smallnet compare`.
#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    /// Two runs or more: their folders, their ids, or `latest`
    #[arg(value_name = "RUN", required = true, num_args = 2..)]
    runs: Vec<String>,
}

/// Record of `--json`.
#[derive(Serialize)]
struct Record<'a> {
    runs: Vec<RunRecord<'a>>,
    differences: &'a [Difference],
    tests: Vec<TestRecord<'a>>,
    page: Option<&'a Path>,
}

/// Test of a network against the first one.
#[derive(Serialize)]
struct TestRecord<'a> {
    run: &'a Path,
    against: &'a Path,
    #[serde(flatten)]
    test: &'a PairedTest,
}

/// Record of one run.
#[derive(Serialize)]
struct RunRecord<'a> {
    run: &'a Path,
    name: &'a str,
    status: Status,
    summary: &'a Option<RunSummary>,
}

/// Runs the command.
pub(super) fn run(args: CompareArgs, global: &Global, output: &Output) -> Result<ExitCode> {
    let compared = pipeline::compare(&args.runs, &global.artifacts)?;
    let RunComparison { runs, names, differences, tests } = &compared;
    output.line(&results(runs, names).lines());
    output.line("");
    if let Some(note) = uncertainty(runs) {
        output.line(&note);
        output.line("");
    }
    print_tests(&compared, output);
    if differences.is_empty() {
        output.line("their experiments are the same");
    } else {
        output.line("what differs between their experiments:");
        output.line("");
        output.line(&settings(differences, names).lines());
    }
    print_curves(runs, names, output);
    output.line("");
    let page = output.warn_on_error(compared.write_page(&global.artifacts).map(Some));
    if let Some(page) = &page {
        output.line(&format!("page: {}", page.display()));
    }
    output.record(&Record {
        runs: runs
            .iter()
            .zip(names)
            .map(|(run, name)| RunRecord {
                run: run.folder.path(),
                name,
                status: run.info.status,
                summary: &run.summary,
            })
            .collect(),
        differences,
        tests: tests
            .iter()
            .zip(runs)
            .filter_map(|(test, run)| {
                Some(TestRecord {
                    run: run.folder.path(),
                    against: runs[0].folder.path(),
                    test: test.as_ref()?,
                })
            })
            .collect(),
        page: page.as_deref(),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Returns the table of results, one row per run.
fn results(runs: &[RunRecords], names: &[String]) -> Table {
    Table::of_text(result_table(runs, names))
}

/// Prints the test of each network against the first one, on the same test images.
fn print_tests(compared: &RunComparison, output: &Output) {
    let RunComparison { runs, names, tests, .. } = compared;
    let table = paired_table(names, tests);
    if !table.rows.is_empty() {
        output.line(&Table::of_text(table).lines());
        output.line("");
    }
    for sentence in paired_sentences(runs, names, tests) {
        output.line(&sentence);
    }
    output.line("");
}

/// Returns the table of settings that differ, with one column per run.
fn settings(differences: &[Difference], names: &[String]) -> Table {
    let mut table =
        Table::new(["setting"].into_iter().chain(names.iter().map(String::as_str)), 1 + names.len());
    for difference in differences {
        let values = difference.values.iter().map(|value| value.clone().unwrap_or_else(|| "–".to_owned()));
        table.add_row([difference.key.clone()].into_iter().chain(values));
    }
    table
}

/// Prints the accuracy over the epochs: on the validation images if all runs have some, else on the
/// training images.
fn print_curves(runs: &[RunRecords], names: &[String], output: &Output) {
    let (title, curves) = accuracy_curves(runs);
    if curves.iter().all(Vec::is_empty) {
        return;
    }
    output.line("");
    output.line(&title);
    output.line("");
    let drawn = names.iter().zip(&curves).filter(|(_, points)| !points.is_empty());
    let curves: Vec<_> = drawn.map(|(name, points)| Curve { name, points }).collect();
    for line in chart(&curves, |epoch| format!("epoch {epoch}"), output.has_colors()) {
        output.line(&line);
    }
}
