//! `smallnet report`

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use crate::cli::Global;
use crate::cli::output::Output;
use crate::data::Source;
use crate::error::Result;
use crate::pipeline;
use crate::run;

/// Arguments of `smallnet report`.
#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// A run's folder, its id, or `latest`
    #[arg(value_name = "RUN")]
    run: String,
    /// The run's data set, if it was moved: a name, a folder or a file. The run records it
    #[arg(long, value_name = "DATA")]
    data: Option<String>,
}

/// Record of `--json`.
#[derive(Serialize)]
struct Record<'a> {
    run: &'a Path,
    report: &'a Path,
}

/// Runs the command.
pub(super) fn run(args: ReportArgs, global: &Global, output: &Output) -> Result<ExitCode> {
    let folder = run::find(&args.run, &global.artifacts)?;
    if let Some(data) = &args.data {
        pipeline::relocate_data(&folder, &Source::parse(data))?;
    }
    let report = pipeline::report(&folder)?;
    output.line(&format!("report: {}", report.display()));
    output.record(&Record { run: folder.path(), report: &report })?;
    Ok(ExitCode::SUCCESS)
}
