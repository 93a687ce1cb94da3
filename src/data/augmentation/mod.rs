//! Owns augmentation: random changes of the training images, drawn anew in each epoch. Depends on the
//! random streams of `util` and the movement of pixels in `smallnet_kernels`. Must not know batches,
//! tensors or training.
//!
//! All changes of an image follow from the experiment's seed, the number of the epoch and the index of
//! the image. So every backend sees the same images, a resumed training too, and any number of threads
//! gives the same bits.

mod config;
mod pixels;
mod prefetch;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use rand::Rng;
use smallnet_kernels::{Affine, Field, Gaussian, Warp, change_thickness};

pub use config::AugmentationConfig;
pub(super) use prefetch::Prefetch;

use crate::util::rng::{RngStream, rng};

/// Changes of the training images of one experiment.
#[derive(Debug, Clone)]
pub struct Augmenter {
    config: AugmentationConfig,
    seed: u64,
    /// Height and width of the images, in pixels.
    size: [usize; 2],
    gaussian: Gaussian,
}

/// Memory that the changes of one image after the other use.
#[derive(Debug, Default)]
pub struct AugmentScratch {
    pixels: Vec<u8>,
    noise: Vec<u8>,
    fields: [Field; 2],
    warp: Warp,
}

/// Changes of one image, as they were drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Draw {
    affine: Affine,
    /// Change of the thickness, -1 to 1.
    thickness: f32,
    /// Middle of the square that is cut out: row and column.
    cutout: [usize; 2],
}

impl Augmenter {
    /// Returns the changes that `config` describes, for images of `size` (height and width, in
    /// pixels). `seed` is the experiment's. Returns none if `config` changes no image.
    pub fn new(config: &AugmentationConfig, seed: u64, size: (usize, usize)) -> Option<Self> {
        let (height, width) = size;
        (config.is_active() && height > 0 && width > 0).then(|| Self {
            config: config.clone(),
            seed,
            size: [height, width],
            gaussian: Gaussian::new(config.elastic_sigma, height.max(width)),
        })
    }

    /// Appends `image` to `out`, changed as in `epoch`, which is counted from 1. `index` is the image's
    /// index in its data set.
    pub fn append(
        &self,
        image: &[u8],
        epoch: u64,
        index: u32,
        scratch: &mut AugmentScratch,
        out: &mut Vec<u8>,
    ) {
        let mut rng = rng(self.seed, RngStream::Augmentation, epoch << 32 | u64::from(index));
        let start = out.len();
        if uniform(&mut rng) >= self.config.probability {
            out.extend_from_slice(image);
            return;
        }
        let draw = self.draw(&mut rng);
        let AugmentScratch { pixels, noise, fields, warp } = scratch;
        let image = self.with_thickness(image, draw.thickness, pixels);
        out.resize(start + image.len(), 0);
        let out = &mut out[start..];
        if self.config.has_warp() {
            let fields = self.fill_fields(&mut rng, noise, fields);
            // `AugmentationConfig::check_size` has refused images that are too large for it.
            warp.run(image, self.size, &draw.affine, fields, out);
        } else {
            out.copy_from_slice(image);
        }
        if self.config.cutout > 0 {
            pixels::cut_out(out, self.size[1], self.config.cutout, draw.cutout);
        }
        if self.config.noise > 0.0 {
            pixels::add_noise(out, (255.0 * self.config.noise) as f32, &mut rng);
        }
    }

    /// Returns `image` as it is, then as the first `num_epochs` epochs change it. `index` is the image's
    /// index in its data set.
    pub fn first_epochs(&self, image: &[u8], index: u32, num_epochs: usize) -> Vec<Vec<u8>> {
        let mut scratch = AugmentScratch::default();
        let mut images = vec![image.to_vec()];
        for epoch in 1..=num_epochs as u64 {
            let mut changed = Vec::with_capacity(image.len());
            self.append(image, epoch, index, &mut scratch, &mut changed);
            images.push(changed);
        }
        images
    }

    /// Draws the changes of an image. It always takes the same number of random numbers, so that one
    /// change does not depend on whether another one is on. Only the noise differs with an elastic
    /// distortion, whose random numbers come before it.
    fn draw(&self, rng: &mut impl Rng) -> Draw {
        let mut within = |range: f64| (2.0 * uniform(rng) - 1.0) * range;
        let AugmentationConfig { shift, rotation, scale, shear, thickness, .. } = self.config;
        let affine = Affine {
            shift: [within(shift), within(shift)],
            rotation: within(rotation),
            scale: [1.0 + within(scale), 1.0 + within(scale)],
            shear: within(shear),
        };
        let thickness = within(thickness) as f32;
        let cutout = self.size.map(|side| ((uniform(rng) * side as f64) as usize).min(side - 1));
        Draw { affine, thickness, cutout }
    }

    /// Returns the image with another thickness, in the memory of `pixels`, or itself if it stays the
    /// same.
    fn with_thickness<'a>(&self, image: &'a [u8], thickness: f32, pixels: &'a mut Vec<u8>) -> &'a [u8] {
        if thickness == 0.0 {
            return image;
        }
        pixels.resize(image.len(), 0);
        change_thickness(image, self.size[1], thickness, pixels);
        pixels
    }

    /// Draws the displacements of an elastic distortion, in the memory of `fields`. Returns none if it
    /// is off.
    fn fill_fields<'a>(
        &self,
        rng: &mut impl Rng,
        noise: &mut Vec<u8>,
        fields: &'a mut [Field; 2],
    ) -> Option<&'a [Field; 2]> {
        if self.config.elastic_alpha == 0.0 {
            return None;
        }
        for field in &mut *fields {
            noise.resize(2 * self.size[0] * self.size[1], 0);
            rng.fill_bytes(noise);
            field.fill(noise, &self.gaussian, self.config.elastic_alpha as f32, self.size);
        }
        Some(fields)
    }
}

/// Returns a number from 0 to below 1, each multiple of 2⁻⁵³ with the same probability.
fn uniform(rng: &mut impl Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}
