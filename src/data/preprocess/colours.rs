//! Owns the colours of a picture, which arrive from its file pixel by pixel, and the choice of a
//! grey view. Must not know how files are decoded.

use image::metadata::Orientation;

use crate::data::preprocess::gray::GrayF32;

/// Weights of red, green and blue in the luminance, by ITU-R BT.601 as in JPEG.
const LUMINANCE: [f32; 3] = [0.299, 0.587, 0.114];

/// Ratio by which a colour channel must vary more than the luminance to be used instead. It is a
/// ratio of standard deviations.
const MIN_GAIN: f64 = 2.0;

/// Means of a picture's pixels over blocks. The pixels are added one by one. The memory does not
/// grow with the picture, since the number of blocks on a side is limited.
pub(super) struct BlockMeans {
    /// Width and height of the picture as stored, before it is turned upright, in pixels.
    stored: (usize, usize),
    orientation: Orientation,
    /// Side of a block in pixels.
    block: usize,
    height: usize,
    width: usize,
    /// For each block: the sums of red, green and blue, each times alpha, the sum of alpha, and the
    /// number of pixels.
    sums: Vec<[f32; 5]>,
}

impl BlockMeans {
    /// Makes empty blocks for a picture that is stored as `width` × `height` pixels, each at least
    /// 1, and shown with `orientation`. No side has more than `max_side` blocks, which is at least 1.
    pub(super) fn new(width: u32, height: u32, orientation: Orientation, max_side: usize) -> Self {
        use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
        let stored = (width as usize, height as usize);
        let is_turned = matches!(orientation, Rotate90 | Rotate90FlipH | Rotate270 | Rotate270FlipH);
        let (width, height) = if is_turned { (stored.1, stored.0) } else { stored };
        let block = width.max(height).div_ceil(max_side).max(1);
        let (height, width) = (height.div_ceil(block), width.div_ceil(block));
        Self { stored, orientation, block, height, width, sums: vec![[0.0; 5]; height * width] }
    }

    /// Adds the pixel that is stored in column `x` and row `y`, both counted from 0. Red, green,
    /// blue and alpha are 0 to 1.
    pub(super) fn add(&mut self, x: usize, y: usize, [r, g, b, alpha]: [f32; 4]) {
        let (x, y) = self.to_upright(x, y);
        let sum = &mut self.sums[y / self.block * self.width + x / self.block];
        for (sum, value) in sum.iter_mut().zip([r * alpha, g * alpha, b * alpha, alpha, 1.0]) {
            *sum += value;
        }
    }

    /// Returns the column and row at which a stored pixel is shown (Exif 2.3, tag 0x0112).
    fn to_upright(&self, x: usize, y: usize) -> (usize, usize) {
        let (width, height) = self.stored;
        match self.orientation {
            Orientation::NoTransforms => (x, y),
            Orientation::FlipHorizontal => (width - 1 - x, y),
            Orientation::Rotate180 => (width - 1 - x, height - 1 - y),
            Orientation::FlipVertical => (x, height - 1 - y),
            Orientation::Rotate90FlipH => (y, x),
            Orientation::Rotate90 => (height - 1 - y, x),
            Orientation::Rotate270FlipH => (height - 1 - y, width - 1 - x),
            Orientation::Rotate270 => (y, width - 1 - x),
        }
    }

    /// Computes the means after all pixels were added.
    pub(super) fn finish(self) -> Colours {
        let mean = |[r, g, b, alpha, count]: [f32; 5]| [r, g, b, alpha].map(|sum| sum / count);
        let pixels = self.sums.into_iter().map(mean).collect();
        Colours { height: self.height, width: self.width, pixels }
    }
}

/// A picture in colour, with sides of at most the number of blocks in [`BlockMeans`].
pub(super) struct Colours {
    height: usize,
    width: usize,
    /// Red, green and blue, each times alpha, and alpha, 0 to 1.
    pixels: Vec<[f32; 4]>,
}

impl Colours {
    /// Returns a grey image, 0 to 255: the colours weighted by `weights`, in front of a
    /// `background` from 0 for black to 1 for white.
    fn to_gray(&self, weights: [f32; 3], background: f32) -> GrayF32 {
        let blend = |&[r, g, b, alpha]: &[f32; 4]| {
            255.0 * (weights[0] * r + weights[1] * g + weights[2] * b + (1.0 - alpha) * background)
        };
        GrayF32 { height: self.height, width: self.width, values: self.pixels.iter().map(blend).collect() }
    }
}

/// Returns the picture in grey, 0 to 255, with white where it is transparent.
///
/// Another view is chosen where the ink would vanish. It is black where the picture is transparent,
/// if that has more contrast (white ink on a transparent background). It is one colour channel, if
/// that has much more contrast than the luminance (yellow on white).
pub(super) fn to_clearest_gray(colours: &Colours) -> GrayF32 {
    let [on_white, on_black] = [1.0, 0.0].map(|background| colours.to_gray(LUMINANCE, background));
    let (mut best, background) =
        if variance(&on_black) > variance(&on_white) { (on_black, 0.0) } else { (on_white, 1.0) };
    let mut max_variance = variance(&best) * MIN_GAIN * MIN_GAIN;
    for channel in [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]] {
        let view = colours.to_gray(channel, background);
        if variance(&view) > max_variance {
            (max_variance, best) = (variance(&view), view);
        }
    }
    best
}

/// Variance of the values.
fn variance(image: &GrayF32) -> f64 {
    let count = image.values.len().max(1) as f64;
    let mean = image.values.iter().map(|&value| f64::from(value)).sum::<f64>() / count;
    image.values.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum::<f64>() / count
}

#[cfg(test)]
mod tests;
