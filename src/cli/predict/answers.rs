//! Owns the answers of one `predict`: what is shown of them, counted, recorded for `--json`, and
//! exported.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::cli::output::Output;
use crate::cli::predict::export::Exports;
use crate::cli::predict::screen;
use crate::data::{Classes, Doubt, Preparation};
use crate::error::Result;
use crate::pipeline::{
    Area, ImagePrediction, ImageRef, LoadedModel, PictureAnswer, PredictionPictures, UnreadablePicture,
};

/// Largest number of rows of the table on the screen.
const MAX_ROWS: usize = 100;

/// Record of one image in `--json`.
#[derive(Debug, Serialize)]
struct Record<'a> {
    run: &'a Path,
    #[serde(flatten)]
    answer: &'a RecordedAnswer,
}

/// The part of a record that does not depend on the run.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum RecordedAnswer {
    Prediction(RecordedPrediction),
    /// A picture that cannot be read.
    Error {
        image: String,
        error: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        hint: Option<String>,
    },
}

#[derive(Debug, Serialize)]
struct RecordedPrediction {
    image: String,
    label: Option<usize>,
    predicted: usize,
    /// The name of the predicted class.
    predicted_name: String,
    confidence: f64,
    probabilities: Vec<f64>,
    picture: Option<PathBuf>,
    prepared: Option<PathBuf>,
    /// The preparation of a picture file.
    #[serde(skip_serializing_if = "Option::is_none")]
    preparation: Option<Preparation>,
    /// The number of a digit on its sheet, in reading order from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    digit: Option<usize>,
    /// The place of a digit on its sheet.
    #[serde(rename = "box", skip_serializing_if = "Option::is_none")]
    area: Option<Area>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Warning>,
}

/// A reason to mistrust a prediction.
#[derive(Debug, Serialize)]
struct Warning {
    kind: Doubt,
    message: String,
}

/// Answers about all images of a command, in the order of the images.
pub(super) struct Answers {
    /// The first predictions: those in the table and those to draw.
    first: Vec<ImagePrediction>,
    num_pictures: usize,
    unreadable: Vec<UnreadablePicture>,
    /// The names of the images with doubtful predictions, each with its reasons.
    doubtful: Vec<(String, Vec<Doubt>)>,
    /// The records of all images. `None` without `--json`.
    records: Option<Vec<RecordedAnswer>>,
    /// The CSV files.
    exports: Exports,
    class_names: Vec<String>,
    counts: Counts,
}

/// Numbers of images.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Images with a prediction.
    pub(super) predicted: usize,
    /// Images with a prediction and a label.
    pub(super) labelled: usize,
    /// Images whose prediction is their label.
    pub(super) right: usize,
    /// Pictures with each preparation.
    pub(super) digits: usize,
    pub(super) whole: usize,
    pub(super) as_they_are: usize,
}

impl Answers {
    /// Begins without answers about images of `classes`. Pictures of `num_pictures` answers are drawn.
    pub(super) fn new(num_pictures: usize, json: bool, exports: Exports, classes: &Classes) -> Self {
        Self {
            first: Vec::new(),
            num_pictures,
            unreadable: Vec::new(),
            doubtful: Vec::new(),
            records: json.then(Vec::new),
            exports,
            class_names: classes.names().to_vec(),
            counts: Counts::default(),
        }
    }

    /// Number of all answers.
    pub(super) fn len(&self) -> usize {
        self.counts.predicted + self.unreadable.len()
    }

    /// Number of predictions.
    pub(super) fn num_predicted(&self) -> usize {
        self.counts.predicted
    }

    /// Adds the answer about a picture.
    ///
    /// # Errors
    /// A row of a CSV file that cannot be made.
    pub(super) fn add_answer(&mut self, answer: PictureAnswer) -> Result<()> {
        match answer {
            Ok(prediction) => self.add(prediction),
            Err(unreadable) => self.add_unreadable(unreadable),
        }
    }

