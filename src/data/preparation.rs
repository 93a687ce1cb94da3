//! Owns how a picture file becomes an image for a trained network: as the training images were
//! made. Depends on `check`, `range`, `sources::picture` and `preprocess`. Must not know networks or
//! training.

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
        let found = Appearance::of(pixels, self.height, self.width);
        let has_their_polarity = match &self.appearance {
            None => found.polarity == Polarity::LightOnDark,
            Some(training) => share_of(training, found.polarity) >= MIN_POLARITY_SHARE,
        };
        has_their_polarity
            && (self.preparation != Preparation::Digits
                || found.ink.is_some_and(|ink| is_placed_as_in_mnist(&ink)))
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use image::{GrayImage, RgbaImage};

    use super::*;

    const SIDE: usize = 28;

    /// An image of 28×28 pixels with a stroke of 20×4 pixels, whose top is at `top`.
    fn stroke(top: usize) -> Vec<u8> {
        let mut pixels = vec![0; SIDE * SIDE];
        (top..top + 20).for_each(|row| pixels[row * SIDE + 13..][..4].fill(255));
        pixels
    }

    /// A preparer for training images of which `images` are examples.
    fn preparer(images: &[Vec<u8>], height: usize, width: usize) -> PicturePreparer {
        let appearance = Appearance::of(&images.concat(), height, width);
        PicturePreparer {
            height,
            width,
            appearance: Some(appearance),
            value_range: ValueRange::BYTES,
            preparation: Preparation::of_training_images(Some(&appearance)),
            wanted: None,
        }
    }

    fn digits() -> PicturePreparer {
        preparer(&vec![stroke(5); 10], SIDE, SIDE)
    }

    /// Training images that fill their place: light on dark, with ink at the border.
    fn patterns() -> PicturePreparer {
        preparer(&vec![vec![0, 0, 90, 0, 255, 90, 0, 0, 0, 0, 255, 0]; 10], 3, 4)
    }

    /// Saves a grey picture as PNG and prepares it.
    fn prepare(
        preparer: &PicturePreparer,
        pixels: &[u8],
        height: usize,
        width: usize,
    ) -> Result<PreparedImage> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.png");
        GrayImage::from_raw(width as u32, height as u32, pixels.to_vec()).unwrap().save(&path).unwrap();
        preparer.prepare(&path)
    }

    fn prepared(
        preparer: &PicturePreparer,
        pixels: &[u8],
        height: usize,
        width: usize,
    ) -> (Vec<u8>, Preparation) {
        let PreparedImage { pixels, preparation, .. } = prepare(preparer, pixels, height, width).unwrap();
        (pixels, preparation)
    }

    fn inverted(pixels: &[u8]) -> Vec<u8> {
        pixels.iter().map(|pixel| 255 - pixel).collect()
    }

    #[test]
    fn the_training_images_decide_the_preparation() {
        assert_eq!(Preparation::of_training_images(None), Preparation::Digits);
        assert_eq!(digits().preparation, Preparation::Digits);
        assert_eq!(preparer(&[inverted(&stroke(5))], SIDE, SIDE).preparation, Preparation::Digits);
        assert_eq!(patterns().preparation, Preparation::Whole);
        // Not centred, and not of one size.
        assert_eq!(preparer(&[stroke(5), stroke(1)], SIDE, SIDE).preparation, Preparation::Whole);
        let mut small = vec![0; SIDE * SIDE];
        small[13 * SIDE + 13..][..2].fill(255);
        assert_eq!(preparer(&[stroke(5), small], SIDE, SIDE).preparation, Preparation::Whole);
    }

    #[test]
    fn a_picture_like_the_training_images_is_taken_as_it_is() {
        let mut digit = stroke(5);
        // Faint ink that the preparation of photographs would make darker.
        digit[5 * SIDE + 9] = 30;
        assert_eq!(prepared(&digits(), &digit, SIDE, SIDE), (digit.clone(), Preparation::None));
        // Neither a digit at another place nor one on white paper looks like the training images.
        assert_eq!(prepared(&digits(), &stroke(1), SIDE, SIDE), (stroke(5), Preparation::Digits));
        assert_eq!(prepared(&digits(), &inverted(&stroke(5)), SIDE, SIDE), (stroke(5), Preparation::Digits));
        let old = PicturePreparer { appearance: None, ..digits() };
        assert_eq!(prepared(&old, &digit, SIDE, SIDE), (digit, Preparation::None));
        assert_eq!(prepared(&old, &inverted(&stroke(5)), SIDE, SIDE).1, Preparation::Digits);
    }

    #[test]
    fn digits_get_the_polarity_of_the_training_images() {
        let dark = preparer(&vec![inverted(&stroke(5)); 10], SIDE, SIDE);
        for picture in [stroke(1), inverted(&stroke(1))] {
            assert_eq!(prepared(&dark, &picture, SIDE, SIDE), (inverted(&stroke(5)), Preparation::Digits));
        }
        let as_it_is = (inverted(&stroke(5)), Preparation::None);
        assert_eq!(prepared(&dark, &inverted(&stroke(5)), SIDE, SIDE), as_it_is);
    }

    #[test]
    fn other_pictures_are_resized_whole_with_the_polarity_of_the_training_images() {
        let pattern = [0, 0, 90, 0, 255, 90, 0, 0, 0, 0, 255, 0];
        assert_eq!(prepared(&patterns(), &pattern, 3, 4), (pattern.to_vec(), Preparation::None));
        // Each pixel becomes a block of 6×6.
        let large: Vec<u8> = (0..18 * 24).map(|index| pattern[index / 24 / 6 * 4 + index % 24 / 6]).collect();
        let (resized, preparation) = prepared(&patterns(), &large, 18, 24);
        assert_eq!(preparation, Preparation::Whole);
        assert_eq!(prepared(&patterns(), &inverted(&large), 18, 24), (resized.clone(), Preparation::Whole));
        // The same as the reading of a folder of pictures gives.
        let picture = GrayPicture { height: 18, width: 24, pixels: large, is_coloured: false };
        assert_eq!(resized, resize(picture, 3, 4).pixels);
    }

    #[test]
    fn pixels_in_the_range_of_the_training_files_are_scaled() {
        let value_range = ValueRange { black: 0.0, white: 16.0 };
        let preparer = PicturePreparer { value_range, ..patterns() };
        let pattern = [0, 0, 6, 0, 16, 6, 0, 0, 0, 0, 16, 0];
        // 6 / 16 · 255 = 95.6
        let scaled = vec![0, 0, 96, 0, 255, 96, 0, 0, 0, 0, 255, 0];
        assert_eq!(prepared(&preparer, &pattern, 3, 4), (scaled.clone(), Preparation::None));
        assert_eq!(prepared(&preparer, &scaled, 3, 4), (scaled, Preparation::None));
    }

    #[test]
    fn the_user_can_choose_the_preparation() {
        let wanting = |wanted| PicturePreparer { wanted: Some(wanted), ..digits() };
        let digit = stroke(1);
        assert_eq!(prepared(&wanting(Preparation::None), &digit, SIDE, SIDE).0, digit);
        assert_eq!(prepared(&wanting(Preparation::Whole), &digit, SIDE, SIDE).0, digit);
        assert_eq!(prepared(&wanting(Preparation::Digits), &digit, SIDE, SIDE).0, stroke(5));
        let error = prepare(&wanting(Preparation::None), &[0; 12], 3, 4).unwrap_err().to_string();
        assert!(
            error.contains("has 3x4 pixels (height x width), expected 28x28 with `--prepare none`"),
            "{error}"
        );
    }

    #[test]
    fn colours_become_grey_as_in_a_data_set() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.png");
        let pixels = [[0, 0, 0, 255], [255, 0, 0, 255], [0, 255, 0, 255], [0; 4]].concat().repeat(3);
        RgbaImage::from_raw(4, 3, pixels).unwrap().save(&path).unwrap();
        let image = patterns().prepare(&path).unwrap();
        assert_eq!(image.pixels, [0, 76, 150, 0].repeat(3));
    }
}
