//! `smallnet predict`

mod answers;
mod export;
mod range;
mod screen;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgGroup, Args};

use crate::cli::Global;
use crate::cli::output::Output;
use crate::cli::progress::Bar;
use crate::data::{PictureFile, Preparation, Source, find_pictures};
use crate::error::{ErrorKind, Result};
use crate::pipeline::{LoadedModel, SplitName, UnreadablePicture};
use answers::Answers;
use export::Exports;
use range::IndexRange;

/// Arguments of `smallnet predict`.
#[derive(Debug, Args)]
#[command(
    group(ArgGroup::new("what").required(true).multiple(true).args(["images", "index", "split", "data"])),
    override_usage = USAGE
)]
pub(super) struct PredictArgs {
    /// A run's folder, its id, `latest`, or a checkpoint file in a run's folder
    #[arg(value_name = "RUN or CHECKPOINT")]
    model: String,
    /// Pictures: PNG or JPEG files of any size, folders of them, or patterns such as 'scans/*.png'
    #[arg(value_name = "IMAGE", conflicts_with_all = ["index", "split", "data"])]
    images: Vec<PathBuf>,
    /// Images of the data set instead, counted from 0: numbers, and ranges such as 0-99
    #[arg(
        long,
        value_name = "N",
        num_args = 1..,
        value_delimiter = ',',
        allow_negative_numbers = true,
        value_parser = IndexRange::parse
    )]
    index: Vec<IndexRange>,
    /// The split in which `--index` counts [default: test]; without `--index`, all its images
    #[arg(long, value_enum, value_name = "SPLIT")]
    split: Option<SplitName>,
    /// Take the images from this data set instead: a name, a folder or a file
    #[arg(long, value_name = "DATA")]
    data: Option<String>,
    /// Leave out pictures of the data set that cannot be read
    #[arg(long, requires = "data")]
    skip_broken: bool,
    /// Preparation of pictures [default: that of the training images]
    #[arg(long, value_enum, value_name = "HOW", conflicts_with_all = ["index", "split", "data"])]
    prepare: Option<Preparation>,
    /// Each picture shows several digits, in rows or in a table: answer each of them
    #[arg(long, conflicts_with_all = ["prepare", "index", "split", "data"])]
    sheet: bool,
    /// Write a CSV file with one row per image: prediction, confidence and all probabilities
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Write a CSV file as Kaggle takes it: ImageId (the index plus 1) and Label
    #[arg(long, value_name = "FILE", conflicts_with = "images")]
    submission: Option<PathBuf>,
    /// Draw a picture of each answer, or of the first N [default: of the first 20]
    #[arg(
        long,
        value_name = "N",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = ALL_PICTURES,
        value_parser = clap::value_parser!(u32)
    )]
    pictures: Option<u32>,
}

/// Usage line. clap's own would name the group before the run.
const USAGE: &str = "smallnet predict [OPTIONS] <RUN or CHECKPOINT> <IMAGE>...
       smallnet predict [OPTIONS] <RUN or CHECKPOINT> --index <N>...
       smallnet predict [OPTIONS] <RUN or CHECKPOINT> --split <SPLIT>";

/// Value of `--pictures` without a number.
const ALL_PICTURES: &str = "4294967295";

/// Number of answers with a picture, unless the user asks for another one.
const DEFAULT_PICTURES: u32 = 20;

/// Number of images that are predicted together. The bar moves after them.
const CHUNK: usize = 1000;

