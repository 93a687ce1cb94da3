//! `smallnet lr-find`

use std::path::Path;
use std::process::ExitCode;

use burn::train::Interrupter;
use clap::Args;
use serde::Serialize;

use crate::cli::chart::{Curve, chart};
use crate::cli::experiment::TrainingArgs;
use crate::cli::output::{Output, invocation};
use crate::cli::signals::Signals;
use crate::cli::train::print_header;
use crate::cli::{Global, progress};
use crate::error::{Error, Result};
use crate::pipeline::LrFinder;
use crate::report::train_command;
use crate::training::{DEFAULT_RATES, RangeTest, Suggestion, Sweep};
use crate::util::format::{counted, loss, significant, three_digits};

/// Arguments of `smallnet lr-find`.
#[derive(Debug, Args)]
pub(super) struct LrFindArgs {
    #[command(flatten)]
    experiment: TrainingArgs,
    /// The learning rate of the first step
    #[arg(long, value_name = "RATE", default_value_t = DEFAULT_RATES.0, allow_negative_numbers = true)]
    from: f64,
    /// The learning rate of the last step, unless the loss diverges before
    #[arg(long, value_name = "RATE", default_value_t = DEFAULT_RATES.1, allow_negative_numbers = true)]
    to: f64,
    /// Steps from the first learning rate to the last [default: the steps of an epoch, from 100 to
    /// 500]
    #[arg(long, value_name = "N")]
    steps: Option<usize>,
}

/// Record of `--json`.
#[derive(Serialize)]
struct Record<'a> {
    experiment: &'a str,
    suggestion: Option<Suggestion>,
    has_diverged: bool,
    num_steps: usize,
    points: Option<&'a Path>,
    page: Option<&'a Path>,
}

/// Runs the command.
pub(super) fn run(args: LrFindArgs, global: &Global, output: &Output) -> Result<ExitCode> {
    let sweep = Sweep::new(args.from, args.to, args.steps)?;
    let command = args.experiment.train_command(global.backend, global.engine);
    let experiment = args.experiment.read(None)?;
    let finder = LrFinder::prepare(experiment, sweep, global.compute()?)?;
    let interrupter = Interrupter::new();
    let signals = Signals::listen(interrupter.clone())?;
    print_header(&finder.experiment, &finder.info, &finder.handle, output);
    let Some(test) = run_with_progress(&finder, &interrupter, output)? else {
        output.line("interrupted; nothing was written");
        return Ok(signals.exit_code());
    };
    let suggestion = test.suggestion();
    print_curve(&test, output);
    if let Ok(suggestion) = &suggestion {
        print(suggestion, &command, output);
    }
    // The suggestion is printed even if the files cannot be written.
    let files = output.warn_on_error(finder.write(&test, &command, &global.artifacts).map(Some));
    if let Some((points, page)) = &files {
        output.line(&format!("points: {}", points.display()));
        output.line(&format!("page: {}", page.display()));
    }
    output.record(&Record {
        experiment: &finder.experiment.name,
        suggestion: suggestion.ok(),
        has_diverged: test.has_diverged,
        num_steps: test.points.len(),
        points: files.as_ref().map(|(points, _)| points.as_path()),
        page: files.as_ref().map(|(_, page)| page.as_path()),
    })?;
    match suggestion {
        Ok(_) => Ok(ExitCode::SUCCESS),
        Err(why) => Err(Error::new(format!("no learning rate can be suggested: {why}")).hint(why.hint())),
    }
}

/// Runs the range test with a progress bar over its steps. Returns none if it was interrupted.
fn run_with_progress(
    finder: &LrFinder,
    interrupter: &Interrupter,
    output: &Output,
) -> Result<Option<RangeTest>> {
    let bar = progress::Bar::new(output.is_quiet());
    bar.set_length(finder.num_steps as u64);
    let test = finder.run(interrupter, |point| {
        bar.set_prefix(format!("lr {}", significant(point.learning_rate)));
        bar.set_message(format!("loss {}", loss(point.smoothed_loss)));
        bar.advance(point.step as u64);
    });
    bar.finish_and_clear();
    test
}

/// Prints the smoothed loss over the learning rate. The loss of the last step is left out if it
/// diverged, since the rest of the curve would be flat beside it.
fn print_curve(test: &RangeTest, output: &Output) {
    let kept = test.points.len() - usize::from(test.has_diverged);
    let points: Vec<_> =
        test.points[..kept].iter().map(|point| (point.learning_rate.log10(), point.smoothed_loss)).collect();
    let label = |log: f64| format!("lr {}", significant(10f64.powf(log)));
    let curve = Curve { name: "smoothed loss", points: &points };
    output.line("");
    for line in chart(&[curve], label, output.has_colors()) {
        output.line(&line);
    }
    output.line("");
    let ending = if test.has_diverged { ", the last of which diverged" } else { "" };
    output.line(&format!("{}{ending}", counted(test.points.len(), "step", "steps")));
}

/// Prints the suggestion and the command that trains with it.
fn print(suggestion: &Suggestion, command: &[String], output: &Output) {
    let Suggestion { learning_rate, steepest, lowest, lowest_tenth, largest } = suggestion;
    let line = |name: &str, lr: f64| output.line(&format!(" {name:<22} {}", three_digits(lr)));
    line("steepest fall", *steepest);
    line("lowest loss", *lowest);
    line("a tenth of the lowest", *lowest_tenth);
    if let Some(largest) = largest {
        line("last before diverging", *largest);
    }
    output.line(&format!(
        "suggested learning rate: {}, half-way between the steepest fall and the lowest loss",
        significant(*learning_rate)
    ));
    output.line(&format!("train with it: {} {}", invocation(), train_command(command, *learning_rate)));
}
