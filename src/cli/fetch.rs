//! `smallnet fetch`

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use crate::cli::output::{Output, invocation};
use crate::cli::progress::Bar;
use crate::cli::table::Table;
use crate::data::{self, FetchEvent, catalog_entries, size_text};
use crate::error::Result;

/// Arguments of `smallnet fetch`.
#[derive(Debug, Args)]
pub(super) struct FetchArgs {
    /// The data set to download, such as `fashion-mnist`; without it, all names are listed
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

/// Record of `--json`.
#[derive(Serialize)]
struct Record<'a> {
    data_set: &'a str,
    folder: &'a Path,
}

/// Runs the command.
pub(super) fn run(args: &FetchArgs, output: &Output) -> Result<ExitCode> {
    match &args.name {
        Some(name) => fetch(name, output)?,
        None => list(output)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Downloads a data set.
fn fetch(name: &str, output: &Output) -> Result<()> {
    let bar = Bar::new(output.is_quiet());
    let fetched = data::fetch(name, &|event| show(event, &bar, output));
    bar.finish_and_clear();
    let folder = fetched?;
    output.line(&format!("train on it: {} train --data {name}", invocation()));
    output.record(&Record { data_set: name, folder: &folder })
}

/// Lists the data sets that have names.
fn list(output: &Output) -> Result<()> {
    let entries = catalog_entries()?;
    let mut table = Table::new(["name", "images", "here", "download"], 3);
    for entry in &entries {
        let here = if entry.is_fetched { "yes" } else { "no" };
        let size = entry.download_bytes.map_or_else(|| "–".to_owned(), size_text);
        table.add_row([entry.name, entry.title, here, &size].map(str::to_owned));
    }
    output.line(&table.lines());
    output.line("");
    let command = invocation();
    output.line(&format!("download one: {command} fetch NAME; then: {command} train --data NAME"));
    output.record(&entries)
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
