#![allow(clippy::unwrap_used)]

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};

use super::*;

const SIDE: usize = 28;

/// Draws a 7 on `height` × `width` pixels in black on white: a bar of 10 units and a stem of
/// 14, each 2 units wide.
fn seven(height: usize, width: usize, top: usize, left: usize, unit: usize) -> GrayF32 {
    let mut picture = GrayF32 { height, width, values: vec![255.0; height * width] };
    fill_rectangle(&mut picture, [top, left, 2 * unit, 10 * unit], 0.0);
    fill_rectangle(&mut picture, [top, left + 8 * unit, 14 * unit, 2 * unit], 0.0);
    picture
}

fn fill_rectangle(picture: &mut GrayF32, [top, left, height, width]: [usize; 4], value: f32) {
    for row in top..top + height {
        picture.values[row * picture.width + left..][..width].fill(value);
    }
}

fn prepared(picture: &GrayF32) -> Vec<u8> {
    prepare(picture, SIDE, SIDE).unwrap().pixels
}

fn mean_difference(one: &[u8], two: &[u8]) -> f64 {
    one.iter().zip(two).map(|(&a, &b)| f64::from(a.abs_diff(b))).sum::<f64>() / one.len() as f64
}

/// Number of rows and of columns that the ink spans.
fn span(image: &[u8], width: usize) -> (usize, usize) {
    let of = |key: fn(usize, usize) -> usize| {
        let keys =
            || image.iter().enumerate().filter(|(_, ink)| **ink > 0).map(|(index, _)| key(index, width));
        keys().max().unwrap() - keys().min().unwrap() + 1
    };
    (of(|index, width| index / width), of(|index, width| index % width))
}

fn centre_of_mass(image: &[u8]) -> (f64, f64) {
    let mass: f64 = image.iter().map(|&ink| f64::from(ink)).sum();
    let mean = |key: fn(usize) -> usize| {
        image.iter().enumerate().map(|(index, &ink)| f64::from(ink) * key(index) as f64).sum::<f64>() / mass
    };
    (mean(|index| index / SIDE), mean(|index| index % SIDE))
}

/// Calls `read_digit` for a file with these bytes.
fn read(bytes: &[u8]) -> Result<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.png");
    std::fs::write(&path, bytes).unwrap();
    Ok(read_digit(&path, SIDE, SIDE)?.pixels)
}