/// Runs the command.
pub(super) fn run(args: PredictArgs, global: &Global, output: &Output) -> Result<ExitCode> {
    let mut saved =
        LoadedModel::load(&args.model, &global.artifacts, global.backend)?.with_engine(global.engine)?;
    global.check_device(saved.backend())?;
    saved.notes.iter().for_each(|note| output.note(note));
    saved.experiment.data.skip_broken |= args.skip_broken;
    let classes = saved.info.data.classes();
    let exports = Exports::new(args.csv.as_deref(), args.submission.as_deref(), &classes)?;
    // A sheet has one picture with all answers on it.
    let default_pictures = if args.sheet { 0 } else { DEFAULT_PICTURES };
    let num_pictures = args.pictures.unwrap_or(default_pictures) as usize;
    let mut answers = Answers::new(num_pictures, global.json, exports, &classes);
    let mut sheets = Vec::new();
    if args.images.is_empty() {
        predict_split(&args, &saved, output, &mut answers)?;
    } else if args.sheet {
        sheets = predict_sheets(&args, &saved, output, &mut answers)?;
    } else {
        predict_pictures(&args, &saved, output, &mut answers)?;
    }
    answers.print(&saved, output);
    sheets.iter().for_each(|path| output.line(&format!("picture: {}", path.display())));
    // The predictions are printed even if a picture of them cannot be written.
    let drawn = answers.to_draw();
    let pictures = output.warn_on_error(saved.draw_predictions(drawn));
    let is_wanted = args.sheet || args.pictures.is_some();
    screen::print_pictures(&pictures, answers.num_predicted(), is_wanted, output);
    let succeeded = answers.finish(&saved, &pictures, output)?;
    Ok(if succeeded { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Predicts the images of a split.
fn predict_split(
    args: &PredictArgs,
    saved: &LoadedModel,
    output: &Output,
    answers: &mut Answers,
) -> Result<()> {
    let source = args.data.as_deref().map(Source::parse);
    let subject = saved.eval_set(args.split.unwrap_or_default(), source)?;
    subject.notes.iter().for_each(|note| output.note(note));
    let indices = range::indices(&args.index, &subject.split, &subject.name.to_string())?;
    let bar = bar(indices.len(), output);
    for chunk in indices.chunks(CHUNK) {
        saved.predict(&subject, chunk)?.into_iter().try_for_each(|prediction| answers.add(prediction))?;
        bar.advance(answers.len() as u64);
    }
    bar.finish_and_clear();
    Ok(())
}

/// Predicts picture files.
fn predict_pictures(
    args: &PredictArgs,
    saved: &LoadedModel,
    output: &Output,
    answers: &mut Answers,
) -> Result<()> {
    let files = find_pictures(&args.images)?;
    let bar = bar(files.len(), output);
    for chunk in files.chunks(CHUNK) {
        let chunk = saved.predict_files(chunk, args.prepare)?;
        chunk.into_iter().try_for_each(|answer| answers.add_answer(answer))?;
        bar.advance(answers.len() as u64);
    }
    bar.finish_and_clear();
    Ok(())
}

/// Predicts the digits of pictures that show several. Returns the paths of the pictures with the
/// answers.
fn predict_sheets(
    args: &PredictArgs,
    saved: &LoadedModel,
    output: &Output,
    answers: &mut Answers,
) -> Result<Vec<PathBuf>> {
    let mut drawn = Vec::new();
    for PictureFile { path, .. } in find_pictures(&args.images)? {
        match saved.predict_sheet(&path) {
            Ok(sheet) => {
                screen::print_sheet(&sheet, saved.info.data.classes().names(), output);
                drawn.extend(output.warn_on_error(saved.draw_sheet(&sheet).map(Some)));
                sheet.digits.into_iter().try_for_each(|prediction| answers.add(prediction))?;
            }
            // A device that fails would fail for all others, too.
            Err(error) if error.kind() == ErrorKind::Backend => return Err(error),
            Err(error) => answers.add_answer(Err(UnreadablePicture { path, error }))?,
        }
    }
    Ok(drawn)
}

/// Returns the bar of `count` predictions. A few are made at once.
fn bar(count: usize, output: &Output) -> Bar {
    let bar = Bar::new(output.is_quiet() || count <= CHUNK);
    bar.set_prefix("predicting");
    bar.set_length(count as u64);
    bar
}
