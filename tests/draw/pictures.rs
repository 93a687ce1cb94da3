//! Pictures that are loaded onto the page, and networks that take other images than digits.

use std::fmt::Write;
use std::ops::Range;

use image::{DynamicImage, GrayImage, Luma, Rgba, RgbaImage};

use super::*;

/// Loads a picture onto the page and compares all that it shows with `predict`. Returns the number of doubts.
fn compare(page: &mut Page, dir: &TestDir, run: &str, name: &str, picture: &DynamicImage) -> usize {
    let file = dir.path().join(name);
    picture.save(&file).unwrap();
    page.evaluate("clear()");
    page.choose_files("#file", &[&file]);
    page.evaluate("new Promise((done) => setTimeout(done, 300))");
    let predicted = &dir.json(&["predict", run, name, "--pictures=0"])[0];
    let warnings = predicted["warnings"].as_array().cloned().unwrap_or_default();
    let kinds: Vec<_> = warnings.iter().map(|warning| warning["kind"].clone()).collect();
    assert_eq!(page.evaluate("shown.doubts"), json!(kinds), "{name}");
    let expected = numbers(&predicted["probabilities"]);
    assert_close(&numbers(&page.evaluate("[...drawing().probabilities]")), &expected, 1e-4);
    let details = page.evaluate("element('details').textContent");
    let messages = warnings.iter().map(|warning| warning["message"].as_str().unwrap());
    messages.for_each(|message| assert!(details.as_str().unwrap().contains(message), "{details}"));
    kinds.len()
}

fn paper(width: u32, height: u32) -> GrayImage {
    GrayImage::from_pixel(width, height, Luma([240]))
}

fn fill(mut picture: GrayImage, columns: Range<u32>, rows: Range<u32>) -> GrayImage {
    columns.for_each(|x| rows.clone().for_each(|y| picture.put_pixel(x, y, Luma([20]))));
    picture
}

/// Returns a picture with a 1 in the colour `ink`, on `paper`.
fn coloured(paper: [u8; 4], ink: [u8; 4]) -> DynamicImage {
    let mut picture = RgbaImage::from_pixel(60, 60, Rgba(paper));
    (28..34).for_each(|x| (10..50).for_each(|y| picture.put_pixel(x, y, Rgba(ink))));
    picture.into()
}

#[test]
fn a_loaded_picture_gets_the_answer_and_the_doubts_of_predict() {
    let dir = TestDir::new();
    let run = dir.small_run(&config("softmax"), &[]);
    let (path, _) = draw(&dir, &run, &[]);
    let Some(mut page) = Page::open(&path, Screen::DESKTOP) else { return };
    let own = numbers(&page.evaluate("[...images[0].pixels]")).iter().map(|byte| *byte as u8).collect();
    let mut noise = fill(paper(60, 60), 25..35, 10..50);
    noise.enumerate_pixels_mut().filter(|(x, y, _)| x * y % 7 == 3).for_each(|(_, _, pixel)| pixel.0 = [90]);
    let pictures: [DynamicImage; 8] = [
        fill(paper(90, 60), 20..70, 28..34).into(),
        fill(paper(100, 100), 30..70, 35..60).into(),
        noise.into(),
        fill(fill(paper(80, 80), 15..25, 10..70), 50..60, 10..70).into(),
        GrayImage::from_raw(28, 28, own).unwrap().into(),
        // Ink that only the blue channel shows, and ink on a transparent background, black and white.
        coloured([255; 4], [255, 255, 190, 255]),
        coloured([0; 4], [0, 0, 0, 255]),
        coloured([0; 4], [255; 4]),
    ];
    let mut num_doubts = 0;
    for (index, picture) in pictures.iter().enumerate() {
        num_doubts += compare(&mut page, &dir, &run, &format!("{index}.png"), picture);
    }
    assert!((2..pictures.len()).contains(&num_doubts), "{num_doubts}");
    assert_silent(&mut page, &path);
}

