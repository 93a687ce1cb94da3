//! `smallnet import`

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::cli::Global;
use crate::cli::output::{Output, invocation};
use crate::cli::train::{balanced_line, test_line};
use crate::data::{Source, ValueRange};
use crate::error::{Error, Result};
use crate::exchange::Layout;
use crate::experiment::summary::ModelSummary;
use crate::model::Activation;
use crate::pipeline;
use crate::pipeline::{ImportRequest, ImportedRun};
use crate::run::diagnosis::Finding;
use crate::run::{ImportedNetwork, PixelScaling, RunSummary};
use crate::util::format::{grouped, listed};

/// Arguments of `smallnet import`.
#[derive(Debug, Args)]
#[command(after_long_help = DETAILS)]
pub(super) struct ImportArgs {
    /// The file of the network: its format is found from its content
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The name of the run's folder in the artifacts folder [default: the name of the file]
    #[arg(long)]
    name: Option<String>,
    /// The data set that the network was trained on: a name, a folder or a file [default: the one
    /// that the file names, else mnist]
    #[arg(long, value_name = "DATA")]
    data: Option<String>,
    /// Leave out pictures of the data set that cannot be read
    #[arg(long, requires = "data")]
    skip_broken: bool,
    /// The activation after each hidden layer, such as `relu`, where the file does not state it; a
    /// value of `model.activation` in an experiment
    #[arg(long, value_name = "NAME")]
    activation: Option<String>,
    /// The layout of the weights, where the file does not show it
    #[arg(long, value_enum, value_name = "LAYOUT")]
    layout: Option<Layout>,
    /// The values that the network takes for black and white pixels, such as `0,255`, if they are
    /// not 0 and 1
    #[arg(long, value_name = "BLACK,WHITE", allow_hyphen_values = true)]
    value_range: Option<Pair>,
    /// Mean that the other program subtracts from the pixels
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    mean: Option<f64>,
    /// Standard deviation that the other program divides the pixels by, after the mean is subtracted
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    std: Option<f64>,
}

const DETAILS: &str = "\
A network of fully connected layers becomes a run, which `evaluate`, `predict`, `weights`, `report`,
`compare` and `train --from` take. Nothing in the file is executed.

smallnet's networks take pixels from 0 to 1, black to white. If the other program prepared them
otherwise outside its network, say so. The first layer is changed so that it takes pixels from 0 to 1:
  --mean 0.1307 --std 0.3081   as Normalize((0.1307,), (0.3081,)) of torchvision after ToTensor()
  --value-range 0,255          as bytes that were not divided by 255
  --value-range=-1,1           as Normalize((0.5,), (0.5,)) of torchvision
With several of them, a pixel gets the values of --value-range first.

Examples:
  smallnet import mnist.pt --activation relu
  smallnet import mnist.pt --activation relu --mean 0.1307 --std 0.3081
  smallnet import fashion.safetensors --data fashion-mnist --name theirs";

/// Two numbers with a comma between them.
#[derive(Debug, Clone, Copy)]
struct Pair(f64, f64);

impl FromStr for Pair {
    type Err = &'static str;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        let numbers = text.split_once(',');
        let numbers =
            numbers.and_then(|(one, other)| Some((one.trim().parse().ok()?, other.trim().parse().ok()?)));
        numbers.map(|(one, other)| Self(one, other)).ok_or("expected two numbers, such as `0,255`")
    }
}

/// Record of `--json`.
#[derive(Serialize)]
struct Record<'a> {
    run: &'a Path,
    imported: Option<&'a ImportedNetwork>,
    report: Option<&'a Path>,
    /// Number of outputs of each hidden layer, first to last.
    hidden: &'a [usize],
    /// Number of test images that the network gets right. Nothing without labelled test images.
    num_correct: Option<u64>,
    #[serde(flatten)]
    summary: &'a RunSummary,
    /// Signs that the network does not fit the images as they are.
    warnings: &'a [Finding],
}

/// Runs the command.
pub(super) fn run(args: ImportArgs, global: &Global, output: &Output) -> Result<ExitCode> {
    let request = ImportRequest {
        path: args.file,
        name: args.name,
        data: args.data.as_deref().map(Source::parse),
        skip_broken: args.skip_broken,
        activation: args.activation.as_deref().map(parse_activation).transpose()?,
        layout: args.layout,
        scaling: PixelScaling {
            value_range: args.value_range.map(|Pair(black, white)| ValueRange { black, white }),
            mean: args.mean,
            std: args.std,
        },
    };
    let run = pipeline::import(&request, global.compute()?, &global.artifacts)?;
    print(&run, output);
    let report = output.warn_on_error(run.report.clone().map(Some));
    print_paths(&run, report.as_deref(), output);
    output.record(&Record {
        run: run.folder.path(),
        imported: run.info.imported.as_ref(),
        report: report.as_deref(),
        hidden: &run.experiment.model.hidden,
        num_correct: run.evaluation.as_ref().map(|evaluation| evaluation.confusion.num_correct()),
        summary: &run.summary,
        warnings: &run.findings,
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Parses an activation: its name as in experiment files, PyTorch or Keras, or a table with its slope.
fn parse_activation(text: &str) -> Result<Activation> {
    #[derive(Deserialize)]
    struct Setting {
        activation: Activation,
    }
    let parse = |value: &str| toml::from_str::<Setting>(&format!("activation = {value}"));
    let name = text.to_ascii_lowercase().replace('_', "-");
    let setting = parse(text).or_else(|_| parse(&format!("{name:?}")));
    setting.map(|setting| setting.activation).map_err(|_| {
        Error::usage(format!("`--activation` is `{text}`, expected one of {}", listed(&activations()))).hint(
            "a leaky ReLU with another slope than 0.01 is a table: `--activation '{ kind = \"leaky-relu\", slope = 0.2 }'`",
        )
    })
}

/// Names of all activations in experiment files.
fn activations() -> Vec<String> {
    Activation::KINDS.iter().map(|activation| activation.key().to_owned()).collect()
}

/// Prints the network, where it is from and its test.
fn print(run: &ImportedRun, output: &Output) {
    let plan = ModelSummary::new(&run.experiment, run.info.data.layout, run.info.data.num_train);
    let origin = run.info.imported.as_ref().map(ImportedNetwork::describe).unwrap_or_default();
    let (name, shape) = (&run.experiment.name, plan.shape());
    output.line(&format!("{name}: {shape}, {} parameters, {origin}", grouped(plan.num_parameters)));
    if let Some(imported) = run.info.imported.as_ref().filter(|imported| !imported.scaling.is_none()) {
        output.line(&format!("it took {}: now part of its first layer", imported.scaling.describe()));
    }
    run.notes.iter().for_each(|note| output.note(note));
    output.line(&test_line(run.evaluation.as_ref()));
    if let Some(line) = run.evaluation.as_ref().and_then(balanced_line) {
        output.line(&line);
    }
    run.findings.iter().for_each(|finding| output.warning(&finding.to_string()));
}

/// Prints where the run is and what can be done with it.
fn print_paths(run: &ImportedRun, report: Option<&Path>, output: &Output) {
    let path = run.folder.path().display();
    let report = report.map(|report| format!("; report: {}", report.display()));
    output.line(&format!("saved in {path}{}", report.unwrap_or_default()));
    output.line(&format!("look at it: {} evaluate {path}", invocation()));
}
