//! `smallnet resume`

use std::process::ExitCode;

use clap::Args;

use crate::cli::output::Output;
use crate::cli::train::run_with_progress;
use crate::cli::{Global, dashboard};
use crate::data::Source;
use crate::error::Result;
use crate::pipeline;
use crate::pipeline::Resume;
use crate::run;
use crate::tracking::Tracker;

/// Arguments of `smallnet resume`.
#[derive(Debug, Args)]
pub(super) struct ResumeArgs {
    /// A run's folder, its id, or `latest`
    run: String,
    /// Train until so many epochs are done in all; a finished run is trained on
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// The run's data set, if it was moved: a name, a folder or a file
    #[arg(long, value_name = "DATA")]
    data: Option<String>,
    /// Also write files for these trackers: several with commas. A run goes on with those that it has
    #[arg(long, value_name = "TRACKERS", value_enum, value_delimiter = ',')]
    track: Vec<Tracker>,
    /// Leave the test images alone, as `train --no-test` does; a run that was started with it does so
    /// anyway
    #[arg(long)]
    no_test: bool,
    /// Show Burn's terminal dashboard instead of a bar; Ctrl-C stops, and so do q and then s
    #[arg(long)]
    dashboard: bool,
}

/// Runs the command.
pub(super) fn run(args: ResumeArgs, global: &Global, output: &Output) -> Result<ExitCode> {
    if args.dashboard {
        dashboard::check()?;
    }
    let folder = run::find(&args.run, &global.artifacts)?;
    if global.device.is_some() {
        global.check_device(global.backend.map_or_else(|| folder.info().map(|info| info.backend), Ok)?)?;
    }
    let Resume { run: mut prepared, position, warnings } = pipeline::resume(
        folder,
        args.epochs,
        global.backend,
        global.engine,
        args.data.as_deref().map(Source::parse),
    )?;
    prepared.experiment.tracking.add(&args.track);
    warnings.iter().for_each(|warning| output.warning(warning));
    let path = prepared.folder.path().display();
    output.line(&match position {
        None => format!("resuming {path} from the beginning: it has no checkpoint to resume from"),
        Some(position) if position.steps == 0 => format!("resuming {path} after epoch {}", position.epochs),
        Some(position) => {
            format!("resuming {path} in epoch {}, after step {}", position.epochs + 1, position.steps)
        }
    });
    let prepared = if args.no_test { prepared.without_test()? } else { prepared };
    run_with_progress(prepared, args.dashboard, output)
}
