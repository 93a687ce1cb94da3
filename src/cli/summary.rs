//! `smallnet summary`

use std::process::ExitCode;

use clap::Args;
use comfy_table::CellAlignment;

use super::experiment::ExperimentArgs;
use super::output::Output;
use super::terminal;
use crate::data::Layout;
use crate::error::Result;
use crate::plan::{LAYER_COLUMNS, Plan};
use crate::workflow::Splits;

/// Arguments of `smallnet summary`.
#[derive(Debug, Args)]
pub(super) struct SummaryArgs {
    #[command(flatten)]
    experiment: ExperimentArgs,
}

pub(super) fn run(args: SummaryArgs, output: &Output) -> Result<ExitCode> {
    let experiment = args.experiment.read(None)?;
    let splits = Splits::load(&experiment)?;
    splits.check_trainable(&experiment)?;
    let plan = Plan::new(&experiment, splits.layout, splits.train.len());
    print(&plan, output);
    output.record(&plan)?;
    Ok(ExitCode::SUCCESS)
}

fn print(plan: &Plan, output: &Output) {
    let Layout { height, width, num_classes } = plan.layout;
    output.line(&format!(
        "{}: {}, for images of {height}×{width} pixels in {num_classes} classes",
        plan.experiment,
        plan.shape()
    ));
    output.line("");
    let mut table = terminal::table(LAYER_COLUMNS, 2);
    table.add_rows(plan.rows());
    if let Some(note) = table.column_mut(4) {
        note.set_cell_alignment(CellAlignment::Left);
    }
    output.line(&terminal::lines(&table));
    output.line("");
    let line = |name: &str, text: &str| output.line(&format!(" {name:<11} {text}"));
    line("weights", &plan.size());
    line("operations", &plan.operations());
    line("Flatten", &plan.flatten);
    line("loss", &plan.loss);
    for (index, rule) in plan.update_rule.iter().enumerate() {
        line(if index == 0 { &plan.optimizer } else { "" }, rule);
    }
    line("rate", &plan.learning_rate);
    line("steps", &plan.steps);
}
