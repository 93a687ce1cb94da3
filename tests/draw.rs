//! `smallnet draw`: the page that it writes, in a browser. What needs Chromium does nothing without it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
#[path = "common/devtools.rs"]
mod devtools;
#[path = "draw/pictures.rs"]
mod pictures;

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use common::{TestDir, assert_close, config, numbers};
use devtools::{Page, Screen};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Writes the page of a run, and returns its path and the record of `--json`.
fn draw(dir: &TestDir, run: &str, args: &[&str]) -> (PathBuf, Value) {
    let record = dir.json(&[&["draw", run], args].concat());
    (dir.path().join(record["page"].as_str().unwrap()), record)
}

/// Draws a stroke on the paper, through places in hundredths of its side.
fn stroke(page: &mut Page, places: &[[f64; 2]]) {
    let [left, top, width, height] = page.place("#paper");
    let places: Vec<_> =
        places.iter().map(|[x, y]| [left + width * x / 100.0, top + height * y / 100.0]).collect();
    page.stroke(&places);
}

/// Draws a 7.
fn seven(page: &mut Page) {
    stroke(page, &[[25.0, 25.0], [50.0, 25.0], [75.0, 25.0], [60.0, 55.0], [45.0, 85.0]]);
}

fn assert_silent(page: &mut Page, file: &Path) {
    assert_eq!(page.complaints(), [""; 0]);
    let own = format!("file://{}", file.display());
    let requests = page.requests();
    assert!(!requests.is_empty() && requests.iter().all(|url| *url == own), "{requests:?}");
}

/// Clicks or taps an element, and waits until the page shows what that did. A tap becomes a click later.
fn click(page: &mut Page, selector: &str) {
    page.click(selector);
    page.evaluate("new Promise((done) => setTimeout(() => requestAnimationFrame(done), 50))");
}

#[test]
fn the_page_needs_nothing_and_runs_its_own_script_alone() {
    let dir = TestDir::new();
    let run = dir.small_run(&config("softmax"), &[]);
    let (path, record) = draw(&dir, &run, &[]);
    assert_eq!(record["page"], format!("{run}/draw.html"));
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(record["size_bytes"], text.len());
    let between = |start: &str, end: &str| text.split_once(start).unwrap().1.split_once(end).unwrap().0;
    let digest = |text: &str| format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text)));
    let policy = between("Content-Security-Policy\" content=\"", "\"").replace("&#39;", "'");
    let (script, style) = (between("<script>", "</script>"), between("<style>", "</style>"));
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(policy.contains(&format!("script-src {};", digest(script))), "{policy}");
    assert!(policy.contains(&format!("style-src {};", digest(style))), "{policy}");
    assert!(!text.contains("http://") && !text.contains("https://"));

    let Some(mut page) = Page::open(&path, Screen::DESKTOP) else { return };
    seven(&mut page);
    assert_ne!(page.evaluate("element('answer').textContent"), "");
    assert_silent(&mut page, &path);
    // A script that is not the page's own is not run.
    let bad = path.with_file_name("bad.html");
    fs::write(&bad, text.replace("</main>", "</main><script>element('answer').textContent = 'bad'</script>"))
        .unwrap();
    page.go_to(&bad);
    assert_ne!(page.evaluate("element('answer').textContent"), "bad");
    assert!(page.complaints().iter().any(|text| text.contains("Content Security Policy")));
}

