//! Whether a network is as sure as it is right.

use serde::{Deserialize, Serialize};

/// Bins of equal width over the confidences (0, 1].
const NUM_BINS: usize = 15;

/// The expected calibration error of Guo et al. 2017 ("On Calibration of Modern Neural Networks"), with their 15 bins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The mean over all images of |accuracy − confidence| of their bin, in [0, 1]; 0 is best.
    pub error: f64,
    /// The bins, those of low confidence first.
    pub bins: Vec<CalibrationBin>,
}

/// The images of which a network is about equally sure.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CalibrationBin {
    /// How many.
    pub num_images: u64,
    /// Their mean confidence, in [0, 1]; 0 where there are none.
    pub confidence: f64,
    /// The share of them that is classified correctly, in [0, 1]; 0 where there are none.
    pub accuracy: f64,
}

impl Calibration {
    /// From each image's confidence and whether it is classified correctly.
    pub fn measure(answers: impl Iterator<Item = (f64, bool)>) -> Self {
        let mut bins = vec![CalibrationBin::default(); NUM_BINS];
        let mut num_images = 0.0;
        for (confidence, correct) in answers {
            // The first bin is (0, 1/15], so its upper end belongs to it.
            let place = (confidence * NUM_BINS as f64).ceil() as usize;
            let bin = &mut bins[place.clamp(1, NUM_BINS) - 1];
            bin.num_images += 1;
            bin.confidence += confidence;
            bin.accuracy += f64::from(u8::from(correct));
            num_images += 1.0;
        }
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
mod tests {
    use super::*;

    #[test]
    fn bins_by_hand() {
        let answers = [(0.2, true), (0.19, false), (0.95, true), (1.0, true), (0.21, false)];
        let calibration = Calibration::measure(answers.into_iter());
        let counts: Vec<_> = calibration.bins.iter().map(|bin| bin.num_images).collect();
        // 0.19 and 0.2 are in (2/15, 3/15], 0.21 is in the next.
        assert_eq!(counts, [0, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
        assert_eq!(calibration.bins[2].accuracy, 0.5);
        assert!((calibration.bins[2].confidence - 0.195).abs() < 1e-12);
        assert!((calibration.bins[14].confidence - 0.975).abs() < 1e-12);
        // |1 − 0.39| + |0 − 0.21| + |2 − 1.95|, over five images.
        assert!((calibration.error - (0.61 + 0.21 + 0.05) / 5.0).abs() < 1e-12);
    }
}
