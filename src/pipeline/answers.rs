//! What a saved network says of single images, from its data set or from picture files.

use std::path::PathBuf;

use crate::data::{ImageDataset, InputSpec, Split, read_digit};
use crate::error::Result;
use crate::evaluation::{Prediction, predict};
use crate::pipeline::{EvalSet, LoadedModel};

/// An image and what a network says of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ImagePrediction {
    /// Which image.
    pub image: ImageRef,
    /// The image as the network sees it, row-major, 0 is background.
    pub pixels: Vec<u8>,
    /// What the network says.
    pub prediction: Prediction,
}

/// Where an image comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageRef {
    /// An image of the data set, whose class is known.
    Index {
        /// The images, as people call them; see [`EvalSet::describe`].
        images: String,
        /// The same for files; see [`EvalSet::tag`].
        tag: String,
        /// Its position in there, from 0.
        index: usize,
        /// Its true class.
        label: usize,
    },
    /// A picture file.
    File(PathBuf),
}

impl ImageRef {
    /// What people call it: `test image 7` or the file's path.
    pub fn name(&self) -> String {
        match self {
            Self::Index { images, index, .. } => format!("{images} image {index}"),
            Self::File(path) => path.display().to_string(),
        }
    }

    /// What its pictures are called: `test-7`, or `file-` and the beginning of the file's name.
    pub(super) fn stem(&self) -> String {
        match self {
            Self::Index { tag, index, .. } => format!("{tag}-{index}"),
            Self::File(path) => {
                let name = path.file_stem().unwrap_or_default().to_string_lossy();
                format!("file-{}", name.chars().take(60).collect::<String>())
            }
        }
    }

    /// Its true class, where it is known.
    pub fn label(&self) -> Option<usize> {
        match self {
            Self::Index { label, .. } => Some(*label),
            Self::File(_) => None,
        }
    }
}

impl LoadedModel {
    /// Asks the network about the images at `indices` of `subject`.
    ///
    /// # Errors
    /// An index beyond the last image, or a device that fails.
    pub fn ask_about(&self, subject: &EvalSet, indices: &[usize]) -> Result<Vec<ImagePrediction>> {
        let EvalSet { split, name, tag, .. } = subject;
        let mut asked = Vec::with_capacity(indices.len());
        for &index in indices {
            let (pixels, label) = split.get(index, &name.to_string())?;
            let (images, tag) = (subject.describe(), tag.clone());
            asked.push((ImageRef::Index { images, tag, index, label: label.into() }, pixels.to_vec()));
        }
        let positions: Vec<u32> = indices.iter().map(|&index| index as u32).collect();
        let predictions = predict(&self.model, split, &positions, &self.opened.device)?;
        Ok(answers(asked, predictions))
    }

    /// Asks the network about the digits in picture files.
    ///
    /// # Errors
    /// As [`read_digit`]'s, or a device that fails.
    pub fn ask_about_files(&self, files: &[PathBuf]) -> Result<Vec<ImagePrediction>> {
        let InputSpec { height, width, .. } = self.info.data.layout;
        let read = |path: &PathBuf| read_digit(path, height, width);
        let digits = files.iter().map(read).collect::<Result<Vec<_>>>()?;
        let images = ImageDataset {
            pixels: digits.concat(),
            // Nobody knows their classes, and nothing here asks.
            labels: vec![0; digits.len()],
            height,
            width,
            images_name: "pictures".to_owned(),
            labels_name: "pictures".to_owned(),
        };
        let positions: Vec<u32> = (0..digits.len() as u32).collect();
        let predictions = predict(&self.model, &Split::whole(images), &positions, &self.opened.device)?;
        Ok(answers(files.iter().cloned().map(ImageRef::File).zip(digits).collect(), predictions))
    }
}

fn answers(asked: Vec<(ImageRef, Vec<u8>)>, predictions: Vec<Prediction>) -> Vec<ImagePrediction> {
    asked
        .into_iter()
        .zip(predictions)
        .map(|((image, pixels), prediction)| ImagePrediction { image, pixels, prediction })
        .collect()
}
