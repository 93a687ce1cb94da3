//! `smallnet evaluate`

mod ensemble;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use crate::cli::Global;
use crate::cli::output::Output;
use crate::cli::table::Table;
use crate::cli::train::balanced_line;
use crate::data::Source;
use crate::error::Result;
use crate::evaluation::{Evaluation, Misclassification, score_table};
use crate::pipeline::{LoadedModel, SplitName};
use crate::run::diagnosis::Finding;
use crate::util::format::{counted, grouped, loss, percent};

/// Arguments of `smallnet evaluate`.
#[derive(Debug, Args)]
pub(super) struct EvaluateArgs {
    /// A run's folder, its id, `latest`, or a checkpoint file in a run's folder; several make an
    /// ensemble, whose probabilities are the means of theirs
    #[arg(value_name = "RUN or CHECKPOINT", required = true, num_args = 1..)]
    models: Vec<String>,
    /// The images to evaluate on
    #[arg(long, value_enum, default_value_t, value_name = "SPLIT")]
    split: SplitName,
    /// Evaluate on this data set instead of the run's own: a name, a folder or a file
    #[arg(long, value_name = "DATA")]
    data: Option<String>,
    /// Leave out pictures of the data set that cannot be read
    #[arg(long, requires = "data")]
    skip_broken: bool,
}

/// Record of `--json`.
#[derive(Serialize)]
struct Record<'a> {
    run: &'a Path,
    split: SplitName,
    /// Data set in place of the run's own.
    data: Option<String>,
    class_names: &'a [String],
    #[serde(flatten)]
    evaluation: &'a Evaluation,
    /// Mean recall of the classes that have images.
    balanced_accuracy: Option<f64>,
    pictures: &'a [PathBuf],
    /// Signs that the network has learned nothing.
    warnings: &'a [Finding],
}

/// Maximum number of misclassifications listed on the terminal. The picture has more.
const MAX_LISTED: usize = 5;

/// Runs the command.
pub(super) fn run(args: EvaluateArgs, global: &Global, output: &Output) -> Result<ExitCode> {
    let [model] = &args.models[..] else { return ensemble::run(&args, global, output) };
    let mut saved =
        LoadedModel::load(model, &global.artifacts, global.backend)?.with_engine(global.engine)?;
    global.check_device(saved.backend())?;
    saved.notes.iter().for_each(|note| output.note(note));
    saved.experiment.data.skip_broken |= args.skip_broken;
    let subject = saved.eval_set(args.split, args.data.as_deref().map(Source::parse))?;
    subject.notes.iter().for_each(|note| output.note(note));
    let evaluation = saved.evaluate(&subject)?;
    output.line(&format!(
        "{} accuracy {:.4}, loss {} on {}, with {} on {}",
        subject.describe(),
        evaluation.accuracy,
        loss(evaluation.loss),
        counted(evaluation.num_images, "image", "images"),
        saved.weights_path.display(),
        saved.handle.adapter
    ));
    if let Some(line) = balanced_line(&evaluation) {
        output.line(&line);
    }
    print(&evaluation, saved.info.data.classes().names(), output);
    let warnings = saved.diagnose(&evaluation, &subject);
    warnings.iter().for_each(|finding| output.warning(&finding.to_string()));
    // The result is printed even if a file cannot be written.
    let pictures =
        saved.store_test(&evaluation, &subject).and_then(|()| saved.draw_evaluation(&evaluation, &subject));
    let pictures = output.warn_on_error(pictures);
    for picture in &pictures {
        output.line(&format!("picture: {}", picture.display()));
    }
    output.record(&Record {
        run: saved.folder.path(),
        split: args.split,
        data: subject.other_source.as_ref().map(Source::to_string),
        class_names: saved.info.data.classes().names(),
        evaluation: &evaluation,
        balanced_accuracy: evaluation.balanced_accuracy(),
        pictures: &pictures,
        warnings: &warnings,
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the evaluation as tables.
fn print(evaluation: &Evaluation, classes: &[String], output: &Output) {
    output.line("");
    if evaluation.confusion.is_readable() {
        output.line("confusion matrix: a row for each true class, a column for each predicted one");
        output.line("");
        output.line(&matrix(evaluation, classes).lines());
        output.line("");
    }
    output.line(&Table::of_text(score_table(&evaluation.classes, classes)).lines());
    output.line("");
    output.line(&format!(
        "expected calibration error {:.4} (mean gap between confidence and accuracy)",
        evaluation.calibration.error
    ));
    if !evaluation.top_losses.is_empty() {
        output.line("");
        output.line("worst mistakes, those of the highest loss:");
        output.line("");
        output.line(&misclassifications(&evaluation.top_losses, classes).lines());
    }
    output.line("");
}

/// Returns the confusion matrix as a table.
fn matrix(evaluation: &Evaluation, classes: &[String]) -> Table {
    let mut table = Table::new([String::new()].into_iter().chain(classes.iter().cloned()), 0);
    for (class, row) in classes.iter().zip(&evaluation.confusion.counts) {
        // A dot for zero makes the misclassifications stand out.
        let cells =
            row.iter().map(|&count| if count == 0 { "·".to_owned() } else { grouped(count as usize) });
        table.add_row([class.clone()].into_iter().chain(cells));
    }
    table
}

/// Returns the table of the misclassifications with the highest loss.
fn misclassifications(worst: &[Misclassification], classes: &[String]) -> Table {
    let mut table = Table::new(["image", "true", "predicted", "confidence", "loss"], 0);
    for mistake in worst.iter().take(MAX_LISTED) {
        table.add_row([
            mistake.index.to_string(),
            classes[mistake.label].clone(),
            classes[mistake.predicted].clone(),
            percent(mistake.confidence),
            loss(mistake.loss),
        ]);
    }
    table
}
