//! Owns the calibration error: the gap between a network's confidence and its accuracy. Must not
//! know networks: it takes confidences and whether each prediction is correct.

use serde::{Deserialize, Serialize};

/// Number of bins of equal width over the confidences (0, 1].
const NUM_BINS: usize = 15;

/// Expected calibration error of Guo et al. 2017 ("On Calibration of Modern Neural Networks"), with
/// their 15 bins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Mean over all images of |accuracy − confidence| of their bin, in [0, 1]. 0 is best.
    pub error: f64,
    /// The bins, in ascending order of confidence.
    pub bins: Vec<CalibrationBin>,
}

/// Images whose predictions have about the same confidence.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CalibrationBin {
    /// Number of images in the bin.
    pub num_images: u64,
    /// Mean confidence of the images, in [0, 1]. 0 if the bin is empty.
    pub confidence: f64,
    /// Fraction of the images that is classified correctly, in [0, 1]. 0 if the bin is empty.
    pub accuracy: f64,
}

impl Calibration {
    /// Computes the calibration error. For each image, `predictions` has the confidence, in [0, 1], and
    /// whether the image is classified correctly.
    pub fn measure(predictions: impl Iterator<Item = (f64, bool)>) -> Self {
        let mut bins = vec![CalibrationBin::default(); NUM_BINS];
        let mut num_images = 0.0;
        for (confidence, correct) in predictions {
            // The first bin is (0, 1/15], the second (1/15, 2/15]: a bin contains its upper end.
            let place = (confidence * NUM_BINS as f64).ceil() as usize;
            let bin = &mut bins[place.clamp(1, NUM_BINS) - 1];
            bin.num_images += 1;
            bin.confidence += confidence;
            bin.accuracy += f64::from(u8::from(correct));
            num_images += 1.0;
        }
        // The bins still contain sums here, so each gap is weighted with the bin's number of
        // images.
        let gap: f64 = bins.iter().map(|bin| (bin.accuracy - bin.confidence).abs()).sum();
        for bin in &mut bins {
            let count = bin.num_images.max(1) as f64;
            bin.confidence /= count;
            bin.accuracy /= count;
        }
        Self { error: gap / f64::max(num_images, 1.0), bins }
    }
}

#[cfg(test)]
mod tests;
