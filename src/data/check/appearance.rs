//! Owns how the images of a data set look: dark on light or light on dark, and the place and the
//! size of what they show. Must not know labels or words.

use serde::{Deserialize, Serialize};

use super::shape::Shape;
use crate::data::Pixels;
use crate::data::pixels::min_max_of_bytes;
use crate::data::preprocess::Doubt;

/// Part of an image's contrast by which a pixel differs from the background to count as ink. The
/// edges of a stroke that was made smaller are fainter.
const MIN_INK: u8 = 4;

/// Largest number of images that are looked at. Their means have errors far below those that matter.
const MAX_IMAGES: usize = 2000;

/// Largest side of images whose ink is measured, so that the sum of a row or column fits 32 bits.
const MAX_SIDE: usize = 1 << 16;

/// Share of the images that must agree on a property for the data set to have it.
const MOST: f64 = 0.8;

/// Whether the background is dark or light.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Polarity {
    /// Light ink on a dark background, as in MNIST: the background is near the network's 0.
    LightOnDark,
    /// Dark ink on a light background, as on paper: the background is near the network's 1.
    DarkOnLight,
    /// Neither holds for most images, as in photographs, or all images are blank.
    Undecided,
}

/// Measures of the look of a data set's training images.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Appearance {
    /// Whether the background is dark or light.
    ///
    /// The rule: the border is the outermost row or column at each side. An image is light on dark
    /// if at least half of its border pixels lie in the darkest quarter between its own smallest
    /// and largest value, and dark on light if at least half lie in the lightest quarter. The data
    /// set has the polarity that at least 80 % of its images have. Blank images do not count. An
    /// image for which both hold counts for neither.
    pub polarity: Polarity,
    /// Share of the images, 0 to 1, that are light on dark. Blank images do not count.
    pub light_on_dark_share: f64,
    /// Share of the images, 0 to 1, that are dark on light. Blank images do not count.
    pub dark_on_light_share: f64,
    /// Size and place of the ink. `None` if the polarity is undecided, or a side of the images is
    /// longer than 65,536 pixels.
    pub ink: Option<Ink>,
    /// Ranges of measures that an image must have to be like the training images. `None` in runs of
    /// earlier versions, and without images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<Shape>,
}

/// Size and place of what the images show, as means over all images that are not blank.
///
/// The background of an image is its smallest value, or its largest if the images are dark on
/// light. A pixel is ink if it differs from the background by more than a quarter of the difference
/// between the image's smallest and largest value. The ink's box is the smallest rectangle around
/// all ink.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Ink {
    /// Share of images, 0 to 1, without ink in the outermost rows and columns.
    pub border_empty_share: f64,
    /// Mean of all pixels, from 0 (background) to 1 (strongest ink of the image).
    pub mean: f64,
    /// Height of the ink's box, in heights of the image: 0 to 1.
    pub height_share: f64,
    /// Width of the ink's box, in widths of the image: 0 to 1.
    pub width_share: f64,
    /// The larger of both shares in each image: 0 to 1. MNIST has 20/28.
    pub longer_share: f64,
    /// Standard deviation of the larger share. It is near 0 if each image was scaled to one box.
    pub longer_share_std: f64,
    /// Row of the ink's centre of mass below the middle, in heights of the image: -0.5 to 0.5.
    pub centre_row_offset: f64,
    /// Standard deviation of the row, in heights of the image. It is near 0 if each image was
    /// centred.
    pub centre_row_std: f64,
    /// Column of the ink's centre of mass to the right of the middle, in widths of the image.
    pub centre_column_offset: f64,
    /// Standard deviation of the column, in widths of the image.
    pub centre_column_std: f64,
}

impl Ink {
    /// True if nearly all images have an empty border.
    pub fn has_empty_border(&self) -> bool {
        self.border_empty_share >= 0.95
    }

    /// True if the centre of mass is near the middle in nearly all images, as in MNIST, whose
    /// standard deviation is a third of a pixel.
    pub fn is_centred_by_mass(&self) -> bool {
        let is_near = |offset: f64, std: f64| offset.abs() <= 0.04 && std <= 0.03;
        is_near(self.centre_row_offset, self.centre_row_std)
            && is_near(self.centre_column_offset, self.centre_column_std)
    }
}

