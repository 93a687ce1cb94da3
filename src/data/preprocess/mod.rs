//! Owns pictures of digits: a PNG or JPEG file in, an image made as MNIST's were made out.
//! Must not know tensors, networks or data sets.
//!
//! MNIST (LeCun, Bottou, Bengio, Haffner 1998, "Gradient-based learning applied to document recognition",
//! section III.A): black and white digits were fitted into a box of 20×20 pixels keeping their aspect ratio,
//! which gave grey levels by anti-aliasing, and placed into 28×28 by their centre of mass.

mod background;
mod colours;
mod decode;
mod gray;
mod jpeg;
mod lighting;
mod normalize;
mod png;
mod segment;

use std::path::Path;

use crate::error::{Error, Result};
use gray::GrayF32;

/// A digit from a PNG or JPEG file, prepared for a network whose images are `height` × `width`: row-major,
/// 0 background, 255 ink, whatever the file's size, colours and polarity.
///
/// As in MNIST, the ink's longer side is 20/28 of the image's, its proportions stay, its edges are grey, and
/// its centre of mass is at the middle. One thing is not as in MNIST: strokes that would become thinner than
/// 2 of 28 pixels are thickened to that. MNIST was written with pens on small forms; a thin line in a large
/// photograph, merely shrunk, would fade to a shape that no network has seen.
///
/// `height` and `width` are at least 1.
///
/// # Errors
/// The file cannot be read, is no PNG or JPEG, is damaged or too large, or shows nothing; see the tests.
pub fn read_digit(path: &Path, height: usize, width: usize) -> Result<Vec<u8>> {
    let grey = decode::read_grey(path)?;
    prepare(&grey, height, width).ok_or_else(|| no_digit(path, &grey))
}

/// The digit on a grey picture (0 to 255), or nothing where no ink stands out from the background.
fn prepare(grey: &GrayF32, height: usize, width: usize) -> Option<Vec<u8>> {
    let ink = segment::find(grey)?;
    normalize::fit(&ink, height, width)
}

