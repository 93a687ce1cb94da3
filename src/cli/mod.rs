//! Owns the command line: arguments, output on the terminal, JSON records and exit codes.
//!
//! There is one short file per command. It resolves the arguments, makes one library call and
//! prints the result. Depends on all other modules, and no other module may depend on it. It is the
//! only module that prints.

mod chart;
mod compare;
mod completions;
mod dashboard;
mod data;
mod devices;
mod draw;
mod evaluate;
mod experiment;
mod export;
mod fetch;
mod held_errors;
mod import;
#[cfg(feature = "exercise")]
mod lab;
mod lr_find;
mod man;
mod options;
mod output;
mod predict;
mod progress;
mod reading;
mod report;
mod resume;
mod runs;
mod set_option;
mod shards;
mod signals;
mod speed;
mod study;
mod summary;
mod table;
mod terminal;
mod train;
mod verify;
mod weights;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::backend;
use crate::backend::{Backend, Compute, Engine};
use crate::error::{Error, Result, catch_panic};
use crate::experiment::shipped::{EXPERIMENTS, Shipped};
use crate::util::notice::{Notice, observe_notices};
use output::Output;

pub use progress::{Bar, BarRenderer};

/// Train, inspect and tune small dense networks on MNIST-like images, on CPU or GPU
///
/// Without a command, smallnet trains the experiment `softmax` on MNIST, both of which are inside
/// the program: 784 pixels, 10 classes, test accuracy about 0.92. Options of training follow
/// `train`.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100, after_long_help = examples())]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Option<Command>,
}

const EXAMPLES: &str = "\
Examples:
  smallnet                                          train the softmax network
  smallnet --backend wgpu                           the same on a GPU
  smallnet train mlp --seed 7                       train another experiment
  smallnet train --hidden 128,64 --lr 0.05 --epochs 3
  smallnet train --set model.dropout=0.2 seed=7     change any settings
  smallnet resume latest                            resume an interrupted run
  smallnet data --index 7                           look at a training image
  smallnet fetch fashion-mnist                      download a data set; then: --data fashion-mnist
  smallnet summary hidden                           layers, parameters and steps
  smallnet lr-find hidden                           which learning rate?
  smallnet evaluate latest                          test the newest run again
  smallnet predict latest my-digit.png              what is this?
  smallnet export latest --format onnx              for ONNX Runtime, OpenVINO, Netron
  smallnet draw latest                              a page to draw on, with the network in it
  smallnet weights latest                           what each neuron looks for
  smallnet report latest                            write the page about a run again
  smallnet verify latest                            is all true that the run says?
  smallnet import model.pt --activation relu        a network of another program as a run
  smallnet compare latest 20261122-180805           two runs side by side
  smallnet study learning-rate-cv                   choose a learning rate by 5-fold cross-validation
  smallnet lab                                      the whole exercise, run and answered in one page
  smallnet runs                                     list all runs
  smallnet devices                                  which backends and GPUs are here?

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted, 143 terminated";

/// Returns [`EXAMPLES`] without the commands that this build does not have.
fn examples() -> String {
    let is_built = |line: &&str| cfg!(feature = "exercise") || !line.starts_with("  smallnet lab ");
    EXAMPLES.split('\n').filter(is_built).collect::<Vec<_>>().join("\n")
}

/// Default of `--artifacts`: the folder that runs are saved in.
const DEFAULT_ARTIFACTS: &str = "artifacts";

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
struct Global {
    /// Where to compute [default: flex; for a saved network, the backend that trained it]
    #[arg(long, global = true, value_enum, value_name = "BACKEND")]
    backend: Option<Backend>,
    /// Adapter of the backend wgpu or cuda, by its number in `smallnet devices` [default: the fastest
    /// GPU]
    #[arg(long, global = true, value_name = "N")]
    device: Option<usize>,
    /// Engine that computes a network [default: cpu on flex, autodiff elsewhere; for a saved
    /// network, the engine that trained it]
    #[arg(long, global = true, value_enum, value_name = "ENGINE")]
    engine: Option<Engine>,
    /// The folder that runs are saved in
    #[arg(long, global = true, value_name = "DIR", default_value = DEFAULT_ARTIFACTS)]
    artifacts: PathBuf,
    /// Print one JSON record to standard output as the last thing, everything else to standard
    /// error
    #[arg(long, global = true)]
    json: bool,
    /// Print nothing but errors (and the JSON record)
    #[arg(long, short, global = true)]
    quiet: bool,
    /// Threads of the CPU backends [default: all cores]
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

impl Global {
    /// Returns where and how to train.
    fn compute(&self) -> Result<Compute> {
        let backend = self.backend.unwrap_or_default();
        self.check_device(backend)?;
        Compute::new(backend, self.engine)
    }

