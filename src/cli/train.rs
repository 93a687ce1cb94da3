//! `smallnet train`

use std::io::{IsTerminal, stdout};
use std::path::Path;
use std::process::ExitCode;

use burn::train::Interrupter;
use burn::train::renderer::{MetricsRenderer, default_renderer};
use clap::Args;
use serde::Serialize;

use super::experiment::ExperimentArgs;
use super::output::{Output, program};
use super::signals::Signals;
use super::{Global, progress};
use crate::backend::Opened;
use crate::config::Experiment;
use crate::error::{Error, Result};
use crate::evaluation::Evaluation;
use crate::number::{grouped, loss, seconds, significant};
use crate::plan::Plan;
use crate::run::{RunInfo, Status, Summary};
use crate::training::{End, EpochRecord};
use crate::workflow::{self, Outcome, Prepared};

/// Arguments of `smallnet train`.
#[derive(Debug, Default, Args)]
pub(super) struct TrainArgs {
    #[command(flatten)]
    experiment: ExperimentArgs,
    /// The name of the run's folder in the artifacts folder; short for `--set name=NAME`
    #[arg(long)]
    name: Option<String>,
    /// Show Burn's terminal dashboard instead of a bar; in it, q and then s stop
    #[arg(long)]
    dashboard: bool,
}

/// What `--json` prints: the summary and where everything is.
#[derive(Serialize)]
struct Record<'a> {
    run: &'a Path,
    status: Status,
    report: Option<&'a Path>,
    #[serde(flatten)]
    summary: Option<&'a Summary>,
}

pub(super) fn run(args: TrainArgs, global: &Global, output: &Output) -> Result<ExitCode> {
    let dashboard = args.dashboard;
    check_dashboard(dashboard)?;
    let experiment = args.experiment.read(args.name)?;
    let prepared = workflow::prepare(experiment, global.backend.unwrap_or_default(), &global.artifacts)?;
    follow(prepared, dashboard, output)
}

/// Refuses the dashboard where there is no terminal to draw it on.
pub(super) fn check_dashboard(dashboard: bool) -> Result<()> {
    if dashboard && !stdout().is_terminal() {
        return Err(Error::usage("--dashboard needs a terminal, and standard output is not one")
            .hint("leave --dashboard out: epochs are then printed a line each"));
    }
    Ok(())
}

/// Trains, showing progress, and prints what came of it.
pub(super) fn follow(prepared: Prepared, dashboard: bool, output: &Output) -> Result<ExitCode> {
    announce(&prepared.experiment, &prepared.info, &prepared.opened, output);
    let interrupter = Interrupter::new();
    let signals = Signals::listen(interrupter.clone())?;
    let bar = progress::bar(output.is_quiet() || dashboard);
    let renderer: Box<dyn MetricsRenderer> = match dashboard {
        true => default_renderer(interrupter.clone(), None),
        false => Box::new(progress::BarRenderer::new(bar.clone())),
    };
    let folder = prepared.folder.clone();
    let num_epochs = prepared.experiment.training.num_epochs;
    let lines = *output;
    let outcome = prepared.train(renderer, interrupter, move |record| {
        if !dashboard {
            // The bar makes room for the line.
            bar.suspend(|| lines.line(&epoch_line(record, num_epochs)));
        }
    });
    let path = folder.path();
    let outcome =
        outcome.inspect_err(|_| output.line(&format!("what there is was saved in {}", path.display())))?;
    let report = outcome.report.as_deref();
    if let Err(error) = report {
        output.warning(&format!("the report could not be written: {error}"));
    }
    let report = report.ok();
    let Some((summary, evaluation)) = &outcome.result else {
        print_interruption(&outcome, path, output);
        output.record(&Record { run: path, status: Status::Interrupted, report, summary: None })?;
        return Ok(signals.exit_code());
    };
    print_result(&outcome, summary, evaluation, path, output);
    output.record(&Record { run: path, status: Status::Finished, report, summary: Some(summary) })?;
    Ok(ExitCode::SUCCESS)
}

/// What is about to be trained, on what.
pub(super) fn announce(experiment: &Experiment, info: &RunInfo, opened: &Opened, output: &Output) {
    let plan = Plan::new(experiment, info.data.layout, info.data.num_train);
    let (shape, weights) = (plan.shape(), grouped(plan.num_parameters));
    output.line(&format!("{}: {shape}, {weights} weights, on {}", experiment.name, opened.adapter));
    output.line(&format!("data: {}", info.data.describe()));
    if opened.warms_up {
        output.line("the first steps compile the GPU's kernels and take longer than all others");
    }
}

fn epoch_line(record: &EpochRecord, num_epochs: usize) -> String {
    let digits = num_epochs.to_string().len();
    let mut line = format!(
        "epoch {:>digits$}/{num_epochs}  loss {}  accuracy {:.4}",
        record.epoch,
        loss(record.train_loss),
        record.train_accuracy
    );
    if let (Some(validation), Some(accuracy)) = (record.validation_loss, record.validation_accuracy) {
        line += &format!("  val loss {}  accuracy {accuracy:.4}", loss(validation));
    }
    line += &format!("  rate {}  {}", significant(record.learning_rate), seconds(record.seconds));
    match record.images_per_second {
        Some(speed) => line + &format!("  {} images/s", grouped(speed as usize)),
        None => line,
    }
}

fn print_result(outcome: &Outcome, summary: &Summary, evaluation: &Evaluation, path: &Path, output: &Output) {
    if outcome.end == End::Early {
        output.line(&format!("stopped early after epoch {}", summary.num_epochs));
    }
    if let Some(epoch) = summary.model_epoch.filter(|&epoch| epoch != summary.num_epochs) {
        output.line(&format!(
            "the validation loss was lowest after epoch {epoch}: its weights are the model's"
        ));
    }
    output.line(&format!(
        "test accuracy {:.4} ({} of {} images), loss {}",
        evaluation.accuracy,
        grouped(evaluation.confusion.num_correct() as usize),
        grouped(evaluation.num_images),
        loss(evaluation.loss)
    ));
    if let Some(epoch) = summary.seconds_per_epoch {
        output.line(&format!("{} an epoch; weights {}", seconds(epoch), &summary.weights_sha256[..16]));
    }
    print_places(outcome, path, output);
}

fn print_places(outcome: &Outcome, path: &Path, output: &Output) {
    let report = outcome.report.as_deref().map(|report| format!("; report: {}", report.display()));
    output.line(&format!("saved in {}{}", path.display(), report.unwrap_or_default()));
}

fn print_interruption(outcome: &Outcome, path: &Path, output: &Output) {
    if let End::Interrupted { epoch, step } = outcome.end {
        output
            .line(&format!("interrupted in epoch {epoch}, after step {step}; the weights reached are saved"));
    }
    output.line(&format!("look at it: {} evaluate {}", program(), path.display()));
    output.line(&format!("go on: {} resume {}", program(), path.display()));
    print_places(outcome, path, output);
}
