//! `smallnet evaluate`

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::Global;
use super::number::grouped;
use super::output::Output;
use crate::data::Source;
use crate::error::Result;
use crate::evaluation::Evaluation;
use crate::workflow::{SavedModel, SplitName};

/// Arguments of `smallnet evaluate`.
#[derive(Debug, Args)]
pub(super) struct EvaluateArgs {
    /// A run's folder, its id, `latest`, or a checkpoint file in a run's folder
    #[arg(value_name = "RUN or CHECKPOINT")]
    model: String,
    /// The images to evaluate on
    #[arg(long, value_enum, default_value_t, value_name = "SPLIT")]
    split: SplitName,
    /// Evaluate on the IDX files in this folder instead of the run's own data
    #[arg(long, value_name = "DIR")]
    data: Option<String>,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Record<'a> {
    run: &'a Path,
    split: SplitName,
    #[serde(flatten)]
    evaluation: &'a Evaluation,
}

pub(super) fn run(args: EvaluateArgs, global: &Global, output: &Output) -> Result<ExitCode> {
    let saved = SavedModel::find(&args.model, &global.artifacts)?;
    let opened = global.backend.unwrap_or(saved.info.backend).open()?;
    let model = saved.load(&opened)?;
    let data = args.data.as_deref().map(Source::parse);
    let evaluation = saved.evaluate(&model, args.split, data, &opened)?;
    output.line(&format!(
        "{} accuracy {:.4}, loss {:.4} on {} images, with {} on {}",
        args.split,
        evaluation.accuracy,
        evaluation.loss,
        grouped(evaluation.num_images),
        saved.weights.display(),
        opened.adapter
    ));
    output.record(&Record { run: saved.folder.path(), split: args.split, evaluation: &evaluation })?;
    Ok(ExitCode::SUCCESS)
}