fn encoded(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Returns the image in two colours: `ink` where it is 0, `paper` where it is 255.
fn coloured(picture: &GrayF32, ink: [u8; 4], paper: [u8; 4]) -> RgbaImage {
    RgbaImage::from_fn(picture.width as u32, picture.height as u32, |x, y| {
        Rgba(if picture.at(y as usize, x as usize) == 0.0 { ink } else { paper })
    })
}

#[test]
fn the_ink_fills_the_box_and_its_mass_is_in_the_middle() {
    for (top, left, unit) in [(3, 5, 1), (40, 60, 7), (0, 0, 20), (10, 150, 13)] {
        let image = prepared(&seven(300, 320, top, left, unit));
        assert_eq!(span(&image, SIDE), (20, 14), "{top} {left} {unit}");
        let (row, column) = centre_of_mass(&image);
        assert!((row - 14.0).abs() <= 0.5 && (column - 14.0).abs() <= 0.5, "{row} {column}");
        assert_eq!(image.iter().max(), Some(&255));
    }
}

#[test]
fn an_image_made_as_mnist_stays_as_it_is() {
    let mut mnist = GrayF32 { height: SIDE, width: SIDE, values: vec![0.0; SIDE * SIDE] };
    fill_rectangle(&mut mnist, [5, 13, 20, 4], 255.0);
    fill_rectangle(&mut mnist, [5, 10, 3, 3], 190.0);
    fill_rectangle(&mut mnist, [22, 17, 3, 3], 130.0);
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
    // Orientation (tag 0x0112, one short) 6: the picture is shown after a turn clockwise.
    let exif = b"\xff\xe1\0\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    jpeg.splice(2..2, exif.iter().copied());
    assert!(mean_difference(&read(&jpeg).unwrap(), &prepared(&digit)) < 2.0);
}

#[test]
fn specks_are_removed_and_separate_strokes_stay() {
    let clean = seven(300, 300, 60, 60, 10);
    let mut dirty = clean.clone();
    for (row, column) in [(5, 5), (280, 290), (100, 80), (40, 180)] {
        fill_rectangle(&mut dirty, [row, column, 3, 3], 0.0);
    }
    assert_eq!(prepared(&dirty), prepared(&clean));
    let mut separate = clean.clone();
    fill_rectangle(&mut separate, [230, 60, 12, 60], 0.0);
    assert!(span(&prepared(&separate), SIDE).1 < 14 && prepared(&separate) != prepared(&clean));
    let mut far = seven(600, 600, 60, 60, 10);
    fill_rectangle(&mut far, [500, 500, 12, 60], 0.0);
    assert_eq!(prepared(&far), prepared(&clean));
}

#[test]
fn uneven_light_shadows_noise_and_the_table_do_not_matter() {
    let clean = seven(300, 300, 70, 90, 10);
    let expected = prepared(&clean);
    let lit = |light: fn(usize, usize) -> f32| {
        let mut picture = clean.map(|value| 60.0 + value / 2.0);
        for (index, value) in picture.values.iter_mut().enumerate() {
            *value *= light(index / 300, index % 300);
        }
        mean_difference(&prepared(&picture), &expected)
    };
    // In half of the light, ink differs half as much from paper. That changes grey levels, not
    // the shape.
    assert!(lit(|row, _| 0.6 + row as f32 / 750.0) < 12.0);
    assert!(lit(|_, column| if column < 140 { 0.75 } else { 1.0 }) < 12.0);
    assert!(
        lit(|row, column| 1.0 - (row as f32 - 150.0).hypot(column as f32 - 150.0).powi(2) / 120_000.0) < 2.0
    );
    assert!(lit(|row, _| if row < 25 { 0.2 } else { 1.0 }) < 2.0);
}

#[test]
fn noise_does_not_matter() {
    let clean = seven(500, 500, 70, 90, 20);
    let mut state = 1u32;
    for (level, max_difference) in [(10.0, 1.0), (60.0, 8.0), (100.0, 12.0)] {
        // Numerical Recipes' quick generator; its high bits are even enough for noise of ±
        // level.
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((state >> 8) as f32 / (1 << 23) as f32 - 1.0) * level
        };
        let mut noisy = clean.map(|value| 60.0 + value / 2.0);
        noisy.values.iter_mut().for_each(|value| *value += noise());
        let difference = mean_difference(&prepared(&noisy), &prepared(&clean));
        assert!(difference < max_difference, "{level}: {difference}");
    }
    assert_eq!(prepare(&clean.map(|value| 100.0 + value / 51.0), SIDE, SIDE), None);
}

#[test]
fn a_thin_line_becomes_a_stroke() {
    let mut line = GrayF32 { height: 900, width: 500, values: vec![255.0; 900 * 500] };
    fill_rectangle(&mut line, [100, 250, 700, 3], 0.0);
    let image = prepared(&line);
    let row = &image[14 * SIDE..][..SIDE];
    let width: f64 = row.iter().map(|&ink| f64::from(ink) / 255.0).sum();
    assert!((width - normalize::MIN_STROKE_WIDTH).abs() < 0.3, "{row:?}");
    // A wide stroke keeps its width: 140 of 700 pixels are 4 of 20.
    fill_rectangle(&mut line, [100, 180, 700, 140], 0.0);
    let width: f64 = prepared(&line)[14 * SIDE..][..SIDE].iter().map(|&ink| f64::from(ink) / 255.0).sum();
    assert!((width - 4.0).abs() < 0.1, "{width}");
}

#[test]
fn every_size_of_network_gets_its_image() {
    let digit = seven(300, 300, 70, 90, 10);
    for (height, width, rows, columns) in [(56, 56, 40, 29), (14, 14, 10, 7), (8, 30, 6, 4), (1, 1, 1, 1)] {
        let image = prepare(&digit, height, width).unwrap().pixels;
        assert_eq!(image.len(), height * width);
        assert_eq!(span(&image, width), (rows, columns));
    }
}

#[test]
fn every_tiny_picture_has_an_answer() {
    for (height, width) in [(1, 2), (2, 1), (1, 9), (3, 3), (16, 16), (17, 5)] {
        let mut picture = GrayF32 { height, width, values: vec![255.0; height * width] };
        picture.values[height * width / 2] = 0.0;
        assert!(prepare(&picture, SIDE, SIDE).is_none_or(|image| image.pixels.contains(&255)));
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
    assert_eq!(message(RgbaImage::from_fn(200, 200, |x, _| Rgba([x as u8, x as u8, x as u8, 255]))), faint);
}