/// Every activation, and a network without hidden layers.
#[test]
fn the_page_answers_as_predict_does() {
    let dir = TestDir::new();
    let mut opened: Option<Page> = None;
    let leaky = "model.activation={ kind = \"leaky-relu\", slope = 0.2 }";
    let activations =
        ["relu", "gelu", "silu", "sigmoid", "tanh"].map(|name| format!("model.activation={name}"));
    let hidden: Vec<String> = [&[String::new(), leaky.to_owned()][..], &activations].concat();
    for activation in hidden {
        let more: &[&str] = match activation.as_str() {
            "" => &[],
            setting => &["--set", "model.hidden=[32,16]", setting],
        };
        let run = dir.small_run(&config("softmax"), more);
        let (path, record) = draw(&dir, &run, &[]);
        let page = match &mut opened {
            Some(page) => {
                page.go_to(&path);
                page
            }
            None => match Page::open(&path, Screen::DESKTOP) {
                Some(page) => opened.insert(page),
                None => return,
            },
        };
        let answers = page.evaluate(
            "images.map(({index, label, pixels}) =>
               ({index, label, probabilities: [...softmax(forward(network, pixels).logits)]}))",
        );
        let answers = answers.as_array().unwrap();
        assert_eq!(answers.len(), record["num_images"].as_u64().unwrap() as usize);
        assert!(answers.len() > 20);
        let indices: Vec<String> = answers.iter().map(|answer| answer["index"].to_string()).collect();
        let predicted = dir.json(&["predict", &run, "--pictures=0", "--index", &indices.join(",")]);
        // With 16 bits per weight, a probability changes by as much as the command says.
        let allowed = match record["bits_per_weight"].as_u64().unwrap() {
            16 => record["rounding"]["max_difference"].as_f64().unwrap(),
            _ => 0.0,
        };
        assert!(allowed <= 1e-4);
        for (answer, expected) in answers.iter().zip(predicted.as_array().unwrap()) {
            assert_eq!(answer["label"], expected["label"]);
            assert_close(
                &numbers(&answer["probabilities"]),
                &numbers(&expected["probabilities"]),
                allowed + 1e-6,
            );
        }
        // The gradient times the input is what the logit changes by, if the image becomes a little stronger.
        let differences = page.evaluate(
            "images.slice(0, 5).map(({pixels}) => {
               const logit = (factor) => {
                 let values = Float64Array.from(pixels, (byte) => factor * byte / 255);
                 network.layers.forEach(({outputs, weights, biases}, index) => {
                   const sums = Float64Array.from(biases);
                   values.forEach((value, row) => sums.forEach((_, column) => {
                     sums[column] += value * weights[row * outputs + column];
                   }));
                   values = index + 1 < network.layers.length ? sums.map(network.apply) : sums;
                 });
                 return values[3];
               };
               const sum = contributions(network, forward(network, pixels), 3).reduce((a, b) => a + b);
               return Math.abs((logit(1.00001) - logit(0.99999)) / 0.00002 - sum);
             })",
        );
        assert!(
            numbers(&differences).iter().all(|difference| *difference < 1e-2),
            "{activation}: {differences}"
        );
        // Without hidden layers, each pixel adds its weight times its value.
        let each = page.evaluate(
            "contributions(network, forward(network, images[0].pixels), 3).map((value, pixel) =>
               Math.abs(value - network.layers[0].weights[10 * pixel + 3] * images[0].pixels[pixel] / 255))
               .reduce((a, b) => Math.max(a, b))",
        );
        assert_eq!(each.as_f64().unwrap() < 1e-6, activation.is_empty(), "{activation}: {each}");
        assert_silent(page, &path);
        opened.as_mut().unwrap().events.clear();
    }
}

