//! Predictions for pictures of many digits: each digit in reading order, and the picture with the
//! answers on it.

use std::path::{Path, PathBuf};

use crate::data::{DigitSheet, Preparation, PreparedPicture, SheetDigit, SheetPicture};
use crate::error::Result;
use crate::pipeline::answers::short_stem;
use crate::pipeline::{Area, ImagePrediction, ImageRef, LoadedModel};
use crate::plots::{Annotated, Mark};
use crate::util::format::counted;

/// The predictions for the digits of one picture.
#[derive(Debug, Clone, PartialEq)]
pub struct SheetPrediction {
    /// The path of the picture.
    pub path: PathBuf,
    /// The picture, upright and in grey.
    pub picture: SheetPicture,
    /// The digits in reading order: rows from the top, in a row from the left.
    pub digits: Vec<ImagePrediction>,
}

impl LoadedModel {
    /// Predicts each digit of the picture at `path`, which shows a row or a grid of them. Each is
    /// prepared as a digit of MNIST.
    ///
    /// # Errors
    /// A picture that cannot be read, shows no digit or too many, or a device that fails.
    pub fn predict_sheet(&self, path: &Path) -> Result<SheetPrediction> {
        let DigitSheet { picture, digits } = self.info.data.picture_preparer(None).prepare_sheet(path)?;
        let pixels: Vec<&[u8]> = digits.iter().map(|digit| &digit.prepared.pixels[..]).collect();
        let predictions = self.predict_pixels(&pixels)?;
        let pairs = digits.into_iter().zip(predictions).enumerate();
        let digits = pairs
            .map(|(index, (digit, prediction))| {
                let SheetDigit { top, left, height, width, prepared } = digit;
                let PreparedPicture { pixels, doubts } = prepared;
                let (area, number) = (Area { top, left, height, width }, index + 1);
                let image = ImageRef::Digit { path: path.to_owned(), number, area };
                ImagePrediction { image, pixels, prediction, preparation: Some(Preparation::Digits), doubts }
            })
            .collect();
        Ok(SheetPrediction { path: path.to_owned(), picture, digits })
    }

    /// Draws a picture with a box and the answer at each digit into the run's folder, and returns its
    /// path. Doubtful answers have another colour.
    ///
    /// # Errors
    /// A picture that cannot be drawn or written.
    pub fn draw_sheet(&self, sheet: &SheetPrediction) -> Result<PathBuf> {
        let classes = self.info.data.classes();
        let mark = |image: &ImagePrediction| match image.image {
            ImageRef::Digit { area: Area { top, left, height, width }, .. } => Some(Mark {
                top,
                left,
                height,
                width,
                text: classes.names()[image.prediction.class].clone(),
                is_doubtful: !image.doubts.is_empty(),
            }),
            _ => None,
        };
        let marks: Vec<Mark> = sheet.digits.iter().filter_map(mark).collect();
        let SheetPicture { height, width, pixels } = &sheet.picture;
        let annotated = Annotated {
            title: &counted(marks.len(), "digit", "digits"),
            subtitle: &format!("{}, run {} {}", sheet.path.display(), self.info.experiment, self.folder.id()),
            pixels,
            height: *height,
            width: *width,
            marks: &marks,
        };
        let name = self.figure_name(&format!("sheet-{}", short_stem(&sheet.path)));
        self.folder.write_prediction(&name, &annotated.draw()?.to_png()?)
    }
}