fn no_digit(path: &Path, grey: &GrayF32) -> Error {
    // Averages of like pixels may differ in their last digits.
    let alike = grey.values.windows(2).all(|pair| (pair[0] - pair[1]).abs() < 0.01);
    let found = if alike { "all its pixels are alike" } else { "nothing stands out from its background" };
    Error::data(format!("there is no digit in `{}`: {found}", path.display()))
        .hint("the picture must show one digit, darker or lighter than what is around it")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Cursor;

    use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};

    use super::*;

    const SIDE: usize = 28;

    /// A 7 on `height` × `width` pixels in black on white: a bar of 10 units and a stem of 14, each 2 units
    /// wide.
    fn seven(height: usize, width: usize, top: usize, left: usize, unit: usize) -> GrayF32 {
        let mut plane = GrayF32 { height, width, values: vec![255.0; height * width] };
        rectangle(&mut plane, [top, left, 2 * unit, 10 * unit], 0.0);
        rectangle(&mut plane, [top, left + 8 * unit, 14 * unit, 2 * unit], 0.0);
        plane
    }

    fn rectangle(plane: &mut GrayF32, [top, left, height, width]: [usize; 4], value: f32) {
        for row in top..top + height {
            plane.values[row * plane.width + left..][..width].fill(value);
        }
    }

    fn prepared(plane: &GrayF32) -> Vec<u8> {
        prepare(plane, SIDE, SIDE).unwrap()
    }

    fn mean_difference(one: &[u8], two: &[u8]) -> f64 {
        one.iter().zip(two).map(|(&a, &b)| f64::from(a.abs_diff(b))).sum::<f64>() / one.len() as f64
    }

    /// Rows and columns that the ink spans.
    fn span(image: &[u8], width: usize) -> (usize, usize) {
        let of = |key: fn(usize, usize) -> usize| {
            let at = || image.iter().enumerate().filter(|(_, ink)| **ink > 0).map(|(at, _)| key(at, width));
            at().max().unwrap() - at().min().unwrap() + 1
        };
        (of(|at, width| at / width), of(|at, width| at % width))
    }

    fn centre(image: &[u8]) -> (f64, f64) {
        let mass: f64 = image.iter().map(|&ink| f64::from(ink)).sum();
        let mean = |key: fn(usize) -> usize| {
            image.iter().enumerate().map(|(at, &ink)| f64::from(ink) * key(at) as f64).sum::<f64>() / mass
        };
        (mean(|at| at / SIDE), mean(|at| at % SIDE))
    }

    /// What `read_digit` makes of the bytes of a file.
    fn read(bytes: &[u8]) -> Result<Vec<u8>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.png");
        std::fs::write(&path, bytes).unwrap();
        read_digit(&path, SIDE, SIDE)
    }

    fn encoded(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.into().write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    /// The plane in two colours: `ink` where it is 0, `paper` where it is 255.
    fn coloured(plane: &GrayF32, ink: [u8; 4], paper: [u8; 4]) -> RgbaImage {
        RgbaImage::from_fn(plane.width as u32, plane.height as u32, |x, y| {
            Rgba(if plane.at(y as usize, x as usize) == 0.0 { ink } else { paper })
        })
    }

    #[test]
    fn the_ink_fills_the_box_and_its_mass_is_in_the_middle() {
        for (top, left, unit) in [(3, 5, 1), (40, 60, 7), (0, 0, 20), (10, 150, 13)] {
            let image = prepared(&seven(300, 320, top, left, unit));
            assert_eq!(span(&image, SIDE), (20, 14), "{top} {left} {unit}");
            let (row, column) = centre(&image);
            assert!((row - 14.0).abs() <= 0.5 && (column - 14.0).abs() <= 0.5, "{row} {column}");
            assert_eq!(image.iter().max(), Some(&255));
        }
    }

    #[test]
    fn an_image_made_as_mnist_stays_as_it_is() {
        let mut mnist = GrayF32 { height: SIDE, width: SIDE, values: vec![0.0; SIDE * SIDE] };
        rectangle(&mut mnist, [5, 13, 20, 4], 255.0);
        rectangle(&mut mnist, [5, 10, 3, 3], 190.0);
        rectangle(&mut mnist, [22, 17, 3, 3], 130.0);
        let bytes: Vec<u8> = mnist.values.iter().map(|&value| value as u8).collect();
        assert_eq!(prepared(&mnist), bytes);
        assert_eq!(prepared(&mnist.map(|value| 255.0 - value)), bytes);
    }

    #[test]
    fn polarity_place_and_strength_do_not_matter() {
        let expected = prepared(&seven(200, 300, 20, 30, 9));
        assert_eq!(prepared(&seven(200, 300, 61, 177, 9)), expected);
        assert_eq!(prepared(&seven(200, 300, 20, 30, 9).map(|value| 255.0 - value)), expected);
        assert_eq!(prepared(&seven(200, 300, 20, 30, 9).map(|value| 100.0 + value / 5.0)), expected);
    }

    #[test]
    fn the_size_hardly_matters() {
        let expected = prepared(&seven(200, 300, 20, 30, 10));
        for (side, unit) in [(40, 2), (400, 20), (1000, 50)] {
            assert!(mean_difference(&prepared(&seven(side, side, unit, 3, unit)), &expected) < 1.0);
        }
    }

    #[test]
    fn colours_and_transparency_do_not_matter() {
        let digit = seven(100, 100, 10, 12, 5);
        let expected = prepared(&digit);
        for (ink, paper) in [
            ([0, 0, 0, 255], [0, 0, 0, 0]),
            ([255, 255, 255, 255], [255, 255, 255, 0]),
            ([250, 250, 210, 255], [0, 0, 0, 0]),
            ([0, 40, 200, 255], [240, 230, 200, 255]),
            ([255, 0, 0, 255], [0, 130, 0, 255]),
            ([255, 255, 0, 255], [255, 255, 255, 255]),
        ] {
            let image = read(&encoded(coloured(&digit, ink, paper), ImageFormat::Png)).unwrap();
            assert!(mean_difference(&image, &expected) < 0.1, "{ink:?} on {paper:?}");
        }
        let deep = DynamicImage::from(coloured(&digit, [0, 0, 0, 255], [255; 4])).into_luma16();
        assert_eq!(read(&encoded(deep, ImageFormat::Png)).unwrap(), expected);
    }

    #[test]
    fn a_jpeg_is_turned_upright() {
        let digit = seven(160, 120, 10, 12, 8);
        let upright = DynamicImage::from(coloured(&digit, [0, 0, 0, 255], [255; 4])).into_rgb8();
        let mut jpeg = encoded(image::imageops::rotate270(&upright), ImageFormat::Jpeg);
        assert!(mean_difference(&read(&jpeg).unwrap(), &prepared(&digit)) > 20.0);
        // Orientation (tag 0x0112, one short) 6: to be turned clockwise.
        let exif = b"\xff\xe1\0\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
        jpeg.splice(2..2, exif.iter().copied());
        assert!(mean_difference(&read(&jpeg).unwrap(), &prepared(&digit)) < 2.0);
    }

    #[test]
    fn specks_go_and_loose_strokes_stay() {
        let clean = seven(300, 300, 60, 60, 10);
        let mut dirty = clean.clone();
        for (row, column) in [(5, 5), (280, 290), (100, 80), (40, 180)] {
            rectangle(&mut dirty, [row, column, 3, 3], 0.0);
        }
        assert_eq!(prepared(&dirty), prepared(&clean));
        let mut loose = clean.clone();
        rectangle(&mut loose, [230, 60, 12, 60], 0.0);
        assert!(span(&prepared(&loose), SIDE).1 < 14 && prepared(&loose) != prepared(&clean));
        let mut far = seven(600, 600, 60, 60, 10);
        rectangle(&mut far, [500, 500, 12, 60], 0.0);
        assert_eq!(prepared(&far), prepared(&clean));
    }

    #[test]
    fn uneven_light_shadows_noise_and_the_table_do_not_matter() {
        let clean = seven(300, 300, 70, 90, 10);
        let expected = prepared(&clean);
        let lit = |light: fn(usize, usize) -> f32| {
            let mut plane = clean.map(|value| 60.0 + value / 2.0);
            for (at, value) in plane.values.iter_mut().enumerate() {
                *value *= light(at / 300, at % 300);
            }
            mean_difference(&prepared(&plane), &expected)
        };
        // Where half of the light is, ink differs half as much from paper: a grey level, not another shape.
        assert!(lit(|row, _| 0.6 + row as f32 / 750.0) < 12.0);
        assert!(lit(|_, column| if column < 140 { 0.75 } else { 1.0 }) < 12.0);
        assert!(
            lit(|row, column| 1.0 - (row as f32 - 150.0).hypot(column as f32 - 150.0).powi(2) / 120_000.0)
                < 2.0
        );
        assert!(lit(|row, _| if row < 25 { 0.2 } else { 1.0 }) < 2.0);
    }

    #[test]
    fn noise_does_not_matter() {
        let clean = seven(500, 500, 70, 90, 20);
        let mut state = 1u32;
        for (level, most) in [(10.0, 1.0), (60.0, 8.0), (100.0, 12.0)] {
            // Numerical Recipes' quick generator; its high bits are even enough for noise of ± level.
            let mut noise = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                ((state >> 8) as f32 / (1 << 23) as f32 - 1.0) * level
            };
            let mut noisy = clean.map(|value| 60.0 + value / 2.0);
            noisy.values.iter_mut().for_each(|value| *value += noise());
            let difference = mean_difference(&prepared(&noisy), &prepared(&clean));
            assert!(difference < most, "{level}: {difference}");
        }
        assert_eq!(prepare(&clean.map(|value| 100.0 + value / 51.0), SIDE, SIDE), None);
    }

    #[test]
    fn a_thin_line_becomes_a_stroke() {
        let mut line = GrayF32 { height: 900, width: 500, values: vec![255.0; 900 * 500] };
        rectangle(&mut line, [100, 250, 700, 3], 0.0);
        let image = prepared(&line);
        let row = &image[14 * SIDE..][..SIDE];
        let width: f64 = row.iter().map(|&ink| f64::from(ink) / 255.0).sum();
        assert!((width - normalize::THINNEST_STROKE).abs() < 0.3, "{row:?}");
        // A wide one keeps its width: 140 of 700 are 4 of 20.
        rectangle(&mut line, [100, 180, 700, 140], 0.0);
        let width: f64 = prepared(&line)[14 * SIDE..][..SIDE].iter().map(|&ink| f64::from(ink) / 255.0).sum();
        assert!((width - 4.0).abs() < 0.1, "{width}");
    }

    #[test]
    fn every_size_of_network_gets_its_image() {
        let digit = seven(300, 300, 70, 90, 10);
        for (height, width, rows, columns) in [(56, 56, 40, 29), (14, 14, 10, 7), (8, 30, 6, 4), (1, 1, 1, 1)]
        {
            let image = prepare(&digit, height, width).unwrap();
            assert_eq!(image.len(), height * width);
            assert_eq!(span(&image, width), (rows, columns));
        }
    }

    #[test]
    fn every_tiny_picture_has_an_answer() {
        for (height, width) in [(1, 2), (2, 1), (1, 9), (3, 3), (16, 16), (17, 5)] {
            let mut plane = GrayF32 { height, width, values: vec![255.0; height * width] };
            plane.values[height * width / 2] = 0.0;
            assert!(prepare(&plane, SIDE, SIDE).is_none_or(|image| image.contains(&255)));
        }
    }

    #[test]
    fn a_picture_without_a_digit_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.png");
        let hint = "\n\nhint: the picture must show one digit, darker or lighter than what is around it";
        let message = |picture: RgbaImage| {
            std::fs::write(&path, encoded(picture, ImageFormat::Png)).unwrap();
            let message = read_digit(&path, SIDE, SIDE).unwrap_err().to_string();
            message.replace(&path.display().to_string(), "x.png")
        };
        let alike = format!("there is no digit in `x.png`: all its pixels are alike{hint}");
        assert_eq!(message(RgbaImage::from_pixel(1, 1, Rgba([7, 8, 9, 255]))), alike);
        assert_eq!(message(RgbaImage::from_pixel(1500, 1100, Rgba([200, 30, 77, 255]))), alike);
        assert_eq!(message(RgbaImage::new(50, 50)), alike);
        let faint = format!("there is no digit in `x.png`: nothing stands out from its background{hint}");
        assert_eq!(
            message(RgbaImage::from_fn(200, 200, |x, _| Rgba([x as u8, x as u8, x as u8, 255]))),
            faint
        );
    }
}
