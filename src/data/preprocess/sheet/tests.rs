//! Sheets of drawn digits. The order and the places are known; the answers are tested with the
//! binary in `tests/pictures.rs`.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use crate::data::preprocess::digits::{Picture, Random, SheetKind, draw_sheet};
use tempfile::TempDir;

use super::*;

fn write(folder: &TempDir, picture: &Picture) -> PathBuf {
    let path = folder.path().join("x.png");
    let (width, height) = (picture.width as u32, picture.height as u32);
    image::save_buffer(&path, &picture.pixels, width, height, image::ColorType::L8).unwrap();
    path
}

fn read(picture: &Picture) -> Result<DigitSheet> {
    let folder = TempDir::new().unwrap();
    read_sheet(&write(&folder, picture), 28, 28)
}

/// White paper with black rectangles: first row, first column, rows, columns.
fn rectangles(side: usize, all: &[[usize; 4]]) -> Picture {
    let mut pixels = vec![255; side * side];
    for &[top, left, height, width] in all {
        (top..top + height).for_each(|row| pixels[row * side + left..][..width].fill(0));
    }
    Picture { height: side, width: side, pixels }
}

fn boxes(sheet: &DigitSheet) -> Vec<[usize; 4]> {
    sheet.digits.iter().map(|digit| [digit.top, digit.left, digit.height, digit.width]).collect()
}

#[test]
fn every_digit_of_a_sheet_is_found() {
    for kind in SheetKind::ALL {
        for (rows, side, tilt) in [(2, 160, 0.0), (4, 420, 2.0), (6, 600, -2.0)] {
            let (picture, digits) = draw_sheet(kind, rows, side, tilt, 3);
            let sheet = read(&picture).unwrap();
            assert_eq!(sheet.digits.len(), digits.len(), "{kind:?} {rows}");
            assert_eq!((sheet.picture.height, sheet.picture.width), (side, side));
            assert!(sheet.digits.iter().all(|digit| digit.prepared.doubts.is_empty()), "{kind:?} {rows}");
            if kind != SheetKind::Table {
                // In reading order, the digit at `index` lies in its cell.
                let cell = side as f32 / (rows as f32 + 1.0);
                for (index, digit) in sheet.digits.iter().enumerate() {
                    let middle = |start: usize, side: usize| (start as f32 + side as f32 / 2.0) / cell - 1.0;
                    let row = middle(digit.top, digit.height) - (index / rows) as f32;
                    let column = middle(digit.left, digit.width) - (index % rows) as f32;
                    assert!(row.abs() < 0.4 && column.abs() < 0.4, "{kind:?} {index}: {row} {column}");
                }
            }
        }
    }
}

#[test]
fn reading_order_and_places_are_exact() {
    // The second of the upper row is lower than the first, but not by half of its height.
    let strokes = [[100, 20, 40, 8], [20, 120, 40, 8], [34, 60, 40, 8], [20, 10, 40, 8], [104, 90, 40, 8]];
    let sheet = read(&rectangles(160, &strokes)).unwrap();
    assert_eq!(boxes(&sheet), [strokes[3], strokes[2], strokes[1], strokes[0], strokes[4]]);
}

#[test]
fn a_separate_stroke_belongs_to_its_digit() {
    // Two digits, the second one with a bar above it and a speck beside it.
    let sheet = read(&rectangles(160, &[[50, 20, 50, 9], [50, 90, 50, 9], [40, 92, 6, 25], [10, 10, 2, 2]]));
    assert_eq!(boxes(&sheet.unwrap()), [[50, 20, 50, 9], [40, 90, 60, 27]]);
}

#[test]
fn touching_digits_are_split_and_doubted() {
    let single = [[20, 20, 50, 8], [20, 60, 50, 8]];
    // Two strokes with another one between them.
    let joined = [[90, 20, 50, 12], [90, 72, 50, 12], [110, 32, 8, 40]];
    let sheet = read(&rectangles(160, &[&single[..], &joined].concat())).unwrap();
    assert_eq!(sheet.digits.len(), 4);
    let doubts: Vec<_> = sheet.digits.iter().map(|digit| digit.prepared.doubts.len()).collect();
    assert_eq!(doubts, [0, 0, 1, 1]);
    assert_eq!(sheet.digits[2].prepared.doubts, [Doubt::TouchingDigits]);
}

#[test]
fn a_sheet_without_digits_and_one_with_too_many_are_errors() {
    let error = read(&rectangles(80, &[])).unwrap_err().to_string();
    assert!(error.contains("there is no digit in"), "{error}");
    let many: Vec<_> = (0..2025).map(|index| [index / 45 * 22 + 4, index % 45 * 22 + 4, 14, 5]).collect();
    let error = read(&rectangles(1000, &many)).unwrap_err().to_string();
    assert!(error.contains("shows 2025 digits, expected at most 2000"), "{error}");
}

#[test]
fn every_tiny_or_odd_sheet_has_an_answer_or_an_error() {
    let mut random = Random::new(4);
    for (height, width) in [(1, 1), (1, 2), (2, 1), (1, 300), (300, 1), (3, 3), (16, 16), (17, 5), (90, 400)]
    {
        for _ in 0..4 {
            let pixels = (0..height * width).map(|_| random.below(256) as u8).collect();
            let picture = Picture { height, width, pixels };
            if let Ok(sheet) = read(&picture) {
                assert!(sheet.digits.iter().all(|digit| {
                    digit.top + digit.height <= height && digit.left + digit.width <= width
                }));
            }
        }
    }
}
