//! `smallnet predict`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgGroup, Args};
use console::measure_text_width;
use serde::Serialize;

use crate::cli::output::Output;
use crate::cli::table::Table;
use crate::cli::terminal;
use crate::cli::{Global, parse_index};
use crate::data::{InputSpec, Source};
use crate::error::Result;
use crate::pipeline::{ImagePrediction, ImageRef, LoadedModel, SplitName};
use crate::util::format::percent;

/// Arguments of `smallnet predict`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("what").required(true).args(["images", "index"])), override_usage = USAGE)]
pub(super) struct PredictArgs {
    /// A run's folder, its id, `latest`, or a checkpoint file in a run's folder
    #[arg(value_name = "RUN or CHECKPOINT")]
    model: String,
    /// Pictures of digits: PNG or JPEG, any size, dark on light or light on dark
    #[arg(value_name = "IMAGE")]
    images: Vec<PathBuf>,
    /// Images of the data set instead, counted from 0
    #[arg(long, value_name = "N", num_args = 1.., allow_negative_numbers = true, value_parser = parse_index)]
    index: Vec<usize>,
    /// The split in which `--index` counts
    #[arg(long, value_enum, default_value_t, value_name = "SPLIT", requires = "index")]
    split: SplitName,
    /// Take the images of `--index` from this data set instead: a name, a folder or a file
    #[arg(long, value_name = "DATA", requires = "index")]
    data: Option<String>,
    /// Leave out pictures of the data set that cannot be read
    #[arg(long, requires = "data")]
    skip_broken: bool,
}

/// Usage line. clap's own would name the group before the run.
const USAGE: &str = "smallnet predict [OPTIONS] <RUN or CHECKPOINT> <IMAGE>...
       smallnet predict [OPTIONS] <RUN or CHECKPOINT> --index <N>...";

/// Record of one image in `--json`.
#[derive(Serialize)]
struct Record<'a> {
    run: &'a Path,
    image: String,
    label: Option<usize>,
    predicted: usize,
    /// The name of the predicted class.
    predicted_name: &'a str,
    confidence: f64,
    probabilities: Vec<f64>,
    picture: Option<&'a Path>,
    prepared: Option<&'a Path>,
}

/// Runs the command.
pub(super) fn run(args: PredictArgs, global: &Global, output: &Output) -> Result<ExitCode> {
    let mut saved =
        LoadedModel::load(&args.model, &global.artifacts, global.backend)?.with_engine(global.engine)?;
    saved.experiment.data.skip_broken |= args.skip_broken;
    let predictions = if args.images.is_empty() {
        let subject = saved.eval_set(args.split, args.data.as_deref().map(Source::parse))?;
        subject.notes.iter().for_each(|note| output.note(note));
        saved.predict(&subject, &args.index)?
    } else {
        saved.predict_files(&args.images)?
    };
    let classes = saved.info.data.classes();
    match &predictions[..] {
        [prediction] => print_one(prediction, saved.info.data.layout, classes.names(), output),
        predictions => print_table(predictions, classes.names(), output),
    }
    // The prediction is printed even if its picture cannot be written.
    let pictures = output.warn_on_error(saved.draw_predictions(&predictions));
    for picture in &pictures {
        let prepared =
            picture.prepared.as_deref().map(|path| format!("; as the network saw it: {}", path.display()));
        output.line(&format!("picture: {}{}", picture.path.display(), prepared.unwrap_or_default()));
    }
    let records: Vec<_> = predictions
        .iter()
        .enumerate()
        .map(|(index, image)| Record {
            run: saved.folder.path(),
            image: image.image.name(),
            label: image.image.label(),
            predicted: image.prediction.class,
            predicted_name: &classes.names()[image.prediction.class],
            confidence: image.prediction.confidence(),
            probabilities: image.prediction.probabilities(),
            picture: pictures.get(index).map(|picture| picture.path.as_path()),
            prepared: pictures.get(index).and_then(|picture| picture.prepared.as_deref()),
        })
        .collect();
    output.record(&records)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints an image with the probabilities of all classes beside it, or below it on a narrow
/// terminal.
fn print_one(prediction: &ImagePrediction, layout: InputSpec, classes: &[String], output: &Output) {
    let ImagePrediction { image, pixels, prediction } = prediction;
    let truth = match image.label() {
        Some(label) if label == prediction.class => format!("; its label is {}: right", classes[label]),
        Some(label) => format!("; its label is {}: wrong", classes[label]),
        None => String::new(),
    };
    output.line(&format!(
        "{}: predicted {} with {}{truth}",
        image.name(),
        classes[prediction.class],
        percent(prediction.confidence())
    ));
    output.line("");
    let left = terminal::image(pixels, layout.height, layout.width, output.has_colors());
    let right = bars(&prediction.probabilities(), classes);
    let mut lines = terminal::beside(&left, &right);
    if lines.iter().any(|line| measure_text_width(line) > usize::from(terminal::width())) {
        lines = [left, vec![String::new()], right].concat();
    }
    for line in lines {
        output.line(&line);
    }
    output.line("");
}

/// Maximum number of classes that get a bar on the terminal.
const MAX_BARS: usize = 20;

/// Draws one bar per class, or those of the most probable classes if there are very many.
fn bars(probabilities: &[f64], names: &[String]) -> Vec<String> {
    let mut classes: Vec<usize> = (0..probabilities.len()).collect();
    if classes.len() > MAX_BARS {
        classes.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
        classes.truncate(MAX_BARS);
    }
    let width = classes.iter().map(|&class| measure_text_width(&names[class])).max().unwrap_or(0).max(3);
    let line = |&class: &usize| {
        let probability = probabilities[class];
        let name = console::pad_str(&names[class], width, console::Alignment::Right, None);
        let text = format!("{name}  {:>6}  {}", percent(probability), terminal::bar(probability, 30));
        text.trim_end().to_owned()
    };
    classes.iter().map(line).collect()
}

/// Prints a table of several images, with the most probable class and the runner-up.
fn print_table(predictions: &[ImagePrediction], classes: &[String], output: &Output) {
    let mut table = Table::new(["image", "label", "predicted", "confidence", "runner-up", "confidence"], 1);
    for ImagePrediction { image, prediction, .. } in predictions {
        let probabilities = prediction.probabilities();
        let others = (0..probabilities.len()).filter(|&class| class != prediction.class);
        let runner_up = others.max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]));
        table.add_row([
            image.name(),
            image.label().map_or_else(|| "–".to_owned(), |label| classes[label].clone()),
            classes[prediction.class].clone() + if is_wrong(image, prediction.class) { " ✗" } else { "" },
            percent(prediction.confidence()),
            runner_up.map_or_else(String::new, |class| classes[class].clone()),
            runner_up.map_or_else(String::new, |class| percent(probabilities[class])),
        ]);
    }
    output.line(&table.lines());
}

/// Returns whether an image has a label that differs from the prediction.
fn is_wrong(image: &ImageRef, predicted: usize) -> bool {
    image.label().is_some_and(|label| label != predicted)
}
