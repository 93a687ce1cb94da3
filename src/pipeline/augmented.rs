//! The picture of augmented training images.

use std::path::{Path, PathBuf};

use crate::data::{Augmenter, InputSpec};
use crate::error::{Error, Result};
use crate::experiment::Experiment;
use crate::pipeline::pictures::{data_folder, file_stem};
use crate::pipeline::{SplitName, Splits};
use crate::plots::{CaptionLine, Sheet, Tile};
use crate::run;

/// Largest number of columns of the sheet: the image and its first epochs.
const MAX_COLUMNS: usize = 10;
/// Largest number of images on the sheet.
const MAX_ROWS: usize = 26;

/// Draws training images beside what training makes of them in its first epochs: the first image of
/// each class, of the first 26 classes if there are more. Returns the path of the picture.
///
/// # Errors
/// An experiment whose training changes no image, training images that are missing, or a picture that
/// cannot be drawn or written.
pub fn draw_augmented(splits: &Splits, experiment: &Experiment, artifacts: &Path) -> Result<PathBuf> {
    let split = splits.get(SplitName::Train)?;
    let InputSpec { height, width, num_classes } = splits.layout;
    experiment.augmentation.check_size([height, width])?;
    let augmenter = Augmenter::new(&experiment.augmentation, experiment.seed, (height, width));
    let augmenter = augmenter.ok_or_else(|| {
        Error::config(format!("`{}` changes no training image: its augmentation is off", experiment.name))
            .hint("`--set augmentation.rotation=10 augmentation.shift=2` switches some of it on")
    })?;
    let mut shown: Vec<usize> = split.first_per_class(num_classes, 1).concat();
    shown.truncate(MAX_ROWS);
    let columns = MAX_COLUMNS.min(experiment.training.num_epochs + 1);
    let mut images = Vec::new();
    for &index in &shown {
        let in_data_set = split.index_in_data_set(index);
        images.extend(augmenter.first_epochs(&split.image(index).0, in_data_set, columns - 1));
    }
    let caption = |at: usize| match at % columns {
        0 => shown[at / columns].to_string(),
        epoch => format!("epoch {epoch}"),
    };
    let tile = |(at, values)| Tile { values, caption: vec![CaptionLine::plain(caption(at))] };
    let tiles: Vec<_> = images.iter().map(Vec::as_slice).enumerate().map(tile).collect();
    let names = splits.properties.classes.names();
    let row_labels: Vec<String> =
        shown.iter().map(|&index| names[usize::from(split.label(index))].clone()).collect();
    let sheet = Sheet {
        title: "Training images and what training makes of them",
        subtitle: &format!(
            "{}, seed {}: first the image with its number, then the same image in the first epochs",
            experiment.data.source, experiment.seed
        ),
        height,
        width,
        columns,
        row_labels: &row_labels,
        tiles: &tiles,
    };
    let file = format!("{}-augmented.png", file_stem(splits, experiment, SplitName::Train));
    run::write_file(&data_folder(artifacts), &file, &sheet.draw()?.to_png()?)
}