impl Appearance {
    /// Looks at images of `height` × `width` bytes: at all of them, or at 1,000 to 2,000 of more.
    pub(in crate::data) fn of(pixels: &Pixels, height: usize, width: usize) -> Self {
        let image_len = height.saturating_mul(width).max(1);
        let num_images = pixels.len() / image_len;
        let distance = num_images.div_ceil(MAX_IMAGES).max(1);
        // One image of each `distance`, each time one place further: labels often repeat at a
        // regular distance.
        let index = |block: usize| block * distance + block % distance;
        let sample: Vec<_> = (0..num_images / distance)
            .map(|block| pixels.image(index(block), image_len).to_bytes())
            .collect();
        let sample = || sample.iter().map(AsRef::as_ref);
        let votes = Votes::of(sample(), width);
        let polarity = votes.polarity();
        Self {
            polarity,
            light_on_dark_share: votes.share(votes.light_on_dark),
            dark_on_light_share: votes.share(votes.dark_on_light),
            ink: measure_ink(sample(), height, width, polarity),
            shape: Shape::of(sample(), width, polarity),
        }
    }

    /// Polarity of one image, by the rule of [`Appearance::polarity`].
    pub(in crate::data) fn polarity_of(image: &[u8], width: usize) -> Polarity {
        Votes::of(std::iter::once(image), width).polarity()
    }

    /// Size and place of the ink of one image with this polarity.
    pub(in crate::data) fn ink_of(
        image: &[u8],
        height: usize,
        width: usize,
        polarity: Polarity,
    ) -> Option<Ink> {
        measure_ink(std::iter::once(image), height, width, polarity)
    }

    /// Returns the reason for which an image of `height` × `width` bytes is unlike the training
    /// images, by three measures: its ink, its roughness and its filled areas. Of MNIST's test
    /// images, a few of 1,000 have such a reason. There is none for an image of another size, and
    /// none if the run does not have the measures.
    pub fn doubt_about(&self, pixels: &[u8], height: usize, width: usize) -> Option<Doubt> {
        let is_whole = height.checked_mul(width) == Some(pixels.len());
        self.shape.filter(|_| is_whole)?.doubt_about(pixels, width, self.polarity)
    }
}

/// Replaces `border` by the pixels of the outermost rows and columns. Corners come twice.
fn copy_border(border: &mut Vec<u8>, image: &[u8], width: usize) {
    border.clear();
    let rows = || image.chunks_exact(width.max(1));
    let outermost = [rows().next(), rows().next_back()];
    outermost.into_iter().flatten().for_each(|row| border.extend_from_slice(row));
    for row in rows() {
        border.extend(row.first());
        border.extend(row.last());
    }
}

/// Number of images, which are not blank, with each polarity.
#[derive(Debug, Default)]
struct Votes {
    images: usize,
    light_on_dark: usize,
    dark_on_light: usize,
}

impl Votes {
    /// Counts the images, which have `width` columns.
    fn of<'a>(images: impl Iterator<Item = &'a [u8]>, width: usize) -> Self {
        let (mut votes, mut border) = (Self::default(), Vec::new());
        for image in images {
            let (low, high) = min_max_of_bytes(image);
            if low < high {
                copy_border(&mut border, image, width);
                votes.add(&border, low, high);
            }
        }
        votes
    }

    /// Counts an image with this border, smallest and largest value.
    fn add(&mut self, border: &[u8], low: u8, high: u8) {
        let quarter = (high - low) / 4;
        let num_dark = border.iter().filter(|&&byte| byte <= low + quarter).count();
        let num_light = border.iter().filter(|&&byte| byte >= high - quarter).count();
        self.images += 1;
        match (2 * num_dark >= border.len(), 2 * num_light >= border.len()) {
            (true, false) => self.light_on_dark += 1,
            (false, true) => self.dark_on_light += 1,
            _ => {}
        }
    }

    fn share(&self, votes: usize) -> f64 {
        votes as f64 / self.images.max(1) as f64
    }

    fn polarity(&self) -> Polarity {
        if self.share(self.light_on_dark) >= MOST {
            Polarity::LightOnDark
        } else if self.share(self.dark_on_light) >= MOST {
            Polarity::DarkOnLight
        } else {
            Polarity::Undecided
        }
    }
}

