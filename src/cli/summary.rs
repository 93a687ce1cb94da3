//! `smallnet summary`

use std::process::ExitCode;

use clap::Args;

use crate::cli::experiment::TrainingArgs;
use crate::cli::output::Output;
use crate::cli::table::Table;
use crate::data::InputSpec;
use crate::error::Result;
use crate::experiment::summary::ModelSummary;
use crate::pipeline::Splits;

/// Arguments of `smallnet summary`.
#[derive(Debug, Args)]
pub(super) struct SummaryArgs {
    #[command(flatten)]
    experiment: TrainingArgs,
}

/// Runs the command.
pub(super) fn run(args: SummaryArgs, output: &Output) -> Result<ExitCode> {
    let experiment = args.experiment.read(None)?;
    let splits = Splits::load(&experiment)?;
    splits.check_trainable(&experiment)?;
    let plan = ModelSummary::new(&experiment, splits.layout, splits.train.len());
    print(&plan, output);
    output.record(&plan)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the layers as a table, and the rest below it.
fn print(plan: &ModelSummary, output: &Output) {
    let InputSpec { height, width, num_classes } = plan.layout;
    output.line(&format!(
        "{}: {}, for images of {height}×{width} pixels in {num_classes} classes",
        plan.experiment,
        plan.shape()
    ));
    output.line("");
    output.line(&Table::of_text(plan.table()).lines());
    output.line("");
    let (size, flops) = (plan.size(), plan.flops());
    let mut pairs =
        vec![("parameters", &*size), ("FLOPs", &flops), ("Flatten", &plan.flatten), ("loss", &plan.loss)];
    for (index, rule) in plan.update_rule.iter().enumerate() {
        pairs.push((if index == 0 { &plan.optimizer } else { "" }, rule));
    }
    pairs.extend([("lr", &*plan.learning_rate), ("steps", &plan.steps)]);
    for (index, line) in plan.augmentation.iter().enumerate() {
        pairs.push((if index == 0 { "augmentation" } else { "" }, line));
    }
    output.line(&Table::from_pairs(pairs).lines());
}
