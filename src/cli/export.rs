//! `smallnet export`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use crate::backend::Backend;
use crate::cli::Global;
use crate::cli::output::Output;
use crate::data::size_text;
use crate::error::Result;
use crate::exchange::Layout;
use crate::pipeline::{Export, ExportFormat, ExportOptions, LoadedModel};
use crate::util::format::counted;

/// Arguments of `smallnet export`.
#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// A run's folder, its id, `latest`, or a checkpoint file in a run's folder
    #[arg(value_name = "RUN or CHECKPOINT")]
    model: String,
    /// The format
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: ExportFormat,
    /// The file or folder to write, which must not exist [default: in the run's folder `export`,
    /// where an earlier export is replaced]
    #[arg(long, short, value_name = "PATH")]
    output: Option<PathBuf>,
    /// For ONNX: the network takes bytes from 0 to 255 and not numbers from 0 to 1
    #[arg(long)]
    bytes: bool,
    /// For safetensors: the layout of the weights, with the names of that library [default: burn]
    #[arg(long, value_enum, value_name = "LAYOUT")]
    layout: Option<Layout>,
}

/// Record of `--json`.
#[derive(Serialize)]
struct Record<'a> {
    run: &'a Path,
    #[serde(flatten)]
    export: &'a Export,
}

/// Runs the command.
pub(super) fn run(args: ExportArgs, global: &Global, output: &Output) -> Result<ExitCode> {
    // The command reads weights and compares predictions, so any backend serves, and a CPU is always
    // there.
    let backend = global.backend.unwrap_or(Backend::Flex);
    let saved = LoadedModel::load(&args.model, &global.artifacts, Some(backend))?;
    let ExportArgs { format, output: path, bytes, layout, .. } = args;
    let options = ExportOptions { format, output: path, bytes, layout };
    let export = saved.export(&options)?;
    print(&export, output);
    output.record(&Record { run: saved.folder.path(), export: &export })?;
    Ok(ExitCode::SUCCESS)
}

/// Prints what was checked, where the file is, and what opens it.
fn print(export: &Export, output: &Output) {
    let digest: String = export.weights_sha256.chars().take(16).collect();
    output.line(&format!("read back: the weights are those of the run ({digest})"));
    match (&export.check, &export.unchecked) {
        (Some(check), _) => {
            let images = |noun: &str| format!("{} {noun}", check.split);
            let probabilities = match check.max_difference {
                0.0 => "the same probabilities".to_owned(),
                difference => format!("probabilities equal within {difference:.0e}"),
            };
            output.line(&format!(
                "compared on {}: the same classes, {probabilities}",
                counted(check.num_images, &images("image"), &images("images"))
            ));
        }
        (None, reason) => {
            let reason = reason.as_ref().map_or("", |error| error.message());
            output.note(&format!("no predictions were compared, only the weights: {reason}"));
        }
    }
    output.line(&format!(
        "{}: {}, {}",
        export.format.name(),
        export.path.display(),
        size_text(export.size_bytes)
    ));
    output.line(&format!("opened by {}", export.format.opened_by()));
}
