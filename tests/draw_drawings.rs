//! The page of `smallnet draw`, on which digits are drawn with a mouse and with a finger: what it
//! makes of a drawing is what `smallnet predict` makes of the drawing's picture. The tests do
//! nothing without Chromium.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
#[path = "common/devtools.rs"]
mod devtools;
#[path = "common/digits.rs"]
mod digits;

use std::path::PathBuf;

use common::{TestDir, assert_close, config, numbers};
use devtools::{Page, Place, Screen};
use digits::{NUM_HANDS, Random, strokes_of};
use image::{GrayImage, ImageReader};
use serde_json::Value;

/// What the page knows of a drawing.
struct Drawing {
    /// The picture of the strokes, as a PNG file that the page made.
    png: Vec<u8>,
    /// Grey levels of that picture.
    picture: Vec<u8>,
    /// The image that the network saw.
    pixels: Vec<u8>,
    probabilities: Vec<f64>,
}

/// Reads the current drawing from the page.
fn drawing(page: &mut Page) -> Drawing {
    let read = page.evaluate(
        "(async () => {
          // A page may answer with the next frame.
          for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
          const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
          const {picture, side, pixels, probabilities} = drawing();
          const png = encodePng(picture, side);
          return [hex(png), hex(picture), hex(pixels), Array.from(probabilities)];
        })()",
    );
    let bytes = |value: &Value| {
        let hex = value.as_str().unwrap().as_bytes();
        let digit = |byte: u8| char::from(byte).to_digit(16).unwrap() as u8;
        hex.chunks(2).map(|pair| 16 * digit(pair[0]) + digit(pair[1])).collect()
    };
    Drawing {
        png: bytes(&read[0]),
        picture: bytes(&read[1]),
        pixels: bytes(&read[2]),
        probabilities: numbers(&read[3]),
    }
}

/// Draws these strokes, which are in a square of 1, on the paper. The page must stay where it is.
fn draw(page: &mut Page, strokes: &[Vec<Place>]) {
    let [left, top, width, height] = page.place("#paper");
    let scrolled = page.evaluate("[scrollX, scrollY]");
    for stroke in strokes {
        let places: Vec<Place> = stroke.iter().map(|[x, y]| [left + x * width, top + y * height]).collect();
        page.stroke(&places);
    }
    assert_eq!(page.evaluate("[scrollX, scrollY]"), scrolled);
}

/// Strokes of a digit in a square of 1.
fn digit(digit: usize, hand: usize, seed: u64) -> Vec<Vec<Place>> {
    let height = Random::new(seed + 77).between(0.3, 0.85);
    let strokes = strokes_of(digit, hand, height, 1.0, seed);
    strokes.into_iter().map(|stroke| stroke.into_iter().map(|point| point.map(f64::from)).collect()).collect()
}

/// Drawings that are not one digit in the middle.
fn odd_drawings() -> Vec<Vec<Vec<Place>>> {
    let moved = |strokes: Vec<Vec<Place>>, by: f64, scale: f64| -> Vec<Vec<Place>> {
        let move_point = |[x, y]: Place| [0.5 + (x - 0.5) * scale + by, 0.5 + (y - 0.5) * scale];
        strokes.into_iter().map(|stroke| stroke.into_iter().map(move_point).collect()).collect()
    };
    let frame = vec![[0.06, 0.06], [0.94, 0.06], [0.94, 0.94], [0.06, 0.94], [0.06, 0.06]];
    vec![
        // A dot.
        vec![vec![[0.3, 0.6]]],
        // A line from the top to the bottom, and one from side to side.
        vec![vec![[0.5, 0.0], [0.5, 0.5], [0.5, 0.999]]],
        vec![vec![[0.0, 0.4], [0.999, 0.42]]],
        // Two digits, a digit and a speck, a digit at the edge, a small one, one in a frame.
        [moved(digit(2, 0, 1), -0.25, 0.6), moved(digit(3, 1, 2), 0.25, 0.6)].concat(),
        [digit(8, 3, 3), vec![vec![[0.05, 0.05]]]].concat(),
        moved(digit(5, 4, 4), -0.35, 0.9),
        moved(digit(9, 5, 5), 0.2, 0.15),
        [moved(digit(4, 2, 6), 0.0, 0.6), vec![frame]].concat(),
        // Three lines of ruled paper, and a line under a digit.
        [digit(6, 6, 7), vec![vec![[0.0, 0.2], [0.999, 0.2]], vec![[0.0, 0.9], [0.999, 0.9]]]].concat(),
        [moved(digit(7, 7, 8), 0.0, 0.6), vec![vec![[0.1, 0.9], [0.9, 0.9]]]].concat(),
    ]
}

