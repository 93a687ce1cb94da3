//! `smallnet train`

use std::path::Path;
use std::process::ExitCode;

use burn::train::Interrupter;
use burn::train::renderer::MetricsRenderer;
use clap::Args;
use serde::Serialize;

use crate::backend::BackendHandle;
use crate::cli::experiment::{ExperimentText, TrackArgs, TrainingArgs};
use crate::cli::output::{Output, invocation};
use crate::cli::signals::Signals;
use crate::cli::{Global, dashboard, progress, terminal};
use crate::error::Result;
use crate::evaluation::Evaluation;
use crate::experiment::Experiment;
use crate::experiment::summary::ModelSummary;
use crate::optim::ScheduleConfig;
use crate::pipeline;
use crate::pipeline::{LoadedModel, PreparedRun, RunOutcome};
use crate::run::diagnosis::Finding;
use crate::run::{RunInfo, RunSummary, Status};
use crate::training::{EpochRecord, Observers, StopReason, on_epoch_end};
use crate::util::format::{counted, grouped, loss, seconds, significant};

/// Arguments of `smallnet train`.
#[derive(Debug, Default, Args)]
pub(super) struct TrainArgs {
    #[command(flatten)]
    experiment: TrainingArgs,
    /// Start from the weights of a run instead of random ones: its folder, its id, `latest`, or a
    /// checkpoint in it. Without EXPERIMENT, the run's own experiment is trained. The optimizer
    /// starts anew; `resume` continues a run with its optimizer
    #[arg(long, value_name = "RUN or CHECKPOINT")]
    from: Option<String>,
    /// With `--from`: the classes are those of the run, even if the images have only some of them.
    /// Otherwise, another number of classes gets a new last layer
    #[arg(long, requires = "from")]
    keep_classes: bool,
    /// The name of the run's folder in the artifacts folder; short for `--set name=NAME`
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    track: TrackArgs,
    /// Leave the test images alone: choices are made by the validation images (`--set
    /// data.validation=10000`), and `evaluate` tests the run that was chosen
    #[arg(long)]
    no_test: bool,
    /// Show Burn's terminal dashboard instead of a bar; Ctrl-C stops, and so do q and then s
    #[arg(long)]
    dashboard: bool,
}

/// Record of `--json`: the summary and the paths of the results.
#[derive(Serialize)]
struct Record<'a> {
    run: &'a Path,
    status: Status,
    report: Option<&'a Path>,
    #[serde(flatten)]
    summary: Option<&'a RunSummary>,
    /// Signs that the network has learned nothing.
    warnings: &'a [Finding],
}

/// Runs the command.
pub(super) fn run(args: TrainArgs, global: &Global, output: &Output) -> Result<ExitCode> {
    if args.dashboard {
        dashboard::check()?;
    }
    let compute = global.compute()?;
    let prepared = match &args.from {
        None => {
            let experiment = args.experiment.tracked(&args.track).read(args.name)?;
            pipeline::prepare(experiment, compute, &global.artifacts)?
        }
        Some(from) => {
            let source = LoadedModel::load(from, &global.artifacts, Some(compute.backend()))?;
            let own = ExperimentText {
                text: source.experiment.to_toml()?,
                origin: source.folder.config_path().display().to_string(),
            };
            let experiment = args.experiment.tracked(&args.track).read_or(own, args.name)?;
            let prepare = match args.keep_classes {
                true => pipeline::prepare_from_keeping_classes,
                false => pipeline::prepare_from,
            };
            prepare(experiment, &source, compute, &global.artifacts)?
        }
    };
    let prepared = if args.no_test { prepared.without_test()? } else { prepared };
    run_with_progress(prepared, args.dashboard, output)
}

/// Largest number of lines about the data set at the start of a training.
const MAX_DATA_LINES: usize = 3;

