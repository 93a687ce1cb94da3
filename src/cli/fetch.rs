//! `smallnet fetch`

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use crate::cli::output::{Output, invocation};
use crate::cli::progress::Bar;
use crate::data::{self, FetchEvent};
use crate::error::Result;

/// Arguments of `smallnet fetch`.
#[derive(Debug, Args)]
pub(super) struct FetchArgs {
    /// The data set to download: `fashion-mnist`, `kmnist`, `qmnist`, `emnist/letters` …
    #[arg(value_name = "NAME")]
    name: String,
}

/// Record of `--json`.
#[derive(Serialize)]
struct Record<'a> {
    data_set: &'a str,
    folder: &'a Path,
}

/// Runs the command.
pub(super) fn run(args: &FetchArgs, output: &Output) -> Result<ExitCode> {
    let bar = Bar::new(output.is_quiet());
    let fetched = data::fetch(&args.name, &|event| show(event, &bar, output));
    bar.finish_and_clear();
    let folder = fetched?;
    output.line(&format!("train on it: {} train --data {}", invocation(), args.name));
    output.record(&Record { data_set: &args.name, folder: &folder })?;
    Ok(ExitCode::SUCCESS)
}

/// Shows what happens: a line above the bar, or the position of the bar.
fn show(event: FetchEvent<'_>, bar: &Bar, output: &Output) {
    match event {
        FetchEvent::Line(line) => bar.suspend(|| output.line(&line)),
        FetchEvent::Bytes { name, done, total } => {
            bar.set_prefix(name.to_owned());
            // Without a known size, the bar is full and shows that something is read.
            bar.set_length(total.unwrap_or(done).max(done));
            bar.set_position(done);
        }
    }
}
