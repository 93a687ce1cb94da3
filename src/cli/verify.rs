//! `smallnet verify`

use std::path::Path;
use std::process::ExitCode;

use burn::train::Interrupter;
use clap::Args;
use serde::Serialize;

use crate::cli::output::Output;
use crate::cli::signals::Signals;
use crate::cli::{Global, progress};
use crate::data::Source;
use crate::error::Result;
use crate::pipeline;
use crate::pipeline::{Check, Outcome, VerifyOptions};
use crate::run;
use crate::training::Observers;

/// Arguments of `smallnet verify`.
#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// A run's folder, its id, or `latest`
    run: String,
    /// Train the run again in a temporary folder, too, and compare the weights to the last bit
    #[arg(long)]
    train: bool,
    /// The run's data set, if it was moved: a name, a folder or a file
    #[arg(long, value_name = "DATA")]
    data: Option<String>,
}

/// Record of `--json`.
#[derive(Serialize)]
struct Record<'a> {
    run: &'a Path,
    ok: bool,
    failed: usize,
    checks: &'a [Check],
}

/// Runs the command.
pub(super) fn run(args: VerifyArgs, global: &Global, output: &Output) -> Result<ExitCode> {
    let folder = run::find(&args.run, &global.artifacts)?;
    if global.device.is_some() {
        global.check_device(global.backend.map_or_else(|| folder.info().map(|info| info.backend), Ok)?)?;
    }
    let interrupter = Interrupter::new();
    let signals = Signals::listen(interrupter.clone())?;
    let bar = progress::Bar::new(output.is_quiet());
    let training = args.train.then(|| Observers {
        renderer: Box::new(progress::BarRenderer::new(bar.clone())),
        callbacks: Vec::new(),
        interrupter: interrupter.clone(),
    });
    let verification = pipeline::verify(
        folder,
        VerifyOptions {
            backend: global.backend,
            engine: global.engine,
            data: args.data.as_deref().map(Source::parse),
            training,
        },
    );
    bar.finish_and_clear();
    let verification = verification?;
    let checks = &verification.checks;
    let width = checks.iter().map(|check| check.name.chars().count()).max().unwrap_or_default();
    checks.iter().for_each(|check| output.line(&line(check, width)));
    let count =
        |is_counted: fn(&Outcome) -> bool| checks.iter().filter(|check| is_counted(&check.outcome)).count();
    let failed = count(|outcome| matches!(outcome, Outcome::Failed { .. }));
    let not_checked = count(|outcome| matches!(outcome, Outcome::NotChecked { .. }));
    output.line("");
    output.line(&format!(
        "{}: {} ok, {failed} failed, {not_checked} not checked",
        verification.folder.display(),
        checks.len() - failed - not_checked
    ));
    output.record(&Record { run: &verification.folder, ok: verification.is_ok(), failed, checks })?;
    if interrupter.should_stop() {
        return Ok(signals.exit_code());
    }
    Ok(if verification.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Formats a check as a line. `width` is the length of the longest name.
fn line(check: &Check, width: usize) -> String {
    let (status, text) = match &check.outcome {
        Outcome::Ok { found } => ("ok", found.clone()),
        Outcome::Failed { claimed, found } => ("failed", format!("claimed {claimed}; found {found}")),
        Outcome::NotChecked { reason } => ("not checked", reason.clone()),
    };
    format!("{status:<11}  {:<width$}  {text}", check.name)
}