#[test]
fn drawings_are_a_data_set_for_evaluate_and_train() {
    let dir = TestDir::new();
    let run = dir.small_run(&config("softmax"), &[]);
    let (path, _) = draw(&dir, &run, &[]);
    let Some(mut page) = Page::open(&path, Screen::DESKTOP) else { return };
    page.call(
        "Browser.setDownloadBehavior",
        json!({"behavior": "allow", "downloadPath": dir.path().to_str().unwrap()}),
    );
    seven(&mut page);
    let drawn = page.evaluate("[...drawing().pixels]");
    let answer = page.evaluate("ranking(drawing().probabilities)[0]");
    click(&mut page, "#labels button:nth-child(8)");
    // Its name is a key, too.
    stroke(&mut page, &[[50.0, 15.0], [50.0, 85.0]]);
    page.press("1", 0);
    stroke(&mut page, &[[50.0, 15.0], [30.0, 60.0], [70.0, 60.0]]);
    page.press("4", 0);
    assert_eq!(page.evaluate("collection.drawings.map(({label}) => label)"), json!([7, 1, 4]));
    assert!(page.evaluate("paper.isEmpty()").as_bool().unwrap());
    // They are there again when the page is opened again.
    page.go_to(&path);
    assert_eq!(page.evaluate("collection.drawings.map(({label}) => label)"), json!([7, 1, 4]));
    click(&mut page, "#csv");
    let csv = wait_for(&dir.path().join("drawings.csv"));
    let pixels: Vec<f64> =
        csv.lines().nth(1).unwrap().split(',').skip(1).map(|cell| cell.parse().unwrap()).collect();
    assert!(csv.lines().nth(1).unwrap().starts_with("7,"), "{csv}");
    assert_eq!(pixels, numbers(&drawn));
    assert_silent(&mut page, &path);

    let evaluated = dir.json(&["evaluate", &run, "--data", "drawings.csv"]);
    assert_eq!(evaluated["num_images"], 3);
    let counts = &evaluated["confusion"];
    assert_eq!(counts[7][answer.as_u64().unwrap() as usize], 1, "{counts}");
    // The images have three classes, and the network keeps its ten.
    let commands = page.evaluate("element('run').textContent");
    let (_, command) = commands.as_str().unwrap().split_once("\nsmallnet ").unwrap();
    assert!(command.ends_with(" --set data.source=drawings.csv data.validation=0"), "{command}");
    let args: Vec<&str> = command.split(' ').filter(|word| *word != "--keep-classes").collect();
    let output = dir.run(&[&args[..], &["--name", "mine"]].concat());
    assert!(output.stderr.contains("keep all of its classes: `--keep-classes`"), "{}", output.stderr);
    let more = ["training.num_epochs=20", "--keep-classes", "--name", "mine"];
    let mine = dir.json(&[&args[..], &more].concat());
    let mine = mine["run"].as_str().unwrap();
    assert_eq!(dir.json(&["evaluate", mine, "--split", "train"])["accuracy"], 1.0);
    // It still tells ten digits apart, and resumes as any run.
    let tested = dir.json(&["evaluate", mine, "--data", "data"]);
    assert!(tested["accuracy"].as_f64().unwrap() > 0.3, "{tested}");
    assert_eq!(dir.run(&["resume", mine, "--epochs", "21"]).code, 0);
}

/// Waits for a file that the browser saves.
fn wait_for(path: &Path) -> String {
    let start = Instant::now();
    while !path.exists() {
        assert!(start.elapsed() < Duration::from_secs(30), "{}", path.display());
        thread::sleep(Duration::from_millis(20));
    }
    fs::read_to_string(path).unwrap()
}

