//! Predictions of a trained network for single images, from a data set or from picture files.

use std::path::PathBuf;

use crate::data::{ImageDataset, InputSpec, Split, read_digit};
use crate::error::Result;
use crate::evaluation::{Prediction, predict};
use crate::pipeline::{EvalSet, LoadedModel};

/// An image and the network's prediction for it.
#[derive(Debug, Clone, PartialEq)]
pub struct ImagePrediction {
    /// The origin of the image.
    pub image: ImageRef,
    /// The image as the network sees it, row by row, 0 is background.
    pub pixels: Vec<u8>,
    /// The prediction.
    pub prediction: Prediction,
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
    /// A picture file.
    File(PathBuf),
}

impl ImageRef {
    /// Returns the name for people: `test image 7` or the path of the file.
    pub fn name(&self) -> String {
        match self {
            Self::Index { images, index, .. } => format!("{images} image {index}"),
            Self::File(path) => path.display().to_string(),
        }
    }

    /// Returns the stem of the names of its pictures: `test-7`, or `file-` and the first 60
    /// characters of the file's name.
    pub(super) fn stem(&self) -> String {
        match self {
            Self::Index { tag, index, .. } => format!("{tag}-{index}"),
            Self::File(path) => {
                let name = path.file_stem().unwrap_or_default().to_string_lossy();
                format!("file-{}", name.chars().take(60).collect::<String>())
            }
        }
    }

    /// Returns the true class, if it is known.
    pub fn label(&self) -> Option<usize> {
        match self {
            Self::Index { label, .. } => *label,
            Self::File(_) => None,
        }
    }
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
            images.push((image, pixels.to_vec()));
        }
        let indices: Vec<u32> = indices.iter().map(|&index| index as u32).collect();
        let predictions = predict(&self.model, split, &indices, &self.handle.device)?;
        Ok(image_predictions(images, predictions))
    }

    /// Predicts the classes of the digits in picture `files`.
    ///
    /// # Errors
    /// Those of [`read_digit`], or a device that fails.
    pub fn predict_files(&self, files: &[PathBuf]) -> Result<Vec<ImagePrediction>> {
        let InputSpec { height, width, .. } = self.info.data.layout;
        let read = |path: &PathBuf| read_digit(path, height, width);
        let digits = files.iter().map(read).collect::<Result<Vec<_>>>()?;
        let images = ImageDataset {
            pixels: digits.concat(),
            labels: Vec::new(),
            height,
            width,
            images_name: "pictures".to_owned(),
        };
        let indices: Vec<u32> = (0..digits.len() as u32).collect();
        let predictions = predict(&self.model, &Split::whole(images), &indices, &self.handle.device)?;
        let images = files.iter().cloned().map(ImageRef::File).zip(digits).collect();
        Ok(image_predictions(images, predictions))
    }
}

fn image_predictions(images: Vec<(ImageRef, Vec<u8>)>, predictions: Vec<Prediction>) -> Vec<ImagePrediction> {
    images
        .into_iter()
        .zip(predictions)
        .map(|((image, pixels), prediction)| ImagePrediction { image, pixels, prediction })
        .collect()
}