/// Asserts that `smallnet predict` finds in the pictures of these drawings what the page found.
fn assert_as_predicted(dir: &TestDir, run: &str, drawings: &[Drawing], told: &str) {
    let names: Vec<String> = (0..drawings.len()).map(|index| format!("drawn/{index:03}.png")).collect();
    for (name, drawing) in names.iter().zip(drawings) {
        let path = dir.write(name, &drawing.png);
        let decoded = ImageReader::open(path).unwrap().decode().unwrap().into_luma8();
        assert!(decoded.into_raw() == drawing.picture, "{told}: {name} does not hold the picture");
    }
    let records = dir.json(&["predict", run, "drawn", "--pictures"]);
    let records = records.as_array().unwrap();
    assert_eq!(records.len(), drawings.len());
    for ((name, drawing), record) in names.iter().zip(drawings).zip(records) {
        assert_eq!(
            (record["image"].as_str(), record["preparation"].as_str()),
            (Some(&name[..]), Some("digits"))
        );
        let prepared = record["prepared"].as_str().unwrap();
        let prepared: GrayImage = image::open(dir.path().join(prepared)).unwrap().into_luma8();
        assert_eq!(prepared.as_raw().len(), drawing.pixels.len());
        let differences = prepared.as_raw().iter().zip(&drawing.pixels).map(|(a, b)| a.abs_diff(*b));
        let largest = differences.max().unwrap();
        assert!(largest <= 1, "{told}: {name} differs by {largest}");
        assert_close(&drawing.probabilities, &numbers(&record["probabilities"]), 1e-4);
    }
}

/// Writes the page of a run and returns its path.
fn page_of(dir: &TestDir, run: &str) -> PathBuf {
    let record = dir.json(&["draw", run]);
    dir.path().join(record["page"].as_str().unwrap())
}

#[test]
fn a_hundred_digits_are_prepared_and_answered_as_predict_does() {
    let dir = TestDir::new();
    let run = dir.small_run(&config("hidden"), &[]);
    let file = page_of(&dir, &run);
    for screen in [Screen::DESKTOP, Screen::PHONE] {
        let Some(mut page) = Page::open(&file, screen) else { return };
        // A phone shows a part of the page: elsewhere than on the paper, the finger moves it.
        let is_longer = page.evaluate("document.documentElement.scrollHeight > innerHeight");
        assert!(screen == Screen::DESKTOP || is_longer == true);
        let mut drawings = Vec::new();
        let hands = (0..NUM_HANDS).flat_map(|hand| (0..10).map(move |class| (class, hand)));
        let digits = hands.map(|(class, hand)| digit(class, hand, (10 * hand + class) as u64));
        for (index, strokes) in digits.chain(odd_drawings()).enumerate() {
            page.click("#clear");
            // The first pen is the thinnest: large digits need thicker strokes.
            if index == 50 {
                page.click("[data-pen]");
            }
            draw(&mut page, &strokes);
            drawings.push(drawing(&mut page));
        }
        assert_eq!(page.complaints(), [""; 0], "{screen:?}");
        assert_as_predicted(&dir, &run, &drawings, &format!("{screen:?}"));
    }
}

/// The pieces of a stroke that is being drawn, and the picture that is drawn again after an undo,
/// give the same picture.
#[test]
fn a_picture_that_grows_is_the_picture_of_its_strokes() {
    let dir = TestDir::new();
    let page = concat!("<!doctype html><script>", include_str!("../src/draw/page/strokes.js"), "</script>");
    let file = dir.write("strokes.html", page);
    let Some(mut page) = Page::open(&file, Screen::DESKTOP) else { return };
    let script = "(() => {
      const stroke = {width: 17.5, points: []}, side = 64;
      const values = new Uint8Array(side * side).fill(255);
      for (const point of [[10, 12], [30.5, 9], [50, 40], [20, 50], [20, 50], [70, 66]]) {
        stroke.points.push(point);
        addPiece(values, side, stroke, stroke.points.length - 1);
      }
      addPiece(values, side, stroke, stroke.points.length);
      const whole = drawStrokes([stroke], side);
      const dot = drawStrokes([{width: 4, points: [[8, 8]]}], 16);
      return [values.every((value, index) => value === whole[index]), whole.filter((value) => value < 128).length,
        Array.from(dot.subarray(8 * 16 + 4, 8 * 16 + 12))];
    })()";
    let answer = page.evaluate(script);
    assert_eq!(answer[0], true);
    let num_ink = answer[1].as_u64().unwrap();
    // The lines between the points are 141 pixels long, and the curve cuts their corners.
    assert!((1500..141 * 18).contains(&num_ink), "{num_ink}");
    // The middles of the pixels are 0.707, 1.581, 2.550 and 3.536 from the dot's, whose radius is 2: a
    // pixel is covered by 2.5 less this distance.
    assert_eq!(answer[2], serde_json::json!([255, 255, 21, 0, 0, 21, 255, 255]));
}