/// Words as classes, images that are not square, and no test images.
#[test]
fn names_of_classes_are_text_whatever_they_contain() {
    let dir = TestDir::new();
    let names = ["<!--<b>\u{e9}", "</script><script>alert(1)</script>", "a,\"b\"", "x"];
    let mut rows = String::from("label,");
    rows += &(0..12).map(|index| format!("pixel{index}")).collect::<Vec<_>>().join(",");
    for index in 0..40 {
        let name = names[index % 4].replace('"', "\"\"");
        let pixels = (0..12).map(|pixel| if pixel % 4 == index % 4 { "250" } else { "3" });
        rows += &format!("\n\"{name}\",{}", pixels.collect::<Vec<_>>().join(","));
    }
    dir.write("words.csv", rows);
    let args = [
        "train",
        "softmax",
        "--data",
        "words.csv",
        "--set",
        "data.image_size=[3,4]",
        "training.batch_size=8",
    ];
    let run = dir.json(&args)["run"].as_str().unwrap().to_owned();
    let output = dir.run(&["draw", &run]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(
        output.stdout.contains("note: the page has no test images: there are no test images"),
        "{}",
        output.stdout
    );
    let (path, record) = draw(&dir, &run, &["--output", "words.html"]);
    assert_eq!(record["num_images"], 0);
    let Some(mut page) = Page::open(&path, Screen::PHONE) else { return };
    assert_eq!(page.evaluate("names"), json!(names));
    assert_eq!(
        page.evaluate("[...document.querySelectorAll('#labels button')].map((it) => it.textContent)"),
        json!(names)
    );
    assert_eq!(page.evaluate("element('tests').hidden"), true);
    seven(&mut page);
    assert_eq!(page.evaluate("drawing().pixels.length"), 12);
    click(&mut page, "#labels button:first-child");
    let csv = page.evaluate("collectionCsv(collection.drawings, data)");
    dir.write("mine.csv", csv.as_str().unwrap());
    let evaluated = dir.json(&["evaluate", &run, "--data", "mine.csv"]);
    assert_eq!(
        (&evaluated["num_images"], &evaluated["classes"][0]["num_images"]),
        (&json!(1), &json!(1)),
        "{evaluated}"
    );
    assert_silent(&mut page, &path);
}

#[test]
fn a_page_overwrites_no_other_file() {
    let dir = TestDir::new();
    let run = dir.saved_run();
    let draw = |args: &[&str]| dir.run(&[&["draw", &run], args].concat());
    assert_eq!(draw(&[]).code, 0);
    fs::write(dir.path().join(&run).join("draw.html"), "old").unwrap();
    assert_eq!(draw(&[]).code, 0);
    assert!(dir.read(format!("{run}/draw.html")).starts_with("<!DOCTYPE html>"));
    dir.write("mine.html", "mine");
    draw(&["--output", "mine.html"]).assert_error(
        1,
        "`mine.html` exists already, and a page overwrites nothing\n\nhint: name another file, or remove this one first",
    );
    assert_eq!(dir.read("mine.html"), "mine");
    draw(&["--output", "nowhere/page.html"]).assert_error(
        1,
        "cannot write `nowhere/page.html`: there is no folder `nowhere`\n\nhint: make the folder first",
    );
    let output = draw(&["--output", "/proc/page.html"]);
    assert!(
        output.code == 1 && output.stderr.contains("cannot write `/proc/page.html`"),
        "{}",
        output.stderr
    );
    let output = dir.run(&["draw", "no-such-run"]);
    assert_eq!(output.code, 1);
    assert!(output.stderr.contains("no-such-run"), "{}", output.stderr);
}

#[test]
fn the_paper_is_drawn_on_by_finger_undone_and_cleared() {
    let dir = TestDir::new();
    let run = dir.saved_run();
    let (path, _) = draw(&dir, &run, &[]);
    let Some(mut page) = Page::open(&path, Screen::PHONE) else { return };
    let ink = "drawing().picture.filter((value) => value < 128).length";
    seven(&mut page);
    let one = page.evaluate(ink).as_u64().unwrap();
    assert!(one > 1500, "{one}");
    // The page stays where it is under the finger.
    assert_eq!(page.evaluate("scrollY"), 0);
    stroke(&mut page, &[[30.0, 55.0], [70.0, 55.0]]);
    assert!(page.evaluate(ink).as_u64().unwrap() > one);
    click(&mut page, "#undo");
    assert_eq!(page.evaluate(ink), one);
    // Redo and Tab take back and keep nothing.
    page.press("z", 2 + 8);
    assert_eq!(page.evaluate("paper.strokes.length"), 1);
    assert_eq!(page.evaluate("labelOfKey('Tab')"), -1);
    page.press("z", 2);
    assert_eq!(
        page.evaluate("[document.activeElement.id, element('about').textContent.startsWith('what')]"),
        json!(["paper", true])
    );
    assert_eq!(
        page.evaluate("[drawing().pixels === undefined, element('answer').textContent]"),
        json!([true, ""])
    );
    seven(&mut page);
    click(&mut page, "#clear");
    assert_eq!(page.evaluate(ink), 0);
    click(&mut page, "[data-pen='10']");
    seven(&mut page);
    assert!(page.evaluate(ink).as_u64().unwrap() > one * 5 / 4);
    // The drawing as a picture is answered by `predict` as by the page.
    let png = page.evaluate("Array.from(encodePng(paper.picture, PICTURE_SIDE))");
    let bytes: Vec<u8> = numbers(&png).iter().map(|byte| *byte as u8).collect();
    dir.write("drawing.png", bytes);
    let predicted = dir.json(&["predict", &run, "drawing.png", "--pictures=0"]);
    let expected = numbers(&predicted[0]["probabilities"]);
    assert_close(&numbers(&page.evaluate("[...drawing().probabilities]")), &expected, 1e-4);
    assert_silent(&mut page, &path);
}

/// A palm beside a pen, and a second finger.
#[test]
fn a_second_pointer_changes_no_stroke() {
    let dir = TestDir::new();
    let run = dir.saved_run();
    let (path, _) = draw(&dir, &run, &[]);
    let Some(mut page) = Page::open(&path, Screen::DESKTOP) else { return };
    page.evaluate(
        "element('paper').addEventListener('pointerdown', () => {
           element('paper').addEventListener('pointermove', () => {
             for (const [kind, isPrimary] of [['pointerdown', true], ['pointermove', true], ['pointerup', false]]) {
               const place = {clientX: 5, clientY: 5};
               element('paper').dispatchEvent(new PointerEvent(kind, {pointerId: 77, isPrimary, ...place}));
             }
           }, {once: true});
         }, {once: true})",
    );
    stroke(&mut page, &[[20.0, 50.0], [40.0, 50.0], [60.0, 50.0], [80.0, 50.0]]);
    assert_eq!(page.evaluate("paper.strokes.length"), 1);
    let places = page.evaluate("paper.strokes[0].points.map(([x, y]) => [100 * x, 100 * y].map((value) => Math.round(value / PICTURE_SIDE)))");
    assert_eq!(places[0], json!([20, 50]), "{places}");
    assert!(places.as_array().unwrap().iter().all(|place| place[1] == 50), "{places}");
    assert_eq!(places.as_array().unwrap().last().unwrap(), &json!([80, 50]), "{places}");
    assert_silent(&mut page, &path);
}