/// Trains a prepared run, shows the progress and prints the result. Returns the exit code.
pub(super) fn run_with_progress(
    prepared: PreparedRun,
    with_dashboard: bool,
    output: &Output,
) -> Result<ExitCode> {
    print_header(&prepared.experiment, &prepared.info, &prepared.handle, output);
    if let Some(source) = &prepared.info.source_run {
        output.line(&format!("from: {}", source.describe()));
    }
    prepared.notes().iter().for_each(|note| output.note(note));
    let findings = prepared.data_check().map_or_else(Vec::new, |check| check.lines(MAX_DATA_LINES));
    findings.iter().for_each(|finding| output.warning(finding));
    let interrupter = Interrupter::new();
    let signals = Signals::listen(interrupter.clone())?;
    let bar = progress::Bar::new(output.is_quiet() || with_dashboard);
    let renderer: Box<dyn MetricsRenderer> = match with_dashboard {
        true => dashboard::open(interrupter.clone()),
        false => Box::new(progress::BarRenderer::new(bar.clone())),
    };
    let folder = prepared.folder.clone();
    let experiment = prepared.experiment.clone();
    let line_output = *output;
    let print_epoch = on_epoch_end(move |record| {
        if !with_dashboard {
            // The bar is hidden while the line is printed.
            let width = usize::from(terminal::width());
            bar.suspend(|| line_output.line(&epoch_line(record, &experiment, width)));
        }
        Ok(())
    });
    let outcome = prepared.train(Observers { renderer, callbacks: vec![print_epoch], interrupter });
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
        output.record(&Record {
            run: path,
            status: Status::Interrupted,
            report,
            summary: None,
            warnings: &[],
        })?;
        return Ok(signals.exit_code());
    };
    print_result(&outcome, summary, evaluation.as_ref(), path, output);
    let warnings = &outcome.findings[..];
    warnings.iter().for_each(|finding| output.warning(&finding.to_string()));
    let summary = Some(summary);
    output.record(&Record { run: path, status: Status::Finished, report, summary, warnings })?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the network and the data that a training is about to use.
pub(super) fn print_header(experiment: &Experiment, info: &RunInfo, opened: &BackendHandle, output: &Output) {
    let plan = ModelSummary::new(experiment, info.data.layout, info.data.num_train);
    let (shape, parameters) = (plan.shape(), grouped(plan.num_parameters));
    let (name, adapter, engine) = (&experiment.name, &opened.adapter, opened.engine);
    output.line(&format!("{name}: {shape}, {parameters} parameters, on {adapter}, engine {engine}"));
    output.line(&format!("data: {}", info.data.describe()));
    if opened.compiles_kernels {
        output.line("the first steps compile the GPU's kernels and take longer than all others");
    }
}

/// Formats an epoch as a line of at most `width` characters. Values that do not fit are left out at
/// the end; `metrics.jsonl` has all of them.
fn epoch_line(record: &EpochRecord, experiment: &Experiment, width: usize) -> String {
    let num_epochs = experiment.training.num_epochs;
    let digits = num_epochs.to_string().len();
    let mut parts = vec![
        format!("epoch {:>digits$}/{num_epochs}", record.epoch),
        format!("loss {}", loss(record.train_loss)),
        format!("accuracy {:.4}", record.train_accuracy),
    ];
    if let (Some(validation), Some(accuracy)) = (record.validation_loss, record.validation_accuracy) {
        parts.extend([format!("val loss {}", loss(validation)), format!("accuracy {accuracy:.4}")]);
    }
    parts.extend([format!("lr {}", format_lr(record.learning_rate, experiment)), seconds(record.seconds)]);
    parts.extend(record.images_per_second.map(|speed| format!("{} images/s", grouped(speed as usize))));
    while parts.len() > 1 && parts.join("  ").len() > width {
        parts.pop();
    }
    parts.join("  ")
}

/// Formats a learning rate. One that changes from epoch to epoch always has the same number of
/// decimals.
fn format_lr(lr: f64, experiment: &Experiment) -> String {
    let schedule = &experiment.schedule;
    if matches!(schedule, ScheduleConfig::Constant(_)) && schedule.warmup_epochs() == 0.0 {
        return significant(lr);
    }
    let decimals = 3.0 - experiment.optimizer.learning_rate().log10().floor();
    format!("{lr:.0$}", decimals.clamp(0.0, 12.0) as usize)
}

