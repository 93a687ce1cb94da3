//! What a saved network says of single images, from its data set or from picture files.

use std::path::{Path, PathBuf};

use burn::tensor::Device;

use super::SplitName;
use crate::data::{Images, Layout, Split, read_digit};
use crate::error::Result;
use crate::evaluation::{Prediction, predict};
use crate::model::Mlp;

/// An image and what a network says of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Which image.
    pub image: Asked,
    /// The image as the network sees it, row-major, 0 is background.
    pub pixels: Vec<u8>,
    /// What the network says.
    pub prediction: Prediction,
}

/// Where an image comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// An image of the data set, whose class is known.
    Index {
        /// The split.
        split: SplitName,
        /// Its position in there, from 0.
        index: usize,
        /// Its true class.
        label: usize,
    },
    /// A picture file.
    File(PathBuf),
}

impl Asked {
    /// What people call it: `test image 7` or the file's path.
    pub fn name(&self) -> String {
        match self {
            Self::Index { split, index, .. } => format!("{split} image {index}"),
            Self::File(path) => path.display().to_string(),
        }
    }

    /// What its pictures are called: `test-7` or the file's name without its ending.
    pub fn stem(&self) -> String {
        match self {
            Self::Index { split, index, .. } => format!("{split}-{index}"),
            Self::File(path) => path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
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

/// Asks `model` about the images at `indices` of `split`, called `name`.
///
/// # Errors
/// An index beyond the split's last image, or a device that fails.
pub fn ask_about(
    model: &Mlp,
    split: &Split,
    name: SplitName,
    indices: &[usize],
    device: &Device,
) -> Result<Vec<Answer>> {
    let mut asked = Vec::with_capacity(indices.len());
    for &index in indices {
        let (pixels, label) = split.get(index, &name.to_string())?;
        asked.push((Asked::Index { split: name, index, label: label.into() }, pixels.to_vec()));
    }
    let positions: Vec<u32> = indices.iter().map(|&index| index as u32).collect();
    let predictions = predict(model, split, &positions, device)?;
    Ok(answers(asked, predictions))
}

/// Asks `model`, trained on images of `layout`, about the digits in picture files.
///
/// # Errors
/// As [`read_digit`]'s, or a device that fails.
pub fn ask_about_files(
    model: &Mlp,
    layout: Layout,
    files: &[PathBuf],
    device: &Device,
) -> Result<Vec<Answer>> {
    let Layout { height, width, .. } = layout;
    let read = |path: &Path| read_digit(path, height, width);
    let digits = files.iter().map(|path| read(path)).collect::<Result<Vec<_>>>()?;
    let images = Images {
        pixels: digits.concat(),
        // Nobody knows their classes, and nothing here asks.
        labels: vec![0; digits.len()],
        height,
        width,
        images_name: "pictures".to_owned(),
        labels_name: "pictures".to_owned(),
    };
    let positions: Vec<u32> = (0..digits.len() as u32).collect();
    let predictions = predict(model, &Split::whole(images), &positions, device)?;
    let asked = files.iter().cloned().map(Asked::File).zip(digits).collect();
    Ok(answers(asked, predictions))
}

fn answers(asked: Vec<(Asked, Vec<u8>)>, predictions: Vec<Prediction>) -> Vec<Answer> {
    asked
        .into_iter()
        .zip(predictions)
        .map(|((image, pixels), prediction)| Answer { image, pixels, prediction })
        .collect()
}
