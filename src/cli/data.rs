//! `smallnet data`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use crate::cli::experiment::ExperimentArgs;
use crate::cli::output::Output;
use crate::cli::table::Table;
use crate::cli::terminal;
use crate::cli::{Global, parse_index};
use crate::data::{AugmentationConfig, DataCheck, Finding, InputSpec, Split, one_hot};
use crate::error::Result;
use crate::experiment::Experiment;
use crate::pipeline;
use crate::pipeline::{SplitName, Splits};
use crate::util::format::{counted, grouped};

/// Number of labels shown.
const NUM_LABELS: usize = 10;
/// Maximum number of classes of a one-hot row that is shown in full.
const MAX_ONE_HOT: usize = 20;

/// Examples of all forms of data sets, below the help.
const FORMS: &str = "\
Data sets:
  --data mnist                   the MNIST inside smallnet (the default)
  --data fashion-mnist           by name; `smallnet fetch` lists the names and downloads the files
  --data FOLDER                  IDX files: train-images-idx3-ubyte and so on, plain or .gz
  --data FOLDER/emnist-letters   one of several sets of IDX files in a folder
  --data FOLDER or FILE.csv      CSV: label,pixel0,pixel1,…; train.csv and test.csv
  --data FILE.npz                NumPy: x_train, y_train, x_test, y_test
  --data FOLDER                  pictures: train/CLASS/1.png, test/CLASS/1.png, or CLASS/1.png alone
  --data FOLDER or FILE.parquet  Parquet: image and label, as on Hugging Face
Without test images: --set data.test=0.1 takes a tenth of the training images.";

/// Arguments of `smallnet data`.
#[derive(Debug, Args)]
#[command(after_help = FORMS)]
pub(super) struct DataArgs {
    #[command(flatten)]
    experiment: ExperimentArgs,
    /// The images to look at
    #[arg(long, value_enum, default_value_t = SplitName::Train, value_name = "SPLIT")]
    split: SplitName,
    /// Look at this image of the split, counted from 0
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = parse_index)]
    index: Option<usize>,
    /// Draw training images as the experiment's `[augmentation]` changes them in its first epochs
    #[arg(long, conflicts_with_all = ["split", "index"])]
    augmented: bool,
}

/// Record of augmented images in `--json`.
#[derive(Serialize)]
struct AugmentedRecord<'a> {
    source: &'a str,
    seed: u64,
    augmentation: &'a AugmentationConfig,
    picture: PathBuf,
}

/// Record of a data set in `--json`.
#[derive(Serialize)]
struct Record<'a> {
    source: &'a str,
    #[serde(flatten)]
    layout: InputSpec,
    num_train: usize,
    num_validation: usize,
    num_test: usize,
    /// Number of images per class.
    train: Vec<usize>,
    validation: Vec<usize>,
    test: Vec<usize>,
    split: SplitName,
    smallest_value: u8,
    largest_value: u8,
    labels: Vec<Labelled>,
    class_names: &'a [String],
    sha256: &'a str,
    /// True if rows and columns of the files' images were exchanged.
    transposed: bool,
    notes: &'a [String],
    check: Option<&'a DataCheck>,
    findings: Vec<Finding>,
    picture: Option<PathBuf>,
}

/// Record of one image in `--json`.
#[derive(Serialize)]
struct ImageRecord<'a> {
    source: &'a str,
    split: SplitName,
    #[serde(flatten)]
    labelled: Labelled,
    picture: Option<&'a Path>,
}

/// Label before and after one-hot coding.
#[derive(Serialize)]
struct Labelled {
    index: usize,
    /// Nothing for an image without a label, as for the code.
    label: Option<u16>,
    one_hot: Vec<u8>,
}

impl Labelled {
    /// Returns the label of image `index` of a split.
    fn new(split: &Split, index: usize, num_classes: usize) -> Self {
        let label = split.is_labelled().then(|| split.label(index));
        let one_hot = label.map_or_else(Vec::new, |label| one_hot(label, num_classes));
        Self { index, label, one_hot }
    }
}

