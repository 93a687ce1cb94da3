//! Owns the `[augmentation]` section of an experiment: which changes the training images get, each
//! with its range. Must not know how an image is changed.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, ensure};
use crate::util::format::{grouped, significant};

/// Largest shift, in pixels.
const MAX_SHIFT: f64 = 1000.0;
/// Largest shear, in degrees. Beyond it, an image is little more than a line.
const MAX_SHEAR: f64 = 60.0;
/// Largest strength of the elastic distortion.
const MAX_ALPHA: f64 = 10_000.0;
/// Side from which on pixels cannot be moved: the places of pixels are computed with 32 bits.
const SIDE_LIMIT: usize = 1 << 22;
/// Smallest and largest smoothness of the elastic distortion, in pixels.
const SIGMA_RANGE: [f64; 2] = [0.5, 100.0];

/// The `[augmentation]` section: random changes of the training images, drawn anew in each epoch.
/// Everything is off by default. Validation and test images are never changed.
///
/// Each range is symmetric: a rotation of 15 draws an angle between -15 and 15 degrees, with the same
/// probability for every angle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AugmentationConfig {
    /// Probability that an image is changed, from 0 to 1. Otherwise it stays as it is.
    pub probability: f64,
    /// Largest shift in each direction, in pixels.
    pub shift: f64,
    /// Largest rotation around the middle of the image, in degrees, 0 to 180.
    pub rotation: f64,
    /// Largest change of height and of width, as a share of them, from 0 to below 1. Each of the two
    /// has a factor of its own between 1 - scale and 1 + scale.
    pub scale: f64,
    /// Largest shear, in degrees: the slant of vertical lines.
    pub shear: f64,
    /// Strength of the elastic distortion: α of Simard, Steinkraus and Platt 2003, "Best practices
    /// for convolutional neural networks applied to visual document analysis". Each pixel of a field
    /// of random numbers from -1 to 1 is smoothed and multiplied by it, which gives a displacement in
    /// pixels. 0 is off.
    pub elastic_alpha: f64,
    /// Smoothness of the elastic distortion: the standard deviation of the Gaussian filter, in pixels,
    /// σ of Simard 2003.
    pub elastic_sigma: f64,
    /// Largest change of the thickness of strokes, from 0 to 1: the number of pixels by which each
    /// edge of a stroke moves outwards or inwards.
    pub thickness: f64,
    /// Standard deviation of the normally distributed noise that each pixel gets, as a share of the
    /// pixel range, from 0 to 1.
    pub noise: f64,
    /// Side of the square that becomes 0, in pixels (DeVries and Taylor 2017, "Improved regularization
    /// of convolutional neural networks with cutout"). Its middle is a random pixel. 0 is off.
    pub cutout: usize,
}

impl Default for AugmentationConfig {
    fn default() -> Self {
        Self {
            probability: 1.0,
            shift: 0.0,
            rotation: 0.0,
            scale: 0.0,
            shear: 0.0,
            elastic_alpha: 0.0,
            elastic_sigma: 5.0,
            thickness: 0.0,
            noise: 0.0,
            cutout: 0,
        }
    }
}

impl AugmentationConfig {
    /// Returns whether all values are those of an experiment without this section.
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Returns whether any image can be changed.
    pub fn is_active(&self) -> bool {
        self.probability > 0.0
            && (self.has_warp() || self.thickness > 0.0 || self.noise > 0.0 || self.cutout > 0)
    }

    /// Returns whether pixels can move.
    pub(super) fn has_warp(&self) -> bool {
        let ranges = [self.shift, self.rotation, self.scale, self.shear, self.elastic_alpha];
        ranges.iter().any(|&range| range > 0.0)
    }

    /// Checks that the pixels of images with these sides, height and width, can be moved if a change
    /// moves them.
    ///
    /// # Errors
    /// A side of 4,194,304 or more pixels.
    pub(crate) fn check_size(&self, sides: [usize; 2]) -> Result<()> {
        let [height, width] = sides;
        if !self.has_warp() || sides.iter().all(|&side| side < SIDE_LIMIT) {
            return Ok(());
        }
        Err(Error::config(format!(
            "`[augmentation]` moves pixels, and the images have {height}x{width}, expected sides below {}",
            grouped(SIDE_LIMIT)
        ))
        .hint("leave `shift`, `rotation`, `scale`, `shear` and `elastic_alpha` at 0"))
    }

    /// Returns a line about each change that is on, for people.
    pub fn sentences(&self) -> Vec<String> {
        if !self.is_active() {
            return Vec::new();
        }
        let number = significant;
        let pixels = |count: f64| format!("{} pixel{}", number(count), if count == 1.0 { "" } else { "s" });
        let (percent, probability) = (|share: f64| number(100.0 * share), self.probability);
        let elastic = format!(
            "elastic distortion: displacements of strength {}, smoothed over {}",
            number(self.elastic_alpha),
            pixels(self.elastic_sigma)
        );
        let lines = [
            (
                probability < 1.0,
                format!("{} % of the images are changed, drawn anew in each epoch", percent(probability)),
            ),
            (self.shift > 0.0, format!("shift: up to {} in each direction", pixels(self.shift))),
            (
                self.rotation > 0.0,
                format!("rotation: up to {} degrees to either side", number(self.rotation)),
            ),
            (self.scale > 0.0, format!("scale: height and width each by up to {} %", percent(self.scale))),
            (self.shear > 0.0, format!("shear: up to {} degrees to either side", number(self.shear))),
            (self.elastic_alpha > 0.0, elastic),
            (
                self.thickness > 0.0,
                format!("thickness: edges of strokes move by up to {}", pixels(self.thickness)),
            ),
            (
                self.noise > 0.0,
                format!("noise: standard deviation {} % of the pixel range", percent(self.noise)),
            ),
            (self.cutout > 0, format!("cutout: a square of {0}×{0} pixels becomes 0", self.cutout)),
        ];
        lines.into_iter().filter_map(|(is_on, line)| is_on.then_some(line)).collect()
    }

    /// Checks every value's range.
    ///
    /// # Errors
    /// The first value that is out of range.
    pub fn check(&self) -> Result<()> {
        let from_zero = |key: &str, value: f64, max: f64, unit: &str| {
            let key = format!("augmentation.{key}");
            ensure((0.0..=max).contains(&value), &key, value, &format!("a number from 0 to {max}{unit}"))
        };
        from_zero("probability", self.probability, 1.0, "")?;
        from_zero("shift", self.shift, MAX_SHIFT, ", in pixels")?;
        from_zero("rotation", self.rotation, 180.0, ", in degrees")?;
        let expected = "a share from 0 up to, not with, 1";
        ensure((0.0..1.0).contains(&self.scale), "augmentation.scale", self.scale, expected)?;
        from_zero("shear", self.shear, MAX_SHEAR, ", in degrees")?;
        from_zero("elastic_alpha", self.elastic_alpha, MAX_ALPHA, "")?;
        let [min, max] = SIGMA_RANGE;
        let expected = format!("a number from {min} to {max}, in pixels");
        let sigma = self.elastic_sigma;
        ensure((min..=max).contains(&sigma), "augmentation.elastic_sigma", sigma, &expected)?;
        from_zero("thickness", self.thickness, 1.0, ", in pixels")?;
        from_zero("noise", self.noise, 1.0, "")
    }
}
