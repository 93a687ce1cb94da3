//! `smallnet evaluate` with several runs: their ensemble.

use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

use crate::cli::Global;
use crate::cli::evaluate::{EvaluateArgs, print};
use crate::cli::output::Output;
use crate::cli::table::Table;
use crate::cli::train::balanced_line;
use crate::data::Source;
use crate::error::Result;
use crate::evaluation::{EnsembleEvaluation, Evaluation, PairedTest};
use crate::pipeline::{Ensemble, EvalSet, SplitName};
use crate::report::{ensemble_note, ensemble_table, interval};
use crate::run::diagnosis::Finding;
use crate::util::format::{counted, loss};

/// Record of `--json`.
#[derive(Serialize)]
struct Record<'a> {
    split: SplitName,
    /// Data set in place of the runs' own.
    data: Option<String>,
    class_names: &'a [String],
    /// Evaluation of the ensemble.
    #[serde(flatten)]
    evaluation: &'a Evaluation,
    /// Mean recall of the classes that have images.
    balanced_accuracy: Option<f64>,
    /// Wilson's 95 % interval of the accuracy.
    interval: (f64, f64),
    /// Mean of the accuracies of the networks.
    mean_accuracy: f64,
    /// Networks, in the order of the arguments.
    members: Vec<MemberRecord<'a>>,
}

/// Record of one network.
#[derive(Serialize)]
struct MemberRecord<'a> {
    run: &'a Path,
    /// File with the weights.
    weights: &'a Path,
    accuracy: f64,
    loss: f64,
    /// Wilson's 95 % interval of the accuracy.
    interval: (f64, f64),
    /// Comparison with the ensemble.
    against_ensemble: &'a PairedTest,
    /// Signs that the network has learned nothing, as of `evaluate` with one run.
    warnings: &'a [Finding],
}

/// Evaluates the networks of all runs in `args` and their ensemble. It writes no file.
pub(super) fn run(args: &EvaluateArgs, global: &Global, output: &Output) -> Result<ExitCode> {
    let ensemble = Ensemble::load(&args.models, &global.artifacts, global.backend, global.engine)?;
    let ensemble = if args.skip_broken { ensemble.skip_broken() } else { ensemble };
    for member in ensemble.members() {
        global.check_device(member.backend())?;
        member.notes.iter().for_each(|note| output.note(note));
    }
    let source = args.data.as_deref().map(Source::parse);
    let eval_set = ensemble.eval_set(args.split, source.as_ref())?;
    eval_set.notes.iter().for_each(|note| output.note(note));
    let result = ensemble.evaluate(&eval_set)?;
    print_result(&ensemble, &result, &eval_set, output);
    let members = || ensemble.members().iter().zip(&result.members);
    let warnings: Vec<_> =
        members().map(|(member, evaluation)| member.diagnose(evaluation, &eval_set)).collect();
    for (member, findings) in ensemble.members().iter().zip(&warnings) {
        for finding in findings {
            output.warning(&format!("`{}`: {finding}", member.folder.path().display()));
        }
    }
    output.record(&Record {
        split: args.split,
        data: eval_set.other_source.as_ref().map(Source::to_string),
        class_names: ensemble.classes().names(),
        evaluation: &result.evaluation,
        balanced_accuracy: result.evaluation.balanced_accuracy(),
        interval: interval(&result.evaluation),
        mean_accuracy: result.mean_accuracy(),
        members: members()
            .zip(&result.tests)
            .zip(&warnings)
            .map(|(((member, evaluation), test), warnings)| MemberRecord {
                run: member.folder.path(),
                weights: &member.weights_path,
                accuracy: evaluation.accuracy,
                loss: evaluation.loss,
                interval: interval(evaluation),
                against_ensemble: test,
                warnings,
            })
            .collect(),
    })?;
    Ok(ExitCode::SUCCESS)
}

fn print_result(ensemble: &Ensemble, result: &EnsembleEvaluation, eval_set: &EvalSet, output: &Output) {
    let EnsembleEvaluation { evaluation, members, .. } = result;
    output.line(&format!(
        "{} accuracy {:.4}, loss {} on {}, with the mean probabilities of {}",
        eval_set.describe(),
        evaluation.accuracy,
        loss(evaluation.loss),
        counted(evaluation.num_images, "image", "images"),
        counted(members.len(), "network", "networks")
    ));
    if let Some(line) = balanced_line(evaluation) {
        output.line(&line);
    }
    output.line("");
    output.line(&Table::of_text(ensemble_table(&ensemble.names(), result)).lines());
    output.line("");
    output.line(&ensemble_note(result));
    print(evaluation, ensemble.classes().names(), output);
}
