//! `smallnet weights`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use crate::backend::Backend;
use crate::cli::Global;
use crate::cli::output::Output;
use crate::cli::table::Table;
use crate::error::Result;
use crate::pipeline::{LoadedModel, MAX_NEURONS, NeuronInfo};
use crate::util::format::{decimals, grouped};

/// Maximum number of neurons listed on the terminal.
const MAX_LISTED: usize = 20;

/// Arguments of `smallnet weights`.
#[derive(Debug, Args)]
pub(super) struct WeightsArgs {
    /// A run's folder, its id, `latest`, or a checkpoint file in a run's folder
    #[arg(value_name = "RUN or CHECKPOINT")]
    model: String,
}

/// Record of `--json`.
#[derive(Serialize)]
struct Record<'a> {
    run: &'a Path,
    neurons: &'a [NeuronInfo],
    pictures: &'a [PathBuf],
}

/// Runs the command.
pub(super) fn run(args: WeightsArgs, global: &Global, output: &Output) -> Result<ExitCode> {
    // The command only reads weights, so any backend serves, and a CPU is always there.
    let backend = global.backend.unwrap_or(Backend::Flex);
    let saved = LoadedModel::load(&args.model, &global.artifacts, Some(backend))?;
    let neurons = saved.neurons()?;
    print(&saved, &neurons, output);
    // The table is printed even if the pictures cannot be drawn.
    let pictures = output.warn_on_error(saved.draw_weights(&neurons));
    print_pictures(neurons.len(), &pictures, output);
    output.record(&Record { run: saved.folder.path(), neurons: &neurons, pictures: &pictures })?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the table of neurons.
fn print(saved: &LoadedModel, neurons: &[NeuronInfo], output: &Output) {
    let is_softmax = saved.experiment.model.hidden.is_empty();
    let layer = if is_softmax { "the output layer" } else { "the first hidden layer, largest norm first" };
    output.line(&format!("{}: neurons of {layer}", saved.weights_path.display()));
    output.line("");
    let what = if is_softmax { "class" } else { "neuron" };
    let mut table = Table::new([what, "norm", "smallest", "largest", "bias"], 0);
    for neuron in neurons.iter().take(MAX_LISTED) {
        let numbers = [neuron.norm, neuron.smallest, neuron.largest, neuron.bias].map(decimals);
        table.add_row([neuron.neuron.to_string()].into_iter().chain(numbers));
    }
    output.line(&table.lines());
    if neurons.len() > MAX_LISTED {
        output.line(&format!("and {} more", grouped(neurons.len() - MAX_LISTED)));
    }
    output.line("");
}

/// Prints where the pictures of the neurons are.
fn print_pictures(num_neurons: usize, pictures: &[PathBuf], output: &Output) {
    if num_neurons > MAX_NEURONS && !pictures.is_empty() {
        output.line(&format!("drawn are the first {}", grouped(MAX_NEURONS)));
    }
    match pictures {
        [first, .., last] => {
            output.line(&format!("{} pictures: {} to {}", pictures.len(), first.display(), last.display()));
        }
        pictures => pictures.iter().for_each(|path| output.line(&format!("picture: {}", path.display()))),
    }
}