/// Prints the result of a finished training.
fn print_result(
    outcome: &RunOutcome,
    summary: &RunSummary,
    evaluation: Option<&Evaluation>,
    path: &Path,
    output: &Output,
) {
    if outcome.stop_reason == StopReason::Early {
        output.line(&format!("stopped early after epoch {}", summary.num_epochs));
    }
    if let Some(epoch) = summary.model_epoch.filter(|&epoch| epoch != summary.num_epochs) {
        output.line(&format!(
            "the validation loss was lowest after epoch {epoch}: its weights are the model's"
        ));
    }
    if let Some((accuracy, value)) = summary.validation_accuracy.zip(summary.validation_loss) {
        output.line(&format!("validation accuracy {accuracy:.4}, loss {}", loss(value)));
    }
    output.line(&match summary.skipped_test {
        true => format!("not tested (--no-test); test it: {} evaluate {}", invocation(), path.display()),
        false => test_line(evaluation),
    });
    if let Some(line) = evaluation.and_then(balanced_line) {
        output.line(&line);
    }
    if let Some(epoch) = summary.seconds_per_epoch {
        output.line(&format!("{} per epoch; weights {}", seconds(epoch), &summary.weights_sha256[..16]));
    }
    print_paths(outcome, path, output);
}

/// Formats the result on the test images.
pub(super) fn test_line(evaluation: Option<&Evaluation>) -> String {
    match evaluation {
        Some(evaluation) => format!(
            "test accuracy {:.4} ({} of {}), loss {}",
            evaluation.accuracy,
            grouped(evaluation.confusion.num_correct() as usize),
            counted(evaluation.num_images, "image", "images"),
            loss(evaluation.loss)
        ),
        None => "not tested: there are no test images with labels".to_owned(),
    }
}

/// Formats the balanced accuracy, where some classes have much fewer images than others.
pub(super) fn balanced_line(evaluation: &Evaluation) -> Option<String> {
    let balanced = evaluation.balanced_accuracy().filter(|_| evaluation.is_unbalanced())?;
    Some(format!("balanced accuracy {balanced:.4}: the mean recall of the classes, which are unbalanced"))
}

/// Prints where the run and its report are.
fn print_paths(outcome: &RunOutcome, path: &Path, output: &Output) {
    let report = outcome.report.as_deref().map(|report| format!("; report: {}", report.display()));
    output.line(&format!("saved in {}{}", path.display(), report.unwrap_or_default()));
}

/// Prints where an interrupted training stopped, and the commands that evaluate and resume it.
fn print_interruption(outcome: &RunOutcome, path: &Path, output: &Output) {
    if let StopReason::Interrupted { epoch, step } = outcome.stop_reason {
        output
            .line(&format!("interrupted in epoch {epoch}, after step {step}; the weights reached are saved"));
    }
    output.line(&format!("look at it: {} evaluate {}", invocation(), path.display()));
    output.line(&format!("resume: {} resume {}", invocation(), path.display()));
    print_paths(outcome, path, output);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn record(learning_rate: f64) -> EpochRecord {
        EpochRecord {
            epoch: 2,
            train_loss: 0.5,
            train_accuracy: 0.875,
            validation_loss: Some(0.25),
            validation_accuracy: Some(0.9375),
            learning_rate,
            seconds: 0.25,
            images_per_second: Some(123_456.0),
        }
    }

    fn experiment(settings: &[&str]) -> Experiment {
        let settings: Vec<_> = settings.iter().map(|setting| setting.parse().unwrap()).collect();
        Experiment::from_toml("", "test.toml", &settings).unwrap()
    }

    #[test]
    fn values_that_do_not_fit_an_epochs_line_are_left_out() {
        let line = |width| epoch_line(&record(0.5), &experiment(&[]), width);
        let whole = "epoch  2/10  loss 0.5000  accuracy 0.8750  val loss 0.2500  accuracy 0.9375  lr 0.5  0.250 s  \
                     123,456 images/s";
        assert_eq!(line(usize::MAX), whole);
        assert_eq!(line(whole.len()), whole);
        assert_eq!(line(whole.len() - 1), whole.split("  123").next().unwrap());
        assert_eq!(line(80), whole.split("  lr").next().unwrap());
        assert_eq!(line(1), "epoch  2/10");
    }

    #[test]
    fn changing_learning_rates_have_the_same_decimals() {
        let cosine = experiment(&["schedule.kind=cosine", "optimizer.learning_rate=0.1"]);
        assert_eq!([0.1, 0.0976, 0.0].map(|value| format_lr(value, &cosine)), ["0.1000", "0.0976", "0.0000"]);
        let adam = experiment(&["schedule.kind=cosine", "optimizer.kind=adam"]);
        assert_eq!(format_lr(0.000_976, &adam), "0.000976");
        let large = experiment(&["schedule.kind=step", "optimizer.learning_rate=1000"]);
        assert_eq!(format_lr(250.0, &large), "250");
        assert_eq!(format_lr(0.05, &experiment(&[])), "0.05");
    }
}