#[test]
fn test_images_are_shown() {
    let dir = TestDir::new();
    let run = dir.small_run(&config("softmax"), &[]);
    let (path, _) = draw(&dir, &run, &[]);
    let Some(mut page) = Page::open(&path, Screen::DESKTOP) else { return };
    page.press("ArrowRight", 0);
    let first = page.evaluate("[shown.image, element('details').textContent, names[shown.truth]]");
    assert_eq!(first[0], 0);
    let words = first[1].as_str().unwrap();
    assert!(words.contains(&format!("wrong, it is {}", first[2].as_str().unwrap())), "{words}");
    page.press("ArrowLeft", 0);
    assert_eq!(page.evaluate("shown.image === images.length - 1"), true);
    click(&mut page, ".thumbnail");
    assert_eq!(page.evaluate("shown.image"), 0);
    // A test image is not kept as a drawing.
    click(&mut page, "#labels button");
    assert_eq!(page.evaluate("collection.drawings.length"), 0);
    assert_silent(&mut page, &path);
}

/// No content beyond the screen, and the contrast that WCAG 2.2 requires.
#[test]
fn the_page_can_be_read_on_every_screen_in_light_and_dark() {
    let dir = TestDir::new();
    let run = dir.small_run(&config("softmax"), &[]);
    let (path, _) = draw(&dir, &run, &[]);
    let Some(mut page) = Page::open(&path, Screen::DESKTOP) else { return };
    let functions = include_str!("common/measure.js").split("// One frame").next().unwrap();
    let measure = format!("(() => {{ {functions} return measure(document, window); }})()");
    seven(&mut page);
    click(&mut page, "#labels button:nth-child(3)");
    page.press("ArrowRight", 0);
    for width in [320, 360, 768, 1280] {
        for is_dark in [false, true] {
            page.set_screen(Screen { width, is_dark, ..Screen::DESKTOP });
            let seen = page.evaluate(&measure);
            let told = format!("at {width}, dark: {is_dark}: {seen:#}");
            assert_eq!((&seen["isDark"], &seen["width"]), (&json!(is_dark), &json!(width)), "{told}");
            assert_eq!((&seen["beyond"], &seen["scrollWidth"]), (&json!([]), &json!(width)), "{told}");
            assert!(seen["lowestText"]["contrast"].as_f64().unwrap() >= 4.5, "{told}");
            assert!(seen["numTexts"].as_u64().unwrap() > 50, "{told}");
        }
    }
    assert_silent(&mut page, &path);
}