    /// Adds a prediction.
    ///
    /// # Errors
    /// As [`Answers::add_answer`].
    pub(super) fn add(&mut self, image: ImagePrediction) -> Result<()> {
        self.exports.add(&image)?;
        self.counts.add(&image);
        if !image.doubts.is_empty() {
            self.doubtful.push((image.image.name(), image.doubts.clone()));
        }
        if let Some(records) = &mut self.records {
            let (name, place) = match &image.image {
                ImageRef::Digit { path, number, area } => {
                    (path.display().to_string(), Some((*number, *area)))
                }
                other => (other.name(), None),
            };
            let warning = |&kind: &Doubt| Warning { kind, message: kind.to_string() };
            records.push(RecordedAnswer::Prediction(RecordedPrediction {
                image: name,
                label: image.image.label(),
                predicted: image.prediction.class,
                predicted_name: self.class_names[image.prediction.class].clone(),
                confidence: image.prediction.confidence(),
                probabilities: image.prediction.probabilities(),
                picture: None,
                prepared: None,
                preparation: image.preparation,
                digit: place.map(|(number, _)| number),
                area: place.map(|(_, area)| area),
                warnings: image.doubts.iter().map(warning).collect(),
            }));
        }
        if self.first.len() < self.num_pictures.max(MAX_ROWS) {
            self.first.push(image);
        }
        Ok(())
    }

    /// Adds a picture that cannot be read.
    fn add_unreadable(&mut self, unreadable: UnreadablePicture) -> Result<()> {
        self.exports.add_unreadable(&unreadable)?;
        if let Some(records) = &mut self.records {
            records.push(RecordedAnswer::Error {
                image: unreadable.path.display().to_string(),
                error: unreadable.error.message().to_owned(),
                hint: unreadable.error.hint_text().map(str::to_owned),
            });
        }
        self.unreadable.push(unreadable);
        Ok(())
    }

    /// The predictions of which pictures are drawn.
    pub(super) fn to_draw(&self) -> &[ImagePrediction] {
        &self.first[..self.first.len().min(self.num_pictures)]
    }

    /// Prints the predictions: one in full, several as a table.
    pub(super) fn print(&self, saved: &LoadedModel, output: &Output) {
        let classes = &self.class_names;
        match &self.first[..] {
            [] => {}
            [image] if self.len() == 1 => {
                screen::print_one(image, saved.info.data.layout, classes, output);
            }
            images => screen::print_table(&images[..images.len().min(MAX_ROWS)], classes, output),
        }
        if self.counts.predicted > MAX_ROWS {
            screen::print_omitted(self.counts.predicted - MAX_ROWS, output);
        }
    }

    /// Writes the CSV files, prints the pictures that cannot be read and the last line, and writes the
    /// record. Returns false if a picture cannot be read.
    ///
    /// # Errors
    /// A file or a record that cannot be written.
    pub(super) fn finish(
        mut self,
        saved: &LoadedModel,
        pictures: &[PredictionPictures],
        output: &Output,
    ) -> Result<bool> {
        let num_answers = self.len();
        for path in self.exports.write()? {
            output.line(&format!("predictions: {}", path.display()));
        }
        screen::print_doubts(&self.doubtful, output);
        screen::print_unreadable(&self.unreadable, output);
        if num_answers > 1 {
            screen::print_counts(&self.counts, self.unreadable.len(), output);
        }
        if let Some(records) = &mut self.records {
            add_pictures(records, pictures);
            let run = saved.folder.path();
            let records: Vec<_> = records.iter().map(|answer| Record { run, answer }).collect();
            output.record(&records)?;
        }
        Ok(self.unreadable.is_empty())
    }
}

/// Adds the pictures to the records of the first predictions.
fn add_pictures(records: &mut [RecordedAnswer], pictures: &[PredictionPictures]) {
    let predictions = records.iter_mut().filter_map(|record| match record {
        RecordedAnswer::Prediction(prediction) => Some(prediction),
        RecordedAnswer::Error { .. } => None,
    });
    for (prediction, drawn) in predictions.zip(pictures) {
        prediction.picture = Some(drawn.path.clone());
        prediction.prepared.clone_from(&drawn.prepared);
    }
}

impl Counts {
    fn add(&mut self, image: &ImagePrediction) {
        self.predicted += 1;
        if let Some(label) = image.image.label() {
            self.labelled += 1;
            self.right += usize::from(label == image.prediction.class);
        }
        match image.preparation {
            Some(Preparation::Digits) => self.digits += 1,
            Some(Preparation::Whole) => self.whole += 1,
            Some(Preparation::None) => self.as_they_are += 1,
            None => {}
        }
    }
}