/// Runs the command.
pub(super) fn run(args: DataArgs, global: &Global, output: &Output) -> Result<ExitCode> {
    let experiment = args.experiment.read(None)?;
    if args.augmented {
        return show_augmented(&experiment, &global.artifacts, output);
    }
    let splits = Splits::load_checked(&experiment)?;
    match args.index {
        Some(index) => show_image(&experiment, &splits, args.split, index, &global.artifacts, output)?,
        None => show_all(&experiment, &splits, args.split, &global.artifacts, output)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Draws augmented training images and prints what changes them.
fn show_augmented(experiment: &Experiment, artifacts: &Path, output: &Output) -> Result<ExitCode> {
    let splits = Splits::load(experiment)?;
    splits.notes.iter().for_each(|note| output.note(note));
    let picture = pipeline::draw_augmented(&splits, experiment, artifacts)?;
    output.line(&format!("training images of {} are changed in every epoch:", experiment.data.source));
    experiment.augmentation.sentences().iter().for_each(|sentence| output.line(&format!("  {sentence}")));
    output.line(&format!("examples: {}", picture.display()));
    let Experiment { seed, augmentation, .. } = experiment;
    output.record(&AugmentedRecord {
        source: &experiment.data.source,
        seed: *seed,
        augmentation,
        picture,
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Prints and draws the image `index` of a split.
fn show_image(
    experiment: &Experiment,
    splits: &Splits,
    name: SplitName,
    index: usize,
    artifacts: &Path,
    output: &Output,
) -> Result<()> {
    let split = splits.get(name)?;
    let (pixels, label) = split.get(index, &name.to_string())?;
    let source = &experiment.data.source;
    let InputSpec { height, width, num_classes } = splits.layout;
    let labelled = Labelled::new(split, index, num_classes);
    let described = match split.is_labelled() {
        true => format!(
            "label {}, one-hot {}",
            splits.properties.classes.names()[usize::from(label)],
            format_one_hot(&labelled)
        ),
        false => "no label".to_owned(),
    };
    output.line(&format!("{name} image {index} of {source}: {described}"));
    output.line("");
    for line in terminal::image(&pixels, height, width, output.has_colors()) {
        output.line(&line);
    }
    output.line("");
    // The image is printed even if its picture cannot be written.
    let picture =
        output.warn_on_error(pipeline::draw_image(splits, name, index, experiment, artifacts).map(Some));
    if let Some(picture) = &picture {
        output.line(&format!("picture: {}", picture.display()));
    }
    output.record(&ImageRecord { source, split: name, labelled, picture: picture.as_deref() })
}

/// Prints and draws an overview of a split.
fn show_all(
    experiment: &Experiment,
    splits: &Splits,
    name: SplitName,
    artifacts: &Path,
    output: &Output,
) -> Result<()> {
    let Splits { train, validation, test, layout, properties, .. } = splits;
    let split = splits.get(name)?;
    let (smallest_value, largest_value) = split.value_range();
    let counts = |split: &Split| split.class_counts(layout.num_classes);
    let mut record = Record {
        source: &experiment.data.source,
        layout: *layout,
        num_train: train.len(),
        num_validation: validation.len(),
        num_test: test.len(),
        train: counts(train),
        validation: counts(validation),
        test: counts(test),
        split: name,
        smallest_value,
        largest_value,
        labels: first_labels(split, layout.num_classes),
        class_names: properties.classes.names(),
        sha256: &splits.sha256,
        transposed: properties.transposed,
        notes: &splits.notes,
        check: splits.check.as_ref(),
        findings: splits.check.as_ref().map_or_else(Vec::new, DataCheck::findings),
        picture: None,
    };
    print(&record, output);
    record.picture =
        output.warn_on_error(pipeline::draw_samples(splits, name, experiment, artifacts).map(Some));
    if let Some(picture) = &record.picture {
        output.line(&format!("samples of each class: {}", picture.display()));
    }
    output.record(&record)
}

/// Returns the first [`NUM_LABELS`] labels of a split.
fn first_labels(split: &Split, num_classes: usize) -> Vec<Labelled> {
    let num_labels = if split.is_labelled() { NUM_LABELS } else { 0 };
    (0..split.len().min(num_labels)).map(|index| Labelled::new(split, index, num_classes)).collect()
}

/// Prints the overview of a data set.
fn print(record: &Record<'_>, output: &Output) {
    let InputSpec { height, width, num_classes } = record.layout;
    let classes = counted(num_classes, "class", "classes");
    output.line(&format!("{}: images of {height}×{width} pixels in {classes}", record.source));
    output.line(&format!(
        "pixels of the {} split are bytes from {} to {}; a network gets them divided by 255",
        record.split, record.smallest_value, record.largest_value
    ));
    record.notes.iter().for_each(|note| output.note(note));
    record
        .check
        .map_or_else(Vec::new, DataCheck::sentences)
        .iter()
        .for_each(|sentence| output.line(sentence));
    output.line("");
    let mut table = Table::new(["class", "train", "validation", "test"], 0);
    for class in 0..num_classes {
        let counts = [record.train[class], record.validation[class], record.test[class]];
        table.add_row([record.class_names[class].clone()].into_iter().chain(counts.map(grouped)));
    }
    let totals = [record.num_train, record.num_validation, record.num_test];
    table.add_row(["all".to_owned()].into_iter().chain(totals.map(grouped)));
    output.line(&table.lines());
    output.line("");
    if record.labels.is_empty() {
        output.line(&format!("the images of the {} split have no labels", record.split));
        output.line("");
        return;
    }
    output.line(&format!("first labels of the {} split, before and after one-hot coding:", record.split));
    output.line("");
    let mut table = Table::new(["image", "label", "one-hot"], 0);
    for labelled in &record.labels {
        let name = labelled.label.map(|label| record.class_names[usize::from(label)].clone());
        table.add_row([labelled.index.to_string(), name.unwrap_or_default(), format_one_hot(labelled)]);
    }
    output.line(&table.lines());
    output.line("");
}

/// Formats a one-hot code as `0 0 1 0`, or with very many classes as the index of the 1.
fn format_one_hot(labelled: &Labelled) -> String {
    let Labelled { label, one_hot, .. } = labelled;
    match one_hot.len() {
        0..=MAX_ONE_HOT => one_hot.iter().map(u8::to_string).collect::<Vec<_>>().join(" "),
        length => {
            format!("{length} numbers, 1 at index {} and 0 everywhere else", label.unwrap_or_default())
        }
    }
}
