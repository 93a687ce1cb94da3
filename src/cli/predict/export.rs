//! Owns the CSV files of `predict`: one with everything that is known of each image, and one as
//! Kaggle's digit recognizer takes it. A file appears whole, after the last image.

use std::path::{Path, PathBuf};

use csv::Writer;

use crate::data::Classes;
use crate::error::{Error, Result};
use crate::pipeline::{ImagePrediction, ImageRef, UnreadablePicture};
use crate::util::files;

/// The files that a user asked for, with the rows so far.
pub(super) struct Exports {
    /// The file of `--csv`.
    table: Option<CsvFile>,
    /// The file of `--submission`.
    submission: Option<CsvFile>,
    classes: Classes,
}

/// A CSV file that is written at the end.
struct CsvFile {
    path: PathBuf,
    writer: Writer<Vec<u8>>,
}

impl Exports {
    /// Begins the files at these paths.
    ///
    /// # Errors
    /// A folder that does not exist.
    pub(super) fn new(table: Option<&Path>, submission: Option<&Path>, classes: &Classes) -> Result<Self> {
        let probabilities = classes.names().iter().map(|name| format!("p_{name}"));
        let header = ["image", "label", "predicted", "confidence", "runner_up", "runner_up_confidence"];
        let header = header
            .map(str::to_owned)
            .into_iter()
            .chain(probabilities)
            .chain(["warning", "error"].map(str::to_owned));
        let submission_header = ["ImageId", "Label"].map(str::to_owned);
        Ok(Self {
            table: table.map(|path| CsvFile::new(path, header)).transpose()?,
            submission: submission.map(|path| CsvFile::new(path, submission_header)).transpose()?,
            classes: classes.clone(),
        })
    }

    /// Adds the rows of a prediction.
    ///
    /// # Errors
    /// None in practice: the rows are in memory.
    pub(super) fn add(&mut self, image: &ImagePrediction) -> Result<()> {
        if let Some(table) = &mut self.table {
            table.add(table_row(image, self.classes.names()))?;
        }
        if let (Some(submission), ImageRef::Index { index, .. }) = (&mut self.submission, &image.image) {
            let label = &self.classes.labels()[image.prediction.class];
            submission.add([(index + 1).to_string(), label.clone()])?;
        }
        Ok(())
    }

    /// Adds the row of a picture that cannot be read.
    ///
    /// # Errors
    /// As [`Exports::add`].
    pub(super) fn add_unreadable(&mut self, unreadable: &UnreadablePicture) -> Result<()> {
        let Some(table) = &mut self.table else { return Ok(()) };
        let empty = std::iter::repeat_n(String::new(), 6 + self.classes.len());
        let image = unreadable.path.display().to_string();
        table.add([image].into_iter().chain(empty).chain([unreadable.error.message().to_owned()]))
    }

    /// Writes the files and returns their paths.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub(super) fn write(self) -> Result<Vec<PathBuf>> {
        [self.table, self.submission].into_iter().flatten().map(CsvFile::write).collect()
    }
}

/// Row of the file of `--csv`.
fn table_row(image: &ImagePrediction, classes: &[String]) -> impl Iterator<Item = String> {
    let probabilities = image.prediction.probabilities();
    let runner_up = image.prediction.runner_up();
    let name = match &image.image {
        ImageRef::Index { index, .. } => index.to_string(),
        ImageRef::Digit { .. } | ImageRef::File { .. } => image.image.name(),
    };
    let cells = [
        name,
        image.image.label().map_or_else(String::new, |label| classes[label].clone()),
        classes[image.prediction.class].clone(),
        image.prediction.confidence().to_string(),
        runner_up.map_or_else(String::new, |class| classes[class].clone()),
        runner_up.map_or_else(String::new, |class| probabilities[class].to_string()),
    ];
    let probabilities = probabilities.into_iter().map(|probability| probability.to_string());
    let warnings: Vec<String> = image.doubts.iter().map(ToString::to_string).collect();
    cells.into_iter().chain(probabilities).chain([warnings.join("; "), String::new()])
}

impl CsvFile {
    fn new(path: &Path, header: impl IntoIterator<Item = String>) -> Result<Self> {
        files::check_parent(path)?;
        let mut file = Self { path: path.to_owned(), writer: Writer::from_writer(Vec::new()) };
        file.add(header)?;
        Ok(file)
    }

    fn add(&mut self, row: impl IntoIterator<Item = String>) -> Result<()> {
        self.writer.write_record(row).map_err(|error| failed(&self.path, &error))
    }

    fn write(self) -> Result<PathBuf> {
        let bytes = self.writer.into_inner().map_err(|error| failed(&self.path, error.error()))?;
        files::write(&self.path, &bytes)?;
        Ok(self.path)
    }
}

/// Error of a row that cannot be made.
fn failed(path: &Path, reason: &dyn std::fmt::Display) -> Error {
    Error::new(format!("cannot write `{}`: {reason}", path.display()))
}
