//! Tests of the preparation on small images by hand.
#![allow(clippy::unwrap_used)]

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
    let appearance = Appearance::of(&images.concat().into(), height, width);
    PicturePreparer {
        height,
        width,
        appearance: Some(appearance),
        value_range: ValueRange::BYTES,
        preparation: Preparation::of_training_images(Some(&appearance)),
        wanted: None,
    }
}

/// An image of 28×28 pixels with a stroke of `length` rows in its middle.
fn centred(length: usize) -> Vec<u8> {
    let mut pixels = vec![0; SIDE * SIDE];
    let top = (SIDE - length) / 2;
    (top..top + length).for_each(|row| pixels[row * SIDE + 12..][..4].fill(255));
    pixels
}

fn digits() -> PicturePreparer {
    preparer(&vec![stroke(5); 10], SIDE, SIDE)
}

/// Training images that fill their place: light on dark, with ink at the border.
fn patterns() -> PicturePreparer {
    preparer(&vec![vec![0, 0, 90, 0, 255, 90, 0, 0, 0, 0, 255, 0]; 10], 3, 4)
}

/// Saves a grey picture as PNG and prepares it.
fn prepare(preparer: &PicturePreparer, pixels: &[u8], height: usize, width: usize) -> Result<PreparedImage> {
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
    // Of the right size as a mean only.
    let images = [centred(16), centred(24)];
    assert_eq!(preparer(&images, SIDE, SIDE).preparation, Preparation::Whole);
    // Centred by mass and of the right size, but with ink at the border: a heavy part and a thin tail.
    let mut tail = vec![0; SIDE * SIDE];
    (0..13).for_each(|row| tail[row * SIDE + 14] = 255);
    (13..20).for_each(|row| tail[row * SIDE + 9..][..10].fill(255));
    assert_eq!(preparer(&[tail], SIDE, SIDE).preparation, Preparation::Whole);
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
    // A smaller digit in the middle does not, either.
    assert_eq!(prepared(&digits(), &centred(10), SIDE, SIDE).1, Preparation::Digits);
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