/// Measures the ink of all images that are not blank.
fn measure_ink<'a>(
    images: impl Iterator<Item = &'a [u8]>,
    height: usize,
    width: usize,
    polarity: Polarity,
) -> Option<Ink> {
    let is_light = match polarity {
        Polarity::LightOnDark => false,
        Polarity::DarkOnLight => true,
        Polarity::Undecided => return None,
    };
    if height.max(width) > MAX_SIDE {
        return None;
    }
    let mut columns = Columns { sums: vec![0; width], max: vec![0; width] };
    let mut ink_values = vec![0; height.saturating_mul(width)];
    let mut totals = Totals::default();
    for image in images {
        let (low, high) = min_max_of_bytes(image);
        if low == high {
            continue;
        }
        for (ink, &byte) in ink_values.iter_mut().zip(image) {
            *ink = if is_light { high - byte } else { byte - low };
        }
        totals.add(&ink_values, high - low, &mut columns);
    }
    Some(totals.means())
}

/// Sum and largest value of the ink in each column of one image.
struct Columns {
    sums: Vec<u32>,
    max: Vec<u8>,
}

/// A sum of numbers and of their squares.
#[derive(Debug, Default)]
struct Moments {
    sum: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.squares += value * value;
    }

    fn mean(&self, count: f64) -> f64 {
        self.sum / count
    }

    /// Standard deviation.
    fn std(&self, count: f64) -> f64 {
        (self.squares / count - self.mean(count).powi(2)).max(0.0).sqrt()
    }
}

/// The sums over all images from which the fields of [`Ink`] follow.
#[derive(Debug, Default)]
struct Totals {
    images: usize,
    empty_borders: usize,
    ink: f64,
    height: f64,
    width: f64,
    longer: Moments,
    row: Moments,
    column: Moments,
}

impl Totals {
    /// Adds an image, given its ink from 0 to `strongest`, which is not 0.
    fn add(&mut self, ink: &[u8], strongest: u8, columns: &mut Columns) {
        let width = columns.sums.len();
        let height = ink.len() / width.max(1);
        columns.sums.fill(0);
        columns.max.fill(0);
        let is_ink = |value: u8| value > strongest / MIN_INK;
        let (mut mass, mut row_mass, mut rows) = (0, 0.0, Extent::default());
        for (index, row) in ink.chunks_exact(width.max(1)).enumerate() {
            let mut sum = 0;
            let mut max = 0;
            for ((&value, column_sum), column_max) in row.iter().zip(&mut columns.sums).zip(&mut columns.max)
            {
                sum += u32::from(value);
                max = max.max(value);
                *column_sum += u32::from(value);
                *column_max = (*column_max).max(value);
            }
            mass += u64::from(sum);
            row_mass += f64::from(sum) * index as f64;
            rows.add(index, is_ink(max));
        }
        let (mut column_mass, mut column_extent) = (0.0, Extent::default());
        for (index, (&sum, &max)) in columns.sums.iter().zip(&columns.max).enumerate() {
            column_mass += f64::from(sum) * index as f64;
            column_extent.add(index, is_ink(max));
        }
        let (height_share, width_share) = (rows.share(height), column_extent.share(width));
        self.images += 1;
        self.empty_borders += usize::from(!rows.touches(height) && !column_extent.touches(width));
        self.ink += mass as f64 / ink.len() as f64 / f64::from(strongest);
        self.height += height_share;
        self.width += width_share;
        self.longer.add(height_share.max(width_share));
        let offset = |moment: f64, side: usize| (moment / mass as f64 + 0.5) / side as f64 - 0.5;
        self.row.add(offset(row_mass, height));
        self.column.add(offset(column_mass, width));
    }

    fn means(&self) -> Ink {
        let count = self.images.max(1) as f64;
        Ink {
            border_empty_share: self.empty_borders as f64 / count,
            mean: self.ink / count,
            height_share: self.height / count,
            width_share: self.width / count,
            longer_share: self.longer.mean(count),
            longer_share_std: self.longer.std(count),
            centre_row_offset: self.row.mean(count),
            centre_row_std: self.row.std(count),
            centre_column_offset: self.column.mean(count),
            centre_column_std: self.column.std(count),
        }
    }
}

/// First and last row or column with ink.
#[derive(Debug, Default)]
struct Extent {
    ends: Option<(usize, usize)>,
}

impl Extent {
    /// Tells it the next row or column.
    fn add(&mut self, index: usize, has_ink: bool) {
        if has_ink {
            self.ends = Some((self.ends.map_or(index, |ends| ends.0), index));
        }
    }

    /// Length, as a share of the image's side.
    fn share(&self, side: usize) -> f64 {
        self.ends.map_or(0.0, |(first, last)| (last - first + 1) as f64 / side as f64)
    }

    /// True if the first or the last row or column has ink.
    fn touches(&self, side: usize) -> bool {
        self.ends.is_some_and(|(first, last)| first == 0 || last + 1 == side)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