    /// Refuses `--device` for a command that computes on `backend`, if it has no adapters.
    fn check_device(&self, backend: Backend) -> Result<()> {
        let Some(number) = self.device.filter(|_| !backend.is_gpu()) else { return Ok(()) };
        Err(Error::usage(format!(
            "`--device {number}` chooses an adapter of the backend `wgpu` or `cuda`, and `{backend}` has none"
        ))
        .hint("add `--backend wgpu`, or leave out `--device`; `smallnet devices` lists the adapters"))
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train a network and save it in a new run folder
    Train(train::TrainArgs),
    /// Resume a run that was interrupted, killed or failed, exactly where it stopped; or train a
    /// finished one further
    Resume(resume::ResumeArgs),
    /// Test a saved network: accuracy, loss, confusion matrix, precision and recall, its worst
    /// mistakes
    Evaluate(evaluate::EvaluateArgs),
    /// Show what a saved network predicts for single images, from the data set or from your own
    /// pictures
    Predict(predict::PredictArgs),
    /// Write a saved network for other programs: ONNX, tables of its weights
    Export(export::ExportArgs),
    /// Write a page on which one draws, or loads a picture, and sees the network's answer at once: one
    /// file that needs no other and no connection
    Draw(draw::DrawArgs),
    /// Draw what each neuron of a saved network looks for
    Weights(weights::WeightsArgs),
    /// Write the page about a run again, from its folder alone
    Report(report::ReportArgs),
    /// Check what a run claims: compute its digests and figures again, and compare; change nothing
    Verify(verify::VerifyArgs),
    /// Compare runs: settings, curves, results
    Compare(compare::CompareArgs),
    /// Import a network of PyTorch, Keras, scikit-learn, JAX or another program as a new run
    Import(import::ImportArgs),
    /// Look at the images and labels of a data set, and check it
    Data(data::DataArgs),
    /// Download a data set by its name, such as `fashion-mnist`; no other command opens a
    /// connection
    Fetch(fetch::FetchArgs),
    /// Show an experiment's layers, parameters, update rule and steps without training
    Summary(summary::SummaryArgs),
    /// Train many variants of an experiment, compare them honestly, and train the best one
    Study(study::StudyArgs),
    /// Do the whole exercise, questions 0 to 14: run it, answer it with what was measured, and
    /// write one page
    #[cfg(feature = "exercise")]
    #[command(visible_alias = "exercise")]
    Lab(lab::LabArgs),
    /// Find a learning rate: one short training in which it rises from step to step
    LrFind(lr_find::LrFindArgs),
    /// List the runs in the artifacts folder
    Runs,
    /// List the backends, and the GPUs and drivers that `--device` chooses among
    Devices,
    /// Print the script that lets a shell complete smallnet's commands and options
    Completions(completions::CompletionsArgs),
    /// Print the manual page of smallnet or of one of its commands
    Man(man::ManArgs),
}

/// Returns the command line in which the help of each command shows only the options that it uses.
fn command() -> clap::Command {
    options::hide_unused(Cli::command())
}

/// Runs the command line of this process and returns its exit code.
pub fn main() -> ExitCode {
    signals::grow_stack();
    let words = set_option::repeat(std::env::args_os());
    let parsed = command().try_get_matches_from(&words).and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return print_usage(&error, words),
    };
    let output = Output::new(cli.global.json, cli.global.quiet);
    signals::survive_file_size_limit();
    signals::fail_instead_of_aborting();
    report_panics_once();
    match catch_panic("smallnet has a bug", || run(cli, &output)) {
        Ok(code) => code,
        Err(error) => {
            output.error(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

/// Sets the panic hook. A panic is caught and reported as an error, so the hook prints nothing.
///
/// With `RUST_BACKTRACE`, the hook prints one backtrace per line of code that panics, even if many
/// threads panic there one after the other.
fn report_panics_once() {
    if std::env::var_os("RUST_BACKTRACE").is_none() {
        return std::panic::set_hook(Box::new(|_| ()));
    }
    let (default_hook, last_reported) = (std::panic::take_hook(), Mutex::new(None));
    std::panic::set_hook(Box::new(move |panic| {
        let location = panic.location().map(|location| (location.file().to_owned(), location.line()));
        let mut last_reported = last_reported.lock().unwrap_or_else(PoisonError::into_inner);
        if *last_reported != location || location.is_none() {
            default_hook(panic);
            *last_reported = location;
        }
    }));
}

/// Parses the index of an image, counted from 0.
fn parse_index(text: &str) -> std::result::Result<usize, &'static str> {
    text.parse().map_err(|_| "expected a whole number from 0")
}

/// Prints clap's message (help, the version or a usage error) and returns the exit code.
///
/// Arguments that would be valid after `train` get a hint, and so do options that are settings.
/// `words` are those of the command line.
fn print_usage(error: &clap::Error, mut words: Vec<OsString>) -> ExitCode {
    // A reader that has closed the pipe, such as `head`, is no error of smallnet.
    let _ = error.print();
    if let Some(setting) = set_option::meant_by(error, &words) {
        output::hint(&format!("an experiment's settings are changed with `--set`: `{setting}`"));
        return ExitCode::from(2);
    }
    let first = words.get(1).map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
    let is_experiment = first.ends_with(".toml") || Shipped::find(&EXPERIMENTS, &first).is_some();
    let is_for_training = first.starts_with('-') || is_experiment;
    words.insert(1.min(words.len()), "train".into());
    if error.use_stderr() && is_for_training && Cli::try_parse_from(words).is_ok() {
        output::hint("what belongs to training follows `train`: put `train` before it");
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// Prints the notices of modules that do not print themselves.
fn show_notices(output: Output) {
    observe_notices(Box::new(move |notice| match notice {
        Notice::Note(text) => output.note(text),
        Notice::Warning(text) => output.warning(text),
    }));
}

fn run(cli: Cli, output: &Output) -> Result<ExitCode> {
    let Cli { global, command } = cli;
    reading::show_progress(output.is_quiet());
    show_notices(*output);
    if let Some(wanted) = global.threads.map(usize::from) {
        let started = backend::start_threads(Some(wanted))?;
        if started < wanted {
            output.warning(&format!("{wanted} threads cannot be had: there are {started}"));
        }
    }
    if let Some(number) = global.device {
        backend::choose_device(number);
    }
    match command.unwrap_or(Command::Train(train::TrainArgs::default())) {
        Command::Train(args) => train::run(args, &global, output),
        Command::Resume(args) => resume::run(args, &global, output),
        Command::Evaluate(args) => evaluate::run(args, &global, output),
        Command::Predict(args) => predict::run(args, &global, output),
        Command::Export(args) => export::run(args, &global, output),
        Command::Draw(args) => draw::run(args, &global, output),
        Command::Weights(args) => weights::run(args, &global, output),
        Command::Report(args) => report::run(args, &global, output),
        Command::Verify(args) => verify::run(args, &global, output),
        Command::Compare(args) => compare::run(args, &global, output),
        Command::Import(args) => import::run(args, &global, output),
        Command::Data(args) => data::run(args, &global, output),
        Command::Fetch(args) => fetch::run(&args, output),
        Command::Summary(args) => summary::run(args, output),
        Command::Study(args) => study::run(args, &global, output),
        #[cfg(feature = "exercise")]
        Command::Lab(args) => lab::run(args, &global, output),
        Command::LrFind(args) => lr_find::run(args, &global, output),
        Command::Runs => runs::run(&global, output),
        Command::Devices => devices::run(output),
        Command::Completions(args) => completions::run(&args, options::remove_unused(Cli::command())),
        Command::Man(args) => man::run(&args, options::hide_unused(Cli::command())),
    }
}
