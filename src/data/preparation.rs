//! Owns how a picture file becomes an image for a trained network: as the training images were
//! made. Depends on `check`, `range`, `sources::picture` and `preprocess`. Must not know networks or
//! training.

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use image::ImageDecoder;
use serde::{Deserialize, Serialize};

use crate::data::check::{Appearance, Ink, Polarity};
use crate::data::preprocess::decode::read_file;
use crate::data::preprocess::{DigitSheet, Doubt, PreparedPicture, digit_of, read_sheet};
use crate::data::range::ValueRange;
use crate::data::sources::picture::{GrayPicture, decode_gray, resize};
use crate::error::{Error, Result};

/// Longer side of the ink in the images of MNIST, as a share of the image's side: 20 of 28 pixels.
const MNIST_INK: f64 = 20.0 / 28.0;

/// Largest distance of a data set's mean from [`MNIST_INK`], and largest standard deviation, if its
/// images were made as those of MNIST.
const INK_TOLERANCE: f64 = 0.05;

/// Share of the training images that must have a polarity for a picture with that polarity to look
/// like them.
const MIN_POLARITY_SHARE: f64 = 0.005;

/// Number of pixels of a picture above which no two are prepared at the same time.
const LARGE_PIXELS: usize = 4 << 20;

/// Held while a large picture is prepared: it may take a GB of memory.
static LARGE_PICTURE: Mutex<()> = Mutex::new(());

/// Way in which a picture becomes an image of a network's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Preparation {
    /// One digit is cut out, scaled and centred as in MNIST
    Digits,
    /// The whole picture is resized
    Whole,
    /// The pixels are taken as they are: the picture must have the network's size
    None,
}

impl Preparation {
    /// Returns the preparation that fits training images which look like this. It is that of MNIST
    /// if nearly all of them have an empty border, ink whose longer side is near 20/28 of the
    /// image's, and their centre of mass near the middle. Images that were never measured count as
    /// digits.
    pub fn of_training_images(appearance: Option<&Appearance>) -> Self {
        match appearance {
            None => Self::Digits,
            Some(Appearance { ink: Some(ink), .. }) if is_like_mnist(ink) => Self::Digits,
            Some(_) => Self::Whole,
        }
    }
}

/// True if images with these measures were made as those of MNIST.
fn is_like_mnist(ink: &Ink) -> bool {
    ink.has_empty_border()
        && ink.is_centred_by_mass()
        && (ink.longer_share - MNIST_INK).abs() <= INK_TOLERANCE
        && ink.longer_share_std <= INK_TOLERANCE
}

/// An image made from a picture file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreparedImage {
    /// `height * width` bytes, row-major, as the network takes them: 0 is its 0, 255 its 1.
    pub pixels: Vec<u8>,
    /// The preparation that was used.
    pub preparation: Preparation,
    /// Reasons to mistrust an answer about the image.
    pub doubts: Vec<Doubt>,
}

/// Converter of picture files to images like the training images of one network.
#[derive(Debug, Clone)]
pub struct PicturePreparer {
    /// Rows of the network's images, at least 1.
    pub height: usize,
    /// Columns of the network's images, at least 1.
    pub width: usize,
    /// The look of the training images. `None` in runs of 0.1.0 and earlier.
    pub appearance: Option<Appearance>,
    /// The pixel values that became the network's 0 and 1.
    pub value_range: ValueRange,
    /// The preparation that fits the training images.
    pub preparation: Preparation,
    /// The preparation that the user asks for, in place of a choice by the picture.
    pub wanted: Option<Preparation>,
}