/// Images that are no digits, dark on light, and not square.
#[test]
fn a_whole_picture_is_prepared_as_predict_does() {
    let dir = TestDir::new();
    let mut rows = String::from("label");
    (0..80).for_each(|index| write!(rows, ",pixel{index}").unwrap());
    for index in 0..60 {
        write!(rows, "\n{}", ["left", "right"][index % 2]).unwrap();
        // Dark stripes from edge to edge, on the left or on the right side.
        let is_dark =
            |row: usize, column: usize| (row + index).is_multiple_of(3) && (column < 4) == (index % 2 == 0);
        (0..80).for_each(|pixel| {
            write!(rows, ",{}", if is_dark(pixel / 8, pixel % 8) { 30 + index } else { 235 }).unwrap();
        });
    }
    dir.write("sides.csv", rows);
    let args = ["train", "softmax", "--data", "sides.csv", "--set", "data.image_size=[10,8]"];
    let run = dir.json(&args)["run"].as_str().unwrap().to_owned();
    let (path, _) = draw(&dir, &run, &["--output", "sides.html"]);
    let Some(mut page) = Page::open(&path, Screen::DESKTOP) else { return };
    assert_eq!(page.evaluate("[data.preparation, data.polarity]"), json!(["whole", "dark-on-light"]));
    assert!(
        page.evaluate("element('run').textContent").as_str().unwrap().ends_with("'data.image_size=[10,8]'")
    );
    let mut steps = paper(37, 50);
    steps.enumerate_pixels_mut().for_each(|(x, y, pixel)| pixel.0 = [(255 - 6 * x.max(y / 2)) as u8]);
    let mut inverted = steps.clone();
    inverted.pixels_mut().for_each(|pixel| pixel.0 = [255 - pixel.0[0]]);
    let pictures: [DynamicImage; 5] = [
        fill(paper(8, 10), 0..4, 2..5).into(),
        steps.into(),
        inverted.into(),
        paper(20, 20).into(),
        coloured([250, 240, 230, 255], [200, 30, 90, 255]),
    ];
    for (index, picture) in pictures.iter().enumerate() {
        compare(&mut page, &dir, &run, &format!("{index}.png"), picture);
    }
    assert_silent(&mut page, &path);
}

/// 70 classes, pixels from 0 to 1, rows and columns exchanged, and a column of another name.
#[test]
fn drawings_are_written_as_the_experiment_reads_its_images() {
    let dir = TestDir::new();
    let mut rows = String::from("truth");
    (0..12).for_each(|index| write!(rows, ",pixel{index}").unwrap());
    for index in 0..140 {
        write!(rows, "\nTomato___Tomato_Yellow_Leaf_Curl_Virus-{:02}", index % 70).unwrap();
        (0..12)
            .for_each(|pixel| write!(rows, ",{}", f64::from((index * 7 + pixel * 5) % 11) / 10.0).unwrap());
    }
    dir.write("many.csv", rows);
    let shape = ["data.image_size=[3,4]", "data.scale=1", "data.transpose=true", "data.label_column=truth"];
    let args = ["train", "softmax", "--data", "many.csv", "--epochs", "3", "--set"];
    let run = dir.json(&[&args[..], &shape].concat())["run"].as_str().unwrap().to_owned();
    let (path, _) = draw(&dir, &run, &["--output", "many.html"]);
    let Some(mut page) = Page::open(&path, Screen::PHONE) else { return };
    assert_eq!(page.evaluate("document.querySelectorAll('#bars button').length"), 70);
    seven(&mut page);
    let probabilities = numbers(&page.evaluate("[...drawing().probabilities]"));
    page.evaluate("document.querySelector('#labels select').value = 42");
    click(&mut page, "#labels button");
    seven(&mut page);
    page.set_screen(Screen { width: 320, ..Screen::PHONE });
    assert_eq!(page.evaluate("document.documentElement.scrollWidth"), 320);
    let csv = page.evaluate("collectionCsv(collection.drawings, data)");
    dir.write("mine.csv", csv.as_str().unwrap());
    let evaluated = dir.json(&["evaluate", &run, "--data", "mine.csv"]);
    assert_eq!(evaluated["classes"][42]["num_images"], 1, "{evaluated}");
    assert_close(&[evaluated["loss"].as_f64().unwrap()], &[-probabilities[42].ln()], 1e-4);
    assert_silent(&mut page, &path);
}
