//! Owns measures of single images that tell digits from noise and filled shapes, and the doubt
//! about an image whose measures no training image has. Must not know labels or words.

use serde::{Deserialize, Serialize};

use super::appearance::Polarity;
use crate::data::preprocess::Doubt;

/// Share of the training images, at each end, that lie outside of a range.
const TAIL: f64 = 0.001;

/// Part of a range's length by which it is widened at each end.
const MARGIN: f64 = 0.1;

/// Number of widths of a filled area in the side of an image: an area of 5 × 5 in 28 × 28.
const AREAS_PER_SIDE: usize = 12;

/// Ranges of the training images' measures: 99.8 % of them are in each range. A range is its
/// smallest and its largest value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Shape {
    /// Mean of all pixels, from 0 (background) to 1.
    pub ink: [f64; 2],
    /// Sum of the differences between neighbours, in units of the sum of all pixels. It is about 2
    /// for lines one pixel wide, and small for large areas.
    pub roughness: [f64; 2],
    /// Share of the ink's pixels around which everything is ink, as far as a twelfth of half of the
    /// image's side.
    pub filled: [f64; 2],
}

/// The three measures of one image, in the order of [`Shape`]'s fields.
type Measures = [f64; 3];

impl Shape {
    /// Measures the images, which have `width` columns. Returns nothing without images.
    pub(super) fn of<'a>(
        images: impl Iterator<Item = &'a [u8]>,
        width: usize,
        polarity: Polarity,
    ) -> Option<Self> {
        let measures: Vec<Measures> = images.map(|image| measure(image, width, polarity)).collect();
        if measures.is_empty() {
            return None;
        }
        let range = |which: usize| {
            let mut values: Vec<f64> = measures.iter().map(|it| it[which]).collect();
            values.sort_by(f64::total_cmp);
            let tail = (values.len() as f64 * TAIL) as usize;
            [values[tail], values[values.len() - 1 - tail]]
        };
        Some(Self { ink: range(0), roughness: range(1), filled: range(2) })
    }

    /// Returns the reason for which no training image is like this one.
    pub(super) fn doubt_about(&self, image: &[u8], width: usize, polarity: Polarity) -> Option<Doubt> {
        let [ink, roughness, filled] = measure(image, width, polarity);
        let side = |[low, high]: [f64; 2], value: f64| {
            let margin = MARGIN * (high - low);
            (value < low - margin || value > high + margin).then_some(value < low)
        };
        match (side(self.ink, ink), side(self.roughness, roughness), side(self.filled, filled)) {
            (Some(true), ..) => Some(Doubt::LittleInk),
            (_, Some(false), _) => Some(Doubt::Rough),
            (.., Some(false)) => Some(Doubt::Filled),
            (Some(false), ..) => Some(Doubt::MuchInk),
            (_, Some(true), _) => Some(Doubt::Smooth),
            _ => None,
        }
    }
}

/// Measures an image with `width` columns.
fn measure(image: &[u8], width: usize, polarity: Polarity) -> Measures {
    let ink: Vec<u8> = match polarity {
        Polarity::DarkOnLight => image.iter().map(|byte| 255 - byte).collect(),
        _ => image.to_vec(),
    };
    let width = width.max(1);
    let sum: f64 = ink.iter().map(|&value| f64::from(value)).sum();
    let steps =
        |one: &[u8], two: &[u8]| one.iter().zip(two).map(|(&a, &b)| f64::from(a.abs_diff(b))).sum::<f64>();
    let across: f64 = ink.chunks(width).map(|row| steps(row, row.get(1..).unwrap_or_default())).sum();
    let down = steps(&ink, ink.get(width..).unwrap_or_default());
    let strong: Vec<bool> = ink.iter().map(|&value| value >= 128).collect();
    let height = ink.len() / width;
    let radius = (height.min(width) / AREAS_PER_SIDE).max(1);
    let count = strong.iter().filter(|&&is_strong| is_strong).count();
    let inside = erode(&transpose(&erode(&strong, width, radius), width), height, radius);
    let inside = inside.iter().filter(|&&is_strong| is_strong).count();
    [
        sum / 255.0 / ink.len().max(1) as f64,
        (across + down) / sum.max(1.0),
        inside as f64 / count.max(1) as f64,
    ]
}

/// Keeps the values whose neighbours in the row are all true, as far as `radius`. Beyond the image
/// is nothing.
fn erode(values: &[bool], width: usize, radius: usize) -> Vec<bool> {
    let mut eroded = Vec::with_capacity(values.len());
    for row in values.chunks(width.max(1)) {
        let mut run = 0;
        let start = eroded.len();
        eroded.resize(start + row.len(), false);
        for (column, &value) in row.iter().enumerate() {
            run = if value { run + 1 } else { 0 };
            if run > 2 * radius {
                eroded[start + column - radius] = true;
            }
        }
    }
    eroded
}

/// Swaps rows and columns of an image with `width` columns.
fn transpose(values: &[bool], width: usize) -> Vec<bool> {
    let height = values.len() / width.max(1);
    (0..width).flat_map(|column| (0..height).map(move |row| values[row * width + column])).collect()
}

#[cfg(test)]
mod tests;
