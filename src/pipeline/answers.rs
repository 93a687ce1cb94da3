//! Predictions of a trained network for single images, from a data set or from picture files.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Serialize;

use crate::data::{Doubt, ImageDataset, InputSpec, PictureFile, Preparation, PreparedImage, Split};
use crate::error::{Error, Result};
use crate::evaluation::{Prediction, predict};
use crate::pipeline::{EvalSet, LoadedModel};
use crate::util::threads;

/// An image and the network's prediction for it.
#[derive(Debug, Clone, PartialEq)]
pub struct ImagePrediction {
    /// The origin of the image.
    pub image: ImageRef,
    /// The image as the network sees it: row-major, 0 is the network's 0.
    pub pixels: Vec<u8>,
    /// The prediction.
    pub prediction: Prediction,
    /// The preparation of a picture file. `None` for an image of a data set.
    pub preparation: Option<Preparation>,
    /// Reasons to mistrust the prediction. There are none for an image of a data set.
    pub doubts: Vec<Doubt>,
}

/// A picture file that cannot be read or shows nothing.
#[derive(Debug)]
pub struct UnreadablePicture {
    /// The path of the file.
    pub path: PathBuf,
    /// The reason.
    pub error: Error,
}

/// The answer about one picture file.
pub type PictureAnswer = std::result::Result<ImagePrediction, UnreadablePicture>;

/// A rectangle in a picture that was turned upright and has sides of at most 2048 pixels. A larger
/// picture is shrunk to that first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Area {
    /// First row.
    pub top: usize,
    /// First column.
    pub left: usize,
    /// Number of rows.
    pub height: usize,
    /// Number of columns.
    pub width: usize,
}

/// The origin of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageRef {
    /// An image of a data set.
    Index {
        /// The name of the images for people. See [`EvalSet::describe`].
        images: String,
        /// The name of the images in file names. See [`EvalSet::tag`].
        tag: String,
        /// The index of the image among them, from 0.
        index: usize,
        /// The true class. `None` if the images have no labels.
        label: Option<usize>,
    },
    /// One digit of a picture of many.
    Digit {
        /// The path of the picture.
        path: PathBuf,
        /// The number of the digit in reading order, from 1.
        number: usize,
        /// The place of the digit.
        area: Area,
    },
    /// A picture file.
    File {
        /// The path of the file.
        path: PathBuf,
        /// The true class, if the file is in a folder with the name of a class. See
        /// [`PictureFile::folder`].
        label: Option<usize>,
    },
}

impl ImageRef {
    /// Returns the name for people: `test image 7` or the path of the file.
    pub fn name(&self) -> String {
        match self {
            Self::Index { images, index, .. } => format!("{images} image {index}"),
            Self::Digit { path, number, .. } => format!("{} digit {number}", path.display()),
            Self::File { path, .. } => path.display().to_string(),
        }
    }

    /// Returns the stem of the names of its pictures: `test-7`, or `file-` and the first 60
    /// characters of the file's name.
    pub(super) fn stem(&self) -> String {
        match self {
            Self::Index { tag, index, .. } => format!("{tag}-{index}"),
            Self::Digit { path, number, .. } => format!("sheet-{}-{number}", short_stem(path)),
            Self::File { path, .. } => format!("file-{}", short_stem(path)),
        }
    }

    /// Returns the true class, if it is known.
    pub fn label(&self) -> Option<usize> {
        match self {
            Self::Index { label, .. } | Self::File { label, .. } => *label,
            Self::Digit { .. } => None,
        }
    }
}

/// The first 60 characters of a file's name without its ending.
pub(super) fn short_stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().chars().take(60).collect()
}

impl LoadedModel {
    /// Predicts the classes of the images at `indices` of `eval_set`.
    ///
    /// # Errors
    /// An index beyond the last image, or a device that fails.
    pub fn predict(&self, eval_set: &EvalSet, indices: &[usize]) -> Result<Vec<ImagePrediction>> {
        let EvalSet { split, name, tag, .. } = eval_set;
        let mut images = Vec::with_capacity(indices.len());
        for &index in indices {
            let (pixels, label) = split.get(index, &name.to_string())?;
            let label = split.is_labelled().then_some(usize::from(label));
            let (set, tag) = (eval_set.describe(), tag.clone());
            let image = ImageRef::Index { images: set, tag, index, label };
            images.push((image, pixels.into_owned()));
        }
        let indices: Vec<u32> = indices.iter().map(|&index| index as u32).collect();
        let predictions = predict(&self.model, split, &indices, &self.handle.device)?;
        let pairs = images.into_iter().zip(predictions);
        Ok(pairs
            .map(|((image, pixels), prediction)| ImagePrediction {
                image,
                pixels,
                prediction,
                preparation: None,
                doubts: Vec::new(),
            })
            .collect())
    }

    /// Predicts the classes of the pictures in `files`. Each picture is prepared as the training
    /// images were, or by `wanted`. A picture that cannot be read is an answer, too: the others are
    /// predicted.
    ///
    /// # Errors
    /// A device that fails.
    pub fn predict_files(
        &self,
        files: &[PictureFile],
        wanted: Option<Preparation>,
    ) -> Result<Vec<PictureAnswer>> {
        // Pictures are read on the threads that compute.
        threads::start(None).map_err(Error::thread)?;
        let preparer = self.info.data.picture_preparer(wanted);
        let prepared: Vec<Result<PreparedImage>> =
            files.par_iter().map(|file| preparer.prepare(&file.path)).collect();
        let pixels: Vec<&[u8]> = prepared.iter().flatten().map(|image| &image.pixels[..]).collect();
        let mut predictions = self.predict_pixels(&pixels)?.into_iter();
        let answers = files.iter().zip(prepared).filter_map(|(file, prepared)| match prepared {
            Ok(PreparedImage { pixels, preparation, doubts }) => {
                let image = ImageRef::File { path: file.path.clone(), label: self.class_of(file) };
                let prediction = predictions.next()?;
                let preparation = Some(preparation);
                Some(Ok(ImagePrediction { image, pixels, prediction, preparation, doubts }))
            }
            Err(error) => Some(Err(UnreadablePicture { path: file.path.clone(), error })),
        });
        Ok(answers.collect())
    }

    /// Predicts images of the network's size.
    pub(super) fn predict_pixels(&self, pixels: &[&[u8]]) -> Result<Vec<Prediction>> {
        let InputSpec { height, width, .. } = self.info.data.layout;
        let indices: Vec<u32> = (0..pixels.len() as u32).collect();
        let images = ImageDataset {
            pixels: pixels.concat().into(),
            labels: Vec::new(),
            height,
            width,
            images_name: "pictures".to_owned(),
        };
        predict(&self.model, &Split::whole(images), &indices, &self.handle.device)
    }

    /// Returns the class whose name, or else whose label, is the name of the file's folder.
    fn class_of(&self, file: &PictureFile) -> Option<usize> {
        let folder = file.folder.as_ref()?;
        let classes = self.info.data.classes();
        let position = |texts: &[String]| texts.iter().position(|text| text == folder);
        position(classes.names()).or_else(|| position(classes.labels()))
    }
}