impl PicturePreparer {
    /// Prepares the PNG or JPEG at `path`.
    ///
    /// Without a wanted preparation, a picture that has the network's size and looks like the
    /// training images is taken as it is. All others get the preparation that fits the training
    /// images.
    ///
    /// # Errors
    /// The file cannot be read, is not a PNG or JPEG, is damaged or too large, shows no digit where
    /// one is looked for, or has another size where it must be taken as it is.
    pub fn prepare(&self, path: &Path) -> Result<PreparedImage> {
        let bytes = read_file(path)?;
        let size = size_of(&bytes);
        let is_large = size.is_none_or(|(height, width)| height.saturating_mul(width) > LARGE_PIXELS);
        let _turn = is_large.then(|| LARGE_PICTURE.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(wanted) = self.wanted {
            return self.prepare_as(wanted, path, bytes);
        }
        if size == Some((self.height, self.width)) {
            let pixels = self.scale(decode(path, &bytes)?.pixels);
            if self.looks_like_training_images(&pixels) {
                return Ok(self.image(pixels, Preparation::None, Vec::new()));
            }
        }
        self.prepare_as(self.preparation, path, bytes)
    }

    /// Finds the digits of the picture at `path`, which shows several, and prepares each of them as
    /// one of MNIST.
    ///
    /// # Errors
    /// As those of [`PicturePreparer::prepare`], or more digits than a sheet may have.
    pub fn prepare_sheet(&self, path: &Path) -> Result<DigitSheet> {
        let mut sheet = read_sheet(path, self.height, self.width)?;
        for digit in &mut sheet.digits {
            let PreparedPicture { pixels, doubts } = std::mem::take(&mut digit.prepared);
            let PreparedImage { pixels, doubts, .. } = self.digit_image(pixels, doubts);
            digit.prepared = PreparedPicture { pixels, doubts };
        }
        Ok(sheet)
    }

    fn prepare_as(&self, preparation: Preparation, path: &Path, bytes: Vec<u8>) -> Result<PreparedImage> {
        let pixels = match preparation {
            Preparation::Digits => {
                let PreparedPicture { pixels, doubts } = digit_of(path, bytes, self.height, self.width)?;
                return Ok(self.digit_image(pixels, doubts));
            }
            Preparation::Whole => self.whole(decode(path, &bytes)?),
            Preparation::None => self.as_it_is(path, decode(path, &bytes)?)?,
        };
        Ok(self.image(pixels, preparation, Vec::new()))
    }

    /// Gives a digit, which is light on dark, the polarity of the training images.
    fn digit_image(&self, mut pixels: Vec<u8>, doubts: Vec<Doubt>) -> PreparedImage {
        if self.polarity() == Polarity::DarkOnLight {
            invert(&mut pixels);
        }
        self.image(pixels, Preparation::Digits, doubts)
    }

    /// Adds the reason for which the image is unlike the training images, if there is one.
    fn image(&self, pixels: Vec<u8>, preparation: Preparation, mut doubts: Vec<Doubt>) -> PreparedImage {
        let unlike = self.appearance.as_ref();
        doubts.extend(unlike.and_then(|training| training.doubt_about(&pixels, self.height, self.width)));
        PreparedImage { pixels, preparation, doubts }
    }

    /// Resizes the whole picture as the pictures of a data set are, and inverts it if it has the
    /// opposite polarity of the training images.
    fn whole(&self, picture: GrayPicture) -> Vec<u8> {
        let mut pixels = self.scale(picture.pixels);
        let found = Appearance::polarity_of(&pixels, picture.width);
        let is_opposite = matches!(
            (self.polarity(), found),
            (Polarity::LightOnDark, Polarity::DarkOnLight) | (Polarity::DarkOnLight, Polarity::LightOnDark)
        );
        if is_opposite {
            invert(&mut pixels);
        }
        resize(GrayPicture { pixels, ..picture }, self.height, self.width).pixels
    }

    /// Takes the pixels as they are, if there are as many as the network takes.
    fn as_it_is(&self, path: &Path, picture: GrayPicture) -> Result<Vec<u8>> {
        if (picture.height, picture.width) == (self.height, self.width) {
            return Ok(self.scale(picture.pixels));
        }
        Err(Error::data(format!(
            "`{}` has {}x{} pixels (height x width), expected {}x{} with `--prepare none`",
            path.display(),
            picture.height,
            picture.width,
            self.height,
            self.width
        ))
        .hint("resize the picture, or use `--prepare whole` or `--prepare digits`"))
    }

    /// Scales pixels that lie in the training files' own range, such as 0 to 16, to 0 to 255. Other
    /// pixels are already bytes of that range.
    fn scale(&self, mut pixels: Vec<u8>) -> Vec<u8> {
        let range = self.value_range;
        let max = pixels.iter().copied().max().unwrap_or_default();
        if range.black == 0.0 && range.white < ValueRange::BYTES.white && f64::from(max) <= range.white {
            pixels.iter_mut().for_each(|pixel| *pixel = range.to_byte(f32::from(*pixel)));
        }
        pixels
    }

    fn polarity(&self) -> Polarity {
        self.appearance.as_ref().map_or(Polarity::LightOnDark, |appearance| appearance.polarity)
    }

    /// True if an image of the network's size looks like the training images: by its polarity and,
    /// for digits, by the size and the place of its ink.
    fn looks_like_training_images(&self, pixels: &[u8]) -> bool {
        let polarity = Appearance::polarity_of(pixels, self.width);
        let has_their_polarity = match &self.appearance {
            None => polarity == Polarity::LightOnDark,
            Some(training) => share_of(training, polarity) >= MIN_POLARITY_SHARE,
        };
        let ink = || Appearance::ink_of(pixels, self.height, self.width, polarity);
        has_their_polarity
            && (self.preparation != Preparation::Digits
                || ink().is_some_and(|ink| is_placed_as_in_mnist(&ink)))
    }
}

/// Share of the training images, 0 to 1, that have this polarity.
fn share_of(training: &Appearance, polarity: Polarity) -> f64 {
    match polarity {
        Polarity::LightOnDark => training.light_on_dark_share,
        Polarity::DarkOnLight => training.dark_on_light_share,
        Polarity::Undecided => 1.0 - training.light_on_dark_share - training.dark_on_light_share,
    }
}

/// True if the ink of one image has the size and the place of a digit of MNIST. In its 70,000
/// images, the longer side has 14 to 20 of 28 pixels, and the centre of mass is at most one pixel
/// from the middle.
fn is_placed_as_in_mnist(ink: &Ink) -> bool {
    const PIXEL: f64 = 1.0 / 28.0;
    (13.5 * PIXEL..=21.5 * PIXEL).contains(&ink.longer_share)
        && ink.centre_row_offset.abs() <= 1.5 * PIXEL
        && ink.centre_column_offset.abs() <= 1.5 * PIXEL
}

/// Height and width that the picture's header states. `None` if it cannot be read.
fn size_of(bytes: &[u8]) -> Option<(usize, usize)> {
    let reader = image::ImageReader::new(std::io::Cursor::new(bytes)).with_guessed_format().ok()?;
    let (width, height) = reader.into_decoder().ok()?.dimensions();
    Some((height as usize, width as usize))
}

/// Decodes a picture as those of data sets are decoded.
fn decode(path: &Path, bytes: &[u8]) -> Result<GrayPicture> {
    decode_gray(bytes).map_err(|reason| {
        Error::data(format!("`{}` {reason}", path.display())).hint("copy, download or save the picture again")
    })
}

fn invert(pixels: &mut [u8]) {
    pixels.iter_mut().for_each(|pixel| *pixel = u8::MAX - *pixel);
}
