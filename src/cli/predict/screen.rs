//! Owns what `predict` prints: one image with its probabilities, a table of several, and the lines
//! below them.

use std::collections::BTreeSet;

use console::measure_text_width;

use crate::cli::output::{Output, hint};
use crate::cli::predict::answers::Counts;
use crate::cli::table::Table;
use crate::cli::terminal;
use crate::data::{Doubt, InputSpec, Preparation};
use crate::error::Error;
use crate::pipeline::{ImagePrediction, ImageRef, PredictionPictures, SheetPrediction, UnreadablePicture};
use crate::util::format::{counted, grouped, percent};

/// Largest number of pictures of answers, and of pictures that cannot be read, with a line each.
const MAX_LINES: usize = 20;

/// Prints an image with the probabilities of all classes beside it, or below it on a narrow
/// terminal.
pub(super) fn print_one(
    prediction: &ImagePrediction,
    layout: InputSpec,
    classes: &[String],
    output: &Output,
) {
    let ImagePrediction { image, pixels, prediction, preparation, doubts } = prediction;
    let truth = match image.label() {
        Some(label) if label == prediction.class => format!("; its label is {}: right", classes[label]),
        Some(label) => format!("; its label is {}: wrong", classes[label]),
        None => String::new(),
    };
    // A high confidence would hide the doubt.
    let confidence = match doubts.is_empty() {
        true => format!(" with {}", percent(prediction.confidence())),
        false => ", which is doubtful".to_owned(),
    };
    output.line(&format!("{}: predicted {}{confidence}{truth}", image.name(), classes[prediction.class]));
    if let Some(preparation) = preparation {
        output.line(&format!("the picture was {}", describe(*preparation)));
    }
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
pub(super) fn print_table(predictions: &[ImagePrediction], classes: &[String], output: &Output) {
    let mut table = Table::new(["image", "label", "predicted", "confidence", "runner-up", "confidence"], 1);
    for ImagePrediction { image, prediction, doubts, .. } in predictions {
        let probabilities = prediction.probabilities();
        let runner_up = prediction.runner_up();
        let mark = if image.label().is_some_and(|label| label != prediction.class) { " ✗" } else { "" };
        let confidence = match doubts.is_empty() {
            true => percent(prediction.confidence()),
            false => "doubtful".to_owned(),
        };
        table.add_row([
            image.name(),
            image.label().map_or_else(|| "–".to_owned(), |label| classes[label].clone()),
            classes[prediction.class].clone() + mark,
            confidence,
            runner_up.map_or_else(String::new, |class| classes[class].clone()),
            runner_up.map_or_else(String::new, |class| percent(probabilities[class])),
        ]);
    }
    output.line(&table.lines());
}

/// The preparation of a picture in words, to be put behind "the picture was".
fn describe(preparation: Preparation) -> &'static str {
    match preparation {
        Preparation::Digits => "prepared as a digit: cut out, scaled and centred as in MNIST",
        Preparation::Whole => "resized as a whole, as the training images were",
        Preparation::None => "taken as it is: it has the size of the training images",
    }
}

/// Prints that the table leaves `count` images out.
pub(super) fn print_omitted(count: usize, output: &Output) {
    let images = counted(count, "more image is", "more images are");
    output.line(&format!("{images} not shown; `--csv FILE` writes all of them"));
}

/// Prints the paths of the pictures of answers. `is_wanted` is true if the user asked for a number.
pub(super) fn print_pictures(
    pictures: &[PredictionPictures],
    num_predicted: usize,
    is_wanted: bool,
    output: &Output,
) {
    for picture in pictures.iter().take(MAX_LINES) {
        let prepared =
            picture.prepared.as_deref().map(|path| format!("; as the network saw it: {}", path.display()));
        output.line(&format!("picture: {}{}", picture.path.display(), prepared.unwrap_or_default()));
    }
    if pictures.len() > MAX_LINES {
        let more = counted(pictures.len() - MAX_LINES, "more picture is", "more pictures are");
        output.line(&format!("{more} beside them"));
    } else if !pictures.is_empty() && pictures.len() < num_predicted && !is_wanted {
        let others = counted(num_predicted - pictures.len(), "answer has", "answers have");
        output.line(&format!("the other {others} no picture; `--pictures` draws all"));
    }
}

/// Prints the digits of a sheet as they stand there, one line per row.
pub(super) fn print_sheet(sheet: &SheetPrediction, classes: &[String], output: &Output) {
    let digits = counted(sheet.digits.len(), "digit", "digits");
    output.line(&format!("{}: {digits}", sheet.path.display()));
    output.line("");
    let (mut line, mut last_left) = (String::new(), None);
    for digit in &sheet.digits {
        let ImageRef::Digit { area, .. } = &digit.image else { continue };
        // In a row, each digit is to the right of the one before.
        if last_left.is_some_and(|left| area.left <= left) {
            output.line(&std::mem::take(&mut line));
        }
        last_left = Some(area.left);
        line += &format!(
            " {}{}",
            classes[digit.prediction.class],
            if digit.doubts.is_empty() { "" } else { "?" }
        );
    }
    output.line(&line);
    output.line("");
}

/// Prints why predictions are doubtful.
pub(super) fn print_doubts(doubtful: &[(String, Vec<Doubt>)], output: &Output) {
    for (name, doubts) in doubtful.iter().take(MAX_LINES) {
        let reasons: Vec<String> = doubts.iter().map(ToString::to_string).collect();
        output.warning(&format!("{name} is doubtful: {}", reasons.join("; ")));
    }
    if doubtful.len() > MAX_LINES {
        let more = counted(doubtful.len() - MAX_LINES, "more prediction is", "more predictions are");
        output.warning(&format!("{more} doubtful; `--csv FILE` has all reasons"));
    }
}

/// Prints the pictures that cannot be read, each with its reason, and the remedies.
pub(super) fn print_unreadable(unreadable: &[UnreadablePicture], output: &Output) {
    if let [only] = unreadable {
        return output.error(&only.error);
    }
    for picture in unreadable.iter().take(MAX_LINES) {
        output.error(&picture.error.in_context(picture.error.message()));
    }
    if unreadable.len() > MAX_LINES {
        let more = counted(unreadable.len() - MAX_LINES, "more picture", "more pictures");
        output.error(&Error::data(format!("{more} cannot be read either")));
    }
    let hints: BTreeSet<&str> = unreadable.iter().filter_map(|picture| picture.error.hint_text()).collect();
    hints.into_iter().for_each(hint);
}

/// Prints how many images there are, how many are right, and how pictures were prepared.
pub(super) fn print_counts(counts: &Counts, num_unreadable: usize, output: &Output) {
    let preparations = [
        (counts.digits, "prepared as digits of MNIST"),
        (counts.whole, "resized as a whole"),
        (counts.as_they_are, "taken as they are"),
    ];
    let used = preparations.iter().filter(|(count, _)| *count > 0);
    let used: Vec<String> = used.map(|(count, what)| format!("{} {what}", grouped(*count))).collect();
    if !used.is_empty() {
        output.line(&format!("pictures: {}", used.join(", ")));
    }
    let mut line = format!("{} predicted", counted(counts.predicted, "image", "images"));
    if counts.labelled > 0 {
        let share = percent(counts.right as f64 / counts.labelled as f64);
        let of = if counts.labelled == counts.predicted {
            String::new()
        } else {
            format!(" of {} with a label", grouped(counts.labelled))
        };
        line += &format!(", {}{of} right ({share})", grouped(counts.right));
    }
    if num_unreadable > 0 {
        line += &format!(", {} cannot be read", grouped(num_unreadable));
    }
    output.line(&line);
}
